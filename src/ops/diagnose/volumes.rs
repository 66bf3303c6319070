//! Diagnoses errors of media and volume sets.

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::size::ByteSize;
use crate::volumes::VolumeError;
use crate::volumes::geometry::GeometryError;
use crate::volumes::media::MediaError;
use crate::volumes::media::look::{LookReport, NotAVolume};

use super::{at_path, system};

/// Input or output error: the device, or the medium in it, cannot be read.
const EIO: i32 = 5;
/// Bytes of a block, as a power of two.
const BLOCK_SHIFT: u32 = 16;
/// A set with the code gf8 has fewer volumes than this.
const GF16_VOLUMES: u32 = 1024;

pub(crate) fn of_media(error: &MediaError) -> Diagnostic {
    match error {
        MediaError::Io { path, source } => at_path(path, source),
        MediaError::Interrupted(_) => super::interrupted(),
        MediaError::Missing { path } => diagnostic!("media.missing", path),
        MediaError::NotAMedium { path } => diagnostic!("media.not_a_medium", path),
        MediaError::Exists { path } => diagnostic!("media.exists", path),
        MediaError::Busy { path } => diagnostic!("media.busy", path),
        MediaError::Unfinished {
            volume_no,
            written_blocks,
            volume_blocks,
        } => diagnostic!(
            "media.unfinished",
            volume_no = *volume_no,
            written_blocks = *written_blocks,
            volume_blocks = *volume_blocks
        ),
        MediaError::NotBack {
            path,
            volume_blocks,
            bad,
        } => {
            let (volume_blocks, missing, zeros) = (*volume_blocks, bad.missing, bad.zeros);
            let (misplaced, unread) = (bad.misplaced, bad.unread);
            diagnostic!(
                "media.not_back",
                path,
                volume_blocks,
                missing,
                zeros,
                misplaced,
                unread
            )
        }
        MediaError::Unplugged { path } => diagnostic!("media.unplugged", path),
        MediaError::FileTooLarge {
            path,
            bytes,
            limit_bytes,
        } => diagnostic!(
            "media.file_too_large",
            path,
            bytes = ByteSize(*bytes),
            limit_bytes = ByteSize(*limit_bytes)
        ),
        MediaError::BurnerMissing => diagnostic!("media.burner_missing"),
        MediaError::BurnerFailed { device, last_lines } => {
            diagnostic!("media.burner_failed", path = device, said = last_lines)
        }
        MediaError::XorrisoMissing => diagnostic!("media.xorriso_missing"),
        MediaError::XorrisoFailed { iso, last_lines } => {
            diagnostic!("media.xorriso_failed", path = iso, said = last_lines)
        }
        MediaError::TooLarge {
            iso,
            bytes,
            limit_bytes,
        } => diagnostic!(
            "media.too_large",
            path = iso,
            bytes = *bytes,
            limit_bytes = *limit_bytes
        ),
    }
}

pub fn of(error: &VolumeError) -> Diagnostic {
    match error {
        VolumeError::Media(error) => of_media(error),
        VolumeError::Interrupted(_) => super::interrupted(),
        VolumeError::Io { path, source } => at_path(path, source),
        VolumeError::Piece { piece_no, source } => {
            diagnostic!("volume.piece_unread", piece_no = *piece_no).because(system::of(source))
        }
        VolumeError::NoSuperblock { set_id } => {
            diagnostic!("volume.no_superblock", set = set_id.to_string())
        }
        VolumeError::Forged { set_id } => diagnostic!("volume.forged", set = set_id.to_string()),
        VolumeError::CatalogIncomplete { set_id, index } => {
            let set = set_id.to_string();
            diagnostic!("volume.catalog_incomplete", set, block_no = *index)
        }
        VolumeError::BlockDamaged {
            volume_no,
            block_no,
        } => diagnostic!(
            "volume.block_damaged",
            volume_no = *volume_no,
            block_no = *block_no
        ),
        VolumeError::NotRecoverable { volumes } => diagnostic!("volume.not_recoverable", volumes),
        VolumeError::WrittenWrong { path } => diagnostic!("volume.written_wrong", path),
        other => of_plan(other),
    }
}

/// Diagnoses an error of planning a set.
fn of_plan(error: &VolumeError) -> Diagnostic {
    match error {
        VolumeError::MediumTooSmall {
            usable_blocks,
            needed_blocks,
        } => {
            let usable_bytes = u64::from(*usable_blocks) << BLOCK_SHIFT;
            let needed_bytes = needed_blocks << BLOCK_SHIFT;
            diagnostic!(
                "volume.medium_too_small",
                room_bytes = ByteSize(usable_bytes),
                needed_bytes = ByteSize(needed_bytes),
                lacking_bytes = shortfall(needed_bytes.saturating_sub(usable_bytes))
            )
        }
        VolumeError::PieceTooLarge {
            bytes, room_bytes, ..
        } => diagnostic!(
            "volume.piece_too_large",
            room_bytes = ByteSize(*room_bytes),
            needed_bytes = ByteSize(*bytes),
            lacking_bytes = shortfall(bytes.saturating_sub(*room_bytes))
        ),
        VolumeError::TooManyVolumes { volumes, most } if *most < GF16_VOLUMES => {
            diagnostic!("volume.too_many_for_gf8", volumes = *volumes, most = *most)
        }
        VolumeError::TooManyVolumes { volumes, most } => {
            diagnostic!("volume.too_many", volumes = *volumes, most = *most)
        }
        VolumeError::Geometry(error) => of_geometry(error),
        VolumeError::CatalogTooLarge {
            bytes,
            planned_bytes,
        } => diagnostic!(
            "volume.catalog_too_large",
            bytes = *bytes,
            planned_bytes = *planned_bytes
        ),
        VolumeError::DescriptorTooLarge { bytes, limit_bytes } => diagnostic!(
            "volume.descriptor_too_large",
            bytes = *bytes,
            limit_bytes = *limit_bytes
        ),
        VolumeError::PieceLength {
            piece_no,
            planned_bytes,
        } => diagnostic!(
            "volume.piece_length",
            piece_no = *piece_no,
            planned_bytes = *planned_bytes
        ),
        other => diagnostic!("other", text = other.to_string()),
    }
}

/// Local parity takes its part of what is added, and blocks are 64 KiB.
fn shortfall(bytes: u64) -> ByteSize {
    ByteSize((bytes + bytes / 4).max(1 << BLOCK_SHIFT) + (2 << BLOCK_SHIFT))
}

pub(crate) fn of_geometry(error: &GeometryError) -> Diagnostic {
    match error {
        GeometryError::Volumes(count) => diagnostic!("geometry.volumes", volumes = *count),
        GeometryError::VolumeBlocks(blocks) => {
            diagnostic!("geometry.volume_blocks", blocks = *blocks)
        }
        GeometryError::Stripe { width } => diagnostic!("geometry.stripe", width = *width),
        GeometryError::Group { data, parity } => {
            diagnostic!("geometry.group", data = *data, parity = *parity)
        }
        GeometryError::Layout => diagnostic!("geometry.layout"),
    }
}

/// Returns what was found in place of a volume, or `None` when that tells nothing.
pub(crate) fn of_look(looked: &LookReport) -> Option<Diagnostic> {
    let path = &looked.path;
    Some(match &looked.what {
        NotAVolume::Closed(error) => diagnostic!("look.closed", path).because(system::of(error)),
        NotAVolume::Unread(error) if error.raw_os_error() == Some(EIO) => {
            diagnostic!("look.unreadable", path).because(system::of(error))
        }
        NotAVolume::Unread(error) => diagnostic!("look.unread", path).because(system::of(error)),
        NotAVolume::Empty => diagnostic!("look.empty", path),
        NotAVolume::PagesAlone => diagnostic!("look.pages_alone", path),
        NotAVolume::Short => diagnostic!("look.short", path),
        NotAVolume::Store => diagnostic!("look.store", path),
        NotAVolume::Packed("tar") => diagnostic!("look.tar", path),
        NotAVolume::Unpacked(kind) => diagnostic!("look.unpacked", path, kind = *kind),
        NotAVolume::Packed(kind) => diagnostic!("look.packed", path, kind = *kind),
        NotAVolume::PackedDisk(kind) => diagnostic!("look.packed_disk", path, kind = *kind),
        NotAVolume::CopiedAsText => diagnostic!("look.copied_as_text", path),
        NotAVolume::BareBegin => diagnostic!("look.bare_begin", path),
        NotAVolume::Pipe => diagnostic!("look.pipe", path),
        NotAVolume::Piece => diagnostic!("look.piece", path),
        NotAVolume::WebPage => diagnostic!("look.web_page", path),
        NotAVolume::Zeros => diagnostic!("look.zeros", path),
        NotAVolume::OtherDisc { label } => diagnostic!("look.other_disc", path, label),
        NotAVolume::Unknown => return None,
    })
}
