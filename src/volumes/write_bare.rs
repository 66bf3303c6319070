//! Writes a bare bundle: head, catalog and payload, each piece behind the hash of the block that it is.
//!
//! The bytes go to any writer, from front to back. Memory: 8 MiB.

use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::signing::{self, SecretKey};
use crate::volumes::bare_head::BareHead;
use crate::volumes::block::{BLOCK_BYTES, BlockSize, HEADER_BYTES, SetHeader};
use crate::volumes::descriptor::set_id;
use crate::volumes::write::{OpenPiece, Pieces, describe};
use crate::volumes::{SetContent, SetPlan, VolumeError, signatures};

/// Blocks that are hashed and written at a time.
const BATCH_BLOCKS: usize = 64;

/// Where a bare bundle goes.
pub(crate) struct BareOutput<'a> {
    /// The writer.
    pub(crate) out: &'a mut dyn Write,
    /// The name of the place, for errors.
    pub(crate) path: &'a Path,
}

impl BareOutput<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), VolumeError> {
        let written = self.out.write_all(bytes);
        written.map_err(VolumeError::io(self.path))
    }
}

/// Writes the set that was planned by [`SetPlan::bare`], and returns its id and the bytes that were written. Advances the
/// monitor's current task by the bytes of the payload.
///
/// # Errors
/// [`VolumeError`] when a piece cannot be read or the file cannot be written, or a stop was asked for.
pub(crate) fn write_bare(
    plan: &SetPlan,
    content: &SetContent<'_>,
    signers: &[SecretKey],
    open_piece: &mut OpenPiece<'_>,
    mut to: BareOutput<'_>,
    monitor: &dyn Monitor,
) -> Result<(SetId, u64), VolumeError> {
    let descriptor = describe(plan, content)?;
    let encoded = descriptor.encode(BlockSize::Full)?;
    let header = SetHeader {
        set_id: set_id(&plan.header, content.catalog, &encoded),
        ..plan.header
    };
    let (_, signed) = signatures::sign(&header, &descriptor, content.catalog, signers)?;
    let signed = match &signed[..] {
        [] => Vec::new(),
        some => signing::list_to_file(some),
    };
    let payload: u64 = plan.piece_bytes.iter().sum();
    let catalog_bytes = content.catalog.len() as u64;
    let file = descriptor.to_file(BlockSize::Full)?;
    let too_long = || VolumeError::DescriptorTooLarge {
        bytes: file.len() + signed.len(),
        limit_bytes: BlockSize::Full.payload_bytes() - BlockSize::Full.text_bytes(),
    };
    let head = BareHead::new(&header, &file, &signed, catalog_bytes, payload);
    let head = head.ok_or_else(too_long)?;
    to.put(&head.to_bytes())?;
    let geometry = head.geometry();
    let block_payload = geometry.block_payload_bytes();
    for (index, part) in (1..).zip(content.catalog.chunks(block_payload)) {
        let mut block = block_of(part);
        head.header_of(geometry.catalog_place(index))
            .seal(&mut block);
        to.put(piece_of(&block, part.len()))?;
    }
    let mut pieces = Pieces::new(plan, open_piece, 0..plan.piece_bytes.len());
    let mut plain = vec![0; BATCH_BLOCKS * block_payload];
    let mut index = 0_u32;
    loop {
        monitor.check_stop()?;
        let filled = pieces.fill(&mut plain)?;
        let parts: Vec<(u32, &[u8])> = (index..)
            .zip(plain[..filled].chunks(block_payload))
            .collect();
        let blocks: Vec<(Vec<u8>, usize)> = parts
            .par_iter()
            .map(|(index, part)| {
                let mut block = block_of(part);
                head.header_of(geometry.data_place(*index)).seal(&mut block);
                (block, part.len())
            })
            .collect();
        for (block, len) in &blocks {
            to.put(piece_of(block, *len))?;
            index += 1;
        }
        monitor.advance(filled as u64);
        if filled < plain.len() {
            break;
        }
    }
    let padding = head.file_bytes() - head.content_bytes();
    to.put(&vec![0; usize::try_from(padding).unwrap_or(0)])?;
    Ok((header.set_id, head.file_bytes()))
}

fn block_of(part: &[u8]) -> Vec<u8> {
    let mut block = vec![0; BLOCK_BYTES];
    block[HEADER_BYTES..HEADER_BYTES + part.len()].copy_from_slice(part);
    block
}

/// Returns what stands in the file of a sealed block: its hash and its content.
fn piece_of(block: &[u8], len: usize) -> &[u8] {
    &block[HEADER_BYTES - 16..HEADER_BYTES + len]
}
