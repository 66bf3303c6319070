//! A file of any bytes, a tar more or less: what is opened is rebuilt the same.
#![no_main]

use carryall_fuzz::open_and_rebuild;
use libfuzzer_sys::fuzz_target;

/// Puts a right checksum into every header place, so that what is taken for a member is decided behind it.
fn with_checksums(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    bytes.resize(input.len().next_multiple_of(512).max(1024), 0);
    // Files of a few KiB are chunks that nobody opens.
    let repeats = 40_000_usize.div_ceil(bytes.len());
    let mut bytes = bytes.repeat(repeats);
    for block in bytes.chunks_exact_mut(512) {
        if block[257] & 1 == 0 {
            block[257..265].copy_from_slice(b"ustar\x0000");
        }
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes
}

fuzz_target!(|input: &[u8]| {
    open_and_rebuild(input, "fuzz.tar");
    open_and_rebuild(&with_checksums(input), "fuzz.tar");
});
