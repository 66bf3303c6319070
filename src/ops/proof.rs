//! Proves that stored contents can be restored: rebuilds them and compares their hashes, several at a time.
//!
//! What earlier releases proved is not proved again. The caller decides what to do about a failure. Memory: what
//! rebuilding states, for up to [`WORKERS_MAX`] contents.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::backend::BackendError;
use crate::base::id::{BlobId, ChunkId};
use crate::base::monitor::{Interrupted, Monitor};
use crate::base::size::total;
use crate::content::recipe::rebuild::{BlobKeeper, KnownBlobs, prove_content};
use crate::content::recipe::stream::RecordReader;
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{Blob, ChunkSource, Content, RecipeError, StreamRef};
use crate::content::release::{
    BlobTable, EntryKind, Item, ItemKind, ReleaseRoot, TreeEntry, open_entries, walk,
};
use crate::ops::Releases;

/// Most known blobs of earlier releases. Any further ones are opened again.
const KNOWN_BLOBS_MAX: usize = 1_000_000;
/// Small contents that are proved together.
const BATCH_CONTENTS: usize = 256;
/// Longer contents are proved by themselves.
const BATCH_BYTES: u64 = 1 << 20;
/// Contents that are rebuilt at the same time.
const WORKERS_MAX: usize = 4;

/// The contents of earlier releases, which are proved already.
#[derive(Default)]
pub(super) struct ProvedBlobs {
    pub(super) blobs: BlobTable,
    /// Lists of entries. A folder with the same list has the same files.
    folders: HashSet<StreamRef>,
}

impl ProvedBlobs {
    /// Reads the tables of all releases. Skips a release that cannot be read, whose blobs are then opened again, which
    /// only costs time.
    pub(super) fn read<R: Releases>(store: &R) -> Result<Self, BackendError> {
        Self::of(store, |root, _, blobs| {
            let _ = blobs.read(store, &root.blobs, KNOWN_BLOBS_MAX);
        })
    }

    /// Reads the contents of all releases. The table of a release that was received may name blobs that are in none of its
    /// contents, so that nobody proved them.
    pub(super) fn of_contents<R: Releases>(store: &R) -> Result<Self, BackendError> {
        let mut walker = Walker::new(store);
        Self::of(store, |_, items, table| {
            let limit = KNOWN_BLOBS_MAX;
            for item in items {
                // What is behind a list that cannot be read is proved again.
                let mut collect = CollectBlobs { table, limit };
                let _ = walk::item(&mut walker, item, &mut collect);
            }
        })
    }

    /// Reads the folders of all releases, and the blobs that `collect` finds of each.
    fn of<R: Releases>(
        store: &R,
        mut collect: impl FnMut(&ReleaseRoot, &[Item], &mut BlobTable),
    ) -> Result<Self, BackendError> {
        let mut known = Self::default();
        for root in store.roots()? {
            let items = root.read_items(store).unwrap_or_default();
            collect(&root, &items, &mut known.blobs);
            for item in items {
                if let ItemKind::Folder { entries, .. } = item.kind {
                    known.folders.insert(entries);
                }
            }
        }
        Ok(known)
    }
}

/// Adds the blobs that a walk finds to a table, while there are fewer than `limit` in it.
pub(super) struct CollectBlobs<'t> {
    pub(super) table: &'t mut BlobTable,
    pub(super) limit: usize,
}

impl Visitor for CollectBlobs<'_> {
    fn chunk(&mut self, _: &ChunkId) -> Result<(), RecipeError> {
        Ok(())
    }

    fn blob(&mut self, blob: &Blob) -> Result<(), RecipeError> {
        if self.table.len() < self.limit {
            self.table.insert(blob);
        }
        Ok(())
    }
}

impl KnownBlobs for ProvedBlobs {
    fn has(&self, blob: &Blob) -> bool {
        // A proof of one recipe does not prove another recipe for the same blob.
        self.blobs.get(blob.bytes, blob.id).as_ref() == Some(blob)
    }
}

/// Rebuilds the contents of the items that are not known, and may cache them on the way. Returns the first failure of
/// each item, by its index in `items`. The failure is [`RecipeError::Mismatch`] when other bytes come back, or any
/// other error of rebuilding.
///
/// # Errors
/// An interruption, when a stop was asked for.
pub(super) fn items<S: ChunkSource>(
    source: &S,
    known: &ProvedBlobs,
    items: &[&Item],
    keeper: Option<&dyn BlobKeeper>,
    monitor: &dyn Monitor,
) -> Result<BTreeMap<usize, RecipeError>, Interrupted> {
    let claims = ItemBlobs::of(source, known, items, monitor);
    contents(source, known, claims, keeper, workers(), monitor)
}

/// Does the same with one content after the other, for a source whose chunks come in this order.
///
/// # Errors
/// As [`items`].
pub(super) fn in_turn<S: ChunkSource>(
    source: &S,
    known: &ProvedBlobs,
    items: &[&Item],
    keeper: &dyn BlobKeeper,
    monitor: &dyn Monitor,
) -> Result<BTreeMap<usize, RecipeError>, Interrupted> {
    let claims = ItemBlobs::of(source, known, items, monitor);
    contents(source, known, claims, Some(keeper), 1, monitor)
}

/// Returns how many contents are rebuilt at the same time.
fn workers() -> usize {
    std::thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(WORKERS_MAX)
}

/// Rebuilds those outermost blobs of a release that contain deflate streams, unless they are known. Everything else is
/// proved by the hashes of chunks. Lists that cannot be read are skipped, because the hashes of their chunks tell. What
/// is rebuilt may be cached on the way, and is known from then on when it is right. Returns the blobs that failed, with
/// the errors.
///
/// # Errors
/// An interruption, when a stop was asked for.
pub(super) fn streams<S: ChunkSource>(
    source: &S,
    known: &mut ProvedBlobs,
    roots: &[ReleaseRoot],
    keeper: Option<&dyn BlobKeeper>,
    monitor: &dyn Monitor,
) -> Result<Vec<(BlobId, RecipeError)>, Interrupted> {
    let mut walker = Walker::new(source);
    let mut blobs = Vec::new();
    for root in roots {
        for item in root.read_items(source).unwrap_or_default() {
            // The blobs that can be read count even when the walk fails.
            let _ = streams_of(&mut walker, &item, &mut blobs);
        }
    }
    blobs.retain(|blob| !known.has(blob));
    monitor.start("compare", total(blobs.iter().map(|blob| blob.bytes)));
    let claims = blobs.iter().map(|blob| Ok(vec![Content::Blob(*blob)]));
    let failed = contents(
        source,
        known,
        claims.enumerate(),
        keeper,
        workers(),
        monitor,
    )?;
    monitor.finish();
    for (at, blob) in blobs.iter().enumerate() {
        if !failed.contains_key(&at) {
            known.blobs.insert(blob);
        }
    }
    let failed = failed.into_iter();
    Ok(failed
        .filter_map(|(at, error)| Some((blobs.get(at)?.id, error)))
        .collect())
}

fn streams_of<S: ChunkSource>(
    walker: &mut Walker<'_, S>,
    item: &Item,
    blobs: &mut Vec<Blob>,
) -> Result<(), RecipeError> {
    walk::files(walker.source(), item, &mut |_, content| {
        walker.streams(content, blobs)
    })
}

/// Contents that are proved together, with the index of the item that they belong to.
type Claim = (usize, Result<Vec<Content>, RecipeError>);

/// The contents of items, each blob once.
struct ItemBlobs<'a, S: ChunkSource, I> {
    source: &'a S,
    known: &'a ProvedBlobs,
    monitor: &'a dyn Monitor,
    items: I,
    folder: Option<(usize, RecordReader<'a, S, TreeEntry>)>,
    proved: HashSet<Blob>,
}

impl<'a, S: ChunkSource> ItemBlobs<'a, S, ()> {
    /// The contents of `items` that are not known.
    fn of(
        source: &'a S,
        known: &'a ProvedBlobs,
        items: &'a [&'a Item],
        monitor: &'a dyn Monitor,
    ) -> ItemBlobs<'a, S, impl Iterator<Item = (usize, &'a Item)>> {
        ItemBlobs {
            source,
            known,
            monitor,
            items: items.iter().copied().enumerate(),
            folder: None,
            proved: HashSet::new(),
        }
    }
}

impl<'i, S: ChunkSource, I: Iterator<Item = (usize, &'i Item)>> ItemBlobs<'_, S, I> {
    fn is_new(&mut self, content: &Content) -> bool {
        if let Content::Blob(blob) = content
            && (self.known.has(blob) || !self.proved.insert(*blob))
        {
            self.monitor.advance(blob.bytes);
            return false;
        }
        true
    }

    /// Returns the next contents of the current folder, or none at its end.
    fn batch(&mut self) -> Result<Vec<Content>, RecipeError> {
        let mut contents = Vec::new();
        while contents.len() < BATCH_CONTENTS {
            let Some((_, entries)) = &mut self.folder else {
                break;
            };
            let Some(entry) = entries.next_record()? else {
                break;
            };
            if let EntryKind::File { content } = entry.kind
                && self.is_new(&content)
            {
                contents.push(content);
                if content.bytes() > BATCH_BYTES {
                    break;
                }
            }
        }
        Ok(contents)
    }
}

impl<'i, S: ChunkSource, I: Iterator<Item = (usize, &'i Item)>> Iterator for ItemBlobs<'_, S, I> {
    type Item = Claim;

    fn next(&mut self) -> Option<Claim> {
        loop {
            if let Some(number) = self.folder.as_ref().map(|folder| folder.0) {
                match self.batch() {
                    Ok(contents) if contents.is_empty() => self.folder = None,
                    Ok(contents) => return Some((number, Ok(contents))),
                    Err(error) => {
                        self.folder = None;
                        return Some((number, Err(error)));
                    }
                }
                continue;
            }
            let (number, item) = self.items.next()?;
            match &item.kind {
                ItemKind::File { content } if self.is_new(content) => {
                    return Some((number, Ok(vec![*content])));
                }
                ItemKind::File { .. } => {}
                // The same list of entries names the same contents, which an earlier release has proved.
                ItemKind::Folder { entries, .. } if self.known.folders.contains(entries) => {
                    self.monitor.advance(item.bytes());
                }
                ItemKind::Folder { entries, .. } => match open_entries(self.source, entries) {
                    Ok(entries) => self.folder = Some((number, entries)),
                    Err(error) => return Some((number, Err(error))),
                },
            }
        }
    }
}

/// Rebuilds contents on several threads.
fn contents<S: ChunkSource>(
    source: &S,
    known: &ProvedBlobs,
    claims: impl Iterator<Item = Claim> + Send,
    keeper: Option<&dyn BlobKeeper>,
    workers: usize,
    monitor: &dyn Monitor,
) -> Result<BTreeMap<usize, RecipeError>, Interrupted> {
    let claims = Mutex::new(claims);
    let failed: Mutex<BTreeMap<usize, RecipeError>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                // A stop ends the workers here, and `check_stop` below reports it once.
                while !monitor.stop_asked() {
                    let Some((number, contents)) = lock(&claims).next() else {
                        return;
                    };
                    // One failure of an item is enough.
                    if lock(&failed).contains_key(&number) {
                        continue;
                    }
                    let proved = contents
                        .and_then(|contents| all(source, known, &contents, keeper, monitor));
                    if let Err(error) = proved {
                        lock(&failed).entry(number).or_insert(error);
                    }
                }
            });
        }
    });
    monitor.check_stop()?;
    Ok(failed.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn all<S: ChunkSource>(
    source: &S,
    known: &ProvedBlobs,
    contents: &[Content],
    keeper: Option<&dyn BlobKeeper>,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    let chunks = contents.iter().filter_map(|content| match content {
        Content::Chunk(chunk) => Some(chunk.id),
        _ => None,
    });
    source.prefetch(&chunks.collect::<Vec<_>>());
    contents
        .iter()
        .try_for_each(|content| one(source, known, content, keeper, monitor))
}

fn one<S: ChunkSource>(
    source: &S,
    known: &ProvedBlobs,
    content: &Content,
    keeper: Option<&dyn BlobKeeper>,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    match prove_content(source, content, Some(known), keeper, monitor) {
        // Without known blobs no ready copies are read. A bad one proves nothing about the content.
        Err(RecipeError::Ready { .. }) => prove_content(source, content, None, keeper, monitor),
        proved => proved,
    }
}
