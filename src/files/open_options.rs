//! How far what is added is opened, and what that may cost.

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
    /// Nothing: for what could not be rebuilt otherwise.
    Closed,
}

/// How contents are opened, and what opening a stream may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// How far.
    pub depth: Depth,
    /// Most bytes of a recipe, in thousandths of the stream.
    pub recipe_limit_per_mille: u64,
    /// Most plain bytes of a stream.
    pub plain_limit_bytes: u64,
    /// Most plain bytes for each byte of the stream, from 1 MiB of plain bytes on. Deflate itself reaches 1032.
    pub ratio_limit: u64,
    /// From 10 seconds of processor time on, an analysis is given up when it has taken so many for each GB (10^9) of plain
    /// bytes. `None`: never, and whatever the streams of an item cost together. The only thing in opening that depends on the machine, besides its room.
    pub seconds_per_gb: Option<u64>,
    /// Folder of spools that are too long for memory.
    pub spool_folder: PathBuf,
    /// Streams, tars and zip files that are not to be opened: they did not come back.
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
    /// Whether somebody chose other limits: what was kept under the usual ones is looked at again.
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
