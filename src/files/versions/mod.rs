//! Keeps versions of a tree side by side: `DIR/releases/VERSION`, and `DIR/current`, a link to the one in use.
//!
//! It handles folders and links, and does not look into a version. A version is made under a temporary name and
//! renamed. The link is switched by a rename, so opening `current` always finds the old or the new version.

mod conffiles;
mod share;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::base::fs::sync;
use serde::{Deserialize, Serialize};

pub(crate) use conffiles::carry_over;
pub use conffiles::{KeptFile, KeptState, Pattern, PatternError, shipped};
pub use share::Shared;
pub(crate) use share::share_unchanged;

const RELEASES: &str = "releases";
const CURRENT: &str = "current";
const PREVIOUS: &str = "previous";
/// Most bytes of a record that is read.
const RECORD_BYTES_MAX: u64 = 64 << 20;

/// An error of making, finding or switching to a version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VersionsError {
    /// A call to the file system failed.
    #[error("{}", path.display())]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Something else stands where the link to a version belongs.
    #[error("{} is no link to a version below it", .0.display())]
    NotALink(PathBuf),
    /// A version of this name exists and is of another release.
    #[error("{} is there already, and was made of {holds}", path.display())]
    Taken {
        /// Its folder.
        path: PathBuf,
        /// What it was made of: another content under the same name, or something unknown.
        holds: String,
    },
    /// There is no version to go back to.
    #[error("{} has no version to go back to", .0.display())]
    NoPrevious(PathBuf),
}

impl VersionsError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// The record of a version, in a file next to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRecord {
    /// The release that it was made of.
    pub release: String,
    /// The release's id.
    pub id: String,
    /// Files that sites may edit, as they were shipped: path below the version, and BLAKE3.
    pub files: BTreeMap<String, String>,
}

/// A folder with versions.
#[derive(Debug)]
pub struct Versions {
    dir: PathBuf,
}

impl Versions {
    /// Opens the folder, and makes it when it does not exist.
    ///
    /// # Errors
    /// [`VersionsError::Io`].
    pub fn open(dir: &Path) -> Result<Self, VersionsError> {
        let releases = dir.join(RELEASES);
        fs::create_dir_all(&releases).map_err(VersionsError::io(&releases))?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// Returns the folder of a version.
    pub fn path(&self, version: &str) -> PathBuf {
        self.dir.join(RELEASES).join(version)
    }

    /// Returns the folder in which a version is made. Removes what a killed run left there.
    ///
    /// # Errors
    /// [`VersionsError::Io`].
    pub fn stage(&self, version: &str) -> Result<PathBuf, VersionsError> {
        let staging = self
            .dir
            .join(RELEASES)
            .join(format!(".{version}.unfinished"));
        match fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(VersionsError::io(&staging)(error))
            }
            _ => Ok(staging),
        }
    }

    /// Returns the record of a version, or `None` when there is none.
    pub fn record(&self, version: &str) -> Option<VersionRecord> {
        let path = self.record_path(version);
        let bytes = fs::metadata(&path).ok()?.len();
        // A longer file is not a record of this program, and is not read into memory.
        if bytes > RECORD_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(&fs::read(&path).ok()?).ok()
    }

    fn record_path(&self, version: &str) -> PathBuf {
        self.dir.join(RELEASES).join(format!(".{version}.json"))
    }

    /// Returns whether a version exists that was made of exactly this release.
    ///
    /// # Errors
    /// [`VersionsError::Taken`] when a version of its name exists that was made of something else.
    pub fn has(&self, version: &str, release: &str, id: &str) -> Result<bool, VersionsError> {
        let path = self.path(version);
        if path.symlink_metadata().is_err() {
            return Ok(false);
        }
        match self.record(version) {
            Some(record) if record.release == release && record.id == id => Ok(true),
            record => Err(VersionsError::Taken {
                path,
                holds: record.map_or_else(|| "?".to_owned(), |record| record.release),
            }),
        }
    }

    /// Gives the staged version its name.
    ///
    /// # Errors
    /// [`VersionsError::Io`].
    pub fn publish(&self, version: &str, record: &VersionRecord) -> Result<(), VersionsError> {
        let path = self.record_path(version);
        let write = || -> io::Result<()> {
            let mut file = File::create(&path)?;
            serde_json::to_writer_pretty(&mut file, record)?;
            file.flush()?;
            file.sync_all()
        };
        write().map_err(VersionsError::io(&path))?;
        let (staging, target) = (
            self.dir
                .join(RELEASES)
                .join(format!(".{version}.unfinished")),
            self.path(version),
        );
        // The record is written and synced before the version has its name, so a version without a record is a foreign
        // one.
        fs::rename(&staging, &target).map_err(VersionsError::io(&target))?;
        sync_folder(&self.dir.join(RELEASES))
    }

    /// Returns the version in use.
    ///
    /// # Errors
    /// [`VersionsError::NotALink`].
    pub fn current(&self) -> Result<Option<String>, VersionsError> {
        self.read_link(CURRENT)
    }

    /// Returns the version that was in use before the last switch.
    ///
    /// # Errors
    /// [`VersionsError::NotALink`].
    pub(crate) fn previous(&self) -> Result<Option<String>, VersionsError> {
        self.read_link(PREVIOUS)
    }

    fn read_link(&self, name: &str) -> Result<Option<String>, VersionsError> {
        let path = self.dir.join(name);
        let foreign = || VersionsError::NotALink(path.clone());
        match fs::read_link(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // EINVAL means that it is not a link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(foreign()),
            Err(error) => Err(VersionsError::io(&path)(error)),
            Ok(target) => {
                let version = target.strip_prefix(RELEASES).ok().and_then(Path::to_str);
                let version = version.filter(|version| {
                    // A name with a dot in front is a record or an unfinished version, and never one to use.
                    !version.is_empty() && !version.contains('/') && !version.starts_with('.')
                });
                version
                    .map(|version| Some(version.to_owned()))
                    .ok_or_else(foreign)
            }
        }
    }

    /// Puts a version into use, and remembers the one that was in use as the previous one.
    ///
    /// # Errors
    /// [`VersionsError`].
    pub fn switch(&self, version: &str) -> Result<(), VersionsError> {
        let before = self.current()?;
        if before.as_deref() == Some(version) {
            return Ok(());
        }
        if let Some(before) = before {
            // A file of that name that is not a link is not ours, and stays.
            self.read_link(PREVIOUS)?;
            self.link(PREVIOUS, &before)?;
        }
        self.link(CURRENT, version)
    }

    /// Puts the previous version into use again. Returns both, the one that was left first.
    ///
    /// # Errors
    /// [`VersionsError::NoPrevious`] when there is none, or it no longer exists.
    pub fn roll_back(&self) -> Result<(String, String), VersionsError> {
        let nothing = || VersionsError::NoPrevious(self.dir.clone());
        let current = self.current()?.ok_or_else(nothing)?;
        let previous = self.previous()?.ok_or_else(nothing)?;
        if current == previous || !self.path(&previous).is_dir() {
            return Err(nothing());
        }
        // Where the system cannot exchange two names, two renames do it, and `current` is valid between them.
        if !self.exchange()? {
            self.switch(&previous)?;
        }
        Ok((current, previous))
    }

    /// Exchanges both links at one instant. With two steps, a kill in between would leave no version to go back to.
    /// Returns false where the file system cannot exchange.
    fn exchange(&self) -> Result<bool, VersionsError> {
        use rustix::io::Errno;
        let (current, previous) = (self.dir.join(CURRENT), self.dir.join(PREVIOUS));
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        match rustix::fs::renameat_with(
            rustix::fs::CWD,
            &current,
            rustix::fs::CWD,
            &previous,
            flags,
        ) {
            Ok(()) => sync_folder(&self.dir).map(|()| true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => Ok(false),
            Err(error) => Err(VersionsError::io(&current)(error.into())),
        }
    }

    fn link(&self, name: &str, version: &str) -> Result<(), VersionsError> {
        let beside = self.dir.join(format!(".{name}.new"));
        let path = self.dir.join(name);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(VersionsError::io(&beside)(error));
            }
            _ => {}
        }
        std::os::unix::fs::symlink(Path::new(RELEASES).join(version), &beside)
            .and_then(|()| fs::rename(&beside, &path))
            .map_err(VersionsError::io(&path))?;
        sync_folder(&self.dir)
    }
}

fn sync_folder(dir: &Path) -> Result<(), VersionsError> {
    sync(dir).map_err(VersionsError::io(dir))
}

/// Returns whether all folders between `root` and `below` are real folders, and not links that lead elsewhere.
fn has_plain_parents(root: &Path, below: &Path) -> bool {
    let parents = below.ancestors().skip(1);
    let mut parents = parents.filter(|parent| !parent.as_os_str().is_empty());
    parents.all(|parent| {
        let stat = root.join(parent).symlink_metadata();
        stat.is_ok_and(|stat| stat.is_dir())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn version(versions: &Versions, name: &str) {
        let staging = versions.stage(name).unwrap();
        fs::create_dir(&staging).unwrap();
        let record = VersionRecord {
            release: format!("app:{name}"),
            id: "7".into(),
            ..VersionRecord::default()
        };
        versions.publish(name, &record).unwrap();
        versions.switch(name).unwrap();
    }

    #[test]
    fn versions_are_switched_back_and_forth() {
        let dir = tempfile::tempdir().unwrap();
        let versions = Versions::open(dir.path()).unwrap();
        assert!(matches!(
            versions.roll_back(),
            Err(VersionsError::NoPrevious(_))
        ));
        version(&versions, "1.0");
        assert!(versions.roll_back().is_err());
        version(&versions, "1.1");
        assert_eq!(versions.roll_back().unwrap(), ("1.1".into(), "1.0".into()));
        assert_eq!(versions.current().unwrap().as_deref(), Some("1.0"));
        assert_eq!(versions.roll_back().unwrap(), ("1.0".into(), "1.1".into()));
        assert!(versions.has("1.1", "app:1.1", "7").unwrap());
        assert!(versions.has("1.1", "app:1.1", "8").is_err());
        assert!(!versions.has("2.0", "app:2.0", "7").unwrap());
        fs::remove_dir_all(versions.path("1.0")).unwrap();
        assert!(versions.roll_back().is_err());
    }

    #[test]
    fn what_is_not_ours_is_not_switched() {
        let dir = tempfile::tempdir().unwrap();
        let versions = Versions::open(dir.path()).unwrap();
        for target in ["/etc", "releases/../x", "releases/.x", "releases"] {
            std::os::unix::fs::symlink(target, dir.path().join(CURRENT)).unwrap();
            assert!(versions.switch("1.0").is_err(), "{target}");
            fs::remove_file(dir.path().join(CURRENT)).unwrap();
        }
        fs::create_dir(dir.path().join(CURRENT)).unwrap();
        assert!(matches!(
            versions.switch("1.0"),
            Err(VersionsError::NotALink(_))
        ));
    }
}
