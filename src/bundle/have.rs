//! What the receivers of a bundle have already: the chunks that need not be carried.
//!
//! It is what the vendor believes; whether it is so, `receive` finds out. 16 bytes a chunk, up to four times that while it is built.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::bundle::{BundleError, Lean, LeanRelease};
use crate::id::ChunkId;
use crate::index::prefix;
use crate::recipe::RecipeError;
use crate::recipe::walk::Walker;
use crate::release::{ReleaseName, ReleaseRoot, walk};
use crate::store::{ChunkSet, Store};

/// First bytes of the id of a chunk that a receiver lacks. Eight suffice: where two chunks share them, both are carried.
pub type Lack = [u8; 8];

/// What one receiver is taken to have.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    /// What it is called in the plan.
    pub label: String,
    /// Releases that the vendor's store has too.
    pub releases: Vec<ReleaseRoot>,
    /// Chunks of these releases that are lost or damaged at the receiver's.
    pub lacks: Vec<Lack>,
}

/// What all receivers of a bundle have.
#[derive(Debug, Default)]
pub struct Have {
    receivers: Vec<Vec<ReleaseRoot>>,
    releases: Vec<ReleaseRoot>,
    chunks: ChunkSet,
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
    pub fn of(store: &Store, receivers: &[Receiver]) -> Result<Self, BundleError> {
        let mut common: Option<ChunkSet> = None;
        for receiver in receivers {
            let chunks = chunks_of(store, receiver)?;
            match &mut common {
                None => common = Some(chunks),
                Some(common) => common.intersect(&chunks),
            }
        }
        let mut releases: Vec<ReleaseRoot> = Vec::new();
        for root in receivers.iter().flat_map(|each| &each.releases) {
            if !releases.contains(root) {
                releases.push(root.clone());
            }
        }
        releases.sort_by(|one, other| newest_first(&one.name, &other.name));
        let mut by_receiver: Vec<Vec<ReleaseRoot>> =
            receivers.iter().map(|each| each.releases.clone()).collect();
        for roots in &mut by_receiver {
            roots.sort_by(|one, other| newest_first(&one.name, &other.name));
        }
        Ok(Self {
            receivers: by_receiver,
            releases,
            chunks: common.unwrap_or_default(),
        })
    }

    /// Whether every receiver has the chunk.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.chunks.contains(id)
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

    /// For each receiver the releases that have what is leaned on: as few of the newest as suffice. Nothing when
    /// nothing is leaned on.
    ///
    /// # Errors
    /// [`BundleError`] when the lists of a release cannot be read.
    pub fn leans(&self, store: &Store, leaned: &ChunkSet) -> Result<Vec<Lean>, BundleError> {
        let mut leans: Vec<Lean> = Vec::new();
        if leaned.is_empty() {
            return Ok(leans);
        }
        for roots in &self.receivers {
            let lean = lean_of(store, roots, leaned)?;
            if !leans.contains(&lean) {
                leans.push(lean);
            }
        }
        Ok(leans)
    }
}

fn chunks_of(store: &Store, receiver: &Receiver) -> Result<ChunkSet, BundleError> {
    let mut chunks = ChunkSet::new();
    let mut walker = Walker::new(store);
    for root in &receiver.releases {
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            chunks.insert(id);
            Ok(())
        };
        walk::release(&mut walker, root, &mut note)?;
    }
    let mut chunks = chunks.settled();
    let lacks: HashSet<&[u8]> = receiver.lacks.iter().map(|lack| &lack[..]).collect();
    if !lacks.is_empty() {
        chunks.retain(|prefix| !lacks.contains(&prefix[..8]));
    }
    Ok(chunks)
}

fn lean_of(store: &Store, roots: &[ReleaseRoot], leaned: &ChunkSet) -> Result<Lean, BundleError> {
    let mut covered: HashSet<[u8; 16]> = HashSet::new();
    let mut releases = Vec::new();
    for root in roots {
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
            releases.push(LeanRelease {
                name: root.name.to_string(),
                id: root.id(),
            });
        }
        if covered.len() == leaned.len() {
            break;
        }
    }
    Ok(Lean { releases })
}

/// Newer versions first, within a name; numbers in versions count as numbers.
fn newest_first(one: &ReleaseName, other: &ReleaseName) -> Ordering {
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
