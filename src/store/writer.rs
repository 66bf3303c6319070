//! Writes chunks into a store: hashes, deduplicates, collects, and hands frames to the pipeline.
//!
//! A frame of a bundle whose chunks are new goes to the pipeline as it came. It commits no release. `prune` drops written chunks that no root needs. Memory: at most three windows (192 MiB), a
//! few frames a core (about 50 MB each with zstd's tables), and 50 bytes for every new chunk.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use super::pipeline::{DurablePacks, FrameJob, Pipeline};
use super::window::ChunkWindow;
use super::{Store, StoreError, chunk_index, quarantine};
use crate::base::id::{ChunkId, PackId};
use crate::base::monitor::Monitor;
use crate::content::chunk::CHUNK_MAX;
use crate::content::content_kind::ContentKind;
use crate::content::frame::{Frame, KeptFrame};
use crate::content::index::{ChunkEntry, prefix};

/// Number of index segments above which they are merged.
const SEGMENTS_MAX: usize = 8;

/// A frame is kept when this share of its bytes, in eighths, is new and wanted. A store's own frames are a fifth larger
/// than those of a bundle, so below this share keeping a frame would take more room than packing its new chunks again.
const KEPT_EIGHTHS: u64 = 7;

/// Options for writing chunks. The defaults were measured: docs/decisions/001-frames.md.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions {
    /// zstd level, 1 to 19.
    pub level: i32,
    /// Plain bytes that are collected before they are sorted into frames.
    pub window_bytes: usize,
    /// Plain bytes of a frame, at most 64 MiB.
    pub frame_bytes: usize,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            level: 3,
            window_bytes: 64 << 20,
            frame_bytes: 8 << 20,
        }
    }
}

/// The result of a writer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteReport {
    /// Chunks that were put.
    pub chunks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Chunks among them that were new.
    pub new_chunks: u64,
    /// Their bytes.
    pub new_bytes: u64,
    /// Bytes of the packs that hold the new chunks.
    pub stored_bytes: u64,
}

/// Writes chunks into a store. Leaves no visible partial file when it is dropped before [`StoreWriter::finish`].
pub struct StoreWriter<'a> {
    store: &'a Store,
    monitor: &'a dyn Monitor,
    options: WriteOptions,
    window: ChunkWindow,
    pool: Arc<Mutex<Vec<Vec<u8>>>>,
    pending: HashSet<[u8; 16]>,
    pipeline: Option<Pipeline>,
    report: WriteReport,
    packs: Vec<PackId>,
    /// With [`Dedup::Writer`], chunks are written even when the store holds them. `prune` needs this to move them.
    dedup: Dedup,
}

/// The chunks that a new one is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dedup {
    /// Everything in the store.
    Store,
    /// Everything that this writer was given.
    Writer,
}

impl Store {
    /// Starts writing. Only one writer exists at a time. Reading continues meanwhile.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] or [`StoreError::WriterBusy`].
    pub fn writer<'a>(
        &'a self,
        options: &WriteOptions,
        monitor: &'a dyn Monitor,
    ) -> Result<StoreWriter<'a>, StoreError> {
        self.writer_with(options, Dedup::Store, monitor)
    }

    pub(super) fn writer_with<'a>(
        &'a self,
        options: &WriteOptions,
        dedup: Dedup,
        monitor: &'a dyn Monitor,
    ) -> Result<StoreWriter<'a>, StoreError> {
        self.must_write()?;
        // A second writer would not see the pending chunks of the first, and would store them twice.
        if self.has_writer.swap(true, Ordering::AcqRel) {
            return Err(StoreError::WriterBusy {
                path: self.place.clone(),
            });
        }
        let options = WriteOptions {
            // Values out of range are clamped, because the options come from callers of the library.
            level: options.level.clamp(1, 19),
            window_bytes: options.window_bytes.clamp(CHUNK_MAX, 1 << 30),
            frame_bytes: options.frame_bytes.clamp(CHUNK_MAX, 64 << 20),
        };
        let pool = Arc::default();
        Ok(StoreWriter {
            store: self,
            monitor,
            options,
            window: ChunkWindow::new(options.window_bytes, &pool),
            pool,
            pending: HashSet::new(),
            pipeline: None,
            report: WriteReport::default(),
            packs: Vec::new(),
            dedup,
        })
    }
}

impl StoreWriter<'_> {
    /// Puts a chunk of 1 byte to 256 KiB and returns its id. It can be read after [`StoreWriter::commit`].
    ///
    /// # Errors
    /// [`StoreError::ChunkLength`], [`StoreError::Interrupted`], or a storage error. After the last two the writer can
    /// only be dropped.
    pub fn put(&mut self, plain: &[u8], class: ContentKind) -> Result<ChunkId, StoreError> {
        if !(1..=CHUNK_MAX).contains(&plain.len()) {
            return Err(StoreError::ChunkLength { bytes: plain.len() });
        }
        let id = ChunkId::of(plain);
        self.report.chunks += 1;
        self.report.bytes += plain.len() as u64;
        if !self.is_new(&id) {
            return Ok(id);
        }
        self.pending.insert(prefix(&id));
        self.report.new_chunks += 1;
        self.report.new_bytes += plain.len() as u64;
        self.window.push(id, class, plain);
        if self.window.bytes() >= self.options.window_bytes {
            self.flush()?;
        }
        Ok(id)
    }

    /// Puts the chunks of a frame for which `is_wanted` returns true. The frame stays as it came when nearly all of it is
    /// new and wanted. Otherwise its chunks are packed again.
    ///
    /// # Errors
    /// As [`StoreWriter::put`].
    pub(crate) fn put_frame(
        &mut self,
        frame: &Frame,
        kept: Option<KeptFrame>,
        is_wanted: impl Fn(&ChunkId) -> bool,
    ) -> Result<(), StoreError> {
        let Some(kept) = kept.filter(|_| self.is_mostly_new(frame, &is_wanted)) else {
            for (_, range) in frame.chunks.iter().filter(|(id, _)| is_wanted(id)) {
                self.put(&frame.plain[range.clone()], frame.class)?;
            }
            return Ok(());
        };
        self.monitor.check_stop()?;
        for (id, range) in &frame.chunks {
            let bytes = range.len() as u64;
            self.report.chunks += 1;
            self.report.bytes += bytes;
            if self.is_new(id) {
                self.pending.insert(prefix(id));
                self.report.new_chunks += 1;
                self.report.new_bytes += bytes;
            }
        }
        self.pipeline().send(FrameJob::Keep(kept))
    }

    /// Returns whether nearly all bytes of a frame are in chunks that are new and wanted.
    fn is_mostly_new(&self, frame: &Frame, is_wanted: impl Fn(&ChunkId) -> bool) -> bool {
        let chunks = frame.chunks.iter();
        let new = chunks.filter(|(id, _)| is_wanted(id) && self.is_new(id));
        let new_bytes: u64 = new.map(|(_, range)| range.len() as u64).sum();
        new_bytes * 8 >= frame.plain.len() as u64 * KEPT_EIGHTHS
    }

    /// Returns whether a chunk has to be written.
    fn is_new(&self, id: &ChunkId) -> bool {
        let known = self.dedup == Dedup::Store && self.store.contains(id);
        // Chunks with the same prefix are the same chunk for the index, so the prefix suffices here.
        !known && !self.pending.contains(&prefix(id))
    }

    fn pipeline(&mut self) -> &mut Pipeline {
        let (store, level) = (self.store, self.options.level);
        self.pipeline
            .get_or_insert_with(|| Pipeline::start(&store.storage, level, &store.marked))
    }

    /// Returns whether the chunk is in the store or was put.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.pending.contains(&prefix(id)) || self.store.contains(id)
    }

    /// Hands the collected chunks to the pipeline.
    fn flush(&mut self) -> Result<(), StoreError> {
        self.monitor.check_stop()?;
        let full = std::mem::replace(
            &mut self.window,
            ChunkWindow::new(self.options.window_bytes, &self.pool),
        );
        let frames = full.into_frames(self.options.frame_bytes);
        let pipeline = self.pipeline();
        for frame in frames {
            pipeline.send(FrameJob::Compress(frame))?;
        }
        Ok(())
    }

    /// Makes every chunk that was put durable and readable through the store. The writer can continue.
    ///
    /// # Errors
    /// [`StoreError::Interrupted`] or a storage error. After these errors the writer can only be dropped.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        if self.window.bytes() > 0 {
            self.flush()?;
        }
        let Some(pipeline) = self.pipeline.take() else {
            return Ok(());
        };
        let packed = pipeline.finish()?;
        self.report.stored_bytes += packed.packs.iter().map(|pack| pack.bytes).sum::<u64>();
        self.packs.extend(packed.packs.iter().map(|pack| pack.id));
        self.store.list_packed(packed)?;
        // The store finds these chunks by its index from now on.
        self.pending.clear();
        Ok(())
    }

    /// Returns whether other machines may write to the store at the same time.
    pub(super) fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Returns the packs that were committed.
    pub(super) fn packs(&self) -> &[PackId] {
        &self.packs
    }

    /// Finishes writing. Every chunk that was put is then durable and readable through the store.
    ///
    /// # Errors
    /// As [`StoreWriter::commit`].
    pub fn finish(mut self) -> Result<WriteReport, StoreError> {
        self.commit()?;
        Ok(self.report)
    }
}

impl Drop for StoreWriter<'_> {
    fn drop(&mut self) {
        self.store.has_writer.store(false, Ordering::Release);
    }
}

impl Store {
    /// Lists new packs in a new segment. Merges all segments when there are many.
    fn list_packed(&self, packed: DurablePacks) -> Result<(), StoreError> {
        if packed.packs.is_empty() {
            return Ok(());
        }
        let (name, segment) =
            chunk_index::publish(self.storage.as_ref(), &packed.packs, packed.entries)?;
        let mut chunk_index = self.chunk_index_mut();
        chunk_index.add(Some(name), segment, None);
        // The packs were written anew, so an old quarantine entry for the same id no longer applies.
        if chunk_index.forgive(&packed.packs) {
            quarantine::save(self.storage.as_ref(), &chunk_index)?;
        }
        // Where others write, segments that this process does not know could be of packs that it would give up with them.
        if chunk_index.segment_count() > SEGMENTS_MAX && !self.storage.is_shared() {
            let packs = chunk_index.packs().to_vec();
            let entries = chunk_index.entries().map(|(prefix, place)| ChunkEntry {
                prefix,
                pack_no: place.pack,
                frame_offset: place.offset,
            });
            let entries = entries.collect();
            // Packs keep their numbers, so places that readers hold stay valid.
            chunk_index::replace_all(self.storage.as_ref(), &mut chunk_index, &packs, entries)?;
        }
        Ok(())
    }
}
