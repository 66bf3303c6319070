//! Frames of machine code in which references are labels ([`crate::content::references`]).
//!
//! First come the tables: plain and stored bytes (u32 each) and a raw LZMA2 stream. What another codec made of the bytes
//! with labels follows.

use super::differences;
use super::lzma::{self, LzmaSearch};
use super::{
    CODEC_DIFFERENCES, CODEC_LABELED_DIFFERENCES, CODEC_LABELED_LZMA_PREFIX, CODEC_LZMA_PREFIX,
    FrameError, unpack_behind,
};
use crate::base::term::Flaw;
use crate::content::references::{Layouts, ReferenceTables, find};

/// Most plain bytes of the tables.
const TABLES_BYTES_MAX: usize = 4 << 20;

/// Packs `plain` behind `base` with labels. When a script is shorter than one part in `good_part`, LZMA is not tried.
/// Returns `None` when no references are found, or when the frame does not give `plain` back.
pub(super) fn pack(
    plain: &[u8],
    base: &[u8],
    layouts: &Layouts,
    search: LzmaSearch,
    good_part: usize,
) -> Option<(u8, Vec<u8>)> {
    let mut tables = find(base, &layouts.old, plain, &layouts.new)?;
    let mut old = base.to_vec();
    tables.label_old(&mut old);
    let mut new = plain.to_vec();
    tables.label_new(&mut new);
    let (inner, packed) = smallest(&new, &old, search, good_part);
    drop(new);
    let codec = match inner {
        CODEC_DIFFERENCES => CODEC_LABELED_DIFFERENCES,
        CODEC_LZMA_PREFIX => CODEC_LABELED_LZMA_PREFIX,
        _ => return None,
    };
    let encoded = tables.encode();
    if encoded.len() > TABLES_BYTES_MAX {
        return None;
    }
    let stored = lzma::pack(&encoded, &[], search, Vec::new());
    let mut out = Vec::with_capacity(8 + stored.len() + packed.len());
    for bytes in [encoded.len(), stored.len()] {
        out.extend_from_slice(&u32::try_from(bytes).ok()?.to_le_bytes());
    }
    out.extend_from_slice(&stored);
    out.extend_from_slice(&packed);
    // The same tables make the same labels of the bases, so these need not be made again.
    let (read, rest) = open(&out, base.len(), plain.len()).ok()?;
    if read != tables {
        return None;
    }
    let mut back = Vec::with_capacity(plain.len());
    unpack_behind(inner, rest, old, plain.len(), &mut back).ok()?;
    read.undo_new(&mut back);
    (back == plain).then_some((codec, out))
}

/// Compresses `plain` against `base` by a script. Tries LZMA with `base` as a prefix as well, unless the script is shorter
/// than one part in `good_part`. Returns the codec and the smaller result.
fn smallest(plain: &[u8], base: &[u8], search: LzmaSearch, good_part: usize) -> (u8, Vec<u8>) {
    // With labels runs are long, and half of the old places are nearly as good as all of them.
    let step = if search == LzmaSearch::Chains { 2 } else { 1 };
    let script = differences::pack(plain, base, step, search);
    match script {
        Some(script) if script.len() < plain.len() / good_part => (CODEC_DIFFERENCES, script),
        _ => {
            let packed = lzma::pack(plain, base, search, Vec::new());
            match script {
                Some(script) if script.len() <= packed.len() => (CODEC_DIFFERENCES, script),
                _ => (CODEC_LZMA_PREFIX, packed),
            }
        }
    }
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
    let bad = || FrameError::Corrupt(Flaw::NotDecompressible);
    let length = |at: usize| {
        let bytes = stored.get(at..).and_then(<[u8]>::first_chunk::<4>)?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let encoded_bytes = length(0)
        .filter(|bytes| *bytes <= TABLES_BYTES_MAX)
        .ok_or_else(bad)?;
    let (packed, rest) = length(4)
        .and_then(|bytes| stored[8..].split_at_checked(bytes))
        .ok_or_else(bad)?;
    let mut encoded = Vec::with_capacity(encoded_bytes);
    lzma::unpack(packed, &[], encoded_bytes, &mut encoded).map_err(|_| bad())?;
    if encoded.len() != encoded_bytes {
        return Err(bad());
    }
    let tables = ReferenceTables::decode(&encoded, base_bytes, plain_bytes).ok_or_else(bad)?;
    Ok((tables, rest))
}
