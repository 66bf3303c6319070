//! One set with releases for two architectures: the site takes the one that it runs, and the other one later, or never.

use crate::testkit::packed;
use crate::testkit::packed::{only, options_since};

use std::fs;
use std::path::PathBuf;

use carryall::base::monitor::Silent;
use carryall::bundle::Recipient;
use carryall::content::release::ReleaseName;
use carryall::oci::image::Platform;
use carryall::ops;
use carryall::ops::Error;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::pack::recipients::{by_names, by_receipt};
use carryall::ops::pack::{PackReport, pack};
use carryall::ops::receive::receipt;
use carryall::ops::receive::{ProgressState, ReceiveReport, SetProgress, receive_for, status};
use carryall::store::Store;
use packed::{Site, files_below, noise, paths_in};
use tempfile::TempDir;

const MEDIUM_BYTES: u64 = 6_000_000;
const AMD: &str = "shop:1.0@x86_64";
const ARM: &str = "shop:1.0@arm64";
const WORDS: &str = "words:1.0";

struct Vendor {
    dir: TempDir,
    store: Store,
}

impl Vendor {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("vendor")).unwrap();
        let vendor = Self { dir, store };
        vendor.add(AMD, 1, 6);
        vendor.add(ARM, 2, 6);
        vendor
    }

    fn given(&self, release: &str) -> PathBuf {
        self.dir.path().join(release.replace([':', '@'], "-"))
    }

    /// Files of noise, of 1.5 MB each; and one that all releases have.
    fn add(&self, release: &str, seed: u64, files: u64) {
        let given = self.given(release);
        fs::create_dir_all(&given).unwrap();
        for number in 0..files {
            let bytes = noise(100 * seed + number, 1_500_000);
            fs::write(given.join(format!("{number}.bin")), bytes).unwrap();
        }
        fs::write(given.join("shared.bin"), noise(7, 300_000)).unwrap();
        let (name, options) = (release.parse().unwrap(), AddOptions::default());
        add(&self.store, &name, &paths_in(&given), &options, &Silent).unwrap();
    }

    fn pack(&self, releases: &[&str], spare: u16, receivers: Vec<Recipient>) -> PackReport {
        let mut options = options_since(MEDIUM_BYTES, receivers);
        options.spare = Some(spare);
        let roots = releases.iter().map(|name| {
            let name: ReleaseName = name.parse().unwrap();
            ops::release(&self.store, &name).unwrap()
        });
        let roots: Vec<_> = roots.collect();
        let to = TempDir::new_in(self.dir.path()).unwrap().keep();
        pack(&self.store, &roots, &to, &options, &mut |_| {}, &Silent).unwrap()
    }

    fn assert_same(&self, site: &Site, release: &str) {
        site.gives_back(&release.parse().unwrap(), &self.given(release));
    }
}

fn platform(text: &str) -> Vec<Platform> {
    vec![text.parse().unwrap()]
}

fn arm() -> Vec<Platform> {
    platform("linux/arm64")
}

fn take(site: &Site, paths: &[PathBuf], platforms: &[Platform]) -> ReceiveReport {
    receive_for(&site.store, paths, platforms, &Silent).unwrap()
}

fn waiting(site: &Site) -> usize {
    status(&site.store).unwrap().incoming.len()
}

fn stored_bytes(site: &Site) -> usize {
    let packs = files_below(&site.store.dir().join("packs"));
    packs.values().map(Vec::len).sum()
}

/// Gives volume 1, and then what is asked for until nothing is. Returns the volumes that were given.
fn as_asked(site: &Site, set: &PackReport, platforms: &[Platform]) -> (Vec<u16>, SetProgress) {
    let mut given = vec![1];
    loop {
        let last = usize::from(*given.last().unwrap()) - 1;
        let report = take(site, &set.volumes[last..=last], platforms);
        let progress = only(&report).clone();
        match progress.needs.ask_for.first() {
            Some(next) if progress.state == ProgressState::NeedsVolumes => given.push(*next),
            _ => return (given, progress),
        }
    }
}

#[test]
fn a_site_takes_its_own_architecture_and_the_other_one_later() {
    let vendor = Vendor::new();
    let set = vendor.pack(&[AMD, ARM], 0, Vec::new());
    let data = set.plan.data_volumes;
    assert!(data >= 4, "{data} volumes");
    let site = Site::default();
    let (given, progress) = as_asked(&site, &set, &arm());
    assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
    assert_eq!(progress.committed[0].name.to_string(), ARM);
    let left_out = progress.left_out.unwrap();
    assert_eq!(left_out.releases, [AMD]);
    assert!(
        left_out.needed_bytes < left_out.payload_bytes / 10 * 6,
        "{left_out:?}"
    );
    // No volume is asked for that has nothing of it, and nothing of the other release is stored.
    assert!(given.len() < usize::from(data), "{given:?} of {data}");
    assert_eq!(site.releases(), [ARM]);
    let alone = Site::default();
    take(&alone, &vendor.pack(&[ARM], 0, Vec::new()).volumes, &[]);
    assert!(stored_bytes(&site) < stored_bytes(&alone) + 100_000);
    assert_eq!(waiting(&site), 0);
    vendor.assert_same(&site, ARM);
    site.assert_sound();

    // Again: nothing to do, and nothing is left behind by volumes that have no part of it.
    for volume in &set.volumes {
        let again = take(&site, std::slice::from_ref(volume), &arm());
        assert_eq!(only(&again).state, ProgressState::AlreadyHere);
        assert_eq!(waiting(&site), 0);
    }
    let (given, progress) = as_asked(&site, &set, &[]);
    assert_eq!(
        (progress.state, given.len()),
        (ProgressState::Complete, usize::from(data))
    );
    assert!(progress.left_out.is_none());
    assert_eq!(site.releases(), [ARM, AMD]);
    vendor.assert_same(&site, AMD);
    site.assert_sound();
}

#[test]
fn a_release_without_architecture_is_for_every_platform() {
    let vendor = Vendor::new();
    vendor.add(WORDS, 3, 1);
    let set = vendor.pack(&[AMD, WORDS], 0, Vec::new());
    let site = Site::default();
    let report = take(&site, &set.volumes, &arm());
    assert_eq!(only(&report).left_out.as_ref().unwrap().releases, [AMD]);
    assert_eq!(site.releases(), [WORDS]);
    vendor.assert_same(&site, WORDS);
    // Other names of an architecture, and several platforms.
    let both = [platform("linux/amd64"), arm()].concat();
    take(
        &site,
        &vendor.pack(&[AMD, ARM], 0, Vec::new()).volumes,
        &both,
    );
    assert_eq!(site.releases(), [ARM, AMD, WORDS]);
}

#[test]
fn a_lost_volume_heals_for_the_architecture_that_is_asked_for() {
    let vendor = Vendor::new();
    let set = vendor.pack(&[AMD, ARM], 1, Vec::new());
    let data = usize::from(set.plan.data_volumes);
    // The last data volume has the end of the second release: it is lost, and the spare stands in for it.
    let given: Vec<PathBuf> = (0..=data)
        .filter(|at| *at != data - 1)
        .map(|at| set.volumes[at].clone())
        .collect();
    let site = Site::default();
    let early = take(&site, &given[..1], &arm());
    let needs = &only(&early).needs;
    assert!(
        needs.ask_for.contains(&u16::try_from(data).unwrap()),
        "{needs:?}"
    );
    let report = take(&site, &given, &arm());
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert!(only(&report).healed_blocks > 0);
    vendor.assert_same(&site, ARM);
    assert_eq!(waiting(&site), 0);
}

#[test]
fn what_was_asked_before_goes_on_waiting() {
    let vendor = Vendor::new();
    let set = vendor.pack(&[AMD, ARM], 0, Vec::new());
    let last = set.volumes.len() - 1;
    let site = Site::default();
    // Everything was asked of the set: it waits for one volume of the first release.
    let but_second = [&set.volumes[..1], &set.volumes[2..]].concat();
    let report = take(&site, &but_second, &[]);
    assert_eq!(only(&report).state, ProgressState::NeedsVolumes);
    // The other release is in without it, and what was read of the first one is kept.
    let report = take(&site, &set.volumes[last..], &arm());
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert_eq!((site.releases(), waiting(&site)), (vec![ARM.to_owned()], 1));
    let report = take(&site, &set.volumes[1..2], &[]);
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert_eq!((site.releases().len(), waiting(&site)), (2, 0));
    // The other way round: what is asked without a platform is asked of the whole set.
    let site = Site::default();
    take(&site, &set.volumes[last..], &arm());
    let asked = |site: &Site| status(&site.store).unwrap().incoming[0].left_out.clone();
    assert_eq!(asked(&site).unwrap().releases, [AMD]);
    take(&site, &set.volumes[last..], &[]);
    assert_eq!(asked(&site), None);
}

#[test]
fn volumes_without_anything_for_a_platform_are_refused_and_leave_nothing() {
    let vendor = Vendor::new();
    let set = vendor.pack(&[AMD, ARM], 0, Vec::new());
    let site = Site::default();
    let refused = receive_for(
        &site.store,
        &set.volumes,
        &platform("linux/riscv64"),
        &Silent,
    );
    let Err(Error::NotForPlatform { platforms, has }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (platforms, has.len()),
        (vec!["linux/riscv64".to_owned()], 2)
    );
    assert_eq!((waiting(&site), site.releases().len()), (0, 0));
    // Beside a set that has something, it is only told.
    let other = vendor.pack(&[AMD], 0, Vec::new());
    let all = [set.volumes, other.volumes].concat();
    let report = take(&site, &all, &arm());
    let mut states: Vec<_> = report.sets.iter().map(|set| set.state).collect();
    states.sort_by_key(|state| *state == ProgressState::NotAsked);
    assert_eq!(states, [ProgressState::Complete, ProgressState::NotAsked]);
    assert_eq!(waiting(&site), 0);
}

#[test]
fn a_delta_for_two_architectures_serves_a_site_with_one() {
    let vendor = Vendor::new();
    let new = ["shop:1.1@x86_64", "shop:1.1@arm64"];
    for release in new {
        // A file that came with one architecture only, and one that is new in both.
        fs::create_dir_all(vendor.given(release)).unwrap();
        fs::write(
            vendor.given(release).join("moved.bin"),
            noise(100, 1_500_000),
        )
        .unwrap();
        let mut changed = noise(7, 300_000);
        changed[150_000] ^= 1;
        fs::write(vendor.given(release).join("changed.bin"), changed).unwrap();
    }
    vendor.add(new[0], 1, 8);
    vendor.add(new[1], 2, 8);
    let old = [AMD, ARM].map(|name| name.parse().unwrap());
    let since = vec![by_names(&vendor.store, &old).unwrap().receiver];
    let delta = vendor.pack(&new, 0, since);
    // Four new files of 1.5 MB, and the one that sites with the other architecture do not have.
    let payload_bytes = delta.plan.payload_bytes;
    assert!(
        (7_500_000..7_600_000).contains(&payload_bytes),
        "{payload_bytes}"
    );
    let base = vendor.pack(&[AMD, ARM], 0, Vec::new());

    // With one of the old releases the whole delta waits for the other one, says so, and writes nothing.
    let site = Site::default();
    take(&site, &base.volumes, &arm());
    let before = site.content();
    let report = take(&site, &delta.volumes, &[]);
    assert_eq!(only(&report).state, ProgressState::NeedsBase, "{report:?}");
    assert!(only(&report).lacking.as_ref().unwrap().chunks > 0);
    assert!(site.content() == before);
    // What is for this architecture comes in. The rest waits, because it was asked for.
    let report = take(&site, &delta.volumes, &arm());
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert_eq!(
        (site.releases(), waiting(&site)),
        (vec![ARM.to_owned(), new[1].to_owned()], 1)
    );
    vendor.assert_same(&site, new[1]);
    let report = take(&site, &base.volumes, &[]);
    let states = report.sets.iter().map(|set| set.state);
    assert!(
        states.clone().all(|state| state == ProgressState::Complete),
        "{report:?}"
    );
    assert_eq!((states.count(), waiting(&site)), (2, 0));
    assert_eq!(site.releases(), [ARM, AMD, new[1], new[0]]);
    vendor.assert_same(&site, new[0]);
    site.assert_sound();

    // A site that never asked for the other architecture is done with the set.
    let site = Site::default();
    take(&site, &base.volumes, &arm());
    let report = take(&site, &delta.volumes, &arm());
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert_eq!(waiting(&site), 0);
    site.assert_sound();

    // A delta for one of them is another thing.
    let since = by_names(&vendor.store, &old[1..]).unwrap().receiver;
    let delta = vendor.pack(&new[1..], 0, vec![since]);
    let site = Site::default();
    take(&site, &base.volumes, &arm());
    let report = take(&site, &delta.volumes, &arm());
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    vendor.assert_same(&site, new[1]);
    site.assert_sound();
}

#[test]
fn a_top_up_completes_one_architecture_and_clears_its_set_away() {
    let vendor = Vendor::new();
    let set = vendor.pack(&[AMD, ARM], 0, Vec::new());
    let site = Site::default();
    // All volumes but the last are there; the last one never comes.
    let report = take(&site, &set.volumes[..set.volumes.len() - 1], &arm());
    assert_eq!(only(&report).state, ProgressState::NeedsVolumes);
    let told = receipt::receipt(&site.store, &Silent).unwrap().receipt;
    let receiver = by_receipt(&vendor.store, "site", &told).unwrap().receiver;
    let top_up = vendor.pack(&[ARM], 0, vec![receiver]);
    let (sent, all) = (top_up.plan.payload_bytes, set.plan.payload_bytes);
    assert!(sent * 2 < all, "{sent} of {all}");
    let report = take(&site, &top_up.volumes, &arm());
    assert_eq!(only(&report).state, ProgressState::Complete, "{report:?}");
    assert_eq!(report.done_with, [set.set_id]);
    assert_eq!((site.releases(), waiting(&site)), (vec![ARM.to_owned()], 0));
    vendor.assert_same(&site, ARM);
    site.assert_sound();
}
