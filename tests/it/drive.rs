//! A real optical drive, emulated: discs with bad sectors, the kernel's own errors, and what the command makes of them.

use crate::testkit::drive::{Disc, Machine, Site};
use crate::testkit::stage::{Stage, noise, volumes};
use crate::testkit::trees::files_below;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A release of so many bytes of noise, packed by the words that follow.
fn packed(stage: &Stage, bytes: usize, words: &str) -> Vec<PathBuf> {
    let given = stage.path("given");
    if !given.exists() {
        fs::create_dir(&given).unwrap();
        fs::write(given.join("parts.bin"), noise(1, bytes)).unwrap();
        stage.run(&["add", "shop:1.0", "given"]).ends_with(0);
    }
    let pack = format!("pack shop:1.0 --effort fast --iso {words}");
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
    let images = packed(&stage, 22_000_000, words);
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
