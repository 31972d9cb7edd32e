//! What a link carries on loopback, beside what quinn alone carries in the same run. Two ends in one process, a thread each.
//!
//! `cargo bench -p mirror --bench link [-- MEGABYTES]`

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::type_complexity,
    clippy::async_yields_async,
    dead_code,
    reason = "a test fails by panicking; targets share their support"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use core_log::storage::DiskStorage;
use mirror::{
    driver::{TransportSettings, client_config, endpoint, server_config},
    link::block::CodecChoice,
};
use protocol::{TopicId, batch::Compression};
use support::{Discard, World, batch, peer, reset_key};

const PARTITIONS: usize = 8;
const ROUNDS: usize = 3;

fn main() {
    let megabytes: usize = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(512);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(megabytes));
}

async fn run(megabytes: usize) {
    let (east, west) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let storage = || Arc::new(DiskStorage);
    let mut world = World::over((storage(), east.path()), (storage(), west.path()));
    let topic = world.east.create_topic("events", 1, PARTITIONS);
    let bytes = fill(&world, topic, megabytes).await;
    println!("{:<28} {:>8} {:>10} {:>9} {:>6}", "", "MB/s", "cpu s/GB", "ratio", "wire");
    for round in 0..ROUNDS {
        let raw = measure("quinn alone", bytes, None, quinn_alone(&world, bytes)).await;
        for (name, choice) in [("link, plain", CodecChoice::Off), ("link, zstd", CodecChoice::Zstd)] {
            world.compression = choice;
            measure(name, bytes, Some(raw), link(&world, bytes)).await;
        }
        world.compression = CodecChoice::Off;
        if round == 0 {
            measure("link, plain, into a log", bytes, Some(raw), link_to_disk(&world, topic)).await;
        }
    }
}

/// Batches of about 16 KiB of events, which differ as page views do: users, sessions, items, times.
async fn fill(world: &World, topic: TopicId, megabytes: usize) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let different: Vec<BytesMut> = (0..1_024).map(|_| events(&mut random)).collect();
    let mut left = megabytes * 1_000_000;
    let (mut bytes, mut next) = (0, 0);
    while left > 0 {
        let appends: Vec<BytesMut> =
            (0..64).map(|at| different[(next + at) % different.len()].clone()).collect();
        let size: usize = appends.iter().map(BytesMut::len).sum();
        world.east.produce(topic, (next / 64 % PARTITIONS) as i32, appends).await;
        (bytes, left, next) = (bytes + size as u64, left.saturating_sub(size), next + 64);
    }
    bytes
}

fn events(random: &mut impl FnMut() -> u64) -> BytesMut {
    let agents = ["Firefox/130.0", "Chrome/128.0 Safari/537.36", "Version/17.5 Mobile Safari", "curl/8.9"];
    let event = |random: &mut dyn FnMut() -> u64| {
        format!(
            r#"{{"type":"page_view","id":"{:016x}{:016x}","user":{},"session":"{:016x}","url":"https://shop.example/items/{}","referrer":"https://search.example/?q={}","agent":"Mozilla/5.0 (X11; Linux x86_64) {}","at":{},"region":"eu-west-{}","consent":{{"ads":false,"analytics":true}},"cart":{{"items":{},"total_cents":{}}}}}"#,
            random(),
            random(),
            random() % 100_000,
            random(),
            random() % 5_000,
            random() % 1_000,
            agents[random() as usize % agents.len()],
            1_700_000_000_000 + random() % 1_000_000,
            random() % 3,
            random() % 9,
            random() % 100_000,
        )
    };
    let events: Vec<String> = (0..38).map(|_| event(random)).collect();
    let values: Vec<&[u8]> = events.iter().map(String::as_bytes).collect();
    batch(Compression::None, &values)
}

async fn link(world: &World, bytes: u64) -> u64 {
    let source = world.source(None).await;
    let (sink, mut seen) = Discard::new();
    let target = world.target_into(source.address(), sink).await;
    seen.wait_for(|count| *count >= bytes).await.unwrap();
    let wire = target.metrics().block_bytes_received.value();
    target.shutdown().await;
    source.shutdown().await;
    wire
}

async fn link_to_disk(world: &World, topic: TopicId) -> u64 {
    let source = world.source(None).await;
    let target = world.target(source.address()).await;
    for partition in 0..PARTITIONS as i32 {
        let end = world.east.log(topic, partition).unwrap().ends().log_end.0;
        world.west.reaches(topic, partition, end).await;
    }
    let wire = target.metrics().block_bytes_received.value();
    target.shutdown().await;
    source.shutdown().await;
    wire
}

/// One stream of 1 MiB chunks, which are not copied.
async fn quinn_alone(world: &World, bytes: u64) -> u64 {
    let settings = TransportSettings::default();
    let any = "127.0.0.1:0".parse().unwrap();
    let (east, west) = (world.authority.issue(&peer("east")), world.authority.issue(&peer("west")));
    let (address, dialled) = tokio::sync::oneshot::channel();
    let sender = thread({
        let settings = settings.clone();
        async move {
            let server = server_config(east.accepting().unwrap(), &settings).unwrap();
            let server = endpoint(any, Some(server), &settings, &reset_key(1)).unwrap();
            address.send(server.local_addr().unwrap()).unwrap();
            let connection = server.accept().await.unwrap().await.unwrap();
            let chunk = Bytes::from(vec![7; 1 << 20]);
            let mut left = bytes;
            while left > 0 {
                let mut stream = connection.open_uni().await.unwrap();
                let size = left.min(1 << 20) as usize;
                stream.write_chunk(chunk.slice(..size)).await.unwrap();
                stream.finish().unwrap();
                left -= size as u64;
            }
            connection.closed().await;
        }
    });
    let address = dialled.await.unwrap();
    let receiver = thread(async move {
        let client = endpoint(any, None, &settings, &reset_key(2)).unwrap();
        let config = client_config(west.dialling(&peer("east")).unwrap(), &settings, address).unwrap();
        let connection = client.connect_with(config, address, west.server_name()).unwrap().await.unwrap();
        let mut left = bytes;
        while left > 0 {
            let mut stream = connection.accept_uni().await.unwrap();
            while let Some(chunk) = stream.read_chunk(1 << 20, true).await.unwrap() {
                left -= chunk.bytes.len() as u64;
            }
        }
        connection.close(0_u32.into(), b"");
        client.wait_idle().await;
    });
    receiver.await.unwrap();
    sender.await.unwrap();
    bytes
}

/// A runtime of its own on a thread of its own, as links have.
fn thread(work: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    })
}

async fn measure(name: &str, bytes: u64, raw: Option<f64>, work: impl Future<Output = u64>) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
    let (start, cpu) = (Instant::now(), cpu_time());
    let wire = work.await;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), (cpu_time() - cpu).as_secs_f64());
    let rate = bytes as f64 / 1e6 / seconds;
    let ratio = raw.map_or(1.0, |raw| rate / raw);
    println!(
        "{name:<28} {rate:>8.0} {:>10.2} {ratio:>9.2} {:>6.2}",
        cpu / (bytes as f64 / 1e9),
        wire as f64 / bytes as f64
    );
    rate
}

/// User and system time of the process.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|field| fields[*field].parse::<u64>().unwrap()).sum();
    // USER_HZ is 100 on every Linux.
    Duration::from_millis(ticks * 10)
}
