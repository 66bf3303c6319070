//! A set in the spool that has a catalog: which of its frames are there, and what is in them.
//!
//! It heals nothing and writes nothing but the note that a block has gone bad. Memory: what reading frames states.

use std::collections::{BTreeSet, HashSet};
use std::io::Read;

use crate::base::id::{ChunkId, SetId};
use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, Catalog, FramePlace, FrameRun, read_exactly, read_single};
use crate::content::frame::{Bases, Frame, FrameHead, HEADER_BYTES, SealedFrame};
use crate::ops::Error;
use crate::store::Store;
use crate::volumes::recovery::{BlockPlace, Recovery};
use crate::volumes::staging::open_all;
use crate::volumes::{PayloadReader, Staging};

/// A set in the spool.
pub(crate) struct StagedSet {
    pub(crate) incoming: Staging,
    pub(crate) catalog: Catalog,
    payload_bytes: Vec<u64>,
}

impl StagedSet {
    /// Reads what the set says of itself.
    ///
    /// # Errors
    /// [`Error`] when not enough has come for that, or it is wrong.
    pub(crate) fn of(incoming: Staging) -> Result<Self, Error> {
        let catalog = Catalog::from_bytes(&incoming.catalog()?).map_err(BundleError::from)?;
        let payload_bytes = incoming.descriptor()?.payload_bytes;
        Ok(Self {
            incoming,
            catalog,
            payload_bytes,
        })
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
        let set_id = self.incoming.set_id();
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
        let recovery = self.incoming.assess();
        let mut places = self.places();
        places.retain(|place| is_leaned(place) && self.has(&recovery, place));
        places
    }

    /// The old chunks that these frames lean on and `is_there` says no of.
    pub(crate) fn lacking_bases(
        &self,
        places: &[FramePlace],
        is_there: impl Fn(&ChunkId) -> bool,
    ) -> HashSet<ChunkId> {
        if self.catalog.leans.is_empty() {
            return HashSet::new();
        }
        let bases = places.iter().filter_map(|place| self.bases_of(place));
        bases.flatten().filter(|id| !is_there(id)).collect()
    }

    /// The releases in it.
    pub(crate) fn release_names(&self) -> Vec<String> {
        let releases = self.catalog.releases.iter();
        releases.map(|release| release.name.clone()).collect()
    }

    /// Where its frames lie.
    pub(crate) fn places(&self) -> Vec<FramePlace> {
        self.catalog.places(&self.payload_bytes)
    }

    /// Numbers of the frames that are there, or come back by parity, and whose old chunks `is_at_hand` says yes of.
    pub(crate) fn usable_frames(&self, is_at_hand: &mut dyn FnMut(&ChunkId) -> bool) -> Vec<usize> {
        let recovery = self.incoming.assess();
        let leans = !self.catalog.leans.is_empty();
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
        recovery.has_payload(self.incoming.geometry(), place.volume_no, place.range())
    }

    /// The old chunks that a frame leans on. `None` when its beginning cannot be read as it stands in the spool.
    fn bases_of(&self, place: &FramePlace) -> Option<Vec<ChunkId>> {
        let mut payload = self.incoming.payload_reader(place.volume_no).ok()?;
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

    /// Reads frames one by one. Blocks that have gone bad in the spool are given back.
    pub(crate) fn read(
        &self,
        places: &[FramePlace],
        bases: &dyn Bases,
        monitor: &dyn Monitor,
        mut each: impl FnMut(Frame) -> Result<(), Error>,
    ) -> Result<Vec<BlockPlace>, Error> {
        let mut bad = Vec::new();
        let open = |place: &FramePlace| {
            let payload = self.incoming.payload_reader(place.volume_no);
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
