//! Writes a planned set: payload, catalog and superblocks, then wide and local parity. Finally the volumes get their
//! names.
//!
//! Memory: 256 MiB at most, whatever the set's size. An interrupted or failed write leaves no volume behind.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::base::fs::{disk_of, is_removable, sync_file_system};
use crate::base::id;
use crate::base::monitor::Monitor;
use crate::base::signing::{SecretKey, Signature, TEXT_MAX};
use crate::volumes::block::{HEADER_BYTES, SetHeader};
use crate::volumes::blocks::header_at;
use crate::volumes::descriptor::{SetDescriptor, descriptor_max, set_id, superblock};
use crate::volumes::encode::{encode_local, encode_wide};
use crate::volumes::geometry::Geometry;
use crate::volumes::media::{
    Carrier, CompanionFile, MediaError, PageNotes, ReadBack, VolumeFacts, VolumeWriter,
};
use crate::volumes::{SetPlan, VolumeError, signatures};

/// Most bytes of a signature in a superblock beside its text: its key, and its share of what is around all.
const SIGNATURE_HEAD_MAX: usize = 512;
/// Blocks of payload that are hashed and written at a time.
const BATCH_BLOCKS: usize = 64;

/// The description and the catalog of a set.
#[derive(Debug, Clone, Copy)]
pub struct SetContent<'a> {
    /// Title for people. It also names the volumes' folders.
    pub title: &'a str,
    /// Releases that the set carries.
    pub releases: &'a [String],
    /// Program and version, such as `carryall 0.1.0`.
    pub created_by: &'a str,
    /// More facts for people.
    pub facts: &'a [(String, String)],
    /// The catalog, at most as long as was planned.
    pub catalog: &'a [u8],
}

/// What a set has besides its content. None of it changes the set's id.
#[derive(Debug, Clone, Copy, Default)]
pub struct SetExtras<'a> {
    /// Files on every volume.
    pub companions: &'a [CompanionFile],
    /// Those who sign the set.
    pub signers: &'a [SecretKey],
}

/// The form in which volumes are written.
#[derive(Debug, Clone, Copy)]
pub struct VolumeForm {
    /// Folders or images.
    pub carrier: Carrier,
    /// Most bytes of an image. A larger one is an error.
    pub limit_bytes: Option<u64>,
    /// Whether volumes are read back.
    pub read_back: ReadBack,
}

impl VolumeForm {
    pub(crate) fn create(
        &self,
        to: &Path,
        facts: VolumeFacts,
        notes: PageNotes,
    ) -> Result<VolumeWriter, MediaError> {
        let writer = match self.carrier {
            Carrier::Folders => VolumeWriter::create(to, facts),
            Carrier::Iso => VolumeWriter::create_iso(to, facts, self.limit_bytes),
        };
        Ok(writer?.with_notes(notes).with_read_back(self.read_back))
    }
}

/// Opens a piece of payload by its number. Pieces are opened once and in order.
pub(crate) type OpenPiece<'a> = dyn FnMut(usize) -> io::Result<Box<dyn Read + 'a>> + 'a;

/// The result of writing a set.
#[derive(Debug, Clone)]
pub struct SetReport {
    /// The set's numbers, its id among them.
    pub header: SetHeader,
    /// Paths of the volumes, from volume 1 on.
    pub volumes: Vec<PathBuf>,
    /// Bytes of all blocks.
    pub written_bytes: u64,
}

/// Writes all volumes of a set into the folder `to`, which must exist and hold none of them. On a disk that can be
/// taken out they are read back.
///
/// # Errors
/// As [`write_with`].
pub fn write(
    plan: &SetPlan,
    content: &SetContent<'_>,
    open_piece: &mut OpenPiece<'_>,
    to: &Path,
    monitor: &dyn Monitor,
) -> Result<SetReport, VolumeError> {
    write_with(
        plan,
        content,
        &SetExtras::default(),
        open_piece,
        to,
        ReadBack::default(),
        monitor,
    )
}

/// Writes as [`write`] does, with companion files and signatures on every volume. The plan's medium has room for them.
/// `read_back` says which volumes are read back.
///
/// # Errors
/// [`VolumeError`] when a piece or a medium fails, or a stop was asked for. Then nothing is left in `to`.
pub fn write_with(
    plan: &SetPlan,
    content: &SetContent<'_>,
    extras: &SetExtras<'_>,
    open_piece: &mut OpenPiece<'_>,
    to: &Path,
    read_back: ReadBack,
    monitor: &dyn Monitor,
) -> Result<SetReport, VolumeError> {
    let disk = disk_of(to);
    let written = write_volumes(plan, content, extras, open_piece, to, read_back, monitor);
    // A disk that is pulled out fails in many ways, and none of them names the cause.
    let is_gone = disk.is_some_and(|disk| !disk.exists());
    written.map_err(|error| match is_gone {
        true => MediaError::Unplugged {
            path: to.to_owned(),
        }
        .into(),
        false => error,
    })
}

fn write_volumes(
    plan: &SetPlan,
    content: &SetContent<'_>,
    extras: &SetExtras<'_>,
    open_piece: &mut OpenPiece<'_>,
    to: &Path,
    read_back: ReadBack,
    monitor: &dyn Monitor,
) -> Result<SetReport, VolumeError> {
    let descriptor = describe(plan, content)?;
    let encoded = descriptor.encode(plan.header.block_size)?;
    let set_id = set_id(&plan.header, content.catalog, &encoded);
    let header = SetHeader {
        set_id,
        ..plan.header
    };
    let geometry = Geometry::from_header(&header)?;
    let (statement, signed) =
        signatures::sign(&header, &descriptor, content.catalog, extras.signers)?;
    let mut companions = extras.companions.to_vec();
    companions.extend(signatures::files(&statement, &signed));
    let form = VolumeForm {
        carrier: plan.carrier,
        limit_bytes: plan.capacity.bytes(),
        read_back,
    };
    let facts = (1..=geometry.volume_count()).map(|no| descriptor.volume_facts(&header, no));
    let writers = facts
        .map(|facts| {
            let writer = form.create(to, facts, descriptor.page_notes(&header))?;
            Ok(writer.with_companions(companions.clone()))
        })
        .collect::<Result<Vec<_>, MediaError>>()?;

    monitor.start("payload", plan.piece_bytes.iter().sum());
    for (volume_no, pieces) in (1_u16..).zip(&plan.pieces) {
        let mut reader = Pieces::new(plan, open_piece, pieces.clone());
        write_payload(
            &geometry,
            &writers[usize::from(volume_no) - 1],
            &mut reader,
            monitor,
        )?;
    }
    monitor.finish();
    for writer in &writers {
        write_catalog(&geometry, writer, &descriptor, content.catalog)?;
        write_superblocks(&geometry, writer, &descriptor, &signed)?;
    }
    // Wide parity comes before local parity, because local groups protect it on the spare volumes.
    if geometry.stripe_count() > 0 {
        let blocks = u64::from(geometry.data_blocks()) * u64::from(geometry.volume_count());
        monitor.start("wide parity", header.block_size.total(blocks));
        encode_wide(&geometry, &writers, monitor)?;
        monitor.finish();
    }
    if geometry.group_count() > 0 {
        let blocks = u64::from(geometry.protected_blocks() + geometry.local_burst_blocks())
            * u64::from(geometry.volume_count());
        monitor.start("local parity", header.block_size.total(blocks));
        encode_local(&geometry, &writers, monitor)?;
        monitor.finish();
    }
    let volumes = finish_all(writers, plan, monitor)?;
    if is_removable(to) {
        // The names, too, are on the disk before anybody pulls it.
        sync_file_system(to).map_err(MediaError::io(to))?;
    }
    Ok(SetReport {
        header,
        volumes,
        written_bytes: plan.total_bytes(),
    })
}

/// Returns whether the planned superblocks have room for what this content says, and for so many signatures.
pub fn describes(plan: &SetPlan, content: &SetContent<'_>, signers: usize) -> bool {
    let size = plan.header.block_size;
    let described = describe(plan, content).and_then(|descriptor| descriptor.encode(size));
    let signatures = signers.saturating_mul(TEXT_MAX + SIGNATURE_HEAD_MAX);
    described.is_ok_and(|body| body.len().saturating_add(signatures) <= descriptor_max(size))
}

pub(super) fn describe(
    plan: &SetPlan,
    content: &SetContent<'_>,
) -> Result<SetDescriptor, VolumeError> {
    let catalog_bytes = content.catalog.len() as u64;
    if catalog_bytes > plan.catalog_room_bytes() {
        return Err(VolumeError::CatalogTooLarge {
            bytes: catalog_bytes,
            planned_bytes: plan.catalog_room_bytes(),
        });
    }
    Ok(SetDescriptor {
        title: content.title.to_owned(),
        releases: content.releases.to_vec(),
        created_by: content.created_by.to_owned(),
        payload_bytes: plan.payload_bytes(),
        catalog_bytes,
        catalog_hash: id::hash(content.catalog),
        facts: content.facts.to_vec(),
    })
}

/// The concatenated pieces of one volume, each exactly as long as planned.
pub(super) struct Pieces<'a, 'b> {
    plan: &'a SetPlan,
    open_piece: &'a mut OpenPiece<'b>,
    next: std::ops::Range<usize>,
    current: Option<(usize, u64, Box<dyn Read + 'b>)>,
}

impl<'a, 'b> Pieces<'a, 'b> {
    pub(super) fn new(
        plan: &'a SetPlan,
        open_piece: &'a mut OpenPiece<'b>,
        pieces: std::ops::Range<usize>,
    ) -> Self {
        Self {
            plan,
            open_piece,
            next: pieces,
            current: None,
        }
    }

    /// Fills `buf` as far as there are pieces, and returns the bytes read.
    pub(super) fn fill(&mut self, buf: &mut [u8]) -> Result<usize, VolumeError> {
        let mut done = 0;
        while done < buf.len() {
            let Some((piece_no, left, reader)) = &mut self.current else {
                let Some(piece_no) = self.next.next() else {
                    break;
                };
                let reader = (self.open_piece)(piece_no)
                    .map_err(|source| VolumeError::Piece { piece_no, source })?;
                self.current = Some((piece_no, self.plan.piece_bytes[piece_no], reader));
                continue;
            };
            let piece_no = *piece_no;
            let wrong_length = || VolumeError::PieceLength {
                piece_no,
                planned_bytes: self.plan.piece_bytes[piece_no],
            };
            let room = &mut buf[done..];
            let len = usize::try_from(*left).unwrap_or(usize::MAX).min(room.len());
            // At a piece's end one more byte is read, to detect a piece that is longer than planned.
            let mut beyond = [0];
            let target = if *left == 0 {
                &mut beyond[..]
            } else {
                &mut room[..len]
            };
            match reader.read(target) {
                Ok(0) if *left == 0 => self.current = None,
                Ok(read) if read > 0 && *left > 0 => {
                    *left -= read as u64;
                    done += read;
                }
                Ok(_) => return Err(wrong_length()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(VolumeError::Piece { piece_no, source }),
            }
        }
        Ok(done)
    }
}

fn write_payload(
    geometry: &Geometry,
    writer: &VolumeWriter,
    pieces: &mut Pieces<'_, '_>,
    monitor: &dyn Monitor,
) -> Result<(), VolumeError> {
    let block_payload = geometry.block_payload_bytes();
    let mut plain = vec![0; BATCH_BLOCKS * block_payload];
    let all: Vec<u32> = (0..geometry.data_blocks()).collect();
    for batch in all.chunks(BATCH_BLOCKS) {
        monitor.check_stop()?;
        let plain = &mut plain[..batch.len() * block_payload];
        let filled = pieces.fill(plain)?;
        // The buffer is reused, so the rest still has bytes of the last batch.
        plain[filled..].fill(0);
        write_blocks(geometry, writer, batch, plain, Geometry::data_place)?;
        monitor.advance(filled as u64);
    }
    // This read also ends the last piece, and detects one that is longer than planned.
    let beyond = pieces.fill(&mut [0])?;
    assert_eq!(beyond, 0, "the plan gave the volume room for its pieces");
    Ok(())
}

/// Seals and writes blocks with these indices. `plain` has their payloads.
fn write_blocks(
    geometry: &Geometry,
    writer: &VolumeWriter,
    indexes: &[u32],
    plain: &[u8],
    place_of: fn(&Geometry, u32) -> u32,
) -> Result<(), VolumeError> {
    let volume_no = writer.facts().volume_no;
    indexes
        .par_iter()
        .zip(plain.par_chunks(geometry.block_payload_bytes()))
        .try_for_each_init(
            || vec![0; geometry.block_bytes()],
            |block, (index, payload)| {
                let block_no = place_of(geometry, *index);
                block[HEADER_BYTES..HEADER_BYTES + payload.len()].copy_from_slice(payload);
                block[HEADER_BYTES + payload.len()..].fill(0);
                header_at(geometry, (volume_no, block_no)).seal(block);
                Ok(writer.write_run(block_no, block)?)
            },
        )
}

fn write_catalog(
    geometry: &Geometry,
    writer: &VolumeWriter,
    descriptor: &SetDescriptor,
    catalog: &[u8],
) -> Result<(), VolumeError> {
    let block_payload = geometry.block_payload_bytes();
    let mut plain = descriptor.to_file(geometry.block_size())?;
    // The descriptor has a block of its own, so that the catalog begins at a block.
    plain.resize(block_payload, 0);
    plain.extend_from_slice(catalog);
    plain.resize(geometry.catalog_blocks() as usize * block_payload, 0);
    let indexes: Vec<u32> = (0..geometry.catalog_blocks()).collect();
    write_blocks(geometry, writer, &indexes, &plain, Geometry::catalog_place)
}

/// Writes all superblocks of a volume.
pub(super) fn write_superblocks(
    geometry: &Geometry,
    writer: &VolumeWriter,
    descriptor: &SetDescriptor,
    signatures: &[Signature],
) -> Result<(), VolumeError> {
    let volume_no = writer.facts().volume_no;
    for block_no in geometry.superblocks() {
        let place = (volume_no, block_no);
        let block = superblock(geometry.header(), descriptor, signatures, place)?;
        writer.write_run(block_no, &block)?;
    }
    Ok(())
}

fn finish_all(
    writers: Vec<VolumeWriter>,
    plan: &SetPlan,
    monitor: &dyn Monitor,
) -> Result<Vec<PathBuf>, VolumeError> {
    monitor.start("flush", plan.total_bytes());
    let mut done: Vec<PathBuf> = Vec::new();
    for writer in writers {
        match writer.finish(monitor) {
            Ok(path) => done.push(path),
            Err(error) => {
                // A set is written completely or not at all, so the finished volumes are removed. A volume that cannot
                // be removed is at least whole.
                for path in done {
                    let _ = if path.is_dir() {
                        std::fs::remove_dir_all(path)
                    } else {
                        std::fs::remove_file(path)
                    };
                }
                return Err(error.into());
            }
        }
        monitor.advance(plan.volume_bytes());
    }
    monitor.finish();
    Ok(done)
}
