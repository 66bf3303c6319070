//! Messages about deltas: receipts, sites, and what a bundle depends on.

use std::collections::BTreeSet;
use std::path::Path;

use carryall::base::id::SetId;
use carryall::bundle::receipt::Receipt;
use carryall::bundle::receipt::site::SiteName;
use carryall::ops::pack::PackPlan;
use carryall::ops::pack::fleet::FleetPlan;
use carryall::ops::pack::recipients::SitesReport;
use carryall::ops::receive::prerequisites::{
    MissingPrerequisites, MissingRelease, MissingSet, MissingState,
};
use carryall::ops::receive::receipt::ReceiptReport;
use carryall::ops::receive::{ProgressState, SetProgress};

use super::{alternatives, bytes, enumerated, line, line_below, message, sentences};

/// More lines than this are not typed with pleasure.
const TEXT_LINES: usize = 20;

/// What a bundle depends on and, with several receivers, what that costs; nothing for a full bundle.
pub fn plan_leans(plan: &PackPlan) -> String {
    let mut out = String::new();
    for names in &plan.leans {
        let releases = enumerated(names);
        out += &line_below(message!("plan-depends-on", releases));
    }
    if !plan.receivers.is_empty() && plan.leans.is_empty() {
        out += &line_below(message!("plan-depends-on-nothing"));
    }
    if let Some(together) = plan.together_bytes {
        let (count, together) = (plan.receivers.len(), bytes(together));
        out += &line_below(message!("plan-fits-all", count, together));
        for receiver in &plan.receivers {
            let alone = bytes(receiver.alone_bytes.unwrap_or_default());
            out += &format!("    {alone:>9}  {}\n", receiver.label);
        }
    }
    out
}

fn lacking_release(release: &MissingRelease) -> String {
    let (name, id) = (&release.name, release.id.short());
    match release.state {
        MissingState::Whole => message!("prerequisite-here", name, id),
        MissingState::Damaged => message!("prerequisite-damaged", name, id),
        MissingState::Different => message!("prerequisite-different", name, id),
        MissingState::Absent => message!("prerequisite-absent", name, id),
    }
}

fn lacking_set(set: &MissingSet) -> String {
    let (set_id, missing, frames) = (set.set_id.short(), set.missing, set.frames);
    if missing == 0 {
        return message!("prerequisite-set-waits", set = set_id);
    }
    message!("prerequisite-frames", set = set_id, missing, frames)
}

/// A set that was cleared away because its releases came by another one.
pub fn done_with(set_id: &SetId) -> String {
    line(message!("set-done-with", set = set_id.short()))
}

/// What a set depends on that is not here.
pub fn lacking(lacking: &MissingPrerequisites) -> String {
    let ways = lacking.any_of.iter().map(|way| {
        let releases: Vec<String> = way.iter().map(lacking_release).collect();
        enumerated(&releases)
    });
    let ways = alternatives(&ways.collect::<Vec<_>>());
    let sets = lacking.sets.iter().map(lacking_set);
    let what: Vec<String> = std::iter::once(ways)
        .filter(|ways| !ways.is_empty())
        .chain(sets)
        .collect();
    let what = sentences(&what);
    match lacking.chunk_ids.first() {
        Some(first) if lacking.chunks > 0 => {
            let (count, first) = (lacking.chunks, first.short());
            message!("prerequisites-and-chunks", what, count, first)
        }
        _ => message!("prerequisites", what),
    }
}

/// What to do about damage that nothing at hand heals.
pub fn hint_top_up() -> String {
    message!("hint-top-up")
}

/// What to do about it.
pub fn hint_base() -> String {
    message!("hint-prerequisite")
}

/// How to take one architecture of a set alone, when there are several and one of them lacks what it depends on.
pub fn hint_platform(sets: &[SetProgress]) -> Option<String> {
    let waiting = sets
        .iter()
        .find(|set| set.state == ProgressState::NeedsBase && set.left_out.is_none())?;
    let names = waiting.releases.iter().map(|name| name.rsplit_once('@'));
    let archs: BTreeSet<String> = names.flatten().map(|(_, arch)| arch.to_owned()).collect();
    let archs: Vec<String> = archs.into_iter().collect();
    (archs.len() > 1).then(|| message!("hint-prerequisite-platform", archs = enumerated(&archs)))
}

/// What a receipt is called in the plan.
pub fn receipt_label(number: usize, receipt: &Receipt) -> String {
    message!("receipt-label", number, store = &receipt.store_hex()[..8])
}

pub fn another_store(site: &SiteName) -> String {
    line(message!("site-of-another-store", site = site.to_string()))
}

pub fn site_is_new(site: &SiteName) -> String {
    line(message!("site-is-new", site = site.to_string()))
}

pub fn unknown_releases(label: &str, names: &[String]) -> String {
    let releases = enumerated(names);
    line(message!("receiver-unknown-releases", label, releases))
}

pub fn unknown_sets(label: &str, sets: &[String]) -> String {
    let sets = enumerated(sets);
    line(message!("receiver-unknown-sets", label, sets))
}

/// About a receipt, beside its lines.
pub fn receipt_about(report: &ReceiptReport, out: Option<&Path>) -> String {
    let store = &report.json.store[..8];
    let held = report.json.releases.iter();
    let names: Vec<String> = held.map(|held| held.name.clone()).collect();
    let mut about = line(if names.is_empty() {
        message!("receipt-of-nothing", store)
    } else {
        message!("receipt-of", store, releases = enumerated(&names))
    });
    let lacks = report.json.lacks.len();
    if lacks > 0 {
        about += &line_below(message!("receipt-lacks", count = lacks));
    }
    for set in &report.sets {
        let (set_id, have, all) = (set.set_id.short(), set.frames, set.of_frames);
        let releases = enumerated(&set.releases);
        about += &line_below(message!("receipt-set", set = set_id, releases, have, all));
    }
    if let Some(lines) = &report.text
        && lines.len() > TEXT_LINES
    {
        about += &line_below(message!("receipt-long", lines = lines.len()));
    }
    let count = report.pictures.len();
    for (number, path) in (1..).zip(&report.pictures) {
        about += &line_below(match count {
            1 => message!("receipt-picture", path),
            _ => message!("receipt-picture-of", path, number, count),
        });
    }
    about
        + &line_below(match (out, &report.text) {
            (Some(path), _) => message!("receipt-written", path),
            (None, _) if count > 0 => message!("receipt-photographed"),
            (None, Some(_)) => message!("receipt-typed"),
            (None, None) => message!("receipt-too-long"),
        })
}

/// Below one of several codes on the terminal.
pub fn code_of(number: usize, count: usize, waits: bool) -> String {
    line(if waits {
        message!("receipt-code-next", number, count)
    } else {
        message!("receipt-code-of", number, count)
    })
}

pub fn sites(report: &SitesReport) -> String {
    if report.sites.is_empty() {
        return line(message!("site-none"));
    }
    let names = |names: &[String]| {
        if names.is_empty() {
            message!("site-nothing")
        } else {
            enumerated(names)
        }
    };
    let mut out = String::new();
    for site in &report.sites {
        let (name, packed) = (site.name.to_string(), names(&site.packed));
        out += &line(match &site.store {
            None => message!("site-without-receipt", name, packed),
            Some(store) => {
                let (store, has, count) = (&store[..8], names(&site.has), site.lacks);
                if count == 0 {
                    message!("site-has", name, has, store, packed)
                } else {
                    message!("site-has-and-lacks", name, has, store, count, packed)
                }
            }
        });
        if let Some(day) = site.noted_at.as_deref().and_then(|at| at.get(..10)) {
            out += &line_below(message!("site-noted", day));
        }
        if let Some(next) = &site.next {
            let (releases, carried) = (enumerated(&next.releases), bytes(next.carried_bytes));
            out += &line_below(match next.new_bytes {
                0 => message!("site-next-nothing", releases),
                _ => message!("site-next", releases, carried),
            });
        }
    }
    out
}

/// Whom the set that comes next is for.
pub fn fleet_set(names: &[String]) -> String {
    line(message!("fleet-set", names = enumerated(names)))
}

/// What goes to all sites, and how.
pub fn fleet(plan: &FleetPlan) -> String {
    let mut out = String::new();
    for site in &plan.sites {
        let (name, carried) = (site.name.to_string(), bytes(site.carried_bytes));
        let volumes = site.volumes;
        out += &line(match site.new_bytes {
            0 => message!("fleet-has-all", name),
            _ => message!("fleet-site", name, carried, volumes),
        });
    }
    if plan.apart.sets == 0 {
        return out + &line(message!("fleet-nothing"));
    }
    let FleetPlan {
        together, apart, ..
    } = plan;
    let (carried, volumes) = (bytes(together.carried_bytes), together.volumes);
    out += &line(message!(
        "fleet-together",
        copies = apart.sets,
        carried,
        volumes
    ));
    let (carried, volumes) = (bytes(apart.carried_bytes), apart.volumes);
    out += &line(message!("fleet-apart", sets = apart.sets, carried, volumes));
    out + &line(match plan.is_together {
        true => message!("fleet-as-one"),
        false => message!("fleet-as-many"),
    })
}

pub fn forgotten(site: &SiteName) -> String {
    line(message!("site-forgotten", site = site.to_string()))
}
