//! Restores files and folders with all their metadata, and never outside of their target folder.
//!
//! Entries come from media, and media may be hostile. Every path is therefore resolved through handles of folders that
//! were made here. Links are never followed, and nothing that exists is opened or replaced. Losses are reported, and
//! everything else is restored.

mod sparse;
mod tree;
mod worker_pool;

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use self::sparse::SparseWriter;
use self::tree::RestoreTree;
use self::worker_pool::{Order, POOL_BYTES_MIN, Wait, WorkerPool};
use super::LayoutError;
use super::meta::{FollowLink, MetaWriter, drop_inherited_acl};
use super::privileges::Privileges;
use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::Finding;
use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::base::term::Action;
use crate::content::recipe::rebuild::{Proof, write_content};
use crate::content::recipe::{ChunkSource, Content, RecipeError, StreamRef};
use crate::content::release::Refusal;
use crate::content::release::validation::EntryCheck;
pub(crate) use crate::content::release::validation::is_plain_name;
use crate::content::release::{EntryKind, Meta, TreeEntry, open_entries};

/// Entries that are prepared together.
const BATCH_ENTRIES: usize = 512;
/// Bytes of small files that are prepared together.
const BATCH_BYTES: u64 = 8 << 20;

/// The result of restoring.
#[derive(Debug, Clone, Default)]
pub struct Restored {
    /// Files or entries that could not be restored.
    pub lost: u64,
    /// One finding for each loss, and for each piece of metadata that the system refused.
    pub findings: Vec<Finding>,
}

/// Writes a file called `name` into the folder `parent`, which must have no entry of that name.
///
/// # Errors
/// [`LayoutError::Recipe`] when the content cannot be rebuilt, in which case the file is removed. [`LayoutError::Io`].
pub fn file<S: ChunkSource>(
    source: &S,
    parent: BorrowedFd<'_>,
    name: &[u8],
    path: &Path,
    content: &Content,
    monitor: &dyn Monitor,
) -> Result<File, LayoutError> {
    let mut file = create(parent, name, path)?;
    drop_inherited_acl(&file);
    match fill(source, &mut file, path, content, monitor) {
        Ok(()) => Ok(file),
        Err(error) => {
            take_back(parent, name);
            Err(error)
        }
    }
}

fn create(parent: BorrowedFd<'_>, name: &[u8], path: &Path) -> Result<File, LayoutError> {
    // EXCL and NOFOLLOW refuse a name that another entry has made, be it a file or a link.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)
        .map(File::from)
        .map_err(io(Action::Create, path))
}

pub(super) fn fill<S: ChunkSource>(
    source: &S,
    file: &mut File,
    path: &Path,
    content: &Content,
    monitor: &dyn Monitor,
) -> Result<(), LayoutError> {
    let mut sparse = SparseWriter::new(file);
    // The whole content is proved by its hash, because the file keeps its bytes for good.
    let written = write_content(source, content, Proof::Whole, &mut sparse, monitor);
    let written = written.and_then(|()| sparse.finish().map_err(RecipeError::write));
    written.map_err(|error| match error {
        RecipeError::Write(source) => LayoutError::io(Action::Write, path)(source),
        other => other.into(),
    })
}

/// Removes a file whose bytes are wrong. A failure here is ignored, because the error that led here matters more.
fn take_back(parent: BorrowedFd<'_>, name: &[u8]) {
    let _ = rustix::fs::unlinkat(parent, name, AtFlags::empty());
}

/// Makes a folder called `name` in `parent` and fills it. `parent` must have no entry of that name. `path` is its
/// location for messages, and `shown` is the item's name.
///
/// # Errors
/// [`LayoutError::Hostile`] for entries that lie, [`LayoutError::NamesFold`] where the file system folds names,
/// [`LayoutError::Io`] when the system refuses. A part of the folder may
/// exist after an error.
pub fn folder<S: ChunkSource>(
    source: &S,
    parent: BorrowedFd<'_>,
    name: &[u8],
    path: &Path,
    (meta, entries): (&Meta, &StreamRef),
    (shown, privileges): (&str, Privileges),
    monitor: &dyn Monitor,
) -> Result<Restored, LayoutError> {
    let root = make_folder(parent, name, path)?;
    // Entries below inherit ACLs from the root, so the root must have none.
    drop_inherited_acl(&root);
    let mut restorer = Restorer {
        source,
        tree: RestoreTree::new(root, path.to_owned()),
        metas: MetaWriter::new(privileges),
        check: EntryCheck::default(),
        folders: Vec::new(),
        restored: Restored::default(),
        not_made: HashSet::new(),
        shown,
        monitor,
    };
    worker_pool::with(source, monitor, |pool| restorer.all(entries, pool))?;
    restorer.finish(meta)
}

struct Restorer<'a, S: ChunkSource> {
    source: &'a S,
    tree: RestoreTree,
    metas: MetaWriter,
    /// Repeats the checks of `receive`, because releases also come by other ways.
    check: EntryCheck,
    /// Folders whose metadata is set last, because making an entry in a folder changes its times.
    folders: Vec<(Vec<u8>, Meta)>,
    restored: Restored,
    /// Paths of devices and pipes that the system refused to make.
    not_made: HashSet<Vec<u8>>,
    shown: &'a str,
    monitor: &'a dyn Monitor,
}

impl<S: ChunkSource> Restorer<'_, S> {
    fn all(&mut self, entries: &StreamRef, pool: &mut WorkerPool) -> Result<(), LayoutError> {
        let (source, entries) = (self.source, *entries);
        std::thread::scope(|scope| {
            // The bound keeps at most one batch waiting, which limits the memory.
            let (ready_in, ready_out) = mpsc::sync_channel(1);
            scope.spawn(move || {
                if let Err(error) = read_ahead(source, &entries, &ready_in) {
                    // The other side has failed first when nobody listens any more.
                    let _ = ready_in.send(Err(error));
                }
            });
            for batch in ready_out {
                match batch {
                    Ok(batch) => {
                        for entry in &batch {
                            self.entry(entry, pool)?;
                        }
                    }
                    Err(error) => {
                        let what = diagnostic!("files.rest_lost", why = Arg::caught(error));
                        self.lose(self.shown.to_owned(), what);
                    }
                }
            }
            self.settle(pool, Wait::ForAll)
        })
    }

    /// Hands a long file to the pool. Writes a short file at once.
    fn file(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: PathBuf,
        (entry, content): (&TreeEntry, &Content),
        pool: &mut WorkerPool,
    ) -> Result<(), LayoutError> {
        let file = create(parent, name, &path)?;
        let parent = parent.try_clone_to_owned();
        let mut order = Order {
            file,
            parent: parent.map_err(LayoutError::io(Action::Open, &path))?,
            name: name.to_vec(),
            path,
            below: entry.path.clone(),
            meta: entry.meta.clone(),
            content: *content,
        };
        if content.bytes() >= POOL_BYTES_MIN {
            pool.give(order);
            return self.settle(pool, Wait::ForRoom);
        }
        let path = order.path.clone();
        let filled = fill(self.source, &mut order.file, &path, content, self.monitor);
        self.filled(&order, filled)
    }

    /// Finishes the files that the pool has filled.
    fn settle(&mut self, pool: &mut WorkerPool, wait: Wait) -> Result<(), LayoutError> {
        while let Some((order, filled)) = pool.take(wait) {
            self.filled(&order, filled)?;
        }
        Ok(())
    }

    fn filled(
        &mut self,
        order: &Order,
        filled: Result<(), LayoutError>,
    ) -> Result<(), LayoutError> {
        let Err(error) = filled else {
            // Metadata comes after the bytes, because writing changes the times.
            self.metas.put(&order.file, &order.path, &order.meta);
            return Ok(());
        };
        // A file with wrong bytes must not look like a restored one.
        take_back(order.parent.as_fd(), &order.name);
        match error {
            LayoutError::Recipe(RecipeError::Interrupted(stop)) => Err(stop.into()),
            LayoutError::Recipe(error) => {
                let shown = format!("{}/{}", self.shown, lossy(&order.below));
                let why = Arg::caught(error);
                self.lose(shown, diagnostic!("files.file_lost", why));
                Ok(())
            }
            other => Err(other),
        }
    }

    fn entry(&mut self, entry: &TreeEntry, pool: &mut WorkerPool) -> Result<(), LayoutError> {
        self.monitor.check_stop()?;
        // Every entry is checked before it touches the file system, because a release may come from anyone.
        if let Err(why) = self.check.entry(entry) {
            if why != Refusal::NoOtherName {
                return Err(hostile(&entry.path, why));
            }
            let shown = format!("{}/{}", self.shown, lossy(&entry.path));
            self.lose(shown, diagnostic!("files.link_lost"));
            return Ok(());
        }
        let (parents, name) = split(&entry.path)?;
        let path = self
            .tree
            .path
            .join(std::ffi::OsStr::from_bytes(&entry.path));
        // The folder is reached through handles of folders made here, so no link leads out of it.
        let parent = self.tree.enter(&parents, &entry.path)?;
        let parent = parent.as_fd();
        match &entry.kind {
            EntryKind::File { content } => {
                self.file(parent, name, path, (entry, content), pool)?;
            }
            EntryKind::Dir => {
                make_folder(parent, name, &path)?;
                self.folders.push((entry.path.clone(), entry.meta.clone()));
            }
            EntryKind::Symlink { target } => {
                rustix::fs::symlinkat(&target[..], parent, name)
                    .map_err(io(Action::Link, &path))?;
                self.metas
                    .put_at(parent, name, &path, &entry.meta, FollowLink::Yes);
            }
            EntryKind::HardLink { to } => {
                // A hard link needs its target to be written, or known to be lost.
                self.settle(pool, Wait::ForAll)?;
                let (to_parents, to_name) = split(to)?;
                let to_parent = self.tree.find(&to_parents, to)?;
                match rustix::fs::linkat(&to_parent, to_name, parent, name, AtFlags::empty()) {
                    Ok(()) => {}
                    Err(rustix::io::Errno::NOENT) if self.not_made.contains(to) => {
                        self.not_made.insert(entry.path.clone());
                        if self.metas.takes_device(&path) {
                            self.metas
                                .refuse(&path, diagnostic!("files.device_not_made"));
                        }
                    }
                    Err(rustix::io::Errno::NOENT) => {
                        let shown = format!("{}/{}", self.shown, lossy(&entry.path));
                        self.lose(shown, diagnostic!("files.link_lost"));
                    }
                    Err(error) => return Err(io(Action::Link, &path)(error)),
                }
            }
            EntryKind::Fifo => self.node(parent, name, &path, entry, (FileType::Fifo, 0))?,
            EntryKind::CharDevice { rdev } => {
                let node = (FileType::CharacterDevice, *rdev);
                self.node(parent, name, &path, entry, node)?;
            }
            EntryKind::BlockDevice { rdev } => {
                let node = (FileType::BlockDevice, *rdev);
                self.node(parent, name, &path, entry, node)?;
            }
        }
        Ok(())
    }

    fn node(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: &Path,
        entry: &TreeEntry,
        (kind, rdev): (FileType, u64),
    ) -> Result<(), LayoutError> {
        use rustix::io::Errno;
        if kind != FileType::Fifo && !self.metas.takes_device(path) {
            self.not_made.insert(entry.path.clone());
            return Ok(());
        }
        match rustix::fs::mknodat(parent, name, kind, Mode::RUSR | Mode::WUSR, rdev) {
            Ok(()) => self
                .metas
                .put_at(parent, name, path, &entry.meta, FollowLink::No),
            // No bytes are lost. A device has none, and a pipe has none on a file system without pipes.
            Err(Errno::PERM | Errno::ACCESS) if kind != FileType::Fifo => {
                self.not_made.insert(entry.path.clone());
                self.metas
                    .refuse(path, diagnostic!("files.device_not_made"));
            }
            Err(error @ (Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS)) => {
                self.not_made.insert(entry.path.clone());
                let why = Arg::caught(std::io::Error::from(error));
                self.metas.refuse(path, diagnostic!("files.not_made", why));
            }
            Err(error) => return Err(io(Action::Make, path)(error)),
        }
        Ok(())
    }

    fn lose(&mut self, subject: String, what: Diagnostic) {
        let finding = Finding::loss(subject, what);
        self.monitor.finding(&finding);
        self.restored.lost += 1;
        self.restored.findings.push(finding);
    }

    fn finish(mut self, meta: &Meta) -> Result<Restored, LayoutError> {
        // From the innermost folder outward, because a folder's mode may bar the way into it.
        for (below, meta) in std::mem::take(&mut self.folders).iter().rev() {
            let path = self.tree.path.join(std::ffi::OsStr::from_bytes(below));
            let components: Vec<&[u8]> = below.split(|byte| *byte == b'/').collect();
            let folder = self.tree.find(&components, below)?;
            self.metas.put(&folder, &path, meta);
        }
        self.metas.put(&self.tree.root, &self.tree.path, meta);
        let refused = self.metas.finish(self.shown);
        refused
            .iter()
            .for_each(|finding| self.monitor.finding(finding));
        self.restored.findings.extend(refused);
        Ok(self.restored)
    }
}

fn open_folder(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    // NOFOLLOW keeps an entry from leading the walk through a link that an earlier entry made.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

fn make_folder(parent: BorrowedFd<'_>, name: &[u8], path: &Path) -> Result<OwnedFd, LayoutError> {
    // The folder stays private until its own mode is set at the end.
    rustix::fs::mkdirat(parent, name, Mode::RWXU).map_err(io(Action::Make, path))?;
    open_folder(parent, name).map_err(io(Action::Open, path))
}

/// Splits a path into its folders and its last name.
fn split(path: &[u8]) -> Result<(Vec<&[u8]>, &[u8]), LayoutError> {
    let mut components: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    // `..` and empty components never reach the file system.
    if !components.iter().all(|component| is_plain_name(component)) {
        return Err(hostile(path, Refusal::NotDownwards));
    }
    let name = components.pop().unwrap_or_default();
    Ok((components, name))
}

fn hostile(path: &[u8], why: Refusal) -> LayoutError {
    LayoutError::Hostile {
        path: lossy(path),
        why,
    }
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(&path[..path.len().min(400)]).into_owned()
}

fn io(action: Action, path: &Path) -> impl FnOnce(rustix::io::Errno) -> LayoutError {
    let path = path.to_owned();
    move |error| match error {
        // The target folder is new and no two entries have the same path, so the file system takes two names for one.
        rustix::io::Errno::EXIST => LayoutError::NamesFold(path),
        other => LayoutError::io(action, path)(other.into()),
    }
}

type FolderBatch = Result<Vec<TreeEntry>, RecipeError>;

/// Reads entries and loads the chunks of small files, one batch ahead of the writer.
fn read_ahead<S: ChunkSource>(
    source: &S,
    entries: &StreamRef,
    ready: &mpsc::SyncSender<FolderBatch>,
) -> Result<(), RecipeError> {
    let mut records = open_entries(source, entries)?;
    loop {
        let mut batch = Vec::new();
        let mut chunks: Vec<ChunkId> = Vec::new();
        let mut bytes = 0;
        let mut end = Ok(());
        while batch.len() < BATCH_ENTRIES && bytes < BATCH_BYTES {
            let entry = match records.next_record() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => {
                    end = Err(error);
                    break;
                }
            };
            if let EntryKind::File {
                content: Content::Chunk(chunk),
            } = &entry.kind
            {
                bytes += u64::from(chunk.bytes);
                chunks.push(chunk.id);
            }
            batch.push(entry);
        }
        source.prefetch(&chunks);
        let last = batch.is_empty();
        if ready.send(Ok(batch)).is_err() {
            return Ok(());
        }
        end?;
        if last {
            return Ok(());
        }
    }
}
