//! Releases: their names, their small roots, and the records of items and folder entries behind a root.
//!
//! It handles bytes only. The store keeps roots, and the operations read items and restore them.

pub mod name;
mod refusal;
pub mod script;
pub(crate) mod validation;
pub mod walk;

use std::collections::BTreeMap;

use wincode::{SchemaRead, SchemaWrite};

pub use self::name::{ReleaseName, ReleaseNameError};
pub use self::refusal::Refusal;
use crate::base::envelope::{self, EnvelopeError};
use crate::base::id::{self, BlobId, ReleaseId};
pub(crate) use crate::base::limits::RECORD_BYTES_MAX;
use crate::base::term::Flaw;
use crate::content::recipe::stream::{RecordReader, StreamWriter};
use crate::content::recipe::{
    Blob, ChunkSink, ChunkSource, Content, Excess, Recipe, RecipeError, StreamRef,
};

/// Most bytes of an encoded record of the table of blobs.
const BLOB_RECORD_BYTES: usize = 256;

/// The root of a release. It is small and refers to everything else.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct ReleaseRoot {
    /// The release's name.
    pub name: ReleaseName,
    /// Records of [`Item`], by name.
    pub manifest: StreamRef,
    /// Records of [`Blob`], by length and id. They are all blobs of the release, so that a later release need not open
    /// them again.
    pub blobs: StreamRef,
    /// Number of items.
    pub items: u32,
    /// Bytes of all items together, as they are restored.
    pub bytes: u64,
}

impl ReleaseRoot {
    /// Encodes the body of the root file.
    pub fn encode(&self) -> Vec<u8> {
        envelope::encode(self)
    }

    /// Decodes the body of a root file.
    ///
    /// # Errors
    /// [`EnvelopeError::Corrupt`] for anything that is not a root with a valid name.
    pub fn decode(body: &[u8]) -> Result<Self, EnvelopeError> {
        let root: Self = envelope::decode(body)?;
        root.name
            .check()
            .map_err(|_| EnvelopeError::Corrupt(Flaw::ReleaseName))?;
        Ok(root)
    }

    /// Returns the release's id, which is the hash of its root.
    pub fn id(&self) -> ReleaseId {
        ReleaseId(id::hash(&self.encode()))
    }

    /// Reads the items, in the order of their names.
    ///
    /// # Errors
    /// The errors of the source, and [`RecipeError::Corrupt`].
    pub fn read_items<S: ChunkSource>(&self, source: &S) -> Result<Vec<Item>, RecipeError> {
        if self.manifest.bytes > source.limits().list_bytes {
            return Err(RecipeError::Limit(Excess::Items));
        }
        let mut records = RecordReader::open(source, &self.manifest, RECORD_BYTES_MAX)?;
        let mut items: Vec<Item> = Vec::new();
        while let Some(item) = records.next_record()? {
            items.push(item);
        }
        if items.len() as u64 != u64::from(self.items) {
            return Err(RecipeError::Corrupt(Flaw::ManifestItems));
        }
        Ok(items)
    }
}

/// An extended attribute.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct Xattr {
    /// Its full name, such as `user.comment`.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// The metadata of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct Meta {
    /// Permission bits: the low twelve.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of last change, seconds since 1970.
    pub mtime_s: i64,
    /// Nanoseconds of that second.
    pub mtime_ns: u32,
    /// Extended attributes, by name.
    pub xattrs: Vec<Xattr>,
}

/// An item: one path that was given to `add`.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct Item {
    /// File name, any bytes but `/` and NUL.
    pub name: Vec<u8>,
    /// Metadata of the file, or of the folder itself.
    pub meta: Meta,
    /// What it is.
    pub kind: ItemKind,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub enum ItemKind {
    /// A file.
    File {
        /// Its bytes.
        content: Content,
    },
    /// A folder.
    Folder {
        /// Records of [`TreeEntry`]. Folders come before their entries, and the entries of each folder are sorted by
        /// name.
        entries: StreamRef,
        /// Number of entries.
        entry_count: u64,
        /// Bytes of all files in it. Hard links count once.
        bytes: u64,
    },
}

impl Item {
    /// Returns the bytes that restoring it writes.
    pub fn bytes(&self) -> u64 {
        match &self.kind {
            ItemKind::File { content } => content.bytes(),
            ItemKind::Folder { bytes, .. } => *bytes,
        }
    }
}

/// An entry of a folder item.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct TreeEntry {
    /// Path below the item: components that are neither empty nor `.` nor `..`, joined by `/`.
    pub path: Vec<u8>,
    /// Its metadata.
    pub meta: Meta,
    /// What it is.
    pub kind: EntryKind,
}

/// What a folder entry is.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub enum EntryKind {
    /// A file.
    File {
        /// Its bytes.
        content: Content,
    },
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink {
        /// Its target, any bytes but NUL.
        target: Vec<u8>,
    },
    /// Another name of an earlier entry.
    HardLink {
        /// Path of that entry.
        to: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice {
        /// Device number, as Linux encodes it in 64 bits.
        rdev: u64,
    },
    /// A block device.
    BlockDevice {
        /// Device number, as Linux encodes it in 64 bits.
        rdev: u64,
    },
}

/// Opens the entries of a folder item.
///
/// # Errors
/// [`RecipeError::Corrupt`].
pub fn open_entries<'a, S: ChunkSource>(
    source: &'a S,
    entries: &StreamRef,
) -> Result<RecordReader<'a, S, TreeEntry>, RecipeError> {
    RecordReader::open(source, entries, RECORD_BYTES_MAX)
}

/// Recipes of blobs by length and id, about 150 bytes each in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobTable(BTreeMap<(u64, BlobId), Recipe>);

impl BlobTable {
    /// Adds a blob. The first recipe of a blob stays.
    pub fn insert(&mut self, blob: &Blob) {
        self.0.entry((blob.bytes, blob.id)).or_insert(blob.recipe);
    }

    /// Returns whether a blob of this length is known. Only then is hashing worthwhile before a stream is opened.
    pub(crate) fn has_length(&self, bytes: u64) -> bool {
        let all = (bytes, BlobId([0; 32]))..=(bytes, BlobId([0xff; 32]));
        self.0.range(all).next().is_some()
    }

    /// Returns the blob of this length and id.
    pub fn get(&self, bytes: u64, id: BlobId) -> Option<Blob> {
        let recipe = *self.0.get(&(bytes, id))?;
        Some(Blob { id, bytes, recipe })
    }

    /// Adds the blobs of another table.
    pub fn extend(&mut self, other: Self) {
        for (key, recipe) in other.0 {
            self.0.entry(key).or_insert(recipe);
        }
    }

    /// Returns the number of blobs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the blobs of a release's table, while there are fewer than `limit` in all.
    ///
    /// # Errors
    /// The errors of the source, and [`RecipeError::Corrupt`].
    pub fn read<S: ChunkSource>(
        &mut self,
        source: &S,
        blobs: &StreamRef,
        limit: usize,
    ) -> Result<(), RecipeError> {
        let mut records = RecordReader::open(source, blobs, BLOB_RECORD_BYTES)?;
        while self.len() < limit
            && let Some(blob) = records.next_record()?
        {
            self.insert(&blob);
        }
        Ok(())
    }

    /// Stores the table.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn write(&self, sink: &mut dyn ChunkSink) -> Result<StreamRef, RecipeError> {
        let mut stream = StreamWriter::new(crate::content::content_kind::ContentKind::Meta);
        for ((bytes, id), recipe) in &self.0 {
            let blob = Blob {
                id: *id,
                bytes: *bytes,
                recipe: *recipe,
            };
            stream.write_record(sink, &blob)?;
        }
        stream.finish(sink)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::content::recipe::memory::Memory;

    #[test]
    fn a_table_of_blobs_comes_back_up_to_its_limit() {
        let mut memory = Memory::default();
        let mut table = BlobTable::default();
        for number in 0..9_u8 {
            table.insert(&Blob {
                id: BlobId([number; 32]),
                bytes: u64::from(number % 3) + 70_000,
                recipe: Recipe {
                    side: StreamRef::EMPTY,
                    ops: StreamRef::EMPTY,
                },
            });
        }
        assert!(table.has_length(70_002) && !table.has_length(70_003));
        let stream = table.write(&mut memory).unwrap();
        for limit in [0, 4, 100] {
            let mut back = BlobTable::default();
            back.read(&memory, &stream, limit).unwrap();
            assert_eq!(back.len(), limit.min(9));
            assert!(limit < 9 || back == table);
        }
    }

    #[test]
    fn a_root_with_an_unsafe_name_is_refused() {
        let root = ReleaseRoot {
            name: "shop:1.0".parse().unwrap(),
            manifest: StreamRef::EMPTY,
            blobs: StreamRef::EMPTY,
            items: 0,
            bytes: 0,
        };
        let mut body = root.encode();
        assert_eq!(ReleaseRoot::decode(&body).unwrap(), root);
        let at = body.windows(4).position(|four| four == b"shop").unwrap();
        body[at..at + 4].copy_from_slice(b"../x");
        assert!(ReleaseRoot::decode(&body).is_err());
        body[at..at + 4].copy_from_slice(b"shop");
        body.push(0);
        assert!(ReleaseRoot::decode(&body).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_records_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = ReleaseRoot::decode(&bytes);
            let _ = envelope::decode::<Item>(&bytes);
            let _ = envelope::decode::<TreeEntry>(&bytes);
        }
    }
}
