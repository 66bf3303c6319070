//! Finds the ends of zstd frames (RFC 8878). It does not unpack them.

use std::io;

use crate::base::read_at::ReadAt;

/// Returns whether these bytes begin a frame, skippable ones included.
pub(crate) fn begins_frame(head: &[u8]) -> bool {
    head.first_chunk::<4>()
        .is_some_and(|magic| is_frame(*magic) || is_skippable(*magic))
}

fn is_frame(magic: [u8; 4]) -> bool {
    magic == [0x28, 0xb5, 0x2f, 0xfd]
}

fn is_skippable(magic: [u8; 4]) -> bool {
    magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18]
}

/// Returns the length of the frame that begins at `offset` when it ends at or before `end`. Returns `None` when it does
/// not, or when there is no frame.
///
/// # Errors
/// An error of reading.
pub fn frame_bytes<R: ReadAt + ?Sized>(
    source: &R,
    offset: u64,
    end: u64,
) -> io::Result<Option<u64>> {
    let mut head = [0; 8];
    let len = read(source, offset, &mut head)?;
    let Some(magic) = head[..len].first_chunk::<4>() else {
        return Ok(None);
    };
    let length = if is_skippable(*magic) && len == 8 {
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        Some(8 + u64::from(size))
    } else if is_frame(*magic) && len > 4 {
        blocks_end(source, offset, end, head[4])?
    } else {
        None
    };
    Ok(length.filter(|length| *length <= end.saturating_sub(offset)))
}

/// Returns the length of a frame with this descriptor.
fn blocks_end<R: ReadAt + ?Sized>(
    source: &R,
    offset: u64,
    end: u64,
    descriptor: u8,
) -> io::Result<Option<u64>> {
    let single = descriptor >> 5 & 1;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = match descriptor >> 6 {
        0 => u64::from(single),
        bits => 1 << bits,
    };
    let mut at = 5 + u64::from(1 - single) + dictionary + size;
    loop {
        let mut block = [0; 4];
        if offset + at >= end || read(source, offset + at, &mut block[..3])? < 3 {
            return Ok(None);
        }
        let header = u32::from_le_bytes(block);
        at += 3 + match header >> 1 & 3 {
            // One byte, repeated.
            1 => 1,
            3 => return Ok(None),
            _ => u64::from(header >> 3),
        };
        if header & 1 != 0 {
            let checksum = if descriptor & 4 != 0 { 4 } else { 0 };
            return Ok(Some(at + checksum));
        }
    }
}

fn read<R: ReadAt + ?Sized>(source: &R, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match source.read_at(offset + filled as u64, &mut out[filled..]) {
            Ok(0) => break,
            Ok(len) => filled += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_of_all_sorts_end_where_they_end() {
        let plain: Vec<u8> = (0..700_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        for len in [0, 1, 300, 70_000, plain.len()] {
            for level in [1, 19] {
                let frame = zstd::bulk::compress(&plain[..len], level).unwrap();
                let mut bytes = frame.clone();
                bytes.extend_from_slice(b"tail");
                let end = bytes.len() as u64;
                assert!(begins_frame(&bytes));
                let found = frame_bytes(&bytes[..], 0, end).unwrap();
                assert_eq!(found, Some(frame.len() as u64), "{len}");
                let cut = frame_bytes(&bytes[..], 0, frame.len() as u64 - 1).unwrap();
                assert_eq!(cut, None);
            }
        }
        let skippable = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3, 4];
        assert_eq!(frame_bytes(&skippable[..], 0, 12).unwrap(), Some(11));
        assert_eq!(frame_bytes(&skippable[..], 0, 10).unwrap(), None);
        assert!(begins_frame(&skippable) && !begins_frame(b"\x28\xb5"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), end in 0_u64..300) {
            let bytes = [&[0x28, 0xb5, 0x2f, 0xfd][..], &tail].concat();
            let found = frame_bytes(&bytes[..], 0, end).unwrap();
            prop_assert!(found.is_none_or(|length| length <= end));
        }
    }
}
