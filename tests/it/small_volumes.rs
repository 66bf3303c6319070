//! Small payloads make small volumes, with the promises of large ones: blocks are 4 KiB then.

use crate::testkit::packed::{files_below, noise};
use crate::testkit::stage;

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use carryall::base::monitor::Silent;
use carryall::ops;
use carryall::ops::pack::{PackNotes, PackOptions, pack_with};
use carryall::store::{OpenMode, Store};
use carryall::volumes::block::BlockSize;
use carryall::volumes::media::Capacity;
use carryall::volumes::{Blocks, discover};
use stage::{Stage, volumes};

const SMALL: u64 = 4096;

/// A stage with a release whose payload is some 80 kB, and one with a kilobyte more.
fn small_stage() -> Stage {
    let stage = Stage::new();
    for (folder, more) in [("one", 0), ("two", 1000)] {
        fs::create_dir_all(stage.path(folder).join("app")).unwrap();
        fs::write(stage.path(folder).join("app/run.bin"), noise(3, 78_000)).unwrap();
        fs::write(stage.path(folder).join("app/more.bin"), noise(4, more)).unwrap();
    }
    for (release, folder) in [("app:1", "one"), ("app:2", "two")] {
        stage
            .run(&["add", release, &format!("{folder}/app")])
            .ends_with(0);
    }
    stage
}

fn bytes_below(dir: &Path) -> u64 {
    files_below(dir)
        .values()
        .map(|bytes| bytes.len() as u64)
        .sum()
}

/// Packs and returns what is said of the plan.
fn pack(stage: &Stage, words: &[&str], to: &str) -> serde_json::Value {
    let words = [&["pack", "--to", to, "--json"], words].concat();
    stage.run(&words).ends_with(0).json()
}

fn volume_file(stage: &Stage, dir: &str, volume_no: usize) -> PathBuf {
    let volume = &volumes(&stage.path(dir))[volume_no - 1];
    volume.join(format!("carry{volume_no:02}.000"))
}

fn hurt(file: &Path, bytes: std::ops::Range<u64>) {
    let len = usize::try_from(bytes.end - bytes.start).unwrap();
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&noise(bytes.start, len), bytes.start)
        .unwrap();
}

#[test]
fn eighty_kilobytes_make_at_most_three_hundred_and_a_small_delta_less() {
    let stage = small_stage();
    for media in ["usb", "dvd", "8MB"] {
        let to = format!("full-{media}");
        pack(&stage, &["app:1", "--media", media], &to);
        let full = bytes_below(&stage.path(&to));
        assert!(full <= 300_000, "{media}: {full}");
        let to = format!("delta-{media}");
        pack(
            &stage,
            &["app:2", "--since", "app:1", "--media", media],
            &to,
        );
        let delta = bytes_below(&stage.path(&to));
        assert!(delta <= 200_000, "{media}: {delta}");
    }
    stage.store_is_well();
}

#[test]
fn every_small_volume_heals_the_loss_of_64_kib_of_a_disc() {
    let stage = small_stage();
    for (number, words) in [&["app:1"][..], &["app:2", "--since", "app:1"][..]]
        .iter()
        .enumerate()
    {
        let to = format!("discs-{number}");
        let said = pack(&stage, &[*words, &["--media", "usb"][..]].concat(), &to);
        let burst = said["plan"]["burst_alone_bytes"].as_u64();
        assert!(burst >= Some(65_536), "{said}");
    }
}

#[test]
fn one_run_of_damage_wherever_it_lies_heals_on_the_command_line() {
    let stage = small_stage();
    pack(&stage, &["app:1", "--media", "8MB"], "discs");
    let said = stage
        .run(&["verify", "discs", "--json"])
        .ends_with(0)
        .json();
    let burst = said["sets"][0]["burst_alone_bytes"].as_u64().unwrap();
    assert!(burst >= 16 * SMALL, "{said}");
    let bytes = fs::metadata(volume_file(&stage, "discs", 1)).unwrap().len();
    for (number, at) in (0..=8_u64)
        .map(|part| (bytes - burst) * part / 8)
        .enumerate()
    {
        let [dir, site, back] = ["hurt", "site", "back"].map(|name| format!("{name}-{number}"));
        stage.copy("discs", &dir);
        hurt(&volume_file(&stage, &dir, 1), at..at + burst);
        stage.run(&["verify", &dir]).ends_with(3);
        stage.run(&["receive", &dir, "--store", &site]).ends_with(0);
        stage
            .run(&["checkout", "app:1", &back, "--store", &site])
            .ends_with(0);
        assert!(files_below(&stage.path(&back)) == files_below(&stage.path("one")));
    }
}

#[test]
fn spare_volumes_of_small_sets_replace_lost_ones_and_repair_writes_them_again() {
    let stage = small_stage();
    pack(
        &stage,
        &["app:1", "--media", "8MB", "--spare", "2"],
        "discs",
    );
    let before = files_below(&stage.path("discs"));
    let all = volumes(&stage.path("discs"));
    assert_eq!(all.len(), 3);
    fs::remove_dir_all(&all[0]).unwrap();
    let kept = volume_file(&stage, "discs", 1).with_file_name("carry02.000");
    // A sector in every fifth block of another one.
    let bytes = fs::metadata(&kept).unwrap().len();
    for at in (0..bytes).step_by(5 * 4096) {
        hurt(&kept, at + 2048..at + 4096);
    }
    stage
        .run(&["repair", "discs", "--to", "again"])
        .ends_with(0);
    for (name, bytes) in files_below(&stage.path("again")) {
        assert!(before.get(&name) == Some(&bytes), "{}", name.display());
    }
    stage
        .run(&["receive", "discs", "--store", "site"])
        .ends_with(0);
}

#[test]
fn a_long_description_makes_full_blocks() {
    let stage = small_stage();
    let store = Store::open(&stage.path(stage.store), OpenMode::Write).unwrap();
    let root = ops::release(&store, &"app:1".parse().unwrap()).unwrap();
    for (words, size) in [(10, BlockSize::Small), (4000, BlockSize::Full)] {
        let to = stage.path(&format!("to-{words}"));
        let mut notes = PackNotes::default();
        notes.contact = Some("w".repeat(words));
        let options = PackOptions::new(Capacity::exact(8_000_000));
        let root = std::slice::from_ref(&root);
        pack_with(&store, root, &to, &options, &notes, &mut |_| {}, &Silent).unwrap();
        let found = discover(&[to], &Silent).unwrap();
        assert_eq!(found.sets[0].geometry().block_size(), size);
    }
}
