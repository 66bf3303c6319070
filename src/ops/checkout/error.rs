//! The error of `checkout`.

use std::path::PathBuf;

use crate::base::backend::{BackendError, BoxError};
use crate::base::monitor::Interrupted;
use crate::base::output::OutputError;
use crate::base::size::ByteSize;
use crate::content::recipe::RecipeError;
use crate::content::release::ReleaseName;
use crate::files::LayoutError;
use crate::oci::image::ChoiceError;
use crate::oci::image::export::ExportError;

/// The reason why nothing, or no more, was restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckoutError {
    /// There is no such release.
    #[error("there is no release {0}")]
    NoSuchRelease(ReleaseName),
    /// The release has no such item.
    #[error("the release has no item {item}; it has {}", has.join(", "))]
    NoSuchItem {
        /// The item that was asked for.
        item: String,
        /// The items that exist.
        has: Vec<String>,
    },
    /// Nothing is attached to the images that were asked for.
    #[error("nothing is attached to the images")]
    NothingAttached,
    /// The destination is not empty.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The destination is inside the store.
    #[error("{} lies in the store {}", dest.display(), store.display())]
    InStore {
        /// The destination.
        dest: PathBuf,
        /// The store's folder.
        store: PathBuf,
    },
    /// There is too little room.
    #[error("{} has {} free, and {} are needed", path.display(), ByteSize(*free_bytes), ByteSize(*needed_bytes))]
    NoSpace {
        /// The destination.
        path: PathBuf,
        /// Bytes that are free there.
        free_bytes: u64,
        /// Bytes that are needed.
        needed_bytes: u64,
    },
    /// The list of items cannot be read, or is not one that `add` makes.
    #[error("the release's list of items cannot be read")]
    Manifest(#[source] RecipeError),
    /// Nothing can be written to the destination.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// An error of the file system.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The requested images are not available.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Images cannot be written in the requested format.
    #[error(transparent)]
    Outgoing(#[from] ExportError),
    /// Something exists where a file is to be written.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// An error of the store.
    #[error("the store cannot be read")]
    Releases(#[source] BoxError),
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<BackendError> for CheckoutError {
    fn from(error: BackendError) -> Self {
        error.or(Self::Releases)
    }
}
