//! The fuzz targets, without a fuzzer: over their seeds, and over mutations of these, the same ones each time.
//!
//! The seeds in `fuzz/corpus` are written by this test when `ISTHMUS_WRITE_SEEDS` is set; otherwise it asks that
//! they be there, so that a new API or version does not stay without any.

#![cfg(test)]

#[path = "../../fuzz/src/apis.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod apis;
#[path = "../../fuzz/src/entropy.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod entropy;
#[path = "../../fuzz/src/sample.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod sample;
#[path = "../../fuzz/src/seeds.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod seeds;
#[path = "../../fuzz/src/targets.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod targets;

use std::{fs, panic, path::PathBuf};

use entropy::Entropy;

/// Mutations of each seed.
const MUTATIONS: usize = 600;

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

#[test]
fn the_corpus_has_every_seed() {
    let write = std::env::var_os("ISTHMUS_WRITE_SEEDS").is_some();
    for (target, seeds) in seeds::all() {
        let folder = corpus(target);
        if write {
            fs::create_dir_all(&folder).unwrap();
        }
        for (name, bytes) in seeds {
            if write {
                fs::write(folder.join(&name), bytes).unwrap();
            }
            assert!(folder.join(&name).is_file(), "{target}/{name} is missing: set ISTHMUS_WRITE_SEEDS");
        }
    }
}

/// A seed that no longer decodes is no seed.
#[test]
fn message_seeds_are_valid() {
    for declared in apis::DECLARED.iter().filter(|declared| !declared.is_request) {
        for version in declared.versions.clone() {
            let name = format!("k{:02}_v{version:02}", declared.key);
            let seed = fs::read(corpus("response").join(&name)).unwrap();
            (declared.read)(bytes::Bytes::copy_from_slice(&seed[4..]), version)
                .unwrap_or_else(|error| panic!("{} {version}: {error}", declared.name));
        }
    }
}

#[test]
fn request() {
    run("request");
}

#[test]
fn response() {
    run("response");
}

#[test]
fn batch() {
    run("batch");
}

#[test]
fn produce() {
    run("produce");
}

#[test]
fn round_trip() {
    run("round_trip");
}

fn run(name: &str) {
    let (_, target) = targets::TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    let mut files: Vec<_> = fs::read_dir(corpus(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut entropy = Entropy::seeded(1);
    for (seed, file) in seeds.iter().zip(&files) {
        attempt(*target, seed, &file.display().to_string());
        for _ in 0..MUTATIONS {
            let other = &seeds[entropy.below(seeds.len())];
            attempt(*target, &mutated(seed, other, &mut entropy), &file.display().to_string());
        }
    }
}

/// Says with which bytes a target failed.
fn attempt(target: targets::Target, data: &[u8], from: &str) {
    if let Err(cause) = panic::catch_unwind(|| target(data)) {
        eprintln!("from {from}: {data:02x?}");
        panic::resume_unwind(cause);
    }
}

/// One to four changes, of the kinds that break decoders.
fn mutated(seed: &[u8], other: &[u8], entropy: &mut Entropy<'_>) -> Vec<u8> {
    const NUMBERS: [&[u8]; 6] = [
        &[0xff; 4],
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x80; 6],
        &[0; 4],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x7f],
    ];
    let mut data = seed.to_vec();
    for _ in 0..=entropy.below(4) {
        let at = entropy.below(data.len().max(1));
        match entropy.below(7) {
            0 => data.truncate(at),
            1 => data.insert(at.min(data.len()), entropy.u64() as u8),
            2 if !data.is_empty() => drop(data.remove(at)),
            3 if !data.is_empty() => data[at] ^= 1 << entropy.below(8),
            4 if !data.is_empty() => data[at] = entropy.u64() as u8,
            5 => {
                let number = NUMBERS[entropy.below(NUMBERS.len())];
                let end = (at + number.len()).min(data.len());
                data.splice(at.min(end)..end, number.iter().copied());
            }
            _ => {
                let from = entropy.below(other.len().max(1)).min(other.len());
                let to = (from + entropy.below(40)).min(other.len());
                data.splice(at.min(data.len())..at.min(data.len()), other[from..to].iter().copied());
            }
        }
    }
    data
}
