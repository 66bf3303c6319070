//! File system calls beside reading and writing: free space, durable entries, the folder of a path.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, RenameFlags, StatVfs, renameat, renameat_with, statat};
use rustix::io::Errno;
use rustix::path::Arg;

/// Returns whether an error says that a place may be read and not written.
pub(crate) fn cannot_write(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Returns the name of this machine.
pub(crate) fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

/// Returns the bytes that this user may still write at `path`, or at its nearest parent that exists. Reserves nothing,
/// so the space can be taken by another process at any time.
///
/// # Errors
/// What the file system says.
pub fn free_space_bytes(path: &Path) -> io::Result<u64> {
    let absolute = std::path::absolute(path)?;
    let existing = absolute.ancestors().find(|parent| parent.exists());
    let stat = rustix::fs::statvfs(existing.unwrap_or(Path::new("/")))?;
    Ok(free_bytes(&stat))
}

/// Returns the bytes that this user may still write in the file system of `dir`, and the size of its clusters.
///
/// # Errors
/// What the file system says.
pub fn free_clusters(dir: &Path) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok((free_bytes(&stat), stat.f_frsize.max(stat.f_bsize).max(512)))
}

fn free_bytes(stat: &StatVfs) -> u64 {
    stat.f_bavail.saturating_mul(stat.f_frsize)
}

/// Where Linux lists block devices by their numbers.
const BLOCK_DEVICES: &str = "/sys/dev/block";

/// Returns whether a folder is on a disk that can be taken out: one on USB, or one whose medium can.
pub(crate) fn is_removable(folder: &Path) -> bool {
    device_of(Path::new(BLOCK_DEVICES), folder).is_some_and(|device| says_removable(&device))
}

/// Returns where the system describes the disk that a folder is on. It is gone when the disk is.
pub(crate) fn disk_of(folder: &Path) -> Option<PathBuf> {
    device_of(Path::new(BLOCK_DEVICES), folder)
}

/// Returns where the system describes the disk that a folder is on. File systems without a disk have none.
fn device_of(devices: &Path, folder: &Path) -> Option<PathBuf> {
    let device = fs::metadata(folder).ok()?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    fs::canonicalize(devices.join(format!("{major}:{minor}"))).ok()
}

/// A partition is described below its disk, and a disk on USB below the port.
fn says_removable(device: &Path) -> bool {
    let is_usb = |name: &std::ffi::OsStr| {
        let number = name.to_str().and_then(|name| name.strip_prefix("usb"));
        number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let says =
        |folder: &Path| fs::read(folder.join("removable")).is_ok_and(|said| said.starts_with(b"1"));
    device.iter().any(is_usb) || device.ancestors().take(2).any(says)
}

/// Makes everything in the file system of a folder durable.
///
/// # Errors
/// What the file system says.
pub(crate) fn sync_file_system(folder: &Path) -> io::Result<()> {
    let folder = File::open(folder)?;
    Ok(rustix::fs::syncfs(&folder)?)
}

/// Returns the most bytes that a file in this folder may have, where that is less than a volume may take: on FAT.
#[cfg(target_os = "linux")]
pub(crate) fn file_bytes_max(folder: &Path) -> Option<u64> {
    const FAT: u64 = 0x4d44;
    let stat = rustix::fs::statfs(folder).ok()?;
    (u64::try_from(stat.f_type).ok()? == FAT).then_some(u64::from(u32::MAX))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn file_bytes_max(_: &Path) -> Option<u64> {
    None
}

/// Makes a file, or the entries of a folder, durable. Some file systems (of USB disks) cannot sync a folder. That is
/// not an error.
///
/// # Errors
/// What the file system says.
pub fn sync(path: &Path) -> io::Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        Err(error) if cannot_sync(&error) && path.is_dir() => Ok(()),
        done => done,
    }
}

fn cannot_sync(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

/// Renames a file or folder unless the name is taken. Both names are below `folder`, or absolute.
///
/// # Errors
/// [`Errno::EXIST`] when the name is taken. What the file system says.
pub(crate) fn rename_new(
    folder: impl AsFd,
    from: impl Arg + Copy,
    to: impl Arg + Copy,
) -> rustix::io::Result<()> {
    let folder = folder.as_fd();
    match renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        // Not every file system supports the flag.
        Err(Errno::INVAL | Errno::NOSYS) => match statat(folder, to, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => renameat(folder, from, folder, to),
            Ok(_) => Err(Errno::EXIST),
            Err(other) => Err(other),
        },
        done => done,
    }
}

/// Returns the folder that `path` is in.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn disks_on_usb_and_disks_that_say_so_are_removable() {
        let dir = tempfile::tempdir().unwrap();
        let make = |device: &str, removable: &str| {
            let device = dir.path().join(device);
            fs::create_dir_all(device.join("part1")).unwrap();
            fs::write(device.join("removable"), removable).unwrap();
            device
        };
        let usb = make("devices/pci0/usb2/2-1/host6/block/sdb", "0\n");
        let card = make("devices/pci0/mmc0/block/mmcblk0", "1\n");
        let disk = make("devices/pci0/ata1/block/sda", "0\n");
        assert!(says_removable(&usb) && says_removable(&usb.join("part1")));
        assert!(says_removable(&card) && says_removable(&card.join("part1")));
        assert!(!says_removable(&disk) && !says_removable(&disk.join("part1")));
        assert!(!says_removable(Path::new("/nonexistent/usbhub")));
        // A folder leads to its disk by the numbers of the device.
        let number = fs::metadata(dir.path()).unwrap().dev();
        let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
        assert_eq!(device_of(dir.path(), dir.path()), None);
        std::os::unix::fs::symlink(&usb, dir.path().join(format!("{major}:{minor}"))).unwrap();
        let found = device_of(dir.path(), dir.path()).unwrap();
        assert_eq!(found, usb.canonicalize().unwrap());
        sync_file_system(dir.path()).unwrap();
    }

    #[test]
    fn a_folder_yet_to_be_made_has_the_space_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = free_space_bytes(&dir.path().join("not/yet/made")).unwrap();
        assert!(bytes > 0);
    }
}
