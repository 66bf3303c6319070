//! `inspect`: which volumes media hold, and what their sets carry.
//!
//! It reads the beginning of each volume and passes over the rest. `verify` says whether everything is whole.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::base::finding::Finding;
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::path_text;
use crate::base::sealing::Identities;
use crate::bundle::Catalog;
use crate::ops::Error;
use crate::ops::media::verify::{ReleaseOnMedia, releases, releases_in, without_volume};
use crate::ops::trust::{SetSigners, TrustedKeys};
use crate::ops::unseal;
use crate::volumes::descriptor::FACT_SEALED;
use crate::volumes::{Blocks, SetReader, discover, discover_contents};

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
    /// Whom it is sealed for, as far as it says: the kind of recipients in the age format, and how many there are.
    pub sealed_for: Option<String>,
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
    inspect_with(paths, &Identities::default(), monitor)
}

/// Does the same, and looks into sealed sets with these identities. All of their data volumes must be at hand then.
///
/// # Errors
/// As [`inspect`], and [`Error::Sealed`] when a set cannot be opened.
pub fn inspect_with(
    paths: &[PathBuf],
    identities: &Identities,
    monitor: &dyn Monitor,
) -> Result<InspectReport, Error> {
    // What is sealed lies behind what tells that it is.
    let found = if identities.is_empty() {
        discover_contents(paths, monitor)?
    } else {
        discover(paths, monitor)?
    };
    if found.sets.is_empty() {
        return Err(Error::no_volumes(paths));
    }
    Ok(InspectReport {
        sets: found
            .sets
            .into_iter()
            .map(|set| looked_into(set, identities))
            .collect::<Result<_, _>>()?,
        scanned_bytes: found.scan.bytes,
        unread_bytes: found.scan.unread_bytes,
        without_volume: without_volume(paths, &found.sources, &found.met_blocks),
        findings: found.findings,
    })
}

/// Looks into a sealed set, when there is anything to open it with.
fn looked_into(set: SetReader, identities: &Identities) -> Result<SetContents, Error> {
    let outside = contents(&set);
    let known = set.catalog().ok().zip(set.descriptor().ok().cloned());
    let catalog = known.and_then(|(catalog, descriptor)| {
        let catalog = Catalog::from_bytes(&catalog).ok()?;
        Some((catalog, descriptor.payload_bytes))
    });
    let Some((catalog, payload_bytes)) =
        catalog.filter(|(catalog, _)| catalog.is_sealed() && !identities.is_empty())
    else {
        return Ok(outside);
    };
    let (set_id, trouble) = (set.set_id(), Arc::default());
    let nowhere = PathBuf::from("opened");
    let set: Arc<SetReader> = Arc::new(set);
    let inner = unseal::open(
        set_id,
        set,
        &catalog,
        &payload_bytes,
        identities,
        &trouble,
        nowhere,
    )?;
    let descriptor = inner.descriptor()?;
    let releases = Catalog::from_bytes(&inner.catalog()?).map(|catalog| releases_in(&catalog));
    Ok(SetContents {
        title: descriptor.title,
        releases: releases.unwrap_or_default(),
        ..outside
    })
}

/// Returns whom a set says that it is sealed for.
fn sealed_for(set: &SetReader) -> Option<String> {
    let descriptor = set.descriptor().ok()?;
    descriptor.fact(FACT_SEALED).map(str::to_owned)
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
        sealed_for: sealed_for(set),
        volumes_at_hand: volumes.filter(|no| set.presence().seen(*no)).collect(),
        signed: SetSigners::of(&set.signatures()),
    }
}
