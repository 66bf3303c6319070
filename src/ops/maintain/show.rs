//! `show`: lists the content of a release: items, images, packages and package repositories, and how its streams are kept. On request it
//! verifies the signatures of the images.
//!
//! It reads recipes, lists of chunks, the manifests of images and their signatures, but never whole items.

use std::collections::HashSet;

use serde::Serialize;

use super::documents;
pub use super::documents::DocumentFormat;
use crate::base::finding::Finding;
use crate::base::id::{BlobId, ChunkId, ReleaseId};
use crate::base::monitor::Monitor;
use crate::content::recipe::walk::{FoundStream, Visitor, Walker};
use crate::content::recipe::{Blob, Content, RecipeError};
use crate::content::release::{Item, ItemKind, ReleaseName, ReleaseRoot, walk};
use crate::files::stream_report::KeptReason;
use crate::oci::attachments::{Attachment, attachments};
use crate::oci::image::{Choice, Component, Digest, Image, Images, PackageKind, Platform};
use crate::oci::repos::{RepositoryKind, RepositoryPackage, package_repositories};
use crate::oci::signatures::{ImageVerdict, SignatureJudge, TrustedImageKey};
use crate::ops::Error;
use crate::store::Store;

/// The content of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShowReport {
    /// Name as people write it.
    pub name: ReleaseName,
    /// Its id.
    pub id: ReleaseId,
    /// How many items it has.
    pub items: u32,
    /// Bytes of all items when restored.
    pub bytes: u64,
    /// Its items, by name.
    pub contents: Vec<ShownItem>,
    /// Distinct chunks it needs.
    pub chunks: u64,
    /// Deflate streams that are kept opened, each distinct blob counted once.
    pub opened: OpenedStreams,
    /// Streams and archives of more than 64 KiB that are kept as they came, each once.
    pub kept: Vec<KeptStream>,
    /// Images in the items, each once.
    pub images: Vec<ShownImage>,
    /// What is attached to the images: signatures, SBOMs, provenance and other statements.
    pub attachments: Vec<Attachment>,
    /// SBOMs, provenance and signatures among the files of the items.
    pub documents: Vec<ShownDocument>,
    /// Rainbond's packages in the items.
    pub packages: Vec<ShownPackage>,
    /// Package repositories in the items: those of apt, dnf, apk, PyPI, npm and Helm.
    pub repositories: Vec<ShownRepository>,
    /// Problems in images and packages.
    pub findings: Vec<Finding>,
}

impl ShowReport {
    /// Returns whether every image is signed by a key of the site. Without images there is nothing that is not. `None`
    /// when that was not asked for.
    pub fn is_verified(&self) -> Option<bool> {
        let verdicts = self.images.iter().map(|image| image.signatures.as_ref());
        let verdicts: Option<Vec<&ImageVerdict>> = verdicts.collect();
        verdicts.map(|verdicts| verdicts.iter().all(|verdict| verdict.is_verified()))
    }
}

/// An image in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownImage {
    /// Its names, as the archives have them.
    pub references: Vec<String>,
    /// The item that it is in.
    pub item: String,
    /// Nested archives that it is in, the outermost first.
    pub archives: Vec<String>,
    /// Digest of the manifest, either the original one or the one that is made for images without a manifest.
    pub digest: Digest,
    /// Digest of the config, which docker calls the image's id.
    pub id: Digest,
    /// The platform that it runs on, such as `linux/arm64`. `None` for artifacts.
    pub platform: Option<Platform>,
    /// How many layers it has.
    pub layers: usize,
    /// Bytes of its manifest, config and layers, as they are sent.
    pub bytes: u64,
    /// Bytes of it that no earlier image in the list has.
    pub own_bytes: u64,
    /// Who signed it. `None` when that was not asked for.
    pub signatures: Option<ImageVerdict>,
}

/// A package in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownPackage {
    /// Its kind.
    pub kind: PackageKind,
    /// The application. Empty when it is not stated.
    pub name: String,
    /// Its version. Empty when it is not stated.
    pub version: String,
    /// The item that it is in.
    pub item: String,
    /// Its folder in the item, after the nested archives.
    pub folder: String,
    /// Its components.
    pub components: Vec<Component>,
    /// Its plugins.
    pub plugins: Vec<Component>,
    /// Number of images in it.
    pub images: usize,
}

/// A package repository in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownRepository {
    /// What reads it.
    pub kind: RepositoryKind,
    /// The item that it is in.
    pub item: String,
    /// Its folder in the item. Empty for the item itself.
    pub folder: String,
    /// Its packages, by name.
    pub packages: Vec<RepositoryPackage>,
}

/// An SBOM, provenance or a signature that is a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownDocument {
    /// The item that it is in.
    pub item: String,
    /// The file of a folder that it is. Empty when the item is a file.
    pub path: String,
    /// Its format.
    pub format: DocumentFormat,
    /// Its bytes.
    pub bytes: u64,
}

/// Deflate streams that are kept opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpenedStreams {
    /// How many.
    pub streams: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Plain bytes of them.
    pub plain_bytes: u64,
    /// Bytes of the recipes that rebuild them.
    pub recipe_bytes: u64,
}

/// A stream or archive that is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeptStream {
    /// The item that it is in.
    pub item: String,
    /// The file of a folder that it is, or is in. Empty when the item is a file.
    pub path: String,
    /// BLAKE3 of the stream.
    pub hash: BlobId,
    /// Its bytes.
    pub bytes: u64,
    /// The reason. `None` for one that only a newer version knows.
    pub reason: Option<KeptReason>,
}

/// An item of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownItem {
    /// Name, as far as it is text.
    pub name: String,
    /// File or folder.
    pub kind: ShownKind,
    /// Bytes when restored.
    pub bytes: u64,
    /// Files and folders in it, or 1 for a file.
    pub entries: u64,
    /// BLAKE3 of a file, or of a folder's list of entries.
    pub hash: BlobId,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ShownKind {
    /// One file.
    File,
    /// A folder with all that is in it.
    Folder,
}

/// Shows the content of a release.
///
/// # Errors
/// [`Error`] when its lists cannot be read.
pub fn show(store: &Store, root: &ReleaseRoot, monitor: &dyn Monitor) -> Result<ShowReport, Error> {
    show_chosen(store, root, &Choice::default(), monitor)
}

/// Does the same for the chosen images alone.
///
/// # Errors
/// As [`show`], and [`Error::Choice`] when a requested image does not exist.
pub fn show_chosen(
    store: &Store,
    root: &ReleaseRoot,
    choice: &Choice,
    monitor: &dyn Monitor,
) -> Result<ShowReport, Error> {
    show_found(store, root, choice, None, monitor)
}

/// Does the same, and verifies the signatures of the images with these keys.
///
/// # Errors
/// As [`show_chosen`].
pub fn show_verified(
    store: &Store,
    root: &ReleaseRoot,
    choice: &Choice,
    keys: &[TrustedImageKey],
    monitor: &dyn Monitor,
) -> Result<ShowReport, Error> {
    show_found(store, root, choice, Some(keys), monitor)
}

fn show_found(
    store: &Store,
    root: &ReleaseRoot,
    choice: &Choice,
    keys: Option<&[TrustedImageKey]>,
    monitor: &dyn Monitor,
) -> Result<ShowReport, Error> {
    let items = root.read_items(store)?;
    let mut survey = ReleaseWalk::default();
    let mut walker = Walker::new(store);
    walker.stream(&root.manifest, &mut survey)?;
    walker.stream(&root.blobs, &mut survey)?;
    for item in &items {
        survey.item = String::from_utf8_lossy(&item.name).into_owned();
        survey.path.clear();
        if let ItemKind::Folder { entries, .. } = &item.kind {
            walker.stream(entries, &mut survey)?;
        }
        walk::files(store, item, &mut |path, content| {
            survey.path = String::from_utf8_lossy(path.unwrap_or_default()).into_owned();
            survey.document(store, content, monitor)?;
            walker.content(content, &mut survey)
        })?;
    }
    let images = Images::find(store, root, monitor)?;
    let repositories = package_repositories(store, root, monitor)?;
    let repositories = repositories.into_iter().map(|found| ShownRepository {
        kind: found.kind,
        item: found.item,
        folder: found.folder,
        packages: found.packages,
    });
    let repositories = repositories.collect();
    let is_all = *choice == Choice::default();
    let chosen = if is_all {
        images.images().iter().collect()
    } else {
        images.choose(choice)?
    };
    let mut shown_images = shown_images(&chosen);
    if let Some(keys) = keys {
        let mut judge = SignatureJudge::new(store, &images, keys, monitor);
        for (image, shown) in chosen.iter().zip(&mut shown_images) {
            shown.signatures = Some(judge.image(image)?);
        }
    }
    Ok(ShowReport {
        name: root.name.clone(),
        id: root.id(),
        items: root.items,
        bytes: root.bytes,
        contents: items.iter().map(shown).collect(),
        chunks: survey.chunks.len() as u64,
        opened: survey.opened,
        kept: survey.kept,
        images: shown_images,
        attachments: attached_to(&images, &chosen, is_all),
        documents: survey.documents,
        packages: shown_packages(&images),
        repositories,
        findings: images.warnings().to_vec(),
    })
}

/// What a walk through a release collects.
#[derive(Default)]
struct ReleaseWalk {
    item: String,
    path: String,
    chunks: HashSet<ChunkId>,
    opened: OpenedStreams,
    kept: Vec<KeptStream>,
    documents: Vec<ShownDocument>,
}

impl ReleaseWalk {
    /// Looks whether the file at hand is an SBOM or the like.
    fn document(
        &mut self,
        store: &Store,
        content: &Content,
        monitor: &dyn Monitor,
    ) -> Result<(), RecipeError> {
        let name = if self.path.is_empty() {
            &self.item
        } else {
            &self.path
        };
        let Some(format) = documents::format_of(store, name, content, monitor)? else {
            return Ok(());
        };
        self.documents.push(ShownDocument {
            item: self.item.clone(),
            path: self.path.clone(),
            format,
            bytes: content.bytes(),
        });
        Ok(())
    }
}

impl Visitor for ReleaseWalk {
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
        self.chunks.insert(*id);
        Ok(())
    }

    fn stream(&mut self, stream: &FoundStream) -> Result<(), RecipeError> {
        self.opened.streams += 1;
        self.opened.bytes += stream.bytes;
        self.opened.plain_bytes += stream.plain.bytes();
        self.opened.recipe_bytes += stream.remake_bytes;
        Ok(())
    }

    fn kept(&mut self, blob: &Blob, reason: u16) -> Result<(), RecipeError> {
        self.kept.push(KeptStream {
            item: self.item.clone(),
            path: self.path.clone(),
            hash: blob.id,
            bytes: blob.bytes,
            reason: KeptReason::from_number(reason),
        });
        Ok(())
    }
}

fn shown(item: &Item) -> ShownItem {
    let (kind, entries, hash) = match &item.kind {
        ItemKind::File { content } => (ShownKind::File, 1, content.id()),
        ItemKind::Folder {
            entries,
            entry_count,
            ..
        } => (ShownKind::Folder, *entry_count, BlobId(entries.id.0)),
    };
    ShownItem {
        name: String::from_utf8_lossy(&item.name).into_owned(),
        kind,
        bytes: item.bytes(),
        entries,
        hash,
    }
}

fn shown_images(images: &[&Image]) -> Vec<ShownImage> {
    let mut met = HashSet::new();
    let shown = images.iter().map(|image| {
        let parts = [&image.manifest, &image.config];
        let parts = parts.into_iter().chain(&image.layers);
        let own = parts.filter(|part| met.insert(part.digest.clone()));
        let own_bytes = own.map(|part| part.bytes).fold(0, u64::saturating_add);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut place = image.place.iter().map(|part| text(part));
        ShownImage {
            references: image.references.clone(),
            item: place.next().unwrap_or_default(),
            archives: place.collect(),
            digest: image.manifest.digest.clone(),
            id: image.config.digest.clone(),
            platform: image.platform.clone(),
            layers: image.layers.len(),
            bytes: image.bytes(),
            own_bytes,
            signatures: None,
        }
    });
    shown.collect()
}

/// Returns what is attached to the chosen images and to indexes that list them.
fn attached_to(images: &Images, chosen: &[&Image], is_all: bool) -> Vec<Attachment> {
    let mut found = attachments(images);
    if !is_all {
        let own = chosen.iter().map(|image| &image.manifest.digest);
        let mut subjects: HashSet<&Digest> = own.collect();
        for index in images.indexes() {
            let mut children = index.children.iter();
            if children.any(|child| subjects.contains(&child.descriptor.digest)) {
                subjects.insert(&index.descriptor.digest);
            }
        }
        found.retain(|each| subjects.contains(&each.subject));
    }
    found
}

fn shown_packages(images: &Images) -> Vec<ShownPackage> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = images.packages().iter().map(|package| {
        let mut place = package.place.iter().map(|part| text(part));
        let item = place.next().unwrap_or_default();
        let folder: Vec<String> = place.chain([text(&package.folder)]).collect();
        ShownPackage {
            kind: package.kind,
            name: package.name.clone(),
            version: package.version.clone(),
            item,
            folder: folder.join("/").trim_end_matches('/').to_owned(),
            components: package.components.clone(),
            plugins: package.plugins.clone(),
            images: images.images_of(package).count(),
        }
    });
    shown.collect()
}
