//! What `receive` did, and how far each set is.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::base::finding::Finding;
use crate::base::id::SetId;
use crate::ops::Error;
use crate::ops::receive::Room;
use crate::ops::receive::prerequisites::MissingPrerequisites;
use crate::ops::receive::selection::LeftOut;
use crate::volumes::VolumeRead;
use crate::volumes::recovery::{SetNeeds, VolumeOutcome};

/// What `receive` did.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiveReport {
    /// Sets that were met on the media or were waiting.
    pub sets: Vec<SetProgress>,
    /// Sets that could not be taken in, and why; the others were not kept from it.
    pub failed: Vec<FailedSet>,
    /// Sets that are cleared away unfinished, for all of their releases came in another way.
    pub done_with: Vec<String>,
    /// Bytes of deflate streams that came in and are kept ready besides, to be handed out as they are.
    pub ready_bytes: u64,
    /// Paths that were given and hold no block of any set.
    pub empty_paths: Vec<PathBuf>,
    /// Sets that were met and not begun, for too many wait already.
    pub refused: Vec<String>,
    /// What is odd about the media.
    pub findings: Vec<Finding>,
}

/// A set that could not be taken in.
#[derive(Debug, Clone, Serialize)]
pub struct FailedSet {
    /// Its id.
    pub set_id: String,
    /// Its title; empty when no superblock came yet.
    pub title: String,
    /// What is wrong.
    pub message: String,
    /// The same as an error.
    #[serde(skip)]
    pub error: Arc<Error>,
}

/// How far a set is.
#[derive(Debug, Clone, Serialize)]
pub struct SetProgress {
    /// Id of the set.
    pub set_id: String,
    /// Its title; empty when no superblock came yet.
    pub title: String,
    /// Releases it carries.
    pub releases: Vec<String>,
    /// Data volumes (K).
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// How far it is.
    pub state: ProgressState,
    /// Blocks that this call brought.
    pub new_blocks: u64,
    /// Blocks that were brought back by parity.
    pub healed_blocks: u64,
    /// What is still needed.
    pub needs: SetNeeds,
    /// How its volumes fare, from volume 1 on.
    pub volumes: Vec<VolumeOutcome>,
    /// What the bundle leans on and the store lacks; `None` when that is nothing, or not known yet.
    pub lacking: Option<MissingPrerequisites>,
    /// Items that are not whole, when not even volumes not yet seen would bring them back.
    pub lost_items: Vec<String>,
    /// What is left out of it, for it is for other platforms than those asked for; `None` when that is nothing, or not known yet.
    pub left_out: Option<LeftOut>,
    /// Releases that are in the store now.
    pub committed: Vec<CommittedRelease>,
    /// Its volumes that this call read, and how good they were.
    pub volumes_read: Vec<VolumeRead>,
    /// Volumes with blocks that have a right hash and a wrong content; right ones stand in their place now.
    pub wrong_volumes: Vec<u16>,
    /// Volumes with such blocks for which nothing at hand stands in.
    pub doubtful_volumes: Vec<u16>,
    /// Whether it only lies beside a set that is whole, on the same medium: nobody has to wait for it.
    pub beside: bool,
    /// Room that it still takes; `None` when it is in.
    pub room: Option<Room>,
}

/// A release that was received.
#[derive(Debug, Clone, Serialize)]
pub struct CommittedRelease {
    /// Its name.
    pub name: String,
    /// Its items.
    pub items: u64,
    /// Bytes of all items.
    pub bytes: u64,
    /// Whether a different release of this name was in the store before.
    pub replaced: bool,
}

/// How far a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgressState {
    /// Its releases are in the store.
    Complete,
    /// Its releases were in the store before this call.
    AlreadyHere,
    /// None of its releases is for the platforms that were asked for.
    NotAsked,
    /// More volumes are needed.
    NeedsVolumes,
    /// Everything has come, and the bundle leans on chunks that the store lacks: the release that has them comes first.
    NeedsBase,
    /// All volumes were seen, and what is damaged cannot be brought back without another copy of one of them.
    Damaged,
}

impl ReceiveReport {
    /// Whether a set still needs volumes.
    pub fn needs_volumes(&self) -> bool {
        self.sets
            .iter()
            .any(|set| set.state == ProgressState::NeedsVolumes && !set.beside)
    }

    /// Whether a set waits for a release that it leans on.
    pub fn needs_base(&self) -> bool {
        self.sets
            .iter()
            .any(|set| set.state == ProgressState::NeedsBase && !set.beside)
    }

    /// Whether a set has damage that further volumes do not heal.
    pub fn is_damaged(&self) -> bool {
        self.sets
            .iter()
            .any(|set| set.state == ProgressState::Damaged && !set.beside)
    }
}

impl FailedSet {
    pub(super) fn new((set_id, title, error): (SetId, String, Error)) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self {
            set_id: set_id.to_string(),
            title,
            message,
            error: Arc::new(error),
        }
    }
}
