//! The chunks that the recipients of a bundle already have, and that the bundle need not carry.
//!
//! This is the vendor's belief, which `receive` verifies. Memory: 16 bytes a chunk, and up to four times that while it
//! is built.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::base::id::{ChunkId, SetId};
use crate::bundle::catalog::runs_of;
use crate::bundle::{BundleError, Prerequisite, PrerequisiteRelease, PrerequisiteSet};
use crate::content::index::prefix;
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::{ReleaseName, ReleaseRoot, walk};
use crate::store::{ChunkSet, Store};

/// First bytes of the id of a chunk that a recipient is missing. Eight suffice, because where two chunks share them
/// both are carried.
pub(crate) type MissingMark = [u8; 8];

/// What one recipient is assumed to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recipient {
    /// Its name in the plan.
    pub label: String,
    /// Releases of the recipient that the vendor's store has too.
    pub releases: Vec<ReleaseRoot>,
    /// Chunks of these releases that are lost or damaged at the recipient's site.
    pub missing: Vec<MissingMark>,
    /// Sets that are staged there.
    pub waiting: Vec<WaitingSet>,
}

/// A set that has not arrived completely, or that is missing prerequisites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingSet {
    /// The set.
    pub set: SetId,
    /// Its releases, which this store has too.
    pub releases: Vec<ReleaseRoot>,
    /// Its frames that are present: number and chunks.
    pub frames: Vec<(u32, Vec<MissingMark>)>,
}

/// The chunks that all recipients of a bundle have.
#[derive(Debug, Default)]
pub struct Have {
    receivers: Vec<ReceiverState>,
    releases: Vec<ReleaseRoot>,
    chunks: ChunkSet,
    /// The chunks of the releases for each architecture, when every recipient has several.
    by_arch: Vec<(String, ChunkSet)>,
    /// Chunks in staged sets.
    waiting: HashSet<ChunkId>,
    /// Lost or damaged chunks of recipients with staged sets. These sets may depend on them.
    missing: Vec<ChunkId>,
}

/// What one recipient has: releases, newest first, and chunks of sets with the frame of each.
#[derive(Debug)]
struct ReceiverState {
    releases: Vec<ReleaseRoot>,
    sets: Vec<(SetId, Vec<(ChunkId, u32)>)>,
}

impl Have {
    /// Returns an empty one, which makes a full bundle.
    pub fn none() -> Self {
        Self::default()
    }

    /// Walks the recipients' releases in the vendor's own store. A chunk that one of several recipients is missing
    /// counts as missing.
    ///
    /// # Errors
    /// [`BundleError`] when the lists of a release cannot be read.
    pub fn of(store: &Store, receivers: &[Recipient]) -> Result<Self, BundleError> {
        let mut common: Option<ChunkSet> = None;
        let mut known = Vec::new();
        let (mut waiting, mut all_missing) = (HashSet::new(), Vec::new());
        for receiver in receivers {
            let RecipientChunks {
                had,
                missing,
                in_sets,
            } = chunks_of(store, receiver)?;
            match &mut common {
                None => common = Some(had),
                // A bundle for several recipients may only leave out what all of them have.
                Some(common) => common.intersect(&had),
            }
            let mut releases = receiver.releases.clone();
            releases.sort_by(|one, other| newest_first(&one.name, &other.name));
            let chunks = in_sets.iter().flat_map(|(_, chunks)| chunks);
            waiting.extend(chunks.map(|(id, _)| *id));
            // Without staged sets nothing can depend on the missing chunks, and the bundle carries what it needs
            // itself.
            if !in_sets.is_empty() {
                all_missing.extend(missing);
            }
            known.push(ReceiverState {
                releases,
                sets: in_sets,
            });
        }
        let mut releases: Vec<ReleaseRoot> = Vec::new();
        for root in receivers.iter().flat_map(|each| &each.releases) {
            if !releases.contains(root) {
                releases.push(root.clone());
            }
        }
        releases.sort_by(|one, other| newest_first(&one.name, &other.name));
        Ok(Self {
            by_arch: by_arch(store, receivers)?,
            receivers: known,
            releases,
            chunks: common.unwrap_or_default(),
            waiting,
            missing: all_missing,
        })
    }

    /// Returns whether every recipient has the chunk.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.chunks.contains(id)
    }

    /// Returns whether every recipient has the chunk even if its releases for other architectures are not there.
    pub(super) fn contains_for(&self, id: &ChunkId, arch: Option<&str>) -> bool {
        if self.by_arch.is_empty() {
            return self.contains(id);
        }
        match self
            .by_arch
            .iter()
            .find(|(name, _)| Some(name.as_str()) == arch)
        {
            Some((_, chunks)) => chunks.contains(id),
            None => self.by_arch.iter().all(|(_, chunks)| chunks.contains(id)),
        }
    }

    /// Returns whether the chunk is in a staged set of a recipient.
    pub fn is_waiting(&self, id: &ChunkId) -> bool {
        self.waiting.contains(id)
    }

    /// Returns the chunks that a bundle must carry in addition when it depends on a staged set. They are chunks of the
    /// recipients' releases that are lost or damaged there, and the set may depend on them.
    pub(crate) fn missing(&self) -> impl Iterator<Item = ChunkId> + '_ {
        self.missing.iter().copied()
    }

    /// Returns whether it is empty.
    pub fn is_none(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Returns the releases that a recipient has, each once, newest first. With several recipients, not all of them
    /// have every chunk of these.
    pub fn releases(&self) -> &[ReleaseRoot] {
        &self.releases
    }

    /// Returns for each recipient as few of the newest releases as suffice for the chunks in `depended`, and the frames
    /// of sets that have the rest. Returns nothing when `depended` is empty.
    ///
    /// # Errors
    /// [`BundleError`] when the lists of a release cannot be read.
    pub(crate) fn depends_on(
        &self,
        store: &Store,
        depended: &ChunkSet,
    ) -> Result<Vec<Prerequisite>, BundleError> {
        let mut prerequisites: Vec<Prerequisite> = Vec::new();
        if depended.is_empty() {
            return Ok(prerequisites);
        }
        for known in &self.receivers {
            let prerequisite = dependencies_of(store, known, depended)?;
            if !prerequisites.contains(&prerequisite) {
                prerequisites.push(prerequisite);
            }
        }
        Ok(prerequisites)
    }
}

/// The chunks of one recipient.
struct RecipientChunks {
    /// Chunks that it has.
    had: ChunkSet,
    /// Chunks of its releases that it is missing.
    missing: Vec<ChunkId>,
    /// Chunks of its sets, and the frame of each.
    in_sets: Vec<(SetId, Vec<(ChunkId, u32)>)>,
}

/// Returns the chunks that all recipients have for each architecture. Nothing when a recipient has a single one or staged
/// sets, because these may have chunks of any.
fn by_arch(store: &Store, receivers: &[Recipient]) -> Result<Vec<(String, ChunkSet)>, BundleError> {
    let archs = |receiver: &Recipient| -> BTreeSet<String> {
        let names = receiver.releases.iter();
        let archs = names.filter_map(|root| root.name.arch());
        archs.map(str::to_owned).collect()
    };
    let Some(all) = receivers.first().map(archs) else {
        return Ok(Vec::new());
    };
    let is_plain = |receiver: &Recipient| receiver.waiting.is_empty() && archs(receiver) == all;
    if all.len() < 2 || !receivers.iter().all(is_plain) {
        return Ok(Vec::new());
    }
    let mut by_arch = Vec::new();
    for arch in all {
        let mut common: Option<ChunkSet> = None;
        for receiver in receivers {
            let mut of_arch = receiver.clone();
            of_arch
                .releases
                .retain(|root| root.name.arch().is_none_or(|named| named == arch));
            let had = chunks_of(store, &of_arch)?.had;
            match &mut common {
                None => common = Some(had),
                Some(common) => common.intersect(&had),
            }
        }
        by_arch.push((arch, common.unwrap_or_default()));
    }
    Ok(by_arch)
}

fn chunks_of(store: &Store, receiver: &Recipient) -> Result<RecipientChunks, BundleError> {
    let marks: HashSet<&[u8]> = receiver.missing.iter().map(|mark| &mark[..]).collect();
    let mut chunks = ChunkSet::new();
    let mut missing = Vec::new();
    let mut walker = Walker::new(store);
    for root in &receiver.releases {
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            if marks.contains(&id.as_bytes()[..8]) {
                missing.push(*id);
            } else {
                chunks.insert(id);
            }
            Ok(())
        };
        walk::release(&mut walker, root, &mut note)?;
    }
    missing.sort_unstable();
    missing.dedup();
    let mut in_sets = Vec::new();
    for waiting in &receiver.waiting {
        let found = chunks_in(store, waiting)?;
        found.iter().for_each(|(id, _)| chunks.insert(id));
        in_sets.push((waiting.set, found));
    }
    Ok(RecipientChunks {
        had: chunks.settled(),
        missing,
        in_sets,
    })
}

/// Returns the chunks of a set's frames, as far as its releases need them. The first bytes of an id alone do not
/// identify a chunk.
fn chunks_in(store: &Store, waiting: &WaitingSet) -> Result<Vec<(ChunkId, u32)>, BundleError> {
    let frames = waiting.frames.iter();
    let by_mark: HashMap<MissingMark, u32> = frames
        .flat_map(|(frame, chunks)| chunks.iter().map(|mark| (*mark, *frame)))
        .collect();
    let mut found = Vec::new();
    let mut walker = Walker::new(store);
    for root in &waiting.releases {
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            let mark = id.as_bytes().first_chunk::<8>();
            if let Some(frame) = mark.and_then(|mark| by_mark.get(mark)) {
                found.push((*id, *frame));
            }
            Ok(())
        };
        walk::release(&mut walker, root, &mut note)?;
    }
    // Sorted and without duplicates, so that the same receipt gives the same bundle.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn dependencies_of(
    store: &Store,
    known: &ReceiverState,
    depended: &ChunkSet,
) -> Result<Prerequisite, BundleError> {
    let mut covered: HashSet<[u8; 16]> = HashSet::new();
    let mut prerequisite = Prerequisite::default();
    for root in &known.releases {
        let before = covered.len();
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            if depended.contains(id) {
                covered.insert(prefix(id));
            }
            Ok(())
        };
        // Each release gets its own walker. A shared one would leave out what an older release has in common with this
        // one.
        walk::release(&mut Walker::new(store), root, &mut note)?;
        if covered.len() > before {
            prerequisite.releases.push(PrerequisiteRelease {
                name: root.name.to_string(),
                id: root.id(),
            });
        }
        if covered.len() == depended.len() {
            break;
        }
    }
    for (set, chunks) in &known.sets {
        let mut frames: Vec<u32> = Vec::new();
        for (id, frame) in chunks {
            if depended.contains(id) && covered.insert(prefix(id)) {
                frames.push(*frame);
            }
        }
        frames.sort_unstable();
        if !frames.is_empty() {
            prerequisite.sets.push(PrerequisiteSet {
                set: *set,
                frames: runs_of(frames),
            });
        }
    }
    Ok(prerequisite)
}

/// Orders newer versions first within a name. Numbers in versions compare as numbers.
pub(crate) fn newest_first(one: &ReleaseName, other: &ReleaseName) -> Ordering {
    let by_name = one.name().cmp(other.name());
    let by_version = || by_numbers(other.version(), one.version());
    by_name
        .then_with(by_version)
        .then_with(|| one.arch().cmp(&other.arch()))
}

/// Compares texts, with runs of digits compared by value.
fn by_numbers(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let (Some(a), Some(b)) = (one.first(), other.first()) else {
            return one.len().cmp(&other.len());
        };
        if a.is_ascii_digit() && b.is_ascii_digit() {
            let (number, rest) = take_number(one);
            let (other_number, other_rest) = take_number(other);
            let order = number
                .len()
                // Without leading zeros the longer number is the larger one, so no number can overflow.
                .cmp(&other_number.len())
                .then_with(|| number.cmp(other_number));
            if order.is_ne() {
                return order;
            }
            (one, other) = (rest, other_rest);
        } else if a == b {
            (one, other) = (&one[1..], &other[1..]);
        } else {
            return a.cmp(b);
        }
    }
}

/// Returns the leading digits of a text without leading zeros, and the rest.
fn take_number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let first = digits.iter().position(|byte| *byte != b'0');
    (&digits[first.unwrap_or(digits.len())..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_people_count() {
        let sorted = ["0.9", "1.0", "1.2", "1.10", "1.10-rc1", "2", "10.0"];
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(by_numbers(one, other), at.cmp(&other_at), "{one} {other}");
            }
        }
        assert_eq!(by_numbers("1.01", "1.1"), Ordering::Equal);
    }
}
