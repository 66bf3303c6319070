//! Sealed content as the payload of a bundle: opaque pieces, each in a frame of its own, whose hashes are in the catalog.
//!
//! It knows nothing of what is sealed or how. Memory: some pieces.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::bundle::temp_payload::{CutBundle, TempPayload};
use crate::bundle::{BundleError, Catalog, CatalogFrame, FramePlace};
use crate::content::frame::{FrameHead, encode_raw, frame_hash, plain_table_end};

/// Bytes of a piece, and of one of content that is long.
const PIECE_BYTES: usize = 1 << 20;
const LONG_PIECE_BYTES: usize = 16 << 20;
/// Bytes of a piece at least, and pieces that a medium has room for.
const PIECE_BYTES_MIN: usize = 64 << 10;
const MEDIUM_PIECES: u64 = 32;
/// From so many bytes on content is long. The catalog, which is on every volume, has 44 bytes a piece.
const LONG_BYTES: u64 = 8 << 30;

/// Cuts what is written to it into pieces.
pub(crate) struct PieceCutter {
    spool: TempPayload,
    piece_bytes: usize,
    piece: Vec<u8>,
    frames: Vec<CatalogFrame>,
    seals: Vec<[u8; 32]>,
    places: Vec<(u64, u32)>,
    end: u64,
}

impl PieceCutter {
    /// Begins to cut content of about so many bytes into a spool. Media of so many bytes each take many of the pieces.
    pub(crate) fn new(spool: TempPayload, bytes: u64, medium_bytes: Option<u64>) -> Self {
        let piece_bytes = if bytes < LONG_BYTES {
            PIECE_BYTES
        } else {
            LONG_PIECE_BYTES
        };
        let share = medium_bytes.map_or(piece_bytes, |bytes| {
            usize::try_from(bytes / MEDIUM_PIECES).unwrap_or(piece_bytes)
        });
        let piece_bytes = share.clamp(PIECE_BYTES_MIN, piece_bytes);
        Self {
            spool,
            piece_bytes,
            piece: Vec::with_capacity(piece_bytes),
            frames: Vec::new(),
            seals: Vec::new(),
            places: Vec::new(),
            end: 0,
        }
    }

    /// Returns the pieces as a bundle.
    ///
    /// # Errors
    /// [`BundleError`] when the last one cannot be written.
    pub(crate) fn finish(mut self) -> Result<CutBundle, BundleError> {
        self.cut()?;
        let catalog = Catalog {
            frames: self.frames,
            seals: Some(self.seals),
            ..Catalog::default()
        };
        let (spool, places) = (self.spool, self.places);
        Ok(CutBundle::new(catalog, HashMap::new(), spool, places))
    }

    fn cut(&mut self) -> Result<(), BundleError> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let frame = encode_raw(&self.piece);
        let head = FrameHead::parse(&frame).expect("just encoded");
        let seal = frame_hash(&frame).expect("just encoded");
        self.spool.write_at(&frame, self.end)?;
        let number = |count: usize| u32::try_from(count).expect("a piece is some MiB");
        let stored_bytes = number(frame.len());
        self.frames.push(CatalogFrame {
            stored_bytes,
            plain_bytes: number(head.plain_bytes),
            chunks: number(head.chunk_count),
        });
        self.seals.push(*seal);
        self.places.push((self.end, stored_bytes));
        self.end += u64::from(stored_bytes);
        self.piece.clear();
        Ok(())
    }
}

impl Write for PieceCutter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.piece_bytes - self.piece.len();
        let len = bytes.len().min(room);
        self.piece.extend_from_slice(&bytes[..len]);
        if self.piece.len() == self.piece_bytes {
            self.cut().map_err(|error| match error {
                BundleError::Io { source, .. } => source,
                other => io::Error::other(other),
            })?;
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the bytes of sealed content lie in the payload of a set.
#[derive(Debug, Clone)]
pub(crate) struct SealedPlaces {
    /// Where each piece begins in the content, and its frame.
    pieces: Vec<(u64, FramePlace)>,
    bytes: u64,
}

impl SealedPlaces {
    /// Takes the places of all frames of a set.
    pub(crate) fn new(places: Vec<FramePlace>) -> Self {
        let mut bytes = 0;
        let mut pieces = Vec::with_capacity(places.len());
        for place in places {
            pieces.push((bytes, place));
            bytes += u64::from(place.entry.plain_bytes);
        }
        Self { pieces, bytes }
    }

    /// Returns the bytes of the content.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the volume and the place in its payload of this byte of the content, and how many follow there.
    pub(crate) fn find(&self, offset: u64) -> Option<(u16, u64, u64)> {
        if offset >= self.bytes {
            return None;
        }
        let next = self.pieces.partition_point(|(start, _)| *start <= offset);
        let (start, place) = self.pieces.get(next.checked_sub(1)?)?;
        let within = offset - start;
        let at = place.offset + plain_table_end(place.entry.chunks) + within;
        let left = u64::from(place.entry.plain_bytes) - within;
        Some((place.volume_no, at, left))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read;

    #[test]
    fn pieces_are_found_where_they_were_put() {
        let dir = tempfile::tempdir().unwrap();
        for len in [1, PIECE_BYTES, 3 * PIECE_BYTES + 12_345] {
            let content: Vec<u8> = (0..len).map(|at| (at * 13 / 7).to_le_bytes()[0]).collect();
            let spool = TempPayload::create(&dir.path().join("spool")).unwrap();
            let mut cutter = PieceCutter::new(spool, len as u64, None);
            cutter.write_all(&content).unwrap();
            let cut = cutter.finish().unwrap();
            let catalog = Catalog::from_bytes(&cut.catalog.to_bytes()).unwrap();
            assert_eq!(catalog, cut.catalog);
            assert!(catalog.is_sealed() && catalog.releases.is_empty());
            // On two volumes, of which the first has one frame.
            let sizes = cut.piece_bytes();
            let rest = sizes[1..].iter().sum();
            let mut payload = [Vec::new(), Vec::new()];
            for number in 0..sizes.len() {
                let volume = &mut payload[number.min(1)];
                cut.open_piece(number).unwrap().read_to_end(volume).unwrap();
            }
            let places = SealedPlaces::new(catalog.places(&[sizes[0], rest]));
            assert_eq!(places.bytes(), len as u64);
            assert_eq!(places.find(len as u64), None);
            for at in [0, len / 2, len - 1] {
                let (volume_no, offset, left) = places.find(at as u64).unwrap();
                let from = usize::try_from(offset).unwrap();
                let bytes = &payload[usize::from(volume_no) - 1][from..];
                let left = usize::try_from(left).unwrap();
                assert_eq!(bytes[..left], content[at..at + left]);
            }
        }
    }
}
