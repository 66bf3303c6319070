//! Reed-Solomon over whole shards: computes parity and restores lost shards, under either code of the format.
//!
//! Only this module and its part call the Reed-Solomon crates. It cannot detect damage: a wrong shard that is passed as
//! present gives wrong results. Callers therefore check hashes first.

mod streaming;

use reed_solomon_erasure::galois_8;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

use crate::volumes::block::ParityCodec;

pub(crate) use self::streaming::StreamingEncoder;

/// Says why shards could not be computed or restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParityError {
    /// Counts that the code does not support.
    #[error("the code has no {data} + {parity} shards")]
    Unsupported {
        /// Data shards.
        data: usize,
        /// Parity shards.
        parity: usize,
    },
    /// Fewer shards are present than there are data shards.
    #[error("{present} shards are present and {needed} are needed")]
    TooFew {
        /// Shards that are present.
        present: usize,
        /// Shards that are needed.
        needed: usize,
    },
}

/// Bytes of every shard that are coded together. `gf16` needs multiples of 64. This size keeps a stripe of some 250
/// shards in the processor's cache.
const STRIP_BYTES: usize = 64 * 93;

/// One shard for [`Worker::restore`].
#[derive(Debug)]
pub enum Shard<'a> {
    /// It is present and right.
    Have(&'a [u8]),
    /// It is lost and not wanted.
    Lost,
    /// It is lost, and its bytes are written here.
    Want(&'a mut [u8]),
}

/// A code with fixed counts of shards. Threads share it, each with its own [`Worker`].
#[derive(Debug)]
pub struct ErasureCode {
    data: usize,
    parity: usize,
    gf8: Option<galois_8::ReedSolomon>,
}

impl ErasureCode {
    /// Prepares a code of `data` + `parity` shards.
    ///
    /// # Errors
    /// [`ParityError::Unsupported`] when the codec does not support these counts.
    pub fn new(codec: ParityCodec, data: usize, parity: usize) -> Result<Self, ParityError> {
        let unsupported = ParityError::Unsupported { data, parity };
        let gf8 = match codec {
            ParityCodec::Gf8 => {
                Some(galois_8::ReedSolomon::new(data, parity).map_err(|_| unsupported)?)
            }
            ParityCodec::Gf16 if ReedSolomonEncoder::supports(data, parity) => None,
            ParityCodec::Gf16 => return Err(unsupported),
        };
        Ok(Self { data, parity, gf8 })
    }

    /// Returns a worker: the code's scratch memory, for one thread.
    pub fn worker(&self) -> Worker<'_> {
        Worker {
            code: self,
            encoder: None,
            decoder: None,
        }
    }
}

/// Codes shards with its own scratch memory.
pub struct Worker<'a> {
    code: &'a ErasureCode,
    encoder: Option<ReedSolomonEncoder>,
    decoder: Option<ReedSolomonDecoder>,
}

fn encoder<'a>(
    slot: &'a mut Option<ReedSolomonEncoder>,
    code: &ErasureCode,
    strip_bytes: usize,
) -> &'a mut ReedSolomonEncoder {
    match slot {
        Some(encoder) => encoder
            .reset(code.data, code.parity, strip_bytes)
            .expect("counts were checked when the code was made, strips are even"),
        None => {
            *slot = Some(
                ReedSolomonEncoder::new(code.data, code.parity, strip_bytes)
                    .expect("counts were checked when the code was made, strips are even"),
            );
        }
    }
    slot.as_mut().expect("just filled")
}

fn strips(shard_bytes: usize, strip_bytes: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..shard_bytes)
        .step_by(strip_bytes)
        .map(move |at| at..(at + strip_bytes).min(shard_bytes))
}

impl Worker<'_> {
    /// Computes all parity shards. Every shard has the same length, a multiple of 64 bytes.
    ///
    /// # Panics
    /// When counts or lengths are not those of the code.
    pub fn encode(&mut self, data: &[&[u8]], parity: &mut [&mut [u8]]) {
        assert_eq!(
            (data.len(), parity.len()),
            (self.code.data, self.code.parity),
            "counts"
        );
        if let Some(gf8) = &self.code.gf8 {
            gf8.encode_sep(data, parity)
                .expect("counts and lengths are right");
            return;
        }
        for strip in strips(data[0].len(), STRIP_BYTES) {
            let encoder = encoder(&mut self.encoder, self.code, strip.len());
            for shard in data {
                encoder
                    .add_original_shard(&shard[strip.clone()])
                    .expect("lengths are equal");
            }
            let result = encoder.encode().expect("all data shards were given");
            for (out, made) in parity.iter_mut().zip(result.recovery_iter()) {
                out[strip.clone()].copy_from_slice(made);
            }
        }
    }

    /// Computes the wanted shards from the present ones.
    ///
    /// # Errors
    /// [`ParityError::TooFew`] when fewer shards are present than the code has data shards.
    ///
    /// # Panics
    /// When counts or lengths are not those of the code.
    pub fn restore(
        &mut self,
        data: &mut [Shard<'_>],
        parity: &mut [Shard<'_>],
    ) -> Result<(), ParityError> {
        assert_eq!(
            (data.len(), parity.len()),
            (self.code.data, self.code.parity),
            "counts"
        );
        let present = |shards: &[Shard<'_>]| {
            shards
                .iter()
                .filter(|shard| matches!(shard, Shard::Have(_)))
                .count()
        };
        let there = present(data) + present(parity);
        // With as many shards as data shards, both codes always succeed. The decoders below rely on it.
        if there < self.code.data {
            return Err(ParityError::TooFew {
                present: there,
                needed: self.code.data,
            });
        }
        let shard_bytes = data
            .iter()
            .chain(parity.iter())
            .find_map(|shard| match shard {
                Shard::Have(bytes) => Some(bytes.len()),
                _ => None,
            });
        let shard_bytes = shard_bytes.expect("a code has data shards, and that many are there");
        if let Some(gf8) = &self.code.gf8 {
            restore_gf8(gf8, data, parity, shard_bytes);
        } else {
            self.restore_gf16(data, parity, shard_bytes);
        }
        Ok(())
    }

    fn restore_gf16(
        &mut self,
        data: &mut [Shard<'_>],
        parity: &mut [Shard<'_>],
        shard_bytes: usize,
    ) {
        let code = self.code;
        let data_gone = data.iter().any(|shard| !matches!(shard, Shard::Have(_)));
        let parity_wanted = parity.iter().any(|shard| matches!(shard, Shard::Want(_)));
        for strip in strips(shard_bytes, STRIP_BYTES) {
            // The decoder restores data shards alone. Parity is computed from all data afterwards.
            let result = data_gone.then(|| {
                let decoder = decoder(&mut self.decoder, code, strip.len());
                add_present(decoder, data, parity, &strip);
                decoder.decode().expect("enough shards were given")
            });
            let restored = |index| {
                result
                    .as_ref()
                    .and_then(|result| result.restored_original(index))
                    .expect("what was not given is restored")
            };
            if parity_wanted {
                let encoder = encoder(&mut self.encoder, code, strip.len());
                for (index, shard) in data.iter().enumerate() {
                    let bytes = match shard {
                        Shard::Have(bytes) => &bytes[strip.clone()],
                        _ => restored(index),
                    };
                    encoder
                        .add_original_shard(bytes)
                        .expect("lengths are equal");
                }
                let made = encoder.encode().expect("all data shards were given");
                for (shard, bytes) in parity.iter_mut().zip(made.recovery_iter()) {
                    if let Shard::Want(out) = shard {
                        out[strip.clone()].copy_from_slice(bytes);
                    }
                }
            }
            for (index, shard) in data.iter_mut().enumerate() {
                if let Shard::Want(out) = shard {
                    out[strip.clone()].copy_from_slice(restored(index));
                }
            }
        }
    }
}

fn decoder<'a>(
    slot: &'a mut Option<ReedSolomonDecoder>,
    code: &ErasureCode,
    strip_bytes: usize,
) -> &'a mut ReedSolomonDecoder {
    match slot {
        Some(decoder) => decoder
            .reset(code.data, code.parity, strip_bytes)
            .expect("counts were checked when the code was made, strips are even"),
        None => {
            *slot = Some(
                ReedSolomonDecoder::new(code.data, code.parity, strip_bytes)
                    .expect("counts were checked when the code was made, strips are even"),
            );
        }
    }
    slot.as_mut().expect("just filled")
}

/// Gives the decoder all present data shards, and as many parity shards as data shards are missing.
fn add_present(
    decoder: &mut ReedSolomonDecoder,
    data: &[Shard<'_>],
    parity: &[Shard<'_>],
    strip: &std::ops::Range<usize>,
) {
    let mut missing = 0;
    for (index, shard) in data.iter().enumerate() {
        match shard {
            Shard::Have(bytes) => decoder
                .add_original_shard(index, &bytes[strip.clone()])
                .expect("each index once, lengths equal"),
            _ => missing += 1,
        }
    }
    for (index, shard) in parity.iter().enumerate() {
        // More parity than missing data would only cost time.
        if missing == 0 {
            break;
        }
        if let Shard::Have(bytes) = shard {
            decoder
                .add_recovery_shard(index, &bytes[strip.clone()])
                .expect("each index once, lengths equal");
            missing -= 1;
        }
    }
}

fn restore_gf8(
    gf8: &galois_8::ReedSolomon,
    data: &mut [Shard<'_>],
    parity: &mut [Shard<'_>],
    shard_bytes: usize,
) {
    let mut shards: Vec<(Vec<u8>, bool)> = data
        .iter()
        .chain(parity.iter())
        .map(|shard| match shard {
            Shard::Have(bytes) => (bytes.to_vec(), true),
            _ => (vec![0; shard_bytes], false),
        })
        .collect();
    gf8.reconstruct(&mut shards)
        .expect("enough shards were given");
    let (data_out, parity_out) = shards.split_at(data.len());
    hand_out(data, data_out);
    hand_out(parity, parity_out);
}

fn hand_out(shards: &mut [Shard<'_>], made: &[(Vec<u8>, bool)]) {
    for (shard, (bytes, _)) in shards.iter_mut().zip(made) {
        if let Shard::Want(out) = shard {
            out.copy_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn make(codec: ParityCodec, data: &[Vec<u8>], parity: usize) -> Vec<Vec<u8>> {
        let code = ErasureCode::new(codec, data.len(), parity).expect("supported");
        let mut out = vec![vec![0; data[0].len()]; parity];
        let slices: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        let mut outs: Vec<&mut [u8]> = out.iter_mut().map(Vec::as_mut_slice).collect();
        code.worker().encode(&slices, &mut outs);
        out
    }

    fn shards(count: usize, bytes: usize) -> Vec<Vec<u8>> {
        let byte = |shard: usize, at: usize| u8::try_from((shard * 131 + at * 7 + at / 251) % 256);
        (0..count)
            .map(|shard| {
                (0..bytes)
                    .map(|at| byte(shard, at).expect("below 256"))
                    .collect()
            })
            .collect()
    }

    /// Parity is part of the format, so these bytes may never change.
    #[test]
    fn parity_is_golden() {
        let data = shards(5, 128);
        let sum = |codec| crate::base::id::ChunkId::of(&make(codec, &data, 3).concat()).short();
        assert_eq!(
            (sum(ParityCodec::Gf16), sum(ParityCodec::Gf8)),
            ("f903a2d6".into(), "9d66b9d7".into())
        );
    }

    #[test]
    fn strips_do_not_change_parity() {
        let data = shards(7, STRIP_BYTES * 2 + 64);
        let whole = make(ParityCodec::Gf16, &data, 4);
        let tail: Vec<Vec<u8>> = data
            .iter()
            .map(|shard| shard[STRIP_BYTES * 2..].to_vec())
            .collect();
        let tails: Vec<Vec<u8>> = whole
            .iter()
            .map(|shard| shard[STRIP_BYTES * 2..].to_vec())
            .collect();
        assert_eq!(make(ParityCodec::Gf16, &tail, 4), tails);
    }

    #[test]
    fn counts_beyond_the_code_are_refused() {
        assert!(ErasureCode::new(ParityCodec::Gf8, 250, 7).is_err());
        assert!(ErasureCode::new(ParityCodec::Gf16, 0, 7).is_err());
    }

    proptest! {
        #[test]
        fn any_losses_up_to_the_parity_come_back(
            k in 1usize..12, m in 1usize..9, gf8: bool, order in proptest::collection::vec(any::<u32>(), 20), lose in 0usize..10,
        ) {
            let codec = if gf8 { ParityCodec::Gf8 } else { ParityCodec::Gf16 };
            let data = shards(k, 192);
            let parity = make(codec, &data, m);
            let mut places: Vec<usize> = (0..k + m).collect();
            places.sort_by_key(|place| order[*place]);
            let gone = &places[..lose.min(k + m)];
            let mut out = vec![vec![0; 192]; k + m];
            let mut all: Vec<Shard> = data.iter().chain(&parity).zip(&mut out).enumerate()
                .map(|(index, (bytes, out))| if gone.contains(&index) { Shard::Want(out) } else { Shard::Have(bytes) })
                .collect();
            let (left, right) = all.split_at_mut(k);
            let code = ErasureCode::new(codec, k, m).expect("supported");
            let done = code.worker().restore(left, right);
            prop_assert_eq!(done.is_ok(), gone.len() <= m);
            if done.is_ok() {
                for &index in gone {
                    prop_assert_eq!(&out[index], data.iter().chain(&parity).nth(index).expect("in range"));
                }
            }
        }
    }
}
