//! Errors of cutting and reading a bundle.

use std::path::PathBuf;

use crate::base::envelope::EnvelopeError;
use crate::base::monitor::Interrupted;
use crate::content::frame::FrameError;
use crate::content::recipe::RecipeError;
use crate::store::StoreError;

/// An error of cutting or reading a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The store cannot provide what the bundle needs.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A release cannot be walked.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The catalog or a release root in it is malformed.
    #[error("catalog")]
    Catalog(#[from] EnvelopeError),
    /// A frame of the payload is malformed although its blocks are whole. It was written wrong.
    #[error("frame {frame_no} of the payload")]
    Frame {
        /// Number in the catalog, from 0.
        frame_no: usize,
        /// What is wrong with it.
        source: FrameError,
    },
    /// The payload cannot be read to its end.
    #[error("payload")]
    Payload(#[source] std::io::Error),
    /// A file cannot be written or read.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The operator asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
