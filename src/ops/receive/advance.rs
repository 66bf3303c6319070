//! One set, as far as it comes: healed, freed of wrong blocks, taken into the store.
//!
//! What keeps it from coming in is said in its progress; errors are for what no further volume mends.

use std::collections::BTreeSet;

use super::{ProgressState, Room, SetProgress, title_of};
use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, Catalog};
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::ops::receive::commit::{CommitOutcome, all_here, roots_of, take_over};
use crate::ops::receive::committed_sets::CommittedSets;
use crate::ops::receive::frame_check;
use crate::ops::receive::frame_check::FrameCheck;
use crate::ops::receive::prerequisites;
use crate::ops::receive::selection::Selection;
use crate::ops::receive::staged_set::StagedSet;
use crate::store::Store;
use crate::volumes::recovery::Recovery;
use crate::volumes::{PayloadReader, SetDescriptor, Staging};

/// A set is healed anew so many times when blocks go bad in the spool between healing and reading, or turn out wrong.
const READ_TRIES: u32 = 4;

/// What is known of a set besides its blocks.
pub(super) struct Ask<'a> {
    /// The platforms that are asked for.
    pub(super) platforms: &'a [Platform],
    /// Blocks that this call brought.
    pub(super) new_blocks: u64,
    /// Whether its media were read again for what helps against wrong blocks.
    pub(super) was_read_again: bool,
}

/// Heals what can be healed; when all payload is there, takes it into the store and commits its releases. A set that is
/// not in yet is given back.
pub(super) fn advance(
    store: &Store,
    mut incoming: Staging,
    ask: &Ask<'_>,
    monitor: &dyn Monitor,
) -> Result<(SetProgress, Option<Staging>), Error> {
    let known = Selection::read(&mut incoming, ask.platforms)?;
    let mut doubts = Doubts::default();
    if let Some(selection) = &known
        && incoming.has_others()
    {
        // What was taken out for being wrong may have a right copy now.
        doubts.note(frame_check::frames(
            &mut incoming,
            selection,
            false,
            monitor,
        )?);
    }
    let mut progress = progress_of(store, &incoming, known.as_ref())?;
    progress.new_blocks = ask.new_blocks;
    let selection = match known {
        Some(selection) => selection,
        // Not enough has come to know what the set carries.
        None if !progress.needs.complete => return Ok((progress, Some(incoming))),
        // Its own blocks are among those that parity brings back.
        None => {
            heal(&mut incoming, &mut progress, monitor)?;
            incoming.catalog()?;
            let Some(selection) = Selection::read(&mut incoming, ask.platforms)? else {
                return Ok((progress, Some(incoming)));
            };
            progress.left_out = selection.left_out();
            selection
        }
    };
    // Also when only one volume of a set came by again that was received long ago.
    if all_here(store, &selection.catalog)? {
        progress.state = if selection.catalog.releases.is_empty() && progress.left_out.is_some() {
            ProgressState::NotAsked
        } else {
            ProgressState::AlreadyHere
        };
        progress.lacking = None;
        remember(store, &incoming, &selection, ask)?;
        let_go(store, incoming, &selection)?;
        return Ok((progress, None));
    }
    if !progress.needs.complete {
        return doubts.judge(progress, incoming, ask);
    }
    let mut was_changed = false;
    for _ in 0..READ_TRIES {
        if !incoming.payload_ready() {
            // One wrong block would come out of parity as many.
            doubts.note(frame_check::frames(
                &mut incoming,
                &selection,
                false,
                monitor,
            )?);
            if !incoming.needs().complete {
                break;
            }
            heal(&mut incoming, &mut progress, monitor)?;
        }
        match take_over(store, &incoming, &selection, monitor) {
            Ok(CommitOutcome::In(committed)) => {
                progress.state = ProgressState::Complete;
                progress.committed = committed;
                progress.lacking = None;
                progress.wrong_volumes = incoming.wrong_blocks().keys().copied().collect();
                remember(store, &incoming, &selection, ask)?;
                let_go(store, incoming, &selection)?;
                return Ok((progress, None));
            }
            Ok(CommitOutcome::Lacks(lacking)) => {
                progress.state = ProgressState::NeedsBase;
                progress.lacking = Some(lacking);
                return Ok((progress, Some(incoming)));
            }
            Err(error) => {
                if let Some(place) = damaged_place(&error) {
                    incoming.forget(place)?;
                } else if frame_check::is_wrong_frame(&error) {
                    let looked = frame_check::frames(&mut incoming, &selection, false, monitor)?;
                    if looked.mended == 0 && looked.wrong.is_empty() {
                        return Err(error);
                    }
                    doubts.note(looked);
                } else if matches!(error, Error::BundleIncomplete { .. })
                    && incoming.has_others()
                    && !was_changed
                {
                    // Some frame was forged so well that it is right in itself: there is another one.
                    was_changed = true;
                    let looked = frame_check::frames(&mut incoming, &selection, true, monitor)?;
                    if looked.mended == 0 {
                        return Err(error);
                    }
                } else if matches!(error, Error::Refused { .. }) {
                    // Its content is bound by its id: no other copy is any better.
                    incoming.discard()?;
                    return Err(error);
                } else {
                    return Err(error);
                }
            }
        }
        if !incoming.needs().complete {
            break;
        }
    }
    let healed_blocks = progress.healed_blocks;
    progress = progress_of(store, &incoming, Some(&selection))?;
    progress.new_blocks = ask.new_blocks;
    progress.healed_blocks = healed_blocks;
    doubts.judge(progress, incoming, ask)
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

    /// What to say of a set that did not come in. When nothing that is still to come would help, it is an error: the copies
    /// are wrong.
    fn judge(
        self,
        mut progress: SetProgress,
        incoming: Staging,
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
                Ok((progress, Some(incoming)))
            }
        }
    }
}

fn remember(
    store: &Store,
    incoming: &Staging,
    selection: &Selection,
    ask: &Ask<'_>,
) -> Result<(), Error> {
    let roots = roots_of(&selection.catalog)?;
    if roots.is_empty() {
        return Ok(());
    }
    let platforms = match selection.left_out() {
        Some(_) => ask.platforms,
        None => &[],
    };
    let title = title_of(incoming);
    CommittedSets::remember(store, incoming.set_id(), &title, &roots, platforms)
}

/// Removes a set from the spool of which this selection is here, unless something is not that an earlier call asked of it.
fn let_go(store: &Store, mut incoming: Staging, selection: &Selection) -> Result<(), Error> {
    if selection.left_out().is_none() {
        return Ok(incoming.discard()?);
    }
    let asked = Selection::asked(&incoming);
    match Selection::read(&mut incoming, &asked)? {
        Some(selection) if !all_here(store, &selection.catalog)? => Ok(()),
        _ => Ok(incoming.discard()?),
    }
}

fn heal(
    incoming: &mut Staging,
    progress: &mut SetProgress,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let healed = incoming.heal(monitor)?;
    progress.healed_blocks += healed.local_blocks + healed.wide_blocks;
    Ok(())
}

/// A block that was whole when it was spooled and is not any more.
fn damaged_place(error: &Error) -> Option<crate::volumes::recovery::BlockPlace> {
    match error {
        Error::Bundle(BundleError::Payload(source)) => PayloadReader::damage_of(source),
        _ => None,
    }
}

pub(super) fn progress_of(
    store: &Store,
    incoming: &Staging,
    selection: Option<&Selection>,
) -> Result<SetProgress, Error> {
    let header = *incoming.geometry().header();
    let descriptor = incoming.descriptor().ok();
    let needs = incoming.needs();
    let recovery = incoming.assess();
    let catalog = selection.map(|selection| &selection.catalog);
    let lacking = match selection {
        Some(selection) => {
            let catalog = selection.likely_to_lean();
            prerequisites::glance(store, &catalog, &StagedSet::leaned_on(store, &catalog)?)
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
            lost_items(incoming, catalog, descriptor, &recovery)
        }
        _ => Vec::new(),
    };
    Ok(SetProgress {
        set_id: incoming.set_id().to_string(),
        title: title_of(incoming),
        releases: descriptor.map(|each| each.releases).unwrap_or_default(),
        data_volumes: header.data_volumes,
        spare_volumes: header.spare_volumes,
        state,
        new_blocks: 0,
        healed_blocks: 0,
        needs,
        volumes: recovery.volumes,
        lacking,
        lost_items,
        left_out: selection.and_then(Selection::left_out),
        committed: Vec::new(),
        volumes_read: Vec::new(),
        wrong_volumes: incoming.wrong_blocks().keys().copied().collect(),
        doubtful_volumes: Vec::new(),
        beside: incoming.is_beside(),
        room: Some(Room::of(store, incoming, selection)?),
    })
}

/// Names of the items that are not whole; none when no catalog is left to tell.
fn lost_items(
    incoming: &Staging,
    catalog: Option<&Catalog>,
    descriptor: &SetDescriptor,
    recovery: &Recovery,
) -> Vec<String> {
    catalog.map_or_else(Vec::new, |catalog| {
        catalog.lost_items(&descriptor.payload_bytes, |volume_no, range| {
            recovery.has_payload(incoming.geometry(), volume_no, range)
        })
    })
}
