//! Any bytes as apt's index of packages: it says the same however it is cut into pieces.
#![no_main]

use std::io::Write;

use carryall::oci::repos::control::ControlIndex;
use carryall_fuzz::Numbers;
use libfuzzer_sys::fuzz_target;

fn read(input: &[u8], step: usize) -> ControlIndex {
    let mut index = ControlIndex::default();
    for piece in input.chunks(step) {
        index.write_all(piece).expect("memory takes all");
    }
    index.finish();
    index
}

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let step = usize::from(numbers.next_u16() % 300) + 1;
    let whole = read(numbers.0, usize::MAX);
    let pieces = read(numbers.0, step);
    assert!(whole.paths().eq(pieces.paths()));
    for path in whole.paths() {
        assert_eq!(whole.package(path), pieces.package(path));
    }
});
