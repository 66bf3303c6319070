//! Where the parts of an rpm package begin: the lead, the signature, the header and the payload.
//!
//! Tags in the headers are not read.

/// The first bytes of a package.
pub(crate) const RPM_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
/// Bytes of the lead, which stands before the signature.
pub(crate) const LEAD_BYTES: u64 = 96;
/// Bytes at the front of a signature or header that say how long it is.
pub(crate) const INTRO_BYTES: usize = 16;

/// Returns the length of the header that begins with these bytes, or `None` when none does.
pub(crate) fn header_bytes(intro: &[u8]) -> Option<u64> {
    let intro: &[u8; INTRO_BYTES] = intro.first_chunk()?;
    if intro[..4] != [0x8e, 0xad, 0xe8, 1] {
        return None;
    }
    let word = |at: usize| {
        let four = [intro[at], intro[at + 1], intro[at + 2], intro[at + 3]];
        u64::from(u32::from_be_bytes(four))
    };
    // Entries of 16 bytes, then what they refer to.
    Some(INTRO_BYTES as u64 + 16 * word(8) + word(12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_how_long_it_is() {
        let mut intro = [0; INTRO_BYTES];
        assert_eq!(header_bytes(&intro), None);
        intro[..4].copy_from_slice(&[0x8e, 0xad, 0xe8, 1]);
        (intro[11], intro[14]) = (3, 1);
        assert_eq!(header_bytes(&intro), Some(16 + 48 + 256));
        assert_eq!(header_bytes(&intro[..15]), None);
    }
}
