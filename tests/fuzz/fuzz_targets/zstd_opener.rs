//! Frames of the model of klauspost's encoder, of any settings and with flushes: zstd reads them, and with damage here and there
//! they are rebuilt the same.
#![no_main]

use carryall::recode::{EncodeOptions, RecodeError, reconstruct};
use carryall_fuzz::{Numbers, hurt, noise, open_and_rebuild};
use libfuzzer_sys::fuzz_target;

/// Shorter streams are kept as they came.
const NOISE_BYTES: usize = 6000;
/// Header without a checksum and a size.
const MAGIC: [u8; 5] = [0x28, 0xb5, 0x2f, 0xfd, 0];

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let mut below = |limit: u16| (numbers.next_u16() % limit).to_le_bytes()[0];
    let (era, level, window) = (below(5) + 1, below(3) + 1, below(6) + 12);
    let block = window.min(if level == 1 { 16 } else { 17 });
    let (repeats, zeros) = (usize::from(below(5)), usize::from(below(3)));
    let mut damage = Numbers(numbers.0);
    let mut plain = noise(NOISE_BYTES);
    for _ in 0..=repeats {
        plain.extend_from_slice(input);
        plain.extend(vec![0; zeros * 5000]);
    }
    let flush = usize::from(damage.next_u16()) % (plain.len() - 1) + 1;
    let mut recipe = vec![1, 0, 6, 0, 0, 0, 0, 0, 0, 0];
    recipe.extend_from_slice(&MAGIC);
    recipe.extend_from_slice(&[(window - 10) << 3, 1, 4, era, level, window, block, 4]);
    recipe.extend_from_slice(&(flush as u64).to_le_bytes());
    recipe.push(2);
    recipe.extend_from_slice(&((plain.len() - flush) as u64).to_le_bytes());
    let mut packed = Vec::new();
    let options = EncodeOptions {
        stream_bytes: 1 << 30,
        threads: 1,
    };
    let made = reconstruct(&mut &recipe[..], &mut &plain[..], &mut packed, &options);
    assert!(matches!(made, Err(RecodeError::Length)));
    assert!(zstd::decode_all(&packed[..]).expect("what the model writes is zstd") == plain);
    hurt(&mut packed, &mut damage);
    open_and_rebuild(&packed, "layer.zst");
});
