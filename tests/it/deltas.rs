//! Deltas on whole journeys: bundles cut for what a site has, in any order, for sites that lost something, and for sites
//! that are not what was believed. Either the exact release comes out, or what is missing is named and nothing is written.

use crate::testkit::golden::golden;
use crate::testkit::packed;
use crate::testkit::packed::{assert_all_complete, flip, options_since};
use crate::testkit::registry_parts::name;

use std::fs;
use std::path::PathBuf;

use carryall::base::envelope::HEADER_BYTES;
use carryall::base::id::{ReleaseId, SetId, StoreId};
use carryall::base::monitor::Silent;
use carryall::bundle::receipt::packed::PackedSet;
use carryall::bundle::receipt::site::Site as Remembered;
use carryall::bundle::receipt::{FramesWaiting, HeldRelease, Receipt};
use carryall::bundle::{
    Catalog, CatalogFrame, CatalogItem, CatalogRelease, FrameRun, Prerequisite,
    PrerequisiteRelease, PrerequisiteSet, Recipient,
};
use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::maintain::{check, prune};
use carryall::ops::pack::recipients::{by_names, by_receipt};
use carryall::ops::pack::{PackReport, pack};
use carryall::ops::receive::prerequisites::MissingState;
use carryall::ops::receive::receipt;
use carryall::ops::receive::{ProgressState, SetProgress, receive};
use carryall::store::{CheckDepth, Store};
use packed::{Site, files_below, noise, paths_in};
use tempfile::TempDir;

/// A medium that the full release needs several of.
const MEDIUM_BYTES: u64 = 7_600_000;
/// Parts of the large file, each of its own noise.
const PARTS: usize = 12;
const PART_BYTES: usize = 900_000;

/// The vendor: three releases of one product, each with a third of the large file and some small files changed.
struct Vendor {
    dir: TempDir,
    store: Store,
}

impl Vendor {
    fn new(versions: usize) -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("vendor")).unwrap();
        let vendor = Self { dir, store };
        for version in 0..versions {
            vendor.make(version);
        }
        vendor
    }

    fn release(version: usize) -> ReleaseName {
        name(["shop:1.0", "shop:1.1", "shop:2.0"][version])
    }

    fn given(&self, version: usize) -> PathBuf {
        self.dir.path().join(format!("given-{version}"))
    }

    /// Bytes of a part of the large file: parts change in turn.
    fn part(version: usize, part: usize) -> Vec<u8> {
        let changed = (1..=version).rev().find(|v| part % 3 == v % 3).unwrap_or(0);
        noise((part * 10 + changed) as u64 + 1, PART_BYTES)
    }

    fn make(&self, version: usize) {
        let given = self.given(version);
        fs::create_dir_all(given.join("tree/etc")).unwrap();
        let large: Vec<u8> = (0..PARTS)
            .flat_map(|part| Self::part(version, part))
            .collect();
        fs::write(given.join("large.bin"), large).unwrap();
        for number in 0..30 {
            let of = if number % 10 == 0 { version } else { 0 };
            let text = format!("settings {number} of {of}\n").repeat(200);
            fs::write(given.join(format!("tree/etc/{number}.conf")), text).unwrap();
        }
        self.add(version);
    }

    fn add(&self, version: usize) {
        let (given, release) = (self.given(version), Self::release(version));
        add(
            &self.store,
            &release,
            &paths_in(&given),
            &AddOptions::default(),
            &Silent,
        )
        .unwrap();
    }

    fn pack_for(&self, version: usize, to: &str, receivers: Vec<Recipient>) -> PackReport {
        let mut options = options_since(MEDIUM_BYTES, receivers);
        options.spare = Some(1);
        options.local_percent = None;
        let root = ops::release(&self.store, &Self::release(version)).unwrap();
        let to = self.dir.path().join(to);
        pack(&self.store, &[root], &to, &options, &mut |_| {}, &Silent).unwrap()
    }

    fn since(&self, version: usize) -> Recipient {
        let found = by_names(&self.store, &[Self::release(version)]).unwrap();
        found.receiver
    }

    fn by_receipt(&self, receipt: &Receipt) -> Recipient {
        by_receipt(&self.store, "site", receipt).unwrap().receiver
    }

    /// Compares what a site gives back with what was added here.
    fn assert_same(&self, site: &Site, version: usize) {
        site.gives_back(&Self::release(version), &self.given(version));
    }
}

fn only(site: &Site, volumes: &[PathBuf]) -> SetProgress {
    let mut sets = site.receive(volumes).sets;
    assert_eq!(sets.len(), 1, "{sets:?}");
    sets.remove(0)
}

fn states(progress: &SetProgress) -> Vec<Vec<MissingState>> {
    let lacking = progress.lacking.as_ref().unwrap();
    let states = lacking.any_of.iter();
    states
        .map(|lean| lean.iter().map(|each| each.state).collect())
        .collect()
}

/// Receives, and asserts that nothing but the spool changed.
fn assert_needs_base(site: &Site, volumes: &[PathBuf]) -> SetProgress {
    let before = site.content();
    let progress = only(site, volumes);
    assert_eq!(progress.state, ProgressState::NeedsBase, "{progress:?}");
    assert!(site.content() == before, "something was written");
    assert!(progress.committed.is_empty());
    progress
}

#[test]
fn a_chain_of_deltas_over_small_volumes_with_one_lost_each() {
    let vendor = Vendor::new(3);
    let site = Site::default();
    let mut payload = Vec::new();
    for version in 0..3 {
        let receipt = site.receipt();
        // By the file, then by the text: both say the same.
        let receipt = if version == 1 {
            Receipt::read(&receipt.to_bytes()).unwrap()
        } else {
            Receipt::read(receipt.to_text().unwrap().join("\n").as_bytes()).unwrap()
        };
        let to = format!("media-{version}");
        let report = vendor.pack_for(version, &to, vec![vendor.by_receipt(&receipt)]);
        payload.push(report.plan.payload_bytes);
        assert!(report.volumes.len() >= 2, "{report:?}");
        let leans: Vec<Vec<&str>> = match version {
            0 => Vec::new(),
            1 => vec![vec!["shop:1.0"]],
            _ => vec![vec!["shop:1.1"]],
        };
        assert_eq!(report.plan.leans, leans);
        fs::remove_dir_all(&report.volumes[0]).unwrap();
        let progress = only(&site, &report.volumes[1..]);
        assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
        vendor.assert_same(&site, version);
        let again = only(&site, &report.volumes[1..]);
        assert_eq!(again.state, ProgressState::AlreadyHere);
    }
    assert!(
        payload[1] * 2 < payload[0] && payload[2] * 2 < payload[0],
        "{payload:?}"
    );
    site.assert_sound();

    let mut site = site;
    site.store.remove_root("shop%3a1.0").unwrap();
    prune::prune(&mut site.store, &prune::PruneRequest::default(), &Silent).unwrap();
    site.assert_sound();
    vendor.assert_same(&site, 1);
    vendor.assert_same(&site, 2);
}

#[test]
fn a_delta_that_comes_first_waits_for_its_base() {
    let vendor = Vendor::new(3);
    let full = vendor.pack_for(0, "full", Vec::new());
    let first = vendor.pack_for(1, "first", vec![vendor.since(0)]);
    let second = vendor.pack_for(2, "second", vec![vendor.since(1)]);
    let site = Site::default();
    // Told with the first volume already, which is all of the data when the bundle is small.
    let progress = only(&site, &first.volumes[..1]);
    assert!(matches!(
        progress.state,
        ProgressState::NeedsVolumes | ProgressState::NeedsBase
    ));
    assert_eq!(states(&progress), [[MissingState::Absent]]);
    assert_eq!(progress.lacking.unwrap().any_of[0][0].name, "shop:1.0");
    let progress = assert_needs_base(&site, &first.volumes);
    assert!(progress.lacking.unwrap().chunks > 0);
    assert_needs_base(&site, &second.volumes);
    let status = ops::receive::status(&site.store).unwrap();
    assert_eq!(status.incoming.len(), 2);
    // It names what is waited for, and does not send anybody to receive the same volumes again.
    for waiting in &status.incoming {
        assert_eq!(waiting.state, ProgressState::NeedsBase, "{waiting:?}");
        assert_eq!(states(waiting), [[MissingState::Absent]]);
    }
    // The base brings both that wait for it.
    let report = site.receive(&full.volumes);
    assert_eq!(report.sets.len(), 3, "{report:?}");
    assert!(
        report
            .sets
            .iter()
            .all(|set| set.state == ProgressState::Complete)
    );
    for version in 0..3 {
        vendor.assert_same(&site, version);
    }
    site.assert_sound();
    assert_eq!(
        only(&site, &second.volumes).state,
        ProgressState::AlreadyHere
    );

    // All at once, in whatever order their ids have.
    let site = Site::default();
    let all = [full.volumes, first.volumes, second.volumes].concat();
    let report = site.receive(&all);
    assert_all_complete(&report);
    assert_eq!(site.releases(), ["shop:1.0", "shop:1.1", "shop:2.0"]);
}

#[test]
fn a_base_that_went_meanwhile_is_missed_by_name_unless_its_chunks_are_still_there() {
    let vendor = Vendor::new(2);
    let full = vendor.pack_for(0, "full", Vec::new());
    let mut site = Site::default();
    site.receive(&full.volumes);
    let receiver = vendor.by_receipt(&site.receipt());
    let delta = vendor.pack_for(1, "delta", vec![receiver]);
    // Its root went, its chunks did not.
    site.store.remove_root("shop%3a1.0").unwrap();
    let kept = Site::default();
    copy_store(&site, &kept);
    let kept = Site {
        store: reopen(&kept),
        ..kept
    };
    assert_eq!(only(&kept, &delta.volumes).state, ProgressState::Complete);
    vendor.assert_same(&kept, 1);

    prune::prune(&mut site.store, &prune::PruneRequest::default(), &Silent).unwrap();
    let progress = assert_needs_base(&site, &delta.volumes);
    assert_eq!(states(&progress), [[MissingState::Absent]]);
    // The base comes again, and the delta with it.
    let report = site.receive(&full.volumes);
    assert_eq!(report.sets.len(), 2, "{report:?}");
    vendor.assert_same(&site, 1);
}

/// Puts a copy of one site's store in place of another one's.
fn copy_store(from: &Site, to: &Site) {
    fs::remove_dir_all(to.dir.path().join("store")).unwrap();
    for (name, bytes) in files_below(from.store.dir()) {
        let path = to.dir.path().join("store").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn reopen(site: &Site) -> Store {
    Store::open(
        &site.dir.path().join("store"),
        carryall::store::OpenMode::Write,
    )
    .unwrap()
}

#[test]
fn another_release_of_the_same_name_serves_when_it_has_the_chunks() {
    let vendor = Vendor::new(2);
    let full = vendor.pack_for(0, "full", Vec::new());
    let delta = vendor.pack_for(1, "delta", vec![vendor.since(0)]);
    let site = Site::default();
    site.receive(&full.volumes);
    // One file more was added at the site: so it has another id, and all chunks.
    let extra = site.dir.path().join("extra.txt");
    fs::write(&extra, "more").unwrap();
    add(
        &site.store,
        &Vendor::release(0),
        &[extra],
        &AddOptions::default(),
        &Silent,
    )
    .unwrap();
    let held = ops::release(&site.store, &Vendor::release(0)).unwrap();
    let sent = ops::release(&vendor.store, &Vendor::release(0)).unwrap();
    assert!(held.id() != sent.id());
    assert_eq!(only(&site, &delta.volumes).state, ProgressState::Complete);
    vendor.assert_same(&site, 1);
}

#[test]
fn receipts_that_are_not_true_cost_time_and_nothing_else() {
    let vendor = Vendor::new(2);
    let full = vendor.pack_for(0, "full", Vec::new());
    let site = Site::default();
    site.receive(&full.volumes);
    let receipt = site.receipt();
    // What the vendor does not know is left out of account.
    let mut stranger = receipt.clone();
    stranger.releases = vec![HeldRelease {
        name: "other:1.0".into(),
        id: vec![9; 16],
    }];
    let found = by_receipt(&vendor.store, "site", &stranger).unwrap();
    assert_eq!(found.unknown, ["other:1.0"]);
    let bundle = vendor.pack_for(1, "stranger", vec![found.receiver]);
    assert!(bundle.plan.leans.is_empty());
    assert_eq!(
        only(&Site::default(), &bundle.volumes).state,
        ProgressState::Complete
    );
    // Another site's receipt, or a forged one: refused with the release's name.
    let delta = vendor.pack_for(1, "delta", vec![vendor.by_receipt(&receipt)]);
    let empty = Site::default();
    assert_needs_base(&empty, &delta.volumes);
    assert_eq!(empty.releases(), [""; 0]);
    // A receipt that lists lacking chunks of nobody is no harm.
    let mut lacking = receipt.clone();
    lacking.lacks = vec![[7; 8]];
    let harmless = vendor.pack_for(1, "harmless", vec![vendor.by_receipt(&lacking)]);
    assert_eq!(harmless.plan.payload_bytes, delta.plan.payload_bytes);
    assert_eq!(
        only(&site, &harmless.volumes).state,
        ProgressState::Complete
    );
}

#[test]
fn one_bundle_fits_several_receivers() {
    let vendor = Vendor::new(3);
    let receivers = vec![vendor.since(0), vendor.since(1)];
    let both = vendor.pack_for(2, "both", receivers);
    assert_eq!(both.plan.leans, [["shop:1.0"], ["shop:1.1"]]);
    let alone: Vec<u64> = both
        .plan
        .receivers
        .iter()
        .map(|each| each.alone_bytes.unwrap())
        .collect();
    let together = both.plan.together_bytes.unwrap();
    assert!(
        alone[1] < alone[0] && alone[0] <= together,
        "{alone:?} {together}"
    );
    for version in 0..2 {
        let site = Site::default();
        let base = vendor.pack_for(version, &format!("base-{version}"), Vec::new());
        site.receive(&base.volumes);
        assert_eq!(only(&site, &both.volumes).state, ProgressState::Complete);
        vendor.assert_same(&site, 2);
    }
    assert_needs_base(&Site::default(), &both.volumes);
}

#[test]
fn a_damaged_chunk_of_the_base_is_named_and_comes_with_the_next_bundle() {
    let vendor = Vendor::new(2);
    let full = vendor.pack_for(0, "full", Vec::new());
    let site = Site::default();
    site.receive(&full.volumes);
    let delta = vendor.pack_for(1, "delta", vec![vendor.by_receipt(&site.receipt())]);
    // A part that does not change: noise stands in packs as it is.
    let (whole, hurt) = (site.receipt(), &Vendor::part(0, 0)[400_000..400_032]);
    assert!(whole.lacks.is_empty());
    flip(site.store.dir(), hurt);
    let found = check::check(&site.store, CheckDepth::Data, &[], &Silent).unwrap();
    assert!(found.has_loss());

    let progress = assert_needs_base(&site, &delta.volumes);
    assert_eq!(states(&progress), [[MissingState::Damaged]]);
    let lacking = progress.lacking.unwrap();
    assert!(lacking.chunks > 0 && lacking.chunk_ids.len() as u64 <= lacking.chunks);
    let receipt = site.receipt();
    assert!(!receipt.lacks.is_empty() && receipt.releases == whole.releases);
    let lacks = &lacking.chunk_ids[0].to_string()[..16];
    let listed = |lack: &[u8; 8]| {
        lack.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    assert!(receipt.lacks.iter().map(listed).any(|lack| lack == lacks));

    let next = vendor.pack_for(1, "next", vec![vendor.by_receipt(&receipt)]);
    // The delta waits there, so this is what completes it. The whole frame is lost that the chunk stood in, and no more.
    // That frame stands in the store as the full bundle had it, which on such a medium is about 1 MiB.
    let sent = next.plan.payload_bytes;
    assert!((500_000..2_000_000).contains(&sent), "{sent}");
    let report = site.receive(&next.volumes);
    assert!(
        report
            .sets
            .iter()
            .any(|set| set.state == ProgressState::Complete),
        "{report:?}"
    );
    vendor.assert_same(&site, 1);
    // What came heals the base too, as far as both need it.
    let left = site.receipt().lacks;
    assert!(
        left.len() < receipt.lacks.len(),
        "{} of {}",
        left.len(),
        receipt.lacks.len()
    );
    assert!(left.iter().all(|lack| receipt.lacks.contains(lack)));
}

#[test]
fn a_release_that_the_receiver_has_makes_a_bundle_of_next_to_nothing() {
    let vendor = Vendor::new(1);
    let full = vendor.pack_for(0, "full", Vec::new());
    let site = Site::default();
    site.receive(&full.volumes);
    let nothing = vendor.pack_for(0, "nothing", vec![vendor.since(0)]);
    assert_eq!(nothing.plan.payload_bytes, 0);
    assert_eq!(
        only(&site, &nothing.volumes).state,
        ProgressState::AlreadyHere
    );
    assert_needs_base(&Site::default(), &nothing.volumes);
    let error = receive(&site.store, &[site.dir.path().join("none")], &Silent);
    assert!(error.is_err());
}

#[test]
fn receipts_and_sites_keep_their_bytes() {
    let held = |name: &str, byte| HeldRelease {
        name: name.into(),
        id: vec![byte; 16],
    };
    let releases = vec![held("shop:1.0", 1), held("shop:1.1@arm64", 2)];
    let receipt = Receipt::new(StoreId([0xab; 16]), releases.clone(), vec![[3; 8]]);
    let bytes = golden("two-releases.receipt", &receipt.to_bytes());
    assert_eq!(Receipt::read(&bytes).unwrap(), receipt);
    // bincode itself reads the body.
    type Body = (Vec<u8>, Vec<(String, Vec<u8>)>, Vec<[u8; 8]>);
    let config = bincode::config::legacy();
    let (body, read): (Body, usize) =
        bincode::decode_from_slice(&bytes[HEADER_BYTES..], config).unwrap();
    assert_eq!(read, bytes.len() - HEADER_BYTES);
    assert_eq!(body.0, receipt.store);
    assert_eq!(body.1[1].0, "shop:1.1@arm64");
    assert_eq!(body.2, receipt.lacks);
    let json = serde_json::to_string_pretty(&receipt.to_json()).unwrap();
    let bytes = golden("two-releases.receipt.json", json.as_bytes());
    assert_eq!(Receipt::read(&bytes).unwrap(), receipt);

    let mut site = Remembered {
        receipt: Some(receipt.clone()),
        packed: releases,
    };
    let bytes = golden("site.bin", &site.encode());
    assert_eq!(Remembered::decode(&bytes).unwrap(), site);
    site.receipt = None;
    assert_ne!(site.encode(), bytes);

    let runs = |set, frames: &[u32]| FramesWaiting::new(&SetId([set; 16]), frames.iter().copied());
    let waiting = [runs(7, &[0, 1, 2, 5]), runs(6, &[300])];
    let receipt = receipt.with_waiting(waiting.into_iter().flatten().collect());
    let bytes = golden("waiting.receipt", &receipt.to_bytes());
    assert_eq!(Receipt::read(&bytes).unwrap(), receipt);
    let json = serde_json::to_string_pretty(&receipt.to_json()).unwrap();
    let bytes = golden("waiting.receipt.json", json.as_bytes());
    assert_eq!(Receipt::read(&bytes).unwrap(), receipt);
    site.receipt = Some(receipt);
    let bytes = golden("waiting-site.bin", &site.encode());
    assert_eq!(Remembered::decode(&bytes).unwrap(), site);
    let packed = PackedSet {
        releases: site.packed,
        frames: vec![vec![[1; 8], [2; 8]], vec![[3; 8]]],
    };
    let bytes = golden("packed-set.bin", &packed.encode());
    assert_eq!(PackedSet::decode(&bytes).unwrap(), packed);
}

#[test]
fn catalogs_keep_their_bytes() {
    let run = FrameRun { first: 1, count: 2 };
    let lean = Prerequisite {
        releases: vec![PrerequisiteRelease {
            name: "shop:1.0".into(),
            id: ReleaseId([1; 32]),
        }],
        sets: Vec::new(),
    };
    let mut catalog = Catalog {
        seals: None,
        releases: vec![CatalogRelease {
            name: "shop:1.1".into(),
            root: vec![9; 40],
            items: vec![CatalogItem {
                name: b"tree".to_vec(),
                bytes: 77,
                frames: vec![run],
            }],
        }],
        frames: vec![
            CatalogFrame {
                stored_bytes: 100,
                plain_bytes: 300,
                chunks: 2,
            };
            3
        ],
        prerequisites: Vec::new(),
    };
    let check = |name: &str, catalog: &Catalog| {
        let bytes = golden(name, &catalog.to_bytes());
        assert_eq!(&Catalog::from_bytes(&bytes).unwrap(), catalog);
    };
    check("full.catalog", &catalog);
    catalog.prerequisites = vec![lean];
    check("delta.catalog", &catalog);
    catalog.prerequisites[0].sets = vec![PrerequisiteSet {
        set: SetId([5; 16]),
        frames: vec![run],
    }];
    check("top-up.catalog", &catalog);
}

#[test]
fn a_receipt_says_the_same_until_the_store_changes() {
    let vendor = Vendor::new(2);
    let first = Site {
        dir: TempDir::new().unwrap(),
        store: Store::create(&TempDir::new().unwrap().path().join("x")).unwrap(),
    }
    .receipt();
    assert!(first.releases.is_empty());
    let receipt = |store: &Store| receipt::receipt(store, &Silent).unwrap().receipt;
    let before = receipt(&vendor.store);
    assert_eq!(receipt(&vendor.store), before);
    assert_eq!(before.releases.len(), 2);
    let lines = before.to_text().unwrap();
    assert!(lines.len() <= 3, "tens of bytes: {lines:?}");
    assert!(before.to_bytes().len() < 250);
}
