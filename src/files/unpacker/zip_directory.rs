//! The members of a zip by its directory: where the zip begins behind something else, and how long members are whose
//! local headers do not say it or are damaged.
//!
//! The directory is not trusted. A zip is still followed from front to back, each byte once, and a member that does not
//! fit is kept as bytes.

use crate::base::read_at::ReadAt;
use crate::content::archive::zip::{
    self, DIRECTORY_TAIL_BYTES, DirectoryPlace, ENTRY_MAGIC, HEADER_BYTES, LOCAL_MAGIC,
    LocalHeader, Method,
};
use crate::content::recipe::SMALL_BYTES;
use crate::files::early_read::{fill, read};

/// Shorter zips are one chunk. Their parts cost as much as opening gains.
const ZIP_BYTES_MIN: u64 = SMALL_BYTES + 1;
/// Members whose headers are looked at before a directory is believed.
const PROBES: usize = 16;

/// A member that a directory lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListedMember {
    /// Offset of its local header in the source.
    pub(super) at: u64,
    pub(super) body_bytes: u64,
    pub(super) method: Method,
    name_bytes: usize,
}

/// All members that a directory lists, in the order of their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ZipDirectory {
    members: Vec<ListedMember>,
    /// Offset at which the directory begins.
    at: u64,
}

impl ZipDirectory {
    /// Reads the directory of the zip that ends the region `begin..end`. What stands before the zip, such as a script,
    /// may count in its offsets or not. Returns `None` when the region does not end with a zip.
    pub(super) fn read<R: ReadAt + ?Sized>(source: &R, begin: u64, end: u64) -> Option<Self> {
        if end.checked_sub(begin)? < ZIP_BYTES_MIN {
            return None;
        }
        let tail_begin = end.saturating_sub(DIRECTORY_TAIL_BYTES).max(begin);
        let tail = read(source, tail_begin, end)?;
        let mut places = DirectoryPlace::find(&tail);
        places.find_map(|place| Self::at_place(source, place, begin, end))
    }

    fn at_place<R: ReadAt + ?Sized>(
        source: &R,
        place: DirectoryPlace,
        begin: u64,
        end: u64,
    ) -> Option<Self> {
        let at = end.checked_sub(place.to_end).filter(|at| *at >= begin)?;
        let shift = at
            .checked_sub(place.offset)
            .filter(|shift| *shift >= begin)?;
        let mut magic = [0; 4];
        fill(source, at, &mut magic)?;
        if magic != ENTRY_MAGIC {
            return None;
        }
        let directory = read(source, at, at + place.bytes)?;
        let entries = zip::directory_entries(&directory).into_iter();
        let mut members: Vec<ListedMember> = entries
            .filter_map(|entry| {
                Some(ListedMember {
                    at: shift.checked_add(entry.offset).filter(|each| *each < at)?,
                    body_bytes: entry.body_bytes,
                    method: entry.method,
                    name_bytes: entry.name_bytes,
                })
            })
            .collect();
        // The sort is stable, so of several entries for one place the first one counts.
        members.sort_by_key(|member| member.at);
        members.dedup_by_key(|member| member.at);
        let begins = |member: &ListedMember| {
            let mut magic = [0; 4];
            fill(source, member.at, &mut magic).is_some_and(|()| magic == LOCAL_MAGIC)
        };
        let is_true = members.iter().take(PROBES).any(begins);
        is_true.then_some(Self { members, at })
    }

    /// Returns the members in the order of their places.
    pub(super) fn members(&self) -> &[ListedMember] {
        &self.members
    }

    /// Returns where the first member begins.
    pub(super) fn first(&self) -> Option<u64> {
        self.members.first().map(|member| member.at)
    }

    /// Returns the place of the first member behind `at`, or that of the directory.
    pub(super) fn next_behind(&self, at: u64) -> Option<u64> {
        let next = self.members.partition_point(|member| member.at <= at);
        let next = self.members.get(next).map(|member| member.at);
        next.or_else(|| (at < self.at).then_some(self.at))
    }

    /// Returns the local header at `at`, whose first bytes are `head`, as far as it and the directory fit. The zip ends
    /// at `end`. A body that is known lies before what is listed next.
    pub(super) fn header(&self, head: &[u8], at: u64, end: u64) -> Option<LocalHeader> {
        let room = self.next_behind(at).unwrap_or(end).min(end) - at;
        let listed = self.members.binary_search_by_key(&at, |member| member.at);
        if let Ok(listed) = listed
            && let Some(header) = self.members[listed].header(head, room)
        {
            return Some(header);
        }
        let mut header = LocalHeader::read(head)?;
        let behind = room.checked_sub(header.bytes() as u64)?;
        header.body_bytes = header.body_bytes.filter(|bytes| *bytes <= behind);
        Some(header)
    }
}

impl ListedMember {
    /// Returns the member's local header with what the directory says. Lengths of the header that cannot be right are
    /// replaced by those that fill the room. Returns `None` when the member has no room even so.
    fn header(&self, head: &[u8], room: u64) -> Option<LocalHeader> {
        let head: &[u8; HEADER_BYTES] = head.first_chunk()?;
        let mut header = LocalHeader::read_any(head);
        (header.method, header.body_bytes) = (self.method, Some(self.body_bytes));
        let fits = |header: &LocalHeader| {
            let whole = self.body_bytes.checked_add(header.bytes() as u64);
            whole.is_some_and(|whole| whole <= room)
        };
        if fits(&header) {
            return Some(header);
        }
        header.name_bytes = self.name_bytes;
        if fits(&header) {
            return Some(header);
        }
        // Nothing lies between most bodies and the next header.
        let around = (HEADER_BYTES + self.name_bytes) as u64;
        let extra = room.checked_sub(self.body_bytes)?.checked_sub(around)?;
        header.extra_bytes = u16::try_from(extra).ok()?.into();
        Some(header)
    }
}
