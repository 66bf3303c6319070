//! `inspect`: which volumes media hold, and what their sets carry.
//!
//! It reads the beginning of each volume and passes over the rest. `verify` says whether everything is whole.

use std::path::PathBuf;

use serde::Serialize;

use crate::base::finding::Finding;
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::path_text;
use crate::ops::Error;
use crate::ops::media::verify::{ReleaseOnMedia, releases, without_volume};
use crate::ops::trust::{SetSigners, TrustedKeys};
use crate::volumes::{Blocks, SetReader, discover_contents};

/// What media hold.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct InspectReport {
    /// The sets.
    pub sets: Vec<SetContents>,
    /// Bytes that were read.
    pub scanned_bytes: u64,
    /// Bytes that could not be read.
    pub unread_bytes: u64,
    /// Problems of the media themselves.
    pub findings: Vec<Finding>,
    /// Named paths without a block of any volume.
    #[serde(serialize_with = "path_text::all")]
    pub without_volume: Vec<PathBuf>,
}

/// What a volume set says about itself.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SetContents {
    /// Id of the set.
    pub set_id: SetId,
    /// Its title. Empty when no superblock is left.
    pub title: String,
    /// Program that wrote it.
    pub created_by: String,
    /// Releases it carries.
    pub releases: Vec<ReleaseOnMedia>,
    /// Data volumes (K).
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// Bytes of the blocks of a volume.
    pub volume_bytes: u64,
    /// Bytes of the payload. 0 when no superblock is left.
    pub payload_bytes: u64,
    /// Volumes of which any block was found.
    pub volumes_at_hand: Vec<u16>,
    /// Who signed it.
    pub signed: SetSigners,
}

impl InspectReport {
    /// Adds the names that a site gave the keys of signers.
    pub fn name_signers(&mut self, trusted: &TrustedKeys) {
        self.sets
            .iter_mut()
            .for_each(|set| set.signed.name(trusted));
    }
}

/// Finds out what the media at or below `paths` hold.
///
/// # Errors
/// [`Error::NoVolumes`] when there is no volume. An error when a path is missing or a stop was asked for.
pub fn inspect(paths: &[PathBuf], monitor: &dyn Monitor) -> Result<InspectReport, Error> {
    let found = discover_contents(paths, monitor)?;
    if found.sets.is_empty() {
        return Err(Error::no_volumes(paths));
    }
    Ok(InspectReport {
        sets: found.sets.iter().map(contents).collect(),
        scanned_bytes: found.scan.bytes,
        unread_bytes: found.scan.unread_bytes,
        without_volume: without_volume(paths, &found.sources, &found.met_blocks),
        findings: found.findings,
    })
}

fn contents(set: &SetReader) -> SetContents {
    let header = set.geometry().header();
    let descriptor = set.descriptor().ok().cloned();
    let volumes = 1..=set.geometry().volume_count();
    SetContents {
        set_id: set.set_id(),
        releases: releases(set),
        data_volumes: header.data_volumes,
        spare_volumes: header.spare_volumes,
        volume_bytes: header.volume_bytes(),
        payload_bytes: descriptor
            .as_ref()
            .map_or(0, |each| each.payload_bytes.iter().sum()),
        title: descriptor
            .as_ref()
            .map_or_else(String::new, |each| each.title.clone()),
        created_by: descriptor.map_or_else(String::new, |each| each.created_by),
        volumes_at_hand: volumes.filter(|no| set.presence().seen(*no)).collect(),
        signed: SetSigners::of(&set.signatures()),
    }
}
