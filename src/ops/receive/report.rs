//! The report of `receive`, and the progress of each set.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::base::finding::Finding;
use crate::base::id::SetId;
use crate::base::path_text;
use crate::ops::Error;
use crate::ops::receive::Room;
use crate::ops::receive::commit::CommittedRelease;
use crate::ops::receive::prerequisites::MissingPrerequisites;
use crate::ops::receive::selection::LeftOut;
use crate::ops::trust::SetSigners;
use crate::volumes::VolumeRead;
use crate::volumes::recovery::{SetNeeds, VolumeOutcome};

/// The result of `receive`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ReceiveReport {
    /// Sets that were found on the media or were staged before.
    pub sets: Vec<SetProgress>,
    /// Sets that could not be received, and why. They do not keep the others out.
    pub failed: Vec<FailedSet>,
    /// Sets that were removed unfinished, because all of their releases came in another way.
    pub done_with: Vec<SetId>,
    /// Bytes of received deflate streams that are cached in addition, to be served as they are.
    pub ready_bytes: u64,
    /// Given paths without a block of any set.
    #[serde(serialize_with = "path_text::all")]
    pub empty_paths: Vec<PathBuf>,
    /// Sets that were found and not started, because too many are staged already.
    pub refused: Vec<SetId>,
    /// Problems of the media.
    pub findings: Vec<Finding>,
}

/// A set that could not be received.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FailedSet {
    /// Its id.
    pub set_id: SetId,
    /// Its title. Empty when no superblock came yet.
    pub title: String,
    /// What is wrong. In JSON it is the `message`, in English.
    #[serde(rename = "message", serialize_with = "in_words")]
    pub error: Arc<Error>,
}

/// The progress of a set.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SetProgress {
    /// Id of the set.
    pub set_id: SetId,
    /// Its title. Empty when no superblock came yet.
    pub title: String,
    /// Releases it carries.
    pub releases: Vec<String>,
    /// Data volumes (K).
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// Bytes of a block.
    pub block_bytes: usize,
    /// Its state.
    pub state: ProgressState,
    /// Blocks that this call brought.
    pub new_blocks: u64,
    /// Blocks that were brought back by parity.
    pub healed_blocks: u64,
    /// How blocks were brought back by this call.
    pub healed_by: HealedBy,
    /// The hash that signatures bind, in hex. `None` when superblock or catalog are not known.
    pub root: Option<String>,
    /// What is still needed.
    pub needs: SetNeeds,
    /// The state of its volumes, from volume 1 on.
    pub volumes: Vec<VolumeOutcome>,
    /// Prerequisites of the bundle that the store is missing. `None` when there are none, or they are not known yet.
    pub lacking: Option<MissingPrerequisites>,
    /// Items that are not whole, when not even volumes not yet seen would bring them back.
    pub lost_items: Vec<String>,
    /// What is left out of it because it is for other platforms than requested. `None` when nothing is left out, or it
    /// is not known yet.
    pub left_out: Option<LeftOut>,
    /// Releases that are in the store now.
    pub committed: Vec<CommittedRelease>,
    /// Its volumes that this call read, and their condition.
    pub volumes_read: Vec<VolumeRead>,
    /// Volumes with blocks that have a right hash and a wrong content. Right blocks have replaced them.
    pub wrong_volumes: Vec<u16>,
    /// Volumes with such blocks that nothing at hand can replace.
    pub doubtful_volumes: Vec<u16>,
    /// Other incomplete sets with the same release, whose frames completed it.
    pub helped_by: Vec<SetId>,
    /// Whether it is only a leftover next to a whole set on the same medium, so that nobody waits for it.
    pub beside: bool,
    /// Room that it still takes. `None` when it is committed.
    pub room: Option<Room>,
    /// Who signed it, as far as its superblocks came.
    pub signed: SetSigners,
    /// Why it is not taken as it stands. In JSON it is a message in English. `None` when it is, or that is not known yet.
    #[serde(serialize_with = "refusal_in_words")]
    pub refused: Option<Arc<Error>>,
}

/// How blocks were brought back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealedBy {
    /// Blocks that a second copy replaced.
    pub copied_blocks: u64,
    /// Blocks that the parity of their volume restored.
    pub local_blocks: u64,
    /// Blocks that the other volumes restored.
    pub wide_blocks: u64,
}

/// The state of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgressState {
    /// Its releases are in the store.
    Complete,
    /// Its releases were in the store before this call.
    AlreadyHere,
    /// None of its releases is for the requested platforms.
    NotAsked,
    /// More volumes are needed.
    NeedsVolumes,
    /// Everything has come, but the bundle depends on chunks that the store is missing. The release with them must come
    /// first.
    NeedsBase,
    /// All volumes were seen, and the damage can only be repaired with another copy of one of them.
    Damaged,
}

impl ReceiveReport {
    /// Returns whether a set still needs volumes.
    pub fn needs_volumes(&self) -> bool {
        self.sets
            .iter()
            .any(|set| set.state == ProgressState::NeedsVolumes && !set.beside)
    }

    /// Returns whether a set waits for a release that it depends on.
    pub fn needs_base(&self) -> bool {
        self.sets
            .iter()
            .any(|set| set.state == ProgressState::NeedsBase && !set.beside)
    }

    /// Returns whether a set has damage that further volumes do not heal.
    pub fn is_damaged(&self) -> bool {
        self.sets
            .iter()
            .any(|set| set.state == ProgressState::Damaged && !set.beside)
    }
}

fn in_words<S: Serializer>(error: &Error, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&error.diagnose())
}

fn refusal_in_words<S: Serializer>(
    refusal: &Option<Arc<Error>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match refusal {
        Some(error) => serializer.collect_str(&error.diagnose()),
        None => serializer.serialize_none(),
    }
}

impl FailedSet {
    pub(super) fn new((set_id, title, error): (SetId, String, Error)) -> Self {
        Self {
            set_id,
            title,
            error: Arc::new(error),
        }
    }
}
