//! Walks from a manifest or index to everything that belongs to it: images, attestations, referrers, and their blobs.
//!
//! It only fetches manifests.

use std::collections::{BTreeMap, BTreeSet};

use super::PullOptions;
use crate::base::monitor::Monitor;
use crate::oci::image::document::{Document, ImageConfig, RawDescriptor};
use crate::oci::image::{Descriptor, Digest, Platform, is_index};
use crate::oci::registry::RegistryError;
use crate::oci::registry::client::{Client, Fetched, shown};

/// Nesting of indexes, and of referrers of referrers, that is followed.
const DEPTH_MAX: usize = 4;
/// Most manifests of one image, all platforms and referrers together.
const MANIFESTS_MAX: usize = 4096;
/// Most bytes of all manifests of one image.
const MANIFESTS_BYTES_MAX: u64 = 64 << 20;
/// Most blobs of one image.
const BLOBS_MAX: usize = 65_536;
/// The annotation in which an attestation names its image.
const ATTESTED: &str = "vnd.docker.reference.digest";

/// Walks from the root to everything that belongs to it.
pub(super) struct PullPlan<'a> {
    pub(super) client: &'a Client,
    pub(super) repository: &'a str,
    pub(super) options: &'a PullOptions,
    pub(super) monitor: &'a dyn Monitor,
    pub(super) manifests: BTreeMap<Digest, Fetched>,
    pub(super) manifest_bytes: u64,
    pub(super) blobs: BTreeMap<Digest, Descriptor>,
    pub(super) images: usize,
    /// Referrers and the tags that they were found under.
    pub(super) referrers: BTreeMap<Digest, Option<String>>,
}

impl PullPlan<'_> {
    /// Checks the platform of an image without an index, which its config states.
    pub(super) fn check_platform(&self, root: &Fetched) -> Result<(), RegistryError> {
        let Some(wanted) = self.options.platforms.first() else {
            return Ok(());
        };
        let what = format!("{}@{}", self.repository, root.descriptor.digest);
        let manifest = serde_json::from_slice::<Document>(&root.bytes).ok();
        let config = manifest.and_then(|manifest| manifest.config);
        let digest = config.and_then(|config| config.digest.parse::<Digest>().ok());
        let digest = digest.ok_or_else(|| RegistryError::corrupt(&what, "it has no config"))?;
        let bytes = self
            .client
            .small_blob(self.repository, &digest, self.monitor)?;
        let config = serde_json::from_slice::<ImageConfig>(&bytes)
            .map_err(|error| RegistryError::corrupt(&what, error.to_string()))?;
        let own = config.platform.checked();
        let is_own = |wanted: &Platform| own.as_ref().is_some_and(|own| wanted.takes(own));
        if self.options.platforms.iter().any(is_own) {
            return Ok(());
        }
        Err(RegistryError::NoPlatform {
            what,
            wanted: wanted.to_string(),
            has: own.iter().map(|own| shown(&own.to_string())).collect(),
        })
    }

    pub(super) fn take(&mut self, fetched: Fetched, depth: usize) -> Result<(), RegistryError> {
        let what = format!("{}@{}", self.repository, fetched.descriptor.digest);
        // An index may list a manifest twice, and indexes may share one.
        if self.manifests.contains_key(&fetched.descriptor.digest) {
            return Ok(());
        }
        self.manifest_bytes += fetched.descriptor.bytes;
        let too_large = |limit: String| RegistryError::TooLarge {
            what: what.clone(),
            limit,
        };
        // The registry decides what it lists, so number and bytes are bounded before the next request.
        if self.manifests.len() >= MANIFESTS_MAX || self.manifest_bytes > MANIFESTS_BYTES_MAX {
            return Err(too_large(format!("{MANIFESTS_MAX} manifests of 64 MiB")));
        }
        if depth > DEPTH_MAX {
            return Err(too_large(format!("{DEPTH_MAX} indexes within indexes")));
        }
        let unreadable =
            |error: serde_json::Error| RegistryError::corrupt(&what, error.to_string());
        if is_index(&fetched.descriptor.media_type) {
            let index: Document = serde_json::from_slice(&fetched.bytes).map_err(unreadable)?;
            let listed = index.manifests.unwrap_or_default();
            let children = choose(&listed, &self.options.platforms, &what)?;
            self.manifests
                .insert(fetched.descriptor.digest.clone(), fetched);
            for child in children {
                let fetched =
                    self.client
                        .manifest(self.repository, child.digest.as_str(), self.monitor)?;
                self.take(fetched, depth + 1)?;
            }
            return Ok(());
        }
        let manifest: Document = serde_json::from_slice(&fetched.bytes).map_err(unreadable)?;
        for blob in manifest.blobs() {
            let descriptor = blob.checked();
            let descriptor = descriptor.ok_or_else(|| {
                RegistryError::corrupt(&what, "it names a blob by no SHA-256 or SHA-512")
            })?;
            let known = self.blobs.entry(descriptor.digest.clone());
            known.or_insert(descriptor);
        }
        if self.blobs.len() > BLOBS_MAX {
            return Err(too_large(format!("{BLOBS_MAX} blobs")));
        }
        self.images += 1;
        self.manifests
            .insert(fetched.descriptor.digest.clone(), fetched);
        Ok(())
    }

    /// Adds the referrers of everything found so far, and the referrers of those.
    pub(super) fn take_referrers(&mut self) -> Result<(), RegistryError> {
        let images = self.images;
        let mut subjects: Vec<Digest> = self.manifests.keys().cloned().collect();
        // A signature may be signed in turn, and a hostile registry could go on without end.
        for depth in 0..DEPTH_MAX {
            let mut next = Vec::new();
            for subject in subjects {
                for (fetched, tag) in
                    self.client
                        .referrers(self.repository, &subject, self.monitor)?
                {
                    let digest = fetched.descriptor.digest.clone();
                    // Referrers may refer to one another in circles, so each is taken once.
                    if self.manifests.contains_key(&digest) {
                        continue;
                    }
                    self.take(fetched, depth)?;
                    self.referrers.insert(digest.clone(), tag);
                    next.push(digest);
                }
            }
            subjects = next;
        }
        // Referrers are manifests as well, but they do not count as images.
        self.images = images;
        Ok(())
    }
}

/// Returns the children for the platforms, and the attestations about them.
fn choose(
    listed: &[RawDescriptor],
    platforms: &[Platform],
    what: &str,
) -> Result<Vec<Descriptor>, RegistryError> {
    let read = |child: &RawDescriptor| -> Result<Descriptor, RegistryError> {
        let checked = child.checked();
        checked.ok_or_else(|| RegistryError::corrupt(what, "it names an image by no digest"))
    };
    if platforms.is_empty() {
        return listed.iter().map(read).collect();
    }
    let takes = |wanted: &Platform, child: &RawDescriptor| {
        child.platform().is_some_and(|found| wanted.takes(&found))
    };
    for wanted in platforms {
        if !listed.iter().any(|child| takes(wanted, child)) {
            let has = listed
                .iter()
                .filter_map(RawDescriptor::platform)
                .map(|found| found.to_string());
            let has: BTreeSet<String> = has.filter(|name| name != "unknown/unknown").collect();
            return Err(RegistryError::NoPlatform {
                what: what.to_owned(),
                wanted: wanted.to_string(),
                has: has.into_iter().map(|name| shown(&name)).collect(),
            });
        }
    }
    let chosen = |child: &&RawDescriptor| platforms.iter().any(|wanted| takes(wanted, child));
    let digests: BTreeSet<&str> = listed
        .iter()
        .filter(chosen)
        .map(|child| &child.digest[..])
        .collect();
    let belongs = |child: &&RawDescriptor| {
        let about = child.annotation(ATTESTED);
        digests.contains(&child.digest[..]) || about.is_some_and(|about| digests.contains(about))
    };
    listed.iter().filter(belongs).map(read).collect()
}
