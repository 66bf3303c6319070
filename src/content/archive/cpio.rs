//! Headers of `cpio` archives in the new ASCII format (newc, with or without checksums), which initial RAM disks and
//! the payloads of rpm packages are.
//!
//! Older formats are not read.

/// Bytes of a header before the name.
pub(crate) const CPIO_HEADER_BYTES: usize = 110;
/// Longer names are not read.
const NAME_BYTES_MAX: u64 = 4096 + 1;
/// Name of the last member.
const TRAILER: &[u8] = b"TRAILER!!!\0";

/// A member's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CpioHeader {
    /// Length of the name with its NUL.
    pub name_bytes: usize,
    /// Length of the body.
    pub body_bytes: u64,
}

impl CpioHeader {
    /// Reads the [`CPIO_HEADER_BYTES`] bytes of a header. Returns `None` when they are not one.
    pub fn read(head: &[u8]) -> Option<Self> {
        let head: &[u8; CPIO_HEADER_BYTES] = head.first_chunk()?;
        if !head.starts_with(b"070701") && !head.starts_with(b"070702") {
            return None;
        }
        let fields = &head[6..];
        if !fields.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let field = |number: usize| {
            let digits = std::str::from_utf8(&fields[8 * number..][..8]).ok()?;
            u64::from_str_radix(digits, 16).ok()
        };
        let name_bytes = field(11).filter(|bytes| (1..=NAME_BYTES_MAX).contains(bytes))?;
        Some(Self {
            name_bytes: usize::try_from(name_bytes).ok()?,
            body_bytes: field(6)?,
        })
    }

    /// Returns the length of the header with its name and padding.
    pub fn bytes(&self) -> usize {
        (CPIO_HEADER_BYTES + self.name_bytes).next_multiple_of(4)
    }

    /// Returns the name in a header of [`CpioHeader::bytes`] bytes.
    pub fn name(head: &[u8]) -> &[u8] {
        let name = head.get(CPIO_HEADER_BYTES..).unwrap_or_default();
        let end = name.iter().position(|byte| *byte == 0);
        &name[..end.unwrap_or(name.len())]
    }

    /// Returns whether the header of [`CpioHeader::bytes`] bytes ends the archive.
    pub fn is_last(head: &[u8]) -> bool {
        head.get(CPIO_HEADER_BYTES..)
            .is_some_and(|name| name.starts_with(TRAILER))
    }
}

/// Returns the length of the padding behind a body.
pub(crate) fn padding(body_bytes: u64) -> u64 {
    body_bytes.wrapping_neg() % 4
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headers_say_what_follows() {
        let numbers = |size: u32, name: u32| {
            let fields = [1, 0o100_644, 0, 0, 1, 0, size, 0, 0, 0, 0, name, 0];
            let fields = fields.map(|field: u32| format!("{field:08X}"));
            format!("070701{}", fields.concat()).into_bytes()
        };
        let head = [numbers(77, 5), b"init\0\0".to_vec()].concat();
        let header = CpioHeader::read(&head).unwrap();
        assert_eq!((header.body_bytes, header.bytes()), (77, 116));
        assert_eq!(CpioHeader::name(&head), b"init");
        assert!(!CpioHeader::is_last(&head));
        assert!(CpioHeader::is_last(
            &[numbers(0, 11), TRAILER.to_vec()].concat()
        ));
        assert_eq!(CpioHeader::read(&numbers(1, 0)), None);
        assert_eq!(CpioHeader::read(&numbers(1, 5000)), None);
        assert_eq!(CpioHeader::read(&head[..109]), None);
        let mut bad = head;
        bad[60] = b'-';
        assert_eq!(CpioHeader::read(&bad), None);
        assert_eq!([0, 1, 2, 3, 4].map(padding), [0, 3, 2, 1, 0]);
    }
}
