//! Recognizes archives, compressed files and disk images of virtual machines by their first bytes.
//!
//! `streams` unpacks some of them. The others are named, so that the person unpacks them.

/// First bytes of archives and compressed files.
const MAGICS: [(&[u8], &str); 15] = [
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"MSCF", "cab"),
    (b"LZIP", "lzip"),
    (b"hsqs", "squashfs"),
    (b"sqsh", "squashfs"),
    (b"MComprHD", "chd"),
];
/// First bytes of disk images whose sectors do not lie in order.
const DISKS: [(&[u8], &str); 4] = [
    (b"QFI\xfb", "qcow2"),
    (b"KDMV", "vmdk"),
    (b"vhdxfile", "vhdx"),
    (b"conectix", "vhd"),
];
/// Offset of the magic of tar, and of VirtualBox's disk images.
const TAR_OFFSET: usize = 257;
const VDI_OFFSET: usize = 64;

/// What a file is packed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackedKind {
    /// An archive or a compressed file.
    Archive(&'static str),
    /// A disk image of a virtual machine.
    Disk(&'static str),
}

impl PackedKind {
    /// Recognizes the beginning of a file.
    pub(crate) fn of(begin: &[u8]) -> Option<Self> {
        let named = |table: &[(&[u8], &'static str)]| {
            let found = table.iter().find(|(magic, _)| begin.starts_with(magic));
            found.map(|(_, name)| *name)
        };
        if let Some(name) = named(&MAGICS) {
            return Some(Self::Archive(name));
        }
        if let Some(name) = named(&DISKS) {
            return Some(Self::Disk(name));
        }
        if begin.get(VDI_OFFSET..VDI_OFFSET + 4) == Some(b"\x7f\x10\xda\xbe") {
            return Some(Self::Disk("vdi"));
        }
        let is_tar = begin.get(TAR_OFFSET..TAR_OFFSET + 5) == Some(b"ustar");
        is_tar.then_some(Self::Archive("tar"))
    }

    /// The name of its format.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Archive(name) | Self::Disk(name) => name,
        }
    }
}
