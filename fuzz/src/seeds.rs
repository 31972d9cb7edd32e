//! What fuzzing starts from: a valid message of each API and version, a batch of each codec, and some that mean harm.

use bytes::{Bytes, BytesMut};

use protocol::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence,
    batch::{BatchBuilder, Compression, HEADER_SIZE, stamp_append_time},
};

use super::{
    apis::{self, DECLARED, Declared},
    entropy::Entropy,
    sample,
};

/// The seeds of a target by file name.
pub type Seeds = Vec<(String, Vec<u8>)>;

/// The seeds of every target, by its name.
pub fn all() -> Vec<(&'static str, Seeds)> {
    vec![
        ("request", messages(true)),
        ("response", messages(false)),
        ("batch", batches()),
        ("produce", produce()),
        ("round_trip", round_trip()),
    ]
}

fn name(declared: &Declared, version: i16) -> String {
    format!("k{:02}_v{version:02}", declared.key)
}

fn body(declared: &Declared, version: i16) -> Vec<u8> {
    let seed = u64::from(declared.key as u16) << 16 | u64::from(version as u16);
    sample::message(declared.schema, (declared.layout)(version), true, &mut Entropy::seeded(seed))
}

fn messages(is_request: bool) -> Seeds {
    let mut seeds = Seeds::new();
    for declared in DECLARED.iter().filter(|declared| declared.is_request == is_request) {
        for version in declared.versions.clone() {
            let mut frame = [declared.key.to_be_bytes(), version.to_be_bytes()].concat();
            if is_request {
                frame.extend(7i32.to_be_bytes());
                frame.extend(b"\0\x04seed");
                if (declared.layout)(version).flexible {
                    frame.push(0);
                }
            }
            frame.extend(body(declared, version));
            seeds.push((name(declared, version), frame));
        }
    }
    let nasty: [(&str, &[u8]); 5] = [
        // Metadata 0, and two billion topics.
        ("nasty_count", b"\0\x03\0\0\0\0\0\x07\xff\xff\x7f\xff\xff\xff"),
        // Metadata 12, and as many in compact form.
        ("nasty_compact_count", b"\0\x03\0\x0c\0\0\0\x07\xff\xff\0\xff\xff\xff\xff\x0f"),
        // Metadata 12, no topics, four billion tagged fields.
        ("nasty_tags", b"\0\x03\0\x0c\0\0\0\x07\xff\xff\0\x01\0\0\xff\xff\xff\xff\x0f"),
        // A client id that is longer than the frame.
        ("nasty_client_id", b"\0\x12\0\x03\0\0\0\x07\x7f\xffa"),
        // A varint that does not end.
        ("nasty_varint", b"\0\x12\0\x03\0\0\0\x07\xff\xff\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    ];
    if is_request {
        seeds.extend(nasty.map(|(name, frame)| (name.into(), frame.to_vec())));
    }
    seeds
}

fn produce() -> Seeds {
    let declared = apis::find(0, true).expect("declared");
    let seed = |version: i16| {
        let frame = [&[version as u8][..], &body(declared, version)].concat();
        (name(declared, version), frame)
    };
    declared.versions.clone().map(seed).collect()
}

/// A few choices for each message; the fuzzer finds the rest.
fn round_trip() -> Seeds {
    let choices = |message: usize| {
        let rest = (1..40).map(move |at: u8| at.wrapping_mul(37) ^ message as u8);
        std::iter::once(message as u8).chain(rest).collect()
    };
    let name = |message: usize| DECLARED.get(message).map_or("", |declared| declared.name).to_owned();
    (0..DECLARED.len()).map(|message| (format!("{message:02}_{}", name(message)), choices(message))).collect()
}

const CODECS: [(&str, Compression); 5] = [
    ("none", Compression::None),
    ("gzip", Compression::Gzip),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("zstd", Compression::Zstd),
];

fn batches() -> Seeds {
    let mut seeds = Seeds::new();
    for (codec, compression) in CODECS {
        seeds.push((codec.into(), several(compression)));
        let bomb = BatchBuilder::new().compression(compression).record(0, None, Some(&[0; 4_000]), &[]);
        seeds.push((format!("{codec}_repetitive"), built(bomb)));
    }
    let plain = Bytes::from(several(Compression::None));
    let fixed = |at: usize, bytes: &[u8]| {
        let mut batch = plain.to_vec();
        batch.splice(at..at + bytes.len(), bytes.iter().copied());
        batch
    };
    let mut stamped = BytesMut::from(&plain[..]);
    stamp_append_time(&mut stamped, 1_700_000_000_123);
    seeds.push(("append_time".into(), stamped.to_vec()));
    seeds.push(("empty_compacted".into(), [&plain[..57], &0i32.to_be_bytes()].concat()));
    seeds.push(("snappy_raw".into(), snappy_raw(&plain)));
    seeds.push(("nasty_record_count".into(), fixed(57, &i32::MAX.to_be_bytes())));
    seeds.push(("nasty_negative_count".into(), fixed(57, &i32::MIN.to_be_bytes())));
    seeds.push(("nasty_compression".into(), fixed(22, &[7])));
    seeds.push(("nasty_base_offset".into(), fixed(0, &i64::MAX.to_be_bytes())));
    // A record whose header count is 65,535.
    let header_bomb = [&plain[..HEADER_SIZE], &[18, 0, 0, 0, 1, 1, 0xfe, 0xff, 0x07, 0]].concat();
    seeds.push(("nasty_header_count".into(), header_bomb));
    seeds
}

fn several(compression: Compression) -> Vec<u8> {
    let builder = BatchBuilder::new()
        .compression(compression)
        .base_offset(Offset(1_000))
        .leader_epoch(LeaderEpoch(3))
        .producer(ProducerId(77), ProducerEpoch(1), Sequence(10))
        .transactional()
        .record(1_700_000_000_000, Some(b"key"), Some(b"value"), &[(b"h", Some(b"1")), (b"h", None)])
        .record(1_700_000_000_001, None, Some(&[b'v'; 200]), &[])
        .record(1_699_999_999_999, Some(b""), None, &[(b"\xff", Some(b""))]);
    built(builder)
}

fn built(builder: BatchBuilder) -> Vec<u8> {
    builder.build().expect("a few records").to_vec()
}

/// One block of one literal: what librdkafka's form comes down to where nothing repeats.
fn snappy_raw(plain: &[u8]) -> Vec<u8> {
    let (header, records) = plain.split_at(HEADER_SIZE);
    let length = records.len();
    let mut batch = header.to_vec();
    if let Some(attributes) = batch.get_mut(22) {
        *attributes |= 2;
    }
    // The length as a varint of two bytes; then a literal whose length less one is in the two bytes that follow.
    batch.extend([(length & 0x7f) as u8 | 0x80, (length >> 7) as u8]);
    batch.push(61 << 2);
    batch.extend(((length - 1) as u16).to_le_bytes());
    batch.extend_from_slice(records);
    batch
}
