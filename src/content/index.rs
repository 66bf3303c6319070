//! The index segment: which frame of which pack holds a chunk. It is sorted and searched in place without being loaded.
//!
//! It handles bytes only. The store maps the file and keeps the set of all segments. A segment is derived from packs
//! and can be made again from them.

use crate::base::envelope::{self, EnvelopeError, EnvelopeKind};
use crate::base::id::{ChunkId, Hasher, PackId};
use crate::base::term::Flaw;

/// Bytes of an entry.
pub(crate) const ENTRY_BYTES: usize = 24;
/// Most packs of a segment.
pub(crate) const PACKS_MAX: usize = 1 << 22;

const PREFIX_BYTES: usize = 16;
const FANOUT_AT: usize = 48;
const PACKS_AT: usize = FANOUT_AT + 256 * 4;
const PACK_BYTES: usize = 40;
const BODY_MAX: u64 = (PACKS_AT + PACKS_MAX * PACK_BYTES) as u64;

/// A pack in a segment's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackEntry {
    /// Its id.
    pub id: PackId,
    /// Its length.
    pub bytes: u64,
}

/// The location of a chunk: the first 16 bytes of its id, the pack's number in the segment's table, the offset of the
/// frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChunkEntry {
    /// First half of the chunk's id.
    pub prefix: [u8; PREFIX_BYTES],
    /// Number of the pack in the table.
    pub pack_no: u32,
    /// Bytes before the frame in its pack.
    pub frame_offset: u32,
}

/// Returns the half of an id that entries contain.
pub fn prefix(id: &ChunkId) -> [u8; PREFIX_BYTES] {
    let mut out = [0; PREFIX_BYTES];
    out.copy_from_slice(&id.as_bytes()[..PREFIX_BYTES]);
    out
}

impl ChunkEntry {
    fn read(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let mut prefix = [0; PREFIX_BYTES];
        prefix.copy_from_slice(&bytes[..PREFIX_BYTES]);
        Self {
            prefix,
            pack_no: u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]),
            frame_offset: u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
        }
    }
}

/// Builds the file of a segment. Entries are sorted and duplicates dropped, so the same content gives the same bytes.
///
/// # Panics
/// With more than `PACKS_MAX` packs or 2^32 entries.
pub fn build(packs: &[PackEntry], mut entries: Vec<ChunkEntry>) -> Vec<u8> {
    assert!(packs.len() <= PACKS_MAX, "too many packs for a segment");
    entries.sort_unstable();
    entries.dedup();
    let mut fanout = [0_u32; 256];
    let mut table = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    for entry in &entries {
        fanout[usize::from(entry.prefix[0])] += 1;
        table.extend_from_slice(&entry.prefix);
        table.extend_from_slice(&entry.pack_no.to_le_bytes());
        table.extend_from_slice(&entry.frame_offset.to_le_bytes());
    }
    let mut body = Vec::with_capacity(PACKS_AT + packs.len() * PACK_BYTES);
    let pack_count = u32::try_from(packs.len()).expect("bounded above");
    body.extend_from_slice(&pack_count.to_le_bytes());
    body.extend_from_slice(&[0; 4]);
    body.extend_from_slice(&(entries.len() as u64).to_le_bytes());
    // The entries have a hash of their own, so that opening a segment reads its head alone.
    body.extend_from_slice(&Hasher::new().update_parallel(&table).finish());
    let mut sum: u32 = 0;
    for count in fanout {
        sum = sum.checked_add(count).expect("fewer than 2^32 entries");
        body.extend_from_slice(&sum.to_le_bytes());
    }
    for pack in packs {
        body.extend_from_slice(pack.id.as_bytes());
        body.extend_from_slice(&pack.bytes.to_le_bytes());
    }
    let mut file = envelope::seal(EnvelopeKind::Index, &body);
    file.extend_from_slice(&table);
    file
}

/// A segment over bytes in a map or in memory.
pub struct IndexSegment<B> {
    bytes: B,
    packs: Vec<PackEntry>,
    fanout: [u32; 256],
    entries_at: usize,
    entries_hash: [u8; 32],
}

impl<B: AsRef<[u8]>> IndexSegment<B> {
    /// Opens a segment. Its head is checked, its entries are not. A caller that needs trusted entries compares their
    /// bytes with [`IndexSegment::entries_hash`].
    ///
    /// # Errors
    /// [`EnvelopeError`] when the head is damaged or the entries are cut short.
    pub fn open(bytes: B) -> Result<Self, EnvelopeError> {
        let file = bytes.as_ref();
        let body = envelope::open(EnvelopeKind::Index, file, BODY_MAX)?;
        let corrupt = EnvelopeError::Corrupt(Flaw::IndexHead);
        let head: &[u8; PACKS_AT] = body.first_chunk().ok_or(corrupt.clone())?;
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let mut fanout = [0; 256];
        let mut before = 0;
        for (slot, at) in fanout.iter_mut().zip((FANOUT_AT..).step_by(4)) {
            *slot = word(at);
            // Ascending counts make every bucket a valid range of the table.
            if *slot < before {
                return Err(corrupt);
            }
            before = *slot;
        }
        let (packs, rest) = body[PACKS_AT..].as_chunks::<PACK_BYTES>();
        let entries_at = envelope::HEADER_BYTES + body.len();
        let entry_bytes = u64::from(before) * ENTRY_BYTES as u64;
        // The file must end with the last entry, so that the table's length equals the fanout's last count.
        if !rest.is_empty()
            || u32::try_from(packs.len()) != Ok(word(0))
            || u64::from(word(8)) | u64::from(word(12)) << 32 != u64::from(before)
            || (file.len() - entries_at) as u64 != entry_bytes
        {
            return Err(corrupt);
        }
        let packs = packs.iter().map(read_pack).collect();
        let mut entries_hash = [0; 32];
        entries_hash.copy_from_slice(&head[16..48]);
        Ok(Self {
            packs,
            fanout,
            entries_at,
            entries_hash,
            bytes,
        })
    }

    /// Returns the packs of the table, by number.
    pub fn packs(&self) -> &[PackEntry] {
        &self.packs
    }

    /// Returns the number of entries.
    pub fn entry_count(&self) -> usize {
        self.table().len()
    }

    fn table(&self) -> &[[u8; ENTRY_BYTES]] {
        self.bytes.as_ref()[self.entries_at..].as_chunks().0
    }

    /// Returns the offset and length of the entries in the file.
    pub(crate) fn entries_span(&self) -> (u64, u64) {
        (
            self.entries_at as u64,
            (self.bytes.as_ref().len() - self.entries_at) as u64,
        )
    }

    /// Returns the expected hash of the entries.
    pub(crate) fn entries_hash(&self) -> [u8; 32] {
        self.entries_hash
    }

    /// Iterates over all entries whose pack exists, in order.
    pub fn entries(&self) -> impl Iterator<Item = ChunkEntry> {
        self.table()
            .iter()
            .map(ChunkEntry::read)
            .filter(|entry| self.has_pack(entry))
    }

    /// Iterates over the entries whose ids begin with this byte and whose pack exists, in order.
    pub(crate) fn entries_of(&self, first: u8) -> impl Iterator<Item = ChunkEntry> {
        self.bucket(first)
            .iter()
            .map(ChunkEntry::read)
            .filter(|entry| self.has_pack(entry))
    }

    fn bucket(&self, first: u8) -> &[[u8; ENTRY_BYTES]] {
        let bucket = usize::from(first);
        let bound = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        let low = bucket
            .checked_sub(1)
            .map_or(0, |below| bound(self.fanout[below]));
        // The head was checked when the segment was opened, and it bounds the fanout by the length of the table.
        let slice = self.table().get(low..bound(self.fanout[bucket]));
        slice.unwrap_or_default()
    }

    fn has_pack(&self, entry: &ChunkEntry) -> bool {
        // Entries are used without their hash, so a rotten number must not lead out of the table.
        usize::try_from(entry.pack_no).is_ok_and(|no| no < self.packs.len())
    }

    /// Finds the entries for a chunk, mostly none or one. Only the frame's table shows whether the whole id matches.
    pub fn lookup(&self, id: &ChunkId) -> impl Iterator<Item = ChunkEntry> {
        let wanted = prefix(id);
        let slice = self.bucket(wanted[0]);
        let first = slice.partition_point(|entry| entry[..PREFIX_BYTES] < wanted[..]);
        slice[first..]
            .iter()
            .map(ChunkEntry::read)
            .take_while(move |entry| entry.prefix == wanted)
            .filter(|entry| self.has_pack(entry))
    }
}

fn read_pack(bytes: &[u8; PACK_BYTES]) -> PackEntry {
    let mut id = [0; 32];
    id.copy_from_slice(&bytes[..32]);
    let mut len = [0; 8];
    len.copy_from_slice(&bytes[32..]);
    PackEntry {
        id: PackId(id),
        bytes: u64::from_le_bytes(len),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u32) -> ChunkId {
        ChunkId::of(&number.to_le_bytes())
    }

    fn entry(number: u32) -> ChunkEntry {
        ChunkEntry {
            prefix: prefix(&id(number)),
            pack_no: number % 2,
            frame_offset: number * 16,
        }
    }

    fn packs() -> [PackEntry; 2] {
        [1, 2].map(|byte| PackEntry {
            id: PackId([byte; 32]),
            bytes: 1 << 26,
        })
    }

    #[test]
    fn every_entry_is_found_and_no_other() {
        let mut entries: Vec<ChunkEntry> = (0..3000).map(entry).collect();
        entries.push(ChunkEntry {
            frame_offset: 7,
            ..entry(5)
        });
        entries.push(entry(6));
        let segment = IndexSegment::open(build(&packs(), entries)).unwrap();
        assert_eq!(
            (segment.packs(), segment.entry_count()),
            (&packs()[..], 3001)
        );
        for number in 0..3000 {
            assert!(
                segment
                    .lookup(&id(number))
                    .any(|found| found == entry(number)),
                "{number}"
            );
        }
        assert_eq!(segment.lookup(&id(5)).count(), 2);
        assert!((3000..6000).all(|number| segment.lookup(&id(number)).next().is_none()));
        assert!(segment.entries().is_sorted());
    }

    #[test]
    fn an_empty_segment_and_packs_out_of_range_find_nothing() {
        let empty = IndexSegment::open(build(&[], Vec::new())).unwrap();
        assert_eq!(empty.lookup(&id(1)).count() + empty.entries().count(), 0);
        let stray = IndexSegment::open(build(&[], vec![entry(1)])).unwrap();
        assert_eq!(stray.lookup(&id(1)).count() + stray.entries().count(), 0);
    }

    #[test]
    fn a_damaged_head_is_refused_and_damaged_entries_show_in_their_hash() {
        let file = build(&packs(), (0..50).map(entry).collect());
        let head = IndexSegment::open(file.clone()).unwrap().entries_span().0;
        for at in (0..usize::try_from(head).unwrap()).step_by(7) {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(IndexSegment::open(bad).is_err(), "flip at {at}");
        }
        assert!(IndexSegment::open(file[..file.len() - 1].to_vec()).is_err());
        let segment = IndexSegment::open(&file).unwrap();
        let (offset, _) = segment.entries_span();
        assert_eq!(
            crate::base::id::hash(&file[usize::try_from(offset).unwrap()..]),
            segment.entries_hash()
        );
    }

    proptest! {
        #[test]
        fn hostile_segments_never_panic(
            body in proptest::collection::vec(any::<u8>(), 0..1400), behind in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut file = envelope::seal(EnvelopeKind::Index, &body);
            file.extend_from_slice(&behind);
            if let Ok(segment) = IndexSegment::open(file) {
                let _ = segment.lookup(&id(1)).count() + segment.entries().count();
            }
        }

        #[test]
        fn hostile_entries_never_panic(junk in proptest::collection::vec(any::<u8>(), 1200)) {
            let mut file = build(&packs(), (0..50).map(entry).collect());
            let from = file.len() - junk.len();
            file[from..].copy_from_slice(&junk);
            let segment = IndexSegment::open(file).unwrap();
            for number in 0..50 {
                let _ = segment.lookup(&id(number)).count();
            }
            prop_assert!(segment.entries().all(|entry| entry.pack_no < 2));
        }
    }
}
