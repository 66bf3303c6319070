//! Messages about plans and volumes: what is packed, what is at hand, whether it is whole, and which volumes to ask for.

use std::path::{Path, PathBuf};

use carryall::base::id::SetId;
use carryall::ops::media::inspect::SetContents;
use carryall::ops::media::labels::LabelsReport;
use carryall::ops::media::verify::{SetState, SetVerdict, VolumeVerdict};
use carryall::ops::pack::programs::{PlannedProgram, ProgramLeftOut};
use carryall::ops::pack::{PackPlan, PackReport};
use carryall::volumes::recovery::SetNeeds;

use super::delta::plan_leans;
use super::trust::signed;
use super::{bytes, enumerated, line, line_below, message, shown, volumes};

/// The page of labels, and how to print it.
pub fn labels_written(report: &LabelsReport) -> String {
    let (path, count) = (&report.path, report.labels.len());
    line(message!("labels-written", path, count))
}

/// The plan alone: nothing follows it.
pub fn plan_alone(shown: &PackPlan) -> String {
    plan(shown) + &line_below(message!("plan-alone"))
}

/// The plan, before the first volume is written.
pub fn plan(plan: &PackPlan) -> String {
    let (data, spare) = (plan.data_volumes, plan.spare_volumes);
    let total = data + spare;
    let medium = match plan.medium_bytes.map(bytes) {
        None => message!("plan-disk"),
        Some(size) => message!("plan-medium", size),
    };
    let (releases, original) = (enumerated(&plan.releases), bytes(plan.release_bytes));
    let payload = bytes(plan.payload_bytes + plan.catalog_bytes);
    let size = bytes(plan.volume_bytes);
    let mut out = line(if plan.is_bare {
        message!("plan-bare", releases, original, payload)
    } else {
        message!(
            "plan", releases, original, payload, total, size, medium, data, spare
        )
    });
    out += &plan_leans(plan);
    let minutes = plan.remake.core_seconds.div_ceil(60);
    if minutes > 1 {
        let size = bytes(plan.remake.stream_bytes);
        out += &line_below(message!("plan-remake", size, minutes));
    }
    if !plan.is_bare {
        out += &guarantees(plan, total);
    }
    if let Some(date) = &plan.date {
        out += &line_below(message!("plan-date", date));
    }
    for key in &plan.signed_by {
        let (id, fingerprint) = (&key.key_id, &key.fingerprint);
        out += &line_below(message!("plan-signed", id, fingerprint));
    }
    if let Some(kinds) = &plan.sealed_for {
        out += &line_below(message!("plan-sealed", whom = sealed_for(kinds)));
    }
    out += &programs(plan);
    let needed = bytes(plan.needed_bytes);
    out + &line_below(match plan.free_bytes.map(bytes) {
        Some(free) => message!("plan-space", needed, free),
        None => message!("plan-space-needed", needed),
    })
}

/// For whom something is sealed: `X25519 2`, or a passphrase.
fn sealed_for(kinds: &str) -> String {
    match kinds.split_once(' ') {
        Some(("X25519", count)) => {
            message!(
                "sealed-for-recipients",
                count = count.parse::<u32>().unwrap_or(0)
            )
        }
        Some(("scrypt", _)) => message!("sealed-with-passphrase"),
        _ => message!("sealed-for-others"),
    }
}

/// Programs on the volumes, or why the running one is not on them.
fn programs(plan: &PackPlan) -> String {
    let one = |program: &PlannedProgram| {
        let (file, machine, sha256) = (&program.file, program.machine, &program.sha256);
        let size = bytes(program.bytes);
        line_below(message!("plan-program", file, machine, size, sha256))
    };
    let mut out: String = plan.programs.iter().map(one).collect();
    if !plan.programs.is_empty() {
        let size = bytes(plan.companion_bytes);
        out += &line_below(message!("plan-program-guides", size));
    }
    match plan.program_left_out {
        None => out,
        Some(ProgramLeftOut::NotStatic) => out + &line_below(message!("plan-program-not-static")),
        Some(ProgramLeftOut::NoRoom) => out + &line_below(message!("plan-program-no-room")),
        Some(_) => out + &line_below(message!("plan-program-unreadable")),
    }
}

/// What heals for certain, and what almost for certain.
fn guarantees(plan: &PackPlan, total: u16) -> String {
    let (mut out, spare) = (String::new(), plan.spare_volumes);
    if spare > 0 {
        let burst = bytes(plan.burst_everywhere_bytes);
        out += &line_below(message!("plan-guaranteed-loss", spare, burst));
    }
    if plan.burst_alone_bytes > 0 {
        let burst = bytes(plan.burst_alone_bytes);
        let percent = format!("{:.0}", plan.local_percent);
        out += &line_below(message!("plan-guaranteed-burst", burst, percent));
    }
    for (lost, percent) in &plan.scattered {
        let percent = format!("{percent:.1}");
        out += &line_below(if total == 1 {
            message!("plan-likely-alone", percent)
        } else {
            message!("plan-likely", lost, percent)
        });
    }
    out
}

pub fn packed(report: &PackReport, to: &Path) -> String {
    let mut out = String::new();
    // What is written on a disc can be read by whoever finds it.
    let title = match report.plan.sealed_for {
        Some(_) => message!("packed-sealed-title"),
        None => enumerated(&report.plan.releases),
    };
    let set = report.set_id.short();
    let total = report.volumes.len();
    for (number, path) in (1_u16..).zip(&report.volumes) {
        out += &line_below(if number > report.plan.data_volumes {
            message!("packed-spare", path, title, set, number, total)
        } else {
            message!("packed-volume", path, title, set, number, total)
        });
    }
    out + &line(message!("packed", count = total, set, to))
}

/// A bundle in one file.
pub fn packed_bare(report: &PackReport) -> String {
    let (set, size) = (report.set_id.short(), bytes(report.plan.volume_bytes));
    let files = report.volumes.iter();
    files
        .map(|path| line(message!("packed-bare", path, size, set)))
        .collect()
}

/// `shop:1.0 (set 12ab34cd): 4 data and 2 spare volumes of 98.6 MB`.
pub fn set_line(set: &SetVerdict) -> String {
    let volumes = (set.data_volumes, set.spare_volumes, set.volume_bytes);
    set_of_volumes(&set.title, set.set_id, volumes)
}

fn set_of_volumes(title: &str, id: SetId, (data, spare, volume_bytes): (u16, u16, u64)) -> String {
    let (id, size) = (id.short(), bytes(volume_bytes));
    let title = match title {
        "" => message!("set-without-title"),
        title => title.to_owned(),
    };
    line(message!("set-line", title, id, data, spare, size))
}

/// What a set holds, and which of its volumes are at hand.
pub fn set_contents(set: &SetContents) -> String {
    let numbers = (set.data_volumes, set.spare_volumes, set.volume_bytes);
    let mut out = set_of_volumes(&set.title, set.set_id, numbers);
    for release in &set.releases {
        out += &format!("  {}\n", shown(&release.name));
        for item in &release.items {
            out += &format!("    {:>9}  {}\n", bytes(item.bytes), shown(&item.name));
        }
    }
    if let Some(kinds) = &set.sealed_for {
        out += &line_below(sealed_for(kinds));
    }
    out += &signed(&set.signed);
    let volumes = volumes(&set.volumes_at_hand);
    out + &line_below(message!("set-at-hand", volumes, by = set.created_by))
}

fn volumes_where(set: &SetVerdict, wanted: impl Fn(&VolumeVerdict) -> bool) -> Vec<u16> {
    let found = set.volumes.iter().filter(|each| wanted(each));
    found.map(|each| each.outcome.volume_no).collect()
}

/// One line for each volume at hand, and one for all others together.
pub fn volume_lines(set: &SetVerdict) -> String {
    let at_hand = set.volumes.iter().filter(|volume| volume.at_hand);
    let mut out: String = at_hand.map(volume_line).collect();
    let away = volumes_where(set, |volume| !volume.at_hand);
    if !away.is_empty() {
        out += &line_below(message!("volumes-away", volumes = volumes(&away)));
    }
    out
}

fn volume_line(volume: &VolumeVerdict) -> String {
    let outcome = &volume.outcome;
    let (number, blocks) = (outcome.volume_no, volume.blocks);
    let bad = blocks - outcome.present_blocks;
    let state = if bad == 0 {
        message!("volume-whole")
    } else {
        let percent = format!("{:.1}", 100.0 * f64::from(bad) / f64::from(blocks));
        let (local, missing) = (outcome.local_blocks, outcome.missing_blocks);
        let wide = outcome.wide_blocks + outcome.copied_blocks;
        message!("volume-bad", bad, blocks, percent, local, wide, missing)
    };
    line_below(if volume.spare {
        message!("volume-spare", number, state)
    } else {
        message!("volume", number, state)
    })
}

/// What it all means, and what to do.
pub fn verdict(set: &SetVerdict) -> String {
    line_below(match set.state {
        SetState::Whole => message!("verdict-whole"),
        SetState::DataWhole => message!("verdict-data-whole"),
        SetState::Recoverable => message!("verdict-recoverable"),
        SetState::NeedsVolumes if set.at_hand_whole => {
            message!("verdict-at-hand-whole", needed = needed(&set.needs))
        }
        SetState::NeedsVolumes => needed(&set.needs),
        SetState::Lost => return lost(&set.needs, &set.lost_items),
    })
}

/// The volumes to ask for: the rest of those whose reading was broken off, and the others.
fn asked_for(needs: &SetNeeds) -> String {
    let is_rest = |no: &&u16| needs.rest_of.contains(no);
    let (rest, whole): (Vec<u16>, Vec<u16>) = needs.ask_for.iter().partition(is_rest);
    let both = [
        (!rest.is_empty()).then(|| message!("needs-rest", volumes = volumes(&rest))),
        (!whole.is_empty()).then(|| volumes(&whole)),
    ];
    super::both(both.into_iter().flatten().collect())
}

/// Whether the volumes at hand are whole, whatever the set needs besides.
pub fn verdict_at_hand(set: &SetVerdict) -> String {
    let bad = volumes_where(set, |volume| {
        volume.at_hand && volume.outcome.present_blocks < volume.blocks
    });
    line_below(if bad.is_empty() {
        let here = volumes_where(set, |volume| volume.at_hand);
        message!("at-hand-whole", volumes = volumes(&here))
    } else {
        message!("at-hand-not-whole", volumes = volumes(&bad))
    })
}

/// Paths that were named and hold no volume.
pub fn without_volume(paths: &[PathBuf]) -> String {
    let one = |path: &PathBuf| line_below(message!("verify-no-volume", path));
    paths.iter().map(one).collect()
}

/// Which volumes to give next.
pub(super) fn needed(needs: &SetNeeds) -> String {
    let mut what = vec![match needs.at_least {
        Some(least) if usize::from(least) < needs.any_of.len() => {
            message!("needs-any", least, volumes = volumes(&needs.any_of))
        }
        _ => message!("needs", what = asked_for(needs)),
    }];
    if needs
        .at_least
        .is_some_and(|least| usize::from(least) < needs.any_of.len())
        && !needs.rest_of.is_empty()
    {
        what.push(message!(
            "needs-only-rest",
            volumes = volumes(&needs.rest_of)
        ));
    }
    if !needs.damaged.is_empty() {
        what.push(message!("needs-copy", volumes = volumes(&needs.damaged)));
    }
    super::sentences(&what)
}

pub(super) fn lost(needs: &SetNeeds, items: &[String]) -> String {
    let damaged = volumes(&needs.damaged);
    let mut out = line_below(if needs.any_of.is_empty() {
        message!("lost", damaged)
    } else {
        message!("lost-for-good", more = volumes(&needs.any_of), damaged)
    });
    for item in items {
        out += &line_below(message!("lost-item", item));
    }
    out
}

/// Bytes that drives could not read.
pub fn unread(unread: u64) -> String {
    line_below(message!("verify-unread", size = bytes(unread)))
}

pub fn map_written(path: &Path) -> String {
    line(message!("map-written", path))
}

pub fn report_written(path: &Path, signature: Option<&Path>) -> String {
    line(match signature {
        Some(signature) => message!("report-written-signed", path, signature),
        None => message!("report-written", path),
    })
}

pub fn nothing_to_repair() -> String {
    line(message!("nothing-to-repair"))
}

pub fn rebuilt(number: u16, path: &Path) -> String {
    line_below(message!("rebuilt", number, path))
}

pub fn not_rebuilt(numbers: &[u16]) -> String {
    line_below(message!("not-rebuilt", volumes = volumes(numbers)))
}
