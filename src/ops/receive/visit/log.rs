//! The log of visits: which disc was read when and how good it was, and which volumes are said to be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::id::SetId;
use crate::base::utc;
use crate::ops::Error;
use crate::store::Store;
use crate::volumes::VolumeRead;

/// Bytes of the log that are read, from its end: some 50,000 lines.
const READ_BYTES: u64 = 16 << 20;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VisitEntry {
    /// When it happened, in UTC.
    pub at: String,
    /// The set's id.
    pub set: String,
    /// The set's title. Empty when it is not known.
    pub title: String,
    /// What happened.
    #[serde(flatten)]
    pub event: VisitEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum VisitEvent {
    /// A volume was read.
    Read {
        /// The volume's number.
        volume: u16,
        /// Where it was read: a device, or a path.
        drive: String,
        /// Blocks of the volume.
        blocks: u32,
        /// Blocks that were read whole.
        whole_blocks: u32,
        /// Bytes that were read, those of damaged blocks included.
        read_bytes: u64,
        /// Bytes of the volume's blocks. Lines of earlier versions have none, and their blocks are full ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        volume_bytes: Option<u64>,
        /// Seconds that it took.
        seconds: u64,
    },
    /// The person does not have a volume.
    Missing {
        /// The volume's number.
        volume: u16,
    },
    /// The set was received.
    Received {
        /// The releases that came with it.
        releases: Vec<String>,
        /// Blocks that were brought back by parity.
        healed_blocks: u64,
    },
    /// A receipt for a top-up was given out.
    TopUp {
        /// The receipt's file.
        file: String,
    },
}

impl VisitEvent {
    /// Describes a volume that was read.
    pub fn read(volume: &VolumeRead, drive: &Path, seconds: u64) -> Self {
        Self::Read {
            volume: volume.volume_no,
            drive: drive.to_string_lossy().into_owned(),
            blocks: volume.blocks,
            whole_blocks: volume.whole_blocks,
            read_bytes: volume.read_bytes,
            volume_bytes: Some(volume.volume_bytes),
            seconds,
        }
    }
}

/// Adds an event to the log, with the present instant. Returns the line.
///
/// # Errors
/// [`Error`] when the store cannot be written.
pub fn add(store: &Store, set: SetId, title: &str, event: VisitEvent) -> Result<VisitEntry, Error> {
    let entry = VisitEntry {
        at: utc::now(),
        set: set.to_string(),
        title: title.to_owned(),
        event,
    };
    // Text and numbers always have a JSON form.
    let line = serde_json::to_string(&entry).unwrap_or_default();
    store.add_visit(&line)?;
    Ok(entry)
}

/// Returns the entries of the log, the oldest first. Lines that are no entries are left out.
///
/// # Errors
/// [`Error`] when the store cannot be read.
pub fn entries(store: &Store) -> Result<Vec<VisitEntry>, Error> {
    let lines = store.visits(READ_BYTES)?;
    let entries = lines.iter().map(|line| serde_json::from_str(line));
    Ok(entries.filter_map(Result::ok).collect())
}

/// Returns the volumes of each set that the person does not have. A volume that came later is not among them.
///
/// # Errors
/// [`Error`] when the store cannot be read.
pub fn missing(store: &Store) -> Result<BTreeMap<String, BTreeSet<u16>>, Error> {
    let mut missing: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for entry in entries(store)? {
        let volumes = missing.entry(entry.set).or_default();
        match entry.event {
            VisitEvent::Missing { volume } => {
                volumes.insert(volume);
            }
            VisitEvent::Read { volume, .. } => {
                volumes.remove(&volume);
            }
            VisitEvent::Received { .. } | VisitEvent::TopUp { .. } => {}
        }
    }
    Ok(missing)
}
