//! Local headers of zip files, parsed as far as the members behind them must be found.
//!
//! A zip is read from front to back, without its central directory. Bytes that are not understood stay bytes. The
//! directory only says beforehand where members may be.

/// First four bytes of a local header.
pub(crate) const LOCAL_MAGIC: [u8; 4] = *b"PK\x03\x04";
/// Bytes of a local header before the name.
pub const HEADER_BYTES: usize = 30;

/// Most bytes at the end of a zip that the end of its directory is in: the comment and the record.
pub(crate) const DIRECTORY_TAIL_BYTES: u64 = (1 << 16) + 22;
/// Longer directories are not read.
pub(crate) const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
const DIRECTORY_END_MAGIC: [u8; 4] = *b"PK\x05\x06";
const ENTRY_MAGIC: [u8; 4] = *b"PK\x01\x02";
/// Bytes of a directory's entry before the name.
const ENTRY_BYTES: usize = 46;

const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;

/// How a member is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Without compression.
    Stored,
    /// As a raw deflate stream.
    Deflate,
    /// By a method that is not known here, or encrypted.
    Other,
}

/// A local header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalHeader {
    /// How the member is written.
    pub method: Method,
    /// Length of the body. `None` when it stands behind the body or in an extra field.
    pub body_bytes: Option<u64>,
    /// Length of the name, which follows [`HEADER_BYTES`] bytes.
    pub name_bytes: usize,
    /// Length of the extra field behind the name.
    pub extra_bytes: usize,
}

impl LocalHeader {
    /// Reads the first [`HEADER_BYTES`] bytes of a header. Returns `None` when they are not one.
    pub fn read(head: &[u8]) -> Option<Self> {
        let head: &[u8; HEADER_BYTES] = head.first_chunk()?;
        if head[..4] != LOCAL_MAGIC {
            return None;
        }
        let two = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let flags = two(6);
        let method = match two(8) {
            _ if flags & ENCRYPTED != 0 => Method::Other,
            0 => Method::Stored,
            8 => Method::Deflate,
            _ => Method::Other,
        };
        let body = u32::from_le_bytes([head[18], head[19], head[20], head[21]]);
        // Some writers set the flag for a stored member although the header already has its sizes.
        let is_here = flags & SIZES_FOLLOW == 0 || (method == Method::Stored && body > 0);
        let is_known = is_here && body != u32::MAX;
        Some(Self {
            method,
            body_bytes: is_known.then_some(u64::from(body)),
            name_bytes: two(26).into(),
            extra_bytes: two(28).into(),
        })
    }

    /// Returns the length of the whole header.
    pub fn bytes(&self) -> usize {
        HEADER_BYTES + self.name_bytes + self.extra_bytes
    }
}

/// Where the directory lies, by its record at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryPlace {
    /// Its length.
    pub bytes: u64,
    /// Bytes from its beginning to the end of the zip.
    pub to_end: u64,
    /// Its offset in the zip, as the record says.
    pub offset: u64,
}

impl DirectoryPlace {
    /// Searches the record in the last bytes of a zip.
    pub fn find(tail: &[u8]) -> Option<Self> {
        let at = tail
            .windows(4)
            .rposition(|four| four == DIRECTORY_END_MAGIC)?;
        let record: &[u8; 22] = tail.get(at..)?.first_chunk()?;
        let word = |at: usize| {
            let four = [record[at], record[at + 1], record[at + 2], record[at + 3]];
            u64::from(u32::from_le_bytes(four))
        };
        let bytes = word(12);
        let place = Self {
            bytes,
            to_end: bytes + (tail.len() - at) as u64,
            offset: word(16),
        };
        (bytes <= DIRECTORY_BYTES_MAX).then_some(place)
    }
}

/// Returns the offsets of the local headers of deflated members that a directory lists, and the lengths of their
/// bodies.
pub(crate) fn deflated_members(directory: &[u8]) -> Vec<(u64, u64)> {
    let mut members = Vec::new();
    let mut rest = directory;
    while let Some(entry) = rest.first_chunk::<ENTRY_BYTES>()
        && entry[..4] == ENTRY_MAGIC
    {
        let two = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
        let word = |at: usize| u32::from(two(at)) | u32::from(two(at + 2)) << 16;
        if two(10) == 8 && two(8) & ENCRYPTED == 0 {
            members.push((u64::from(word(42)), u64::from(word(20))));
        }
        let names: usize = [28, 30, 32].map(|at| usize::from(two(at))).iter().sum();
        rest = rest.get(ENTRY_BYTES + names..).unwrap_or_default();
    }
    members
}

/// Returns where the next local header may begin in `window`, except at its very front.
pub(crate) fn find_header(window: &[u8]) -> Option<usize> {
    let mut from = 1;
    while let Some(at) = window.get(from..)?.iter().position(|byte| *byte == b'P') {
        if window[from + at..].starts_with(&LOCAL_MAGIC) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headers_say_what_follows_as_far_as_they_know() {
        let mut head = vec![0; HEADER_BYTES];
        assert_eq!(LocalHeader::read(&head), None);
        head[..4].copy_from_slice(&LOCAL_MAGIC);
        head[8] = 8;
        head[18] = 77;
        head[26] = 3;
        head[28] = 5;
        let header = LocalHeader::read(&head).unwrap();
        assert_eq!(header.method, Method::Deflate);
        assert_eq!((header.body_bytes, header.bytes()), (Some(77), 38));
        head[6] = 8;
        assert_eq!(LocalHeader::read(&head).unwrap().body_bytes, None);
        head[8] = 0;
        assert_eq!(LocalHeader::read(&head).unwrap().body_bytes, Some(77));
        head[18] = 0;
        assert_eq!(LocalHeader::read(&head).unwrap().body_bytes, None);
        head[6] = 1;
        assert_eq!(LocalHeader::read(&head).unwrap().method, Method::Other);
        head[18..22].fill(0xff);
        assert_eq!(LocalHeader::read(&head).unwrap().body_bytes, None);
        assert_eq!(LocalHeader::read(&head[..29]), None);
    }

    #[test]
    fn a_directory_lists_deflated_members() {
        let entry = |method: u8, flags: u8, bytes: u8, offset: u8| {
            let mut entry = vec![0; ENTRY_BYTES + 3];
            entry[..4].copy_from_slice(&ENTRY_MAGIC);
            (entry[8], entry[10], entry[20]) = (flags, method, bytes);
            (entry[28], entry[30], entry[42]) = (2, 1, offset);
            entry
        };
        let entries = [
            entry(8, 0, 9, 0),
            entry(0, 0, 8, 40),
            entry(8, 1, 7, 90),
            entry(8, 8, 6, 140),
        ];
        let directory = entries.concat();
        assert_eq!(deflated_members(&directory), [(0, 9), (140, 6)]);
        assert_eq!(deflated_members(&directory[..120]), [(0, 9)]);
        assert!(deflated_members(b"PK").is_empty());
        let mut end = vec![0; 22];
        end[..4].copy_from_slice(&DIRECTORY_END_MAGIC);
        end[12] = u8::try_from(directory.len()).unwrap();
        end[16] = 200;
        let tail = [directory.clone(), end, vec![7; 5]].concat();
        let place = DirectoryPlace::find(&tail).unwrap();
        assert_eq!(place.to_end, tail.len() as u64);
        assert_eq!((place.bytes, place.offset), (directory.len() as u64, 200));
        assert_eq!(DirectoryPlace::find(&tail[..200]), None);
    }

    #[test]
    fn the_next_header_is_found_behind_the_first_byte() {
        assert_eq!(find_header(b"PK\x03\x04PPK\x03\x04"), Some(5));
        assert_eq!(find_header(b"PK\x03\x04PK\x03"), None);
        assert_eq!(find_header(b""), None);
        assert_eq!(find_header(b"P"), None);
    }
}
