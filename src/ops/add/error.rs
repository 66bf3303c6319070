//! The error of `add`.

use std::path::PathBuf;

use crate::base::backend::{BackendError, BoxError};
use crate::base::monitor::Interrupted;
use crate::base::size::ByteSize;
use crate::content::recipe::RecipeError;
use crate::content::release::Refusal;
use crate::files::LayoutError;
#[cfg(feature = "registry")]
use crate::oci::registry::RegistryError;

/// The reason why a release was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// No path was given.
    #[error("nothing to add")]
    Nothing,
    /// Two items would have the same name.
    #[error("two items would be called {name}: {} and {}", first.display(), second.display())]
    SameName {
        /// The name.
        name: String,
        /// One path.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A path is neither file nor folder, or has no file name.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        why: Refusal,
    },
    /// Files or folders that may not be read.
    #[error("{count} cannot be read: {}", unreadable(first, *count))]
    Unreadable {
        /// The first of them, with the system's errors.
        first: Vec<(PathBuf, std::io::Error)>,
        /// How many there are in total.
        count: u64,
    },
    /// An input grows with the store, because one is inside the other.
    #[error("{} and the store {} overlap: one is inside the other", path.display(), store.display())]
    Entangled {
        /// The path.
        path: PathBuf,
        /// The store's folder.
        store: PathBuf,
    },
    /// There is too little room even for the best case.
    #[error("{} has {} free, and {} at least are needed", path.display(), ByteSize(*free_bytes), ByteSize(*needed_bytes))]
    NoSpace {
        /// The store's folder.
        path: PathBuf,
        /// Bytes that are free there.
        free_bytes: u64,
        /// Bytes that are needed in the best case.
        needed_bytes: u64,
    },
    /// An image could not be pulled.
    #[cfg(feature = "registry")]
    #[error(transparent)]
    Registry(RegistryError),
    /// There is no folder to pull into.
    #[cfg(feature = "registry")]
    #[error("the store lies in no folder, and nothing can be pulled into it")]
    Nowhere,
    /// An item could not be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Not even the original bytes can be read back from the store.
    #[error("{name}: what was stored does not come back")]
    Store {
        /// The item.
        name: String,
        /// What went wrong instead.
        source: RecipeError,
    },
    /// The release that is to be extended could not be read.
    #[error("{release} as it is cannot be read")]
    Old {
        /// Its name.
        release: String,
        /// What is wrong.
        source: RecipeError,
    },
    /// An error of the store.
    #[error("the store cannot be written or read")]
    Releases(#[source] BoxError),
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// `/a (Permission denied), /b (Permission denied) and 3 more`.
fn unreadable(first: &[(PathBuf, std::io::Error)], count: u64) -> String {
    let each = first
        .iter()
        .map(|(path, why)| format!("{} ({why})", path.display()));
    let listed = each.collect::<Vec<_>>().join(", ");
    match count.saturating_sub(first.len() as u64) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

impl From<RecipeError> for AddError {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Interrupted(stop) => Self::Interrupted(stop),
            other => Self::Layout(LayoutError::Recipe(other)),
        }
    }
}

impl From<BackendError> for AddError {
    fn from(error: BackendError) -> Self {
        error.or(Self::Releases)
    }
}

#[cfg(feature = "registry")]
impl From<RegistryError> for AddError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Interrupted(stop) => Self::Interrupted(stop),
            other => Self::Registry(other),
        }
    }
}
