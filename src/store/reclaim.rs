//! `prune` in a bucket, beside everything else that goes on there. Packs that no release needs are marked, and go when a
//! time of grace is over.
//!
//! Each step leaves the store whole: chunks that are needed are put elsewhere before their pack is marked, a removal is
//! decided by a put on condition, the index forgets a pack before it goes, and the mark outlasts the pack. Times are those
//! of the server alone. Memory: as `prune`, and 100 bytes a pack.

use std::collections::{HashMap, HashSet};

use super::chunk_index::{self, ChunkIndex, pack_name};
use super::lease::Lease;
use super::lives::{Life, PackShare};
use super::marks::{self, MARKS_MAX, MarkState, PackMark, PackMarks, ReadMarks};
use super::seen::OpenNotes;
use super::{LiveChunks, OpenMode, PruneOptions, PruneReport, Store, StoreError, orphans};
use crate::base::id::PackId;
use crate::base::monitor::Monitor;
use crate::base::term::Action;
use crate::content::index::PackEntry;
use crate::store::storage::StorageError;

/// How long a mark outlasts its pack at least, in seconds. A request to remove it that was sent before may come so late.
const REMOVED_SECONDS: u64 = 24 * 3600;
/// How often a listing is repeated when a listed segment was removed meanwhile, or a put when marks changed meanwhile.
const TRIES: u32 = 64;

/// What is known of all packs when it is decided.
struct PruneJudgment {
    /// Packs that no release needs.
    dead: HashSet<PackId>,
    /// Packs that a release needs, though they may be marked.
    needed: HashSet<PackId>,
    /// Packs that are there, with their lengths.
    there: HashMap<PackId, u64>,
    /// What second it is at the server.
    now: u64,
    grace: u64,
}

impl Store {
    /// Takes the lease, and keeps those who held it before from deciding anything more.
    pub(super) fn begin_reclaim(&mut self) -> Result<(), StoreError> {
        if self.lease.is_some() {
            return Ok(());
        }
        let mut read = ReadMarks::read(self.storage.as_ref())?;
        let lease = Lease::take(&self.storage, &self.place, read.marks.fence)?;
        let (fence, _) = lease.renew()?;
        for _ in 0..TRIES {
            if read.marks.fence > fence {
                return Err(StoreError::Superseded);
            }
            if read.version.is_some() {
                // All marks were there at this time, so that those without one are at least as old.
                let since = marks::put_second(self.storage.as_ref(), marks::NAME)?;
                let marks = read.marks.packs.values_mut();
                marks.for_each(|mark| mark.since = mark.since.or(Some(since)));
            }
            read.marks.fence = fence;
            if read.put(self.storage.as_ref())? {
                self.lease = Some(lease);
                return self.read_index_anew();
            }
            read = ReadMarks::read(self.storage.as_ref())?;
        }
        Err(StoreError::Superseded)
    }

    /// Reads the index as it is now. Segments that cannot be read are made again of the packs.
    fn read_index_anew(&self) -> Result<(), StoreError> {
        let storage = self.storage.as_ref();
        let read = ReadMarks::read(storage)?;
        let mut notes = OpenNotes::default();
        let mut index = ChunkIndex::open(storage, OpenMode::Write, &mut notes)?;
        if let Some(name) = index.unread.first() {
            // The packs that it lists would seem to be needed by nobody.
            let why = std::io::Error::other("it cannot be read now");
            return Err(StorageError::on(Action::Read, name.as_ref())(why).into());
        }
        if !index.broken.is_empty() {
            let mut packs: Vec<PackEntry> = chunk_index::packs_in(storage)?
                .into_iter()
                .filter(|(id, _)| index.number_of(id).is_none())
                .map(|(id, bytes)| PackEntry { id, bytes })
                .collect();
            packs.sort_unstable_by_key(|pack| pack.id);
            index.unlisted = packs;
            orphans::adopt(storage, &mut index, OpenMode::Write, &mut notes)?;
        }
        index.set_fading(&read.marks);
        super::quarantine::load(storage, &mut index, &mut notes);
        *self.chunk_index_mut() = index;
        // Packs have new numbers, so cached places would name the wrong frames.
        self.cache.clear();
        self.facts.clear();
        Ok(())
    }

    pub(super) fn reclaim_once(
        &self,
        live: &LiveChunks,
        options: &PruneOptions,
        monitor: &dyn Monitor,
    ) -> Result<PruneReport, StoreError> {
        let lease = self.lease.as_ref().ok_or(StoreError::Superseded)?;
        let (fence, now) = lease.renew()?;
        let storage = self.storage.as_ref();
        // The releases were listed before, so that segments of all of them are in this listing.
        self.read_index_anew()?;
        let there = chunk_index::packs_in(storage)?;
        let lost = {
            let mut chunk_index = self.chunk_index_mut();
            chunk_index.forget_absent(&there);
            let packs = chunk_index.packs().iter().map(|pack| pack.id);
            let mut lost: HashSet<PackId> = packs.filter(|id| !there.contains_key(id)).collect();
            // A listing may be behind, and the index must not forget what is there.
            let is_gone = |id: &PackId| {
                let bytes = storage.bytes(&pack_name(id));
                bytes.is_err_and(|error| error.is_missing())
            };
            lost.retain(is_gone);
            lost
        };
        let mut report = PruneReport {
            bytes_before: there.values().sum(),
            ..PruneReport::default()
        };
        let (dead, needed) = self.judge(live, &there, options, &mut report, monitor)?;
        let grace = options.grace.unwrap_or(self.grace).as_secs();
        let judgment = PruneJudgment {
            dead,
            needed,
            there,
            now,
            grace,
        };
        let mut gone = self.decide(fence, |marks| judgment.apply(marks))?;
        // A later maintainer may have begun since. It does the rest then.
        lease.renew()?;
        let doomed = gone.clone();
        gone.extend(lost);
        chunk_index::replace_some(storage, &self.chunk_index(), &gone)?;
        let mut packs: Vec<&PackId> = doomed.iter().collect();
        // A sorted order makes the removals the same in every run.
        packs.sort_unstable();
        for id in packs {
            monitor.check_stop()?;
            if judgment.there.contains_key(id) {
                tracing::debug!(pack = %id, "pack is removed");
                storage.remove(&pack_name(id))?;
                report.packs_removed += 1;
            }
        }
        let kept: HashSet<PackId> = self.decide(fence, |marks| {
            for mark in marks.packs.values_mut() {
                if mark.state == MarkState::Doomed {
                    *mark = PackMark {
                        state: MarkState::Removed,
                        since: None,
                    };
                }
            }
            let marked = marks.packs.iter();
            let marked = marked.filter(|(_, mark)| mark.state == MarkState::Marked);
            marked.map(|(id, _)| *id).collect()
        })?;
        if let Err(error) = self.remove_joined_lines(now, grace) {
            // The next prune does it.
            tracing::info!(%error, "lines of the history stay apart");
        }
        self.read_index_anew()?;
        let bytes_of = |ids: &HashSet<PackId>| -> u64 {
            ids.iter().filter_map(|id| judgment.there.get(id)).sum()
        };
        report.packs_marked = kept.len() as u64;
        report.bytes_marked = bytes_of(&kept);
        let packs = self.chunk_index().packs().to_vec();
        let new = packs
            .iter()
            .filter(|pack| !judgment.there.contains_key(&pack.id));
        let new: u64 = new.map(|pack| pack.bytes).sum();
        report.bytes_after = report.bytes_before + new - bytes_of(&doomed);
        tracing::info!(
            packs_removed = report.packs_removed,
            packs_rewritten = report.packs_rewritten,
            packs_marked = report.packs_marked,
            bytes_before = report.bytes_before,
            bytes_after = report.bytes_after,
            "store was pruned"
        );
        Ok(report)
    }

    /// Returns the packs that no release needs and those that one does. What is needed of packs that are mostly unused, or
    /// are going, is put into new packs.
    fn judge(
        &self,
        live: &LiveChunks,
        there: &HashMap<PackId, u64>,
        options: &PruneOptions,
        report: &mut PruneReport,
        monitor: &dyn Monitor,
    ) -> Result<(HashSet<PackId>, HashSet<PackId>), StoreError> {
        let shares = self.live_shares(live)?;
        let packs: Vec<PackEntry> = self.chunk_index().packs().to_vec();
        let marks = ReadMarks::read(self.storage.as_ref())?.marks;
        let (mut dead, mut needed) = (HashSet::new(), HashSet::new());
        let is_there = |pack: &PackEntry| there.get(&pack.id) == Some(&pack.bytes);
        for (pack, number) in packs.iter().zip(0_u32..) {
            if is_there(pack) {
                match shares.of(number) {
                    PackShare::None => dead.insert(pack.id),
                    _ => needed.insert(pack.id),
                };
            }
        }
        let moves = |number: u32, pack: &PackEntry, life: &Life| {
            // A damaged pack may read well again, so the only copy of a needed chunk stays.
            if !is_there(pack) || life.hurt {
                return Ok(false);
            }
            let mark = marks.packs.get(&pack.id);
            let is_going = mark.is_some_and(|mark| mark.state > MarkState::Marked);
            Ok(is_going
                || life.quarantined
                || self.live_percent(number, pack, life)? < options.live_percent)
        };
        let moved = self.move_chunks(live, &shares, &moves, options, monitor)?;
        report.packs_rewritten = moved.from.len() as u64;
        for id in moved.from {
            needed.remove(&id);
            dead.insert(id);
        }
        // Packs that no segment lists were left by a builder that was killed, or are those of one at work. The latter takes
        // their marks off when it commits.
        let unlisted = there.keys();
        let listed: HashSet<PackId> = packs.iter().map(|pack| pack.id).collect();
        dead.extend(unlisted.filter(|id| !listed.contains(id)));
        for written in moved.to {
            dead.remove(&written);
            needed.insert(written);
        }
        Ok((dead, needed))
    }

    /// Changes the marks, unless a later maintainer began.
    fn decide<T>(&self, fence: u64, change: impl Fn(&mut PackMarks) -> T) -> Result<T, StoreError> {
        for _ in 0..TRIES {
            let mut read = ReadMarks::read(self.storage.as_ref())?;
            if read.marks.fence != fence {
                return Err(StoreError::Superseded);
            }
            let before = read.marks.clone();
            let done = change(&mut read.marks);
            if read.marks == before || read.put(self.storage.as_ref())? {
                return Ok(done);
            }
        }
        Err(StoreError::Superseded)
    }
}

impl PruneJudgment {
    /// Brings the marks up to date, and returns the packs that go now.
    fn apply(&self, marks: &mut PackMarks) -> HashSet<PackId> {
        let is_over = |mark: &PackMark, seconds: u64| {
            let since = mark.since;
            since.is_some_and(|since| since.saturating_add(seconds) <= self.now)
        };
        let mut going = HashSet::new();
        marks.packs.retain(|id, mark| match mark.state {
            MarkState::Marked if self.needed.contains(id) => false,
            MarkState::Marked => {
                if is_over(mark, self.grace) {
                    *mark = PackMark {
                        state: MarkState::Doomed,
                        since: None,
                    };
                    going.insert(*id);
                }
                true
            }
            MarkState::Doomed => {
                going.insert(*id);
                true
            }
            MarkState::Removed => {
                let is_back = self.there.contains_key(id);
                if is_back {
                    // A request to put it was under way when it was removed.
                    going.insert(*id);
                }
                is_back || !is_over(mark, self.grace.max(REMOVED_SECONDS))
            }
        });
        for id in &self.dead {
            if marks.packs.len() < MARKS_MAX {
                marks.packs.entry(*id).or_insert(PackMark {
                    state: MarkState::Marked,
                    since: None,
                });
            }
        }
        going
    }
}
