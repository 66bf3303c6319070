//! A file of any bytes, some of them behind the beginning of a form that is recognized: it is opened and scanned.
#![no_main]

use std::fs;
use std::ops::ControlFlow;

use carryall::base::monitor::Silent;
use carryall::volumes::media::source::find_sources;
use carryall::volumes::media::{Sighting, scan};
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
    // The end of a boot sector, without which no file system is looked at.
    if choice & 0x80 != 0 && bytes.len() >= 512 {
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    }
    let path = std::env::temp_dir().join(format!("carryall-fuzz-{}", std::process::id()));
    fs::write(&path, &bytes).expect("a temporary file can be written");
    let sources = find_sources(&[path], &Silent).expect("the file is there");
    let visit = |_: &Sighting<'_>| ControlFlow::Continue(());
    scan(&sources, &visit, &Silent).expect("nobody stops it");
});
