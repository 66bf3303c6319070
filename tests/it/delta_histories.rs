//! Property: whatever a product's history and whatever became of a site, `receive` gives the exact release or says what it
//! lacks; and the next honest receipt always leads to the exact release. Then the same by name, one mishap each.

use crate::testkit::packed;
use crate::testkit::properties::cases;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use carryall::base::monitor::Silent;
use carryall::bundle::Recipient;
use carryall::bundle::receipt::Receipt;
use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::maintain::{check, prune};
use carryall::ops::pack::recipients::{by_names, by_receipt};
use carryall::ops::pack::{PackReport, pack};
use carryall::ops::receive::prerequisites::MissingState;
use carryall::ops::receive::receipt;
use carryall::ops::receive::{ProgressState, ReceiveReport, receive};
use carryall::store::{CheckDepth, OpenMode, Store};
use packed::{files_below, look, noise, paths_in};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tempfile::TempDir;

/// Releases of a history.
const VERSIONS: usize = 4;
/// Histories that are walked, unless $PROPTEST_CASES asks for more.
const CASES: u32 = 20;

/// What happens between two releases. Places count modulo what is there.
#[derive(Debug, Clone)]
enum Edit {
    Add { seed: u64, bytes: usize },
    Change { at: usize, place: usize, seed: u64 },
    Grow { at: usize, seed: u64 },
    Move { at: usize, seed: u64 },
    Remove { at: usize },
    Retouch,
}

/// What a release is given as.
#[derive(Debug, Clone, Copy)]
enum Form {
    Folder,
    Tar {
        gzip: bool,
    },
    /// So many tars that together are the tree: layers that are squashed and split from one release to the next.
    Layers {
        count: usize,
        gzip: bool,
    },
}

/// Whose receipt a bundle is cut for.
#[derive(Debug, Clone, Copy)]
enum Claim {
    /// The site's own, as it is now.
    Now,
    /// One of an earlier day.
    Old,
    /// Of another store, which has all releases.
    Another,
    /// Nobody asked: the site is believed to have this one.
    Since(usize),
}

/// What happens at the site.
#[derive(Debug, Clone, Copy)]
enum Step {
    Full {
        version: usize,
    },
    Delta {
        version: usize,
        claim: Claim,
    },
    Remove {
        version: usize,
    },
    Prune,
    /// A byte of a pack changes; somebody may look, or not.
    Damage {
        at: usize,
        is_noticed: bool,
    },
    /// A pack goes.
    Lose {
        at: usize,
    },
    KeepReceipt,
}

#[derive(Debug, Clone)]
struct History {
    releases: Vec<(Vec<Edit>, Form)>,
    steps: Vec<Step>,
}

fn edits() -> impl Strategy<Value = Edit> {
    let (at, seed) = (0_usize..100, any::<u64>());
    prop_oneof![
        2 => (seed, 1_usize..150_000).prop_map(|(seed, bytes)| Edit::Add { seed, bytes }),
        3 => (at.clone(), 0_usize..150_000, seed)
            .prop_map(|(at, place, seed)| Edit::Change { at, place, seed }),
        1 => (at.clone(), seed).prop_map(|(at, seed)| Edit::Grow { at, seed }),
        2 => (at.clone(), seed).prop_map(|(at, seed)| Edit::Move { at, seed }),
        1 => at.prop_map(|at| Edit::Remove { at }),
        1 => Just(Edit::Retouch),
    ]
}

fn forms() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Folder),
        any::<bool>().prop_map(|gzip| Form::Tar { gzip }),
        (2_usize..4, any::<bool>()).prop_map(|(count, gzip)| Form::Layers { count, gzip }),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let version = 0..VERSIONS;
    let claim = prop_oneof![
        3 => Just(Claim::Now),
        1 => Just(Claim::Old),
        1 => Just(Claim::Another),
        2 => version.clone().prop_map(Claim::Since),
    ];
    prop_oneof![
        2 => version.clone().prop_map(|version| Step::Full { version }),
        5 => (version.clone(), claim).prop_map(|(version, claim)| Step::Delta { version, claim }),
        1 => version.prop_map(|version| Step::Remove { version }),
        1 => Just(Step::Prune),
        2 => (0_usize..1_000_000, any::<bool>())
            .prop_map(|(at, is_noticed)| Step::Damage { at, is_noticed }),
        1 => (0_usize..100).prop_map(|at| Step::Lose { at }),
        1 => Just(Step::KeepReceipt),
    ]
}

fn histories() -> impl Strategy<Value = History> {
    let release = (proptest::collection::vec(edits(), 1..5), forms());
    (
        proptest::collection::vec(release, VERSIONS),
        proptest::collection::vec(steps(), 2..8),
    )
        .prop_map(|(releases, steps)| History { releases, steps })
}

/// Files of a product, and when they were touched last.
#[derive(Clone, Default)]
struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    mtime: u64,
}

/// Some files compress, some do not.
fn content(seed: u64, bytes: usize) -> Vec<u8> {
    if seed.is_multiple_of(2) {
        return noise(seed, bytes);
    }
    let lines = (0..).map(|number| format!("{:x} line {number}\n", seed.rotate_left(number % 64)));
    let mut text: Vec<u8> = lines.take(bytes / 20 + 1).collect::<String>().into_bytes();
    text.truncate(bytes.max(1));
    text
}

impl Tree {
    fn first() -> Self {
        let mut tree = Self {
            mtime: 1_600_000_000,
            ..Self::default()
        };
        for (seed, bytes) in (10..).zip([200_000, 90_000, 3_000, 70_000]) {
            tree.edit(&Edit::Add { seed, bytes });
        }
        tree
    }

    fn name_at(&self, at: usize) -> Option<String> {
        let place = at.checked_rem(self.files.len())?;
        self.files.keys().nth(place).cloned()
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Add { seed, bytes } => {
                let name = format!("d{}/f{}", seed % 3, seed % 1000);
                self.files.insert(name, content(*seed, *bytes));
            }
            Edit::Change { at, place, seed } => self.change(*at, |bytes| {
                let place = place % bytes.len();
                let end = bytes.len().min(place + 8);
                let news = seed.to_le_bytes();
                bytes[place..end].copy_from_slice(&news[..end - place]);
            }),
            Edit::Grow { at, seed } => self.change(*at, |bytes| {
                let place = bytes.len() / 3;
                bytes.splice(place..place, noise(*seed, 500));
            }),
            Edit::Move { at, seed } => {
                if let Some(name) = self.name_at(*at) {
                    let bytes = self.files.remove(&name).unwrap();
                    self.files.insert(format!("moved/m{}", seed % 1000), bytes);
                }
            }
            Edit::Remove { at } => {
                if self.files.len() > 1 {
                    self.files.remove(&self.name_at(*at).unwrap());
                }
            }
            Edit::Retouch => self.mtime += 3600,
        }
    }

    fn change(&mut self, at: usize, how: impl FnOnce(&mut Vec<u8>)) {
        if let Some(name) = self.name_at(at) {
            how(self.files.get_mut(&name).unwrap());
        }
    }

    /// Writes it into an empty folder, to be added from there.
    fn write(&self, given: &Path, form: Form) {
        fs::create_dir_all(given).unwrap();
        let files: Vec<(&String, &Vec<u8>)> = self.files.iter().collect();
        match form {
            Form::Folder => {
                for (name, bytes) in files {
                    let path = given.join("tree").join(name);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(&path, bytes).unwrap();
                    let touched = SystemTime::UNIX_EPOCH + Duration::from_secs(self.mtime);
                    let file = fs::File::options().write(true).open(&path).unwrap();
                    file.set_modified(touched).unwrap();
                }
            }
            Form::Tar { gzip } => self.write_tar(&given.join("image.tar"), &files, gzip),
            Form::Layers { count, gzip } => {
                for number in 0..count {
                    let mine = files.iter().skip(number).step_by(count);
                    let mine: Vec<_> = mine.copied().collect();
                    self.write_tar(&given.join(format!("layer-{number}.tar")), &mine, gzip);
                }
            }
        }
    }

    fn write_tar(&self, path: &Path, files: &[(&String, &Vec<u8>)], gzip: bool) {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(self.mtime);
            tar.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        let plain = tar.into_inner().unwrap();
        if !gzip {
            return fs::write(path, plain).unwrap();
        }
        let level = flate2::Compression::new(6);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), level);
        packed.write_all(&plain).unwrap();
        fs::write(path.with_extension("tar.gz"), packed.finish().unwrap()).unwrap();
    }
}

fn name_of(version: usize) -> ReleaseName {
    format!("shop:1.{version}").parse().unwrap()
}

struct Vendor {
    dir: TempDir,
    store: Store,
    packs: usize,
}

impl Vendor {
    fn new(releases: &[(Vec<Edit>, Form)]) -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("vendor")).unwrap();
        let vendor = Self {
            dir,
            store,
            packs: 0,
        };
        let mut tree = Tree::first();
        for (version, (edits, form)) in releases.iter().enumerate() {
            edits.iter().for_each(|edit| tree.edit(edit));
            let given = vendor.given(version);
            tree.write(&given, *form);
            let options = AddOptions::default();
            add(
                &vendor.store,
                &name_of(version),
                &paths_in(&given),
                &options,
                &Silent,
            )
            .unwrap();
        }
        vendor
    }

    fn given(&self, version: usize) -> PathBuf {
        self.dir.path().join(format!("given-{version}"))
    }

    fn pack(&mut self, version: usize, receivers: Vec<Recipient>) -> PackReport {
        let options = packed::options_since(16 << 20, receivers);
        self.packs += 1;
        let to = self.dir.path().join(format!("media-{}", self.packs));
        let root = ops::release(&self.store, &name_of(version)).unwrap();
        pack(&self.store, &[root], &to, &options, &mut |_| {}, &Silent).unwrap()
    }

    fn for_receipt(&mut self, version: usize, receipt: &Receipt) -> PackReport {
        let found = by_receipt(&self.store, "site", receipt).unwrap();
        self.pack(version, vec![found.receiver])
    }

    fn since(&mut self, version: usize, since: usize) -> PackReport {
        let found = by_names(&self.store, &[name_of(since)]).unwrap();
        self.pack(version, vec![found.receiver])
    }
}

/// A site's store, which is opened anew whenever something happened to its files.
struct Site {
    dir: TempDir,
    store: Option<Store>,
    old: Option<Receipt>,
}

impl Site {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("store")).unwrap();
        Self {
            dir,
            store: Some(store),
            old: None,
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn store_dir(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(Store::open(&self.store_dir(), OpenMode::Write).unwrap());
    }

    fn receipt(&self) -> Receipt {
        receipt::receipt(self.store(), &Silent).unwrap().receipt
    }

    fn receive(&self, bundle: &PackReport) -> ReceiveReport {
        let report = receive(self.store(), &bundle.volumes, &Silent).unwrap();
        assert!(report.failed.is_empty(), "{report:?}");
        report
    }

    fn releases(&self) -> Vec<ReleaseName> {
        let (roots, _) = ops::releases(self.store()).unwrap();
        roots.into_iter().map(|root| root.name).collect()
    }

    fn packs(&self) -> Vec<PathBuf> {
        let files = files_below(&self.store_dir()).into_keys();
        let packs = files.filter(|name| name.starts_with("packs"));
        packs.map(|name| self.store_dir().join(name)).collect()
    }

    fn damage(&mut self, at: usize) {
        let packs = self.packs();
        let Some(place) = at.checked_rem(packs.len()) else {
            return;
        };
        let mut bytes = fs::read(&packs[place]).unwrap();
        let middle = at % bytes.len();
        bytes[middle] ^= 0x10;
        fs::write(&packs[place], bytes).unwrap();
        self.reopen();
    }

    fn lose(&mut self, at: usize) {
        let packs = self.packs();
        if let Some(place) = at.checked_rem(packs.len()) {
            fs::remove_file(&packs[place]).unwrap();
            self.reopen();
        }
    }

    /// Reads everything, so that all damage is known; says whether this release is whole.
    fn check(&self, version: usize) -> bool {
        let report = check::check(self.store(), CheckDepth::Data, &[], &Silent).unwrap();
        let name = name_of(version);
        report.damaged.iter().all(|release| release.name != name)
    }

    /// Gives a release back: whole and exact, or not whole. Never anything else.
    fn gives_back(&self, vendor: &Vendor, version: usize) -> bool {
        let back = TempDir::new().unwrap();
        let dest = back.path().join("back");
        let options = CheckoutOptions::default();
        match checkout(self.store(), &name_of(version), &dest, &options, &Silent) {
            Ok(report) if report.is_whole() => {
                assert!(
                    look(&dest) == look(&vendor.given(version)),
                    "another release came out"
                );
                true
            }
            _ => false,
        }
    }

    /// A bundle of this version came. Nothing but the exact release, or a word of what is lacking.
    fn take(&self, vendor: &Vendor, version: usize, bundle: &PackReport) {
        let before = self.releases();
        let report = self.receive(bundle);
        let progress = report.sets.iter().find(|set| set.set_id == bundle.set_id);
        let progress = progress.unwrap();
        match progress.state {
            ProgressState::Complete | ProgressState::AlreadyHere => {
                assert!(self.releases().contains(&name_of(version)));
                // Old chunks that nobody has read since they went bad: `check --data` tells.
                assert!(self.gives_back(vendor, version) || !self.check(version));
            }
            ProgressState::NeedsBase => {
                let lacking = progress.lacking.as_ref().unwrap();
                assert!(lacking.chunks > 0, "{lacking:?}");
                assert!(!lacking.any_of.is_empty());
                assert!(progress.committed.is_empty());
                assert!(before.iter().all(|name| self.releases().contains(name)));
            }
            other => panic!("{other:?}: {report:?}"),
        }
    }

    /// What an honest site does: look, tell, receive. Once the damage is known, one bundle is enough.
    fn cure(&self, vendor: &mut Vendor, version: usize) {
        self.check(version);
        let bundle = vendor.for_receipt(version, &self.receipt());
        let report = self.receive(&bundle);
        let is_here = self.releases().contains(&name_of(version));
        assert!(is_here && self.gives_back(vendor, version), "{report:?}");
    }
}

impl History {
    fn walk(&self) {
        let mut vendor = Vendor::new(&self.releases);
        let mut site = Site::new();
        for step in &self.steps {
            take_step(*step, &mut vendor, &mut site);
        }
        for version in 0..VERSIONS {
            site.cure(&mut vendor, version);
        }
        let report = check::check(site.store(), CheckDepth::Data, &[], &Silent).unwrap();
        assert!(!report.has_loss(), "{report:?}");
        let waiting = ops::receive::status(site.store()).unwrap().incoming;
        assert!(waiting.is_empty(), "{waiting:?}");
        prune::prune(
            site.store.as_mut().unwrap(),
            &prune::PruneRequest::default(),
            &Silent,
        )
        .unwrap();
        site.reopen();
        let report = check::check(site.store(), CheckDepth::Data, &[], &Silent).unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}

fn take_step(step: Step, vendor: &mut Vendor, site: &mut Site) {
    match step {
        Step::Full { version } => {
            let bundle = vendor.pack(version, Vec::new());
            site.take(vendor, version, &bundle);
        }
        Step::Delta { version, claim } => {
            let bundle = match claim {
                Claim::Now => vendor.for_receipt(version, &site.receipt()),
                Claim::Old => {
                    let old = site.old.clone().unwrap_or_else(|| site.receipt());
                    vendor.for_receipt(version, &old)
                }
                Claim::Another => {
                    let another = receipt::receipt(&vendor.store, &Silent).unwrap();
                    vendor.for_receipt(version, &another.receipt)
                }
                Claim::Since(since) => vendor.since(version, since),
            };
            site.take(vendor, version, &bundle);
        }
        Step::Remove { version } => {
            // It may not be there.
            let _ = site.store().remove_root(&name_of(version).file_stem());
        }
        Step::Prune => {
            // With a release that cannot be walked nothing is dropped.
            let _ = prune::prune(
                site.store.as_mut().unwrap(),
                &prune::PruneRequest::default(),
                &Silent,
            );
        }
        Step::Damage { at, is_noticed } => {
            site.damage(at);
            if is_noticed {
                site.check(0);
            }
        }
        Step::Lose { at } => site.lose(at),
        Step::KeepReceipt => site.old = Some(site.receipt()),
    }
}

#[test]
fn whatever_happens_the_exact_release_comes_or_what_lacks_is_named() {
    let config = Config {
        max_shrink_iters: 10,
        ..cases(CASES)
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng)
        .run(&histories(), |history| {
            history.walk();
            Ok(())
        })
        .unwrap();
}

/// Three releases, each with a change to a long file.
fn named() -> Vendor {
    let form = Form::Tar { gzip: false };
    let change = |seed| Edit::Change {
        at: 0,
        place: 50_000,
        seed,
    };
    let first = (
        vec![
            Edit::Add {
                seed: 20,
                bytes: 400_000,
            },
            change(1),
        ],
        form,
    );
    Vendor::new(&[first, (vec![change(2)], form), (vec![change(3)], form)])
}

fn state(site: &Site, bundle: &PackReport) -> ProgressState {
    let sets = site.receive(bundle).sets;
    let set = sets.iter().find(|set| set.set_id == bundle.set_id);
    set.unwrap().state
}

/// Receives what cannot be taken in, and returns how the site stands to the release that is leaned on.
fn refused(site: &Site, bundle: &PackReport) -> MissingState {
    let before = site.releases();
    let report = site.receive(bundle);
    assert_eq!(report.sets[0].state, ProgressState::NeedsBase, "{report:?}");
    assert_eq!(site.releases(), before);
    let lacking = report.sets[0].lacking.clone().unwrap();
    assert!(lacking.chunks > 0);
    lacking.any_of[0][0].state
}

#[test]
fn the_wrong_base_is_no_base() {
    let mut vendor = named();
    let site = Site::new();
    let (other, delta) = (vendor.pack(0, Vec::new()), vendor.since(2, 1));
    site.receive(&other);
    assert_eq!(refused(&site, &delta), MissingState::Absent);
    site.cure(&mut vendor, 2);
}

#[test]
fn half_a_base_is_asked_for_by_halves() {
    let mut vendor = named();
    let mut site = Site::new();
    let full = vendor.pack(0, Vec::new());
    site.receive(&full);
    // A second pack holds what the first one does not; then that one goes.
    let more = vendor.since(1, 0);
    site.receive(&more);
    let packs = site.packs();
    assert!(packs.len() > 1);
    let small = packs
        .iter()
        .min_by_key(|pack| fs::metadata(pack).unwrap().len());
    fs::remove_file(small.unwrap()).unwrap();
    site.reopen();
    let delta = vendor.since(2, 1);
    assert_eq!(refused(&site, &delta), MissingState::Damaged);
    let receipt = site.receipt();
    let rest = vendor.for_receipt(2, &receipt);
    assert!(rest.plan.payload_bytes < full.plan.payload_bytes / 2);
    assert_eq!(state(&site, &rest), ProgressState::Complete);
    assert!(site.gives_back(&vendor, 2));
}

#[test]
fn a_forged_receipt_is_found_out_by_what_is_lacking() {
    let mut vendor = named();
    let site = Site::new();
    let full = vendor.pack(0, Vec::new());
    site.receive(&full);
    let honest = site.receipt();
    // A release that the site never had, in JSON.
    let mut json = honest.to_json();
    let another = receipt::receipt(&vendor.store, &Silent).unwrap().json;
    json.releases.push(another.releases[1].clone());
    let forged = Receipt::read(&serde_json::to_vec(&json).unwrap()).unwrap();
    let bundle = vendor.for_receipt(2, &forged);
    assert_eq!(bundle.plan.leans, [["shop:1.1"]]);
    assert_eq!(refused(&site, &bundle), MissingState::Absent);
    // A set that it never got, in the text.
    let sent = vendor.pack(2, Vec::new());
    let frames = carryall::bundle::receipt::FramesWaiting::new(&sent.set_id, 0..2).unwrap();
    let text = honest.with_waiting(vec![frames]).to_text().unwrap();
    let forged = Receipt::read(text.join("\n").as_bytes()).unwrap();
    let bundle = vendor.for_receipt(2, &forged);
    refused(&site, &bundle);
    site.cure(&mut vendor, 2);
}

#[test]
fn a_bundle_that_comes_twice_changes_nothing() {
    let mut vendor = named();
    let site = Site::new();
    let full = vendor.pack(0, Vec::new());
    site.receive(&full);
    let delta = vendor.since(1, 0);
    assert_eq!(state(&site, &delta), ProgressState::Complete);
    let before = files_below(&site.store_dir());
    assert_eq!(state(&site, &delta), ProgressState::AlreadyHere);
    assert_eq!(state(&site, &full), ProgressState::AlreadyHere);
    assert!(files_below(&site.store_dir()) == before);
}

#[test]
fn bundles_in_the_wrong_order_wait_for_one_another() {
    let mut vendor = named();
    let bundles = [
        vendor.pack(0, Vec::new()),
        vendor.since(1, 0),
        vendor.since(2, 1),
    ];
    let site = Site::new();
    assert_eq!(refused(&site, &bundles[2]), MissingState::Absent);
    assert_eq!(refused(&site, &bundles[1]), MissingState::Absent);
    let report = site.receive(&bundles[0]);
    assert_eq!(report.sets.len(), 3, "{report:?}");
    for version in 0..3 {
        assert!(site.gives_back(&vendor, version));
    }
}

#[test]
fn a_base_that_is_pruned_between_receipt_and_arrival_is_missed() {
    let mut vendor = named();
    let mut site = Site::new();
    let full = vendor.pack(0, Vec::new());
    site.receive(&full);
    let delta = vendor.for_receipt(1, &site.receipt());
    let stem = name_of(0).file_stem();
    site.store().remove_root(&stem).unwrap();
    prune::prune(
        site.store.as_mut().unwrap(),
        &prune::PruneRequest::default(),
        &Silent,
    )
    .unwrap();
    assert_eq!(refused(&site, &delta), MissingState::Absent);
    // Its frames wait, and cannot be used without their base: a bundle of all that is needed.
    site.cure(&mut vendor, 1);
    assert_eq!(site.releases(), [name_of(1)]);
    let waiting = ops::receive::status(site.store()).unwrap().incoming;
    assert!(waiting.is_empty());
}
