//! Reads folders: every entry in a stable order with its metadata, file contents through the unpacker.
//!
//! Restoring folders is the work of `restore`.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::LayoutError;
use super::meta::MetaReader;
use super::steady_file::SteadyFile;
use super::unpacker::Unpacker;
use super::walk::{FolderWalk, WalkEntry};
use crate::base::diagnostic::diagnostic;
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::base::term::Action;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::stream::StreamWriter;
use crate::content::recipe::{ChunkSource, Content};
use crate::content::release::{EntryKind, ItemKind, TreeEntry};

/// Unreadable files that are listed by name.
const UNREADABLE_SHOWN: usize = 50;

/// Opens a file's content and checks that the file did not change meanwhile.
///
/// # Errors
/// As [`Unpacker::open`] and [`SteadyFile::check`].
pub(crate) fn read_file<S: ChunkSource>(
    unpacker: &mut Unpacker<'_, S>,
    path: &Path,
) -> Result<Content, LayoutError> {
    read_called(unpacker, path, path)
}

/// Does the same for a file that people know under another path than the one it is opened by.
fn read_called<S: ChunkSource>(
    unpacker: &mut Unpacker<'_, S>,
    real: &Path,
    shown: &Path,
) -> Result<Content, LayoutError> {
    let file = SteadyFile::open(real).map_err(|error| error.called(shown))?;
    if let Some(spool) = file.made_up(shown, unpacker.spool(), unpacker.monitor())? {
        return unpacker.open(&spool, shown);
    }
    let content = unpacker.open_file(&file, shown)?;
    file.check(shown)?;
    Ok(content)
}

/// Iterates over all files of a folder, or the file itself, in the order in which [`read`] reaches them. Leaves out
/// those that cannot be opened by a path alone.
pub fn files(root: &Path) -> impl Iterator<Item = PathBuf> + Send + use<> {
    let itself = root.symlink_metadata().is_ok_and(|stat| stat.is_file());
    let inside = FolderWalk::new(root).flatten();
    let inside = inside.filter(|found| found.stat.is_file() && found.is_direct());
    let itself = itself.then(|| root.to_owned()).into_iter();
    itself.chain(inside.map(|found| found.shown))
}

/// What cannot be read in a file or folder.
#[derive(Debug, Default)]
pub(crate) struct Unreadable {
    /// The first of them, with the system's error.
    pub first: Vec<(PathBuf, io::Error)>,
    /// How many there are in all.
    pub count: u64,
}

impl Unreadable {
    /// Checks whether everything at or below these paths may be read. Tests access rights and reads no file contents.
    ///
    /// # Errors
    /// A stop.
    pub fn find<'p>(
        roots: impl Iterator<Item = &'p Path>,
        monitor: &dyn Monitor,
    ) -> Result<Self, LayoutError> {
        let mut unreadable = Self::default();
        for root in roots {
            match root.symlink_metadata() {
                Ok(stat) if !stat.is_dir() => unreadable.look(root, root),
                _ => unreadable.look_below(root, monitor)?,
            }
        }
        Ok(unreadable)
    }

    fn look_below(&mut self, root: &Path, monitor: &dyn Monitor) -> Result<(), LayoutError> {
        for found in FolderWalk::new(root) {
            monitor.check_stop()?;
            match found {
                Ok(found) if found.stat.is_file() => self.look(&found.real, &found.shown),
                Ok(_) => {}
                Err(LayoutError::Io { path, source, .. }) => self.add(path, source),
                // Anything else is told when it is read.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn look(&mut self, real: &Path, shown: &Path) {
        use rustix::fs::{Access, AtFlags, CWD};
        let asked = rustix::fs::accessat(CWD, real, Access::READ_OK, AtFlags::EACCESS);
        if let Err(error) = asked {
            self.add(shown.to_owned(), error.into());
        }
    }

    fn add(&mut self, path: PathBuf, error: io::Error) {
        self.count += 1;
        if self.first.len() < UNREADABLE_SHOWN {
            self.first.push((path, error));
        }
    }
}

/// Reads a folder into an item. Sockets are left out, with a finding.
///
/// # Errors
/// [`LayoutError`] naming the file that cannot be read, or that vanished or changed meanwhile.
pub fn read<S: ChunkSource>(
    unpacker: &mut Unpacker<'_, S>,
    root: &Path,
    findings: &mut Vec<Finding>,
    monitor: &dyn Monitor,
) -> Result<ItemKind, LayoutError> {
    let mut entries = StreamWriter::new(ContentKind::Meta);
    let mut metas = MetaReader::default();
    let mut first_names: HashMap<(u64, u64), Vec<u8>> = HashMap::new();
    let (mut entry_count, mut bytes) = (0, 0);
    for found in FolderWalk::new(root) {
        monitor.check_stop()?;
        let found = found?;
        let key = (found.stat.dev(), found.stat.ino());
        let shared = !found.stat.is_dir() && found.stat.nlink() > 1;
        let kind = if let (true, Some(to)) = (shared, first_names.get(&key)) {
            EntryKind::HardLink { to: to.clone() }
        } else if let Some(kind) = read_kind(unpacker, &found)? {
            kind
        } else {
            let what = diagnostic!("files.socket_left_out");
            let finding = Finding::note(found.shown.display().to_string(), what);
            monitor.finding(&finding);
            findings.push(finding);
            continue;
        };
        if shared {
            first_names
                .entry(key)
                .or_insert_with(|| found.below.clone());
        }
        if let EntryKind::File { content } = &kind {
            bytes += content.bytes();
        }
        let meta = metas.read(&found.real, &found.shown, &found.stat)?;
        let entry = TreeEntry {
            path: found.below,
            meta,
            kind,
        };
        entries.write_record(unpacker.sink(), &entry)?;
        entry_count += 1;
    }
    let noted = metas.finish(&root.display().to_string());
    noted.iter().for_each(|finding| monitor.finding(finding));
    findings.extend(noted);
    Ok(ItemKind::Folder {
        entries: entries.finish(unpacker.sink())?,
        entry_count,
        bytes,
    })
}

/// Determines what an entry is, and reads its content when it is a file. Returns `None` for a socket.
fn read_kind<S: ChunkSource>(
    unpacker: &mut Unpacker<'_, S>,
    found: &WalkEntry,
) -> Result<Option<EntryKind>, LayoutError> {
    let kind = found.stat.file_type();
    Ok(Some(if kind.is_file() {
        EntryKind::File {
            content: read_called(unpacker, &found.real, &found.shown)?,
        }
    } else if kind.is_dir() {
        EntryKind::Dir
    } else if kind.is_symlink() {
        let target = std::fs::read_link(&found.real);
        let target = target.map_err(LayoutError::io(Action::ReadLink, &found.shown))?;
        EntryKind::Symlink {
            target: target.as_os_str().as_bytes().to_vec(),
        }
    } else if kind.is_fifo() {
        EntryKind::Fifo
    } else if kind.is_char_device() {
        EntryKind::CharDevice {
            rdev: found.stat.rdev(),
        }
    } else if kind.is_block_device() {
        EntryKind::BlockDevice {
            rdev: found.stat.rdev(),
        }
    } else {
        return Ok(None);
    }))
}
