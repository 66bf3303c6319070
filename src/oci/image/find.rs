//! Finds images in items, at any depth of folders and archives. It goes by content and never by names.
//!
//! It does not look inside layers of images. A fault of one image is reported, and the others stay.

use std::collections::{BTreeMap, HashSet};

use super::Images;
use super::context::{Documents, ImageContext, Scene, Scheme, ZSTD_MAGIC, subject};
use super::document::{DockerEntry, Document};
use super::files::{FILES_MAX, Files, Holder, PathContent};
use super::layout::ImageLayout;
use super::scan::{FolderScan, Marks, is_package_part};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::monitor::{Monitor, Quiet};
use crate::content::contents::members::{self, Archive, Budget};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::{Item, ItemKind, ReleaseRoot};

/// First bytes of files that are compressed as a whole, and the compression.
const PACKED_MAGICS: [(&[u8], &str); 7] = [
    (&ZSTD_MAGIC, "zstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (b"BZh", "bzip2"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
    (&[0x5d, 0, 0, 0x80, 0], "lzma"),
    (&[0x1f, 0x8b], "gzip"),
    (b"PK\x03\x04", "zip"),
];
/// Shorter gzip streams and zip files are not reported.
const PACKED_BYTES_MIN: u64 = 4096;
/// Nesting of folders and archives that is followed.
const DEPTH_MAX: usize = 12;
/// Most folders and archives that are searched in total.
const HOLDERS_MAX: usize = 1 << 20;

impl Images {
    /// Finds the images of a release.
    ///
    /// # Errors
    /// [`RecipeError`] when the list of items cannot be read, or a stop was asked for. Problems inside items are among
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

    /// Adds the images of another release. A name that exists already keeps its meaning.
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
        let mut finder = ImageContext {
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

impl<S: ChunkSource> ImageContext<'_, S> {
    fn item(&mut self, item: &Item) -> Result<(), RecipeError> {
        let place = [item.name.clone()];
        let holder = match &item.kind {
            ItemKind::Folder { entries, .. } => Some(Holder::Folder(*entries)),
            ItemKind::File { content } => {
                match members::archive_in(self.source, content, self.monitor) {
                    Ok(archive) => archive.map(Holder::Archive),
                    Err(error) => return self.unreadable(&place, error),
                }
            }
        };
        match (holder, &item.kind) {
            (Some(holder), _) => self.look(&place, &holder, DEPTH_MAX),
            (None, ItemKind::File { content }) => {
                self.tell_packed(&place, &FileBody::Content(*content))
            }
            (None, ItemKind::Folder { .. }) => Ok(()),
        }
    }

    /// Reports a file that is compressed as a whole and not opened, because its content is unknown.
    fn tell_packed(&mut self, place: &[Vec<u8>], body: &FileBody) -> Result<(), RecipeError> {
        // Reading all that holds these few bytes from far away is not worth a note.
        if let Ok(Some(first)) = body.first_chunk(self.source)
            && !self.source.may_be_packed(&first.id)
        {
            return Ok(());
        }
        let mut head = Vec::new();
        let range = 0..body.bytes().min(6);
        match body.write(self.source, range, &mut head, self.monitor) {
            Err(error @ RecipeError::Interrupted(_)) => return Err(error),
            // `check` reports what cannot be read.
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
            self.note(
                subject(place, b"", ""),
                diagnostic!("image.compressed_whole", with = *name),
            );
        }
        Ok(())
    }

    /// Reports that a container cannot be read, unless a stop was asked for.
    fn unreadable(&mut self, place: &[Vec<u8>], error: RecipeError) -> Result<(), RecipeError> {
        match error {
            RecipeError::Interrupted(_) => Err(error),
            other => {
                let why = diagnostic!("image.archive_unreadable", why = Arg::caught(other));
                self.lose(subject(place, b"", ""), why);
                Ok(())
            }
        }
    }

    /// Searches a folder or archive.
    fn look(
        &mut self,
        place: &[Vec<u8>],
        holder: &Holder,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        self.monitor.check_stop()?;
        if self.holders_left == 0 || depth_left == 0 {
            self.note(subject(place, b"", ""), diagnostic!("image.too_deep"));
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
        // What was found before the fault stays.
        if let Err(error) = visited {
            self.unreadable(place, error)?;
        }
        if survey.is_cut {
            self.note(subject(place, b"", ""), diagnostic!("image.more_archives"));
        }
        for (folder, marks) in &survey.folders {
            self.package(place, folder, &marks.package)?;
        }
        let taken = self.image_folders(place, holder, &survey)?;
        for (path, body) in survey.packed.iter().filter(|(path, _)| !taken.has(path)) {
            let inner: Vec<Vec<u8>> = [place, std::slice::from_ref(path)].concat();
            let is_opened = match body {
                FileBody::Content(content) => {
                    !matches!(
                        members::archive_in(self.source, content, self.monitor),
                        Ok(None)
                    ) || matches!(body.opened(self.source), Ok(Some(_)))
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
            match members::archive_in(self.source, content, self.monitor) {
                // Unpacking all packages of a repository would take long.
                Ok(Some(Archive::Unpacked(_))) if is_package_part(path) => {}
                Ok(Some(archive)) => {
                    self.look(&inner, &Holder::Archive(archive), depth_left - 1)?
                }
                Ok(None) => {}
                Err(error) => self.unreadable(&inner, error)?,
            }
        }
        Ok(())
    }

    /// Reads the images of all image folders of a container.
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
        // The scan has reported it already.
        if let Err(error @ RecipeError::Interrupted(_)) = visited {
            return Err(error);
        }
        if is_cut {
            let why = diagnostic!("image.more_files", limit = FILES_MAX);
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

    /// Returns the documents that make a folder one of images, or `None` when it is not one.
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
            self.lose(subject(place, folder, ""), diagnostic!("image.no_index"));
        }
        let documents = Documents {
            docker,
            index,
            scheme: Scheme::Layout,
        };
        let is_some = documents.docker.is_some() || documents.index.is_some();
        Ok(is_some.then_some(documents))
    }
}

/// Files of a container that belong to images.
#[derive(Default)]
struct ImageFiles {
    /// Path prefixes of blobs.
    blob_folders: Vec<Vec<u8>>,
    /// Folders in which blobs are named only by their hex digits.
    dirs: Vec<Vec<u8>>,
    /// Layers at other paths.
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
