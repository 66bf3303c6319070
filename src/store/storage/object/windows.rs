//! Parts of objects that were read last, because what lies beside a small read is read next: the head of a frame, and then
//! its table.
//!
//! Only for objects whose bytes never change. Memory: 2 MiB.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that are read where fewer are asked for: heads and tables of frames lie together.
pub(super) const WINDOW_BYTES: u64 = 64 << 10;
/// Windows that are kept.
const WINDOWS: usize = 32;

/// A part of an object that was read for less of it.
struct Window {
    name: String,
    offset: u64,
    bytes: Bytes,
}

/// The windows, the newest at the end.
#[derive(Default)]
pub(super) struct Windows(Mutex<VecDeque<Window>>);

impl Windows {
    /// Copies as much of the range's beginning as lies in a window, and returns how much that is.
    pub(super) fn copy(&self, name: &str, offset: u64, out: &mut [u8]) -> usize {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = windows.iter().rev().find_map(|window| {
            let from = offset
                .checked_sub(window.offset)
                .filter(|_| window.name == name)?;
            let found = window.bytes.get(usize::try_from(from).ok()?..)?;
            (!found.is_empty()).then_some(found)
        });
        let found = found.unwrap_or_default();
        let len = found.len().min(out.len());
        out[..len].copy_from_slice(&found[..len]);
        len
    }

    pub(super) fn keep(&self, name: &str, offset: u64, bytes: Bytes) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS {
            windows.pop_front();
        }
        windows.push_back(Window {
            name: name.to_owned(),
            offset,
            bytes,
        });
    }
}
