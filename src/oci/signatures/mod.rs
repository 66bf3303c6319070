//! Signatures of images: what stands beside an image, who made it, and whether it is about this image.
//!
//! cosign's older form is checked (a tag `sha256-....sig` and a payload for each signature), and Sigstore's bundles,
//! which refer to the image. A key of the site decides. Nothing is asked over a network, so certificates of Fulcio and
//! logs of transparency do not count. Memory: one blob of [`BLOB_BYTES_MAX`] at a time, and 600 bytes for a signature, of
//! which 65,536 are listed.

mod bundle;
mod der;
mod dsse;
mod judge;
mod key;
mod pattern;
mod simple;
mod verdict;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

pub use self::bundle::{BundleContent, SigstoreBundle};
pub use self::dsse::{DsseEnvelope, InTotoStatement};
pub use self::judge::SignatureJudge;
pub use self::key::{ImageKey, ImageKeyError};
pub use self::pattern::{ImagePattern, ImagePatternError};
pub use self::simple::SimplePayload;
pub use self::verdict::{
    ImageSignature, ImageStanding, ImageVerdict, SignatureFormat, SignatureState, UnsignedImage,
};

/// Most bytes of a payload, an envelope or a bundle that are read.
pub const BLOB_BYTES_MAX: u64 = 16 << 20;
/// Most signatures and statements of one manifest that are read.
pub const SIGNATURES_MAX: usize = 256;

/// A key that a site trusts for images.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustedImageKey {
    /// The name that the site gave it.
    pub name: String,
    /// The key.
    pub key: ImageKey,
    /// The images that it is trusted for. Empty stands for all.
    pub patterns: Vec<ImagePattern>,
}

impl TrustedImageKey {
    /// Trusts a key for all images, under this name.
    pub fn new(name: String, key: ImageKey) -> Self {
        Self {
            name,
            key,
            patterns: Vec::new(),
        }
    }

    /// Returns whether it is trusted for an image of this name.
    pub fn is_for(&self, name: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.fits(name))
    }
}

/// Decodes base64 in either alphabet, as the specification of DSSE wants it.
fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .ok()
}

#[cfg(test)]
mod tests;
