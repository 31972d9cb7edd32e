//! Each thing the disk may lose, and each fault.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::storage::read_whole;

const SEEDS: std::ops::Range<u64> = 0..200;

fn path(path: &str) -> &Path {
    Path::new(path)
}

/// A disk with a durable, empty file `/d/f`.
fn disk() -> MemoryStorage {
    let disk = MemoryStorage::new(1);
    disk.create_dir(path("/d")).unwrap();
    disk.sync_dir(path("/")).unwrap();
    disk.open(path("/d/f"), Open::Create).unwrap();
    disk.sync_dir(path("/d")).unwrap();
    disk
}

fn file(disk: &MemoryStorage) -> Arc<dyn File> {
    disk.open(path("/d/f"), Open::Write).unwrap()
}

fn write(file: &dyn File, bytes: &[u8], at: u64) {
    file.write_at(&[IoSlice::new(bytes)], at).unwrap();
}

fn content(disk: &MemoryStorage) -> Vec<u8> {
    read_whole(disk, path("/d/f"), 1 << 20).unwrap()
}

/// All that power cuts leave of `/d/f`.
fn contents_after_cuts(disk: &MemoryStorage) -> BTreeSet<Vec<u8>> {
    SEEDS.map(|seed| content(&disk.cut_power(seed))).collect()
}

/// All that power cuts leave in the directory `/d`.
fn names_after_cuts(disk: &MemoryStorage) -> BTreeSet<Vec<PathBuf>> {
    let names = |seed| {
        let mut names = disk.cut_power(seed).list(path("/d")).unwrap();
        names.sort();
        names
    };
    SEEDS.map(names).collect()
}

fn names(names: &[&[&str]]) -> BTreeSet<Vec<PathBuf>> {
    names.iter().map(|names| names.iter().map(PathBuf::from).collect()).collect()
}

#[test]
fn synced_bytes_survive_every_cut() {
    let disk = disk();
    write(&*file(&disk), &[1; 3000], 0);
    file(&disk).sync_data().unwrap();
    assert_eq!(contents_after_cuts(&disk), BTreeSet::from([vec![1; 3000]]));
}

#[test]
fn un_synced_writes_are_lost_or_kept_each_for_itself() {
    let disk = disk();
    let file = file(&disk);
    write(&*file, b"aaaa", 0);
    file.sync_data().unwrap();
    write(&*file, b"b", 0);
    write(&*file, b"c", 3);
    let found = contents_after_cuts(&disk);
    let all = [b"aaaa", b"baaa", b"aaac", b"baac"].map(|bytes| bytes.to_vec());
    assert_eq!(found, BTreeSet::from(all), "all four combinations, and nothing else");
    assert_eq!(content(&disk), b"baac", "the process that wrote them sees them");
}

#[test]
fn an_un_synced_write_is_torn_at_sectors_only() {
    let disk = disk();
    write(&*file(&disk), &[7; 2000], 100);
    let (mut torn, mut holes, mut short) = (0, 0, 0);
    for found in contents_after_cuts(&disk) {
        for (sector, bytes) in found.chunks(512).enumerate() {
            let written = &bytes[if sector == 0 { bytes.len().min(100) } else { 0 }..];
            let first = written.first().copied().unwrap_or(0);
            assert!(written.iter().all(|byte| *byte == first), "sector {sector} is torn");
        }
        let kept = found.iter().filter(|byte| **byte == 7).count();
        torn += usize::from(kept > 0 && kept < 2000);
        holes += usize::from(found.len() == 2100 && kept < 2000);
        short += usize::from(!found.is_empty() && found.len() < 2100);
    }
    assert!(torn > 0 && holes > 0 && short > 0, "torn {torn}, with holes {holes}, cut short {short}");
}

#[test]
fn a_lost_write_may_leave_its_length_in_zeros() {
    let disk = disk();
    write(&*file(&disk), &[7; 700], 0);
    let found = contents_after_cuts(&disk);
    assert!(found.contains(&vec![]) && found.contains(&vec![0; 700]) && found.contains(&vec![7; 700]));
}

#[test]
fn an_un_synced_length_is_old_or_new() {
    let disk = disk();
    let file = file(&disk);
    write(&*file, b"abcd", 0);
    file.sync_data().unwrap();
    file.set_length(2).unwrap();
    assert_eq!(contents_after_cuts(&disk), BTreeSet::from([b"abcd".to_vec(), b"ab".to_vec()]));
    file.sync_data().unwrap();
    assert_eq!(contents_after_cuts(&disk), BTreeSet::from([b"ab".to_vec()]));
}

#[test]
fn un_synced_names_are_lost_or_kept_each_for_itself() {
    let disk = disk();
    disk.open(path("/d/g"), Open::Create).unwrap();
    disk.remove_file(path("/d/f")).unwrap();
    let all: [&[&str]; 4] = [&["f"], &["f", "g"], &[], &["g"]];
    assert_eq!(names_after_cuts(&disk), names(&all));
    disk.sync_dir(path("/d")).unwrap();
    assert_eq!(names_after_cuts(&disk), names(&[&["g"]]));
}

#[test]
fn a_synced_file_without_a_synced_name_may_be_gone() {
    let disk = disk();
    let file = disk.open(path("/d/g"), Open::Create).unwrap();
    write(&*file, b"abc", 0);
    file.sync_data().unwrap();
    assert_eq!(names_after_cuts(&disk), names(&[&["f"], &["f", "g"]]));
    for seed in SEEDS {
        let found = disk.cut_power(seed);
        if found.exists(path("/d/g")).unwrap() {
            assert_eq!(read_whole(&found, path("/d/g"), 10).unwrap(), b"abc");
        }
    }
}

#[test]
fn an_un_synced_rename_is_whole_or_absent() {
    let disk = disk();
    disk.open(path("/d/g"), Open::Create).unwrap().sync_data().unwrap();
    disk.sync_dir(path("/d")).unwrap();
    disk.rename(path("/d/g"), path("/d/f")).unwrap();
    assert_eq!(names_after_cuts(&disk), names(&[&["f"], &["f", "g"]]));
}

#[test]
fn a_rename_between_directories_is_durable_with_either() {
    for synced in ["/d", "/e"] {
        let disk = disk();
        disk.create_dir(path("/e")).unwrap();
        disk.sync_dir(path("/")).unwrap();
        disk.open(path("/d/g"), Open::Create).unwrap();
        disk.rename(path("/d/g"), path("/e/g")).unwrap();
        disk.sync_dir(path(synced)).unwrap();
        disk.sync_dir(path("/d")).unwrap();
        for seed in SEEDS {
            let found = disk.cut_power(seed);
            assert!(!found.exists(path("/d/g")).unwrap(), "the older name came back after {synced}");
            assert!(found.exists(path("/e/g")).unwrap());
        }
    }
}

#[test]
fn a_directory_may_be_found_half_removed() {
    let disk = disk();
    disk.open(path("/d/g"), Open::Create).unwrap();
    disk.sync_dir(path("/d")).unwrap();
    disk.remove_dir(path("/d")).unwrap();
    let found = SEEDS.map(|seed| {
        let found = disk.cut_power(seed);
        found.exists(path("/d")).unwrap().then(|| found.list(path("/d")).unwrap().len())
    });
    assert_eq!(found.collect::<BTreeSet<_>>(), BTreeSet::from([None, Some(0), Some(1), Some(2)]));
    disk.sync_dir(path("/")).unwrap();
    assert!(SEEDS.into_iter().all(|seed| !disk.cut_power(seed).exists(path("/d")).unwrap()));
}

#[test]
fn a_failed_sync_loses_the_bytes_though_the_next_one_succeeds() {
    let disk = disk();
    let file = file(&disk);
    disk.fail_sync("d/f", 2);
    write(&*file, b"aa", 0);
    file.sync_data().unwrap();
    write(&*file, b"bb", 2);
    file.sync_data().unwrap_err();
    write(&*file, b"cc", 4);
    file.sync_data().unwrap();
    assert_eq!(content(&disk), b"aabbcc", "reads still see them");
    assert_eq!(contents_after_cuts(&disk), BTreeSet::from([b"aa\0\0cc".to_vec()]));
}

#[test]
fn a_failed_sync_fault_leaves_other_files_alone() {
    let disk = disk();
    disk.fail_sync("other", 1);
    file(&disk).sync_data().unwrap();
    disk.open(path("/d/another"), Open::Create).unwrap().sync_data().unwrap_err();
}

#[test]
fn a_failed_sync_of_a_directory_loses_its_changes() {
    let disk = disk();
    disk.fail_sync_dir("/d", 1);
    disk.open(path("/d/g"), Open::Create).unwrap().sync_data().unwrap();
    disk.sync_dir(path("/d")).unwrap_err();
    disk.sync_dir(path("/d")).unwrap();
    assert_eq!(names_after_cuts(&disk), names(&[&["f"]]));
}

#[test]
fn a_full_disk_takes_a_part_of_the_write() {
    let disk = disk();
    let file = file(&disk);
    disk.space_left(5);
    assert_eq!(disk.space(path("/d")).unwrap().usable_bytes, 5);
    write(&*file, b"abc", 0);
    let error = file.write_at(&[IoSlice::new(b"de"), IoSlice::new(b"fg")], 3).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(content(&disk), b"abcde");
    write(&*file, b"ABCDE", 0);
    file.allocate(6).unwrap_err();
    file.set_length(3).unwrap();
    write(&*file, b"de", 3);
    file.write_at(&[IoSlice::new(b"f")], 5).unwrap_err();
    disk.remove_file(path("/d/f")).unwrap();
    assert_eq!(disk.space(path("/d")).unwrap().usable_bytes, 5, "removal makes room");
    disk.unlimited_space();
    write(&*file, &[0; 100], 5);
}

#[test]
fn unreadable_bytes_fail_the_reads_that_touch_them() {
    let disk = disk();
    let file = file(&disk);
    write(&*file, &[1; 100], 0);
    disk.fail_reads("d/f", 40..50);
    let mut buf = [0; 20];
    file.read_at(&mut buf, 20).unwrap();
    file.read_at(&mut buf, 21).unwrap_err();
    file.read_at(&mut buf, 49).unwrap_err();
    file.read_at(&mut buf, 50).unwrap();
}

#[test]
fn bits_flip_at_rest() {
    let disk = disk();
    let file = file(&disk);
    write(&*file, &[0; 3], 0);
    file.sync_data().unwrap();
    disk.flip_bit(path("/d/f"), 8 + 4).unwrap();
    assert_eq!(content(&disk), [0, 16, 0]);
    assert_eq!(contents_after_cuts(&disk), BTreeSet::from([vec![0, 16, 0]]));
    assert!(disk.flip_bit(path("/d/f"), 24).is_err());
}

#[test]
fn the_power_goes_at_the_sync_point_asked_for() {
    let disk = disk();
    let file = file(&disk);
    let before = disk.syncs();
    disk.after_syncs(1);
    write(&*file, b"aa", 0);
    file.sync_data().unwrap();
    write(&*file, b"bb", 2);
    assert!(!disk.is_off());
    file.sync_data().unwrap_err();
    assert!(disk.is_off());
    assert_eq!(disk.syncs(), before + 1);
    assert!(file.write_at(&[IoSlice::new(b"cc")], 4).is_err(), "nothing works without power");
    assert!(disk.open(path("/d/f"), Open::Read).is_err());
    assert!(disk.sync_dir(path("/d")).is_err());
    let found = contents_after_cuts(&disk);
    let all = [&b"aa"[..], b"aabb", b"aa\0\0"].map(<[u8]>::to_vec);
    assert_eq!(found, BTreeSet::from(all), "the sync that met the cut covered nothing for sure");
}

#[test]
fn the_found_disk_has_power_and_its_own_faults() {
    let disk = disk();
    let _held = disk.lock(path("/d")).unwrap();
    disk.fail_sync("f", 1);
    disk.space_left(0);
    disk.after_syncs(0);
    disk.sync_dir(path("/d")).unwrap_err();
    let found = disk.cut_power(3);
    let _held = found.lock(path("/d")).unwrap();
    write(&*file(&found), b"abc", 0);
    file(&found).sync_data().unwrap();
    assert_eq!(contents_after_cuts(&found), BTreeSet::from([b"abc".to_vec()]));
}

#[test]
fn the_same_seed_finds_the_same_disk() {
    let run = |seed| {
        let disk = disk();
        for i in 0..20u8 {
            let file = disk.open(path(&format!("/d/{i}")), Open::Create).unwrap();
            write(&*file, &[i; 1500], 0);
            write(&*file, &[i + 100; 1500], 700);
        }
        let found = disk.cut_power(seed);
        let listed = found.list(path("/d")).unwrap();
        let contents: Vec<_> =
            listed.iter().map(|name| read_whole(&found, &path("/d").join(name), 1 << 20).unwrap()).collect();
        (listed, contents)
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_file_too_large_to_hold_is_refused() {
    let disk = disk();
    assert!(file(&disk).set_length(u64::MAX).is_err());
    assert!(file(&disk).write_at(&[IoSlice::new(b"a")], u64::MAX).is_err());
}

#[derive(Debug, Clone)]
enum Step {
    Write { at: usize, byte: u8, count: usize },
    Length(usize),
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..1500usize, 1..u8::MAX, 1..1500usize)
            .prop_map(|(at, byte, count)| Step::Write { at, byte, count }),
        1 => (0..2500usize).prop_map(Step::Length),
        1 => Just(Step::Sync),
    ]
}

proptest! {
    /// The model: what each byte may be, beside what the last sync made of it.
    #[test]
    fn a_cut_leaves_only_what_was_synced_or_written_since(
        steps in prop::collection::vec(step(), 1..12),
        seed in any::<u64>(),
    ) {
        let disk = disk();
        let file = file(&disk);
        let mut synced: Vec<u8> = vec![];
        let (mut since, mut shortest): (Vec<Step>, usize) = (vec![], 0);
        for step in steps {
            match step {
                Step::Write { at, byte, count } => write(&*file, &vec![byte; count], at as u64),
                Step::Length(length) => file.set_length(length as u64).unwrap(),
                Step::Sync => file.sync_data().unwrap(),
            }
            match step {
                Step::Sync => (synced, since) = (content(&disk), vec![]),
                _ => since.push(step),
            }
            let lengths = since.iter().filter_map(|step| match step {
                Step::Length(length) => Some(*length),
                _ => None,
            });
            shortest = lengths.fold(synced.len(), usize::min);
        }
        let found = content(&disk.cut_power(seed));
        prop_assert!(found.len() >= shortest);
        for (at, byte) in found.iter().enumerate() {
            let written = since.iter().any(|step| match step {
                Step::Write { at: from, byte: new, count } => (*from..from + count).contains(&at) && new == byte,
                _ => false,
            });
            // Zeros come with a new length, and where a write was lost but a later one was not.
            let zeros = *byte == 0 && at >= shortest;
            prop_assert!(written || zeros || synced.get(at) == Some(byte), "byte {at} is {byte}");
        }
    }
}
