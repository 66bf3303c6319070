//! Finds out which old address each new one was: by references that stand at the same place of aligned code, and by
//! targets that stand at the same place themselves.

use std::collections::HashMap;

use super::ADDRESS_END;
use super::address_map::{AddressMap, AddressRun, is_near};
use super::fields::{Field, Form, change_fields, truncated};
use super::sections::{AddressSpan, Layout};
use super::segment::{Segment, SegmentKind};
use super::tables::ReferenceTables;
use crate::base::roomy::{roomy, roomy_copy};
use crate::content::bindiff::align::AlignedRun;
use crate::content::bindiff::coarse_runs;

/// What an aligned reference counts, and an aligned target.
const REFERENCE_VOTES: u32 = 2;
const TARGET_VOTES: u32 = 3;

/// Code has about one reference in so many bytes.
const BYTES_A_REFERENCE: usize = 16;

/// A reference: where it stands and what it means.
#[derive(Debug, Clone, Copy)]
struct Occurrence {
    place: u32,
    target: u32,
    form: Form,
    is_load: bool,
}

/// The tables for a pair of old and new bytes.
pub struct FoundReferences {
    /// The tables.
    pub tables: ReferenceTables,
    /// New bytes that are like no old ones, references apart.
    pub unlike_bytes: usize,
}

/// Finds the tables with which `new` is most like `old`. `None` when there are none, or it would take too long.
pub fn find(
    old: &[u8],
    old_layout: &Layout,
    new: &[u8],
    new_layout: &Layout,
) -> Option<FoundReferences> {
    if old_layout.segments.is_empty() || new_layout.segments.is_empty() {
        return None;
    }
    let Blanked {
        bytes: blank_old,
        segments: old_segments,
        references: old_references,
    } = Blanked::of(old, old_layout);
    let Blanked {
        bytes: blank_new,
        segments: new_segments,
        references: new_references,
    } = Blanked::of(new, new_layout);
    if old_references.is_empty() || new_references.is_empty() {
        return None;
    }
    let runs = coarse_runs(&blank_old, &blank_new)?;
    drop((blank_old, blank_new));
    let mut votes = Votes {
        list: roomy(new_references.len()),
    };
    for run in &runs {
        votes.add_references(run, &old_references, &new_references);
    }
    let mut targets: Vec<u32> = new_references.iter().map(|one| one.target).collect();
    targets.sort_unstable();
    targets.dedup();
    votes.add_targets(&targets, &runs, old_layout, new_layout);
    Some(FoundReferences {
        tables: ReferenceTables {
            old: old_segments,
            new: new_segments,
            map: votes.into_map(),
            exceptions: Vec::new(),
        },
        unlike_bytes: runs.iter().map(|run| run.literals).sum(),
    })
}

/// Bytes without references.
struct Blanked {
    bytes: Vec<u8>,
    /// All segments, jump tables included.
    segments: Vec<Segment>,
    /// What was there, in order.
    references: Vec<Occurrence>,
}

impl Blanked {
    fn of(bytes: &[u8], layout: &Layout) -> Self {
        let mut blanked = Self {
            bytes: roomy_copy(bytes),
            segments: layout.segments.clone(),
            references: roomy(bytes.len() / BYTES_A_REFERENCE),
        };
        blanked.blank(&layout.segments);
        let tables = jump_tables(bytes, layout, &blanked.references);
        if !tables.is_empty() {
            blanked.blank(&tables);
            blanked.references.sort_unstable_by_key(|one| one.place);
            blanked.segments.extend(tables);
            blanked.segments.sort_unstable_by_key(|one| one.place);
        }
        blanked
    }

    /// Removes the references of these segments.
    fn blank(&mut self, segments: &[Segment]) {
        let references = &mut self.references;
        change_fields(&mut self.bytes, segments, |field: &Field, value| {
            let target = field.target(value);
            if is_near(field, value) || !(1..ADDRESS_END).contains(&target) {
                return value;
            }
            references.push(Occurrence {
                place: truncated(field.place),
                target,
                form: field.form,
                is_load: field.is_load,
            });
            // Anything but zero, which would end entries.
            1
        });
    }
}

struct Votes {
    /// New and old address, and the votes for them.
    list: Vec<(u32, u32, u32)>,
}

impl Votes {
    fn add_references(&mut self, run: &AlignedRun, old: &[Occurrence], new: &[Occurrence]) {
        let (at, from) = (truncated(run.at), truncated(run.from));
        let mut old = old[old.partition_point(|one| one.place < from)..]
            .iter()
            .peekable();
        let first = new.partition_point(|one| one.place < at);
        for reference in &new[first..] {
            let ahead = reference.place - at;
            if ahead >= truncated(run.copied) {
                return;
            }
            while old.next_if(|one| one.place < from + ahead).is_some() {}
            if let Some(before) = old.peek()
                && before.place == from + ahead
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

/// Returns the jump tables: distances from the beginning of a table, which code loads the address of.
fn jump_tables(bytes: &[u8], layout: &Layout, references: &[Occurrence]) -> Vec<Segment> {
    let distances = references
        .iter()
        .filter(|reference| reference.form == Form::Distance);
    let mut targets: Vec<u32> = distances
        .clone()
        .map(|reference| reference.target)
        .collect();
    let mut loaded: Vec<u32> = distances
        .filter(|reference| reference.is_load)
        .map(|reference| reference.target)
        .collect();
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
    let mut tables = Vec::new();
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
            tables.push(Segment {
                place,
                bytes: 4 * count,
                kind: SegmentKind::Distances,
                address,
                base: address,
                names: 0,
            });
        }
    }
    tables.sort_unstable_by_key(|table| table.place);
    // What is a segment already holds no jump tables.
    let mut end = 0;
    tables.retain(|table| {
        let next = layout
            .segments
            .partition_point(|segment| segment.end() <= table.place);
        let is_apart = table.place >= end
            && layout
                .segments
                .get(next)
                .is_none_or(|segment| segment.place >= table.end());
        if is_apart {
            end = table.end();
        }
        is_apart
    });
    tables
}
