//! Volumes that were written once are received for ever: a full bundle in blocks of either size, a signed one, and deltas, one
//! for each codec of frames that lean on old chunks.
//!
//! Each is the blocks of one volume, gzipped, under `data/golden/v1/bundles`. Files there are never edited. To add one for another
//! codec: add it to [`DELTAS`] with the codec's number and a content on which that codec wins over the others, run this test
//! once with `CARRYALL_WRITE_GOLDEN=1`, and commit the new file. That the codec was really used is asserted.

use crate::testkit::golden;
use crate::testkit::linked::{Architecture, Library};
use crate::testkit::minified::Minified;
use crate::testkit::packed;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use carryall::base::monitor::Silent;
use carryall::base::signing::{SecretKey, SignatureAlgorithm};
use carryall::bundle::{Catalog, Effort, Recipient};
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::pack::pack;
use carryall::ops::receive::{ProgressState, receive};
use carryall::store::Store;
use carryall::volumes::block::BlockSize;
use carryall::volumes::{Blocks, discover};
use packed::{Site, files_below, noise};
use tempfile::TempDir;

/// The full bundle that most deltas lean on.
const BASE: Golden = Golden {
    name: "base",
    on: None,
    release: "golden:1",
    codec: 1,
    block_size: BlockSize::Full,
    files: base_files,
};

/// A full bundle in small blocks.
const SMALL: Golden = Golden {
    name: "small-blocks",
    on: None,
    release: "golden:1",
    codec: 1,
    block_size: BlockSize::Small,
    files: base_files,
};

/// A full bundle that two keys signed, one of each algorithm.
const SIGNED: Golden = Golden {
    name: "signed",
    on: None,
    release: "signed:1",
    codec: 1,
    block_size: BlockSize::Full,
    files: base_files,
};

/// The keys that it is signed with, without passwords, and what `key show` tells of them.
const SIGNERS: [(&str, SignatureAlgorithm, &str); 2] = [
    (
        "untrusted comment: for tests alone\n\
        RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAnc7ZImQFI6LDrEDxX0kVauBdyoRDuMuV8E\
        YNRyISrD9F542/ydn2ourJX5lTl8O/fvzQXSTHSvZxt2E2M9qywRrHNkf3KzKirEyH49hWAvI4EohBipji9qNVGmGJv3CKy2Z3mhTde2E=\n",
        SignatureAlgorithm::Minisign,
        "A223056422D9CE9D",
    ),
    (
        "untrusted comment: for tests alone, SM2\n\
        UzIAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAtbvXnForDGPPl9Kt2lyXN0vLtwMXD5Lq8T\
        DoF09dSCFV5cDh7thXpQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAa5c2RW7wIP5FaF/sAODbvHGoXg5tQWjI6KIMmsv1q9o=\n",
        SignatureAlgorithm::Sm2,
        "630C2B5A9CD7BBB5",
    ),
];

/// The full bundle that deltas of machine code lean on.
const PROGRAMS: Golden = Golden {
    name: "programs",
    on: None,
    release: "programs:1",
    codec: 1,
    block_size: BlockSize::Full,
    files: first_build,
};

/// The same for arm64.
const ARM64_PROGRAMS: Golden = Golden {
    name: "arm64-programs",
    on: None,
    release: "arm64-programs:1",
    codec: 1,
    block_size: BlockSize::Full,
    files: first_arm64_build,
};

/// The full bundle that deltas of minified scripts lean on.
const SCRIPTS: Golden = Golden {
    name: "scripts",
    on: None,
    release: "scripts:1",
    codec: 1,
    block_size: BlockSize::Full,
    files: first_script,
};

const DELTAS: [Golden; 8] = [
    Golden {
        name: "zstd-behind-bases",
        on: Some(&BASE),
        release: "golden:2",
        codec: 3,
        block_size: BlockSize::Full,
        files: changed_in_places,
    },
    Golden {
        name: "differences",
        on: Some(&BASE),
        release: "golden:3",
        codec: 4,
        block_size: BlockSize::Full,
        files: linked_anew,
    },
    Golden {
        name: "lzma-behind-bases",
        on: Some(&BASE),
        release: "golden:4",
        codec: 5,
        block_size: BlockSize::Full,
        files: written_anew,
    },
    Golden {
        name: "labels",
        on: Some(&PROGRAMS),
        release: "programs:2",
        codec: 6,
        block_size: BlockSize::Full,
        files: second_build,
    },
    Golden {
        name: "labels-lzma",
        on: Some(&PROGRAMS),
        release: "programs:3",
        codec: 7,
        block_size: BlockSize::Full,
        files: other_build,
    },
    Golden {
        name: "arm64-labels",
        on: Some(&ARM64_PROGRAMS),
        release: "arm64-programs:2",
        codec: 6,
        block_size: BlockSize::Full,
        files: second_arm64_build,
    },
    Golden {
        name: "new-names",
        on: Some(&SCRIPTS),
        release: "scripts:2",
        codec: 8,
        block_size: BlockSize::Full,
        files: second_script,
    },
    Golden {
        name: "new-names-lzma",
        on: Some(&SCRIPTS),
        release: "scripts:3",
        codec: 9,
        block_size: BlockSize::Full,
        files: other_script,
    },
];

type Files = Vec<(&'static str, Vec<u8>)>;

struct Golden {
    name: &'static str,
    /// The full bundle that it leans on.
    on: Option<&'static Golden>,
    release: &'static str,
    /// Number of the codec (docs/format.md) that at least one frame has.
    codec: u8,
    block_size: BlockSize,
    files: fn() -> Files,
}

fn base_files() -> Files {
    vec![
        ("lib/blob", noise(1, 9_000)),
        ("lib/other", noise(2, 5_000)),
        ("readme.txt", b"words, words, words\n".repeat(100)),
    ]
}

fn changed_in_places() -> Files {
    let mut files = base_files();
    files[0]
        .1
        .iter_mut()
        .step_by(1000)
        .for_each(|byte| *byte ^= 1);
    files[1].0 = "lib/renamed";
    files[1].1.truncate(4_000);
    files.push(("new", b"was not there".to_vec()));
    files
}

/// One byte in fifty has grown.
fn linked_anew() -> Files {
    let mut files = base_files();
    for byte in files[0].1.iter_mut().step_by(50) {
        *byte = byte.wrapping_add(9);
    }
    files
}

/// Seven old bytes here and seven there.
fn written_anew() -> Files {
    let mut files = base_files();
    let old = files[0].1.clone();
    let places = noise(9, 2_000);
    files[0].1 = places
        .chunks(2)
        .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])) % (old.len() - 7))
        .flat_map(|at| old[at..at + 7].to_vec())
        .collect();
    files
}

fn library(architecture: Architecture, grown: (usize, usize)) -> Vec<u8> {
    let library = Library {
        architecture,
        seed: 3,
        functions: 120,
        grown,
    };
    library.link()
}

fn first_build() -> Files {
    vec![("lib/libmade.so.1", library(Architecture::X86_64, (0, 0)))]
}

fn second_build() -> Files {
    vec![("lib/libmade.so.1", library(Architecture::X86_64, (20, 9)))]
}

/// Seven bytes of the code here and seven there.
fn other_build() -> Files {
    let mut file = library(Architecture::X86_64, (20, 9));
    let old = file.clone();
    let places = noise(9, 2 * 1200);
    let words = places
        .chunks(2)
        .map(|pair| 0x1000 + usize::from(u16::from_le_bytes([pair[0], pair[1]])) % 6000)
        .flat_map(|at| old[at..at + 7].to_vec());
    file.splice(0x1000 + 6_000..0x1000 + 14_400, words);
    vec![("lib/libmade.so.1", file)]
}

fn first_arm64_build() -> Files {
    vec![("lib/libmade.so.1", library(Architecture::Arm64, (0, 0)))]
}

fn second_arm64_build() -> Files {
    vec![("lib/libmade.so.1", library(Architecture::Arm64, (20, 9)))]
}

fn script(moved: usize, added_before: Option<usize>) -> Vec<u8> {
    let bundle = Minified {
        functions: 150,
        moved,
        added_before,
    };
    bundle.text()
}

fn first_script() -> Files {
    vec![("static/app.min.js", script(0, None))]
}

fn second_script() -> Files {
    vec![("static/app.min.js", script(3, Some(40)))]
}

/// Nine bytes of the text here and nine there.
fn other_script() -> Files {
    let mut file = script(3, Some(40));
    let old = file.clone();
    let places = noise(9, 2 * 2000);
    let words = places
        .chunks(2)
        .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])) % (old.len() - 9))
        .flat_map(|at| old[at..at + 9].to_vec());
    file.splice(old.len() / 2.., words);
    vec![("static/app.min.js", file)]
}

impl Golden {
    fn path(&self) -> PathBuf {
        golden::path(&format!("bundles/{}.blocks.gz", self.name))
    }

    /// Puts the volume into a folder, as it came from a medium.
    fn unpack(&self, to: &Path) -> PathBuf {
        let volume = to.join(self.name);
        fs::create_dir_all(&volume).unwrap();
        let mut blocks = Vec::new();
        let packed = File::open(self.path()).unwrap();
        flate2::read::GzDecoder::new(packed)
            .read_to_end(&mut blocks)
            .unwrap();
        fs::write(volume.join("carry01.000"), blocks).unwrap();
        volume
    }

    fn write_given(&self, given: &Path) {
        for (name, bytes) in (self.files)() {
            let path = given.join("tree").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    fn add_to(&self, store: &Store, given: &Path) {
        self.write_given(given);
        let options = AddOptions::default();
        let name = self.release.parse().unwrap();
        add(store, &name, &[given.join("tree")], &options, &Silent).unwrap();
    }

    /// Packs it anew and keeps the blocks, unless they are there. A delta leans on the base as it was kept.
    fn keep(&self) {
        if self.path().exists() {
            return;
        }
        let Site { dir, store } = Site::default();
        let root = |golden: &Self| ops::release(&store, &golden.release.parse().unwrap()).unwrap();
        let mut receivers = Vec::new();
        if let Some(on) = self.on {
            receive(&store, &[on.unpack(dir.path())], &Silent).unwrap();
            let mut base = Recipient::default();
            base.releases = vec![root(on)];
            receivers.push(base);
        }
        self.add_to(&store, &dir.path().join("given"));
        let mut options = packed::options_since(8 << 20, receivers);
        options.effort = Effort::Default;
        options.block_size = Some(self.block_size);
        if self.name == SIGNED.name {
            let keys = SIGNERS.iter();
            options.signers = keys
                .map(|(key, ..)| SecretKey::read(key, None).unwrap())
                .collect();
        }
        let (media, release) = (dir.path().join("media"), root(self));
        let report = pack(&store, &[release], &media, &options, &mut |_| {}, &Silent).unwrap();
        let files = files_below(&report.volumes[0]).into_iter();
        let blocks = files
            .filter(|(name, _)| name.extension().is_some_and(|kind| kind == "000"))
            .map(|(_, bytes)| bytes);
        fs::create_dir_all(self.path().parent().unwrap()).unwrap();
        let packed = File::create(self.path()).unwrap();
        let level = flate2::Compression::best();
        let mut packed = flate2::write::GzEncoder::new(packed, level);
        packed
            .write_all(&blocks.collect::<Vec<_>>().concat())
            .unwrap();
        packed.finish().unwrap();
    }

    /// Numbers of the codecs of its frames.
    fn codecs(&self, volume: &Path) -> Vec<u8> {
        let set = discover(&[volume.to_owned()], &Silent)
            .unwrap()
            .sets
            .remove(0);
        let catalog = Catalog::from_bytes(&set.catalog().unwrap()).unwrap();
        let places = catalog.places(&set.descriptor().unwrap().payload_bytes);
        let head = |offset| {
            let mut head = [0; 6];
            let mut payload = set.payload_reader(1).unwrap();
            payload.seek_to(offset);
            payload.read_exact(&mut head).unwrap();
            head[5]
        };
        places.iter().map(|place| head(place.offset)).collect()
    }

    fn assert_given_back(&self, site: &Site) {
        let back = TempDir::new().unwrap();
        let (given, dest) = (back.path().join("given"), back.path().join("back"));
        self.write_given(&given);
        let (name, options) = (self.release.parse().unwrap(), CheckoutOptions::default());
        checkout(&site.store, &name, &dest, &options, &Silent).unwrap();
        assert_eq!(files_below(&dest), files_below(&given), "{}", self.name);
    }
}

#[test]
fn golden_bundles_are_received() {
    for golden in [BASE, SMALL, SIGNED, PROGRAMS, ARM64_PROGRAMS, SCRIPTS]
        .iter()
        .chain(&DELTAS)
    {
        // Only to make the files of a new codec; golden files are never edited.
        if std::env::var_os("CARRYALL_WRITE_GOLDEN").is_some() {
            golden.keep();
        }
    }
    let kept = fs::read_dir(BASE.path().parent().unwrap()).unwrap();
    assert_eq!(kept.count(), DELTAS.len() + 6, "a file that no test reads");
    for delta in &DELTAS {
        let media = TempDir::new().unwrap();
        let on = delta.on.unwrap();
        let (base, volume) = (on.unpack(media.path()), delta.unpack(media.path()));
        assert!(on.codecs(&base).contains(&on.codec));
        assert!(
            delta.codecs(&volume).contains(&delta.codec),
            "{}",
            delta.name
        );
        let site = Site::default();
        let report = site.receive(&[volume]);
        assert_eq!(report.sets[0].state, ProgressState::NeedsBase);
        let report = site.receive(&[base]);
        assert_eq!(report.sets.len(), 2, "{report:?}");
        on.assert_given_back(&site);
        delta.assert_given_back(&site);
        site.assert_sound();
    }
}

#[test]
fn a_golden_bundle_in_small_blocks_is_received() {
    let media = TempDir::new().unwrap();
    let volume = SMALL.unpack(media.path());
    let found = discover(std::slice::from_ref(&volume), &Silent).unwrap();
    let size = found.sets[0].geometry().block_size();
    assert_eq!(size, SMALL.block_size);
    let site = Site::default();
    let report = site.receive(&[volume]);
    assert_eq!(report.sets[0].state, ProgressState::Complete);
    SMALL.assert_given_back(&site);
    site.assert_sound();
}

#[test]
fn a_golden_signed_bundle_says_who_signed_it() {
    let media = TempDir::new().unwrap();
    let volume = SIGNED.unpack(media.path());
    let found = discover(std::slice::from_ref(&volume), &Silent).unwrap();
    let signatures = found.sets[0].signatures();
    assert_eq!((signatures.wrong, signatures.unknown), (0, 0));
    let said: Vec<_> = signatures
        .signed_by
        .iter()
        .map(|by| (by.key.algorithm(), by.key.id()))
        .collect();
    let expected = SIGNERS.map(|(_, algorithm, id)| (algorithm, id.to_owned()));
    assert_eq!(said, expected);
    let set = found.sets[0].set_id().short();
    for by in &signatures.signed_by {
        assert_eq!(by.comment, format!("carryall set {set}: signed:1"));
    }
    let site = Site::default();
    let report = site.receive(&[volume]);
    assert_eq!(report.sets[0].state, ProgressState::Complete);
    SIGNED.assert_given_back(&site);
}
