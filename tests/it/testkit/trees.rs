//! What is in a folder, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use carryall::base::id::{BlobId, hash};

/// What is in a folder, as paths.
pub fn paths_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The entries of a folder in order; those with a dot in front are left out.
pub fn visible(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    paths.sort();
    paths
}

/// All files below a folder with their bytes.
pub fn files_below(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(root).into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(root).unwrap().to_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// What can be seen of everything below a folder: kinds, modes, times, and contents or targets.
pub fn look(root: &Path) -> BTreeMap<PathBuf, String> {
    let below = walkdir::WalkDir::new(root).min_depth(1).into_iter();
    let seen = below.map(|entry| {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(root).unwrap().to_owned();
        (name, look_at(entry.path()))
    });
    seen.collect()
}

/// What can be seen of one file or folder.
pub fn look_at(path: &Path) -> String {
    let stat = path.symlink_metadata().unwrap();
    let content = if stat.is_file() {
        BlobId(hash(&fs::read(path).unwrap())).to_string()
    } else if stat.is_symlink() {
        format!("{:?}", fs::read_link(path).unwrap())
    } else {
        String::new()
    };
    let time = stat.modified().unwrap();
    let time = time.duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{:o} {time:?} {content}", stat.permissions().mode())
}

/// The files of a folder and the hashes of what is in them; for what is made at another time with the same bytes.
pub fn contents(root: &Path) -> BTreeMap<PathBuf, String> {
    let hashes = files_below(root).into_iter();
    hashes
        .map(|(name, bytes)| (name, BlobId(hash(&bytes)).to_string()))
        .collect()
}
