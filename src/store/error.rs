//! Errors that stop an operation on a store. Damage that does not stop it is a finding instead.
//!
//! The words that tell the operator what to do are in the command line.

use std::path::PathBuf;

use crate::base::backend::BackendError;
use crate::base::envelope::EnvelopeError;
use crate::base::id::{ChunkId, PackId, ReleaseId};
use crate::base::monitor::Interrupted;
use crate::store::storage::StorageError;

/// An operation on a store that could not continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store in the directory.
    #[error("no store in {}", path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
    },
    /// There already is a store in the directory.
    #[error("there is a store in {} already", path.display())]
    AlreadyAStore {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds something that is not a store.
    #[error("{} is no store and not empty: {} is in it", path.display(), entry.file_name().unwrap_or_default().display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// One of its entries.
        entry: PathBuf,
    },
    /// An address in an object store that is not well written.
    #[error("{} is no address in an object store", place.display())]
    BadAddress {
        /// What was given.
        place: PathBuf,
    },
    /// There are objects below an address that are no store.
    #[error("{} is no store and not empty: {entry} is there", place.display())]
    PrefixTaken {
        /// The address.
        place: PathBuf,
        /// One of the objects.
        entry: String,
    },
    /// The server of a bucket puts objects whether a condition holds or not.
    #[error("the server of {} does not heed If-None-Match and If-Match", place.display())]
    NoConditions {
        /// The address.
        place: PathBuf,
    },
    /// The work needs a store in a folder.
    #[error("this is not done in an object store yet: {}", place.display())]
    NotInBucket {
        /// The address.
        place: PathBuf,
    },
    /// Somebody else committed a root of the same name meanwhile, with other content.
    #[error(
        "release root {stem:?} was changed by somebody else meanwhile, and {ours} was not committed"
    )]
    RootTaken {
        /// Its name.
        stem: String,
        /// The release that was to be committed.
        ours: ReleaseId,
        /// The release that is there, or `None` when it was removed.
        theirs: Option<ReleaseId>,
    },
    /// Somebody else prunes the store.
    #[error("{} is being pruned by somebody else", place.display())]
    Maintained {
        /// The address.
        place: PathBuf,
        /// Seconds after which it may be taken over when nothing is heard of them.
        seconds: u64,
    },
    /// Somebody else prunes the store since, because nothing was heard of this process for long.
    #[error("somebody else took over the prune")]
    Superseded,
    /// Chunks of a release were pruned before it was committed.
    #[error("{chunks} chunks of release root {stem:?} were pruned meanwhile")]
    PrunedMeanwhile {
        /// The name of its root.
        stem: String,
        /// How many of them, as far as is known.
        chunks: u64,
    },
    /// A part of the path is a file, so that no store can be below it.
    #[error("no store can be in {}: a part of the path is a file", path.display())]
    BelowFile {
        /// The directory that was named.
        path: PathBuf,
    },
    /// A part of the store is a link, which may lead outside the store.
    #[error("{} is a link, and a store writes to its own folder alone", path.display())]
    Linked {
        /// The link.
        path: PathBuf,
    },
    /// Another process has locked the store.
    #[error("the store in {} is in use by another process", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// Processes such as a server read the store beside writers, and what they read must stay.
    #[error("the store in {} is being read by another process, such as carryall serve", path.display())]
    Served {
        /// The directory.
        path: PathBuf,
    },
    /// The store was opened for reading.
    #[error("the store in {} is open for reading only", path.display())]
    ReadOnly {
        /// The directory.
        path: PathBuf,
    },
    /// A second writer was asked for while the first one exists.
    #[error("the store in {} is being written already", path.display())]
    WriterBusy {
        /// The directory.
        path: PathBuf,
    },
    /// The store has a newer format.
    #[error("store format {found} in {} is newer than this program reads ({known})", path.display())]
    Unsupported {
        /// The directory.
        path: PathBuf,
        /// Format of the store.
        found: i64,
        /// Newest format this program knows.
        known: i64,
    },
    /// The store's settings cannot be understood.
    #[error("cannot understand {}: {message}", path.display())]
    BadSettings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The limits in the store's settings cannot be understood, or are lower than the usual ones.
    #[error("limits in {}: {message}", path.display())]
    BadLimits {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// No known pack holds the chunk.
    #[error("chunk {id} is not in the store")]
    NoSuchChunk {
        /// The chunk.
        id: ChunkId,
    },
    /// Every copy of the chunk is damaged.
    #[error("chunk {id} is damaged: frame at {offset} of pack {pack}")]
    DamagedChunk {
        /// The chunk.
        id: ChunkId,
        /// Pack of the copy that was tried last.
        pack: PackId,
        /// Place of the frame.
        offset: u32,
        /// What is wrong with it.
        #[source]
        source: FrameDamage,
    },
    /// Every copy of the chunk was found damaged before.
    #[error("chunk {id} is damaged and quarantined")]
    QuarantinedChunk {
        /// The chunk.
        id: ChunkId,
    },
    /// A frame is damaged.
    #[error("frame at {offset} of pack {pack} is damaged")]
    DamagedFrame {
        /// Its pack.
        pack: PackId,
        /// Its place.
        offset: u32,
        /// What is wrong with it.
        #[source]
        source: FrameDamage,
    },
    /// Chunks have 1 byte to 256 KiB.
    #[error("a chunk of {bytes} bytes cannot be stored")]
    ChunkLength {
        /// What was given.
        bytes: usize,
    },
    /// There is no release root of that name.
    #[error("no release root {stem:?}")]
    NoSuchRoot {
        /// What was asked for.
        stem: String,
    },
    /// A name that is not safe as a file name.
    #[error("not a name for a release root: {stem:?}")]
    BadRootName {
        /// The name that was given.
        stem: String,
    },
    /// A release root that cannot be read.
    #[error("release root {stem:?} is unreadable")]
    BadRoot {
        /// Its name.
        stem: String,
        /// What is wrong with it.
        #[source]
        source: EnvelopeError,
    },
    /// An index segment that was just written cannot be read.
    #[error("index segment {name} is unreadable")]
    BadIndex {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: EnvelopeError,
    },
    /// A thread of the writer ended before its work.
    #[error("a thread of the writer failed")]
    WriterFailed,
    /// The operator asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Interrupted(stop) => stop.into(),
            other => Self::Failed(other.into()),
        }
    }
}

/// What is wrong with a frame in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameDamage {
    /// Its bytes are wrong.
    #[error(transparent)]
    Frame(#[from] crate::content::frame::FrameError),
    /// Its pack is wrong.
    #[error("its pack is missing or cut short")]
    Pack,
}
