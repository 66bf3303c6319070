//! The command is killed at many instants of what a site does with deliveries: `install` leaves one version or the other in use,
//! and a set that waits for more is completed when the same is received again.

use crate::testkit::stage;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use stage::kills::{Instants, Kills, words};
use stage::{Stage, contents, kill, noise, text, volumes};

const KILLS: u32 = 6;

/// Adds a version of a product that has many files.
fn give(stage: &Stage, version: u64) {
    let app = stage.path("given/app");
    fs::create_dir_all(app.join("lib")).unwrap();
    fs::create_dir_all(app.join("conf")).unwrap();
    for number in 0..200 {
        let seed = if number % 2 == 0 {
            number
        } else {
            1000 * version + number
        };
        let path = app.join(format!("lib/{number}"));
        let bytes = noise(seed, 30_000);
        // What did not change is not touched, so that its time stays.
        if fs::read(&path).ok().as_ref() != Some(&bytes) {
            fs::write(path, bytes).unwrap();
        }
    }
    fs::write(app.join("conf/site.env"), format!("LEVEL={version}\n")).unwrap();
    fs::write(app.join("conf/rules"), text(version, 400_000)).unwrap();
    let release = format!("app:{version}");
    stage.run(&["add", &release, "given/app"]).ends_with(0);
}

/// The version in use and what is in it.
fn in_use(stage: &Stage) -> (PathBuf, BTreeMap<PathBuf, String>) {
    let current = stage.path("opt/current");
    let target = fs::read_link(&current).unwrap();
    (target, contents(&fs::canonicalize(current).unwrap()))
}

#[test]
fn install_killed_at_any_instant() {
    let stage = Stage::new();
    give(&stage, 1);
    give(&stage, 2);
    stage.run(&words("install app:1 --into opt")).ends_with(0);
    fs::write(stage.path("opt/current/app/conf/site.env"), "LEVEL=mine\n").unwrap();
    let old = in_use(&stage);
    stage.copy("opt", "before");
    let install = words("install app:2 --into opt");
    let kills = Kills::timed(&stage, &install, 7, KILLS);
    let new = in_use(&stage);
    assert_ne!(old.1, new.1);
    kills.of(
        &stage,
        &install,
        || stage.copy("before", "opt"),
        |_| {
            let now = in_use(&stage);
            assert!(now == old || now == new, "{:?} is not whole", now.0);
            // The old version is there whatever happened, and what the site edited in it.
            assert!(contents(&stage.path("opt/releases/1")) == old.1);
            stage.run(&install).ends_with(0);
            assert!(in_use(&stage) == new);
            let left: Vec<PathBuf> = fs::read_dir(stage.path("opt/releases"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            assert!(
                !left
                    .iter()
                    .any(|path| path.to_string_lossy().ends_with(".unfinished")),
                "{left:?}"
            );
            stage.run(&words("rollback opt")).ends_with(0);
            assert!(in_use(&stage) == old);
        },
    );
}

#[test]
fn rollback_killed_at_any_instant() {
    let stage = Stage::new();
    give(&stage, 1);
    give(&stage, 2);
    stage.run(&words("install app:1 --into opt")).ends_with(0);
    let one = in_use(&stage);
    stage.run(&words("install app:2 --into opt")).ends_with(0);
    let two = in_use(&stage);
    stage.copy("opt", "before");
    let rollback = words("rollback opt");
    let kills = Kills::timed(&stage, &rollback, 8, KILLS);
    kills.count(
        &stage,
        &rollback,
        || stage.copy("before", "opt"),
        |_| {
            let now = in_use(&stage);
            assert!(now == one || now == two);
            if now == two {
                stage.run(&rollback).ends_with(0);
            }
            assert!(in_use(&stage) == one);
        },
    );
}

/// Packs the release without any spare, and loses its first volume for good: the site waits, and says so to the vendor.
fn waiting_set(stage: &mut Stage) {
    stage.add_given("shop:1.0", "given");
    let pack = format!(
        "pack shop:1.0 --to discs --spare 0 --local 0 --media {}",
        stage::MEDIA
    );
    stage.run(&words(&pack)).ends_with(0);
    let discs = volumes(&stage.path("discs"));
    assert!(discs.len() >= 2, "{discs:?}");
    fs::remove_dir_all(&discs[0]).unwrap();
    stage.store = "site";
    stage.run(&words("receive discs")).ends_with(4);
    stage.run(&words("receipt -o receipt")).ends_with(0);
    stage.store = "store";
    stage
        .run(&words(
            "pack shop:1.0 --for receipt --to topup --spare 0 --media usb",
        ))
        .ends_with(0);
    let bytes = |dir: &str| -> u64 {
        let files = walkdir::WalkDir::new(stage.path(dir)).into_iter();
        files
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum()
    };
    // The answer is what is lacking, not the release once more.
    assert!(bytes("topup") < 2 * bytes("discs"), "{}", bytes("topup"));
    stage.store = "site";
}

#[test]
fn a_top_up_killed_at_any_instant() {
    let mut stage = Stage::with_release();
    waiting_set(&mut stage);
    stage.copy("site", "before");
    let receive = words("receive topup");
    let whole = stage.time(&receive);
    stage.comes_back("shop:1.0", "given");
    // Killed between one set's end and the other's: the releases are in, and the first set still waits.
    stage.copy("before/incoming", "site/incoming");
    stage.run(&words("status")).ends_with(4);
    stage.run(&receive).ends_with(0);
    stage.run(&words("status")).ends_with(0);
    let kills = Kills {
        seed: 9,
        rounds: KILLS,
        whole,
    };
    kills.of(
        &stage,
        &receive,
        || stage.copy("before", "site"),
        |round| {
            stage.store_is_well();
            // Nothing of what the first set gave is asked for again, and nothing of it waits for ever.
            stage.run(&receive).ends_with(0);
            stage.run(&words("status")).ends_with(0);
            let spool = fs::read_dir(stage.path("site/incoming")).unwrap();
            assert_eq!(spool.count(), 0, "no spool is left");
            if round % 4 == 0 {
                stage.comes_back("shop:1.0", "given");
            }
        },
    );
    stage.store_is_well();
    stage.comes_back("shop:1.0", "given");
}

/// The update comes first, and waits for what it leans on: killed while that is received, both are there in the end.
#[test]
fn an_update_that_waits_for_its_base_killed_at_any_instant() {
    let mut stage = Stage::with_release();
    stage::make_release(&stage.path("given2"), 2);
    stage.add_given("shop:1.0", "given");
    stage.add_given("shop:2.0", "given2");
    for pack in [
        "pack shop:1.0 --to base --media usb",
        "pack shop:2.0 --since shop:1.0 --to update --media usb",
    ] {
        stage.run(&words(pack)).ends_with(0);
    }
    stage.store = "site";
    stage.run(&words("receive update")).ends_with(4);
    stage.copy("site", "before");
    let receive = [words("receive base"), words("receive update")];
    let began = Instant::now();
    for receive in &receive {
        stage.run(receive).ends_with(0);
    }
    let whole = began.elapsed();
    let mut instants = Instants::new(10, KILLS, whole);
    for round in 0..KILLS {
        stage.copy("before", "site");
        let mut left = instants.draw();
        let mut is_hit = false;
        for receive in &receive {
            let began = Instant::now();
            let mut child = stage.start(receive);
            while began.elapsed() < left && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            is_hit = kill(child);
            if is_hit {
                break;
            }
            left = left.saturating_sub(began.elapsed());
        }
        instants.struck(is_hit);
        stage.store_is_well();
        for receive in &receive {
            stage.run(receive).ends_with(0);
        }
        stage.run(&words("status")).ends_with(0);
        if round % 6 == 0 {
            stage.comes_back("shop:1.0", "given");
            stage.comes_back("shop:2.0", "given2");
        }
    }
    instants.are_enough();
    stage.store_is_well();
}
