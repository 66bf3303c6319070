//! A file of any bytes, some of them behind the beginning of a form that is recognized: it is opened, scanned, and said
//! what it is.
#![no_main]

use std::ops::ControlFlow;

use carryall::base::monitor::Silent;
use carryall::volumes::media::look::look;
use carryall::volumes::media::source::find_sources;
use carryall::volumes::media::{Sighting, scan};
use carryall_fuzz::temp_file;
use libfuzzer_sys::fuzz_target;

/// First bytes of forms that are read in place. The first byte of the input chooses one.
const BEGINNINGS: [&[u8]; 6] = [
    b"",
    b"\x1f\x8b\x08\0\0\0\0\0\0\0",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0",
    b"PK\x03\x04",
    b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0",
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let mut bytes = BEGINNINGS[usize::from(*choice) % BEGINNINGS.len()].to_vec();
    bytes.extend_from_slice(rest);
    // A directory of a zip, all of what is given.
    if choice & 0x40 != 0 && bytes.starts_with(b"PK\x03\x04") {
        let len = u32::try_from(bytes.len()).expect("short");
        bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend_from_slice(&len.saturating_sub(30).to_le_bytes());
        bytes.extend_from_slice(&30_u32.to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
    }
    // The end of a boot sector, without which no file system is looked at.
    if choice & 0x80 != 0 && bytes.len() >= 512 {
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    }
    let path = temp_file("medium", &bytes);
    let sources = find_sources(std::slice::from_ref(&path), &Silent).expect("the file is there");
    let visit = |_: &Sighting<'_>| ControlFlow::Continue(());
    scan(&sources, &visit, &Silent).expect("nobody stops it");
    let _ = look(&[path]);
});
