//! Reads and restores the layouts of release inputs: tars, deflate streams and zip files to any depth, single files,
//! and folders with all their metadata.
//!
//! Each input is read into recipes and entries, from which it is rebuilt. Nothing here knows of stores or of releases'
//! names. A layout that is not recognized is stored as plain bytes and is never an error.

mod early_read;
mod effort;
pub mod folder;
pub(crate) mod hashing_reader;
mod lookahead;
pub mod meta;
pub(crate) mod open_options;
pub mod privileges;
pub mod restore;
pub(crate) mod steady_file;
mod stream_finder;
mod stream_kind;
pub mod stream_report;
mod streams;
pub mod unpacker;
pub mod versions;
mod walk;
pub mod zstd;

use std::io;
use std::path::{Path, PathBuf};

use crate::base::term::Action;
use crate::content::recipe::RecipeError;
use crate::content::release::Refusal;

/// An error of reading or restoring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The file system refused an operation.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: a verb.
        action: Action,
        /// The path concerned.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file changed since reading began.
    #[error("{} changed while it was read", .0.display())]
    Changed(PathBuf),
    /// The file does not fit into a record.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: Refusal,
    },
    /// An entry would reach outside of its folder.
    #[error("refused entry {path:?}: {why}")]
    Hostile {
        /// The path that the entry gives.
        path: String,
        /// What is wrong with it.
        why: Refusal,
    },
    /// A file system takes the names of two entries for one.
    #[error("{} has the name of another entry here", .0.display())]
    NamesFold(PathBuf),
    /// A recipe cannot be made or followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] crate::base::monitor::Interrupted),
}

impl LayoutError {
    /// Returns whether the operator asked to stop.
    pub fn is_interrupted(&self) -> bool {
        matches!(
            self,
            Self::Interrupted(_) | Self::Recipe(RecipeError::Interrupted(_))
        )
    }

    /// Returns the same error under the path that people know.
    fn called(self, path: &Path) -> Self {
        let path = path.to_owned();
        match self {
            Self::Io { action, source, .. } => Self::Io {
                action,
                path,
                source,
            },
            Self::Changed(_) => Self::Changed(path),
            Self::Unfit { why, .. } => Self::Unfit { path, why },
            other => other,
        }
    }

    /// Adds the path to an I/O error.
    pub fn io(action: Action, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> LayoutError {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
