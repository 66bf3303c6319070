//! Opens deflate streams (gzip, zlib, raw) into plain bytes and a small recipe, and makes the very same streams again.
pub(crate) mod bits;
pub(crate) mod codes;
pub(crate) mod header;
pub(crate) mod inflate;
pub(crate) mod model;
pub(crate) mod token;

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
}
