//! The context of reading images out of a release: where something was found, how its blobs are named, and what is
//! reported.
//!
//! The readers of docker archives, OCI layouts, registry storage and packages each get it. They do not know one
//! another.

use std::collections::BTreeMap;

use super::document::{DockerEntry, Document, blob_path};
use super::files::{Absent, Files};
use super::{Descriptor, Digest, Images, MANIFEST_BYTES_MAX};
use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::{Interrupted, Monitor};
use crate::content::contents::members::Budget;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};

/// First bytes of a zstd frame.
pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Path of each layer of an image in its archive. `None` for a layer elsewhere.
pub(super) type LayerPaths = Vec<Option<Vec<u8>>>;

/// The reason why an image, or a part of it, is not accepted.
pub(super) enum ImageFault {
    /// A stop was asked for.
    Stop(Interrupted),
    /// What is wrong, with the blob named.
    Bad(Diagnostic),
}

impl ImageFault {
    pub(super) fn bad(what: impl Into<Arg>, why: impl Into<Diagnostic>) -> Self {
        Self::Bad(of_part(what, why.into()))
    }
}

/// Says `why` of one part of an image.
pub(super) fn of_part(what: impl Into<Arg>, why: Diagnostic) -> Diagnostic {
    diagnostic!("image.part", what, why)
}

/// Turns an error of reading `what` into a fault of it. An interruption stays one.
pub(super) fn faulty(what: impl Into<Arg>) -> impl FnOnce(RecipeError) -> ImageFault {
    move |error| match error {
        RecipeError::Interrupted(stop) => ImageFault::Stop(stop),
        other => {
            let why = Arg::caught(other);
            ImageFault::bad(what, diagnostic!("image.cannot_be_read", why))
        }
    }
}

impl From<&Digest> for Arg {
    fn from(digest: &Digest) -> Self {
        Self::Text(digest.to_string())
    }
}

impl From<Absent> for Diagnostic {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::Missing => diagnostic!("image.not_in_archive"),
            Absent::Twice => diagnostic!("image.twice_in_archive"),
            Absent::Outside => diagnostic!("image.outside_of_archive"),
            Absent::Links => diagnostic!("image.link_to_nothing"),
        }
    }
}

/// The place where something was found.
pub(super) struct Scene<'f> {
    /// The item, then the nested archives.
    pub(super) place: &'f [Vec<u8>],
    /// The folder in the innermost archive, with a `/` at its end unless it is the top.
    pub(super) folder: &'f [u8],
    /// The files of the innermost archive.
    pub(super) files: &'f Files,
    /// How blobs are named.
    pub(super) scheme: &'f Scheme,
}

impl Scene<'_> {
    /// Finds a file below the folder.
    pub(super) fn get(&self, path: &str) -> Result<(Vec<u8>, FileBody), Absent> {
        // The path alone must not leave the folder. `a/../..` does, even where the joined path stays inside the
        // archive.
        let own = super::files::clean(path.as_bytes()).ok_or(Absent::Outside)?;
        self.files.get(&[self.folder, &own[..]].concat())
    }

    /// Finds a blob.
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

    /// Returns the place for messages: `package.tar.gz > images.tar: shop/web:1.0`.
    pub(super) fn subject(&self, image: &str) -> String {
        subject(self.place, self.folder, image)
    }

    /// Returns the folder without the `/` at its end.
    pub(super) fn folder_path(&self) -> Vec<u8> {
        self.folder.strip_suffix(b"/").unwrap_or_default().to_vec()
    }
}

/// Formats a place: `package.tar.gz > images.tar: shop/web:1.0`.
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

/// The documents of a folder that is a docker archive, an OCI layout or both, or is read as a layout.
pub(super) struct Documents {
    pub(super) docker: Option<Vec<DockerEntry>>,
    pub(super) index: Option<Document>,
    pub(super) scheme: Scheme,
}

/// The way in which a folder names blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `blobs/sha256/HEX`, as in OCI layouts.
    Layout,
    /// `HEX`, as in skopeo's folders. `manifest.json` has this digest.
    Dir(Digest),
    /// `blobs/sha256/HE/HEX/data`, as in the storage of registries.
    Storage,
}

/// Walks the items of a release. Holds its chunks, the limits that are left, and the images found so far.
pub(super) struct ImageContext<'a, S: ChunkSource> {
    pub(super) source: &'a S,
    pub(super) monitor: &'a dyn Monitor,
    pub(super) budget: Budget,
    pub(super) holders_left: usize,
    /// The meaning of each name in this release.
    pub(super) names: BTreeMap<String, Digest>,
    pub(super) found: &'a mut Images,
}

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Reports something that the operator should know.
    pub(super) fn note(&mut self, subject: String, what: Diagnostic) {
        self.found.warnings.push(Finding::note(subject, what));
    }

    /// Reports an image that no program will load.
    pub(super) fn lose(&mut self, subject: String, what: Diagnostic) {
        self.found.warnings.push(Finding::loss(subject, what));
    }

    /// Reports what is wrong with an image, unless a stop was asked for.
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

    /// Reads what may be the mark of a folder of images. A longer file is not a mark.
    pub(super) fn mark(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        name: &str,
        body: &FileBody,
    ) -> Result<Option<Vec<u8>>, RecipeError> {
        self.mark_within(place, folder, name, body, MANIFEST_BYTES_MAX)
    }

    /// Does the same with another limit.
    pub(super) fn mark_within(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        name: &str,
        body: &FileBody,
        bytes_max: u64,
    ) -> Result<Option<Vec<u8>>, RecipeError> {
        if body.bytes() > bytes_max {
            let why = diagnostic!("image.long_document", name);
            self.lose(subject(place, folder, ""), why);
            return Ok(None);
        }
        match body.read(self.source, bytes_max, self.monitor) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error @ RecipeError::Interrupted(_)) => Err(error),
            Err(error) => {
                let why = Arg::caught(error);
                let why = diagnostic!("image.unreadable_document", name, why);
                self.lose(subject(place, folder, ""), why);
                Ok(None)
            }
        }
    }

    /// Reads a manifest or config, and its digest.
    pub(super) fn read(
        &self,
        what: &Arg,
        body: &FileBody,
    ) -> Result<(Vec<u8>, Digest), ImageFault> {
        if body.bytes() > MANIFEST_BYTES_MAX {
            return Err(ImageFault::bad(what, diagnostic!("image.long")));
        }
        let bytes = body.read(self.source, MANIFEST_BYTES_MAX, self.monitor);
        let bytes = bytes.map_err(faulty(what))?;
        let digest = Digest::of(&bytes);
        Ok((bytes, digest))
    }

    /// Reads a manifest or config with a known digest. The stated length may be wrong.
    pub(super) fn read_checked(
        &self,
        what: &Arg,
        descriptor: &Descriptor,
        body: &FileBody,
    ) -> Result<Vec<u8>, ImageFault> {
        let (bytes, _) = self.read(what, body)?;
        let digest = descriptor.digest.likewise_of(&bytes);
        if digest == descriptor.digest {
            Ok(bytes)
        } else {
            let why = diagnostic!("image.does_not_match", found = &digest);
            Err(ImageFault::bad(what, why))
        }
    }
}

/// Returns the path of a blob in the storage of a registry.
pub(super) fn stored_path(digest: &Digest) -> String {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    let first = hex.get(..2).unwrap_or_default();
    format!("blobs/{algorithm}/{first}/{hex}/data")
}
