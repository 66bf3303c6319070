//! Packed files and pipes as streams: what can only be read once, from front to back.
//!
//! gzip, zstd, xz and zip are unpacked while they are read. Memory is bounded whatever the stream says: 32 KiB and a segment
//! for deflate, 128 MiB for zstd, 256 MiB for xz.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::read_at::ReadAt;
use crate::deflate::{PlainReader, Wrapper};
use crate::volumes::bare_head::{BareHead, BareHeadDamaged};
use crate::volumes::media::images::bare::BareStream;
use crate::volumes::media::images::packed::PackedKind;
use crate::volumes::media::images::raw_sectors::{RawSectorStream, SectorLayout};

/// Memory of xz's dictionary at most, in KiB. `xz -9` needs 64 MiB.
const XZ_MEMORY_KIB: u32 = 256 << 10;
/// Bytes at the beginning of a stream that say what it is.
const PEEK_BYTES: u64 = 256 << 10;
/// Packed files within one another.
const DEPTH_MAX: usize = 3;

/// Bytes that are read once, from front to back.
pub(super) type Stream = Box<dyn Read + Send>;

/// Returns whether a file of this kind can be unpacked here as it is read.
pub(super) fn is_unpacked(kind: PackedKind) -> bool {
    matches!(kind, PackedKind::Archive("gzip" | "zstd" | "xz"))
}

/// Unpacks a stream as its first bytes say, again when it was packed twice, takes the user data of raw sectors, and shows
/// a bare bundle as its volume. Returns the head of that too.
pub(super) fn unpacked(mut stream: Stream) -> io::Result<(Stream, Option<Arc<BareHead>>)> {
    for _ in 0..DEPTH_MAX {
        let mut begin = Vec::new();
        match stream.by_ref().take(PEEK_BYTES).read_to_end(&mut begin) {
            Ok(_) => {}
            // What came before the error counts, and the error comes again behind it.
            Err(error) if !begin.is_empty() => {
                let broken = io::Cursor::new(begin).chain(Broken(Some(error)));
                return Ok((Box::new(broken), None));
            }
            Err(error) => return Err(error),
        }
        let kind = PackedKind::of(&begin);
        let layout = SectorLayout::of(&begin);
        if BareHead::is_claimed_by(&begin) {
            let head = BareHead::parse(&begin).ok_or_else(|| io::Error::from(BareHeadDamaged))?;
            let head = Arc::new(head);
            let whole = io::Cursor::new(begin).chain(stream);
            let shown = BareStream::new(whole, Arc::clone(&head))?;
            return Ok((Box::new(shown), Some(head)));
        }
        let whole = io::Cursor::new(begin).chain(stream);
        stream = match kind {
            Some(PackedKind::Archive("gzip")) => Box::new(PlainReader::new(whole, Wrapper::Gzip)),
            Some(PackedKind::Archive("zstd")) => Box::new(zstd::Decoder::new(whole)?),
            Some(PackedKind::Archive("xz")) => Box::new(lzma_rust2::XzReader::new_mem_limit(
                whole,
                true,
                XZ_MEMORY_KIB,
            )),
            _ => match layout {
                Some(layout) => Box::new(RawSectorStream::new(whole, layout)),
                None => return Ok((Box::new(whole), None)),
            },
        };
    }
    Ok((stream, None))
}

/// A stream that ends with an error.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Counts what is read.
pub(super) struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R, taken: Arc<AtomicU64>) -> Self {
        Self { inner, taken }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(out)?;
        self.taken.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

/// A stretch of a source, from front to back.
pub(super) struct FromSource {
    source: Arc<dyn ReadAt>,
    range: std::ops::Range<u64>,
}

impl FromSource {
    pub(super) fn new(source: Arc<dyn ReadAt>, range: std::ops::Range<u64>) -> Self {
        Self { source, range }
    }
}

impl Read for FromSource {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end.saturating_sub(self.range.start);
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        let len = self.source.read_at(self.range.start, &mut out[..len])?;
        self.range.start += len as u64;
        Ok(len)
    }
}
