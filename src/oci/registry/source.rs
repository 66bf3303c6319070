//! Where blobs that are pushed or served come from.

use std::io::Write;
use std::ops::Range;

use crate::base::monitor::Monitor;
use crate::content::recipe::BoxError;
use crate::oci::image::Digest;

/// Gives blobs by digest, from several threads.
pub trait BlobSource: Sync {
    /// The length of a blob; `None` when there is none.
    fn bytes(&self, digest: &Digest) -> Option<u64>;

    /// Whether a blob has to be put together, and is worth being kept when that was done once.
    fn is_made(&self, digest: &Digest) -> bool {
        let _ = digest;
        false
    }

    /// Writes a part of a blob. The bytes are not trusted: whoever asks compares their hash with the digest.
    ///
    /// # Errors
    /// When the blob cannot be read, or `out` takes no more.
    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError>;
}
