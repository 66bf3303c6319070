//! The files and folders with most of the new content. `diff` and `pack --estimate` use them to explain the size of a
//! bundle.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bundle::{FileWeight, Weighed};
use crate::content::contents::FileKind;
use crate::content::contents::groups::{GroupExtent, GroupTree, Weight};
use crate::oci::image::{Image, Images};

/// Groups with a smaller share of the new content, in thousandths, are left out.
const LEAST_PER_MILLE: u64 = 3;

/// A folder, an archive, a file or a kind of headers with much new content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Contributor {
    /// What it is.
    pub kind: ContributorKind,
    /// The item. Empty when it belongs to the release.
    pub item: String,
    /// Nested archives that it is in, the outermost first: a layer, a package.
    pub archives: Vec<String>,
    /// The image layer that one of these archives is.
    pub layer: Option<Layer>,
    /// The folder or file. Empty stands for everything.
    pub path: String,
    /// Files with new content.
    pub files: u64,
    /// Files among them whose path was in the older release.
    pub changed_files: u64,
    /// Plain bytes that are new.
    pub new_bytes: u64,
    /// Approximate bytes in a bundle.
    pub carried_bytes: u64,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Layer {
    /// The image's name, or the beginning of its digest.
    pub image: String,
    /// Number of the layer, from 1.
    pub layer: usize,
    /// Number of layers of the image.
    pub layers: usize,
}

/// The kind of a contributor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ContributorKind {
    /// One file.
    File,
    /// A folder or archive as a whole.
    Folder,
    /// A folder or archive without the parts that are listed separately.
    Rest,
    /// Headers of archives.
    Headers,
    /// Recipes and lists of chunks.
    Recipes,
    /// Lists of items, entries and blobs.
    Tables,
}

/// Returns the contributors with most of the new bytes, those that take most in a bundle first.
pub fn contributors(weighed: &Weighed, images: &Images) -> Vec<Contributor> {
    let mut tree = GroupTree::default();
    let mut others: BTreeMap<(Vec<u8>, ContributorKind), Weight> = BTreeMap::new();
    let mut total = 0;
    for file in &weighed.files {
        total += file.new_bytes;
        let weight = weight(file);
        let kind = match file.kind {
            FileKind::File => {
                tree.add(&weighed.places[file.within], &file.path, &weight);
                continue;
            }
            FileKind::Headers => ContributorKind::Headers,
            FileKind::Recipe | FileKind::Lists => ContributorKind::Recipes,
            FileKind::Entries | FileKind::Manifest => ContributorKind::Tables,
        };
        let item = item_of(weighed, file).unwrap_or_default().to_vec();
        others.entry((item, kind)).or_default().add(&weight);
    }
    let least_bytes = (total / 1000 * LEAST_PER_MILLE).max(1);
    let mut found: Vec<Contributor> = Vec::new();
    for group in tree.groups(least_bytes) {
        let kind = match group.extent {
            GroupExtent::File => ContributorKind::File,
            GroupExtent::Whole => ContributorKind::Folder,
            GroupExtent::Rest => ContributorKind::Rest,
        };
        let layer = images.layer_of(&group.within).map(|found| Layer {
            image: found.image.name(),
            layer: found.layer + 1,
            layers: found.image.layers.len(),
        });
        found.push(told(kind, &group.within, &group.path, layer, &group.weight));
    }
    for ((item, kind), weight) in others {
        if weight.new_bytes >= least_bytes {
            found.push(told(kind, &[item], &[], None, &weight));
        }
    }
    // The sort is stable, so groups of one size stay in the order of their paths.
    found.sort_by_key(|each| std::cmp::Reverse((each.carried_bytes, each.new_bytes)));
    found
}

fn weight(file: &FileWeight) -> Weight {
    Weight {
        files: 1,
        known_files: u64::from(file.is_known),
        new_bytes: file.new_bytes,
        carried_bytes: file.carried_bytes,
    }
}

fn told(
    kind: ContributorKind,
    within: &[Vec<u8>],
    path: &[u8],
    layer: Option<Layer>,
    weight: &Weight,
) -> Contributor {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut within = within.iter().map(|each| text(each));
    Contributor {
        kind,
        item: within.next().unwrap_or_default(),
        archives: within.collect(),
        layer,
        path: text(path),
        files: weight.files,
        changed_files: weight.known_files,
        new_bytes: weight.new_bytes,
        carried_bytes: weight.carried_bytes,
    }
}

/// Returns the name of the item that something is in. Returns `None` for the release's own tables.
pub(crate) fn item_of<'w>(weighed: &'w Weighed, file: &'w FileWeight) -> Option<&'w [u8]> {
    match weighed.places[file.within].first() {
        Some(item) => Some(item),
        None if file.kind == FileKind::Manifest => None,
        None => Some(&file.path),
    }
}

/// Returns the image with a layer that something is, or is in. A layer of several images counts for the first.
pub(crate) fn image_of<'i>(
    images: &'i Images,
    weighed: &Weighed,
    file: &FileWeight,
) -> Option<&'i Image> {
    let within = &weighed.places[file.within];
    let place = [&within[..], std::slice::from_ref(&file.path)].concat();
    images.layer_of(&place).map(|found| found.image)
}
