//! A volume set that is being received: its blocks, what it carries, and what of that is asked for, as one object.
//!
//! [`Staged`] is its state: a set says what it carries as soon as enough of it has come. What is asked of it stands beside its
//! blocks, so that it is known when it may go. It heals nothing and writes nothing but notes. Memory: what reading frames states.

use std::collections::{BTreeSet, HashSet};
use std::io::Read;

use crate::base::id::{ChunkId, SetId};
use crate::base::monitor::Monitor;
use crate::bundle::{
    BundleError, Catalog, CatalogFrame, FramePlace, FrameRun, read_exactly, read_frames,
    read_single,
};
use crate::content::frame::{Bases, Frame, FrameHead, HEADER_BYTES, SealedFrame};
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::ops::receive::selection::{Selection, VolumeRun, runs};
use crate::store::Store;
use crate::volumes::recovery::{BlockPlace, Recovery};
use crate::volumes::staging::open_all;
use crate::volumes::{PayloadReader, Staging};

/// A set that is being received, in the state that it has reached.
pub(crate) enum Staged {
    /// Not enough has come to know what it carries.
    Undescribed(Staging),
    /// Its catalog is known.
    Described(StagedSet),
}

/// A set whose catalog is known, and what of it is asked for.
pub(crate) struct StagedSet {
    /// Its blocks.
    pub(crate) staging: Staging,
    /// What is asked for.
    pub(crate) selection: Selection,
    payload_bytes: Vec<u64>,
}

impl Staged {
    /// Reads what a set carries for these platforms; from now on only that is needed of it.
    ///
    /// # Errors
    /// [`Error`] when its catalog is wrong.
    pub(crate) fn open(mut staging: Staging, platforms: &[Platform]) -> Result<Self, Error> {
        Ok(match contents(&mut staging, platforms)? {
            Some((selection, payload_bytes)) => Self::Described(StagedSet {
                staging,
                selection,
                payload_bytes,
            }),
            None => Self::Undescribed(staging),
        })
    }

    /// The same for all that was asked of it so far. A catalog that is wrong counts as one that has not come.
    pub(crate) fn look(mut staging: Staging) -> Self {
        let asked = asked_of(&staging);
        match contents(&mut staging, &asked) {
            Ok(Some((selection, payload_bytes))) => Self::Described(StagedSet {
                staging,
                selection,
                payload_bytes,
            }),
            _ => Self::Undescribed(staging),
        }
    }

    /// Its blocks.
    pub(crate) fn staging(&self) -> &Staging {
        match self {
            Self::Undescribed(staging) => staging,
            Self::Described(set) => &set.staging,
        }
    }

    /// What is asked for, as soon as that is known.
    pub(crate) fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Undescribed(_) => None,
            Self::Described(set) => Some(&set.selection),
        }
    }

    /// Gives the blocks back.
    pub(crate) fn into_staging(self) -> Staging {
        match self {
            Self::Undescribed(staging) => staging,
            Self::Described(set) => set.staging,
        }
    }
}

/// What a set carries of what is asked for, and the payload of each of its volumes in bytes. `None` when its catalog has not come.
fn contents(
    staging: &mut Staging,
    platforms: &[Platform],
) -> Result<Option<(Selection, Vec<u64>)>, Error> {
    let Ok(bytes) = staging.catalog() else {
        return Ok(None);
    };
    let catalog = Catalog::from_bytes(&bytes).map_err(BundleError::from)?;
    let selection = Selection::of(catalog, platforms);
    let payload_bytes = staging.descriptor()?.payload_bytes;
    if selection.is_narrow() {
        let places = selection.places(&payload_bytes);
        staging.narrow(places.iter().map(|place| (place.volume_no, place.range())));
    }
    Ok(Some((selection, payload_bytes)))
}

/// The title that a set was given; empty as long as that has not come.
pub(crate) fn title_of(staging: &Staging) -> String {
    staging
        .descriptor()
        .map_or_else(|_| String::new(), |each| each.title)
}

/// What was asked of a set by all calls that met it.
pub(crate) fn asked_of(staging: &Staging) -> Vec<Platform> {
    let note = staging.note().unwrap_or_default();
    let lines = String::from_utf8(note).unwrap_or_default();
    let platforms: Result<_, _> = lines.lines().map(str::parse).collect();
    // Of a note that makes no sense, everything was asked.
    platforms.unwrap_or_default()
}

/// Notes that this is asked of a set, too, besides what was before.
///
/// # Errors
/// [`Error`] when it cannot be noted.
pub(crate) fn ask_also(staging: &Staging, platforms: &[Platform]) -> Result<(), Error> {
    let before = asked_of(staging);
    let mut all = before.clone();
    if platforms.is_empty() {
        all.clear();
    } else if !before.is_empty() {
        all.extend(platforms.iter().cloned());
        all.sort();
        all.dedup();
    }
    if all != before {
        staging.set_note(note_of(&all).as_deref())?;
    }
    Ok(())
}

/// The note beside a set that is begun for these platforms: one a line. `None`: all of it is asked for.
pub(crate) fn note_of(platforms: &[Platform]) -> Option<Vec<u8>> {
    let lines = platforms.iter().map(|platform| format!("{platform}\n"));
    (!platforms.is_empty()).then(|| lines.collect::<String>().into_bytes())
}

impl StagedSet {
    /// Reads all that the set says of itself.
    ///
    /// # Errors
    /// [`Error`] when not enough has come for that, or it is wrong.
    pub(crate) fn of(staging: Staging) -> Result<Self, Error> {
        let catalog = Catalog::from_bytes(&staging.catalog()?).map_err(BundleError::from)?;
        let payload_bytes = staging.descriptor()?.payload_bytes;
        Ok(Self {
            staging,
            selection: Selection::of(catalog, &[]),
            payload_bytes,
        })
    }

    /// The catalog, without releases that are not asked for.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.selection.catalog
    }

    /// What a bundle claims as payload, and no more than its volumes can hold.
    pub(crate) fn held_bytes(&self) -> u64 {
        let held: u64 = self.payload_bytes.iter().sum();
        self.selection.payload_bytes().min(held)
    }

    /// The sets in the spool that a bundle leans on, as far as they can be read.
    ///
    /// # Errors
    /// [`Error`] when the spool cannot be read.
    pub(crate) fn leaned_on(store: &Store, catalog: &Catalog) -> Result<Vec<Self>, Error> {
        let leaned: BTreeSet<SetId> = catalog
            .leans
            .iter()
            .flat_map(|lean| lean.sets.iter().map(|set| set.set))
            .collect();
        if leaned.is_empty() {
            return Ok(Vec::new());
        }
        let sets = open_all(&store.incoming_dir())?.into_iter();
        Ok(sets
            .filter(|set| leaned.contains(&set.set_id()))
            .filter_map(|set| Self::of(set).ok())
            .collect())
    }

    /// Those of its frames that a bundle leans on, and that are there or come back by parity.
    pub(crate) fn leaned_frames(&self, by: &Catalog) -> Vec<FramePlace> {
        let set_id = self.staging.set_id();
        let leans = by.leans.iter().flat_map(|lean| &lean.sets);
        let runs: Vec<FrameRun> = leans
            .filter(|lean| lean.set == set_id)
            .flat_map(|lean| lean.frames.iter().copied())
            .collect();
        let is_leaned = |place: &FramePlace| {
            runs.iter().any(|run| {
                let number = u32::try_from(place.frame_no).ok();
                number.is_some_and(|no| no >= run.first && no - run.first < run.count)
            })
        };
        let recovery = self.staging.assess();
        let mut places = self.places();
        places.retain(|place| is_leaned(place) && self.has(&recovery, place));
        places
    }

    /// The old chunks that these frames lean on and `is_there` says no of.
    pub(crate) fn missing_bases(
        &self,
        places: &[FramePlace],
        is_there: impl Fn(&ChunkId) -> bool,
    ) -> HashSet<ChunkId> {
        if self.catalog().leans.is_empty() {
            return HashSet::new();
        }
        let bases = places.iter().filter_map(|place| self.bases_of(place));
        bases.flatten().filter(|id| !is_there(id)).collect()
    }

    /// The releases in it, those that are not asked for too.
    pub(crate) fn release_names(&self) -> Vec<String> {
        self.selection.all_release_names().cloned().collect()
    }

    /// Where the frames lie that are needed.
    pub(crate) fn places(&self) -> Vec<FramePlace> {
        self.selection.places(&self.payload_bytes)
    }

    /// The same as runs of frames.
    pub(crate) fn runs(&self) -> Vec<VolumeRun> {
        runs(&self.places())
    }

    /// Reads the frames that are needed, in order, and of these only the ones that `is_wanted` says yes of. Memory as
    /// [`read_frames`].
    ///
    /// # Errors
    /// [`Error`] when a frame cannot be read, `each` fails, or a stop was asked for.
    pub(crate) fn read_frames(
        &self,
        is_wanted: impl Fn(&FramePlace) -> Result<bool, Error>,
        bases: &dyn Bases,
        monitor: &dyn Monitor,
        mut each: impl FnMut(Frame) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut places = Vec::new();
        for place in self.places() {
            if is_wanted(&place)? {
                places.push(place);
            }
        }
        for run in runs(&places) {
            let mut payload = self.staging.payload_reader(run.volume_no)?;
            payload.seek_to(run.offset);
            let first = run.frames.start;
            let frames: &[CatalogFrame] = &self.catalog().frames[run.frames];
            read_frames(&mut payload, frames, first, bases, monitor, &mut each)?;
        }
        Ok(())
    }

    /// Numbers of the frames that are there, or come back by parity, and whose old chunks `is_at_hand` says yes of.
    pub(crate) fn usable_frames(&self, is_at_hand: &mut dyn FnMut(&ChunkId) -> bool) -> Vec<usize> {
        let recovery = self.staging.assess();
        let leans = !self.catalog().leans.is_empty();
        let places = self.places().into_iter();
        let usable = places.filter(|place| {
            self.has(&recovery, place)
                && (!leans
                    || self
                        .bases_of(place)
                        .is_some_and(|bases| bases.iter().all(&mut *is_at_hand)))
        });
        usable.map(|place| place.frame_no).collect()
    }

    /// Whether a frame is there, or comes back by parity.
    pub(crate) fn has(&self, recovery: &Recovery, place: &FramePlace) -> bool {
        recovery.has_payload(self.staging.geometry(), place.volume_no, place.range())
    }

    /// The old chunks that a frame leans on. `None` when its beginning cannot be read as it stands in the spool.
    fn bases_of(&self, place: &FramePlace) -> Option<Vec<ChunkId>> {
        let mut payload = self.staging.payload_reader(place.volume_no).ok()?;
        payload.seek_to(place.offset);
        let mut head = [0; HEADER_BYTES];
        payload.read_exact(&mut head).ok()?;
        let parsed = FrameHead::parse(&head).ok()?;
        if parsed.base_count == 0 {
            return Some(Vec::new());
        }
        payload.seek_to(place.offset);
        let stored = read_exactly(&mut payload, place.entry.stored_bytes).ok()?;
        Some(SealedFrame::open(&stored).ok()?.bases)
    }

    /// Reads frames one by one. Blocks that have gone bad since they came are given back.
    pub(crate) fn read(
        &self,
        places: &[FramePlace],
        bases: &dyn Bases,
        monitor: &dyn Monitor,
        mut each: impl FnMut(Frame) -> Result<(), Error>,
    ) -> Result<Vec<BlockPlace>, Error> {
        let mut bad = Vec::new();
        let open = |place: &FramePlace| {
            let payload = self.staging.payload_reader(place.volume_no);
            let mut payload =
                payload.map_err(|error| BundleError::Payload(std::io::Error::other(error)))?;
            payload.seek_to(place.offset);
            read_exactly(&mut payload, place.entry.stored_bytes)
        };
        read_single(places, open, bases, monitor, |_, frame| {
            match frame {
                Ok(frame) => each(frame)?,
                Err(BundleError::Payload(source)) => bad.extend(PayloadReader::damage_of(&source)),
                // Wrong in itself, or without its old chunks: what it holds will be missed.
                Err(_) => {}
            }
            Ok::<(), Error>(())
        })?;
        Ok(bad)
    }
}
