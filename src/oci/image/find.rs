//! Finds images in items: at any depth of folders and archives, by what is there and not by what it is called.
//!
//! Layers of images are not looked into. What is wrong with one image is told, and the rest stays.

use std::collections::{BTreeMap, HashSet};

use super::document::{DockerEntry, Document};
use super::files::{Absent, FILES_MAX, Files, Holder, PathContent};
use super::layout::{ImageLayout, blob_path};
use super::sayings;
use super::scan::{FolderScan, Marks};
use super::stored::stored_path;
use super::{Descriptor, Digest, Images, MANIFEST_BYTES_MAX};
use crate::base::finding::{Finding, Severity};
use crate::base::monitor::{Interrupted, Monitor, Quiet};
use crate::base::saying::Saying;
use crate::content::contents::members::{self, Budget};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::{Item, ItemKind, ReleaseRoot};

/// First bytes of a zstd frame.
pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// First bytes of what is compressed as a whole, and what by.
const PACKED_MAGICS: [(&[u8], &str); 7] = [
    (&ZSTD_MAGIC, "zstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (b"BZh", "bzip2"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
    (&[0x5d, 0, 0, 0x80, 0], "lzma"),
    (&[0x1f, 0x8b], "gzip"),
    (b"PK\x03\x04", "zip"),
];
/// Shorter gzip streams and zip files are not told.
const PACKED_BYTES_MIN: u64 = 4096;
/// Folders and archives in one another that are looked into.
const DEPTH_MAX: usize = 12;
/// Folders and archives that are looked into in all.
const HOLDERS_MAX: usize = 1 << 20;

impl Images {
    /// Finds what is in a release.
    ///
    /// # Errors
    /// [`RecipeError`] when the list of items cannot be read, or a stop was asked for. What is wrong in items is among
    /// [`Images::warnings`].
    pub fn find<S: ChunkSource>(
        source: &S,
        root: &ReleaseRoot,
        monitor: &dyn Monitor,
    ) -> Result<Self, RecipeError> {
        let mut images = Self::default();
        images.add(source, root, monitor)?;
        Ok(images)
    }

    /// Adds what is in another release. A name that is there already stays with what it stands for.
    ///
    /// # Errors
    /// As [`Images::find`].
    pub fn add<S: ChunkSource>(
        &mut self,
        source: &S,
        root: &ReleaseRoot,
        monitor: &dyn Monitor,
    ) -> Result<(), RecipeError> {
        let items = root.read_items(source)?;
        let packages_before = self.packages.len();
        self.releases += 1;
        let mut finder = Finder {
            source,
            monitor: &Quiet(monitor),
            budget: Budget::default(),
            holders_left: HOLDERS_MAX,
            names: BTreeMap::new(),
            found: self,
        };
        for item in &items {
            finder.item(item)?;
        }
        self.judge_packages(packages_before);
        Ok(())
    }
}

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

/// Goes through items.
pub(super) struct Finder<'a, S: ChunkSource> {
    pub(super) source: &'a S,
    pub(super) monitor: &'a dyn Monitor,
    budget: Budget,
    holders_left: usize,
    /// What each name stands for in this release.
    pub(super) names: BTreeMap<String, Digest>,
    pub(super) found: &'a mut Images,
}

impl<S: ChunkSource> Finder<'_, S> {
    fn item(&mut self, item: &Item) -> Result<(), RecipeError> {
        let place = [item.name.clone()];
        let holder = match &item.kind {
            ItemKind::Folder { entries, .. } => Some(Holder::Folder(*entries)),
            ItemKind::File { content } => match members::archive_in(self.source, content) {
                Ok(archive) => archive.map(Holder::Archive),
                Err(error) => return self.unreadable(&place, error),
            },
        };
        match (holder, &item.kind) {
            (Some(holder), _) => self.look(&place, &holder, DEPTH_MAX),
            (None, ItemKind::File { content }) => {
                self.tell_packed(&place, &FileBody::Content(*content))
            }
            (None, ItemKind::Folder { .. }) => Ok(()),
        }
    }

    /// Tells of what is compressed as a whole and not opened: nothing in it is known.
    fn tell_packed(&mut self, place: &[Vec<u8>], body: &FileBody) -> Result<(), RecipeError> {
        let mut head = Vec::new();
        let range = 0..body.bytes().min(6);
        match body.write(self.source, range, &mut head, self.monitor) {
            Err(error @ RecipeError::Interrupted(_)) => return Err(error),
            // What cannot be read is told by `check`.
            Err(_) => return Ok(()),
            Ok(()) => {}
        }
        let packed = PACKED_MAGICS
            .iter()
            .find(|(magic, _)| head.starts_with(magic));
        // Neither streams nor charts of a few kilobytes have images in them.
        let is_short = body.bytes() < PACKED_BYTES_MIN;
        if let Some((_, name)) =
            packed.filter(|(_, name)| !is_short || !matches!(*name, "gzip" | "zip"))
        {
            self.note(subject(place, b"", ""), sayings::PACKED.with(name));
        }
        Ok(())
    }

    /// Tells that a holder cannot be followed, unless a stop was asked for.
    fn unreadable(&mut self, place: &[Vec<u8>], error: RecipeError) -> Result<(), RecipeError> {
        match error {
            RecipeError::Interrupted(_) => Err(error),
            other => {
                let why = sayings::CLOSED.saying_that((&other).into());
                self.lose(subject(place, b"", ""), why);
                Ok(())
            }
        }
    }

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

    /// Looks into a folder or archive.
    fn look(
        &mut self,
        place: &[Vec<u8>],
        holder: &Holder,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        self.monitor.check_stop()?;
        if self.holders_left == 0 || depth_left == 0 {
            self.note(subject(place, b"", ""), sayings::TOO_DEEP);
            return Ok(());
        }
        self.holders_left -= 1;
        let mut survey = FolderScan::default();
        let visited = holder.visit(
            self.source,
            &mut self.budget,
            self.monitor,
            &mut |path, seen| {
                if let PathContent::File(body) = seen {
                    survey.file(&path, body);
                }
                Ok(())
            },
        );
        // What was met before the fault stays.
        if let Err(error) = visited {
            self.unreadable(place, error)?;
        }
        if survey.is_cut {
            self.note(subject(place, b"", ""), sayings::MORE_HOLDERS);
        }
        for (folder, marks) in &survey.folders {
            self.package(place, folder, &marks.package)?;
        }
        let taken = self.image_folders(place, holder, &survey)?;
        for (path, body) in survey.packed.iter().filter(|(path, _)| !taken.has(path)) {
            let inner: Vec<Vec<u8>> = [place, std::slice::from_ref(path)].concat();
            let is_opened = match body {
                FileBody::Content(content) => {
                    !matches!(members::archive_in(self.source, content), Ok(None))
                        || matches!(body.opened(self.source), Ok(Some(_)))
                }
                _ => false,
            };
            if !is_opened {
                self.tell_packed(&inner, body)?;
            }
        }
        for (path, content) in &survey.nested {
            if taken.has(path) {
                continue;
            }
            let inner: Vec<Vec<u8>> = [place, std::slice::from_ref(path)].concat();
            match members::archive_in(self.source, content) {
                Ok(Some(archive)) => {
                    self.look(&inner, &Holder::Archive(archive), depth_left - 1)?
                }
                Ok(None) => {}
                Err(error) => self.unreadable(&inner, error)?,
            }
        }
        Ok(())
    }

    /// Reads the images of all folders of a holder that have some.
    fn image_folders(
        &mut self,
        place: &[Vec<u8>],
        holder: &Holder,
        survey: &FolderScan,
    ) -> Result<ImageFiles, RecipeError> {
        let mut taken = ImageFiles::default();
        let mut folders: Vec<(&[u8], Documents)> = Vec::new();
        for (folder, marks) in &survey.folders {
            if let Some(documents) = self.documents(place, folder, marks)? {
                match documents.scheme {
                    Scheme::Dir(_) => taken.dirs.push(folder.clone()),
                    _ => taken
                        .blob_folders
                        .push([&folder[..], &b"blobs/"[..]].concat()),
                }
                folders.push((folder, documents));
            }
        }
        if folders.is_empty() {
            return Ok(taken);
        }
        let mut files = Files::default();
        let mut is_cut = false;
        let visited = holder.visit(
            self.source,
            &mut self.budget,
            self.monitor,
            &mut |path, seen| {
                if folders.iter().any(|(folder, _)| path.starts_with(folder)) {
                    is_cut |= !files.add(path, seen);
                }
                Ok(())
            },
        );
        // The survey has told of it already.
        if let Err(error @ RecipeError::Interrupted(_)) = visited {
            return Err(error);
        }
        if is_cut {
            let why = sayings::MORE_FILES.with(FILES_MAX);
            self.note(subject(place, b"", ""), why);
        }
        for (folder, documents) in &folders {
            let scene = Scene {
                place,
                folder,
                files: &files,
                scheme: &documents.scheme,
            };
            let layout = match &documents.index {
                Some(index) => self.layout(&scene, index)?,
                None => ImageLayout::default(),
            };
            match &documents.docker {
                Some(entries) => self.docker(&scene, entries, layout, &mut taken.files)?,
                None => self.layout_images(&scene, layout)?,
            }
        }
        Ok(taken)
    }

    /// The documents that make a folder one of images; `None` when it is none.
    fn documents(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        marks: &Marks,
    ) -> Result<Option<Documents>, RecipeError> {
        if let Some(documents) = self.storage(marks)? {
            return Ok(Some(documents));
        }
        let docker = match &marks.docker {
            Some(body) => self.mark(place, folder, "manifest.json", body)?,
            None => None,
        };
        if let (Some(manifest), Some(version)) = (&docker, &marks.version)
            && let Some(documents) = self.dir(place, folder, manifest, version)?
        {
            return Ok(Some(documents));
        }
        // Without images it is `null`.
        let docker = docker.and_then(|bytes| serde_json::from_slice::<Option<_>>(&bytes).ok());
        let docker: Option<Vec<DockerEntry>> = docker.map(Option::unwrap_or_default);
        let index = match &marks.index {
            Some(body) if marks.is_layout => self.mark(place, folder, "index.json", body)?,
            _ => None,
        };
        let index = index.and_then(|bytes| serde_json::from_slice::<Document>(&bytes).ok());
        let index = index.filter(|index| index.manifests.is_some());
        if marks.is_layout && marks.index.is_some() && index.is_none() {
            self.lose(subject(place, folder, ""), sayings::NO_INDEX);
        }
        let documents = Documents {
            docker,
            index,
            scheme: Scheme::Layout,
        };
        let is_some = documents.docker.is_some() || documents.index.is_some();
        Ok(is_some.then_some(documents))
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

/// Files of a holder that belong to images.
#[derive(Default)]
struct ImageFiles {
    /// Beginnings of paths of blobs.
    blob_folders: Vec<Vec<u8>>,
    /// Folders in which blobs are called by their hex digits alone.
    dirs: Vec<Vec<u8>>,
    /// Layers elsewhere.
    files: HashSet<Vec<u8>>,
}

impl ImageFiles {
    fn has(&self, path: &[u8]) -> bool {
        let mut folders = self.blob_folders.iter();
        let mut dirs = self.dirs.iter();
        let is_blob = |folder: &Vec<u8>| {
            let name = path.strip_prefix(&folder[..]);
            name.is_some_and(|name| name.len() >= 64 && name.iter().all(u8::is_ascii_hexdigit))
        };
        self.files.contains(path)
            || folders.any(|folder| path.starts_with(folder))
            || dirs.any(is_blob)
    }
}
