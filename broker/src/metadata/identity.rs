//! Fresh ids, and ids as Kafka's tools print them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use protocol::{TopicId, Uuid};

/// Where random ids come from: a seam, so that a run can be repeated.
pub trait IdSource: Send + Sync + 'static {
    fn next_id(&self) -> Uuid;
}

impl<F: Fn() -> Uuid + Send + Sync + 'static> IdSource for F {
    fn next_id(&self) -> Uuid {
        self()
    }
}

/// Attempts after which an id source counts as broken.
const ATTEMPTS_MAX: usize = 64;

/// An id that `taken` does not know, is none of Kafka's reserved ones and does not look like a command line option.
pub(super) fn fresh(ids: &dyn IdSource, taken: impl Fn(Uuid) -> bool) -> Option<Uuid> {
    let usable = |id: &Uuid| id.as_u128() > 1 && !print(*id).starts_with('-') && !taken(*id);
    (0..ATTEMPTS_MAX).map(|_| ids.next_id()).find(usable)
}

/// 22 characters of unpadded URL-safe base64: the form of cluster and topic ids in Kafka's tools.
pub fn print(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// Reads what [`print()`] wrote.
pub fn parse(printed: &str) -> Option<Uuid> {
    const PRINTED_BYTES: usize = 22;
    if printed.len() != PRINTED_BYTES {
        return None;
    }
    Uuid::from_slice(&URL_SAFE_NO_PAD.decode(printed).ok()?).ok()
}

/// A topic's id as stored in metadata records.
pub(super) mod stored_topic_id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::TopicId;

    pub(in crate::metadata) fn serialize<S: Serializer>(id: &TopicId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::print(id.0))
    }

    pub(in crate::metadata) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TopicId, D::Error> {
        let printed = String::deserialize(from)?;
        match super::parse(&printed) {
            Some(id) if TopicId(id) != TopicId::ZERO => Ok(TopicId(id)),
            _ => Err(D::Error::custom("not a topic id")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn ids_print_as_kafka_prints_them() {
        let id = Uuid::from_u128(0x8a11_0e5d_3f54_4b1c_9d6b_0f00_aa55_ee77);
        assert_eq!(print(id).len(), 22);
        assert_eq!(parse(&print(id)), Some(id));
        for bad in ["", "short", "!!!!!!!!!!!!!!!!!!!!!!", "AAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(parse(bad), None);
        }
    }

    #[test]
    fn reserved_taken_and_dashed_ids_are_passed_over() {
        let counter = AtomicU64::new(0);
        let ids = move || match counter.fetch_add(1, Ordering::Relaxed) {
            0 => Uuid::nil(),
            1 => Uuid::from_u128(1),
            2 => Uuid::from_u128(0xf8 << 120),
            3 => Uuid::from_u128(7),
            next => Uuid::from_u128(u128::from(next) + 100),
        };
        assert_eq!(fresh(&ids, |id| id.as_u128() == 7), Some(Uuid::from_u128(104)));
        assert_eq!(fresh(&Uuid::nil, |_| false), None);
    }
}
