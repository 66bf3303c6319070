//! Opens tars: headers and padding become side bytes, and bodies become contents of their own.

use std::sync::{Arc, Mutex};

use super::short_streams_ahead::{LookContext, ShortStreamsAhead};
use super::stream::{AnalyzedStream, AnalyzerOutput};
use super::{OPEN_DEPTH_MAX, Unpacker};
use crate::base::monitor::{Monitor, Quiet};
use crate::base::read_at::ReadAt;
use crate::content::archive::tar::{self, Pax, TarHeader, TarKind};
use crate::content::content_kind::ContentKind;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{Blob, ChunkSource};
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;
use crate::files::lookahead::{AHEAD_BYTES_MIN, Lookahead, workers};
use crate::files::open_options::Depth;
use crate::files::stream_finder::TarStreamFinder;
use crate::files::stream_kind::STREAM_HEAD_BYTES;
use crate::files::streams::Region;

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Follows a tar of `bytes` bytes that begins here, and looks ahead at the streams in it.
    pub(super) fn tar<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        depth: usize,
    ) -> Result<Blob, LayoutError> {
        let is_deepest = depth + 1 >= OPEN_DEPTH_MAX;
        if self.options.depth != Depth::Open || bytes < 2 * AHEAD_BYTES_MIN || is_deepest {
            return self.tar_members(reader, bytes, depth, None, None);
        }
        let (source, path, offset) = (reader.source(), reader.path(), reader.offset());
        let range = offset..offset + bytes;
        let finder = TarStreamFinder::new(source, range.clone(), AHEAD_BYTES_MIN..u64::MAX);
        let finder = Mutex::new(finder);
        let short = (workers() > 1).then(|| ShortStreamsAhead::of(source, range));
        let ahead = Lookahead::new();
        let analyzer = &Arc::clone(&self.analyzer);
        let quiet = Quiet(self.monitor);
        let monitor: &dyn Monitor = if self.within > 0 {
            &quiet
        } else {
            self.monitor
        };
        std::thread::scope(|scope| {
            let look = |(offset, bytes): (u64, u64), monitor: &dyn Monitor| {
                let region = Region {
                    source,
                    path,
                    offset,
                    bytes,
                };
                analyzer.look(region, monitor)
            };
            let _cancel_on_drop = ahead.start(scope, &finder, look, monitor);
            self.tar_members(reader, bytes, depth, Some(&ahead), short)
        })
    }

    pub(super) fn tar_members<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        depth: usize,
        ahead: Option<&Lookahead<u64, AnalyzedStream>>,
        mut short: Option<ShortStreamsAhead<'_, R>>,
    ) -> Result<Blob, LayoutError> {
        reader.push_hasher();
        let mut recipe = RecipeWriter::new(ContentKind::TarHeaders);
        let end = reader.offset() + bytes;
        let mut next = Pax::default();
        while reader.offset() < end {
            let left = end - reader.offset();
            let block_bytes = tar::BLOCK.min(usize::try_from(left).unwrap_or(tar::BLOCK));
            let mut block = [0; tar::BLOCK];
            block[..block_bytes].copy_from_slice(reader.peek(block_bytes)?);
            self.side(reader, block_bytes as u64, &mut recipe)?;
            let Some(header) = TarHeader::read(&block[..block_bytes]) else {
                // This is the end of the archive or something unknown. The next block may be a header again.
                next = Pax::default();
                continue;
            };
            let left = left - tar::BLOCK as u64;
            match header.kind {
                TarKind::Pax => {
                    let body = header.size.min(left);
                    if body <= tar::PAX_BYTES_MAX {
                        let len = usize::try_from(body).unwrap_or_default();
                        next = Pax::read(reader.peek(len)?);
                    }
                    let whole = body.saturating_add(tar::padding(body));
                    self.side(reader, whole.min(left), &mut recipe)?;
                }
                TarKind::Note => {
                    let whole = header.size.saturating_add(tar::padding(header.size));
                    self.side(reader, whole.min(left), &mut recipe)?;
                }
                TarKind::Bodiless => next = Pax::default(),
                TarKind::File | TarKind::Sparse => {
                    if header.kind == TarKind::Sparse {
                        self.sparse_map(reader, end, &block, &mut recipe)?;
                    }
                    let member = std::mem::take(&mut next);
                    let size = member.size.unwrap_or(header.size);
                    let body = size.min(end - reader.offset());
                    let name = member
                        .path
                        .as_deref()
                        .unwrap_or_else(|| TarHeader::name(&block));
                    let looked = match (ahead, &mut short) {
                        (Some(ahead), _) if body >= AHEAD_BYTES_MIN => {
                            ahead.take(&reader.offset()).transpose()?
                        }
                        (_, Some(short)) => self.short_stream(reader, body, short)?,
                        _ => None,
                    };
                    self.body(reader, body, name, depth + 1, looked, &mut recipe)?;
                    let padding = tar::padding(size).min(end - reader.offset());
                    self.side(reader, padding, &mut recipe)?;
                }
            }
        }
        self.finish(reader, bytes, recipe)
    }

    /// Returns what is known ahead of a short member.
    fn short_stream<R: ReadAt + ?Sized>(
        &self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        ahead: &mut ShortStreamsAhead<'_, R>,
    ) -> Result<Option<AnalyzerOutput>, LayoutError> {
        let region = Region {
            source: reader.source(),
            path: reader.path(),
            offset: reader.offset(),
            bytes,
        };
        let head_bytes = bytes.min(STREAM_HEAD_BYTES as u64);
        let head = reader.peek(usize::try_from(head_bytes).unwrap_or_default())?;
        let context = LookContext {
            known: self.known,
            expectation: self.effort.experience().latest(),
            options: self.options,
            monitor: self.monitor,
        };
        Ok(ahead.take(region, head, context))
    }

    /// Skips the further blocks of a GNU sparse map.
    fn sparse_map<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        end: u64,
        header: &[u8],
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        let mut more = header[tar::SPARSE_MORE_IN_HEADER] != 0;
        while more && end - reader.offset() >= tar::BLOCK as u64 {
            more = reader.peek(tar::BLOCK)?[tar::SPARSE_MORE_IN_MAP] != 0;
            self.side(reader, tar::BLOCK as u64, recipe)?;
        }
        Ok(())
    }
}
