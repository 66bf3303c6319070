//! The files of one folder or archive, by clean paths. What manifests name is looked up only here.
//!
//! Paths that leave the archive are not among its files. When two files have the same name, neither is used.

use std::collections::HashMap;

use crate::base::monitor::Monitor;
use crate::content::archive::tar::TarLink;
use crate::content::contents::members::{self, Archive, ArchiveMember, Budget};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, Content, RecipeError, StreamRef};
use crate::content::release::{EntryKind, open_entries};

/// Most files of one folder or archive that are remembered, about 250 bytes each.
pub(crate) const FILES_MAX: usize = 1 << 20;
/// Links to links that are followed.
const LINKS_MAX: usize = 8;

/// A container of files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder {
    /// A tar or zip.
    Archive(Archive),
    /// Entries of a folder item.
    Folder(StreamRef),
}

/// The content at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathContent {
    /// A file.
    File(FileBody),
    /// A link to this path. `None` when it leads out of the archive.
    Link(Option<Vec<u8>>),
}

/// Called for each path.
pub(crate) type PathVisitor<'v> =
    &'v mut dyn FnMut(Vec<u8>, PathContent) -> Result<(), RecipeError>;

impl Holder {
    /// Visits all files that are not empty, and all links. Leaves out those whose paths leave the container.
    ///
    /// # Errors
    /// An error of the source, of `visit` or of the monitor. [`RecipeError::Corrupt`] when there is more than is
    /// followed.
    pub fn visit<S: ChunkSource>(
        &self,
        source: &S,
        budget: &mut Budget,
        monitor: &dyn Monitor,
        visit: PathVisitor<'_>,
    ) -> Result<(), RecipeError> {
        let mut tell = |path: &[u8], seen: PathContent| match clean(path) {
            Some(path) => visit(path, seen),
            None => Ok(()),
        };
        match self {
            Self::Archive(archive) => {
                let mut told = |member| {
                    monitor.check_stop()?;
                    match member {
                        ArchiveMember::File { path, body } => tell(&path, PathContent::File(body)),
                        ArchiveMember::Link { path, link, target } => {
                            tell(&path, PathContent::Link(target_of(&path, link, &target)))
                        }
                    }
                };
                members::members(source, archive, budget, monitor, &mut told)
            }
            Self::Folder(entries) => {
                let mut records = open_entries(source, entries)?;
                while let Some(entry) = records.next_record()? {
                    monitor.check_stop()?;
                    let seen = match &entry.kind {
                        EntryKind::File {
                            content: Content::Empty,
                        } => continue,
                        EntryKind::File { content } => {
                            PathContent::File(FileBody::Content(*content))
                        }
                        EntryKind::Symlink { target } => {
                            PathContent::Link(target_of(&entry.path, TarLink::Symbolic, target))
                        }
                        EntryKind::HardLink { to } => PathContent::Link(clean(to)),
                        _ => continue,
                    };
                    tell(&entry.path, seen)?;
                }
                Ok(())
            }
        }
    }
}

/// Returns a path without empty and `.` components. Returns `None` when it goes up, or names only the root.
pub fn clean(path: &[u8]) -> Option<Vec<u8>> {
    let mut out: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return None,
            part => out.push(part),
        }
    }
    (!out.is_empty()).then(|| out.join(&b'/'))
}

/// Returns the target of a link, without following other links.
fn target_of(path: &[u8], link: TarLink, target: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    if link == TarLink::Symbolic {
        // An absolute target is outside of every archive.
        if target.starts_with(b"/") {
            return None;
        }
        parts.extend(
            path.split(|byte| *byte == b'/')
                .filter(|part| !part.is_empty()),
        );
        parts.pop();
    }
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    clean(&parts.join(&b'/'))
}

/// The reason why a named file is not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// It does not exist.
    #[error("is not in the archive")]
    Missing,
    /// There are several, and they differ.
    #[error("is in the archive twice, with different bytes")]
    Twice,
    /// Its name, or the target of its link, leaves the archive.
    #[error("lies outside of the archive")]
    Outside,
    /// It is a link at the end of too many links.
    #[error("is a link that leads nowhere")]
    Links,
}

/// Files by path.
#[derive(Debug, Default)]
pub struct Files {
    seen: HashMap<Vec<u8>, (PathContent, bool)>,
}

impl Files {
    /// Adds the content at a path. Returns false when there are too many files already.
    pub fn add(&mut self, path: Vec<u8>, seen: PathContent) -> bool {
        if self.seen.len() >= FILES_MAX {
            return false;
        }
        match self.seen.entry(path) {
            std::collections::hash_map::Entry::Vacant(empty) => {
                empty.insert((seen, false));
            }
            std::collections::hash_map::Entry::Occupied(mut there) => {
                let (first, differs) = there.get_mut();
                // Programs disagree on which of two files counts, so a manifest over both would be ambiguous.
                *differs |= !is_same(first, &seen);
            }
        }
        true
    }

    /// Returns the file at a path, with links followed, and its own path.
    ///
    /// # Errors
    /// [`Absent`].
    pub fn get(&self, path: &[u8]) -> Result<(Vec<u8>, FileBody), Absent> {
        let mut path = clean(path).ok_or(Absent::Outside)?;
        // The bound also ends circles of links.
        for _ in 0..=LINKS_MAX {
            match self.seen.get(&path) {
                None => return Err(Absent::Missing),
                Some((_, true)) => return Err(Absent::Twice),
                Some((PathContent::File(body), _)) => return Ok((path, *body)),
                Some((PathContent::Link(None), _)) => return Err(Absent::Outside),
                Some((PathContent::Link(Some(target)), _)) => path = target.clone(),
            }
        }
        Err(Absent::Links)
    }
}

/// Returns whether two files of one name are interchangeable.
fn is_same(one: &PathContent, other: &PathContent) -> bool {
    match (one, other) {
        (
            PathContent::File(FileBody::Content(one)),
            PathContent::File(FileBody::Content(other)),
        ) => one.id() == other.id(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::id::ChunkId;
    use crate::content::recipe::ChunkRef;

    #[test]
    fn paths_never_leave_the_archive() {
        assert_eq!(clean(b"./a//b/.").as_deref(), Some(&b"a/b"[..]));
        assert_eq!(clean(b"/a"), Some(b"a".to_vec()));
        for bad in [&b""[..], b"/", b"..", b"a/../b", b"../a", b"."] {
            assert_eq!(clean(bad), None);
        }
        let target = |path: &str, target: &str| {
            target_of(path.as_bytes(), TarLink::Symbolic, target.as_bytes())
        };
        assert_eq!(target("a/layer.tar", "../b.tar"), Some(b"b.tar".to_vec()));
        assert_eq!(target("a/layer.tar", "../../b.tar"), None);
        assert_eq!(target("layer.tar", "/etc/passwd"), None);
        let hard = target_of(b"a/b/c", TarLink::Hard, b"a/d");
        assert_eq!(hard, Some(b"a/d".to_vec()));
    }

    #[test]
    fn links_are_followed_so_far_and_two_of_a_name_are_not_believed() {
        let file = |byte: u8| {
            let id = ChunkId([byte; 32]);
            PathContent::File(FileBody::Content(Content::Chunk(ChunkRef { bytes: 1, id })))
        };
        let mut files = Files::default();
        files.add(b"one".to_vec(), file(1));
        files.add(b"same".to_vec(), file(2));
        files.add(b"same".to_vec(), file(2));
        files.add(b"twice".to_vec(), file(2));
        files.add(b"twice".to_vec(), file(3));
        files.add(b"link".to_vec(), PathContent::Link(Some(b"one".to_vec())));
        files.add(b"out".to_vec(), PathContent::Link(None));
        files.add(b"loop".to_vec(), PathContent::Link(Some(b"loop".to_vec())));
        assert_eq!(files.get(b"./link").unwrap().0, b"one");
        assert!(files.get(b"same").is_ok());
        assert_eq!(files.get(b"twice"), Err(Absent::Twice));
        assert_eq!(files.get(b"out"), Err(Absent::Outside));
        assert_eq!(files.get(b"../one"), Err(Absent::Outside));
        assert_eq!(files.get(b"loop"), Err(Absent::Links));
        assert_eq!(files.get(b"none"), Err(Absent::Missing));
    }
}
