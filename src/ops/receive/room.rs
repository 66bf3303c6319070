//! Checks the room for what is received: for the volumes at hand before they are read, and for the whole set as soon as
//! its size is known.
//!
//! A set takes room for its staged blocks and then for its releases, before the staged blocks are removed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::id::SetId;
use crate::base::monitor::Silent;
use crate::ops::receive::commit;
use crate::ops::receive::staged_set::Staged;
use crate::ops::space::free_bytes;
use crate::ops::{Error, blob_cache};
use crate::store::Store;
use crate::volumes::Staging;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader};
use crate::volumes::media::source::find_sources;
use crate::volumes::staging::open_all;

/// Offset of the magic of an ISO 9660 image.
const ISO_MAGIC_OFFSET: usize = 0x8001;

/// Room that a set still takes until it is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Room {
    /// What receiving takes from now on: blocks that are not staged yet, and the releases in the store.
    pub needed_bytes: u64,
    /// Free space of the store, including cached copies that are dropped when room is short.
    pub free_bytes: u64,
}

impl Room {
    /// Returns whether there is enough.
    pub fn suffices(&self) -> bool {
        self.free_bytes >= self.needed_bytes
    }

    pub(super) fn of(store: &Store, staged: &Staged) -> Result<Self, Error> {
        let payload: u64 = match staged.selection() {
            Some(selection) => selection.payload_bytes(),
            None => staged.staging().descriptor().map_or(0, |known| {
                let all = known.payload_bytes.iter();
                all.fold(0, |sum: u64, bytes| sum.saturating_add(*bytes))
            }),
        };
        let needed = staged.staging().growth_bytes();
        Ok(Self {
            needed_bytes: needed.saturating_add(commit::growth_bytes(payload)),
            free_bytes: free_bytes(store.dir())?.saturating_add(store.cached_bytes()?),
        })
    }
}

/// Converts a full disk to an error that says how much more room is needed, and that what came is kept. Other errors
/// stay.
pub(super) fn if_full(store: &Store, error: Error) -> Error {
    if matches!(error, Error::DiskFull { .. }) || !is_full(&error) {
        return error;
    }
    let sets = open_all(&store.incoming_dir()).unwrap_or_default();
    let rooms = sets
        .into_iter()
        .filter_map(|set| Room::of(store, &Staged::Undescribed(set)).ok());
    let needed_bytes = rooms.map(|room| room.needed_bytes).max().unwrap_or(0);
    Error::DiskFull {
        path: store.dir().to_owned(),
        needed_bytes,
        source: Box::new(error),
    }
}

fn is_full(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| {
            matches!(
                io.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            )
        }) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Checks the growth of the staged sets: volumes that begin at the start of a file, and images. Other files next to
/// them do not count.
pub(super) fn check_space(store: &Store, paths: &[PathBuf]) -> Result<(), Error> {
    let sources = find_sources(paths, &Silent)?;
    // For each volume the bytes that it claims and the bytes that are there. A claim alone reserves no room, and copies
    // count once.
    let mut volumes: BTreeMap<(SetId, u16), (u64, u64)> = BTreeMap::new();
    let mut images_bytes = 0;
    let mut start = vec![0; BLOCK_BYTES];
    for source in &sources {
        // What a stream brings shows when it comes.
        if source.is_stream() {
            continue;
        }
        // A file that cannot be opened or read is reported when it is scanned.
        let Ok(reader) = source.open() else { continue };
        let read = reader.read_at(0, &mut start).unwrap_or(0);
        if let Some(header) = BlockHeader::peek(&start[..read]) {
            let bytes = header.set.volume_bytes();
            let volume = volumes
                .entry((header.set.set_id, header.volume_no))
                .or_default();
            *volume = (bytes, volume.1.saturating_add(source.bytes));
        } else if start[..read].get(ISO_MAGIC_OFFSET..ISO_MAGIC_OFFSET + 5) == Some(b"CD001") {
            images_bytes += source.bytes;
        }
    }
    let blocks: u64 = volumes
        .values()
        .map(|(claimed, there)| *claimed.min(there))
        .sum();
    let media = blocks.saturating_add(images_bytes);
    // Blocks that are already staged are not written again.
    let spooled: u64 = open_all(&store.incoming_dir())?
        .iter()
        .map(Staging::staged_bytes)
        .sum();
    blob_cache::make_room(store, media.saturating_sub(spooled))
}
