//! Recognizes what a copy in text mode does to a file: line feeds that became two bytes, or two bytes that became one.
//!
//! It counts bytes at a few places. What volumes hold is compressed, so that every pair of bytes occurs about as often.

use memchr::memmem;

use crate::base::read_at::ReadAt;
use crate::volumes::block::MAGIC;
use crate::volumes::media::images::read_full;

/// Places that are looked at, and bytes of each. In so many random bytes there are some 64 pairs of each kind.
const PLACES: u64 = 8;
const PLACE_BYTES: usize = 512 * 1024;
/// Expected pairs without which nothing is said.
const EXPECTED_MIN: u64 = 12;

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMode {
    /// A carriage return was put before every line feed.
    Added,
    /// Carriage returns before line feeds were taken away.
    Removed,
}

impl TextMode {
    /// Looks at a file that has the marks of blocks and no whole block.
    pub(crate) fn of(source: &dyn ReadAt) -> Option<Self> {
        let size = source.size_bytes();
        let mut bytes = vec![0; PLACE_BYTES];
        let (mut feeds, mut returns, mut pairs, mut total) = (0_u64, 0_u64, 0_u64, 0_u64);
        let mut has_mark = false;
        for place in 0..PLACES {
            let at = size / PLACES * place;
            let most = usize::try_from(size / PLACES + 1)
                .unwrap_or(PLACE_BYTES)
                .min(PLACE_BYTES);
            let have = read_full(source, at, &mut bytes[..most]);
            let have = &bytes[..have];
            has_mark |= memmem::find(have, &MAGIC).is_some();
            total += have.len() as u64;
            for pair in have.windows(2) {
                returns += u64::from(pair[0] == b'\r');
                feeds += u64::from(pair[1] == b'\n');
                pairs += u64::from(pair == b"\r\n");
            }
        }
        if !has_mark || total == 0 {
            return None;
        }
        let expected = feeds * returns / total;
        if feeds >= 64 && pairs == feeds {
            Some(Self::Added)
        } else if pairs == 0 && expected >= EXPECTED_MIN {
            Some(Self::Removed)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 11_u64;
        let mut bytes: Vec<u8> = (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect();
        bytes[40_000..40_004].copy_from_slice(&MAGIC);
        bytes
    }

    #[test]
    fn both_ways_are_recognized_and_nothing_else_is() {
        let plain = noise(2_000_000);
        let added: Vec<u8> = plain
            .iter()
            .flat_map(|byte| {
                if *byte == b'\n' {
                    vec![b'\r', b'\n']
                } else {
                    vec![*byte]
                }
            })
            .collect();
        let mut removed = plain.clone();
        while let Some(at) = removed.windows(2).position(|pair| pair == b"\r\n") {
            removed.remove(at);
        }
        assert_eq!(TextMode::of(&added), Some(TextMode::Added));
        assert_eq!(TextMode::of(&removed), Some(TextMode::Removed));
        assert_eq!(TextMode::of(&plain), None);
        assert_eq!(TextMode::of(&b"words\r\n".repeat(50_000)), None);
        assert_eq!(TextMode::of(&vec![0; 1_000_000]), None);
        assert_eq!(TextMode::of(&Vec::new()), None);
    }
}
