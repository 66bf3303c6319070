//! A real optical drive, emulated: discs with bad sectors, the kernel's own errors, and what the command makes of them.

use crate::testkit::drive::{Disc, Machine, Site};
use crate::testkit::stage::{Stage, noise, volumes};
use crate::testkit::trees::files_below;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const SHOP: &str = "shop:1.0";

/// A release of so many bytes of noise, packed by the words that follow, of which the last is a folder.
fn packed(stage: &Stage, release: &str, bytes: usize, words: &str) -> Vec<PathBuf> {
    let given = stage.path("given");
    if !given.exists() {
        fs::create_dir(&given).unwrap();
        let seed = u64::from(release != SHOP) + 1;
        fs::write(given.join("parts.bin"), noise(seed, bytes)).unwrap();
        stage.run(&["add", release, "given"]).ends_with(0);
    }
    let pack = format!("pack {release} --effort fast --iso {words}");
    let words: Vec<&str> = pack.split(' ').collect();
    stage.run(&words).ends_with(0);
    volumes(&stage.path(words.last().unwrap()))
}

/// What is typed to receive what is in the drive.
fn receive_into(store: &str) -> String {
    format!("carryall receive -q /dev/sr0 --store /disk/{store}")
}

/// Puts in a disc and receives it into a store, which the machine has on its disk. Ends with this code.
#[track_caller]
fn receive(machine: &mut Machine, disc: &Disc, store: &str, code: u8) {
    machine.insert(disc);
    machine.run_to(code, &receive_into(store));
}

/// Asserts that the machine gives the release back as the vendor added it.
#[track_caller]
fn gives_back(machine: &mut Machine, site: &Site, stage: &Stage, store: &str) {
    let checkout = format!("carryall checkout -q shop:1.0 /host/{store} --store /disk/{store}");
    machine.run_to(0, &checkout);
    let back = files_below(&site.host().join(store).join("given"));
    assert!(back == files_below(&stage.path("given")));
}

#[test]
fn a_set_with_bad_sectors_on_every_disc_comes_whole_through_a_power_cut() {
    let Some(site) = Site::new() else { return };
    let stage = Stage::new();
    let words = "--media 6.6MB --spare 1 --local 5 --to discs";
    let images = packed(&stage, SHOP, 22_000_000, words);
    assert_eq!(images.len(), 5);
    let discs = images.iter().zip(1..);
    let discs = discs.map(|(image, seed)| Disc::new(image).scattered(0.04, seed));
    let discs: Vec<Disc> = discs.collect();

    let mut machine = Machine::boot(&site);
    receive(&mut machine, &discs[0], "store", 4);
    receive(&mut machine, &discs[1], "store", 4);
    machine.insert(&discs[2]);
    machine.start(&receive_into("store"));
    std::thread::sleep(Duration::from_secs(1));
    machine.cut_power();

    let mut machine = Machine::boot(&site);
    for disc in &discs[2..4] {
        receive(&mut machine, disc, "store", 4);
    }
    receive(&mut machine, &discs[4], "store", 0);
    gives_back(&mut machine, &site, &stage, "store");
}

#[test]
fn a_disc_alone_and_two_copies_of_one_come_whole() {
    let Some(site) = Site::new() else { return };
    let stage = Stage::new();
    let alone = packed(
        &stage,
        SHOP,
        6_000_000,
        "--media usb --spare 0 --local 14 --to alone",
    );
    let bare = packed(
        &stage,
        SHOP,
        6_000_000,
        "--media usb --spare 0 --local 0 --to bare",
    );
    let (alone, bare) = (Disc::new(&alone[0]), Disc::new(&bare[0]));
    let mut machine = Machine::boot(&site);
    let damaged = [
        alone.clone().scattered(0.06, 1),
        alone.clone().radial(320, 24),
        alone.scratched(1000..1200),
    ];
    for (disc, store) in damaged.iter().zip(["scattered", "radial", "scratched"]) {
        receive(&mut machine, disc, store, 0);
        gives_back(&mut machine, &site, &stage, store);
    }

    let one = bare.clone().scattered(0.25, 2);
    let two = bare.scattered_elsewhere(0.25, 2);
    receive(&mut machine, &one, "copies", 3);
    receive(&mut machine, &two, "copies", 0);
    gives_back(&mut machine, &site, &stage, "copies");
}

#[test]
fn a_disk_that_folds_names_gets_nothing_wrong_and_nothing_outside() {
    let Some(site) = Site::new() else { return };
    let stage = Stage::new();
    let given = stage.path("given");
    // A link and a folder that are one name there, and two files that are.
    for (release, link, file) in [
        ("link:1", Some("../../outside"), "lib/evil"),
        ("files:1", None, "readme"),
    ] {
        let _ = fs::remove_dir_all(&given);
        fs::create_dir_all(given.join("lib")).unwrap();
        fs::write(given.join(file), "lower case").unwrap();
        match link {
            Some(target) => std::os::unix::fs::symlink(target, given.join("LIB")).unwrap(),
            None => fs::write(given.join("README"), "upper case").unwrap(),
        }
        stage.run(&["add", release, "given"]).ends_with(0);
    }
    let store = stage.path("store");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(&store)
        .arg(site.host().join("store"))
        .status();
    assert!(copied.unwrap().success());

    let mut machine = Machine::boot(&site);
    machine.run_to(
        0,
        "cp -a /host/store /disk/store && mkdir /disk/folding/outside",
    );
    for release in ["link:1", "files:1"] {
        let said = machine.run_to(
            1,
            &format!("carryall checkout -q {release} /disk/folding/back --store /disk/store"),
        );
        assert!(
            said.contains("takes its name and that of another entry for one"),
            "{said}"
        );
        machine.run_to(1, "test -e /disk/folding/back");
    }
    assert_eq!(machine.run_to(0, "ls -A /disk/folding/outside").trim(), "");
    // Where names are told apart, the same release comes back.
    machine.run_to(
        0,
        "carryall checkout -q files:1 /disk/back --store /disk/store",
    );
    machine.run_to(
        0,
        "grep upper /disk/back/given/README && grep lower /disk/back/given/readme",
    );
}
