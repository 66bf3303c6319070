//! Commits what a sealed set holds, for whoever can open it. The sealed set itself stays staged until then.

use std::sync::Arc;

use super::commit::{CommitOutcome, CommittedRelease, all_here, commit_set, roots_of};
use super::committed_sets::CommittedSets;
use super::prerequisites::MissingPrerequisites;
use super::report::{ProgressState, SetProgress};
use super::rules::SiteRules;
use super::selection::{LeftOut, Selection};
use super::staged_set::{Staged, StagedSet, asked_of, title_of};
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::sealing::SealError;
use crate::bundle::BundleError;
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::ops::history;
use crate::ops::unseal::{self, SealedSource, SealedTrouble};
use crate::store::Store;
use crate::volumes::Staging;

/// What is asked of sealed sets.
#[derive(Clone, Copy)]
pub(super) struct SealedAsk<'a> {
    /// The requested platforms.
    pub(super) platforms: &'a [Platform],
    /// What the site takes, and what it opens with.
    pub(super) rules: &'a SiteRules,
}

/// What a sealed set held.
pub(super) struct OpenedSet {
    /// Its title.
    pub(super) title: String,
    /// Its releases, also those that were not asked for.
    pub(super) releases: Vec<String>,
    /// What was left out.
    pub(super) left_out: Option<LeftOut>,
    /// Whether none of its releases was asked for.
    is_empty: bool,
    /// What became of it. `None` when all of it was in the store.
    pub(super) outcome: Option<CommitOutcome>,
}

impl OpenedSet {
    /// Notes in the progress of the sealed set what came of it. Fails with what is missing to take it in.
    pub(super) fn taken(
        self,
        progress: &mut SetProgress,
        set: &StagedSet,
    ) -> Result<Option<LeftOut>, MissingPrerequisites> {
        progress.title = self.title;
        progress.releases = self.releases;
        progress.left_out.clone_from(&self.left_out);
        progress.lacking = None;
        progress.wrong_volumes = set.staging.wrong_blocks().keys().copied().collect();
        match self.outcome {
            Some(CommitOutcome::Missing(missing)) => return Err(missing),
            Some(CommitOutcome::In(committed)) => {
                progress.state = ProgressState::Complete;
                progress.committed = committed;
            }
            None if self.is_empty => progress.state = ProgressState::NotAsked,
            None => progress.state = ProgressState::AlreadyHere,
        }
        Ok(self.left_out)
    }
}

/// Opens a sealed set of which all payload is staged, and commits what it holds. Returns the sealed set too.
pub(super) fn commit(
    store: &Store,
    set: StagedSet,
    ask: SealedAsk<'_>,
    monitor: &dyn Monitor,
) -> (StagedSet, Result<OpenedSet, Error>) {
    let StagedSet {
        staging,
        selection,
        payload_bytes,
    } = set;
    let staging = Arc::new(staging);
    let trouble = Arc::new(SealedTrouble::default());
    let opened = open_and_commit(
        store,
        &staging,
        &selection,
        &payload_bytes,
        (ask, &trouble),
        monitor,
    );
    let set_id = staging.set_id();
    let opened = opened.map_err(|error| told(error, set_id, &trouble));
    let staging = Arc::into_inner(staging).expect("what was opened is closed");
    let set = StagedSet {
        staging,
        selection,
        payload_bytes,
    };
    (set, opened)
}

fn open_and_commit(
    store: &Store,
    staging: &Arc<Staging>,
    selection: &Selection,
    payload_bytes: &[u64],
    (ask, trouble): (SealedAsk<'_>, &Arc<SealedTrouble>),
    monitor: &dyn Monitor,
) -> Result<OpenedSet, Error> {
    let source: Arc<dyn SealedSource> = Arc::<Staging>::clone(staging);
    let dir = staging.dir().with_extension("opened");
    let inner = unseal::open(
        staging.set_id(),
        source,
        &selection.catalog,
        payload_bytes,
        ask.rules.identities(),
        trouble,
        dir,
    )?;
    let strange = || Error::Sealed {
        set: staging.set_id(),
        source: SealError::Header,
    };
    // Its catalog is whole or not there at all, so this fails where a staged set would only wait.
    inner.catalog()?;
    let Staged::Described(inner) = Staged::open(inner, ask.platforms)? else {
        return Err(strange());
    };
    let mut opened = OpenedSet {
        title: title_of(&inner.staging),
        releases: inner.release_names(),
        left_out: inner.selection.left_out(),
        is_empty: inner.catalog().releases.is_empty(),
        outcome: None,
    };
    if inner.catalog().is_sealed() {
        return Err(strange());
    }
    if !all_here(store, inner.catalog())? {
        ask.rules.check(store, &inner)?;
        opened.outcome = Some(commit_set(store, &inner, monitor)?);
    }
    if !matches!(opened.outcome, Some(CommitOutcome::Missing(_))) {
        let committed = match &opened.outcome {
            Some(CommitOutcome::In(committed)) => &committed[..],
            _ => &[],
        };
        remember(store, (staging, &inner), committed, ask, monitor)?;
    }
    Ok(opened)
}

/// Remembers the sealed set by what it held.
fn remember(
    store: &Store,
    (sealed, inner): (&Staging, &StagedSet),
    committed: &[CommittedRelease],
    ask: SealedAsk<'_>,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let roots = roots_of(inner.catalog())?;
    if roots.is_empty() {
        return Ok(());
    }
    let entry = ask.rules.arrival(inner, &roots, committed);
    let entry = entry.set(sealed.set_id());
    if !committed.is_empty() || !history::has_arrival(store, &entry) {
        history::note(store, &entry, monitor);
    }
    let platforms = match inner.selection.left_out() {
        Some(_) => ask.platforms,
        None => &[],
    };
    let title = title_of(&inner.staging);
    CommittedSets::remember(store, sealed.set_id(), &title, &roots, platforms)?;
    ask.rules.remember_day(store, inner)
}

/// Names the block or the piece that was the reason, if one was.
fn told(error: Error, set: SetId, trouble: &SealedTrouble) -> Error {
    if let Some(source) = trouble.of_payload() {
        return BundleError::Payload(source).into();
    }
    if let Some(source) = trouble.of_content() {
        let source = SealError::Content(source);
        return Error::Sealed { set, source };
    }
    error
}

/// Removes a sealed set that was committed, unless an earlier call requested more of it.
pub(super) fn discard_if_done(
    set: StagedSet,
    left_out: &Option<LeftOut>,
    ask: SealedAsk<'_>,
) -> Result<(), Error> {
    let asked = asked_of(&set.staging);
    if left_out.is_some() && asked.as_slice() != ask.platforms {
        return Ok(());
    }
    Ok(set.staging.discard()?)
}
