//! The files of an OCI layout.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::{ExportError, ExportPlan, blob_file, bytes_file, missing};
use crate::content::recipe::body::FileBody;
use crate::oci::image::attached::digest_tag;
use crate::oci::image::document::{
    CONTAINERD_NAME, Document, INDEX_DEPTH_MAX, REF_NAME, blob_path,
};
use crate::oci::image::{
    Descriptor, Digest, Image, ImageIndex, Images, OCI_INDEX, Reference, Referrer, is_index,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexEntry {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<PlatformEntry>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct PlatformEntry {
    architecture: String,
    os: String,
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexDocument {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<IndexEntry>,
}

/// Collects the blobs of a layout.
struct Gatherer<'i> {
    images: &'i Images,
    entries: Vec<IndexEntry>,
    manifests: BTreeMap<Digest, Vec<u8>>,
    blobs: BTreeMap<Digest, FileBody>,
}

/// Plans an OCI layout. Has whole indexes where everything that they list is requested, and manifests otherwise.
pub(super) fn oci_layout(images: &Images, chosen: &[&Image]) -> Result<ExportPlan, ExportError> {
    let mut gatherer = Gatherer {
        images,
        entries: Vec::new(),
        manifests: BTreeMap::new(),
        blobs: BTreeMap::new(),
    };
    let digests: HashMap<&Digest, &Image> = chosen
        .iter()
        .map(|image| (&image.manifest.digest, *image))
        .collect();
    let tree = IndexTree::of(images);
    let configs: HashSet<&Digest> = chosen.iter().map(|image| &image.config.digest).collect();
    let is_there = |image: &Image| {
        digests.contains_key(&image.manifest.digest) || configs.contains(&image.config.digest)
    };
    let are_all = images.images().iter().all(is_there);
    let mut covered = BTreeSet::new();
    for index in images.indexes() {
        // An index is exported with everything that it lists, nested indexes included, or not at all. A nested index
        // has no entry of its own.
        if tree.is_inner(&index.descriptor.digest) {
            continue;
        }
        let leaves = tree.leaves(&index.descriptor.digest);
        let is_chosen = match leaves.is_empty() {
            true => are_all,
            false => leaves.iter().all(|leaf| digests.contains_key(*leaf)),
        };
        if !is_chosen || !index.is_whole() {
            continue;
        }
        let before = (gatherer.manifests.clone(), gatherer.blobs.clone());
        if gatherer
            .all_of(&index.descriptor.digest, INDEX_DEPTH_MAX)
            .is_err()
        {
            (gatherer.manifests, gatherer.blobs) = before;
            continue;
        }
        covered.extend(leaves.into_iter().cloned());
        gatherer.entry(&index.descriptor, None, &index.references);
    }
    for image in chosen {
        let digest = &image.manifest.digest;
        if !covered.contains(digest) {
            gatherer
                .all_of(digest, INDEX_DEPTH_MAX)
                .map_err(|lost| missing(image, &lost))?;
            let platform = image.platform.as_ref().map(|platform| PlatformEntry {
                architecture: platform.architecture.clone(),
                os: platform.os.clone(),
                os_version: platform.os_version.clone(),
                variant: platform.variant.clone(),
            });
            gatherer.entry(&image.manifest, platform, &image.references);
        }
    }
    gatherer.referrers();
    if are_all {
        gatherer.orphans();
    }
    Ok(gatherer.finish())
}

/// The nesting of indexes.
struct IndexTree<'i> {
    images: &'i Images,
    by_digest: HashMap<&'i Digest, &'i ImageIndex>,
    inner: HashSet<&'i Digest>,
}

impl<'i> IndexTree<'i> {
    fn of(images: &'i Images) -> Self {
        let mut by_digest: HashMap<&Digest, &ImageIndex> = HashMap::new();
        for index in images.indexes() {
            let there = by_digest.entry(&index.descriptor.digest).or_insert(index);
            if index.is_whole() {
                *there = index;
            }
        }
        let children = images.indexes().iter().flat_map(|index| &index.children);
        let children = children.map(|child| &child.descriptor.digest);
        let inner = children.filter(|digest| by_digest.contains_key(*digest));
        Self {
            images,
            inner: inner.collect(),
            by_digest,
        }
    }

    fn is_inner(&self, digest: &Digest) -> bool {
        self.inner.contains(digest)
    }

    /// Returns the manifests of images below an index.
    fn leaves(&self, digest: &Digest) -> Vec<&'i Digest> {
        let mut met = HashSet::new();
        let mut leaves = Vec::new();
        let mut waiting: Vec<&'i ImageIndex> =
            self.by_digest.get(digest).copied().into_iter().collect();
        while let Some(index) = waiting.pop() {
            if !met.insert(&index.descriptor.digest) {
                continue;
            }
            for child in &index.children {
                let digest = &child.descriptor.digest;
                if self.images.numbers.contains_key(digest) {
                    leaves.push(digest);
                }
                waiting.extend(self.by_digest.get(digest));
            }
        }
        leaves
    }
}

impl Gatherer<'_> {
    /// Collects a manifest or index and everything that it names. Fails with what is missing.
    fn all_of(&mut self, digest: &Digest, depth_left: usize) -> Result<(), Digest> {
        if self.manifests.contains_key(digest) {
            return Ok(());
        }
        let lost = || digest.clone();
        let found = self
            .images
            .resolve(digest.as_str())
            .filter(|_| depth_left > 0);
        let found = found.ok_or_else(lost)?;
        let document: Document = serde_json::from_slice(found.bytes).map_err(|_| lost())?;
        self.manifests.insert(digest.clone(), found.bytes.to_vec());
        for child in document.manifests.iter().flatten() {
            let child = child.checked().ok_or_else(lost)?;
            self.all_of(&child.digest, depth_left - 1)?;
        }
        if is_index(&found.descriptor.media_type) {
            return Ok(());
        }
        for raw in document
            .config
            .iter()
            .chain(document.layers.iter().flatten())
        {
            let blob = raw.checked().ok_or_else(lost)?;
            match self.images.blob(&blob.digest) {
                Some(body) => {
                    self.blobs.insert(blob.digest, *body);
                }
                // A layer that must not be distributed has another source.
                None if raw.urls.as_ref().is_some_and(|urls| !urls.is_empty()) => {}
                None => return Err(blob.digest),
            }
        }
        Ok(())
    }

    /// Adds an entry for each name, or one without a name when there is none.
    fn entry(
        &mut self,
        descriptor: &Descriptor,
        platform: Option<PlatformEntry>,
        references: &[String],
    ) {
        let of = |platform: &Option<PlatformEntry>, annotations| IndexEntry {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest.to_string(),
            size: descriptor.bytes,
            platform: platform.as_ref().map(|platform| PlatformEntry {
                architecture: platform.architecture.clone(),
                os: platform.os.clone(),
                os_version: platform.os_version.clone(),
                variant: platform.variant.clone(),
            }),
            annotations,
        };
        if references.is_empty() {
            self.entries.push(of(&platform, BTreeMap::new()));
        }
        for reference in references {
            let mut annotations = BTreeMap::from([(REF_NAME, reference.clone())]);
            if let Some(name) = whole_name(reference) {
                annotations.insert(CONTAINERD_NAME, name);
            }
            self.entries.push(of(&platform, annotations));
        }
    }

    /// Adds the referrers of the manifests in the layout, and the referrers of those.
    fn referrers(&mut self) {
        loop {
            let all = self.images.all_referrers().iter();
            let new: Vec<_> = all
                .filter(|each| {
                    self.manifests.contains_key(&each.subject)
                        && !self.manifests.contains_key(&each.descriptor.digest)
                })
                .collect();
            let before = self.manifests.len();
            for each in new {
                if self
                    .all_of(&each.descriptor.digest, INDEX_DEPTH_MAX)
                    .is_ok()
                {
                    self.entry(&each.descriptor, None, &self.names_of(each));
                }
            }
            if self.manifests.len() == before {
                return;
            }
        }
    }

    /// Returns the names of a referrer. These are its tag in each repository of its subject, or else the names in the
    /// archive.
    fn names_of(&self, referrer: &Referrer) -> Vec<String> {
        let Some(tag) = &referrer.tag else {
            return referrer.references.clone();
        };
        let subject = &referrer.subject;
        let images = self.images.images().iter();
        let images = images.filter(|image| image.manifest.digest == *subject);
        let indexes = self.images.indexes().iter();
        let indexes = indexes.filter(|index| index.descriptor.digest == *subject);
        let names = images
            .flat_map(|image| &image.references)
            .chain(indexes.flat_map(|index| &index.references));
        let beside = names.filter_map(|name| {
            let reference: Reference = name.parse().ok()?;
            let beside = Reference {
                tag: Some(tag.clone()),
                digest: None,
                ..reference
            };
            Some(beside.to_string())
        });
        let names: BTreeSet<String> = beside.collect();
        if names.is_empty() {
            return vec![tag.clone()];
        }
        names.into_iter().collect()
    }

    /// Adds referrers whose subject is not in the release.
    fn orphans(&mut self) {
        for each in self.images.all_referrers() {
            let is_known = self.images.manifests.contains_key(&each.subject);
            let is_there = self.manifests.contains_key(&each.descriptor.digest);
            if !is_known
                && !is_there
                && self
                    .all_of(&each.descriptor.digest, INDEX_DEPTH_MAX)
                    .is_ok()
            {
                self.entry(&each.descriptor, None, &self.names_of(each));
            }
        }
    }

    fn finish(self) -> ExportPlan {
        let index = IndexDocument {
            schema_version: 2,
            media_type: OCI_INDEX,
            manifests: self.entries,
        };
        let index = serde_json::to_vec(&index).expect("strings and numbers are always JSON");
        let mut files = vec![
            bytes_file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            bytes_file("index.json", index),
        ];
        let path = |digest: &Digest| blob_path(digest);
        files.extend(
            self.manifests
                .iter()
                .map(|(digest, bytes)| bytes_file(&path(digest), bytes.clone())),
        );
        let blobs = self
            .blobs
            .iter()
            .filter(|(digest, _)| !self.manifests.contains_key(*digest));
        files.extend(blobs.map(|(digest, body)| blob_file(path(digest), digest, *body)));
        ExportPlan {
            files,
            unnamed: Vec::new(),
        }
    }
}

/// Returns the name as containerd and Kubernetes write it, with host and tag. The defaults are docker's.
pub(crate) fn whole_name(reference: &str) -> Option<String> {
    if digest_tag(reference).is_some_and(|tag| tag.tag == reference) {
        return None;
    }
    let mut reference: Reference = reference.parse().ok()?;
    if reference.host.is_none() {
        reference.host = Some("docker.io".to_owned());
        if !reference.repository.contains('/') {
            reference.repository = format!("library/{}", reference.repository);
        }
    }
    if reference.digest.is_none() {
        reference.tag.get_or_insert_with(|| "latest".to_owned());
    }
    Some(reference.to_string())
}
