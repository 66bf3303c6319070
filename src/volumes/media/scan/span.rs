//! The walk over one stretch of a source, from block to block.
//!
//! It goes on block by block while blocks stand where they are expected. Where one is missing it searches every byte up to
//! the next expected place, and it keeps expecting.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::Ordering;

use crate::volumes::block::{BLOCK_BYTES, BlockHeader, BlockSize, HEADER_BYTES, MAGIC};
use crate::volumes::media::MediaError;
use crate::volumes::media::images::OpenStream;
use crate::volumes::media::scan::known::BlockBytes;
use crate::volumes::media::scan::neighbors::{LossCause, LostHeader, Neighbors, Placed};
use crate::volumes::media::scan::{EMPTY_MIN, HeaderOrigin, Scan, Sighting, note_gaps};
use crate::volumes::media::surviving::SurvivingReader;
use crate::volumes::media::window::{Fill, FilledBuffer, SourceWindow};

const BLOCK: u64 = BLOCK_BYTES as u64;
/// Most blocks with a valid header and a wrong hash that a search tries in one span. Honest damage never comes near.
/// Without a bound, a file of headers alone would cost a hash for every few bytes.
pub(super) const SEARCH_HASHES_MAX: u32 = 4096;

/// The result of testing one place.
#[derive(PartialEq, Eq)]
enum ScannedPlace {
    Whole(BlockHeader),
    Damaged,
    Nothing,
}

impl Scan<'_> {
    /// Visits every block that begins in `starts`. `phase` is the distance of blocks from multiples of 64 KiB, if it is
    /// known. Returns the place of the first whole block.
    pub(super) fn span(
        &self,
        starts: Range<u64>,
        phase: Option<u64>,
    ) -> Result<Option<u64>, MediaError> {
        let size = self.reader.size_bytes();
        // Another thread may have passed over the front of this span. It stopped where a block is expected.
        let passed_to = self.passed.behind(starts.start);
        if passed_to >= starts.end {
            return Ok(None);
        }
        let first_block = if passed_to > starts.start {
            Some(passed_to)
        } else {
            phase.map(|phase| next_block(starts.start, phase))
        };
        let starts = passed_to..starts.end;
        let reader =
            SurvivingReader::new(self.reader, phase.unwrap_or(0), self.effort, self.monitor);
        let read = |offset: u64, buf: &mut [u8]| {
            self.monitor.check_stop()?;
            let gaps = reader.read(offset, buf)?;
            if !gaps.is_empty() {
                note_gaps(&self.gaps, &gaps, &starts);
            }
            self.passed.advance(buf.len() as u64, self.monitor);
            Ok(FilledBuffer {
                gaps,
                bytes: buf.len(),
            })
        };
        let found = self.walk(&read, starts.clone(), first_block, size)?;
        note_gaps(&self.left_out, &reader.left_out(), &starts);
        Ok(found)
    }

    /// Visits every block of a stream. Returns its length, and the error that ended it.
    pub(super) fn stream(
        &self,
        stream: &mut OpenStream,
    ) -> Result<(u64, Option<io::Error>), MediaError> {
        let (taken, told) = (stream.taken(), Cell::new(0));
        let (read, total, error) = (
            RefCell::new(&mut stream.read),
            Cell::new(0),
            RefCell::new(None),
        );
        let fill = |offset: u64, buf: &mut [u8]| {
            debug_assert_eq!(offset, total.get(), "a stream is read without leaps");
            let mut bytes = 0;
            while bytes < buf.len() && error.borrow().is_none() {
                self.monitor.check_stop()?;
                match read.borrow_mut().read(&mut buf[bytes..]) {
                    Ok(0) => break,
                    Ok(len) => bytes += len,
                    Err(failed) if failed.kind() == io::ErrorKind::Interrupted => {}
                    Err(failed) => {
                        error.replace(Some(failed));
                    }
                }
            }
            total.set(total.get() + bytes as u64);
            // Progress is counted in the bytes of the file, because nobody knows what it unpacks to.
            let now = taken.load(Ordering::Relaxed);
            self.monitor.advance(now - told.replace(now));
            Ok(FilledBuffer {
                gaps: Vec::new(),
                bytes,
            })
        };
        self.walk(&fill, 0..u64::MAX, None, u64::MAX)?;
        Ok((total.get(), error.into_inner()))
    }

    fn walk(
        &self,
        fill: &Fill<'_>,
        starts: Range<u64>,
        first_block: Option<u64>,
        size: u64,
    ) -> Result<Option<u64>, MediaError> {
        let mut walk = Walk {
            scan: self,
            window: SourceWindow::new(fill, starts.clone(), size),
            neighbors: Neighbors::new(first_block),
            expected: first_block.unwrap_or(starts.start),
            size: BlockSize::Full,
            hashes_left: SEARCH_HASHES_MAX,
            empty_places: 0,
            leaps_from: 0,
            is_stream: size == u64::MAX,
        };
        walk.go(&starts)
    }
}

/// Returns the first place at or behind `at` where a block begins.
fn next_block(at: u64, phase: u64) -> u64 {
    at + (phase + BLOCK - at % BLOCK) % BLOCK
}

pub(super) struct Walk<'a> {
    pub(super) scan: &'a Scan<'a>,
    pub(super) window: SourceWindow<'a>,
    pub(super) neighbors: Neighbors,
    /// The next place where a block is expected: behind the last one, or as many blocks further as were missing.
    pub(super) expected: u64,
    /// The size of blocks here, as the last header at an expected place says.
    pub(super) size: BlockSize,
    hashes_left: u32,
    /// Expected places in a row without any block.
    pub(super) empty_places: u32,
    /// Nothing is passed over before this place, because a try failed.
    pub(super) leaps_from: u64,
    /// Whether it comes once, from front to back.
    pub(super) is_stream: bool,
}

impl Walk<'_> {
    fn go(&mut self, starts: &Range<u64>) -> Result<Option<u64>, MediaError> {
        let mut first = None;
        let mut at = starts.start;
        if self.scan.enough.load(Ordering::Relaxed) {
            at = self.probe(at, starts.end)?;
            self.expected = self.expected.max(at);
        }
        while at < starts.end.min(self.window.size()) && !self.is_stopped() {
            if at < self.expected {
                let to = self.expected.min(starts.end);
                let found = self.window.find(at, to, &MAGIC)?;
                at = found.unwrap_or(self.expected);
                if at >= starts.end.min(self.window.size()) {
                    break;
                }
            }
            match self.judge(at)? {
                ScannedPlace::Whole(header) => {
                    first = first.or(Some(at));
                    self.empty_places = 0;
                    at = self.leap_known(at, &header);
                    self.expected = at;
                }
                // A single bad block in a row of good ones is skipped without a search.
                ScannedPlace::Damaged | ScannedPlace::Nothing if self.next_stands(at)? => {
                    at += self.step();
                    self.expected = at;
                }
                ScannedPlace::Damaged => {
                    if at == self.expected {
                        self.expected += self.step();
                    }
                    at += 1;
                }
                ScannedPlace::Nothing if at == self.expected => {
                    self.empty_places = self.empty_places.saturating_add(1);
                    if self.empty_places > EMPTY_MIN {
                        self.size = BlockSize::Full;
                    }
                    let next = self.leap_empty(at, starts.end)?;
                    self.expected = next.max(at + self.step());
                    at = next;
                }
                ScannedPlace::Nothing => at += 1,
            }
        }
        if !self.is_stopped() && self.neighbors.is_waiting() {
            let behind = self
                .window
                .bytes(self.expected, self.expected, HEADER_BYTES)?;
            let header = BlockHeader::peek(behind);
            let placed = self.neighbors.end(self.expected, header.as_ref());
            self.visit_placed(placed);
        }
        Ok(first)
    }

    fn judge(&mut self, at: u64) -> Result<ScannedPlace, MediaError> {
        let is_expected = at == self.expected;
        let source_no = self.scan.source_no;
        let block = self.window.bytes(at, at, BLOCK_BYTES)?;
        // Most places have no valid header. Only the others are worth a hash.
        let Some(header) = BlockHeader::peek(block) else {
            return self.nothing(at);
        };
        if !is_expected {
            if self.hashes_left == 0 {
                return Ok(ScannedPlace::Nothing);
            }
            self.hashes_left -= 1;
        }
        if let Some(header) = BlockHeader::open_mut(block) {
            self.size = header.set.block_size;
            // The neighbors come first, so that blocks are visited in order.
            let placed = self.neighbors.meet_whole(at, &header);
            self.visit_placed(placed);
            self.scan.visit(&Sighting::Whole {
                header,
                block: self.window.bytes(at, at, header.block_bytes())?,
                source_no,
                offset: at,
            });
            return Ok(ScannedPlace::Whole(header));
        }
        let block = block_at(&mut self.window, at, header.set.block_size)?;
        if !block.has_header_bytes() {
            return self.nothing(at);
        }
        if is_expected {
            self.size = header.set.block_size;
        }
        self.scan.visit(&Sighting::Damaged {
            header,
            origin: HeaderOrigin::Read,
            block: block.padded(&mut Vec::new()),
            slices: block.known(),
            source_no,
            offset: at,
        });
        if is_expected {
            let placed = self.neighbors.meet_damaged(at, &header);
            self.visit_placed(placed);
        }
        Ok(ScannedPlace::Damaged)
    }

    /// Keeps what is known of a block without a header when one is expected here.
    fn nothing(&mut self, at: u64) -> Result<ScannedPlace, MediaError> {
        if at != self.expected {
            return Ok(ScannedPlace::Nothing);
        }
        let block = block_at(&mut self.window, at, self.size)?;
        let cause = if !block.has_header_bytes() || block.begins_with_zeros() {
            LossCause::Drive
        } else {
            LossCause::OtherBytes
        };
        if !self.neighbors.may_place(at, cause) {
            return Ok(ScannedPlace::Nothing);
        }
        let mut slices = block.known();
        // Its header is not there, however the drive came to give these bytes.
        slices.remove(0);
        if slices.is_none() {
            return Ok(ScannedPlace::Nothing);
        }
        let lost = LostHeader {
            offset: at,
            bytes: block.padded(&mut Vec::new()).to_vec(),
            slices,
            cause,
        };
        let placed = self.neighbors.wait(lost);
        self.visit_placed(placed);
        Ok(ScannedPlace::Nothing)
    }

    fn visit_placed(&self, placed: impl IntoIterator<Item = Placed>) {
        for (header, lost) in placed {
            if self.is_stopped() {
                break;
            }
            self.scan.visit(&Sighting::Damaged {
                header,
                origin: HeaderOrigin::Neighbors,
                block: &lost.bytes,
                slices: lost.slices,
                source_no: self.scan.source_no,
                offset: lost.offset,
            });
        }
    }

    /// Returns whether a valid block header stands one block behind `at`. One of another size shows that blocks lie
    /// between.
    fn next_stands(&mut self, at: u64) -> Result<bool, MediaError> {
        let behind = self.window.bytes(at, at + self.step(), HEADER_BYTES)?;
        Ok(BlockHeader::peek(behind).is_some_and(|header| header.set.block_size == self.size))
    }

    /// Returns the bytes from one block to the next.
    fn step(&self) -> u64 {
        self.size.bytes() as u64
    }

    fn is_stopped(&self) -> bool {
        self.scan.stopped.load(Ordering::Relaxed)
    }
}

/// Returns what there is of a block at a place.
fn block_at<'a>(
    window: &'a mut SourceWindow<'_>,
    at: u64,
    size: BlockSize,
) -> Result<BlockBytes<'a>, MediaError> {
    let end = at + window.bytes(at, at, size.bytes())?.len() as u64;
    if end == at {
        // A stream ended here.
        return Ok(BlockBytes::new(&[], Vec::new(), size));
    }
    let within = |place: u64| usize::try_from(place - at).expect("within a block");
    let gaps = window
        .gaps_in(at..end)
        .map(|gap| within(gap.start)..within(gap.end))
        .collect();
    let bytes = window.bytes(at, at, size.bytes())?;
    Ok(BlockBytes::new(bytes, gaps, size))
}
