//! Packages of operating systems, packs, streams behind something else and directories of zips, of any bytes behind their
//! magics: rebuilt the same.
#![no_main]

use carryall_fuzz::{noise, open_and_rebuild};
use libfuzzer_sys::fuzz_target;

/// Shorter files are chunks that nobody opens.
const BYTES_MIN: usize = 66_000;
const BEGINNINGS: [&[u8]; 6] = [
    b"!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n",
    b"070701000000010000",
    b"\xed\xab\xee\xdb\x03\0",
    b"PACK\0\0\0\x02\0\0\x01\0",
    b"#!/bin/sh\n\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"7z\xbc\xaf\x27\x1c",
];

/// A zip behind something else, whose directory is any bytes.
fn zip_with(directory: &[u8]) -> Vec<u8> {
    let mut zip = noise(BYTES_MIN);
    zip[7..11].copy_from_slice(b"PK\x03\x04");
    let at = u32::try_from(zip.len()).expect("short");
    zip.extend_from_slice(b"PK\x01\x02");
    zip.extend_from_slice(directory);
    let bytes = u32::try_from(directory.len() + 4).expect("short");
    zip.extend_from_slice(b"PK\x05\x06\0\0\0\0\0\0\0\0");
    zip.extend_from_slice(&bytes.to_le_bytes());
    zip.extend_from_slice(&at.to_le_bytes());
    zip.extend_from_slice(&[0, 0]);
    zip
}

fuzz_target!(|input: &[u8]| {
    for beginning in BEGINNINGS {
        let mut file = [beginning, input].concat();
        open_and_rebuild(&file, "shop.bin");
        file.resize(file.len().max(BYTES_MIN), 0);
        open_and_rebuild(&file, "shop.bin");
    }
    open_and_rebuild(&zip_with(input), "shop.bin");
});
