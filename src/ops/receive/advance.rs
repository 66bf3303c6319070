//! Advances one set as far as possible: heals it, removes wrong blocks, and commits it to the store.
//!
//! Its progress says what it still waits for. Errors are for what no further volume can repair.

use std::collections::BTreeSet;

use super::{HealedBy, ProgressState, Room, SetProgress};
use crate::base::monitor::Monitor;
use crate::base::sealing::SealError;
use crate::bundle::{BundleError, Catalog};
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::ops::history;
use crate::ops::receive::commit::{
    CommitOutcome, CommittedRelease, all_here, commit_set, roots_of,
};
use crate::ops::receive::committed_sets::CommittedSets;
use crate::ops::receive::frame_check;
use crate::ops::receive::frame_check::FrameCheck;
use crate::ops::receive::prerequisites::{self, MissingPrerequisites};
use crate::ops::receive::rules::SiteRules;
use crate::ops::receive::sealed::{self, SealedAsk};
use crate::ops::receive::selection::Selection;
use crate::ops::receive::staged_set::{Staged, StagedSet, asked_of, title_of};
use crate::store::Store;
use crate::volumes::recovery::Recovery;
use crate::volumes::{PayloadReader, SetDescriptor, Staging};

/// How often a set is healed again when staged blocks go bad between healing and reading, or turn out wrong.
const READ_TRIES: u32 = 4;

/// What is known of a set besides its blocks.
pub(super) struct Ask<'a> {
    /// The requested platforms.
    pub(super) platforms: &'a [Platform],
    /// Blocks that this call brought.
    pub(super) new_blocks: u64,
    /// Whether its media were read again to replace wrong blocks.
    pub(super) was_read_again: bool,
    /// What the site takes.
    pub(super) rules: &'a SiteRules,
}

/// Heals what can be healed. When all payload is there, commits the set to the store. A set that is not committed is
/// returned.
pub(super) fn advance(
    store: &Store,
    staging: Staging,
    ask: &Ask<'_>,
    monitor: &dyn Monitor,
) -> Result<(SetProgress, Option<Staging>), Error> {
    let mut staged = Staged::open(staging, ask.platforms)?;
    let mut doubts = Doubts::default();
    if let Staged::Described(set) = &mut staged
        && set.staging.has_others()
    {
        // A block that was removed for being wrong may now have a right copy.
        doubts.note(frame_check::frames(set, false, monitor)?);
    }
    let mut progress = progress_of(store, &staged, ask.rules)?;
    progress.new_blocks = ask.new_blocks;
    let mut set = match described(staged, ask, &mut progress, monitor)? {
        Staged::Described(set) => set,
        Staged::Undescribed(staging) => return Ok((progress, Some(staging))),
    };
    log_bundle(&set, &progress);
    // Also applies when a single volume is read again of a set that was received long ago.
    if !set.catalog().is_sealed() && all_here(store, set.catalog())? {
        progress.state = if set.catalog().releases.is_empty() && progress.left_out.is_some() {
            ProgressState::NotAsked
        } else {
            ProgressState::AlreadyHere
        };
        progress.lacking = None;
        remember(store, &set, &[], ask, monitor)?;
        discard_if_done(store, set)?;
        return Ok((progress, None));
    }
    if let Err(error) = ask.rules.check(store, &set) {
        // Superblocks that say something wrong must not keep out right ones that come later.
        set.staging.clear_doubtful_superblocks()?;
        return Err(error);
    }
    if !progress.needs.complete {
        return doubts.judge(progress, set.staging, ask);
    }
    // Other versions of frames that are right in themselves are tried once.
    let mut was_changed = false;
    for _ in 0..READ_TRIES {
        if !set.staging.payload_ready() {
            // Parity would turn one wrong block into many.
            doubts.note(frame_check::frames(&mut set, false, monitor)?);
            if !set.staging.needs().complete {
                break;
            }
            heal(&mut set.staging, &mut progress, monitor)?;
        }
        let outcome = if set.catalog().is_sealed() {
            let how = SealedAsk {
                platforms: ask.platforms,
                rules: ask.rules,
            };
            let (sealed, opened) = sealed::commit(store, set, how, monitor);
            set = sealed;
            match opened {
                Ok(opened) => match opened.taken(&mut progress, &set) {
                    Ok(done) => {
                        sealed::discard_if_done(set, &done, how)?;
                        return Ok((progress, None));
                    }
                    Err(missing) => Ok(CommitOutcome::Missing(missing)),
                },
                Err(error) => Err(error),
            }
        } else {
            commit_set(store, &set, monitor)
        };
        match outcome {
            Ok(CommitOutcome::In(committed)) => {
                progress.state = ProgressState::Complete;
                progress.committed = committed;
                progress.lacking = None;
                progress.wrong_volumes = set.staging.wrong_blocks().keys().copied().collect();
                // Noted before the set goes: killed in between, the next call finds it done and removes it.
                remember(store, &set, &progress.committed, ask, monitor)?;
                discard_if_done(store, set)?;
                return Ok((progress, None));
            }
            Ok(CommitOutcome::Missing(missing)) => {
                log_missing(&progress, &missing);
                progress.state = ProgressState::NeedsBase;
                progress.lacking = Some(missing);
                return Ok((progress, Some(set.staging)));
            }
            // The set's id binds its content, so another copy is no better.
            Err(error @ Error::Refused { .. }) => {
                set.staging.discard()?;
                return Err(error);
            }
            Err(error) => try_others(error, &mut set, &mut doubts, &mut was_changed, monitor)?,
        }
        if !set.staging.needs().complete {
            break;
        }
    }
    let (healed_blocks, healed_by) = (progress.healed_blocks, progress.healed_by);
    let staged = Staged::Described(set);
    progress = progress_of(store, &staged, ask.rules)?;
    progress.new_blocks = ask.new_blocks;
    progress.healed_blocks = healed_blocks;
    progress.healed_by = healed_by;
    doubts.judge(progress, staged.into_staging(), ask)
}

/// Returns the set with its catalog, rebuilt by parity when enough blocks have come. Otherwise it stays undescribed.
fn described(
    staged: Staged,
    ask: &Ask<'_>,
    progress: &mut SetProgress,
    monitor: &dyn Monitor,
) -> Result<Staged, Error> {
    match staged {
        Staged::Undescribed(mut staging) if progress.needs.complete => {
            heal(&mut staging, progress, monitor)?;
            staging.catalog()?;
            let staged = Staged::open(staging, ask.platforms)?;
            progress.left_out = staged.selection().and_then(Selection::left_out);
            progress.root = staged.staging().root_hex();
            Ok(staged)
        }
        staged => Ok(staged),
    }
}

/// Finds other blocks for those that stopped the commit. Fails with the original error when there are none to try.
fn try_others(
    error: Error,
    set: &mut StagedSet,
    doubts: &mut Doubts,
    was_changed: &mut bool,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    if let Some(place) = damaged_place(&error) {
        set.staging.forget(place)?;
    } else if frame_check::is_wrong_frame(&error) || is_wrong_content(&error) {
        let looked = frame_check::frames(set, false, monitor)?;
        if looked.mended == 0 && looked.wrong.is_empty() {
            return Err(error);
        }
        doubts.note(looked);
    } else if matches!(error, Error::BundleIncomplete { .. })
        && set.staging.has_others()
        && !*was_changed
    {
        // A frame was forged so that it is right in itself, but another version of it exists.
        *was_changed = true;
        if frame_check::frames(set, true, monitor)?.mended == 0 {
            return Err(error);
        }
    } else {
        return Err(error);
    }
    Ok(())
}

/// Frames that are wrong and were not mended.
#[derive(Default)]
struct Doubts {
    volumes: BTreeSet<u16>,
    first: Option<Error>,
}

impl Doubts {
    fn note(&mut self, looked: FrameCheck) {
        let volumes = looked.wrong.iter().map(|place| place.volume_no);
        self.volumes.extend(volumes);
        self.first = self.first.take().or(looked.error);
    }

    /// Describes a set that was not committed. Fails when nothing that may still come would help, because the copies
    /// are wrong.
    fn judge(
        self,
        mut progress: SetProgress,
        staging: Staging,
        ask: &Ask<'_>,
    ) -> Result<(SetProgress, Option<Staging>), Error> {
        let volumes: Vec<u16> = self.volumes.into_iter().collect();
        match self.first {
            Some(source) if ask.was_read_again && progress.needs.any_of.is_empty() => {
                Err(Error::WrongBlocks {
                    volumes,
                    source: Box::new(source),
                })
            }
            _ => {
                progress.doubtful_volumes = volumes;
                Ok((progress, Some(staging)))
            }
        }
    }
}

/// Remembers a set as committed, in the history first. A set that was committed by an earlier call may have been killed
/// before its line was written.
pub(super) fn remember(
    store: &Store,
    set: &StagedSet,
    committed: &[CommittedRelease],
    ask: &Ask<'_>,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let roots = roots_of(set.catalog())?;
    if roots.is_empty() {
        return Ok(());
    }
    let entry = ask.rules.arrival(set, &roots, committed);
    if !committed.is_empty() || !history::has_arrival(store, &entry) {
        history::note(store, &entry, monitor);
    }
    let platforms = match set.selection.left_out() {
        Some(_) => ask.platforms,
        None => &[],
    };
    let title = title_of(&set.staging);
    CommittedSets::remember(store, set.staging.set_id(), &title, &roots, platforms)?;
    ask.rules.remember_day(store, set)
}

/// Removes a set whose selection is in the store, unless an earlier call requested something that is not.
pub(super) fn discard_if_done(store: &Store, set: StagedSet) -> Result<(), Error> {
    if set.selection.left_out().is_none() {
        return Ok(set.staging.discard()?);
    }
    let asked = asked_of(&set.staging);
    match Staged::open(set.staging, &asked)? {
        Staged::Described(set) if !all_here(store, set.catalog())? => Ok(()),
        staged => Ok(staged.into_staging().discard()?),
    }
}

fn heal(
    staging: &mut Staging,
    progress: &mut SetProgress,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let healed = staging.heal(monitor)?;
    tracing::info!(
        set = %progress.set_id,
        copied_blocks = healed.copied_blocks,
        local_blocks = healed.local_blocks,
        wide_blocks = healed.wide_blocks,
        lost_again_blocks = healed.lost_again.len(),
        "blocks were healed"
    );
    progress.healed_blocks += healed.local_blocks + healed.wide_blocks;
    let by = &mut progress.healed_by;
    by.copied_blocks += healed.copied_blocks;
    by.local_blocks += healed.local_blocks;
    by.wide_blocks += healed.wide_blocks;
    Ok(())
}

fn log_bundle(set: &StagedSet, progress: &SetProgress) {
    let catalog = set.catalog();
    tracing::info!(
        set = %progress.set_id,
        title = progress.title,
        releases = ?progress.releases,
        frames = catalog.frames.len(),
        prerequisites = catalog.prerequisites.len(),
        is_complete = progress.needs.complete,
        "bundle was opened"
    );
}

/// Returns whether the pieces of a sealed set may not be those that were sealed.
fn is_wrong_content(error: &Error) -> bool {
    let content = |source: &SealError| matches!(source, SealError::Content(_) | SealError::Header);
    matches!(error, Error::Sealed { source, .. } if content(source))
}

fn log_missing(progress: &SetProgress, missing: &MissingPrerequisites) {
    let releases = missing.any_of.iter().flatten();
    let releases: Vec<&str> = releases.map(|release| release.name.as_str()).collect();
    tracing::warn!(
        set = %progress.set_id,
        ?releases,
        sets = missing.sets.len(),
        chunks = missing.chunks,
        "prerequisites are missing"
    );
}

/// Returns the block that was whole when it was staged and is damaged now.
fn damaged_place(error: &Error) -> Option<crate::volumes::recovery::BlockPlace> {
    match error {
        Error::Bundle(BundleError::Payload(source)) => PayloadReader::damage_of(source),
        _ => None,
    }
}

pub(super) fn progress_of(
    store: &Store,
    staged: &Staged,
    rules: &SiteRules,
) -> Result<SetProgress, Error> {
    let (staging, selection) = (staged.staging(), staged.selection());
    let header = *staging.geometry().header();
    let descriptor = staging.descriptor().ok();
    let needs = staging.needs();
    let recovery = staging.assess();
    let catalog = selection.map(|selection| &selection.catalog);
    let lacking = match selection {
        Some(selection) => {
            let catalog = selection.likely_dependencies();
            prerequisites::quick_check(store, &catalog, &StagedSet::depended_on(store, &catalog)?)
        }
        None => None,
    };
    let state = if needs.complete && lacking.is_some() {
        ProgressState::NeedsBase
    } else if needs.complete || needs.at_least.is_some() {
        ProgressState::NeedsVolumes
    } else {
        ProgressState::Damaged
    };
    let lost_items = match (&descriptor, state) {
        (Some(descriptor), ProgressState::Damaged) => {
            lost_items(staging, catalog, descriptor, &recovery)
        }
        _ => Vec::new(),
    };
    Ok(SetProgress {
        set_id: staging.set_id(),
        title: title_of(staging),
        releases: descriptor.map(|each| each.releases).unwrap_or_default(),
        data_volumes: header.data_volumes,
        block_bytes: header.block_size.bytes(),
        spare_volumes: header.spare_volumes,
        state,
        new_blocks: 0,
        healed_blocks: 0,
        healed_by: HealedBy::default(),
        root: staging.root_hex(),
        needs,
        volumes: recovery.volumes,
        lacking,
        lost_items,
        left_out: selection.and_then(Selection::left_out),
        committed: Vec::new(),
        volumes_read: Vec::new(),
        wrong_volumes: staging.wrong_blocks().keys().copied().collect(),
        doubtful_volumes: Vec::new(),
        helped_by: Vec::new(),
        beside: staging.is_beside(),
        room: Some(Room::of(store, staged)?),
        signed: rules.signers(staging),
        refused: None,
    })
}

/// Returns the names of the items that are not whole. Returns none when no catalog is left.
fn lost_items(
    staging: &Staging,
    catalog: Option<&Catalog>,
    descriptor: &SetDescriptor,
    recovery: &Recovery,
) -> Vec<String> {
    catalog.map_or_else(Vec::new, |catalog| {
        catalog.lost_items(&descriptor.payload_bytes, |volume_no, range| {
            recovery.has_payload(staging.geometry(), volume_no, range)
        })
    })
}
