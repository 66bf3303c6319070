//! Cuts a bundle: the frames that releases need, ordered by kind of content, are packed anew into solid frames in a spool file.
//!
//! It lays out no volumes: it gives pieces of payload and the catalog that describes them.
//!
//! Memory: one solid frame being gathered and, for each worker, one being packed, each about twice [`SOLID_BYTES`] and the
//! compressor's tables: about 400 MiB on two cores, 1.3 GiB with LZMA.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use crate::bundle::bases::OldChunks;
use crate::bundle::catalog::runs_of;
use crate::bundle::spool::{CutBundle, Spool};
use crate::bundle::{BundleError, Catalog, CatalogFrame, CatalogItem, CatalogRelease, Have};
use crate::class::Class;
use crate::frame::{Against, FrameEncoder, FrameOptions, SealedFrame};
use crate::id::ChunkId;
use crate::monitor::Monitor;
use crate::recipe::RecipeError;
use crate::recipe::walk::Walker;
use crate::release::{ReleaseRoot, walk};
use crate::store::{ChunkSet, FrameNeed, Store};

/// Plain bytes of a solid frame on large media, about.
pub const SOLID_BYTES: usize = 64 << 20;
/// Plain bytes of a solid frame on the smallest media.
const SOLID_BYTES_MIN: usize = 1 << 20;
/// A frame never crosses volumes: so many at least go on one, or too much of it stays empty.
const FRAMES_A_VOLUME: u64 = 12;

/// Plain bytes of a solid frame for a medium of this size; `None`: as large as needed.
pub fn solid_bytes(medium_bytes: Option<u64>) -> usize {
    medium_bytes
        .and_then(|bytes| usize::try_from(bytes / FRAMES_A_VOLUME).ok())
        .map_or(SOLID_BYTES, |bytes| {
            bytes.clamp(SOLID_BYTES_MIN, SOLID_BYTES)
        })
}

/// How to cut.
#[derive(Debug, Clone, Copy)]
pub struct CutOptions {
    /// How hard to compress.
    pub effort: Effort,
    /// Plain bytes of a solid frame, about; see [`solid_bytes`].
    pub solid_bytes: usize,
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    /// As fast as disks.
    Fast,
    /// Small in reasonable time.
    #[default]
    Default,
    /// As small as this program can, however long it takes.
    Max,
}

/// Which frame a chunk went into, by the first 16 bytes of its id.
type FrameOf = HashMap<[u8; 16], u32>;

/// What a bundle carries, and what it leans on.
#[derive(Debug)]
pub struct Needs {
    /// The store's frames that hold what the releases need and the receiver lacks, in the order of need.
    frames: Vec<FrameNeed>,
    /// What the releases need and the receiver has.
    leaned: ChunkSet,
}

impl Needs {
    /// Walks the releases; what `have` has, lists included, is leaned on and not carried.
    ///
    /// # Errors
    /// [`BundleError`] when a list cannot be read or the store lacks a chunk.
    pub fn of(store: &Store, releases: &[ReleaseRoot], have: &Have) -> Result<Self, BundleError> {
        let mut ids: Vec<ChunkId> = Vec::new();
        let mut leaned = ChunkSet::new();
        let mut tops_up = false;
        let mut walker = Walker::new(store);
        for root in releases {
            let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
                if have.contains(id) {
                    tops_up |= have.is_waiting(id);
                    leaned.insert(id);
                } else {
                    ids.push(*id);
                }
                Ok(())
            };
            walk::release(&mut walker, root, &mut note)?;
        }
        if tops_up {
            ids.extend(have.lacks());
        }
        Ok(Self {
            frames: store.frames_of(&mut ids.into_iter())?,
            leaned,
        })
    }

    /// Bytes of these frames in the store: all that is read.
    pub fn stored_bytes(&self) -> u64 {
        self.frames.iter().map(|need| need.stored_bytes).sum()
    }

    /// About what the payload will have, or somewhat more: of each frame the share that is needed.
    pub fn share_bytes(&self) -> u64 {
        self.frames.iter().map(|need| need.share_bytes).sum()
    }
}

/// Cuts the bundle of `releases` out of `store`, with all chunks they need but those that `have` has.
///
/// # Errors
/// [`BundleError`] when the store lacks or cannot read a chunk, the spool cannot be written, or a stop was asked for.
pub fn cut(
    store: &Store,
    releases: &[ReleaseRoot],
    mut needs: Needs,
    have: &Have,
    options: CutOptions,
    spool: Spool,
    monitor: &dyn Monitor,
) -> Result<CutBundle, BundleError> {
    let mut order: Vec<&FrameNeed> = needs.frames.iter().collect();
    // Stable: within a class the order in which the releases need them.
    order.sort_by_key(|need| need.class as u8);
    monitor.start("compress", needs.stored_bytes());
    let old = if have.is_none() {
        None
    } else {
        let needed: HashSet<[u8; 16]> = needs
            .frames
            .iter()
            .flat_map(|need| need.chunks.iter().map(prefix))
            .collect();
        needs.leaned = needs.leaned.settled();
        let is_needed = |id: &ChunkId| needs.leaned.contains(id) || needed.contains(&prefix(id));
        Some(OldChunks::of(store, have, is_needed, monitor)?)
    };
    let source = Source {
        store,
        old: old.as_ref(),
    };
    let Packs {
        places,
        frames,
        frame_of,
        bases,
    } = pack_all(source, &order, options, &spool, monitor)?;
    drop(order);
    bases.iter().for_each(|id| needs.leaned.insert(id));
    monitor.finish();
    let releases = releases
        .iter()
        .map(|root| describe(store, root, &frame_of))
        .collect::<Result<Vec<_>, _>>()?;
    let leans = have.leans(store, &needs.leaned.settled())?;
    Ok(CutBundle::new(
        Catalog {
            releases,
            frames,
            leans,
        },
        frame_of,
        spool,
        places,
    ))
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
    // Without its lists the release is not taken in, so every item needs them.
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

/// Chunks on their way into one solid frame.
struct Solid {
    frame_no: usize,
    class: Class,
    /// Bytes in the store that this work stands for, for the progress bar.
    source_bytes: u64,
    chunks: Vec<(ChunkId, u32)>,
    plain: Vec<u8>,
}

impl Solid {
    fn new(frame_no: usize, class: Class) -> Self {
        Self {
            frame_no,
            class,
            source_bytes: 0,
            chunks: Vec::new(),
            plain: Vec::new(),
        }
    }
}

/// Where a packed frame went.
struct Packed {
    frame_no: usize,
    offset: u64,
    entry: CatalogFrame,
    /// The old chunks that it leans on.
    bases: Vec<ChunkId>,
}

/// The spool as workers share it: the next free offset, what was written, and the first error.
struct Shelf<'a> {
    spool: &'a Spool,
    end: Mutex<u64>,
    packed: Mutex<Vec<Result<Packed, BundleError>>>,
}

impl Shelf<'_> {
    fn put(
        &self,
        solid: &Solid,
        stored: &[u8],
        bases: Vec<ChunkId>,
    ) -> Result<Packed, BundleError> {
        let number = |value: usize| u32::try_from(value).expect("frames are bounded");
        let entry = CatalogFrame {
            stored_bytes: number(stored.len()),
            plain_bytes: number(solid.plain.len()),
            chunks: number(solid.chunks.len()),
        };
        let offset = {
            let mut end = self
                .end
                .lock()
                .expect("no worker panics while it holds this");
            let offset = *end;
            *end += stored.len() as u64;
            offset
        };
        self.spool.write_at(stored, offset)?;
        Ok(Packed {
            frame_no: solid.frame_no,
            offset,
            entry,
            bases,
        })
    }
}

/// Where chunks are read, and the old ones that new ones may lean on.
#[derive(Clone, Copy)]
struct Source<'a> {
    store: &'a Store,
    old: Option<&'a OldChunks>,
}

/// All that was packed.
struct Packs {
    places: Vec<(u64, u32)>,
    frames: Vec<CatalogFrame>,
    frame_of: FrameOf,
    bases: Vec<ChunkId>,
}

/// Gathers chunks into solid frames on this thread and packs them on all cores.
fn pack_all(
    source: Source<'_>,
    order: &[&FrameNeed],
    cut: CutOptions,
    spool: &Spool,
    monitor: &dyn Monitor,
) -> Result<Packs, BundleError> {
    let shelf = Shelf {
        spool,
        end: Mutex::new(0),
        packed: Mutex::new(Vec::new()),
    };
    // No queue: a frame waits in the hands of the gatherer until a worker is free.
    let (sender, receiver) = sync_channel::<Solid>(0);
    let receiver = Arc::new(Mutex::new(receiver));
    let frame_of = std::thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            let (receiver, shelf) = (Arc::clone(&receiver), &shelf);
            scope.spawn(move || work(&receiver, source, cut.effort, shelf, monitor));
        }
        // Only workers hold it now, so that a send fails once all of them have ended.
        drop(receiver);
        gather(source, order, cut, sender, monitor)
    })?;
    let packed = shelf.packed.into_inner().expect("all workers have ended");
    let mut packed = packed.into_iter().collect::<Result<Vec<_>, _>>()?;
    monitor.check_stop()?;
    packed.sort_by_key(|frame| frame.frame_no);
    let places = packed
        .iter()
        .map(|frame| (frame.offset, frame.entry.stored_bytes))
        .collect();
    Ok(Packs {
        places,
        frames: packed.iter().map(|frame| frame.entry).collect(),
        frame_of,
        bases: packed.into_iter().flat_map(|frame| frame.bases).collect(),
    })
}

fn work(
    receiver: &Mutex<Receiver<Solid>>,
    source: Source<'_>,
    effort: Effort,
    shelf: &Shelf<'_>,
    monitor: &dyn Monitor,
) {
    let mut encoder = FrameEncoder::new();
    loop {
        let next = receiver
            .lock()
            .expect("no worker panics while it holds this")
            .recv();
        let Ok(solid) = next else { return };
        if monitor.stop_asked() {
            return;
        }
        let packed = pack_one(&mut encoder, source, &solid, effort).and_then(|(stored, bases)| {
            monitor.advance(solid.source_bytes);
            shelf.put(&solid, &stored, bases)
        });
        let failed = packed.is_err();
        shelf
            .packed
            .lock()
            .expect("no worker panics while it holds this")
            .push(packed);
        if failed {
            return;
        }
    }
}

/// Packs a frame; returns the old chunks, too, that it leans on.
fn pack_one(
    encoder: &mut FrameEncoder,
    source: Source<'_>,
    solid: &Solid,
    effort: Effort,
) -> Result<(Vec<u8>, Vec<ChunkId>), BundleError> {
    let mut chunks = Vec::with_capacity(solid.chunks.len());
    let mut rest = &solid.plain[..];
    for (id, bytes) in &solid.chunks {
        let (chunk, behind) = rest.split_at(*bytes as usize);
        chunks.push((*id, chunk));
        rest = behind;
    }
    let options = options(effort, solid.class);
    let bases = source
        .old
        .map(|old| old.best_for(solid.class, &chunks, lean_limits(effort).base_bytes))
        .unwrap_or_default();
    if bases.is_empty() {
        return Ok((encoder.encode(&chunks, solid.class, &options), bases));
    }
    let mut base = Vec::new();
    for id in &bases {
        base.extend_from_slice(&source.store.read(id)?);
    }
    let stored = encoder.encode_delta(&chunks, solid.class, &options, &bases, &base);
    let leans = SealedFrame::open(&stored).is_ok_and(|frame| !frame.bases.is_empty());
    Ok((stored, if leans { bases } else { Vec::new() }))
}

/// Bytes of the frame that these chunks become: for estimates by samples.
///
/// # Errors
/// [`BundleError`] when a base cannot be read.
pub(super) fn packed_bytes(
    store: &Store,
    old: &OldChunks,
    class: Class,
    chunks: &[(ChunkId, Vec<u8>)],
    effort: Effort,
) -> Result<u64, BundleError> {
    let mut solid = Solid::new(0, class);
    for (id, bytes) in chunks {
        let length = u32::try_from(bytes.len()).expect("chunks are bounded");
        solid.chunks.push((*id, length));
        solid.plain.extend_from_slice(bytes);
    }
    let old = Some(old);
    let source = Source { store, old };
    let (stored, _) = pack_one(&mut FrameEncoder::new(), source, &solid, effort)?;
    Ok(stored.len() as u64)
}

/// How long frames are that lean on old chunks, at most: memory is what more would take (docs/decisions/007-deltas.md).
struct LeanLimits {
    plain_bytes: usize,
    base_bytes: usize,
}

fn lean_limits(effort: Effort) -> LeanLimits {
    let plain_bytes = match effort {
        Effort::Fast | Effort::Default => 12 << 20,
        Effort::Max => 16 << 20,
    };
    LeanLimits {
        plain_bytes,
        base_bytes: 2 * plain_bytes,
    }
}

/// Measured in docs/decisions/002-bundles.md.
fn options(effort: Effort, class: Class) -> FrameOptions {
    match effort {
        Effort::Fast => FrameOptions::for_bundle(3, class),
        Effort::Default => FrameOptions {
            against: Against::Differences,
            ..FrameOptions::for_bundle(12, class)
        },
        Effort::Max => FrameOptions::for_smallest_bundle(class),
    }
}

/// Reads the store's frames in order and sends solid frames to the workers.
fn gather(
    source: Source<'_>,
    order: &[&FrameNeed],
    cut: CutOptions,
    sender: SyncSender<Solid>,
    monitor: &dyn Monitor,
) -> Result<FrameOf, BundleError> {
    let solid_bytes = match source.old {
        Some(_) => cut.solid_bytes.min(lean_limits(cut.effort).plain_bytes),
        None => cut.solid_bytes,
    };
    let mut frame_of = FrameOf::new();
    let mut next_no = 0;
    let mut solid: Option<Solid> = None;
    'needs: for need in order {
        monitor.check_stop()?;
        let frame = source.store.load_frame(need)?;
        let wanted: std::collections::HashSet<&ChunkId> = need.chunks.iter().collect();
        let mut source_bytes = need.stored_bytes;
        for (id, range) in frame.chunks.iter().filter(|(id, _)| wanted.contains(id)) {
            if frame_of.contains_key(&prefix(id)) {
                continue;
            }
            // Also in the midst of a store's frame: on small media it is longer than a solid frame may be.
            let full =
                |solid: &mut Solid| solid.class != need.class || solid.plain.len() >= solid_bytes;
            if let Some(done) = solid.take_if(full)
                && sender.send(done).is_err()
            {
                break 'needs; // Every worker has ended: the first error is on the shelf.
            }
            let solid = solid.get_or_insert_with(|| {
                next_no += 1;
                Solid::new(next_no - 1, need.class)
            });
            let frame_no = u32::try_from(solid.frame_no).expect("fewer frames than chunks");
            frame_of.insert(prefix(id), frame_no);
            let bytes = &frame.plain[range.clone()];
            let length = u32::try_from(bytes.len()).expect("chunks are bounded");
            solid.chunks.push((*id, length));
            solid.plain.extend_from_slice(bytes);
            solid.source_bytes += std::mem::take(&mut source_bytes);
        }
    }
    if let Some(done) = solid {
        // A failed send means that an error is on the shelf already.
        let _ = sender.send(done);
    }
    Ok(frame_of)
}
