//! Messages of `visit`: what to put in and why, what a disc turned out to be, and what to type when all is here.

use std::path::{Path, PathBuf};

use carryall::ops::receive::SetProgress;
use carryall::ops::receive::visit::log::{VisitEntry, VisitEvent};
use carryall::ops::receive::visit::{Disc, DiscRole, VisitStep, Why};
use carryall::volumes::block::BlockSize;

use super::media::needed;
use super::{alternatives, enumerated, line, line_below, message, set_name};

/// `/dev/sr0 (ASUS DRW-24D5MT)`.
pub fn visit_drive(path: &Path, model: &str) -> String {
    if model.is_empty() {
        super::shown(&path.to_string_lossy()).into_owned()
    } else {
        message!("visit-drive", path, model)
    }
}

/// The drives that discs are waited for in.
pub fn visit_drives(drives: &[String]) -> String {
    alternatives(drives)
}

/// Nothing is known yet: any volume will do.
pub fn visit_first(drive: &str) -> String {
    format!("\n{}\n", message!("visit-first", drive)) + &line_below(message!("visit-keys-first"))
}

/// What to put in next, and why.
pub fn visit_prompt(set: &SetProgress, step: &VisitStep, drive: &str) -> String {
    let name = set_name(&set.title, &set.set_id.short());
    let all = set.data_volumes + set.spare_volumes;
    let (what, keys) = match step {
        VisitStep::Insert { volume, why } => {
            let why = match why {
                Why::Rest => message!("visit-why-rest"),
                Why::Data { needed } => message!("visit-why-data", needed = *needed),
                Why::Spare { needed } => message!("visit-why-spare", needed = *needed),
                _ => message!("visit-why-not-enough"),
            };
            let volume = *volume;
            (
                message!("visit-insert", volume, all, name, drive, why),
                message!("visit-keys", volume),
            )
        }
        VisitStep::Base => (
            message!("visit-insert-base", name, drive),
            message!("visit-keys-first"),
        ),
        _ => (
            message!("visit-insert-top-up", name, drive),
            message!("visit-keys-first"),
        ),
    };
    format!("\n{what}\n") + &line_below(keys)
}

/// A drive that is to be read has no disc.
pub fn insert_a_disc(drive: &Path) -> String {
    line(message!("visit-insert-a-disc", drive))
}

/// The drive examines what was put in.
pub fn visit_busy() -> String {
    line(message!("visit-busy"))
}

/// What a disc is.
pub fn visit_disc(disc: &Disc) -> String {
    let name = set_name(&disc.title, &disc.set_id.short());
    let (volume, all) = (disc.volume, disc.data_volumes + disc.spare_volumes);
    line(match disc.role {
        DiscRole::Rest => message!("visit-disc-rest", volume, all, name),
        DiscRole::Again => message!("visit-disc-again", volume, all, name),
        DiscRole::Done => message!("visit-disc-done", volume, all, name),
        DiscRole::Received => message!("visit-disc-received", volume, all, name),
        DiscRole::OtherSet => message!("visit-disc-other-set", volume, all, name),
        _ => message!("visit-disc-needed", volume, all, name),
    })
}

/// Whether a disc of another set is taken in as well.
pub fn visit_ask_other(disc: &Disc) -> String {
    let name = set_name(&disc.title, &disc.set_id.short());
    line_below(message!("visit-ask-other", name))
}

/// Too little could be read to tell what it is.
pub fn visit_unknown() -> String {
    line(message!("visit-disc-unknown"))
}

/// A disc was dealt with.
pub fn visit_out(is_open: bool) -> String {
    line(if is_open {
        message!("visit-out-open")
    } else {
        message!("visit-out-closed")
    })
}

/// The person does not have a volume.
pub fn visit_missing(volume: u16) -> String {
    line(message!("visit-missing", volume))
}

/// What was typed means nothing here.
pub fn visit_unclear() -> String {
    line(message!("visit-unclear"))
}

/// What no disc will bring, and how it comes from the vendor.
pub fn visit_top_up(set: &SetProgress, file: &Path, pictures: &[PathBuf]) -> String {
    let name = set_name(&set.title, &set.set_id.short());
    let mut out = String::from("\n") + &line(message!("visit-top-up", name));
    if !set.needs.damaged.is_empty() {
        let volumes = super::volumes(&set.needs.damaged);
        out += &line_below(message!("visit-top-up-copy", volumes));
    }
    if !set.needs.any_of.is_empty() {
        let volumes = super::volumes(&set.needs.any_of);
        out += &line_below(message!("visit-top-up-missing", volumes));
    }
    out += &line_below(message!("visit-top-up-file", file));
    for picture in pictures {
        out += &line_below(message!("visit-top-up-picture", file = picture));
    }
    out
}

/// The lines of the receipt, to be read out.
pub fn visit_top_up_lines(lines: &str) -> String {
    if lines.is_empty() {
        return String::new();
    }
    line_below(message!("visit-top-up-lines")) + "\n" + lines + "\n"
}

/// Above the code on the terminal.
pub fn visit_top_up_code() -> String {
    line_below(message!("visit-top-up-code"))
}

/// What came, what still waits, and what to type next.
pub fn visit_end(received: &[String], incoming: &[SetProgress]) -> String {
    let mut out = String::new();
    for release in received {
        out += &line(message!("visit-received", release));
        out += &line_below(message!("visit-next-files", release));
        out += &line_below(message!("visit-next-load", release));
        out += &line_below(message!("visit-next-push", release));
    }
    for set in incoming {
        let name = set_name(&set.title, &set.set_id.short());
        let need = needed(&set.needs);
        out += &line(message!("visit-waits", name, need));
    }
    if !incoming.is_empty() {
        out += &line(message!("visit-later"));
    }
    out
}

/// The log of visits.
pub fn visit_history(entries: &[VisitEntry]) -> String {
    if entries.is_empty() {
        return line(message!("visit-no-history"));
    }
    entries.iter().map(entry).collect()
}

fn entry(entry: &VisitEntry) -> String {
    let at = &entry.at;
    let id: String = entry.set.chars().take(8).collect();
    let name = set_name(&entry.title, &id);
    let what = match &entry.event {
        VisitEvent::Read {
            volume,
            drive,
            blocks,
            whole_blocks,
            read_bytes,
            volume_bytes,
            seconds,
        } => {
            let (volume, blocks, bad) = (*volume, *blocks, blocks.saturating_sub(*whole_blocks));
            let all_bytes = volume_bytes.unwrap_or(BlockSize::Full.total(blocks)).max(1);
            let tenths = read_bytes.saturating_mul(1000) / all_bytes;
            let percent = format!("{}.{}", tenths / 10, tenths % 10);
            let seconds = *seconds;
            message!(
                "visit-log-read",
                volume,
                drive,
                blocks,
                bad,
                percent,
                seconds
            )
        }
        VisitEvent::Missing { volume } => message!("visit-log-missing", volume = *volume),
        VisitEvent::Received {
            releases,
            healed_blocks,
        } => {
            let (releases, blocks) = (enumerated(releases), *healed_blocks);
            message!("visit-log-received", releases, blocks)
        }
        VisitEvent::TopUp { file } => message!("visit-log-top-up", file),
        _ => return String::new(),
    };
    line(message!("visit-log", at, name, what))
}
