//! On the machine's own filesystem.

mod support;

use std::{path::Path, sync::Arc, time::Duration};

use core_log::{
    Ack, Append, LogConfig, LogDir, LogDirSettings, OpenError, clock::SystemClock, storage::DiskStorage,
};
use protocol::Offset;
use support::*;

fn open(root: &Path, settings: LogDirSettings) -> Result<Arc<LogDir>, OpenError> {
    LogDir::open(Arc::new(DiskStorage), Arc::new(SystemClock::new()), root, settings)
}

#[test]
fn many_submitters_share_syncs_and_every_batch_is_found_after_a_restart() {
    let root = tempfile::tempdir().unwrap();
    let settings = LogDirSettings { open_files_max: 4, ..LogDirSettings::default() };
    let config = LogConfig { segment_bytes: 20_000, ..LogConfig::default() };
    let mut found = vec![];
    {
        let dir = open(root.path(), settings.clone()).unwrap();
        let logs: Vec<_> = (0..8).map(|log| open_log(&dir, &format!("topic{log}"), config)).collect();
        std::thread::scope(|scope| {
            for (worker, log) in logs.iter().enumerate() {
                let dir = &dir;
                scope.spawn(move || {
                    for i in 0..50 {
                        let value = format!("{worker}-{i}-{}", "x".repeat(500));
                        let batch = batch_of(worker as i64, 0, i, 5, &[&value]);
                        assert_eq!(put(dir, log, batch).unwrap().base_offset, Offset(i64::from(i)));
                    }
                });
            }
        });
        logs.iter().for_each(|log| found.push(read_all(log)));
        wait(dir.close()).unwrap();
    }
    let dir = open(root.path(), settings).unwrap();
    assert!(matches!(open(root.path(), LogDirSettings::default()), Err(OpenError::Locked(_))));
    for (log, found) in found.iter().enumerate() {
        assert_eq!(&read_all(&open_log(&dir, &format!("topic{log}"), config)), found);
    }
}

#[test]
fn submits_wait_in_order_on_a_runtime() {
    let root = tempfile::tempdir().unwrap();
    let dir = open(root.path(), LogDirSettings { queue_max: 2, ..LogDirSettings::default() }).unwrap();
    let log = open_log(&dir, "a", LogConfig::default());
    wait(async {
        let mut tickets = vec![];
        for i in 0..200 {
            let value = i.to_string();
            let append = Append { log: Arc::clone(&log), batch: batch(5, &[&value]), place: leader(0) };
            tickets.push(dir.submit(vec![append], Ack::Synced).await);
        }
        for (i, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(ticket.await[0].as_ref().unwrap().base_offset, Offset(i as i64));
        }
    });
}

#[test]
fn the_durable_mark_follows_by_itself() {
    let root = tempfile::tempdir().unwrap();
    let settings =
        LogDirSettings { checkpoint_interval: Duration::from_millis(20), ..LogDirSettings::default() };
    let dir = open(root.path(), settings).unwrap();
    put(&dir, &open_log(&dir, "a", LogConfig::default()), batch(5, &["x"])).unwrap();
    let file = root.path().join("recovery-point-offset-checkpoint");
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while std::fs::read_to_string(&file).unwrap_or_default() != "0\n1\na 0 1\n" {
        assert!(std::time::Instant::now() < deadline, "no mark was written");
        std::thread::yield_now();
    }
}
