//! Shares the room of files that are the same in two versions: by reflink where the file system can, otherwise by hard
//! link.
//!
//! A failure here is never an error, because the file then exists twice.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use walkdir::WalkDir;

use super::has_plain_parents;
use crate::base::monitor::{Interrupted, Monitor};

/// Bytes that are compared at a time.
const PIECE_BYTES: usize = 1 << 18;

/// What was shared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Shared {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Shares the files of `new` with those of `old` at the same path. Both must have the same bytes, mode, owner and time,
/// and no extended attributes. `spare` says which files are left alone.
///
/// # Errors
/// An interruption, when a stop was asked for.
pub(crate) fn share_unchanged(
    old: &Path,
    new: &Path,
    spare: impl Fn(&Path) -> bool,
    monitor: &dyn Monitor,
) -> Result<Shared, Interrupted> {
    let mut shared = Shared::default();
    let mut sharer = Sharer { can_clone: true };
    for entry in WalkDir::new(new).min_depth(1).into_iter().flatten() {
        monitor.check_stop()?;
        let Ok(below) = entry.path().strip_prefix(new) else {
            continue;
        };
        if !entry.file_type().is_file() || spare(below) || !has_plain_parents(old, below) {
            continue;
        }
        let from = old.join(below);
        if let Ok(bytes) = sharer.share(&from, entry.path())
            && bytes > 0
        {
            shared.files += 1;
            shared.bytes += bytes;
        }
    }
    Ok(shared)
}

struct Sharer {
    can_clone: bool,
}

impl Sharer {
    /// Returns the bytes that are shared, or 0 when the files differ.
    fn share(&mut self, from: &Path, to: &Path) -> io::Result<u64> {
        let (old, new) = (from.symlink_metadata()?, to.symlink_metadata()?);
        let looks_same = old.is_file()
            && old.len() == new.len()
            && old.mode() == new.mode()
            && (old.uid(), old.gid()) == (new.uid(), new.gid())
            && (old.mtime(), old.mtime_nsec()) == (new.mtime(), new.mtime_nsec())
            // A file with several names in the new version keeps its names together.
            && new.nlink() == 1
            && (old.dev(), old.ino()) != (new.dev(), new.ino());
        // Extended attributes belong to the inode, so a hard link would share them too.
        if !looks_same || new.len() == 0 || has_xattrs(from) || has_xattrs(to) {
            return Ok(0);
        }
        // Equal metadata proves nothing, because a site may have edited the old file and reset its time.
        if !same_bytes(from, to)? {
            return Ok(0);
        }
        let folder = to.parent().unwrap_or(to);
        let touched = fs::metadata(folder)?.modified()?;
        self.replace(from, to, &new)?;
        // The folder's time also belongs to the release.
        File::open(folder)?.set_modified(touched)?;
        Ok(new.len())
    }

    fn replace(&mut self, from: &Path, to: &Path, stat: &fs::Metadata) -> io::Result<()> {
        // The shared file is renamed over the new one, so a kill never leaves the version without the file.
        let beside = beside(to);
        if self.can_clone {
            match clone(from, &beside, stat) {
                Ok(()) => return fs::rename(&beside, to),
                Err(_) => {
                    // The file system most likely cannot clone, so no further file tries it.
                    self.can_clone = false;
                    let _ = fs::remove_file(&beside);
                }
            }
        }
        fs::hard_link(from, &beside)?;
        let renamed = fs::rename(&beside, to);
        if renamed.is_err() {
            let _ = fs::remove_file(&beside);
        }
        renamed
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_file_name(".carryall-share.tmp")
}

fn clone(from: &Path, to: &Path, stat: &fs::Metadata) -> io::Result<()> {
    let file = File::create_new(to)?;
    rustix::fs::ioctl_ficlone(&file, File::open(from)?)?;
    std::os::unix::fs::fchown(&file, Some(stat.uid()), Some(stat.gid()))?;
    file.set_permissions(stat.permissions())?;
    file.set_modified(stat.modified()?)
}

fn has_xattrs(path: &Path) -> bool {
    let mut none: [u8; 0] = [];
    rustix::fs::llistxattr(path, &mut none).is_ok_and(|bytes| bytes > 0)
}

fn same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (vec![0; PIECE_BYTES], vec![0; PIECE_BYTES]);
    loop {
        let read = fill(&mut one, &mut left)?;
        if fill(&mut other, &mut right)? != read || left[..read] != right[..read] {
            return Ok(false);
        }
        if read < PIECE_BYTES {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
