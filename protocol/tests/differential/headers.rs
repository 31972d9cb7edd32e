//! Whole frames: what stands before a message.

use bytes::{Buf, Bytes};
use kafka_protocol::{
    messages::{ApiKey, ApiVersionsResponse, RequestHeader, ResponseHeader},
    protocol::{Decodable, Encodable},
};

use protocol::{
    codec::{Api, Chunks, Decoder, Encoder},
    frame::{self, RequestPrefix},
    messages,
    versions::{self, served},
};

use crate::apis::each_api;

const CORRELATION_ID: i32 = 0x1234_5678;

fn whole(chunks: Chunks) -> Bytes {
    let mut frame = Bytes::from(chunks.concat());
    assert_eq!(usize::try_from(frame.get_i32()), Ok(frame.remaining()), "the length counts what follows it");
    frame
}

fn body<M: Api>(message: &M, version: i16) -> Bytes {
    let mut to = Encoder::new();
    message.write(&mut to, version).unwrap();
    to.into_bytes()
}

fn request<M: Api + Default>() {
    let key = ApiKey::try_from(M::KEY).unwrap();
    for version in M::VERSIONS {
        let frame = whole(frame::request(CORRELATION_ID, version, "client", &M::default()).unwrap());
        let mut theirs = frame.clone();
        let header = RequestHeader::decode(&mut theirs, key.request_header_version(version)).unwrap();
        assert_eq!((header.request_api_key, header.request_api_version), (M::KEY, version));
        assert_eq!(header.correlation_id, CORRELATION_ID);
        assert_eq!(header.client_id.as_deref(), Some("client"));
        assert_eq!(theirs, body(&M::default(), version), "{} {version}", M::NAME);

        let mut ours = Decoder::new(frame);
        let prefix = RequestPrefix::read(&mut ours).unwrap();
        let expected = RequestPrefix { api_key: M::KEY, version, correlation_id: CORRELATION_ID };
        assert_eq!(prefix, expected);
        let flexible = served(M::KEY).unwrap().is_flexible(version);
        assert_eq!(frame::read_client_id(&mut ours, flexible).unwrap().unwrap(), "client");
        assert_eq!(ours.into_rest(), theirs);
    }
}

fn response<M: Api + Default>() {
    let key = ApiKey::try_from(M::KEY).unwrap();
    for version in M::VERSIONS {
        let mut frame = whole(frame::response(CORRELATION_ID, version, &M::default()).unwrap());
        let header = ResponseHeader::decode(&mut frame, key.response_header_version(version)).unwrap();
        assert_eq!(header.correlation_id, CORRELATION_ID);
        assert_eq!(frame, body(&M::default(), version), "{} {version}", M::NAME);
    }
}

macro_rules! every_header {
    ($($module:ident: $request:ident, $response:ident;)*) => {
        #[test]
        fn request_headers_are_kafkas() {
            $(request::<messages::$module::$request>();)*
        }

        #[test]
        fn response_headers_are_kafkas() {
            $(response::<messages::$module::$response>();)*
        }
    };
}

each_api!(every_header);

#[test]
fn a_null_client_id_and_unknown_tags_of_a_header_are_read() {
    for (version, flexible) in [(1, false), (2, true)] {
        let mut header = RequestHeader::default().with_client_id(None);
        if flexible {
            header = header.with_unknown_tagged_field(3, Bytes::from_static(b"later"));
        }
        let mut frame = bytes::BytesMut::new();
        header.encode(&mut frame, version).unwrap();
        let mut from = Decoder::new(frame.freeze());
        RequestPrefix::read(&mut from).unwrap();
        assert_eq!(frame::read_client_id(&mut from, flexible), Ok(None));
        from.finish().unwrap();
    }
}

#[test]
fn api_versions_shows_what_is_served() {
    for version in 0..=4 {
        let mut frame = whole(frame::response(CORRELATION_ID, version, &versions::api_versions()).unwrap());
        frame.advance(4);
        let shown = ApiVersionsResponse::decode(&mut frame, version).unwrap();
        assert_eq!(shown.error_code, 0);
        let shown: Vec<_> =
            shown.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
        // Produce is shown from 0, for old clients that would not compress otherwise.
        let min = |served: &versions::Served| if served.key == 0 { 0 } else { served.min };
        let expected: Vec<_> =
            versions::SERVED.iter().map(|served| (served.key, min(served), served.max)).collect();
        assert_eq!(shown, expected);
    }
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let mut frame = whole(frame::unsupported_api_versions(CORRELATION_ID).unwrap());
    assert_eq!(frame.get_i32(), CORRELATION_ID);
    let refusal = ApiVersionsResponse::decode(&mut frame, 0).unwrap();
    assert!(frame.is_empty());
    assert_eq!(refusal.error_code, 35);
    assert_eq!(refusal.api_keys.len(), 1);
    assert_eq!((refusal.api_keys[0].api_key, refusal.api_keys[0].max_version), (18, 4));
}
