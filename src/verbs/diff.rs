//! `diff`: how two releases differ, and what makes the newer one large for somebody who has the older.
//!
//! It reads recipes, headers and lists, never whole items.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::contributors::{Contributor, contributors, item_of};
use super::layers::Layers;
use crate::bundle::{Effort, Have, Receiver, weigh};
use crate::monitor::Monitor;
use crate::release::{Item, ReleaseRoot};
use crate::store::Store;
use crate::verbs::Error;

/// How two releases differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffReport {
    /// The older.
    pub from: String,
    /// The newer.
    pub to: String,
    /// Items of either, by name.
    pub items: Vec<DiffItem>,
    /// Distinct chunks of the newer that the older does not have.
    pub new_chunks: u64,
    /// Their plain bytes.
    pub new_bytes: u64,
    /// About what they weigh in a bundle for somebody who has the older release.
    pub carried_bytes: u64,
    /// Folders and files with most of the new bytes, the largest first.
    pub contributors: Vec<Contributor>,
}

/// An item in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffItem {
    /// Name, as far as it is text.
    pub name: String,
    /// How it differs.
    pub change: DiffChange,
    /// Its bytes in the newer release; 0 when it is gone.
    pub bytes: u64,
    /// Plain bytes of chunks that neither the older release nor an item before it has.
    pub new_bytes: u64,
    /// About what these weigh in a bundle.
    pub carried_bytes: u64,
}

/// How an item differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DiffChange {
    /// Only the newer has it.
    Added,
    /// Only the older has it.
    Removed,
    /// Both have it, with other content or metadata.
    Changed,
    /// It is the same in both.
    Same,
}

/// Says how `to` differs from `from`, and where most of what is new lies.
///
/// # Errors
/// [`Error`] when the lists of either cannot be read, or a stop was asked for.
pub fn diff(
    store: &Store,
    from: &ReleaseRoot,
    to: &ReleaseRoot,
    monitor: &dyn Monitor,
) -> Result<DiffReport, Error> {
    let receiver = Receiver {
        releases: vec![from.clone()],
        ..Receiver::default()
    };
    let have = Have::of(store, &[receiver])?;
    let newer = std::slice::from_ref(to);
    let weighed = weigh(store, newer, &have, Effort::Default, monitor)?;
    let mut sums: HashMap<&[u8], (u64, u64)> = HashMap::new();
    let (new_bytes, carried_bytes) = weighed.total();
    let mut new_chunks = 0;
    for file in &weighed.files {
        new_chunks += file.new_chunks;
        if let Some(item) = item_of(&weighed, file) {
            let sum = sums.entry(item).or_default();
            sum.0 += file.new_bytes;
            sum.1 += file.carried_bytes;
        }
    }
    let old: BTreeMap<Vec<u8>, Item> = from
        .read_items(store)?
        .into_iter()
        .map(|item| (item.name.clone(), item))
        .collect();
    let new = to.read_items(store)?;
    let gone = old
        .keys()
        .filter(|name| new.binary_search_by(|item| item.name.cmp(name)).is_err());
    let mut items: Vec<DiffItem> = gone.map(|name| removed(name)).collect();
    for item in &new {
        let sum = sums.get(&item.name[..]).copied().unwrap_or_default();
        items.push(kept(item, old.get(&item.name), sum));
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(DiffReport {
        from: from.name.to_string(),
        to: to.name.to_string(),
        items,
        new_chunks,
        new_bytes,
        carried_bytes,
        contributors: contributors(&weighed, &Layers::read(store, &weighed)),
    })
}

fn removed(name: &[u8]) -> DiffItem {
    DiffItem {
        name: String::from_utf8_lossy(name).into_owned(),
        change: DiffChange::Removed,
        bytes: 0,
        new_bytes: 0,
        carried_bytes: 0,
    }
}

fn kept(item: &Item, before: Option<&Item>, (new_bytes, carried_bytes): (u64, u64)) -> DiffItem {
    DiffItem {
        name: String::from_utf8_lossy(&item.name).into_owned(),
        change: match before {
            None => DiffChange::Added,
            Some(before) if before == item => DiffChange::Same,
            Some(_) => DiffChange::Changed,
        },
        bytes: item.bytes(),
        new_bytes,
        carried_bytes,
    }
}
