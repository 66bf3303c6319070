//! The proof that what was added comes back: contents are rebuilt from the store and compared by hash.
//!
//! What earlier releases proved is not proved again. What to do about a failure is the caller's decision.

use std::collections::HashSet;

use crate::id::BlobId;
use crate::monitor::Monitor;
use crate::recipe::rebuild::{Proof, write_content};
use crate::recipe::{BoxError, ChunkSource, Content, RecipeError, StreamRef};
use crate::release::{BlobTable, EntryKind, Item, ItemKind, open_entries};
use crate::verbs::Releases;

/// Blobs of earlier releases that are known at most; further ones are opened anew.
const KNOWN_BLOBS_MAX: usize = 1_000_000;
/// Entries whose chunks are made ready together.
const BATCH_ENTRIES: usize = 256;

/// What earlier releases hold, and what was proved therefore.
#[derive(Default)]
pub(super) struct Known {
    pub(super) blobs: BlobTable,
    /// Lists of entries: a folder that has the very same one holds the very same files.
    folders: HashSet<StreamRef>,
}

impl Known {
    /// Reads all releases. One that cannot be read is passed over: its blobs are opened anew, which costs time alone.
    pub(super) fn read<R: Releases>(store: &R) -> Result<Self, BoxError> {
        let mut known = Self::default();
        for root in store.roots()? {
            let _ = known.blobs.read(store, &root.blobs, KNOWN_BLOBS_MAX);
            for item in root.read_items(store).unwrap_or_default() {
                if let ItemKind::Folder { entries, .. } = item.kind {
                    known.folders.insert(entries);
                }
            }
        }
        Ok(known)
    }
}

/// Proves items, and each blob once.
pub(super) struct Prover<'a, S: ChunkSource> {
    source: &'a S,
    known: &'a Known,
    proved: HashSet<BlobId>,
    monitor: &'a dyn Monitor,
}

impl<'a, S: ChunkSource> Prover<'a, S> {
    /// Starts with what needs no proof.
    pub(super) fn new(source: &'a S, known: &'a Known, monitor: &'a dyn Monitor) -> Self {
        Self {
            source,
            known,
            proved: HashSet::new(),
            monitor,
        }
    }

    /// Rebuilds all contents of an item.
    ///
    /// # Errors
    /// [`RecipeError::Mismatch`] when other bytes come back, and all else that keeps them from coming back.
    pub(super) fn item(&mut self, item: &Item) -> Result<(), RecipeError> {
        let entries = match &item.kind {
            ItemKind::File { content } => return self.content(content),
            ItemKind::Folder { entries, .. } => entries,
        };
        if self.known.folders.contains(entries) {
            self.monitor.advance(item.bytes());
            return Ok(());
        }
        let mut records = open_entries(self.source, entries)?;
        let mut contents = Vec::new();
        loop {
            let entry = records.next_record()?;
            let last = entry.is_none();
            if let Some(EntryKind::File { content }) = entry.map(|entry| entry.kind) {
                contents.push(content);
            }
            if last || contents.len() == BATCH_ENTRIES {
                self.contents(&contents)?;
                contents.clear();
            }
            if last {
                return Ok(());
            }
        }
    }

    fn contents(&mut self, contents: &[Content]) -> Result<(), RecipeError> {
        let chunks = contents.iter().filter_map(|content| match content {
            Content::Chunk(chunk) => Some(chunk.id),
            _ => None,
        });
        self.source.prefetch(&chunks.collect::<Vec<_>>());
        contents
            .iter()
            .try_for_each(|content| self.content(content))
    }

    fn content(&mut self, content: &Content) -> Result<(), RecipeError> {
        if let Content::Blob(blob) = content
            && (self.known.blobs.get(blob.bytes, blob.id).is_some() || !self.proved.insert(blob.id))
        {
            self.monitor.advance(blob.bytes);
            return Ok(());
        }
        let mut nowhere = std::io::sink();
        write_content(
            self.source,
            content,
            Proof::EveryBlob,
            &mut nowhere,
            self.monitor,
        )
    }
}
