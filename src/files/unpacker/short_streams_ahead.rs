//! Looks at the short streams of a tar on every core before their turn: gzip files as long as they are all of one writer,
//! and files of bitcode.
//!
//! A result counts only when the unpacker would find the same at its turn, so nothing depends on threads. At most
//! [`BATCH_STREAMS`] streams of [`BYTES_MAX`] bytes are held.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::stream::AnalyzerOutput;
use crate::base::id::{self, BlobId};
use crate::base::monitor::{Monitor, Quiet};
use crate::base::read_at::ReadAt;
use crate::content::release::BlobTable;
use crate::deflate::{Expectation, Wrapper};
use crate::files::early_read::read;
use crate::files::open_options::OpenOptions;
use crate::files::stream_finder::TarStreamFinder;
use crate::files::stream_kind::{STREAM_HEAD_BYTES, StreamKind};
use crate::files::streams::{self, Region, StreamFormat};
use crate::recode;

/// Streams that are looked at together.
const BATCH_STREAMS: usize = 64;
/// Longer streams are looked at in their turn.
const BYTES_MAX: u64 = 256 << 10;

/// The short streams of a tar that are still to come, and what was found of some.
pub(super) struct ShortStreamsAhead<'a, R: ?Sized> {
    finder: TarStreamFinder<'a, R>,
    /// Results by the offsets of the streams.
    found: BTreeMap<u64, AnalyzerOutput>,
    /// Streams that were opened ahead or tried, and results that were taken.
    looked: usize,
    used: usize,
}

/// What looking at streams needs of the unpacker.
#[derive(Clone, Copy)]
pub(super) struct LookContext<'a> {
    pub(super) known: &'a BlobTable,
    /// What the streams before let expect of the next gzip file. `None` before the first one.
    pub(super) expectation: Option<Expectation>,
    pub(super) options: &'a OpenOptions,
    pub(super) monitor: &'a dyn Monitor,
}

impl<'a, R: ReadAt + ?Sized> ShortStreamsAhead<'a, R> {
    /// Begins with the tar in `range` of a source.
    pub(super) fn of(source: &'a R, range: Range<u64>) -> Self {
        Self {
            finder: TarStreamFinder::new(source, range, 1..BYTES_MAX),
            found: BTreeMap::new(),
            looked: 0,
            used: 0,
        }
    }

    /// Returns what is known ahead of the member in `region`, which begins with `head`.
    pub(super) fn take(
        &mut self,
        region: Region<'_, R>,
        head: &[u8],
        context: LookContext<'_>,
    ) -> Option<AnalyzerOutput> {
        let kind = StreamKind::of(head).filter(|_| region.bytes < BYTES_MAX)?;
        if kind == StreamKind::Gzip && context.expectation.is_none() {
            return None;
        }
        self.found = self.found.split_off(&region.offset);
        if self.found.is_empty() {
            self.look(region, context);
        }
        let found = self.found.remove(&region.offset)?;
        self.used += usize::from(found.is_expected());
        Some(found)
    }

    /// Looks at the stream at the front of `first`, and at those behind it.
    fn look(&mut self, first: Region<'_, R>, context: LookContext<'_>) {
        // Where most streams are of another writer, looking ahead only takes time.
        if self.looked > 2 * self.used + BATCH_STREAMS {
            return;
        }
        let places = self.finder.by_ref().map(|(_, place)| place);
        let places = places.skip_while(|(offset, _)| *offset < first.offset);
        let batch: Vec<(u64, u64)> = places.take(BATCH_STREAMS).collect();
        let look = |(offset, bytes): (u64, u64)| {
            let region = Region {
                offset,
                bytes,
                ..first
            };
            Some((offset, look_at(region, context)?))
        };
        let found: Vec<_> = batch.into_par_iter().filter_map(look).collect();
        self.looked += found.len();
        self.found.extend(found);
    }
}

/// Returns `None` for a kind that is looked at in its turn. Whatever fails here is met again then.
fn look_at<R: ReadAt + ?Sized>(
    region: Region<'_, R>,
    context: LookContext<'_>,
) -> Option<AnalyzerOutput> {
    let bytes = read(region.source, region.offset, region.offset + region.bytes)?;
    let kind = StreamKind::of(&bytes[..bytes.len().min(STREAM_HEAD_BYTES)])?;
    let (format, expectation) = match kind {
        StreamKind::Gzip => (
            StreamFormat::Deflate(Wrapper::Gzip),
            Some(context.expectation?),
        ),
        StreamKind::Recoded(recode::Format::Bitcode) => {
            (StreamFormat::Recoded(recode::Format::Bitcode), None)
        }
        StreamKind::Recoded(_) => return None,
    };
    let quiet = Quiet(context.monitor);
    let id = BlobId(id::hash(&bytes));
    let expected = match context.known.get(region.bytes, id) {
        Some(_) => None,
        None => streams::expect(region, format, expectation, context.options, &quiet),
    };
    Some(AnalyzerOutput::ahead(id, expected))
}
