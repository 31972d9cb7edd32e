//! Every message, every version, both ways.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    ops::RangeInclusive,
};

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    messages as theirs,
    protocol::{Decodable, Encodable, Message},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use protocol::codec::{Kind, Schema};

use crate::{
    apis::{self, Declared, each_api},
    entropy::Entropy,
    printed::{self, Value},
    sample,
};

/// Bodies tried for each message and version.
const CASES: u32 = 96;

/// The other codec's side of a message.
struct Theirs {
    ours: &'static Declared,
    versions: RangeInclusive<i16>,
    /// The value printed, and its encoding.
    recode: fn(Bytes, i16) -> Result<(String, Bytes), String>,
    encode_default: fn(i16) -> Result<(String, Bytes), String>,
}

macro_rules! table {
    ($($module:ident: $request:ident, $response:ident;)*) => {
        fn all() -> Vec<Theirs> {
            vec![
                $(
                    theirs::<theirs::$request>(stringify!($request)),
                    theirs::<theirs::$response>(stringify!($response)),
                )*
            ]
        }
    };
}

each_api!(table);

fn theirs<M: Message + Decodable + Encodable + Default + Debug>(name: &str) -> Theirs {
    let ours = apis::DECLARED.iter().find(|declared| declared.name == name).expect("the same list");
    Theirs {
        ours,
        versions: M::VERSIONS.min..=M::VERSIONS.max,
        recode: |mut body, version| {
            let message = M::decode(&mut body, version).map_err(|error| error.to_string())?;
            if !body.is_empty() {
                return Err(format!("{} bytes left over", body.len()));
            }
            encode(&message, version)
        },
        encode_default: |version| encode(&M::default(), version),
    }
}

fn encode<M: Encodable + Debug>(message: &M, version: i16) -> Result<(String, Bytes), String> {
    let mut to = BytesMut::new();
    message.encode(&mut to, version).map_err(|error| error.to_string())?;
    Ok((format!("{message:?}"), to.freeze()))
}

fn each_version(mut each: impl FnMut(&Theirs, i16)) {
    for message in all() {
        for version in message.ours.versions.clone() {
            if message.versions.contains(&version) {
                each(&message, version);
            }
        }
    }
}

fn property(theirs: &Theirs, version: i16, check: impl Fn(u64) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, proptest::test_runner::TestRng::deterministic_rng(Default::default()))
        .run(&any::<u64>(), check)
        .unwrap_or_else(|error| panic!("{} version {version}: {error}", theirs.ours.name));
}

#[test]
fn both_codecs_see_the_same_fields_and_write_the_same_bytes() {
    each_version(|theirs, version| {
        let ours = theirs.ours;
        property(theirs, version, |seed| {
            let mut entropy = Entropy::seeded(seed);
            let body = Bytes::from(sample::message(ours.schema, (ours.layout)(version), false, &mut entropy));
            let (printed, encoded) = (theirs.recode)(body.clone(), version).map_err(TestCaseError::fail)?;
            prop_assert_eq!(&encoded, &body, "they encode what they decoded");
            let again = (ours.recode)(body.clone(), version);
            prop_assert_eq!(again.as_ref(), Ok(&body), "we encode what we decoded");
            let our_print = (ours.print)(body, version).expect("decoded before");
            prop_assert_eq!(printed::parse(&our_print), printed::parse(&printed));
            Ok(())
        });
    });
}

/// We drop tagged fields that we do not know, they keep them; what we know must be the same all the same.
#[test]
fn unknown_tagged_fields_are_skipped_without_harm() {
    each_version(|theirs, version| {
        let ours = theirs.ours;
        property(theirs, version, |seed| {
            let mut entropy = Entropy::seeded(seed);
            let body = Bytes::from(sample::message(ours.schema, (ours.layout)(version), true, &mut entropy));
            let (printed, _) = (theirs.recode)(body.clone(), version).map_err(TestCaseError::fail)?;
            let our_print = (ours.print)(body, version).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(printed::parse(&our_print), printed::parse(&printed));
            Ok(())
        });
    });
}

/// Defaults are what a field has in a version without it, so they are part of the protocol.
#[test]
fn defaults_are_the_same() {
    each_version(|theirs, version| {
        let ours = (theirs.ours.encode_default)(version);
        let name = theirs.ours.name;
        match (ours, (theirs.encode_default)(version)) {
            (Ok(ours), Ok((printed, encoded))) => {
                assert_eq!(ours, encoded, "{name} version {version}");
                let our_print = (theirs.ours.print)(ours, version).expect("encoded just now");
                assert_eq!(printed::parse(&our_print), printed::parse(&printed), "{name} version {version}");
            }
            (ours, theirs) => panic!("{name} version {version}: {ours:?} but {theirs:?}"),
        }
    });
}

/// What the tests above are worth: every field that is declared takes several values, and null where it can.
#[test]
fn samples_fill_every_field() {
    for message in apis::DECLARED {
        let mut seen = BTreeMap::new();
        for version in message.versions.clone() {
            for seed in 0..u64::from(CASES) {
                let mut entropy = Entropy::seeded(seed);
                let body = sample::message(message.schema, (message.layout)(version), false, &mut entropy);
                let printed = (message.print)(Bytes::from(body), version).expect("a valid sample");
                note(&printed::parse(&printed), String::new(), &mut seen);
            }
        }
        let mut fields = Vec::new();
        list(&Kind::Struct(message.schema), String::new(), &mut fields);
        for field in fields {
            let values = seen.get(&field).map_or(0, BTreeSet::len);
            assert!(values >= 2, "{}{field} took {values} values", message.name);
        }
    }
}

/// Remembers the values at each path; a list's are its lengths and its elements.
fn note(value: &Value, path: String, seen: &mut BTreeMap<String, BTreeSet<String>>) {
    let mut at = |what: String| seen.entry(path.clone()).or_default().insert(what);
    match value {
        Value::Fields(fields) => {
            fields.iter().for_each(|(name, value)| note(value, format!("{path}.{name}"), seen));
        }
        Value::List(elements) => {
            at(format!("{} elements", elements.len()));
            elements.iter().for_each(|element| note(element, format!("{path}[]"), seen));
        }
        Value::Some(inner) => {
            at("something".into());
            note(inner, format!("{path}?"), seen);
        }
        Value::Atom(atom) => drop(at(atom.clone())),
    }
}

/// The paths of a declaration at which [`note`] must have seen values.
fn list(kind: &Kind, path: String, paths: &mut Vec<String>) {
    match kind {
        Kind::Struct(Schema { fields, .. }) => {
            fields.iter().for_each(|field| list(&field.kind, format!("{path}.{}", field.name), paths));
        }
        Kind::Array(element) => {
            paths.push(path.clone());
            list(element, format!("{path}[]"), paths);
        }
        Kind::Nullable(inner) => {
            paths.push(path.clone());
            list(inner, format!("{path}?"), paths);
        }
        _ => paths.push(path),
    }
}

/// Null says something else than empty, and only from the version that gave it a meaning. Their codec is lenient here.
#[test]
fn null_is_refused_where_a_version_has_no_meaning_for_it() {
    use protocol::{
        codec::{Api, DecodeError, EncodeError, Encoder},
        messages::k03_metadata::MetadataRequest,
    };
    let null = Bytes::from_static(b"\xff\xff\xff\xff");
    assert_eq!(MetadataRequest::read(null.clone(), 0), Err(DecodeError::UnexpectedNull("topics")));
    assert_eq!(MetadataRequest::read(null, 1).map(|request| request.topics), Ok(None));
    let request = MetadataRequest { topics: None, ..Default::default() };
    assert_eq!(request.write(&mut Encoder::new(), 0), Err(EncodeError::UnexpectedNull("topics")));
    request.write(&mut Encoder::new(), 1).unwrap();
}
