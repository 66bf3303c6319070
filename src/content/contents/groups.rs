//! Puts files into a few groups that show where most of the bytes are: a folder, an archive, a single file.
//!
//! It only knows paths and numbers. Memory: about 150 bytes for each folder and each file while it works.

use std::collections::BTreeMap;

/// The sums of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Files.
    pub files: u64,
    /// Those of them whose path existed before.
    pub known_files: u64,
    /// Plain bytes that are new.
    pub new_bytes: u64,
    /// Bytes to carry, estimated.
    pub carried_bytes: u64,
}

impl Weight {
    /// Adds other sums to these.
    pub fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.known_files += other.known_files;
        self.new_bytes += other.new_bytes;
        self.carried_bytes += other.carried_bytes;
    }

    fn less(&self, other: &Self) -> Self {
        Self {
            files: self.files - other.files,
            known_files: self.known_files - other.known_files,
            new_bytes: self.new_bytes - other.new_bytes,
            carried_bytes: self.carried_bytes - other.carried_bytes,
        }
    }
}

/// Files in one folder or archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileGroup {
    /// The path of containers, from the outside: the item, then members that are archives.
    pub within: Vec<Vec<u8>>,
    /// The folder in the innermost container, or the file. Empty for all of the container.
    pub path: Vec<u8>,
    /// Which part of the path the group covers.
    pub extent: GroupExtent,
    /// The sums of its files.
    pub weight: Weight,
}

/// Which part of a path a group covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupExtent {
    /// One file.
    File,
    /// Everything below it.
    Whole,
    /// The folders and files that no other group covers.
    Rest,
}

/// Folders, archives and files with their sums.
#[derive(Default)]
pub(crate) struct GroupTree {
    nodes: Vec<GroupNode>,
}

#[derive(Default)]
struct GroupNode {
    weight: Weight,
    below: BTreeMap<GroupStep, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum GroupStep {
    /// Last component of an item's or archive's path.
    Archive(Vec<u8>),
    /// A component of a path.
    Part(Vec<u8>),
}

/// Most places that a folder is split into. They are its largest.
const PLACES_MAX: usize = 12;
/// Each of these places has at least one eighth of its bytes.
const PLACE_PARTS: u64 = 8;

impl GroupTree {
    /// Adds a file.
    pub fn add(&mut self, within: &[Vec<u8>], path: &[u8], weight: &Weight) {
        if self.nodes.is_empty() {
            self.nodes.push(GroupNode::default());
        }
        let archives = within.iter().flat_map(|path| steps_of(path, true));
        let steps = archives.chain(steps_of(path, false));
        let mut at = 0;
        self.nodes[0].weight.add(weight);
        // Hostile paths may have thousands of parts. The innermost folders are merged into one.
        for step in steps.take(STEPS_MAX) {
            let next = self.nodes.len();
            let below = *self.nodes[at].below.entry(step).or_insert(next);
            if below == next {
                self.nodes.push(GroupNode::default());
            }
            at = below;
            self.nodes[at].weight.add(weight);
        }
    }

    /// Returns the sums of all files.
    #[cfg(test)]
    pub fn total(&self) -> Weight {
        self.nodes
            .first()
            .map(|node| node.weight)
            .unwrap_or_default()
    }

    /// Returns the groups of at least `least_bytes` new bytes, the largest first. A folder is split when a few places
    /// in it hold half of its bytes, each at least an eighth. Then every other large enough place is listed by itself,
    /// too. Otherwise the folder is one group.
    pub fn groups(&self, least_bytes: u64) -> Vec<FileGroup> {
        let mut groups = Vec::new();
        // A stack instead of recursion, because trees may be deep.
        let mut waiting = vec![(0, Vec::new())];
        while let Some((at, steps)) = waiting.pop() {
            let Some(node) = self.nodes.get(at) else {
                break;
            };
            let large = self.large(node, least_bytes);
            if large.is_empty() {
                let extent = if node.below.is_empty() {
                    GroupExtent::File
                } else {
                    GroupExtent::Whole
                };
                groups.push(group(&steps, extent, node.weight));
                continue;
            }
            let mut rest = node.weight;
            for (step, below) in large {
                rest = rest.less(&self.nodes[below].weight);
                waiting.push((below, [&steps[..], std::slice::from_ref(step)].concat()));
            }
            if rest.new_bytes >= least_bytes.max(1) {
                groups.push(group(&steps, GroupExtent::Rest, rest));
            }
        }
        groups.retain(|group| group.weight.new_bytes >= least_bytes.max(1));
        groups.sort_by(|one, other| {
            let size = other.weight.new_bytes.cmp(&one.weight.new_bytes);
            size.then_with(|| (&one.within, &one.path).cmp(&(&other.within, &other.path)))
        });
        groups
    }

    /// Returns the places that a node is split into. Empty when the node is better listed as one.
    fn large<'t>(&'t self, node: &'t GroupNode, least_bytes: u64) -> Vec<(&'t GroupStep, usize)> {
        let all = node.weight.new_bytes;
        let mut large: Vec<(&GroupStep, usize)> = Vec::new();
        let (mut held, mut held_by_archives) = (0, 0);
        for (step, below) in &node.below {
            let bytes = self.nodes[*below].weight.new_bytes;
            let is_archive = matches!(step, GroupStep::Archive(_));
            if bytes < least_bytes.max(1) {
                continue;
            }
            large.push((step, *below));
            held_by_archives += if is_archive { bytes } else { 0 };
            held += if bytes >= all / PLACE_PARTS { bytes } else { 0 };
        }
        // Items and archives are listed separately, however many they are.
        if held_by_archives >= all / 2 {
            return large;
        }
        if large.len() > PLACES_MAX {
            let bytes_of = |place: &(&GroupStep, usize)| self.nodes[place.1].weight.new_bytes;
            large.sort_by_key(|place| std::cmp::Reverse(bytes_of(place)));
            let cut_off = large.split_off(PLACES_MAX);
            let bytes = cut_off.iter().map(bytes_of);
            held -= bytes
                .filter(|bytes| *bytes >= all / PLACE_PARTS)
                .sum::<u64>();
        }
        if held >= all / 2 { large } else { Vec::new() }
    }
}

/// Returns the parts of a path. The last one may be an archive that contains more.
fn steps_of(path: &[u8], is_archive: bool) -> impl Iterator<Item = GroupStep> {
    let parts = path.split(|byte| *byte == b'/');
    let mut parts = parts
        .filter(|part| !part.is_empty() && *part != b".")
        .peekable();
    std::iter::from_fn(move || {
        let part = parts.next()?.to_vec();
        let is_last = parts.peek().is_none();
        Some(if is_archive && is_last {
            GroupStep::Archive(part)
        } else {
            GroupStep::Part(part)
        })
    })
}

/// Most parts of a path that are distinguished.
const STEPS_MAX: usize = 64;

fn group(steps: &[GroupStep], extent: GroupExtent, weight: Weight) -> FileGroup {
    let (mut within, mut path) = (Vec::new(), Vec::new());
    for step in steps {
        let (GroupStep::Archive(part) | GroupStep::Part(part)) = step;
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(part);
        if let GroupStep::Archive(_) = step {
            within.push(std::mem::take(&mut path));
        }
    }
    FileGroup {
        within,
        path,
        extent,
        weight,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn weight(bytes: u64) -> Weight {
        Weight {
            files: 1,
            known_files: bytes % 2,
            new_bytes: bytes,
            carried_bytes: bytes / 4,
        }
    }

    fn told(tree: &GroupTree, least_bytes: u64) -> Vec<(String, GroupExtent, u64, u64)> {
        let groups = tree.groups(least_bytes).into_iter();
        groups
            .map(|group| {
                let parts = [group.within, vec![group.path]].concat();
                let parts: Vec<_> = parts
                    .iter()
                    .map(|part| String::from_utf8_lossy(part).into_owned())
                    .collect();
                let weight = group.weight;
                (
                    parts.join("|"),
                    group.extent,
                    weight.files,
                    weight.new_bytes,
                )
            })
            .collect()
    }

    #[test]
    fn many_small_files_are_told_by_their_folder_and_large_ones_alone() {
        let mut tree = GroupTree::default();
        let layer = [b"image.tar".to_vec(), b"blobs/layer".to_vec()];
        for package in 0..200 {
            let path = format!("opt/app/node_modules/p{package}/index.js");
            tree.add(&layer, path.as_bytes(), &weight(1000));
        }
        tree.add(&layer, b"usr/lib/libbig.so", &weight(900_000));
        tree.add(&layer, b"usr/lib/libsmall.so", &weight(50_000));
        tree.add(&layer, b"etc/passwd", &weight(10));
        let other = [b"image.tar".to_vec(), b"blobs/other".to_vec()];
        tree.add(&other, b"x", &weight(40_000));
        tree.add(&[], b"notes.txt", &weight(7));
        assert_eq!(
            told(&tree, 1000),
            [
                (
                    "image.tar|blobs/layer|usr/lib/libbig.so".into(),
                    GroupExtent::File,
                    1,
                    900_000
                ),
                (
                    "image.tar|blobs/layer|opt/app/node_modules".into(),
                    GroupExtent::Whole,
                    200,
                    200_000
                ),
                (
                    "image.tar|blobs/layer|usr/lib/libsmall.so".into(),
                    GroupExtent::File,
                    1,
                    50_000
                ),
                (
                    "image.tar|blobs/other|x".into(),
                    GroupExtent::File,
                    1,
                    40_000
                ),
            ]
        );
        assert_eq!(tree.total().new_bytes, 1_190_017);
    }

    #[test]
    fn no_file_and_files_without_bytes_give_no_groups() {
        assert_eq!(GroupTree::default().groups(0), []);
        let mut tree = GroupTree::default();
        tree.add(&[], b"a/b", &Weight::default());
        assert_eq!(tree.groups(0), []);
        let deep = "d/".repeat(5000);
        tree.add(&[], deep.as_bytes(), &weight(5));
        assert_eq!(tree.groups(0).len(), 1);
    }
}
