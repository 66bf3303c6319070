//! Tables in front of what another codec stores: plain and stored bytes (u32 each), and a raw LZMA2 stream.

use super::FrameError;
use super::lzma::{self, LzmaSearch};
use crate::base::term::Flaw;

/// Most plain bytes of the tables.
const TABLES_BYTES_MAX: usize = 4 << 20;

/// Packs tables and puts them before `packed`. Returns `None` when there are too many.
pub(super) fn put_before(packed: &[u8], tables: &[u8], search: LzmaSearch) -> Option<Vec<u8>> {
    if tables.len() > TABLES_BYTES_MAX {
        return None;
    }
    let stored = lzma::pack(tables, search, Vec::new());
    let mut out = Vec::with_capacity(8 + stored.len() + packed.len());
    for bytes in [tables.len(), stored.len()] {
        out.extend_from_slice(&u32::try_from(bytes).ok()?.to_le_bytes());
    }
    out.extend_from_slice(&stored);
    out.extend_from_slice(packed);
    Some(out)
}

/// Unpacks the tables. Also returns what follows them.
pub(super) fn take(stored: &[u8]) -> Result<(Vec<u8>, &[u8]), FrameError> {
    let bad = || FrameError::Corrupt(Flaw::NotDecompressible);
    let length = |at: usize| {
        let bytes = stored.get(at..).and_then(<[u8]>::first_chunk::<4>)?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let tables_bytes = length(0)
        .filter(|bytes| *bytes <= TABLES_BYTES_MAX)
        .ok_or_else(bad)?;
    let (packed, rest) = length(4)
        .and_then(|bytes| stored[8..].split_at_checked(bytes))
        .ok_or_else(bad)?;
    let mut tables = Vec::with_capacity(tables_bytes);
    lzma::unpack(packed, &[], tables_bytes, &mut tables).map_err(|_| bad())?;
    if tables.len() == tables_bytes {
        Ok((tables, rest))
    } else {
        Err(bad())
    }
}
