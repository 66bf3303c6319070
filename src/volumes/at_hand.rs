//! The finished volumes in folders, images and drives, from a few places of each.
//!
//! It tells what each says of itself and does not check whether it is whole.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::media::volume_files::is_volume_file_name;
use crate::volumes::media::{MediaError, PageNotes, VolumeFacts};
use crate::volumes::reader::{Glimpse, glimpse};

/// A volume at hand.
#[derive(Debug, Clone)]
pub struct VolumeAtHand {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself.
    pub facts: VolumeFacts,
    /// What its pages say besides.
    pub notes: PageNotes,
}

/// Lists the volumes at `paths`, by set and number, each once. A path is a volume, or a folder of volumes.
///
/// # Errors
/// When a path is missing or cannot be read, or a stop was asked for.
pub fn volumes_at_hand(
    paths: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<Vec<VolumeAtHand>, VolumeError> {
    let mut found = Vec::new();
    for path in paths {
        for place in places(path)? {
            monitor.check_stop()?;
            found.extend(volume_at(&place, monitor)?);
        }
    }
    found.sort_by_key(|volume: &VolumeAtHand| (volume.facts.set_id, volume.facts.volume_no));
    found.dedup_by_key(|volume| (volume.facts.set_id, volume.facts.volume_no));
    Ok(found)
}

/// Looks at what is at `path`. Returns `None` when it is no volume, or none whose set is known.
///
/// # Errors
/// When nothing can be opened there, or a stop was asked for.
pub fn volume_at(path: &Path, monitor: &dyn Monitor) -> Result<Option<VolumeAtHand>, VolumeError> {
    Ok(match glimpse(path, monitor)? {
        Glimpse::Volume(header, Some(descriptor)) => Some(VolumeAtHand {
            path: path.to_owned(),
            facts: descriptor.volume_facts(&header.set, header.volume_no),
            notes: descriptor.page_notes(&header.set),
        }),
        _ => None,
    })
}

/// Returns the path itself, or what is in it when it is a folder of volumes.
fn places(path: &Path) -> Result<Vec<PathBuf>, MediaError> {
    let is_folder = fs::metadata(path).map_err(MediaError::at(path))?;
    if !is_folder.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut places = Vec::new();
    for entry in fs::read_dir(path).map_err(MediaError::io(path))? {
        let entry = entry.map_err(MediaError::io(path))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_volume_file_name(&name) {
            return Ok(vec![path.to_owned()]);
        }
        let kind = entry.file_type().map_err(MediaError::io(path))?;
        if !name.starts_with('.') && (kind.is_dir() || kind.is_file()) {
            places.push(entry.path());
        }
    }
    places.sort();
    Ok(places)
}
