//! Package repositories in items: folders that apt, dnf, apk, pip, npm and helm read packages from.
//!
//! A repository is known by its indexes, and its packages by the names of their files. Those of apt are known by its
//! index as well, where it is plain or opened. Nothing is installed here, and no signature is checked.
//!
//! Memory: 300 bytes and its path for each file below a repository, and one file of an index that is read line by line.

pub mod control;
mod layout;
mod package_file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::control::ControlIndex;
use self::layout::Marker;
use crate::base::monitor::Monitor;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, Content, RecipeError};
use crate::content::release::{EntryKind, Item, ItemKind, ReleaseRoot, open_entries};

/// Most files of the repositories of one item. The rest is left out. A path counts once more for every 64 bytes: a link
/// gives all files of a folder further paths, and these may be long.
pub const REPOSITORY_FILES_MAX: usize = 1 << 20;
const COUNTED_PATH_BYTES: usize = 64;
/// Most folders of one item that are looked at as repositories. The rest is left out.
const MARKERS_MAX: usize = 1 << 14;
/// Most plain bytes of the indexes of one repository that are read. Debian's main has some 50 MB for each architecture.
const INDEX_BYTES_MAX: u64 = 1 << 30;
/// Bytes of an `index.yaml` that are looked at.
const HEAD_BYTES: u64 = 64 << 10;

/// The program that reads a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RepositoryKind {
    /// apt: `dists` with its pool, or a flat folder with `Packages`.
    Apt,
    /// dnf, yum and zypper: `repodata`.
    Dnf,
    /// apk of Alpine: `APKINDEX.tar.gz`.
    Apk,
    /// pip and other readers of PyPI's `simple`.
    PyPi,
    /// npm: packages in folders called `-`.
    Npm,
    /// helm: `index.yaml`.
    Helm,
}

impl RepositoryKind {
    /// Returns the name of the program, or of the service where it has one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::PyPi => "PyPI",
            Self::Npm => "npm",
            Self::Helm => "Helm",
        }
    }
}

/// A package of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub struct RepositoryPackage {
    /// Its name.
    pub name: String,
    /// Its version. Empty when its file does not state it.
    pub version: String,
    /// The architecture or platform that it is for. Empty when its file does not state it.
    pub architecture: String,
    /// Its file in the repository's folder.
    pub path: String,
    /// Bytes of its file.
    pub bytes: u64,
}

/// A package repository in an item.
#[derive(Debug, Clone)]
pub struct PackageRepository {
    /// What reads it.
    pub kind: RepositoryKind,
    /// Name of the item that it is in.
    pub item: String,
    /// Its folder in the item. Empty for the item itself.
    pub folder: String,
    /// Its packages, by name, version and architecture.
    pub packages: Vec<RepositoryPackage>,
    files: BTreeMap<String, Content>,
}

impl PackageRepository {
    /// Returns its files by their paths in its folder, with those that links stand for.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Content)> {
        let files = self.files.iter();
        files.map(|(path, content)| (path.as_str(), content))
    }

    /// Returns its place in a release: the item, and the folder in it.
    pub fn place(&self) -> String {
        match &self.folder[..] {
            "" => self.item.clone(),
            folder => format!("{}/{folder}", self.item),
        }
    }
}

/// Finds the package repositories among the folders of a release, in the order of the items.
///
/// # Errors
/// The errors of the source, and a stop. An index that cannot be read tells nothing, and is no error.
pub fn package_repositories<S: ChunkSource>(
    source: &S,
    root: &ReleaseRoot,
    monitor: &dyn Monitor,
) -> Result<Vec<PackageRepository>, RecipeError> {
    let mut found = Vec::new();
    for item in root.read_items(source)? {
        found.extend(in_item(source, &item, monitor)?);
    }
    Ok(found)
}

fn in_item<S: ChunkSource>(
    source: &S,
    item: &Item,
    monitor: &dyn Monitor,
) -> Result<Vec<PackageRepository>, RecipeError> {
    // Paths are asked for as text.
    let Ok(name) = String::from_utf8(item.name.clone()) else {
        return Ok(Vec::new());
    };
    let mut markers: BTreeSet<Marker> = BTreeSet::new();
    let mut entries = Entries::default();
    entries.visit(source, item, monitor, &mut |path, content| {
        if let Some(marker) = Marker::of(path) {
            let is_new = markers.len() < MARKERS_MAX && !markers.contains(&marker);
            if is_new
                && (marker.kind != RepositoryKind::Helm
                    || is_chart_index(source, content, monitor)?)
            {
                markers.insert(marker);
            }
        }
        Ok(())
    })?;
    let roots = layout::outermost(markers);
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let mut repositories: Vec<PackageRepository> = roots
        .into_iter()
        .map(|root| PackageRepository {
            kind: root.kind,
            item: name.clone(),
            folder: root.folder,
            packages: Vec::new(),
            files: BTreeMap::new(),
        })
        .collect();
    let mut room = FileRoom(REPOSITORY_FILES_MAX);
    entries.visit(source, item, monitor, &mut |path, content| {
        for repository in &mut repositories {
            if let Some(below) = layout::below(&repository.folder, path)
                && room.take(below.len())
            {
                repository.files.insert(below.to_owned(), *content);
            }
        }
        Ok(())
    })?;
    for repository in &mut repositories {
        repository.follow(&entries.links, &mut room);
        repository.list(source, monitor)?;
    }
    // A folder called `simple` or a file called `index.yaml` alone makes none.
    repositories.retain(|repository| !repository.packages.is_empty());
    Ok(repositories)
}

/// Receives the path of a file, and its content.
type FileVisit<'v> = &'v mut dyn FnMut(&str, &Content) -> Result<(), RecipeError>;

/// The entries of a folder item.
#[derive(Default)]
struct Entries {
    /// Links to other entries of the folder, by path.
    links: BTreeMap<String, String>,
}

impl Entries {
    fn visit<S: ChunkSource>(
        &mut self,
        source: &S,
        item: &Item,
        monitor: &dyn Monitor,
        visit: FileVisit<'_>,
    ) -> Result<(), RecipeError> {
        let ItemKind::Folder { entries, .. } = &item.kind else {
            return Ok(());
        };
        let mut records = open_entries(source, entries)?;
        while let Some(entry) = records.next_record()? {
            monitor.check_stop()?;
            let Ok(path) = std::str::from_utf8(&entry.path) else {
                continue;
            };
            let target = match &entry.kind {
                EntryKind::File { content } => {
                    visit(path, content)?;
                    continue;
                }
                EntryKind::HardLink { to } => std::str::from_utf8(to).ok().map(str::to_owned),
                EntryKind::Symlink { target } => {
                    let target = std::str::from_utf8(target).ok();
                    target.and_then(|target| layout::link_target(path, target))
                }
                _ => None,
            };
            if let Some(target) = target
                && self.links.len() < REPOSITORY_FILES_MAX
            {
                self.links.insert(path.to_owned(), target);
            }
        }
        Ok(())
    }
}

/// The files that there is still room for.
struct FileRoom(usize);

impl FileRoom {
    /// Takes the room of a file. Returns false when there is none left.
    fn take(&mut self, path_bytes: usize) -> bool {
        let left = self.0.checked_sub(1 + path_bytes / COUNTED_PATH_BYTES);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

impl PackageRepository {
    /// Adds the files that links stand for: links to files, and to folders as `dists/stable` is one.
    fn follow(&mut self, links: &BTreeMap<String, String>, room: &mut FileRoom) {
        for (path, target) in links {
            let folder = &self.folder;
            let (Some(path), Some(target)) =
                (layout::below(folder, path), layout::below(folder, target))
            else {
                continue;
            };
            let inside = format!("{target}/");
            let from = self.files.range(inside.clone()..);
            let below = from.take_while(|(path, _)| path.starts_with(&inside));
            let mut more: Vec<(String, Content)> = below
                .map(|(file, content)| (format!("{path}/{}", &file[inside.len()..]), *content))
                .take_while(|(path, _)| room.take(path.len()))
                .collect();
            if let Some(content) = self.files.get(target)
                && room.take(path.len())
            {
                more.push((path.to_owned(), *content));
            }
            self.files.extend(more);
        }
    }

    /// Lists the packages.
    fn list<S: ChunkSource>(
        &mut self,
        source: &S,
        monitor: &dyn Monitor,
    ) -> Result<(), RecipeError> {
        let mut control = ControlIndex::default();
        if self.kind == RepositoryKind::Apt {
            self.read_control(source, &mut control, monitor)?;
        }
        // A file with several names is one package.
        let mut seen = BTreeSet::new();
        for (path, content) in &self.files {
            let said = control.package(path);
            let Some(mut named) = said.or_else(|| package_file::parse(self.kind, path)) else {
                continue;
            };
            named.path.clone_from(path);
            named.bytes = content.bytes();
            let key = (
                named.name.clone(),
                named.version.clone(),
                named.architecture.clone(),
                content.id(),
            );
            if seen.insert(key) {
                self.packages.push(named);
            }
        }
        self.packages.sort();
        Ok(())
    }

    /// Reads apt's indexes: one of each folder, plain ones first.
    fn read_control<S: ChunkSource>(
        &self,
        source: &S,
        control: &mut ControlIndex,
        monitor: &dyn Monitor,
    ) -> Result<(), RecipeError> {
        let mut left = INDEX_BYTES_MAX;
        let mut read: BTreeSet<&str> = BTreeSet::new();
        for name in layout::CONTROL_INDEXES {
            for (path, content) in &self.files {
                let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
                if file != name || read.contains(folder) {
                    continue;
                }
                let mut body = FileBody::Content(*content);
                if name != layout::CONTROL_INDEXES[0] {
                    match unless_stopped(body.opened(source))?.flatten() {
                        Some(plain) => body = FileBody::Content(plain),
                        None => continue,
                    }
                }
                let Some(rest) = left.checked_sub(body.bytes()) else {
                    continue;
                };
                left = rest;
                let written = body.write(source, 0..body.bytes(), control, monitor);
                control.finish();
                if unless_stopped(written)?.is_some() {
                    read.insert(folder);
                }
            }
        }
        Ok(())
    }
}

/// Returns whether a file is helm's index of charts.
fn is_chart_index<S: ChunkSource>(
    source: &S,
    content: &Content,
    monitor: &dyn Monitor,
) -> Result<bool, RecipeError> {
    let body = FileBody::Content(*content);
    let mut head = Vec::new();
    let range = 0..body.bytes().min(HEAD_BYTES);
    unless_stopped(body.write(source, range, &mut head, monitor))?;
    let head = String::from_utf8_lossy(&head);
    let has = |field: &str| head.lines().any(|line| line.starts_with(field));
    Ok(has("apiVersion:") && has("entries:"))
}

/// Turns what cannot be read into nothing. `check` tells of it.
fn unless_stopped<T>(result: Result<T, RecipeError>) -> Result<Option<T>, RecipeError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ RecipeError::Interrupted(_)) => Err(error),
        Err(_) => Ok(None),
    }
}
