//! Completes sets from one another: one release that was packed more than once, of which other parts were lost each
//! time.
//!
//! Sets are joined frame by frame, and each frame counts as far as it is staged or parity restores it. Nothing is
//! written before it is certain that all chunks are there. Memory: as `overlay` states, and 56 bytes a chunk.

use crate::base::id::{ChunkId, SetId};
use crate::base::monitor::Monitor;
use crate::bundle::{Catalog, FramePlace, UnpackedFrame};
use crate::content::recipe::walk::Walker;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::{ReleaseRoot, walk};
use crate::ops::receive::advance::{Ask, discard_if_done, progress_of, remember};
use crate::ops::receive::commit::{
    CommittedRelease, all_here, commit, growth_bytes, missing_of, prove, put, roots_of,
};
use crate::ops::receive::overlay::OverlaySource;
use crate::ops::receive::report::{ProgressState, SetProgress};
use crate::ops::receive::restorable;
use crate::ops::receive::rules::SiteRules;
use crate::ops::receive::staged_set::{Staged, StagedSet, asked_of, title_of};
use crate::ops::{Error, ErrorKind, blob_cache};
use crate::store::{ChunkSet, Store, WriteOptions};
use crate::volumes::recovery::SetNeeds;
use crate::volumes::staging::open_all;

/// A set that could not be committed: its id, its title, and why.
type Failed = (SetId, String, Error);

/// Completes staged sets that lack something from other staged sets with the same releases, and updates their
/// progress in `sets`. Of the sets that take part, at least one has to satisfy `is_met`.
///
/// # Errors
/// [`Error`] when the staging folder cannot be read, or a stop was asked for.
pub(super) fn complete(
    store: &Store,
    sets: &mut Vec<SetProgress>,
    failed: &mut Vec<Failed>,
    is_met: &dyn Fn(&SetId) -> bool,
    rules: &SiteRules,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let mut staged = described(store)?;
    let mut at = 0;
    while at < staged.len() {
        let (own, others) = split(&mut staged, at);
        let others: Vec<&mut StagedSet> = others
            .filter(|other| share_a_release(own.catalog(), other.catalog()))
            .collect();
        let mut ids = others.iter().map(|other| other.staging.set_id());
        if others.is_empty()
            || !(is_met(&own.staging.set_id()) || ids.any(|id| is_met(&id)))
            || own.staging.needs().complete
            || all_here(store, own.catalog())?
            || rules.check(store, own).is_err()
        {
            at += 1;
            continue;
        }
        let helped_by = others.iter().map(|other| other.staging.set_id()).collect();
        match commit_with(store, own, others, monitor) {
            Ok(None) => at += 1,
            Ok(Some(committed)) => {
                let set = staged.remove(at);
                note_complete(store, sets, (set, committed, helped_by), rules, monitor)?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let staging = staged.remove(at).staging;
                let (set_id, title) = (staging.set_id(), title_of(&staging));
                // The set's id binds its content, so another copy is no better.
                if matches!(error, Error::Refused { .. }) {
                    staging.discard()?;
                }
                sets.retain(|told| told.set_id != set_id);
                failed.push((set_id, title, error));
            }
        }
    }
    Ok(())
}

/// Returns the staged sets whose catalogs are known.
fn described(store: &Store) -> Result<Vec<StagedSet>, Error> {
    let staged = open_all(&store.incoming_dir())?.into_iter();
    if staged.len() < 2 {
        return Ok(Vec::new());
    }
    let described = staged.filter_map(|staging| match Staged::look(staging) {
        Staged::Described(set) => Some(set),
        Staged::Undescribed(_) => None,
    });
    Ok(described.collect())
}

/// Returns one of the sets, and all others.
fn split(
    staged: &mut [StagedSet],
    at: usize,
) -> (&mut StagedSet, impl Iterator<Item = &mut StagedSet>) {
    let (before, rest) = staged.split_at_mut(at);
    let (own, after) = rest.split_first_mut().expect("the place is within");
    (own, before.iter_mut().chain(after))
}

/// Returns whether two bundles have a release in common.
fn share_a_release(one: &Catalog, other: &Catalog) -> bool {
    let is_in_other = |root: &[u8]| other.releases.iter().any(|release| release.root == root);
    one.releases
        .iter()
        .any(|release| is_in_other(&release.root))
}

/// Removes a set that was completed, and says so in its progress.
fn note_complete(
    store: &Store,
    sets: &mut Vec<SetProgress>,
    (set, committed, helped_by): (StagedSet, Vec<CommittedRelease>, Vec<SetId>),
    rules: &SiteRules,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let set_id = set.staging.set_id();
    let asked = asked_of(&set.staging);
    let ask = Ask {
        platforms: &asked,
        new_blocks: 0,
        was_read_again: false,
        rules,
    };
    // Noted before the set goes: killed in between, the next call finds it done and removes it.
    remember(store, &set, &committed, &ask, monitor)?;
    let staged = Staged::Described(set);
    let told = match sets.iter().position(|told| told.set_id == set_id) {
        Some(at) => sets.remove(at),
        None => progress_of(store, &staged, rules)?,
    };
    sets.push(SetProgress {
        state: ProgressState::Complete,
        needs: SetNeeds::nothing(),
        lacking: None,
        lost_items: Vec::new(),
        doubtful_volumes: Vec::new(),
        room: None,
        committed,
        helped_by,
        ..told
    });
    match staged {
        Staged::Described(set) => discard_if_done(store, set),
        Staged::Undescribed(staging) => Ok(staging.discard()?),
    }
}

/// Commits the releases of a set from its frames and those of others. Returns `None` when they do not suffice.
fn commit_with(
    store: &Store,
    own: &mut StagedSet,
    others: Vec<&mut StagedSet>,
    monitor: &dyn Monitor,
) -> Result<Option<Vec<CommittedRelease>>, Error> {
    if !is_worth_reading(store, own, &others)? {
        return Ok(None);
    }
    let roots = roots_of(own.catalog())?;
    // The set itself comes first, so that others are read into the store only for what it lacks.
    let mut parts = vec![own];
    parts.extend(others);
    for set in &mut parts {
        set.staging.heal(monitor)?;
    }
    let Some(wanted) = Wanted::of(store, &mut parts, &roots, monitor)? else {
        return Ok(None);
    };
    write(store, &parts, &wanted, monitor)?;
    for root in &roots {
        if !missing_of(store, root)?.is_empty() {
            return Ok(None);
        }
    }
    restorable::check(store, &roots)?;
    if prove(store, &roots, monitor)?.is_some() {
        return Ok(None);
    }
    commit(store, &roots).map(Some)
}

/// Returns whether the others may have what a set lacks, by the sizes in the catalogs alone. A store with releases may
/// have any part of it, so only an empty one allows the comparison.
fn is_worth_reading(
    store: &Store,
    own: &StagedSet,
    others: &[&mut StagedSet],
) -> Result<bool, Error> {
    if !store.roots()?.is_empty() {
        return Ok(true);
    }
    let plain_bytes = |places: Vec<FramePlace>| -> u64 {
        let bytes = places
            .iter()
            .map(|place| u64::from(place.entry.plain_bytes));
        bytes.sum()
    };
    let others = others.iter().map(|other| plain_bytes(usable(other)));
    let lacking = plain_bytes(own.places()).saturating_sub(plain_bytes(usable(own)));
    Ok(others.fold(0, u64::saturating_add) >= lacking)
}

/// Returns the frames of a set that are present or can be rebuilt by parity.
fn usable(set: &StagedSet) -> Vec<FramePlace> {
    let recovery = set.staging.assess();
    let mut places = set.places();
    places.retain(|place| set.has(&recovery, place));
    places
}

/// What is taken of several sets.
struct Wanted {
    chunks: ChunkSet,
    /// The frames that have these chunks, for each set.
    frames: Vec<Vec<FramePlace>>,
}

impl Wanted {
    /// Reads all frames, and returns those that complete the releases. Returns `None` when a chunk is in none of them
    /// and not in the store.
    fn of(
        store: &Store,
        parts: &mut [&mut StagedSet],
        roots: &[ReleaseRoot],
        monitor: &dyn Monitor,
    ) -> Result<Option<Self>, Error> {
        let mut all = OverlaySource::new(store);
        let mut new_chunks = Vec::new();
        for set in parts {
            let mut new_of = Vec::new();
            let bad = set.read(
                &usable(set),
                store,
                monitor,
                |place, UnpackedFrame { frame, .. }| {
                    let ids = frame.chunks.iter().map(|(id, _)| *id);
                    let new_ids: Vec<ChunkId> = ids.filter(|id| !all.contains(id)).collect();
                    all.note(&frame);
                    if !new_ids.is_empty() {
                        new_of.push((*place, new_ids));
                    }
                    Ok(())
                },
            )?;
            for place in bad {
                // Blocks that have gone bad are forgotten, so that the next heal rebuilds them by parity.
                set.staging.forget(place)?;
            }
            new_chunks.push(new_of);
        }
        let Some(chunks) = needed(&all, roots)? else {
            return Ok(None);
        };
        let frames = new_chunks.into_iter().map(|of_set| {
            let frames = of_set.into_iter();
            let frames = frames.filter(|(_, ids)| ids.iter().any(|id| chunks.contains(id)));
            frames.map(|(place, _)| place).collect()
        });
        let frames = frames.collect();
        Ok(Some(Self { chunks, frames }))
    }
}

/// Returns the chunks of the releases. Returns `None` when one is nowhere.
fn needed(all: &OverlaySource<'_>, roots: &[ReleaseRoot]) -> Result<Option<ChunkSet>, Error> {
    let mut chunks = ChunkSet::new();
    let mut is_missing = false;
    for root in roots {
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            is_missing |= !all.contains(id);
            chunks.insert(id);
            Ok(())
        };
        match walk::release(&mut Walker::new(all), root, &mut note) {
            Err(RecipeError::Missing(_) | RecipeError::Chunk { .. }) => return Ok(None),
            other => other?,
        }
    }
    Ok((!is_missing).then(|| chunks.settled()))
}

fn write(
    store: &Store,
    parts: &[&mut StagedSet],
    wanted: &Wanted,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let frames = wanted.frames.iter().flatten();
    let payload_bytes = frames
        .map(|place| u64::from(place.entry.stored_bytes))
        .sum();
    blob_cache::make_room(store, growth_bytes(payload_bytes))?;
    let mut writer = store.writer(&WriteOptions::default(), monitor)?;
    monitor.start("take over", payload_bytes);
    for (set, frames) in parts.iter().zip(&wanted.frames) {
        set.read(frames, store, monitor, |_, frame| {
            put(&mut writer, frame, Some(&wanted.chunks)).map(drop)
        })?;
    }
    monitor.finish();
    // From here on every chunk is durable, as it must be before a root names it.
    writer.finish()?;
    Ok(())
}
