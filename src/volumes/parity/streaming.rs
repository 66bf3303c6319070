//! Computes parity from data shards that come a few at a time, and gives the bytes that the whole code gives.
//!
//! A code with less parity than data works in chunks of as many data shards as it has parity, rounded up to a power of
//! two. Each chunk is transformed by itself and added to a sum, and one last transform of the sum is the parity. So a
//! chunk is all that is held, and strips of it stay in the processor's cache.

use reed_solomon_simd::engine::{DefaultEngine, Engine, ShardsRefMut};

use super::ErasureCode;

/// The codes compute on 64 bytes at a time.
const LANE: usize = 64;
/// Bytes of one strip of a chunk. It and the strip of the sum are in the cache of one core together.
const STRIP_BYTES: usize = 128 << 10;

/// Takes data shards chunk by chunk, in their order.
pub(crate) struct StreamingEncoder {
    engine: DefaultEngine,
    chunk_shards: usize,
    /// Lanes of a shard, and of one strip of it.
    shard_lanes: usize,
    strip_lanes: usize,
    /// The sum, strip by strip. A strip has that part of all shards.
    sum: Vec<[u8; LANE]>,
    work: Vec<[u8; LANE]>,
    /// Shards that were taken.
    taken: usize,
}

impl ErasureCode {
    /// Returns the most shards that [`StreamingEncoder::add`] takes at a time. `None` when this code needs all data
    /// shards at once.
    pub(crate) fn chunk_shards(&self) -> Option<usize> {
        let (data, parity) = (
            self.data.next_power_of_two(),
            self.parity.next_power_of_two(),
        );
        // Of two codes that restore the same, the crate chooses by these counts. Their parity differs.
        let is_chunked = data > parity || (data == parity && self.data <= self.parity);
        (self.gf8.is_none() && is_chunked).then_some(parity)
    }
}

impl StreamingEncoder {
    /// Prepares an encoder for codes with this many shards in a chunk. `shard_bytes` is a multiple of 64.
    pub(crate) fn new(chunk_shards: usize, shard_bytes: usize) -> Self {
        assert!(shard_bytes.is_multiple_of(LANE), "shards are whole lanes");
        let shard_lanes = shard_bytes / LANE;
        let strip_lanes = (STRIP_BYTES / LANE / chunk_shards).clamp(1, shard_lanes);
        Self {
            engine: DefaultEngine::new(),
            chunk_shards,
            shard_lanes,
            strip_lanes,
            sum: vec![[0; LANE]; chunk_shards * shard_lanes],
            work: vec![[0; LANE]; chunk_shards * strip_lanes],
            taken: 0,
        }
    }

    /// Takes the next data shards: a whole chunk, or what is left.
    ///
    /// # Panics
    /// When a chunk before this one was not whole, or a shard has another length.
    pub(crate) fn add(&mut self, shards: &[&[u8]]) {
        let chunk = self.chunk_shards;
        assert!(
            shards.len() <= chunk && self.taken.is_multiple_of(chunk),
            "chunk after chunk"
        );
        let skew = self.taken + chunk;
        let mut from = 0;
        while from < self.shard_lanes {
            let lanes = self.strip_lanes.min(self.shard_lanes - from);
            let sum = &mut self.sum[chunk * from..chunk * (from + lanes)];
            let work = if self.taken == 0 {
                &mut *sum
            } else {
                &mut self.work[..chunk * lanes]
            };
            for (row, shard) in work.chunks_mut(lanes).zip(shards) {
                let (whole, _) = shard.as_chunks::<LANE>();
                row.copy_from_slice(&whole[from..from + lanes]);
            }
            work[shards.len() * lanes..].fill([0; LANE]);
            let mut rows = ShardsRefMut::new(chunk, lanes, work);
            self.engine.ifft(&mut rows, 0, chunk, shards.len(), skew);
            if self.taken > 0 {
                add_to(sum, &self.work[..chunk * lanes]);
            }
            from += lanes;
        }
        self.taken += shards.len();
    }

    /// Writes the parity of all that was taken, and begins anew.
    ///
    /// # Panics
    /// When a shard has another length.
    pub(crate) fn finish(&mut self, parity: &mut [&mut [u8]]) {
        let chunk = self.chunk_shards;
        let mut from = 0;
        while from < self.shard_lanes {
            let lanes = self.strip_lanes.min(self.shard_lanes - from);
            let sum = &mut self.sum[chunk * from..chunk * (from + lanes)];
            let mut rows = ShardsRefMut::new(chunk, lanes, sum);
            self.engine.fft(&mut rows, 0, chunk, parity.len(), 0);
            for (row, out) in sum.chunks(lanes).zip(parity.iter_mut()) {
                let (whole, _) = out.as_chunks_mut::<LANE>();
                whole[from..from + lanes].copy_from_slice(row);
            }
            from += lanes;
        }
        self.taken = 0;
    }
}

fn add_to(sum: &mut [[u8; LANE]], more: &[[u8; LANE]]) {
    let pairs = sum.as_flattened_mut().iter_mut().zip(more.as_flattened());
    for (byte, other) in pairs {
        *byte ^= other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volumes::block::ParityCodec;
    use proptest::prelude::*;

    /// The parity of `data`, taken whole and taken in chunks.
    fn both_ways(data: &[Vec<u8>], parity: usize) -> Option<[Vec<Vec<u8>>; 2]> {
        let code = ErasureCode::new(ParityCodec::Gf16, data.len(), parity).expect("supported");
        let shards: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        let chunk = code.chunk_shards()?;
        let mut ways = [(); 2].map(|()| vec![vec![9; data[0].len()]; parity]);
        let [whole, chunked] = &mut ways;
        let mut outs: Vec<&mut [u8]> = whole.iter_mut().map(Vec::as_mut_slice).collect();
        code.worker().encode(&shards, &mut outs);
        let mut encoder = StreamingEncoder::new(chunk, data[0].len());
        // The second time shows that nothing is left of the first.
        for _ in 0..2 {
            shards.chunks(chunk).for_each(|some| encoder.add(some));
            let mut outs: Vec<&mut [u8]> = chunked.iter_mut().map(Vec::as_mut_slice).collect();
            encoder.finish(&mut outs);
        }
        Some(ways)
    }

    fn shards(count: usize, bytes: usize, seed: u8) -> Vec<Vec<u8>> {
        let byte = |shard: usize, at: usize| (shard * 167 + at * 59 + at / 64 * 13) % 251;
        let shard = |shard| {
            let bytes = (0..bytes).map(|at| u8::try_from(byte(shard, at)).expect("below 251"));
            bytes.map(|byte| byte.wrapping_mul(seed | 1)).collect()
        };
        (0..count).map(shard).collect()
    }

    #[test]
    fn stripes_and_groups_of_usual_sizes_have_the_same_parity_in_chunks() {
        for (data, parity) in [(152, 38), (457, 16), (128, 32), (200, 1), (64, 64), (9, 8)] {
            let ways = both_ways(&shards(data, 64 * 1023, 3), parity).expect("chunks");
            assert_eq!(ways[0], ways[1], "{data} + {parity}");
        }
    }

    #[test]
    fn codes_that_need_everything_at_once_say_so() {
        let chunk = |codec, data, parity| {
            let code = ErasureCode::new(codec, data, parity).expect("supported");
            code.chunk_shards()
        };
        assert_eq!(chunk(ParityCodec::Gf16, 100, 70), None);
        assert_eq!(chunk(ParityCodec::Gf16, 3, 9), None);
        assert_eq!(chunk(ParityCodec::Gf8, 100, 7), None);
        assert_eq!(chunk(ParityCodec::Gf16, 100, 60), Some(64));
    }

    proptest! {
        #[test]
        fn chunks_do_not_change_parity(data in 1_usize..90, parity in 1_usize..40, lanes in 1_usize..9, seed: u8) {
            if let Some([whole, chunked]) = both_ways(&shards(data, 64 * lanes, seed), parity) {
                prop_assert_eq!(whole, chunked);
            }
        }
    }
}
