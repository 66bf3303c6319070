//! Machine code that was only linked anew: its references become labels, so that next to nothing of it is carried.

use crate::testkit::linked::{Architecture, Library};
use crate::testkit::{packed, programs};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use carryall::base::monitor::Silent;
use carryall::bundle::{Catalog, Effort, Recipient};
use carryall::content::references::x86::{Found, instruction};
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::pack::pack;
use carryall::volumes::discover;
use packed::{Site, files_below};
use tempfile::TempDir;

/// Two builds of a library of more than one chunk.
fn builds(architecture: Architecture) -> [Vec<u8>; 2] {
    let build = |grown| Library {
        architecture,
        seed: 5,
        functions: 1500,
        grown,
    };
    [build((0, 0)).link(), build((40, 9)).link()]
}

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("tree/lib/libmade.so.1");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    folder.join("tree")
}

/// Bytes of the payload, and the codecs of its frames.
fn frames(volume: &Path) -> (u64, Vec<u8>) {
    use std::io::Read;
    let set = discover(&[volume.to_owned()], &Silent)
        .unwrap()
        .sets
        .remove(0);
    let catalog = Catalog::from_bytes(&set.catalog().unwrap()).unwrap();
    let payload_bytes = &set.descriptor().unwrap().payload_bytes;
    let places = catalog.places(payload_bytes);
    let codec = |offset| {
        let mut head = [0; 6];
        let mut payload = set.payload_reader(1).unwrap();
        payload.seek_to(offset);
        payload.read_exact(&mut head).unwrap();
        head[5]
    };
    let codecs = places.iter().map(|place| codec(place.offset)).collect();
    (payload_bytes.iter().sum(), codecs)
}

#[test]
fn what_was_linked_anew_is_carried_as_what_was_changed() {
    relinked(Architecture::X86_64);
}

#[test]
fn what_was_linked_anew_for_arm64_is_carried_as_what_was_changed() {
    relinked(Architecture::Arm64);
}

fn relinked(architecture: Architecture) {
    let [old, new] = builds(architecture);
    let same = old.iter().zip(&new).filter(|(old, new)| old == new).count();
    assert!(
        same < old.len() * 9 / 10,
        "the builds differ everywhere: {same}"
    );
    let vendor = Site::default();
    let given = TempDir::new().unwrap();
    for (version, bytes) in [("made:1", &old), ("made:2", &new)] {
        let tree = write(&given.path().join(version), bytes);
        let (name, options) = (version.parse().unwrap(), AddOptions::default());
        add(&vendor.store, &name, &[tree], &options, &Silent).unwrap();
    }
    let root = |name: &str| ops::release(&vendor.store, &name.parse().unwrap()).unwrap();
    let mut receiver = Recipient::default();
    receiver.releases = vec![root("made:1")];
    let pack_to = |release: &str, receivers, effort| {
        let mut options = packed::options_since(8 << 20, receivers);
        options.effort = effort;
        let to = given.path().join(format!("{release}-{effort:?}"));
        let report = pack(
            &vendor.store,
            &[root(release)],
            &to,
            &options,
            &mut |_| {},
            &Silent,
        );
        report.unwrap().volumes.remove(0)
    };
    let full = pack_to("made:1", Vec::new(), Effort::Default);
    for effort in [Effort::Default, Effort::Max] {
        let delta = pack_to("made:2", vec![receiver.clone()], effort);
        let (bytes, codecs) = frames(&delta);
        assert!(codecs.contains(&6), "{codecs:?}");
        assert!(bytes < 3000, "{bytes}");
        let site = Site::default();
        site.receive(&[full.clone(), delta]);
        let back = TempDir::new().unwrap();
        let dest = back.path().join("back");
        let (name, options) = ("made:2".parse().unwrap(), CheckoutOptions::default());
        checkout(&site.store, &name, &dest, &options, &Silent).unwrap();
        assert_eq!(
            files_below(&dest),
            files_below(&given.path().join("made:2"))
        );
        site.assert_sound();
    }
    // Without labels the same release takes far more.
    let fast = pack_to("made:2", vec![receiver], Effort::Fast);
    assert!(frames(&fast).0 > 12_000, "{}", frames(&fast).0);
}

/// An independent program says where each instruction of real libraries ends.
#[test]
fn instructions_of_real_libraries_are_as_long_as_a_disassembler_says() {
    if !programs::has(&["objdump"]) {
        return;
    }
    let libraries = ["libc.so.6", "libcrypto.so.3", "libstdc++.so.6"];
    let folder = Path::new("/usr/lib/x86_64-linux-gnu");
    let found: Vec<PathBuf> = libraries
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.is_file())
        .collect();
    if found.is_empty() {
        programs::skip("no library for x86-64 is here");
        return;
    }
    for path in found {
        let mut command = Command::new("objdump");
        command
            .args(["-d", "-w", "--insn-width=16", "-j", ".text"])
            .arg(&path);
        let listing = programs::run(&mut command);
        let (mut known, mut others) = (0_usize, Vec::new());
        for line in listing.lines() {
            let mut parts = line.split('\t');
            let (Some(_), Some(digits), Some(text)) = (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            // A prefix alone is no instruction, and data between functions is none either.
            let name = text.split_whitespace().find(|word| !is_prefix(word));
            let Some(name) = name.filter(|name| !text.contains("(bad)") && *name != ".byte") else {
                continue;
            };
            let bytes: Vec<u8> = digits
                .split_whitespace()
                .map(|digits| u8::from_str_radix(digits, 16).unwrap())
                .collect();
            // Two instructions that have one name.
            if bytes[0] == 0x9b {
                continue;
            }
            known += 1;
            let is_relative = text.contains("(%rip)");
            let is_branch = name.starts_with('j') || name.starts_with("call");
            let is_far = is_branch && bytes.len() >= 5 && !text.contains(" *");
            let is_right = matches!(instruction(&bytes), Found::Instruction(found)
                if found.bytes == bytes.len() && found.distance.is_some() == (is_relative || is_far));
            if !is_right {
                others.push(line.to_owned());
            }
        }
        // Tables between functions are no instructions, and only they are read in other ways.
        assert!(known > 100_000, "{path:?}: {known}");
        assert!(
            others.len() * 20_000 <= known,
            "{path:?}: {} of {known}: {others:#?}",
            others.len()
        );
    }
}

fn is_prefix(word: &str) -> bool {
    const PREFIXES: [&str; 14] = [
        "lock", "repz", "repnz", "rep", "data16", "addr32", "bnd", "notrack", "cs", "ds", "es",
        "ss", "fs", "gs",
    ];
    word.starts_with("rex") || PREFIXES.contains(&word)
}
