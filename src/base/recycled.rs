//! Large buffers that are used again, since a new one costs a page fault for every 4 KiB that is written into it.
//!
//! A buffer that is dropped waits on a shelf for the next one of about its length. All threads share the shelf. It holds
//! at most 128 MiB. Beyond that, those that have waited longest are given back to the system.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut, RangeInclusive};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter buffers are as good in the heap, longer ones are too rare to wait for.
const SHELVED_BYTES: RangeInclusive<usize> = (1 << 20)..=(32 << 20);
/// Room of all buffers that wait.
const SHELF_BYTES: usize = 128 << 20;

static SHELF: Mutex<Shelf> = Mutex::new(Shelf::EMPTY);

/// Empty buffers, the one that has waited longest first, and the room that they have together.
struct Shelf {
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Shelf {
    const EMPTY: Self = Self {
        buffers: VecDeque::new(),
        bytes: 0,
    };

    fn lock() -> MutexGuard<'static, Self> {
        SHELF.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the smallest buffer with room for `bytes`, if there is one with at most twice as much.
    fn take(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let rooms = self.buffers.iter().map(Vec::capacity).enumerate();
        let fitting = rooms.filter(|(_, room)| (bytes..=bytes.saturating_mul(2)).contains(room));
        let (at, room) = fitting.min_by_key(|(_, room)| *room)?;
        self.bytes -= room;
        self.buffers.remove(at)
    }

    /// Returns the buffers for which there is no place any more.
    fn put(&mut self, buffer: Vec<u8>) -> Vec<Vec<u8>> {
        self.bytes += buffer.capacity();
        self.buffers.push_back(buffer);
        let mut gone = Vec::new();
        while self.bytes > SHELF_BYTES
            && let Some(oldest) = self.buffers.pop_front()
        {
            self.bytes -= oldest.capacity();
            gone.push(oldest);
        }
        gone
    }
}

/// Bytes whose buffer is used again when they are dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecycledBytes(Vec<u8>);

impl RecycledBytes {
    /// Returns an empty buffer with room for `bytes`, and for twice as much at most.
    pub(crate) fn with_room(bytes: usize) -> Self {
        if !SHELVED_BYTES.contains(&bytes) {
            return Self(Vec::with_capacity(bytes));
        }
        let waiting = Shelf::lock().take(bytes);
        // What is not written takes no memory, so rooms are rounded up and fit more lengths.
        Self(waiting.unwrap_or_else(|| Vec::with_capacity(bytes.next_power_of_two())))
    }
}

impl From<Vec<u8>> for RecycledBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for RecycledBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for RecycledBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for RecycledBytes {
    fn drop(&mut self) {
        if SHELVED_BYTES.contains(&self.0.capacity()) {
            self.0.clear();
            let gone = Shelf::lock().put(std::mem::take(&mut self.0));
            // They go back to the system when the shelf is free for others again.
            drop(gone);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_gives_the_smallest_buffer_that_fits() {
        let mut shelf = Shelf::EMPTY;
        for room in [8 << 20, 2 << 20, 4 << 20] {
            assert!(shelf.put(Vec::with_capacity(room)).is_empty());
        }
        assert_eq!(shelf.take(3 << 20).unwrap().capacity(), 4 << 20);
        assert!(
            shelf.take(3 << 20).is_none(),
            "8 MiB are more than twice as much"
        );
        assert_eq!(shelf.take(5 << 20).unwrap().capacity(), 8 << 20);
        assert_eq!(shelf.bytes, 2 << 20);
    }

    #[test]
    fn those_that_waited_longest_make_room() {
        let mut shelf = Shelf::EMPTY;
        let small = SHELF_BYTES / 16;
        for _ in 0..16 {
            assert!(shelf.put(Vec::with_capacity(small)).is_empty());
        }
        let gone = shelf.put(Vec::with_capacity(2 * small));
        assert_eq!(gone.iter().map(Vec::capacity).sum::<usize>(), 2 * small);
        assert_eq!(shelf.bytes, SHELF_BYTES);
        assert_eq!(shelf.take(2 * small).unwrap().capacity(), 2 * small);
    }

    #[test]
    fn what_was_in_a_buffer_is_gone() {
        let mut first = RecycledBytes::with_room(1 << 20);
        first.extend_from_slice(&[7; 1 << 20]);
        drop(first);
        let second = RecycledBytes::with_room(1 << 20);
        assert!(second.is_empty() && second.capacity() >= 1 << 20);
    }
}
