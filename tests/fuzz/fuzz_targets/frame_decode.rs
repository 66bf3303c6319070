//! A frame of any bytes, with its hash put right.
#![no_main]

use carryall::content::frame::{Frame, HEADER_BYTES, MAGIC};
use carryall::base::id::Hasher;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Frame::decode(input);
    let mut frame = MAGIC.to_vec();
    frame.push(1);
    frame.extend_from_slice(input);
    if frame.len() < HEADER_BYTES {
        return;
    }
    // The lengths are kept small: what is claimed is then mostly there.
    for at in [14, 15, 18, 19, 22, 23] {
        frame[at] = 0;
    }
    let mut hasher = Hasher::new();
    hasher.update(&frame[..24]).update(&frame[HEADER_BYTES..]);
    let sum = hasher.finish();
    frame[24..HEADER_BYTES].copy_from_slice(&sum);
    if let Ok(frame) = Frame::decode(&frame) {
        let end = frame.chunks.last().map_or(0, |(_, range)| range.end);
        assert_eq!(end, frame.plain.len());
    }
});
