//! Zip files of deflated and stored members, with data descriptors or without, with damage here and there: rebuilt the same.
#![no_main]

use std::io::Read;

use carryall_fuzz::{Numbers, hurt, noise, open_and_rebuild};
use flate2::Compression;
use flate2::read::DeflateEncoder;
use libfuzzer_sys::fuzz_target;

/// Shorter files are chunks that nobody opens.
const STORED_BYTES: usize = 66_000;

/// A local header, the member, and what may follow it.
fn member(zip: &mut Vec<u8>, body: &[u8], plain: &[u8], numbers: &mut Numbers<'_>) {
    let shape = numbers.next_u16();
    let (is_deflated, has_descriptor) = (body.len() != plain.len(), shape & 1 == 1);
    let mut crc = flate2::Crc::new();
    crc.update(plain);
    let mut sizes = crc.sum().to_le_bytes().to_vec();
    sizes.extend_from_slice(&u32::try_from(body.len()).expect("short").to_le_bytes());
    sizes.extend_from_slice(&u32::try_from(plain.len()).expect("short").to_le_bytes());
    let (name, extra) = (b"a/B.class", noise(usize::from(shape >> 8) % 12));
    zip.extend_from_slice(b"PK\x03\x04\x14\0");
    zip.extend_from_slice(&[u8::from(has_descriptor) << 3, 0, u8::from(is_deflated) << 3]);
    zip.extend_from_slice(&[0, 1, 2, 3, 4]);
    zip.extend_from_slice(if has_descriptor { &[0; 12] } else { &sizes });
    zip.extend_from_slice(&[9, 0, u8::try_from(extra.len()).expect("short"), 0]);
    zip.extend_from_slice(name);
    zip.extend_from_slice(&extra);
    zip.extend_from_slice(body);
    if has_descriptor {
        zip.extend_from_slice(if shape & 2 == 0 { b"PK\x07\x08" } else { b"" });
        zip.extend_from_slice(&sizes);
    }
}

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let (level, members) = (numbers.next_u16() % 10, numbers.next_u16() % 4);
    let mut damage = Numbers(numbers.0);
    let mut zip = Vec::new();
    for no in 0..=members {
        let plain = [&noise(100 + usize::from(no) * 70), input, input].concat();
        let mut body = Vec::new();
        DeflateEncoder::new(&plain[..], Compression::new(level.into()))
            .read_to_end(&mut body)
            .expect("memory is read");
        member(&mut zip, &body, &plain, &mut numbers);
    }
    let stored = noise(STORED_BYTES);
    member(&mut zip, &stored, &stored, &mut numbers);
    zip.extend_from_slice(b"PK\x01\x02 the central directory is bytes like others");
    hurt(&mut zip, &mut damage);
    open_and_rebuild(&zip, "app.jar");
    let mut input = [b"PK\x03\x04", input].concat();
    input.resize(input.len().max(STORED_BYTES), 0);
    open_and_rebuild(&input, "app.jar");
});
