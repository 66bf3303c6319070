//! Chooses among several candidates for each block of a stretch, likely choices first. The number of tries is bounded.

use std::ops::Range;

use crate::volumes::block::HEADER_BYTES;

/// Most choices of one candidate for each block that are tried for a stretch.
const CHOICES_MAX: usize = 512;

/// Returns the choice of candidates with which a stretch is right. The first of each is tried first.
pub(crate) fn right_choice(
    range: &Range<u64>,
    candidates: &[Vec<Vec<u8>>],
    is_right: &dyn Fn(&[u8]) -> bool,
) -> Option<Vec<usize>> {
    let first = vec![0; candidates.len()];
    let mut all = std::iter::once(first).chain(choices(candidates));
    all.find(|choice| is_right(&stretch(range, candidates, choice)))
}

/// Returns the bytes of a stretch that consists of the chosen blocks.
pub(super) fn stretch(
    range: &Range<u64>,
    candidates: &[Vec<Vec<u8>>],
    choice: &[usize],
) -> Vec<u8> {
    // All blocks of a set have one size.
    let block_bytes = candidates.iter().flatten().map(Vec::len).next();
    let payload = block_bytes.unwrap_or(0).saturating_sub(HEADER_BYTES).max(1);
    let skip = usize::try_from(range.start % payload as u64).unwrap_or(0);
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let blocks = candidates.iter().zip(choice);
    let mut bytes: Vec<u8> = Vec::with_capacity(candidates.len() * payload);
    for (at, (blocks, chosen)) in blocks.enumerate() {
        let from = HEADER_BYTES + if at == 0 { skip } else { 0 };
        bytes.extend_from_slice(&blocks[*chosen][from..]);
    }
    bytes.truncate(length);
    bytes
}

/// Returns the choices besides the first of each, likely ones first: the second of each, then the third, then another
/// one for a single block. All others follow in turn.
pub(super) fn choices(candidates: &[Vec<Vec<u8>>]) -> Vec<Vec<usize>> {
    let counts: Vec<usize> = candidates.iter().map(Vec::len).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let mut choices: Vec<Vec<usize>> = Vec::new();
    for number in 1..most {
        choices.push(counts.iter().map(|count| number.min(count - 1)).collect());
        let only = |count: &usize| if number < *count { number } else { 0 };
        choices.push(counts.iter().map(only).collect());
    }
    for (at, count) in counts.iter().enumerate() {
        for number in 1..*count {
            let mut choice = vec![0; counts.len()];
            choice[at] = number;
            choices.push(choice);
        }
    }
    choices.truncate(CHOICES_MAX);
    add_in_turn(&mut choices, &counts, CHOICES_MAX);
    choices
}

/// Adds all choices in turn, except the first of each, until there are `most`. `counts` has the number of candidates
/// for each place.
pub(super) fn add_in_turn(choices: &mut Vec<Vec<usize>>, counts: &[usize], most: usize) {
    let mut choice = vec![0; counts.len()];
    while choices.len() < most {
        let moved = choice.iter_mut().zip(counts).any(|(digit, count)| {
            *digit += 1;
            let is_in = *digit < *count;
            if !is_in {
                *digit = 0;
            }
            is_in
        });
        if !moved {
            return;
        }
        choices.push(choice.clone());
    }
}
