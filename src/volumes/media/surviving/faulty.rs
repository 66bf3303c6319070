//! A test double that fails as media do.

use std::io;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;

use crate::base::read_at::ReadAt;

/// Bytes with bad sectors. Every read that touches one fails.
pub(crate) struct Faulty {
    pub(crate) bytes: Vec<u8>,
    pub(crate) bad: Vec<Range<u64>>,
    pub(crate) errno: Errno,
    pub(crate) reads: AtomicUsize,
    /// Where they were, in order.
    pub(crate) places: Mutex<Vec<u64>>,
    /// How often each of `bad` fails before it is read.
    fails: Mutex<Vec<u32>>,
}

impl Faulty {
    pub(crate) fn new(bytes: Vec<u8>, bad: Vec<Range<u64>>) -> Self {
        Self::failing_first(u32::MAX, bytes, bad)
    }

    /// Every bad sector fails in the first `fails` reads that touch it, and is good afterwards.
    pub(crate) fn failing_first(fails: u32, bytes: Vec<u8>, bad: Vec<Range<u64>>) -> Self {
        Self {
            bytes,
            fails: Mutex::new(vec![fails; bad.len()]),
            bad,
            errno: Errno::IO,
            reads: AtomicUsize::new(0),
            places: Mutex::default(),
        }
    }
}

impl ReadAt for Faulty {
    fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.places
            .lock()
            .expect("no test panics here")
            .push(offset);
        let end = (offset + buf.len() as u64).min(self.size_bytes());
        let mut fails = self.fails.lock().expect("no test panics here");
        let mut is_bad = false;
        for (bad, left) in self.bad.iter().zip(fails.iter_mut()) {
            if *left > 0 && bad.start < end && offset < bad.end {
                is_bad = true;
                if *left < u32::MAX {
                    *left -= 1;
                }
            }
        }
        if is_bad {
            return Err(self.errno.into());
        }
        let from = usize::try_from(offset).expect("test data are small");
        let part = &self.bytes[from..usize::try_from(end).expect("test data are small")];
        buf[..part.len()].copy_from_slice(part);
        Ok(part.len())
    }
}
