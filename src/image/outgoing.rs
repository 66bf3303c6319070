//! Images on their way out: the files that a docker archive or an OCI layout has, and the same as a tar.
//!
//! Nothing is unpacked: blobs are rebuilt while they are written, and their digests compared. The same images give the same
//! bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, Write};

use serde::Serialize;

use super::document::{CONTAINERD_NAME, Document, REF_NAME};
use super::{Descriptor, Digest, Image, Images, OCI_INDEX, Reference, Sha256, is_index};
use crate::archive::tar;
use crate::monitor::Monitor;
use crate::recipe::body::Body;
use crate::recipe::{ChunkSource, RecipeError};

/// The form that images are given out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What `docker load` reads: `manifest.json`, configs, layers as plain tars where they are kept opened, else as they came.
    DockerArchive,
    /// An OCI layout: manifests and blobs with the digests that they came with.
    OciLayout,
}

/// Says why images cannot be given out.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// It is an artifact.
    #[error("{image} is no image of layers: a docker archive cannot hold it")]
    NotRunnable {
        /// The image.
        image: String,
    },
    /// Something of it is not in the release.
    #[error("{image}: blob {digest} is not in the release")]
    Missing {
        /// The image.
        image: String,
        /// The blob.
        digest: Digest,
    },
    /// A blob does not come out as the digest that it is named by.
    #[error("blob {digest} does not match its digest: it is {found}")]
    Mismatch {
        /// The blob.
        digest: Digest,
        /// What came out.
        found: Digest,
    },
    /// A blob has a digest that cannot be compared.
    #[error("blob {digest} has a digest that is not checked here")]
    Unchecked {
        /// The blob.
        digest: Digest,
    },
    /// A blob cannot be rebuilt, or not be written.
    #[error("blob {digest}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// Why.
        source: RecipeError,
    },
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    /// A recipe cannot be followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

/// A file of an archive or layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutFile {
    /// Path in the archive or layout.
    pub path: String,
    /// What is in it.
    pub what: What,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A blob of this digest.
    Blob(Digest, Body),
}

impl OutFile {
    /// Its length.
    pub fn bytes(&self) -> u64 {
        match &self.what {
            What::Bytes(bytes) => bytes.len() as u64,
            What::Blob(_, body) => body.bytes(),
        }
    }

    /// Writes what is in it, and compares the digest.
    ///
    /// # Errors
    /// [`OutgoingError::Mismatch`] and the like; bytes may have been written by then.
    pub fn write<S: ChunkSource>(
        &self,
        source: &S,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), OutgoingError> {
        match &self.what {
            What::Bytes(bytes) => {
                out.write_all(bytes).map_err(OutgoingError::Write)?;
                monitor.advance(bytes.len() as u64);
                Ok(())
            }
            What::Blob(digest, body) => write_blob(source, digest, body, out, monitor),
        }
    }
}

/// Writes a blob and compares its digest.
///
/// # Errors
/// [`OutgoingError::Mismatch`], [`OutgoingError::Unchecked`] and [`OutgoingError::Blob`]; bytes may have been written by then.
pub fn write_blob<S: ChunkSource>(
    source: &S,
    digest: &Digest,
    body: &Body,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), OutgoingError> {
    if !digest.is_sha256() {
        let digest = digest.clone();
        return Err(OutgoingError::Unchecked { digest });
    }
    let mut hashed = Hashed {
        out,
        hash: Sha256::default(),
    };
    let written = body.write(source, 0..body.bytes(), &mut hashed, monitor);
    written.map_err(|source| OutgoingError::Blob {
        digest: digest.clone(),
        source,
    })?;
    let found = hashed.hash.finish();
    if found == *digest {
        return Ok(());
    }
    let digest = digest.clone();
    Err(OutgoingError::Mismatch { digest, found })
}

/// Hashes what it passes on.
struct Hashed<'o> {
    out: &'o mut dyn Write,
    hash: Sha256,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.out.write(bytes)?;
        self.hash.update(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The files of an archive or layout, small ones first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The files.
    pub files: Vec<OutFile>,
    /// Names that the form cannot express, and are left out.
    pub unnamed: Vec<String>,
}

impl Outgoing {
    /// Plans what is written of these images.
    ///
    /// # Errors
    /// [`OutgoingError::NotRunnable`] and [`OutgoingError::Missing`]; what reading recipes gives.
    pub fn plan<S: ChunkSource>(
        source: &S,
        images: &Images,
        chosen: &[&Image],
        form: Form,
    ) -> Result<Self, OutgoingError> {
        match form {
            Form::DockerArchive => docker_archive(source, images, chosen),
            Form::OciLayout => oci_layout(images, chosen),
        }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files
            .iter()
            .map(OutFile::bytes)
            .fold(0, u64::saturating_add)
    }

    /// Bytes of the tar of all files.
    pub fn tar_bytes(&self) -> u64 {
        let block = tar::BLOCK as u64;
        let whole = |bytes: u64| {
            bytes
                .saturating_add(tar::padding(bytes))
                .saturating_add(block)
        };
        let files = self.files.iter().map(|file| whole(file.bytes()));
        files.fold(2 * block, u64::saturating_add)
    }

    /// Writes the tar of all files.
    ///
    /// # Errors
    /// [`OutgoingError`]; the first that goes wrong ends it.
    pub fn write_tar<S: ChunkSource>(
        &self,
        source: &S,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), OutgoingError> {
        for file in &self.files {
            let bytes = file.bytes();
            let header = tar::file_header(&file.path, bytes);
            out.write_all(&header).map_err(OutgoingError::Write)?;
            file.write(source, out, monitor)?;
            let padding = usize::try_from(tar::padding(bytes)).unwrap_or_default();
            out.write_all(&[0; tar::BLOCK][..padding])
                .map_err(OutgoingError::Write)?;
        }
        out.write_all(&[0; 2 * tar::BLOCK])
            .map_err(OutgoingError::Write)?;
        out.flush().map_err(OutgoingError::Write)
    }
}

fn missing(image: &Image, digest: &Digest) -> OutgoingError {
    OutgoingError::Missing {
        image: image.name(),
        digest: digest.clone(),
    }
}

fn docker_archive<S: ChunkSource>(
    source: &S,
    images: &Images,
    chosen: &[&Image],
) -> Result<Outgoing, OutgoingError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry {
        config: String,
        repo_tags: Vec<String>,
        layers: Vec<String>,
    }
    let mut entries = Vec::new();
    let (mut configs, mut layers) = (Vec::new(), Vec::new());
    let mut unnamed = Vec::new();
    let mut met = HashSet::new();
    for image in chosen {
        if image.diff_ids.is_empty() || image.diff_ids.len() != image.layers.len() {
            let image = image.name();
            return Err(OutgoingError::NotRunnable { image });
        }
        let config = &image.config.digest;
        let config_path = format!("{}.json", config.hex());
        if met.insert(config_path.clone()) {
            let body = images.blob(config).ok_or_else(|| missing(image, config))?;
            configs.push(blob_file(config_path.clone(), config, *body));
        }
        let unchecked = image.diff_ids.iter().find(|diff_id| !diff_id.is_sha256());
        if let Some(digest) = unchecked {
            let digest = digest.clone();
            return Err(OutgoingError::Unchecked { digest });
        }
        let mut paths = Vec::new();
        for (layer, diff_id) in image.layers.iter().zip(&image.diff_ids) {
            let path = format!("{}.tar", diff_id.hex());
            if met.insert(path.clone()) {
                let digest = &layer.digest;
                let body = images.blob(digest).ok_or_else(|| missing(image, digest))?;
                // The plain tar is there already: all readers take it, and nothing needs to be compressed again.
                let file = match body.opened(source)? {
                    Some(plain) => blob_file(path.clone(), diff_id, Body::Content(plain)),
                    None => blob_file(path.clone(), digest, *body),
                };
                layers.push(file);
            }
            paths.push(path);
        }
        let (tags, others) = tags_of(image);
        unnamed.extend(others);
        entries.push(Entry {
            config: config_path,
            repo_tags: tags,
            layers: paths,
        });
    }
    let manifest = serde_json::to_vec(&entries).expect("strings are always JSON");
    let mut files = vec![bytes_file("manifest.json", manifest)];
    files.append(&mut configs);
    files.append(&mut layers);
    Ok(Outgoing { files, unnamed })
}

/// The names that docker takes, with their tags, and those that it does not.
fn tags_of(image: &Image) -> (Vec<String>, Vec<String>) {
    let mut tags = Vec::new();
    let mut others = Vec::new();
    for text in &image.references {
        match text.parse::<Reference>() {
            Ok(mut reference) if reference.digest.is_none() => {
                reference.tag.get_or_insert_with(|| "latest".to_owned());
                let tag = reference.to_string();
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
            _ => others.push(text.clone()),
        }
    }
    (tags, others)
}

fn blob_file(path: String, digest: &Digest, body: Body) -> OutFile {
    OutFile {
        path,
        what: What::Blob(digest.clone(), body),
    }
}

fn bytes_file(path: &str, bytes: Vec<u8>) -> OutFile {
    OutFile {
        path: path.to_owned(),
        what: What::Bytes(bytes),
    }
}

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

/// Gathers the blobs of a layout.
struct Gatherer<'i> {
    images: &'i Images,
    entries: Vec<IndexEntry>,
    manifests: BTreeMap<Digest, Vec<u8>>,
    blobs: BTreeMap<Digest, Body>,
}

fn oci_layout(images: &Images, chosen: &[&Image]) -> Result<Outgoing, OutgoingError> {
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
    let mut covered = BTreeSet::new();
    for index in images.indexes() {
        // An index goes with what it lists, or not at all.
        let listed = index.children.iter().map(|child| &child.descriptor.digest);
        let listed: Vec<&Digest> = listed
            .filter(|digest| images.numbers.contains_key(*digest))
            .collect();
        let is_chosen = listed.iter().all(|digest| digests.contains_key(*digest));
        if listed.is_empty() || !is_chosen || !index.is_whole() {
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
        covered.extend(listed.into_iter().cloned());
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
                variant: platform.variant.clone(),
            });
            gatherer.entry(&image.manifest, platform, &image.references);
        }
    }
    gatherer.referrers();
    Ok(gatherer.finish())
}

/// Indexes in one another that are followed.
const INDEX_DEPTH_MAX: usize = 8;

impl Gatherer<'_> {
    /// Gathers a manifest or index and all that it names; errs with what is not there.
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
                Some(_) if !blob.digest.is_sha256() => return Err(blob.digest),
                Some(body) => {
                    self.blobs.insert(blob.digest, *body);
                }
                // Those that may not be passed on are had from elsewhere.
                None if raw.urls.as_ref().is_some_and(|urls| !urls.is_empty()) => {}
                None => return Err(blob.digest),
            }
        }
        Ok(())
    }

    /// Adds an entry for each name, and one without when there is none.
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

    /// Adds what refers to the manifests that are there, and what refers to that.
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
                if self.all_of(&each.descriptor.digest, 1).is_ok() {
                    self.entry(&each.descriptor, None, &each.references);
                }
            }
            if self.manifests.len() == before {
                return;
            }
        }
    }

    fn finish(self) -> Outgoing {
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
        let path = |digest: &Digest| super::layout::blob_path(digest);
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
        Outgoing {
            files,
            unnamed: Vec::new(),
        }
    }
}

/// The name as containerd and Kubernetes write it: with host and tag, docker's own where none is said.
fn whole_name(reference: &str) -> Option<String> {
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
