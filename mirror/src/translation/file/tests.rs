//! The file through power cuts, faults and damage.

use proptest::prelude::*;

use core_log::storage::{MemoryStorage, read_whole};
use protocol::{PartitionId, TopicId, Uuid};

use super::*;
use crate::translation::{
    Translated,
    answer::TargetLog,
    table_model_test::{source, target},
};

const PATH: &str = "/tables/t";
const PROVENANCE: ProducerId = ProducerId(1001);

fn key() -> TableKey {
    TableKey {
        link: "berlin:oslo".to_owned(),
        topic_id: TopicId(Uuid::from_u128(77)),
        partition: PartitionId(3),
    }
}

fn disk() -> MemoryStorage {
    let disk = MemoryStorage::new(1);
    disk.create_dir(Path::new("/tables")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

fn create(disk: &MemoryStorage) -> TableFile {
    TableFile::create(Arc::new(disk.clone()), Path::new(PATH), key(), PROVENANCE, source(10)).unwrap()
}

fn open(disk: &MemoryStorage) -> Result<TableFile, TableError> {
    TableFile::open(Arc::new(disk.clone()), Path::new(PATH), &key()).map(|found| found.expect("it is there"))
}

/// The nth of runs that do not coalesce.
fn run(nth: i64) -> Run {
    Run::new(source(10 + 8 * nth), target(9 * nth), 7)
}

fn runs_of(file: &TableFile) -> Vec<Run> {
    file.table().runs().collect()
}

fn written(disk: &MemoryStorage) -> Vec<u8> {
    read_whole(disk, Path::new(PATH), 1 << 30).unwrap()
}

fn put(disk: &MemoryStorage, bytes: &[u8]) {
    core_log::storage::replace_file(disk, Path::new(PATH), bytes).unwrap();
}

#[test]
fn the_bytes_of_a_file_are_these() {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[Run::new(source(12), target(0), 300), Run::new(source(400), target(301), 1)]).unwrap();
    file.skip_to(source(405)).unwrap();
    file.sync().unwrap();
    // Reckoned by another program from the description of the format.
    let header = [
        &b"ISTHMUST"[..],
        &[0, 1, 0, 11, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77],
        &[0, 0, 0, 0, 0, 0, 3, 0xe9, 0, 0, 0, 0, 0, 0, 0, 10],
        &[0xff; 8],
        b"berlin:oslo",
    ];
    let mark_0 = [0, 0, 0, 0, 0, 0, 6, 10, 61, 96, 122, 224];
    let mark_1 = [0, 0, 0, 0, 0, 0, 6, 37, 67, 206, 200, 26];
    let chunks = [
        0, 0, 0, 2, 184, 127, 185, 51, 0, 0, 0, 0, 0, 9, 75, 58, 193, 188, 2, 2, 0, 172, 2, 88, 1, 1, 0, 0,
        0, 0, 2, 90, 139, 98, 112, 0, 4,
    ];
    let mut expected = header.concat();
    for (at, part) in [(508, &[28, 160, 72, 135][..]), (512, &mark_0), (1024, &mark_1), (1536, &chunks)] {
        expected.resize(at, 0);
        expected.extend_from_slice(part);
    }
    assert!(written(&disk) == expected, "the format has changed: so must its version");
}

#[test]
fn what_is_synced_is_found_after_a_power_cut() {
    for seed in 0..100 {
        let disk = disk();
        let mut file = create(&disk);
        file.append(&[run(0), run(1)]).unwrap();
        file.append(&[run(2)]).unwrap();
        file.skip_to(source(100)).unwrap();
        file.sync().unwrap();
        file.append(&[run(20)]).unwrap();
        file.append(&[run(21), run(22)]).unwrap();
        let found = open(&disk.cut_power(seed)).unwrap();
        let runs = runs_of(&found);
        let whole = [0, 1, 2, 20, 21, 22].map(run);
        assert!([3, 4, 6].contains(&runs.len()) && runs == whole[..runs.len()], "{runs:?}");
        if runs.len() == 3 {
            assert_eq!(found.table().resume(), source(100));
        }
    }
}

#[test]
fn what_is_written_after_a_torn_tail_is_not_followed_by_what_was_torn() {
    let mut torn = 0;
    for seed in 0..200 {
        let disk = disk();
        let mut file = create(&disk);
        for nth in 0..5 {
            file.append(&[run(nth)]).unwrap();
        }
        let after = disk.cut_power(seed);
        let mut file = open(&after).unwrap();
        let kept = runs_of(&file);
        torn += usize::from(kept.len() < 5);
        let other = Run::new(source(900), target(900), 7);
        file.append(&[other]).unwrap();
        let again = runs_of(&open(&after.cut_power(seed + 1)).unwrap());
        let expected: Vec<_> = kept.iter().copied().chain([other]).collect();
        assert!(again == kept || again == expected, "{kept:?} then {again:?}");
    }
    assert!(torn > 20, "tails were torn: {torn}");
}

#[test]
fn damage_below_a_synced_point_is_an_error_and_a_torn_tail_is_not() {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[run(0), run(1)]).unwrap();
    file.sync().unwrap();
    let synced = written(&disk).len();
    file.append(&[run(2)]).unwrap();
    let whole = written(&disk);
    for at in (0..whole.len()).filter(|at| !(SECTOR..CHUNKS_AT).contains(at)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        put(&disk, &bytes);
        match open(&disk) {
            Err(TableError::Corrupt { .. }) => assert!(at < synced),
            Ok(file) => {
                assert!(at >= synced, "byte {at} was synced");
                assert_eq!(runs_of(&file), [run(0), run(1)]);
            }
            Err(other) => panic!("{other}"),
        }
    }
    for length in 0..whole.len() {
        put(&disk, &whole[..length]);
        let found = open(&disk);
        assert_eq!(matches!(found, Err(TableError::Corrupt { .. })), length < synced, "cut to {length}");
    }
}

#[test]
fn a_damaged_mark_loses_nothing() {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[run(0), run(1)]).unwrap();
    file.sync().unwrap();
    let whole = written(&disk);
    for at in SECTOR..CHUNKS_AT {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        put(&disk, &bytes);
        assert_eq!(runs_of(&open(&disk).unwrap()), [run(0), run(1)]);
    }
}

#[test]
fn a_damaged_file_is_replaced_by_a_rebuilt_table() {
    let disk = disk();
    drop(create(&disk));
    disk.flip_bit(Path::new(PATH), 100).unwrap();
    let error = open(&disk).err().unwrap();
    assert!(error.to_string().contains("rebuild the table"), "{error}");
    let mut table = Table::new(source(10));
    table.append(run(4)).unwrap();
    TableFile::replace(Arc::new(disk.clone()), Path::new(PATH), key(), PROVENANCE, table).unwrap();
    assert_eq!(runs_of(&open(&disk.cut_power(1)).unwrap()), [run(4)]);
}

#[test]
fn a_file_of_another_partition_or_version_is_refused() {
    let disk = disk();
    drop(create(&disk));
    let other = TableKey { partition: PartitionId(4), ..key() };
    let storage = || -> Arc<dyn Storage> { Arc::new(disk.clone()) };
    let found = TableFile::open(storage(), Path::new(PATH), &other);
    assert!(matches!(found, Err(TableError::OtherTable { found, .. }) if *found == key()));
    let again = TableFile::create(storage(), Path::new(PATH), key(), PROVENANCE, source(0));
    assert!(matches!(again, Err(TableError::Exists { .. })));
    assert!(TableFile::open(storage(), Path::new("/tables/none"), &key()).unwrap().is_none());
    let long = TableKey { link: "x".repeat(LINK_BYTES_MAX + 1), ..key() };
    let found = TableFile::create(storage(), Path::new("/tables/long"), long, PROVENANCE, source(0));
    assert!(matches!(found, Err(TableError::LinkNameTooLong(_))));
    let mut bytes = written(&disk);
    bytes[9] = 2;
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &bytes[..508]) as u32;
    bytes[508..512].copy_from_slice(&crc.to_be_bytes());
    put(&disk, &bytes);
    assert!(matches!(open(&disk), Err(TableError::UnknownVersion { version: 2, .. })));
}

#[test]
fn a_run_that_grows_for_life_keeps_the_file_small() {
    let disk = disk();
    let mut file = create(&disk);
    let mut largest = 0;
    for at in 0..20_000 {
        file.append(&[Run::new(source(10 + 5 * at), target(5 * at), 5)]).unwrap();
        largest = largest.max(file.length);
    }
    assert!(largest < 2 * DEAD_BYTES_MIN && written(&disk).len() as u64 == file.length);
    file.sync().unwrap();
    let found = open(&disk.cut_power(5)).unwrap();
    assert_eq!(runs_of(&found), [Run::new(source(10), target(0), 100_000)]);
}

#[test]
fn many_runs_take_three_bytes_each_once_written_anew() {
    let disk = disk();
    let mut file = create(&disk);
    let runs: Vec<Run> = (0..100_000).map(run).collect();
    file.append(&runs).unwrap();
    file.rewrite().unwrap();
    assert!(file.length < 303_000, "{}", file.length);
    assert_eq!(runs_of(&open(&disk.cut_power(0)).unwrap()), runs);
}

#[test]
fn a_trim_shrinks_the_file_and_keeps_the_position_to_resume_from() {
    let disk = disk();
    let mut file = create(&disk);
    let runs: Vec<Run> = (0..10_000).map(run).collect();
    file.append(&runs).unwrap();
    file.skip_to(source(90_000)).unwrap();
    let before = file.length;
    assert!(!file.trim(run(4_000).target).unwrap(), "less than half");
    assert!(file.trim(run(6_000).target).unwrap());
    assert!(file.length < before / 2 && written(&disk).len() as u64 == file.length);
    assert!(file.trim(target(1_000_000)).unwrap());
    let found = open(&disk.cut_power(0)).unwrap();
    assert_eq!((found.table().run_count(), found.table().resume()), (0, source(90_000)));
    assert_eq!(found.table().target_end(), Some(run(9_999).target_end()));
    let log = TargetLog { start: target(1_000_000), end: target(1_000_000) };
    let translated = found.table().to_target(run(9_999).source_end(), log);
    assert_eq!(translated, Some(Translated::Exact(target(1_000_000))));
}

#[test]
fn a_full_disk_refuses_runs_and_goes_on_later() {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[run(0)]).unwrap();
    disk.space_left(5);
    for _ in 0..3 {
        assert!(file.append(&[run(1), run(2)]).unwrap_err().is_no_space());
        assert!(file.skip_to(source(50)).unwrap_err().is_no_space());
        assert_eq!((runs_of(&file), file.table().resume()), (vec![run(0)], run(0).source_end()));
    }
    disk.unlimited_space();
    file.append(&[run(1), run(2)]).unwrap();
    file.sync().unwrap();
    assert_eq!(runs_of(&open(&disk.cut_power(0)).unwrap()), [run(0), run(1), run(2)]);
}

#[test]
fn a_file_that_cannot_be_written_anew_goes_on_as_it_is() {
    let disk = disk();
    let mut file = create(&disk);
    let mut at = 0;
    let mut append = |file: &mut TableFile| {
        at += 1;
        file.append(&[Run::new(source(5 + 5 * at), target(5 * at), 5)]).unwrap();
    };
    while file.length + 100 < file.length_max {
        append(&mut file);
    }
    // Room for some more runs, but not for a second file.
    disk.space_left(1_200);
    let length_max = file.length_max;
    while file.length <= length_max {
        append(&mut file);
    }
    assert_eq!(file.length_max, 2 * file.length, "put off");
    disk.unlimited_space();
    file.sync().unwrap();
    assert_eq!(open(&disk.cut_power(0)).unwrap().table().resume(), file.table().resume());
}

#[test]
fn a_refused_run_leaves_table_and_file_as_they_were() {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[run(0)]).unwrap();
    file.skip_to(source(30)).unwrap();
    assert!(matches!(file.append(&[run(3), run(2)]), Err(TableError::Run(_))));
    assert_eq!((runs_of(&file), file.table().resume()), (vec![run(0)], source(30)));
    file.append(&[run(3)]).unwrap();
    assert_eq!(runs_of(&open(&disk).unwrap()), [run(0), run(3)]);
}

#[test]
fn after_a_failed_sync_the_table_is_offline_until_it_is_opened_anew() {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[run(0)]).unwrap();
    disk.fail_sync("tables/t", 1);
    assert!(matches!(file.sync(), Err(TableError::Offline { .. })));
    assert!(matches!(file.append(&[run(1)]), Err(TableError::Offline { .. })));
    assert!(matches!(file.sync(), Err(TableError::Offline { .. })));
    assert_eq!(runs_of(&file), [run(0)], "look-ups go on");
    assert!(open(&disk.cut_power(3)).unwrap().table().runs().next().is_none());
}

#[test]
fn a_power_cut_while_the_file_is_written_anew_loses_nothing() {
    let (mut olds, mut news) = (0, 0);
    for syncs in 0..=2 {
        for seed in 0..30 {
            let disk = disk();
            let mut file = create(&disk);
            let runs: Vec<Run> = (0..2_000).map(run).collect();
            file.append(&runs).unwrap();
            file.sync().unwrap();
            disk.after_syncs(syncs);
            let _ = file.trim(run(1_500).target);
            let found = open(&disk.cut_power(seed)).unwrap();
            let left = runs_of(&found);
            assert!(runs.ends_with(&left));
            assert_eq!(found.table().resume(), run(1_999).source_end());
            olds += usize::from(left.len() == 2_000);
            news += usize::from(left.len() < 2_000);
        }
    }
    assert!(olds > 0 && news > 0, "both outcomes were seen: {olds} and {news}");
}

proptest! {
    #[test]
    fn foreign_bytes_are_no_table_and_no_panic(
        front in any::<bool>(),
        at in 0..2_000usize,
        noise in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        let disk = disk();
        let mut file = create(&disk);
        file.append(&[run(0), run(1)]).unwrap();
        let mut bytes = if front { written(&disk) } else { Vec::new() };
        bytes.truncate(at);
        bytes.extend_from_slice(&noise);
        put(&disk, &bytes);
        let known = [run(0), run(1)];
        match open(&disk) {
            Ok(file) => prop_assert!(known.starts_with(&runs_of(&file))),
            Err(error) => prop_assert!(matches!(error, TableError::Corrupt { .. }), "{}", error),
        }
    }
}
