//! The smaller of a script and LZMA behind old bytes.

use super::differences;
use super::lzma::{self, LzmaSearch};
use super::{CODEC_DIFFERENCES, CODEC_LZMA_PREFIX};
use crate::base::roomy::roomy;

/// What a script or LZMA made.
pub(super) struct Smallest {
    /// [`CODEC_DIFFERENCES`] or [`CODEC_LZMA_PREFIX`].
    pub(super) codec: u8,
    pub(super) packed: Vec<u8>,
    /// What it was packed behind, unless LZMA took it.
    pub(super) base: Option<Vec<u8>>,
}

/// Compresses `plain` against `base`, whose references or names are those of `plain`, by a script. Tries LZMA with `base`
/// as a prefix as well, unless the script is shorter than one part in `good_part`.
pub(super) fn smallest(
    plain: &[u8],
    base: Vec<u8>,
    search: LzmaSearch,
    good_part: usize,
) -> Smallest {
    // Runs are long then, and half of the old places are nearly as good as all of them.
    let step = if search == LzmaSearch::Chains { 2 } else { 1 };
    let mut script = differences::pack(plain, &base, step, search);
    if let Some(packed) = script.take_if(|script| script.len() < plain.len() / good_part) {
        return Smallest {
            codec: CODEC_DIFFERENCES,
            packed,
            base: Some(base),
        };
    }
    let by_lzma = by_lzma(plain, base, search);
    match script {
        Some(script) if script.len() <= by_lzma.packed.len() => Smallest {
            codec: CODEC_DIFFERENCES,
            packed: script,
            base: None,
        },
        _ => by_lzma,
    }
}

/// Compresses `plain` by LZMA with `base` as a prefix.
pub(super) fn by_lzma(plain: &[u8], base: Vec<u8>, search: LzmaSearch) -> Smallest {
    Smallest {
        codec: CODEC_LZMA_PREFIX,
        packed: lzma::pack_behind(plain, base, search, roomy(plain.len())),
        base: None,
    }
}
