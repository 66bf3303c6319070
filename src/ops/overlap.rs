//! Checks that a store and the media that are read do not contain each other.

use std::path::{Path, PathBuf};

use crate::base::overlap::RealPlace;
use crate::ops::Error;

/// Checks that none of `paths` contains the folder `store` or is inside it. Neither has to exist.
///
/// # Errors
/// [`Error::Entangled`] with the first path that does.
pub fn check_no_overlap(paths: &[PathBuf], store: &Path) -> Result<(), Error> {
    let real = RealPlace::of(store).map_err(Error::io(store))?;
    // A missing path is reported by the code that reads it.
    match paths.iter().find(|path| real.overlap(path).is_some()) {
        None => Ok(()),
        Some(path) => Err(Error::Entangled {
            path: path.clone(),
            store: store.to_owned(),
        }),
    }
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
