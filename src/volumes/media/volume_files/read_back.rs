//! Reads a volume back from the disk that it was written to, so that a disk with less room than it claims, or one that
//! forgets, is found before it travels.
//!
//! Every block says where it belongs. What comes back from another place, as zeros or not at all is told apart.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};

use crate::base::fs::is_removable;
use crate::base::monitor::Monitor;
use crate::volumes::block::BlockHeader;
use crate::volumes::media::error::NotBack;
use crate::volumes::media::{MediaError, VolumeFacts};

/// Reads that may fail. The rest counts as missing then: a disk takes seconds for each.
const UNREAD_MAX: u64 = 64;

/// Whether volumes are read back after they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadBack {
    /// Those on disks that can be taken out.
    #[default]
    Removable,
    /// All.
    Always,
}

impl ReadBack {
    /// Returns whether what is written to this folder is read back.
    pub(crate) fn applies_to(self, folder: &Path) -> bool {
        self == Self::Always || is_removable(folder)
    }
}

/// Reads all blocks of a volume from its files, past what the system remembers of them. The files must be synced.
pub(super) fn check(
    facts: &VolumeFacts,
    files: &[PathBuf],
    volume: &Path,
    monitor: &dyn Monitor,
) -> Result<(), MediaError> {
    let (mut found, mut bad) = (HashSet::new(), NotBack::default());
    for path in files {
        let file = File::open(path).map_err(MediaError::io(path))?;
        let bytes = file.metadata().map_err(MediaError::io(path))?.len();
        // A file system that takes no advice may answer from memory, and nothing else can be done.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        let block_bytes = facts.block_size.bytes();
        let mut block = vec![0; block_bytes];
        for offset in (0..bytes).step_by(block_bytes) {
            monitor.check_stop()?;
            let len =
                usize::try_from(bytes - offset).map_or(block_bytes, |rest| rest.min(block_bytes));
            match file.read_exact_at(&mut block[..len], offset) {
                Ok(()) => note(facts, &mut block[..len], &mut found, &mut bad),
                Err(_) => bad.unread += 1,
            }
            if bad.unread >= UNREAD_MAX {
                break;
            }
        }
    }
    bad.missing = u64::from(facts.volume_blocks).saturating_sub(found.len() as u64);
    if bad.missing == 0 {
        return Ok(());
    }
    Err(MediaError::NotBack {
        path: volume.to_owned(),
        volume_blocks: facts.volume_blocks,
        bad,
    })
}

fn note(facts: &VolumeFacts, block: &mut [u8], found: &mut HashSet<u32>, bad: &mut NotBack) {
    match BlockHeader::open_mut(block) {
        Some(header) => {
            let is_ours = header.set.set_id == facts.set_id && header.volume_no == facts.volume_no;
            if !is_ours || !found.insert(header.block_no) {
                bad.misplaced += 1;
            }
        }
        None if block.iter().all(|byte| *byte == 0) => bad.zeros += 1,
        None => {}
    }
}
