//! The frame of an xz stream: header, blocks, index and footer (tukaani.org/xz/xz-file-format.txt, 1.2).
//!
//! Only what tells where pieces begin and end is understood. Everything between pieces goes into the recipe as it is, so
//! sizes and checks that lie do no harm.

use super::input::StreamInput;
use super::opener::{FilterChain, Opener};
use super::settings::{DICTIONARY_BYTES_MAX, DICTIONARY_BYTES_MIN, FILTERS_MAX, LzmaFilter};
use super::{RecodeError, XZ_MAGIC};

const HEADER_BYTES: usize = 12;
const FOOTER_MAGIC: [u8; 2] = *b"YZ";
const LZMA2: u64 = 0x21;
/// Bytes of a check, by its number.
const CHECK_BYTES: [usize; 16] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
/// Most zeros between two streams.
const PADDING_MAX: usize = 4096;

/// Opens all streams that follow one another. Returns where the last one ends.
pub(super) fn open(
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
) -> Result<u64, RecodeError> {
    loop {
        stream(input, opener)?;
        let end = input.taken();
        let ahead = input.peek(PADDING_MAX + XZ_MAGIC.len())?;
        let zeros = ahead.iter().take_while(|byte| **byte == 0).count();
        if !zeros.is_multiple_of(4) || zeros > PADDING_MAX || !ahead[zeros..].starts_with(&XZ_MAGIC)
        {
            return Ok(end);
        }
        opener.literal(&vec![0; zeros])?;
        input.pass(zeros);
    }
}

fn stream(input: &mut StreamInput<'_>, opener: &mut Opener<'_>) -> Result<(), RecodeError> {
    let header: [u8; HEADER_BYTES] = input.take()?;
    if !header.starts_with(&XZ_MAGIC) || header[6] != 0 || header[7] > 15 {
        return Err(RecodeError::Corrupt("header"));
    }
    opener.literal(&header)?;
    let check_bytes = CHECK_BYTES[usize::from(header[7])];
    loop {
        let [size] = input.take()?;
        if size == 0 {
            return index(input, opener);
        }
        let mut header = vec![size];
        header.extend(input.take_vec(4 * usize::from(size) + 3)?);
        let chain = chain(&header)?;
        opener.literal(&header)?;
        let packed_bytes = opener.piece(input, &chain)?;
        let padding = usize::try_from(packed_bytes.wrapping_neg() % 4).unwrap_or_default();
        let rest = input.take_vec(padding + check_bytes)?;
        opener.literal(&rest)?;
    }
}

/// Reads the filters of a block header.
fn chain(header: &[u8]) -> Result<FilterChain, RecodeError> {
    let damaged = || RecodeError::Corrupt("block header");
    let flags = *header.get(1).ok_or_else(damaged)?;
    // The last four bytes are the header's checksum.
    let mut rest = header.get(2..header.len() - 4).ok_or_else(damaged)?;
    if flags & 0x3c != 0 {
        return Err(damaged());
    }
    for bit in [0x40, 0x80] {
        if flags & bit != 0 {
            number(&mut rest).ok_or_else(damaged)?;
        }
    }
    let count = usize::from(flags & 3);
    let mut filters = Vec::with_capacity(FILTERS_MAX);
    for at in 0..=count {
        let id = number(&mut rest).ok_or_else(damaged)?;
        let len = number(&mut rest).ok_or_else(damaged)?;
        let len = usize::try_from(len).map_err(|_| damaged())?;
        let properties = rest.get(..len).ok_or_else(damaged)?;
        rest = &rest[len..];
        if at < count {
            filters.push(LzmaFilter::of_header(id, properties).ok_or(RecodeError::Unknown)?);
        } else if let (LZMA2, &[bits]) = (id, properties) {
            return Ok(FilterChain {
                filters,
                dictionary_bytes: dictionary(bits)?,
            });
        }
    }
    Err(RecodeError::Unknown)
}

/// Returns the dictionary that a block asks for, when it may.
fn dictionary(bits: u8) -> Result<u32, RecodeError> {
    if bits > 40 {
        return Err(RecodeError::Corrupt("dictionary"));
    }
    let bytes = u64::from(2 | u32::from(bits & 1)) << (bits / 2 + 11);
    let bytes = u32::try_from(bytes).map_err(|_| RecodeError::Limit)?;
    if bytes > DICTIONARY_BYTES_MAX {
        return Err(RecodeError::Limit);
    }
    Ok(bytes.max(DICTIONARY_BYTES_MIN))
}

/// Takes a number of at most nine bytes, seven bits each.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Passes over the index and the footer, as they are.
fn index(input: &mut StreamInput<'_>, opener: &mut Opener<'_>) -> Result<(), RecodeError> {
    let begin = input.taken() - 1;
    opener.literal(&[0])?;
    let records = literal_number(input, opener)?;
    for _ in 0..records {
        literal_number(input, opener)?;
        literal_number(input, opener)?;
    }
    let bytes = input.taken() - begin;
    let padding = usize::try_from(bytes.wrapping_neg() % 4).unwrap_or_default();
    let rest = input.take_vec(padding + 4 + HEADER_BYTES)?;
    if !rest.ends_with(&FOOTER_MAGIC) {
        return Err(RecodeError::Corrupt("footer"));
    }
    opener.literal(&rest)
}

fn literal_number(
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
) -> Result<u64, RecodeError> {
    let ahead = input.peek(9)?;
    let mut rest = ahead;
    let number = number(&mut rest);
    let len = ahead.len() - rest.len();
    let number = number.ok_or(match rest {
        [] => RecodeError::Truncated,
        _ => RecodeError::Corrupt("index"),
    })?;
    let bytes = input.take_vec(len)?;
    opener.literal(&bytes)?;
    Ok(number)
}
