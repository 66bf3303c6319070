//! A real process is killed while it writes or prunes a real store, at many instants: the store opens, nothing that was
//! committed is lost, and the work succeeds when it is done again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use carryall::base::id::{ChunkId, hash};
use carryall::base::monitor::Silent;
use carryall::content::content_kind::ContentKind;
use carryall::store::{CheckDepth, ChunkSet, OpenMode, PruneOptions, Store, WriteOptions};

const DIR: &str = "CARRYALL_TEST_KILL_DIR";
const ROUNDS: u64 = 12;

fn content(round: u64, number: u64) -> Vec<u8> {
    let seed = hash(&(round << 32 | number).to_le_bytes());
    seed.iter()
        .cycle()
        .take(3000)
        .chain(&hash(&seed).repeat(400))
        .copied()
        .collect()
}

/// Writes, commits a root and prunes, again and again, until it is killed.
fn write_for_ever(dir: &Path) {
    let options = WriteOptions {
        window_bytes: 1 << 20,
        frame_bytes: 256 << 10,
        ..WriteOptions::default()
    };
    for round in 0.. {
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
        write_for_ever(&PathBuf::from(dir));
    }
}

#[test]
fn killed_at_any_instant_the_store_opens() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::create(dir.path()).unwrap());
    let mut last_root = 0;
    for kill in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store_kill::victim", "--ignored", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(60 + kill * 37));
        child.kill().unwrap();
        child.wait().unwrap();

        let store = Store::open(dir.path(), OpenMode::Write).unwrap();
        let mut live = ChunkSet::new();
        if let Ok(body) = store.read_root("last") {
            last_root = u64::from_le_bytes(body.try_into().unwrap());
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
        last_root > 0,
        "the victim got far enough to be worth killing"
    );
}
