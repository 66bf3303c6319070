//! Opens deflate streams (gzip, zlib, raw) into plain bytes and a small recipe, and makes the very same streams again.
//!
//! The same plain text is compressed differently by every writer, so that a recipe says what a decompressor forgets: where blocks
//! end, how codes were written, which matches were taken. A model of the writer predicts nearly all of it; only what
//! it gets wrong is kept. For the common writers that is nothing, and a recipe has a few hundred bytes. A stream of an
//! unknown writer comes back as well, from a larger recipe. The format of recipes is in `docs/format.md`.
//!
//! [`analyze()`] and [`remake()`] hold about 10 MB each, whatever the length of the stream, and for chunks some 6 MB more a thread. Nothing here knows of files or stores.
//!
//! The idea to predict what a known compressor does, and to keep the corrections, is that of preflate (Dirk Steinke) and of
//! precomp before it; rules of writers are named with their sources in each model.

mod analyze;
pub(crate) mod bits;
mod coder;
pub(crate) mod codes;
mod corrections;
mod experience;
mod fallback;
pub(crate) mod header;
pub(crate) mod inflate;
pub(crate) mod model;
mod ordered_pool;
mod reconstruct;
mod run;
mod select;
mod text;
pub(crate) mod token;
pub(crate) mod trees;
mod wrapper;
mod writers;

use std::io::{Read, Write};

pub use experience::Experience;
pub use wrapper::Wrapper;

/// Version of recipes that this program writes, and the only one that it reads.
pub const RECIPE_VERSION: u8 = 1;

/// Says why a stream cannot be opened or made again.
#[derive(Debug, thiserror::Error)]
pub enum DeflateError {
    /// Reading or writing fails.
    #[error("cannot read or write")]
    Io(#[source] std::io::Error),
    /// It is no valid deflate stream.
    #[error("corrupt {0}")]
    Corrupt(&'static str),
    /// It ends in its midst.
    #[error("ends early")]
    Truncated,
    /// It unpacks to more than it may.
    #[error("unpacks to more than {0} bytes")]
    PlainLimit(u64),
    /// It unpacks to many times its length.
    #[error("unpacks to more than {0} times its length")]
    RatioLimit(u64),
    /// The recipe would be too large a part of the stream.
    #[error("the recipe is larger than {0} per mille of the stream")]
    RecipeLimit(u64),
    /// Whoever watches asked to stop.
    #[error("stopped")]
    Stopped,
    /// The recipe asks for something that this program does not have.
    #[error("needs a newer carryall: deflate recipe {0}")]
    Newer(u8),
    /// The stream made again is longer or shorter than it should be.
    #[error("the stream made again has another length")]
    Length,
}

/// What to open, and how far to go.
#[derive(Clone, Copy)]
pub struct AnalyzeOptions<'a> {
    /// What the stream is wrapped in.
    pub wrapper: Wrapper,
    /// Most bytes that it may unpack to.
    pub plain_limit_bytes: u64,
    /// Most times its length that it may unpack to.
    pub ratio_limit: u64,
    /// Most bytes of the recipe for 1000 bytes of the stream; 4096 bytes are always allowed.
    pub recipe_limit_per_mille: u64,
    /// Threads that work on the chunks of one stream, where its writer made some.
    pub threads: usize,
    /// What streams taught that were opened before and are likely of the same writer: saves the search, and bounds it.
    pub experience: Option<&'a Experience>,
    /// Told how many plain bytes came out; false ends the work.
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
    /// Bytes of the stream; what lies behind them is none of it.
    pub stream_bytes: u64,
    /// Bytes that it unpacks to.
    pub plain_bytes: u64,
    /// Bytes of the recipe.
    pub recipe_bytes: u64,
    /// Tokens that the model did not predict.
    pub missed_tokens: u64,
    /// The writer, for people.
    pub writer: String,
}

/// Opens one stream (of gzip: all members that follow one another): writes what it unpacks to and the recipe.
///
/// The stream that [`remake()`] makes of both is not compared with this one here: do that before the stream is let go.
///
/// # Errors
/// Any [`DeflateError`]: the stream is to be kept as it is. Parts of `plain` and `recipe` may have been written.
pub fn analyze(
    source: &mut dyn Read,
    plain: &mut dyn Write,
    recipe: &mut dyn Write,
    options: &AnalyzeOptions<'_>,
) -> Result<Analysis, DeflateError> {
    analyze::analyze(source, plain, recipe, options)
}

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct ReconstructOptions {
    /// Bytes of the stream, as [`Analysis::stream_bytes`] has them.
    pub stream_bytes: u64,
    /// Threads that work on the chunks of one stream, where its writer made some.
    pub threads: usize,
}

/// Makes a stream again out of its plain bytes and its recipe.
///
/// # Errors
/// [`DeflateError::Newer`] for a recipe of another version; [`DeflateError::Corrupt`] and [`DeflateError::Length`] when text
/// and recipe do not belong together; [`DeflateError::Io`]. Part of the stream may have been written.
pub fn reconstruct(
    recipe: &mut dyn Read,
    plain: &mut dyn Read,
    out: &mut dyn Write,
    options: &ReconstructOptions,
) -> Result<(), DeflateError> {
    reconstruct::reconstruct(recipe, plain, out, options)
}
