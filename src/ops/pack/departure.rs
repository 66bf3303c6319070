//! What a store keeps of a set that was packed: which chunk is in which frame, for a top-up, and a line in the history.

use std::path::Path;

use super::{PackNotes, PackOptions};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Subject};
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::bundle::CutBundle;
use crate::bundle::receipt::HeldRelease;
use crate::bundle::receipt::packed::PackedSet;
use crate::content::release::ReleaseRoot;
use crate::ops::history::{HistoryEntry, HistoryEvent};
use crate::ops::trust::{KeyFacts, SetSigners};
use crate::store::Store;

/// Describes a set that was written.
pub(super) fn departure(
    releases: &[ReleaseRoot],
    to: &Path,
    options: &PackOptions,
    notes: &PackNotes,
    set: SetId,
) -> HistoryEntry {
    let keys = options.signers.iter();
    let keys = keys.map(|key| KeyFacts::of(key.public_key()));
    let site = notes.site.as_ref().map(|(name, _)| name.as_str());
    let entry = HistoryEntry::now(HistoryEvent::Pack)
        .set(set)
        .signers(&SetSigners::by_keys(keys))
        .site(site.or(notes.recipient.as_deref()))
        .to(&to.to_string_lossy());
    releases.iter().fold(entry, HistoryEntry::release)
}

/// Records which chunk is in which frame, for a top-up if the set does not arrive whole. The volumes are written and
/// good, so a store that cannot be written is only reported.
pub(super) fn remember(
    store: &Store,
    set: &SetId,
    releases: &[ReleaseRoot],
    cut: &CutBundle,
    monitor: &dyn Monitor,
) {
    let packed = PackedSet {
        releases: releases.iter().map(HeldRelease::of).collect(),
        frames: cut.chunks.clone(),
    };
    if let Err(error) = store.put_set(set, &packed.encode()) {
        let what = diagnostic!("pack.set_not_remembered", why = Arg::caught(error));
        let subject = Subject::Set(set.short().to_string());
        monitor.finding(&Finding::damage(subject, what));
    }
}
