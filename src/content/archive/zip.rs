//! Headers of zip files, parsed as far as the members behind them must be found: local headers, and the central
//! directory with the record at the end.
//!
//! A zip is read from front to back. Bytes that are not understood stay bytes. The directory says where a zip begins
//! behind something else, and how long members are whose local headers do not say it.

use memchr::memmem;

/// First four bytes of a local header.
pub(crate) const LOCAL_MAGIC: [u8; 4] = *b"PK\x03\x04";
/// Bytes of a local header before the name.
pub const HEADER_BYTES: usize = 30;

/// Most bytes at the end of a zip that the end of its directory is in: the comment and the record.
pub(crate) const DIRECTORY_TAIL_BYTES: u64 = (1 << 16) + 22;
/// Longer directories are not read.
pub(crate) const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
const DIRECTORY_END_MAGIC: [u8; 4] = *b"PK\x05\x06";
/// First four bytes of a directory's entry.
pub(crate) const ENTRY_MAGIC: [u8; 4] = *b"PK\x01\x02";
/// Bytes of a directory's entry before the name.
const ENTRY_BYTES: usize = 46;
/// Records at the end of a zip that are tried.
const RECORDS_MAX: usize = 8;

/// What a field of four bytes holds when its number stands in a long one.
const FAR: u64 = 0xffff_ffff;
const FAR_RECORD_BYTES: usize = 56;
const FAR_LOCATOR_BYTES: usize = 20;
/// Number of the extra field with long sizes and offsets.
const FAR_EXTRA: u16 = 1;

const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;

/// How a member is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Without compression.
    Stored,
    /// As a raw deflate stream.
    Deflate,
    /// By a method that is not known here.
    Other,
    /// Encrypted, by whatever method.
    Encrypted,
}

impl Method {
    fn of(flags: u16, method: u16) -> Self {
        match method {
            _ if flags & ENCRYPTED != 0 => Self::Encrypted,
            0 => Self::Stored,
            8 => Self::Deflate,
            _ => Self::Other,
        }
    }
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
        Some(Self::read_any(head))
    }

    /// Reads a header that stands here by the directory, whatever its magic says.
    pub fn read_any(head: &[u8; HEADER_BYTES]) -> Self {
        let flags = two(head, 6);
        let method = Method::of(flags, two(head, 8));
        let body = word(head, 18);
        // Some writers set the flag for a stored member although the header already has its sizes.
        let is_here = flags & SIZES_FOLLOW == 0 || (method == Method::Stored && body > 0);
        let is_known = is_here && body != FAR;
        Self {
            method,
            body_bytes: is_known.then_some(body),
            name_bytes: two(head, 26).into(),
            extra_bytes: two(head, 28).into(),
        }
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
    /// Searches records in the last bytes of a zip, the last one first. A comment may hold what looks like a record, so
    /// the caller tries them in order.
    pub fn find(tail: &[u8]) -> impl Iterator<Item = Self> {
        memmem::rfind_iter(tail, &DIRECTORY_END_MAGIC)
            .take(RECORDS_MAX)
            .filter_map(|at| Self::read(tail, at))
    }

    fn read(tail: &[u8], at: usize) -> Option<Self> {
        let record: &[u8; 22] = tail.get(at..)?.first_chunk()?;
        let (bytes, offset) = (word(record, 12), word(record, 16));
        let far = (bytes == FAR || offset == FAR).then(|| far_record(tail, at));
        let (bytes, offset, at) = far.flatten().unwrap_or((bytes, offset, at));
        let place = Self {
            bytes,
            to_end: bytes.checked_add((tail.len() - at) as u64)?,
            offset,
        };
        (bytes <= DIRECTORY_BYTES_MAX).then_some(place)
    }
}

/// Returns length and offset of the directory from the record of a long zip (zip64) before the usual record at `at`,
/// and its place.
fn far_record(tail: &[u8], at: usize) -> Option<(u64, u64, usize)> {
    let begin = at.checked_sub(FAR_RECORD_BYTES + FAR_LOCATOR_BYTES)?;
    let (record, locator) = tail[begin..at].split_at(FAR_RECORD_BYTES);
    let is_one = record.starts_with(b"PK\x06\x06") && locator.starts_with(b"PK\x06\x07");
    is_one.then(|| (long(record, 40), long(record, 48), begin))
}

/// An entry of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryEntry {
    /// Offset of the local header, as the directory counts.
    pub offset: u64,
    /// Length of the body.
    pub body_bytes: u64,
    /// How the member is written.
    pub method: Method,
    /// Length of the name.
    pub name_bytes: usize,
}

/// Returns the entries of a directory, up to the first bytes that are not one.
pub(crate) fn directory_entries(directory: &[u8]) -> Vec<DirectoryEntry> {
    let mut entries = Vec::new();
    let mut rest = directory;
    while let Some(entry) = rest.first_chunk::<ENTRY_BYTES>()
        && entry[..4] == ENTRY_MAGIC
    {
        let [name_bytes, extra_bytes, comment_bytes] =
            [28, 30, 32].map(|at| usize::from(two(entry, at)));
        let extra = rest
            .get(ENTRY_BYTES + name_bytes..)
            .and_then(|rest| rest.get(..extra_bytes));
        let mut far = far_fields(extra.unwrap_or_default());
        // The long fields stand in this order, and only those that do not fit into the entry.
        let _plain_bytes = far_or(word(entry, 24), &mut far);
        let body_bytes = far_or(word(entry, 20), &mut far);
        let offset = far_or(word(entry, 42), &mut far);
        if let (Some(body_bytes), Some(offset)) = (body_bytes, offset) {
            entries.push(DirectoryEntry {
                offset,
                body_bytes,
                method: Method::of(two(entry, 8), two(entry, 10)),
                name_bytes,
            });
        }
        rest = rest
            .get(ENTRY_BYTES + name_bytes + extra_bytes + comment_bytes..)
            .unwrap_or_default();
    }
    entries
}

/// Returns the long fields in the extra field of an entry.
fn far_fields(extra: &[u8]) -> &[u8] {
    let mut rest = extra;
    while rest.len() >= 4 {
        let bytes = usize::from(two(rest, 2));
        let Some(body) = rest[4..].get(..bytes) else {
            break;
        };
        if two(rest, 0) == FAR_EXTRA {
            return body;
        }
        rest = &rest[4 + bytes..];
    }
    &[]
}

fn far_or(field: u64, far: &mut &[u8]) -> Option<u64> {
    if field != FAR {
        return Some(field);
    }
    let (own, rest) = far.split_at_checked(8)?;
    *far = rest;
    Some(long(own, 0))
}

fn two(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from(two(bytes, at)) | u64::from(two(bytes, at + 2)) << 16
}

fn long(bytes: &[u8], at: usize) -> u64 {
    word(bytes, at) | word(bytes, at + 4) << 32
}

/// Returns where the next local header may begin in `window`, except at its very front.
pub(crate) fn find_header(window: &[u8]) -> Option<usize> {
    memmem::find(window.get(1..)?, &LOCAL_MAGIC).map(|at| at + 1)
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
        assert_eq!(LocalHeader::read(&head).unwrap().method, Method::Encrypted);
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
        let read = |directory: &[u8]| -> Vec<(u64, u64, Method)> {
            let entries = directory_entries(directory).into_iter();
            entries
                .map(|each| (each.offset, each.body_bytes, each.method))
                .collect()
        };
        let all = [
            (0, 9, Method::Deflate),
            (40, 8, Method::Stored),
            (90, 7, Method::Encrypted),
            (140, 6, Method::Deflate),
        ];
        assert_eq!(read(&directory), all);
        assert_eq!(read(&directory[..120]), all[..2]);
        assert!(directory_entries(b"PK").is_empty());
        let mut end = vec![0; 22];
        end[..4].copy_from_slice(&DIRECTORY_END_MAGIC);
        end[12] = u8::try_from(directory.len()).unwrap();
        end[16] = 200;
        let tail = [directory.clone(), end, vec![7; 5]].concat();
        let place = DirectoryPlace::find(&tail).next().unwrap();
        assert_eq!(place.to_end, tail.len() as u64);
        assert_eq!((place.bytes, place.offset), (directory.len() as u64, 200));
        assert_eq!(DirectoryPlace::find(&tail[..200]).next(), None);
    }

    #[test]
    fn long_numbers_of_a_directory_stand_in_its_long_fields() {
        let mut entry = [0; ENTRY_BYTES];
        entry[..4].copy_from_slice(&ENTRY_MAGIC);
        entry[20..24].fill(0xff);
        entry[24..28].fill(0xff);
        entry[42..46].fill(0xff);
        entry[30] = 4 + 2 + 4 + 24;
        let far = [1_u64 << 40, 1 << 33, 5 << 32].map(u64::to_le_bytes);
        let entry = [&entry[..], &[7, 0, 2, 0, 9, 9, 1, 0, 24, 0], &far.concat()].concat();
        let read = directory_entries(&entry);
        assert_eq!((read[0].body_bytes, read[0].offset), (1 << 33, 5 << 32));
        // A field that says it is long and is not there makes no entry.
        assert!(directory_entries(&entry[..ENTRY_BYTES]).is_empty());

        let mut record = vec![0; FAR_RECORD_BYTES];
        record[..4].copy_from_slice(b"PK\x06\x06");
        record[40] = 77;
        record[48..56].copy_from_slice(&(5_u64 << 32).to_le_bytes());
        let mut locator = vec![0; FAR_LOCATOR_BYTES];
        locator[..4].copy_from_slice(b"PK\x06\x07");
        let mut end = vec![0xff; 22];
        end[..4].copy_from_slice(&DIRECTORY_END_MAGIC);
        let tail = [record, locator, end].concat();
        let place = DirectoryPlace::find(&tail).next().unwrap();
        assert_eq!((place.bytes, place.offset), (77, 5 << 32));
        assert_eq!(place.to_end, 77 + tail.len() as u64);
    }

    #[test]
    fn the_next_header_is_found_behind_the_first_byte() {
        assert_eq!(find_header(b"PK\x03\x04PPK\x03\x04"), Some(5));
        assert_eq!(find_header(b"PK\x03\x04PK\x03"), None);
        assert_eq!(find_header(b""), None);
        assert_eq!(find_header(b"P"), None);
    }
}
