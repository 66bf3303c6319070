//! Bytes of a blob that come from elsewhere, piece by piece.

use super::copy::Copied;
use super::pipe::PipeReader;
use crate::content::recipe::RecipeError;

/// Bytes that come from elsewhere.
pub(super) enum Feed<'env> {
    /// A stream that is being reconstructed.
    Made(PipeReader),
    /// A blob that the source has ready.
    Copied(Copied<'env>),
}

impl Feed<'_> {
    /// Returns available bytes, up to `most`. Returns none at the end, which is a success unless [`Feed::failure`] says
    /// otherwise.
    pub(super) fn next(&mut self, most: usize) -> &[u8] {
        match self {
            Self::Made(made) => made.next(most),
            Self::Copied(copied) => copied.next(most),
        }
    }

    /// Returns the error, once.
    pub(super) fn failure(&mut self) -> Option<RecipeError> {
        match self {
            Self::Made(made) => made.failure(),
            Self::Copied(copied) => copied.failure(),
        }
    }
}
