//! Decides what each image is called in a registry, and what goes along with it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Wanted;
use crate::finding::{Finding, Severity};
use crate::image::document::{Document, RawDescriptor};
use crate::image::{
    Child, Descriptor, Digest, Image, Images, Index, OCI_INDEX, Origin, Platform, Reference,
    is_index, is_meant, sayings,
};
use crate::registry::push::{PlannedManifest, PlannedRepository};

/// Indexes within indexes that are followed.
const DEPTH_MAX: usize = 8;

/// What bears one name in the archives.
#[derive(Default)]
struct Bearers<'a> {
    indexes: Vec<&'a Index>,
    images: Vec<&'a Image>,
}

/// Decides what is called what.
pub(super) struct Layout<'a> {
    pub(super) images: &'a Images,
    pub(super) by_digest: HashMap<&'a Digest, &'a Image>,
    pub(super) wanted: &'a Wanted,
    /// What is planned, by repository and digest: manifests with their number, blobs without.
    pub(super) taken: HashMap<(String, Digest), Option<usize>>,
    pub(super) repositories: BTreeMap<String, PlannedRepository>,
    pub(super) hosts: BTreeSet<String>,
    pub(super) findings: Vec<Finding>,
    /// The names asked for, and whether they were found.
    pub(super) asked: BTreeMap<&'a str, bool>,
}

impl<'a> Layout<'a> {
    pub(super) fn lay_out(&mut self) {
        // By the name in the registry: names that differ in the host alone meet here.
        let mut bearers: BTreeMap<(String, String), Bearers<'a>> = BTreeMap::new();
        let images = self.images;
        for index in images.indexes() {
            for place in self.places(&index.references, &[&index.descriptor.digest]) {
                bearers.entry(place).or_default().indexes.push(index);
            }
        }
        for image in images.images() {
            let digests = [&image.manifest.digest, &image.config.digest];
            for place in self.places(&image.references, &digests) {
                bearers.entry(place).or_default().images.push(image);
            }
        }
        for ((repository, tag), bearers) in bearers {
            self.name(&repository, &tag, &bearers);
        }
        self.tell_nameless();
    }

    /// Where names lead that are wanted: repository and tag.
    fn places(&mut self, references: &'a [String], digests: &[&Digest]) -> Vec<(String, String)> {
        let mut places = Vec::new();
        for given in references {
            let reference: Reference = match given.parse() {
                Ok(reference) => reference,
                Err(error) => {
                    let why = sayings::BAD_NAME.saying_that(error.into());
                    let finding = Finding::said(Severity::Loss, given, why);
                    self.findings.push(finding);
                    continue;
                }
            };
            let tag = match (reference.tag_or_latest(), &reference.digest) {
                (Some(tag), _) => tag.to_owned(),
                // Known by its digest alone: it goes in without a tag.
                (None, _) => String::new(),
            };
            if !self.is_asked_for(given, digests) {
                continue;
            }
            let repository = reference.repository_under(self.wanted.prefix.as_deref());
            // Whoever writes no host means docker's hub.
            let host = reference.host.unwrap_or_else(|| "docker.io".to_owned());
            self.hosts.insert(host);
            places.push((repository, tag));
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whether someone asks for what archives call `given`.
    fn is_asked_for(&mut self, given: &str, digests: &[&Digest]) -> bool {
        if self.asked.is_empty() {
            return true;
        }
        let mut is_asked = false;
        for (asked, is_found) in &mut self.asked {
            let fits = is_meant(asked, &[given], digests);
            *is_found |= fits;
            is_asked |= fits;
        }
        is_asked
    }

    /// Images without a name have no place in a registry.
    fn tell_nameless(&mut self) {
        if !self.wanted.choice.images.is_empty() {
            return;
        }
        let children: BTreeSet<&Digest> = self
            .images
            .indexes()
            .iter()
            .flat_map(|index| index.children.iter().map(|child| &child.descriptor.digest))
            .collect();
        for image in self.images.images() {
            let is_child = children.contains(&image.manifest.digest);
            if image.references.is_empty() && !is_child && image.platform.is_some() {
                let place = image
                    .place
                    .first()
                    .map(|name| String::from_utf8_lossy(name).into_owned());
                let why = sayings::NAMELESS.with(image.name());
                let place = place.unwrap_or_default();
                self.findings
                    .push(Finding::said(Severity::Note, place, why));
            }
        }
    }

    /// Decides what stands under a name, and plans it.
    fn name(&mut self, repository: &str, tag: &str, bearers: &Bearers<'a>) {
        let shown = format!("{repository}:{tag}");
        let whole = bearers.indexes.iter().find(|index| index.is_whole());
        if let Some(index) = whole.or(bearers.indexes.first()) {
            if bearers
                .indexes
                .iter()
                .any(|other| other.descriptor.digest != index.descriptor.digest)
            {
                self.tell_second(&shown, &index.descriptor.digest);
            }
            self.plan_index(repository, tag, index);
            return;
        }
        let fits = |image: &&&Image| self.wanted.choice.takes(image.platform.as_ref());
        let mut by_platform: BTreeMap<Option<&Platform>, &'a Image> = BTreeMap::new();
        let mut seconds = Vec::new();
        for image in bearers.images.iter().filter(fits) {
            let first = by_platform.entry(image.platform.as_ref()).or_insert(image);
            let is_same = first.config.digest == image.config.digest;
            // One image in two forms: the one that came with a manifest stands.
            if is_same && first.origin == Origin::DockerArchive {
                *first = image;
            } else if !is_same && first.manifest.digest != image.manifest.digest {
                seconds.push(first.manifest.digest.clone());
            }
        }
        for first in seconds {
            self.tell_second(&shown, &first);
        }
        let images: Vec<&Image> = by_platform.into_values().collect();
        match images[..] {
            [] => {}
            [image] => self.plan_image(repository, Some(tag), image),
            _ => self.plan_joined(repository, tag, &images),
        }
    }

    fn tell_second(&mut self, name: &str, first: &Digest) {
        let why = sayings::SECOND.with(first.short());
        self.findings.push(Finding::said(Severity::Loss, name, why));
    }

    fn repository(&mut self, name: &str) -> &mut PlannedRepository {
        let repository = self.repositories.entry(name.to_owned()).or_default();
        if repository.name.is_empty() {
            name.clone_into(&mut repository.name);
        }
        repository
    }

    /// Adds a manifest, or a tag to it when it is there, and what refers to it.
    fn put(
        &mut self,
        repository: &str,
        tag: Option<&str>,
        descriptor: &Descriptor,
        bytes: &[u8],
        partial: Option<Vec<Descriptor>>,
    ) {
        let tag = tag.filter(|tag| !tag.is_empty()).map(str::to_owned);
        let number = self.repository(repository).manifests.len();
        let key = (repository.to_owned(), descriptor.digest.clone());
        if let Some(Some(number)) = self.taken.get(&key).copied() {
            let there = self.repository(repository).manifests.get_mut(number);
            if let (Some(there), Some(tag)) = (there, tag)
                && !there.tags.contains(&tag)
            {
                there.tags.push(tag);
            }
            return;
        }
        self.taken.insert(key, Some(number));
        self.repository(repository).manifests.push(PlannedManifest {
            descriptor: descriptor.clone(),
            bytes: bytes.to_vec(),
            tags: tag.into_iter().collect(),
            partial,
        });
        self.plan_referrers(repository, &descriptor.digest);
    }

    fn put_blobs(&mut self, repository: &str, blobs: impl Iterator<Item = Descriptor>) {
        let images = self.images;
        for mut blob in blobs {
            // A layer that may not be passed on may be absent.
            let Some(body) = images.blob(&blob.digest) else {
                continue;
            };
            // Manifests may give a wrong length.
            blob.bytes = body.bytes();
            let key = (repository.to_owned(), blob.digest.clone());
            if let Entry::Vacant(place) = self.taken.entry(key) {
                place.insert(None);
                self.repository(repository).blobs.push(blob);
            }
        }
    }

    fn plan_image(&mut self, repository: &str, tag: Option<&str>, image: &Image) {
        let blobs = std::iter::once(&image.config).chain(&image.layers);
        self.put_blobs(repository, blobs.cloned());
        self.put(
            repository,
            tag,
            &image.manifest,
            &image.manifest_bytes,
            None,
        );
    }

    /// An index as it came, with the children that are there and wanted.
    fn plan_index(&mut self, repository: &str, tag: &str, index: &Index) {
        let chosen = |child: &&Child| child.is_there && self.is_wanted(child);
        let children: Vec<Descriptor> = index
            .children
            .iter()
            .filter(chosen)
            .map(|child| child.descriptor.clone())
            .collect();
        let are_images = children
            .iter()
            .filter(|child| self.image(&child.digest).is_some());
        let images: Vec<Descriptor> = are_images.cloned().collect();
        if images.is_empty() && !self.wanted.choice.platforms.is_empty() {
            return;
        }
        for child in &children {
            self.plan_child(repository, child, 0);
        }
        let is_all = children.len() == index.children.len();
        // Whoever asks for one platform wants that image, and not an index of which the others are missing.
        if let ([only], false, false) =
            (&images[..], is_all, self.wanted.choice.platforms.is_empty())
            && let Some(image) = self.image(&only.digest)
        {
            return self.plan_image(repository, Some(tag), image);
        }
        let partial = (!is_all).then_some(images);
        self.put(
            repository,
            Some(tag),
            &index.descriptor,
            &index.bytes,
            partial,
        );
    }

    fn is_wanted(&self, child: &Child) -> bool {
        let own = self
            .image(&child.descriptor.digest)
            .and_then(|image| image.platform.as_ref());
        self.wanted.choice.takes(child.platform.as_ref().or(own))
    }

    fn image(&self, digest: &Digest) -> Option<&'a Image> {
        self.by_digest.get(digest).copied()
    }

    fn plan_child(&mut self, repository: &str, child: &Descriptor, depth: usize) {
        if let Some(image) = self.image(&child.digest) {
            return self.plan_image(repository, None, image);
        }
        let images = self.images;
        let Some(resolved) = images.resolve(child.digest.as_str()) else {
            return;
        };
        if is_index(&resolved.descriptor.media_type) && depth < DEPTH_MAX {
            let inner = images
                .indexes()
                .iter()
                .find(|index| index.descriptor.digest == child.digest);
            for grandchild in inner
                .iter()
                .flat_map(|index| &index.children)
                .filter(|child| child.is_there)
            {
                self.plan_child(repository, &grandchild.descriptor, depth + 1);
            }
        }
        self.put_blobs(repository, blobs_of(resolved.bytes).into_iter());
        self.put(repository, None, resolved.descriptor, resolved.bytes, None);
    }

    /// Several exports under one name, one a platform: an index over them is made, the same every time.
    fn plan_joined(&mut self, repository: &str, tag: &str, images: &[&Image]) {
        let mut entries = Vec::new();
        for image in images {
            self.plan_image(repository, None, image);
            let mut entry = serde_json::json!({
                "mediaType": image.manifest.media_type,
                "digest": image.manifest.digest.as_str(),
                "size": image.manifest.bytes,
            });
            if let Some(platform) = &image.platform {
                entry["platform"] =
                    serde_json::json!({"os": platform.os, "architecture": platform.architecture});
                if let Some(variant) = &platform.variant {
                    entry["platform"]["variant"] = variant.clone().into();
                }
                if let Some(version) = &platform.os_version {
                    entry["platform"]["os.version"] = version.clone().into();
                }
            }
            entries.push(entry);
        }
        let index =
            serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
        let bytes = index.to_string().into_bytes();
        let descriptor = Descriptor {
            media_type: OCI_INDEX.to_owned(),
            digest: Digest::of(&bytes),
            bytes: bytes.len() as u64,
        };
        self.put(repository, Some(tag), &descriptor, &bytes, None);
    }

    /// What refers to a manifest goes into the same repository, behind it. A subject is planned once, so this ends.
    fn plan_referrers(&mut self, repository: &str, subject: &Digest) {
        let images = self.images;
        for referrer in images.referrers(subject) {
            self.put_blobs(repository, blobs_of(&referrer.bytes).into_iter());
            let tags = referrer
                .references
                .iter()
                .filter_map(|name| name.parse::<Reference>().ok());
            // cosign's tags stand for a digest, and are the same wherever the image lies.
            let tag = tags.filter_map(|reference| reference.tag).next();
            self.put(
                repository,
                tag.as_deref(),
                &referrer.descriptor,
                &referrer.bytes,
                None,
            );
        }
    }
}

/// The blobs that a manifest names.
fn blobs_of(manifest: &[u8]) -> Vec<Descriptor> {
    let manifest = serde_json::from_slice::<Document>(manifest).ok();
    let blobs = manifest.iter().flat_map(Document::blobs);
    blobs.filter_map(RawDescriptor::checked).collect()
}
