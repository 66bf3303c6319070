//! How the stores of tests are written.

use carryall::store::WriteOptions;

/// Frames so small that a test has many of them, in windows of this size.
pub fn small_frames(window_bytes: usize) -> WriteOptions {
    WriteOptions {
        window_bytes,
        frame_bytes: 256 << 10,
        ..WriteOptions::default()
    }
}
