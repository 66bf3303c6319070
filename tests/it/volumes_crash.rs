//! Killed at any instant, writing and receiving a set leave nothing that the next call does not put right.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use carryall::base::monitor::Silent;
use carryall::volumes::block::ParityCodec;
use carryall::volumes::media::{Capacity, Carrier};
use carryall::volumes::read_media::read_media;
use carryall::volumes::staging::open_all;
use carryall::volumes::{SetContent, SetRequest, plan, write};

const PIECES: usize = 24;
const PIECE_BYTES: u64 = 1 << 20;

fn piece(piece_no: usize) -> Vec<u8> {
    let byte = |at: u64| u8::try_from((at * 31 + at / 253 + piece_no as u64) % 251).unwrap();
    (0..PIECE_BYTES).map(byte).collect()
}

fn write_set(to: &Path) -> Vec<PathBuf> {
    let plan = plan(&SetRequest {
        piece_bytes: &[PIECE_BYTES; PIECES],
        catalog_bytes: 1000,
        capacity: Capacity::exact(12_000_000),
        carrier: Carrier::Folders,
        spare: Some(1),
        local_percent: Some(5.0),
        codec: ParityCodec::Gf16,
    })
    .unwrap();
    let content = SetContent {
        title: "crash",
        releases: &[],
        created_by: "test",
        facts: &[],
        catalog: b"catalog",
    };
    let mut open = |piece_no: usize| -> std::io::Result<Box<dyn Read>> {
        Ok(Box::new(Cursor::new(piece(piece_no))))
    };
    write(&plan, &content, &mut open, to, &Silent)
        .unwrap()
        .volumes
}

/// What the killed process does; it is this test program, called by the tests below.
#[test]
#[ignore = "called by the other tests"]
fn child() {
    let (Ok(act), Ok(from), Ok(to)) = (
        std::env::var("CRASH_ACT"),
        std::env::var("CRASH_FROM"),
        std::env::var("CRASH_TO"),
    ) else {
        return;
    };
    match act.as_str() {
        "write" => {
            write_set(Path::new(&to));
        }
        _ => {
            let mut report =
                read_media(Path::new(&to), &[PathBuf::from(from)], &|_| true, &Silent).unwrap();
            report.sets.remove(0).0.heal(&Silent).unwrap();
        }
    }
}

/// Runs the child and kills it after so many milliseconds; says whether it ended before.
fn run_and_kill(act: &str, from: &Path, to: &Path, after_ms: u64) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "volumes_crash::child", "--ignored"])
        .envs([("CRASH_ACT", act)])
        .envs([("CRASH_FROM", from), ("CRASH_TO", to)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(after_ms));
    let ended = child.try_wait().unwrap().is_some();
    if !ended {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    ended
}

#[test]
fn a_killed_write_is_simply_done_again() {
    let reference = tempfile::tempdir().unwrap();
    let expected = write_set(reference.path());
    let to = tempfile::tempdir().unwrap();
    let mut killed = 0;
    for after_ms in (5..400).step_by(20) {
        let ended = run_and_kill("write", Path::new("/"), to.path(), after_ms);
        killed += u32::from(!ended);
        // Volumes that already have their names are whole; the person removes them to write again.
        for entry in fs::read_dir(to.path()).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().unwrap().to_str().unwrap().starts_with('.') {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }
    assert!(killed > 0);
    let volumes = write_set(to.path());
    for (have, want) in volumes.iter().zip(&expected) {
        for entry in fs::read_dir(want).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(fs::read(have.join(&name)).unwrap() == fs::read(want.join(&name)).unwrap());
        }
    }
    assert_eq!(fs::read_dir(to.path()).unwrap().count(), volumes.len());
}

#[test]
fn a_killed_receive_goes_on_where_it_was() {
    let set = tempfile::tempdir().unwrap();
    let volumes = write_set(set.path());
    // A volume gone, so that healing is killed too.
    fs::remove_dir_all(&volumes[1]).unwrap();
    let spool = tempfile::tempdir().unwrap();
    let mut before = 0;
    for after_ms in (5..300).step_by(15) {
        run_and_kill("absorb", set.path(), spool.path(), after_ms);
        let opened = open_all(spool.path()).unwrap();
        let blocks = opened.first().map_or(0, |set| {
            (1..=4)
                .map(|volume_no| set.presence().count(volume_no))
                .sum()
        });
        assert!(blocks >= before, "{blocks} of {before} after {after_ms} ms");
        before = blocks;
    }
    let mut report =
        read_media(spool.path(), &[set.path().to_owned()], &|_| true, &Silent).unwrap();
    let (mut incoming, _) = report.sets.remove(0);
    incoming.heal(&Silent).unwrap();
    assert!(incoming.payload_ready());
    let mut have = Vec::new();
    let data_volumes = incoming.descriptor().unwrap().payload_bytes.len();
    for volume_no in 1..=u16::try_from(data_volumes).unwrap() {
        incoming
            .payload_reader(volume_no)
            .unwrap()
            .read_to_end(&mut have)
            .unwrap();
    }
    assert!(have == (0..PIECES).flat_map(piece).collect::<Vec<u8>>());
    assert_eq!(incoming.catalog().unwrap(), b"catalog");
}
