//! What a site takes: sets by signers whom it trusts, made for this site, that replace nothing and are not older than what
//! came before. What a set is to the history follows from the same.
//!
//! A set that is refused stays staged, and nothing of it is in the store. Who receives may say otherwise, except where a
//! site is set to take signed sets alone.

use std::path::PathBuf;
use std::sync::Arc;

use super::ReceiveOptions;
use crate::base::sealing::Identities;
use crate::content::release::ReleaseRoot;
use crate::ops::Error;
use crate::ops::history::{HistoryEntry, HistoryEvent};
use crate::ops::receive::commit::{CommittedRelease, roots_of};
use crate::ops::receive::newest_sets::{NewestSets, SetDay};
use crate::ops::receive::staged_set::StagedSet;
use crate::ops::trust::{SetSigners, TrustError, TrustedKeys};
use crate::ops::unseal::lacking;
use crate::store::Store;
use crate::volumes::SetDescriptor;
use crate::volumes::descriptor::{FACT_DATE, FACT_SEALED, FACT_SITE};

/// Least number of hex digits that name a store.
const STORE_DIGITS_MIN: usize = 16;

/// What a site takes during one call.
pub(crate) struct SiteRules {
    trusted: TrustedKeys,
    unsigned: bool,
    replace: bool,
    event: HistoryEvent,
    from: Vec<PathBuf>,
    identities: Identities,
}

impl SiteRules {
    /// Reads whom the site trusts.
    ///
    /// # Errors
    /// [`TrustError::Damaged`], or an error of the store.
    pub(crate) fn of(store: &Store, options: &ReceiveOptions) -> Result<Self, Error> {
        Ok(Self {
            trusted: TrustedKeys::of(store)?,
            unsigned: options.unsigned,
            replace: options.replace,
            event: options.event,
            from: Vec::new(),
            identities: options.identities.clone(),
        })
    }

    /// Adds the media that are read.
    pub(crate) fn reading(mut self, paths: &[PathBuf]) -> Self {
        self.from = paths.to_vec();
        self
    }

    /// Describes for the history that a set came.
    pub(crate) fn arrival(
        &self,
        set: &StagedSet,
        roots: &[ReleaseRoot],
        committed: &[CommittedRelease],
    ) -> HistoryEntry {
        let staging = &set.staging;
        let descriptor = staging.descriptor().ok();
        let site = descriptor.as_ref().and_then(|each| each.fact(FACT_SITE));
        let mut entry = HistoryEntry::now(self.event)
            .set(staging.set_id())
            .signers(&self.signers(staging))
            .site(site.and_then(|fact| Some(fact.rsplit_once(' ')?.0)))
            .from(self.from.iter().map(PathBuf::as_path));
        for root in roots {
            let mut same = committed.iter().filter(|each| each.name == root.name);
            entry.name_release(root, same.any(|each| each.replaced));
        }
        entry
    }

    /// Returns what sealed sets are opened with.
    pub(crate) fn identities(&self) -> &Identities {
        &self.identities
    }

    /// Names the signers of a set.
    pub(crate) fn signers(&self, set: &crate::volumes::Staging) -> SetSigners {
        let mut signers = SetSigners::of(&set.signatures());
        signers.name(&self.trusted);
        signers
    }

    /// Returns why a set is not taken, as far as it is known. A set of which more must come may still turn out to be
    /// signed.
    pub(crate) fn refusal(&self, store: &Store, set: &StagedSet) -> Option<Arc<Error>> {
        let refusal = self.check(store, set).err().or_else(|| self.closed(set));
        refusal.filter(Error::is_refusal_of_set).map(Arc::new)
    }

    /// Returns why a sealed set that is whole cannot be opened, as far as that is known without trying.
    fn closed(&self, set: &StagedSet) -> Option<Error> {
        let is_closed =
            set.catalog().is_sealed() && set.staging.needs().complete && self.identities.is_empty();
        let descriptor = set.staging.descriptor().ok();
        is_closed.then(|| Error::Sealed {
            set: set.staging.set_id(),
            source: lacking(descriptor.as_ref().and_then(|each| each.fact(FACT_SEALED))),
        })
    }

    /// Checks whether a set is taken.
    ///
    /// # Errors
    /// [`Error`] when it is not.
    pub(crate) fn check(&self, store: &Store, set: &StagedSet) -> Result<(), Error> {
        self.check_signer(set)?;
        if self.replace {
            return Ok(());
        }
        let descriptor = set.staging.descriptor()?;
        check_site(store, set, &descriptor)?;
        let roots = roots_of(set.catalog())?;
        check_replaced(store, set, &roots)?;
        self.check_age(store, set, &descriptor, &roots)
    }

    fn check_signer(&self, set: &StagedSet) -> Result<(), Error> {
        if !self.trusted.is_asked_for() || self.unsigned && !self.trusted.is_required() {
            return Ok(());
        }
        let signatures = set.staging.signatures();
        if self.trusted.trusts(&signatures) {
            return Ok(());
        }
        // Signatures stand in superblocks alone. One of them may still come.
        if !set.staging.has_superblock() && !set.staging.needs().complete {
            return Ok(());
        }
        let id = set.staging.set_id();
        let keys: Vec<String> = signatures
            .signed_by
            .iter()
            .map(|by| format!("{} ({})", by.key.id(), by.key.fingerprint()))
            .collect();
        Err(if self.unsigned {
            TrustError::Required { set: id }
        } else if !keys.is_empty() {
            TrustError::Stranger { set: id, keys }
        } else if signatures.wrong > 0 {
            TrustError::WrongSignature { set: id }
        } else {
            TrustError::Unsigned { set: id }
        }
        .into())
    }

    /// Fails when a later set has brought another version of one of the releases. The day of a set that nobody signed
    /// proves nothing, so it keeps no signed one out.
    fn check_age(
        &self,
        store: &Store,
        set: &StagedSet,
        descriptor: &SetDescriptor,
        roots: &[ReleaseRoot],
    ) -> Result<(), Error> {
        let Some(date) = descriptor.fact(FACT_DATE) else {
            return Ok(());
        };
        let day = self.day(set, date);
        let newest = NewestSets::read(store)?;
        let newer = roots
            .iter()
            .find_map(|root| newest.newer_than(&root.name, &day));
        match newer {
            None => Ok(()),
            Some(newer) => Err(Error::OlderSet {
                set: day.set,
                date: day.date,
                newer: newer.set,
                newer_date: newer.date.clone(),
                release: newer.release.clone(),
            }),
        }
    }

    fn day(&self, set: &StagedSet, date: &str) -> SetDay {
        SetDay {
            set: set.staging.set_id(),
            date: date.to_owned(),
            is_signed: self.trusted.trusts(&set.staging.signatures()),
        }
    }

    /// Remembers the day of a set that was committed.
    ///
    /// # Errors
    /// [`Error`] when that cannot be written.
    pub(crate) fn remember_day(&self, store: &Store, set: &StagedSet) -> Result<(), Error> {
        let descriptor = set.staging.descriptor()?;
        match descriptor.fact(FACT_DATE) {
            Some(date) => {
                let roots = roots_of(set.catalog())?;
                NewestSets::remember(store, &roots, &self.day(set, date))
            }
            None => Ok(()),
        }
    }
}

/// Fails when a set was made for another store. A site that gave no receipt is known by its name alone, which no store
/// has.
fn check_site(store: &Store, set: &StagedSet, descriptor: &SetDescriptor) -> Result<(), Error> {
    let Some((site, made_for)) = descriptor
        .fact(FACT_SITE)
        .and_then(|fact| fact.rsplit_once(' '))
    else {
        return Ok(());
    };
    let here = store.id().to_string();
    if made_for.len() < STORE_DIGITS_MIN || here.starts_with(made_for) {
        return Ok(());
    }
    Err(Error::OtherSite {
        set: set.staging.set_id(),
        site: site.chars().take(100).collect(),
        store: made_for.chars().take(32).collect(),
        here: store.id(),
    })
}

/// Fails when a release of the set is in the store with other content.
fn check_replaced(store: &Store, set: &StagedSet, roots: &[ReleaseRoot]) -> Result<(), Error> {
    for root in roots {
        let here = crate::ops::release(store, &root.name).ok();
        if let Some(here) = here.filter(|here| here != root) {
            return Err(Error::WouldReplace {
                set: set.staging.set_id(),
                release: root.name.to_string(),
                here: here.id(),
                comes: root.id(),
            });
        }
    }
    Ok(())
}
