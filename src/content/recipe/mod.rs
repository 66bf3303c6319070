//! Recipes: how the exact bytes of any content are rebuilt from chunks.
//!
//! The module has types, streams of chunks, rebuilding and walking. `files::unpacker` makes recipes from files. The
//! implementers of [`ChunkSource`] and [`ChunkSink`] keep the chunks.

pub mod body;
pub mod rebuild;
pub mod stream;
pub mod walk;
pub mod writer;

use std::ops::Deref;

use wincode::{SchemaRead, SchemaWrite};

use crate::base::backend::{BackendError, BoxError};
use crate::base::id::{self, BlobId, ChunkId};
use crate::base::limits::CostLimits;
pub(crate) use crate::base::limits::{BLOB_DEPTH_MAX, OP_BYTES_MAX, STREAM_DEPTH_MAX};
use crate::base::monitor::Interrupted;
use crate::base::term::Flaw;
use crate::base::term::terms;
use crate::content::content_kind::ContentKind;
use crate::deflate::DeflateError;
use crate::recode::RecodeError;

/// Contents of up to this many bytes are one chunk, wherever they are found.
pub(crate) const SMALL_BYTES: u64 = 64 * 1024;

/// A chunk and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SchemaRead, SchemaWrite)]
pub struct ChunkRef {
    /// Length, 1 to [`crate::content::chunk::CHUNK_MAX`].
    pub bytes: u32,
    /// The chunk.
    pub id: ChunkId,
}

/// A stream of bytes kept as a chunk, or as lists of chunks when it is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SchemaRead, SchemaWrite)]
pub struct StreamRef {
    /// Length of the stream. 0 means that nothing is stored.
    pub bytes: u64,
    /// 0 means that `id` is the chunk itself. More means a list of streams of one depth less.
    pub depth: u8,
    /// The chunk or the list.
    pub id: ChunkId,
}

impl StreamRef {
    /// The empty stream.
    pub const EMPTY: Self = Self {
        bytes: 0,
        depth: 0,
        id: ChunkId([0; 32]),
    };
}

/// How the bytes of a blob are rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SchemaRead, SchemaWrite)]
pub struct Recipe {
    /// All bytes that belong to no member's body: headers of tars, padding, tails.
    pub side: StreamRef,
    /// Records of [`RecipeOp`], each behind its length (u32).
    pub ops: StreamRef,
}

/// Bytes with a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SchemaRead, SchemaWrite)]
pub struct Blob {
    /// BLAKE3 of the bytes.
    pub id: BlobId,
    /// Length, at least 1.
    pub bytes: u64,
    /// How to rebuild them.
    pub recipe: Recipe,
}

/// The content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SchemaRead, SchemaWrite)]
pub enum Content {
    /// Nothing.
    Empty,
    /// One chunk.
    Chunk(ChunkRef),
    /// A blob.
    Blob(Blob),
}

impl Content {
    /// Returns the length in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Chunk(chunk) => u64::from(chunk.bytes),
            Self::Blob(blob) => blob.bytes,
        }
    }

    /// Returns the BLAKE3 of the bytes, which is the same however they are kept.
    pub fn id(&self) -> BlobId {
        match self {
            Self::Empty => BlobId(id::hash(&[])),
            Self::Chunk(chunk) => BlobId(chunk.id.0),
            Self::Blob(blob) => blob.id,
        }
    }
}

/// One step of rebuilding a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub enum RecipeOp {
    /// The next bytes are those of this chunk.
    Chunk(ChunkRef),
    /// The next bytes come from the side stream.
    Side {
        /// Number of bytes, at least 1.
        bytes: u64,
    },
    /// The next bytes are those of this blob.
    Blob(Blob),
    /// The next bytes are a deflate stream (gzip, zlib or raw), or one of the formats of `recode`, made again from its
    /// plain bytes. The blob's own hash covers it.
    Stream {
        /// Length of the stream, at least 1.
        bytes: u64,
        /// The plain bytes.
        plain: Content,
        /// Length of the stream's recipe, which is taken from the side stream. These bytes are not part of the blob.
        remake_bytes: u64,
        /// How the recipe is read: [`DEFLATE_CODEC`], [`RECODE_CODEC`], or a newer codec.
        codec: u16,
    },
    /// Says why the stream or archive that this blob is was kept as it came. Only the first step of a blob may be one.
    /// It gives no bytes.
    Kept {
        /// The reason's number in docs/format.md.
        reason: u16,
    },
}

impl RecipeOp {
    /// Returns the content that the step takes from outside of its recipe: a chunk, a blob or the plain bytes of a
    /// stream.
    pub fn content(&self) -> Option<Content> {
        match self {
            Self::Chunk(chunk) => Some(Content::Chunk(*chunk)),
            Self::Blob(blob) => Some(Content::Blob(*blob)),
            Self::Stream { plain, .. } => Some(*plain),
            Self::Side { .. } | Self::Kept { .. } => None,
        }
    }
}

/// The reason of [`RecipeOp::Kept`] for frames of zstd, which are unpacked when somebody looks into them.
pub(crate) const ZSTD_KEPT: u16 = 11;

/// The codec of [`RecipeOp::Stream`] for recipes as [`crate::deflate`] writes them.
pub const DEFLATE_CODEC: u16 = 1;
/// The codec of [`RecipeOp::Stream`] for recipes as [`crate::recode`] writes them.
pub const RECODE_CODEC: u16 = 2;

/// Number of tags of [`RecipeOp`]. A higher tag belongs to a newer format.
const OP_TAGS: u32 = 5;

terms! {
    /// What there is too much of in a recipe.
    Excess {
        StepsForBlob = "term-excess-steps-for-blob", "bytes of steps beyond those that they give";
        Steps = "term-excess-steps", "bytes of all steps";
        PlainForStream = "term-excess-plain-for-stream", "plain bytes for a byte of a stream";
        PlainOfStreams = "term-excess-plain-of-streams", "plain bytes of all streams";
        Items = "term-excess-items", "bytes of the list of items";
    }
}

impl Excess {
    /// Returns the settings that raise this limit, see [`CostLimits`]. Returns `None` when it is one of the format.
    pub fn settings(self) -> Option<&'static str> {
        match self {
            Self::StepsForBlob | Self::PlainForStream => None,
            Self::Steps => Some("steps-bytes, steps-ratio"),
            Self::PlainOfStreams => Some("plain-bytes, plain-ratio"),
            Self::Items => Some("list-bytes"),
        }
    }
}

/// Says why a recipe cannot be made, followed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The chunk is missing or cannot be read.
    #[error("chunk {} cannot be read", id.short())]
    Chunk {
        /// The chunk.
        id: ChunkId,
        /// What its keeper reports.
        source: BoxError,
    },
    /// The chunk is missing.
    #[error("chunk {} is missing", .0.short())]
    Missing(ChunkId),
    /// A list or record does not decode or contradicts itself.
    #[error("corrupt {0}")]
    Corrupt(Flaw),
    /// It claims more than a limit allows, see [`crate::base::limits`].
    #[error("more than there may be: {0}")]
    Limit(Excess),
    /// It needs a feature that this program does not have.
    #[error("needs a newer carryall: {0}")]
    Newer(String),
    /// The rebuilt bytes differ from those that were added.
    #[error("rebuilt bytes do not match: blob {} expected", .0.short())]
    Mismatch(BlobId),
    /// A stream in this blob cannot be reconstructed from its plain bytes.
    #[error("a stream in blob {} cannot be made again", blob.short())]
    Remake {
        /// The blob.
        blob: BlobId,
        /// What is wrong.
        source: StreamError,
    },
    /// The ready copy of a blob can no longer be read. The blob can still be rebuilt.
    #[error("the copy of blob {} that was kept ready cannot be read", blob.short())]
    Ready {
        /// The blob.
        blob: BlobId,
        /// What its keeper reports.
        source: BoxError,
    },
    /// A chunk could not be stored.
    #[error("chunk cannot be stored")]
    Store(#[source] BoxError),
    /// Rebuilt bytes could not be written.
    #[error("cannot write")]
    Write(#[source] std::io::Error),
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Says why a stream cannot be made again from its plain bytes.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Of a deflate stream.
    #[error(transparent)]
    Deflate(#[from] DeflateError),
    /// Of another one.
    #[error(transparent)]
    Recode(#[from] RecodeError),
}

impl RecipeError {
    /// Makes the error for a chunk that its keeper cannot read.
    pub fn chunk(id: ChunkId, error: impl Into<BackendError>) -> Self {
        error.into().or(|source| Self::Chunk { id, source })
    }

    /// Makes the error for a ready copy that its keeper cannot read.
    pub fn ready(blob: BlobId, error: impl Into<BackendError>) -> Self {
        error.into().or(|source| Self::Ready { blob, source })
    }

    /// Makes the error for a chunk that could not be stored.
    pub fn store(error: impl Into<BackendError>) -> Self {
        error.into().or(Self::Store)
    }

    /// Makes the error for rebuilt bytes that could not be written.
    pub fn write(error: std::io::Error) -> Self {
        match Interrupted::of_io(&error) {
            Some(stop) => stop.into(),
            None => Self::Write(error),
        }
    }
}

impl From<RecipeError> for BackendError {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Interrupted(stop) => stop.into(),
            other => Self::Failed(other.into()),
        }
    }
}

/// Provides chunks by id.
pub trait ChunkSource: Sync {
    /// The bytes of a chunk, as a cheap handle.
    type Bytes: Deref<Target = [u8]> + Send;

    /// Returns a chunk whose bytes were checked against its id.
    ///
    /// # Errors
    /// [`RecipeError::Missing`] or [`RecipeError::Chunk`].
    fn chunk(&self, id: &ChunkId) -> Result<Self::Bytes, RecipeError>;

    /// Prepares for these chunks to be read soon. Errors are reported when they are read.
    fn prefetch(&self, ids: &[ChunkId]);

    /// Returns whether the chunk exists, as far as that is known without reading it.
    fn contains(&self, id: &ChunkId) -> bool;

    /// Returns whether a content that begins with this chunk may be compressed as a whole. It is a hint, for those who would
    /// read the chunk for nothing else.
    fn may_be_packed(&self, id: &ChunkId) -> bool {
        let _ = id;
        true
    }

    /// Returns the bytes of a blob when a ready copy of them is kept. They were checked against the blob's id.
    fn ready(&self, blob: &Blob) -> Option<Box<dyn ReadyBytes + '_>> {
        let _ = blob;
        None
    }

    /// Returns the limits on what a release may cost. A store may have raised them.
    fn limits(&self) -> CostLimits {
        CostLimits::default()
    }
}

/// The bytes of a blob that need not be rebuilt.
pub trait ReadyBytes: Send {
    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// When they no longer exist.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), BackendError>;
}

/// Stores chunks.
pub trait ChunkSink {
    /// Stores a chunk of 1 to [`crate::content::chunk::CHUNK_MAX`] bytes, unless it exists already.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    fn put(&mut self, plain: &[u8], class: ContentKind) -> Result<ChunkId, RecipeError>;
}

#[cfg(test)]
pub mod memory {
    //! Chunks in memory, for tests.
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A map that any number of handles share.
    #[derive(Default, Clone)]
    pub struct Memory(pub Arc<Mutex<HashMap<ChunkId, Arc<[u8]>>>>);

    impl Memory {
        /// Runs `change` on the chunks.
        pub fn with<T>(&self, change: impl FnOnce(&mut HashMap<ChunkId, Arc<[u8]>>) -> T) -> T {
            change(
                &mut self
                    .0
                    .lock()
                    .expect("no test panics while it holds the lock"),
            )
        }
    }

    impl ChunkSource for Memory {
        type Bytes = Arc<[u8]>;

        fn chunk(&self, id: &ChunkId) -> Result<Arc<[u8]>, RecipeError> {
            self.with(|map| map.get(id).cloned())
                .ok_or(RecipeError::Missing(*id))
        }

        fn prefetch(&self, _: &[ChunkId]) {}

        fn contains(&self, id: &ChunkId) -> bool {
            self.with(|map| map.contains_key(id))
        }
    }

    impl ChunkSink for Memory {
        fn put(&mut self, plain: &[u8], _: ContentKind) -> Result<ChunkId, RecipeError> {
            assert!((1..=crate::content::chunk::CHUNK_MAX).contains(&plain.len()));
            let id = ChunkId::of(plain);
            self.with(|map| map.entry(id).or_insert_with(|| plain.into()).len());
            Ok(id)
        }
    }
}
