//! Finds out which old address each new one was: by references that stand at the same place of aligned code, and by
//! targets that stand at the same place themselves.

use std::collections::HashMap;

use super::address_map::{AddressMap, AddressRun};
use super::fields::{Field, Form, change_fields};
use super::sections::{AddressSpan, Layout};
use super::segment::{Segment, SegmentKind};
use super::tables::ReferenceTables;
use super::x86::{self, Found};
use super::{ADDRESS_END, NEAR};
use crate::content::bindiff::align::AlignedRun;
use crate::content::bindiff::coarse_runs;

/// What an aligned reference counts, and an aligned target.
const REFERENCE_VOTES: u32 = 2;
const TARGET_VOTES: u32 = 3;

/// A reference: where it stands and what it means.
#[derive(Debug, Clone, Copy)]
struct Occurrence {
    place: usize,
    target: u32,
    form: Form,
}

/// Finds the tables with which `new` is most like `old`. `None` when there are none, or it would take too long.
pub fn find(
    old: &[u8],
    old_layout: &Layout,
    new: &[u8],
    new_layout: &Layout,
) -> Option<ReferenceTables> {
    if old_layout.segments.is_empty() || new_layout.segments.is_empty() {
        return None;
    }
    let (old_segments, new_segments) = (
        with_jump_tables(old, old_layout),
        with_jump_tables(new, new_layout),
    );
    let (blank_old, old_references) = blanked(old, &old_segments);
    let (blank_new, new_references) = blanked(new, &new_segments);
    if old_references.is_empty() || new_references.is_empty() {
        return None;
    }
    let runs = coarse_runs(&blank_old, &blank_new)?;
    drop((blank_old, blank_new));
    let mut votes = Votes::default();
    for run in &runs {
        votes.add_references(run, &old_references, &new_references);
    }
    let mut targets: Vec<u32> = new_references.iter().map(|one| one.target).collect();
    targets.sort_unstable();
    targets.dedup();
    votes.add_targets(&targets, &runs, old_layout, new_layout);
    Some(ReferenceTables {
        old: old_segments,
        new: new_segments,
        map: votes.into_map(),
        exceptions: Vec::new(),
    })
}

/// Returns the bytes with zeros for references, and the references.
fn blanked(bytes: &[u8], segments: &[Segment]) -> (Vec<u8>, Vec<Occurrence>) {
    let mut blank = bytes.to_vec();
    let mut references = Vec::new();
    change_fields(&mut blank, segments, |field: &Field, value| {
        let is_near = field.form == Form::Jump && value.wrapping_add(NEAR) < 2 * NEAR;
        let target = value.wrapping_add(field.base);
        if is_near || !(1..ADDRESS_END).contains(&target) {
            return value;
        }
        references.push(Occurrence {
            place: field.place,
            target,
            form: field.form,
        });
        // Anything but zero, which would end entries.
        1
    });
    (blank, references)
}

#[derive(Default)]
struct Votes {
    /// New and old address, and the votes for them.
    list: Vec<(u32, u32, u32)>,
}

impl Votes {
    fn add_references(&mut self, run: &AlignedRun, old: &[Occurrence], new: &[Occurrence]) {
        let mut old = old[old.partition_point(|one| one.place < run.from)..]
            .iter()
            .peekable();
        let first = new.partition_point(|one| one.place < run.at);
        for reference in &new[first..] {
            let ahead = reference.place - run.at;
            if ahead >= run.copied {
                return;
            }
            while old.next_if(|one| one.place < run.from + ahead).is_some() {}
            if let Some(before) = old.peek()
                && before.place == run.from + ahead
                && before.form == reference.form
            {
                self.list
                    .push((reference.target, before.target, REFERENCE_VOTES));
            }
        }
    }

    fn add_targets(&mut self, targets: &[u32], runs: &[AlignedRun], old: &Layout, new: &Layout) {
        let mut by_address: Vec<&AddressSpan> = new.spans.iter().collect();
        by_address.sort_unstable_by_key(|span| span.address);
        for target in targets {
            let before = by_address.partition_point(|span| span.address <= *target);
            let found = before.checked_sub(1).and_then(|at| {
                let span = by_address[at];
                let ahead = usize::try_from(target - span.address).ok()?;
                let place = (ahead < span.bytes).then_some(span.place + ahead)?;
                let run = &runs[runs.partition_point(|run| run.at <= place).checked_sub(1)?];
                let from = (place - run.at < run.copied).then_some(run.from + (place - run.at))?;
                let before = old.spans.partition_point(|span| span.place <= from);
                let span = &old.spans[before.checked_sub(1)?];
                let ahead = from - span.place;
                (ahead < span.bytes)
                    .then_some(span.address.wrapping_add(u32::try_from(ahead).ok()?))
            });
            if let Some(old) = found {
                self.list.push((*target, old, TARGET_VOTES));
            }
        }
    }

    /// Gives each new address the old one with most votes that is left, and makes runs of them.
    fn into_map(mut self) -> AddressMap {
        self.list.sort_unstable();
        let mut counted: Vec<(u32, u32, u32)> = self
            .list
            .chunk_by(|one, other| (one.0, one.1) == (other.0, other.1))
            .map(|same| (same.iter().map(|one| one.2).sum(), same[0].0, same[0].1))
            .collect();
        drop(self.list);
        counted.sort_unstable_by(|one, other| {
            other
                .0
                .cmp(&one.0)
                .then(one.1.cmp(&other.1))
                .then(one.2.cmp(&other.2))
        });
        let mut old_of: HashMap<u32, (u32, u32)> = HashMap::new();
        let mut taken = std::collections::HashSet::new();
        for (votes, new, old) in counted {
            if !(1..ADDRESS_END).contains(&old) || old_of.contains_key(&new) || taken.contains(&old)
            {
                continue;
            }
            taken.insert(old);
            old_of.insert(new, (old, votes));
        }
        let mut pairs: Vec<(u32, u32, u32)> = old_of
            .into_iter()
            .map(|(new, (old, votes))| (new, old, votes))
            .collect();
        pairs.sort_unstable();
        let mut runs: Vec<(AddressRun, u64)> = Vec::new();
        for (new, old, votes) in pairs {
            if let Some((run, weight)) = runs.last_mut()
                && new.wrapping_sub(run.new) == old.wrapping_sub(run.old)
                && old >= run.old
            {
                run.count = new - run.new + 1;
                *weight += u64::from(votes);
                continue;
            }
            runs.push((AddressRun { new, old, count: 1 }, u64::from(votes)));
        }
        without_overlaps(runs)
    }
}

/// Drops the lighter of two runs with an old address in common.
fn without_overlaps(mut runs: Vec<(AddressRun, u64)>) -> AddressMap {
    runs.sort_unstable_by_key(|(run, _)| run.old);
    let mut kept: Vec<(AddressRun, u64)> = Vec::with_capacity(runs.len());
    'runs: for (run, weight) in runs {
        while let Some((last, other)) = kept.last() {
            if last.old + last.count <= run.old {
                break;
            }
            if *other >= weight {
                continue 'runs;
            }
            kept.pop();
        }
        kept.push((run, weight));
    }
    AddressMap::new(kept.into_iter().map(|(run, _)| run).collect()).unwrap_or_default()
}

/// Fewest and most entries of a jump table.
const ENTRIES_MIN: usize = 3;
const ENTRIES_MAX: usize = 4096;

/// Adds the jump tables to the segments: distances from the beginning of a table, which code loads the address of.
fn with_jump_tables(bytes: &[u8], layout: &Layout) -> Vec<Segment> {
    let mut segments = layout.segments.clone();
    let mut loaded = Vec::new();
    let mut targets = Vec::new();
    for segment in &layout.segments {
        if segment.kind == SegmentKind::Code {
            let code = &bytes[segment.place..segment.end()];
            operands(code, segment.address, &mut loaded, &mut targets);
        }
    }
    for list in [&mut loaded, &mut targets] {
        list.sort_unstable();
        list.dedup();
    }
    let is_code = |address: u32| layout.code.iter().any(|code| code.contains(&address));
    let mut constants: Vec<&AddressSpan> = layout
        .spans
        .iter()
        .filter(|span| span.is_constant)
        .collect();
    constants.sort_unstable_by_key(|span| span.address);
    for address in loaded {
        let before = constants.partition_point(|span| span.address <= address);
        let Some(span) = before.checked_sub(1).map(|at| constants[at]) else {
            continue;
        };
        let ahead = (address - span.address) as usize;
        if !address.is_multiple_of(4) || ahead >= span.bytes {
            continue;
        }
        let next = targets.get(targets.partition_point(|one| *one <= address));
        let room = next.map_or(usize::MAX, |next| (next - address) as usize);
        let place = span.place + ahead;
        let table = &bytes[place..place + room.min(span.bytes - ahead)];
        let count = table
            .as_chunks::<4>()
            .0
            .iter()
            .take(ENTRIES_MAX)
            .take_while(|entry| {
                let distance = i32::from_le_bytes(**entry);
                distance.unsigned_abs() >= 8 && is_code(address.wrapping_add_signed(distance))
            })
            .count();
        if count >= ENTRIES_MIN {
            segments.push(Segment {
                place,
                bytes: 4 * count,
                kind: SegmentKind::Distances,
                address,
                base: address,
                names: 0,
            });
        }
    }
    segments.sort_unstable_by_key(|segment| segment.place);
    // A constant that is a segment already holds no jump tables.
    let mut end = 0;
    segments.retain(|segment| {
        let is_apart = segment.place >= end;
        if is_apart {
            end = segment.end();
        }
        is_apart
    });
    segments
}

/// Notes the addresses that code loads (`lea`), and all that it refers to.
fn operands(code: &[u8], address: u32, loaded: &mut Vec<u32>, targets: &mut Vec<u32>) {
    let mut at = 0;
    while at < code.len() {
        match x86::instruction(&code[at..]) {
            Found::Instruction(found) => {
                if let Some(distance) = found.distance.filter(|distance| !distance.is_jump)
                    && let Some(value) = code[at + distance.at..].first_chunk()
                {
                    let end = address.wrapping_add(super::fields::truncated(at + found.bytes));
                    let target = end.wrapping_add(u32::from_le_bytes(*value));
                    targets.push(target);
                    if distance.at >= 2 && code[at + distance.at - 2] == 0x8d {
                        loaded.push(target);
                    }
                }
                at += found.bytes;
            }
            Found::Unknown => at += 1,
            Found::Cut => return,
        }
    }
}
