//! Finds the ELF files for x86-64 and arm64 among the contents of releases, so that frames know what their bytes are.
//!
//! Frames have chunks in the order of the store, with gaps. This module says of which file each one is, and at which
//! place. Memory: 80 bytes for each chunk of such a file, and some KiB a file.

use std::collections::{HashMap, HashSet};

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::BundleError;
use crate::content::contents::{Contents, FileKind};
use crate::content::recipe::{ChunkRef, RecipeError};
use crate::content::references::{Layout, Sections};
use crate::content::release::ReleaseRoot;
use crate::store::Store;

/// The files, and the place of each chunk.
#[derive(Default)]
pub(super) struct Programs {
    files: Vec<Sections>,
    places: HashMap<ChunkId, ChunkPlace>,
}

/// Where a chunk lies.
#[derive(Debug, Clone, Copy)]
struct ChunkPlace {
    file: usize,
    offset: u64,
}

impl Programs {
    /// Looks through releases for files with chunks that are wanted.
    ///
    /// # Errors
    /// [`BundleError`] when a list cannot be read, or a stop was asked for.
    pub(super) fn of<'r>(
        store: &Store,
        releases: impl Iterator<Item = &'r ReleaseRoot>,
        wanted: &HashSet<ChunkId>,
        monitor: &dyn Monitor,
    ) -> Result<Self, BundleError> {
        let mut programs = Self::default();
        let mut contents = Contents::new(store);
        for root in releases {
            contents.release(root, &mut |found| {
                monitor.check_stop()?;
                let is_wanted = |chunk: &ChunkRef| wanted.contains(&chunk.id);
                if found.kind == FileKind::File
                    && found.offset == 0
                    && found.chunks.iter().any(is_wanted)
                {
                    programs.add(store, found.chunks);
                }
                Ok::<(), RecipeError>(())
            })?;
        }
        Ok(programs)
    }

    /// Adds a file, if it is for an architecture that is known.
    fn add(&mut self, store: &Store, chunks: &[ChunkRef]) {
        let mut offsets = Vec::with_capacity(chunks.len());
        let mut end = 0;
        for chunk in chunks {
            offsets.push(end);
            end += u64::from(chunk.bytes);
        }
        let mut read = |offset: u64, bytes: usize| {
            let mut number = offsets
                .partition_point(|first| *first <= offset)
                .checked_sub(1)?;
            let mut skip = usize::try_from(offset - offsets[number]).ok()?;
            let mut out = Vec::new();
            while out.len() < bytes {
                let chunk = store.read(&chunks.get(number)?.id).ok()?;
                let rest = chunk.get(skip..)?;
                out.extend_from_slice(&rest[..rest.len().min(bytes - out.len())]);
                (number, skip) = (number + 1, 0);
            }
            Some(out)
        };
        let Some(sections) = Sections::of(&mut read) else {
            return;
        };
        let file = self.files.len();
        self.files.push(sections);
        for (chunk, offset) in chunks.iter().zip(offsets) {
            self.places
                .entry(chunk.id)
                .or_insert(ChunkPlace { file, offset });
        }
    }

    /// Returns the number of the file that a chunk belongs to, and its place there.
    pub(super) fn place(&self, id: &ChunkId) -> Option<(usize, u64)> {
        let place = self.places.get(id)?;
        Some((place.file, place.offset))
    }

    /// Says what the bytes of these chunks, one behind the other, are.
    pub(super) fn layout(&self, chunks: &[(ChunkId, usize)], bytes: &[u8]) -> Layout {
        let mut layout = Layout::default();
        let mut begin = 0;
        let mut run: Option<(ChunkPlace, usize)> = None;
        for (id, length) in chunks {
            let place = self.places.get(id).copied();
            let goes_on = run.zip(place).is_some_and(|((first, from), place)| {
                first.file == place.file && first.offset + (begin - from) as u64 == place.offset
            });
            if !goes_on {
                self.add_run(&mut layout, run, begin, bytes);
                run = place.map(|place| (place, begin));
            }
            begin += length;
        }
        self.add_run(&mut layout, run, begin, bytes);
        layout
    }

    fn add_run(
        &self,
        layout: &mut Layout,
        run: Option<(ChunkPlace, usize)>,
        end: usize,
        bytes: &[u8],
    ) {
        if let Some((place, begin)) = run {
            let sections = &self.files[place.file];
            layout.add(
                place.file,
                sections,
                place.offset,
                begin,
                &bytes[begin..end],
            );
        }
    }
}
