//! Reads folders: every entry in a stable order with its metadata, file contents through the opener.
//!
//! Giving folders back is `restore`'s work.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use walkdir::WalkDir;

use super::LayoutError;
use super::meta::MetaReader;
use super::opener::Opener;
use super::tape::ReadAt;
use crate::class::Class;
use crate::finding::Finding;
use crate::monitor::Monitor;
use crate::recipe::stream::StreamWriter;
use crate::recipe::{ChunkSource, Content};
use crate::release::{Entry, EntryKind, ItemKind};

/// Longest path below an item, so that an entry fits into its record.
const PATH_BYTES_MAX: usize = 64 * 1024;

/// A regular file that must stay as it was when it was opened.
pub struct SteadyFile {
    file: File,
    stat: Metadata,
}

/// See [`SteadyFile::sign`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    file: (u64, u64),
    bytes: u64,
    changed: (i64, i64),
}

impl Sign {
    fn of(stat: &Metadata) -> Self {
        Self {
            file: (stat.dev(), stat.ino()),
            bytes: stat.len(),
            changed: (stat.mtime(), stat.mtime_nsec()),
        }
    }
}

impl SteadyFile {
    /// Opens a regular file; links are not followed, and a pipe that took its place does not block.
    ///
    /// # Errors
    /// [`LayoutError::Io`]; [`LayoutError::Changed`] when it is no regular file.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| LayoutError::io("open", path)(error.into()))?;
        let file = File::from(file);
        let stat = file.metadata().map_err(LayoutError::io("look at", path))?;
        if !stat.is_file() {
            return Err(LayoutError::Changed(path.to_owned()));
        }
        Ok(Self { file, stat })
    }

    /// What it was when it was opened.
    pub fn stat(&self) -> &Metadata {
        &self.stat
    }

    /// What tells it from itself after a change, and from other files.
    pub fn sign(&self) -> Sign {
        Sign::of(&self.stat)
    }

    /// Errs when it was written to since it was opened, as far as its length and time tell.
    ///
    /// # Errors
    /// [`LayoutError::Changed`]; [`LayoutError::Io`].
    pub fn check(&self, path: &Path) -> Result<(), LayoutError> {
        let now = self
            .file
            .metadata()
            .map_err(LayoutError::io("look at", path))?;
        if Sign::of(&now) == self.sign() {
            Ok(())
        } else {
            Err(LayoutError::Changed(path.to_owned()))
        }
    }
}

impl ReadAt for SteadyFile {
    fn len(&self) -> u64 {
        self.stat.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(out, offset)
    }
}

/// Opens a file's content and makes sure that it was at rest meanwhile.
///
/// # Errors
/// As [`Opener::open`] and [`SteadyFile::check`].
pub fn read_file<S: ChunkSource>(
    opener: &mut Opener<'_, S>,
    path: &Path,
) -> Result<Content, LayoutError> {
    let file = SteadyFile::open(path)?;
    let content = opener.open_file(&file, path)?;
    file.check(path)?;
    Ok(content)
}

/// All files of a folder, or the file itself, in the order in which [`read`] comes to them.
pub fn files(root: &Path) -> impl Iterator<Item = PathBuf> + Send + use<> {
    let found = WalkDir::new(root).sort_by_file_name().into_iter().flatten();
    let files = found.filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path)
}

/// Reads a folder into an item. Sockets are left out, with a finding.
///
/// # Errors
/// [`LayoutError`] naming the file that cannot be read, or that vanished or changed meanwhile.
pub fn read<S: ChunkSource>(
    opener: &mut Opener<'_, S>,
    root: &Path,
    findings: &mut Vec<Finding>,
    monitor: &dyn Monitor,
) -> Result<ItemKind, LayoutError> {
    let mut entries = StreamWriter::new(Class::Meta);
    let mut metas = MetaReader::default();
    let mut first_names: HashMap<(u64, u64), Vec<u8>> = HashMap::new();
    let (mut entry_count, mut bytes) = (0, 0);
    for found in WalkDir::new(root).min_depth(1).sort_by_file_name() {
        monitor.check_stop()?;
        let found = found.map_err(|error| walk_error(root, error))?;
        let path = found.path();
        let below = below(root, path)?;
        let stat = found.metadata().map_err(|error| walk_error(path, error))?;
        let key = (stat.dev(), stat.ino());
        let shared = !stat.is_dir() && stat.nlink() > 1;
        let kind = if let (true, Some(to)) = (shared, first_names.get(&key)) {
            EntryKind::HardLink { to: to.clone() }
        } else if let Some(kind) = read_kind(opener, path, &stat)? {
            kind
        } else {
            let finding = Finding::note(path.display().to_string(), "a socket, left out");
            monitor.finding(&finding);
            findings.push(finding);
            continue;
        };
        if shared {
            first_names.entry(key).or_insert_with(|| below.clone());
        }
        if let EntryKind::File { content } = &kind {
            bytes += content.bytes();
        }
        let entry = Entry {
            path: below,
            meta: metas.read(path, &stat)?,
            kind,
        };
        entries.write_record(opener.sink(), &entry)?;
        entry_count += 1;
    }
    Ok(ItemKind::Folder {
        entries: entries.finish(opener.sink())?,
        entry_count,
        bytes,
    })
}

fn below(root: &Path, path: &Path) -> Result<Vec<u8>, LayoutError> {
    let below = path
        .strip_prefix(root)
        .unwrap_or(path)
        .as_os_str()
        .as_bytes();
    if below.len() > PATH_BYTES_MAX {
        return Err(LayoutError::Unfit {
            path: path.to_owned(),
            why: "its path is longer than 64 KiB",
        });
    }
    Ok(below.to_vec())
}

/// Tells what an entry is, reading its content when it is a file; `None` for a socket.
fn read_kind<S: ChunkSource>(
    opener: &mut Opener<'_, S>,
    path: &Path,
    stat: &Metadata,
) -> Result<Option<EntryKind>, LayoutError> {
    let kind = stat.file_type();
    Ok(Some(if kind.is_file() {
        EntryKind::File {
            content: read_file(opener, path)?,
        }
    } else if kind.is_dir() {
        EntryKind::Dir
    } else if kind.is_symlink() {
        let target = std::fs::read_link(path).map_err(LayoutError::io("read link", path))?;
        EntryKind::Symlink {
            target: target.as_os_str().as_bytes().to_vec(),
        }
    } else if kind.is_fifo() {
        EntryKind::Fifo
    } else if kind.is_char_device() {
        EntryKind::CharDevice { rdev: stat.rdev() }
    } else if kind.is_block_device() {
        EntryKind::BlockDevice { rdev: stat.rdev() }
    } else {
        return Ok(None);
    }))
}

fn walk_error(path: &Path, error: walkdir::Error) -> LayoutError {
    let path = error.path().unwrap_or(path).to_owned();
    let source = error
        .into_io_error()
        .unwrap_or_else(|| io::Error::other("the folder contains itself"));
    LayoutError::io("read", path)(source)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_is_written_to_meanwhile_is_told() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"before").unwrap();
        let steady = SteadyFile::open(&path).unwrap();
        steady.check(&path).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        file.write_all(b" and after").unwrap();
        let error = steady.check(&path).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("file changed while it was read"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_file_any_more_is_not_opened() {
        let dir = tempfile::TempDir::new().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        assert!(matches!(
            SteadyFile::open(&link),
            Err(LayoutError::Io { .. })
        ));
        assert!(matches!(
            SteadyFile::open(dir.path()),
            Err(LayoutError::Changed(_))
        ));
    }
}
