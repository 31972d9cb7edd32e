//! The file through power cuts, faults and damage.

use proptest::prelude::*;

use core_log::storage::{MemoryStorage, read_whole};
use protocol::{PartitionId, TopicId, Uuid, batch::BatchBuilder};

use super::*;
use crate::translation::{
    Translated,
    answer::TargetLog,
    provenance,
    table_model_test::{source, target},
};

const PATH: &str = "/tables/t";
const PROVENANCE: ProducerId = ProducerId(1001);

fn key() -> TableKey {
    TableKey {
        link: "berlin:oslo".to_owned(),
        topic_id: TopicId(Uuid::from_u128(77)),
        partition: PartitionId(3),
        target_id: TopicId(Uuid::from_u128(78)),
    }
}

fn label() -> TableLabel {
    TableLabel { key: key(), topic: "clicks".into(), provenance: PROVENANCE }
}

fn disk() -> MemoryStorage {
    let disk = MemoryStorage::new(1);
    disk.create_dir(Path::new("/tables")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

fn create(disk: &MemoryStorage) -> TableFile {
    TableFile::create(Arc::new(disk.clone()), Path::new(PATH), label(), source(10)).unwrap()
}

fn open(disk: &MemoryStorage) -> Result<TableFile, TableError> {
    let found = TableFile::open(Arc::new(disk.clone()), Path::new(PATH), &key(), &label().topic);
    found.map(|found| found.expect("it is there"))
}

/// The nth of runs that do not coalesce.
fn run(nth: i64) -> Run {
    Run::new(source(10 + 8 * nth), target(9 * nth), 7)
}

/// The log's batch of a run.
fn batch_of(run: Run) -> BatchHeader {
    let (epoch, sequence) = provenance::origin_of(run.source);
    let values = (1..run.length)
        .fold(BatchBuilder::new().record(0, None, None, &[]), |batch, _| batch.record(0, None, None, &[]));
    let batch = values.base_offset(run.target.offset()).producer(PROVENANCE, epoch, sequence);
    BatchHeader::parse(&batch.build().unwrap()).unwrap()
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
        &[0, 2, 0, 11, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77],
        &[0, 0, 0, 0, 0, 0, 3, 0xe9, 0, 0, 0, 0, 0, 0, 0, 10],
        &[0xff; 8],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 78, 0, 6],
        b"berlin:oslo",
        b"clicks",
    ];
    let mark_1 = [0, 0, 0, 0, 0, 0, 6, 37, 40, 235, 6, 113];
    let mark_0 = [0, 0, 0, 0, 0, 0, 6, 10, 86, 69, 180, 139];
    let chunks = [
        0, 0, 0, 2, 196, 187, 172, 55, 0, 0, 0, 0, 0, 9, 168, 145, 207, 86, 2, 2, 0, 172, 2, 88, 1, 1, 0, 0,
        0, 0, 2, 107, 94, 18, 243, 0, 4,
    ];
    let mut expected = header.concat();
    for (at, part) in [(508, &[133, 152, 39, 214][..]), (512, &mark_0), (1024, &mark_1), (1536, &chunks)] {
        expected.resize(at, 0);
        expected.extend_from_slice(part);
    }
    assert!(written(&disk) == expected, "the format has changed: so must its version");
}

/// A file as it was before the first release: source 12..312 at target 0, source 400 at target 301, and nothing up to 405.
fn file_of_version_1() -> Vec<u8> {
    let header = [
        &b"ISTHMUST"[..],
        &[0, 1, 0, 11, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77],
        &[0, 0, 0, 0, 0, 0, 3, 0xe9, 0, 0, 0, 0, 0, 0, 0, 10],
        &[0xff; 8],
        b"berlin:oslo",
    ];
    let mark = [0, 0, 0, 0, 0, 0, 6, 37, 67, 206, 200, 26];
    let chunks = [
        0, 0, 0, 2, 184, 127, 185, 51, 0, 0, 0, 0, 0, 9, 75, 58, 193, 188, 2, 2, 0, 172, 2, 88, 1, 1, 0, 0,
        0, 0, 2, 90, 139, 98, 112, 0, 4,
    ];
    let mut bytes = header.concat();
    for (at, part) in [(508, &[28, 160, 72, 135][..]), (1024, &mark), (1536, &chunks)] {
        bytes.resize(at, 0);
        bytes.extend_from_slice(part);
    }
    bytes
}

#[test]
fn a_file_of_version_1_is_taken_over_under_its_new_name() {
    let disk = disk();
    let former = Path::new(PATH).with_file_name(key().former_file_name());
    core_log::storage::replace_file(&disk, &former, &file_of_version_1()).unwrap();
    let mut file = open(&disk).unwrap();
    let runs = [Run::new(source(12), target(0), 300), Run::new(source(400), target(301), 1)];
    assert_eq!((runs_of(&file), file.table().resume()), (runs.to_vec(), source(405)));
    file.sync().unwrap();
    assert!(!disk.exists(&former).unwrap());
    let found = open(&disk.cut_power(1)).unwrap();
    assert_eq!((runs_of(&found), found.label()), (runs.to_vec(), label()));
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
fn a_chunk_counts_only_after_the_very_chunk_it_was_written_after() {
    let bytes_of = |second: Run| {
        let disk = disk();
        let mut file = create(&disk);
        for run in [run(0), second, run(3)] {
            file.append(&[run]).unwrap();
        }
        written(&disk)
    };
    let other = Run { length: 6, ..run(1) };
    let (mut bytes, others) = (bytes_of(run(1)), bytes_of(other));
    assert_eq!(bytes.len(), others.len());
    let last = bytes.len() - 13;
    bytes[..last].copy_from_slice(&others[..last]);
    let disk = disk();
    put(&disk, &bytes);
    assert_eq!(runs_of(&open(&disk).unwrap()), [run(0), other]);
}

#[test]
fn damage_below_a_synced_point_has_to_be_healed_and_a_torn_tail_has_not() {
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
            Err(TableError::Corrupt { .. }) => assert!(at < SECTOR),
            Ok(mut file) => match file.sync() {
                Err(TableError::NotHealed { .. }) => assert!((CHUNKS_AT..synced).contains(&at)),
                synced_again => {
                    synced_again.unwrap();
                    assert!(at >= synced, "byte {at} was synced");
                    assert_eq!(runs_of(&file), [run(0), run(1)]);
                }
            },
            Err(other) => panic!("{other}"),
        }
    }
    for length in 0..whole.len() {
        put(&disk, &whole[..length]);
        let found = open(&disk);
        assert_eq!(matches!(found, Err(TableError::Corrupt { .. })), length < SECTOR, "cut to {length}");
        let must_heal = matches!(found.map(|mut file| file.sync()), Ok(Err(TableError::NotHealed { .. })));
        assert_eq!(must_heal, (SECTOR..synced).contains(&length), "cut to {length}");
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

/// A file whose second run cannot be read, on a log that goes on behind it.
fn damaged() -> MemoryStorage {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[run(0)]).unwrap();
    file.sync().unwrap();
    let at = file.length;
    file.append(&[run(1)]).unwrap();
    file.sync().unwrap();
    disk.flip_bit(Path::new(PATH), 8 * (at + 9)).unwrap();
    disk
}

fn kept(disk: &MemoryStorage) -> Option<Vec<u8>> {
    read_whole(disk, &Path::new(PATH).with_file_name("t.damaged"), 1 << 20).ok()
}

#[test]
fn a_damaged_file_is_kept_aside_and_healed_from_the_log() {
    let disk = damaged();
    let bytes = written(&disk);
    let mut file = open(&disk).unwrap();
    let log_end = run(2).target_end();
    let _ = file.reconcile(log_end, [batch_of(run(0)), batch_of(run(1)), batch_of(run(2))]).unwrap();
    assert!(written(&disk) == bytes && kept(&disk).is_none(), "as it was, until all is found");
    let healed = file.heal(run(0).target_end()).unwrap().unwrap();
    assert_eq!((healed.found_runs, healed.found_offsets), (2, 14));
    assert_eq!(kept(&disk), Some(bytes));
    file.append(&[run(3)]).unwrap();
    file.sync().unwrap();
    let mut found = open(&disk.cut_power(1)).unwrap();
    assert_eq!(runs_of(&found), [run(0), run(1), run(2), run(3)]);
    assert_eq!(found.heal(target(1_000)).unwrap(), None, "it is whole");
}

#[test]
fn a_log_that_begins_behind_what_the_file_still_tells_shows_by_its_next_batch_where_the_source_is() {
    let mut file = open(&damaged()).unwrap();
    let _ = file.reconcile(run(9).target_end(), [batch_of(run(9))]).unwrap();
    let log_start = target(60);
    assert!(file.heal(log_start).unwrap().is_some());
    let log = TargetLog { start: log_start, end: run(9).target_end() };
    let translated = |at| file.table().to_target(source(at), log).map(Translated::position);
    assert_eq!(translated(run(9).source.offset().0 + 3), Some(run(9).target.plus(3)));
    assert_eq!(translated(30), Some(log_start), "it was trimmed");
    assert_eq!(file.table().resume(), run(9).source_end());
}

#[test]
fn without_a_batch_of_the_source_in_such_a_log_nobody_knows_where_the_source_is() {
    let disk = damaged();
    let bytes = written(&disk);
    let mut file = open(&disk).unwrap();
    let _ = file.reconcile(target(70), []).unwrap();
    let error = file.heal(target(60)).unwrap_err();
    assert!(matches!(error, TableError::Lost { .. }) && error.is_lost());
    assert!(matches!(file.skip_to(source(500)), Err(TableError::NotHealed { .. })));
    assert!(written(&disk) == bytes && kept(&disk).is_none());
    // The log holds all behind what the file tells: then the source is where the file says.
    let mut file = open(&disk).unwrap();
    let _ = file.reconcile(target(70), []).unwrap();
    assert!(file.heal(run(0).target_end()).unwrap().is_some());
    assert_eq!(file.table().resume(), run(0).source_end());
}

#[test]
fn a_power_cut_while_a_file_is_healed_leaves_the_damaged_one_or_the_healed_one() {
    let (mut damaged_ones, mut healed_ones) = (0, 0);
    for (syncs, seed) in (0..=5).flat_map(|syncs| (0..30).map(move |seed| (syncs, seed))) {
        let disk = damaged();
        disk.sync_dir(Path::new("/tables")).unwrap();
        disk.after_syncs(syncs);
        let heal = |disk: &MemoryStorage| -> Result<TableFile, TableError> {
            let mut file = open(disk)?;
            let _ = file.reconcile(run(1).target_end(), [batch_of(run(1))])?;
            file.heal(run(0).target_end()).map(|_| file)
        };
        let _ = heal(&disk);
        let after = disk.cut_power(seed);
        let is_healed = open(&after).unwrap().sync().is_ok();
        assert_eq!(runs_of(&heal(&after).unwrap()), [run(0), run(1)]);
        damaged_ones += usize::from(!is_healed);
        healed_ones += usize::from(is_healed);
    }
    assert!(damaged_ones > 0 && healed_ones > 0, "both were seen: {damaged_ones} and {healed_ones}");
}

#[test]
fn marks_and_chunks_lost_together_are_not_taken_for_a_torn_tail() {
    let disk = disk();
    let mut file = create(&disk);
    file.append(&[run(0), run(1)]).unwrap();
    file.sync().unwrap();
    let mut bytes = written(&disk);
    bytes[SECTOR..].fill(0);
    put(&disk, &bytes);
    let mut file = open(&disk).unwrap();
    let _ = file.reconcile(target(70), []).unwrap();
    assert!(matches!(file.heal(target(60)), Err(TableError::Lost { .. })));
}

#[test]
fn a_file_of_another_partition_or_version_is_refused() {
    let disk = disk();
    drop(create(&disk));
    let other = TableKey { partition: PartitionId(4), ..key() };
    let storage = || -> Arc<dyn Storage> { Arc::new(disk.clone()) };
    let topic = label().topic;
    let found = TableFile::open(storage(), Path::new(PATH), &other, &topic);
    assert!(matches!(found, Err(TableError::OtherTable { found, .. }) if *found == key()));
    let again = TableFile::create(storage(), Path::new(PATH), label(), source(0));
    assert!(matches!(again, Err(TableError::Exists { .. })));
    assert!(TableFile::open(storage(), Path::new("/tables/none"), &key(), &topic).unwrap().is_none());
    let long_link = TableKey { link: "x".repeat(LINK_BYTES_MAX + 1), ..key() };
    let long_topic = TopicName::from("x".repeat(TOPIC_BYTES_MAX + 1).as_str());
    for long in [TableLabel { key: long_link, ..label() }, TableLabel { topic: long_topic, ..label() }] {
        let found = TableFile::create(storage(), Path::new("/tables/long"), long, source(0));
        assert!(matches!(found, Err(TableError::NameTooLong(_))));
    }
    let mut bytes = written(&disk);
    bytes[9] = 3;
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &bytes[..508]) as u32;
    bytes[508..512].copy_from_slice(&crc.to_be_bytes());
    put(&disk, &bytes);
    assert!(matches!(open(&disk), Err(TableError::UnknownVersion { version: 3, .. })));
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
