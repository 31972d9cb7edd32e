//! What is replayed: batches of records that codecs find realistic or impossible, made before anything is measured.

use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hasher},
};

use bytes::Bytes;
use protocol::batch::{BatchBuilder, Compression};

use crate::produce;

/// A record of noise at most.
const NOISE_BYTES: usize = 1_000;
/// What a batch holds beside its records, at most.
const BATCH_HEADER_BYTES: usize = 61;
/// What a record holds beside its value, at most, in batches of less than 16,384 records.
const RECORD_HEADER_BYTES: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Data {
    /// Events of a shop as JSON, 200 to 1,000 bytes, with fields that repeat and ids that do not.
    Events,
    /// What no codec makes smaller: the cost of every byte.
    Noise,
}

/// What a pool is made from.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    pub data: Data,
    /// What the producer compressed with.
    pub compression: Compression,
    /// Of a batch, before compression, at most; one record at least.
    pub batch_bytes: usize,
    /// Of all batches, before compression.
    pub pool_bytes: usize,
}

/// Different batches, to be sent over and over in this order.
pub struct Pool {
    pub batches: Vec<Batch>,
}

pub struct Batch {
    pub encoded: Bytes,
    /// A hash of each record's value.
    pub records: Vec<u64>,
}

impl Pool {
    pub fn of(recipe: &Recipe) -> Self {
        let mut random = Random(1);
        let count = (recipe.pool_bytes / recipe.batch_bytes).max(1);
        Self { batches: (0..count).map(|_| batch(recipe, &mut random)).collect() }
    }

    /// Of an encoded batch, on average.
    pub fn batch_bytes(&self) -> f64 {
        let total: usize = self.batches.iter().map(|batch| batch.encoded.len()).sum();
        total as f64 / self.batches.len() as f64
    }
}

/// What a record is known by.
pub fn hash(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value);
    hasher.finish()
}

fn batch(recipe: &Recipe, random: &mut Random) -> Batch {
    let room = recipe.batch_bytes.saturating_sub(BATCH_HEADER_BYTES);
    let mut values: Vec<Vec<u8>> = Vec::new();
    let mut used = 0;
    loop {
        let mut value = match recipe.data {
            Data::Events => event(random),
            Data::Noise => noise(random),
        };
        if values.is_empty() {
            value.truncate(room.saturating_sub(RECORD_HEADER_BYTES).max(1));
        } else if used + value.len() + RECORD_HEADER_BYTES > room {
            break;
        }
        used += value.len() + RECORD_HEADER_BYTES;
        values.push(value);
    }
    let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    Batch {
        encoded: produce::records(BatchBuilder::new().compression(recipe.compression), &slices),
        records: values.iter().map(|value| hash(value)).collect(),
    }
}

/// Different values, the same at every call.
pub fn events(count: usize) -> Vec<Vec<u8>> {
    let mut random = Random(1);
    (0..count).map(|_| event(&mut random)).collect()
}

fn noise(random: &mut Random) -> Vec<u8> {
    (0..NOISE_BYTES / 8).flat_map(|_| random.next().to_le_bytes()).collect()
}

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "ShopApp/8.14.2 (iPhone; iOS 17.5.1; Scale/3.00)",
];
const COUNTRIES: [&str; 6] = ["CH", "DE", "US", "JP", "BR", "IN"];

/// A view of a page, a click with its basket, or a heartbeat.
fn event(random: &mut Random) -> Vec<u8> {
    let (id, session) = (random.next(), random.next());
    // Few users do most of what is done.
    let user = random.below(5_000) * random.below(5_000) / 5_000;
    let time = 1_700_000_000_000 + random.below(86_400_000);
    let agent = AGENTS[random.below(4) as usize];
    let country = COUNTRIES[random.below(6) as usize];
    let kind = match random.below(10) {
        0 => "heartbeat",
        1..=3 => "ad_click",
        _ => "page_view",
    };
    let mut text = format!(
        r#"{{"event_id":"{id:016x}{:016x}","kind":"{kind}","time_ms":{time},"user_id":{user},"session":"{session:016x}","country":"{country}""#,
        random.next()
    );
    if kind == "heartbeat" {
        let (uptime, charge) = (random.below(1_000_000), random.below(101));
        write!(
            text,
            r#","version":"8.14.2","uptime_seconds":{uptime},"charge_percent":{charge},"status":"idle""#
        )
        .expect("a string can be written");
    } else {
        let (item, referrer) = (random.below(900), random.below(40));
        write!(
            text,
            r#","path":"/shop/category/{}/item/{item}","referrer":"https://search.example/results?q={referrer}","agent":"{agent}""#,
            item % 12
        )
        .expect("a string can be written");
    }
    if kind == "ad_click" {
        text.push_str(r#","basket":["#);
        for at in 0..=random.below(6) {
            let comma = if at == 0 { "" } else { "," };
            let (item, cents, count) = (random.below(900), random.below(20_000), 1 + random.below(3));
            write!(
                text,
                r#"{comma}{{"item":{item},"quantity":{count},"price_cents":{cents},"currency":"EUR"}}"#
            )
            .expect("a string can be written");
        }
        text.push(']');
    }
    text.push('}');
    text.into_bytes()
}

/// Xorshift: the same seed gives the same data.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 16) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe {
        data: Data::Events,
        compression: Compression::None,
        batch_bytes: 100_000,
        pool_bytes: 1_000_000,
    };

    #[test]
    fn batches_keep_to_their_size_and_differ() {
        let pool = Pool::of(&RECIPE);
        assert_eq!(pool.batches.len(), 10);
        for batch in &pool.batches {
            assert!((95_000..=100_000).contains(&batch.encoded.len()), "{}", batch.encoded.len());
        }
        assert_ne!(pool.batches[0].records, pool.batches[1].records);
    }

    #[test]
    fn events_are_json_of_200_to_1000_bytes_that_a_codec_makes_much_smaller() {
        let mut random = Random(7);
        for _ in 0..10_000 {
            let event = event(&mut random);
            assert!((200..=1_000).contains(&event.len()), "{}", event.len());
            serde_json::from_slice::<serde_json::Value>(&event).unwrap();
        }
        let packed = Pool::of(&Recipe { compression: Compression::Zstd, ..RECIPE });
        let ratio = Pool::of(&RECIPE).batch_bytes() / packed.batch_bytes();
        assert!((3.0..8.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_small_batch_holds_one_record() {
        let pool = Pool::of(&Recipe { batch_bytes: 120, pool_bytes: 120, ..RECIPE });
        assert_eq!(pool.batches[0].records.len(), 1);
        assert!(pool.batches[0].encoded.len() <= 130);
    }
}
