//! Looks at the members of a zip on every core before their turn, as long as they are all of one writer.
//!
//! The zip's directory says where members may be. A result counts only when the unpacker would find the same at its
//! turn, so the directory need not be right, and nothing depends on threads. At most [`BATCH_MEMBERS`] streams of
//! [`PACKED_BYTES_MAX`] bytes are held.

use std::collections::{BTreeMap, VecDeque};

use rayon::prelude::*;

use super::zip_directory::ZipDirectory;
use crate::base::monitor::{Monitor, Quiet};
use crate::base::read_at::ReadAt;
use crate::content::archive::zip::{HEADER_BYTES, Method};
use crate::deflate::{Expectation, Wrapper};
use crate::files::early_read::read;
use crate::files::effort::ItemEffort;
use crate::files::lookahead::workers;
use crate::files::open_options::OpenOptions;
use crate::files::streams::{self, ExpectedStream, Outcome, Region, StreamFormat};

/// Members that are looked at together.
const BATCH_MEMBERS: usize = 64;
/// Longer members are looked at in their turn.
const PACKED_BYTES_MAX: u64 = 256 << 10;

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
    /// Takes the short deflated members of the zip's directory. A zip without one has no members to be looked at ahead.
    pub(super) fn of(directory: &ZipDirectory, end: u64) -> Self {
        let members = directory.members().iter();
        let short = members.filter(|member| {
            member.method == Method::Deflate && member.body_bytes <= PACKED_BYTES_MAX
        });
        let listed = if workers() > 1 {
            short.map(|member| member.at).collect()
        } else {
            VecDeque::new()
        };
        Self {
            listed,
            end,
            ..Self::default()
        }
    }

    /// Returns what opening the member's stream at the front of a region gives, if that is known.
    pub(super) fn take<R: ReadAt + ?Sized>(
        &mut self,
        region: Region<'_, R>,
        directory: &ZipDirectory,
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
            self.look(header, region, directory, expectation, options, monitor);
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
        directory: &ZipDirectory,
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
            let region = member_region(region, directory, header, end)?;
            let quiet = Quiet(monitor);
            let raw = StreamFormat::Deflate(Wrapper::Raw);
            let found = streams::expect(region, raw, Some(expectation), options, &quiet)?;
            Some((region.offset, found))
        };
        let found: Vec<_> = batch.into_par_iter().filter_map(look).collect();
        self.found.extend(found);
    }
}

/// Returns the region that the unpacker would open for the member whose header is here.
fn member_region<'a, R: ReadAt + ?Sized>(
    zip: Region<'a, R>,
    directory: &ZipDirectory,
    at: u64,
    end: u64,
) -> Option<Region<'a, R>> {
    let head = read(zip.source, at, at + HEADER_BYTES as u64)?;
    let header = directory.header(&head, at, end)?;
    let offset = at + header.bytes() as u64;
    let left = end.checked_sub(offset)?;
    (header.method == Method::Deflate).then_some(Region {
        offset,
        bytes: header.body_bytes.unwrap_or(left),
        ..zip
    })
}
