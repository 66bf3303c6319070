//! Recognizes the volume on a medium from a few places, in seconds.
//!
//! It reads some megabytes at most, and gives up early where a drive cannot read. Who wants all of it scans the medium.

use std::path::Path;

use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader, BlockKind, HEADER_BYTES, MAGIC};
use crate::volumes::early::agree;
use crate::volumes::geometry::Geometry;
use crate::volumes::media::MediaSource;
use crate::volumes::media::kind::SECTOR_BYTES;
use crate::volumes::media::source::find_sources;
use crate::volumes::{SetDescriptor, VolumeError};

/// Bytes that are read at a place. They hold whole blocks wherever these begin.
const PLACE_BYTES: usize = 4 * BLOCK_BYTES;
/// Places at the beginning, one behind the other. Then come as many that are spread evenly over the medium.
const PLACES: u64 = 16;
/// Files of a folder that are examined.
const SOURCES_MAX: usize = 32;
/// Reads that may fail. Each can take a drive several seconds.
const FAILURES_MAX: u32 = 8;

/// What a look at a few places of a medium shows.
#[derive(Debug)]
pub(crate) enum Glimpse {
    /// A volume. Of its set only the descriptor of a superblock is known, when one was read.
    Volume(BlockHeader, Option<Box<SetDescriptor>>),
    /// No block of any volume at these places.
    Nothing,
    /// The drive could not read enough of it.
    Unread,
}

/// Looks for a volume at a few places of the medium at `path`.
///
/// # Errors
/// When nothing can be opened there, or a stop was asked for.
pub(crate) fn glimpse(path: &Path, monitor: &dyn Monitor) -> Result<Glimpse, VolumeError> {
    let sources = find_sources(&[path.to_owned()], monitor)?;
    let mut failures = 0;
    for source in sources.iter().take(SOURCES_MAX) {
        if let Some(found) = glimpse_source(source, &mut failures, monitor)? {
            return Ok(found);
        }
    }
    Ok(if failures > 0 {
        Glimpse::Unread
    } else {
        Glimpse::Nothing
    })
}

/// Returns the facts of the set on the medium at `path`, as names and values, or `None` when there are none.
pub(crate) fn facts_of(path: &Path, monitor: &dyn Monitor) -> Option<Vec<(String, String)>> {
    match glimpse(path, monitor) {
        Ok(Glimpse::Volume(_, Some(descriptor))) => Some(descriptor.facts),
        _ => None,
    }
}

fn glimpse_source(
    source: &MediaSource,
    failures: &mut u32,
    monitor: &dyn Monitor,
) -> Result<Option<Glimpse>, VolumeError> {
    // A stream is not begun for a look.
    if source.is_stream() {
        return Ok(None);
    }
    let reader = source.open()?;
    let size = reader.size_bytes();
    let first = (0..PLACES).map(|place| place * (PLACE_BYTES - BLOCK_BYTES) as u64);
    let spread = (1..=PLACES).map(|place| {
        let offset = size / (PLACES + 1) * place;
        offset - offset % SECTOR_BYTES
    });
    let mut bytes = vec![0; PLACE_BYTES];
    let mut hurt: Option<BlockHeader> = None;
    for offset in first.chain(spread).filter(|offset| *offset < size) {
        monitor.check_stop()?;
        if *failures >= FAILURES_MAX {
            return Ok(None);
        }
        let read = read(&*reader, offset, &mut bytes, failures);
        if let Some((at, header)) = block_in(&bytes[..read]) {
            let before = header.set.block_size.offset_of(header.block_no);
            let begin = (offset + at as u64).checked_sub(before);
            let descriptor = match SetDescriptor::in_block(&header, &bytes[at..read]) {
                None => begin.and_then(|begin| descriptor_of(&*reader, &header, begin, failures)),
                found => found,
            };
            return Ok(Some(Glimpse::Volume(header, descriptor.map(Box::new))));
        }
        // Where no block is whole, two headers that agree tell as much.
        for header in headers_in(&bytes[..read]) {
            if hurt.is_some_and(|before| agree(&before, &header)) {
                return Ok(Some(Glimpse::Volume(header, None)));
            }
            hurt = Some(header);
        }
    }
    Ok(None)
}

/// Returns the headers of damaged blocks at multiples of a sector.
fn headers_in(bytes: &[u8]) -> impl Iterator<Item = BlockHeader> {
    let step = usize::try_from(SECTOR_BYTES).unwrap_or(BLOCK_BYTES);
    let offsets = (0..bytes.len()).step_by(step);
    offsets.filter_map(|at| BlockHeader::peek(&bytes[at..]))
}

/// Returns the first whole block at a multiple of a sector, and where it begins.
fn block_in(bytes: &[u8]) -> Option<(usize, BlockHeader)> {
    let step = usize::try_from(SECTOR_BYTES).ok()?;
    let offsets = (0..bytes.len()).step_by(step);
    let mut blocks = offsets.filter_map(|at| {
        let block = bytes.get(at..)?;
        let is_block = block.starts_with(&MAGIC);
        let header = is_block.then(|| BlockHeader::open(block)).flatten()?;
        Some((at, header))
    });
    blocks.next()
}

/// Reads the descriptor from the superblocks of a volume that begins at `begin`.
fn descriptor_of(
    reader: &dyn ReadAt,
    header: &BlockHeader,
    begin: u64,
    failures: &mut u32,
) -> Option<SetDescriptor> {
    let geometry = Geometry::from_header(&header.set).ok()?;
    let mut block = vec![0; header.block_bytes()];
    geometry.superblocks().iter().find_map(|block_no| {
        if *failures >= FAILURES_MAX {
            return None;
        }
        let offset = begin + header.set.block_size.offset_of(*block_no);
        let read = read(reader, offset, &mut block, failures);
        let found = BlockHeader::open(block.get(..read)?)?;
        (found.set == header.set)
            .then(|| SetDescriptor::in_block(&found, &block))
            .flatten()
    })
}

impl SetDescriptor {
    /// Reads it from a whole block, when that is a superblock.
    fn in_block(header: &BlockHeader, block: &[u8]) -> Option<Self> {
        let geometry = Geometry::from_header(&header.set).ok()?;
        let payload = block.get(HEADER_BYTES..header.block_bytes())?;
        (header.kind == BlockKind::Superblock)
            .then(|| Self::from_superblock(&geometry, payload))
            .flatten()
    }
}

/// Reads up to the first error, and counts it. Returns how many bytes were read.
fn read(reader: &dyn ReadAt, offset: u64, bytes: &mut [u8], failures: &mut u32) -> usize {
    let mut done = 0;
    while done < bytes.len() {
        match reader.read_at(offset + done as u64, &mut bytes[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => {
                *failures += 1;
                break;
            }
        }
    }
    done
}
