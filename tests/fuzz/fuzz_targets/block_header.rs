//! A block header of any bytes, alone and under a block whose hash is right.
#![no_main]

use carryall::volumes::block::{BlockHeader, BlockSize, MAGIC};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = BlockHeader::peek(input);
    for size in BlockSize::ALL {
        let mut block = MAGIC.to_vec();
        // Version and size are right, so that the fields behind them are reached.
        block.extend_from_slice(&[1, size as u8]);
        block.extend_from_slice(input);
        block.resize(size.bytes(), 0);
        let _ = BlockHeader::open(&block);
        if let Some(header) = BlockHeader::peek(&block) {
            header.seal(&mut block);
            assert_eq!(BlockHeader::open(&block), Some(header));
        }
    }
});
