//! Bzip2 files with damage here and there, of several streams or with bytes behind: rebuilt the same.
#![no_main]

use bzip2::Compression;
use carryall_fuzz::{Numbers, hurt, noise, open_and_rebuild};
use libfuzzer_sys::fuzz_target;
use std::io::Read;

/// Shorter streams are kept as they came.
const NOISE_BYTES: usize = 6000;

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let (level, streams, behind) = (
        numbers.next_u16() % 9 + 1,
        numbers.next_u16() % 3,
        numbers.next_u16() % 20,
    );
    let mut damage = Numbers(numbers.0);
    let mut packed = Vec::new();
    for _ in 0..=streams {
        let plain = [&noise(NOISE_BYTES), input, input].concat();
        bzip2::read::BzEncoder::new(&plain[..], Compression::new(level.into()))
            .read_to_end(&mut packed)
            .expect("memory is read");
    }
    packed.extend_from_slice(&noise(behind.into()));
    hurt(&mut packed, &mut damage);
    open_and_rebuild(&packed, "layer.bz2");
});
