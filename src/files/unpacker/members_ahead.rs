//! Looks at the members of a zip on every core before their turn, as long as they are all of one writer.
//!
//! The zip's directory says where members may be. A result counts only when the unpacker would find the same at its
//! turn, so the directory need not be right, and nothing depends on threads. At most [`BATCH_MEMBERS`] streams of
//! [`PACKED_BYTES_MAX`] bytes are held.

use std::collections::{BTreeMap, VecDeque};

use rayon::prelude::*;

use crate::base::monitor::{Monitor, Quiet};
use crate::base::read_at::ReadAt;
use crate::content::archive::zip::{
    self, DIRECTORY_TAIL_BYTES, DirectoryPlace, HEADER_BYTES, LocalHeader, Method,
};
use crate::deflate::{Expectation, Wrapper};
use crate::files::effort::ItemEffort;
use crate::files::lookahead::workers;
use crate::files::open_options::OpenOptions;
use crate::files::streams::{self, ExpectedStream, Outcome, Region};

/// Members that are looked at together.
const BATCH_MEMBERS: usize = 64;
/// Longer members are looked at in their turn.
const PACKED_BYTES_MAX: u64 = 256 << 10;
/// In shorter zips it is not worth the directory.
const ZIP_BYTES_MIN: u64 = 64 << 10;

/// The members of a zip that are still to come, and what was found of some.
#[derive(Default)]
pub(super) struct MembersAhead {
    /// Offsets of local headers in the source, in order.
    listed: VecDeque<u64>,
    /// Offset at which the zip ends.
    end: u64,
    /// Streams by the offsets at which they begin.
    found: BTreeMap<u64, ExpectedStream>,
    /// Members that were looked at, and those of them that were used.
    looked: usize,
    used: usize,
}

impl MembersAhead {
    /// Reads the directory of the zip in `begin..end`. A zip without one has no members to be looked at ahead.
    pub(super) fn of<R: ReadAt + ?Sized>(source: &R, begin: u64, end: u64) -> Self {
        let listed = if end - begin >= ZIP_BYTES_MIN && workers() > 1 {
            listed_members(source, begin, end)
        } else {
            None
        };
        Self {
            listed: listed.unwrap_or_default().into(),
            end,
            ..Self::default()
        }
    }

    /// Returns what opening the member's stream at the front of a region gives, if that is known.
    pub(super) fn take<R: ReadAt + ?Sized>(
        &mut self,
        region: Region<'_, R>,
        effort: &ItemEffort,
        options: &OpenOptions,
        monitor: &dyn Monitor,
    ) -> Option<(Outcome, u64)> {
        let mut header = None;
        while self.listed.front().is_some_and(|at| *at < region.offset) {
            header = self.listed.pop_front();
        }
        self.found = self.found.split_off(&region.offset);
        if let Some(header) = header
            && self.found.is_empty()
            && let Some(expectation) = effort.experience().latest()
        {
            self.look(header, region, expectation, options, monitor);
        }
        let found = self.found.remove(&region.offset)?;
        let opened = streams::open_expected(found, region.bytes, effort)?;
        self.used += 1;
        Some(opened)
    }

    /// Looks at the member whose header is at `first`, and at those behind it.
    fn look<R: ReadAt + ?Sized>(
        &mut self,
        first: u64,
        region: Region<'_, R>,
        expectation: Expectation,
        options: &OpenOptions,
        monitor: &dyn Monitor,
    ) {
        // Where most members are of another writer, looking ahead only takes time.
        if self.looked > 2 * self.used + BATCH_MEMBERS {
            self.listed.clear();
            return;
        }
        let next = self.listed.iter().copied().take(BATCH_MEMBERS - 1);
        let batch: Vec<u64> = std::iter::once(first).chain(next).collect();
        self.looked += batch.len();
        let end = self.end;
        let look = |header: u64| {
            let region = member_region(region, header, end)?;
            let quiet = Quiet(monitor);
            let found = streams::expect(region, Wrapper::Raw, expectation, options, &quiet)?;
            Some((region.offset, found))
        };
        let found: Vec<_> = batch.into_par_iter().filter_map(look).collect();
        self.found.extend(found);
    }
}

/// Returns the offsets of the headers of short deflated members.
fn listed_members<R: ReadAt + ?Sized>(source: &R, begin: u64, end: u64) -> Option<Vec<u64>> {
    let tail = read(
        source,
        end.saturating_sub(DIRECTORY_TAIL_BYTES).max(begin),
        end,
    )?;
    let place = DirectoryPlace::find(&tail)?;
    let from = end
        .checked_sub(place.to_end)
        .filter(|from| *from >= begin)?;
    let directory = read(source, from, from + place.bytes)?;
    // What stands before the zip, such as a script, may count in its offsets or not.
    let shift = from
        .checked_sub(place.offset)
        .filter(|shift| *shift >= begin)?;
    let members = zip::deflated_members(&directory).into_iter();
    let members = members.filter(|(_, bytes)| *bytes <= PACKED_BYTES_MAX);
    let mut members: Vec<u64> = members.map(|(offset, _)| shift + offset).collect();
    members.sort_unstable();
    members.dedup();
    Some(members)
}

/// Returns the region that the unpacker would open for the member whose header is here.
fn member_region<R: ReadAt + ?Sized>(
    zip: Region<'_, R>,
    header: u64,
    end: u64,
) -> Option<Region<'_, R>> {
    let head = read(zip.source, header, header + HEADER_BYTES as u64)?;
    let local = LocalHeader::read(&head)?;
    let offset = header + local.bytes() as u64;
    let left = end.checked_sub(offset)?;
    let bytes = local.body_bytes.filter(|bytes| *bytes <= left);
    (local.method == Method::Deflate).then_some(Region {
        offset,
        bytes: bytes.unwrap_or(left),
        ..zip
    })
}

fn read<R: ReadAt + ?Sized>(source: &R, from: u64, to: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to.checked_sub(from)?).ok()?];
    let mut filled = 0;
    while filled < bytes.len() {
        match source.read_at(from + filled as u64, &mut bytes[filled..]) {
            Ok(0) | Err(_) => return None,
            Ok(more) => filled += more,
        }
    }
    Some(bytes)
}
