//! The bytes of a table's file. Numbers are big-endian, but for the coded runs (see `coding`).
//!
//! ```text
//!    0 magic "ISTHMUST"    8 version u16 = 2    10 link name length u16   12 partition i32     16 source topic id, 16 bytes
//!   32 producer id i64    40 first source offset i64      48 end of the trimmed runs at the target i64 (-1: none)
//!   56 target topic id    72 source topic name length u16                74 link name, source topic name
//!  508 crc u32 of all before
//!  512 mark 0: synced length u64, crc u32                1024 mark 1: the same
//! 1536 chunks: payload length u32, crc u32, payload: count, runs, source offsets skipped after them
//! ```
//!
//! Version 1, of before the first release, has the link name at 56 and neither the target topic's id nor the source
//! topic's name.
//!
//! All CRCs are CRC-32C. A chunk's covers the CRC of what stands before it (the header, or another chunk), its length and
//! its payload: a chunk left over from before a crash does not pass for the successor of what was written since.
//!
//! A mark says up to where a sync has covered the file: below it, what cannot be read was damaged; above it, it is a torn
//! tail. A new file has both; then they are written in turn, each in a sector of its own, after the sync that they tell of.
//! So one may be stale, and both are always true.

use std::fmt;

use bytes::{Buf as _, BufMut as _};

use protocol::{Offset, PartitionId, ProducerId, TopicId, TopicName, Uuid};

use crate::{
    position::{Position, SourceOffset, TargetOffset},
    translation::{
        coding::{Decoder, Ends, RUN_BYTES_MAX, put_number, put_run},
        run::Run,
        table::{Start, Table},
    },
};

pub(super) const VERSION: u16 = 2;
/// Without the target topic's id and the source topic's name, and with one mark until the next sync.
pub(super) const VERSION_NAMELESS: u16 = 1;
pub(super) const LINK_BYTES_MAX: usize = 180;
pub(super) const TOPIC_BYTES_MAX: usize = 249;
pub(super) const SECTOR: usize = 512;
pub(super) const CHUNKS_AT: usize = 3 * SECTOR;
pub(super) const CHUNK_HEADER: usize = 8;
pub(super) const CHUNK_RUNS_MAX: usize = 2048;
pub(super) const PAYLOAD_MAX: usize = CHUNK_RUNS_MAX * RUN_BYTES_MAX + 2 * 9;
const MARK_SIZE: usize = 12;
const MAGIC: &[u8; 8] = b"ISTHMUST";
const NAMES_AT: usize = 74;
const HEADER_CRC_AT: usize = SECTOR - 4;
const _: () = assert!(NAMES_AT + LINK_BYTES_MAX + TOPIC_BYTES_MAX <= HEADER_CRC_AT);

/// Of a table's file.
pub const FILE_EXTENSION: &str = "translation";

/// What a table is the table of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableKey {
    pub link: String,
    /// The source's topic.
    pub topic_id: TopicId,
    pub partition: PartitionId,
    /// The topic here that it is merged into.
    pub target_id: TopicId,
}

impl fmt::Display for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { link, topic_id, partition, target_id } = self;
        write!(f, "partition {partition} of topic {topic_id} over link {link} into topic {target_id}")
    }
}

impl TableKey {
    /// A file name, unique within a link.
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.{FILE_EXTENSION}", self.topic_id, self.partition, self.target_id)
    }

    /// What the file was called in format version 1.
    pub(super) fn former_file_name(&self) -> String {
        format!("{}-{}.{FILE_EXTENSION}", self.topic_id, self.partition)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u16,
    pub(super) key: TableKey,
    /// What the source calls its topic.
    pub(super) topic: TopicName,
    pub(super) provenance: ProducerId,
    pub(super) start: Start,
}

/// Why a header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderError {
    UnknownVersion(u16),
    Damaged(&'static str),
}

/// A whole file.
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    pub(super) header_crc: u32,
    /// The CRC that the next chunk goes on from.
    pub(super) chain: u32,
}

/// Writes a table as a whole file, marked as synced: it takes its name only once it is.
pub(super) fn put_file(header: &Header, table: &Table) -> Image {
    let mut to = Vec::with_capacity(CHUNKS_AT + table.coded_bytes() * 9 / 8 + 64);
    let header_crc = put_header(&mut to, header);
    to.resize(CHUNKS_AT, 0);
    let (mut chain, mut ends) = (header_crc, Table::starting(header.start).ends());
    let mut runs = table.runs();
    loop {
        let chunk: Vec<Run> = runs.by_ref().take(CHUNK_RUNS_MAX).collect();
        let is_last = chunk.len() < CHUNK_RUNS_MAX;
        put_chunk(&mut to, &mut chain, &mut ends, &chunk, if is_last { table.skipped() } else { 0 });
        if is_last {
            break;
        }
    }
    let mark = mark(header_crc, to.len() as u64);
    for at in [SECTOR, 2 * SECTOR] {
        if let Some(slot) = to.get_mut(at..at + MARK_SIZE) {
            slot.copy_from_slice(&mark);
        }
    }
    Image { bytes: to, header_crc, chain }
}

fn put_header(to: &mut Vec<u8>, header: &Header) -> u32 {
    let (link, topic) = (header.key.link.as_bytes(), header.topic.as_str().as_bytes());
    to.put_slice(MAGIC);
    to.put_u16(VERSION);
    to.put_u16(u16::try_from(link.len()).unwrap_or(u16::MAX));
    to.put_i32(header.key.partition.0);
    to.put_slice(header.key.topic_id.0.as_bytes());
    to.put_i64(header.provenance.0);
    to.put_i64(header.start.source.offset().0);
    to.put_i64(header.start.trimmed.map_or(-1, |trimmed| trimmed.offset().0));
    to.put_slice(header.key.target_id.0.as_bytes());
    to.put_u16(u16::try_from(topic.len()).unwrap_or(u16::MAX));
    to.put_slice(link);
    to.put_slice(topic);
    to.resize(HEADER_CRC_AT, 0);
    let crc = crc32c(&[to]);
    to.put_u32(crc);
    crc
}

/// Reads a header, and its CRC.
pub(super) fn take_header(sector: &[u8]) -> Result<(Header, u32), HeaderError> {
    let cut_short = HeaderError::Damaged("the header is cut short");
    let (covered, mut stored) = sector.split_at_checked(HEADER_CRC_AT).ok_or(cut_short)?;
    let stored = stored.try_get_u32().map_err(|_| cut_short)?;
    if stored != crc32c(&[covered]) {
        return Err(HeaderError::Damaged("the header's CRC does not match"));
    }
    let mut from =
        covered.strip_prefix(MAGIC).ok_or(HeaderError::Damaged("it is not a translation table"))?;
    let version = from.get_u16();
    if ![VERSION, VERSION_NAMELESS].contains(&version) {
        return Err(HeaderError::UnknownVersion(version));
    }
    let link_length = usize::from(from.get_u16());
    let partition = PartitionId(from.get_i32());
    let topic_id = TopicId(Uuid::from_u128(from.get_u128()));
    let provenance = ProducerId(from.get_i64());
    let source = SourceOffset::new(Offset(from.get_i64()));
    let trimmed =
        Some(TargetOffset::new(Offset(from.get_i64()))).filter(|trimmed| *trimmed >= Position::ZERO);
    let (target_id, topic_length) = match version {
        VERSION_NAMELESS => (TopicId::ZERO, 0),
        _ => (TopicId(Uuid::from_u128(from.get_u128())), usize::from(from.get_u16())),
    };
    let link = take_name(&mut from, link_length)?.to_owned();
    let topic = TopicName::from(take_name(&mut from, topic_length)?);
    let key = TableKey { link, topic_id, partition, target_id };
    Ok((Header { version, key, topic, provenance, start: Start { source, trimmed } }, stored))
}

fn take_name<'a>(from: &mut &'a [u8], length: usize) -> Result<&'a str, HeaderError> {
    let (name, rest) =
        from.split_at_checked(length).ok_or(HeaderError::Damaged("a name is longer than the header"))?;
    *from = rest;
    std::str::from_utf8(name).map_err(|_| HeaderError::Damaged("a name is not text"))
}

/// The bytes of a mark.
pub(super) fn mark(header_crc: u32, synced_length: u64) -> [u8; MARK_SIZE] {
    let mut to = [0; MARK_SIZE];
    let length = synced_length.to_be_bytes();
    let crc = crc32c(&[&header_crc.to_be_bytes(), &length]).to_be_bytes();
    to.iter_mut().zip(length.into_iter().chain(crc)).for_each(|(to, from)| *to = from);
    to
}

/// The synced length that a mark tells, if it is one.
pub(super) fn take_mark(header_crc: u32, sector: &[u8]) -> Option<u64> {
    let bytes = sector.first_chunk::<MARK_SIZE>()?;
    let length = u64::from_be_bytes(*bytes.first_chunk()?);
    (*bytes == mark(header_crc, length)).then_some(length)
}

/// Writes one chunk of at most [`CHUNK_RUNS_MAX`] runs.
pub(super) fn put_chunk(to: &mut Vec<u8>, chain: &mut u32, ends: &mut Ends, runs: &[Run], skipped: i64) {
    debug_assert!(runs.len() <= CHUNK_RUNS_MAX, "callers split");
    let at = to.len();
    to.put_bytes(0, CHUNK_HEADER);
    put_number(to, i64::try_from(runs.len()).unwrap_or(0));
    runs.iter().for_each(|run| put_run(to, ends, run));
    put_number(to, skipped);
    let payload = to.get(at + CHUNK_HEADER..).unwrap_or_default();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    *chain = chunk_crc(*chain, length, payload);
    if let Some(mut header) = to.get_mut(at..at + CHUNK_HEADER) {
        header.put_u32(length);
        header.put_u32(*chain);
    }
}

pub(super) fn chunk_crc(chain: u32, length: u32, payload: &[u8]) -> u32 {
    crc32c(&[&chain.to_be_bytes(), &length.to_be_bytes(), payload])
}

/// Plays a chunk's payload to the table. Its CRC was right, so an error is not a torn write.
pub(super) fn take_payload(table: &mut Table, payload: &[u8]) -> Result<(), &'static str> {
    let mut decoder = Decoder::new(payload, table.ends());
    for _ in 0..decoder.take_number().ok_or("a chunk has no count")? {
        let run = decoder.take_run().ok_or("a run is cut short")?;
        table.append(run).map_err(|_| "a run does not follow the one before it")?;
    }
    let skipped = decoder.take_number().ok_or("a chunk is cut short")?;
    table.skip_to(table.ends().source.plus(skipped));
    if decoder.is_done() { Ok(()) } else { Err("bytes follow the runs of a chunk") }
}

fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    parts.iter().for_each(|part| digest.update(part));
    // The algorithm is 32 bits wide, so its checksum fits.
    digest.finalize() as u32
}
