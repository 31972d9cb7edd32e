//! After a crash: what was durable in the journal alone is written where it belongs. Done once more it changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IoSlice},
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;

use protocol::{Offset, TopicId, TopicPartition, batch::BatchHeader};

use super::{
    FILES,
    block::{self, Found, HEADER_BYTES, PAGE_BYTES},
    path,
};
use crate::{
    limits,
    names::{self, Kind},
    partition_metadata::{PARTITION_METADATA, format_partition_metadata},
    recovery,
    shared::Shared,
    storage::{self, File, Open},
};

/// Before any log is opened. Afterwards there is no journal.
pub(crate) fn redo(shared: &Shared) -> io::Result<()> {
    let mut blocks = BTreeMap::new();
    let mut there = Vec::new();
    for number in 0..FILES {
        match shared.storage.open(&path(&shared.root, number), Open::Read) {
            Ok(file) => read_blocks(&*file, &mut blocks)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        }
        there.push(path(&shared.root, number));
    }
    if there.is_empty() {
        return Ok(());
    }
    let found: Vec<Found> = blocks.into_values().flatten().collect();
    let mut redone = Redo { shared, files: BTreeMap::new(), dirs: BTreeMap::new() };
    let mut batches = 0;
    let ends = ends_by_segment(&found);
    for found in &found {
        let end = ends.get(&(&found.id, found.segment)).copied().unwrap_or(Offset::ZERO);
        batches += usize::from(redone.write(found, end)?);
    }
    redone.sync()?;
    for path in there {
        shared.storage.remove_file(&path)?;
    }
    shared.storage.sync_dir(&shared.root)?;
    tracing::info!(batches, "journal written to the logs");
    Ok(())
}

/// All blocks from the file's start on, up to the first that is not whole: the power went before it was acknowledged.
fn read_blocks(file: &dyn File, blocks: &mut BTreeMap<u64, Vec<Found>>) -> io::Result<()> {
    let length = file.length()?;
    let (mut at, mut last) = (0, None);
    loop {
        let mut head = [0; HEADER_BYTES];
        if at + HEADER_BYTES as u64 > length {
            return Ok(());
        }
        file.read_exact_at(&mut head, at)?;
        let Some(header) = block::parse_header(&head) else { return Ok(()) };
        let start = at + HEADER_BYTES as u64;
        let fits = start.checked_add(header.payload_bytes as u64).is_some_and(|end| end <= length);
        if !fits || last.is_some_and(|last| header.sequence != last + 1) {
            return Ok(());
        }
        let mut payload = vec![0; header.payload_bytes];
        file.read_exact_at(&mut payload, start)?;
        let Some(found) = block::parse_payload(&header, Bytes::from(payload)) else { return Ok(()) };
        last = Some(header.sequence);
        at = (start + header.payload_bytes as u64).next_multiple_of(PAGE_BYTES as u64);
        blocks.insert(header.sequence, found);
    }
}

struct Redo<'a> {
    shared: &'a Shared,
    files: BTreeMap<PathBuf, Arc<dyn File>>,
    /// The directories of logs; whether what the journal says of one is meant for it.
    dirs: BTreeMap<(TopicPartition, TopicId), bool>,
}

impl Redo<'_> {
    /// Whether it was written. A segment of which the journal has nothing above the log start may have been deleted, and stays so;
    /// of others all is needed, since a reader comes to a batch through those before it.
    fn write(&mut self, found: &Found, segment_end: Offset) -> io::Result<bool> {
        let id = &found.id;
        let well_named =
            names::parse_dir(&id.to_string()).as_ref() == Some(id) && !id.topic.0.contains(['/', '\0']);
        if !well_named || found.segment < Offset::ZERO || found.position > limits::SEGMENT_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the journal has no log named {id}"),
            ));
        }
        let log_start = self.shared.marks.lock().log_start(id).unwrap_or(Offset::ZERO);
        if segment_end <= log_start || !self.has_dir(found)? {
            return Ok(false);
        }
        let dir = self.shared.root.join(id.to_string());
        let path = names::segment_file(&dir, found.segment, Kind::Log);
        if !self.files.contains_key(&path) {
            let file = match self.shared.storage.open(&path, Open::Write) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.shared.storage.open(&path, Open::Create)?
                }
                opened => opened?,
            };
            self.files.insert(path.clone(), file);
        }
        let Some(file) = self.files.get(&path) else { return Ok(false) };
        file.write_at(&[IoSlice::new(&found.batches)], found.position)?;
        Ok(true)
    }

    /// Makes the log's directory, if it did not survive.
    fn has_dir(&mut self, found: &Found) -> io::Result<bool> {
        let key = (found.id.clone(), found.topic_id);
        if let Some(known) = self.dirs.get(&key) {
            return Ok(*known);
        }
        let (storage, dir) = (&*self.shared.storage, self.shared.root.join(found.id.to_string()));
        let there = match recovery::topic_id(self.shared, &dir) {
            // Never whole: the power went while the directory was made.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            there => there?,
        };
        let meant = there.is_none_or(|there| there == found.topic_id);
        if meant && there.is_none() {
            storage.create_dir(&dir)?;
            if found.topic_id != TopicId::ZERO {
                let content = format_partition_metadata(found.topic_id);
                storage::replace_file(storage, &dir.join(PARTITION_METADATA), content.as_bytes())?;
            }
        }
        if meant {
            recovery::sync_topic_id(self.shared, &dir)?;
        }
        self.dirs.insert(key, meant);
        Ok(meant)
    }

    /// The files before the names.
    fn sync(&self) -> io::Result<()> {
        for file in self.files.values() {
            file.sync_data()?;
        }
        let dirs: BTreeSet<_> = self.files.keys().filter_map(|path| path.parent()).collect();
        for dir in dirs {
            self.shared.storage.sync_dir(dir)?;
        }
        self.shared.storage.sync_dir(&self.shared.root)
    }
}

/// How far the journal has each segment.
fn ends_by_segment(found: &[Found]) -> BTreeMap<(&TopicPartition, Offset), Offset> {
    let mut ends = BTreeMap::new();
    for found in found {
        let end = ends.entry((&found.id, found.segment)).or_insert(Offset::ZERO);
        *end = end_of(&found.batches).max(*end);
    }
    ends
}

/// Where the offsets of these batches end.
fn end_of(mut batches: &[u8]) -> Offset {
    let mut end = Offset::ZERO;
    while let Ok(header) = BatchHeader::parse(batches) {
        end = header.next_offset();
        batches = batches.get(header.size_bytes..).unwrap_or_default();
    }
    end
}
