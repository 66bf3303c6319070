//! Zip archives: the members with compressed content, unpacked one after the other as one stream.
//!
//! An archive that only stores its members needs nothing of this, because their bytes lie in it as they are.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memchr::memmem;

use crate::base::read_at::ReadAt;
use crate::deflate::{PlainReader, Wrapper};
use crate::volumes::media::images::fields::{u16_at, u32_at, u64_at};
use crate::volumes::media::images::read_full;
use crate::volumes::media::images::streams::{Counted, FromSource, unpacked as unpacked_stream};

/// Bytes at the end in which the end of the directory stands: its record and the longest comment.
const END_BYTES: u64 = 22 + 65_535;
/// Largest directory that is read.
const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
/// Members that are looked at.
const MEMBERS_MAX: usize = 1 << 16;

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    is_deflated: bool,
    header: u64,
    packed_bytes: u64,
}

/// Returns whether an archive has compressed members that can be unpacked here. `None` says that it has no directory, or
/// members of another kind alone.
pub(super) fn has_deflated(source: &dyn ReadAt) -> Option<bool> {
    let members = members(source)?;
    (!members.is_empty()).then(|| members.iter().any(|member| member.is_deflated))
}

/// Opens the stream of all members.
pub(super) fn unpacked(
    source: Arc<dyn ReadAt>,
    taken: Arc<AtomicU64>,
) -> io::Result<Box<dyn Read + Send>> {
    let members = members(&*source).unwrap_or_default();
    Ok(Box::new(MembersReader {
        source,
        taken,
        members: members.into(),
        current: None,
    }))
}

struct MembersReader {
    source: Arc<dyn ReadAt>,
    taken: Arc<AtomicU64>,
    members: VecDeque<Member>,
    current: Option<Box<dyn Read + Send>>,
}

impl MembersReader {
    fn open(&self, member: &Member) -> io::Result<Box<dyn Read + Send>> {
        let range = content_of(&*self.source, member)?;
        let packed = FromSource::new(Arc::clone(&self.source), range);
        let packed = Counted::new(packed, Arc::clone(&self.taken));
        let (stream, _) = unpacked_stream(if member.is_deflated {
            Box::new(PlainReader::new(packed, Wrapper::Raw))
        } else {
            Box::new(packed)
        })?;
        Ok(stream)
    }
}

impl Read for MembersReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(current) = &mut self.current {
                let len = current.read(out)?;
                if len > 0 || out.is_empty() {
                    return Ok(len);
                }
                self.current = None;
            }
            let Some(member) = self.members.pop_front() else {
                return Ok(0);
            };
            self.current = Some(self.open(&member)?);
        }
    }
}

/// Returns the place of a member's content, behind its own header.
fn content_of(source: &dyn ReadAt, member: &Member) -> io::Result<Range<u64>> {
    let mut header = [0; 30];
    let have = read_full(source, member.header, &mut header);
    if have < header.len() || !header.starts_with(b"PK\x03\x04") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a member of a zip archive without its header",
        ));
    }
    let start =
        member.header + 30 + u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
    Ok(start..start.saturating_add(member.packed_bytes))
}

/// Reads the directory: members that are stored or deflated and not encrypted, in the order in which they lie. Members
/// that lie over one another are left out, because a bomb has such.
fn members(source: &dyn ReadAt) -> Option<Vec<Member>> {
    let directory = directory(source)?;
    let mut bytes = vec![0; usize::try_from(directory.end - directory.start).ok()?];
    let have = read_full(source, directory.start, &mut bytes);
    let mut rest = &bytes[..have];
    let mut members = Vec::new();
    while rest.len() >= 46 && rest.starts_with(b"PK\x01\x02") && members.len() < MEMBERS_MAX {
        let name = usize::from(u16_at(rest, 28));
        let extra = usize::from(u16_at(rest, 30));
        let comment = usize::from(u16_at(rest, 32));
        let is_encrypted = u16_at(rest, 8) & 1 == 1;
        let extras = rest.get(46 + name..46 + name + extra).unwrap_or_default();
        let [_, packed_bytes, header] = long_numbers(rest, extras);
        let method = u16_at(rest, 10);
        if matches!(method, 0 | 8) && !is_encrypted && packed_bytes > 0 {
            members.push(Member {
                is_deflated: method == 8,
                header,
                packed_bytes,
            });
        }
        rest = rest.get(46 + name + extra + comment..).unwrap_or_default();
    }
    members.sort_by_key(|member| member.header);
    let mut end = 0;
    members.retain(|member| {
        let is_behind = member.header >= end;
        if is_behind {
            end = member
                .header
                .saturating_add(30 + member.packed_bytes.min(u64::MAX / 2));
        }
        is_behind
    });
    Some(members)
}

/// Returns plain length, packed length and place of a member, from its zip64 field where the short ones are full.
fn long_numbers(entry: &[u8], mut extras: &[u8]) -> [u64; 3] {
    let short = [24, 20, 42].map(|at| u64::from(u32_at(entry, at)));
    while extras.len() >= 4 {
        let len = usize::from(u16_at(extras, 2));
        let field = extras.get(4..4 + len).unwrap_or_default();
        if u16_at(extras, 0) == 1 {
            let mut long = field.chunks_exact(8).map(|bytes| u64_at(bytes, 0));
            return short.map(|number| match number {
                0xffff_ffff => long.next().unwrap_or(number),
                number => number,
            });
        }
        extras = extras.get(4 + len..).unwrap_or_default();
    }
    short
}

/// Finds the directory.
fn directory(source: &dyn ReadAt) -> Option<Range<u64>> {
    let size = source.size_bytes();
    let from = size.saturating_sub(END_BYTES);
    let mut end = vec![0; usize::try_from(size - from).ok()?];
    let have = read_full(source, from, &mut end);
    let end = &end[..have];
    let at = memmem::rfind(end, b"PK\x05\x06")?;
    let record = end.get(at..at + 22)?;
    let (mut bytes, mut start) = (u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
    if start == 0xffff_ffff || bytes == 0xffff_ffff {
        let locator = end.get(at.checked_sub(20)?..at)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return None;
        }
        let mut long = [0; 56];
        let have = read_full(source, u64_at(locator, 8), &mut long);
        if have < long.len() || !long.starts_with(b"PK\x06\x06") {
            return None;
        }
        (bytes, start) = (u64_at(&long, 40), u64_at(&long, 48));
    }
    let is_sane = bytes <= DIRECTORY_BYTES_MAX && start.checked_add(bytes)? <= size;
    is_sane.then_some(start..start + bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;

    /// An archive of members, each deflated or not, without checks, which nobody reads.
    fn zip(members: &[(&[u8], bool)]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (plain, is_deflated) in members {
            let packed = if *is_deflated {
                let level = flate2::Compression::fast();
                let mut out = flate2::write::DeflateEncoder::new(Vec::new(), level);
                out.write_all(plain).unwrap();
                out.finish().unwrap()
            } else {
                plain.to_vec()
            };
            let at = u32::try_from(out.len()).unwrap();
            let len = u32::try_from(packed.len()).unwrap();
            let method = if *is_deflated { 8_u16 } else { 0 };
            let mut entry = vec![0; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[10..12].copy_from_slice(&method.to_le_bytes());
            entry[20..24].copy_from_slice(&len.to_le_bytes());
            entry[42..46].copy_from_slice(&at.to_le_bytes());
            directory.extend(entry);
            out.extend(b"PK\x03\x04");
            out.extend([0; 26]);
            out.extend(packed);
        }
        let (at, len) = (
            u32::try_from(out.len()).unwrap(),
            u32::try_from(directory.len()).unwrap(),
        );
        out.extend(directory);
        out.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0");
        out.extend(len.to_le_bytes());
        out.extend(at.to_le_bytes());
        out.extend([0, 0]);
        out
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpacked(Arc::new(bytes), Arc::default())?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn members_come_one_after_the_other() {
        let archive = zip(&[(b"one", true), (b"two", false), (&[7; 100_000], true)]);
        assert_eq!(has_deflated(&archive), Some(true));
        let expected = [&b"onetwo"[..], &[7; 100_000]].concat();
        assert!(read(archive).unwrap() == expected);
        assert_eq!(has_deflated(&zip(&[(b"two", false)])), Some(false));
        assert_eq!(has_deflated(&zip(&[])), None);
    }

    #[test]
    fn hostile_directories_end_without_harm() {
        let archive = zip(&[(b"one", true), (b"two", true)]);
        for at in 0..archive.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = archive.clone();
                bytes[at] = value;
                let _ = has_deflated(&bytes);
                let _ = read(bytes);
            }
            let _ = read(archive[..at].to_vec());
        }
        // Members at one place: a bomb.
        let mut same = zip(&[(b"one", true), (b"two", true)]);
        let second = same.len() - 22 - 46 + 42;
        same[second..second + 4].fill(0);
        assert_eq!(read(same).unwrap(), b"one");
    }
}
