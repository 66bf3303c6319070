//! Errors of reading or writing a medium. Damage on it is not an error: it is reported as findings and gaps.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::monitor::Interrupted;

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
    /// Gives an I/O error its path, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
