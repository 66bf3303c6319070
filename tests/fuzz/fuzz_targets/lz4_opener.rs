//! Lz4 frames with damage here and there, several of them or with bytes behind: rebuilt the same.
#![no_main]

use std::io::Write;

use carryall_fuzz::{Numbers, hurt, noise, open_and_rebuild};
use libfuzzer_sys::fuzz_target;
use lz4::{BlockMode, BlockSize, EncoderBuilder};

/// Shorter streams are kept as they came.
const NOISE_BYTES: usize = 6000;

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let (level, frames, behind, linked) = (
        numbers.next_u16() % 13,
        numbers.next_u16() % 3,
        numbers.next_u16() % 20,
        numbers.next_u16() % 2,
    );
    let mut damage = Numbers(numbers.0);
    let mut packed = Vec::new();
    for _ in 0..=frames {
        let plain = [&noise(NOISE_BYTES), input, &vec![7; 70_000], input].concat();
        let mut builder = EncoderBuilder::new();
        builder.level(level.into()).block_size(BlockSize::Max64KB).block_checksum(lz4::liblz4::BlockChecksum::NoBlockChecksum);
        builder.block_mode(if linked == 1 { BlockMode::Linked } else { BlockMode::Independent });
        let mut encoder = builder.build(&mut packed).expect("memory is written");
        encoder.write_all(&plain).expect("memory is written");
        encoder.finish().1.expect("memory is written");
    }
    packed.extend_from_slice(&noise(behind.into()));
    hurt(&mut packed, &mut damage);
    open_and_rebuild(&packed, "layer.lz4");
});
