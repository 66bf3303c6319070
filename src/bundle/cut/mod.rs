//! Cuts a bundle: packs the frames that releases need, ordered by kind of content, anew into solid frames in a spool
//! file.
//!
//! It lays out no volumes. It returns pieces of payload and the catalog that describes them.
//!
//! Memory: one solid frame being gathered and one being packed for each worker, each about twice its plain bytes, and
//! the compressor's tables. That is about 400 MiB on two cores, or 1.3 GiB with LZMA.

mod solid;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::solid::{ChunkOrigin, Packs, pack_all};
pub(super) use self::solid::{SampleOptions, packed_bytes};
use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::archs::{ArchSet, Archs};
use crate::bundle::bases::OldChunks;
use crate::bundle::catalog::runs_of;
use crate::bundle::temp_payload::{CutBundle, TempPayload};
use crate::bundle::{BundleError, Catalog, CatalogItem, CatalogRelease, Have};
use crate::content::content_kind::ContentKind;
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::{ReleaseRoot, walk};
use crate::store::{ChunkSet, FrameNeed, Store};

/// Approximate plain bytes of a solid frame on large media. A site keeps frames as they come and reads single chunks out
/// of them, which sets the limit (docs/decisions/013-kept-frames.md).
pub(crate) const SOLID_BYTES: usize = 16 << 20;
/// The same for frames of LZMA, which a site packs again in any case, since they unpack slowly.
const SOLID_BYTES_SLOW: usize = 64 << 20;
/// Plain bytes that are ordered by kind together. A site that reads a release in its order then needs the frames of one
/// stretch at a time.
const STRETCH_BYTES: u64 = 128 << 20;
/// Plain bytes of a solid frame on the smallest media.
const SOLID_BYTES_MIN: usize = 1 << 20;
/// What the store keeps in memory while frames are packed against old chunks, which takes most where old code is long.
const CACHE_BYTES: usize = 96 << 20;
/// Fewest frames that should fit on a volume. A frame never crosses volumes, so larger frames would leave too much of a
/// volume empty.
const FRAMES_A_VOLUME: u64 = 12;

/// Returns the plain bytes of a solid frame for a medium of this size. `None` stands for a medium as large as needed.
pub(crate) fn solid_bytes(medium_bytes: Option<u64>) -> usize {
    medium_bytes
        .and_then(|bytes| usize::try_from(bytes / FRAMES_A_VOLUME).ok())
        .map_or(SOLID_BYTES, |bytes| {
            bytes.clamp(SOLID_BYTES_MIN, SOLID_BYTES)
        })
}

/// Options of cutting.
#[derive(Debug, Clone, Copy)]
pub struct CutOptions {
    /// How hard to compress.
    pub effort: Effort,
    /// Approximate plain bytes of a solid frame. See `solid_bytes`.
    pub solid_bytes: usize,
}

impl CutOptions {
    /// Returns the plain bytes at which a solid frame of this kind ends.
    fn frame_bytes(&self, class: ContentKind) -> usize {
        let is_code = matches!(class, ContentKind::ElfX86_64 | ContentKind::ElfArm64);
        if self.effort == Effort::Max && is_code && self.solid_bytes >= SOLID_BYTES {
            SOLID_BYTES_SLOW
        } else {
            self.solid_bytes
        }
    }
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    /// About as fast as disks.
    Fast,
    /// Small in reasonable time.
    #[default]
    Default,
    /// As small as this program can, however long it takes.
    Max,
}

/// Which frame a chunk went into, by the first 16 bytes of its id.
type FrameOf = HashMap<[u8; 16], u32>;

/// The chunks that a bundle carries, in the order of need, and the architectures that they are for.
#[derive(Default)]
struct WantedChunks {
    ids: Vec<(ChunkId, ArchSet)>,
    /// Where each chunk stands, as long as there is more than one architecture.
    places: HashMap<[u8; 16], usize>,
}

impl WantedChunks {
    fn add(&mut self, id: ChunkId, part: ArchSet, are_apart: bool) {
        if !are_apart {
            self.ids.push((id, part));
            return;
        }
        let place = *self.places.entry(prefix(&id)).or_insert(self.ids.len());
        match self.ids.get_mut(place) {
            Some((_, before)) => *before = before.with(part),
            None => self.ids.push((id, part)),
        }
    }

    fn by_part(self) -> BTreeMap<ArchSet, Vec<ChunkId>> {
        let mut parts: BTreeMap<ArchSet, Vec<ChunkId>> = BTreeMap::new();
        for (id, part) in self.ids {
            parts.entry(part).or_default().push(id);
        }
        parts
    }
}

/// What a bundle carries, and what it depends on.
#[derive(Debug)]
pub struct BundleNeeds {
    /// The store's frames with the chunks that the releases need and the recipient is missing, in the order of need. A
    /// frame comes once for each set of architectures that its chunks are for.
    frames: Vec<FrameNeed>,
    /// The architectures that each of these frames is for.
    parts: Vec<ArchSet>,
    archs: Archs,
    /// Chunks that the releases need and the recipient has.
    depended: ChunkSet,
}

impl BundleNeeds {
    /// Walks the releases. The bundle depends on what `have` contains, lists included, and does not carry it.
    ///
    /// # Errors
    /// [`BundleError`] when a list cannot be read or the store is missing a chunk.
    pub fn of(store: &Store, releases: &[ReleaseRoot], have: &Have) -> Result<Self, BundleError> {
        // What is planned with is packed later.
        store.keep_reads();
        let archs = Archs::of(releases);
        let mut wanted = WantedChunks::default();
        let mut depended = ChunkSet::new();
        let mut tops_up = false;
        let mut walker = Walker::new(store);
        for root in releases {
            if archs.are_apart() {
                // A shared walker would leave out what the release for another architecture has in common with this.
                walker = Walker::new(store);
            }
            let part = archs.of_release(&root.name);
            let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
                if have.contains_for(id, root.name.arch()) {
                    tops_up |= have.is_waiting(id);
                    depended.insert(id);
                } else {
                    wanted.add(*id, part, archs.are_apart());
                }
                Ok(())
            };
            walk::release(&mut walker, root, &mut note)?;
        }
        // What waits there may depend on chunks that the site has lost, so they are sent too.
        if tops_up {
            have.missing()
                .for_each(|id| wanted.add(id, ArchSet::NONE, archs.are_apart()));
        }
        let mut frames = Vec::new();
        let mut parts = Vec::new();
        for (part, ids) in wanted.by_part() {
            frames.extend(store.frames_of(&mut ids.into_iter())?);
            parts.resize(frames.len(), part);
        }
        Ok(Self {
            frames,
            parts,
            archs,
            depended,
        })
    }

    /// Returns the bytes of these frames in the store, which is all that is read.
    pub fn stored_bytes(&self) -> u64 {
        self.frames.iter().map(|need| need.stored_bytes).sum()
    }

    /// Estimates the payload, rather too high than too low: the needed share of each frame.
    pub(crate) fn share_bytes(&self) -> u64 {
        self.frames.iter().map(|need| need.share_bytes).sum()
    }
}

/// Cuts the bundle of `releases` out of `store`, with all chunks that they need except those in `have`.
///
/// # Errors
/// [`BundleError`] when the store is missing a chunk or cannot read it, the spool cannot be written, or a stop was
/// asked for.
pub fn cut(
    store: &Store,
    releases: &[ReleaseRoot],
    mut needs: BundleNeeds,
    have: &Have,
    options: CutOptions,
    spool: TempPayload,
    monitor: &dyn Monitor,
) -> Result<CutBundle, BundleError> {
    let mut order: Vec<(&FrameNeed, ArchSet)> = needs
        .frames
        .iter()
        .zip(needs.parts.iter().copied())
        .collect();
    if have.is_none() {
        order = by_kind_in_stretches(order);
    } else {
        // The sort is stable. Within a part and kind it keeps the order in which the releases need the frames.
        order.sort_by_key(|(need, part)| (part.turn(), need.class as u8));
    }
    monitor.start("compress", needs.stored_bytes());
    let old = if have.is_none() {
        None
    } else {
        let needed: HashSet<[u8; 16]> = needs
            .frames
            .iter()
            .flat_map(|need| need.chunks.iter().map(prefix))
            .collect();
        needs.depended = needs.depended.settled();
        let is_needed = |id: &ChunkId| needs.depended.contains(id) || needed.contains(&prefix(id));
        let mut old = OldChunks::of(store, (releases, have), &needs.frames, is_needed, monitor)?;
        if options.effort != Effort::Fast {
            old.find_programs(store, releases, have, &needs.frames, monitor)?;
        }
        // Frames are gathered, and bases read, in the order of the store.
        store.shrink_cache(CACHE_BYTES);
        Some(old)
    };
    let source = ChunkOrigin {
        store,
        old: old.as_ref(),
        have,
        archs: &needs.archs,
        base_bytes: None,
    };
    let Packs {
        places,
        frames,
        frame_of,
        bases,
    } = pack_all(source, &order, options, &spool, monitor)?;
    drop(order);
    bases.iter().for_each(|id| needs.depended.insert(id));
    monitor.finish();
    let releases = releases
        .iter()
        .map(|root| describe(store, root, &frame_of))
        .collect::<Result<Vec<_>, _>>()?;
    // Only now is it known on which old chunks the frames were compressed.
    let prerequisites = have.depends_on(store, &needs.depended.settled())?;
    Ok(CutBundle::new(
        Catalog {
            seals: None,
            releases,
            frames,
            prerequisites,
        },
        frame_of,
        spool,
        places,
    ))
}

/// Orders frames by part, then by stretches of [`STRETCH_BYTES`], and within a stretch by kind. Otherwise they stay in
/// the order in which the releases need them.
fn by_kind_in_stretches(mut order: Vec<(&FrameNeed, ArchSet)>) -> Vec<(&FrameNeed, ArchSet)> {
    order.sort_by_key(|(_, part)| part.turn());
    let mut before = 0_u64;
    let mut numbered: Vec<(u64, (&FrameNeed, ArchSet))> = order
        .into_iter()
        .map(|each| {
            let stretch = before / STRETCH_BYTES;
            before += each.0.plain_bytes;
            (stretch, each)
        })
        .collect();
    numbered.sort_by_key(|(stretch, (need, part))| (part.turn(), *stretch, need.class as u8));
    numbered.into_iter().map(|(_, each)| each).collect()
}

/// A release in the catalog: its root, and the frames that each of its items needs.
fn describe(
    store: &Store,
    root: &ReleaseRoot,
    frame_of: &FrameOf,
) -> Result<CatalogRelease, BundleError> {
    let none = vec![false; frame_of.values().max().map_or(0, |most| *most as usize + 1)];
    let mark = |used: &mut Vec<bool>, id: &ChunkId| {
        if let Some(frame) = frame_of.get(&prefix(id)) {
            used[*frame as usize] = true;
        }
    };
    // A release cannot be received without its lists, so every item needs them.
    let mut lists = none;
    for list in [&root.manifest, &root.blobs] {
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            mark(&mut lists, id);
            Ok(())
        };
        Walker::new(store).stream(list, &mut note)?;
    }
    let mut items = Vec::new();
    for item in root.read_items(store)? {
        let mut used = lists.clone();
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            mark(&mut used, id);
            Ok(())
        };
        walk::item(&mut Walker::new(store), &item, &mut note)?;
        let numbers = (0_u32..)
            .zip(&used)
            .filter(|(_, used)| **used)
            .map(|(no, _)| no);
        items.push(CatalogItem {
            bytes: item.bytes(),
            frames: runs_of(numbers),
            name: item.name,
        });
    }
    Ok(CatalogRelease {
        name: root.name.to_string(),
        root: root.encode(),
        items,
    })
}

fn prefix(id: &ChunkId) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&id.as_bytes()[..16]);
    out
}
