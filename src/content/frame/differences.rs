//! Frames that are scripts of copies, changes and literals ([`crate::content::bindiff`]). Each stream of a script is
//! packed separately.

use std::io::BufReader;

use super::lzma::{self, LzmaSearch};
use super::{FrameError, PLAIN_MAX};
use crate::base::term::Flaw;
use crate::content::bindiff::DiffScript;

/// Header of a script: plain and stored bytes (u32 each) of each of its seven streams.
const HEADER_BYTES: usize = 7 * 8;

/// Packs the script that turns `base` into `plain`, found by every `step`th place of `base`. Returns `None` when no
/// script is found in time.
pub(super) fn pack(plain: &[u8], base: &[u8], step: usize, search: LzmaSearch) -> Option<Vec<u8>> {
    let script = DiffScript::of(base, plain, step)?;
    let streams = [
        script.copies,
        script.literal_counts,
        script.seeks,
        script.same_counts,
        script.changed_counts,
        script.changes,
        script.literals,
    ];
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let mut packed = Vec::new();
    for stream in streams {
        let stored = if stream.is_empty() {
            Vec::new()
        } else {
            lzma::pack(&stream, search, Vec::new())
        };
        for bytes in [stream.len(), stored.len()] {
            header.extend_from_slice(&u32::try_from(bytes).ok()?.to_le_bytes());
        }
        packed.push(stored);
    }
    Some([header, packed.concat()].concat())
}

/// Unpacks into `plain`. Takes as much memory as its streams claim, each up to 32 MiB.
pub(super) fn unpack(
    stored: &[u8],
    base: &[u8],
    plain_bytes: usize,
    plain: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let bad = FrameError::Corrupt(Flaw::NotDecompressible);
    let (header, mut rest) = stored.split_at_checked(HEADER_BYTES).ok_or(bad)?;
    let mut streams = Vec::new();
    for lengths in header.as_chunks::<8>().0 {
        let length = |at: usize| {
            let bytes = u32::from_le_bytes([
                lengths[at],
                lengths[at + 1],
                lengths[at + 2],
                lengths[at + 3],
            ]);
            usize::try_from(bytes)
                .ok()
                .filter(|bytes| *bytes <= PLAIN_MAX)
                .ok_or(bad)
        };
        let (stream, behind) = rest.split_at_checked(length(4)?).ok_or(bad)?;
        streams.push(BufReader::new(lzma::open(stream, &[], length(0)?)));
        rest = behind;
    }
    let mut streams = streams.into_iter();
    let mut next = || streams.next().ok_or(bad);
    let mut script = DiffScript {
        copies: next()?,
        literal_counts: next()?,
        seeks: next()?,
        same_counts: next()?,
        changed_counts: next()?,
        changes: next()?,
        literals: next()?,
    };
    script.apply(base, plain, plain_bytes).map_err(|_| bad)
}
