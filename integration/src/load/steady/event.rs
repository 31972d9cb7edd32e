//! The records of a stream: each is known by its key, and its value follows from that.

use bytes::Bytes;

use crate::load::data;

/// Different values, over and over.
const COUNT: usize = 8_192;
/// Partitions begin at different ones.
const APART: u64 = 997;

pub(super) struct Events(Vec<Vec<u8>>);

/// Where a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) partition: i32,
    pub(super) sequence: u64,
}

impl Events {
    pub(super) fn new() -> Self {
        Self(data::events(COUNT))
    }

    pub(super) fn value(&self, place: Place) -> &[u8] {
        let at = place.sequence + u64::from(place.partition.unsigned_abs()) * APART;
        &self.0[usize::try_from(at % COUNT as u64).expect("it is below the count")]
    }
}

impl Place {
    pub(super) fn key(self) -> String {
        format!("{}:{}", self.partition, self.sequence)
    }

    /// `None`: the record is not of a stream.
    pub(super) fn of(key: Option<&Bytes>) -> Option<Self> {
        let key = str::from_utf8(key?).ok()?;
        let (partition, sequence) = key.split_once(':')?;
        Some(Self { partition: partition.parse().ok()?, sequence: sequence.parse().ok()? })
    }
}

#[test]
fn a_key_says_where_its_record_belongs() {
    let place = Place { partition: 3, sequence: 41 };
    assert_eq!(Place::of(Some(&place.key().into())), Some(place));
    assert_eq!(Place::of(Some(&"41".into())), None);
    assert_eq!(Place::of(None), None);
}
