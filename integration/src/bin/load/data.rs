//! What is replayed: batches of records that codecs find easy, realistic, or impossible.

use bytes::Bytes;
use integration::produce;

/// A record's value at most.
const VALUE_BYTES: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Data {
    /// Page views as JSON, with fields that repeat and ids that do not.
    Events,
    /// What no codec makes smaller: the cost of every byte.
    Noise,
}

/// A batch of about so many bytes, of records of a kilobyte at most.
pub(crate) fn batch(data: Data, bytes: usize, seed: u64) -> Bytes {
    let value_bytes = VALUE_BYTES.min(bytes.saturating_sub(100).max(1));
    let count = (bytes / (value_bytes + 10)).max(1);
    let mut random = Random(seed.wrapping_mul(2).wrapping_add(1));
    let values: Vec<Vec<u8>> = (0..count).map(|_| value(data, value_bytes, &mut random)).collect();
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    produce::batch(&values)
}

fn value(data: Data, bytes: usize, random: &mut Random) -> Vec<u8> {
    let mut value = Vec::with_capacity(bytes + 256);
    while value.len() < bytes {
        match data {
            Data::Noise => value.extend_from_slice(&random.next().to_le_bytes()),
            Data::Events => value.extend_from_slice(event(random).as_bytes()),
        }
    }
    value.truncate(bytes);
    value
}

fn event(random: &mut Random) -> String {
    let (id, session, user, item) =
        (random.next(), random.next(), random.next() % 5_000, random.next() % 900);
    format!(
        r#"{{"event_id":"{id:016x}","kind":"page_view","user":{user},"session":"{session:016x}","path":"/shop/item/{item}","agent":"Mozilla/5.0 (X11; Linux x86_64)","country":"CH"}}"#
    )
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
}
