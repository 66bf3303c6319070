//! File system calls beside reading and writing: free space, durable entries, the folder of a path.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::StatVfs;

/// Returns whether an error says that a place may be read and not written.
pub(crate) fn cannot_write(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Returns the bytes that this user may still write at `path`, or at its nearest parent that exists. Reserves nothing,
/// so the space can be taken by another process at any time.
///
/// # Errors
/// What the file system says.
pub fn free_space_bytes(path: &Path) -> io::Result<u64> {
    let absolute = std::path::absolute(path)?;
    let existing = absolute.ancestors().find(|parent| parent.exists());
    let stat = rustix::fs::statvfs(existing.unwrap_or(Path::new("/")))?;
    Ok(free_bytes(&stat))
}

/// Returns the bytes that this user may still write in the file system of `dir`, and the size of its clusters.
///
/// # Errors
/// What the file system says.
pub fn free_clusters(dir: &Path) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok((free_bytes(&stat), stat.f_frsize.max(stat.f_bsize).max(512)))
}

fn free_bytes(stat: &StatVfs) -> u64 {
    stat.f_bavail.saturating_mul(stat.f_frsize)
}

/// Makes a file, or the entries of a folder, durable. Some file systems (of USB disks) cannot sync a folder. That is
/// not an error.
///
/// # Errors
/// What the file system says.
pub fn sync(path: &Path) -> io::Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        Err(error) if cannot_sync(&error) && path.is_dir() => Ok(()),
        done => done,
    }
}

fn cannot_sync(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

/// Returns the folder that `path` is in.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_yet_to_be_made_has_the_space_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = free_space_bytes(&dir.path().join("not/yet/made")).unwrap();
        assert!(bytes > 0);
    }
}
