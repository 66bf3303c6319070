//! A visit with one optical drive, emulated: the test reads what the terminal says, and does what a person would do.

use crate::testkit::drive::{Disc, Machine, Site};
use crate::testkit::programs::{has, run};
use crate::testkit::stage::{Stage, noise, volumes};
use crate::testkit::trees::{files_below, paths_in};

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const VISIT: &str = "carryall visit --drive /dev/sr0 --store /disk/store --to /host";
/// What a visit says when nothing is left to do.
const WHOLE: &str = "is in the store, whole";
/// What it says when it is done with a disc.
const OUT: &str = "ake the disc out";

/// What the person is asked for.
#[derive(Debug, PartialEq)]
enum Asked {
    Volume(u16),
    TopUp,
    /// Whether a disc of another set is wanted, too.
    OtherSet,
    /// Nothing more.
    Nothing,
}

/// Reads on to the next thing that is asked for.
#[track_caller]
fn asked(machine: &mut Machine) -> Asked {
    let words = [
        "Next: put volume ",
        "Next: put the top-up",
        "Take in ",
        WHOLE,
    ];
    match machine.wait_for(&words).0 {
        0 => {
            let (_, number) = machine.wait_for(&[" of "]);
            Asked::Volume(number.trim_end_matches(" of ").parse().unwrap())
        }
        1 => Asked::TopUp,
        2 => Asked::OtherSet,
        _ => Asked::Nothing,
    }
}

/// Adds a release of noise and packs it with these words.
fn packed(stage: &Stage, release: &str, bytes: usize, words: &str) -> Vec<PathBuf> {
    let given = stage.path("given");
    fs::create_dir(&given).unwrap();
    let seed = u64::from(release != "shop:1.0") + 1;
    fs::write(given.join("parts.bin"), noise(seed, bytes)).unwrap();
    stage.run(&["add", release, "given"]).ends_with(0);
    pack(
        stage,
        release,
        &format!("--media 4.8MB --local 5 --to discs {words}"),
    );
    volumes(&stage.path("discs"))
}

fn pack(stage: &Stage, release: &str, words: &str) {
    let line = format!("pack {release} --effort fast --iso {words}");
    let words: Vec<&str> = line.split(' ').collect();
    stage.run(&words).ends_with(0);
}

/// Discs of which 4 % of the sectors cannot be read.
fn scattered(images: &[PathBuf]) -> Vec<Disc> {
    let discs = images.iter().zip(1..);
    discs
        .map(|(image, seed)| Disc::new(image).scattered(0.04, seed))
        .collect()
}

/// A disc that another program made.
fn plain(stage: &Stage) -> Option<Disc> {
    if !has(&["xorriso"]) {
        return None;
    }
    let image = stage.path("plain.iso");
    let mut xorriso = Command::new("xorriso");
    let words = ["-as", "mkisofs", "-quiet", "-V", "HOLIDAYS", "-o"];
    run(xorriso.args(words).arg(&image).arg(stage.path("given")));
    Some(Disc::new(&image))
}

/// Asserts that the machine gives the release back as the vendor added it.
#[track_caller]
fn gives_back(machine: &mut Machine, site: &Site, stage: &Stage) {
    machine.run_to(
        0,
        "carryall checkout -q shop:1.0 /host/back --store /disk/store",
    );
    let back = files_below(&site.host().join("back/given"));
    assert!(back == files_below(&stage.path("given")));
}

#[test]
fn a_visit_with_scratched_missing_and_wrong_discs_outlives_three_power_cuts() {
    let Some(site) = Site::new() else { return };
    let (stage, elsewhere) = (Stage::new(), Stage::new());
    let discs = scattered(&packed(&stage, "shop:1.0", 12_000_000, "--spare 2"));
    assert_eq!(discs.len(), 7);
    let other = Disc::new(&packed(&elsewhere, "tools:2.0", 1_000_000, "--spare 0")[0]);
    let Some(plain) = plain(&elsewhere) else {
        return;
    };

    let mut machine = Machine::boot(&site);
    machine.start(VISIT);
    machine.wait_for(&["Put any volume"]);
    machine.tray.empty();
    machine.tray.close();
    std::thread::sleep(Duration::from_secs(1));
    machine.insert(&discs[0]);
    let mut was_in = vec![1];
    let mut missing = BTreeSet::new();
    let mut cuts = 0;
    loop {
        let no = match asked(&mut machine) {
            Asked::Volume(no) => no,
            Asked::Nothing => break,
            other => panic!("{other:?} in {}", machine.transcript()),
        };
        assert!(
            !was_in.contains(&no),
            "{no} twice: {}",
            machine.transcript()
        );
        if no == 2 {
            assert!(missing.insert(no), "{}", machine.transcript());
            machine.type_line("m");
            continue;
        }
        if was_in.len() == 1 {
            machine.insert(&other);
            assert_eq!(asked(&mut machine), Asked::OtherSet);
            machine.type_line("n");
            assert_eq!(asked(&mut machine), Asked::Volume(no));
            machine.insert(&plain);
            assert_eq!(asked(&mut machine), Asked::Volume(no));
        }
        was_in.push(no);
        let disc = &discs[usize::from(no) - 1];
        machine.insert(disc);
        if ![2, 4, 5].contains(&was_in.len()) {
            continue;
        }
        // The power goes while the disc is looked at, read, or healed.
        machine.wait_for(&["This is volume "]);
        let part = u64::try_from(was_in.len()).unwrap();
        std::thread::sleep(Duration::from_millis(part * 300));
        cuts += 1;
        machine.cut_power();
        machine = Machine::boot(&site);
        machine.insert(disc);
        machine.start(VISIT);
        if machine.wait_for(&[OUT, WHOLE]).0 == 1 {
            break;
        }
    }
    assert_eq!(machine.ends().code, 0);
    assert_eq!(cuts, 3, "{was_in:?}");
    gives_back(&mut machine, &site, &stage);
}

#[test]
fn a_top_up_completes_a_visit_with_one_disc_too_many_missing() {
    let Some(site) = Site::new() else { return };
    let stage = Stage::new();
    let discs = scattered(&packed(&stage, "shop:1.0", 7_000_000, "--spare 1"));
    let mut machine = Machine::boot(&site);
    machine.insert(&discs[0]);
    machine.start(VISIT);
    let mut missing = BTreeSet::new();
    let mut top_ups = 0;
    loop {
        match asked(&mut machine) {
            Asked::Volume(no) if missing.len() < 2 => {
                assert!(missing.insert(no), "{}", machine.transcript());
                machine.type_line("m");
            }
            Asked::Volume(no) => machine.insert(&discs[usize::from(no) - 1]),
            Asked::TopUp => {
                top_ups += 1;
                assert_eq!(top_ups, 1, "{}", machine.transcript());
                let is_receipt =
                    |path: &PathBuf| path.extension().is_some_and(|end| end == "receipt");
                let receipt = paths_in(&site.host()).into_iter().find(is_receipt).unwrap();
                let receipt = receipt.display();
                pack(
                    &stage,
                    "shop:1.0",
                    &format!("--for {receipt} --media usb --to top-up"),
                );
                machine.insert(&Disc::new(&volumes(&stage.path("top-up"))[0]));
            }
            Asked::OtherSet => machine.type_line("y"),
            Asked::Nothing => break,
        }
    }
    assert_eq!(machine.ends().code, 0);
    assert_eq!(top_ups, 1);
    gives_back(&mut machine, &site, &stage);
}

/// The machine has no program but the one on the first disc, which is copied from there and receives all of them.
#[test]
fn the_program_comes_from_the_first_disc() {
    let Some(site) = Site::new() else { return };
    if !has(&["cc", "strip"]) {
        return;
    }
    let stage = Stage::new();
    let program = stage.path("program");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drive/one_file");
    let itself = Path::new(env!("CARGO_BIN_EXE_carryall"));
    run(Command::new(script).arg(itself).arg(&program));
    let program_mb = program.metadata().unwrap().len() / 1_000_000;
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/parts.bin"), noise(1, 9_000_000)).unwrap();
    stage.run(&["add", "shop:1.0", "given"]).ends_with(0);
    let media = format!("--media {}MB --spare 1 --to discs", program_mb + 9);
    pack(
        &stage,
        "shop:1.0",
        &format!("{media} --with-program --program program"),
    );
    let discs = volumes(&stage.path("discs"));
    assert!(discs.len() > 2, "{discs:?}");

    let mut machine = Machine::boot(&site);
    machine.insert(&Disc::new(&discs[0]));
    machine.run_to(0, "rm /bin/carryall && mkdir /tmp/disc");
    machine.run_to(127, "carryall --version");
    for command in [
        "mount -t iso9660 -o ro /dev/sr0 /tmp/disc",
        "cp /tmp/disc/carryall.x64 /tmp",
        "umount /tmp/disc",
        "ln -s /tmp/carryall.x64 /bin/carryall",
    ] {
        machine.run_to(0, command);
    }
    machine.start(VISIT);
    loop {
        match asked(&mut machine) {
            Asked::Volume(no) => machine.insert(&Disc::new(&discs[usize::from(no) - 1])),
            Asked::Nothing => break,
            other => panic!("{other:?} in {}", machine.transcript()),
        }
    }
    assert_eq!(machine.ends().code, 0);
    gives_back(&mut machine, &site, &stage);
}
