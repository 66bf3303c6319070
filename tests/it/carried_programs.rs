//! The program on every volume: what is carried, what is refused, and that the medium is never exceeded.

use crate::testkit::programs::{has, run};
use crate::testkit::stage::{Stage, noise, visible};

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use carryall::oci::image::Digest;

const X86_64: u8 = 62;
const ARM64: u8 = 183;
/// Ends with 7: `mov edi, 7`, `mov eax, 60`, `syscall`.
const CODE: [u8; 12] = [0xbf, 7, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];

/// A static program of this size for a machine. The one for x86-64 runs and ends with 7.
fn static_program(machine: u8, bytes: usize) -> Vec<u8> {
    let mut elf = Vec::new();
    elf.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    elf.extend_from_slice(&[2, 0, machine, 0, 1, 0, 0, 0]);
    for word in [0x40_0078_u64, 64, 0] {
        elf.extend_from_slice(&word.to_le_bytes());
    }
    for half in [0_u16, 0, 64, 56, 1, 0, 0, 0] {
        elf.extend_from_slice(&half.to_le_bytes());
    }
    elf.extend_from_slice(&[1, 0, 0, 0, 5, 0, 0, 0]);
    let len = bytes as u64;
    for word in [0, 0x40_0000, 0x40_0000, len, len, 0x1000] {
        elf.extend_from_slice(&u64::to_le_bytes(word));
    }
    elf.extend_from_slice(&CODE);
    let rest = bytes - elf.len();
    elf.extend_from_slice(&noise(u64::from(machine), rest));
    elf
}

fn stage() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(1, 9_000_000)).unwrap();
    fs::write(stage.path("one"), static_program(X86_64, 300_001)).unwrap();
    fs::write(stage.path("two"), static_program(ARM64, 200_000)).unwrap();
    stage.run(&["add", "shop:1.0", "given"]).ends_with(0);
    stage
}

fn pack<'a>(to: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["pack", "shop:1.0", "--to", to, "--media", "8MB"];
    [&words[..], more].concat()
}

/// Both programs and both guides are in a folder, as they were given and with their hashes on the pages.
fn has_programs(stage: &Stage, folder: &Path) {
    for (given, name, machine) in [
        ("one", "carryall.x64", "x86-64"),
        ("two", "carryall.a64", "arm64"),
    ] {
        let path = folder.join(name);
        let bytes = fs::read(stage.path(given)).unwrap();
        assert!(fs::read(&path).unwrap() == bytes, "{name}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{name}: {mode:o}");
        let digest = Digest::of(&bytes);
        for page in ["START-HERE.html", "START-HERE.txt"] {
            let page = fs::read_to_string(folder.join(page)).unwrap();
            for said in [name, machine, digest.hex(), "程序就在这一卷上"] {
                assert!(page.contains(said), "{said}: {page}");
            }
        }
    }
    for (name, said) in [
        ("guide-en.txt", "# Operator guide"),
        ("guide-zh.txt", "carryall receive"),
    ] {
        let guide = fs::read_to_string(folder.join(name)).unwrap();
        assert!(guide.contains(said), "{name}");
    }
    let ended = Command::new(folder.join("carryall.x64")).status().unwrap();
    assert_eq!(ended.code(), Some(7), "it runs from the volume");
}

fn bytes_below(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}

#[test]
fn programs_stand_on_every_volume_with_their_hashes_and_the_guide() {
    let stage = stage();
    let words = pack(
        "discs",
        &["--spare", "1", "--program", "two", "--program", "one"],
    );
    let plan = stage.run(&[&words[..], &["--plan"]].concat()).ends_with(0);
    for said in [
        "carryall.x64 for x86-64",
        "carryall.a64 for arm64",
        "300 kB",
    ] {
        assert!(plan.stdout.contains(said), "{said}: {plan:#?}");
    }
    let packed = stage
        .run(&[&["--json"], &words[..]].concat())
        .ends_with(0)
        .json();
    assert_eq!(packed["plan"]["programs"][0]["file"], "carryall.x64");
    assert_eq!(packed["plan"]["programs"][1]["bytes"], 200_000);
    let volumes = visible(&stage.path("discs"));
    assert!(volumes.len() > 2);
    for volume in &volumes {
        has_programs(&stage, volume);
        let bytes = bytes_below(volume);
        assert!(bytes < 8_000_000, "{bytes}");
    }
    // Without them there is less on each volume, and another set.
    stage.run(&pack("bare", &["--spare", "1"])).ends_with(0);
    let bare = &visible(&stage.path("bare"))[0];
    assert!(!bare.join("carryall.x64").exists() && !bare.join("guide-en.txt").exists());
    assert_ne!(bare.file_name(), volumes[0].file_name());

    stage.run(&["verify", "discs"]).ends_with(0);
    fs::remove_dir_all(&volumes[1]).unwrap();
    let mended = stage
        .run(&["repair", "discs", "--to", "mended"])
        .ends_with(0);
    assert!(
        mended.stdout.contains("volume 2 is whole again"),
        "{mended:#?}"
    );
    // The program that repairs is another one, so the page does not promise what is not there.
    let page = visible(&stage.path("mended"))[0].join("START-HERE.txt");
    assert!(!fs::read_to_string(page).unwrap().contains("carryall.x64"));
    stage
        .run(&["--store", "site", "receive", "discs"])
        .ends_with(0);
}

#[test]
fn images_carry_programs_too_and_fit_their_medium() {
    if !has(&["xorriso", "bsdtar"]) {
        return;
    }
    let stage = stage();
    let words = pack("images", &["--iso", "--program", "one", "--program", "two"]);
    stage.run(&words).ends_with(0);
    for (number, image) in visible(&stage.path("images")).iter().enumerate() {
        let bytes = fs::metadata(image).unwrap().len();
        assert!((7_800_000..=8_000_000).contains(&bytes), "{bytes}");
        let by_bsdtar = stage.path(&format!("bsdtar-{number}"));
        fs::create_dir(&by_bsdtar).unwrap();
        run(Command::new("bsdtar")
            .arg("-xpf")
            .arg(image)
            .arg("-C")
            .arg(&by_bsdtar));
        has_programs(&stage, &by_bsdtar);
        let by_xorriso = stage.path(&format!("xorriso-{number}"));
        run(Command::new("xorriso")
            .args(["-osirrox", "on", "-indev"])
            .arg(image)
            .args(["-extract", "/"])
            .arg(&by_xorriso));
        has_programs(&stage, &by_xorriso);
    }
    stage
        .run(&["--store", "site", "receive", "images"])
        .ends_with(0);
}

#[test]
fn what_is_no_static_program_is_refused_before_anything_is_written() {
    let stage = stage();
    fs::write(stage.path("script"), "#!/bin/sh\n").unwrap();
    fs::write(stage.path("again"), static_program(X86_64, 5_000)).unwrap();
    fs::write(stage.path("odd"), static_program(8, 5_000)).unwrap();
    let refused = |more: &[&str], words: &[&str]| {
        stage.run(&pack("discs", more)).fails_with(1, words);
        assert!(!stage.path("discs").exists());
    };
    refused(&["--program", "script"], &["no program for Linux"]);
    refused(&["--program", "odd"], &["machine"]);
    refused(&["--program", "nowhere"], &["nowhere"]);
    refused(
        &["--program", "one", "--program", "again"],
        &["one", "again", "same kind of machine"],
    );
    refused(&["--program", "/bin/true"], &["needs libraries"]);
    let both = ["--without-program", "--program", "one"];
    stage.run(&pack("discs", &both)).ends_with(2);
}

#[test]
fn a_medium_too_small_for_the_program_is_said_and_nothing_is_written() {
    let stage = stage();
    fs::write(stage.path("large"), static_program(ARM64, 7_500_000)).unwrap();
    let words = pack("discs", &["--program", "large"]);
    stage.run(&words).fails_with(1, &["too small"]);
    assert!(visible(&stage.path("discs")).is_empty());
}

#[test]
fn a_program_that_needs_libraries_stays_at_home_in_one_line() {
    let stage = stage();
    for more in [&[][..], &["--with-program"]] {
        stage.remove("discs");
        let packed = stage.run(&pack("discs", more)).ends_with(0);
        let lines = packed.stderr.lines();
        let said = lines.filter(|line| line.contains("program is not put on the volumes"));
        assert_eq!(said.count(), 1, "{packed:#?}");
        for volume in visible(&stage.path("discs")) {
            assert_eq!(visible(&volume).len(), 3);
        }
    }
    stage.remove("discs");
    let packed = stage
        .run(&pack("discs", &["--without-program"]))
        .ends_with(0);
    assert!(!packed.stderr.contains("program"), "{packed:#?}");
}
