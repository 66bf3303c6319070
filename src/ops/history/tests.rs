//! The history of a store that many write to at once, in memory with conditional puts.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::*;
use crate::base::monitor::Silent;
use crate::store::storage::Storage;
use crate::store::storage::memory::FaultyStorage;
use crate::store::{ChunkSet, OpenMode, PruneOptions};

/// A bucket and machines that use it.
struct Fleet {
    bucket: FaultyStorage,
    machines: tempfile::TempDir,
}

impl Fleet {
    fn new() -> Self {
        let (bucket, machines) = (FaultyStorage::shared(), tempfile::tempdir().unwrap());
        Store::create_on(Arc::new(bucket.clone()), machines.path(), None).unwrap();
        Self { bucket, machines }
    }

    fn machine(&self, name: &str) -> Store {
        self.machine_at(&self.bucket, name)
    }

    fn machine_at(&self, bucket: &FaultyStorage, name: &str) -> Store {
        let dir = self.machines.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        open(bucket, &dir)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        crate::store::storage::put(&self.bucket, name, bytes).unwrap();
    }
}

fn open(bucket: &FaultyStorage, dir: &Path) -> Store {
    Store::open_on(Arc::new(bucket.clone()), dir, OpenMode::Write, None).unwrap()
}

fn add(store: &Store) {
    append(store, &HistoryEntry::now(HistoryEvent::Add)).unwrap();
}

/// The number of lines, and the codes of what is wrong with them.
fn told(store: &Store) -> (usize, Vec<&'static str>) {
    let report = read(store, None).unwrap();
    let codes = report.findings.iter().map(Finding::code).collect();
    (report.lines.len(), codes)
}

fn line(no: u64) -> String {
    format!("history/lines/{no:010}.json")
}

#[test]
fn many_that_add_at_once_lose_no_line() {
    let fleet = Fleet::new();
    thread::scope(|scope| {
        for number in 0..6 {
            let store = fleet.machine(&format!("machine-{number}"));
            scope.spawn(move || {
                for at in 0..50 {
                    // Two lines that say the same of the same second would be one.
                    let entry = HistoryEntry::now(HistoryEvent::Add);
                    append(&store, &entry.to(&format!("{number}/{at}"))).unwrap();
                }
            });
        }
    });
    let report = read(&fleet.machine("auditor"), None).unwrap();
    let numbers: Vec<u64> = report.lines.iter().map(|line| line.no).collect();
    assert_eq!(numbers, (1..=300).collect::<Vec<u64>>());
    assert!(report.is_intact, "{:?}", report.findings);
    assert_eq!(fleet.bucket.list("history/joined").unwrap().len(), 1);
}

#[test]
fn what_a_machine_saw_tells_it_what_was_cut_or_written_anew() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.machine("one"), fleet.machine("other"));
    (0..4).for_each(|_| add(&one));
    add(&other);
    add(&other);
    assert_eq!(told(&one), (6, vec![]));
    for no in [3, 5] {
        let bytes = fleet.bucket.whole(&line(no), 1 << 20).unwrap();
        let changed = String::from_utf8(bytes.clone()).unwrap();
        fleet.put(&line(no), changed.replace("\"add\"", "\"pull\"").as_bytes());
        assert_eq!(told(&fleet.machine("new")).1, ["history.line_changed"]);
        fleet.put(&line(no), b"no line");
        assert_eq!(told(&fleet.machine("new")).1, ["history.lines_missing"]);
        fleet.put(&line(no), &bytes);
    }
    // The end of it is missed by those who saw it.
    let last = fleet.bucket.whole(&line(6), 1 << 20).unwrap();
    fleet.bucket.remove(&line(6)).unwrap();
    assert_eq!(told(&fleet.machine("new")), (5, vec![]));
    assert_eq!(told(&one), (5, vec!["history.lines_missing"]));
    fleet.put(&line(6), &last);
    assert_eq!(told(&one), (6, vec![]));
    // All of it written anew holds together, and is not what one machine noted.
    let forged = FaultyStorage::shared();
    let forger = fleet.machines.path().join("forger");
    std::fs::create_dir(&forger).unwrap();
    Store::create_on(Arc::new(forged.clone()), &forger, None).unwrap();
    let forge = HistoryEntry::now(HistoryEvent::Pull);
    (0..9).for_each(|_| append(&open(&forged, &forger), &forge).unwrap());
    let seen = told(&fleet.machine_at(&forged, "one"));
    assert_eq!(seen, (9, vec!["history.line_changed"]));
    // What follows does not hide what was cut off, whoever adds it.
    fleet.bucket.remove(&line(6)).unwrap();
    add(&one);
    let seen = told(&fleet.machine("late"));
    assert_eq!(seen, (6, vec!["history.lines_missing"]));
}

#[test]
fn a_long_history_is_joined_and_what_was_joined_goes_after_the_time_of_grace() {
    let fleet = Fleet::new();
    let store = fleet.machine("one");
    (0..600).for_each(|_| add(&store));
    let prune = || {
        let mut store = fleet.machine("maintainer");
        store.be_alone().unwrap();
        let options = PruneOptions::default();
        store.prune(ChunkSet::new(), &options, &Silent).unwrap();
    };
    let lines = || fleet.bucket.list("history/lines").unwrap().len();
    prune();
    assert_eq!(lines(), 600, "somebody may be about to add one");
    fleet.bucket.pass(8 * 24 * 3600);
    prune();
    assert_eq!(lines(), 600 - 512);
    assert_eq!(told(&fleet.machine("new")), (600, vec![]));
    // Where nothing is left but what was joined, whoever comes follows it.
    for no in 513..=600 {
        fleet.bucket.remove(&line(no)).unwrap();
    }
    assert_eq!(told(&fleet.machine("unknown")), (512, vec![]));
    add(&fleet.machine("comes"));
    assert_eq!(told(&fleet.machine("unknown")), (513, vec![]));
    let name = "history/joined/0000000257.jsonl";
    fleet.bucket.damage(name, |bytes| bytes[100] ^= 1);
    let codes = told(&fleet.machine("auditor")).1;
    assert!(!codes.is_empty(), "what was joined is checked too");
    fleet.bucket.remove(name).unwrap();
    assert_eq!(told(&fleet.machine("auditor")).1, ["history.lines_missing"]);
}

#[test]
fn killed_at_any_call_the_history_is_well() {
    let fleet = Fleet::new();
    let store = fleet.machine("one");
    (0..254).for_each(|_| add(&store));
    for calls in 0..4 {
        let bucket = fleet.bucket.crash_image();
        bucket.die_after(calls);
        let store = fleet.machine_at(&bucket, &format!("killed-{calls}"));
        let entry = HistoryEntry::now(HistoryEvent::Add);
        let done = (0..3).filter(|_| append(&store, &entry).is_ok()).count();
        let after = bucket.crash_image();
        let store = fleet.machine_at(&after, &format!("after-{calls}"));
        assert_eq!(told(&store), (254 + done, vec![]), "{calls}");
        (0..260).for_each(|_| add(&store));
        assert_eq!(told(&store), (254 + done + 260, vec![]), "{calls}");
        assert_eq!(after.list("history/joined").unwrap().len(), 2);
    }
}

#[test]
fn golden_objects_are_read_and_written_the_same() {
    let golden = include_bytes!("../../../tests/data/golden/v1/history.jsonl");
    let fleet = Fleet::new();
    let lines = golden.trim_ascii_end().split(|byte| *byte == b'\n');
    for (line_bytes, no) in lines.clone().zip(1..) {
        fleet.put(&line(no), line_bytes);
    }
    let report = read(&fleet.machine("one"), None).unwrap();
    assert!(report.is_intact, "{:?}", report.findings);
    assert_eq!(report.lines.len(), lines.count());
    let head = include_bytes!("../../../tests/data/golden/v1/history.head");
    let noted = fleet.machines.path().join("one/history/head");
    assert_eq!(std::fs::read(noted).unwrap(), head);
}
