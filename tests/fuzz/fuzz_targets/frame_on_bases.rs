//! A frame of codec 3 to 7 of any bytes that leans on one old chunk, which is there.
#![no_main]

use carryall::content::frame::{Bases, HEADER_BYTES, MAGIC, SealedFrame};
use carryall::base::id::{ChunkId, Hasher};
use libfuzzer_sys::fuzz_target;

const OLD: &[u8] = b"an old chunk, an older chunk, and the oldest of all chunks";

struct Old;

impl Bases for Old {
    fn append(&self, _: &ChunkId, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(OLD);
        true
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((shape, stored)) = input.split_first_chunk::<4>() else {
        return;
    };
    let Ok(stored_bytes) = u32::try_from(stored.len()) else {
        return;
    };
    // One chunk of up to 64 KiB, one base.
    let plain_bytes = u32::from(u16::from_le_bytes([shape[0], shape[1]])).max(1);
    let mut frame = MAGIC.to_vec();
    let codec = 3 + (shape[2] >> 1) % 5;
    let filter = if codec < 6 { shape[2] & 1 } else { 0 };
    frame.extend_from_slice(&[1, codec, filter, shape[3], 0, 0, 1, 0, 1, 0, 0, 0]);
    frame.extend_from_slice(&plain_bytes.to_le_bytes());
    frame.extend_from_slice(&stored_bytes.to_le_bytes());
    frame.resize(HEADER_BYTES, 0);
    frame.extend_from_slice(&plain_bytes.to_le_bytes());
    frame.extend_from_slice(ChunkId::of(OLD).as_bytes());
    frame.extend_from_slice(stored);
    let mut hasher = Hasher::new();
    hasher.update(&frame[..24]).update(&frame[HEADER_BYTES..]);
    let sum = hasher.finish();
    frame[24..HEADER_BYTES].copy_from_slice(&sum);
    let sealed = SealedFrame::open(&frame).expect("the shape is right");
    if let Ok(frame) = sealed.unpack_on(&Old) {
        assert_eq!(frame.plain.len(), usize::try_from(plain_bytes).unwrap_or(0));
    }
});
