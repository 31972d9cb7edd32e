//! What a run is asked for.

use std::path::PathBuf;

use super::scenario::Scenario;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Only {
    Isthmus,
    Peer,
}

/// What producers compress with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Codec {
    None,
    Lz4,
    Zstd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MirrorAt {
    Source,
    Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Congestion {
    Bbr,
    Cubic,
}

#[derive(Debug, Clone, clap::Parser)]
#[command(about = "Runs a scenario against Isthmus and against Kafka with MirrorMaker 2, and compares")]
pub struct Options {
    #[arg(value_enum)]
    pub scenario: Scenario,
    /// How often each side runs; every other time the peer goes first.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub pairs: u32,
    /// Where all figures of all runs go.
    #[arg(long)]
    pub json: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub only: Option<Only>,
    /// Only cases in whose name all these words, separated by commas, occur.
    #[arg(long)]
    pub case: Option<String>,
    /// Data of a scenario with a fixed amount, in MB: a backlog, what is consumed.
    #[arg(long, default_value_t = 2_147)]
    pub size_mb: u64,
    /// Time of a scenario that goes by time, less warm-up.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// What producers have compressed batches with.
    #[arg(long, value_enum, default_value = "none")]
    pub compression: Codec,
    /// `wan`: every combination, instead of a few that tell most.
    #[arg(long)]
    pub full: bool,
    /// `wan`: where MirrorMaker 2 runs. Beside the source it compresses with zstd, beside the target it fetches what is there.
    /// Otherwise where it does best: beside the target for incompressible bytes of one partition, else beside the source.
    #[arg(long, value_enum)]
    pub mirror_at: Option<MirrorAt>,
    /// `wan`: the kernel's congestion control for the peer's TCP.
    #[arg(long, value_enum, default_value = "bbr")]
    pub congestion: Congestion,
    /// MirrorMaker 2 with exactly-once; `backlog` only, since its markers shift offsets.
    #[arg(long)]
    pub exactly_once: bool,
}

impl Options {
    /// What cannot be run, and why.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.exactly_once && self.scenario != Scenario::Backlog {
            return Err(
                "--exactly-once goes with `backlog` only: the other scenarios compare offsets, which markers shift",
            );
        }
        Ok(())
    }
}
