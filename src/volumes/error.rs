//! Errors of planning, writing and reading a volume set. Damage that recovery can handle is not an error.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::id::SetId;
use crate::base::monitor::Interrupted;
use crate::base::size::ByteSize;
use crate::volumes::block::VOLUMES_MAX;
use crate::volumes::geometry::GeometryError;
use crate::volumes::media::MediaError;

/// Says why an operation on a volume set could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeError {
    /// A medium could not be read or written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The person asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// A call to the file system failed.
    #[error("{}", path.display())]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// The medium has no room for even the smallest volume with this catalog.
    #[error("the medium is too small: beside file system and pages it has room for {}, and the smallest volume takes {}", ByteSize(u64::from(*usable_blocks) << 16), ByteSize(needed_blocks << 16))]
    MediumTooSmall {
        /// Blocks that fit on it.
        usable_blocks: u32,
        /// Blocks that the smallest volume has.
        needed_blocks: u64,
    },
    /// A piece of payload fits on no volume. Pieces never cross volumes.
    #[error("the medium is too small: a compressed frame has {} and is never cut, and beside file system, catalog and parity a volume has room for {}", ByteSize(*bytes), ByteSize(*room_bytes))]
    PieceTooLarge {
        /// The piece.
        piece_no: usize,
        /// Its size.
        bytes: u64,
        /// Payload that a volume can hold.
        room_bytes: u64,
    },
    /// The payload needs more volumes than a set, or its code, can have.
    #[error(
        "{volumes} volumes are needed, and a set with this code has {most} at most (never more than {VOLUMES_MAX})"
    )]
    TooManyVolumes {
        /// Data and spare volumes that are needed.
        volumes: u32,
        /// Most that are possible.
        most: u32,
    },
    /// The numbers do not make a volume set.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// The catalog is larger than it was planned for.
    #[error("the catalog has {bytes} bytes, and the plan has room for {planned_bytes}")]
    CatalogTooLarge {
        /// Its size.
        bytes: u64,
        /// Room in the plan.
        planned_bytes: u64,
    },
    /// Title, release names and facts do not fit into a superblock.
    #[error(
        "title, release names and facts together take {bytes} bytes, and a superblock holds {limit_bytes}"
    )]
    DescriptorTooLarge {
        /// Size of the descriptor.
        bytes: usize,
        /// Room in a superblock.
        limit_bytes: usize,
    },
    /// A piece of payload could not be read.
    #[error("piece {piece_no} of the payload")]
    Piece {
        /// The piece.
        piece_no: usize,
        /// What its reader reported.
        source: io::Error,
    },
    /// A piece of payload is longer or shorter than was planned.
    #[error("piece {piece_no} of the payload is not as long as planned ({planned_bytes} bytes)")]
    PieceLength {
        /// The piece.
        piece_no: usize,
        /// Its planned size.
        planned_bytes: u64,
    },
    /// Neither a superblock of the set nor the first block of its catalog was found.
    #[error("set {set_id}: no superblock and no first catalog block is left")]
    NoSuperblock {
        /// The set.
        set_id: SetId,
    },
    /// Superblock, catalog and geometry do not belong together. Damage cannot cause that.
    #[error("set {set_id}: superblock, catalog and geometry do not belong together")]
    Forged {
        /// The set.
        set_id: SetId,
    },
    /// A catalog block is missing from all available volumes.
    #[error("set {set_id}: block {index} of the catalog is on none of the volumes at hand")]
    CatalogIncomplete {
        /// The set.
        set_id: SetId,
        /// Index of the first one missing.
        index: u32,
    },
    /// A block is missing, or was whole before and is damaged now.
    #[error("volume {volume_no}: block {block_no} is missing or damaged")]
    BlockDamaged {
        /// The volume.
        volume_no: u16,
        /// The block.
        block_no: u32,
    },
    /// Parity does not suffice for the request.
    #[error("volumes {volumes:?} cannot be brought back with what is at hand")]
    NotRecoverable {
        /// Volumes that still lack blocks.
        volumes: Vec<u16>,
    },
    /// The written bytes differ from the intended ones, because of bad memory or a bad disk.
    #[error("{}: what was written reads back wrong", path.display())]
    WrittenWrong {
        /// The volume.
        path: PathBuf,
    },
}

impl VolumeError {
    /// Gives an I/O error its path, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
