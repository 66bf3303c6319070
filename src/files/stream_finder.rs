//! Finds streams in tars and among files, ahead of the unpacker.
//!
//! The unpacker decides what is a stream. A wrong or missing result here only costs time.

use std::collections::HashSet;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::early_read::fill;
use super::lookahead::AHEAD_BYTES_MIN;
use super::steady_file::SteadyFile;
use super::stream_kind::{STREAM_HEAD_BYTES, StreamKind};
use crate::base::read_at::ReadAt;
use crate::content::archive::tar::{self, Pax, TarHeader, TarKind};

/// Number of blocks without a header after which a tar is searched no further.
const STRAY_BLOCKS_MAX: u32 = 64;

/// The offsets and lengths of the members of a tar that are streams. The offset is the member's place.
pub(super) struct TarStreamFinder<'a, R: ?Sized> {
    source: &'a R,
    at: u64,
    end: u64,
    /// Lengths of the streams that are wanted.
    wanted: Range<u64>,
    stray_blocks: u32,
}

impl<'a, R: ReadAt + ?Sized> TarStreamFinder<'a, R> {
    /// Searches the tar in `tar` for streams of the lengths `wanted`.
    pub(super) fn new(source: &'a R, tar: Range<u64>, wanted: Range<u64>) -> Self {
        Self {
            source,
            at: tar.start,
            end: tar.end,
            wanted,
            stray_blocks: 0,
        }
    }

    /// Returns the next member with a body, as the offset and the length of the body.
    fn member(&mut self) -> Option<(u64, u64)> {
        let mut next = Pax::default();
        loop {
            let mut block = [0; tar::BLOCK];
            if self.end.saturating_sub(self.at) < tar::BLOCK as u64 {
                return None;
            }
            fill(self.source, self.at, &mut block)?;
            self.at += tar::BLOCK as u64;
            let Some(header) = TarHeader::read(&block) else {
                self.stray_blocks += 1;
                if self.stray_blocks > STRAY_BLOCKS_MAX {
                    return None;
                }
                next = Pax::default();
                continue;
            };
            self.stray_blocks = 0;
            match header.kind {
                TarKind::Pax | TarKind::Note => {
                    if header.kind == TarKind::Pax && header.size <= tar::PAX_BYTES_MAX {
                        let mut body = vec![0; usize::try_from(header.size).ok()?];
                        fill(self.source, self.at, &mut body)?;
                        next = Pax::read(&body);
                    }
                    self.pass(header.size);
                }
                TarKind::Bodiless => next = Pax::default(),
                TarKind::File | TarKind::Sparse => {
                    let mut more =
                        header.kind == TarKind::Sparse && block[tar::SPARSE_MORE_IN_HEADER] != 0;
                    while more {
                        fill(self.source, self.at, &mut block)?;
                        self.at += tar::BLOCK as u64;
                        more = block[tar::SPARSE_MORE_IN_MAP] != 0;
                    }
                    let size = next.size.unwrap_or(header.size);
                    let begin = self.at;
                    self.pass(size);
                    return Some((begin, size.min(self.end.saturating_sub(begin))));
                }
            }
        }
    }

    fn pass(&mut self, bytes: u64) {
        let whole = bytes.saturating_add(tar::padding(bytes));
        self.at = self.at.saturating_add(whole);
    }
}

impl<R: ReadAt + ?Sized> Iterator for TarStreamFinder<'_, R> {
    type Item = (u64, (u64, u64));

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (offset, bytes) = self.member()?;
            let mut head = [0; STREAM_HEAD_BYTES];
            if self.wanted.contains(&bytes)
                && fill(self.source, offset, &mut head).is_some()
                && StreamKind::of(&head).is_some()
            {
                return Some((offset, (offset, bytes)));
            }
        }
    }
}

/// The files that are long streams among `paths`. A file with several names comes once.
pub(super) struct FileStreamFinder<I> {
    paths: I,
    seen: HashSet<(u64, u64)>,
}

impl<I: Iterator<Item = PathBuf>> FileStreamFinder<I> {
    pub(super) fn new(paths: I) -> Self {
        Self {
            paths,
            seen: HashSet::new(),
        }
    }

    fn is_stream(&mut self, path: &Path) -> bool {
        let Ok(stat) = path.symlink_metadata() else {
            return false;
        };
        if !stat.is_file() || stat.len() < AHEAD_BYTES_MIN {
            return false;
        }
        if stat.nlink() > 1 && !self.seen.insert((stat.dev(), stat.ino())) {
            return false;
        }
        let mut head = [0; STREAM_HEAD_BYTES];
        SteadyFile::open(path).is_ok_and(|file| file.read_at(0, &mut head).is_ok())
            && StreamKind::of(&head).is_some()
    }
}

impl<I: Iterator<Item = PathBuf>> Iterator for FileStreamFinder<I> {
    type Item = (PathBuf, PathBuf);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let path = self.paths.next()?;
            if self.is_stream(&path) {
                return Some((path.clone(), path));
            }
        }
    }
}
