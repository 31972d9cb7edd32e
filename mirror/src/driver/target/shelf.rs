//! Which translation tables there are, by what is asked for: link, name of the source's topic, partition.
//!
//! The names are in the files, not in the topology nor at the source: so a table is found while its source is away, after
//! its source's topic was deleted, and when its link carries it no longer.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use core_log::Storage;
use protocol::{PartitionId, TopicName};

use super::tables::directory_name;
use crate::{
    stop::StopReason,
    translation::{FILE_EXTENSION, TableError, TableFile, TableLabel},
};

#[derive(Default)]
pub(super) struct Shelf {
    tables: HashMap<(String, TopicName, PartitionId), Vec<TableLabel>>,
    /// Files that do not say what they are the table of.
    unreadable: Vec<(PathBuf, TableError)>,
}

impl Shelf {
    /// Reads the headers of all files in the directories of the links below `directory`.
    pub(super) fn read(storage: &dyn Storage, directory: &Path) -> Result<Self, TableError> {
        let mut shelf = Self::default();
        for link in names(storage, directory)? {
            let files = names(storage, &link)?;
            for path in
                files.into_iter().filter(|path| path.extension().is_some_and(|is| is == FILE_EXTENSION))
            {
                match TableFile::label_of(storage, &path) {
                    Ok(label) => shelf.put(label),
                    Err(error) => shelf.unreadable.push((link.clone(), error)),
                }
            }
        }
        Ok(shelf)
    }

    pub(super) fn put(&mut self, label: TableLabel) {
        let TableLabel { key, topic, .. } = &label;
        let tables = self.tables.entry((key.link.clone(), topic.clone(), key.partition)).or_default();
        tables.retain(|other| other.key != label.key);
        tables.push(label);
        tables.sort_by_key(|table| std::cmp::Reverse(table.provenance));
    }

    /// The one made last first. None is no answer while there is a file that may be it.
    pub(super) fn find(
        &self,
        link: &str,
        topic: &str,
        partition: PartitionId,
    ) -> Result<Vec<TableLabel>, StopReason> {
        if let Some(tables) = self.tables.get(&(link.to_owned(), topic.into(), partition)) {
            return Ok(tables.clone());
        }
        let directory = directory_name(link);
        let doubt = self.unreadable.iter().find(|(of, _)| of.ends_with(&directory));
        doubt.map_or(Ok(Vec::new()), |(_, error)| Err(super::tables::table_failed(error)))
    }
}

/// The paths in a directory; none where there is no directory.
fn names(storage: &dyn Storage, directory: &Path) -> Result<Vec<PathBuf>, TableError> {
    match storage.list(directory) {
        Ok(names) => Ok(names.into_iter().map(|name| directory.join(name)).collect()),
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            Ok(Vec::new())
        }
        Err(source) => Err(TableError::Io { path: directory.to_owned(), source: Arc::new(source) }),
    }
}

#[cfg(test)]
mod tests {
    use core_log::storage::{MemoryStorage, replace_file};
    use protocol::{ProducerId, TopicId, Uuid};

    use super::*;
    use crate::{position::SourceOffset, translation::TableKey};

    fn label(id: u128, into: u128, provenance: i64) -> TableLabel {
        let (topic_id, target_id) = (TopicId(Uuid::from_u128(id)), TopicId(Uuid::from_u128(into)));
        let key = TableKey { link: "east:west".to_owned(), topic_id, partition: PartitionId(0), target_id };
        TableLabel { key, topic: "clicks".into(), provenance: ProducerId(provenance) }
    }

    fn put(disk: &MemoryStorage, label: &TableLabel) -> PathBuf {
        let directory = Path::new("/tables/east+west");
        disk.create_dir(directory).unwrap();
        let path = directory.join(label.key.file_name());
        TableFile::create(Arc::new(disk.clone()), &path, label.clone(), SourceOffset::ZERO).unwrap();
        path
    }

    fn read(disk: &MemoryStorage) -> Shelf {
        Shelf::read(disk, Path::new("/tables")).unwrap()
    }

    fn find(shelf: &Shelf, partition: i32) -> Result<Vec<TableLabel>, StopReason> {
        shelf.find("east:west", "clicks", PartitionId(partition))
    }

    #[test]
    fn of_several_tables_under_a_name_the_one_made_last_comes_first() {
        let disk = MemoryStorage::new(1);
        assert_eq!(find(&read(&disk), 0), Ok(Vec::new()), "there is no directory yet");
        let labels = [label(1, 9, 1_002), label(2, 9, 1_004), label(2, 8, 1_003)];
        labels.iter().for_each(|label| drop(put(&disk, label)));
        let [first, second, third] = labels.clone();
        let mut shelf = read(&disk);
        assert_eq!(find(&shelf, 0).unwrap(), [second.clone(), third.clone(), first.clone()]);
        assert_eq!(find(&shelf, 1), Ok(Vec::new()));
        let latest = label(3, 9, 1_005);
        shelf.put(latest.clone());
        shelf.put(second.clone());
        assert_eq!(find(&shelf, 0).unwrap(), [latest, second, third, first]);
    }

    #[test]
    fn what_cannot_be_read_may_be_what_is_asked_for() {
        let disk = MemoryStorage::new(1);
        let damaged = put(&disk, &label(1, 9, 1_002));
        disk.flip_bit(&damaged, 80).unwrap();
        let other = Path::new("/tables/east+west/notes.txt");
        replace_file(&disk, other, b"not a table, and not taken for one").unwrap();
        let shelf = read(&disk);
        assert!(matches!(find(&shelf, 0), Err(StopReason::TranslationLost { .. })));
        assert_eq!(shelf.find("north:west", "clicks", PartitionId(0)), Ok(Vec::new()), "another link's");
    }
}
