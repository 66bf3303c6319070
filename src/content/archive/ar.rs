//! Headers of `ar` archives, which Debian's packages and static libraries are.
//!
//! Names are taken as far as they tell what a member is. Tables of long names are members like others.

/// The first bytes of an archive.
pub(crate) const AR_MAGIC: [u8; 8] = *b"!<arch>\n";
/// Bytes of a member's header.
pub(crate) const AR_HEADER_BYTES: usize = 60;

/// A member's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArHeader {
    /// Length of the body, without the byte that makes it even.
    pub body_bytes: u64,
}

impl ArHeader {
    /// Reads the [`AR_HEADER_BYTES`] bytes of a header. Returns `None` when they are not one.
    pub fn read(head: &[u8]) -> Option<Self> {
        let head: &[u8; AR_HEADER_BYTES] = head.first_chunk()?;
        let digits = head[48..58].trim_ascii_end();
        if head[58..] != *b"`\n" || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        // Ten digits at most.
        let body_bytes = digits
            .iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        Some(Self { body_bytes })
    }

    /// Returns the name in a header that was read.
    pub fn name(head: &[u8]) -> &[u8] {
        let name = head.get(..16).unwrap_or_default().trim_ascii_end();
        name.strip_suffix(b"/").unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headers_say_what_follows() {
        let head = b"data.tar.xz/    1700000000  0     0     100644  4311648   `\n";
        let header = ArHeader::read(head).unwrap();
        assert_eq!(header.body_bytes, 4_311_648);
        assert_eq!(ArHeader::name(head), b"data.tar.xz");
        for at in [48, 50, 58] {
            let mut bad = *head;
            bad[at] = b'x';
            assert_eq!(ArHeader::read(&bad), None);
        }
        assert_eq!(ArHeader::read(&head[..59]), None);
    }
}
