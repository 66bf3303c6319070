//! The source of blobs that are pushed or served.

use std::io::Write;
use std::ops::Range;

use crate::base::backend::BackendError;
use crate::base::monitor::Monitor;
use crate::oci::image::Digest;

/// Provides blobs by digest, to several threads.
pub trait BlobSource: Sync {
    /// Returns the length of a blob, or `None` when there is none.
    fn bytes(&self, digest: &Digest) -> Option<u64>;

    /// Returns whether a blob has to be rebuilt, and is worth caching afterwards.
    fn is_made(&self, digest: &Digest) -> bool {
        let _ = digest;
        false
    }

    /// Writes a part of a blob. The bytes are not trusted, and the caller compares their hash with the digest.
    ///
    /// # Errors
    /// An error when the blob cannot be read, or `out` takes no more.
    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BackendError>;
}
