//! What can stop a bundle from being cut or read.

use std::path::PathBuf;

use crate::base::envelope::EnvelopeError;
use crate::base::monitor::Interrupted;
use crate::content::frame::FrameError;
use crate::content::recipe::RecipeError;
use crate::store::StoreError;

/// Says why a bundle could not be cut or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The store cannot give what the bundle needs.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A release cannot be walked.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The catalog or a release root in it is not what it should be.
    #[error("catalog")]
    Catalog(#[from] EnvelopeError),
    /// A frame of the payload is not what it should be, though its blocks are: it was written wrong.
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
        /// What the system said.
        source: std::io::Error,
    },
    /// The person asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
