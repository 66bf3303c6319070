//! Frees the room of chunks that no release needs. Dead packs are removed, and mostly dead ones are rewritten.
//!
//! New packs and the new index are durable before anything old is removed. A needed chunk that is damaged keeps its
//! pack, because the pack may read well again. Memory: 28 bytes for each chunk that is needed, and
//! 60 more for those in packs that are used in part.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::chunk_index::{self, PackPlace, pack_name};
use super::writer::Dedup;
use super::{ChunkSet, Store, StoreError, WriteOptions, quarantine};
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

/// The live content of a pack.
#[derive(Default)]
pub(super) struct Life {
    pub(super) live: HashMap<u32, HashSet<[u8; 16]>>,
    /// Whether damaged frames of the pack hold needed chunks that have no other copy.
    pub(super) hurt: bool,
    /// Whether the pack holds damaged frames.
    pub(super) quarantined: bool,
    /// Whether every chunk that the index lists of the pack is live. What these are is left out then.
    pub(super) is_full: bool,
}

/// What is found out about packs of which every chunk is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LifeDetail {
    /// That it is so, as far as they are neither damaged nor marked. It takes neither memory for each of their chunks nor a
    /// look into the pack.
    Share,
    /// Which chunks these are.
    Chunks,
}

impl Store {
    /// Drops all chunks that are not in `live`, which is the chunks of all releases. In a bucket, what is to be removed is
    /// marked first, and [`Store::be_alone`] must come before the releases are listed.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::Served`], [`StoreError::Maintained`], [`StoreError::Superseded`],
    /// [`StoreError::Interrupted`], or a storage error. Nothing that is needed is removed in these cases.
    pub fn prune(
        &mut self,
        live: ChunkSet,
        options: &PruneOptions,
        monitor: &dyn Monitor,
    ) -> Result<PruneReport, StoreError> {
        // Readers beside a writer rely on packs only being added, so they must all be gone.
        self.be_alone()?;
        let live = live.settled();
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
        live: &ChunkSet,
        options: &PruneOptions,
        monitor: &dyn Monitor,
    ) -> Result<PruneReport, StoreError> {
        let before: Vec<PackEntry> = self.chunk_index().packs().to_vec();
        let mut report = PruneReport {
            bytes_before: before.iter().map(|pack| pack.bytes).sum(),
            ..PruneReport::default()
        };
        let lives = self.lives(live, LifeDetail::Share);
        let mut dead = HashSet::new();
        let mut moving = Vec::new();
        for (pack, number) in before.iter().zip(0_u32..) {
            let life = lives.get(&number);
            match life {
                None => {
                    dead.insert(pack.id);
                }
                // The pack may read well again, so the only copy of a needed chunk stays even when it is damaged.
                Some(life) if life.hurt || life.is_full => {}
                Some(life)
                    if life.quarantined
                        || self.live_percent(number, pack, life)? < options.live_percent =>
                {
                    dead.insert(pack.id);
                    moving.push((number, life));
                    report.packs_rewritten += 1;
                }
                Some(_) => {}
            }
        }
        // A rewritten pack can come out with the id of an old one, and must then not be removed.
        for written in self.move_chunks(&moving, options, monitor)? {
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

    /// Finds the chunks that are live in each pack. The first of several intact copies counts, and one in a pack that is not
    /// marked before all others.
    pub(super) fn lives(&self, live: &ChunkSet, detail: LifeDetail) -> HashMap<u32, Life> {
        let chunk_index = self.chunk_index();
        let number = |place: PackPlace| usize::try_from(place.pack).unwrap_or(usize::MAX);
        let mut homes: Vec<Option<PackPlace>> = vec![None; live.prefixes().len()];
        // Chunks of each pack that are listed, without those that are live there.
        let mut unused = vec![0_u64; chunk_index.packs().len()];
        let mut search = live.ascending_search();
        for (prefix, place) in chunk_index.entries() {
            unused[number(place)] += 1;
            let Some(at) = search.position(&prefix) else {
                continue;
            };
            // An intact home stays. A damaged one is replaced by any intact copy.
            let rank = |place: &PackPlace| {
                let is_damaged = chunk_index.quarantine.contains(place);
                (is_damaged, chunk_index.fading(*place))
            };
            if homes[at].is_none_or(|home| rank(&place) < rank(&home)) {
                homes[at] = Some(place);
            }
        }
        for home in homes.iter().flatten() {
            unused[number(*home)] -= 1;
        }
        let hurt: HashSet<u32> = chunk_index.quarantine.iter().map(|at| at.pack).collect();
        let is_full = |place: PackPlace| {
            detail == LifeDetail::Share
                && unused[number(place)] == 0
                && !hurt.contains(&place.pack)
                && chunk_index.fading(place).is_none()
        };
        let mut lives: HashMap<u32, Life> = HashMap::new();
        for (prefix, home) in live.prefixes().iter().zip(homes) {
            let Some(home) = home else { continue };
            let life = lives.entry(home.pack).or_default();
            if is_full(home) {
                life.is_full = true;
                continue;
            }
            life.hurt |= chunk_index.quarantine.contains(&home);
            life.live.entry(home.offset).or_default().insert(*prefix);
        }
        for place in &chunk_index.quarantine {
            if let Some(life) = lives.get_mut(&place.pack) {
                life.quarantined = true;
            }
        }
        lives
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

    pub(super) fn move_chunks(
        &self,
        moving: &[(u32, &Life)],
        options: &PruneOptions,
        monitor: &dyn Monitor,
    ) -> Result<Vec<PackId>, StoreError> {
        if moving.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = self.writer_with(&options.write, Dedup::Writer, monitor)?;
        for (pack, life) in moving {
            let mut offsets: Vec<u32> = life.live.keys().copied().collect();
            // Reading in file order is fast, and makes the new packs independent of the order of the map.
            offsets.sort_unstable();
            for offset in offsets {
                let place = PackPlace {
                    pack: *pack,
                    offset,
                };
                let (frame, bytes) = self.frame_and_bytes(place)?;
                // Long frames stay as they are when nearly all of them is live. Short ones are joined.
                let is_long = frame.plain.len() >= options.write.frame_bytes / 2;
                let kept = is_long.then(|| KeptFrame::of(bytes, &frame)).flatten();
                let live = &life.live[&offset];
                writer.put_frame(&frame, kept, |id| {
                    live.contains(&crate::content::index::prefix(id))
                })?;
            }
        }
        writer.commit()?;
        Ok(writer.packs().to_vec())
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
