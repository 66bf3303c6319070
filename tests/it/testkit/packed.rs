//! A release on the volumes of a set: packed from a store, hurt on its way, and taken in by another store.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use carryall::base::monitor::Silent;
use carryall::bundle::Recipient;
use carryall::bundle::receipt::Receipt;
use carryall::bundle::{Catalog, Effort};
use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::media::verify::{SetVerdict, verify};
use carryall::ops::pack::{PackOptions, PackReport, pack};
use carryall::ops::receive::receipt::receipt;
use carryall::ops::receive::{ProgressState, ReceiveReport, SetProgress, receive};
use carryall::store::{CheckDepth, OpenMode, Store};
use carryall::volumes::block::{BLOCK_BYTES, BlockSize, ParityCodec};
use carryall::volumes::geometry::Geometry;
use carryall::volumes::media::{Capacity, Carrier};
use carryall::volumes::{Blocks, discover};
use tempfile::TempDir;

pub use super::bytes::noise;
use super::shared::shared_dir;
pub use super::trees::{files_below, look, paths_in};

/// A set that is to be packed.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Name of the release.
    pub release: &'static str,
    /// What the items' bytes are drawn from.
    pub seed: u64,
    /// Items of noise, each of so many bytes.
    pub items: &'static [usize],
    /// Blocks that a medium has room for.
    pub blocks: u64,
    /// Spare volumes.
    pub spare: u16,
    /// Local parity in percent.
    pub local: f64,
    /// Folders or images.
    pub carrier: Carrier,
    /// The code.
    pub codec: ParityCodec,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            release: "shop:1.0",
            seed: 1,
            items: &[2_500_000, 2_500_000, 2_500_000],
            blocks: 64,
            spare: 2,
            local: 8.0,
            carrier: Carrier::Folders,
            codec: ParityCodec::Gf16,
        }
    }
}

/// The smallest medium that has room for so many blocks beside its file system.
pub fn medium_for(blocks: u64, carrier: Carrier) -> Capacity {
    let sizes = (blocks * BLOCK_BYTES as u64..)
        .step_by(16_384)
        .map(Capacity::exact);
    let mut fits = sizes.filter(|capacity| {
        capacity
            .usable_blocks(carrier)
            .is_some_and(|usable| u64::from(usable) >= blocks)
    });
    fits.next().unwrap()
}

/// Packs into folders on media of this size: without parity and in little time.
pub fn options_for(medium_bytes: u64) -> PackOptions {
    let mut options = PackOptions::new(Capacity::exact(medium_bytes));
    options.spare = Some(0);
    options.local_percent = Some(0.0);
    options.effort = Effort::Fast;
    options.block_size = Some(BlockSize::Full);
    options
}

/// The same for a site that has something already.
pub fn options_since(medium_bytes: u64, receivers: Vec<Recipient>) -> PackOptions {
    let mut options = options_for(medium_bytes);
    options.receivers = receivers;
    options
}

/// A release, as it was given, and the volumes that carry it.
pub struct Packed {
    dir: TempDir,
    /// What was said when it was packed.
    pub report: PackReport,
    /// The release's name.
    pub release: ReleaseName,
    /// Layout of the set.
    pub geometry: Geometry,
    /// What is in which frame.
    pub catalog: Catalog,
    /// Payload of each data volume.
    pub payload_bytes: Vec<u64>,
    /// Every file of every volume, by path below the folder of media.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Shape {
    /// Makes the items, adds them to a store and packs that.
    pub fn pack(&self) -> Packed {
        // Some tests keep the result in a `static`.
        let dir = shared_dir();
        let given = dir.path().join("given");
        fs::create_dir(&given).unwrap();
        for (number, bytes) in (0_u64..).zip(self.items) {
            let name = format!("item-{number}.bin");
            fs::write(given.join(name), noise(self.seed * 100 + number, *bytes)).unwrap();
        }
        let tree = given.join("tree");
        fs::create_dir_all(tree.join("etc/empty")).unwrap();
        let lines = |what: &str| format!("{what} of {}\n", self.seed).repeat(400);
        fs::write(tree.join("etc/settings"), lines("settings")).unwrap();
        fs::write(tree.join("README"), lines("words")).unwrap();
        std::os::unix::fs::symlink("../README", tree.join("etc/link")).unwrap();
        let mut tar = tar::Builder::new(fs::File::create(tree.join("layer.tar")).unwrap());
        for number in 0..9 {
            let body = noise(self.seed * 100 + 50 + number, 30_000);
            let mut header = tar::Header::new_gnu();
            header.set_size(body.len() as u64);
            tar.append_data(&mut header, format!("usr/{number}"), &body[..])
                .unwrap();
        }
        tar.into_inner().unwrap();

        let store = Store::create(&dir.path().join("vendor")).unwrap();
        let release: ReleaseName = self.release.parse().unwrap();
        add(
            &store,
            &release,
            &paths_in(&given),
            &AddOptions::default(),
            &Silent,
        )
        .unwrap();
        self.pack_from(dir, &store, release)
    }

    /// How it is packed.
    pub fn options(&self) -> PackOptions {
        let mut options = PackOptions::new(medium_for(self.blocks, self.carrier));
        options.carrier = self.carrier;
        options.spare = Some(self.spare);
        options.local_percent = Some(self.local);
        options.effort = Effort::Fast;
        options.codec = self.codec;
        options.block_size = Some(BlockSize::Full);
        options
    }

    /// Packs a release that is in the store already.
    pub fn pack_from(&self, dir: TempDir, store: &Store, release: ReleaseName) -> Packed {
        let media = dir.path().join("media");
        let options = self.options();
        let root = ops::release(store, &release).unwrap();
        let report = pack(store, &[root], &media, &options, &mut |_| {}, &Silent).unwrap();
        let found = discover(std::slice::from_ref(&media), &Silent).unwrap();
        let set = &found.sets[0];
        Packed {
            geometry: set.geometry().clone(),
            catalog: Catalog::from_bytes(&set.catalog().unwrap()).unwrap(),
            payload_bytes: set.descriptor().unwrap().payload_bytes.clone(),
            files: files_below(&media),
            dir,
            report,
            release,
        }
    }
}

impl Packed {
    /// What was added.
    pub fn given(&self) -> PathBuf {
        self.dir.path().join("given")
    }

    /// The store that it was packed from.
    pub fn vendor(&self) -> Store {
        Store::open(&self.dir.path().join("vendor"), OpenMode::Read).unwrap()
    }

    /// Data and spare volumes.
    pub fn volume_count(&self) -> u16 {
        self.geometry.volume_count()
    }

    /// A fresh copy of all volumes, to be hurt.
    pub fn carry(&self) -> Carried<'_> {
        let dir = TempDir::new().unwrap();
        for (name, bytes) in &self.files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Carried { packed: self, dir }
    }

    /// The same without these volumes.
    pub fn carry_without(&self, lost: &[u16]) -> Carried<'_> {
        let carried = self.carry();
        lost.iter().for_each(|no| carried.lose(*no));
        carried
    }

    /// The files of a volume as they were written.
    pub fn files_of(&self, volume_no: u16) -> BTreeMap<PathBuf, Vec<u8>> {
        let volume = self.volume_name(volume_no);
        let files = self
            .files
            .iter()
            .filter(|(name, _)| name.starts_with(&volume));
        files
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect()
    }

    /// Name of a volume's folder or image.
    pub fn volume_name(&self, volume_no: u16) -> PathBuf {
        let path = &self.report.volumes[usize::from(volume_no) - 1];
        path.file_name().unwrap().into()
    }

    /// Items that need a frame which lies on one of these volumes: what is lost when they are beyond recovery.
    pub fn items_on(&self, volumes: &[u16]) -> Vec<String> {
        let mut frames = Vec::new();
        let mut first = 0;
        for (volume_no, bytes) in (1..).zip(&self.payload_bytes) {
            let count = self.catalog.frames_within(first, *bytes).len();
            if volumes.contains(&volume_no) {
                frames.extend((first..first + count).map(|frame| u32::try_from(frame).unwrap()));
            }
            first += count;
        }
        self.catalog.items_in(&frames)
    }
}

/// Volumes on their way, and what happens to them.
pub struct Carried<'a> {
    pub packed: &'a Packed,
    pub dir: TempDir,
}

impl Carried<'_> {
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn paths(&self) -> Vec<PathBuf> {
        vec![self.root().to_owned()]
    }

    pub fn volume(&self, volume_no: u16) -> PathBuf {
        self.root().join(self.packed.volume_name(volume_no))
    }

    /// The file that has the blocks of a volume.
    pub fn volume_file(&self, volume_no: u16) -> PathBuf {
        let volume = self.volume(volume_no);
        if volume.is_file() {
            return volume;
        }
        volume.join(format!("carry{volume_no:02}.000"))
    }

    pub fn lose(&self, volume_no: u16) {
        let volume = self.volume(volume_no);
        if volume.is_dir() {
            fs::remove_dir_all(volume).unwrap();
        } else {
            fs::remove_file(volume).unwrap();
        }
    }

    /// Lays volumes that were lost beside the others again.
    pub fn find_again(&self, volumes: &[u16]) {
        for volume_no in volumes {
            for (name, bytes) in self.packed.files_of(*volume_no) {
                fs::create_dir_all(self.root().join(&name).parent().unwrap()).unwrap();
                fs::write(self.root().join(name), bytes).unwrap();
            }
        }
    }

    /// Where the first block stands in the file that has it.
    fn start(&self, carrier: &Path) -> u64 {
        if carrier
            .extension()
            .is_none_or(|extension| extension != "iso")
        {
            return 0;
        }
        let bytes = self
            .packed
            .files
            .get(carrier.strip_prefix(self.root()).unwrap())
            .unwrap();
        let block =
            |at: &usize| carryall::volumes::block::BlockHeader::open(&bytes[*at..]).is_some();
        (0..bytes.len()).step_by(2048).find(block).unwrap() as u64
    }

    /// Overwrites `len` bytes at `within` of each of these blocks.
    pub fn overwrite(
        &self,
        volume_no: u16,
        blocks: impl IntoIterator<Item = u32>,
        within: u64,
        len: usize,
    ) {
        let carrier = self.volume_file(volume_no);
        let start = self.start(&carrier);
        let file = OpenOptions::new().write(true).open(carrier).unwrap();
        for block_no in blocks {
            let at = start + u64::from(block_no) * BLOCK_BYTES as u64 + within;
            file.write_all_at(&noise(at + u64::from(volume_no), len), at)
                .unwrap();
        }
    }

    /// Overwrites whole blocks.
    pub fn spoil(&self, volume_no: u16, blocks: impl IntoIterator<Item = u32>) {
        self.overwrite(volume_no, blocks, 0, BLOCK_BYTES);
    }

    /// Overwrites everything but the first superblock: the volume is seen, and nothing on it is of use.
    pub fn ruin(&self, volume_no: u16) {
        self.spoil(volume_no, 1..self.packed.geometry.volume_blocks());
    }

    pub fn verify(&self) -> SetVerdict {
        let judged = verify(&self.paths(), &Silent).unwrap();
        let set_id = &self.packed.report.set_id;
        judged
            .report
            .sets
            .into_iter()
            .find(|set| set.set_id == *set_id)
            .unwrap()
    }
}

/// A store at the customer's.
pub struct Site {
    pub dir: TempDir,
    pub store: Store,
}

impl Default for Site {
    fn default() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("store")).unwrap();
        Self { dir, store }
    }
}

impl Site {
    pub fn receive(&self, paths: &[PathBuf]) -> ReceiveReport {
        receive(&self.store, paths, &Silent).unwrap()
    }

    /// Receives, and gives what is said of this set.
    pub fn receive_set(&self, paths: &[PathBuf], packed: &Packed) -> SetProgress {
        let report = self.receive(paths);
        let mut sets = report.sets.into_iter();
        sets.find(|set| set.set_id == packed.report.set_id).unwrap()
    }

    /// Everything in the store but what is being received.
    pub fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = files_below(self.store.dir());
        files.retain(|name, _| !name.starts_with("incoming"));
        files
    }

    pub fn releases(&self) -> Vec<String> {
        let report = ops::maintain::list::list(&self.store).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        report
            .releases
            .into_iter()
            .map(|release| release.name.to_string())
            .collect()
    }

    pub fn assert_sound(&self) {
        let summary =
            ops::maintain::check::check(&self.store, CheckDepth::Data, &[], &Silent).unwrap();
        assert!(summary.findings.is_empty(), "{:?}", summary.findings);
    }

    /// Gives the release back and compares it with what was added.
    pub fn assert_same(&self, packed: &Packed) {
        self.gives_back(&packed.release, &packed.given());
    }

    /// Asserts that a release comes out of the store as it was given.
    #[track_caller]
    pub fn gives_back(&self, release: &ReleaseName, given: &Path) {
        let back = TempDir::new().unwrap();
        let dest = back.path().join("back");
        let options = CheckoutOptions::default();
        let report = checkout(&self.store, release, &dest, &options, &Silent).unwrap();
        assert!(report.is_whole(), "{report:?}");
        assert!(
            look(&dest) == look(given),
            "{release} came back other than it was given"
        );
    }

    /// What the site tells the vendor.
    pub fn receipt(&self) -> Receipt {
        receipt(&self.store, &Silent).unwrap().receipt
    }
}

/// The only set of a report.
#[track_caller]
pub fn only(report: &ReceiveReport) -> &SetProgress {
    assert_eq!(report.sets.len(), 1, "{report:?}");
    &report.sets[0]
}

/// Flips a byte in every pack of a store that has these bytes.
#[track_caller]
pub fn flip(store: &Path, needle: &[u8]) {
    let mut hurt = 0;
    for (name, mut bytes) in files_below(store) {
        let at = bytes.windows(needle.len()).position(|each| each == needle);
        if name.starts_with("packs")
            && let Some(at) = at
        {
            bytes[at] ^= 1;
            fs::write(store.join(name), bytes).unwrap();
            hurt += 1;
        }
    }
    assert!(hurt > 0, "the bytes are in no pack");
}

/// Asserts that a set is complete and its releases are committed.
#[track_caller]
pub fn assert_complete(progress: &SetProgress) {
    let state = progress.state;
    assert_eq!(state, ProgressState::Complete, "{:?}", progress.needs);
}

/// Asserts that all sets of a run are.
#[track_caller]
pub fn assert_all_complete(report: &ReceiveReport) {
    let is_complete = |set: &SetProgress| set.state == ProgressState::Complete;
    assert!(report.sets.iter().all(is_complete), "{report:?}");
}
