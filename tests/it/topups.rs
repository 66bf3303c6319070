//! Sets of which something is lacking for good: the receipt says what is there, the vendor's answer is a small bundle of
//! just the rest, and the release comes whole out of spool, bundle and store.

use crate::testkit::packed;
use crate::testkit::packed::{flip, only, options_since};

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use carryall::base::id::SetId;
use carryall::base::monitor::Silent;
use carryall::bundle::receipt::Receipt;
use carryall::bundle::{Catalog, Recipient};
use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::maintain::{check, prune};
use carryall::ops::pack::recipients::{by_names, by_receipt};
use carryall::ops::pack::{PackReport, pack};
use carryall::ops::receive::{ProgressState, SetProgress};
use carryall::store::{CheckDepth, OpenMode, Store};
use carryall::volumes::block::BLOCK_BYTES;
use carryall::volumes::{Blocks, discover};
use packed::{Site, files_below, noise, paths_in};
use tempfile::TempDir;

/// Small media make small frames: there is something to lose one of.
const MEDIUM_BYTES: u64 = 14_000_000;
const FIRST: &str = "shop:1.0";
const SECOND: &str = "shop:1.1";

/// Two releases of eight files of noise; in the second two files changed a little and one is new.
struct Vendor {
    dir: TempDir,
    store: Store,
}

impl Vendor {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("vendor")).unwrap();
        let vendor = Self { dir, store };
        let mut files: Vec<Vec<u8>> = (0..8).map(|number| noise(number, 1_500_000)).collect();
        vendor.add(FIRST, &files);
        for file in &mut files[2..4] {
            file.iter_mut()
                .step_by(50_000)
                .for_each(|byte| *byte ^= 0x55);
        }
        files.push(noise(99, 2_500_000));
        files.push(noise(98, 2_500_000));
        vendor.add(SECOND, &files);
        vendor
    }

    fn given(&self, release: &str) -> PathBuf {
        self.dir.path().join(release.replace(':', "-"))
    }

    fn add(&self, release: &str, files: &[Vec<u8>]) {
        let given = self.given(release);
        fs::create_dir_all(&given).unwrap();
        for (number, bytes) in files.iter().enumerate() {
            fs::write(given.join(format!("{number}.bin")), bytes).unwrap();
        }
        let (name, options) = (release.parse().unwrap(), AddOptions::default());
        add(&self.store, &name, &paths_in(&given), &options, &Silent).unwrap();
    }

    fn pack(&self, release: &str, to: &str, receivers: Vec<Recipient>) -> PackReport {
        let options = options_since(MEDIUM_BYTES, receivers);
        let name: ReleaseName = release.parse().unwrap();
        let root = ops::release(&self.store, &name).unwrap();
        let to = self.dir.path().join(to);
        pack(&self.store, &[root], &to, &options, &mut |_| {}, &Silent).unwrap()
    }

    fn since(&self, release: &str) -> Vec<Recipient> {
        let name: ReleaseName = release.parse().unwrap();
        vec![by_names(&self.store, &[name]).unwrap().receiver]
    }

    /// Through the text, the JSON or the file, in turn: all say the same.
    fn by_receipt(&self, receipt: &Receipt) -> Vec<Recipient> {
        let text = receipt.to_text().unwrap().join("\n").into_bytes();
        let json = serde_json::to_vec(&receipt.to_json()).unwrap();
        let found = [text, json, receipt.to_bytes()].map(|form| {
            let read = Receipt::read(&form).unwrap();
            by_receipt(&self.store, "site", &read).unwrap().receiver
        });
        let frames = |receiver: &Recipient| {
            let sets = receiver.waiting.iter();
            sets.map(|set| (set.set, set.frames.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(frames(&found[0]), frames(&found[1]));
        assert_eq!(frames(&found[1]), frames(&found[2]));
        found.into_iter().take(1).collect()
    }

    fn assert_same(&self, site: &Site, release: &str) {
        site.gives_back(&release.parse().unwrap(), &self.given(release));
    }
}

/// Spoils the blocks that hold these frames.
fn spoil(report: &PackReport, frames: &[usize]) {
    let set = discover(&report.volumes, &Silent).unwrap().sets.remove(0);
    let catalog = Catalog::from_bytes(&set.catalog().unwrap()).unwrap();
    let places = catalog.places(&set.descriptor().unwrap().payload_bytes);
    assert!(places.len() > frames.len() + 1, "{} frames", places.len());
    for place in frames.iter().map(|frame| places[*frame]) {
        let volume = &report.volumes[usize::from(place.volume_no) - 1];
        let carrier = files_below(volume)
            .into_keys()
            .find(|name| name.extension().is_some_and(|kind| kind == "000"));
        let carrier = volume.join(carrier.unwrap());
        let file = OpenOptions::new().write(true).open(carrier).unwrap();
        let range = place.range();
        let middle = (range.start + range.end) / 2;
        let blocks = set.geometry().blocks_of_payload(middle..middle + 1);
        for block_no in blocks.map(|index| set.geometry().data_place(index)) {
            let at = u64::from(block_no) * BLOCK_BYTES as u64;
            file.write_all_at(&noise(at, BLOCK_BYTES), at).unwrap();
        }
    }
}

fn assert_spool_is_empty(site: &Site) {
    let status = ops::receive::status(&site.store).unwrap();
    assert!(status.incoming.is_empty(), "{:?}", status.incoming);
}

/// Receives a top-up, and asserts that it completes `release` and leaves nothing behind.
fn assert_completes(vendor: &Vendor, site: &Site, top_up: &PackReport, waited: &SetId) {
    let report = site.receive(&top_up.volumes);
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert_eq!(report.done_with, [*waited]);
    assert_spool_is_empty(site);
    vendor.assert_same(site, &top_up.plan.releases[0].to_string());
    site.assert_sound();
}

#[test]
fn what_a_damaged_full_set_lacks_comes_on_a_small_bundle() {
    let vendor = Vendor::new();
    let full = vendor.pack(FIRST, "full", Vec::new());
    spoil(&full, &[3, 4]);
    let site = Site::default();
    let report = site.receive(&full.volumes);
    assert_eq!(only(&report).state, ProgressState::Damaged);
    let receipt = site.receipt();
    assert!(receipt.releases.is_empty());
    let waiting = &receipt.waiting[0];
    assert!(!waiting.has(3) && !waiting.has(4) && waiting.has(2) && waiting.has(5));
    // A few lines, although it tells of some hundred chunks.
    assert!(receipt.to_text().unwrap().len() <= 4);

    let top_up = vendor.pack(FIRST, "top-up", vendor.by_receipt(&receipt));
    let (sent, all) = (top_up.plan.payload_bytes, full.plan.payload_bytes);
    assert!(sent * 3 < all, "{sent} of {all}");
    // Without the spool it says what it misses, and writes nothing.
    let stranger = Site::default();
    let before = stranger.content();
    let refused = stranger.receive(&top_up.volumes);
    let lacking = only(&refused).lacking.as_ref().unwrap();
    assert_eq!(only(&refused).state, ProgressState::NeedsBase);
    assert_eq!(lacking.sets[0].set_id, full.set_id);
    assert_eq!(lacking.sets[0].missing, lacking.sets[0].frames);
    assert!(lacking.chunks > 0 && stranger.content() == before);

    assert_completes(&vendor, &site, &top_up, &full.set_id);
    assert!(site.receipt().waiting.is_empty());
}

#[test]
fn a_volume_that_nobody_has_is_topped_up_too() {
    let vendor = Vendor::new();
    let full = vendor.pack(SECOND, "full", Vec::new());
    assert!(full.volumes.len() > 1);
    let site = Site::default();
    let report = site.receive(&full.volumes[1..]);
    assert_eq!(only(&report).state, ProgressState::NeedsVolumes);
    let top_up = vendor.pack(SECOND, "top-up", vendor.by_receipt(&site.receipt()));
    assert!(top_up.plan.payload_bytes < full.plan.payload_bytes);
    assert_completes(&vendor, &site, &top_up, &full.set_id);
}

#[test]
fn a_damaged_delta_is_topped_up_on_what_the_site_has() {
    let vendor = Vendor::new();
    let site = Site::default();
    let first = vendor.pack(FIRST, "first", Vec::new());
    site.receive(&first.volumes);
    let delta = vendor.pack(SECOND, "delta", vendor.since(FIRST));
    spoil(&delta, &[1]);
    let report = site.receive(&delta.volumes);
    assert_eq!(only(&report).state, ProgressState::Damaged);
    let top_up = vendor.pack(SECOND, "top-up", vendor.by_receipt(&site.receipt()));
    assert!(top_up.plan.payload_bytes < delta.plan.payload_bytes);
    assert_eq!(top_up.plan.leans[0].len(), 2, "{:?}", top_up.plan.leans);
    assert_completes(&vendor, &site, &top_up, &delta.set_id);
    vendor.assert_same(&site, FIRST);
}

#[test]
fn a_damaged_top_up_is_topped_up_itself() {
    let vendor = Vendor::new();
    let site = Site::default();
    let full = vendor.pack(FIRST, "full", Vec::new());
    spoil(&full, &[1, 3, 5]);
    site.receive(&full.volumes);
    let top_up = vendor.pack(FIRST, "top-up", vendor.by_receipt(&site.receipt()));
    spoil(&top_up, &[1]);
    let report = site.receive(&top_up.volumes);
    assert_eq!(only(&report).state, ProgressState::Damaged);
    let receipt = site.receipt();
    assert_eq!(receipt.waiting.len(), 2);
    let last = vendor.pack(FIRST, "last", vendor.by_receipt(&receipt));
    assert!(last.plan.payload_bytes < top_up.plan.payload_bytes);
    let report = site.receive(&last.volumes);
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert_eq!(report.done_with.len(), 2);
    assert_spool_is_empty(&site);
    vendor.assert_same(&site, FIRST);
}

#[test]
fn a_set_that_the_vendor_forgot_costs_a_larger_bundle() {
    let vendor = Vendor::new();
    let full = vendor.pack(FIRST, "full", Vec::new());
    spoil(&full, &[3]);
    let site = Site::default();
    site.receive(&full.volumes);
    let receipt = site.receipt();
    vendor.store.forget_set(&full.set_id).unwrap();
    let found = by_receipt(&vendor.store, "site", &receipt).unwrap();
    assert_eq!(found.unknown_sets, [full.set_id.short()]);
    assert!(found.receiver.waiting.is_empty());
    let whole = vendor.pack(FIRST, "whole", vec![found.receiver]);
    // The very same set again: what is there counts as read.
    assert_eq!(whole.set_id, full.set_id);
    let report = site.receive(&whole.volumes);
    assert_eq!(only(&report).state, ProgressState::Complete);
    vendor.assert_same(&site, FIRST);
}

/// A chunk of the base that delta frames lean on goes bad, and nobody knew before the delta came.
fn damaged_base(vendor: &Vendor) -> (Site, PackReport) {
    let site = Site::default();
    let first = vendor.pack(FIRST, "first", Vec::new());
    site.receive(&first.volumes);
    flip(site.store.dir(), &noise(2, 1_500_000)[700_100..700_132]);
    // What was read while the first release was proved is in memory, and still right.
    let Site { dir, store } = site;
    drop(store);
    let store = Store::open(&dir.path().join("store"), OpenMode::Write).unwrap();
    let site = Site { dir, store };
    let delta = vendor.pack(SECOND, "delta", vendor.since(FIRST));
    let report = site.receive(&delta.volumes);
    let progress = only(&report);
    assert_eq!(progress.state, ProgressState::NeedsBase, "{report:?}");
    let lacking = progress.lacking.as_ref().unwrap();
    assert_eq!(lacking.any_of[0][0].name, FIRST);
    assert_eq!(lacking.chunks, 1);
    (site, delta)
}

#[test]
fn a_base_found_damaged_on_the_way_comes_with_the_next_bundle_and_the_delta_follows() {
    let vendor = Vendor::new();
    for release in [FIRST, SECOND] {
        let (site, delta) = damaged_base(&vendor);
        let receipt = site.receipt();
        assert!(!receipt.lacks.is_empty() && receipt.waiting.len() == 1);
        let to = format!("next-{}", release.replace(':', "-"));
        let next = vendor.pack(release, &to, vendor.by_receipt(&receipt));
        // The frame of the store that the chunk stood in, and no more.
        let lacked_bytes = receipt.lacks.len() as u64 * 262_144;
        assert!(next.plan.payload_bytes < lacked_bytes, "{:?}", next.plan);
        let report = site.receive(&next.volumes);
        let complete = |set: &SetProgress| set.state == ProgressState::Complete;
        assert!(report.sets.iter().any(complete), "{report:?}");
        assert_spool_is_empty(&site);
        vendor.assert_same(&site, FIRST);
        vendor.assert_same(&site, SECOND);
        let left = site.receipt();
        assert!(left.lacks.is_empty() && left.waiting.is_empty(), "{left:?}");
        fs::remove_dir_all(delta.volumes[0].parent().unwrap()).unwrap();
        fs::remove_dir_all(vendor.dir.path().join("first")).unwrap();
    }
}

#[test]
fn a_delta_heals_what_it_can_of_a_store() {
    let vendor = Vendor::new();
    let site = Site::default();
    let first = vendor.pack(FIRST, "first", Vec::new());
    site.receive(&first.volumes);
    let delta = vendor.pack(SECOND, "delta", vendor.since(FIRST));
    site.receive(&delta.volumes);
    // One of the new files, and an old one that frames of the delta lean on.
    flip(
        site.store.dir(),
        &noise(99, 2_500_000)[1_000_000..1_000_032],
    );
    flip(site.store.dir(), &noise(2, 1_500_000)[700_100..700_132]);
    let heal =
        |from: &[PathBuf]| check::check(&site.store, CheckDepth::Data, from, &Silent).unwrap();
    let found = heal(&[]);
    let healed = heal(&delta.volumes);
    assert!(healed.healed_chunks > 0 && healed.lost_chunks < found.lost_chunks);
    assert!(healed.lost_chunks > 0, "the old file is not in the delta");
    let healed = heal(&[&delta.volumes[..], &first.volumes[..]].concat());
    assert_eq!(healed.lost_chunks, 0, "{healed:?}");
    vendor.assert_same(&site, SECOND);
    vendor.assert_same(&site, FIRST);
}

#[test]
fn sets_go_from_the_vendors_memory_with_their_releases() {
    let mut vendor = Vendor::new();
    let full = vendor.pack(FIRST, "full", Vec::new());
    let both = vendor.pack(SECOND, "both", Vec::new());
    let ids = |vendor: &Vendor| vendor.store.sets().unwrap();
    assert_eq!(ids(&vendor).len(), 2);
    vendor.store.remove_root("shop%3a1.0").unwrap();
    prune::prune(&mut vendor.store, &prune::PruneRequest::default(), &Silent).unwrap();
    assert_eq!(ids(&vendor), [both.set_id]);
    assert_ne!(ids(&vendor), [full.set_id]);
}

#[test]
fn one_set_that_is_wrong_keeps_no_other_out() {
    let vendor = Vendor::new();
    let good = vendor.pack(FIRST, "good", Vec::new());
    let bad = vendor.pack(SECOND, "bad", Vec::new());
    forge(&bad);
    let site = Site::default();
    let all = [&bad.volumes[..], &good.volumes[..]].concat();
    let report = site.receive(&all);
    assert_eq!(only(&report).state, ProgressState::Complete);
    assert_eq!(report.failed.len(), 1, "{report:?}");
    assert_eq!(report.failed[0].set_id, bad.set_id);
    assert_eq!(report.failed[0].error.code(), "volume.forged");
    vendor.assert_same(&site, FIRST);
    assert_eq!(site.releases(), [FIRST]);
}

/// Changes the catalog on every volume, block hashes put right: a forgery, not damage.
fn forge(report: &PackReport) {
    use carryall::volumes::block::{BlockHeader, BlockKind};
    for volume in &report.volumes {
        for name in files_below(volume).into_keys() {
            if name.extension().is_none_or(|kind| kind != "000") {
                continue;
            }
            let path = volume.join(name);
            let mut bytes = fs::read(&path).unwrap();
            for block in bytes.chunks_exact_mut(BLOCK_BYTES) {
                let header = BlockHeader::open(block).unwrap();
                if header.kind == BlockKind::Catalog {
                    block[carryall::volumes::block::HEADER_BYTES + 300] ^= 1;
                    header.seal(block);
                }
            }
            fs::write(path, bytes).unwrap();
        }
    }
}
