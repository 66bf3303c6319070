//! `diff`: how two releases differ, and what makes the newer one large for a site with the older one.
//!
//! It reads recipes, headers and lists, but never whole items.

mod packages;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

pub use self::packages::DiffPackage;
use self::packages::compared_packages;
use crate::base::monitor::Monitor;
use crate::bundle::{Effort, Have, Recipient, Weighed, weigh};
use crate::content::release::{Item, ReleaseName, ReleaseRoot};
use crate::oci::image::{Digest, Image, Images, Platform, Reference};
use crate::oci::repos::package_repositories;
use crate::ops::Error;
use crate::ops::pack::contributors::{Contributor, contributors, image_of, item_of};
use crate::store::Store;

/// How two releases differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiffReport {
    /// The older.
    pub from: ReleaseName,
    /// The newer.
    pub to: ReleaseName,
    /// Items of either, by name.
    pub items: Vec<DiffItem>,
    /// Images of either: those of the newer in their order, then those that were removed.
    pub images: Vec<DiffImage>,
    /// Packages of package repositories of either that differ, by repository and name.
    pub packages: Vec<DiffPackage>,
    /// Distinct chunks of the newer that the older does not have.
    pub new_chunks: u64,
    /// Their plain bytes.
    pub new_bytes: u64,
    /// Approximate bytes in a bundle for a site with the older release.
    pub carried_bytes: u64,
    /// Folders and files with most of the new bytes, those that take most in a bundle first.
    pub contributors: Vec<Contributor>,
}

/// An item in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiffItem {
    /// Name, as far as it is text.
    pub name: String,
    /// How it differs.
    pub change: DiffChange,
    /// Its bytes in the newer release, or 0 when it was removed.
    pub bytes: u64,
    /// Plain bytes of chunks that are neither in the older release nor in an earlier item.
    pub new_bytes: u64,
    /// Approximate bytes of these in a bundle.
    pub carried_bytes: u64,
}

/// An image in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiffImage {
    /// Its name in the newer release, or in the older one when it was removed.
    pub name: String,
    /// Its name in the older release, with the same repository and platform.
    pub before: Option<String>,
    /// The platform that it runs on.
    pub platform: Option<Platform>,
    /// How it differs.
    pub change: DiffChange,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Number of layers in the newer release.
    pub layers: usize,
    /// Layers among them that no image of the older release has.
    pub new_layers: usize,
    /// Bytes of its manifest, config and layers, as they are sent.
    pub bytes: u64,
    /// Plain bytes of its layers' chunks that the older release does not have. A layer of several images counts for the
    /// first.
    pub new_bytes: u64,
    /// Approximate bytes of these in a bundle.
    pub carried_bytes: u64,
}

/// How an item or image differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DiffChange {
    /// Only the newer has it.
    Added,
    /// Only the older has it.
    Removed,
    /// Both have it, with other content or metadata.
    Changed,
    /// It is the same in both.
    Same,
}

/// Compares `to` with `from`, and finds where most of the new content is.
///
/// # Errors
/// [`Error`] when the lists of either cannot be read, or a stop was asked for.
pub fn diff(
    store: &Store,
    from: &ReleaseRoot,
    to: &ReleaseRoot,
    monitor: &dyn Monitor,
) -> Result<DiffReport, Error> {
    let receiver = Recipient {
        releases: vec![from.clone()],
        ..Recipient::default()
    };
    let have = Have::of(store, &[receiver])?;
    let newer = std::slice::from_ref(to);
    let weighed = weigh(store, newer, &have, Effort::Default, monitor)?;
    let mut sums: HashMap<&[u8], (u64, u64)> = HashMap::new();
    let (new_bytes, carried_bytes) = weighed.total();
    let mut new_chunks = 0;
    for file in &weighed.files {
        new_chunks += file.new_chunks;
        if let Some(item) = item_of(&weighed, file) {
            let sum = sums.entry(item).or_default();
            sum.0 += file.new_bytes;
            sum.1 += file.carried_bytes;
        }
    }
    let old: BTreeMap<Vec<u8>, Item> = from
        .read_items(store)?
        .into_iter()
        .map(|item| (item.name.clone(), item))
        .collect();
    let new = to.read_items(store)?;
    let gone = old
        .keys()
        .filter(|name| new.binary_search_by(|item| item.name.cmp(name)).is_err());
    let mut items: Vec<DiffItem> = gone.map(|name| removed(name)).collect();
    for item in &new {
        let sum = sums.get(&item.name[..]).copied().unwrap_or_default();
        items.push(kept(item, old.get(&item.name), sum));
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let images = Images::find(store, to, monitor)?;
    let before = Images::find(store, from, monitor)?;
    let packages = compared_packages(
        &package_repositories(store, from, monitor)?,
        &package_repositories(store, to, monitor)?,
        &weighed,
    );
    Ok(DiffReport {
        packages,
        from: from.name.clone(),
        to: to.name.clone(),
        items,
        new_chunks,
        new_bytes,
        carried_bytes,
        contributors: contributors(&weighed, &images),
        images: compared(&before, &images, &weighed),
    })
}

fn removed(name: &[u8]) -> DiffItem {
    DiffItem {
        name: String::from_utf8_lossy(name).into_owned(),
        change: DiffChange::Removed,
        bytes: 0,
        new_bytes: 0,
        carried_bytes: 0,
    }
}

fn kept(item: &Item, before: Option<&Item>, (new_bytes, carried_bytes): (u64, u64)) -> DiffItem {
    DiffItem {
        name: String::from_utf8_lossy(&item.name).into_owned(),
        change: match before {
            None => DiffChange::Added,
            Some(before) if before == item => DiffChange::Same,
            Some(_) => DiffChange::Changed,
        },
        bytes: item.bytes(),
        new_bytes,
        carried_bytes,
    }
}

/// Compares images by repository and platform.
fn compared(before: &Images, now: &Images, weighed: &Weighed) -> Vec<DiffImage> {
    let mut sums: HashMap<&Digest, (u64, u64)> = HashMap::new();
    for file in &weighed.files {
        if let Some(image) = image_of(now, weighed, file) {
            let sum = sums.entry(&image.manifest.digest).or_default();
            sum.0 += file.new_bytes;
            sum.1 += file.carried_bytes;
        }
    }
    let old_layers: HashSet<&Digest> = digests(before.images()).collect();
    let mut used = HashSet::new();
    let mut found = Vec::new();
    for image in now.images() {
        let older = counterpart(before.images(), image);
        used.extend(older.map(|older| &older.manifest.digest));
        let change = match older {
            None => DiffChange::Added,
            Some(older) if is_same(older, image) => DiffChange::Same,
            Some(_) => DiffChange::Changed,
        };
        let (new_bytes, carried_bytes) = sums
            .get(&image.manifest.digest)
            .copied()
            .unwrap_or_default();
        let layers = digests(std::slice::from_ref(image));
        found.push(DiffImage {
            before: older.map(Image::name),
            new_layers: layers.filter(|layer| !old_layers.contains(layer)).count(),
            layers: image.layers.len(),
            bytes: image.bytes(),
            new_bytes,
            carried_bytes,
            ..told(image, change)
        });
    }
    let gone = before
        .images()
        .iter()
        .filter(|image| !used.contains(&image.manifest.digest));
    found.extend(gone.map(|image| DiffImage {
        before: Some(image.name()),
        ..told(image, DiffChange::Removed)
    }));
    found
}

fn told(image: &Image, change: DiffChange) -> DiffImage {
    DiffImage {
        name: image.name(),
        before: None,
        platform: image.platform.clone(),
        change,
        digest: image.manifest.digest.clone(),
        layers: 0,
        new_layers: 0,
        bytes: 0,
        new_bytes: 0,
        carried_bytes: 0,
    }
}

/// Returns the digests by which layers are compared. The plain ones are used where they are known, so that a
/// recompressed layer is the same layer.
fn digests(images: &[Image]) -> impl Iterator<Item = &Digest> {
    images.iter().flat_map(|image| {
        let plain = image.diff_ids.iter();
        let packed = image.layers.iter().map(|layer| &layer.digest);
        plain.chain(packed.filter(|_| image.diff_ids.is_empty()))
    })
}

fn is_same(one: &Image, other: &Image) -> bool {
    one.manifest.digest == other.manifest.digest || one.config.digest == other.config.digest
}

/// Finds the image that this one was in the older release: the same image, else one of the same name, else one of the
/// same repository.
fn counterpart<'i>(before: &'i [Image], image: &Image) -> Option<&'i Image> {
    let repositories = |image: &Image| -> Vec<(Option<String>, String)> {
        let parsed = image
            .references
            .iter()
            .filter_map(|name| name.parse::<Reference>().ok());
        parsed.map(|name| (name.host, name.repository)).collect()
    };
    let own = repositories(image);
    let near = |each: &&Image| each.platform == image.platform;
    let named = |each: &&Image| {
        image
            .references
            .iter()
            .any(|name| each.references.contains(name))
    };
    let kin = |each: &&Image| repositories(each).iter().any(|name| own.contains(name));
    let mut same = before
        .iter()
        .filter(near)
        .filter(|each| is_same(each, image));
    let mut by_name = before.iter().filter(near).filter(named);
    let mut by_repository = before.iter().filter(near).filter(kin);
    same.next()
        .or_else(|| by_name.next())
        .or_else(|| by_repository.next_back())
}
