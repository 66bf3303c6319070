//! The chunks that releases need, for `prune`: any number of them in bounded memory.
//!
//! What is too much waits in a file without a name, in sorted runs. It comes back in parts, by the first byte of the ids, as
//! the index is sorted. It does not know where chunks lie. Memory: 128 MiB, and 2 KiB for each 8 million chunks that came.
//! A part takes 16 bytes a chunk, some 6 MB of 100 million.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{ChunkSet, Store, StoreError};
use crate::base::id::ChunkId;
use crate::base::spooled_temp::nameless_file;
use crate::base::term::Action;
use crate::content::index::prefix;
use crate::store::storage::StorageError;
use crate::store::storage::dir::UNPUBLISHED;

/// Parts, one for each first byte.
const PARTS: usize = 256;
/// Chunks that wait in memory.
const WAITING_MAX: usize = 8 << 20;
/// Bytes of a prefix in a file.
const PREFIX_BYTES: usize = 16;

/// Chunk ids by their first 128 bits.
#[derive(Debug)]
pub struct LiveChunks {
    folder: PathBuf,
    waiting: Vec<[u8; PREFIX_BYTES]>,
    waiting_max: usize,
    file: Option<File>,
    /// Of each run, where its parts begin in the file, and where the last one ends.
    runs: Vec<Vec<u64>>,
}

impl LiveChunks {
    /// Makes an empty one. What is too much for the memory goes into the local folder of `store`.
    pub fn new(store: &Store) -> Self {
        Self::with_room(&store.dir().join(UNPUBLISHED), WAITING_MAX)
    }

    fn with_room(folder: &Path, waiting_max: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            waiting: Vec::new(),
            waiting_max,
            file: None,
            runs: Vec::new(),
        }
    }

    /// Adds a chunk.
    ///
    /// # Errors
    /// A storage error when there is no room on the disk for what is too much.
    pub fn insert(&mut self, id: &ChunkId) -> Result<(), StoreError> {
        self.waiting.push(prefix(id));
        if self.waiting.len() >= self.waiting_max {
            self.settle();
            // Most chunks of a release are also in the one before.
            if self.waiting.len() > self.waiting_max / 2 {
                self.write_run()?;
            }
        }
        Ok(())
    }

    fn settle(&mut self) {
        self.waiting.sort_unstable();
        self.waiting.dedup();
    }

    fn write_run(&mut self) -> Result<(), StorageError> {
        let folder = &self.folder;
        let file = match &mut self.file {
            Some(file) => file,
            none => none
                .insert(nameless_file(folder).map_err(StorageError::on(Action::Create, folder))?),
        };
        let begin = self
            .runs
            .last()
            .and_then(|run| run.last())
            .copied()
            .unwrap_or(0);
        file.write_all(self.waiting.as_flattened())
            .map_err(StorageError::on(Action::Write, folder))?;
        let run =
            (0..=PARTS).map(|part| begin + (begin_of(&self.waiting, part) * PREFIX_BYTES) as u64);
        self.runs.push(run.collect());
        self.waiting.clear();
        Ok(())
    }

    /// Finishes building.
    ///
    /// # Errors
    /// As [`LiveChunks::insert`].
    pub(super) fn settled(mut self) -> Result<Self, StoreError> {
        self.settle();
        if !self.runs.is_empty() {
            self.write_run()?;
            self.waiting = Vec::new();
        }
        Ok(self)
    }

    /// Returns the chunks whose ids begin with this byte. Only when it is settled.
    ///
    /// # Errors
    /// A storage error when they cannot be read back.
    pub(super) fn part(&self, part: u8) -> Result<ChunkSet, StoreError> {
        let part = usize::from(part);
        let waiting =
            &self.waiting[begin_of(&self.waiting, part)..begin_of(&self.waiting, part + 1)];
        let mut prefixes = waiting.to_vec();
        if let Some(file) = &self.file {
            for run in &self.runs {
                let (begin, end) = (run[part], run[part + 1]);
                let count = usize::try_from(end - begin).map_or(0, |bytes| bytes / PREFIX_BYTES);
                let before = prefixes.len();
                prefixes.resize(before + count, [0; PREFIX_BYTES]);
                file.read_exact_at(prefixes[before..].as_flattened_mut(), begin)
                    .map_err(StorageError::on(Action::Read, &self.folder))?;
            }
        }
        Ok(ChunkSet::of_prefixes(prefixes))
    }
}

/// Returns the number of prefixes before those of a part.
fn begin_of(sorted: &[[u8; PREFIX_BYTES]], part: usize) -> usize {
    sorted.partition_point(|prefix| usize::from(prefix[0]) < part)
}

impl From<ChunkSet> for LiveChunks {
    /// Takes a set that is in memory already.
    fn from(set: ChunkSet) -> Self {
        let mut live = Self::with_room(Path::new(""), usize::MAX);
        live.waiting = set.settled().prefixes().to_vec();
        live
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_came_comes_back_in_parts_whatever_the_memory() {
        let dir = tempfile::tempdir().unwrap();
        let ids: Vec<ChunkId> = (0..3000_u32)
            .map(|number| ChunkId(crate::base::id::hash(&(number % 1000).to_le_bytes())))
            .collect();
        let mut expected: Vec<[u8; 16]> = ids.iter().map(prefix).collect();
        expected.sort_unstable();
        expected.dedup();
        for room in [1, 7, 100, 999, 1500, usize::MAX] {
            let mut live = LiveChunks::with_room(&dir.path().join("tmp"), room);
            ids.iter().for_each(|id| live.insert(id).unwrap());
            let live = live.settled().unwrap();
            assert_eq!(live.runs.is_empty(), room > 1000 * 2, "{room}");
            let parts = (0..=u8::MAX).map(|part| live.part(part).unwrap().prefixes().to_vec());
            assert_eq!(parts.collect::<Vec<_>>().concat(), expected, "{room}");
        }
        let live = LiveChunks::from(ids.into_iter().collect::<ChunkSet>());
        let parts = (0..=u8::MAX).map(|part| live.part(part).unwrap().prefixes().to_vec());
        assert_eq!(parts.collect::<Vec<_>>().concat(), expected);
        let nothing = LiveChunks::with_room(dir.path(), 10).settled().unwrap();
        assert!(nothing.part(255).unwrap().is_empty());
        assert_eq!(
            std::fs::read_dir(dir.path().join("tmp")).unwrap().count(),
            0
        );
    }

    #[test]
    fn a_disk_without_room_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let mut live = LiveChunks::with_room(&file, 2);
        let mut insert = |byte| live.insert(&ChunkId([byte; 32]));
        assert!(insert(1).is_ok() && insert(2).is_err());
    }
}
