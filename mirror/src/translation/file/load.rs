//! Reading a table's file, and telling a torn tail from damage. What stands before the damage is right: each chunk's CRC
//! covers the one before.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Buf as _;

use core_log::File;

use super::{
    errors::TableError,
    format::{
        CHUNK_HEADER, CHUNKS_AT, Header, HeaderError, PAYLOAD_MAX, SECTOR, VERSION_NAMELESS, chunk_crc,
        take_header, take_mark, take_payload,
    },
    heal::Damage,
};
use crate::translation::table::Table;

/// Read ahead so much.
const WINDOW: usize = 256 << 10;
const _: () = assert!(WINDOW >= CHUNK_HEADER + PAYLOAD_MAX && WINDOW >= CHUNKS_AT);

pub(super) struct Loaded {
    pub(super) header: Header,
    pub(super) header_crc: u32,
    pub(super) table: Table,
    /// Where the readable chunks end.
    pub(super) length: u64,
    /// The CRC that the next chunk goes on from.
    pub(super) chain: u32,
    /// The older of the two, or the one that cannot be read.
    pub(super) next_mark: usize,
    /// The file goes on after them: a write that a crash interrupted, if nothing is damaged.
    pub(super) is_torn: bool,
    pub(super) damage: Option<Damage>,
}

pub(super) fn load(path: &Path, file: &dyn File) -> Result<Loaded, TableError> {
    let failed = |source| TableError::Io { path: path.to_owned(), source: Arc::new(source) };
    let corrupt = |at, what| TableError::Corrupt { path: path.to_owned(), at, what };
    let file_length = file.length().map_err(failed)?;
    let mut window = Window::new(file);
    let front = window.front(CHUNKS_AT).map_err(failed)?;
    let (header, header_crc) = take_header(front.get(..SECTOR).unwrap_or_default())
        .map_err(|error| header_error(path.to_owned(), error))?;
    let sectors = front.chunks(SECTOR).skip(1).zip([1, 0]);
    let marks: Vec<_> =
        sectors.filter_map(|(sector, other)| Some((take_mark(header_crc, sector)?, other))).collect();
    let is_mark_lost = marks.len() < 2 && header.version != VERSION_NAMELESS;
    let (synced, next_mark) = marks.into_iter().max().unwrap_or((CHUNKS_AT as u64, 0));

    let (mut table, mut chain, mut at) = (Table::starting(header.start), header_crc, CHUNKS_AT as u64);
    while let Some((payload, crc)) = next_chunk(&mut window, at, chain).map_err(failed)? {
        take_payload(&mut table, payload).map_err(|what| corrupt(at, what))?;
        chain = crc;
        at += (CHUNK_HEADER + payload.len()) as u64;
    }
    let damage = match () {
        () if at < synced => Some("a chunk's CRC does not match"),
        // The mark that is lost may have said that a sync covered the rest.
        () if is_mark_lost && at != file_length => Some("a mark cannot be read, and no chunk either"),
        () => None,
    };
    let damage = damage.map(|what| Damage::new(at, what, &table));
    Ok(Loaded { header, header_crc, table, length: at, chain, next_mark, is_torn: at < file_length, damage })
}

/// The payload and the CRC of the chunk at `at`; `None` where there is no whole one.
fn next_chunk<'a>(window: &'a mut Window<'_>, at: u64, chain: u32) -> io::Result<Option<(&'a [u8], u32)>> {
    let Some(mut header) = window.bytes(at, CHUNK_HEADER)? else { return Ok(None) };
    let (length, stored) = (header.get_u32(), header.get_u32());
    let size = usize::try_from(length).ok().filter(|size| (1..=PAYLOAD_MAX).contains(size));
    let Some(size) = size else { return Ok(None) };
    let payload = window.bytes(at + CHUNK_HEADER as u64, size)?;
    Ok(payload.filter(|payload| chunk_crc(chain, length, payload) == stored).map(|payload| (payload, stored)))
}

fn header_error(path: PathBuf, error: HeaderError) -> TableError {
    match error {
        HeaderError::UnknownVersion(version) => TableError::UnknownVersion { path, version },
        HeaderError::Damaged(what) => TableError::Corrupt { path, at: 0, what },
    }
}

/// A part of a file, read ahead.
struct Window<'a> {
    file: &'a dyn File,
    at: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(file: &'a dyn File) -> Self {
        Self { file, at: 0, bytes: Vec::new() }
    }

    /// `size` bytes from `at` on; `None` when the file ends before. `size` fits the window.
    fn bytes(&mut self, at: u64, size: usize) -> io::Result<Option<&[u8]>> {
        if self.range(at, size).is_none() {
            self.at = at;
            self.bytes.resize(WINDOW, 0);
            let read = read_most(self.file, &mut self.bytes, at)?;
            self.bytes.truncate(read);
        }
        Ok(self.range(at, size).and_then(|range| self.bytes.get(range)))
    }

    /// At most `size` bytes from the beginning on.
    fn front(&mut self, size: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.file.length()?).unwrap_or(usize::MAX);
        Ok(self.bytes(0, size.min(length))?.unwrap_or_default().to_vec())
    }

    fn range(&self, at: u64, size: usize) -> Option<std::ops::Range<usize>> {
        let from = usize::try_from(at.checked_sub(self.at)?).ok()?;
        let to = from.checked_add(size)?;
        (to <= self.bytes.len()).then_some(from..to)
    }
}

/// Fills `buf` as far as the file goes.
fn read_most(file: &dyn File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Only what a file says it is the table of.
pub(super) fn load_header(path: &Path, file: &dyn File) -> Result<Header, TableError> {
    let mut sector = vec![0; SECTOR];
    let read = read_most(file, &mut sector, 0)
        .map_err(|source| TableError::Io { path: path.to_owned(), source: Arc::new(source) })?;
    let header = take_header(sector.get(..read).unwrap_or_default());
    header.map(|(header, _)| header).map_err(|error| header_error(path.to_owned(), error))
}
