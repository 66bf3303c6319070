//! Compresses frames on every core and writes them into packs, in the order they were planned. Frames that are kept
//! come between them.
//!
//! One thread a core compresses, and one writes. The same frames give the same packs, independent of thread timing. The
//! channels bound the number of waiting frames. `writer` states the memory of the whole.

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::StoreError;
use super::chunk_index::{PACKS, pack_name};
use super::window::FramePlan;
use crate::base::id::{ChunkId, PackId};
use crate::content::content_kind::ContentKind;
use crate::content::frame::{FrameEncoder, FrameOptions, KeptFrame};
use crate::content::index::{ChunkEntry, PackEntry, prefix};
use crate::content::pack::PackBuilder;
use crate::store::storage::{NewObject, Storage};

/// Stored bytes at which a pack ends.
const PACK_BYTES: u64 = 64 << 20;
/// More threads would need more memory than `writer` states.
const WORKERS_MAX: usize = 16;

/// A frame on its way into a pack.
pub(super) enum FrameJob {
    /// Chunks that are compressed.
    Compress(FramePlan),
    /// A frame that stays as it came.
    Keep(KeptFrame),
}

struct NumberedJob {
    number: u64,
    job: FrameJob,
}

enum Done {
    Frame {
        number: u64,
        frame: Vec<u8>,
        ids: Vec<ChunkId>,
    },
    /// All frames were sent. Without this message the last pack is dropped unpublished.
    End,
}

/// Packs that are durable, and their chunks.
#[derive(Default)]
pub(super) struct DurablePacks {
    pub(super) packs: Vec<PackEntry>,
    pub(super) entries: Vec<ChunkEntry>,
}

pub(super) struct Pipeline {
    jobs: Option<SyncSender<NumberedJob>>,
    done: Option<SyncSender<Done>>,
    workers: Vec<JoinHandle<()>>,
    packer: Option<JoinHandle<Result<DurablePacks, StoreError>>>,
    next: u64,
}

impl Pipeline {
    /// Starts the threads. No pack gets a name of `avoided`.
    pub(super) fn start(
        storage: &Arc<dyn Storage>,
        level: i32,
        avoided: &Arc<HashSet<PackId>>,
    ) -> Self {
        let cores = thread::available_parallelism()
            .map_or(2, usize::from)
            .min(WORKERS_MAX);
        // A full channel stops the caller, which bounds the memory of waiting frames.
        let (jobs, waiting) = sync_channel::<NumberedJob>(cores.max(4));
        let (done, finished) = sync_channel(cores.max(4));
        let waiting = Arc::new(Mutex::new(waiting));
        let workers = (0..cores)
            .map(|_| {
                let (waiting, done) = (Arc::clone(&waiting), done.clone());
                thread::spawn(move || work(&waiting, &done, level))
            })
            .collect();
        let packer = Packer {
            storage: Arc::clone(storage),
            avoided: Arc::clone(avoided),
            open: None,
            packed: DurablePacks::default(),
        };
        let packer = thread::spawn(move || packer.run(&finished));
        Self {
            jobs: Some(jobs),
            done: Some(done),
            workers,
            packer: Some(packer),
            next: 0,
        }
    }

    /// Hands a frame over. Waits while too many frames are in the queue.
    pub(super) fn send(&mut self, job: FrameJob) -> Result<(), StoreError> {
        let job = NumberedJob {
            number: self.next,
            job,
        };
        self.next += 1;
        match self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => Ok(()),
            // The packer failed and ended the other threads. Its error is the cause.
            _ => Err(self.join().err().unwrap_or(StoreError::WriterFailed)),
        }
    }

    /// Waits until every frame is in a durable pack.
    pub(super) fn finish(mut self) -> Result<DurablePacks, StoreError> {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            worker.join().map_err(|_| StoreError::WriterFailed)?;
        }
        // Sent after all workers have ended, so it is the last message that the packer gets.
        if let Some(done) = self.done.take() {
            let _ = done.send(Done::End);
        }
        self.join()
    }

    fn join(&mut self) -> Result<DurablePacks, StoreError> {
        self.jobs = None;
        self.done = None;
        let failed = self
            .workers
            .drain(..)
            .map(|worker| worker.join())
            .any(|ended| ended.is_err());
        let packed = match self.packer.take() {
            Some(packer) => packer.join().map_err(|_| StoreError::WriterFailed)??,
            None => return Err(StoreError::WriterFailed),
        };
        if failed {
            Err(StoreError::WriterFailed)
        } else {
            Ok(packed)
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Waiting here keeps the threads from outliving the writer's hold on the store.
        if self.packer.is_some() {
            let _ = self.join();
        }
    }
}

fn work(waiting: &Mutex<Receiver<NumberedJob>>, done: &SyncSender<Done>, level: i32) {
    let mut encoder = FrameEncoder::new();
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(NumberedJob { number, job }) = job else {
            return;
        };
        let (frame, ids) = match job {
            FrameJob::Compress(plan) => {
                let chunks = plan.chunks();
                let options = FrameOptions::for_store(level, plan.class);
                // The ids go along because the plain bytes return to the pool with the plan.
                let ids = chunks.iter().map(|(id, _)| *id).collect();
                (encoder.encode(&chunks, plan.class, &options), ids)
            }
            FrameJob::Keep(kept) => kept.into_parts(),
        };
        if done.send(Done::Frame { number, frame, ids }).is_err() {
            return;
        }
    }
}

struct Packer {
    storage: Arc<dyn Storage>,
    avoided: Arc<HashSet<PackId>>,
    open: Option<(Box<dyn NewObject>, PackBuilder)>,
    packed: DurablePacks,
}

impl Packer {
    fn run(mut self, finished: &Receiver<Done>) -> Result<DurablePacks, StoreError> {
        // Frames that overtook another. Workers finish them while one earlier frame is still being compressed.
        let mut early = BTreeMap::new();
        let mut next = 0;
        while let Ok(done) = finished.recv() {
            let Done::Frame { number, frame, ids } = done else {
                self.end_pack()?;
                return Ok(self.packed);
            };
            early.insert(number, (frame, ids));
            // Frames are appended by number, so packs do not depend on which worker is faster.
            while let Some((frame, ids)) = early.remove(&next) {
                self.append(&frame, &ids)?;
                next += 1;
            }
        }
        // The writer was dropped. Complete packs stay for the next writer, and the open pack is removed.
        Ok(self.packed)
    }

    fn append(&mut self, frame: &[u8], ids: &[ChunkId]) -> Result<(), StoreError> {
        if self
            .open
            .as_ref()
            .is_some_and(|(_, builder)| builder.bytes() >= PACK_BYTES || !builder.fits(frame.len()))
        {
            self.end_pack()?;
        }
        let (object, builder) = match &mut self.open {
            Some(open) => open,
            none => {
                let (builder, header) = PackBuilder::start();
                let mut object = self.storage.create_in(PACKS)?;
                object.append(&header)?;
                none.insert((object, builder))
            }
        };
        object.append(frame)?;
        let frame_offset = builder.push(frame);
        // The open pack is pushed to the list when it ends, so its number is the current length.
        let pack_no = u32::try_from(self.packed.packs.len()).expect("fewer packs than files");
        self.packed.entries.extend(ids.iter().map(|id| ChunkEntry {
            prefix: prefix(id),
            pack_no,
            frame_offset,
        }));
        Ok(())
    }

    fn end_pack(&mut self) -> Result<(), StoreError> {
        if let Some((mut object, mut builder)) = self.open.take() {
            let (mut tail, mut id, mut bytes) = builder.clone().finish();
            // The same frames make a pack of the same name, and one that is being removed would go when it has just
            // come. A frame of its former name makes it another.
            while self.avoided.contains(&id) {
                let name = (ChunkId::of(id.as_bytes()), &id.as_bytes()[..]);
                let options = FrameOptions::for_store(1, ContentKind::Other);
                let frame = FrameEncoder::new().encode(&[name], ContentKind::Other, &options);
                object.append(&frame)?;
                builder.push(&frame);
                (tail, id, bytes) = builder.clone().finish();
            }
            object.append(&tail)?;
            // The entry is listed only after the pack is durable, so the index never names a pack that may be lost.
            object.publish(&pack_name(&id))?;
            self.packed.packs.push(PackEntry { id, bytes });
        }
        Ok(())
    }
}
