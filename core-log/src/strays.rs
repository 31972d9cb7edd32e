//! Directories of logs that nobody has open: of topics that were deleted, and of topics that nobody knows.

use std::{io, path::PathBuf};

use protocol::{TopicId, TopicPartition};

use crate::{LogDir, names, recovery};

impl LogDir {
    /// Deletes the directory of a log that is not open, if it belongs to `topic_id`. Blocking.
    pub fn remove_closed(&self, id: &TopicPartition, topic_id: TopicId) -> io::Result<()> {
        let dir = self.dir_of(id);
        if self.is_open(id) || recovery::topic_id(&self.shared, &dir)? != Some(topic_id) {
            return Ok(());
        }
        self.set_aside(&dir, id, topic_id)
    }

    /// Gives the directory of a log that belongs to no topic a name under which it is no log any more, and keeps it. The
    /// name is Kafka's (`<topic>-<partition>.<unique>-stray`). Answers where it is now. Blocking.
    pub fn set_stray_aside(&self, id: &TopicPartition) -> io::Result<PathBuf> {
        if self.is_open(id) {
            return Err(io::Error::other("the log is open"));
        }
        self.keep_as_stray(id)
    }

    pub(crate) fn keep_as_stray(&self, id: &TopicPartition) -> io::Result<PathBuf> {
        let (storage, dir) = (&*self.shared.storage, self.dir_of(id));
        for attempt in 0..names::ATTEMPTS_MAX {
            let aside = self.shared.root.join(names::stray_dir(id, attempt));
            if storage.exists(&aside)? {
                continue;
            }
            storage.rename(&dir, &aside)?;
            storage.sync_dir(&self.shared.root)?;
            let mut marks = self.shared.marks.lock();
            marks.forget(id);
            marks.write(storage)?;
            return Ok(aside);
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}
