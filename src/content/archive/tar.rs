//! Headers of tars, parsed as far as their bodies must be found: ustar, GNU, pax and old ones.
//!
//! The parser says how many bytes of body follow a header, and of which kind. It builds no file tree. It never guesses:
//! bytes that it does not understand stay bytes.

pub(crate) use crate::base::limits::PAX_BYTES_MAX;

/// Bytes of a tar's block. A header has one block, and bodies are padded to whole blocks.
pub const BLOCK: usize = 512;

/// The relevant fields of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TarHeader {
    /// What follows the header.
    pub kind: TarKind,
    /// Bytes of body that the header's own size field gives.
    pub size: u64,
}

/// What follows a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TarKind {
    /// A member whose body has the size of the header's field.
    File,
    /// A member without a body: links, devices, folders, pipes.
    Bodiless,
    /// A pax header for the next member.
    Pax,
    /// A GNU long name or link for the next member, or a global pax header.
    Note,
    /// A GNU sparse file. Blocks of its map may come first.
    Sparse,
}

/// Kinds of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TarLink {
    /// Another name of an earlier member. The target is relative to the beginning of the archive.
    Hard,
    /// A symbolic link. The target is relative to the folder that the link is in.
    Symbolic,
}

/// Offset in the header of the flag that another block of the sparse map follows.
pub(crate) const SPARSE_MORE_IN_HEADER: usize = 482;
/// Offset of the same flag in a block of the sparse map.
pub(crate) const SPARSE_MORE_IN_MAP: usize = 504;

impl TarHeader {
    /// Reads a header. Returns `None` when the block is not one: its checksum is wrong, or its size is impossible.
    pub fn read(block: &[u8]) -> Option<Self> {
        let block: &[u8; BLOCK] = block.first_chunk()?;
        if !checksum_fits(block) {
            return None;
        }
        let kind = match block[156] {
            b'1'..=b'6' => TarKind::Bodiless,
            b'x' | b'X' => TarKind::Pax,
            b'L' | b'K' | b'g' => TarKind::Note,
            b'S' => TarKind::Sparse,
            _ => TarKind::File,
        };
        let size = number(&block[124..136])?;
        let size = if kind == TarKind::Bodiless { 0 } else { size };
        Some(Self { kind, size })
    }

    /// Returns the name field of a header block, without the prefix.
    pub fn name(block: &[u8]) -> &[u8] {
        until_nul(&block[..block.len().min(100)])
    }

    /// Returns the path of a header block: the prefix field of POSIX headers, then the name field.
    pub fn path(block: &[u8]) -> Vec<u8> {
        let name = Self::name(block);
        let is_posix = block.get(257..263) == Some(b"ustar\0");
        let prefix = until_nul(block.get(345..500).unwrap_or_default());
        if is_posix && !prefix.is_empty() {
            [prefix, name].join(&b'/')
        } else {
            name.to_vec()
        }
    }

    /// Returns the target of a link, and whether the link is hard or symbolic. Returns `None` when the header is not of
    /// a link.
    pub fn link(block: &[u8]) -> Option<(TarLink, &[u8])> {
        let link = match block.get(156) {
            Some(b'1') => TarLink::Hard,
            Some(b'2') => TarLink::Symbolic,
            _ => return None,
        };
        Some((link, until_nul(block.get(157..257)?)))
    }

    /// Returns whether a header of [`TarKind::Note`] gives the name of the next member, as GNU tar writes long ones.
    pub(crate) fn is_long_name(block: &[u8]) -> bool {
        block.get(156) == Some(&b'L')
    }
}

/// Bytes of a header's name field.
const NAME_BYTES: usize = 100;

/// Builds the header of a file of `bytes` bytes, with mode 0644, no owner and no time. The same file gives the same
/// bytes. The header is one block. A pax header with the path precedes it when the path is longer than the name field.
pub fn file_header(path: &str, bytes: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(BLOCK);
    if path.len() > NAME_BYTES {
        let record = path_record(path);
        out.extend(header_block(b"pax", record.len() as u64, b'x'));
        out.extend(record.as_bytes());
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    let name = &path.as_bytes()[..path.len().min(NAME_BYTES)];
    out.extend(header_block(name, bytes, b'0'));
    out
}

/// Returns `LENGTH path=PATH\n`, where the length counts all of it, itself included.
fn path_record(path: &str) -> String {
    let rest = format!(" path={path}\n");
    let mut length = rest.len();
    loop {
        let record = format!("{length}{rest}");
        if record.len() <= length {
            return record;
        }
        length = record.len();
    }
}

fn header_block(name: &[u8], bytes: u64, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    if bytes < 1 << 33 {
        block[124..136].copy_from_slice(format!("{bytes:011o}\0").as_bytes());
    } else {
        // GNU tar and Go write sizes in base 256 when eleven octal digits are too few.
        block[124] = 0x80;
        block[128..136].copy_from_slice(&bytes.to_be_bytes());
    }
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// Returns a field up to its end or its first NUL.
pub(crate) fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Returns whether the bytes look like the beginning of a tar.
pub(crate) fn begins_tar(head: &[u8]) -> bool {
    // Requiring a name excludes files whose checksum only happens to be right, such as files of zeros.
    TarHeader::read(head).is_some() && !TarHeader::name(head).is_empty()
}

/// Returns the bytes that pad a body of `size` bytes to whole blocks.
pub fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let Some(stated) = octal(&block[148..156]) else {
        return false;
    };
    let outside = block[..148].iter().chain(&block[156..]);
    let (mut unsigned, mut signed) = (8 * i64::from(b' '), 8 * i64::from(b' '));
    for byte in outside {
        unsigned += i64::from(*byte);
        signed += i64::from(byte.cast_signed());
    }
    i64::try_from(stated).is_ok_and(|stated| stated == unsigned || stated == signed)
}

/// Reads octal digits between spaces, ended by a space or NUL. At least one digit is required.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| !(b'0'..=b'7').contains(byte));
    let (digits, rest) = digits.split_at(end.unwrap_or(digits.len()));
    if digits.is_empty() || !rest.iter().all(|byte| *byte == b' ' || *byte == 0) {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| {
        sum.checked_mul(8)?.checked_add(u64::from(digit - b'0'))
    })
}

/// Reads a size: octal, base 256 behind a first byte of 0x80, or an empty field for 0.
fn number(field: &[u8]) -> Option<u64> {
    match field.split_first()? {
        (0x80, rest) => rest.iter().try_fold(0_u64, |sum, byte| {
            sum.checked_mul(256)?.checked_add(u64::from(*byte))
        }),
        _ if field.iter().all(|byte| *byte == 0 || *byte == b' ') => Some(0),
        _ => octal(field),
    }
}

/// The fields of a pax header for the next member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pax {
    /// Bytes of the body. Overrides the header's own field.
    pub size: Option<u64>,
    /// Name of the member.
    pub path: Option<Vec<u8>>,
    /// Target of a link.
    pub link: Option<Vec<u8>>,
}

impl Pax {
    /// Reads records `LEN KEY=VALUE\n` and stops at the first invalid one.
    pub fn read(mut body: &[u8]) -> Self {
        let mut pax = Self::default();
        while let Some((key, value, rest)) = pax_record(body) {
            match key {
                b"size" => pax.size = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok()),
                b"path" => pax.path = Some(value.to_vec()),
                b"linkpath" => pax.link = Some(value.to_vec()),
                _ => {}
            }
            body = rest;
        }
        pax
    }
}

fn pax_record(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = body.iter().take(20).position(|byte| *byte == b' ')?;
    let len: usize = std::str::from_utf8(&body[..space]).ok()?.parse().ok()?;
    let record = body.get(space + 1..len)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &body[len..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn header(kind: u8, size: &[u8]) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[..4].copy_from_slice(b"name");
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = kind;
        seal(&mut block);
        block
    }

    fn seal(block: &mut [u8; BLOCK]) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    #[test]
    fn sizes_of_all_ages_are_read() {
        let read = |kind, size: &[u8]| TarHeader::read(&header(kind, size)).unwrap();
        assert_eq!(read(b'0', b"00000000777\0").size, 0o777);
        assert_eq!(read(0, b"        777 ").size, 0o777);
        assert_eq!(read(b'0', b"\x80\0\0\0\0\0\0\x02\0\0\0\0").size, 2 << 32);
        assert_eq!(
            read(b'5', b"00000000777\0"),
            TarHeader {
                kind: TarKind::Bodiless,
                size: 0
            }
        );
        assert_eq!(read(b'0', b"").size, 0);
        assert_eq!(
            TarHeader::read(&header(
                b'0',
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
            )),
            None
        );
        assert_eq!(
            TarHeader::read(&header(
                b'0',
                b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
            )),
            None
        );
        assert_eq!(TarHeader::read(&header(b'0', b"nonsense")), None);
    }

    #[test]
    fn a_wrong_checksum_is_no_header_and_a_signed_one_is() {
        let mut block = header(b'0', b"1\0");
        block[0] ^= 1;
        assert_eq!(TarHeader::read(&block), None);
        block[0] = 0xe4;
        block[148..156].fill(b' ');
        let sum: i32 = block.iter().map(|byte| i32::from(byte.cast_signed())).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(TarHeader::read(&block).unwrap().size, 1);
        assert!(!begins_tar(&[0; BLOCK]));
        assert!(!begins_tar(b"short"));
    }

    #[test]
    fn headers_that_are_written_are_read() {
        for bytes in [0, 5, (1 << 33) - 1, 1 << 33, 1 << 50] {
            let block = file_header("blobs/sha256/ab", bytes);
            let header = TarHeader::read(&block).unwrap();
            assert_eq!((header.kind, header.size), (TarKind::File, bytes));
            assert_eq!(TarHeader::path(&block), b"blobs/sha256/ab");
        }
    }

    #[test]
    fn paths_have_the_prefix_of_posix_headers_alone() {
        let mut block = header(b'0', b"1\0");
        block[345..349].copy_from_slice(b"some");
        assert_eq!(TarHeader::path(&block), b"name");
        block[257..263].copy_from_slice(b"ustar\0");
        assert_eq!(TarHeader::path(&block), b"some/name");
        assert_eq!(TarHeader::path(b"short"), b"short");
        assert!(TarHeader::is_long_name(&header(b'L', b"")) && !TarHeader::is_long_name(&block));
    }

    #[test]
    fn pax_records_are_read_up_to_nonsense() {
        let pax = Pax::read(b"12 size=777\n17 path=a/long n\n20 nonsense");
        assert_eq!(pax.size, Some(777));
        assert_eq!(pax.path.as_deref(), Some(&b"a/long n"[..]));
        assert_eq!(Pax::read(b"99999999999999999999 a=b\n"), Pax::default());
        assert_eq!(Pax::read(b"1 size=3\n"), Pax::default());
        assert_eq!(padding(0), 0);
        assert_eq!(padding(1), 511);
        assert_eq!(padding(1024), 0);
    }

    #[test]
    fn a_path_of_any_length_is_written_and_read_by_others() {
        for count in [1, 99, 100, 101, 140, 990, 993, 994, 2000] {
            let path = "p".repeat(count);
            let mut bytes = file_header(&path, 4);
            assert_eq!(bytes.len() % BLOCK, 0);
            bytes.extend(b"body");
            bytes.resize(bytes.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
            let mut archive = tar::Archive::new(&bytes[..]);
            let mut entries = archive.entries().unwrap();
            let entry = entries.next().unwrap().unwrap();
            assert_eq!(entry.path_bytes(), path.as_bytes());
            assert_eq!(entry.size(), 4);
            assert!(entries.next().is_none());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = TarHeader::read(&bytes);
            let _ = Pax::read(&bytes);
            let mut block = [0; BLOCK];
            let len = bytes.len().min(BLOCK);
            block[..len].copy_from_slice(&bytes[..len]);
            seal(&mut block);
            let _ = TarHeader::read(&block);
        }
    }
}
