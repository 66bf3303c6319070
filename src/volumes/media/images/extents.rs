//! Stretches of a source in another order, as file systems scatter them.

use std::io;
use std::sync::Arc;

use crate::base::read_at::ReadAt;

/// A stretch of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(super) at: u64,
    pub(super) bytes: u64,
}

/// Puts these stretches first, and everything else behind them as it lies. Returns `None` when they overlap.
pub(super) fn in_front(first: Vec<Extent>, size: u64) -> Option<Arc<[Extent]>> {
    let mut sorted = first.clone();
    sorted.sort_unstable_by_key(|extent| extent.at);
    let mut all = first;
    let mut end = 0;
    for extent in sorted {
        let rest = extent.at.checked_sub(end)?;
        if rest > 0 {
            all.push(Extent {
                at: end,
                bytes: rest,
            });
        }
        end = extent.at.checked_add(extent.bytes)?;
    }
    if end < size {
        all.push(Extent {
            at: end,
            bytes: size - end,
        });
    }
    (end <= size).then(|| all.into())
}

/// A source in the order of its extents.
pub(super) struct ReorderedSource {
    source: Arc<dyn ReadAt>,
    extents: Arc<[Extent]>,
    /// Where each extent begins here, and where the last one ends.
    starts: Vec<u64>,
}

impl ReorderedSource {
    pub(super) fn new(source: Arc<dyn ReadAt>, extents: Arc<[Extent]>) -> Self {
        let mut starts = vec![0_u64];
        for extent in extents.iter() {
            let end = starts.last().copied().unwrap_or(0);
            starts.push(end.saturating_add(extent.bytes));
        }
        Self {
            source,
            extents,
            starts,
        }
    }

    /// Returns where bytes lie in the source, and how many lie there in a row. Behind the end there are none.
    fn place(&self, offset: u64, len: usize) -> (u64, usize) {
        if offset >= self.size_bytes() {
            return (offset, 0);
        }
        let no = self.starts.partition_point(|start| *start <= offset) - 1;
        let within = offset - self.starts[no];
        let left = usize::try_from(self.extents[no].bytes - within).unwrap_or(usize::MAX);
        (self.extents[no].at + within, left.min(len))
    }
}

impl ReadAt for ReorderedSource {
    fn size_bytes(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let (at, len) = self.place(offset, out.len());
        self.source.read_at(at, &mut out[..len])
    }

    fn read_uncached_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let (at, len) = self.place(offset, out.len());
        self.source.read_uncached_at(at, &mut out[..len])
    }

    fn sector_bytes(&self) -> u64 {
        self.source.sector_bytes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_byte_is_there_once() {
        let bytes: Vec<u8> = (0..100).collect();
        let first = vec![Extent { at: 60, bytes: 10 }, Extent { at: 20, bytes: 5 }];
        let extents = in_front(first, 100).unwrap();
        let view = ReorderedSource::new(Arc::new(bytes), extents);
        let mut out = vec![0; 100];
        let mut done = 0;
        while done < 100 {
            done += view.read_at(done as u64, &mut out[done..]).unwrap();
        }
        let expected: Vec<u8> = (60..70)
            .chain(20..25)
            .chain(0..20)
            .chain(25..60)
            .chain(70..100)
            .collect();
        assert_eq!(out, expected);
        assert_eq!(view.read_at(100, &mut out).unwrap(), 0);
        let over = vec![Extent { at: 60, bytes: 10 }, Extent { at: 65, bytes: 5 }];
        assert_eq!(in_front(over, 100), None);
        assert_eq!(in_front(vec![Extent { at: 95, bytes: 10 }], 100), None);
    }
}
