//! The frame of a .lzma stream: a header of 13 bytes before one LZMA piece with an end marker.
//!
//! The format has no magic. So only what `xz --format=lzma` writes counts as one: no length, and a dictionary of a
//! power of two, or of one and a half.

use super::RecodeError;
use super::input::StreamInput;
use super::opener::{FilterChain, Opener};
use super::settings::{DICTIONARY_BYTES_MAX, DICTIONARY_BYTES_MIN, are_properties};

pub(super) const HEADER_BYTES: usize = 13;

pub(super) fn is_header(head: &[u8]) -> bool {
    let Some([properties, d0, d1, d2, d3, size @ ..]) = head.first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let dictionary = u32::from_le_bytes([*d0, *d1, *d2, *d3]);
    let ones = dictionary.count_ones();
    let is_usual = ones == 1 || ones == 2 && dictionary & (dictionary >> 1) != 0;
    are_properties(*properties)
        && is_usual
        && dictionary >= DICTIONARY_BYTES_MIN
        && *size == [0xff; 8]
}

/// Opens the stream. Returns where it ends.
pub(super) fn open(
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
) -> Result<u64, RecodeError> {
    let header: [u8; HEADER_BYTES] = input.take()?;
    if !is_header(&header) {
        return Err(RecodeError::Corrupt("header"));
    }
    let [properties, d0, d1, d2, d3, ..] = header;
    let dictionary_bytes = u32::from_le_bytes([d0, d1, d2, d3]);
    if dictionary_bytes > DICTIONARY_BYTES_MAX {
        return Err(RecodeError::Limit);
    }
    opener.literal(&header)?;
    let chain = FilterChain {
        filters: Vec::new(),
        dictionary_bytes,
    };
    opener.lone_piece(input, &chain, properties)?;
    Ok(input.taken())
}
