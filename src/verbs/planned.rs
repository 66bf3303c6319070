//! What releases hold, as repositories of a registry: names by the rule of `image::Reference`, indexes where there are
//! several platforms under one name, referrers behind what they refer to.
//!
//! It reads manifests alone; blobs come from the store when they are asked for. What `push` and `serve` share.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::ops::Range;

use serde::Deserialize;

use super::{Error, Releases};
use crate::finding::Finding;
use crate::image::{
    Child, Descriptor, Digest, Image, Images, Index, OCI_INDEX, Origin, Platform, Reference,
    is_index,
};
use crate::monitor::Monitor;
use crate::recipe::{BoxError, ChunkSource, RecipeError};
use crate::registry::push::{PlannedManifest, PlannedRepository};
use crate::registry::{BlobSource, RegistryError};
use crate::release::ReleaseName;

/// Indexes within indexes that are followed.
const DEPTH_MAX: usize = 8;
/// Hex digits of a digest that are enough to name an image.
const SHORT_MIN: usize = 8;

/// What of the releases is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Images of these names alone, as archives have them or as the registry will; none: all.
    pub images: Vec<String>,
    /// For these platforms alone; none: all.
    pub platforms: Vec<Platform>,
    /// Put before the path of every repository.
    pub prefix: Option<String>,
}

impl Wanted {
    fn takes(&self, platform: Option<&Platform>) -> bool {
        let is_any = self.platforms.is_empty();
        is_any
            || platform.is_some_and(|found| self.platforms.iter().any(|wanted| wanted.takes(found)))
    }
}

/// What releases hold, laid out.
#[derive(Debug)]
pub struct Plan {
    /// The images.
    pub images: Images,
    /// The repositories, by name.
    pub repositories: Vec<PlannedRepository>,
    /// The hosts that images came from: they are dropped from names.
    pub hosts: BTreeSet<String>,
    /// What is not as it should be, and what is left out.
    pub findings: Vec<Finding>,
}

/// Lays out what is in these releases.
///
/// # Errors
/// [`Error::Recipe`] when a release's list of items cannot be read; [`Error::NoSuchImage`] and [`Error::NoImages`].
pub fn plan<R: Releases>(
    store: &R,
    names: &[ReleaseName],
    wanted: &Wanted,
    monitor: &dyn Monitor,
) -> Result<Plan, Error> {
    let mut images = Images::default();
    for name in names {
        let root = store.root(name).map_err(Error::Releases)?;
        let root = root.ok_or_else(|| Error::NoSuchRelease {
            name: name.to_string(),
            has: Vec::new(),
        })?;
        images.add(store, &root, monitor)?;
    }
    let by_digest = images
        .images()
        .iter()
        .map(|image| (&image.manifest.digest, image));
    let mut layout = Layout {
        images: &images,
        by_digest: by_digest.collect(),
        wanted,
        taken: HashMap::new(),
        repositories: BTreeMap::new(),
        hosts: BTreeSet::new(),
        findings: images.warnings().to_vec(),
        asked: wanted
            .images
            .iter()
            .map(|name| (&name[..], false))
            .collect(),
    };
    layout.lay_out();
    let missing = layout.asked.iter().find(|(_, is_found)| !**is_found);
    if let Some((missing, _)) = missing {
        return Err(Error::NoSuchImage {
            image: (*missing).to_owned(),
            has: images
                .references()
                .map(|(name, _)| name.to_owned())
                .collect(),
        });
    }
    let (hosts, findings) = (layout.hosts, layout.findings);
    let repositories: Vec<PlannedRepository> = layout.repositories.into_values().collect();
    if let (true, Some(platform), false) = (
        repositories.is_empty(),
        wanted.platforms.first(),
        images.images().is_empty(),
    ) {
        let has = images
            .images()
            .iter()
            .filter_map(|image| image.platform.as_ref());
        let has: BTreeSet<String> = has.map(ToString::to_string).collect();
        return Err(Error::Registry(RegistryError::NoPlatform {
            what: names
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            wanted: platform.to_string(),
            has: has.into_iter().collect(),
        }));
    }
    if repositories.is_empty() {
        return Err(Error::NoImages {
            releases: names.iter().map(ToString::to_string).collect(),
        });
    }
    for finding in &findings {
        monitor.finding(finding);
    }
    Ok(Plan {
        images,
        repositories,
        hosts,
        findings,
    })
}

/// What bears one name in the archives.
#[derive(Default)]
struct Bearers<'a> {
    indexes: Vec<&'a Index>,
    images: Vec<&'a Image>,
}

struct Layout<'a> {
    images: &'a Images,
    by_digest: HashMap<&'a Digest, &'a Image>,
    wanted: &'a Wanted,
    /// What is planned, by repository and digest: manifests with their number, blobs without.
    taken: HashMap<(String, Digest), Option<usize>>,
    repositories: BTreeMap<String, PlannedRepository>,
    hosts: BTreeSet<String>,
    findings: Vec<Finding>,
    /// The names asked for, and whether they were found.
    asked: BTreeMap<&'a str, bool>,
}

impl<'a> Layout<'a> {
    fn lay_out(&mut self) {
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
                    let why = format!("has a name that no registry takes: {error}");
                    self.findings.push(Finding::loss(given, why));
                    continue;
                }
            };
            let tag = match (reference.tag_or_latest(), &reference.digest) {
                (Some(tag), _) => tag.to_owned(),
                // Known by its digest alone: it goes in without a tag.
                (None, _) => String::new(),
            };
            let own = format!("{}:{tag}", reference.repository);
            if !self.is_asked_for(given, &own, digests) {
                continue;
            }
            let repository = reference.repository_under(self.wanted.prefix.as_deref());
            self.hosts.extend(reference.host);
            places.push((repository, tag));
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whether someone asks for what archives call `given` and the registry will call `own`.
    fn is_asked_for(&mut self, given: &str, own: &str, digests: &[&Digest]) -> bool {
        if self.asked.is_empty() {
            return true;
        }
        let path = own.split_once(':').map_or(own, |(path, _)| path);
        let mut is_asked = false;
        for (asked, is_found) in &mut self.asked {
            let hex = asked.strip_prefix("sha256:").unwrap_or(asked);
            let is_digest = || {
                let is_short = |digest: &&Digest| digest.hex().starts_with(hex);
                hex.len() >= SHORT_MIN && digests.iter().any(is_short)
            };
            let fits = [given, own, path].contains(asked) || is_digest();
            *is_found |= fits;
            is_asked |= fits;
        }
        is_asked
    }

    /// Images without a name have no place in a registry.
    fn tell_nameless(&mut self) {
        if !self.wanted.images.is_empty() {
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
                let why = format!("image {} has no name, and is left out", image.name());
                self.findings
                    .push(Finding::note(place.unwrap_or_default(), why));
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
        let fits = |image: &&&Image| self.wanted.takes(image.platform.as_ref());
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
        let why = format!(
            "two contents have this name and platform: {} stands, the other is left out",
            first.short()
        );
        self.findings.push(Finding::loss(name, why));
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
        for blob in blobs {
            // A layer that may not be passed on may be absent.
            if images.blob(&blob.digest).is_none() {
                continue;
            }
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
        if images.is_empty() && !self.wanted.platforms.is_empty() {
            return;
        }
        for child in &children {
            self.plan_child(repository, child, 0);
        }
        let is_all = children.len() == index.children.len();
        // Whoever asks for one platform wants that image, and not an index of which the others are missing.
        if let ([only], false, false) = (&images[..], is_all, self.wanted.platforms.is_empty())
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
        self.wanted.takes(child.platform.as_ref().or(own))
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

#[derive(Deserialize)]
struct ManifestJson {
    config: Option<BlobJson>,
    #[serde(default)]
    layers: Vec<BlobJson>,
}

#[derive(Deserialize)]
struct BlobJson {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    digest: String,
    size: u64,
}

/// The blobs that a manifest names.
fn blobs_of(manifest: &[u8]) -> Vec<Descriptor> {
    let Ok(manifest) = serde_json::from_slice::<ManifestJson>(manifest) else {
        return Vec::new();
    };
    let all = manifest.config.into_iter().chain(manifest.layers);
    let read = |blob: BlobJson| {
        Some(Descriptor {
            media_type: blob.media_type,
            digest: blob.digest.parse().ok()?,
            bytes: blob.size,
        })
    };
    all.filter_map(read).collect()
}

/// Blobs of images, out of a store.
pub struct Blobs<'a, S> {
    /// The store.
    pub store: &'a S,
    /// What was found in it.
    pub images: &'a Images,
}

impl<S: ChunkSource> BlobSource for Blobs<'_, S> {
    fn bytes(&self, digest: &Digest) -> Option<u64> {
        self.images.blob(digest).map(|body| body.bytes())
    }

    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError> {
        let body = self.images.blob(digest).ok_or("it is not there")?;
        let outcome = body.write(self.store, range, &mut { out }, monitor);
        outcome.map_err(|error| match error {
            RecipeError::Interrupted(stop) => Box::new(stop).into(),
            other => other.into(),
        })
    }
}
