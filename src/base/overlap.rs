//! How a place that is written and a path that exists contain each other. Callers decide what they refuse.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// How a place and another path overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// The place is the other path, through links too. Two hard links are the same file.
    Same,
    /// The place is inside the other path.
    Inside,
    /// The other path is a folder inside the place. A single file there is no overlap, because nothing grows in it.
    Around,
    /// The other path is the block device with the file system of the place.
    OnDevice,
}

/// A path without links, as far as it exists. It may be a file or folder yet to be made.
#[derive(Debug)]
pub struct RealPlace {
    whole: PathBuf,
    /// The status of the nearest path that exists, and whether that is the place itself.
    nearest: Option<(Metadata, bool)>,
}

impl RealPlace {
    /// Looks at a place.
    ///
    /// # Errors
    /// When the path is empty, or the working folder is gone.
    pub fn of(place: &Path) -> io::Result<Self> {
        let absolute = std::path::absolute(place)?;
        for above in absolute.ancestors() {
            if let Ok(real) = above.canonicalize() {
                let below = absolute.strip_prefix(above).unwrap_or(Path::new(""));
                let is_itself = below.as_os_str().is_empty();
                let stat = real.metadata().ok();
                let whole = if is_itself { real } else { real.join(below) };
                return Ok(Self {
                    whole,
                    nearest: stat.map(|stat| (stat, is_itself)),
                });
            }
        }
        Ok(Self {
            whole: absolute,
            nearest: None,
        })
    }

    /// Returns how the place and a path overlap. A path that does not exist overlaps with nothing.
    pub fn overlap(&self, other: &Path) -> Option<Overlap> {
        let real = other.canonicalize().ok()?;
        let stat = fs::metadata(&real).ok()?;
        if self.whole == real || self.is_itself(&stat) {
            return Some(Overlap::Same);
        }
        if self.whole.starts_with(&real) {
            return Some(Overlap::Inside);
        }
        if stat.is_dir() && real.starts_with(&self.whole) {
            return Some(Overlap::Around);
        }
        self.is_on(&stat).then_some(Overlap::OnDevice)
    }

    /// Paths cannot tell that two hard links are one file.
    fn is_itself(&self, other: &Metadata) -> bool {
        let own = self.nearest.as_ref().filter(|(_, is_itself)| *is_itself);
        own.is_some_and(|(own, _)| own.dev() == other.dev() && own.ino() == other.ino())
    }

    /// The nearest path that exists decides which file system a new one will be on.
    fn is_on(&self, other: &Metadata) -> bool {
        let own = self.nearest.as_ref().map(|(own, _)| own.dev());
        other.file_type().is_block_device() && own == Some(other.rdev())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn overlaps_are_found_through_links_and_in_paths_yet_to_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("disc/volume")).unwrap();
        fs::write(at("disc/file"), "").unwrap();
        fs::write(at("disc.iso"), "").unwrap();
        fs::hard_link(at("disc.iso"), at("twin")).unwrap();
        symlink(at("disc"), at("link")).unwrap();
        symlink(at("disc/file"), at("file-link")).unwrap();
        let overlap = |place: &str, other: &str| {
            let real = RealPlace::of(&at(place)).unwrap();
            real.overlap(&at(other))
        };
        use Overlap::{Around, Inside, Same};
        for (place, other, expected) in [
            ("disc", "disc", Some(Same)),
            ("link", "disc", Some(Same)),
            ("disc", "link", Some(Same)),
            ("twin", "disc.iso", Some(Same)),
            ("file-link", "disc/file", Some(Same)),
            ("disc/../disc", "disc", Some(Same)),
            ("disc/store", "disc", Some(Inside)),
            ("disc/new/store", "disc", Some(Inside)),
            ("link/store", "disc", Some(Inside)),
            ("disc/store", "link", Some(Inside)),
            ("disc/store", "disc/volume/..", Some(Inside)),
            ("disc", ".", Some(Inside)),
            ("disc.iso/store", "disc.iso", Some(Inside)),
            ("disc", "disc/volume", Some(Around)),
            ("link", "disc/volume", Some(Around)),
            (".", "link", Some(Around)),
            ("disc", "disc/file", None),
            (".", "disc.iso", None),
            ("disc", "disc.iso", None),
            ("disc2", "disc", None),
            ("store", "disc", None),
            ("disc/store", "disc/volume", None),
            ("absent/store", "absent", None),
        ] {
            assert_eq!(overlap(place, other), expected, "{place} {other}");
        }
        assert!(RealPlace::of(Path::new("")).is_err());
    }
}
