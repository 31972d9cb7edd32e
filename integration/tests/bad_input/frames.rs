//! Frames and bodies that are not what they say.

use integration::{Daemon, Wire, produce};
use protocol::{
    ErrorCode,
    messages::k18_api_versions::{ApiVersionsRequest, ApiVersionsResponse},
    versions::SERVED,
};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};

use crate::bystander::Bystander;

/// Closed connections by reason.
const CLOSED: &str = "isthmus_broker_connections_closed_total";

/// A request header without a client id, then a body.
fn request(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(7i32.to_be_bytes());
    frame.extend((-1i16).to_be_bytes());
    frame.extend(body);
    frame
}

#[test]
fn lengths_that_cannot_be_close_the_connection() {
    let daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    for length in [-1, i32::MIN, i32::MAX, 200 << 20] {
        let before = daemon.metrics();
        let mut wire = Wire::connect(daemon.address());
        wire.send_bytes(&length.to_be_bytes());
        wire.assert_closed();
        daemon.assert_counted(&before, &[CLOSED, "frame_length"]);
    }
    bystander.finish(&daemon);
}

#[test]
fn unknown_keys_and_versions_close_the_connection() {
    let daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    // Keys 4 to 7 are for brokers among themselves; 32767 never was.
    for (key, version) in
        [(-1, 0), (4, 0), (7, 1), (93, 0), (32_767, 0), (3, 14), (3, -1), (0, 2), (1, 3), (11, 10)]
    {
        let before = daemon.metrics();
        let mut wire = Wire::connect(daemon.address());
        wire.send_frame(&request(key, version, &[0; 16]));
        wire.assert_closed();
        daemon.assert_counted(&before, &[CLOSED, "unsupported_request"]);
    }
    bystander.finish(&daemon);
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0_with_the_known_range() {
    let daemon = Daemon::start();
    for version in [5, 6, 99, i16::MAX] {
        let mut wire = Wire::connect(daemon.address());
        wire.send_frame(&request(18, version, &[0, 2, b'x', 2, b'1', 0]));
        let frame = wire.receive_frame().unwrap();
        assert_eq!(frame[..4], 7i32.to_be_bytes());
        let answer = <ApiVersionsResponse as protocol::codec::Api>::read(frame.slice(4..), 0).unwrap();
        assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
        let own = answer.api_keys.iter().find(|api| api.api_key == 18).expect("its own range is told");
        assert!(own.min_version == 0 && own.max_version >= 3, "{own:?}");
        // The client tries again on the same connection.
        let again: ApiVersionsResponse = wire.call(0, &ApiVersionsRequest::default());
        assert_eq!(again.error_code, ErrorCode::NONE);
        assert!(again.api_keys.len() > 20);
    }
}

#[test]
fn bodies_that_are_not_what_they_say_close_the_connection() {
    let daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    let huge_count = i32::MAX.to_be_bytes();
    let cases: &[(&str, Vec<u8>)] = &[
        ("an empty frame", vec![]),
        ("half a header", vec![0, 3, 0]),
        ("a client id longer than the frame", [&request(3, 1, &[])[..8], &[0x7f, 0xff, b'x']].concat()),
        ("a client id of length -2", [&request(3, 1, &[])[..8], &[0xff, 0xfe]].concat()),
        ("no body", request(3, 1, &[])),
        ("a count beyond the frame", request(3, 1, &huge_count)),
        ("a count of -2", request(3, 1, &(-2i32).to_be_bytes())),
        ("a string beyond the frame", request(3, 1, &[0, 0, 0, 1, 0x7f, 0xff, b't'])),
        ("a compact count beyond the frame", request(3, 9, &[0, 0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("a number without end", request(3, 9, &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        ("tags beyond the frame", request(3, 9, &[0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("records beyond the frame", {
            let body = [
                &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 0][..],
                &huge_count,
            ];
            request(0, 3, &body.concat())
        }),
    ];
    for (what, frame) in cases {
        let before = daemon.metrics();
        let mut wire = Wire::connect(daemon.address());
        wire.send_frame(frame);
        assert!(wire.closed_within(integration::DEADLINE).unwrap_or(false), "{what} was answered or hangs");
        daemon.assert_counted(&before, &[CLOSED, "malformed_request"]);
    }
    bystander.finish(&daemon);
}

/// librdkafka sends three bytes too many when it asks for all topics; Kafka does not look at what follows a body.
#[test]
fn bytes_after_a_body_are_ignored() {
    let daemon = Daemon::start();
    let mut wire = Wire::connect(daemon.address());
    let all_topics = [0, 0, 0, 0, 0, 0, 0, 0];
    for (version, body) in [(13, &all_topics[..]), (1, &[0, 0, 0, 0, 9, 9])] {
        wire.send_frame(&request(3, version, body));
        let answer = wire.receive_frame().expect("the broker answers");
        assert_eq!(answer[..4], 7i32.to_be_bytes());
    }
}

#[test]
fn what_came_before_a_malformed_request_is_answered_first() {
    let daemon = Daemon::start();
    produce::create_topic(daemon.address(), "t", 1);
    let mut wire = Wire::connect(daemon.address());
    wire.send(produce::PRODUCE, &produce::produce_request("t", -1, &produce::batch(&[b"v"])));
    wire.send_frame(&request(3, 1, &i32::MAX.to_be_bytes()));
    let answer: protocol::messages::k00_produce::ProduceResponse = wire.receive(produce::PRODUCE);
    assert_eq!(answer.responses[0].partition_responses[0].error_code, ErrorCode::NONE);
    wire.assert_closed();
}

#[test]
fn promised_bytes_take_no_memory_before_they_come() {
    const CONNECTIONS: usize = 60;
    const GROWTH_MAX: u64 = 48 << 20;
    let daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    let before = daemon.resident_bytes();
    // 90 MiB promised, 20 KiB sent, by each.
    let promising: Vec<Wire> = (0..CONNECTIONS)
        .map(|_| {
            let mut wire = Wire::connect(daemon.address());
            wire.send_bytes(&(90i32 << 20).to_be_bytes());
            wire.send_bytes(&request(0, 9, &[0; 20_000]));
            wire
        })
        .collect();
    // Small frames whose counts promise gigabytes.
    for _ in 0..200 {
        let mut wire = Wire::connect(daemon.address());
        wire.send_frame(&request(3, 1, &i32::MAX.to_be_bytes()));
        wire.assert_closed();
    }
    bystander.assert_served();
    let grown = daemon.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_MAX, "{grown} bytes for nothing");
    drop(promising);
    bystander.finish(&daemon);
}

/// Every API in every version gets bytes that no client would send. The daemon may answer or close, nothing else.
#[test]
fn noise_in_every_api_and_version_is_survived() {
    const SEED: u64 = 3;
    let mut daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    let mut random = StdRng::seed_from_u64(SEED);
    for served in SERVED {
        for version in served.min..=served.max {
            for length in [0, 1, 40, 400] {
                let mut body = vec![0; length];
                random.fill_bytes(&mut body);
                // Small numbers get further into a decoder than large ones.
                for byte in &mut body {
                    if random.random_bool(0.7) {
                        *byte = random.random_range(0..4);
                    }
                }
                let mut wire = Wire::connect(daemon.address());
                wire.send_frame(&request(served.key, version, &body));
                wire.half_close();
                let _ = wire.receive_frame();
                assert!(daemon.is_running(), "{} {version} {body:02x?}", served.name);
            }
        }
        bystander.assert_served();
    }
    bystander.finish(&daemon);
}
