//! Checks a store: its index against its packs, every needed chunk, and with [`CheckDepth::Data`] every byte.
//!
//! A check changes only the quarantine list: it adds damaged frames and releases frames that read well again. Lost
//! chunks are healed by putting them again.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use rayon::prelude::*;

use super::chunk_index::{PackPlace, pack_name};
use super::marks::ReadMarks;
use super::seen::{Trouble, fault};
use super::{ChunkSet, Store, StoreError, quarantine};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Subject};
use crate::base::monitor::Monitor;
use crate::content::index::PackEntry;
use crate::content::pack::{self, FrameSpan, HEADER_BYTES, TRAILER_BYTES};

/// How thoroughly a store is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// Checks index, lengths and tables of packs, and that every needed chunk has a place.
    Structure,
    /// Also reads and decompresses every frame, and compares it with the ids of its chunks.
    Data,
}

/// The result of a check.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// Packs that were checked.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    /// Frames read, with [`CheckDepth::Data`].
    pub frames: u64,
    /// Needed chunks without a known intact copy, by the first 16 bytes of their ids, sorted.
    pub lost_chunks: Vec<[u8; 16]>,
    /// Damage that was found.
    pub findings: Vec<Finding>,
    /// What could not be read, so that it is not known whether it is whole or damaged.
    pub faults: Vec<Finding>,
}

impl Store {
    /// Checks the store. `live` is the set of chunks that its releases need.
    ///
    /// # Errors
    /// [`StoreError::Interrupted`], or a storage error when the quarantine list cannot be written.
    pub fn check(
        &self,
        depth: CheckDepth,
        live: ChunkSet,
        monitor: &dyn Monitor,
    ) -> Result<CheckReport, StoreError> {
        let live = live.settled();
        let mut report = CheckReport {
            findings: self.seen.findings.clone(),
            faults: self.seen.faults.clone(),
            ..CheckReport::default()
        };
        // A copy on this machine says nothing of what others read.
        self.storage.read_source();
        let mut going = HashSet::new();
        if self.is_shared() {
            let marks = ReadMarks::read(self.storage.as_ref())?.marks;
            let mut chunk_index = self.chunk_index_mut();
            let findings = &mut report.findings;
            going = chunk_index.compare_packs(self.storage.as_ref(), &marks, findings)?;
        }
        let damaged = self.chunk_index().damaged_segments(self.storage.as_ref());
        for (name, trouble) in damaged {
            match trouble {
                Trouble::Fault(error) => report.faults.push(fault(name, error)),
                Trouble::Damage(why) => {
                    let what = diagnostic!("store.index_to_be_made_again", why);
                    report.findings.push(Finding::damage(name, what));
                }
            }
        }
        let packs: Vec<(u32, PackEntry)> = {
            let chunk_index = self.chunk_index();
            let packs = (0_u32..).zip(chunk_index.packs().iter().copied());
            packs
                .filter(|(number, _)| !going.contains(number))
                .collect()
        };
        report.packs = packs.len() as u64;
        report.pack_bytes = packs.iter().map(|(_, pack)| pack.bytes).sum();
        monitor.start(
            "check",
            if depth == CheckDepth::Data {
                report.pack_bytes
            } else {
                0
            },
        );
        let checked = self.check_packs(depth, &packs, &mut report, monitor);
        monitor.finish();
        checked?;
        self.find_lost(&live, &mut report);
        let told = report.findings.iter().chain(&report.faults);
        told.for_each(|finding| monitor.finding(finding));
        Ok(report)
    }

    fn check_packs(
        &self,
        depth: CheckDepth,
        packs: &[(u32, PackEntry)],
        report: &mut CheckReport,
        monitor: &dyn Monitor,
    ) -> Result<(), StoreError> {
        for (number, pack) in packs {
            let number = *number;
            monitor.check_stop()?;
            let spans = match self.pack_spans(pack) {
                Ok(spans) if depth == CheckDepth::Data => spans,
                // Quarantined frames are few, so they are read even without `Data`. Whole ones leave the quarantine,
                // and the others are reported.
                Ok(_) => self.doubtful_spans(number),
                Err(Trouble::Fault(error)) => {
                    report.faults.push(fault(subject(pack), error));
                    continue;
                }
                Err(Trouble::Damage(what)) => {
                    report.findings.push(Finding::damage(subject(pack), what));
                    // The frames may still be whole when only the pack's own table is damaged.
                    self.indexed_spans(number)
                }
            };
            self.check_frames(number, &spans, report, monitor)?;
        }
        let mut chunk_index = self.chunk_index_mut();
        let is_anew = chunk_index.is_quarantine_lost && depth == CheckDepth::Data;
        // Every byte was read, so the list is complete again and replaces the one that was lost.
        if is_anew && self.access == super::OpenMode::Write {
            quarantine::save(self.storage.as_ref(), &chunk_index)?;
            chunk_index.is_quarantine_lost = false;
        }
        Ok(())
    }

    /// Reads the table of a pack.
    fn pack_spans(&self, pack: &PackEntry) -> Result<Vec<FrameSpan>, Trouble> {
        let name = pack_name(&pack.id);
        let read = |from_end: usize| -> Result<Vec<u8>, Trouble> {
            let mut out = vec![0; from_end];
            let too_short = || Trouble::Damage(diagnostic!("pack_file.too_short"));
            let offset = pack
                .bytes
                .checked_sub(from_end as u64)
                .ok_or_else(too_short)?;
            self.storage.read_at(&name, offset, &mut out)?;
            Ok(out)
        };
        let damage = |error: pack::PackError| Trouble::damage(error);
        let mut head = [0; HEADER_BYTES];
        self.storage.read_at(&name, 0, &mut head)?;
        pack::check_header(&head).map_err(damage)?;
        let tail = pack::tail_bytes(&read(TRAILER_BYTES)?, pack.bytes).map_err(damage)?;
        pack::parse_tail(&read(tail)?, pack.bytes).map_err(damage)
    }

    /// Returns the frames of a pack that were found damaged earlier.
    fn doubtful_spans(&self, number: u32) -> Vec<FrameSpan> {
        let chunk_index = self.chunk_index();
        let places = chunk_index
            .quarantine
            .iter()
            .filter(|place| place.pack == number);
        let spans = places.map(|place| FrameSpan {
            offset: place.offset,
            len: 0,
        });
        spans.collect()
    }

    /// Returns the frames that the index lists in a pack whose own table is unreadable.
    fn indexed_spans(&self, number: u32) -> Vec<FrameSpan> {
        let chunk_index = self.chunk_index();
        let places = chunk_index
            .entries()
            .map(|(_, place)| place)
            .filter(|place| place.pack == number);
        let mut spans: Vec<FrameSpan> = places
            .map(|place| FrameSpan {
                offset: place.offset,
                len: 0,
            })
            .collect();
        spans.sort_unstable();
        spans.dedup();
        spans
    }

    /// Reads every frame of a pack and brings the quarantine up to date.
    fn check_frames(
        &self,
        pack: u32,
        spans: &[FrameSpan],
        report: &mut CheckReport,
        monitor: &dyn Monitor,
    ) -> Result<(), StoreError> {
        let damaged = Mutex::new(Vec::new());
        spans.par_iter().for_each(|span| {
            if monitor.stop_asked() {
                return;
            }
            let place = PackPlace {
                pack,
                offset: span.offset,
            };
            if let Err(error) = self.frame(place) {
                damaged
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((place, error));
            }
            monitor.advance(u64::from(span.len));
        });
        monitor.check_stop()?;
        report.frames += spans.len() as u64;
        let mut failed = damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The cores finish in any order, and the report must not depend on it.
        failed.sort_unstable_by_key(|(place, _)| *place);
        let entry = self.chunk_index().pack(pack);
        let mut unread = HashSet::new();
        let mut damaged = Vec::new();
        for (place, error) in failed {
            match error {
                StoreError::DamagedFrame { source, .. } => {
                    let (offset, why) = (place.offset, Arg::caught(source));
                    let what = diagnostic!("pack_file.frame_quarantined", offset, why);
                    report.findings.push(Finding::damage(subject(&entry), what));
                    damaged.push(place);
                }
                // A failed read tells nothing about the bytes, so it must not change the quarantine.
                StoreError::Storage(error) => {
                    if unread.is_empty() {
                        report.faults.push(fault(subject(&entry), error));
                    }
                    unread.insert(place);
                }
                other => return Err(other),
            }
        }
        let mut chunk_index = self.chunk_index_mut();
        // Compared at the end, so that a check that found nothing new writes nothing.
        let before = chunk_index.quarantine.clone();
        for span in spans {
            let offset = span.offset;
            let place = PackPlace { pack, offset };
            if !unread.contains(&place) {
                chunk_index.quarantine.remove(&place);
            }
        }
        chunk_index.quarantine.extend(damaged);
        // A read-only store keeps its findings for this process only.
        if chunk_index.quarantine != before && self.access == super::OpenMode::Write {
            quarantine::save(self.storage.as_ref(), &chunk_index)?;
        }
        Ok(())
    }

    fn find_lost(&self, live: &ChunkSet, report: &mut CheckReport) {
        let chunk_index = self.chunk_index();
        let mut is_here = vec![false; live.prefixes().len()];
        for (prefix, place) in chunk_index.entries() {
            if let Some(at) = live.position(&prefix)
                && !chunk_index.quarantine.contains(&place)
            {
                is_here[at] = true;
            }
        }
        let lost = live
            .prefixes()
            .iter()
            .zip(is_here)
            .filter(|(_, is_here)| !is_here);
        report.lost_chunks = lost.map(|(prefix, _)| *prefix).collect();
        if !report.lost_chunks.is_empty() {
            let what = diagnostic!("store.chunks_lost", count = report.lost_chunks.len());
            report.findings.push(Finding::loss(Subject::Store, what));
        }
    }
}

fn subject(pack: &PackEntry) -> Subject {
    Subject::Pack(pack.id.short().to_string())
}
