//! What every [`Storage`] does, checked against each of them.

use std::{
    io::{self, IoSlice},
    path::{Path, PathBuf},
};

use super::{DiskStorage, LockError, MemoryStorage, Open, Storage};

/// Runs `case` on the real disk and on the one in memory.
fn on_each(case: fn(&dyn Storage, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    case(&DiskStorage, dir.path());

    let memory = MemoryStorage::new(7);
    memory.create_dir(Path::new("/root")).unwrap();
    case(&memory, Path::new("/root"));
}

fn create(storage: &dyn Storage, path: &Path, bytes: &[u8]) {
    storage.open(path, Open::Create).unwrap().write_at(&[IoSlice::new(bytes)], 0).unwrap();
}

fn content(storage: &dyn Storage, path: &Path) -> Vec<u8> {
    super::read_whole(storage, path, 1 << 20).unwrap()
}

#[test]
fn several_buffers_are_written_one_after_the_other() {
    on_each(|storage, root| {
        let file = storage.open(&root.join("f"), Open::Create).unwrap();
        file.write_at(&[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")], 2).unwrap();
        file.write_at(&[IoSlice::new(b"X")], 3).unwrap();
        assert_eq!(content(storage, &root.join("f")), b"\0\0aXcde");
        assert_eq!(file.length().unwrap(), 7);
    });
}

#[test]
fn reads_stop_at_the_end_of_the_file() {
    on_each(|storage, root| {
        create(storage, &root.join("f"), b"abcdef");
        let file = storage.open(&root.join("f"), Open::Read).unwrap();
        let mut buf = [0; 4];
        assert_eq!(file.read_at(&mut buf, 4).unwrap(), 2);
        assert_eq!(file.read_at(&mut buf, 6).unwrap(), 0);
        assert_eq!(file.read_at(&mut buf, 600).unwrap(), 0);
        let error = file.read_exact_at(&mut buf, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn a_file_opened_for_reading_refuses_writes() {
    on_each(|storage, root| {
        create(storage, &root.join("f"), b"abc");
        let file = storage.open(&root.join("f"), Open::Read).unwrap();
        assert!(file.write_at(&[IoSlice::new(b"x")], 0).is_err());
        assert!(file.set_length(0).is_err());
        assert_eq!(content(storage, &root.join("f")), b"abc");
    });
}

#[test]
fn opening_follows_the_mode() {
    on_each(|storage, root| {
        let path = root.join("f");
        for how in [Open::Read, Open::Write] {
            let Err(error) = storage.open(&path, how) else { panic!("opened a file that is not there") };
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
        create(storage, &path, b"abc");
        let file = storage.open(&path, Open::Write).unwrap();
        assert_eq!(file.length().unwrap(), 3);
        assert_eq!(storage.open(&path, Open::Create).unwrap().length().unwrap(), 0);
        assert_eq!(file.length().unwrap(), 0, "one file, emptied");
    });
}

#[test]
fn length_grows_with_zeros_and_shrinks() {
    on_each(|storage, root| {
        create(storage, &root.join("f"), b"abcdef");
        let file = storage.open(&root.join("f"), Open::Write).unwrap();
        file.set_length(2).unwrap();
        file.set_length(4).unwrap();
        assert_eq!(content(storage, &root.join("f")), b"ab\0\0");
        file.allocate(6).unwrap();
        file.allocate(3).unwrap();
        file.allocate(0).unwrap();
        assert_eq!(content(storage, &root.join("f")), b"ab\0\0\0\0", "allocating never shortens");
    });
}

#[test]
fn names_come_and_go() {
    on_each(|storage, root| {
        storage.create_dir(&root.join("a/b")).unwrap();
        storage.create_dir(&root.join("a/b")).unwrap();
        create(storage, &root.join("a/f"), b"1");
        assert!(storage.exists(&root.join("a/f")).unwrap());
        assert!(!storage.exists(&root.join("a/g")).unwrap());
        let mut names = storage.list(&root.join("a")).unwrap();
        names.sort();
        assert_eq!(names, [PathBuf::from("b"), PathBuf::from("f")]);
        storage.sync_dir(&root.join("a")).unwrap();
        storage.remove_file(&root.join("a/f")).unwrap();
        assert_eq!(storage.list(&root.join("a")).unwrap(), [PathBuf::from("b")]);
        storage.remove_dir(&root.join("a")).unwrap();
        assert!(!storage.exists(&root.join("a")).unwrap());
        for gone in [storage.remove_file(&root.join("a/f")), storage.remove_dir(&root.join("a"))] {
            assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
        }
        assert_eq!(storage.list(&root.join("a")).unwrap_err().kind(), io::ErrorKind::NotFound);
    });
}

#[test]
fn a_rename_replaces_a_file_and_moves_a_directory() {
    on_each(|storage, root| {
        create(storage, &root.join("old"), b"old");
        create(storage, &root.join("new"), b"new");
        let open = storage.open(&root.join("new"), Open::Read).unwrap();
        storage.rename(&root.join("new"), &root.join("old")).unwrap();
        assert_eq!(content(storage, &root.join("old")), b"new");
        assert!(!storage.exists(&root.join("new")).unwrap());
        assert_eq!(open.length().unwrap(), 3, "an open file survives its name");

        storage.create_dir(&root.join("d")).unwrap();
        create(storage, &root.join("d/f"), b"f");
        storage.rename(&root.join("d"), &root.join("e")).unwrap();
        assert_eq!(content(storage, &root.join("e/f")), b"f");
        assert!(
            storage.rename(&root.join("old"), &root.join("e")).is_err(),
            "a file never replaces a directory"
        );
        let error = storage.rename(&root.join("d"), &root.join("x")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    });
}

#[test]
fn a_removed_file_is_read_through_its_open_handle() {
    on_each(|storage, root| {
        create(storage, &root.join("f"), b"abc");
        let file = storage.open(&root.join("f"), Open::Read).unwrap();
        storage.remove_file(&root.join("f")).unwrap();
        let mut buf = [0; 3];
        file.read_exact_at(&mut buf, 0).unwrap();
        assert_eq!(&buf, b"abc");
    });
}

#[test]
fn a_directory_is_held_once_until_it_is_let_go() {
    on_each(|storage, root| {
        let held = storage.lock(root).unwrap();
        assert!(matches!(storage.lock(root), Err(LockError::Held { .. })));
        drop(held);
        let _held = storage.lock(root).unwrap();
        assert!(matches!(storage.lock(&root.join("nowhere")), Err(LockError::Io { .. })));
    });
}
