//! Checks a store: its index against its packs, every needed chunk, and with [`CheckDepth::Data`] every byte.
//!
//! It repairs nothing but knowledge: damaged frames are quarantined, and frames that read well again are released. What
//! is lost is healed by putting the chunks again.

use std::sync::Mutex;
use std::sync::PoisonError;

use rayon::prelude::*;

use super::shelf::{Place, pack_name};
use super::{ChunkSet, FrameDamage, Store, StoreError, quarantine};
use crate::finding::Finding;
use crate::index::PackEntry;
use crate::monitor::Monitor;
use crate::pack::{self, FrameSpan, HEADER_BYTES, TRAILER_BYTES};

/// How closely a store is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// Index, lengths and tables of packs, and that every needed chunk has a place.
    Structure,
    /// Besides, every frame is read, decompressed and compared with the ids of its chunks.
    Data,
}

/// What a check saw.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// Packs looked at.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    /// Frames read, with [`CheckDepth::Data`].
    pub frames: u64,
    /// Needed chunks that no intact copy is known of, by the first 16 bytes of their ids, sorted.
    pub lost_chunks: Vec<[u8; 16]>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

impl Store {
    /// Checks the store. `live` are the chunks that its releases need.
    ///
    /// # Errors
    /// [`StoreError::Interrupted`], or what the storage says when the quarantine list cannot be written.
    pub fn check(
        &self,
        depth: CheckDepth,
        live: ChunkSet,
        monitor: &dyn Monitor,
    ) -> Result<CheckReport, StoreError> {
        let live = live.settled();
        let mut report = CheckReport {
            findings: self.findings.clone(),
            ..CheckReport::default()
        };
        let damaged = self.shelf().damaged_segments(self.storage.as_ref());
        for (name, message) in damaged {
            let message = format!("{message}; opening for writing makes it again from the packs");
            report.findings.push(Finding::damage(name, message));
        }
        let packs: Vec<PackEntry> = self.shelf().packs().to_vec();
        report.packs = packs.len() as u64;
        report.pack_bytes = packs.iter().map(|pack| pack.bytes).sum();
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
        report
            .findings
            .iter()
            .for_each(|finding| monitor.finding(finding));
        Ok(report)
    }

    fn check_packs(
        &self,
        depth: CheckDepth,
        packs: &[PackEntry],
        report: &mut CheckReport,
        monitor: &dyn Monitor,
    ) -> Result<(), StoreError> {
        for (pack, number) in packs.iter().zip(0_u32..) {
            monitor.check_stop()?;
            let spans = match self.pack_spans(pack) {
                Ok(spans) => spans,
                Err(message) => {
                    report.findings.push(Finding::damage(
                        format!("pack {}", pack.id.short()),
                        message,
                    ));
                    self.indexed_spans(number)
                }
            };
            if depth == CheckDepth::Data {
                self.check_frames(number, &spans, report, monitor)?;
            }
        }
        Ok(())
    }

    /// Reads the table of a pack.
    fn pack_spans(&self, pack: &PackEntry) -> Result<Vec<FrameSpan>, String> {
        let name = pack_name(&pack.id);
        let read = |from_end: usize| -> Result<Vec<u8>, String> {
            let mut out = vec![0; from_end];
            let offset = pack
                .bytes
                .checked_sub(from_end as u64)
                .ok_or("too short for a pack")?;
            self.storage
                .read_at(&name, offset, &mut out)
                .map_err(|error| format!("{error}: {}", error.source))?;
            Ok(out)
        };
        let mut head = [0; HEADER_BYTES];
        self.storage
            .read_at(&name, 0, &mut head)
            .map_err(|error| format!("{error}: {}", error.source))?;
        pack::check_header(&head).map_err(|error| error.to_string())?;
        let tail = pack::tail_bytes(&read(TRAILER_BYTES)?, pack.bytes)
            .map_err(|error| error.to_string())?;
        pack::parse_tail(&read(tail)?, pack.bytes).map_err(|error| error.to_string())
    }

    /// Returns the frames that the index knows of in a pack whose own table is gone.
    fn indexed_spans(&self, number: u32) -> Vec<FrameSpan> {
        let shelf = self.shelf();
        let places = shelf
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
            let place = Place {
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
        let mut damaged = damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
        damaged.sort_unstable_by_key(|(place, _)| *place);
        let id = self.shelf().pack(pack).id;
        for (place, error) in &damaged {
            let message = format!(
                "frame at {} is damaged and quarantined: {}",
                place.offset,
                cause(error)
            );
            report
                .findings
                .push(Finding::damage(format!("pack {}", id.short()), message));
        }
        let mut shelf = self.shelf_mut();
        let before = shelf.quarantine.clone();
        for span in spans {
            shelf.quarantine.remove(&Place {
                pack,
                offset: span.offset,
            });
        }
        shelf
            .quarantine
            .extend(damaged.iter().map(|(place, _)| *place));
        if shelf.quarantine != before && self.access == super::Access::Write {
            quarantine::save(self.storage.as_ref(), &shelf)?;
        }
        Ok(())
    }

    fn find_lost(&self, live: &ChunkSet, report: &mut CheckReport) {
        let shelf = self.shelf();
        let mut is_here = vec![false; live.prefixes().len()];
        for (prefix, place) in shelf.entries() {
            if let Some(at) = live.position(&prefix)
                && !shelf.quarantine.contains(&place)
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
            let message = format!(
                "{} needed chunks have no intact copy",
                report.lost_chunks.len()
            );
            report.findings.push(Finding::loss("store", message));
        }
    }
}

fn cause(error: &StoreError) -> String {
    match error {
        StoreError::DamagedFrame {
            source: FrameDamage::Frame(damage),
            ..
        } => damage.to_string(),
        StoreError::DamagedFrame { source, .. } => source.to_string(),
        StoreError::Storage(error) => format!("{error}: {}", error.source),
        other => other.to_string(),
    }
}
