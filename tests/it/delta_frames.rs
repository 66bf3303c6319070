//! A release that changed goes to a site that has the one before: only what changed travels, and it leans on what was there.

use crate::testkit::golden;
use crate::testkit::packed;

use std::fs;
use std::path::Path;

use carryall::base::monitor::Silent;
use carryall::bundle::Recipient;
use carryall::content::frame::{DeltaMode, SealedFrame};
use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::pack::estimate::estimate;
use carryall::ops::pack::{PackOptions, PackReport, pack};
use carryall::ops::receive::ProgressState;
use carryall::store::Store;
use carryall::volumes::media::Capacity;
use packed::{Site, noise, paths_in};
use tempfile::TempDir;

/// Two releases in a vendor's store. In the second one file changed in many places, one came under another name with
/// changes, one is new.
struct Vendor {
    dir: TempDir,
    store: Store,
}

const FIRST: &str = "shop:1.0";
const SECOND: &str = "shop:1.1";

impl Vendor {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("vendor")).unwrap();
        let code = noise(1, 700_000);
        let script = noise(2, 400_000);
        let first: [(&str, Vec<u8>); 2] = [
            ("lib/code.so", code.clone()),
            ("js/main.0a1b2c.js", script.clone()),
        ];
        let retouched = |mut bytes: Vec<u8>| {
            bytes
                .iter_mut()
                .step_by(9000)
                .for_each(|byte| *byte ^= 0x55);
            bytes
        };
        let second = [
            ("lib/code.so", retouched(code)),
            ("js/main.99fe01.js", retouched(script)),
            ("js/new.js", noise(3, 20_000)),
        ];
        let vendor = Self { dir, store };
        vendor.add(FIRST, &first);
        vendor.add(SECOND, &second);
        vendor
    }

    fn add(&self, release: &str, files: &[(&str, Vec<u8>)]) {
        let tree = self.given(release).join("tree");
        for (name, bytes) in files {
            let path = tree.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let paths = paths_in(&self.given(release));
        let options = AddOptions::default();
        add(
            &self.store,
            &release.parse().unwrap(),
            &paths,
            &options,
            &Silent,
        )
        .unwrap();
    }

    fn given(&self, release: &str) -> std::path::PathBuf {
        self.dir.path().join(release.replace(':', "-"))
    }

    fn pack(&self, release: &str, since: &[&str], to: &Path) -> PackReport {
        let root = |name: &str| {
            let name: ReleaseName = name.parse().unwrap();
            ops::release(&self.store, &name).unwrap()
        };
        let receivers = since.iter().map(|name| {
            let mut receiver = Recipient::default();
            receiver.label = (*name).to_owned();
            receiver.releases = vec![root(name)];
            receiver
        });
        let mut options = PackOptions::new(Capacity::exact(16 << 20));
        options.receivers = receivers.collect();
        pack(
            &self.store,
            &[root(release)],
            to,
            &options,
            &mut |_| {},
            &Silent,
        )
        .unwrap()
    }

    fn assert_given_back(&self, site: &Site, release: &str) {
        site.gives_back(&release.parse().unwrap(), &self.given(release));
    }
}

#[test]
fn what_changed_or_was_renamed_is_carried_as_its_difference() {
    let vendor = Vendor::new();
    let media = TempDir::new().unwrap();
    let (full, delta) = (media.path().join("full"), media.path().join("delta"));
    vendor.pack(FIRST, &[], &full);
    let report = vendor.pack(SECOND, &[FIRST], &delta);
    // 1.1 MB of noise changed; 20 kB of it are new.
    assert!(report.plan.payload_bytes < 30_000, "{:?}", report.plan);
    // Known beforehand, within a quarter.
    let root = |name: &str| ops::release(&vendor.store, &name.parse().unwrap()).unwrap();
    let mut receiver = Recipient::default();
    receiver.releases = vec![root(FIRST)];
    let newer = [root(SECOND)];
    let effort = carryall::bundle::Effort::Default;
    let told = estimate(&vendor.store, &newer, &[receiver], effort, &Silent).unwrap();
    let (about, real) = (told.carried_bytes, report.plan.payload_bytes);
    assert!(about.abs_diff(real) * 4 < real, "{about} {real}");

    let site = Site::default();
    site.receive(&[full]);
    site.receive(&[delta]);
    assert_eq!(site.releases(), [FIRST, SECOND]);
    vendor.assert_given_back(&site, SECOND);
    vendor.assert_given_back(&site, FIRST);
    site.assert_sound();
}

#[test]
fn without_the_old_release_nothing_is_written_and_the_set_waits_for_it() {
    let vendor = Vendor::new();
    let media = TempDir::new().unwrap();
    let (full, delta) = (media.path().join("full"), media.path().join("delta"));
    vendor.pack(FIRST, &[], &full);
    vendor.pack(SECOND, &[FIRST], &delta);

    let site = Site::default();
    let before = site.content();
    let report = site.receive(&[delta]);
    assert_eq!(report.sets[0].state, ProgressState::NeedsBase);
    let lacking = report.sets[0].lacking.clone().unwrap();
    assert!(lacking.chunks > 0, "{lacking:?}");
    assert_eq!(lacking.any_of[0][0].name, FIRST);
    assert!(site.content() == before);

    site.receive(&[full]);
    assert_eq!(site.releases(), [FIRST, SECOND]);
    vendor.assert_given_back(&site, SECOND);
}

#[test]
fn a_full_bundle_leans_on_nothing() {
    let vendor = Vendor::new();
    let media = TempDir::new().unwrap();
    vendor.pack(SECOND, &[], media.path());
    let site = Site::default();
    site.receive(&[media.path().to_owned()]);
    vendor.assert_given_back(&site, SECOND);
}

/// Read for ever: a frame of codec 3, and the old chunks it leans on.
#[test]
fn golden_frames_of_each_way_to_lean_are_read() {
    let ways = [
        (
            "behind-bases.frame",
            3,
            DeltaMode::Prefix,
            pieces_and_a_bit(),
        ),
        (
            "differences.frame",
            4,
            DeltaMode::Differences,
            linked_anew(),
        ),
        (
            "lzma-behind-bases.frame",
            5,
            DeltaMode::Smallest,
            words_in_another_order(),
        ),
    ];
    for (name, codec, against, new) in ways {
        let path = golden::path(name);
        if golden::is_made(&path) {
            fs::write(&path, lean(against, &new)).unwrap();
        }
        let bytes = fs::read(path).unwrap();
        let sealed = SealedFrame::open(&bytes).unwrap();
        assert_eq!((bytes[5], sealed.bases.len()), (codec, 2), "{name}");
        let frame = sealed.unpack_on(&Olds(olds())).unwrap();
        assert_eq!(*frame.plain, new.concat(), "{name}");
        assert_eq!(frame.chunks.len(), new.len());
    }
}

struct Olds(Vec<Vec<u8>>);

impl carryall::content::frame::Bases for Olds {
    fn append(&self, id: &carryall::base::id::ChunkId, out: &mut Vec<u8>) -> bool {
        let found = self
            .0
            .iter()
            .find(|old| carryall::base::id::ChunkId::of(old) == *id);
        found.map(|old| out.extend_from_slice(old)).is_some()
    }
}

fn olds() -> Vec<Vec<u8>> {
    vec![noise(7, 3000), noise(8, 5000)]
}

fn pieces_and_a_bit() -> Vec<Vec<u8>> {
    let olds = olds();
    vec![olds[1].clone(), b"and some more".to_vec(), olds[0].clone()]
}

/// As old bytes, but for one in fifty that has grown by nine.
fn linked_anew() -> Vec<Vec<u8>> {
    let mut new = olds().concat().split_off(100);
    for at in (0..new.len()).step_by(50) {
        new[at] = new[at].wrapping_add(9);
    }
    vec![new]
}

/// Seven old bytes here and seven there.
fn words_in_another_order() -> Vec<Vec<u8>> {
    let old = olds().concat();
    let words = noise(9, 2000);
    let places = words
        .chunks(2)
        .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])) % 7900);
    vec![places.flat_map(|at| old[at..at + 7].to_vec()).collect()]
}

fn lean(against: DeltaMode, new: &[Vec<u8>]) -> Vec<u8> {
    use carryall::base::id::ChunkId;
    use carryall::content::content_kind::ContentKind;
    use carryall::content::frame::{FrameEncoder, FrameOptions};
    let olds = olds();
    let chunks: Vec<(ChunkId, &[u8])> = new
        .iter()
        .map(|each| (ChunkId::of(each), each.as_slice()))
        .collect();
    let ids: Vec<ChunkId> = olds.iter().map(|old| ChunkId::of(old)).collect();
    let options = FrameOptions {
        against,
        ..FrameOptions::for_bundle(12, ContentKind::Other)
    };
    FrameEncoder::new().encode_delta(&chunks, ContentKind::Other, &options, &ids, &olds.concat())
}
