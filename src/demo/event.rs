//! Sample events: page views and orders of a shop. Each follows from its number alone, so the check needs no copy.

/// What is produced for one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// The customer; a customer's events are in order in one partition.
    pub(super) key: String,
    pub(super) value: String,
}

const CUSTOMERS: u64 = 500;
const PAGES: [&str; 5] = ["/", "/search", "/product", "/basket", "/help"];
const PRODUCTS: [&str; 6] = ["teapot", "lantern", "umbrella", "notebook", "compass", "kettle"];
/// One event of this many is an order.
const ORDER_EVERY: u64 = 4;

impl Event {
    pub(super) fn of(number: u64) -> Self {
        let random = mix(number);
        let customer = customer(number);
        let key = format!("customer-{customer:04}");
        let pick = |from: &[&'static str], salt: u64| {
            let at = usize::try_from(mix(random ^ salt)).unwrap_or(usize::MAX) % from.len().max(1);
            from.get(at).copied().unwrap_or_default()
        };
        let value = if random.is_multiple_of(ORDER_EVERY) {
            let (product, cents) = (pick(&PRODUCTS, 1), 500 + mix(random ^ 2) % 20_000);
            format!(
                r#"{{"event":{number},"type":"order","customer":{customer},"product":"{product}","cents":{cents}}}"#
            )
        } else {
            let (page, ms) = (pick(&PAGES, 3), 5 + mix(random ^ 4) % 400);
            format!(
                r#"{{"event":{number},"type":"page_view","customer":{customer},"page":"{page}","ms":{ms}}}"#
            )
        };
        Self { key, value }
    }

    /// The partition of an event, out of `partitions`.
    pub(super) fn partition(number: u64, partitions: i32) -> i32 {
        let count = u64::try_from(partitions).unwrap_or(1).max(1);
        i32::try_from(mix(customer(number)) % count).unwrap_or(0)
    }
}

fn customer(number: u64) -> u64 {
    mix(number ^ 5) % CUSTOMERS
}

/// SplitMix64's finalizer: near numbers give unlike ones.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn events_are_json_of_both_kinds_and_no_two_are_alike() {
        let mut kinds = BTreeSet::new();
        let mut values = BTreeSet::new();
        for number in 0..200 {
            let event = Event::of(number);
            let parsed: serde_json::Value = serde_json::from_str(&event.value).expect("JSON");
            kinds.insert(parsed["type"].as_str().expect("a type").to_owned());
            assert_eq!(parsed["event"], number);
            assert!(values.insert(event.value));
        }
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["order", "page_view"]);
    }

    #[test]
    fn a_customer_stays_in_one_partition_and_all_partitions_are_used() {
        let mut partition_of = BTreeMap::new();
        for number in 0..2_000 {
            let partition = Event::partition(number, 4);
            assert_eq!(*partition_of.entry(Event::of(number).key).or_insert(partition), partition);
        }
        assert_eq!(partition_of.values().collect::<BTreeSet<_>>().len(), 4);
    }
}
