//! Opens deflate streams (gzip, zlib, raw) into plain bytes and a small recipe, and reconstructs exactly the same
//! streams.
//!
//! Every writer compresses the same plain text differently. A recipe says what a decompressor forgets: where blocks
//! end, how codes were written, which matches were taken. A model of the writer predicts nearly all of it, and the
//! recipe keeps only the wrong predictions. For the common writers there are none, and a recipe has a few hundred
//! bytes. A stream of an unknown writer is reconstructed as well, from a larger recipe. The format of recipes is in
//! `docs/format.md`.
//!
//! [`analyze()`] and [`reconstruct()`] hold about 10 MB each, whatever the length of the stream. Chunks take some 6 MB
//! more a thread. Nothing here depends on files or stores.
//!
//! The idea to predict a known compressor and to keep the corrections comes from preflate (Dirk Steinke) and from
//! precomp before it. Each model names the sources of its writer's rules.

mod analyze;
pub(crate) mod bits;
mod coder;
pub(crate) mod codes;
mod corrections;
mod experience;
mod fallback;
pub(crate) mod header;
mod idle_models;
pub(crate) mod inflate;
pub(crate) mod model;
mod ordered_pool;
mod plain;
mod reconstruct;
mod run;
mod select;
mod text;
pub(crate) mod token;
pub(crate) mod trees;
mod wrapper;
mod writers;

use std::io::{Read, Write};

pub(crate) use experience::Expectation;
pub use experience::Experience;
pub(crate) use plain::PlainReader;
pub use wrapper::Wrapper;

/// Version of recipes that this program writes. It reads those before, too.
pub(crate) const RECIPE_VERSION: u8 = 2;

/// Says why a stream cannot be opened or reconstructed.
#[derive(Debug, thiserror::Error)]
pub enum DeflateError {
    /// Reading or writing fails.
    #[error("cannot read or write")]
    Io(#[source] std::io::Error),
    /// It is not a valid deflate stream.
    #[error("corrupt {0}")]
    Corrupt(&'static str),
    /// It ends too early.
    #[error("ends early")]
    Truncated,
    /// It unpacks to more bytes than the limit.
    #[error("unpacks to more than {0} bytes")]
    PlainLimit(u64),
    /// It unpacks to more times its length than the limit.
    #[error("unpacks to more than {0} times its length")]
    RatioLimit(u64),
    /// The recipe would take too large a share of the stream.
    #[error("the recipe is larger than {0} per mille of the stream")]
    RecipeLimit(u64),
    /// The `watch` callback asked to stop.
    #[error("stopped")]
    Stopped,
    /// The recipe needs a feature that this program does not have.
    #[error("needs a newer carryall: deflate recipe {0}")]
    Newer(u8),
    /// The reconstructed stream is longer or shorter than it should be.
    #[error("the stream made again has another length")]
    Length,
}

/// What is opened, and the limits.
#[derive(Clone, Copy)]
pub struct AnalyzeOptions<'a> {
    /// The wrapper of the stream.
    pub wrapper: Wrapper,
    /// Most bytes that it may unpack to.
    pub plain_limit_bytes: u64,
    /// Most bytes that it may unpack to for each of its bytes.
    pub ratio_limit: u64,
    /// Most bytes of the recipe for 1000 bytes of the stream. 4096 bytes are always allowed.
    pub recipe_limit_per_mille: u64,
    /// Threads that work on the chunks of one stream, for writers that write in chunks.
    pub threads: usize,
    /// What earlier streams showed that likely have the same writer. Shortens the search and bounds its cost.
    pub experience: Option<&'a Experience>,
    /// Receives the number of plain bytes so far. Returns false to end the work.
    pub watch: Option<&'a dyn Fn(u64) -> bool>,
}

impl Default for AnalyzeOptions<'_> {
    fn default() -> Self {
        Self {
            wrapper: Wrapper::Gzip,
            plain_limit_bytes: u64::MAX,
            ratio_limit: 1100,
            recipe_limit_per_mille: 125,
            threads: 1,
            experience: None,
            watch: None,
        }
    }
}

/// What [`analyze()`] found.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Bytes of the stream. Bytes behind them do not belong to it.
    pub stream_bytes: u64,
    /// Bytes that it unpacks to.
    pub plain_bytes: u64,
    /// Bytes of the recipe.
    pub recipe_bytes: u64,
    /// Tokens that the model did not predict.
    pub missed_tokens: u64,
    /// Name of the writer, for people.
    pub writer: String,
}

/// Opens one stream and writes its plain bytes and its recipe. A gzip stream includes all members that follow one
/// another.
///
/// The caller compares the stream that [`reconstruct()`] gives with the original before it drops the original. That
/// comparison is not done here.
///
/// # Errors
/// Any [`DeflateError`]. The caller then keeps the stream as it is. Parts of `plain` and `recipe` may have been
/// written.
pub fn analyze(
    source: &mut dyn Read,
    plain: &mut dyn Write,
    recipe: &mut dyn Write,
    options: &AnalyzeOptions<'_>,
) -> Result<Analysis, DeflateError> {
    analyze::analyze(source, plain, recipe, options)
}

/// What is reconstructed.
#[derive(Debug, Clone, Copy)]
pub struct ReconstructOptions {
    /// Bytes of the stream: [`Analysis::stream_bytes`].
    pub stream_bytes: u64,
    /// Threads that work on the chunks of one stream, for writers that write in chunks.
    pub threads: usize,
}

/// Reconstructs a stream from its plain bytes and its recipe.
///
/// # Errors
/// [`DeflateError::Newer`] for a recipe of another version. [`DeflateError::Corrupt`] and [`DeflateError::Length`] when
/// text and recipe do not belong together. [`DeflateError::Io`] when reading or writing fails. Part of the stream may
/// have been written.
pub fn reconstruct(
    recipe: &mut dyn Read,
    plain: &mut dyn Read,
    out: &mut dyn Write,
    options: &ReconstructOptions,
) -> Result<(), DeflateError> {
    reconstruct::reconstruct(recipe, plain, out, options)
}
