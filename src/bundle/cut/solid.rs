//! Packs solid frames. Chunks are gathered on one thread and packed on all cores, and each frame goes into the spool
//! when it is ready.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::{CutOptions, Effort, FrameOf, prefix};
use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::base::roomy::roomy;
use crate::bundle::archs::{ArchSet, Archs};
use crate::bundle::bases::OldChunks;
use crate::bundle::temp_payload::TempPayload;
use crate::bundle::{BundleError, CatalogFrame, Have};
use crate::content::chunk::CHUNK_MAX;
use crate::content::content_kind::ContentKind;
use crate::content::frame::{
    ChunkLength, DeltaMode, FrameEncoder, FrameOptions, OldBytes, SealedFrame,
};
use crate::content::references::Layouts;
use crate::store::{FrameNeed, Store};

/// Chunks that are gathered for one solid frame.
struct Solid {
    frame_no: usize,
    class: ContentKind,
    part: ArchSet,
    /// Bytes in the store that this work stands for. Used for the progress bar.
    source_bytes: u64,
    chunks: Vec<(ChunkId, u32)>,
    /// Empty once it is being packed.
    plain: Vec<u8>,
    plain_bytes: usize,
}

impl Solid {
    /// An empty one for about `plain_bytes`.
    fn new(frame_no: usize, class: ContentKind, part: ArchSet, plain_bytes: usize) -> Self {
        Self {
            frame_no,
            class,
            part,
            source_bytes: 0,
            chunks: Vec::new(),
            plain: roomy(plain_bytes + CHUNK_MAX),
            plain_bytes: 0,
        }
    }

    fn push(&mut self, id: ChunkId, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("chunks are bounded");
        self.chunks.push((id, length));
        self.plain.extend_from_slice(bytes);
        self.plain_bytes += bytes.len();
    }
}

/// The place of a packed frame.
struct PackedFrame {
    frame_no: usize,
    offset: u64,
    entry: CatalogFrame,
    /// The old chunks that it depends on.
    bases: Vec<ChunkId>,
}

/// The spool as workers share it: the next free offset, the written frames, and the first error.
struct SharedSpool<'a> {
    spool: &'a TempPayload,
    end: Mutex<u64>,
    packed: Mutex<Vec<Result<PackedFrame, BundleError>>>,
}

impl SharedSpool<'_> {
    fn put(
        &self,
        solid: &Solid,
        stored: &[u8],
        bases: Vec<ChunkId>,
    ) -> Result<PackedFrame, BundleError> {
        let number = |value: usize| u32::try_from(value).expect("frames are bounded");
        let entry = CatalogFrame {
            stored_bytes: number(stored.len()),
            plain_bytes: number(solid.plain_bytes),
            chunks: number(solid.chunks.len()),
        };
        // The range is reserved under the lock, so that workers can write their frames without it.
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
        Ok(PackedFrame {
            frame_no: solid.frame_no,
            offset,
            entry,
            bases,
        })
    }
}

/// The source of the chunks, and the old chunks that new ones may depend on.
#[derive(Clone, Copy)]
pub(super) struct ChunkOrigin<'a> {
    pub(super) store: &'a Store,
    pub(super) old: Option<&'a OldChunks>,
    pub(super) have: &'a Have,
    pub(super) archs: &'a Archs,
    /// Most bytes of old chunks for a frame, when that is not what the effort says.
    pub(super) base_bytes: Option<usize>,
}

impl ChunkOrigin<'_> {
    /// Returns the old chunks for a frame. Whoever receives it has them, whichever of its architectures is received.
    fn bases_for(
        &self,
        solid: &Solid,
        chunks: &[(ChunkId, &[u8])],
        effort: Effort,
    ) -> Vec<ChunkId> {
        let Some(old) = self.old else {
            return Vec::new();
        };
        let is_there = |id: &ChunkId| {
            let mut archs = self.archs.names(solid.part);
            archs.all(|arch| self.have.contains_for(id, Some(arch)))
        };
        old.best_for(solid.class, chunks, self.base_bytes(effort), is_there)
    }

    /// Returns the most bytes of old chunks for a frame.
    fn base_bytes(&self, effort: Effort) -> usize {
        self.base_bytes
            .unwrap_or_else(|| dependency_limits(effort).base_bytes)
    }
}

/// All packed frames.
pub(super) struct Packs {
    pub(super) places: Vec<(u64, u32)>,
    pub(super) frames: Vec<CatalogFrame>,
    pub(super) frame_of: FrameOf,
    pub(super) bases: Vec<ChunkId>,
}

/// Gathers chunks into solid frames on this thread and packs them on all cores.
pub(super) fn pack_all(
    source: ChunkOrigin<'_>,
    order: &[(&FrameNeed, ArchSet)],
    cut: CutOptions,
    spool: &TempPayload,
    monitor: &dyn Monitor,
) -> Result<Packs, BundleError> {
    let shared = SharedSpool {
        spool,
        end: Mutex::new(0),
        packed: Mutex::new(Vec::new()),
    };
    // The channel has no queue. The gatherer holds a frame until a worker is free, which bounds the memory.
    let (sender, receiver) = sync_channel::<Solid>(0);
    let receiver = Arc::new(Mutex::new(receiver));
    let frame_of = std::thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            let (receiver, shared) = (Arc::clone(&receiver), &shared);
            scope.spawn(move || work(&receiver, source, cut.effort, shared, monitor));
        }
        // From here on only workers hold the channel, so that a send fails once all of them have ended.
        drop(receiver);
        gather(source, order, cut, sender, monitor)
    })?;
    let packed = shared.packed.into_inner().expect("all workers have ended");
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
    source: ChunkOrigin<'_>,
    effort: Effort,
    shared: &SharedSpool<'_>,
    monitor: &dyn Monitor,
) {
    let mut encoder = FrameEncoder::new();
    loop {
        let next = receiver
            .lock()
            .expect("no worker panics while it holds this")
            .recv();
        let Ok(mut solid) = next else { return };
        if monitor.stop_asked() {
            return;
        }
        let packed =
            pack_one(&mut encoder, source, &mut solid, effort).and_then(|(stored, bases)| {
                monitor.advance(solid.source_bytes);
                shared.put(&solid, &stored, bases)
            });
        let failed = packed.is_err();
        shared
            .packed
            .lock()
            .expect("no worker panics while it holds this")
            .push(packed);
        if failed {
            return;
        }
    }
}

/// Packs a frame, and takes its plain bytes. Also returns the old chunks that it depends on.
fn pack_one(
    encoder: &mut FrameEncoder,
    source: ChunkOrigin<'_>,
    solid: &mut Solid,
    effort: Effort,
) -> Result<(Vec<u8>, Vec<ChunkId>), BundleError> {
    let mut chunks = Vec::with_capacity(solid.chunks.len());
    let mut rest = &solid.plain[..];
    for (id, bytes) in &solid.chunks {
        let (chunk, behind) = rest.split_at(*bytes as usize);
        chunks.push((*id, chunk));
        rest = behind;
    }
    let options = options(effort, solid.class, source.old.is_some());
    let bases = source.bases_for(solid, &chunks, effort);
    let lengths_of_new: Vec<ChunkLength> = chunks
        .iter()
        .map(|(id, bytes)| (*id, bytes.len()))
        .collect();
    let mut base = Vec::new();
    let mut lengths: Vec<ChunkLength> = Vec::with_capacity(bases.len());
    if !bases.is_empty() {
        base = roomy(source.base_bytes(effort));
    }
    for id in &bases {
        let bytes = source.store.read(id)?;
        lengths.push((*id, bytes.len()));
        base.extend_from_slice(&bytes);
    }
    let plain = std::mem::take(&mut solid.plain);
    let layouts = source.old.filter(|_| !bases.is_empty()).map(|old| Layouts {
        old: old.layout(&lengths, &base),
        new: old.layout(&lengths_of_new, &plain),
    });
    let old = OldBytes {
        bases: &bases,
        base: &base,
        layouts: layouts.as_ref(),
    };
    let stored = encoder.encode_owned(&lengths_of_new, plain, solid.class, &options, old);
    let prerequisites = SealedFrame::open(&stored).is_ok_and(|frame| !frame.bases.is_empty());
    Ok((stored, if prerequisites { bases } else { Vec::new() }))
}

/// How a sample is packed.
#[derive(Clone, Copy)]
pub(in crate::bundle) struct SampleOptions {
    pub(in crate::bundle) effort: Effort,
    /// Most bytes of old chunks. `None` stands for what a frame of a bundle may depend on.
    pub(in crate::bundle) base_bytes: Option<usize>,
}

/// Returns the bytes of the frame that these chunks become. Used for estimates by samples.
///
/// # Errors
/// [`BundleError`] when a base cannot be read.
pub(in crate::bundle) fn packed_bytes(
    store: &Store,
    old: &OldChunks,
    class: ContentKind,
    chunks: &[(ChunkId, Vec<u8>)],
    options: SampleOptions,
) -> Result<u64, BundleError> {
    let plain_bytes = chunks.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut solid = Solid::new(0, class, ArchSet::NONE, plain_bytes);
    for (id, bytes) in chunks {
        solid.push(*id, bytes);
    }
    let source = ChunkOrigin {
        store,
        old: Some(old),
        have: &Have::none(),
        archs: &Archs::default(),
        base_bytes: options.base_bytes,
    };
    let (stored, _) = pack_one(&mut FrameEncoder::new(), source, &mut solid, options.effort)?;
    Ok(stored.len() as u64)
}

/// Largest frames that depend on old chunks. Memory sets the limit (docs/decisions/007-deltas.md).
struct DependencyLimits {
    plain_bytes: usize,
    base_bytes: usize,
}

fn dependency_limits(effort: Effort) -> DependencyLimits {
    let plain_bytes = match effort {
        Effort::Fast | Effort::Default => 10 << 20,
        Effort::Max => 16 << 20,
    };
    DependencyLimits {
        plain_bytes,
        base_bytes: 2 * plain_bytes,
    }
}

/// Returns the options for a kind of content, which were measured in docs/decisions/002-bundles.md.
fn options(effort: Effort, class: ContentKind, for_recipients: bool) -> FrameOptions {
    match effort {
        Effort::Fast => FrameOptions::for_bundle(3, class),
        Effort::Default => FrameOptions {
            against: DeltaMode::Differences,
            ..FrameOptions::for_bundle(12, class)
        },
        Effort::Max if for_recipients => FrameOptions::for_smallest_delta(class),
        Effort::Max => FrameOptions::for_smallest_bundle(class),
    }
}

/// Reads the store's frames in order and sends solid frames to the workers.
fn gather(
    source: ChunkOrigin<'_>,
    order: &[(&FrameNeed, ArchSet)],
    cut: CutOptions,
    sender: SyncSender<Solid>,
    monitor: &dyn Monitor,
) -> Result<FrameOf, BundleError> {
    let solid_bytes = |class| match source.old {
        Some(_) => cut
            .frame_bytes(class)
            .min(dependency_limits(cut.effort).plain_bytes),
        None => cut.frame_bytes(class),
    };
    let mut frame_of = FrameOf::new();
    let mut next_no = 0;
    let mut solid: Option<Solid> = None;
    'needs: for (need, part) in order {
        monitor.check_stop()?;
        let frame = source.store.load_frame(need)?;
        let wanted: HashSet<&ChunkId> = need.chunks.iter().collect();
        let mut source_bytes = need.stored_bytes;
        for (id, range) in frame.chunks.iter().filter(|(id, _)| wanted.contains(id)) {
            if frame_of.contains_key(&prefix(id)) {
                continue;
            }
            // A solid frame may also end inside a frame of the store, which on small media is the longer one.
            let full = |solid: &mut Solid| {
                (solid.class, solid.part) != (need.class, *part)
                    || solid.plain_bytes >= solid_bytes(need.class)
            };
            if let Some(done) = solid.take_if(full)
                && sender.send(done).is_err()
            {
                break 'needs; // Every worker has ended: the first error is on the shared.
            }
            let solid = solid.get_or_insert_with(|| {
                next_no += 1;
                Solid::new(next_no - 1, need.class, *part, solid_bytes(need.class))
            });
            let frame_no = u32::try_from(solid.frame_no).expect("fewer frames than chunks");
            frame_of.insert(prefix(id), frame_no);
            solid.push(*id, &frame.plain[range.clone()]);
            solid.source_bytes += std::mem::take(&mut source_bytes);
        }
    }
    if let Some(done) = solid {
        // A failed send means that the error is already in the shared state.
        let _ = sender.send(done);
    }
    Ok(frame_of)
}
