//! Checks that a store and the media that are read do not contain each other.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::ops::Error;

/// Checks that none of `paths` contains the folder `store` or is inside it. Neither has to exist.
///
/// # Errors
/// [`Error::Entangled`] with the first path that does.
pub fn check_no_overlap(paths: &[PathBuf], store: &Path) -> Result<(), Error> {
    let real = real(store)?;
    for path in paths {
        let Ok(given) = path.canonicalize() else {
            // A missing path is reported by the code that reads it.
            continue;
        };
        let stat = given.metadata().map_err(Error::io(path))?;
        let is_below = stat.is_dir() && given.starts_with(&real);
        if real.starts_with(&given) || is_below || is_device_of(&stat, &real) {
            return Err(Error::Entangled {
                path: path.clone(),
                store: store.to_owned(),
            });
        }
    }
    Ok(())
}

/// Returns the path without links, as far as it exists.
fn real(path: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).map_err(Error::io(path))?;
    for parent in absolute.ancestors() {
        if let Ok(real) = parent.canonicalize() {
            let below = absolute.strip_prefix(parent).unwrap_or(Path::new(""));
            return Ok(real.join(below));
        }
    }
    Ok(absolute)
}

/// Returns whether it is the device with the file system of a folder, or of the nearest existing folder above it.
fn is_device_of(stat: &std::fs::Metadata, folder: &Path) -> bool {
    let there = folder.ancestors().find_map(|path| path.metadata().ok());
    stat.file_type().is_block_device() && there.is_some_and(|there| there.dev() == stat.rdev())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_store_lies_apart_from_what_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("disc/volume")).unwrap();
        std::fs::write(at("disc.iso"), "").unwrap();
        std::os::unix::fs::symlink(at("disc"), at("link")).unwrap();
        let apart = |path: &str, store: &str| check_no_overlap(&[at(path)], &at(store)).is_ok();
        for (path, store) in [
            ("disc", "disc"),
            ("disc", "disc/store"),
            ("disc", "disc/new/store"),
            ("disc", "link/store"),
            ("link", "disc/store"),
            (".", "disc"),
            ("disc/volume", "disc"),
            ("disc/volume/..", "disc/store"),
        ] {
            assert!(!apart(path, store), "{path} {store}");
        }
        for (path, store) in [
            ("disc", "store"),
            ("disc", "disc2"),
            ("disc/volume", "disc/store"),
            ("disc.iso", "disc"),
            ("disc.iso", "."),
            ("absent", "absent/store"),
        ] {
            assert!(apart(path, store), "{path} {store}");
        }
    }
}
