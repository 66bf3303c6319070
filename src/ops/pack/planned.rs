//! The plan of a set, shown before it is written: what it brings, for whom, and what it bears.

use serde::Serialize;

use crate::base::size::total;
use crate::bundle::{BundleNeeds, CutBundle, Have, Prerequisite, Recipient};
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::ops::Error;
use crate::ops::pack::RemakeWork;
use crate::ops::pack::programs::{PlanWithCompanions, PlannedProgram, ProgramLeftOut};
use crate::ops::trust::KeyFacts;
use crate::store::Store;
use crate::volumes::media::Carrier;
use crate::volumes::{Guarantee, SetPlan};

/// The planned set, shown before it is written.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PackPlan {
    /// Releases.
    pub releases: Vec<ReleaseName>,
    /// Bytes of the releases' items when restored.
    pub release_bytes: u64,
    /// Bytes of the compressed chunks.
    pub payload_bytes: u64,
    /// Bytes of the catalog, which is on every volume.
    pub catalog_bytes: u64,
    /// Data volumes (K).
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// Bytes of each volume, without file system and pages.
    pub volume_bytes: u64,
    /// Bytes that the medium holds. `None` stands for a medium as large as needed.
    pub medium_bytes: Option<u64>,
    /// Local parity in percent of what it protects.
    pub local_percent: f64,
    /// Number of volumes that may be lost, whichever they are, if the others are whole.
    pub any_volumes: u16,
    /// Longest burst in bytes on every volume at once that heals when no volume is lost.
    pub burst_everywhere_bytes: u64,
    /// Longest burst in bytes that a volume heals on its own.
    pub burst_alone_bytes: u64,
    /// Estimates, not guarantees: volumes lost, and the percentage of scattered bad sectors on the others that still
    /// heals in 99 of 100 cases.
    pub scattered: Vec<(u16, f64)>,
    /// Recipients of the bundle. Empty when it is full.
    pub receivers: Vec<PlannedReceiver>,
    /// For each recipient the releases that it must have to receive the bundle, and the frames of its staged sets.
    /// Empty when the bundle has no prerequisites.
    pub leans: Vec<Vec<String>>,
    /// With several recipients, the approximate payload of one bundle for all, measured as for each alone.
    pub together_bytes: Option<u64>,
    /// The streams that the site makes again to receive, and the time that this takes.
    pub remake: RemakeWork,
    /// Space that writing takes in the target folder.
    pub needed_bytes: u64,
    /// Free space there. `None` when no folder is named.
    pub free_bytes: Option<u64>,
    /// The day that is written on the volumes.
    pub date: Option<String>,
    /// Programs on every volume.
    pub programs: Vec<PlannedProgram>,
    /// Bytes that programs and guides take on every volume.
    pub companion_bytes: u64,
    /// The reason why the running program is not on the volumes. `None` when it is, or was not wanted.
    pub program_left_out: Option<ProgramLeftOut>,
    /// The keys that sign the set.
    pub signed_by: Vec<KeyFacts>,
    /// Whether it is one file without volumes and parity.
    pub is_bare: bool,
    /// Whom it is sealed for: the kind of recipients in the age format, and how many there are.
    pub sealed_for: Option<String>,
}

/// A recipient of the bundle.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PlannedReceiver {
    /// The receipt, releases or site that was named.
    pub label: String,
    /// Releases that it is assumed to have.
    pub releases: Vec<ReleaseName>,
    /// With several recipients, the approximate payload of a bundle for this one alone, estimated from its chunks in
    /// the store.
    pub alone_bytes: Option<u64>,
}

/// Describes the recipients, and with several of them the cost of a bundle for each alone.
pub(super) fn recipients_of(
    store: &Store,
    releases: &[ReleaseRoot],
    recipients: &[Recipient],
) -> Result<Vec<PlannedReceiver>, Error> {
    let several = recipients.len() > 1;
    let plan = |receiver: &Recipient| {
        let alone_bytes = if several {
            let have = Have::of(store, std::slice::from_ref(receiver))?;
            Some(BundleNeeds::of(store, releases, &have)?.share_bytes())
        } else {
            None
        };
        Ok(PlannedReceiver {
            label: receiver.label.clone(),
            releases: receiver
                .releases
                .iter()
                .map(|root| root.name.clone())
                .collect(),
            alone_bytes,
        })
    };
    recipients.iter().map(plan).collect()
}

fn names_of(lean: &Prerequisite) -> Vec<String> {
    let releases = lean.releases.iter();
    let mut names: Vec<String> = releases.map(|release| release.name.clone()).collect();
    for set in &lean.sets {
        let frames: u64 = set.frames.iter().map(|run| u64::from(run.count)).sum();
        names.push(format!("set {} ({frames} frames)", set.set.short()));
    }
    names
}

pub(super) fn describe(
    planned: &PlanWithCompanions,
    releases: &[ReleaseRoot],
    cut: &CutBundle,
    catalog_bytes: u64,
) -> PackPlan {
    let plan = &planned.plan;
    let companion_bytes = planned.room().bytes();
    let volume_bytes = plan.volume_bytes() + companion_bytes;
    let volumes = u64::from(plan.geometry().volume_count());
    // Images are made one after the other. Each is next to its folder, which is then removed.
    let copies = match plan.carrier {
        Carrier::Folders => volumes * volume_bytes,
        Carrier::Iso => (volumes + 1) * volume_bytes,
    };
    PackPlan {
        needed_bytes: copies,
        companion_bytes,
        program_left_out: planned.left_out,
        ..describe_plan(plan, releases, cut, catalog_bytes)
    }
}

pub(super) fn describe_plan(
    plan: &SetPlan,
    releases: &[ReleaseRoot],
    cut: &CutBundle,
    catalog_bytes: u64,
) -> PackPlan {
    let Guarantee {
        any_volumes,
        burst_everywhere_bytes,
        burst_alone_bytes,
        scattered,
    } = plan.guarantee();
    let header = plan.geometry().header();
    let local_percent = if header.local_data == 0 {
        0.0
    } else {
        100.0 * f64::from(header.local_parity) / f64::from(header.local_data)
    };
    let items = cut
        .catalog
        .releases
        .iter()
        .flat_map(|release| &release.items);
    PackPlan {
        releases: releases.iter().map(|root| root.name.clone()).collect(),
        release_bytes: total(items.map(|item| item.bytes)),
        payload_bytes: cut.catalog.payload_bytes(),
        catalog_bytes,
        data_volumes: header.data_volumes,
        spare_volumes: header.spare_volumes,
        volume_bytes: plan.volume_bytes(),
        medium_bytes: plan.capacity.bytes(),
        local_percent,
        any_volumes,
        burst_everywhere_bytes,
        burst_alone_bytes,
        scattered,
        receivers: Vec::new(),
        leans: cut.catalog.prerequisites.iter().map(names_of).collect(),
        together_bytes: None,
        remake: RemakeWork::default(),
        needed_bytes: plan.total_bytes(),
        free_bytes: None,
        date: None,
        programs: Vec::new(),
        companion_bytes: 0,
        program_left_out: None,
        signed_by: Vec::new(),
        is_bare: false,
        sealed_for: None,
    }
}
