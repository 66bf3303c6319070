//! LLVM bitcode on its whole way, and golden files: each opens into the same bytes as ever and comes back byte for byte.
//!
//! `CARRYALL_WRITE_RECIPES=1` writes opened files that are not there yet.

use std::fs;
use std::path::{Path, PathBuf};

use carryall::recode::{Format, Guesses};

use crate::recode::{make, open_as};
use crate::testkit::archives::tar_of;
use crate::testkit::stage::Stage;

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/bitcode")
        .join(path)
}

/// Version 1 and a piece of bitcode.
fn recipe(opened: &[u8]) -> Vec<u8> {
    [&[1, 5][..], &(opened.len() as u64).to_le_bytes()].concat()
}

#[test]
fn golden_files_open_into_the_same_bytes_and_come_back() {
    let mut names: Vec<_> = fs::read_dir(data("files"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert!(names.len() >= 5);
    for name in names {
        let file = fs::read(data("files").join(&name)).unwrap();
        let (found, opened, made_recipe) =
            open_as(Format::Bitcode, &file, &Guesses::default()).unwrap();
        assert_eq!(Format::of(&file), Some(Format::Bitcode));
        assert_eq!(found.writer, "LLVM");
        assert_eq!(made_recipe, recipe(&opened));
        let kept = data("opened").join(&name);
        if !kept.exists() && std::env::var_os("CARRYALL_WRITE_RECIPES").is_some() {
            fs::create_dir_all(data("opened")).unwrap();
            fs::write(&kept, &opened).unwrap();
        }
        assert!(fs::read(kept).unwrap() == opened, "{}", name.display());
        let made = make(&opened, &made_recipe, file.len() as u64, 1).unwrap();
        assert!(made == file);
    }
}

#[test]
fn bitcode_in_an_archive_travels_as_its_change_and_comes_back() {
    let stage = Stage::new();
    // Streams that the store has opened before are not opened again.
    for (version, changed, opened) in [("1", "c.bc", 3), ("2", "c-changed.bc", 1)] {
        let given = stage.path(&format!("given-{version}"));
        fs::create_dir(&given).unwrap();
        let file = |name: &str| fs::read(data("files").join(name)).unwrap();
        fs::write(given.join("alone.bc"), file("rust.bc")).unwrap();
        // Alone it is below 64 KiB, from which on archives are opened.
        let members = [
            ("bitcode/queue.bc", file(changed)),
            ("bitcode/debug.bc", file("c-debug.bc")),
            ("bitcode/notes", crate::testkit::bytes::text(3, 80_000)),
        ];
        fs::write(given.join("all.tar"), tar_of(&members)).unwrap();
        let (release, folder) = (format!("jit:{version}"), format!("given-{version}"));
        let report = stage
            .run(&["add", &release, &folder, "--json"])
            .ends_with(0)
            .json();
        let streams = &report["streams"];
        assert_eq!(streams["writers"]["LLVM"]["streams"], opened, "{report}");
    }
    stage.store_is_well();
    stage.comes_back_in("jit:2", "given-2");
    stage.run(&["pack", "--bare", "full", "jit:1"]).ends_with(0);
    let words = ["pack", "--bare", "delta", "jit:2", "--since", "jit:1"];
    stage.run(&words).ends_with(0);
    let bytes = fs::metadata(stage.path("delta")).unwrap().len();
    assert!(bytes <= 4096, "{bytes}");
    let mut site = stage;
    site.store = "site";
    site.run(&["receive", "full"]).ends_with(0);
    site.run(&["receive", "delta"]).ends_with(0);
    site.store_is_well();
    site.comes_back_in("jit:2", "given-2");
}
