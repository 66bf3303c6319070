//! `receive`: receives volumes in any order, and commits releases when they are whole.
//!
//! Volumes are staged in the store's `incoming` folder. Staged blocks survive a kill, and are removed when their
//! releases are committed.

mod advance;
mod arrivals;
pub(crate) mod commit;
pub(crate) mod committed_sets;
pub mod forget;
pub(crate) mod frame_check;
mod leftovers;
pub(crate) mod newest_sets;
pub(crate) mod overlay;
pub mod prerequisites;
pub mod receipt;
mod report;
pub(crate) mod restorable;
mod room;
pub(crate) mod rules;
mod sealed;
pub mod selection;
pub(crate) mod staged_set;
mod status;
mod together;
pub mod visit;

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use self::advance::{Ask, advance};
pub use self::commit::CommittedRelease;
use self::leftovers::tell_what_was_read;
pub use self::report::{FailedSet, HealedBy, ProgressState, ReceiveReport, SetProgress};
pub use self::room::Room;
use self::room::{check_space, if_full};
use self::rules::SiteRules;
pub use self::status::{StatusReport, status, status_with};
use crate::base::id::SetId;
use crate::base::monitor::{Monitor, Quiet};
use crate::base::sealing::Identities;
use crate::oci::image::Platform;
use crate::ops::history::HistoryEvent;
use crate::ops::overlap::check_no_overlap;
use crate::ops::receive::commit::all_here;
use crate::ops::receive::committed_sets::{CommittedSet, CommittedSets};
use crate::ops::receive::staged_set::{Staged, ask_also, asked_of, note_of, title_of};
use crate::ops::trust::SetSigners;
use crate::ops::{Error, ErrorKind};
use crate::store::Store;
use crate::volumes::descriptor::FACT_DATE;
use crate::volumes::media::scan::RETRY_TIME;
use crate::volumes::media::source::is_pipe;
use crate::volumes::recovery::SetNeeds;
use crate::volumes::staging::open_all;
use crate::volumes::{
    MediaExtent, MediaRequest, ReadMediaReport, SetRead, SetReadReport, Staging, read_media_for,
};

/// Options of `receive`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceiveOptions {
    /// The platforms whose releases are received. Empty stands for all.
    pub platforms: Vec<Platform>,
    /// For how long bad sectors are tried again at most, in all.
    pub retry_time: Duration,
    /// Whether sets are taken that nobody signed whom the site trusts.
    pub unsigned: bool,
    /// Whether sets are taken that replace a release, are older than what came before, or were made for another site.
    pub replace: bool,
    /// What the history calls it.
    pub event: HistoryEvent,
    /// What sealed sets are opened with.
    pub identities: Identities,
}

impl Default for ReceiveOptions {
    fn default() -> Self {
        Self {
            platforms: Vec::new(),
            retry_time: RETRY_TIME,
            unsigned: false,
            replace: false,
            event: HistoryEvent::Receive,
            identities: Identities::default(),
        }
    }
}

/// Receives the volumes at or below `paths`, and commits the releases of every set that becomes whole.
///
/// # Errors
/// [`Error::NoVolumes`] when there is no volume and no set is staged. An error when space is short, the store cannot be
/// written, or a stop was asked for. What came so far is kept.
pub fn receive(
    store: &Store,
    paths: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<ReceiveReport, Error> {
    receive_for(store, paths, &[], monitor)
}

/// Does the same for these platforms alone, or for all when there are none. Releases for other platforms are neither
/// requested nor stored. Releases without an architecture are for every platform. A staged set is removed when
/// everything is in the store that was requested of it since it was started.
///
/// # Errors
/// As [`receive`], and [`Error::NotForPlatform`] when no set has anything for these platforms.
pub fn receive_for(
    store: &Store,
    paths: &[PathBuf],
    platforms: &[Platform],
    monitor: &dyn Monitor,
) -> Result<ReceiveReport, Error> {
    let options = ReceiveOptions {
        platforms: platforms.to_vec(),
        ..ReceiveOptions::default()
    };
    receive_with(store, paths, &options, monitor)
}

/// Does the same with all options.
///
/// # Errors
/// As [`receive_for`].
pub fn receive_with(
    store: &Store,
    paths: &[PathBuf],
    options: &ReceiveOptions,
    monitor: &dyn Monitor,
) -> Result<ReceiveReport, Error> {
    // A medium inside the store would grow while it is read, and a store on the medium would be read as one.
    check_no_overlap(paths, store.dir())?;
    let _alone = store.lock_staging()?;
    receive_all(store, paths, options, monitor).map_err(|error| if_full(store, error))
}

fn receive_all(
    store: &Store,
    paths: &[PathBuf],
    options: &ReceiveOptions,
    monitor: &dyn Monitor,
) -> Result<ReceiveReport, Error> {
    let platforms = options.platforms.as_slice();
    let incoming_dir = store.incoming_dir();
    check_space(store, paths)?;
    let ready_before = store.cached_bytes()?;
    let rules = SiteRules::of(store, options)?.reading(paths);
    let note = note_of(platforms);
    let taken = CommittedSets::read(store)?;
    // Sets that were committed before are recognized by their headers, and their blocks are not staged.
    let is_wanted = |set: &SetId| taken.of(store, set, platforms).is_none();
    for path in paths {
        tracing::info!(?path, "medium is looked at");
    }
    let request = MediaRequest {
        note: note.as_deref(),
        wanted: &is_wanted,
        extent: MediaExtent::Needed,
        retry_time: options.retry_time,
    };
    let report = read_media_for(&incoming_dir, paths, &request, monitor)?;
    log_what_was_read(&report);
    if report.sets.is_empty() && report.unwanted.is_empty() {
        return Err(match report.refused.len() {
            0 => Error::no_volumes(paths),
            _ => Error::TooManySets,
        });
    }
    let mut sets = Vec::new();
    for read in report.read.iter().filter(|read| !read.is_wanted) {
        if let Some(known) = taken.of(store, &read.header.set_id, platforms) {
            sets.push(taken_before(known, read));
        }
    }
    let mut failed = Vec::new();
    let mut waiting = report.sets;
    // Of several sets the oldest comes first, as it would have come.
    waiting.sort_by_key(|(staging, _)| date_of(staging));
    for (staging, _) in &waiting {
        // The request is noted before any work, so that it survives a kill.
        ask_also(staging, platforms)?;
    }
    let met: BTreeSet<SetId> = waiting.iter().map(|(set, _)| set.set_id()).collect();
    // One set may depend on what another one brings. As long as a set is committed, the others are tried again.
    loop {
        let mut again = Vec::new();
        let mut brought = false;
        for (staging, read) in waiting {
            let (set_id, title) = (staging.set_id(), title_of(&staging));
            let asked = if met.contains(&set_id) {
                platforms.to_vec()
            } else {
                asked_of(&staging)
            };
            let mut ask = Ask {
                platforms: &asked,
                new_blocks: read.new_blocks,
                was_read_again: false,
                rules: &rules,
            };
            let mut outcome = advance(store, staging, &ask, monitor);
            let doubtful = match &outcome {
                Ok((progress, Some(_))) => progress.doubtful_volumes.clone(),
                _ => Vec::new(),
            };
            if !doubtful.is_empty() {
                // The first time, blocks that seemed whole were not read again, and their parity was not kept.
                let only = |set: &SetId| *set == set_id;
                let again = MediaRequest {
                    wanted: &only,
                    extent: MediaExtent::All,
                    ..request
                };
                // What came through a pipe does not come again.
                let lasting = paths.iter().filter(|path| !is_pipe(path));
                let lasting: Vec<PathBuf> = lasting.cloned().collect();
                let media = read_media_for(&incoming_dir, &lasting, &again, &Quiet(monitor))?;
                ask.was_read_again = true;
                let mut found = open_all(&incoming_dir)?.into_iter();
                drop(media);
                if let Some(staging) = found.find(|set| set.set_id() == set_id) {
                    outcome = advance(store, staging, &ask, monitor);
                }
                if let Ok((progress, _)) = &mut outcome
                    && progress.state == ProgressState::Complete
                {
                    progress.wrong_volumes.extend(doubtful);
                    progress.wrong_volumes.sort_unstable();
                    progress.wrong_volumes.dedup();
                }
            }
            match outcome {
                Ok((progress, Some(staging))) if progress.state == ProgressState::NeedsBase => {
                    again.push((staging, read, progress));
                }
                Ok((progress, _)) => {
                    brought |= progress.state == ProgressState::Complete;
                    sets.push(progress);
                }
                // A faulty set must not keep the other sets on the medium out.
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                Err(error) => failed.push((set_id, title, if_full(store, error))),
            }
        }
        if !brought {
            sets.extend(again.into_iter().map(|(_, _, progress)| progress));
            break;
        }
        let next = again.into_iter();
        waiting = next.map(|(set, read, _)| (set, read)).collect();
        let mut known: Vec<SetId> = sets.iter().map(|set| set.set_id).collect();
        known.extend(failed.iter().map(|(set_id, ..)| *set_id));
        waiting.extend(waiting_and_whole(store, &waiting, &known)?);
    }
    let is_met = |set: &SetId| met.contains(set);
    together::complete(store, &mut sets, &mut failed, &is_met, &rules, monitor)?;
    // When there is nothing else to report, the whole call has failed.
    if sets.is_empty() && failed.len() == 1 {
        let (_, _, error) = failed.remove(0);
        return Err(error);
    }
    if failed.is_empty() && sets.iter().all(|set| set.state == ProgressState::NotAsked) {
        return Err(Error::NotForPlatform {
            platforms: platforms.iter().map(ToString::to_string).collect(),
            has: sets.into_iter().flat_map(|set| set.releases).collect(),
        });
    }
    let done_with = clear_away(store, &mut sets)?;
    tell_what_was_read(store, &mut sets, &report.read)?;
    Ok(ReceiveReport {
        sets,
        failed: failed.into_iter().map(FailedSet::new).collect(),
        done_with,
        ready_bytes: store.cached_bytes()?.saturating_sub(ready_before),
        empty_paths: report.empty_paths,
        refused: report.refused,
        findings: report.findings,
    })
}

/// Returns the day that a set says it was made on.
fn date_of(staging: &Staging) -> Option<String> {
    let descriptor = staging.descriptor().ok()?;
    descriptor.fact(FACT_DATE).map(str::to_owned)
}

/// Logs what stands on the media, volume by volume. Paths come from media, so they are logged with escapes.
fn log_what_was_read(report: &SetReadReport) {
    for path in &report.empty_paths {
        tracing::warn!(?path, "nothing of a volume set is here");
    }
    for read in &report.read {
        let set = read.header.set_id;
        for source in &read.sources {
            tracing::debug!(%set, ?source, "blocks were found");
        }
        for volume in &read.volumes {
            tracing::info!(
                %set,
                volume = volume.volume_no,
                good_blocks = volume.whole_blocks,
                bad_blocks = volume.blocks.saturating_sub(volume.whole_blocks),
                new_blocks = volume.new_blocks,
                "volume was read"
            );
        }
    }
}

/// Reports a set that was committed by an earlier call.
fn taken_before(known: &CommittedSet, read: &SetRead) -> SetProgress {
    SetProgress {
        set_id: read.header.set_id,
        title: known.title.clone(),
        releases: known.release_names(),
        data_volumes: read.header.data_volumes,
        block_bytes: read.header.block_size.bytes(),
        spare_volumes: read.header.spare_volumes,
        state: ProgressState::AlreadyHere,
        new_blocks: 0,
        healed_blocks: 0,
        healed_by: HealedBy::default(),
        root: None,
        needs: SetNeeds::nothing(),
        volumes: Vec::new(),
        lacking: None,
        lost_items: Vec::new(),
        left_out: None,
        committed: Vec::new(),
        volumes_read: Vec::new(),
        wrong_volumes: Vec::new(),
        doubtful_volumes: Vec::new(),
        helped_by: Vec::new(),
        beside: false,
        room: None,
        signed: SetSigners::default(),
        refused: None,
    }
}

/// Removes staged sets whose releases came by another set. Their missing parts are no longer needed.
fn clear_away(store: &Store, sets: &mut [SetProgress]) -> Result<Vec<SetId>, Error> {
    let mut here: HashSet<String> = HashSet::new();
    for set in sets.iter() {
        here.extend(set.committed.iter().map(|release| release.name.to_string()));
        // An earlier call may have been killed before this step.
        if set.state == ProgressState::AlreadyHere {
            here.extend(set.releases.iter().cloned());
        }
    }
    let mut done_with = Vec::new();
    if here.is_empty() {
        return Ok(done_with);
    }
    for staging in open_all(&store.incoming_dir())? {
        let Staged::Described(set) = Staged::look(staging) else {
            continue;
        };
        // The cheap comparison of names comes first, because the next check walks every release.
        let is_touched = set.release_names().iter().any(|name| here.contains(name));
        if !is_touched || !all_here(store, set.catalog())? {
            continue;
        }
        let set_id = set.staging.set_id();
        set.staging.discard()?;
        if let Some(told) = sets.iter_mut().find(|told| told.set_id == set_id) {
            told.state = ProgressState::AlreadyHere;
            told.lacking = None;
            told.lost_items = Vec::new();
        }
        done_with.push(set_id);
    }
    Ok(done_with)
}

/// Commits the staged sets of which everything came and that were not committed, because the power was cut or the disk
/// was full. Removes those that were committed and not removed. Reads no medium.
///
/// # Errors
/// As [`receive`], but a set that cannot be committed is only reported.
pub fn finish(store: &Store, monitor: &dyn Monitor) -> Result<ReceiveReport, Error> {
    finish_with(store, &ReceiveOptions::default(), monitor)
}

/// Does the same with the options that say what is taken.
///
/// # Errors
/// As [`finish`].
pub fn finish_with(
    store: &Store,
    options: &ReceiveOptions,
    monitor: &dyn Monitor,
) -> Result<ReceiveReport, Error> {
    let rules = SiteRules::of(store, options)?;
    let mut sets = Vec::new();
    let mut failed = Vec::new();
    for staging in open_all(&store.incoming_dir())? {
        let asked = asked_of(&staging);
        let Staged::Described(set) = Staged::look(staging) else {
            continue;
        };
        // Sets whose releases are in the store are done with: the last call was killed before it removed them.
        let is_done = !set.catalog().releases.is_empty() && all_here(store, set.catalog())?;
        let staging = set.staging;
        if !staging.needs().complete && !is_done {
            continue;
        }
        let (set_id, title) = (staging.set_id(), title_of(&staging));
        let ask = Ask {
            platforms: &asked,
            new_blocks: 0,
            was_read_again: false,
            rules: &rules,
        };
        match advance(store, staging, &ask, monitor) {
            Ok((progress, _)) => sets.push(progress),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => failed.push((set_id, title, if_full(store, error))),
        }
    }
    together::complete(store, &mut sets, &mut failed, &|_| true, &rules, monitor)?;
    let done_with = clear_away(store, &mut sets)?;
    Ok(ReceiveReport {
        sets,
        failed: failed.into_iter().map(FailedSet::new).collect(),
        done_with,
        ready_bytes: 0,
        empty_paths: Vec::new(),
        refused: Vec::new(),
        findings: Vec::new(),
    })
}

/// Returns the staged sets that were complete before this call and wait for prerequisites.
fn waiting_and_whole(
    store: &Store,
    waiting: &[(Staging, ReadMediaReport)],
    known: &[SetId],
) -> Result<Vec<(Staging, ReadMediaReport)>, Error> {
    let is_known = |set: &Staging| {
        known.contains(&set.set_id())
            || waiting
                .iter()
                .any(|(each, _)| each.set_id() == set.set_id())
    };
    let sets = open_all(&store.incoming_dir())?.into_iter();
    Ok(sets
        .filter(|set| !is_known(set))
        .filter_map(|set| match Staged::look(set) {
            Staged::Described(set) if !set.catalog().prerequisites.is_empty() => Some(set.staging),
            _ => None,
        })
        .filter(|set| set.needs().complete)
        .map(|set| (set, ReadMediaReport::default()))
        .collect())
}
