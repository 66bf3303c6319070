//! Frames of machine code in which references are labels ([`crate::content::references`]).
//!
//! First come the tables. What another codec made of the bytes with labels follows.

use super::lzma::LzmaSearch;
use super::smallest::{Smallest, by_lzma, smallest};
use super::tables;
use super::{
    CODEC_DIFFERENCES, CODEC_LABELED_DIFFERENCES, CODEC_LABELED_LZMA_PREFIX, CODEC_LZMA_PREFIX,
    FrameError, unpack_behind,
};
use crate::base::roomy::{roomy, roomy_copy};
use crate::base::term::Flaw;
use crate::content::references::{FoundReferences, Layouts, ReferenceTables, find};

/// Where more than one part in so many of the code was written anew, a script is not tried. In eight such frames it was
/// 8 to 27 % larger than LZMA, and took two fifths of the time (docs/decisions/012-references.md).
const REWRITTEN_PART: usize = 5;

/// Packs `plain` behind `base` with labels. When a script is shorter than one part in `good_part`, LZMA is not tried.
/// Returns `None` when no references are found, or when the frame does not give `plain` back.
pub(super) fn pack(
    plain: &[u8],
    base: &[u8],
    layouts: &Layouts,
    search: LzmaSearch,
    good_part: usize,
) -> Option<(u8, Vec<u8>)> {
    let FoundReferences {
        mut tables,
        unlike_bytes,
    } = find(base, &layouts.old, plain, &layouts.new)?;
    let old = labeled(base, &tables);
    let mut new = roomy_copy(plain);
    tables.label_new(&mut new);
    let Smallest {
        codec: inner,
        packed,
        base: old,
    } = if search == LzmaSearch::Chains && unlike_bytes > plain.len() / REWRITTEN_PART {
        by_lzma(&new, old, search)
    } else {
        smallest(&new, old, search, good_part)
    };
    drop(new);
    let codec = match inner {
        CODEC_DIFFERENCES => CODEC_LABELED_DIFFERENCES,
        CODEC_LZMA_PREFIX => CODEC_LABELED_LZMA_PREFIX,
        _ => return None,
    };
    let out = tables::put_before(&packed, &tables.encode(), search)?;
    // The same tables make the same labels of the bases, so these need not be made again unless LZMA took them.
    let (read, rest) = open(&out, base.len(), plain.len()).ok()?;
    if read != tables {
        return None;
    }
    let old = old.unwrap_or_else(|| labeled(base, &tables));
    let mut back = roomy(plain.len());
    unpack_behind(inner, rest, old, plain.len(), &mut back).ok()?;
    read.undo_new(&mut back);
    (back == plain).then_some((codec, out))
}

/// Returns the bases with their labels.
fn labeled(base: &[u8], tables: &ReferenceTables) -> Vec<u8> {
    let mut old = roomy_copy(base);
    tables.label_old(&mut old);
    old
}

/// Unpacks into `plain`. Takes up to ten bytes for each byte of the tables, besides what the other codec takes.
pub(super) fn unpack(
    codec: u8,
    stored: &[u8],
    mut base: Vec<u8>,
    plain_bytes: usize,
    plain: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let (tables, rest) = open(stored, base.len(), plain_bytes)?;
    tables.label_old(&mut base);
    let inner = if codec == CODEC_LABELED_DIFFERENCES {
        CODEC_DIFFERENCES
    } else {
        CODEC_LZMA_PREFIX
    };
    unpack_behind(inner, rest, base, plain_bytes, plain)?;
    tables.undo_new(plain);
    Ok(())
}

/// Reads the tables. Also returns what follows them.
fn open(
    stored: &[u8],
    base_bytes: usize,
    plain_bytes: usize,
) -> Result<(ReferenceTables, &[u8]), FrameError> {
    let (encoded, rest) = tables::take(stored)?;
    let tables = ReferenceTables::decode(&encoded, base_bytes, plain_bytes)
        .ok_or(FrameError::Corrupt(Flaw::NotDecompressible))?;
    Ok((tables, rest))
}
