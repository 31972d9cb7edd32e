//! Walking the batches of a segment file, with little trust: damaged bytes are an error, never a panic.

use std::io;

use protocol::{
    Offset,
    batch::{self, BatchHeader, HEADER_SIZE},
};

use crate::storage::File;

/// A batch in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) position: u64,
    pub(crate) header: BatchHeader,
}

impl Found {
    pub(crate) fn end(&self) -> u64 {
        self.position + self.header.size_bytes as u64
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes at this position are not the batch that must be there.
    #[error("{what} at byte {position}")]
    Bad { position: u64, what: String },
}

impl ScanError {
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Io(error) => error,
            bad @ Self::Bad { .. } => io::Error::new(io::ErrorKind::InvalidData, bad.to_string()),
        }
    }
}

/// Reads a segment file batch by batch, up to `end`.
pub(crate) struct Scanner<'a> {
    file: &'a dyn File,
    at: u64,
    end: u64,
    /// Batches start here or later: offsets only grow.
    next_offset: Offset,
    window: Vec<u8>,
    window_at: u64,
    window_bytes: usize,
}

impl<'a> Scanner<'a> {
    /// `window_bytes`: how much is read at a time. Small for headers alone, large when all bytes are wanted.
    pub(crate) fn new(file: &'a dyn File, at: u64, end: u64, first: Offset, window_bytes: usize) -> Self {
        Self { file, at, end, next_offset: first, window: Vec::new(), window_at: at, window_bytes }
    }

    /// The next batch whose header makes sense and which lies wholly before the end.
    pub(crate) fn next(&mut self) -> Result<Option<Found>, ScanError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let position = self.at;
        if self.end - position < HEADER_SIZE as u64 {
            return Err(bad(position, "a cut header"));
        }
        let next_offset = self.next_offset;
        let bytes = self.bytes(position, HEADER_SIZE)?;
        let header = check(bytes, next_offset).map_err(|what| bad(position, what))?;
        let found = Found { position, header };
        if found.end() > self.end {
            return Err(bad(position, "a cut batch"));
        }
        self.at = found.end();
        self.next_offset = header.next_offset();
        Ok(Some(found))
    }

    /// All bytes of a batch that [`Self::next`] found.
    pub(crate) fn batch(&mut self, found: &Found) -> Result<&[u8], ScanError> {
        self.bytes(found.position, found.header.size_bytes)
    }

    /// Like [`Self::next`], and the batch's CRC is right.
    pub(crate) fn next_verified(&mut self) -> Result<Option<Found>, ScanError> {
        let (at, next_offset) = (self.at, self.next_offset);
        let Some(found) = self.next()? else { return Ok(None) };
        let verified = batch::verify_crc(self.batch(&found)?);
        if let Err(error) = verified {
            (self.at, self.next_offset) = (at, next_offset);
            return Err(bad(found.position, error));
        }
        Ok(Some(found))
    }

    /// The offset after the last batch found.
    pub(crate) fn next_offset(&self) -> Offset {
        self.next_offset
    }

    /// `length` bytes that lie before the end; so the file bounds what is allocated.
    fn bytes(&mut self, position: u64, length: usize) -> Result<&[u8], ScanError> {
        let inside = position.checked_sub(self.window_at).and_then(|skip| usize::try_from(skip).ok());
        let loaded = inside.filter(|skip| self.window.len().saturating_sub(*skip) >= length);
        let skip = match loaded {
            Some(skip) => skip,
            None => {
                self.load(position, length)?;
                0
            }
        };
        self.window.get(skip..skip + length).ok_or_else(|| bad(position, "a shorter file"))
    }

    fn load(&mut self, position: u64, length: usize) -> Result<(), ScanError> {
        let left = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        self.window.clear();
        self.window.resize(length.max(self.window_bytes).min(left), 0);
        self.window_at = position;
        self.file.read_exact_at(&mut self.window, position).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => bad(position, "a shorter file"),
            _ => ScanError::Io(error),
        })
    }
}

/// A header that a log may hold where all before ends at `next_offset`.
pub(crate) fn check(bytes: &[u8], next_offset: Offset) -> Result<BatchHeader, String> {
    let header = BatchHeader::parse(bytes).map_err(|error| error.to_string())?;
    if header.base_offset < next_offset {
        return Err(format!("base offset {} where {next_offset} is next", header.base_offset));
    }
    if header.last_offset_delta < 0
        || header.base_offset.0.checked_add(i64::from(header.last_offset_delta) + 1).is_none()
    {
        return Err(format!("last offset delta {}", header.last_offset_delta));
    }
    Ok(header)
}

fn bad(position: u64, what: impl ToString) -> ScanError {
    ScanError::Bad { position, what: what.to_string() }
}
