//! What the caller of a scan knows beforehand, so that it need not be read.

use crate::volumes::block::BlockHeader;

/// Says what a scan may leave out. Called from several threads.
pub(crate) trait ScanGuide: Sync {
    /// Returns how many of the blocks right behind this whole one, on its volume, need not be read.
    fn known_behind(&self, header: &BlockHeader) -> u32;

    /// Hears that so many blocks behind this one were passed over. The header of the last one was seen where it
    /// should be.
    fn passed_over(&self, header: &BlockHeader, blocks: u32, source_no: usize);

    /// Returns whether all that was met is complete. Where nothing of a volume is near, a scan then only looks whether
    /// another volume lies further on.
    fn has_enough(&self) -> bool;
}

/// Leaves out nothing.
pub(crate) struct ReadsAll;

impl ScanGuide for ReadsAll {
    fn known_behind(&self, _header: &BlockHeader) -> u32 {
        0
    }

    fn passed_over(&self, _header: &BlockHeader, _blocks: u32, _source_no: usize) {}

    fn has_enough(&self) -> bool {
        false
    }
}
