//! Images: what names them, what they are made of, and which of them lie in the items of a release.
//!
//! Bytes only: images are found and read through recipes, nothing is unpacked. Where images come from and where they go is the
//! affair of `registry` and of the verbs.
//!
//! Memory: manifests and configs (4 MiB each at most), what a package's YAML says (20 MB at most), 250 bytes and the path for
//! each file of the archive that is looked at, 300 bytes for each blob of an image.

mod attached;
mod choose;
mod collected;
mod context;
mod descriptor;
mod digest;
mod docker;
pub mod document;
pub mod export;
mod files;
mod find;
mod layout;
mod package;
mod platform;
mod reference;
pub mod sayings;
mod scan;
mod stored;

use std::collections::{BTreeMap, HashMap};

pub use self::attached::{DigestTag, digest_tag};
pub use self::choose::{Choice, ChoiceError, check_names, is_meant};
pub use self::descriptor::{
    DOCKER_LIST, DOCKER_MANIFEST, Descriptor, MANIFEST_BYTES_MAX, OCI_INDEX, OCI_MANIFEST,
    is_index, is_manifest,
};
pub use self::digest::{Digest, DigestError, DigestHasher};
pub use self::export::ExportError;
pub use self::package::{Component, Package, PackageKind};
pub use self::platform::{Platform, PlatformError};
pub use self::reference::{Reference, ReferenceError, is_host, is_repository, is_tag};
use crate::base::finding::Finding;
pub use crate::content::recipe::body::FileBody;

/// What an image lay in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An OCI layout, or a docker archive that has OCI manifests as well: the manifest is as it came.
    OciLayout,
    /// A docker archive without manifests: the config is as it came, the manifest is made here.
    DockerArchive,
}

/// An image for one platform, or an artifact that is kept like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its names, as the archive has them: `registry.example/shop/web:1.0`. May be none.
    pub references: Vec<String>,
    /// What it lay in.
    pub origin: Origin,
    /// The item, then the archives in one another that it lies in.
    pub place: Vec<Vec<u8>>,
    /// The folder in the innermost of them, or in the item; empty: at the top.
    pub folder: Vec<u8>,
    /// The manifest.
    pub manifest: Descriptor,
    /// Its bytes, as they came; of a docker archive without manifests the same for the same image.
    pub manifest_bytes: Vec<u8>,
    /// The config: its digest is what docker calls the image's id.
    pub config: Descriptor,
    /// What it runs on; `None` for artifacts.
    pub platform: Option<Platform>,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// Digests of the layers as plain tars; none for artifacts.
    pub diff_ids: Vec<Digest>,
}

impl Image {
    /// Its first name, else the beginning of its digest.
    pub fn name(&self) -> String {
        match self.references.first() {
            Some(reference) => reference.clone(),
            None => self.manifest.digest.as_str().chars().take(19).collect(),
        }
    }

    /// Whether it is made to run: an image's config, and a plain layer for each that it has, perhaps none at all.
    pub fn runs(&self) -> bool {
        let is_image = matches!(
            &self.config.media_type[..],
            document::OCI_CONFIG | document::DOCKER_CONFIG
        );
        let has_layers = !self.diff_ids.is_empty() || self.platform.is_some();
        is_image && has_layers && self.diff_ids.len() == self.layers.len()
    }

    /// Bytes of manifest, config and layers, each layer once.
    pub fn bytes(&self) -> u64 {
        let layers: BTreeMap<&Digest, u64> = self
            .layers
            .iter()
            .map(|layer| (&layer.digest, layer.bytes))
            .collect();
        let sum = |sum: u64, bytes: &u64| sum.saturating_add(*bytes);
        layers
            .values()
            .fold(self.manifest.bytes.saturating_add(self.config.bytes), sum)
    }
}

/// An index of images for several platforms, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIndex {
    /// Its names, as the archive has them.
    pub references: Vec<String>,
    /// The index.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it lists.
    pub children: Vec<IndexChild>,
}

impl ImageIndex {
    /// Whether everything that it lists is there.
    pub fn is_whole(&self) -> bool {
        self.children.iter().all(|child| child.is_there)
    }
}

/// Something in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexChild {
    /// The manifest or index.
    pub descriptor: Descriptor,
    /// What it runs on, when the index says so.
    pub platform: Option<Platform>,
    /// Whether it is in the archive: exports of one platform leave the others out.
    pub is_there: bool,
}

/// A signature, a list of parts or the like: a manifest that refers to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The manifest that it refers to.
    pub subject: Digest,
    /// Its own manifest.
    pub descriptor: Descriptor,
    /// The bytes of it.
    pub bytes: Vec<u8>,
    /// What it is: the artifact's type, else the config's.
    pub artifact_type: Option<String>,
    /// What it says of itself.
    pub annotations: BTreeMap<String, String>,
    /// Its own names; none of these is that of the image.
    pub references: Vec<String>,
    /// The tag that stands for the subject, as cosign's `sha256-....sig`; it is the same wherever the image lies.
    pub tag: Option<String>,
}

/// A name that an archive gives to an image or index itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name, as the archive has it.
    pub name: String,
    /// Digest of the manifest or index.
    pub digest: Digest,
    /// Number of the release, in the order in which they were added.
    pub release: usize,
}

/// A manifest or index and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// What it is.
    pub descriptor: &'a Descriptor,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A layer of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerOf<'a> {
    /// The image.
    pub image: &'a Image,
    /// Number of the layer, from 0.
    pub layer: usize,
}

/// What was found in the items of releases.
#[derive(Debug, Default)]
pub struct Images {
    images: Vec<Image>,
    /// Number of each image by the digest of its manifest.
    numbers: HashMap<Digest, usize>,
    indexes: Vec<ImageIndex>,
    referrers: Vec<Referrer>,
    packages: Vec<Package>,
    /// What every image lies in, all places: the holder, the folder in it, the image's number.
    places: Vec<(Vec<Vec<u8>>, Vec<u8>, usize)>,
    warnings: Vec<Finding>,
    /// Manifests and indexes by digest, whatever they are of.
    manifests: HashMap<Digest, (Descriptor, Vec<u8>)>,
    blobs: HashMap<Digest, FileBody>,
    /// What each name stands for.
    references: BTreeMap<String, Digest>,
    /// Every name and every bearer, in the order in which they were met.
    named: Vec<Named>,
    /// Releases that were looked through.
    releases: usize,
    /// Number of the image and of the layer that an archive in an item is.
    layers: HashMap<Vec<Vec<u8>>, (usize, usize)>,
}

impl Images {
    /// The images, in the order in which they were met. The same image in several archives is there once.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// The indexes.
    pub fn indexes(&self) -> &[ImageIndex] {
        &self.indexes
    }

    /// What refers to a manifest or index.
    pub fn referrers<'a>(&'a self, subject: &'a Digest) -> impl Iterator<Item = &'a Referrer> {
        self.referrers
            .iter()
            .filter(move |each| each.subject == *subject)
    }

    /// All referrers.
    pub fn all_referrers(&self) -> &[Referrer] {
        &self.referrers
    }

    /// What is not as it should be in the archives, item, image and blob named.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// A config, layer or other blob that a manifest names. Manifests that came in are among them, those made here are not.
    pub fn blob(&self, digest: &Digest) -> Option<&FileBody> {
        self.blobs.get(digest)
    }

    /// All names, and the manifest or index that each stands for: the index where all of it is there.
    pub fn references(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.references
            .iter()
            .map(|(name, digest)| (&name[..], digest))
    }

    /// Every name that images and indexes themselves have, with every bearer, in the order in which they were met. What lies
    /// below an index has none by that.
    pub fn all_named(&self) -> &[Named] {
        &self.named
    }

    /// The manifest or index of this digest, or of this name exactly as an archive has it.
    pub fn resolve(&self, reference: &str) -> Option<Resolved<'_>> {
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) => self.references.get(reference)?.clone(),
        };
        let (descriptor, bytes) = self.manifests.get(&digest)?;
        Some(Resolved { descriptor, bytes })
    }

    /// The layer that lies in the last of these places, or around it.
    pub fn layer_of(&self, place: &[Vec<u8>]) -> Option<LayerOf<'_>> {
        let found = (1..=place.len()).find_map(|len| self.layers.get(&place[..len]));
        let (image, layer) = *found?;
        let image = self.images.get(image)?;
        Some(LayerOf { image, layer })
    }
}
