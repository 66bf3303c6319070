//! Options for how far the inputs of `add` are opened, and for what opening may cost.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::base::id::BlobId;

/// How far contents are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Tars as headers and bodies, deflate streams as plain bytes and recipes.
    Open,
    /// Tars alone.
    Tars,
    /// Nothing, for inputs that could not be rebuilt otherwise.
    Closed,
}

/// How contents are opened, and what opening a stream may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The depth of opening.
    pub depth: Depth,
    /// Largest recipe, in thousandths of the stream's length.
    pub recipe_limit_per_mille: u64,
    /// Most plain bytes of one stream.
    pub plain_limit_bytes: u64,
    /// Most plain bytes for each byte of the stream, applied from 1 MiB of plain bytes on. Deflate itself reaches 1032.
    pub ratio_limit: u64,
    /// Seconds for each GB (10^9) of plain bytes after which an analysis is given up. Applies from 10 seconds of
    /// processor time on. With `None` no analysis is given up, whatever the streams of an item cost together. Besides
    /// free space, this is the only part of opening that depends on the machine.
    pub seconds_per_gb: Option<u64>,
    /// Folder of spools that are too long for memory.
    pub spool_folder: PathBuf,
    /// Streams, tars and zip files that are not to be opened, because they could not be rebuilt.
    pub closed: HashSet<BlobId>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            depth: Depth::Open,
            recipe_limit_per_mille: 125,
            plain_limit_bytes: 64 << 30,
            ratio_limit: 250,
            // 1 MB/s: a tenth of the slowest model on a slow core.
            seconds_per_gb: Some(1000),
            spool_folder: std::env::temp_dir(),
            closed: HashSet::new(),
        }
    }
}

impl OpenOptions {
    /// Returns whether limits other than the defaults were chosen. Streams that were kept under the default limits are
    /// then looked at again.
    pub(super) fn is_special(&self) -> bool {
        let usual = Self::default();
        self.recipe_limit_per_mille != usual.recipe_limit_per_mille
            || self.plain_limit_bytes != usual.plain_limit_bytes
            || self.ratio_limit != usual.ratio_limit
            || self.seconds_per_gb != usual.seconds_per_gb
    }
}

impl From<Depth> for OpenOptions {
    fn from(depth: Depth) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }
}
