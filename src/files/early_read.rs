//! Reads what the unpacker has not reached yet. A failure is no error here, because the unpacker meets it at its turn.

use crate::base::read_at::ReadAt;

/// Fills `out` from `at` on, if there is as much.
pub(super) fn fill<R: ReadAt + ?Sized>(source: &R, at: u64, out: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    while filled < out.len() {
        match source.read_at(at + filled as u64, &mut out[filled..]) {
            Ok(0) | Err(_) => return None,
            Ok(more) => filled += more,
        }
    }
    Some(())
}

/// Reads the bytes `from..to`, if they are there. The caller has checked how many they are.
pub(super) fn read<R: ReadAt + ?Sized>(source: &R, from: u64, to: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to.checked_sub(from)?).ok()?];
    fill(source, from, &mut bytes)?;
    Some(bytes)
}
