//! The part of a set that is asked for: the releases for some platforms, the frames that these need, and where those lie.
//!
//! A release without an architecture is for every platform. What is asked of a set stands beside it in the spool, so that
//! it is known when the set may go. Memory: the catalog, and a byte a frame.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;

use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, Catalog, CatalogFrame, FramePlace, read_frames};
use crate::content::frame::{Bases, Frame};
use crate::content::release::ReleaseName;
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::volumes::Staging;

/// The part of a set that is asked for.
pub(crate) struct Selection {
    /// The catalog, without releases that are not asked for.
    pub(crate) catalog: Catalog,
    /// Releases that are not asked for.
    left_out: Vec<String>,
    platforms: Vec<Platform>,
    /// Whether each frame is needed; `None`: all are.
    needed: Option<Vec<bool>>,
}

/// What of a set is not received, for it is for other platforms than those that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The platforms that were asked for.
    pub platforms: Vec<String>,
    /// Releases that are left out.
    pub releases: Vec<String>,
    /// Bytes of the payload that the other releases need.
    pub needed_bytes: u64,
    /// Bytes of the payload.
    pub payload_bytes: u64,
}

/// Frames that lie one behind the other on a volume.
pub(crate) struct VolumeRun {
    /// The volume.
    pub(crate) volume_no: u16,
    /// First byte of the first one in its payload.
    pub(crate) offset: u64,
    /// Their numbers.
    pub(crate) frames: Range<usize>,
}

impl Selection {
    /// Takes of a catalog what is for these platforms; all of it when there are none.
    pub(crate) fn of(mut catalog: Catalog, platforms: &[Platform]) -> Self {
        let mut left_out = Vec::new();
        catalog.releases.retain(|release| {
            let is_asked = is_for(&release.name, platforms);
            if !is_asked {
                left_out.push(release.name.clone());
            }
            is_asked
        });
        // What frames of other sets need besides is said of no release.
        let tops_up = catalog.leans.iter().any(|lean| !lean.sets.is_empty());
        let needed = (!left_out.is_empty() && !tops_up).then(|| needed_frames(&catalog));
        Self {
            catalog,
            left_out,
            platforms: platforms.to_vec(),
            needed,
        }
    }

    /// Reads what a set carries; from now on only what is asked for is needed of it. `None` when its catalog has not come.
    ///
    /// # Errors
    /// [`Error`] when the catalog is wrong.
    pub(crate) fn read(
        incoming: &mut Staging,
        platforms: &[Platform],
    ) -> Result<Option<Self>, Error> {
        let Ok(bytes) = incoming.catalog() else {
            return Ok(None);
        };
        let catalog = Catalog::from_bytes(&bytes).map_err(BundleError::from)?;
        let selection = Self::of(catalog, platforms);
        if selection.needed.is_some() {
            let places = selection.places(&incoming.descriptor()?.payload_bytes);
            incoming.narrow(places.iter().map(|place| (place.volume_no, place.range())));
        }
        Ok(Some(selection))
    }

    /// What was asked of a set by all calls that met it.
    pub(crate) fn asked(incoming: &Staging) -> Vec<Platform> {
        let note = incoming.note().unwrap_or_default();
        let lines = String::from_utf8(note).unwrap_or_default();
        let platforms: Result<_, _> = lines.lines().map(str::parse).collect();
        // Of a note that makes no sense, everything was asked.
        platforms.unwrap_or_default()
    }

    /// Whether something is left out.
    pub(crate) fn left_out(&self) -> Option<LeftOut> {
        (!self.left_out.is_empty()).then(|| LeftOut {
            platforms: self.platforms.iter().map(ToString::to_string).collect(),
            releases: self.left_out.clone(),
            needed_bytes: self.payload_bytes(),
            payload_bytes: self.catalog.payload_bytes(),
        })
    }

    /// The catalog as it leans if what is left out of it needs nothing of other platforms: a guess, until frames are read.
    pub(crate) fn likely_to_lean(&self) -> Cow<'_, Catalog> {
        if !self.is_narrow() || self.catalog.leans.is_empty() {
            return Cow::Borrowed(&self.catalog);
        }
        let mut catalog = self.catalog.clone();
        for lean in &mut catalog.leans {
            let releases = &mut lean.releases;
            releases.retain(|release| is_for(&release.name, &self.platforms));
        }
        Cow::Owned(catalog)
    }

    /// Whether only some of the chunks in its frames are needed.
    pub(crate) fn is_narrow(&self) -> bool {
        self.needed.is_some()
    }

    /// Bytes of the frames that are needed, as stored.
    pub(crate) fn payload_bytes(&self) -> u64 {
        let frames = self.catalog.frames.iter().enumerate();
        let needed = frames.filter(|(number, _)| self.needs(*number));
        needed.map(|(_, frame)| u64::from(frame.stored_bytes)).sum()
    }

    fn needs(&self, frame_no: usize) -> bool {
        let needed = self.needed.as_ref();
        needed.is_none_or(|needed| needed.get(frame_no).copied().unwrap_or(false))
    }

    /// Where the frames lie that are needed.
    pub(crate) fn places(&self, payload_bytes: &[u64]) -> Vec<FramePlace> {
        let mut places = self.catalog.places(payload_bytes);
        places.retain(|place| self.needs(place.frame_no));
        places
    }

    /// The same as runs of frames.
    pub(crate) fn runs(&self, payload_bytes: &[u64]) -> Vec<VolumeRun> {
        runs(&self.places(payload_bytes))
    }

    /// Reads the frames that are needed, in order, and of these only the ones that `is_wanted` says yes of. Memory as
    /// [`read_frames`].
    ///
    /// # Errors
    /// [`Error`] when a frame cannot be read, `each` fails, or a stop was asked for.
    pub(crate) fn read_frames(
        &self,
        incoming: &Staging,
        is_wanted: impl Fn(&FramePlace) -> Result<bool, Error>,
        bases: &dyn Bases,
        monitor: &dyn Monitor,
        mut each: impl FnMut(Frame) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut places = Vec::new();
        for place in self.places(&incoming.descriptor()?.payload_bytes) {
            if is_wanted(&place)? {
                places.push(place);
            }
        }
        for run in runs(&places) {
            let mut payload = incoming.payload_reader(run.volume_no)?;
            payload.seek_to(run.offset);
            let first = run.frames.start;
            let frames: &[CatalogFrame] = &self.catalog.frames[run.frames];
            read_frames(&mut payload, frames, first, bases, monitor, &mut each)?;
        }
        Ok(())
    }
}

/// Whether a release is for one of these platforms.
fn is_for(release: &str, platforms: &[Platform]) -> bool {
    let name = release.parse::<ReleaseName>().ok();
    let arch = name.as_ref().and_then(ReleaseName::arch);
    platforms.is_empty()
        || arch.is_none_or(|arch| platforms.iter().any(|platform| platform.is_of(arch)))
}

/// Notes that this is asked of a set, too, besides what was before.
///
/// # Errors
/// [`Error`] when it cannot be noted.
pub(crate) fn ask_also(incoming: &Staging, platforms: &[Platform]) -> Result<(), Error> {
    let before = Selection::asked(incoming);
    let mut all = before.clone();
    if platforms.is_empty() {
        all.clear();
    } else if !before.is_empty() {
        all.extend(platforms.iter().cloned());
        all.sort();
        all.dedup();
    }
    if all != before {
        incoming.set_note(note_of(&all).as_deref())?;
    }
    Ok(())
}

/// The note beside a set that is begun for these platforms: one a line. `None`: all of it is asked for.
pub(crate) fn note_of(platforms: &[Platform]) -> Option<Vec<u8>> {
    let lines = platforms.iter().map(|platform| format!("{platform}\n"));
    (!platforms.is_empty()).then(|| lines.collect::<String>().into_bytes())
}

/// The frames that the items of a catalog need.
fn needed_frames(catalog: &Catalog) -> Vec<bool> {
    let mut needed = vec![false; catalog.frames.len()];
    let items = catalog.releases.iter().flat_map(|release| &release.items);
    for run in items.flat_map(|item| &item.frames) {
        // A catalog that was opened names no frame that is not there.
        let first = usize::try_from(run.first).unwrap_or(usize::MAX);
        let count = usize::try_from(run.count).unwrap_or(usize::MAX);
        needed
            .iter_mut()
            .skip(first)
            .take(count)
            .for_each(|each| *each = true);
    }
    needed
}

fn runs(places: &[FramePlace]) -> Vec<VolumeRun> {
    let mut runs: Vec<VolumeRun> = Vec::new();
    for place in places {
        match runs.last_mut() {
            Some(run) if run.volume_no == place.volume_no && run.frames.end == place.frame_no => {
                run.frames.end += 1;
            }
            _ => runs.push(VolumeRun {
                volume_no: place.volume_no,
                offset: place.offset,
                frames: place.frame_no..place.frame_no + 1,
            }),
        }
    }
    runs
}
