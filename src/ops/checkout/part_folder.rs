//! Makes a folder of files for other programs, such as an image layout: under a temporary name in the destination first,
//! and under their own names when all of them are on disk.
//!
//! A killed run leaves the temporary folder, and names that were given already. The next run removes both, by exact names,
//! and only where nothing else is in the destination. A run that fails removes what it gave a name to, and nothing else.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use super::staging::lock_folder;
use super::{CheckoutError, at_destination, remove};
use crate::base::file_lock::FileLock;
use crate::base::fs::{rename_new, sync};
use crate::base::own::remove_own;
use crate::base::term::Action;
use crate::files::LayoutError;

/// Name of the temporary folder.
const PART: &str = ".carryall.part";

/// How a destination was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DestinationBefore {
    Absent,
    Empty,
}

/// Files that are being made. Leaves the destination as it was found when it is dropped before
/// [`PartFolder::publish`] is done.
pub(super) struct PartFolder<'a> {
    dest: &'a Path,
    before: DestinationBefore,
    /// Where the files are made.
    pub(super) path: PathBuf,
    /// The destination, open.
    pub(super) folder: OwnedFd,
    /// Names in the destination that this run made.
    given: Vec<PathBuf>,
    is_done: bool,
    /// Held for its lock.
    _lock: Option<FileLock>,
}

impl<'a> PartFolder<'a> {
    /// Removes what a killed run left in `dest`. `is_own` accepts the paths below `dest` that this command makes, with
    /// `/` between their parts.
    ///
    /// # Errors
    /// [`CheckoutError::NotEmpty`] when another run is at work there. What the file system says.
    pub(super) fn clear(dest: &Path, is_own: &dyn Fn(&str) -> bool) -> Result<(), CheckoutError> {
        let part = dest.join(PART);
        if !part.symlink_metadata().is_ok_and(|stat| stat.is_dir()) {
            return Ok(());
        }
        let _lock = lock_folder(dest, &part)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(dest).map_err(LayoutError::io(Action::Read, dest))? {
            let name = entry
                .map_err(LayoutError::io(Action::Read, dest))?
                .file_name();
            match name.to_str() {
                Some(name) if is_own(name) => names.push(name.to_owned()),
                Some(PART) => {}
                // Anything else means that this is not only what a killed run left, so it is left alone.
                _ => return Ok(()),
            }
        }
        for name in names {
            let path = dest.join(&name);
            let is_file = path.symlink_metadata().is_ok_and(|stat| stat.is_file());
            let removed = if is_file {
                fs::remove_file(&path)
            } else {
                remove_own(&path, &|below| is_own(&format!("{name}/{below}")))
            };
            removed.map_err(LayoutError::io(Action::Remove, &path))?;
        }
        // This folder shows whose the others are, so it goes last.
        remove_own(&part, is_own).map_err(LayoutError::io(Action::Remove, &part))?;
        Ok(())
    }

    /// Starts in `dest`, which must be absent (its parent present) or empty.
    ///
    /// # Errors
    /// [`CheckoutError::NotEmpty`]. What the file system says.
    pub(super) fn begin(dest: &'a Path) -> Result<Self, CheckoutError> {
        let (folder, before) = open_destination(dest)?;
        let path = dest.join(PART);
        let mut begun = Self {
            dest,
            before,
            path,
            folder,
            given: Vec::new(),
            is_done: false,
            _lock: None,
        };
        fs::create_dir(&begun.path).map_err(LayoutError::io(Action::Make, &begun.path))?;
        begun._lock = lock_folder(dest, &begun.path)?;
        Ok(begun)
    }

    /// Brings the files to disk, then gives them their names in this order. Readers look for the last one.
    ///
    /// # Errors
    /// [`CheckoutError::Exists`] when a name is taken. What the file system says.
    pub(super) fn publish(
        mut self,
        names: impl IntoIterator<Item: AsRef<Path>>,
    ) -> Result<(), CheckoutError> {
        rustix::fs::syncfs(&self.folder)
            .map_err(|error| LayoutError::io(Action::BringToDisk, self.dest)(error.into()))?;
        for name in names {
            let (from, to) = (self.path.join(&name), self.dest.join(&name));
            name_file(&from, &to)?;
            self.given.push(to);
        }
        fs::remove_dir(&self.path).map_err(LayoutError::io(Action::Remove, &self.path))?;
        self.is_done = true;
        Ok(sync(self.dest).map_err(LayoutError::io(Action::BringToDisk, self.dest))?)
    }
}

impl Drop for PartFolder<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        self.given
            .iter()
            .chain([&self.path])
            .for_each(|path| remove(path));
        if self.before == DestinationBefore::Absent {
            // The error that led here is the one to report.
            let _ = fs::remove_dir(self.dest);
        }
    }
}

/// Gives a finished file or folder its name, unless the name is taken.
///
/// # Errors
/// [`CheckoutError::Exists`]. What the file system says.
pub(super) fn name_file(from: &Path, to: &Path) -> Result<(), CheckoutError> {
    match rename_new(CWD, from, to) {
        Err(rustix::io::Errno::EXIST) => Err(CheckoutError::Exists(to.to_owned())),
        Err(error) => Err(LayoutError::io(Action::Rename, to)(error.into()).into()),
        Ok(()) => Ok(()),
    }
}

/// Opens the destination, and makes it when it is absent.
fn open_destination(dest: &Path) -> Result<(OwnedFd, DestinationBefore), CheckoutError> {
    let found = match fs::create_dir(dest) {
        Ok(()) => DestinationBefore::Absent,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mut inside = dest
                .read_dir()
                .map_err(at_destination(Action::Read, dest))?;
            if inside.next().is_some() {
                return Err(CheckoutError::NotEmpty(dest.to_owned()));
            }
            DestinationBefore::Empty
        }
        Err(error) => return Err(at_destination(Action::Make, dest)(error)),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(dest, flags, Mode::empty());
    let folder = folder.map_err(|error| LayoutError::io(Action::Open, dest)(error.into()))?;
    Ok((folder, found))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Paths that the command in these tests makes.
    fn is_own(path: &str) -> bool {
        ["blobs", "blobs/1", "index"].contains(&path)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Leaves the destination as a run does that is killed after it gave `given` names. Its lock goes with it.
    fn killed(dest: &Path, given: &[&str]) {
        let part = dest.join(PART);
        fs::create_dir_all(part.join("blobs")).unwrap();
        fs::write(part.join("blobs/1"), "1").unwrap();
        fs::write(part.join("index"), "2").unwrap();
        for name in given {
            fs::rename(part.join(name), dest.join(name)).unwrap();
        }
    }

    #[test]
    fn what_a_killed_run_left_goes_at_every_step() {
        for given in [&[][..], &["blobs"], &["blobs", "index"]] {
            let dir = tempfile::tempdir().unwrap();
            killed(dir.path(), given);
            PartFolder::clear(dir.path(), &is_own).unwrap();
            assert_eq!(names(dir.path()), [""; 0]);
        }
    }

    #[test]
    fn what_somebody_else_put_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        killed(dir.path(), &["blobs"]);
        fs::write(dir.path().join("mine"), "3").unwrap();
        PartFolder::clear(dir.path(), &is_own).unwrap();
        assert_eq!(names(dir.path()), [PART, "blobs", "mine"]);
        fs::rename(dir.path().join("mine"), dir.path().join("blobs/mine")).unwrap();
        PartFolder::clear(dir.path(), &is_own).unwrap();
        assert_eq!(names(dir.path()), ["blobs"]);
        assert_eq!(names(&dir.path().join("blobs")), ["mine"]);
        let begun = PartFolder::begin(dir.path());
        assert!(matches!(begun.err(), Some(CheckoutError::NotEmpty(_))));
    }

    #[test]
    fn a_run_at_work_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let running = PartFolder::begin(dir.path()).unwrap();
        let cleared = PartFolder::clear(dir.path(), &is_own);
        assert!(matches!(cleared, Err(CheckoutError::NotEmpty(_))));
        fs::write(running.path.join("index"), "1").unwrap();
        running.publish(["index"]).unwrap();
        assert_eq!(names(dir.path()), ["index"]);
    }

    #[test]
    fn a_run_that_fails_removes_its_own_names_alone() {
        let dir = tempfile::tempdir().unwrap();
        let dest = dir.path().join("out");
        let part = PartFolder::begin(&dest).unwrap();
        for name in ["first", "index"] {
            fs::write(part.path.join(name), "1").unwrap();
        }
        fs::write(dest.join("index"), "mine").unwrap();
        let failed = part.publish(["first", "index"]);
        assert!(matches!(failed, Err(CheckoutError::Exists(_))));
        assert_eq!(names(&dest), ["index"]);
        assert_eq!(fs::read(dest.join("index")).unwrap(), b"mine");
        fs::remove_file(dest.join("index")).unwrap();
        drop(PartFolder::begin(&dest).unwrap());
        assert!(dest.exists(), "it was there before");
        fs::remove_dir(&dest).unwrap();
        drop(PartFolder::begin(&dest).unwrap());
        assert!(!dest.exists());
    }
}
