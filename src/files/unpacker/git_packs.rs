//! Opens git's packs: headers become side bytes, and the zlib streams of objects plain bytes.
//!
//! Objects that are deltas of others stay so. The first stream that cannot be opened has no known end, so the rest is
//! kept as it came.

use super::Unpacker;
use crate::base::monitor::Quiet;
use crate::base::read_at::ReadAt;
use crate::content::archive::git_pack::{
    OBJECT_HEADER_BYTES_MAX, PACK_HASH_BYTES, PACK_HEADER_BYTES, object_header_bytes, objects,
};
use crate::content::content_kind::ContentKind;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{Blob, ChunkSource, SMALL_BYTES};
use crate::deflate::Wrapper;
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;
use crate::files::streams::{self, How, Outcome, Region, StreamFormat};

/// Shorter objects are side bytes. There are many, and a chunk for each costs more than it gains.
const OBJECT_BYTES_MIN: u64 = 512;

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Follows a pack of `bytes` bytes that begins here.
    pub(super) fn git_pack<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        depth: usize,
    ) -> Result<Blob, LayoutError> {
        reader.push_hasher();
        let end = reader.offset() + bytes;
        let mut recipe = RecipeWriter::new(ContentKind::Packed);
        let count = objects(reader.peek(PACK_HEADER_BYTES)?).unwrap_or_default();
        self.side(reader, PACK_HEADER_BYTES as u64, &mut recipe)?;
        for _ in 0..count {
            if !self.git_object(reader, end, depth, &mut recipe)? {
                break;
            }
        }
        let left = end - reader.offset();
        if left <= SMALL_BYTES {
            self.side(reader, left, &mut recipe)?;
        } else {
            self.chunks(reader, left, b"", &mut recipe)?;
        }
        self.finish(reader, bytes, recipe)
    }

    /// Puts the next object into the recipe. Returns whether its end is known.
    fn git_object<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        end: u64,
        depth: usize,
        recipe: &mut RecipeWriter,
    ) -> Result<bool, LayoutError> {
        let left = end - reader.offset();
        let window = left.min(OBJECT_HEADER_BYTES_MAX as u64);
        let head = reader.peek(usize::try_from(window).unwrap_or_default())?;
        let header = object_header_bytes(head).map(|header| header as u64);
        let Some(header) = header.filter(|header| header + PACK_HASH_BYTES < left) else {
            return Ok(false);
        };
        let region = Region {
            source: reader.source(),
            path: reader.path(),
            offset: reader.offset() + header,
            bytes: left - header - PACK_HASH_BYTES,
        };
        let how = How {
            format: StreamFormat::Deflate(Wrapper::Zlib),
            effort: Some(&self.effort),
            threads: 1,
        };
        let quiet = Quiet(self.monitor);
        let (outcome, _) = streams::open(region, how, self.options, &quiet)?;
        let opened = match outcome {
            Outcome::Opened(opened) => opened,
            Outcome::Kept(reason) => {
                self.kept(reason, region.bytes);
                return Ok(false);
            }
            Outcome::Known => return Ok(false),
        };
        self.side(reader, header, recipe)?;
        if opened.stream_bytes < OBJECT_BYTES_MIN {
            self.side(reader, opened.stream_bytes, recipe)?;
        } else {
            self.deflate(&opened, region.path, b"", depth, recipe)?;
            reader.skip(opened.stream_bytes)?;
            self.report(opened.stream_bytes)?;
        }
        Ok(true)
    }
}
