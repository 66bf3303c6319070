//! The staging folder of a store: which sets are in it, which of those that claim one id counts, and what is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::damaged::COPIES_MAX;
use super::{BESIDE_FILE, DONE, NOTE_FILE, READING_FILE, SET_FILE, Staging};
use crate::base::id::SetId;
use crate::base::own::remove_own;
use crate::volumes::VolumeError;
use crate::volumes::blocks::OTHERS_MAX;
use crate::volumes::staged_slices::{KNOWN, PARTS};

/// Opens all sets that are being received in `incoming_dir`, or none when the folder does not exist. Where blocks claim
/// one id with different numbers, those that match the id count, or else those with the most blocks.
///
/// # Errors
/// [`VolumeError::Io`]. A folder that holds no set is left alone.
pub fn open_all(incoming_dir: &Path) -> Result<Vec<Staging>, VolumeError> {
    let mut sets: Vec<Staging> = Vec::new();
    for set in open_every(incoming_dir)? {
        match sets.last_mut() {
            Some(last) if last.set_id() == set.set_id() => {
                if set.is_likelier_than(last) {
                    *last = set;
                }
            }
            _ => sets.push(set),
        }
    }
    Ok(sets)
}

/// Opens all sets, including those that claim the id of another one.
pub(crate) fn open_every(incoming_dir: &Path) -> Result<Vec<Staging>, VolumeError> {
    let entries = match fs::read_dir(incoming_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(VolumeError::io(incoming_dir)(error)),
    };
    let mut dirs = Vec::new();
    for entry in entries {
        let path = entry.map_err(VolumeError::io(incoming_dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let is_set = name.is_some_and(|name| {
            let (id, rest) = name.split_once('.').unwrap_or((name, ""));
            SetId::from_str(id).is_ok() && rest != DONE && rest != "tmp"
        });
        if is_set {
            dirs.push(path);
        }
    }
    // Sorting puts folders that claim the same id next to each other, as `open_all` needs.
    dirs.sort();
    let opened = dirs.into_iter().map(Staging::open);
    opened.filter_map(Result::transpose).collect()
}

/// Removes everything that is staged under this id.
///
/// # Errors
/// [`VolumeError::Io`].
pub(crate) fn discard_all(incoming_dir: &Path, set_id: SetId) -> Result<(), VolumeError> {
    let sets = open_every(incoming_dir)?.into_iter();
    let mut named = sets.filter(|set| set.set_id() == set_id);
    named.try_for_each(Staging::discard)
}

impl Staging {
    /// Returns whether, of two sets that claim the same id, this one is more likely the right one.
    pub(crate) fn is_likelier_than(&self, other: &Self) -> bool {
        let weight = |set: &Self| (set.is_described(), set.staged_bytes());
        weight(self) > weight(other)
    }
}

/// Removes what a killed process left of finished sets.
///
/// # Errors
/// [`VolumeError::Io`].
pub(crate) fn sweep(incoming_dir: &Path) -> Result<(), VolumeError> {
    let Ok(entries) = fs::read_dir(incoming_dir) else {
        return Ok(());
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let is_done = |path: &PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        path.extension() == Some(DONE.as_ref())
            && stem.is_some_and(|stem| SetId::from_str(stem).is_ok())
    };
    paths
        .filter(is_done)
        .try_for_each(|path| remove_folder(&path))
}

/// Removes the files of a set. Files of other programs stay, and the folder with them.
pub(super) fn remove_folder(path: &Path) -> Result<(), VolumeError> {
    remove_own(path, &is_own).map_err(VolumeError::io(path))
}

/// Returns whether a file in the folder of a set belongs to the set.
fn is_own(name: &str) -> bool {
    let (folder, name) = match name.split_once('/') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, name),
    };
    let is_others = |folder: &str| {
        (1..=OTHERS_MAX).any(|no| folder == format!("other-{no}"))
            || (1..=COPIES_MAX).any(|no| folder == format!("copy-{no}"))
    };
    if folder.is_some_and(|folder| !is_others(folder)) {
        return false;
    }
    let suffixes = [".blocks", ".map", ".tmp", PARTS, KNOWN];
    let stem = suffixes
        .into_iter()
        .find_map(|suffix| name.strip_suffix(suffix));
    let is_volume = |stem: &str| {
        let number = stem.strip_prefix('v').unwrap_or_default();
        number.len() >= 3 && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    const FILES: [&str; 4] = [SET_FILE, NOTE_FILE, READING_FILE, BESIDE_FILE];
    const STEMS: [&str; 4] = ["set", NOTE_FILE, READING_FILE, BESIDE_FILE];
    stem.is_some_and(is_volume)
        || folder.is_none()
            && (is_others(name)
                || FILES.contains(&name)
                || stem.is_some_and(|stem| STEMS.contains(&stem)))
}
