//! Messages about stores and the releases in them.

use std::path::Path;

use carryall::content::release::ReleaseName;
use carryall::files::unpacker::{KeptReason, StreamReport};
use carryall::ops::add::{AddReport, Change};
use carryall::ops::checkout::{CheckoutReport, ItemState};
use carryall::ops::maintain::check::{DamagedRelease, StoreCheckReport};
use carryall::ops::maintain::copy::CopyReport;
use carryall::ops::maintain::prune::StorePruneReport;
use carryall::ops::maintain::show::ShowReport;
use carryall::ops::pack::diff::DiffReport;
use carryall::store::{CheckDepth, Renewed};

use super::{bytes, enumerated, items, line, line_below, message};

/// Writers that are named, those of most bytes first.
const WRITERS_SHOWN: usize = 5;

pub fn store_created(dir: &Path) -> String {
    line(message!("store-created", dir))
}

/// What became of settings that were to be written anew.
pub fn renewed(renewed: Option<&Renewed>) -> String {
    let Some(renewed) = renewed else {
        return line(message!("settings-whole"));
    };
    let id = renewed.id.short();
    let id = id.to_string();
    line(match &renewed.aside {
        Some(aside) => message!("settings-renewed-aside", id, aside),
        None => message!("settings-renewed", id),
    })
}

pub fn store_is_empty() -> String {
    line(message!("store-is-empty"))
}

/// What became of an item.
pub fn change(change: Change) -> String {
    match change {
        Change::Added => message!("item-added"),
        Change::Replaced => message!("item-replaced"),
        Change::Kept => message!("item-kept"),
    }
}

pub fn added(report: &AddReport) -> String {
    let (total, new) = (bytes(report.bytes), bytes(report.new_bytes));
    let (stored, known) = (bytes(report.stored_bytes), bytes(report.known_bytes));
    let release = report.release.to_string();
    line(message!("added", release, total, new, stored, known))
}

/// What became of gzip streams and zip members; nothing when there were none.
pub fn streams(report: &StreamReport) -> String {
    let mut out = String::new();
    let opened = report.opened;
    if opened.streams > 0 {
        let (count, packed) = (opened.streams, bytes(opened.bytes));
        let (plain, recipes) = (bytes(report.plain_bytes), bytes(report.recipe_bytes));
        out += &line_below(message!("streams-opened", count, packed, plain, recipes));
        let mut writers: Vec<_> = report.writers.iter().collect();
        writers.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.bytes));
        for (writer, tally) in writers.into_iter().take(WRITERS_SHOWN) {
            let (writer, count, total) = (writer.to_string(), tally.streams, bytes(tally.bytes));
            let writer = message!("streams-writer", writer, count, total);
            out += &format!("    {writer}\n");
        }
    }
    for (reason, tally) in &report.kept {
        let (count, total, why) = (tally.streams, bytes(tally.bytes), kept(Some(*reason)));
        out += &line_below(message!("streams-kept", count, total, why));
    }
    out
}

/// Deflate streams of a release: how many are opened, and which are not.
pub fn show_streams(report: &ShowReport) -> String {
    let mut out = String::new();
    let opened = report.opened;
    if opened.streams > 0 {
        let (count, packed) = (opened.streams, bytes(opened.bytes));
        let (plain, recipes) = (bytes(opened.plain_bytes), bytes(opened.recipe_bytes));
        out += &line(message!("show-opened", count, packed, plain, recipes));
    }
    for each in &report.kept {
        let place = [&each.item[..], &each.path].join("/");
        let place = place.trim_end_matches('/');
        let (total, why, hash) = (bytes(each.bytes), kept(each.reason), each.hash.to_string());
        let hash = &hash[..16];
        out += &line(message!("show-kept", total, hash, place, why));
    }
    out
}

/// Why a stream is kept as it came; `None`: for a reason that only a newer version knows.
fn kept(reason: Option<KeptReason>) -> String {
    let Some(reason) = reason else {
        return message!("kept-for-newer-reason");
    };
    match reason {
        KeptReason::Corrupt => message!("kept-corrupt"),
        KeptReason::Truncated => message!("kept-truncated"),
        KeptReason::Recipe => message!("kept-recipe"),
        KeptReason::Limit => message!("kept-limit"),
        KeptReason::Time => message!("kept-time"),
        KeptReason::Changed => message!("kept-changed"),
        KeptReason::Space => message!("kept-space"),
        KeptReason::Small => message!("kept-small"),
        KeptReason::Deep => message!("kept-deep"),
        KeptReason::Effort => message!("kept-effort"),
        KeptReason::Zstd => message!("kept-zstd"),
        KeptReason::Bzip2 => message!("kept-bzip2"),
        KeptReason::Lz4 => message!("kept-lz4"),
        KeptReason::SevenZip => message!("kept-seven-zip"),
        KeptReason::Rar => message!("kept-rar"),
        KeptReason::Encrypted => message!("kept-encrypted"),
        KeptReason::ZipMethod => message!("kept-zip-method"),
    }
}

pub fn release_line(report: &ShowReport) -> String {
    let (items, total) = (items(report.items.into()), bytes(report.bytes));
    let (name, id, chunks) = (
        report.name.to_string(),
        report.id.to_string(),
        report.chunks,
    );
    let first = line(message!("show-release", name, items, total, chunks));
    first + &line(message!("show-id", id))
}

pub fn item_new(total: u64, new: u64) -> String {
    message!("diff-item", total = bytes(total), new = bytes(new))
}

pub fn diff_total(report: &DiffReport) -> String {
    let (chunks, new) = (report.new_chunks, bytes(report.new_bytes));
    let packed = bytes(report.carried_bytes);
    let (from, to) = (report.from.to_string(), report.to.to_string());
    line(message!("diff-total", from, to, new, chunks, packed))
}

/// Said when a store is checked that is only read.
pub fn checked_reading() -> String {
    line(message!("check-reads-only"))
}

pub fn removed(name: &ReleaseName, could_be_read: bool) -> String {
    let release = name.to_string();
    line(if could_be_read {
        message!("removed", release)
    } else {
        message!("removed-unread", release)
    })
}

/// What became of releases that were copied into the store `to`.
pub fn copied(report: &CopyReport, to: &Path) -> String {
    let mut out = String::new();
    for each in &report.releases {
        let release = each.name.to_string();
        out += &line(match each.was_there {
            true => message!("copied-before", release),
            false => message!("copied", release),
        });
    }
    for each in &report.damaged {
        let release = each.name.to_string();
        out += &line(match each.items.is_empty() {
            true => message!("copied-root-damaged", release),
            false => message!("copied-damaged", release, items = enumerated(&each.items)),
        });
    }
    let (new, stored) = (bytes(report.new_bytes), bytes(report.stored_bytes));
    out + &line(message!("copied-total", to, new, stored))
}

/// What helps when a release could not be copied whole.
pub fn hint_copy_damaged() -> String {
    message!("copied-damaged-hint")
}

pub fn pruned(report: &StorePruneReport) -> String {
    let freed = bytes(report.bytes_before.saturating_sub(report.bytes_after));
    let (removed, rewritten) = (report.packs_removed, report.packs_rewritten);
    let now = bytes(report.bytes_after);
    let mut packs = line(message!("pruned", freed, removed, rewritten, now));
    if report.packs_marked > 0 {
        let (count, size) = (report.packs_marked, bytes(report.marked_bytes));
        packs += &line(message!("pruned-marked", packs = count, size));
    }
    let (dropped, left) = (report.ready_dropped_bytes, report.ready_bytes);
    packs
        + &match (dropped, bytes(left)) {
            (0, _) if left == 0 => String::new(),
            (0, left) => line(message!("pruned-ready", left)),
            (dropped, left) => {
                let dropped = bytes(dropped);
                line(message!("pruned-ready-dropped", dropped, left))
            }
        }
}

/// Says what a site keeps besides what it needs.
pub fn kept_ready(ready_bytes: u64) -> String {
    line(message!("kept-ready", size = bytes(ready_bytes)))
}

pub fn damaged_release(release: &DamagedRelease) -> String {
    let name = release.name.to_string();
    line(if release.items.is_empty() {
        message!("check-root-damaged", release = name)
    } else {
        let items = enumerated(&release.items);
        message!("check-items-damaged", release = name, items)
    })
}

pub fn checked(report: &StoreCheckReport, depth: CheckDepth) -> String {
    let (releases, packs, total) = (report.releases, report.packs, bytes(report.pack_bytes));
    let releases = message!("count-releases", count = releases);
    let looked = match depth {
        CheckDepth::Structure => message!("check-structure"),
        CheckDepth::Data => message!("check-data"),
    };
    let verdict = check_verdict(report);
    line(match report.healed_chunks {
        0 => message!("checked", looked, releases, packs, total, verdict),
        healed => message!(
            "checked-healed",
            looked,
            releases,
            packs,
            total,
            healed,
            verdict
        ),
    })
}

fn check_verdict(report: &StoreCheckReport) -> String {
    if report.is_clean() {
        message!("check-clean")
    } else if report.has_loss() && report.lost_chunks == 0 {
        message!("check-releases-lost", count = report.damaged.len())
    } else if !report.faults.is_empty() && !report.has_loss() {
        message!("check-not-all-read")
    } else if report.lost_chunks == 0 {
        message!("check-copies-damaged")
    } else {
        message!("check-chunks-lost", count = report.lost_chunks)
    }
}

/// What became of an item that is given back.
pub fn item_state(state: ItemState) -> String {
    match state {
        ItemState::Whole => message!("item-whole"),
        ItemState::Damaged => message!("item-damaged"),
        ItemState::Lost => message!("item-lost"),
    }
}

pub fn checked_out(report: &CheckoutReport, dest: &Path) -> String {
    let (release, total) = (report.release.to_string(), bytes(report.bytes));
    line(if report.is_whole() {
        message!("checked-out", release, total, dest)
    } else {
        message!("checked-out-in-part", release, total, dest)
    })
}
