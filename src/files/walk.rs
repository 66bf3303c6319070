//! Walks a folder in a stable order and to any depth. Paths may be longer than the 4,096 bytes that Linux takes in one
//! call.
//!
//! Below a path that gets long, the walk continues from a handle of the folder there, through its entry in /proc. Links
//! are not followed. At most one handle is open for every [`REAL_BYTES_MAX`] bytes of the path, besides ten of the walk
//! itself.

use std::fs::Metadata;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use walkdir::WalkDir;

use super::LayoutError;
use crate::base::limits::{PATH_BYTES_MAX, PATH_DEPTH_MAX};
use crate::base::term::Action;
use crate::content::release::Refusal;

/// Folders with a longer path are walked from a handle. A name and a slash still fit into one call.
const REAL_BYTES_MAX: usize = 2048;

/// Something below the root.
pub(super) struct WalkEntry {
    /// The path that opens it, valid while the walk is at this entry.
    pub(super) real: PathBuf,
    /// The path that people know.
    pub(super) shown: PathBuf,
    /// Its path below the root.
    pub(super) below: Vec<u8>,
    /// Its metadata. Links are not followed.
    pub(super) stat: Metadata,
}

impl WalkEntry {
    /// Returns whether it can be opened by its own path at any time.
    pub(super) fn is_direct(&self) -> bool {
        self.real == self.shown
    }
}

/// The walk. A folder comes before its entries, which are ordered by name.
pub(super) struct FolderWalk {
    root: PathBuf,
    levels: Vec<FolderLevel>,
}

struct FolderLevel {
    walk: walkdir::IntoIter,
    /// The folder where the level begins: the path that opens it, and its path below the root.
    real: PathBuf,
    below: PathBuf,
    /// The handle that `real` goes through.
    _anchor: Option<OwnedFd>,
}

impl FolderLevel {
    fn new(real: PathBuf, below: PathBuf, anchor: Option<OwnedFd>) -> Self {
        let walk = WalkDir::new(&real).min_depth(1).sort_by_file_name();
        Self {
            walk: walk.into_iter(),
            real,
            below,
            _anchor: anchor,
        }
    }
}

impl FolderWalk {
    /// Starts at the entries of `root`.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            levels: vec![FolderLevel::new(root.to_owned(), PathBuf::new(), None)],
        }
    }

    fn found(&mut self, entry: &walkdir::DirEntry) -> Result<WalkEntry, LayoutError> {
        let level = self.levels.last_mut().expect("an entry comes from a level");
        let real = entry.path();
        let inside = real.strip_prefix(&level.real).unwrap_or(real);
        let below = level.below.join(inside);
        let shown = self.root.join(&below);
        if below.as_os_str().len() > PATH_BYTES_MAX {
            level.walk.skip_current_dir();
            return Err(LayoutError::Unfit {
                path: shown,
                why: Refusal::PathOver64KiB,
            });
        }
        if below.components().count() > PATH_DEPTH_MAX + 1 {
            level.walk.skip_current_dir();
            return Err(LayoutError::Unfit {
                path: shown,
                why: Refusal::TooManyFolders,
            });
        }
        let stat = real
            .symlink_metadata()
            .map_err(LayoutError::io(Action::LookAt, &shown))?;
        let found = WalkEntry {
            real: real.to_owned(),
            shown,
            below: below.as_os_str().as_bytes().to_vec(),
            stat,
        };
        // The current level skips the folder, because the new level walks it.
        if found.stat.is_dir() && real.as_os_str().len() > REAL_BYTES_MAX {
            level.walk.skip_current_dir();
            self.enter(&found, below)?;
        }
        Ok(found)
    }

    fn enter(&mut self, found: &WalkEntry, below: PathBuf) -> Result<(), LayoutError> {
        // NOFOLLOW, because a link may have taken the folder's place since it was listed.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let anchor = rustix::fs::open(&found.real, flags, Mode::empty());
        let anchor =
            anchor.map_err(|error| LayoutError::io(Action::Read, &found.shown)(error.into()))?;
        let real = PathBuf::from(format!("/proc/self/fd/{}", anchor.as_raw_fd()));
        self.levels
            .push(FolderLevel::new(real, below, Some(anchor)));
        Ok(())
    }

    /// Converts an error of the walk itself.
    fn error(&self, error: walkdir::Error) -> LayoutError {
        let shown = match (self.levels.last(), error.path()) {
            (Some(level), Some(path)) => {
                let inside = path.strip_prefix(&level.real).unwrap_or(path);
                self.root.join(&level.below).join(inside)
            }
            _ => self.root.clone(),
        };
        let source = error
            .into_io_error()
            .unwrap_or_else(|| io::Error::other("the folder contains itself"));
        LayoutError::io(Action::Read, shown)(source)
    }
}

impl Iterator for FolderWalk {
    type Item = Result<WalkEntry, LayoutError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.levels.last_mut()?.walk.next() {
                Some(Ok(entry)) => return Some(self.found(&entry)),
                Some(Err(error)) => return Some(Err(self.error(error))),
                None => self.levels.pop(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Makes `depth` nested folders, each with a file next to the next folder.
    fn deep(root: &Path, depth: usize, name: &str) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = rustix::fs::open(root, flags, Mode::empty()).unwrap();
        for _ in 0..depth {
            let file = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
            rustix::fs::openat(&at, "zfile", file, Mode::RUSR).unwrap();
            rustix::fs::mkdirat(&at, name, Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, name, flags, Mode::empty()).unwrap();
        }
    }

    #[test]
    fn paths_longer_than_a_call_takes_are_walked_in_the_same_order() {
        let folder = tempfile::TempDir::new().unwrap();
        let name = "d".repeat(200);
        deep(folder.path(), 60, &name);
        let mut last = Vec::new();
        let (mut folders, mut files) = (0, 0);
        for found in FolderWalk::new(folder.path()) {
            let found = found.unwrap();
            assert_eq!(
                found.real.symlink_metadata().unwrap().len(),
                found.stat.len()
            );
            let depth = found.below.split(|byte| *byte == b'/').count();
            // All folders come on the way down, then the files on the way up.
            if found.stat.is_dir() {
                folders += 1;
                assert_eq!(depth, folders);
            } else {
                files += 1;
                assert_eq!(depth, 61 - files);
            }
            last = found.below;
        }
        assert_eq!((folders, files, &last[..]), (60, 60, &b"zfile"[..]));
    }
}
