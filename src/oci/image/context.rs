//! What reading images out of a release goes by: where something was found, how its blobs are called, and what is told of it.
//!
//! The readers of docker archives, OCI layouts, registries' storage and packages each get it. They don't know one another.

use std::collections::BTreeMap;

use super::document::{DockerEntry, Document};
use super::files::{Absent, Files};
use super::sayings;
use super::{Descriptor, Digest, Images, MANIFEST_BYTES_MAX};
use crate::base::finding::{Finding, Severity};
use crate::base::monitor::{Interrupted, Monitor};
use crate::base::saying::Saying;
use crate::content::contents::members::Budget;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};

/// First bytes of a zstd frame.
pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Where each layer of an image lies in its archive; `None`: elsewhere.
pub(super) type LayerPaths = Vec<Option<Vec<u8>>>;

/// Says why an image, or something of it, is not believed.
pub(super) enum ImageFault {
    /// A stop was asked for.
    Stop(Interrupted),
    /// What is wrong, the blob named.
    Bad(Saying),
}

impl ImageFault {
    pub(super) fn bad(what: impl Into<Saying>, why: impl Into<Saying>) -> Self {
        Self::Bad(sayings::IT.saying_that(what.into()).saying_that(why.into()))
    }
}

/// An error of reading `what` is a fault of it, a stop is a stop.
pub(super) fn faulty(what: impl Into<Saying>) -> impl FnOnce(RecipeError) -> ImageFault {
    move |error| match error {
        RecipeError::Interrupted(stop) => ImageFault::Stop(stop),
        other => ImageFault::bad(what, sayings::UNREADABLE.saying_that((&other).into())),
    }
}

/// Where something was found.
pub(super) struct Scene<'f> {
    /// The item, then the archives in one another.
    pub(super) place: &'f [Vec<u8>],
    /// The folder in the innermost, with a `/` behind it unless it is the top.
    pub(super) folder: &'f [u8],
    /// The files of the innermost.
    pub(super) files: &'f Files,
    /// How blobs are named.
    pub(super) scheme: &'f Scheme,
}

impl Scene<'_> {
    /// A file below the folder.
    pub(super) fn get(&self, path: &str) -> Result<(Vec<u8>, FileBody), Absent> {
        // The path on its own must not leave the folder: `a/../..` does, though the whole may not leave the archive.
        let own = super::files::clean(path.as_bytes()).ok_or(Absent::Outside)?;
        self.files.get(&[self.folder, &own[..]].concat())
    }

    /// A blob.
    pub(super) fn blob(&self, digest: &Digest) -> Result<(Vec<u8>, FileBody), Absent> {
        match self.scheme {
            Scheme::Layout => self.get(&blob_path(digest)),
            Scheme::Dir(root) if root == digest => self.get("manifest.json"),
            Scheme::Dir(_) => match self.get(digest.hex()) {
                Err(Absent::Missing) => self.get(&format!("{}.manifest.json", digest.hex())),
                found => found,
            },
            Scheme::Storage => self.get(&stored_path(digest)),
        }
    }

    /// How people find it: `package.tar.gz > images.tar: shop/web:1.0`.
    pub(super) fn subject(&self, image: &str) -> String {
        subject(self.place, self.folder, image)
    }

    /// The folder without the `/` behind it.
    pub(super) fn folder_path(&self) -> Vec<u8> {
        self.folder.strip_suffix(b"/").unwrap_or_default().to_vec()
    }
}

/// `package.tar.gz > images.tar: shop/web:1.0`.
pub(super) fn subject(place: &[Vec<u8>], folder: &[u8], image: &str) -> String {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    let parts = place.iter().map(|part| &part[..]);
    let parts = parts.chain((!folder.is_empty()).then_some(folder));
    let parts: Vec<_> = parts.map(String::from_utf8_lossy).collect();
    let place = parts.join(" > ");
    if image.is_empty() {
        place
    } else {
        format!("{place}: {image}")
    }
}

/// Documents of a folder that is a docker archive, an OCI layout or both, or is read as a layout.
pub(super) struct Documents {
    pub(super) docker: Option<Vec<DockerEntry>>,
    pub(super) index: Option<Document>,
    pub(super) scheme: Scheme,
}

/// How a folder names blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `blobs/sha256/HEX`, as OCI layouts do.
    Layout,
    /// `HEX`, as skopeo's folders do; `manifest.json` has this digest.
    Dir(Digest),
    /// `blobs/sha256/HE/HEX/data`, as registries do.
    Storage,
}

/// Goes through the items of a release: its chunks, what may still be looked into, and the images found so far.
pub(super) struct ImageContext<'a, S: ChunkSource> {
    pub(super) source: &'a S,
    pub(super) monitor: &'a dyn Monitor,
    pub(super) budget: Budget,
    pub(super) holders_left: usize,
    /// What each name stands for in this release.
    pub(super) names: BTreeMap<String, Digest>,
    pub(super) found: &'a mut Images,
}

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Tells something that is worth knowing.
    pub(super) fn note(&mut self, subject: String, what: impl Into<Saying>) {
        let finding = Finding::said(Severity::Note, subject, what.into());
        self.found.warnings.push(finding);
    }

    /// Tells what no program will load.
    pub(super) fn lose(&mut self, subject: String, what: impl Into<Saying>) {
        let finding = Finding::said(Severity::Loss, subject, what.into());
        self.found.warnings.push(finding);
    }

    /// Tells what is wrong with an image, unless a stop was asked for.
    pub(super) fn judge<T>(
        &mut self,
        scene: &Scene<'_>,
        image: &str,
        outcome: Result<T, ImageFault>,
    ) -> Result<Option<T>, RecipeError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(ImageFault::Stop(stop)) => Err(stop.into()),
            Err(ImageFault::Bad(why)) => {
                self.lose(scene.subject(image), why);
                Ok(None)
            }
        }
    }

    /// Reads what may be the mark of a folder of images; what is too long is none.
    pub(super) fn mark(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        name: &str,
        body: &FileBody,
    ) -> Result<Option<Vec<u8>>, RecipeError> {
        self.mark_within(place, folder, name, body, MANIFEST_BYTES_MAX)
    }

    /// The same with another limit.
    pub(super) fn mark_within(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        name: &str,
        body: &FileBody,
        bytes_max: u64,
    ) -> Result<Option<Vec<u8>>, RecipeError> {
        if body.bytes() > bytes_max {
            let why = sayings::LONG_DOCUMENT.with(name);
            self.lose(subject(place, folder, ""), why);
            return Ok(None);
        }
        match body.read(self.source, bytes_max, self.monitor) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error @ RecipeError::Interrupted(_)) => Err(error),
            Err(error) => {
                let why = sayings::UNREADABLE_DOCUMENT.with(name);
                let why = why.saying_that((&error).into());
                self.lose(subject(place, folder, ""), why);
                Ok(None)
            }
        }
    }

    /// Reads a manifest or config, and its digest.
    pub(super) fn read(
        &self,
        what: &Saying,
        body: &FileBody,
    ) -> Result<(Vec<u8>, Digest), ImageFault> {
        if body.bytes() > MANIFEST_BYTES_MAX {
            return Err(ImageFault::bad(what, sayings::LONG));
        }
        let bytes = body.read(self.source, MANIFEST_BYTES_MAX, self.monitor);
        let bytes = bytes.map_err(faulty(what))?;
        let digest = Digest::of(&bytes);
        Ok((bytes, digest))
    }

    /// Reads a manifest or config of which the digest is known; the length may be said wrongly.
    pub(super) fn read_checked(
        &self,
        what: &Saying,
        descriptor: &Descriptor,
        body: &FileBody,
    ) -> Result<Vec<u8>, ImageFault> {
        let (bytes, _) = self.read(what, body)?;
        let digest = descriptor.digest.likewise_of(&bytes);
        if digest == descriptor.digest {
            Ok(bytes)
        } else {
            Err(ImageFault::bad(what, sayings::MISMATCH.with(digest)))
        }
    }
}

/// Where a layout keeps a blob.
pub(super) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// Where a registry keeps a blob.
pub(super) fn stored_path(digest: &Digest) -> String {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    let first = hex.get(..2).unwrap_or_default();
    format!("blobs/{algorithm}/{first}/{hex}/data")
}
