//! `pack --for-all`: packs for all remembered sites, one set for all or one for each.

use std::path::Path;

use carryall::base::diagnostic::diagnostic;
use carryall::content::release::ReleaseRoot;
use carryall::ops::pack::fleet::{self, FleetPlan, FleetSite};
use carryall::ops::pack::recipients;
use carryall::ops::pack::{self, PackNotes, PackOptions, PackReport};
use carryall::store::Store;
use serde::Serialize;

use crate::cli::args::PackArgs;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages};

/// The figures, and what was packed.
#[derive(Serialize)]
struct FleetReport {
    #[serde(flatten)]
    plan: FleetPlan,
    /// The sets, each with the sites that it is for.
    packed: Vec<FleetSet>,
}

#[derive(Serialize)]
struct FleetSet {
    /// Names of the sites.
    r#for: Vec<String>,
    report: PackReport,
}

pub fn run(
    context: &Context,
    store: &Store,
    releases: &[ReleaseRoot],
    (options, notes): (PackOptions, &PackNotes),
    args: &PackArgs,
) -> Result<u8, Failure> {
    let (volume_bytes, screen) = (options.capacity.bytes(), &context.screen);
    let plan = fleet::fleet(store, releases, volume_bytes, options.effort, screen)?;
    let lacking: Vec<&FleetSite> = plan.lacking().collect();
    let mut packed = Vec::new();
    if !args.estimate && !lacking.is_empty() {
        let Some(to) = &args.to else {
            return Err(diagnostic!("usage.no_folder").into());
        };
        if !context.json {
            messages::say(&messages::fleet(&plan));
        }
        let one = |sites: &[&FleetSite], to: &Path| -> Result<FleetSet, Failure> {
            pack_one(context, store, releases, (&options, notes), sites, to)
        };
        if plan.is_together {
            packed.push(one(&lacking, to)?);
        } else {
            for site in &lacking {
                let folder = FleetPlan::folder_of(to, &site.name).map_err(Failure::from)?;
                packed.push(one(&[site], &folder)?);
            }
        }
    }
    let report = FleetReport { plan, packed };
    context.print(&report, |report| match report.packed.is_empty() {
        true => messages::fleet(&report.plan),
        // They were said set by set.
        false => String::new(),
    })?;
    Ok(0)
}

fn pack_one(
    context: &Context,
    store: &Store,
    releases: &[ReleaseRoot],
    (options, notes): (&PackOptions, &PackNotes),
    sites: &[&FleetSite],
    to: &Path,
) -> Result<FleetSet, Failure> {
    let (mut options, mut notes) = (options.clone(), notes.clone());
    options.receivers = sites.iter().map(|site| site.recipient.clone()).collect();
    let names: Vec<String> = sites.iter().map(|site| site.name.to_string()).collect();
    notes.recipient = Some(names.join(", "));
    if let [site] = sites {
        // The others refuse what is for one of them alone.
        let known = recipients::store_of(store, &site.name)?;
        notes.site = known.map(|known| (site.name.to_string(), known));
    }
    let mut show = |plan: &pack::PackPlan| {
        if !context.json {
            messages::say(&messages::fleet_set(&names));
            messages::say(&messages::plan(plan));
        }
    };
    let report = pack::pack_with(
        store,
        releases,
        to,
        &options,
        &notes,
        &mut show,
        &context.screen,
    )?;
    if !context.json {
        messages::say(&messages::packed(&report, to));
    }
    for site in sites {
        recipients::remember(store, &site.name, None, releases)?;
    }
    Ok(FleetSet {
        r#for: names,
        report,
    })
}
