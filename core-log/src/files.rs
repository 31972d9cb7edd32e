//! Open segment files: the most recently used ones, under a limit.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
};

use parking_lot::Mutex;

use crate::storage::File;

/// Tells segments apart for as long as the process lives, whatever their files are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SegmentId(pub(crate) u64);

pub(crate) struct Files {
    open_max: usize,
    open: Mutex<Opened>,
}

#[derive(Default)]
struct Opened {
    files: HashMap<SegmentId, (Arc<dyn File>, u64)>,
    by_use: BTreeMap<u64, SegmentId>,
    uses: u64,
}

impl Files {
    pub(crate) fn new(open_max: usize) -> Self {
        Self { open_max: open_max.max(1), open: Mutex::default() }
    }

    /// The segment's file, opened by `open` if it is not.
    pub(crate) fn get(
        &self,
        id: SegmentId,
        open: impl FnOnce() -> io::Result<Arc<dyn File>>,
    ) -> io::Result<Arc<dyn File>> {
        if let Some(file) = self.open.lock().touch(id) {
            return Ok(file);
        }
        // Outside the lock: opening may wait for the disk. Two openers of one file do no harm.
        let file = open()?;
        self.put(id, Arc::clone(&file));
        Ok(file)
    }

    pub(crate) fn put(&self, id: SegmentId, file: Arc<dyn File>) {
        let closed = self.open.lock().insert(id, file, self.open_max);
        // Also outside: closing may wait, too.
        drop(closed);
    }

    pub(crate) fn forget(&self, id: SegmentId) {
        let closed = self.open.lock().remove(id);
        drop(closed);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.open.lock().files.len()
    }
}

impl Opened {
    fn touch(&mut self, id: SegmentId) -> Option<Arc<dyn File>> {
        let (file, used) = self.files.get_mut(&id)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.by_use.insert(self.uses, id);
        Some(Arc::clone(file))
    }

    fn insert(&mut self, id: SegmentId, file: Arc<dyn File>, open_max: usize) -> Vec<Arc<dyn File>> {
        let mut closed: Vec<_> = self.remove(id).into_iter().collect();
        self.uses += 1;
        self.files.insert(id, (file, self.uses));
        self.by_use.insert(self.uses, id);
        while self.files.len() > open_max {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            closed.extend(self.files.remove(&oldest).map(|(file, _)| file));
        }
        closed
    }

    fn remove(&mut self, id: SegmentId) -> Option<Arc<dyn File>> {
        let (file, used) = self.files.remove(&id)?;
        self.by_use.remove(&used);
        Some(file)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::storage::{MemoryStorage, Open, Storage};

    #[test]
    fn the_least_recently_used_file_is_closed_first() {
        let disk = MemoryStorage::new(1);
        let files = Files::new(2);
        let open = |name: &str| disk.open(Path::new(name), Open::Create);
        files.get(SegmentId(1), || open("/a")).unwrap();
        files.get(SegmentId(2), || open("/b")).unwrap();
        files.get(SegmentId(1), || panic!("is open")).unwrap();
        files.get(SegmentId(3), || open("/c")).unwrap();
        assert_eq!(files.len(), 2);
        files.get(SegmentId(1), || panic!("is open")).unwrap();
        assert!(files.get(SegmentId(2), || Err(io::ErrorKind::NotFound.into())).is_err());
        files.forget(SegmentId(1));
        assert_eq!(files.len(), 1);
    }
}
