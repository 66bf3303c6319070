//! Media with bad sectors, read by the command itself: a real EIO, and what is said about it.

use crate::testkit::bad_sectors::{BadSectors, Fails, SECTOR, sectors};
use crate::testkit::bytes::Seeded;
use crate::testkit::stage::{Run, Stage};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use carryall::volumes::block::BLOCK_BYTES;

/// A set of volumes that all tests here read.
fn stage() -> &'static (Stage, Vec<PathBuf>) {
    static STAGE: OnceLock<(Stage, Vec<PathBuf>)> = OnceLock::new();
    STAGE.get_or_init(|| {
        let stage = Stage::shared_with_release();
        let volumes = stage.packed();
        (stage, volumes)
    })
}

/// The first volume's first file with blocks, and its bytes.
fn carrier(volume: &Path) -> (PathBuf, u64) {
    let files = std::fs::read_dir(volume).unwrap();
    let largest = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let bytes = largest.metadata().unwrap().len();
    (largest, bytes)
}

fn verify(bad: &[std::ops::Range<u64>], fails: Fails) -> Option<(Run, PathBuf)> {
    let (stage, volumes) = stage();
    let (path, _) = carrier(&volumes[0]);
    let bad = BadSectors::new(&[(&path, bad)], fails)?;
    let run = stage.run_with_bad_sectors(&["verify", "--json", "discs"], &bad);
    Some((run, path))
}

/// What was said of bytes that could not be read.
fn gaps(run: &Run) -> Option<serde_json::Value> {
    let events = run.stderr.lines();
    events
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .map(|event| event["finding"].clone())
        .find(|finding| finding["kind"] == "media.gaps")
}

#[test]
fn forty_bad_sectors_are_reported_with_their_exact_bytes() {
    let (_, volumes) = stage();
    let (_, bytes) = carrier(&volumes[0]);
    let mut seeded = Seeded::new(40);
    let mut numbers = BTreeSet::new();
    while numbers.len() < 40 {
        // Never two side by side, so that every sector is a stretch of its own.
        numbers.insert(seeded.next() % (bytes / SECTOR / 2) * 2);
    }
    let bad = sectors(numbers);
    let Some((run, path)) = verify(&bad, Fails::Always) else {
        return;
    };
    let report = run.json();
    assert_eq!(report["unread_bytes"], 40 * SECTOR, "{run:#?}");
    let finding = gaps(&run).unwrap();
    let subject = finding["subject"].as_str().unwrap();
    assert!(path.ends_with(subject), "{subject}");
    let first = bad[0].start;
    let said =
        format!("81920 bytes could not be read, in 40 stretches, the first at offset {first}");
    assert_eq!(finding["message"], said);
}

#[test]
fn a_scratch_is_one_stretch_of_its_exact_bytes() {
    let scratch = 5 * SECTOR..40 * BLOCK_BYTES as u64 + 3 * SECTOR;
    let Some((run, _)) = verify(std::slice::from_ref(&scratch), Fails::Always) else {
        return;
    };
    let report = run.json();
    assert_eq!(report["unread_bytes"], scratch.end - scratch.start);
    let text = gaps(&run).unwrap()["message"].to_string();
    assert!(text.contains("in 1 stretches"), "{text}");
}

#[test]
fn a_drive_that_fails_now_and_then_costs_nothing() {
    let (_, volumes) = stage();
    let (_, bytes) = carrier(&volumes[0]);
    let bad = sectors((0..bytes / SECTOR).step_by(20));
    let Some((run, _)) = verify(&bad, Fails::First(1)) else {
        return;
    };
    let run = run.ends_with(0);
    let report = run.json();
    assert_eq!(report["unread_bytes"], 0);
    assert!(gaps(&run).is_none());
    assert_eq!(report["at_hand_whole"], true);
}
