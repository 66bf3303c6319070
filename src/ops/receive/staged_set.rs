//! A volume set that is being received: its blocks, its content, and the requested part of it, as one object.
//!
//! [`Staged`] is its state. The content of a set is known as soon as enough of it has come. The request is stored next
//! to the blocks, so that it is known when the set may be removed. It heals nothing and only writes notes. Memory: what
//! reading frames states.

use std::collections::{BTreeSet, HashSet};
use std::io::Read;

use crate::base::id::{ChunkId, SetId};
use crate::base::monitor::Monitor;
use crate::bundle::{
    BundleError, Catalog, CatalogFrame, FramePlace, FrameRun, UnpackedFrame, read_exactly,
    read_frames, read_single,
};
use crate::content::frame::{Bases, FrameHead, HEADER_BYTES, SealedFrame};
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::ops::receive::selection::{Selection, VolumeRun, runs};
use crate::store::Store;
use crate::volumes::recovery::{BlockPlace, Recovery};
use crate::volumes::staging::open_all;
use crate::volumes::{PayloadReader, Staging};

/// A set that is being received, in its current state.
pub(crate) enum Staged {
    /// Its content is not known yet.
    Undescribed(Staging),
    /// Its catalog is known.
    Described(StagedSet),
}

/// A set whose catalog and requested part are known.
pub(crate) struct StagedSet {
    /// Its blocks.
    pub(crate) staging: Staging,
    /// The requested part.
    pub(crate) selection: Selection,
    /// Payload of each data volume.
    pub(super) payload_bytes: Vec<u64>,
}

impl Staged {
    /// Reads the content of a set for these platforms. From now on only that part of it is needed.
    ///
    /// # Errors
    /// [`Error`] when its catalog is wrong.
    pub(crate) fn open(mut staging: Staging, platforms: &[Platform]) -> Result<Self, Error> {
        let contents = contents(&mut staging, platforms)?;
        Ok(Self::with(staging, contents))
    }

    /// Does the same for everything that was requested of it so far. A malformed catalog counts as one that has not
    /// come.
    pub(crate) fn look(mut staging: Staging) -> Self {
        let asked = asked_of(&staging);
        let contents = contents(&mut staging, &asked).unwrap_or_default();
        Self::with(staging, contents)
    }

    fn with(staging: Staging, contents: Option<(Selection, Vec<u64>)>) -> Self {
        match contents {
            Some((selection, payload_bytes)) => Self::Described(StagedSet {
                staging,
                selection,
                payload_bytes,
            }),
            None => Self::Undescribed(staging),
        }
    }

    /// Returns its blocks.
    pub(crate) fn staging(&self) -> &Staging {
        match self {
            Self::Undescribed(staging) => staging,
            Self::Described(set) => &set.staging,
        }
    }

    /// Returns the requested part, as soon as it is known.
    pub(crate) fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Undescribed(_) => None,
            Self::Described(set) => Some(&set.selection),
        }
    }

    /// Returns the blocks, consuming the set.
    pub(crate) fn into_staging(self) -> Staging {
        match self {
            Self::Undescribed(staging) => staging,
            Self::Described(set) => set.staging,
        }
    }
}

/// Returns the requested content of a set, and the payload of each of its volumes in bytes. Returns `None` when its
/// catalog has not come.
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

/// Returns the title of a set. It is empty as long as no superblock has come.
pub(crate) fn title_of(staging: &Staging) -> String {
    staging
        .descriptor()
        .map_or_else(|_| String::new(), |each| each.title)
}

/// Returns what all calls together have requested of a set.
pub(crate) fn asked_of(staging: &Staging) -> Vec<Platform> {
    let note = staging.note().unwrap_or_default();
    let lines = String::from_utf8(note).unwrap_or_default();
    let platforms: Result<_, _> = lines.lines().map(str::parse).collect();
    // An unreadable note counts as a request for everything.
    platforms.unwrap_or_default()
}

/// Adds these platforms to what is requested of a set.
///
/// # Errors
/// [`Error`] when the note cannot be written.
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

/// Returns the note for a set that is started for these platforms, one a line. `None` stands for a request for
/// everything.
pub(crate) fn note_of(platforms: &[Platform]) -> Option<Vec<u8>> {
    let lines = platforms.iter().map(|platform| format!("{platform}\n"));
    (!platforms.is_empty()).then(|| lines.collect::<String>().into_bytes())
}

impl StagedSet {
    /// Reads everything that the set says about itself.
    ///
    /// # Errors
    /// [`Error`] when not enough of it has come, or it is malformed.
    pub(crate) fn of(staging: Staging) -> Result<Self, Error> {
        let catalog = Catalog::from_bytes(&staging.catalog()?).map_err(BundleError::from)?;
        let payload_bytes = staging.descriptor()?.payload_bytes;
        Ok(Self {
            staging,
            selection: Selection::of(catalog, &[]),
            payload_bytes,
        })
    }

    /// Returns the catalog, without releases that are not requested.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.selection.catalog
    }

    /// Returns the payload that a bundle claims, limited to what its volumes can hold.
    pub(crate) fn held_bytes(&self) -> u64 {
        let held: u64 = self.payload_bytes.iter().sum();
        self.selection.payload_bytes().min(held)
    }

    /// Returns the staged sets that a bundle depends on, as far as they can be read.
    ///
    /// # Errors
    /// [`Error`] when the staging folder cannot be read.
    pub(crate) fn depended_on(store: &Store, catalog: &Catalog) -> Result<Vec<Self>, Error> {
        let depended: BTreeSet<SetId> = catalog
            .prerequisites
            .iter()
            .flat_map(|prerequisite| prerequisite.sets.iter().map(|set| set.set))
            .collect();
        if depended.is_empty() {
            return Ok(Vec::new());
        }
        let sets = open_all(&store.incoming_dir())?.into_iter();
        Ok(sets
            .filter(|set| depended.contains(&set.set_id()))
            .filter_map(|set| Self::of(set).ok())
            .collect())
    }

    /// Returns the frames of this set that a bundle depends on, and that are present or can be rebuilt by parity.
    pub(crate) fn depended_frames(&self, by: &Catalog) -> Vec<FramePlace> {
        let set_id = self.staging.set_id();
        let prerequisites = by
            .prerequisites
            .iter()
            .flat_map(|prerequisite| &prerequisite.sets);
        let runs: Vec<FrameRun> = prerequisites
            .filter(|prerequisite| prerequisite.set == set_id)
            .flat_map(|prerequisite| prerequisite.frames.iter().copied())
            .collect();
        let is_depended_on = |place: &FramePlace| {
            runs.iter().any(|run| {
                let number = u32::try_from(place.frame_no).ok();
                number.is_some_and(|no| no >= run.first && no - run.first < run.count)
            })
        };
        let recovery = self.staging.assess();
        let mut places = self.places();
        places.retain(|place| is_depended_on(place) && self.has(&recovery, place));
        places
    }

    /// Returns the old chunks that these frames depend on and for which `is_there` returns false.
    pub(crate) fn missing_bases(
        &self,
        places: &[FramePlace],
        is_there: impl Fn(&ChunkId) -> bool,
    ) -> HashSet<ChunkId> {
        if self.catalog().prerequisites.is_empty() {
            return HashSet::new();
        }
        let bases = places.iter().filter_map(|place| self.bases_of(place));
        bases.flatten().filter(|id| !is_there(id)).collect()
    }

    /// Returns the names of its releases, including those that are not requested.
    pub(crate) fn release_names(&self) -> Vec<String> {
        self.selection.all_release_names().cloned().collect()
    }

    /// Returns the places of the needed frames.
    pub(crate) fn places(&self) -> Vec<FramePlace> {
        self.selection.places(&self.payload_bytes)
    }

    /// Returns the needed frames as runs.
    pub(crate) fn runs(&self) -> Vec<VolumeRun> {
        runs(&self.places())
    }

    /// Reads the needed frames in order, and of these only the ones for which `is_wanted` returns true. The memory is
    /// that of [`read_frames`].
    ///
    /// # Errors
    /// [`Error`] when a frame cannot be read, `each` fails, or a stop was asked for.
    pub(crate) fn read_frames(
        &self,
        is_wanted: impl Fn(&FramePlace) -> Result<bool, Error>,
        bases: &dyn Bases,
        monitor: &dyn Monitor,
        mut each: impl FnMut(UnpackedFrame) -> Result<(), Error>,
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

    /// Returns the numbers of the frames that are present or can be rebuilt by parity, and whose old chunks satisfy
    /// `is_at_hand`.
    pub(crate) fn usable_frames(&self, is_at_hand: &mut dyn FnMut(&ChunkId) -> bool) -> Vec<usize> {
        let recovery = self.staging.assess();
        let prerequisites = !self.catalog().prerequisites.is_empty();
        let places = self.places().into_iter();
        let usable = places.filter(|place| {
            self.has(&recovery, place)
                && (!prerequisites
                    || self
                        .bases_of(place)
                        .is_some_and(|bases| bases.iter().all(&mut *is_at_hand)))
        });
        usable.map(|place| place.frame_no).collect()
    }

    /// Returns whether a frame is present or can be rebuilt by parity.
    pub(crate) fn has(&self, recovery: &Recovery, place: &FramePlace) -> bool {
        recovery.has_payload(self.staging.geometry(), place.volume_no, place.range())
    }

    /// Returns the old chunks that a frame depends on. Returns `None` when the beginning of the staged frame cannot be
    /// read.
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

    /// Reads frames one by one. Returns blocks that have gone bad since they came.
    pub(crate) fn read(
        &self,
        places: &[FramePlace],
        bases: &dyn Bases,
        monitor: &dyn Monitor,
        mut each: impl FnMut(&FramePlace, UnpackedFrame) -> Result<(), Error>,
    ) -> Result<Vec<BlockPlace>, Error> {
        let mut bad = Vec::new();
        let open = |place: &FramePlace| {
            let payload = self.staging.payload_reader(place.volume_no);
            let mut payload =
                payload.map_err(|error| BundleError::Payload(std::io::Error::other(error)))?;
            payload.seek_to(place.offset);
            read_exactly(&mut payload, place.entry.stored_bytes)
        };
        read_single(places, open, bases, monitor, |place, frame| {
            match frame {
                Ok(frame) => each(place, frame)?,
                Err(BundleError::Payload(source)) => bad.extend(PayloadReader::damage_of(&source)),
                // The frame is wrong in itself, or its old chunks are missing. What it holds counts as missing.
                Err(_) => {}
            }
            Ok::<(), Error>(())
        })?;
        Ok(bad)
    }
}
