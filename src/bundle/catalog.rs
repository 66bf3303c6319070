//! The catalog of a bundle: which releases it carries, in which frames, and which frames an item needs.
//!
//! Every volume has a copy, so that any one of them tells what the set holds and what a loss costs. The catalog holds
//! no chunk ids.

use std::ops::Range;

use wincode::{SchemaRead, SchemaWrite};

use crate::base::envelope::{self, EnvelopeError, EnvelopeKind};
use crate::base::id::{ReleaseId, SetId};
use crate::base::term::Flaw;

/// A catalog longer than this is refused.
pub(crate) const CATALOG_MAX_BYTES: u64 = 256 << 20;
/// Flag of the envelope: the bundle depends on chunks that it does not carry. A reader that does not know the flag
/// would find the releases incomplete and blame the bundle. The flag makes it refuse the bundle at once.
const FLAG_LEANS: u32 = 1;
/// Flag of the envelope, set in addition to the other one: the bundle also depends on frames of other sets.
const FLAG_TOPS_UP: u32 = 2;
/// Flag of the envelope, set alone: the frames are pieces of sealed content, and the catalog has their hashes.
const FLAG_SEALED: u32 = 4;

/// What a bundle carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// Releases, in the order of the request.
    pub releases: Vec<CatalogRelease>,
    /// Frames in the order of the data volumes, first volume first.
    pub frames: Vec<CatalogFrame>,
    /// Prerequisites of the bundle. Empty when it has all that its releases need.
    pub prerequisites: Vec<Prerequisite>,
    /// The hash of each frame, when these are pieces of sealed content. There are no releases then.
    pub seals: Option<Vec<[u8; 32]>>,
}

/// The body of a catalog of sealed content.
#[derive(SchemaRead, SchemaWrite)]
struct SealedFrames {
    frames: Vec<CatalogFrame>,
    seals: Vec<[u8; 32]>,
}

/// The body of a catalog without prerequisites, and the first part of one with them.
#[derive(SchemaRead, SchemaWrite)]
struct Carried {
    releases: Vec<CatalogRelease>,
    frames: Vec<CatalogFrame>,
}

/// The body of a catalog with prerequisites.
#[derive(SchemaRead, SchemaWrite)]
struct Depending {
    carried: Carried,
    prerequisites: Vec<PrerequisiteReleases>,
}

/// The body of a catalog that also depends on other sets.
#[derive(SchemaRead, SchemaWrite)]
struct ToppingUp {
    depending: Depending,
    /// One entry for each prerequisite.
    sets: Vec<Vec<PrerequisiteSet>>,
}

/// Releases and sets that together have every chunk that the bundle depends on. There is one for each recipient that
/// the bundle was cut for. A site that has the releases of one entry whole, and these frames, can receive the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prerequisite {
    /// The releases, newest first.
    pub releases: Vec<PrerequisiteRelease>,
    /// Sets that are staged at the recipient's site, by their ids.
    pub sets: Vec<PrerequisiteSet>,
}

/// Frames of a set that the bundle depends on.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct PrerequisiteSet {
    /// The set.
    pub set: SetId,
    /// The frames, ascending.
    pub frames: Vec<FrameRun>,
}

/// The releases of a prerequisite, as they are encoded.
#[derive(SchemaRead, SchemaWrite)]
struct PrerequisiteReleases {
    releases: Vec<PrerequisiteRelease>,
}

/// A release that the bundle depends on.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct PrerequisiteRelease {
    /// Its name as people write it.
    pub name: String,
    /// Its id: the same id means the same chunks.
    pub id: ReleaseId,
}

/// A release that the bundle carries.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct CatalogRelease {
    /// Its name as people write it.
    pub name: String,
    /// Body of its root file.
    pub root: Vec<u8>,
    /// Its items.
    pub items: Vec<CatalogItem>,
}

/// An item of a release, and the frames with its bytes.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct CatalogItem {
    /// Name as given, which need not be UTF-8.
    pub name: Vec<u8>,
    /// Length of the restored item in bytes.
    pub bytes: u64,
    /// Frames it needs, as runs in ascending order.
    pub frames: Vec<FrameRun>,
}

/// Frames `first`, `first + 1`, ... of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct FrameRun {
    /// First frame, from 0.
    pub first: u32,
    /// How many, at least 1.
    pub count: u32,
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct CatalogFrame {
    /// Bytes on the volume, header and table included.
    pub stored_bytes: u32,
    /// Bytes when unpacked.
    pub plain_bytes: u32,
    /// Chunks in it.
    pub chunks: u32,
}

/// The place of a frame in the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramePlace {
    /// Its number in the catalog, from 0.
    pub frame_no: usize,
    /// Its data volume.
    pub volume_no: u16,
    /// Offset of its first byte in the payload of that volume.
    pub offset: u64,
    /// Its entry in the catalog.
    pub entry: CatalogFrame,
    /// Its hash, when the catalog has it.
    pub seal: Option<[u8; 32]>,
}

impl FramePlace {
    /// Returns its bytes in the payload of its volume.
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + u64::from(self.entry.stored_bytes)
    }
}

/// Joins the encoded parts into prerequisites.
fn joined(
    prerequisites: Vec<PrerequisiteReleases>,
    sets: Vec<Vec<PrerequisiteSet>>,
) -> Result<Vec<Prerequisite>, EnvelopeError> {
    if prerequisites.is_empty() {
        return Err(EnvelopeError::Corrupt(Flaw::DependsOnSomething));
    }
    if prerequisites.len() != sets.len() {
        return Err(EnvelopeError::Corrupt(Flaw::SetsOfNoPrerequisite));
    }
    let both = prerequisites.into_iter().zip(sets);
    Ok(both
        .map(|(prerequisite, sets)| Prerequisite {
            releases: prerequisite.releases,
            sets,
        })
        .collect())
}

impl Catalog {
    /// Encodes and seals the catalog. A catalog without prerequisites has exactly the bytes of the format before they
    /// existed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let carried = Carried {
            releases: self.releases.clone(),
            frames: self.frames.clone(),
        };
        if let Some(seals) = &self.seals {
            let sealed = SealedFrames {
                frames: carried.frames,
                seals: seals.clone(),
            };
            let body = envelope::encode(&sealed);
            return envelope::seal_with(EnvelopeKind::Catalog, FLAG_SEALED, &body);
        }
        // Each form is only written when it is needed, so that older programs can read as many bundles as possible.
        if self.prerequisites.is_empty() {
            return envelope::seal(EnvelopeKind::Catalog, &envelope::encode(&carried));
        }
        let prerequisites = self
            .prerequisites
            .iter()
            .map(|prerequisite| PrerequisiteReleases {
                releases: prerequisite.releases.clone(),
            });
        let depending = Depending {
            carried,
            prerequisites: prerequisites.collect(),
        };
        if self
            .prerequisites
            .iter()
            .all(|prerequisite| prerequisite.sets.is_empty())
        {
            return envelope::seal_with(
                EnvelopeKind::Catalog,
                FLAG_LEANS,
                &envelope::encode(&depending),
            );
        }
        let topping_up = ToppingUp {
            depending,
            sets: self
                .prerequisites
                .iter()
                .map(|prerequisite| prerequisite.sets.clone())
                .collect(),
        };
        let body = envelope::encode(&topping_up);
        envelope::seal_with(EnvelopeKind::Catalog, FLAG_LEANS | FLAG_TOPS_UP, &body)
    }

    /// Decodes a catalog.
    ///
    /// # Errors
    /// [`EnvelopeError`] for anything but a whole catalog whose numbers agree.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let tops_up = FLAG_LEANS | FLAG_TOPS_UP;
        let known = tops_up | FLAG_SEALED;
        let (flags, body) =
            envelope::open_with(EnvelopeKind::Catalog, known, bytes, CATALOG_MAX_BYTES)?;
        if flags == FLAG_SEALED {
            let SealedFrames { frames, seals } = envelope::decode(body)?;
            if frames.len() != seals.len() {
                return Err(EnvelopeError::Corrupt(Flaw::MissingFrame));
            }
            let catalog = Self {
                frames,
                seals: Some(seals),
                ..Self::default()
            };
            catalog.check()?;
            return Ok(catalog);
        }
        let (carried, prerequisites) = match flags {
            0 => (envelope::decode(body)?, Vec::new()),
            FLAG_LEANS => {
                let depending: Depending = envelope::decode(body)?;
                let sets = vec![Vec::new(); depending.prerequisites.len()];
                (depending.carried, joined(depending.prerequisites, sets)?)
            }
            flags if flags == tops_up => {
                let ToppingUp { depending, sets } = envelope::decode(body)?;
                (depending.carried, joined(depending.prerequisites, sets)?)
            }
            _ => return Err(EnvelopeError::Corrupt(Flaw::SetsWithoutDependents)),
        };
        let catalog = Self {
            releases: carried.releases,
            frames: carried.frames,
            prerequisites,
            seals: None,
        };
        catalog.check()?;
        Ok(catalog)
    }

    fn check(&self) -> Result<(), EnvelopeError> {
        let frames = u32::try_from(self.frames.len())
            .map_err(|_| EnvelopeError::Corrupt(Flaw::ManyFrames))?;
        let runs = self
            .releases
            .iter()
            .flat_map(|release| &release.items)
            .flat_map(|item| &item.frames);
        for run in runs {
            // Later code indexes the frames by these runs, so they are checked once here.
            let end = run.first.checked_add(run.count);
            if end.is_none_or(|end| end > frames) {
                return Err(EnvelopeError::Corrupt(Flaw::MissingFrame));
            }
        }
        Ok(())
    }

    fn seal(&self, frame_no: usize) -> Option<[u8; 32]> {
        self.seals.as_ref()?.get(frame_no).copied()
    }

    /// Returns whether it is the catalog of sealed content.
    pub fn is_sealed(&self) -> bool {
        self.seals.is_some()
    }

    /// Returns the frames from `first` on that make up `bytes` of payload, which are those of one volume.
    pub fn frames_within(&self, first: usize, bytes: u64) -> &[CatalogFrame] {
        let rest = self.frames.get(first..).unwrap_or_default();
        let mut end = 0;
        let within = rest.iter().take_while(|frame| {
            end += u64::from(frame.stored_bytes);
            end <= bytes
        });
        &rest[..within.count()]
    }

    /// Returns the bytes of all frames as stored, which are the payload of the data volumes.
    pub fn payload_bytes(&self) -> u64 {
        self.frames
            .iter()
            .map(|frame| u64::from(frame.stored_bytes))
            .sum()
    }

    /// Returns the bytes of all frames when unpacked.
    pub fn plain_bytes(&self) -> u64 {
        self.frames
            .iter()
            .map(|frame| u64::from(frame.plain_bytes))
            .sum()
    }

    /// Returns the place of each frame. `payload_bytes` is what each data volume holds, from volume 1 on.
    pub fn places(&self, payload_bytes: &[u64]) -> Vec<FramePlace> {
        let mut places = Vec::new();
        let mut frame_no = 0;
        for (volume_no, bytes) in (1..).zip(payload_bytes) {
            let mut offset = 0;
            for frame in self.frames_within(frame_no, *bytes) {
                places.push(FramePlace {
                    frame_no,
                    volume_no,
                    offset,
                    entry: *frame,
                    seal: self.seal(frame_no),
                });
                offset += u64::from(frame.stored_bytes);
                frame_no += 1;
            }
        }
        places
    }

    /// Returns the names of the items that need a frame with missing bytes, as `RELEASE ITEM`. `payload_bytes` is what
    /// each data volume holds, from volume 1 on. `is_there` says whether bytes of a volume's payload are present.
    pub fn lost_items(
        &self,
        payload_bytes: &[u64],
        is_there: impl Fn(u16, Range<u64>) -> bool,
    ) -> Vec<String> {
        let places = self.places(payload_bytes).into_iter();
        let lost: Vec<u32> = places
            .filter(|place| !is_there(place.volume_no, place.range()))
            .filter_map(|place| u32::try_from(place.frame_no).ok())
            .collect();
        self.items_in(&lost)
    }

    /// Returns the names of the items that need any of `frames`, as `RELEASE ITEM`.
    pub fn items_in(&self, frames: &[u32]) -> Vec<String> {
        let needs = |item: &CatalogItem| {
            item.frames.iter().any(|run| {
                frames
                    .iter()
                    .any(|&frame| frame >= run.first && frame - run.first < run.count)
            })
        };
        self.releases
            .iter()
            .flat_map(|release| {
                release
                    .items
                    .iter()
                    .filter(|item| needs(item))
                    .map(|item| format!("{} {}", release.name, String::from_utf8_lossy(&item.name)))
            })
            .collect()
    }
}

/// Turns ascending frame numbers into runs.
pub(crate) fn runs_of(frames: impl IntoIterator<Item = u32>) -> Vec<FrameRun> {
    let mut runs: Vec<FrameRun> = Vec::new();
    for frame in frames {
        match runs.last_mut() {
            Some(run) if frame == run.first + run.count => run.count += 1,
            Some(run) if frame < run.first + run.count => {}
            _ => runs.push(FrameRun {
                first: frame,
                count: 1,
            }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn catalog() -> Catalog {
        let frame = CatalogFrame {
            stored_bytes: 10,
            plain_bytes: 30,
            chunks: 2,
        };
        let item = |name: &str, first, count| CatalogItem {
            name: name.into(),
            bytes: 5,
            frames: vec![FrameRun { first, count }],
        };
        Catalog {
            releases: vec![CatalogRelease {
                name: "shop:1.0".into(),
                root: vec![1, 2, 3],
                items: vec![item("a", 0, 2), item("b", 2, 1)],
            }],
            frames: vec![frame; 3],
            prerequisites: Vec::new(),
            seals: None,
        }
    }

    #[test]
    fn a_catalog_round_trips_and_says_what_a_frame_costs() {
        let read = Catalog::from_bytes(&catalog().to_bytes()).unwrap();
        assert_eq!(read, catalog());
        assert_eq!(read.items_in(&[1]), ["shop:1.0 a"]);
        assert_eq!(read.items_in(&[1, 2]), ["shop:1.0 a", "shop:1.0 b"]);
        assert_eq!(read.payload_bytes(), 30);
        // The second frame and half of the third are on no volume.
        let is_there = |volume_no: u16, range: Range<u64>| volume_no == 1 && range.end <= 10;
        assert_eq!(
            read.lost_items(&[20, 10], is_there),
            ["shop:1.0 a", "shop:1.0 b"]
        );
    }

    #[test]
    fn a_catalog_that_leans_on_releases_says_so_in_its_flags() {
        let mut depending = catalog();
        depending.prerequisites = vec![Prerequisite {
            releases: vec![PrerequisiteRelease {
                name: "shop:0.9".into(),
                id: ReleaseId([7; 32]),
            }],
            sets: Vec::new(),
        }];
        let bytes = depending.to_bytes();
        assert_eq!(Catalog::from_bytes(&bytes).unwrap(), depending);
        assert_eq!(bytes[12..16], [1, 0, 0, 0]);
        assert_eq!(catalog().to_bytes()[12..16], [0; 4]);
        depending.prerequisites[0].sets = vec![PrerequisiteSet {
            set: SetId([5; 16]),
            frames: vec![FrameRun { first: 2, count: 1 }],
        }];
        let bytes = depending.to_bytes();
        assert_eq!(Catalog::from_bytes(&bytes).unwrap(), depending);
        assert_eq!(bytes[12..16], [3, 0, 0, 0]);
        // A flag without prerequisites is as wrong as prerequisites without the flag.
        let body = envelope::encode(&Depending {
            carried: Carried {
                releases: Vec::new(),
                frames: Vec::new(),
            },
            prerequisites: Vec::new(),
        });
        for flags in [0, FLAG_LEANS, 2, 3, 4] {
            let sealed = envelope::seal_with(EnvelopeKind::Catalog, flags, &body);
            assert!(Catalog::from_bytes(&sealed).is_err());
        }
    }

    #[test]
    fn a_sealed_catalog_has_a_hash_for_each_frame_and_no_release() {
        let mut sealed = Catalog {
            frames: catalog().frames,
            seals: Some(vec![[7; 32]; 3]),
            ..Catalog::default()
        };
        let bytes = sealed.to_bytes();
        assert_eq!(bytes[12..16], [4, 0, 0, 0]);
        assert_eq!(Catalog::from_bytes(&bytes).unwrap(), sealed);
        let places = sealed.places(&[30]);
        assert!(places.iter().all(|place| place.seal == Some([7; 32])));
        sealed.seals = Some(vec![[7; 32]; 2]);
        assert!(Catalog::from_bytes(&sealed.to_bytes()).is_err());
    }

    #[test]
    fn an_item_that_names_a_frame_that_is_not_there_is_refused() {
        let mut bad = catalog();
        bad.frames.pop();
        assert!(Catalog::from_bytes(&bad.to_bytes()).is_err());
    }

    #[test]
    fn runs_join_neighbours() {
        let run = |first, count| FrameRun { first, count };
        assert_eq!(
            runs_of([0, 1, 1, 2, 5, 9, 10]),
            [run(0, 3), run(5, 1), run(9, 2)]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Catalog::from_bytes(&envelope::seal(EnvelopeKind::Catalog, &body));
            let _ = Catalog::from_bytes(&envelope::seal_with(EnvelopeKind::Catalog, FLAG_LEANS, &body));
            let _ = Catalog::from_bytes(&envelope::seal_with(EnvelopeKind::Catalog, 3, &body));
        }
    }
}
