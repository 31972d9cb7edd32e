//! After a crash: every batch from the segment that holds the recovery point on is checked, CRC and all.

use std::{path::Path, sync::Arc};

use protocol::Offset;

use super::{
    Recovered, load_producers,
    state::{load_epochs, rebuild_epochs, record},
    sync_reason, sync_topic_id,
};
use crate::{
    Corruption,
    epochs::LeaderEpochs,
    errors::OfflineReason,
    index::SegmentIndex,
    limits,
    names::Kind,
    producers::Producers,
    segment::{ScanError, Scanner, Segment},
    shared::Shared,
};

/// Entries of rebuilt indexes are as dense as Kafka's default.
const INDEX_INTERVAL_BYTES: u32 = 4096;

/// Where the batches stop being good.
struct Damage {
    /// Index of the segment.
    segment: usize,
    position: u64,
    /// All before it is good.
    offset: Offset,
    what: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Torn,
    Corrupt,
}

/// The law: what was promised to be durable and is damaged must not be thrown away.
fn judge(good_until: Offset, mark: Offset) -> Judgement {
    if good_until < mark { Judgement::Corrupt } else { Judgement::Torn }
}

struct Scan<'a> {
    shared: &'a Shared,
    dir: &'a Path,
    segments: Vec<Arc<Segment>>,
    producers: Producers,
    /// Batches below it tell nothing about producers.
    producer_start: Offset,
    epochs: LeaderEpochs,
    /// After the last good batch.
    good_until: Offset,
}

pub(super) fn recover(
    shared: &Shared,
    dir: &Path,
    segments: Vec<Arc<Segment>>,
    producer_start: Offset,
    mark: Offset,
) -> Result<Recovered, ScanError> {
    let first = segments.partition_point(|segment| segment.base <= mark).saturating_sub(1);
    let (before, _) = segments.split_at(first);
    let from = segments.get(first).map_or(mark, |segment| segment.base);
    let mut epochs = match load_epochs(shared, dir) {
        Some(epochs) => epochs,
        None => rebuild_epochs(shared, before)?,
    };
    epochs.truncate_from_end(from);
    let producers = load_producers(shared, dir, before, producer_start, from)?;
    let mut scan = Scan { shared, dir, producers, producer_start, epochs, good_until: from, segments };
    let damage = scan.run(first)?;
    let offline = match damage {
        None if scan.good_until < mark => Some(scan.short(mark)),
        None => None,
        Some(damage) => match judge(scan.good_until, mark) {
            Judgement::Corrupt => Some(scan.corrupt(damage)),
            Judgement::Torn => {
                scan.cut(&damage)?;
                None
            }
        },
    };
    let offline = match offline {
        None => scan.settle(first)?,
        corrupt => corrupt,
    };
    Ok(Recovered {
        segments: scan.segments,
        log_end: scan.good_until,
        producers: scan.producers,
        epochs: scan.epochs,
        epochs_changed: true,
        changed: true,
        offline,
    })
}

impl Scan<'_> {
    fn run(&mut self, first: usize) -> Result<Option<Damage>, ScanError> {
        for at in first..self.segments.len() {
            let Some(segment) = self.segments.get(at).cloned() else { break };
            let gap = segment.base - self.good_until;
            if gap != 0 && gap < limits::GAP_NEW_SEGMENT {
                let what = format!("the segment before ends at {}", self.good_until);
                return Ok(Some(Damage { segment: at, position: 0, offset: self.good_until, what }));
            }
            let damage = self.scan_segment(&segment)?;
            if let Some((position, what)) = damage {
                return Ok(Some(Damage { segment: at, position, offset: self.good_until, what }));
            }
        }
        Ok(None)
    }

    fn scan_segment(&mut self, segment: &Segment) -> Result<Option<(u64, String)>, ScanError> {
        let file = segment.file(self.shared)?;
        let mut scanner = Scanner::new(&*file, 0, segment.size(), segment.base, limits::SCAN_BYTES);
        let mut index = SegmentIndex::new(segment.base);
        self.good_until = segment.base;
        let damage = loop {
            match scanner.next_verified() {
                Ok(Some(found)) => {
                    index.add(&found.header, found.position, INDEX_INTERVAL_BYTES);
                    self.epochs.assign(found.header.leader_epoch, found.header.base_offset);
                    if found.header.base_offset >= self.producer_start {
                        record(&mut self.producers, &mut scanner, &found, self.shared)?;
                    }
                    self.good_until = found.header.next_offset();
                }
                Ok(None) => break None,
                Err(ScanError::Bad { position, what }) => break Some((position, what)),
                Err(error) => return Err(error),
            }
        };
        segment.forget_indexes(self.shared);
        segment.set_growing(index);
        Ok(damage)
    }

    fn short(&self, mark: Offset) -> OfflineReason {
        let (file, position) = match self.segments.last() {
            Some(segment) => (segment.path(Kind::Log), segment.size()),
            None => (self.dir.to_owned(), 0),
        };
        let what = format!("the log ends here, but was durable up to {mark}");
        OfflineReason::Corrupt(Corruption { file, position, offset: self.good_until, what })
    }

    fn corrupt(&self, damage: Damage) -> OfflineReason {
        let file =
            self.segments.get(damage.segment).map_or(self.dir.to_owned(), |segment| segment.path(Kind::Log));
        let Damage { position, offset, what, .. } = damage;
        OfflineReason::Corrupt(Corruption { file, position, offset, what })
    }

    /// Takes the torn tail off: later segments first, so that a crash in between leaves no hole.
    fn cut(&mut self, damage: &Damage) -> Result<(), ScanError> {
        let whole_segment = damage.position == 0 && damage.segment > 0;
        let kept = if whole_segment { damage.segment } else { damage.segment + 1 };
        for segment in self.segments.drain(kept.min(self.segments.len())..).rev() {
            self.shared.files.forget(segment.id);
            for kind in Kind::ALL {
                match self.shared.storage.remove_file(&segment.path(kind)) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                    _ => {}
                }
            }
        }
        if let Some(last) = self.segments.last().filter(|_| !whole_segment) {
            tracing::warn!(
                segment = %last.path(Kind::Log).display(), position = damage.position, what = damage.what,
                "torn tail cut off"
            );
            last.file(self.shared)?.set_length(damage.position)?;
            last.publish_size(damage.position);
        }
        Ok(())
    }

    /// Makes all that was recovered durable, and writes what a running log would have on disk.
    fn settle(&mut self, first: usize) -> Result<Option<OfflineReason>, ScanError> {
        let (shared, storage) = (self.shared, &self.shared.storage);
        for segment in self.segments.iter().skip(first) {
            if let Err(error) = segment.file(shared)?.sync_data() {
                return Ok(Some(sync_reason(error)));
            }
        }
        if let Some((_, sealed)) = self.segments.split_last() {
            for segment in sealed.iter().skip(first) {
                if let Err(error) = segment.rest(shared) {
                    tracing::warn!(segment = %segment.path(Kind::Log).display(), %error, "indexes not written");
                }
            }
        }
        let synced = sync_topic_id(shared, self.dir)
            .and_then(|()| storage.sync_dir(self.dir))
            .and_then(|()| storage.sync_dir(&shared.root));
        Ok(synced.err().map(sync_reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_is_not_corrupt() {
        assert_eq!(judge(Offset(9), Offset(10)), Judgement::Corrupt);
        assert_eq!(judge(Offset(10), Offset(10)), Judgement::Torn);
        assert_eq!(judge(Offset(11), Offset(10)), Judgement::Torn);
    }
}
