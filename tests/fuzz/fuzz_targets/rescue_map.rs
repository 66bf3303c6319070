//! A map of ddrescue of any lines beside an image: what it says is missing and zero cannot be read, and all else is as it
//! is in the image.
#![no_main]

use std::sync::OnceLock;

use carryall::base::monitor::Silent;
use carryall::volumes::media::source::find_sources;
use carryall_fuzz::{noise, temp_file};
use libfuzzer_sys::fuzz_target;

const SECTOR: usize = 512;
const FIRST_LINE: &[u8] = b"# Mapfile. Created by GNU ddrescue version 1.27\n";

/// Sectors of noise and of zeros by turns.
fn image() -> &'static [u8] {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let mut bytes = noise(40 * SECTOR);
        for (no, sector) in bytes.chunks_mut(SECTOR).enumerate() {
            sector[0] = 1;
            if no % 3 != 0 {
                sector.fill(0);
            }
        }
        bytes
    })
}

fuzz_target!(|input: &[u8]| {
    let image = image();
    let path = temp_file("disc.iso", image);
    temp_file("disc.iso.map", &[FIRST_LINE, input].concat());
    let sources = find_sources(&[path], &Silent).expect("the file is there");
    let source = sources[0].open().expect("the file is there");
    let mut sector = [0; SECTOR];
    for (no, expected) in image.chunks(SECTOR).enumerate() {
        match source.read_at((no * SECTOR) as u64, &mut sector) {
            Ok(len) => assert!(len > 0 && expected.starts_with(&sector[..len]), "sector {no}"),
            Err(_) => assert!(expected[0] == 0, "sector {no} was read"),
        }
    }
});
