//! Finds an entry of `.eh_frame` in bytes that begin somewhere in it.

/// Entries in a row that have to look right.
const ENTRIES: usize = 6;
/// Bytes that are searched. Entries are far shorter.
const SEARCH_BYTES: usize = 4096;
/// Longest entry that looks right.
const ENTRY_BYTES_MAX: u32 = 4096;

/// Returns where the first entry begins. `offset` is the place of `bytes` in something aligned.
pub(super) fn first_entry(bytes: &[u8], offset: u32) -> Option<usize> {
    let unaligned = usize::try_from(offset % 4).ok()?;
    let first = (4 - unaligned) % 4;
    (first..SEARCH_BYTES.min(bytes.len()))
        .step_by(4)
        .find(|at| looks_right(bytes, *at).is_some())
}

/// Entries name the place of the entry that they have in common, so it is the same for neighbors.
fn looks_right(bytes: &[u8], mut at: usize) -> Option<()> {
    let word = |at: usize| {
        let bytes = bytes.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let mut commons = Vec::new();
    for _ in 0..ENTRIES {
        let (bytes, back) = (word(at)?, word(at + 4)?);
        if !(12..=ENTRY_BYTES_MAX).contains(&bytes) || !bytes.is_multiple_of(4) {
            return None;
        }
        if back != 0 {
            commons.push(u32::try_from(at).ok()?.wrapping_add(4).wrapping_sub(back));
        }
        at += 4 + usize::try_from(bytes).ok()?;
    }
    commons.sort_unstable();
    commons.dedup();
    (commons.len() * 2 <= ENTRIES).then_some(())
}
