//! The architectures of the releases in a bundle. Frames are cut by them, so that a site with one architecture reads only
//! its part and depends only on what it has.

use std::cmp::Reverse;

use crate::content::release::{ReleaseName, ReleaseRoot};

/// The architectures of a bundle's releases, in their order. Releases without one are for all.
#[derive(Debug, Clone, Default)]
pub(super) struct Archs(Vec<String>);

/// Some of the architectures of a bundle, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ArchSet(u32);

impl ArchSet {
    /// The set of none.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Where the part for this set stands in a bundle: what most need comes first, and what one needs lies together.
    pub(super) fn turn(self) -> impl Ord {
        (Reverse(self.0.count_ones()), self.0)
    }
}

impl Archs {
    /// Returns the architectures of these releases. None when there are fewer than two, or more than can be told apart.
    pub(super) fn of(releases: &[ReleaseRoot]) -> Self {
        let mut names: Vec<String> = Vec::new();
        for arch in releases.iter().filter_map(|root| root.name.arch()) {
            if !names.iter().any(|name| name == arch) {
                names.push(arch.to_owned());
            }
        }
        if (2..32).contains(&names.len()) {
            Self(names)
        } else {
            Self::default()
        }
    }

    /// Returns whether frames are cut by architecture.
    pub(super) fn are_apart(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns the architectures that a release is for.
    pub(super) fn of_release(&self, name: &ReleaseName) -> ArchSet {
        let bits = self.0.iter().zip(0_u32..);
        let of_name = bits.filter(|(arch, _)| name.arch().is_none_or(|named| named == *arch));
        ArchSet(of_name.fold(0, |all, (_, bit)| all | 1 << bit))
    }

    /// Returns the names of the architectures in a set.
    pub(super) fn names(&self, set: ArchSet) -> impl Iterator<Item = &str> {
        let bits = self.0.iter().zip(0_u32..);
        bits.filter(move |(_, bit)| set.0 >> bit & 1 == 1)
            .map(|(arch, _)| arch.as_str())
    }
}
