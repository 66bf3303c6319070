//! The requested part of a set: the releases for some platforms, the frames that these need, and their places.
//!
//! A release without an architecture is for every platform. Memory: the catalog, and a byte a frame.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;

use crate::bundle::{Catalog, FramePlace};
use crate::content::release::ReleaseName;
use crate::oci::image::Platform;

/// The requested part of a set.
pub(crate) struct Selection {
    /// The catalog, without releases that are not requested.
    pub(crate) catalog: Catalog,
    /// Releases that are not requested.
    left_out: Vec<String>,
    platforms: Vec<Platform>,
    /// Whether each frame is needed. `None` when all are.
    needed: Option<Vec<bool>>,
}

/// The part of a set that is not received, because it is for other platforms than requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The requested platforms.
    pub platforms: Vec<Platform>,
    /// Releases that are left out.
    pub releases: Vec<String>,
    /// Bytes of the payload that the other releases need.
    pub needed_bytes: u64,
    /// Bytes of the payload.
    pub payload_bytes: u64,
}

/// Consecutive frames on a volume.
pub(crate) struct VolumeRun {
    /// The volume.
    pub(crate) volume_no: u16,
    /// Offset of the first one in the payload of the volume.
    pub(crate) offset: u64,
    /// Their numbers.
    pub(crate) frames: Range<usize>,
}

impl Selection {
    /// Selects the part of a catalog that is for these platforms, or all of it when there are none.
    pub(crate) fn of(mut catalog: Catalog, platforms: &[Platform]) -> Self {
        let mut left_out = Vec::new();
        catalog.releases.retain(|release| {
            let is_asked = is_for(&release.name, platforms);
            if !is_asked {
                left_out.push(release.name.clone());
            }
            is_asked
        });
        // The catalog does not say which release needs the frames that other sets depend on.
        let tops_up = catalog
            .prerequisites
            .iter()
            .any(|prerequisite| !prerequisite.sets.is_empty());
        let needed = (!left_out.is_empty() && !tops_up).then(|| needed_frames(&catalog));
        Self {
            catalog,
            left_out,
            platforms: platforms.to_vec(),
            needed,
        }
    }

    /// Returns the releases of the set, including those that are left out.
    pub(crate) fn all_release_names(&self) -> impl Iterator<Item = &String> {
        let asked = self.catalog.releases.iter().map(|release| &release.name);
        asked.chain(&self.left_out)
    }

    /// Returns what is left out, if anything.
    pub(crate) fn left_out(&self) -> Option<LeftOut> {
        (!self.left_out.is_empty()).then(|| LeftOut {
            platforms: self.platforms.clone(),
            releases: self.left_out.clone(),
            needed_bytes: self.payload_bytes(),
            payload_bytes: self.catalog.payload_bytes(),
        })
    }

    /// Returns the catalog with the prerequisites that remain if the selection needs nothing of other platforms. This
    /// is a guess until frames are read.
    pub(crate) fn likely_dependencies(&self) -> Cow<'_, Catalog> {
        if !self.is_narrow() || self.catalog.prerequisites.is_empty() {
            return Cow::Borrowed(&self.catalog);
        }
        let mut catalog = self.catalog.clone();
        for prerequisite in &mut catalog.prerequisites {
            let releases = &mut prerequisite.releases;
            releases.retain(|release| is_for(&release.name, &self.platforms));
        }
        Cow::Owned(catalog)
    }

    /// Returns whether only some of the chunks in its frames are needed.
    pub(crate) fn is_narrow(&self) -> bool {
        self.needed.is_some()
    }

    /// Returns the bytes of the needed frames, as stored.
    pub(crate) fn payload_bytes(&self) -> u64 {
        let frames = self.catalog.frames.iter().enumerate();
        let needed = frames.filter(|(number, _)| self.needs(*number));
        needed.map(|(_, frame)| u64::from(frame.stored_bytes)).sum()
    }

    fn needs(&self, frame_no: usize) -> bool {
        let needed = self.needed.as_ref();
        needed.is_none_or(|needed| needed.get(frame_no).copied().unwrap_or(false))
    }

    /// Returns the places of the needed frames.
    pub(crate) fn places(&self, payload_bytes: &[u64]) -> Vec<FramePlace> {
        let mut places = self.catalog.places(payload_bytes);
        places.retain(|place| self.needs(place.frame_no));
        places
    }
}

/// Returns whether a release is for one of these platforms.
fn is_for(release: &str, platforms: &[Platform]) -> bool {
    let name = release.parse::<ReleaseName>().ok();
    let arch = name.as_ref().and_then(ReleaseName::arch);
    platforms.is_empty()
        || arch.is_none_or(|arch| platforms.iter().any(|platform| platform.is_of(arch)))
}

/// Returns the frames that the items of a catalog need.
fn needed_frames(catalog: &Catalog) -> Vec<bool> {
    let mut needed = vec![false; catalog.frames.len()];
    let items = catalog.releases.iter().flat_map(|release| &release.items);
    for run in items.flat_map(|item| &item.frames) {
        // A decoded catalog names only frames that exist.
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

/// Groups frames into runs of consecutive ones.
pub(crate) fn runs(places: &[FramePlace]) -> Vec<VolumeRun> {
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
