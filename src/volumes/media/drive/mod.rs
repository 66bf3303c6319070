//! Optical drives of this machine: which there are, what their trays hold, and ejecting.
//!
//! It reads no data. A disc is read through the drive's device like any other source.

mod request;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::path_text;

/// Where Linux lists block devices.
const BLOCK_DEVICES: &str = "/sys/class/block";
/// Beginning of the names of optical drives there.
const DRIVE_NAME: &str = "sr";
/// Major number of optical drives (`SCSI_CDROM_MAJOR`).
const DRIVE_MAJOR: u32 = 11;

/// What a drive says of its tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrayState {
    /// The tray is open.
    Open,
    /// The tray is closed and empty.
    Empty,
    /// The drive examines what was put in.
    Busy,
    /// There is a disc.
    Disc,
    /// The drive does not tell.
    Unknown,
}

/// An optical drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drive {
    /// Its device, such as `/dev/sr0`.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Vendor and model, as the drive says them. Empty when it does not.
    pub model: String,
}

impl Drive {
    /// Returns the drive whose device is at `path`, a link included. Returns `None` when it is none.
    pub fn at(path: &Path) -> Option<Self> {
        let stat = fs::metadata(path).ok()?;
        let is_drive =
            stat.file_type().is_block_device() && rustix::fs::major(stat.rdev()) == DRIVE_MAJOR;
        let real = fs::canonicalize(path).ok()?;
        is_drive.then(|| Self {
            model: model_of(real.file_name().unwrap_or_default()),
            path: path.to_owned(),
        })
    }

    /// Asks for the state of the tray. Neither moves it nor waits for a disc.
    ///
    /// # Errors
    /// When the device cannot be opened.
    pub fn tray(&self) -> io::Result<TrayState> {
        Ok(request::tray_state(&self.open()?))
    }

    /// Opens the tray, or asks the person to take the disc out where there is none. A mounted disc stays.
    ///
    /// # Errors
    /// When the drive refuses, for example because the disc is mounted.
    pub fn eject(&self) -> io::Result<()> {
        request::eject(&self.open()?)
    }

    fn open(&self) -> io::Result<File> {
        // Without this flag the kernel closes an open tray, and fails when it is empty.
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        let flags = i32::try_from(flags).unwrap_or_default();
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags).open(&self.path)
    }
}

/// Lists the optical drives, by name.
pub fn drives() -> Vec<Drive> {
    let entries = fs::read_dir(BLOCK_DEVICES).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_drive = |name: &String| {
        let number = name.strip_prefix(DRIVE_NAME).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut names: Vec<String> = names.filter(is_drive).collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    let paths = names.iter().map(|name| Path::new("/dev").join(name));
    paths.filter_map(|path| Drive::at(&path)).collect()
}

fn model_of(name: &OsStr) -> String {
    let device = Path::new(BLOCK_DEVICES).join(name).join("device");
    let read = |file: &str| fs::read_to_string(device.join(file)).unwrap_or_default();
    let words = [read("vendor"), read("model")];
    let words = words.iter().map(|word| word.trim());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_drive_is_none() {
        for path in ["/dev/null", "/nonexistent", "/"] {
            assert_eq!(Drive::at(Path::new(path)), None, "{path}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Drive::at(file.path()), None);
        // Asking a file for its tray is refused and tells nothing.
        let state = request::tray_state(&File::open(file.path()).unwrap());
        assert_eq!(state, TrayState::Unknown);
        assert!(request::eject(&File::open(file.path()).unwrap()).is_err());
    }
}
