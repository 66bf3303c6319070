//! Images: how they are named, what they consist of, and which of them are in the items of a release.
//!
//! This module only handles bytes. Images are found and read through recipes, and nothing is unpacked. Pulling and
//! pushing is the work of `registry` and of the operations.
//!
//! Memory: manifests and configs (4 MiB each at most) and the texts of a package's YAML (20 MB at most). Each file of
//! the current archive adds 250 bytes and its path, and each blob of an image adds 300 bytes.

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
mod scan;
mod stored;

use std::collections::{BTreeMap, HashMap};

pub(crate) use self::choose::check_names;
pub use self::choose::{Choice, ChoiceError};
pub(crate) use self::descriptor::{DOCKER_LIST, DOCKER_MANIFEST, MANIFEST_BYTES_MAX, is_manifest};
pub use self::descriptor::{Descriptor, OCI_INDEX, OCI_MANIFEST, is_index};
pub(crate) use self::digest::DigestHasher;
pub use self::digest::{Digest, DigestError};
pub use self::export::ExportError;
pub use self::package::{Component, Package, PackageKind};
pub use self::platform::{Platform, PlatformError};
pub use self::reference::{Reference, ReferenceError, is_host, is_repository};
#[cfg(any(feature = "registry", feature = "serve"))]
pub(crate) use self::{attached::digest_tag, choose::is_meant, reference::is_tag};
use crate::base::finding::Finding;
pub use crate::content::recipe::body::FileBody;

/// The format that an image was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An OCI layout, or a docker archive that also has OCI manifests. The manifest is the original one.
    OciLayout,
    /// A docker archive without manifests. The config is the original one, and the manifest is made here.
    DockerArchive,
}

/// An image for one platform, or an artifact that is kept like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its names, as the archive has them, such as `registry.example/shop/web:1.0`. May be empty.
    pub references: Vec<String>,
    /// The format that it was found in.
    pub origin: Origin,
    /// The item, then the nested archives that it is in.
    pub place: Vec<Vec<u8>>,
    /// The folder in the innermost archive, or in the item. Empty for the top.
    pub folder: Vec<u8>,
    /// The manifest.
    pub manifest: Descriptor,
    /// The bytes of the manifest. The original ones, or for a docker archive without manifests the made ones, which are
    /// the same for the same image.
    pub manifest_bytes: Vec<u8>,
    /// The config. Docker calls its digest the image's id.
    pub config: Descriptor,
    /// The platform that it runs on. `None` for artifacts.
    pub platform: Option<Platform>,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// Digests of the layers as plain tars. Empty for artifacts.
    pub diff_ids: Vec<Digest>,
}

impl Image {
    /// Returns its first name, or the beginning of its digest when it has none.
    pub fn name(&self) -> String {
        match self.references.first() {
            Some(reference) => reference.clone(),
            None => self.manifest.digest.as_str().chars().take(19).collect(),
        }
    }

    /// Returns whether it is made to run. It then has an image's config and a plain layer for each layer, possibly none
    /// at all.
    pub fn runs(&self) -> bool {
        let is_image = matches!(
            &self.config.media_type[..],
            document::OCI_CONFIG | document::DOCKER_CONFIG
        );
        let has_layers = !self.diff_ids.is_empty() || self.platform.is_some();
        is_image && has_layers && self.diff_ids.len() == self.layers.len()
    }

    /// Returns the bytes of manifest, config and layers, each layer once.
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

/// An index of images for several platforms, in its original form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIndex {
    /// Its names, as the archive has them.
    pub references: Vec<String>,
    /// The index.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its children.
    pub children: Vec<IndexChild>,
}

impl ImageIndex {
    /// Returns whether everything that it lists is present.
    pub fn is_whole(&self) -> bool {
        self.children.iter().all(|child| child.is_there)
    }
}

/// A child of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexChild {
    /// The manifest or index.
    pub descriptor: Descriptor,
    /// The platform that it runs on, when the index states it.
    pub platform: Option<Platform>,
    /// Whether it is in the archive. Exports of one platform leave the others out.
    pub is_there: bool,
}

/// A signature, SBOM or similar: a manifest that refers to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The manifest that it refers to.
    pub subject: Digest,
    /// Its own manifest.
    pub descriptor: Descriptor,
    /// The bytes of its manifest.
    pub bytes: Vec<u8>,
    /// The artifact's type, or else the config's media type.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its own names, which are never those of the image.
    pub references: Vec<String>,
    /// The tag that stands for the subject, such as cosign's `sha256-....sig`. It is the same wherever the image is.
    pub tag: Option<String>,
}

/// A name that an archive gives to an image or index itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name, as the archive has it.
    pub name: String,
    /// Digest of the manifest or index.
    pub digest: Digest,
    /// Number of the release, in the order of adding.
    pub release: usize,
}

/// A manifest or index with its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// Its descriptor.
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

/// The images that were found in the items of releases.
#[derive(Debug, Default)]
pub struct Images {
    images: Vec<Image>,
    /// Number of each image by the digest of its manifest.
    numbers: HashMap<Digest, usize>,
    indexes: Vec<ImageIndex>,
    referrers: Vec<Referrer>,
    packages: Vec<Package>,
    /// All places of every image: the container, the folder in it, the image's number.
    places: Vec<(Vec<Vec<u8>>, Vec<u8>, usize)>,
    warnings: Vec<Finding>,
    /// Manifests and indexes of every kind, by digest.
    manifests: HashMap<Digest, (Descriptor, Vec<u8>)>,
    blobs: HashMap<Digest, FileBody>,
    /// The meaning of each name.
    references: BTreeMap<String, Digest>,
    /// Every name with every bearer, in the order in which they were found.
    named: Vec<Named>,
    /// Number of releases that were searched.
    releases: usize,
    /// The numbers of the image and the layer for each archive in an item that is a layer.
    layers: HashMap<Vec<Vec<u8>>, (usize, usize)>,
}

impl Images {
    /// Returns the images, in the order in which they were found. An image in several archives comes once.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// Returns the indexes.
    pub fn indexes(&self) -> &[ImageIndex] {
        &self.indexes
    }

    /// Returns the referrers of a manifest or index.
    pub fn referrers<'a>(&'a self, subject: &'a Digest) -> impl Iterator<Item = &'a Referrer> {
        self.referrers
            .iter()
            .filter(move |each| each.subject == *subject)
    }

    /// Returns all referrers.
    pub fn all_referrers(&self) -> &[Referrer] {
        &self.referrers
    }

    /// Returns the problems found in the archives, with item, image and blob named.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns a config, layer or other blob that a manifest names. Original manifests are included, and those made
    /// here are not.
    pub fn blob(&self, digest: &Digest) -> Option<&FileBody> {
        self.blobs.get(digest)
    }

    /// Iterates over all names and the manifest or index of each. A name stands for the index where all of it is
    /// present.
    pub fn references(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.references
            .iter()
            .map(|(name, digest)| (&name[..], digest))
    }

    /// Returns every name that images and indexes have themselves, with every bearer, in the order in which they were
    /// found. Being a child of an index does not give a name.
    pub fn all_named(&self) -> &[Named] {
        &self.named
    }

    /// Returns the manifest or index with this digest, or with this name exactly as an archive has it.
    pub fn resolve(&self, reference: &str) -> Option<Resolved<'_>> {
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) => self.references.get(reference)?.clone(),
        };
        let (descriptor, bytes) = self.manifests.get(&digest)?;
        Some(Resolved { descriptor, bytes })
    }

    /// Returns the layer that is in the last of these places, or around it.
    pub fn layer_of(&self, place: &[Vec<u8>]) -> Option<LayerOf<'_>> {
        let found = (1..=place.len()).find_map(|len| self.layers.get(&place[..len]));
        let (image, layer) = *found?;
        let image = self.images.get(image)?;
        Some(LayerOf { image, layer })
    }
}
