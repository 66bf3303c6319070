//! Machine code that was only linked anew: its references become labels, so that next to nothing of it is carried.

use crate::testkit::linked::{Architecture, Library};
use crate::testkit::{packed, programs};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use carryall::base::monitor::Silent;
use carryall::bundle::{Catalog, Effort, Recipient};
use carryall::content::references::x86::{Found, instruction};
use carryall::content::release::ReleaseRoot;
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::pack::pack;
use carryall::volumes::discover;
use packed::{Site, files_below};
use tempfile::TempDir;

/// A library of more than one chunk.
fn library(architecture: Architecture, seed: u64, grown: (usize, usize)) -> Vec<u8> {
    let library = Library {
        architecture,
        seed,
        functions: 1500,
        grown,
    };
    library.link()
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
    let [old, new] = [(0, 0), (40, 9)].map(|grown| library(architecture, 5, grown));
    let same = old.iter().zip(&new).filter(|(old, new)| old == new).count();
    assert!(
        same < old.len() * 9 / 10,
        "the builds differ everywhere: {same}"
    );
    let pair = ReleasePair::of([&[old], &[new]]);
    for effort in [Effort::Default, Effort::Max] {
        let (bytes, codecs) = pair.carried(effort);
        assert!(codecs.contains(&6), "{codecs:?}");
        assert!(bytes < 3000, "{bytes}");
    }
    // Without labels the same release takes far more.
    let (fast, _) = pair.carried(Effort::Fast);
    assert!(fast > 12_000, "{fast}");
}

#[test]
fn code_that_was_written_anew_in_part_goes_behind_the_old_code() {
    let [old, mut new] = [(0, 0), (40, 9)].map(|grown| library(Architecture::X86_64, 5, grown));
    let written = new.len() * 28 / 100;
    new[0x1000..][..written].copy_from_slice(&packed::noise(9, written));
    let (bytes, codecs) = ReleasePair::of([&[old], &[new]]).carried(Effort::Default);
    // A script would be as small here, so that it shows what was tried.
    assert!(codecs.contains(&7) && !codecs.contains(&6), "{codecs:?}");
    assert!(bytes < written as u64 * 11 / 10, "{bytes} of {written}");
}

/// Two releases of libraries in a vendor's store.
struct ReleasePair {
    vendor: Site,
    given: TempDir,
}

impl ReleasePair {
    fn of(libraries: [&[Vec<u8>]; 2]) -> Self {
        let vendor = Site::default();
        let given = TempDir::new().unwrap();
        for (version, libraries) in ["made:1", "made:2"].into_iter().zip(libraries) {
            let tree = given.path().join(version).join("tree");
            fs::create_dir_all(tree.join("lib")).unwrap();
            for (number, bytes) in libraries.iter().enumerate() {
                fs::write(tree.join(format!("lib/libmade{number}.so.1")), bytes).unwrap();
            }
            let (name, options) = (version.parse().unwrap(), AddOptions::default());
            add(&vendor.store, &name, &[tree], &options, &Silent).unwrap();
        }
        Self { vendor, given }
    }

    fn root(&self, release: &str) -> ReleaseRoot {
        ops::release(&self.vendor.store, &release.parse().unwrap()).unwrap()
    }

    fn pack(&self, release: &str, receivers: Vec<Recipient>, effort: Effort) -> PathBuf {
        let mut options = packed::options_since(8 << 20, receivers);
        options.effort = effort;
        let to = TempDir::new_in(self.given.path()).unwrap().keep();
        let report = pack(
            &self.vendor.store,
            &[self.root(release)],
            &to.join("set"),
            &options,
            &mut |_| {},
            &Silent,
        );
        report.unwrap().volumes.remove(0)
    }

    /// Packs the second release for a site that has the first, and has it received and checked out there. Returns what
    /// [`frames`] says of it.
    fn carried(&self, effort: Effort) -> (u64, Vec<u8>) {
        let mut receiver = Recipient::default();
        receiver.releases = vec![self.root("made:1")];
        let full = self.pack("made:1", Vec::new(), Effort::Fast);
        let delta = self.pack("made:2", vec![receiver], effort);
        let carried = frames(&delta);
        let site = Site::default();
        site.receive(&[full, delta]);
        let back = TempDir::new().unwrap();
        let dest = back.path().join("back");
        let (name, options) = ("made:2".parse().unwrap(), CheckoutOptions::default());
        checkout(&site.store, &name, &dest, &options, &Silent).unwrap();
        assert_eq!(
            files_below(&dest),
            files_below(&self.given.path().join("made:2"))
        );
        site.assert_sound();
        carried
    }
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
