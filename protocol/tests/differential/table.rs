//! The advertised table against the declarations it advertises.

use kafka_protocol::{ResponseError, messages::ApiKey};

use protocol::{
    ErrorCode,
    codec::{Kind, Schema},
    versions::SERVED,
};

use crate::apis::{self, DECLARED};

#[test]
fn every_declared_message_is_served_and_the_reverse() {
    for is_request in [true, false] {
        let declared: Vec<i16> = DECLARED
            .iter()
            .filter(|message| message.is_request == is_request)
            .map(|message| message.key)
            .collect();
        let served: Vec<i16> = SERVED.iter().map(|served| served.key).collect();
        assert_eq!(declared, served);
    }
}

#[test]
fn served_versions_are_declared_and_flexible_where_the_layout_is() {
    for served in SERVED {
        for is_request in [true, false] {
            let declared = apis::find(served.key, is_request).expect("declared");
            let suffix = if is_request { "Request" } else { "Response" };
            assert_eq!(declared.name, format!("{}{suffix}", served.name));
            assert!(served.min >= *declared.versions.start(), "{}", declared.name);
            assert!(served.max <= *declared.versions.end(), "{}", declared.name);
            for version in declared.versions.clone() {
                let layout = (declared.layout)(version);
                assert_eq!(layout.flexible, served.is_flexible(version), "{} {version}", declared.name);
            }
        }
    }
}

/// A header is flexible exactly when the body is; theirs says so for each version.
#[test]
fn flexible_versions_are_kafkas() {
    for served in SERVED {
        let key = ApiKey::try_from(served.key).expect("a known key");
        for version in served.min..=served.max {
            let flexible = key.request_header_version(version) == 2;
            assert_eq!(served.is_flexible(version), flexible, "{} {version}", served.name);
        }
    }
}

#[test]
fn tags_ascend_in_every_declaration() {
    DECLARED.iter().for_each(|message| check_tags(message.schema));
}

/// The encoder writes them in the order of the declaration, and the wire wants them ascending.
fn check_tags(schema: &Schema) {
    let tags: Vec<u32> = schema.fields.iter().filter_map(|field| field.tag).collect();
    assert!(tags.is_sorted_by(|a, b| a < b), "{}", schema.name);
    schema.fields.iter().for_each(|field| check_tags_within(&field.kind));
}

fn check_tags_within(kind: &Kind) {
    match kind {
        Kind::Struct(schema) => check_tags(schema),
        Kind::Array(inner) | Kind::Nullable(inner) => check_tags_within(inner),
        _ => {}
    }
}

#[test]
fn error_codes_have_kafkas_names() {
    for code in -1..=200 {
        let ours = ErrorCode(code);
        match ResponseError::try_from_code(code) {
            // They know no name for success and call an unlisted code unknown.
            None => assert_eq!(code, 0),
            Some(ResponseError::Unknown(_)) => {}
            Some(theirs) => {
                let plain = |name: &str| name.to_uppercase().replace('_', "");
                assert_eq!(plain(ours.name()), plain(&format!("{theirs:?}")), "code {code}");
            }
        }
    }
}
