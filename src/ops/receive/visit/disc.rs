//! Recognizes the disc in a drive, and what it is to the sets that are being received.

use std::path::Path;

use serde::Serialize;

use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::ops::Error;
use crate::ops::receive::committed_sets::CommittedSets;
use crate::ops::receive::{SetProgress, status};
use crate::store::Store;
use crate::volumes::SetDescriptor;
use crate::volumes::VolumeError;
use crate::volumes::block::BlockHeader;
use crate::volumes::media::MediaError;
use crate::volumes::reader::{Glimpse, glimpse};

/// What is in a drive.
#[derive(Debug)]
#[non_exhaustive]
pub enum FoundInDrive {
    /// A volume.
    Disc(Box<Disc>),
    /// Not a volume. The error says what it is instead.
    Other(Error),
    /// Too little could be read to tell. Reading all of it will.
    Unknown,
}

/// A volume in a drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disc {
    /// The set's id.
    pub set_id: SetId,
    /// The set's title. Empty when it is not known yet.
    pub title: String,
    /// The set's releases, when they are known.
    pub releases: Vec<String>,
    /// The volume's number.
    pub volume: u16,
    /// Data volumes of the set (K).
    pub data_volumes: u16,
    /// Spare volumes of the set (M).
    pub spare_volumes: u16,
    /// What it is to the sets that are being received.
    pub role: DiscRole,
}

/// What a volume is to the sets that are being received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DiscRole {
    /// It is needed, or its set is the first.
    Needed,
    /// Reading it was broken off. Its rest is needed.
    Rest,
    /// It was read with damage that nothing has healed yet. Reading it again may help.
    Again,
    /// Nothing more of it is needed.
    Done,
    /// Its set was received before.
    Received,
    /// Its set was not started, and other sets wait that have nothing in common with it.
    OtherSet,
}

/// Looks at the medium at `path` for some seconds.
///
/// # Errors
/// [`Error`] when nothing can be opened there, the store cannot be read, or a stop was asked for.
pub fn identify(store: &Store, path: &Path, monitor: &dyn Monitor) -> Result<FoundInDrive, Error> {
    let (header, descriptor) = match glimpse(path, monitor) {
        Ok(Glimpse::Volume(header, descriptor)) => (header, descriptor),
        Ok(Glimpse::Unread) => return Ok(FoundInDrive::Unknown),
        Ok(Glimpse::Nothing) => {
            let error = Error::no_volumes(&[path.to_owned()]);
            return Ok(FoundInDrive::Other(error));
        }
        Err(VolumeError::Media(error @ (MediaError::Io { .. } | MediaError::Missing { .. }))) => {
            return Ok(FoundInDrive::Other(VolumeError::from(error).into()));
        }
        Err(error) => return Err(error.into()),
    };
    let committed = CommittedSets::read(store)?;
    let set_id = header.set.set_id;
    if let Some(known) = committed.of(store, &set_id, &[]) {
        let mut disc = Disc::of(&header, descriptor.as_deref(), DiscRole::Received);
        disc.title.clone_from(&known.title);
        disc.releases = known.release_names();
        return Ok(FoundInDrive::Disc(Box::new(disc)));
    }
    let incoming = status(store)?.incoming;
    let waiting: Vec<&SetProgress> = incoming.iter().filter(|set| !set.beside).collect();
    let mut disc = Disc::of(&header, descriptor.as_deref(), DiscRole::Needed);
    match incoming.iter().find(|set| set.set_id == set_id) {
        Some(set) => {
            disc.title.clone_from(&set.title);
            disc.releases.clone_from(&set.releases);
            disc.role = role_in(set, disc.volume);
        }
        // A top-up and another packing carry a release that is waited for.
        None if waiting.is_empty() || waiting.iter().any(|set| shares(set, &disc)) => {}
        None => disc.role = DiscRole::OtherSet,
    }
    Ok(FoundInDrive::Disc(Box::new(disc)))
}

fn shares(set: &SetProgress, disc: &Disc) -> bool {
    // Without a title nothing is known, and nobody is asked about what nobody can know.
    let is_unknown = set.releases.is_empty() || disc.releases.is_empty();
    is_unknown || set.releases.iter().any(|name| disc.releases.contains(name))
}

fn role_in(set: &SetProgress, volume: u16) -> DiscRole {
    let needs = &set.needs;
    if needs.rest_of.contains(&volume) {
        DiscRole::Rest
    } else if needs.any_of.contains(&volume) || needs.ask_for.contains(&volume) {
        DiscRole::Needed
    } else if needs.damaged.contains(&volume) || set.doubtful_volumes.contains(&volume) {
        DiscRole::Again
    } else {
        DiscRole::Done
    }
}

impl Disc {
    fn of(header: &BlockHeader, descriptor: Option<&SetDescriptor>, role: DiscRole) -> Self {
        Self {
            set_id: header.set.set_id,
            title: descriptor.map_or_else(String::new, |each| each.title.clone()),
            releases: descriptor.map_or_else(Vec::new, |each| each.releases.clone()),
            volume: header.volume_no,
            data_volumes: header.set.data_volumes,
            spare_volumes: header.set.spare_volumes,
            role,
        }
    }
}
