//! Temporary copies of the blocks that streams gave. A stream is read once, and a set that was found is read again.
//!
//! A block that is known already is not copied, so a copy is never larger than the sets that were found.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::base::read_at::ReadAt;
use crate::base::spooled_temp::SpooledTemp;
use crate::volumes::VolumeError;
use crate::volumes::media::MediaSource;

use super::OpenSource;

/// The copies, one for each source that is a stream.
pub(super) struct Spools {
    spools: Vec<Option<Mutex<SpooledTemp>>>,
    error: Mutex<Option<std::io::Error>>,
}

/// The folder for large temporary files. `/tmp` is often in memory.
fn folder() -> PathBuf {
    let named = std::env::var_os("TMPDIR").filter(|dir| !dir.is_empty());
    named.map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from)
}

impl Spools {
    pub(super) fn new(sources: &[MediaSource]) -> Self {
        let spool = |source: &MediaSource| {
            source
                .is_stream()
                .then(|| Mutex::new(SpooledTemp::new(&folder())))
        };
        Self {
            spools: sources.iter().map(spool).collect(),
            error: Mutex::default(),
        }
    }

    /// Returns where a block of a source can be read later: where it lies, or where its copy will. Returns `None` once a
    /// copy has failed.
    pub(super) fn place_of(&self, source_no: usize, offset: u64) -> Option<u64> {
        if self
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
        {
            return None;
        }
        Some(match self.spools.get(source_no).and_then(Option::as_ref) {
            Some(spool) => spool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .size_bytes(),
            None => offset,
        })
    }

    /// Copies a block of a stream. One of another source needs no copy.
    pub(super) fn keep(&self, source_no: usize, block: &[u8]) -> std::io::Result<()> {
        use std::io::Write;
        let Some(spool) = self.spools.get(source_no).and_then(Option::as_ref) else {
            return Ok(());
        };
        let mut spool = spool.lock().unwrap_or_else(PoisonError::into_inner);
        spool.write_all(block).inspect_err(|error| {
            let refusal = spool.refusal();
            let mut kept = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some(refusal.unwrap_or_else(|| error.kind().into()));
        })
    }

    /// Returns the readers of all sources. Those of streams read their copies, and the others are opened when they are
    /// needed.
    pub(super) fn into_readers(self) -> Result<Vec<OnceLock<Option<OpenSource>>>, VolumeError> {
        if let Some(error) = self
            .error
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            return Err(VolumeError::io(&folder())(error));
        }
        let mut readers = Vec::new();
        for spool in self.spools {
            let reader = OnceLock::new();
            if let Some(spool) = spool {
                let mut spool = spool.into_inner().unwrap_or_else(PoisonError::into_inner);
                spool.finish().map_err(VolumeError::io(&folder()))?;
                let _ = reader.set(Some(OpenSource(Arc::new(spool))));
            }
            readers.push(reader);
        }
        Ok(readers)
    }
}
