//! The frame of bzip2: streams that follow one another, each of which is one piece.
//!
//! One stream is what `bzip2` writes. pbzip2 writes one for each 900 kB, and `cat` joins them. Streams without a block, of
//! nothing, are not opened.

use super::RecodeError;
use super::input::StreamInput;
use super::opener::Opener;

/// Bytes that tell a stream: `BZh`, the level, and the magic of a block.
const HEADER_BYTES: usize = 10;
/// The magic of a block: the digits of pi.
const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];

/// Returns the level of a stream that begins with a block.
fn level(head: &[u8]) -> Option<u8> {
    let head = head.first_chunk::<HEADER_BYTES>()?;
    let is_stream =
        head.starts_with(b"BZh") && head[4..] == BLOCK && matches!(head[3], b'1'..=b'9');
    is_stream.then(|| head[3] - b'0')
}

pub(super) fn is_header(head: &[u8]) -> bool {
    level(head).is_some()
}

/// Opens all streams that follow one another. Returns where the last one ends.
pub(super) fn open(
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
) -> Result<u64, RecodeError> {
    let mut level_of_next = level(input.peek(HEADER_BYTES)?);
    if level_of_next.is_none() {
        return Err(RecodeError::Corrupt("header"));
    }
    while let Some(level_of_this) = level_of_next {
        opener.bzip2_piece(input, level_of_this)?;
        level_of_next = level(input.peek(HEADER_BYTES)?);
    }
    Ok(input.taken())
}
