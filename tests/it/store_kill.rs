//! A real process is killed while it writes or prunes a real store, at many instants: the store opens, nothing that was
//! committed is lost, and the work succeeds when it is done again.

use crate::testkit::own_process::start_ignored;
use crate::testkit::stage::kill;
use crate::testkit::stage::kills::Instants;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use carryall::base::id::{ChunkId, hash};
use carryall::base::monitor::Silent;
use carryall::content::content_kind::ContentKind;
use carryall::store::{CheckDepth, ChunkSet, OpenMode, PruneOptions, Store, WriteOptions};

const VICTIM: &str = "store_kill::victim";
const DIR: &str = "CARRYALL_TEST_KILL_DIR";
/// How many rounds the victim runs, instead of for ever.
const ROUNDS: &str = "CARRYALL_TEST_KILL_ROUNDS";
const KILLS: u32 = 8;
/// The instants are spread over so many rounds of a victim.
const ROUNDS_MEASURED: u64 = 3;

fn content(round: u64, number: u64) -> Vec<u8> {
    let seed = hash(&(round << 32 | number).to_le_bytes());
    seed.iter()
        .cycle()
        .take(3000)
        .chain(&hash(&seed).repeat(400))
        .copied()
        .collect()
}

/// Writes, commits a root and prunes, again and again.
fn write_rounds(dir: &Path, rounds: u64) {
    let options = WriteOptions {
        window_bytes: 1 << 20,
        frame_bytes: 256 << 10,
        ..WriteOptions::default()
    };
    for round in 0..rounds {
        let mut store = Store::open(dir, OpenMode::Write).unwrap();
        let mut live: ChunkSet = (0..50)
            .map(|number| ChunkId::of(&content(0, number)))
            .collect();
        let mut writer = store.writer(&options, &Silent).unwrap();
        for number in 0..600 {
            let id = writer
                .put(&content(round, number), ContentKind::Other)
                .unwrap();
            if number % 7 == 0 {
                live.insert(&id);
            }
        }
        writer.finish().unwrap();
        store.commit_root("last", &round.to_le_bytes()).unwrap();
        store
            .prune(live, &PruneOptions::default(), &Silent)
            .unwrap();
    }
}

/// Not a test of its own: the process that is killed.
#[test]
#[ignore = "runs for ever; started by killed_at_any_instant_the_store_opens"]
fn victim() {
    if let Some(dir) = std::env::var_os(DIR) {
        let rounds = std::env::var(ROUNDS).map_or(u64::MAX, |rounds| rounds.parse().unwrap());
        write_rounds(&PathBuf::from(dir), rounds);
    }
}

/// How long a victim takes for some rounds when nobody kills it.
fn measure() -> Duration {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::create(dir.path()).unwrap());
    let rounds = ROUNDS_MEASURED.to_string();
    let variables = [(DIR, dir.path().as_os_str()), (ROUNDS, rounds.as_ref())];
    let began = Instant::now();
    let status = start_ignored(VICTIM, &variables).wait().unwrap();
    assert!(status.success());
    let store = Store::open(dir.path(), OpenMode::Read).unwrap();
    let last = ROUNDS_MEASURED - 1;
    assert_eq!(store.read_root("last").unwrap(), last.to_le_bytes());
    began.elapsed()
}

#[test]
fn killed_at_any_instant_the_store_opens() {
    let whole = measure();
    let mut instants = Instants::new(11, KILLS, whole);
    let dir = tempfile::tempdir().unwrap();
    drop(Store::create(dir.path()).unwrap());
    let mut furthest = 0;
    for _ in 0..KILLS {
        let victim = start_ignored(VICTIM, &[(DIR, dir.path())]);
        std::thread::sleep(instants.draw());
        assert!(kill(victim), "the victim ended by itself");

        let store = Store::open(dir.path(), OpenMode::Write).unwrap();
        let mut live = ChunkSet::new();
        if let Ok(body) = store.read_root("last") {
            let last_root = u64::from_le_bytes(body.try_into().unwrap());
            furthest = furthest.max(last_root);
            for number in (0..600).step_by(7) {
                let id = ChunkId::of(&content(last_root, number));
                assert_eq!(*store.read(&id).unwrap(), content(last_root, number));
                live.insert(&id);
            }
        }
        let report = store.check(CheckDepth::Data, live, &Silent).unwrap();
        assert!(
            report.findings.is_empty() && report.lost_chunks.is_empty(),
            "{report:?}"
        );
    }
    assert!(
        furthest > 0,
        "the victim got far enough to be worth killing"
    );
}
