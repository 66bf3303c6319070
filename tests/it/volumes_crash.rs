//! Killed at any instant, writing and receiving a set leave nothing that the next call does not put right.

use crate::testkit::own_process::start_ignored;
use crate::testkit::stage::kill;
use crate::testkit::stage::kills::Instants;

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use carryall::base::monitor::Silent;
use carryall::volumes::block::{BlockSize, ParityCodec};
use carryall::volumes::media::{Capacity, Carrier};
use carryall::volumes::read_media::read_media;
use carryall::volumes::staging::open_all;
use carryall::volumes::{SetContent, SetRequest, plan, write};

const KILLS: u32 = 20;
const PIECES: usize = 24;
const PIECE_BYTES: u64 = 1 << 20;

fn piece(piece_no: usize) -> Vec<u8> {
    let byte = |at: u64| u8::try_from((at * 31 + at / 253 + piece_no as u64) % 251).unwrap();
    (0..PIECE_BYTES).map(byte).collect()
}

fn write_pieces(to: &Path) -> Vec<PathBuf> {
    let plan = plan(&SetRequest {
        piece_bytes: &[PIECE_BYTES; PIECES],
        catalog_bytes: 1000,
        capacity: Capacity::exact(12_000_000),
        carrier: Carrier::Folders,
        spare: Some(1),
        local_percent: Some(5.0),
        codec: ParityCodec::Gf16,
        block_size: Some(BlockSize::Full),
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
            write_pieces(Path::new(&to));
        }
        _ => {
            let mut report =
                read_media(Path::new(&to), &[PathBuf::from(from)], &|_| true, &Silent).unwrap();
            report.sets.remove(0).0.heal(&Silent).unwrap();
        }
    }
}

fn start(act: &str, from: &Path, to: &Path) -> Child {
    let variables = [
        ("CRASH_ACT", act.as_ref()),
        ("CRASH_FROM", from.as_os_str()),
        ("CRASH_TO", to.as_os_str()),
    ];
    start_ignored("volumes_crash::child", &variables)
}

/// How long the child takes when nobody kills it.
fn measure(act: &str, from: &Path) -> Duration {
    let to = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let status = start(act, from, to.path()).wait().unwrap();
    assert!(status.success() && fs::read_dir(to.path()).unwrap().count() > 0);
    began.elapsed()
}

/// Runs the child and kills it after a while; says whether it was still running.
fn run_and_kill(act: &str, from: &Path, to: &Path, after: Duration) -> bool {
    let child = start(act, from, to);
    std::thread::sleep(after);
    kill(child)
}

#[test]
fn a_killed_write_is_simply_done_again() {
    let reference = tempfile::tempdir().unwrap();
    let expected = write_pieces(reference.path());
    let to = tempfile::tempdir().unwrap();
    let whole = measure("write", Path::new("/"));
    let mut instants = Instants::new(12, KILLS, whole);
    for _ in 0..KILLS {
        let after = instants.draw();
        instants.struck(run_and_kill("write", Path::new("/"), to.path(), after));
        // Volumes that already have their names are whole; the person removes them to write again.
        for entry in fs::read_dir(to.path()).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().unwrap().to_str().unwrap().starts_with('.') {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }
    instants.are_enough();
    let volumes = write_pieces(to.path());
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
    let volumes = write_pieces(set.path());
    // A volume gone, so that healing is killed too.
    fs::remove_dir_all(&volumes[1]).unwrap();
    let whole = measure("absorb", set.path());
    let mut instants = Instants::new(13, KILLS, whole);
    let mut spool = tempfile::tempdir().unwrap();
    let mut before = 0;
    for round in 0..KILLS {
        let after = instants.draw();
        let is_hit = run_and_kill("absorb", set.path(), spool.path(), after);
        instants.struck(is_hit);
        let opened = open_all(spool.path()).unwrap();
        let blocks = opened.first().map_or(0, |set| {
            (1..=4)
                .map(|volume_no| set.presence().count(volume_no))
                .sum()
        });
        assert!(blocks >= before, "{blocks} of {before} after {after:?}");
        before = blocks;
        if !is_hit && round + 1 < KILLS {
            // All is there: nothing is left to be killed at.
            spool = tempfile::tempdir().unwrap();
            before = 0;
        }
    }
    instants.are_enough();
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
