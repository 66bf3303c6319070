//! The table of a FAT or exFAT file system: which cluster follows another in a file.

use std::cell::RefCell;

use crate::base::read_at::ReadAt;
use crate::volumes::media::images::extents::Extent;
use crate::volumes::media::images::fat::FatKind;
use crate::volumes::media::images::read_full;

/// Bytes of a table that are read at a time.
const PAGE_BYTES: usize = 64 * 1024;
/// Pages that are held: 4 MiB.
const PAGES: u64 = 64;
/// Pages that are read in all: 1 GiB. A chain that leads to and fro would read the table for ever.
const READS_MAX: u32 = 1 << 14;

/// A table that is read in pages.
pub(super) struct FatTable<'a> {
    source: &'a dyn ReadAt,
    kind: FatKind,
    extent: Extent,
    pages: RefCell<HeldPages>,
}

#[derive(Default)]
struct HeldPages {
    /// Each with its number, at its number modulo `PAGES`.
    pages: Vec<Option<(u64, Vec<u8>)>>,
    reads: u32,
}

impl<'a> FatTable<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, kind: FatKind, extent: Extent) -> Self {
        Self {
            source,
            kind,
            extent,
            pages: RefCell::default(),
        }
    }

    /// Returns what the table says behind a cluster. 0 when it cannot be read.
    pub(super) fn next(&self, cluster: u32) -> u32 {
        let cluster = u64::from(cluster);
        match self.kind {
            FatKind::Fat12 => {
                let [low, high, ..] = self.bytes(cluster + cluster / 2);
                let both = u32::from(u16::from_le_bytes([low, high]));
                if cluster % 2 == 1 {
                    both >> 4
                } else {
                    both & 0xfff
                }
            }
            FatKind::Fat16 => {
                let [low, high, ..] = self.bytes(cluster * 2);
                u32::from(u16::from_le_bytes([low, high]))
            }
            FatKind::Fat32 => u32::from_le_bytes(self.bytes(cluster * 4)) & 0x0fff_ffff,
            FatKind::ExFat => u32::from_le_bytes(self.bytes(cluster * 4)),
        }
    }

    /// Reads four bytes of the table, or zeros behind its end.
    fn bytes(&self, at: u64) -> [u8; 4] {
        let mut out = [0; 4];
        let mut held = self.pages.borrow_mut();
        for (at, byte) in (at..).zip(&mut out) {
            if at < self.extent.bytes {
                *byte = self.byte(&mut held, at).unwrap_or(0);
            }
        }
        out
    }

    fn byte(&self, held: &mut HeldPages, at: u64) -> Option<u8> {
        let page_no = at / PAGE_BYTES as u64;
        let slot = usize::try_from(page_no % PAGES).ok()?;
        if held.pages.len() <= slot {
            held.pages.resize(slot + 1, None);
        }
        let place = held.pages.get_mut(slot)?;
        if place.as_ref().is_none_or(|(no, _)| *no != page_no) {
            if held.reads == READS_MAX {
                return None;
            }
            held.reads += 1;
            let mut bytes = vec![0; PAGE_BYTES];
            let from = self.extent.at + page_no * PAGE_BYTES as u64;
            read_full(self.source, from, &mut bytes);
            *place = Some((page_no, bytes));
        }
        let within = usize::try_from(at % PAGE_BYTES as u64).ok()?;
        place.as_ref()?.1.get(within).copied()
    }
}
