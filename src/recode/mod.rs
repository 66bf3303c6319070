//! Opens streams of xz, lzma, bzip2, zstd and lz4 and files of LLVM bitcode into plain bytes and a small recipe, and makes
//! exactly the same again by running the same encoder.
//!
//! Unlike writers of deflate, nearly all writers of xz run one library, liblzma, which has written the same bytes for
//! many years, and most of those of bzip2 and lz4 run libbz2 and liblz4. So a recipe names the encoder and its settings, and holds what stands
//! between the compressed pieces as it is: headers, checks and indexes. Its format is in `docs/format.md`. What another
//! encoder wrote is not opened.
//!
//! [`analyze()`] holds a decoder (a dictionary of 64 MiB at most) and a sample of some MB, and runs encoders on the
//! sample. [`reconstruct()`] holds an encoder, which takes eleven times its dictionary, and of streams in blocks as
//! many as fit into `RECONSTRUCT_BYTES`. Nothing here depends on files or stores.

mod analyze;
mod bitcode;
mod bzip2_frame;
mod chunks;
mod coder;
mod guess;
mod input;
mod klauspost;
mod lz4_encoder;
mod lz4_frame;
mod lzma_alone;
mod opener;
mod pace;
mod recipe;
mod reconstruct;
mod settings;
mod xz;
mod zstd_frame;

use std::io::{self, Read, Write};
use std::time::Duration;

pub use self::guess::Guesses;
pub use self::pace::{PACE_HEAD_BYTES, encode_time};
#[cfg(doc)]
use self::reconstruct::RECONSTRUCT_BYTES;

/// The first bytes of an xz stream.
pub const XZ_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
/// Bytes that tell the format of a stream.
pub const HEAD_BYTES: usize = lzma_alone::HEADER_BYTES;

/// The format of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// .xz, with all streams that follow one another.
    Xz,
    /// .lzma as `xz --format=lzma` writes it, with an end marker.
    Lzma,
    /// .bz2, with all streams that follow one another.
    Bzip2,
    /// .zst, with all frames that follow one another.
    Zstd,
    /// .lz4, with all frames that follow one another.
    Lz4,
    /// A file of LLVM bitcode, to its end.
    Bitcode,
}

impl Format {
    /// Returns the format of a stream that begins with `head`, [`HEAD_BYTES`] bytes of it or fewer.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&XZ_MAGIC) {
            Some(Self::Xz)
        } else if lzma_alone::is_header(head) {
            Some(Self::Lzma)
        } else if bzip2_frame::is_header(head) {
            Some(Self::Bzip2)
        } else if zstd_frame::is_header(head) {
            Some(Self::Zstd)
        } else if lz4_frame::is_header(head) {
            Some(Self::Lz4)
        } else if head.starts_with(&bitcode::MAGIC) {
            Some(Self::Bitcode)
        } else {
            None
        }
    }
}

/// Says why a stream cannot be opened or made again.
#[derive(Debug, thiserror::Error)]
pub enum RecodeError {
    /// Reading or writing fails.
    #[error("cannot read or write")]
    Io(#[source] io::Error),
    /// It, or its recipe, is not valid.
    #[error("corrupt {0}")]
    Corrupt(&'static str),
    /// It ends too early.
    #[error("ends early")]
    Truncated,
    /// No encoder that is known writes it.
    #[error("its writer is not known")]
    Unknown,
    /// It unpacks to too much, or needs too much memory.
    #[error("unpacks to too much")]
    Limit,
    /// The recipe would take too large a share of the stream.
    #[error("the recipe is larger than {0} per mille of the stream")]
    RecipeLimit(u64),
    /// The `watch` callback, or the one for the cost, asked to stop.
    #[error("stopped")]
    Stopped,
    /// The recipe needs a feature that this program does not have.
    #[error("needs a newer carryall: recode recipe {0}")]
    Newer(u8),
    /// The stream made again is longer or shorter than it should be.
    #[error("the stream made again has another length")]
    Length,
}

impl RecodeError {
    /// Makes the error for bytes that cannot be read. Those that are missing are an early end.
    fn read(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}

/// What is opened, and the limits.
#[derive(Clone, Copy)]
pub struct RecodeOptions<'a> {
    /// The format of the stream.
    pub format: Format,
    /// Most bytes that it may unpack to.
    pub plain_limit_bytes: u64,
    /// Most bytes that it may unpack to for each of its bytes, from 1 MiB on.
    pub ratio_limit: u64,
    /// Most bytes of the recipe for 1000 bytes of the stream. 4096 bytes are always allowed.
    pub recipe_limit_per_mille: u64,
    /// What earlier streams showed. Shortens the search.
    pub guesses: &'a Guesses,
    /// Receives the number of plain bytes so far. Returns false to end the work.
    pub watch: &'a dyn Fn(u64) -> bool,
    /// Returns the processor time of this thread.
    pub clock: &'a dyn Fn() -> Duration,
    /// Receives a number of plain bytes and the processor time in which they are encoded. Returns whether the stream may
    /// cost as much.
    pub affords: &'a dyn Fn(u64, Duration) -> bool,
}

/// What [`analyze()`] found.
#[derive(Debug, Clone)]
pub struct RecodeAnalysis {
    /// Bytes of the stream. Bytes behind them do not belong to it.
    pub stream_bytes: u64,
    /// Bytes that it unpacks to.
    pub plain_bytes: u64,
    /// Bytes of the recipe.
    pub recipe_bytes: u64,
    /// Name of the writer, for people.
    pub writer: String,
}

/// Opens one stream and writes its plain bytes and its recipe.
///
/// The settings are found on a sample of the first block. So the caller compares the stream that [`reconstruct()`] gives
/// with the original before it drops the original.
///
/// # Errors
/// Any [`RecodeError`]. The caller then keeps the stream as it is. Parts of `plain` and `recipe` may have been
/// written.
pub fn analyze(
    source: &mut dyn Read,
    plain: &mut dyn Write,
    recipe: &mut dyn Write,
    options: &RecodeOptions<'_>,
) -> Result<RecodeAnalysis, RecodeError> {
    analyze::analyze(source, plain, recipe, options)
}

/// What is made again.
#[derive(Debug, Clone, Copy)]
pub struct EncodeOptions {
    /// Bytes of the stream: [`RecodeAnalysis::stream_bytes`].
    pub stream_bytes: u64,
    /// Most threads that encode blocks of one stream.
    pub threads: usize,
}

/// Makes a stream again from its plain bytes and its recipe.
///
/// # Errors
/// [`RecodeError::Newer`] for a recipe of another version. [`RecodeError::Corrupt`], [`RecodeError::Truncated`] and
/// [`RecodeError::Length`] when plain bytes and recipe do not belong together. [`RecodeError::Io`] when reading or
/// writing fails. Part of the stream may have been written.
pub fn reconstruct(
    recipe: &mut dyn Read,
    plain: &mut dyn Read,
    out: &mut dyn Write,
    options: &EncodeOptions,
) -> Result<(), RecodeError> {
    reconstruct::reconstruct(recipe, plain, out, options)
}
