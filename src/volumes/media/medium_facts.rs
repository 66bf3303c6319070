//! What Linux knows of the medium that something is read from: the drive or disk, its serial numbers, the file system.
//!
//! It reads descriptions only, and of a disc the few bytes of its label. What nobody tells stays unknown.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::path_text;
use crate::volumes::media::source::is_pipe;

/// Most characters of a fact.
const CHARS_MAX: usize = 100;
/// Where the label of an ISO 9660 file system stands, and its length.
const ISO_MAGIC: (u64, &[u8]) = (0x8001, b"CD001");
const ISO_LABEL: (u64, usize) = (0x8028, 32);
/// Bytes before the serial number in what a SCSI disk says of itself.
const SERIAL_PAGE_HEAD: usize = 4;

/// What something is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediumKind {
    /// A disc in an optical drive.
    Disc,
    /// A block device that is no optical drive, such as a USB disk.
    Disk,
    /// A folder.
    Folder,
    /// A file, such as an image.
    File,
    /// A pipe.
    Pipe,
    /// It cannot be looked at.
    Unknown,
}

/// What is known of a medium. What is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MediumFacts {
    /// The path that was given.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// What it is.
    pub kind: MediumKind,
    /// The device that it is, or lies on.
    pub device: Option<String>,
    /// Vendor of the drive or disk.
    pub vendor: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Serial number of the USB device.
    pub usb_serial: Option<String>,
    /// Label of the file system.
    pub label: Option<String>,
    /// Serial number or UUID of the file system.
    pub volume_serial: Option<String>,
}

/// Where a system describes its devices.
#[derive(Debug, Clone, Copy)]
struct SystemPlaces<'a> {
    /// Block devices by their numbers.
    by_number: &'a Path,
    /// Devices by label and by UUID.
    disks: &'a Path,
}

impl MediumFacts {
    /// Gathers what is known of the medium at a path.
    pub fn of(path: &Path) -> Self {
        Self::in_system(
            path,
            SystemPlaces {
                by_number: Path::new("/sys/dev/block"),
                disks: Path::new("/dev/disk"),
            },
        )
    }

    fn in_system(path: &Path, places: SystemPlaces<'_>) -> Self {
        let mut facts = Self {
            path: path.to_owned(),
            kind: MediumKind::Unknown,
            device: None,
            vendor: None,
            model: None,
            serial: None,
            usb_serial: None,
            label: None,
            volume_serial: None,
        };
        if is_pipe(path) {
            facts.kind = MediumKind::Pipe;
            return facts;
        }
        let Ok(stat) = fs::metadata(path) else {
            return facts;
        };
        let is_device = stat.file_type().is_block_device();
        facts.kind = match () {
            () if stat.is_dir() => MediumKind::Folder,
            () if stat.is_file() => MediumKind::File,
            () if is_device => MediumKind::Disk,
            () => MediumKind::Unknown,
        };
        let number = if is_device { stat.rdev() } else { stat.dev() };
        let number = format!(
            "{}:{}",
            rustix::fs::major(number),
            rustix::fs::minor(number)
        );
        if let Ok(described) = fs::canonicalize(places.by_number.join(number)) {
            facts.describe(&described);
            let name = described.file_name().unwrap_or_default();
            if is_device && name.as_bytes().starts_with(b"sr") {
                facts.kind = MediumKind::Disc;
            }
            facts.label = name_of(&places.disks.join("by-label"), name);
            facts.volume_serial = name_of(&places.disks.join("by-uuid"), name);
        }
        if matches!(
            facts.kind,
            MediumKind::Disc | MediumKind::Disk | MediumKind::File
        ) {
            // The label of an image is nearer to what is read than that of the disk it lies on.
            facts.label = iso_label(path).or(facts.label);
        }
        facts
    }

    /// Reads the description of a block device.
    fn describe(&mut self, described: &Path) {
        let name = described.file_name().unwrap_or_default();
        self.device = fact(&format!("/dev/{}", name.to_string_lossy()));
        // A partition is described below its disk.
        let is_part = described.join("partition").exists();
        let disk = if is_part { described.parent() } else { None };
        let device = disk.unwrap_or(described).join("device");
        // A virtual disk has a number there.
        self.vendor = read(&device.join("vendor")).filter(|vendor| !vendor.starts_with("0x"));
        self.model = read(&device.join("model"));
        self.serial = read(&device.join("serial")).or_else(|| {
            let page = fs::read(device.join("vpd_pg80")).ok()?;
            fact(&String::from_utf8_lossy(page.get(SERIAL_PAGE_HEAD..)?))
        });
        let is_usb = |folder: &&Path| folder.join("idVendor").exists();
        if let Some(usb) = described.ancestors().find(is_usb) {
            self.usb_serial = read(&usb.join("serial"));
            self.vendor = self
                .vendor
                .take()
                .or_else(|| read(&usb.join("manufacturer")));
            self.model = self.model.take().or_else(|| read(&usb.join("product")));
        }
    }
}

fn read(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    fact(&String::from_utf8_lossy(&bytes))
}

/// Bounds what a device says of itself. Nothing is no fact.
fn fact(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let text: String = text.chars().take(CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// Returns the name of the link in a folder that leads to a device.
fn name_of(folder: &Path, device: &OsStr) -> Option<String> {
    let links = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let is_meant = |link: &fs::DirEntry| {
        let target = fs::read_link(link.path());
        target.is_ok_and(|target| target.file_name() == Some(device))
    };
    let mut names = links.filter(is_meant).map(|link| link.file_name());
    fact(&unescaped(&names.next()?.to_string_lossy()))
}

/// Undoes the `\x20` that udev writes for characters in names.
fn unescaped(name: &str) -> String {
    let mut out = Vec::new();
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once("\\x") {
        out.extend_from_slice(before.as_bytes());
        match behind.get(..2).map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => {
                out.push(byte);
                rest = &behind[2..];
            }
            _ => {
                out.extend_from_slice(b"\\x");
                rest = behind;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

fn iso_label(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    let mut magic = [0; ISO_MAGIC.1.len()];
    file.read_exact_at(&mut magic, ISO_MAGIC.0).ok()?;
    if magic != *ISO_MAGIC.1 {
        return None;
    }
    let mut label = [0; ISO_LABEL.1];
    file.read_exact_at(&mut label, ISO_LABEL.0).ok()?;
    fact(&String::from_utf8_lossy(&label))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::symlink;

    /// A system that describes the disk of a folder as `sdb1` on USB.
    fn system(dir: &Path, folder: &Path) {
        let port = dir.join("devices/usb1/1-2");
        let disk = port.join("host0/block/sdb");
        fs::create_dir_all(disk.join("sdb1")).unwrap();
        fs::create_dir_all(disk.join("device")).unwrap();
        for (path, text) in [
            ("idVendor", "0781\n"),
            ("manufacturer", "SanDisk\n"),
            ("serial", "4C530001230\n"),
            ("host0/block/sdb/device/vendor", "SanDisk \n"),
            ("host0/block/sdb/device/model", "Ultra <b>Fit</b>\n"),
            (
                "host0/block/sdb/device/vpd_pg80",
                "\0\u{80}\0\u{8}  ZX-77 \0",
            ),
            ("host0/block/sdb/sdb1/partition", "1\n"),
        ] {
            fs::write(port.join(path), text).unwrap();
        }
        let number = fs::metadata(folder).unwrap().dev();
        let number = format!(
            "{}:{}",
            rustix::fs::major(number),
            rustix::fs::minor(number)
        );
        fs::create_dir_all(dir.join("by-number")).unwrap();
        symlink(disk.join("sdb1"), dir.join("by-number").join(number)).unwrap();
        for (kind, name) in [("by-label", "MY\\x20DISK"), ("by-uuid", "4A17-9C02")] {
            fs::create_dir_all(dir.join("disk").join(kind)).unwrap();
            symlink("../../sdb1", dir.join("disk").join(kind).join(name)).unwrap();
        }
    }

    #[test]
    fn a_disk_on_usb_is_known_by_what_the_system_says() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("media");
        fs::create_dir(&folder).unwrap();
        system(dir.path(), &folder);
        let places = SystemPlaces {
            by_number: &dir.path().join("by-number"),
            disks: &dir.path().join("disk"),
        };
        let facts = MediumFacts::in_system(&folder, places);
        let is = |fact: &Option<String>, text: &str| assert_eq!(fact.as_deref(), Some(text));
        assert_eq!(facts.kind, MediumKind::Folder);
        is(&facts.device, "/dev/sdb1");
        is(&facts.vendor, "SanDisk");
        is(&facts.model, "Ultra <b>Fit</b>");
        is(&facts.usb_serial, "4C530001230");
        is(&facts.label, "MY DISK");
        is(&facts.volume_serial, "4A17-9C02");
        assert!(facts.serial.unwrap().ends_with("ZX-77"));
    }

    #[test]
    fn what_nobody_tells_is_not_known() {
        let dir = tempfile::tempdir().unwrap();
        let places = SystemPlaces {
            by_number: dir.path(),
            disks: dir.path(),
        };
        let facts = MediumFacts::in_system(dir.path(), places);
        assert_eq!(
            (facts.kind, facts.device, facts.label),
            (MediumKind::Folder, None, None)
        );
        let gone = MediumFacts::in_system(&dir.path().join("none"), places);
        assert_eq!(gone.kind, MediumKind::Unknown);
        let pipe = MediumFacts::in_system(Path::new("-"), places);
        assert_eq!(pipe.kind, MediumKind::Pipe);
        for (name, text) in [
            ("a\\x2", "a\\x2"),
            ("\\xe4\\xbd\\xa0", "你"),
            ("a\\xzzb", "a\\xzzb"),
        ] {
            assert_eq!(unescaped(name), text);
        }
    }

    #[test]
    fn the_label_of_an_image_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("disc.iso");
        let mut bytes = vec![0; 0x9000];
        bytes[0x8001..0x8006].copy_from_slice(b"CD001");
        bytes[0x8028..0x8028 + 12].copy_from_slice(b"CARRYALL_01 ");
        fs::write(&image, &bytes).unwrap();
        let facts = MediumFacts::of(&image);
        assert_eq!(facts.label.as_deref(), Some("CARRYALL_01"));
        assert_eq!(facts.kind, MediumKind::File);
    }
}
