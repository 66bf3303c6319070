//! The command is killed at many instants of add, receive and prune: the store opens, is whole, and the same command
//! succeeds when it is run again. Ctrl-C ends it with 130 and a hint, and loses nothing either.

use crate::testkit::stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use stage::kills::{Instants, Kills, words};
use stage::{Run, Stage, contents, make_release, signal, visible};

const KILLS: u32 = 8;
/// After every so many kills the release is checked out and compared; `check --data` reads every byte after each.
const COMPARE_EVERY: u32 = 4;

#[test]
fn add_killed_at_any_instant() {
    let stage = Stage::with_release();
    make_release(&stage.path("given2"), 2);
    stage.add_given("shop:1.0", "given");
    stage.copy("store", "before");
    let add = words("add shop:2.0 given2/image.tar given2/files given2/setup.bin");
    let kills = Kills::timed(&stage, &add, 1, KILLS);
    kills.of(
        &stage,
        &add,
        || stage.copy("before", "store"),
        |round| {
            stage.store_is_well();
            stage.run(&add).ends_with(0);
            if round % COMPARE_EVERY == 0 {
                stage.comes_back("shop:2.0", "given2");
            }
        },
    );
    stage.store_is_well();
    stage.comes_back("shop:1.0", "given");
}

/// A store of which not even the settings are written yet is no store, and no hindrance.
#[test]
fn a_store_killed_while_it_is_made() {
    let stage = Stage::new();
    std::fs::write(stage.path("file"), b"bytes").unwrap();
    let add = words("add shop:1.0 file");
    let kills = Kills::timed(&stage, &add, 2, KILLS);
    kills.count(
        &stage,
        &add,
        || stage.remove("store"),
        |_| {
            let run = stage.run(&["list"]);
            if run.code != Some(0) {
                run.fails_with(1, &["no store in"]);
            }
            stage.run(&add).ends_with(0);
            stage.store_is_well();
        },
    );
}

/// Packs the release, loses its first volume, and leaves no store behind.
fn discs_less_one(stage: &Stage) -> Vec<PathBuf> {
    let mut volumes = stage.packed();
    assert!(volumes.len() >= 3, "{volumes:?}");
    std::fs::remove_dir_all(volumes.remove(0)).unwrap();
    stage.remove("store");
    volumes
}

#[test]
fn receive_all_at_once_killed_at_any_instant() {
    let stage = Stage::with_release();
    discs_less_one(&stage);
    let receive = words("receive discs");
    let kills = Kills::timed(&stage, &receive, 3, KILLS);
    kills.of(
        &stage,
        &receive,
        || stage.remove("store"),
        |round| {
            if stage.path("store/carryall.toml").is_file() {
                stage.store_is_well();
            }
            stage.run(&receive).ends_with(0);
            let spool = stage.path("store/incoming");
            assert_eq!(
                std::fs::read_dir(spool).unwrap().count(),
                0,
                "no spool is left"
            );
            if round % COMPARE_EVERY == 0 {
                stage.comes_back("shop:1.0", "given");
            }
        },
    );
    stage.store_is_well();
    stage.run(&["status"]).ends_with(0);
}

#[test]
fn a_set_that_was_killed_before_its_first_block_leaves_nothing() {
    let stage = Stage::with_release();
    let volumes = discs_less_one(&stage);
    let first = volumes[0].to_str().unwrap();
    stage.run(&["receive", first]).ends_with(4);
    let waiting = stage.run(&["status", "--json"]).ends_with(4).json();
    let set_id = waiting["incoming"][0]["set_id"].as_str().unwrap();
    stage.run(&["forget", "--all-incomplete"]).ends_with(0);
    let incoming = stage.path("store/incoming");
    std::fs::create_dir_all(incoming.join(set_id)).unwrap();
    stage.run(&["receive", "discs"]).ends_with(0);
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn receive_one_by_one_killed_at_any_instant() {
    let stage = Stage::with_release();
    let volumes = discs_less_one(&stage);
    let receive =
        |volume: &PathBuf| vec!["receive".to_owned(), volume.to_str().unwrap().to_owned()];
    let began = Instant::now();
    let runs: Vec<Run> = volumes
        .iter()
        .map(|volume| stage.run(&receive(volume)))
        .collect();
    let whole = began.elapsed();
    let codes: Vec<Option<i32>> = runs.iter().map(|run| run.code).collect();
    assert_eq!(codes.last(), Some(&Some(0)), "{runs:#?}");
    assert!(
        codes[..codes.len() - 1].iter().all(|code| *code == Some(4)),
        "{runs:#?}"
    );
    let mut instants = Instants::new(4, KILLS, whole);
    for round in 0..KILLS {
        stage.remove("store");
        let end = Instant::now() + instants.draw();
        let mut killed = false;
        for (volume, code) in volumes.iter().zip(&codes) {
            if !killed {
                match run_until(&stage, &receive(volume), end) {
                    Some(ended) => {
                        assert_eq!(ended, *code);
                        continue;
                    }
                    None => killed = true,
                }
                if stage.path("store/carryall.toml").is_file() {
                    stage.store_is_well();
                }
            }
            let run = stage.run(&receive(volume));
            assert_eq!(run.code, *code, "{run:#?}");
        }
        instants.struck(killed);
        if round % COMPARE_EVERY == 0 {
            stage.comes_back("shop:1.0", "given");
        }
    }
    instants.are_enough();
    stage.store_is_well();
}

/// Lets a command run to its end and returns its exit code; at `end` it is killed.
fn run_until(stage: &Stage, words: &[String], end: Instant) -> Option<Option<i32>> {
    let mut child = stage.start(words);
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    status.code().map(Some)
}

#[test]
fn prune_killed_at_any_instant() {
    let stage = Stage::with_release();
    make_release(&stage.path("given2"), 2);
    std::fs::create_dir(stage.path("small")).unwrap();
    std::fs::copy(stage.path("given/setup.bin"), stage.path("small/setup.bin")).unwrap();
    // What setup.bin needs lies in packs that are mostly dead afterwards; those of the other release die whole.
    stage.add_given("shop:1.0", "given");
    stage.add_given("shop:2.0", "given2");
    stage
        .run(&words("add small:1.0 small/setup.bin"))
        .ends_with(0);
    stage.run(&words("rm shop:1.0")).ends_with(0);
    stage.run(&words("rm shop:2.0")).ends_with(0);
    stage.copy("store", "before");
    let began = Instant::now();
    let report = stage.run(&words("prune --json")).ends_with(0).json();
    let whole = began.elapsed();
    assert!(report["packs_rewritten"].as_u64() > Some(0), "{report}");
    assert!(
        report["packs_removed"].as_u64() > report["packs_rewritten"].as_u64(),
        "{report}"
    );
    let kills = Kills {
        seed: 5,
        rounds: KILLS,
        whole,
    };
    kills.of(
        &stage,
        &words("prune"),
        || stage.copy("before", "store"),
        |_| {
            stage.store_is_well();
            let again = stage.run(&words("prune --json")).ends_with(0).json();
            assert_eq!(again["bytes_after"], report["bytes_after"], "{again}");
            stage.comes_back("small:1.0", "small");
        },
    );
    stage.store_is_well();
}

/// Volumes and items that were finished stay, whole; what was not leaves nothing to see, and nothing at all once the
/// command has run again.
#[test]
fn pack_repair_and_checkout_killed_at_any_instant() {
    let stage = Stage::with_release();
    let volumes = stage.packed();
    std::fs::remove_dir_all(&volumes[0]).unwrap();
    let commands = [
        (
            "new",
            format!("pack shop:1.0 --to new --media {}", stage::MEDIA),
        ),
        ("new", "repair discs --to new".to_owned()),
        ("new", "checkout shop:1.0 new".to_owned()),
    ];
    for (seed, (dest, command)) in (6..).zip(commands) {
        let dest = stage.path(dest);
        let command = words(&command);
        stage.remove("new");
        let whole = stage.time(&command);
        let expected = contents(&dest);
        let kills = Kills {
            seed,
            rounds: 8,
            whole,
        };
        let check = |_| {
            for left in visible(&dest) {
                let name = left.file_name().unwrap();
                assert!(
                    contents(&left) == below(&expected, Path::new(name)),
                    "{left:?}"
                );
                // A checkout goes on where it was, as it was left.
                if command[0] != "checkout" {
                    remove(&left);
                }
            }
            let is_given = command[0] == "checkout" && dest.exists() && contents(&dest) == expected;
            // It may be killed when its work was done.
            if !is_given {
                stage.run(&command).ends_with(0);
            }
            assert!(
                contents(&dest) == expected,
                "{command:?} gave something else"
            );
        };
        kills.of(&stage, &command, || stage.remove("new"), check);
    }
    stage.store_is_well();
}

/// The part of a folder's contents that is below `name`, or is it.
fn below(contents: &BTreeMap<PathBuf, String>, name: &Path) -> BTreeMap<PathBuf, String> {
    let below = contents.iter().filter_map(|(path, hash)| {
        let path = path.strip_prefix(name).ok()?;
        Some((path.to_owned(), hash.clone()))
    });
    below.collect()
}

fn remove(path: &Path) {
    if path.is_dir() {
        std::fs::remove_dir_all(path).unwrap();
    } else {
        std::fs::remove_file(path).unwrap();
    }
}

/// Interrupts the command at later and later instants until it is heard in the midst of the work.
fn interrupt(stage: &Stage, words: &[String], with: Signal, reset: &dyn Fn()) -> Run {
    let mut step = Duration::from_millis(4);
    let mut delay = step;
    for _ in 0..1000 {
        reset();
        let child = stage.start(words);
        std::thread::sleep(delay);
        signal(&child, with);
        let run: Run = child.wait_with_output().unwrap().into();
        match run.code {
            // Before the program listens, the signal ends it as it ends any program.
            None => delay += step,
            // It was done before it heard: again, in smaller steps. On a busy machine that may come many times.
            Some(0) => {
                step = (step / 2).max(Duration::from_micros(250));
                delay = step;
            }
            Some(_) => return run,
        }
    }
    panic!("it never heard the signal");
}

#[test]
fn interrupted_it_says_so_and_goes_on_when_run_again() {
    let stage = Stage::with_release();
    let add = words("add shop:1.0 given/image.tar given/files given/setup.bin");
    let hint = ["interrupted", "run the same command again"];
    interrupt(&stage, &add, Signal::INT, &|| stage.remove("store")).fails_with(130, &hint);
    // One that nothing came into does not stay.
    if stage.path("store").exists() {
        stage.store_is_well();
    }
    stage.run(&add).ends_with(0);

    let pack = words(&format!(
        "pack shop:1.0 --to discs --media {}",
        stage::MEDIA
    ));
    interrupt(&stage, &pack, Signal::INT, &|| stage.remove("discs")).fails_with(130, &hint);
    assert_eq!(
        std::fs::read_dir(stage.path("discs")).unwrap().count(),
        0,
        "nothing is left behind"
    );
    stage.run(&pack).ends_with(0);

    let checkout = words("checkout shop:1.0 back");
    interrupt(&stage, &checkout, Signal::INT, &|| stage.remove("back")).fails_with(130, &hint);
    stage.run(&checkout).ends_with(0);

    let verify = words("verify discs");
    interrupt(&stage, &verify, Signal::INT, &|| ()).fails_with(130, &hint);

    stage.copy("store", "vendor");
    let receive = words("receive discs");
    interrupt(&stage, &receive, Signal::TERM, &|| stage.remove("store")).fails_with(130, &hint);
    if stage.path(stage.store).exists() {
        stage.store_is_well();
    }
    stage.run(&receive).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

/// Killed while it removes the spool of a set that is in, receive leaves a folder that the next one removes.
#[test]
fn what_is_left_of_a_spool_goes_with_the_next_receive() {
    let stage = Stage::with_release();
    let volumes = stage.packed();
    stage.remove("store");
    let volume = volumes[0].to_str().unwrap();
    stage.run(&["receive", volume]).ends_with(4);
    let left = stage
        .path("store/incoming")
        .join("0123456789abcdef0123456789abcdef.done");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("v001.blocks"), b"left").unwrap();
    let status = stage.run(&["status", "--json"]).ends_with(4).json();
    assert_eq!(status["incoming"].as_array().unwrap().len(), 1, "{status}");
    stage.run(&["receive", volume]).ends_with(4);
    assert!(!left.exists());
}
