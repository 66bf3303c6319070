//! Layouts of what people hand over: tars, deflate streams and zip files to any depth, files, and folders with all their
//! metadata.
//!
//! Each is read into recipes and entries, and folders are given back from them. Nothing here knows of stores or releases'
//! names; a layout that is not understood is plain bytes, and never an error.

mod effort;
pub mod folder;
pub mod hashing_reader;
mod lookahead;
pub mod meta;
pub mod open_options;
pub mod restore;
pub mod steady_file;
mod stream_finder;
pub mod streams;
pub mod unpacker;
pub mod versions;
mod walk;
pub mod zstd;

use std::io;
use std::path::{Path, PathBuf};

use crate::content::recipe::RecipeError;

/// Says why something cannot be read in or given back.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The file system refuses.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not what it was when reading began.
    #[error("{} changed while it was read", .0.display())]
    Changed(PathBuf),
    /// The file cannot be told in a record.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An entry would reach outside of the folder it belongs in.
    #[error("refused entry {path:?}: {why}")]
    Hostile {
        /// The path that the entry gives.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A recipe cannot be made or followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] crate::base::monitor::Interrupted),
}

impl LayoutError {
    /// Whether the person asked to stop.
    pub fn is_interrupted(&self) -> bool {
        matches!(
            self,
            Self::Interrupted(_) | Self::Recipe(RecipeError::Interrupted(_))
        )
    }

    /// The same error under the path that people know.
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

    /// Puts the path to an I/O error.
    pub fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> LayoutError {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
