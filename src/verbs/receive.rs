//! `receive` and `status`: takes volumes in, in any order, and commits releases when they are whole.
//!
//! Volumes are spooled in the store's `incoming`; what is spooled survives a kill, and the spool goes when its releases are in.

mod report;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use serde::Serialize;

pub use self::report::{CommittedRelease, FailedSet, ProgressState, ReceiveReport, SetProgress};
use crate::block::{BLOCK_BYTES, BlockHeader};
use crate::bundle::{BundleError, Catalog};
use crate::id::SetId;
use crate::image::Platform;
use crate::media::source::find_sources;
use crate::media::{ReadAt, free_space_bytes};
use crate::monitor::{Monitor, Silent};
use crate::recovery::Recovery;
use crate::store::Store;
use crate::verbs::apart::check_apart;
use crate::verbs::footing;
use crate::verbs::portion::{Portion, ask_also, note_of};
use crate::verbs::ready;
use crate::verbs::spooled::Spooled;
use crate::verbs::takeover::{Taken, all_here, take_over};
use crate::verbs::{Error, ErrorKind};
use crate::volumes::incoming::open_all;
use crate::volumes::{Absorbed, Incoming, PayloadReader, SetDescriptor, absorb_noting};

/// Where an ISO 9660 image says what it is.
const ISO_MAGIC_OFFSET: usize = 0x8001;
/// A set is healed anew so many times when blocks go bad in the spool between healing and reading.
const READ_TRIES: u32 = 3;

/// Takes in the volumes at or below `paths`, and commits the releases of every set that becomes whole.
///
/// # Errors
/// [`Error::NoVolumes`] when there is none there and none waits; when space is short, the store cannot be written, or a stop was asked for.
/// What came so far is kept.
pub fn receive(
    store: &Store,
    paths: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<ReceiveReport, Error> {
    receive_for(store, paths, &[], monitor)
}

/// The same for these platforms alone, all when there are none: of each set that is met, releases for other platforms are
/// neither asked for nor stored. Those without an architecture are for every platform. A set leaves the spool when all
/// is in the store that was asked of it since it was begun.
///
/// # Errors
/// As [`receive`]; [`Error::NotForPlatform`] when no set has anything for these platforms.
pub fn receive_for(
    store: &Store,
    paths: &[PathBuf],
    platforms: &[Platform],
    monitor: &dyn Monitor,
) -> Result<ReceiveReport, Error> {
    check_apart(paths, store.dir())?;
    let incoming_dir = store.incoming_dir();
    check_space(store, paths)?;
    let ready_before = store.ready_bytes()?;
    let note = note_of(platforms);
    let report = absorb_noting(&incoming_dir, paths, note.as_deref(), &|_| true, monitor)?;
    if report.sets.is_empty() {
        return Err(Error::NoVolumes {
            paths: paths.to_vec(),
        });
    }
    let mut sets = Vec::new();
    let mut failed = Vec::new();
    let mut waiting = report.sets;
    for (incoming, _) in &waiting {
        ask_also(incoming, platforms)?;
    }
    let met: BTreeSet<SetId> = waiting.iter().map(|(set, _)| set.set_id()).collect();
    // One set may lean on what another one brings: as long as one comes in, the others are looked at again.
    loop {
        let mut again = Vec::new();
        let mut brought = false;
        for (incoming, absorbed) in waiting {
            let (set_id, title) = (incoming.set_id(), title_of(&incoming));
            let asked = if met.contains(&set_id) {
                platforms.to_vec()
            } else {
                Portion::asked(&incoming)
            };
            match advance(store, incoming, absorbed.new_blocks, &asked, monitor) {
                Ok((progress, Some(incoming))) if progress.state == ProgressState::NeedsBase => {
                    again.push((incoming, absorbed, progress));
                }
                Ok((progress, _)) => {
                    brought |= progress.state == ProgressState::Complete;
                    sets.push(progress);
                }
                // A set that is wrong in itself does not keep the others on the medium out.
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                Err(error) => failed.push((set_id, title, error)),
            }
        }
        if !brought {
            sets.extend(again.into_iter().map(|(_, _, progress)| progress));
            break;
        }
        let next = again.into_iter();
        waiting = next.map(|(set, absorbed, _)| (set, absorbed)).collect();
        let mut known: Vec<String> = sets.iter().map(|set| set.set_id.clone()).collect();
        known.extend(failed.iter().map(|(set_id, ..)| set_id.to_string()));
        waiting.extend(leaning_and_whole(store, &waiting, &known)?);
    }
    // With nothing else to tell, it is the call that failed.
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
    Ok(ReceiveReport {
        sets,
        failed: failed.into_iter().map(FailedSet::new).collect(),
        done_with,
        ready_bytes: store.ready_bytes()?.saturating_sub(ready_before),
        findings: report.findings,
    })
}

fn title_of(incoming: &Incoming) -> String {
    incoming
        .descriptor()
        .map_or_else(|_| String::new(), |each| each.title)
}

/// Removes sets from the spool whose releases came by another set: what was lacking of them will never be needed.
fn clear_away(store: &Store, sets: &mut [SetProgress]) -> Result<Vec<String>, Error> {
    let mut here: HashSet<String> = HashSet::new();
    for set in sets.iter() {
        here.extend(set.committed.iter().map(|release| release.name.clone()));
        // An earlier call may have been killed before it came to this.
        if set.state == ProgressState::AlreadyHere {
            here.extend(set.releases.iter().cloned());
        }
    }
    let mut done_with = Vec::new();
    if here.is_empty() {
        return Ok(done_with);
    }
    for incoming in open_all(&store.incoming_dir())? {
        let asked = Portion::asked(&incoming);
        let Ok(set) = Spooled::of(incoming) else {
            continue;
        };
        let wanted = Portion::of(set.catalog.clone(), &asked).catalog;
        let is_touched = set.release_names().iter().any(|name| here.contains(name));
        if !is_touched || !all_here(store, &wanted)? {
            continue;
        }
        let set_id = set.incoming.set_id().to_string();
        set.incoming.discard()?;
        if let Some(told) = sets.iter_mut().find(|told| told.set_id == set_id) {
            told.state = ProgressState::AlreadyHere;
            told.lacking = None;
            told.lost_items = Vec::new();
        }
        done_with.push(set_id);
    }
    Ok(done_with)
}

/// Sets that came whole before this call and waited for what they lean on.
fn leaning_and_whole(
    store: &Store,
    waiting: &[(Incoming, Absorbed)],
    known: &[String],
) -> Result<Vec<(Incoming, Absorbed)>, Error> {
    let leans = |set: &mut Incoming| {
        let asked = Portion::asked(set);
        let portion = Portion::read(set, &asked).ok().flatten();
        portion.is_some_and(|portion| !portion.catalog.leans.is_empty())
    };
    let is_known = |set: &Incoming| {
        known.contains(&set.set_id().to_string())
            || waiting
                .iter()
                .any(|(each, _)| each.set_id() == set.set_id())
    };
    let sets = open_all(&store.incoming_dir())?.into_iter();
    Ok(sets
        .filter(|set| !is_known(set))
        .filter_map(|mut set| (leans(&mut set) && set.needs().complete).then_some(set))
        .map(|set| (set, Absorbed::default()))
        .collect())
}

/// What the spool will grow by: the volumes that begin at the start of a file, and images. Other files beside them do not count.
fn check_space(store: &Store, paths: &[PathBuf]) -> Result<(), Error> {
    let sources = find_sources(paths, &Silent)?;
    // What a volume claims to have, and what is there of it: a claim alone asks for no room, copies count once.
    let mut volumes: BTreeMap<(SetId, u16), (u64, u64)> = BTreeMap::new();
    let mut images_bytes = 0;
    let mut start = vec![0; BLOCK_BYTES];
    for source in &sources {
        // What cannot be opened or read is told when it is scanned.
        let Ok(reader) = source.open() else { continue };
        let read = reader.read_at(0, &mut start).unwrap_or(0);
        if let Some(header) = BlockHeader::peek(&start[..read]) {
            let bytes = u64::from(header.set.volume_blocks) * BLOCK_BYTES as u64;
            let volume = volumes
                .entry((header.set.set_id, header.volume_no))
                .or_default();
            *volume = (bytes, volume.1.saturating_add(source.bytes));
        } else if start[..read].get(ISO_MAGIC_OFFSET..ISO_MAGIC_OFFSET + 5) == Some(b"CD001") {
            images_bytes += source.bytes;
        }
    }
    let blocks: u64 = volumes
        .values()
        .map(|(claimed, there)| *claimed.min(there))
        .sum();
    let media = blocks.saturating_add(images_bytes);
    // Blocks that are spooled already are not written again.
    let spooled: u64 = open_all(&store.incoming_dir())?
        .iter()
        .map(Incoming::spooled_bytes)
        .sum();
    ready::make_room(store, media.saturating_sub(spooled))
}

/// Heals what can be healed; when all payload is there, takes it into the store and commits its releases. A set that is
/// not in yet is given back.
fn advance(
    store: &Store,
    mut incoming: Incoming,
    new_blocks: u64,
    asked: &[Platform],
    monitor: &dyn Monitor,
) -> Result<(SetProgress, Option<Incoming>), Error> {
    let known = Portion::read(&mut incoming, asked)?;
    let mut progress = progress_of(store, &incoming, known.as_ref())?;
    progress.new_blocks = new_blocks;
    let portion = match known {
        Some(portion) => portion,
        // Not enough has come to know what the set carries.
        None if !progress.needs.complete => return Ok((progress, Some(incoming))),
        // Its own blocks are among those that parity brings back.
        None => {
            heal(&mut incoming, &mut progress, monitor)?;
            incoming.catalog()?;
            let Some(portion) = Portion::read(&mut incoming, asked)? else {
                return Ok((progress, Some(incoming)));
            };
            progress.left_out = portion.left_out();
            portion
        }
    };
    // Also when only one volume of a set came by again that was received long ago.
    if all_here(store, &portion.catalog)? {
        progress.state = if portion.catalog.releases.is_empty() && progress.left_out.is_some() {
            ProgressState::NotAsked
        } else {
            ProgressState::AlreadyHere
        };
        progress.lacking = None;
        let_go(store, incoming, &portion)?;
        return Ok((progress, None));
    }
    if !progress.needs.complete {
        return Ok((progress, Some(incoming)));
    }
    for _ in 0..READ_TRIES {
        if !incoming.payload_ready() {
            heal(&mut incoming, &mut progress, monitor)?;
        }
        match take_over(store, &incoming, &portion, monitor) {
            Ok(Taken::In(committed)) => {
                progress.state = ProgressState::Complete;
                progress.committed = committed;
                progress.lacking = None;
                let_go(store, incoming, &portion)?;
                return Ok((progress, None));
            }
            Ok(Taken::Lacks(lacking)) => {
                progress.state = ProgressState::NeedsBase;
                progress.lacking = Some(lacking);
                return Ok((progress, Some(incoming)));
            }
            Err(error) => match damaged_place(&error) {
                Some(place) => incoming.forget(place)?,
                None => return Err(error),
            },
        }
        if !incoming.needs().complete {
            break;
        }
    }
    Ok((
        progress_of(store, &incoming, Some(&portion))?,
        Some(incoming),
    ))
}

/// Removes a set from the spool of which this portion is here, unless something is not that an earlier call asked of it.
fn let_go(store: &Store, mut incoming: Incoming, portion: &Portion) -> Result<(), Error> {
    if portion.left_out().is_none() {
        return Ok(incoming.discard()?);
    }
    let asked = Portion::asked(&incoming);
    match Portion::read(&mut incoming, &asked)? {
        Some(portion) if !all_here(store, &portion.catalog)? => Ok(()),
        _ => Ok(incoming.discard()?),
    }
}

fn heal(
    incoming: &mut Incoming,
    progress: &mut SetProgress,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let healed = incoming.heal(monitor)?;
    progress.healed_blocks += healed.local_blocks + healed.wide_blocks;
    Ok(())
}

/// A block that was whole when it was spooled and is not any more.
fn damaged_place(error: &Error) -> Option<crate::recovery::Place> {
    match error {
        Error::Bundle(BundleError::Payload(source)) => PayloadReader::damage_of(source),
        _ => None,
    }
}

fn progress_of(
    store: &Store,
    incoming: &Incoming,
    portion: Option<&Portion>,
) -> Result<SetProgress, Error> {
    let header = *incoming.geometry().header();
    let descriptor = incoming.descriptor().ok();
    let needs = incoming.needs();
    let recovery = incoming.assess();
    let catalog = portion.map(|portion| &portion.catalog);
    let lacking = match portion {
        Some(portion) => {
            let catalog = portion.likely_to_lean();
            footing::glance(store, &catalog, &Spooled::leaned_on(store, &catalog)?)
        }
        None => None,
    };
    let state = if needs.complete || needs.at_least.is_some() {
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
        left_out: portion.and_then(Portion::left_out),
        committed: Vec::new(),
    })
}

/// Names of the items that are not whole; none when no catalog is left to tell.
fn lost_items(
    incoming: &Incoming,
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

/// What a store holds, and which sets wait for volumes.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    /// Where the store is.
    pub store: PathBuf,
    /// Its id.
    pub store_id: String,
    /// Releases in it.
    pub releases: u64,
    /// Free space beside it.
    pub free_bytes: u64,
    /// Sets that are being received.
    pub incoming: Vec<SetProgress>,
}

/// Says what a store holds and what sets that are being received still need.
///
/// # Errors
/// [`Error`] when the store or its spool cannot be read.
pub fn status(store: &Store) -> Result<StatusReport, Error> {
    let (roots, _) = super::releases(store)?;
    Ok(StatusReport {
        store: store.dir().to_owned(),
        store_id: store.id().to_string(),
        releases: roots.len() as u64,
        free_bytes: free_space_bytes(store.dir())?,
        incoming: open_all(&store.incoming_dir())?
            .into_iter()
            .map(|mut set| {
                let asked = Portion::asked(&set);
                let portion = Portion::read(&mut set, &asked).ok().flatten();
                progress_of(store, &set, portion.as_ref())
            })
            .collect::<Result<_, _>>()?,
    })
}
