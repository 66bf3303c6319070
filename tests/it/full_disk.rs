//! The disk is too small, or becomes full in the midst of the work: the command says so, nothing half-done is left, and
//! with more room the same command succeeds.

use crate::testkit::stage;

use std::fs;
use std::path::Path;

use stage::disk::{Disk, run_and_fill};
use stage::{Run, Stage, make_release, visible};

const MB: u64 = 1_000_000;
/// Room for everything.
const AMPLE: u64 = 120 * MB;
/// What a command fails with that refuses to begin.
const REFUSED: [&str; 2] = ["free, and ", "needed"];
/// What a command fails with when the disk was full in the midst of it.
const FULL: &str = "No space left on device";

/// The store on the small disk.
const STORE: &str = "disk/store";

/// A stage with the release given, and a small disk with the store on it.
fn store_on_disk(bytes: u64) -> Option<(Stage, Disk)> {
    let mut stage = Stage::with_release();
    let disk = Disk::new(&stage, "disk", bytes)?;
    stage.store = STORE;
    Some((stage, disk))
}

/// A stage with a store and a packed set elsewhere, and a small empty disk.
fn discs_and_disk(bytes: u64) -> Option<(Stage, Disk)> {
    let stage = Stage::with_release();
    let disk = Disk::new(&stage, "disk", bytes)?;
    stage.packed();
    Some((stage, disk))
}

/// Runs the command with the disk being filled in its midst, which must be caught once in a few tries.
#[track_caller]
fn filled(
    stage: &Stage,
    words: &[&str],
    disk: &Disk,
    begun: &dyn Fn() -> bool,
    reset: &dyn Fn(),
) -> Run {
    for _ in 0..20 {
        reset();
        match run_and_fill(stage, words, disk, begun) {
            Some(run) if run.code != Some(0) => return run,
            // It was done, or as good as done, before the disk was full.
            _ => disk.unfill(),
        }
    }
    panic!("{words:?} was never caught at work");
}

/// Whether a file or folder whose name has `part` in it is somewhere below.
fn has(dir: &Path, part: &str) -> bool {
    let inside = walkdir::WalkDir::new(dir).into_iter().flatten();
    inside
        .into_iter()
        .any(|entry| entry.file_name().to_string_lossy().contains(part))
}

const ADD: [&str; 5] = [
    "add",
    "shop:1.0",
    "given/image.tar",
    "given/files",
    "given/setup.bin",
];

#[test]
fn add_with_hardly_any_room_is_refused() {
    let Some((stage, disk)) = store_on_disk(3 * MB) else {
        return;
    };
    stage.run(&ADD).fails_with(1, &REFUSED);
    assert!(!stage.path(STORE).exists(), "nothing came into it");
    disk.resize(AMPLE);
    stage.run(&ADD).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn add_into_a_disk_that_gets_full() {
    // More than the least, and less than noise takes.
    let Some((stage, disk)) = store_on_disk(13 * MB) else {
        return;
    };
    let run = stage.run(&ADD).fails_with(1, &[FULL, "store/"]);
    assert!(!run.stderr.contains("panicked"), "{run:#?}");
    if stage.path(STORE).exists() {
        stage.store_is_well();
        assert!(stage.run(&["list"]).stdout.contains("no release yet"));
    }
    disk.resize(AMPLE);
    stage.run(&ADD).ends_with(0);
    stage.comes_back("shop:1.0", "given");

    // A second release, and not a byte left: the first stays as it is.
    make_release(&stage.path("given2"), 2);
    let add = [
        "add",
        "shop:2.0",
        "given2/image.tar",
        "given2/files",
        "given2/setup.bin",
    ];
    let tmp = stage.path("disk/store/tmp");
    let run = filled(&stage, &add, &disk, &|| has(&tmp, "-"), &|| ());
    run.fails_with(1, &[FULL]);
    disk.unfill();
    stage.store_is_well();
    stage.comes_back("shop:1.0", "given");
    stage.run(&add).ends_with(0);
    stage.comes_back("shop:2.0", "given2");
}

#[test]
fn receive_with_too_little_room_is_refused() {
    let Some((mut stage, disk)) = discs_and_disk(10 * MB) else {
        return;
    };
    stage.store = STORE;
    stage.run(&["receive", "discs"]).fails_with(1, &REFUSED);
    assert!(!stage.path(STORE).exists(), "nothing came into it");
    disk.resize(AMPLE);
    stage.run(&["receive", "discs"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn receive_with_room_for_the_volumes_but_not_for_the_store() {
    let Some((mut stage, disk)) = discs_and_disk(AMPLE) else {
        return;
    };
    stage.store = STORE;
    let discs = visible(&stage.path("discs"));
    let media: u64 = discs.iter().map(|disc| disk_bytes(disc)).sum();
    disk.resize(media + MB);
    stage.run(&["receive", "discs"]).fails_with(1, &REFUSED);
    stage.store_is_well();
    // All that is needed has come; no disc need be fetched again but for the command's sake.
    let status = stage.run(&["status", "--json"]).ends_with(4).json();
    assert_eq!(status["incoming"][0]["needs"]["complete"], true, "{status}");
    disk.resize(AMPLE);
    stage
        .run(&["receive", discs[0].to_str().unwrap()])
        .ends_with(0);
    stage.comes_back("shop:1.0", "given");
    assert!(visible(&stage.path("disk/store/incoming")).is_empty());
}

fn disk_bytes(dir: &Path) -> u64 {
    let inside = walkdir::WalkDir::new(dir).into_iter().flatten();
    inside.map(|entry| entry.metadata().unwrap().len()).sum()
}

#[test]
fn receive_into_a_disk_that_gets_full() {
    let Some((mut stage, disk)) = discs_and_disk(AMPLE) else {
        return;
    };
    stage.store = STORE;
    let store = stage.path("disk/store");
    let reading = || has(&store.join("incoming"), ".blocks");
    let taking_over = || reading() && has(&store.join("tmp"), "-");
    for begun in [&reading as &dyn Fn() -> bool, &taking_over] {
        let reset = || {
            if store.exists() {
                fs::remove_dir_all(&store).unwrap()
            }
        };
        let run = filled(&stage, &["receive", "discs"], &disk, begun, &reset);
        run.fails_with(1, &[FULL, "store/"]);
        disk.unfill();
        stage.store_is_well();
        assert!(stage.run(&["list"]).stdout.contains("no release yet"));
        stage.run(&["receive", "discs"]).ends_with(0);
        stage.comes_back("shop:1.0", "given");
    }
}

const PACK: [&str; 6] = [
    "pack",
    "shop:1.0",
    "--to",
    "disk/out",
    "--media",
    stage::MEDIA,
];

#[test]
fn pack_with_too_little_room_is_refused() {
    let Some((stage, disk)) = discs_and_disk(25 * MB) else {
        return;
    };
    stage.run(&PACK).fails_with(1, &REFUSED);
    assert!(!has(&stage.path("disk/out"), "shop"), "no volume is left");
    disk.resize(AMPLE);
    stage.run(&PACK).ends_with(0);
    stage.run(&["verify", "disk/out"]).ends_with(0);
}

#[test]
fn pack_into_a_disk_that_gets_full() {
    let Some((stage, disk)) = discs_and_disk(AMPLE) else {
        return;
    };
    let out = stage.path("disk/out");
    let is_clean = || fs::read_dir(&out).unwrap().next().is_none();
    let iso: Vec<&str> = PACK.into_iter().chain(["--iso"]).collect();
    for words in [&PACK[..], &iso] {
        // The volume files have their room from the start: what may lack room is what comes beside them.
        let first = || has(&out, "vol01") && !has(&out, "vol02");
        let reset = || {
            if out.exists() {
                fs::remove_dir_all(&out).unwrap()
            }
        };
        let run = filled(&stage, words, &disk, &first, &reset);
        run.fails_with(1, &["disk/out"]);
        assert!(is_clean(), "nothing is left");
        disk.unfill();
        stage.run(words).ends_with(0);
        stage.run(&["verify", "disk/out"]).ends_with(0);
    }
}

const CHECKOUT: [&str; 3] = ["checkout", "shop:1.0", "disk/back"];

#[test]
fn checkout_with_too_little_room_is_refused() {
    let Some((stage, disk)) = discs_and_disk(15 * MB) else {
        return;
    };
    stage.run(&CHECKOUT).fails_with(1, &REFUSED);
    assert!(!stage.path("disk/back").exists());
    disk.resize(AMPLE);
    stage.run(&CHECKOUT).ends_with(0);
    assert!(stage::look(&stage.path("disk/back")) == stage::look(&stage.path("given")));
}

#[test]
fn checkout_into_a_disk_that_gets_full() {
    let Some((stage, disk)) = discs_and_disk(AMPLE) else {
        return;
    };
    let back = stage.path("disk/back");
    let made = back.join(".carryall.part/items");
    let begun = || has(&made, "image.tar") && has(&made, ".carryall.part");
    let reset = || {
        if back.exists() {
            fs::remove_dir_all(&back).unwrap()
        }
    };
    let run = filled(&stage, &CHECKOUT, &disk, &begun, &reset);
    run.fails_with(1, &[FULL, "disk/back"]);
    assert!(!back.exists(), "what was given back before goes too");
    disk.unfill();
    fs::create_dir(&back).unwrap();
    stage.run(&CHECKOUT).ends_with(0);
    assert!(stage::look(&back) == stage::look(&stage.path("given")));
}

#[test]
fn prune_without_room_to_write_anew() {
    let Some((stage, disk)) = store_on_disk(AMPLE) else {
        return;
    };
    fs::create_dir(stage.path("small")).unwrap();
    fs::copy(stage.path("given/setup.bin"), stage.path("small/setup.bin")).unwrap();
    let same = fs::metadata(stage.path("given/setup.bin"))
        .unwrap()
        .modified()
        .unwrap();
    fs::File::options()
        .write(true)
        .open(stage.path("small/setup.bin"))
        .unwrap()
        .set_modified(same)
        .unwrap();
    stage.run(&ADD).ends_with(0);
    stage
        .run(&["add", "small:1.0", "small/setup.bin"])
        .ends_with(0);
    stage.run(&["rm", "shop:1.0"]).ends_with(0);
    disk.fill();
    stage.run(&["prune"]).fails_with(1, &[FULL, "store/"]);
    stage.run(&["list"]).ends_with(0);
    stage.comes_back("small:1.0", "small");
    disk.unfill();
    stage.store_is_well();
    let report = stage.run(&["prune", "--json"]).ends_with(0).json();
    assert!(report["packs_rewritten"].as_u64() > Some(0), "{report}");
    stage.store_is_well();
    stage.comes_back("small:1.0", "small");
}

const REPAIR: [&str; 4] = ["repair", "discs", "--to", "disk/new"];

#[test]
fn repair_with_too_little_room_is_refused() {
    let Some((stage, disk)) = discs_and_disk(10 * MB) else {
        return;
    };
    let lost = visible(&stage.path("discs")).remove(0);
    fs::remove_dir_all(&lost).unwrap();
    stage.run(&REPAIR).fails_with(1, &REFUSED);
    assert!(visible(&stage.path("disk/new")).is_empty());
    disk.resize(AMPLE);
    stage.run(&REPAIR).ends_with(0);
    assert_eq!(visible(&stage.path("disk/new")).len(), 1);
}

#[test]
fn repair_into_a_disk_that_gets_full() {
    let Some((stage, disk)) = discs_and_disk(AMPLE) else {
        return;
    };
    let discs = visible(&stage.path("discs"));
    fs::remove_dir_all(&discs[0]).unwrap();
    let new = stage.path("disk/new");
    let reset = || {
        if new.exists() {
            fs::remove_dir_all(&new).unwrap()
        }
    };
    // While blocks are healed.
    let run = filled(&stage, &REPAIR, &disk, &|| has(&new, ".blocks"), &reset);
    run.fails_with(1, &[FULL, "disk/new"]);
    assert!(
        fs::read_dir(&new).unwrap().next().is_none(),
        "nothing is left"
    );
    disk.unfill();
    stage.run(&REPAIR).ends_with(0);
    let rebuilt = visible(&new);
    assert_eq!(rebuilt.len(), 1);
    assert_eq!(rebuilt[0].file_name(), discs[0].file_name());
    stage.run(&["verify", "discs", "disk/new"]).ends_with(0);
}
