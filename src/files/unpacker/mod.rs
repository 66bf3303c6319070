//! Opens files into recipes, to any depth up to a limit. Tars become headers and bodies. Deflate streams become plain
//! bytes and the corrections that rebuild them. Everything else becomes chunks.
//!
//! What is not recognized is kept as bytes, so every result is lossless. Opening reads a file once. It reads twice what
//! holds streams, and what has the same length as a known content but differs. Each level holds a reader's buffer, half
//! a MiB, and the spools of one stream more than there are cores.

mod form;
mod frames;
mod git_packs;
mod known;
mod members;
mod members_ahead;
mod mixed;
mod packages;
mod short_streams_ahead;
mod stream;
mod zip_directory;
mod zips;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::thread::Scope;

use self::form::ContentForm;
use self::stream::{Analyzer, AnalyzerOutput, FileFound};
use super::LayoutError;
use super::effort::ItemEffort;
use super::hashing_reader::HashingReader;
use super::lookahead::{AHEAD_BYTES_MIN, Lookahead, workers};
pub use super::open_options::{Depth, OpenOptions};
use super::steady_file::SteadyFile;
use super::stream_finder::FileStreamFinder;
pub use super::stream_report::{KeptReason, StreamReport, Tally};
use crate::base::id::BlobId;
pub(crate) use crate::base::limits::OPEN_DEPTH_MAX;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::base::spooled_temp::SpooledTemp;
use crate::base::term::Flaw;
use crate::content::archive::tar;
use crate::content::chunk::{CHUNK_MAX, Cutter};
use crate::content::content_kind::ContentKind;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{
    Blob, ChunkRef, ChunkSink, ChunkSource, Content, RecipeError, SMALL_BYTES,
};
use crate::content::release::BlobTable;

/// Estimated plain bytes for each byte of a stream.
const SPOOL_RATIO: u64 = 4;
/// Bytes between two calls of the monitor.
const STEP_BYTES: u64 = 4 << 20;

/// Returns the room that the spools of the longest streams among `files` may take. Layers unpack to a bit less
/// than four times their length. Streams within other files are not known beforehand.
pub(crate) fn spool_bytes(files: impl Iterator<Item = PathBuf>) -> u64 {
    let streams = FileStreamFinder::new(files).map(|(path, _)| path);
    let mut bytes: Vec<u64> = streams
        .filter_map(|path| Some(path.symlink_metadata().ok()?.len()))
        .collect();
    bytes.sort_unstable_by(|one, other| other.cmp(one));
    let together = bytes.iter().take(workers() + 1);
    together
        .map(|bytes| bytes.saturating_mul(SPOOL_RATIO))
        .sum()
}

/// Makes recipes of files. One unpacker serves a whole `add`, so that later files can reuse what came before.
pub struct Unpacker<'a, S: ChunkSource> {
    source: &'a S,
    sink: &'a mut dyn ChunkSink,
    monitor: &'a dyn Monitor,
    options: &'a OpenOptions,
    /// Blobs of earlier releases. They are reused when their chunks are still present.
    known: &'a BlobTable,
    analyzer: Arc<Analyzer<'a>>,
    /// Results for the streams among the files that are opened one after the other.
    files: Option<Arc<Lookahead<PathBuf, FileFound>>>,
    /// Blobs of this run, whose chunks were just stored.
    fresh: BlobTable,
    /// Blobs that were reused, and the blobs in them.
    reused: BlobTable,
    reused_bytes: u64,
    streams: StreamReport,
    /// What streams cost and taught since the item began.
    effort: ItemEffort,
    /// Number of streams around what is read now. Inside a stream, bytes are not those of the file.
    within: usize,
    /// Number of streams among them that are made again by their encoder.
    recoded: usize,
    unreported: u64,
    /// Bytes that were already reported to the monitor.
    reported: u64,
}

impl<'a, S: ChunkSource> Unpacker<'a, S> {
    /// Starts with the blobs that are known.
    pub fn new(
        source: &'a S,
        sink: &'a mut dyn ChunkSink,
        known: &'a BlobTable,
        options: &'a OpenOptions,
        monitor: &'a dyn Monitor,
    ) -> Self {
        Self {
            source,
            sink,
            monitor,
            options,
            known,
            analyzer: Arc::new(Analyzer::new(known, options)),
            files: None,
            fresh: BlobTable::default(),
            reused: BlobTable::default(),
            reused_bytes: 0,
            streams: StreamReport::default(),
            effort: ItemEffort::new(options),
            within: 0,
            recoded: 0,
            unreported: 0,
            reported: 0,
        }
    }

    /// Returns the sink for chunks.
    pub fn sink(&mut self) -> &mut dyn ChunkSink {
        self.sink
    }

    /// Returns a spool for bytes that can be read only once.
    pub(super) fn spool(&self) -> SpooledTemp {
        SpooledTemp::new(&self.options.spool_folder)
    }

    /// Returns the monitor that is asked whether to stop.
    pub(super) fn monitor(&self) -> &'a dyn Monitor {
        self.monitor
    }

    /// Begins another item. The effort limit starts anew, and what streams teach is kept for each item separately.
    pub(crate) fn begin_item(&mut self) {
        self.effort = ItemEffort::new(self.options);
    }

    /// Returns the blobs that this unpacker made and those that it reused. Together they are all blobs of what it
    /// opened.
    pub(crate) fn into_blobs(self) -> (BlobTable, BlobTable) {
        (self.fresh, self.reused)
    }

    /// Returns the bytes that were known and not opened again.
    pub(crate) fn reused_bytes(&self) -> u64 {
        self.reused_bytes
    }

    /// Returns the results of the streams that were met, without those in known blobs.
    pub fn streams(&self) -> &StreamReport {
        &self.streams
    }

    /// Runs `open` and looks ahead at the streams among `paths`, which are opened in this order.
    pub(crate) fn ahead_of<T>(
        &mut self,
        paths: impl Iterator<Item = PathBuf> + Send,
        open: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if self.options.depth != Depth::Open {
            return open(self);
        }
        let files = Arc::new(Lookahead::new());
        self.files = Some(Arc::clone(&files));
        let finder = Mutex::new(FileStreamFinder::new(paths));
        let (analyzer, monitor) = (&Arc::clone(&self.analyzer), self.monitor);
        std::thread::scope(|scope: &Scope<'_, '_>| {
            let look = |path: PathBuf, monitor: &dyn Monitor| analyzer.look_at_file(&path, monitor);
            // Dropped before the scope ends, so that its workers stop and the scope can join them.
            let _cancel_on_drop = files.start(scope, &finder, look, monitor);
            let opened = open(self);
            self.files = None;
            opened
        })
    }

    /// Opens a file. `path` gives its name, for errors and for its content kind.
    ///
    /// # Errors
    /// [`LayoutError::Changed`] when it is shorter than it was, or an error of reading or storing.
    pub fn open<R: ReadAt + ?Sized>(
        &mut self,
        file: &R,
        path: &Path,
    ) -> Result<Content, LayoutError> {
        self.opened(file, path, None)
    }

    /// Opens a file that may have been looked at ahead, as [`Unpacker::open`] does.
    ///
    /// # Errors
    /// As [`Unpacker::open`].
    pub(crate) fn open_file(
        &mut self,
        file: &SteadyFile,
        path: &Path,
    ) -> Result<Content, LayoutError> {
        let files = self.files.as_ref();
        let files = files.filter(|_| ReadAt::size_bytes(file) >= AHEAD_BYTES_MIN);
        let found = files.and_then(|files| files.take(&path.to_owned()));
        let looked = match found.transpose()? {
            // Another file may have taken its place in between.
            Some(found) if found.sign == file.sign() => Some(found.looked),
            _ => None,
        };
        self.opened(file, path, looked)
    }

    fn opened<R: ReadAt + ?Sized>(
        &mut self,
        file: &R,
        path: &Path,
        looked: Option<AnalyzerOutput>,
    ) -> Result<Content, LayoutError> {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut reader = HashingReader::new(file, path);
        let content = self.content(&mut reader, file.size_bytes(), name, 0, looked)?;
        self.monitor.advance(std::mem::take(&mut self.unreported));
        self.reported = 0;
        Ok(content)
    }

    /// Opens a content of its own that is nested `depth` levels deep.
    fn content<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        depth: usize,
        looked: Option<AnalyzerOutput>,
    ) -> Result<Content, LayoutError> {
        if bytes == 0 {
            return Ok(Content::Empty);
        }
        if let Some(blob) = self.structured(reader, bytes, name, depth, looked)? {
            return Ok(Content::Blob(blob));
        }
        if bytes <= SMALL_BYTES {
            return Ok(Content::Chunk(self.small(reader, bytes, name)?));
        }
        if let Some(blob) = self.look_up(reader, bytes)? {
            return Ok(Content::Blob(blob));
        }
        // A content that is one chunk needs no recipe.
        let first = Self::cut(reader, bytes)?;
        if first as u64 == bytes {
            return Ok(Content::Chunk(self.put(reader, first, name)?));
        }
        reader.push_hasher();
        let mut recipe = RecipeWriter::new(ContentKind::Other);
        self.chunks(reader, bytes, name, &mut recipe)?;
        let blob = self.finish(reader, bytes, recipe)?;
        Ok(Content::Blob(blob))
    }

    /// Opens the next content into a blob when it has a structure to be found. Otherwise leaves the reader where it is.
    fn structured<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        depth: usize,
        looked: Option<AnalyzerOutput>,
    ) -> Result<Option<Blob>, LayoutError> {
        let kind = self.form(reader, bytes)?;
        if let ContentForm::Stream(stream) = kind {
            let reason = if bytes < stream.bytes_min() {
                Some(KeptReason::Small)
            } else if depth >= OPEN_DEPTH_MAX || !self.may_nest(stream) {
                Some(KeptReason::Deep)
            } else {
                None
            };
            if let Some(reason) = reason {
                self.kept(reason, bytes);
                return Ok(None);
            }
        }
        // The limit keeps hostile nesting from using the stack and the memory of a level without end.
        if depth >= OPEN_DEPTH_MAX {
            return Ok(None);
        }
        if let ContentForm::Closed(reason) = kind {
            return self.closed(reader, bytes, name, reason).map(Some);
        }
        if kind == ContentForm::Plain {
            return self.mixed(reader, bytes, name, depth);
        }
        if let ContentForm::Stream(stream) = kind {
            return self.opened_stream(reader, stream, bytes, name, depth, looked);
        }
        if let Some(known) = self.look_up(reader, bytes)? {
            return Ok(Some(known));
        }
        if self.is_closed(reader, bytes)? {
            return Ok(None);
        }
        match kind {
            ContentForm::Zip(directory) => {
                let zip = self.zip(reader, bytes, name, depth, directory);
                zip.map(Some)
            }
            ContentForm::Ar => self.ar(reader, bytes, depth).map(Some),
            ContentForm::Cpio => self.cpio(reader, bytes, depth).map(Some),
            ContentForm::GitPack => self.git_pack(reader, bytes, depth).map(Some),
            ContentForm::Rpm => self.rpm(reader, bytes, depth).map(Some),
            _ => self.tar(reader, bytes, depth).map(Some),
        }
    }

    /// Puts the body of a member into the recipe.
    fn body<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        depth: usize,
        looked: Option<AnalyzerOutput>,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        if bytes == 0 {
            return Ok(());
        }
        if let Some(blob) = self.structured(reader, bytes, name, depth, looked)? {
            return Ok(recipe.blob(self.sink, blob)?);
        }
        self.plain_part(reader, bytes, name, recipe)
    }

    fn finish<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        recipe: RecipeWriter,
    ) -> Result<Blob, LayoutError> {
        let id = BlobId(reader.pop_hasher());
        let recipe = recipe.finish(self.sink)?;
        let blob = Blob { id, bytes, recipe };
        self.fresh.insert(&blob);
        Ok(blob)
    }

    /// Returns the length of the next chunk of a content that has `left` bytes left.
    fn cut<R: ReadAt + ?Sized>(
        reader: &mut HashingReader<'_, R>,
        left: u64,
    ) -> Result<usize, LayoutError> {
        let window = usize::try_from(left).map_or(CHUNK_MAX, |left| left.min(CHUNK_MAX));
        Ok(Cutter::cut(reader.peek(window)?))
    }

    fn small<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
    ) -> Result<ChunkRef, LayoutError> {
        let len = usize::try_from(bytes).map_err(|_| RecipeError::Corrupt(Flaw::SmallContent))?;
        self.put(reader, len, name)
    }

    fn put<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        len: usize,
        name: &[u8],
    ) -> Result<ChunkRef, LayoutError> {
        let class = ContentKind::of(name, reader.peek(len.min(tar::BLOCK))?);
        self.put_as(reader, len, class)
    }

    fn put_as<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        len: usize,
        class: ContentKind,
    ) -> Result<ChunkRef, LayoutError> {
        let id = self.sink.put(reader.peek(len)?, class)?;
        reader.skip(len as u64)?;
        self.report(len as u64)?;
        let bytes = u32::try_from(len).map_err(|_| RecipeError::Corrupt(Flaw::ChunkLength))?;
        Ok(ChunkRef { bytes, id })
    }

    fn side<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        let mut left = bytes;
        while left > 0 {
            let len = usize::try_from(left).map_or(CHUNK_MAX, |left| left.min(CHUNK_MAX));
            recipe.side(self.sink, reader.peek(len)?)?;
            reader.skip(len as u64)?;
            left -= len as u64;
        }
        self.report(bytes)
    }

    /// Reports to the monitor in larger steps, because members are small and many.
    fn report(&mut self, bytes: u64) -> Result<(), LayoutError> {
        self.unreported += bytes;
        if self.unreported >= STEP_BYTES {
            let bytes = std::mem::take(&mut self.unreported);
            self.advance(bytes);
            self.monitor.check_stop()?;
        }
        Ok(())
    }

    /// Reports bytes of the file that were not reported yet.
    fn advance(&mut self, bytes: u64) {
        // The bytes inside a stream are plain bytes. Only those of the file itself count as progress.
        if self.within > 0 {
            return;
        }
        // Looking ahead has reported some of the bytes already, and they must not count twice.
        let heard = self.reported.min(bytes);
        self.reported -= heard;
        self.monitor.advance(bytes - heard);
    }
}

#[cfg(test)]
mod tests;
