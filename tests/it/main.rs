//! All integration tests, as one program: a change of the library links one program anew. What several of them
//! use is in `testkit`. A file that is not declared here fails `no_test_file_is_forgotten`.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod archives_anywhere;
mod bad_sectors;
mod bare;
mod bitcode;
mod burn;
mod carried_programs;
mod choices;
mod cli;
mod clients;
mod contents;
mod copies;
mod crash;
mod crash_site;
mod damage;
mod deflate;
mod deflate_memory;
mod deflate_property;
mod delivery;
mod delta_frames;
mod delta_histories;
mod deltas;
mod drive;
mod drive_visit;
mod evidence;
mod examples;
mod failing_calls;
mod fleet;
mod forged;
mod full_disk;
mod golden_bundle;
mod golden_release;
mod history;
mod hostile;
mod image_names;
mod image_signatures;
mod images;
mod journey_store;
mod json;
mod kept_bases;
mod kept_frames;
mod labels;
mod layers;
mod limits;
mod log;
mod media_disk;
mod media_iso;
mod metadata;
mod names;
mod no_dead_ends;
mod no_traces;
mod object_store;
mod odd_media;
mod one_error;
mod outputs;
mod outside_readers;
mod package_kinds;
mod package_repositories;
mod packages;
mod packaging;
mod packing_from_afar;
mod platforms;
mod process_limits;
mod prose;
mod qr_codes;
mod reader;
mod reading_order;
mod ready;
mod reclaim;
mod recode;
mod recode_carried;
mod recode_zstd;
mod references;
mod registry;
mod registry_login;
mod registry_troubles;
mod renames;
mod sealed;
mod sectors;
mod serve_share;
mod shapes;
mod signed;
mod small_volumes;
mod stops;
mod store_damage;
mod store_flow;
mod store_golden;
mod store_ground;
mod store_kill;
mod streams;
mod tar_in_zstd;
mod terminal;
mod testkit;
mod topups;
mod transcripts;
mod trust;
mod two_packings;
mod unknown_writers;
mod unopened;
mod usb;
mod versions;
mod visit;
mod volumes_crash;
mod volumes_damage;
mod volumes_property;

/// A file that no `mod` names is compiled by nobody, and its tests never fail.
#[test]
fn no_test_file_is_forgotten() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let forgotten = testkit::tree::undeclared(&tests.join("it"));
    assert!(forgotten.is_empty(), "no `mod` leads to {forgotten:?}");
    for entry in std::fs::read_dir(tests).unwrap() {
        let path = entry.unwrap().path();
        let is_program = path.extension().is_some_and(|end| end == "rs");
        assert!(!is_program, "{path:?} is a program of its own");
    }
}

/// The search finds what it is for.
#[test]
fn a_forgotten_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(dir.path().join(name), text).unwrap();
    };
    write("main.rs", "mod known;\nmod kit;\n");
    write("known.rs", "");
    write("kit/mod.rs", "pub mod part;\n");
    write("kit/part.rs", "");
    assert!(testkit::tree::undeclared(dir.path()).is_empty());
    write("kit/other.rs", "");
    write("lost/mod.rs", "");
    write("unknown.rs", "");
    assert_eq!(testkit::tree::undeclared(dir.path()).len(), 3);
}
