//! `list` and `show`: what a store holds.
//!
//! They read release roots and lists of chunks, never whole items.

use std::collections::HashSet;

use serde::Serialize;

use crate::finding::Finding;
use crate::id::ChunkId;
use crate::layouts::streams::Kept;
use crate::recipe::walk::{Visitor, Walker};
use crate::recipe::{Blob, Content, RecipeError};
use crate::release::{EntryKind, Item, ItemKind, ReleaseRoot, open_entries};
use crate::store::Store;
use crate::verbs::Error;

/// A release in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedRelease {
    /// Name as people write it.
    pub name: String,
    /// Its id.
    pub id: String,
    /// How many items it has.
    pub items: u32,
    /// Bytes of all items when given back.
    pub bytes: u64,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListReport {
    /// Its releases, by name.
    pub releases: Vec<ListedRelease>,
    /// Roots that cannot be read.
    pub findings: Vec<Finding>,
}

/// What a release is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShowReport {
    /// The release.
    #[serde(flatten)]
    pub release: ListedRelease,
    /// Its items, by name.
    pub contents: Vec<ShownItem>,
    /// Distinct chunks it needs.
    pub chunks: u64,
    /// Deflate streams that are kept opened, each distinct blob counted once.
    pub opened: OpenedStreams,
    /// Deflate streams of more than 64 KiB that are kept as they came, each once.
    pub kept: Vec<KeptStream>,
}

/// Deflate streams that are kept opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OpenedStreams {
    /// How many.
    pub streams: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Plain bytes of them.
    pub plain_bytes: u64,
    /// Bytes of what makes them again.
    pub recipe_bytes: u64,
}

/// A deflate stream that is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptStream {
    /// The item it is in.
    pub item: String,
    /// The file of a folder that it is, or is in; empty when the item is a file.
    pub path: String,
    /// BLAKE3 of the stream.
    pub hash: String,
    /// Its bytes.
    pub bytes: u64,
    /// Why; `None` for a reason that only a newer version knows.
    pub reason: Option<Kept>,
}

/// An item of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownItem {
    /// Name, as far as it is text.
    pub name: String,
    /// File or folder.
    pub kind: ShownKind,
    /// Bytes when given back.
    pub bytes: u64,
    /// Files and folders in it; 1 for a file.
    pub entries: u64,
    /// BLAKE3 of a file, or of a folder's list of entries.
    pub hash: String,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ShownKind {
    /// One file.
    File,
    /// A folder with all that is in it.
    Folder,
}

/// Lists the releases of a store.
///
/// # Errors
/// [`Error`] when the releases cannot be listed.
pub fn list(store: &Store) -> Result<ListReport, Error> {
    let (roots, findings) = super::releases(store)?;
    Ok(ListReport {
        releases: roots.iter().map(listed).collect(),
        findings,
    })
}

fn listed(root: &ReleaseRoot) -> ListedRelease {
    ListedRelease {
        name: root.name.to_string(),
        id: root.id().to_string(),
        items: root.items,
        bytes: root.bytes,
    }
}

/// Shows what a release is made of.
///
/// # Errors
/// [`Error`] when its lists cannot be read.
pub fn show(store: &Store, root: &ReleaseRoot) -> Result<ShowReport, Error> {
    let items = root.read_items(store)?;
    let mut survey = Survey::default();
    let mut walker = Walker::new(store);
    walker.stream(&root.manifest, &mut survey)?;
    walker.stream(&root.blobs, &mut survey)?;
    for item in &items {
        survey.item = String::from_utf8_lossy(&item.name).into_owned();
        survey.path.clear();
        match &item.kind {
            ItemKind::File { content } => walker.content(content, &mut survey)?,
            ItemKind::Folder { entries, .. } => {
                walker.stream(entries, &mut survey)?;
                let mut entries = open_entries(store, entries)?;
                while let Some(entry) = entries.next_record()? {
                    if let EntryKind::File { content } = &entry.kind {
                        survey.path = String::from_utf8_lossy(&entry.path).into_owned();
                        walker.content(content, &mut survey)?;
                    }
                }
            }
        }
    }
    Ok(ShowReport {
        release: listed(root),
        contents: items.iter().map(shown).collect(),
        chunks: survey.chunks.len() as u64,
        opened: survey.opened,
        kept: survey.kept,
    })
}

/// What a walk through a release comes by.
#[derive(Default)]
struct Survey {
    item: String,
    path: String,
    chunks: HashSet<ChunkId>,
    opened: OpenedStreams,
    kept: Vec<KeptStream>,
}

impl Visitor for Survey {
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
        self.chunks.insert(*id);
        Ok(())
    }

    fn stream(&mut self, bytes: u64, plain: &Content, remake: u64) -> Result<(), RecipeError> {
        self.opened.streams += 1;
        self.opened.bytes += bytes;
        self.opened.plain_bytes += plain.bytes();
        self.opened.recipe_bytes += remake;
        Ok(())
    }

    fn kept(&mut self, blob: &Blob, reason: u16) -> Result<(), RecipeError> {
        self.kept.push(KeptStream {
            item: self.item.clone(),
            path: self.path.clone(),
            hash: blob.id.to_string(),
            bytes: blob.bytes,
            reason: Kept::from_number(reason),
        });
        Ok(())
    }
}

fn shown(item: &Item) -> ShownItem {
    let (kind, entries, hash) = match &item.kind {
        ItemKind::File { content } => (ShownKind::File, 1, content.id().to_string()),
        ItemKind::Folder {
            entries,
            entry_count,
            ..
        } => (ShownKind::Folder, *entry_count, entries.id.to_string()),
    };
    ShownItem {
        name: String::from_utf8_lossy(&item.name).into_owned(),
        kind,
        bytes: item.bytes(),
        entries,
        hash,
    }
}
