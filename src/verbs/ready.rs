//! Which blobs are kept ready at a site: deflate streams, which take long to make again and are asked for as they are.
//!
//! They are worth it as long as there is room to spare, and go first when room is short.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::media::free_space_bytes;
use crate::recipe::rebuild::first_op;
use crate::recipe::{ChunkSource, Content, Op};
use crate::store::{ReadyWriter, Store};
use crate::verbs::Error;
use crate::verbs::space::Space;

/// Shorter streams are made again faster than they are found.
const KEPT_BYTES_MIN: u64 = 1 << 20;

/// Keeps what is worth it, as long as all copies take no more than half of the room that would be free without any.
pub(super) struct Keeper<'a> {
    store: &'a Store,
    room_bytes: AtomicU64,
}

impl<'a> Keeper<'a> {
    /// Looks up the room.
    ///
    /// # Errors
    /// [`Error::Media`] when the file system does not say; what the store says.
    pub(super) fn new(store: &'a Store) -> Result<Self, Error> {
        let ready_bytes: u64 = store.ready_copies()?.values().sum();
        let free_bytes = free_space_bytes(store.dir())?;
        let most_bytes = free_bytes.saturating_add(ready_bytes) / 2;
        Ok(Self {
            store,
            room_bytes: AtomicU64::new(most_bytes.saturating_sub(ready_bytes)),
        })
    }

    /// Takes the bytes of a content that is about to be rebuilt from `source`, or passes them over.
    pub(super) fn begin<S: ChunkSource>(&self, source: &S, content: &Content) -> Keeping<'a> {
        let kept = self.is_worth_it(source, content) && self.take_room(content.bytes());
        // Without the copy everything works, only slower.
        let writer = kept.then(|| self.store.keep_ready(content.id()).ok().flatten());
        Keeping(writer.flatten())
    }

    fn is_worth_it<S: ChunkSource>(&self, source: &S, content: &Content) -> bool {
        let Content::Blob(blob) = content else {
            return false;
        };
        blob.bytes >= KEPT_BYTES_MIN
            && matches!(first_op(source, &blob.recipe), Ok(Some(Op::Deflate { .. })))
    }

    fn take_room(&self, bytes: u64) -> bool {
        let order = Ordering::Relaxed;
        let taken = |room: u64| room.checked_sub(bytes);
        self.room_bytes.fetch_update(order, order, taken).is_ok()
    }
}

/// A copy on its way, or nothing. A copy that cannot be written keeps nobody from going on.
#[derive(Default)]
pub(super) struct Keeping<'a>(Option<ReadyWriter<'a>>);

impl Keeping<'_> {
    /// Keeps the copy, now that the bytes are known to be right.
    pub(super) fn finish(self) {
        if let Some(writer) = self.0 {
            let _ = writer.finish();
        }
    }
}

impl Write for Keeping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(writer) = &mut self.0
            && writer.write_all(bytes).is_err()
        {
            self.0 = None;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes sure that there is room in the store's folder, at the cost of what is kept ready when that is enough.
///
/// # Errors
/// [`Error::NoSpace`]; what the store says.
pub(super) fn make_room(store: &Store, needed_bytes: u64) -> Result<(), Error> {
    let room = || Space::in_folder(store.dir(), needed_bytes);
    let before = room()?;
    if before.free_bytes < needed_bytes {
        let ready = store.ready_copies()?;
        let ready_bytes: u64 = ready.values().sum();
        if before.free_bytes.saturating_add(ready_bytes) >= needed_bytes {
            store.drop_ready(ready.keys())?;
        }
    }
    room()?.check()
}
