//! Checks that images are signed by keys of the site before they leave its store.

#[cfg(feature = "registry")]
use std::collections::{HashMap, HashSet};

use crate::base::monitor::Monitor;
use crate::content::recipe::ChunkSource;
#[cfg(feature = "registry")]
use crate::oci::image::Digest;
use crate::oci::image::{Image, Images};
use crate::oci::signatures::{ImageStanding, SignatureJudge, TrustedImageKey, UnsignedImage};
use crate::ops::Error;

/// A manifest that would leave the store.
#[cfg(feature = "registry")]
pub(super) struct LeavingManifest<'a> {
    /// Its digest.
    pub(super) digest: &'a Digest,
    /// The name that it gets. `None` when it is only found by its digest.
    pub(super) name: Option<String>,
}

/// Checks images.
///
/// # Errors
/// [`Error::Unsigned`], or a stop.
pub(super) fn check_images<S: ChunkSource>(
    source: &S,
    images: &Images,
    chosen: &[&Image],
    keys: &[TrustedImageKey],
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let mut judge = SignatureJudge::new(source, images, keys, monitor);
    let mut unsigned = Vec::new();
    for image in chosen {
        let standing = judge.image(image)?.standing;
        if standing != ImageStanding::Verified {
            let name = image.name();
            let is_index = false;
            unsigned.push(UnsignedImage {
                name,
                standing,
                is_index,
            });
        }
    }
    refuse(unsigned)
}

/// Checks manifests: every image, every index, and whatever gets a name. An index over images that was made here has no
/// signature, and its images are checked.
///
/// # Errors
/// As [`check_images`].
#[cfg(feature = "registry")]
pub(super) fn check_manifests<'a, S: ChunkSource>(
    source: &S,
    images: &'a Images,
    leaving: impl Iterator<Item = LeavingManifest<'a>>,
    keys: &[TrustedImageKey],
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let own = images.images().iter();
    let own: HashMap<&Digest, &Image> = own.map(|each| (&each.manifest.digest, each)).collect();
    let mut names: HashMap<&Digest, Vec<String>> = HashMap::new();
    let mut indexes: HashSet<&Digest> = HashSet::new();
    for index in images.indexes() {
        let digest = &index.descriptor.digest;
        indexes.insert(digest);
        names
            .entry(digest)
            .or_default()
            .extend(index.references.iter().cloned());
    }
    for referrer in images.all_referrers() {
        let known = names.entry(&referrer.descriptor.digest).or_default();
        known.extend(referrer.references.iter().cloned());
    }
    let mut judge = SignatureJudge::new(source, images, keys, monitor);
    let (mut unsigned, mut met) = (Vec::new(), HashSet::new());
    for LeavingManifest { digest, name } in leaving {
        let image = own.get(digest);
        let is_made_here = images.resolve(digest.as_str()).is_none();
        let is_asked = image.is_some() || indexes.contains(digest) || name.is_some();
        if is_made_here || !is_asked || !met.insert(digest) {
            continue;
        }
        let standing = match image {
            Some(image) => judge.image(image)?.standing,
            None => {
                let names = names.get(digest).map(Vec::as_slice);
                judge.manifest(digest, names.unwrap_or_default())?.standing
            }
        };
        if standing != ImageStanding::Verified {
            let own = image.map(|image| image.name()).or(name);
            let name = own.unwrap_or_else(|| digest.to_string());
            unsigned.push(UnsignedImage {
                name,
                standing,
                is_index: indexes.contains(digest),
            });
        }
    }
    refuse(unsigned)
}

fn refuse(images: Vec<UnsignedImage>) -> Result<(), Error> {
    if images.is_empty() {
        return Ok(());
    }
    Err(Error::Unsigned { images })
}
