//! Errors of reading or writing a medium. Damage on it is not an error: it is reported as findings and gaps.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::monitor::Interrupted;

/// Blocks that do not come back as they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotBack {
    /// Blocks of the volume that were not found.
    pub missing: u64,
    /// Places that hold zeros.
    pub zeros: u64,
    /// Places that hold a block of another place.
    pub misplaced: u64,
    /// Places that cannot be read.
    pub unread: u64,
}

/// Says why an operation on media could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// A call to the file system failed.
    #[error("{}", path.display())]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// The person asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// A path that was named is not there.
    #[error("{}: there is no such file, folder or device", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// What was written to a disk does not come back from it.
    #[error("{}: of {volume_blocks} blocks, {} do not come back", path.display(), bad.missing)]
    NotBack {
        /// The volume.
        path: PathBuf,
        /// Blocks of the volume.
        volume_blocks: u32,
        /// What comes back instead.
        bad: NotBack,
    },
    /// The disk went away while it was written or read back.
    #[error("{}: the disk was unplugged", path.display())]
    Unplugged {
        /// The volume.
        path: PathBuf,
    },
    /// The file system cannot hold a file of this size.
    #[error("{}: its file system takes files of {limit_bytes} bytes at most, and an image takes {bytes}", path.display())]
    FileTooLarge {
        /// The folder.
        path: PathBuf,
        /// Bytes of the largest image, at least.
        bytes: u64,
        /// Most bytes of a file.
        limit_bytes: u64,
    },
    /// The program that burns is not installed.
    #[error("xorriso is not installed, and discs are burned with it")]
    BurnerMissing,
    /// The program that burns cannot use the drive.
    #[error("{}: xorriso cannot use it: {last_lines}", device.display())]
    BurnerFailed {
        /// The drive.
        device: PathBuf,
        /// What the program said at last.
        last_lines: String,
    },
    /// A path cannot hold a volume, such as a socket.
    #[error("{}: neither a folder, a file nor a block device", path.display())]
    NotAMedium {
        /// The path.
        path: PathBuf,
    },
    /// The file or folder to write exists already. Nothing is ever overwritten.
    #[error("{}: exists already", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// Another process is writing the same volume to the same place.
    #[error("{}: another process is writing this volume", path.display())]
    Busy {
        /// Its unfinished folder.
        path: PathBuf,
    },
    /// A volume was finished before all of its blocks were written.
    #[error("volume {volume_no}: only {written_blocks} of {volume_blocks} blocks were written")]
    Unfinished {
        /// The volume.
        volume_no: u16,
        /// Blocks written.
        written_blocks: u64,
        /// Blocks it has.
        volume_blocks: u32,
    },
    /// The program that makes `.iso` files is not installed.
    #[error("xorriso is not installed, and .iso files are made with it")]
    XorrisoMissing,
    /// The program that makes `.iso` files failed.
    #[error("{}: xorriso failed: {last_lines}", iso.display())]
    XorrisoFailed {
        /// The image that was to be made.
        iso: PathBuf,
        /// Its last lines of output.
        last_lines: String,
    },
    /// An image became larger than its medium.
    #[error("{}: {bytes} bytes do not fit a medium of {limit_bytes}", iso.display())]
    TooLarge {
        /// The image. It is removed again.
        iso: PathBuf,
        /// Its size.
        bytes: u64,
        /// Size of the medium.
        limit_bytes: u64,
    },
}

impl MediaError {
    /// Gives the error of looking at a named path its meaning, for `map_err`: nothing is there, or it cannot be read.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Missing {
                path: path.to_owned(),
            },
            _ => Self::io(path)(source),
        }
    }

    /// Gives an I/O error its path, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
