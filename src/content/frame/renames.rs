//! Frames of minified JavaScript whose bases get the names of the new version ([`crate::content::renames`]).
//!
//! First comes the list of renames. What another codec made behind the renamed bases follows.

use super::lzma::LzmaSearch;
use super::smallest::{Smallest, smallest};
use super::tables;
use super::{
    BASE_BYTES_MAX, CODEC_DIFFERENCES, CODEC_LZMA_PREFIX, CODEC_RENAMED_DIFFERENCES,
    CODEC_RENAMED_LZMA_PREFIX, FrameError, unpack_behind,
};
use crate::base::roomy::roomy;
use crate::base::term::Flaw;
use crate::content::renames::{Renames, find};

/// Packs `plain` behind `base` with the names of `plain`. When a script is shorter than one part in `good_part`, LZMA is
/// not tried. Returns `None` when there is nothing to rename, or when the frame does not give `plain` back.
pub(super) fn pack(
    plain: &[u8],
    base: &[u8],
    search: LzmaSearch,
    good_part: usize,
) -> Option<(u8, Vec<u8>)> {
    let renames = find(base, plain)?;
    let old = renames.apply(base, BASE_BYTES_MAX, roomy(base.len()))?;
    let Smallest {
        codec: inner,
        packed,
        ..
    } = smallest(plain, old, search, good_part);
    let codec = match inner {
        CODEC_DIFFERENCES => CODEC_RENAMED_DIFFERENCES,
        CODEC_LZMA_PREFIX => CODEC_RENAMED_LZMA_PREFIX,
        _ => return None,
    };
    let out = tables::put_before(&packed, &renames.encode(), search)?;
    drop(packed);
    let (old, rest) = open(&out, base).ok()?;
    let mut back = roomy(plain.len());
    unpack_behind(inner, rest, old, plain.len(), &mut back).ok()?;
    (back == plain).then_some((codec, out))
}

/// Unpacks into `plain`. Takes up to [`BASE_BYTES_MAX`] for the renamed bases and twelve bytes for each byte of the list,
/// besides what the other codec takes.
pub(super) fn unpack(
    codec: u8,
    stored: &[u8],
    base: Vec<u8>,
    plain_bytes: usize,
    plain: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let (renamed, rest) = open(stored, &base)?;
    drop(base);
    let inner = if codec == CODEC_RENAMED_DIFFERENCES {
        CODEC_DIFFERENCES
    } else {
        CODEC_LZMA_PREFIX
    };
    unpack_behind(inner, rest, renamed, plain_bytes, plain)
}

/// Reads the list and renames the bases. Also returns what follows the list.
fn open<'a>(stored: &'a [u8], base: &[u8]) -> Result<(Vec<u8>, &'a [u8]), FrameError> {
    let bad = FrameError::Corrupt(Flaw::NotDecompressible);
    let (encoded, rest) = tables::take(stored)?;
    let renames = Renames::decode(&encoded).ok_or(bad)?;
    let renamed = renames
        .apply(base, BASE_BYTES_MAX, roomy(base.len()))
        .ok_or(bad)?;
    Ok((renamed, rest))
}
