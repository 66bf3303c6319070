//! Opens streams of all kinds. They are looked at on any thread and stored in the unpacker's own order.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Unpacker;
use crate::base::id::{BlobId, Hasher};
use crate::base::limits::RECODE_DEPTH_MAX;
use crate::base::monitor::{Monitor, Quiet};
use crate::base::read_at::ReadAt;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::rebuild::first_op;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{Blob, ChunkSource, Content, RECODE_CODEC, RecipeOp, SMALL_BYTES};
use crate::content::release::BlobTable;
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;
use crate::files::lookahead::AHEAD_BYTES_MIN;
use crate::files::open_options::OpenOptions;
use crate::files::steady_file::{Sign, SteadyFile};
use crate::files::stream_kind::{STREAM_HEAD_BYTES, StreamKind};
use crate::files::stream_report::KeptReason;
use crate::files::streams::{self, ExpectedStream, Opened, Outcome, Region};

/// The result of looking at a stream ahead.
pub(in crate::files) struct AnalyzerOutput {
    id: BlobId,
    outcome: Outcome,
    /// Bytes that were reported to the monitor.
    reported: u64,
    /// What was found of a short stream, which counts only if it would be found at its turn.
    expected: Option<ExpectedStream>,
}

impl AnalyzerOutput {
    /// The result for a short stream.
    pub(super) fn ahead(id: BlobId, expected: Option<ExpectedStream>) -> Self {
        Self {
            id,
            outcome: Outcome::Known,
            reported: 0,
            expected,
        }
    }

    /// Returns whether a short stream was opened.
    pub(super) fn is_expected(&self) -> bool {
        self.expected.is_some()
    }
}

/// The result as a worker hands it over.
pub(super) type AnalyzedStream = Result<AnalyzerOutput, LayoutError>;

/// The result of looking at a whole file.
pub(super) struct AnalyzedFile {
    pub(super) sign: Sign,
    pub(super) looked: AnalyzerOutput,
}

/// The result as a worker hands it over.
pub(super) type FileFound = Result<AnalyzedFile, LayoutError>;

/// Looks at streams, at each one once.
pub(super) struct Analyzer<'a> {
    known: &'a BlobTable,
    options: &'a OpenOptions,
    /// Streams that a thread looks at or has looked at.
    seen: Mutex<HashSet<(u64, BlobId)>>,
}

impl<'a> Analyzer<'a> {
    pub(super) fn new(known: &'a BlobTable, options: &'a OpenOptions) -> Self {
        Self {
            known,
            options,
            seen: Mutex::default(),
        }
    }

    /// Hashes a region, and opens the stream in it unless it is known.
    pub(super) fn look<R: ReadAt + ?Sized>(
        &self,
        region: Region<'_, R>,
        monitor: &dyn Monitor,
    ) -> AnalyzedStream {
        let id = hash(region, monitor)?;
        let mut looked = AnalyzerOutput {
            id,
            outcome: Outcome::Known,
            reported: 0,
            expected: None,
        };
        let is_first = || {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            // Equal streams are opened once. For the others the unpacker finds the blob of the first.
            seen.insert((region.bytes, id))
        };
        let is_known = self.known.get(region.bytes, id).is_some();
        if !is_known && !self.options.closed.contains(&id) && is_first() {
            let mut reader = HashingReader::at(region.source, region.path, region.offset);
            let head_bytes = region.bytes.min(STREAM_HEAD_BYTES as u64);
            let head = reader.peek(usize::try_from(head_bytes).unwrap_or_default())?;
            if let Some(kind) = StreamKind::of(head) {
                (looked.outcome, looked.reported) =
                    kind.open(region, None, self.options, monitor)?;
            }
        }
        Ok(looked)
    }

    pub(super) fn look_at_file(&self, path: &Path, monitor: &dyn Monitor) -> FileFound {
        let file = SteadyFile::open(path)?;
        let region = Region {
            source: &file,
            path,
            offset: 0,
            bytes: ReadAt::size_bytes(&file),
        };
        let looked = self.look(region, monitor)?;
        Ok(AnalyzedFile {
            sign: file.sign(),
            looked,
        })
    }
}

fn hash<R: ReadAt + ?Sized>(
    region: Region<'_, R>,
    monitor: &dyn Monitor,
) -> Result<BlobId, LayoutError> {
    let mut reader = HashingReader::at(region.source, region.path, region.offset);
    let mut hasher = Hasher::new();
    let mut left = region.bytes;
    while left > 0 {
        monitor.check_stop()?;
        let step = usize::try_from(left.min(256 << 10)).unwrap_or_default();
        hasher.update(reader.peek(step)?);
        reader.skip(step as u64)?;
        left -= step as u64;
    }
    Ok(BlobId(hasher.finish()))
}

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Returns whether a stream may be opened within the streams around it.
    pub(super) fn may_nest(&self, kind: StreamKind) -> bool {
        kind == StreamKind::Gzip || self.recoded < RECODE_DEPTH_MAX
    }

    /// Opens a stream. Returns `None` when it is kept and so short that it is a chunk like any other.
    pub(super) fn opened_stream<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        kind: StreamKind,
        bytes: u64,
        name: &[u8],
        depth: usize,
        looked: Option<AnalyzerOutput>,
    ) -> Result<Option<Blob>, LayoutError> {
        let mark = reader.bookmark();
        let region = Region {
            source: reader.source(),
            path: reader.path(),
            offset: reader.offset(),
            bytes,
        };
        let id = match &looked {
            Some(looked) => {
                reader.skip(bytes)?;
                looked.id
            }
            None => self.hash_over(reader, bytes)?,
        };
        if let Some(blob) = self.known_stream(bytes, id) {
            return Ok(Some(blob));
        }
        let (outcome, reported) = match looked {
            // A stream that another worker was to open may still be missing here, and is then opened now.
            Some(looked) if !matches!(looked.outcome, Outcome::Known) => {
                (looked.outcome, looked.reported)
            }
            looked => {
                let expected = looked.and_then(|looked| looked.expected);
                self.look_now(region, kind, id, expected)?
            }
        };
        if self.within == 0 {
            self.reported += reported;
        }
        match outcome {
            Outcome::Opened(opened) => {
                let recipe = self.stream(region, kind, &opened, name, depth)?;
                let recipe = recipe.finish(self.sink)?;
                let blob = Blob { id, bytes, recipe };
                self.fresh.insert(&blob);
                self.advance(bytes);
                Ok(Some(blob))
            }
            Outcome::Kept(_) | Outcome::Known => {
                let reason = match outcome {
                    Outcome::Kept(reason) => reason,
                    _ => KeptReason::Changed,
                };
                self.kept(reason, bytes);
                reader.go_back(mark);
                if bytes <= SMALL_BYTES {
                    return Ok(None);
                }
                let mut recipe = RecipeWriter::new(ContentKind::Packed);
                recipe.kept(self.sink, reason.number())?;
                self.chunks(reader, bytes, name, &mut recipe)?;
                let recipe = recipe.finish(self.sink)?;
                let blob = Blob { id, bytes, recipe };
                self.fresh.insert(&blob);
                Ok(Some(blob))
            }
        }
    }

    fn look_now<R: ReadAt + ?Sized>(
        &self,
        region: Region<'_, R>,
        kind: StreamKind,
        id: BlobId,
        expected: Option<ExpectedStream>,
    ) -> Result<(Outcome, u64), LayoutError> {
        if self.options.closed.contains(&id) {
            return Ok((Outcome::Kept(KeptReason::Changed), 0));
        }
        let expected =
            expected.and_then(|found| streams::open_expected(found, region.bytes, &self.effort));
        if let Some((outcome, _)) = expected {
            // Its bytes were not reported when they were read.
            return Ok((outcome, 0));
        }
        let quiet = Quiet(self.monitor);
        let monitor: &dyn Monitor = if self.within > 0 {
            &quiet
        } else {
            self.monitor
        };
        // Long streams may have been looked at ahead in any order, so they never count toward the item's effort.
        let effort = Some(&self.effort).filter(|_| region.bytes < AHEAD_BYTES_MIN);
        kind.open(region, effort, self.options, monitor)
    }

    /// Does the same as [`Unpacker::known_blob`] for a blob that was looked at as a stream when it was stored.
    fn known_stream(&mut self, bytes: u64, id: BlobId) -> Option<Blob> {
        if self.fresh.get(bytes, id).is_none() {
            let blob = self.known.get(bytes, id)?;
            let was_looked_at = match first_op(self.source, &blob.recipe).ok().flatten() {
                Some(RecipeOp::Stream { .. }) => true,
                Some(RecipeOp::Kept { reason }) => {
                    let may_change =
                        KeptReason::from_number(reason).is_some_and(KeptReason::may_change);
                    !(may_change && self.options.is_special())
                }
                _ => false,
            };
            if !was_looked_at {
                return None;
            }
        }
        self.known_blob(bytes, id)
    }

    /// Makes the recipe of an opened stream and of what follows it in its region.
    fn stream<R: ReadAt + ?Sized>(
        &mut self,
        region: Region<'_, R>,
        kind: StreamKind,
        opened: &Opened,
        name: &[u8],
        depth: usize,
    ) -> Result<RecipeWriter, LayoutError> {
        let mut recipe = RecipeWriter::new(ContentKind::Meta);
        let plain_name = kind.plain_name(name);
        self.deflate(opened, region.path, &plain_name, depth, &mut recipe)?;
        let tail = region.bytes - opened.stream_bytes;
        if tail > 0 {
            let offset = region.offset + opened.stream_bytes;
            let mut reader = HashingReader::at(region.source, region.path, offset);
            self.within += 1;
            if tail <= SMALL_BYTES {
                self.side(&mut reader, tail, &mut recipe)?;
            } else {
                self.chunks(&mut reader, tail, name, &mut recipe)?;
            }
            self.within -= 1;
        }
        Ok(recipe)
    }

    /// Stores the plain bytes of an opened stream, and adds the step that rebuilds it to a recipe.
    pub(super) fn deflate(
        &mut self,
        opened: &Opened,
        path: &Path,
        name: &[u8],
        depth: usize,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        let plain = self.plain(opened, path, name, depth)?;
        let mut remake = opened.recipe.reader();
        let codec = opened.codec;
        recipe.deflate(self.sink, opened.stream_bytes, plain, codec, &mut remake)?;
        self.streams.opened.count(opened.stream_bytes);
        self.streams.plain_bytes += opened.plain.size_bytes();
        self.streams.recipe_bytes += opened.recipe.size_bytes();
        let writers = &mut self.streams.writers;
        let writer = writers.entry(opened.writer.clone()).or_default();
        writer.count(opened.stream_bytes);
        Ok(())
    }

    fn plain(
        &mut self,
        opened: &Opened,
        path: &Path,
        name: &[u8],
        depth: usize,
    ) -> Result<Content, LayoutError> {
        let recoded = usize::from(opened.codec == RECODE_CODEC);
        self.within += 1;
        self.recoded += recoded;
        let mut reader = HashingReader::new(&opened.plain, path);
        let content = self.content(
            &mut reader,
            opened.plain.size_bytes(),
            name,
            depth + 1,
            None,
        )?;
        self.within -= 1;
        self.recoded -= recoded;
        Ok(content)
    }

    /// Counts a stream that is kept as it came.
    pub(super) fn kept(&mut self, reason: KeptReason, bytes: u64) {
        self.streams.kept.entry(reason).or_default().count(bytes);
    }
}
