//! What the receivers of a bundle have already: the chunks that need not be carried.
//!
//! It is what the vendor believes; whether it is so, `receive` finds out. 16 bytes a chunk, up to four times that while it is built.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use crate::base::id::{ChunkId, SetId};
use crate::bundle::catalog::runs_of;
use crate::bundle::{BundleError, Lean, LeanRelease, LeanSet};
use crate::content::index::prefix;
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::{ReleaseName, ReleaseRoot, walk};
use crate::store::{ChunkSet, Store};

/// First bytes of the id of a chunk that a receiver lacks. Eight suffice: where two chunks share them, both are carried.
pub type MissingMark = [u8; 8];

/// What one receiver is taken to have.
#[derive(Debug, Clone, Default)]
pub struct Recipient {
    /// What it is called in the plan.
    pub label: String,
    /// Releases that the vendor's store has too.
    pub releases: Vec<ReleaseRoot>,
    /// Chunks of these releases that are lost or damaged at the receiver's.
    pub lacks: Vec<MissingMark>,
    /// Sets that wait there.
    pub waiting: Vec<WaitingSet>,
}

/// A set of which not all has come, or that lacks what it leans on.
#[derive(Debug, Clone)]
pub struct WaitingSet {
    /// The set.
    pub set: SetId,
    /// The releases in it, which this store has too.
    pub releases: Vec<ReleaseRoot>,
    /// Its frames that are there: number and chunks.
    pub frames: Vec<(u32, Vec<MissingMark>)>,
}

/// What all receivers of a bundle have.
#[derive(Debug, Default)]
pub struct Have {
    receivers: Vec<ReceiverState>,
    releases: Vec<ReleaseRoot>,
    chunks: ChunkSet,
    /// What stands in sets that wait.
    waiting: HashSet<ChunkId>,
    /// What receivers at which sets wait lack of the releases they have: these sets may lean on it.
    lacks: Vec<ChunkId>,
}

/// What one receiver has: releases, newest first, and chunks of sets with the frame of each.
#[derive(Debug)]
struct ReceiverState {
    releases: Vec<ReleaseRoot>,
    sets: Vec<(SetId, Vec<(ChunkId, u32)>)>,
}

impl Have {
    /// Nothing: the bundle will be full.
    pub fn none() -> Self {
        Self::default()
    }

    /// Walks the receivers' releases in the vendor's own store. What one of several receivers lacks counts as lacking.
    ///
    /// # Errors
    /// [`BundleError`] when the lists of a release cannot be read.
    pub fn of(store: &Store, receivers: &[Recipient]) -> Result<Self, BundleError> {
        let mut common: Option<ChunkSet> = None;
        let mut known = Vec::new();
        let (mut waiting, mut lacks) = (HashSet::new(), Vec::new());
        for receiver in receivers {
            let ReceiverChunks {
                had,
                lacked,
                in_sets,
            } = chunks_of(store, receiver)?;
            match &mut common {
                None => common = Some(had),
                Some(common) => common.intersect(&had),
            }
            let mut releases = receiver.releases.clone();
            releases.sort_by(|one, other| newest_first(&one.name, &other.name));
            let chunks = in_sets.iter().flat_map(|(_, chunks)| chunks);
            waiting.extend(chunks.map(|(id, _)| *id));
            if !in_sets.is_empty() {
                lacks.extend(lacked);
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
            receivers: known,
            releases,
            chunks: common.unwrap_or_default(),
            waiting,
            lacks,
        })
    }

    /// Whether every receiver has the chunk.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.chunks.contains(id)
    }

    /// Whether the chunk stands in a set that waits at a receiver's.
    pub fn is_waiting(&self, id: &ChunkId) -> bool {
        self.waiting.contains(id)
    }

    /// What a bundle carries besides, when it leans on a set that waits: chunks of the receivers' releases that are lost
    /// or damaged there, for the set may lean on them.
    pub fn is_missing(&self) -> impl Iterator<Item = ChunkId> + '_ {
        self.lacks.iter().copied()
    }

    /// Whether there is nothing that they have.
    pub fn is_none(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The releases that a receiver has, each once, newest first. With several receivers not every chunk of them is had
    /// by all.
    pub fn releases(&self) -> &[ReleaseRoot] {
        &self.releases
    }

    /// For each receiver the releases that have what is leaned on, as few of the newest as suffice, and the frames of
    /// sets that have the rest. Nothing when nothing is leaned on.
    ///
    /// # Errors
    /// [`BundleError`] when the lists of a release cannot be read.
    pub fn depends_on(&self, store: &Store, leaned: &ChunkSet) -> Result<Vec<Lean>, BundleError> {
        let mut leans: Vec<Lean> = Vec::new();
        if leaned.is_empty() {
            return Ok(leans);
        }
        for known in &self.receivers {
            let lean = dependencies_of(store, known, leaned)?;
            if !leans.contains(&lean) {
                leans.push(lean);
            }
        }
        Ok(leans)
    }
}

/// The chunks of one receiver.
struct ReceiverChunks {
    /// Those it has.
    had: ChunkSet,
    /// Those of its releases that it lacks.
    lacked: Vec<ChunkId>,
    /// Those of its sets, and the frame of each.
    in_sets: Vec<(SetId, Vec<(ChunkId, u32)>)>,
}

fn chunks_of(store: &Store, receiver: &Recipient) -> Result<ReceiverChunks, BundleError> {
    let lacks: HashSet<&[u8]> = receiver.lacks.iter().map(|lack| &lack[..]).collect();
    let mut chunks = ChunkSet::new();
    let mut lacked = Vec::new();
    let mut walker = Walker::new(store);
    for root in &receiver.releases {
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            if lacks.contains(&id.as_bytes()[..8]) {
                lacked.push(*id);
            } else {
                chunks.insert(id);
            }
            Ok(())
        };
        walk::release(&mut walker, root, &mut note)?;
    }
    lacked.sort_unstable();
    lacked.dedup();
    let mut in_sets = Vec::new();
    for waiting in &receiver.waiting {
        let found = chunks_in(store, waiting)?;
        found.iter().for_each(|(id, _)| chunks.insert(id));
        in_sets.push((waiting.set, found));
    }
    Ok(ReceiverChunks {
        had: chunks.settled(),
        lacked,
        in_sets,
    })
}

/// The chunks of a set's frames, as far as its releases need them: by the beginning of an id alone nothing can be said.
fn chunks_in(store: &Store, waiting: &WaitingSet) -> Result<Vec<(ChunkId, u32)>, BundleError> {
    let frames = waiting.frames.iter();
    let by_lack: HashMap<MissingMark, u32> = frames
        .flat_map(|(frame, chunks)| chunks.iter().map(|lack| (*lack, *frame)))
        .collect();
    let mut found = Vec::new();
    let mut walker = Walker::new(store);
    for root in &waiting.releases {
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            let lack = id.as_bytes().first_chunk::<8>();
            if let Some(frame) = lack.and_then(|lack| by_lack.get(lack)) {
                found.push((*id, *frame));
            }
            Ok(())
        };
        walk::release(&mut walker, root, &mut note)?;
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn dependencies_of(
    store: &Store,
    known: &ReceiverState,
    leaned: &ChunkSet,
) -> Result<Lean, BundleError> {
    let mut covered: HashSet<[u8; 16]> = HashSet::new();
    let mut lean = Lean::default();
    for root in &known.releases {
        let before = covered.len();
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            if leaned.contains(id) {
                covered.insert(prefix(id));
            }
            Ok(())
        };
        // A walker of its own: what an older release shares with this one would be left out by the same.
        walk::release(&mut Walker::new(store), root, &mut note)?;
        if covered.len() > before {
            lean.releases.push(LeanRelease {
                name: root.name.to_string(),
                id: root.id(),
            });
        }
        if covered.len() == leaned.len() {
            break;
        }
    }
    for (set, chunks) in &known.sets {
        let mut frames: Vec<u32> = Vec::new();
        for (id, frame) in chunks {
            if leaned.contains(id) && covered.insert(prefix(id)) {
                frames.push(*frame);
            }
        }
        frames.sort_unstable();
        if !frames.is_empty() {
            lean.sets.push(LeanSet {
                set: *set,
                frames: runs_of(frames),
            });
        }
    }
    Ok(lean)
}

/// Newer versions first, within a name; numbers in versions count as numbers.
pub fn newest_first(one: &ReleaseName, other: &ReleaseName) -> Ordering {
    let by_name = one.name().cmp(other.name());
    let by_version = || by_numbers(other.version(), one.version());
    by_name
        .then_with(by_version)
        .then_with(|| one.arch().cmp(&other.arch()))
}

/// Compares texts; runs of digits in them by their value.
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

/// The digits that a text begins with, without leading zeros, and what follows.
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
