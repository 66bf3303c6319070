//! Large buffers that leave no holes in the heap.
//!
//! glibc puts blocks of up to 32 MiB into the heaps of its threads once a block of that length was freed. Large buffers
//! of changing lengths then leave holes there that nothing else fits. Where a delta was packed they were a fourth of
//! the memory at the peak. A longer block is always a mapping of its own, of which only what is written takes memory.

/// Shorter buffers are as good in the heap.
const LARGE_BYTES: usize = 1 << 20;
/// Above what glibc ever puts into a heap.
const MAPPED_BYTES: usize = (32 << 20) + 1;

/// Returns an empty buffer with room for `count` items. A large one takes memory for what is written into it, and is
/// given back as soon as it is dropped.
pub(crate) fn roomy<T>(count: usize) -> Vec<T> {
    let item_bytes = size_of::<T>().max(1);
    if count.saturating_mul(item_bytes) < LARGE_BYTES {
        Vec::with_capacity(count)
    } else {
        Vec::with_capacity(count.max(MAPPED_BYTES.div_ceil(item_bytes)))
    }
}

/// Copies bytes into a [`roomy`] buffer.
pub(crate) fn roomy_copy(bytes: &[u8]) -> Vec<u8> {
    let mut copy = roomy(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_are_longer_than_any_block_of_a_heap() {
        assert!(roomy::<u8>(LARGE_BYTES).capacity() >= MAPPED_BYTES);
        assert!(roomy::<u64>(LARGE_BYTES / 8).capacity() * 8 >= MAPPED_BYTES);
        assert!(roomy::<u8>(100 << 20).capacity() >= 100 << 20);
        assert!(roomy::<u64>(9).capacity() < 1000);
        assert_eq!(roomy_copy(b"some bytes"), b"some bytes");
    }
}
