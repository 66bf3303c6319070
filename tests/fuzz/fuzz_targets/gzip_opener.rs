//! Gzip files with damage here and there, of several members or with bytes behind, in a file of their own and in a tar: rebuilt the same.
#![no_main]

use std::io::Read;

use carryall_fuzz::{Numbers, hurt, noise, open_and_rebuild};
use flate2::Compression;
use flate2::read::GzEncoder;
use libfuzzer_sys::fuzz_target;

/// Shorter streams are kept as they came, and shorter files are chunks that nobody opens.
const NOISE_BYTES: usize = 6000;
const TAR_BYTES_MIN: usize = 80_000;

fn tar_of(body: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..5].copy_from_slice(b"layer");
    header[124..136].copy_from_slice(format!("{:011o}\0", body.len()).as_bytes());
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = header.to_vec();
    tar.extend_from_slice(body);
    tar.resize(tar.len().next_multiple_of(512).max(TAR_BYTES_MIN), 0);
    tar
}

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let (level, members, behind) = (
        numbers.next_u16() % 10,
        numbers.next_u16() % 3,
        numbers.next_u16() % 20,
    );
    let mut damage = Numbers(numbers.0);
    let mut packed = Vec::new();
    for _ in 0..=members {
        let plain = [&noise(NOISE_BYTES), input, input].concat();
        GzEncoder::new(&plain[..], Compression::new(level.into()))
            .read_to_end(&mut packed)
            .expect("memory is read");
    }
    packed.extend_from_slice(&noise(behind.into()));
    hurt(&mut packed, &mut damage);
    open_and_rebuild(input, "layer.gz");
    open_and_rebuild(&packed, "layer.gz");
    open_and_rebuild(&tar_of(&packed), "image.tar");
});
