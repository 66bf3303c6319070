//! Frees the room of chunks that no release needs. Dead packs are removed, and mostly dead ones are rewritten.
//!
//! New packs and the new index are durable before anything old is removed. A needed chunk that is damaged keeps its
//! pack, because the pack may read well again. Memory: what `live_chunks` and `lives` state, and 240 MiB at most for packs
//! that are used in part. Those are looked into in groups, and for each group the index is walked once more.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::chunk_index::{self, PackPlace, pack_name};
use super::lives::{Life, LiveShares, PackShare};
use super::writer::Dedup;
use super::{LiveChunks, Store, StoreError, StoreWriter, WriteOptions, quarantine};
use crate::base::id::PackId;
use crate::base::monitor::Monitor;
use crate::content::frame::KeptFrame;
use crate::content::index::{ChunkEntry, PackEntry};

/// Options of a prune.
#[derive(Debug, Clone, Copy)]
pub struct PruneOptions {
    /// A pack with a smaller share of live bytes, in percent, is rewritten.
    pub live_percent: u64,
    /// How chunks are rewritten.
    pub write: WriteOptions,
    /// How long a pack stays in a bucket after it was marked, instead of what `carryall.toml` says. Readers and writers that
    /// began before must be done by then.
    pub grace: Option<Duration>,
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self {
            live_percent: 50,
            write: WriteOptions::default(),
            grace: None,
        }
    }
}

/// The result of a prune.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Packs removed.
    pub packs_removed: u64,
    /// Packs among them whose live chunks were rewritten.
    pub packs_rewritten: u64,
    /// Bytes of packs before.
    pub bytes_before: u64,
    /// Bytes of packs after.
    pub bytes_after: u64,
    /// Packs in a bucket that no release needs and that stay for now.
    pub packs_marked: u64,
    /// Their bytes.
    pub bytes_marked: u64,
}

/// Packs whose live chunks were put elsewhere, and the new packs with them.
#[derive(Default)]
pub(super) struct MovedPacks {
    pub(super) from: Vec<PackId>,
    pub(super) to: Vec<PackId>,
}

/// Live chunks of packs that are looked into at a time.
const GROUP_CHUNKS: u64 = 4 << 20;

impl Store {
    /// Drops all chunks that are not in `live` ([`LiveChunks`], or a set), which is the chunks of all releases. In a bucket, what is to be removed is
    /// marked first, and [`Store::be_alone`] must come before the releases are listed.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::Served`], [`StoreError::Maintained`], [`StoreError::Superseded`],
    /// [`StoreError::Interrupted`], or a storage error. Nothing that is needed is removed in these cases.
    pub fn prune(
        &mut self,
        live: impl Into<LiveChunks>,
        options: &PruneOptions,
        monitor: &dyn Monitor,
    ) -> Result<PruneReport, StoreError> {
        // Readers beside a writer rely on packs only being added, so they must all be gone.
        self.be_alone()?;
        let live = live.into().settled()?;
        loop {
            let pruned = match self.is_shared() {
                true => self.reclaim_once(&live, options, monitor),
                false => self.prune_once(&live, options, monitor),
            };
            match pruned {
                // A chunk that had to be moved is damaged. Its pack stays, and the others are considered again.
                Err(StoreError::DamagedFrame {
                    pack,
                    offset,
                    source,
                }) => {
                    let number = self.chunk_index().number_of(&pack);
                    let place = number.map(|pack| PackPlace { pack, offset });
                    // Each pass must quarantine a new frame. Otherwise the loop would not end.
                    let is_new = |place: &PackPlace| !self.chunk_index().quarantine.contains(place);
                    let Some(place) = place.filter(is_new) else {
                        return Err(StoreError::DamagedFrame {
                            pack,
                            offset,
                            source,
                        });
                    };
                    self.quarantine(place)?;
                }
                done => return done,
            }
        }
    }

    fn prune_once(
        &self,
        live: &LiveChunks,
        options: &PruneOptions,
        monitor: &dyn Monitor,
    ) -> Result<PruneReport, StoreError> {
        let before: Vec<PackEntry> = self.chunk_index().packs().to_vec();
        let mut report = PruneReport {
            bytes_before: before.iter().map(|pack| pack.bytes).sum(),
            ..PruneReport::default()
        };
        let shares = self.live_shares(live)?;
        let mut dead = HashSet::new();
        for (pack, number) in before.iter().zip(0_u32..) {
            if shares.of(number) == PackShare::None {
                dead.insert(pack.id);
            }
        }
        let moves = |number: u32, pack: &PackEntry, life: &Life| {
            // The pack may read well again, so the only copy of a needed chunk stays even when it is damaged.
            Ok(!life.hurt
                && (life.quarantined
                    || self.live_percent(number, pack, life)? < options.live_percent))
        };
        let moved = self.move_chunks(live, &shares, &moves, options, monitor)?;
        report.packs_rewritten = moved.from.len() as u64;
        dead.extend(moved.from);
        // A rewritten pack can come out with the id of an old one, and must then not be removed.
        for written in moved.to {
            dead.remove(&written);
        }
        // All moved chunks are durable here, so removing the old packs loses nothing.
        self.drop_packs(&dead)?;
        report.packs_removed = dead.len() as u64;
        report.bytes_after = self
            .chunk_index()
            .packs()
            .iter()
            .map(|pack| pack.bytes)
            .sum();
        tracing::info!(
            packs_removed = report.packs_removed,
            packs_rewritten = report.packs_rewritten,
            bytes_before = report.bytes_before,
            bytes_after = report.bytes_after,
            "store was pruned"
        );
        Ok(report)
    }

    /// Estimates the live share of a pack: for each frame, the live part of its plain bytes times its stored bytes.
    pub(super) fn live_percent(
        &self,
        pack: u32,
        entry: &PackEntry,
        life: &Life,
    ) -> Result<u64, StoreError> {
        let mut live_bytes = 0;
        for (offset, prefixes) in &life.live {
            let (head, _, table) = self.frame_table(PackPlace {
                pack,
                offset: *offset,
            })?;
            let live = table
                .iter()
                .filter(|(id, _)| prefixes.contains(&crate::content::index::prefix(id)));
            let live_plain: usize = live.map(|(_, len)| len).sum();
            live_bytes +=
                head.frame_bytes() as u64 * live_plain as u64 / (head.plain_bytes.max(1)) as u64;
        }
        Ok(live_bytes * 100 / entry.bytes.max(1))
    }

    /// Puts what is live of packs into new ones, of those packs for which `moves` returns true. Packs of which everything or
    /// nothing is live are not asked for.
    pub(super) fn move_chunks(
        &self,
        live: &LiveChunks,
        shares: &LiveShares,
        moves: &dyn Fn(u32, &PackEntry, &Life) -> Result<bool, StoreError>,
        options: &PruneOptions,
        monitor: &dyn Monitor,
    ) -> Result<MovedPacks, StoreError> {
        let mut moved = MovedPacks::default();
        let mut writer = None;
        for group in shares.groups(GROUP_CHUNKS) {
            monitor.check_stop()?;
            let lives = self.lives(live, Some(&group))?;
            let mut numbers: Vec<u32> = lives.keys().copied().collect();
            // The order of the packs makes the new ones independent of the order of the map.
            numbers.sort_unstable();
            for number in numbers {
                let (pack, life) = (self.chunk_index().pack(number), &lives[&number]);
                if !moves(number, &pack, life)? {
                    continue;
                }
                let writer = match &mut writer {
                    Some(writer) => writer,
                    none => {
                        none.insert(self.writer_with(&options.write, Dedup::Writer, monitor)?)
                    }
                };
                self.move_pack(writer, number, life, options)?;
                moved.from.push(pack.id);
            }
        }
        if let Some(mut writer) = writer {
            writer.commit()?;
            moved.to = writer.packs().to_vec();
        }
        Ok(moved)
    }

    fn move_pack(
        &self,
        writer: &mut StoreWriter<'_>,
        pack: u32,
        life: &Life,
        options: &PruneOptions,
    ) -> Result<(), StoreError> {
        let mut offsets: Vec<u32> = life.live.keys().copied().collect();
        // Reading in file order is fast.
        offsets.sort_unstable();
        for offset in offsets {
            let (frame, bytes) = self.frame_and_bytes(PackPlace { pack, offset })?;
            // Long frames stay as they are when nearly all of them is live. Short ones are joined.
            let is_long = frame.plain.len() >= options.write.frame_bytes / 2;
            let kept = is_long.then(|| KeptFrame::of(bytes, &frame)).flatten();
            let live = &life.live[&offset];
            writer.put_frame(&frame, kept, |id| {
                live.contains(&crate::content::index::prefix(id))
            })?;
        }
        Ok(())
    }

    /// Removes packs from the index first and from the storage second, so that the index never lists a missing pack.
    /// Entries of lost packs are removed too. A lost pack that turns up again is adopted.
    fn drop_packs(&self, dead: &HashSet<PackId>) -> Result<(), StoreError> {
        let mut chunk_index = self.chunk_index_mut();
        if dead.is_empty() && !chunk_index.lists_lost_packs() && chunk_index.unread.is_empty() {
            return Ok(());
        }
        let mut kept = Vec::new();
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        for (pack, number) in chunk_index.packs().iter().zip(0_u32..) {
            if !dead.contains(&pack.id) {
                numbers.insert(
                    number,
                    u32::try_from(kept.len()).expect("no more than there were"),
                );
                kept.push(*pack);
            }
        }
        let entries = chunk_index.entries().filter_map(|(prefix, place)| {
            Some(ChunkEntry {
                prefix,
                pack_no: *numbers.get(&place.pack)?,
                frame_offset: place.offset,
            })
        });
        let entries = entries.collect();
        // The new index is durable before the first pack is removed, so a kill in between leaves only unlisted packs.
        chunk_index::replace_all(self.storage.as_ref(), &mut chunk_index, &kept, entries)?;
        // Packs have new numbers, so cached places would name the wrong frames.
        self.cache.clear();
        self.facts.clear();
        let mut gone: Vec<&PackId> = dead.iter().collect();
        // A sorted order makes the removals the same in every run.
        gone.sort_unstable();
        for id in gone {
            tracing::debug!(pack = %id, "pack is removed");
            self.storage.remove(&pack_name(id))?;
        }
        quarantine::save(self.storage.as_ref(), &chunk_index)
    }
}
