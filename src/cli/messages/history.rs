//! Messages about what came into a store and what went out.

use std::path::Path;

use carryall::ops::history::{HistoryEvent, HistoryLine, HistoryReport, HistorySigner};

use super::{line, line_below, message};

/// The lines that were asked for, and the last one of all.
pub fn history(report: &HistoryReport) -> String {
    let mut out: String = report.lines.iter().map(one).collect();
    if report.lines.is_empty() {
        out += &line(message!("history-empty"));
    }
    out + &last(report)
}

/// A table was written.
pub fn history_written(path: &Path, report: &HistoryReport) -> String {
    line(message!(
        "history-written",
        path,
        count = report.lines.len()
    )) + &last(report)
}

/// What to do when lines are missing or changed.
pub fn hint_history() -> String {
    message!("history-hint")
}

fn last(report: &HistoryReport) -> String {
    let last = report.last.as_ref();
    let said = last.map(|last| line(message!("history-last", no = last.no, hash = &last.sha256)));
    said.unwrap_or_default()
}

fn one(told: &HistoryLine) -> String {
    let entry = &told.entry;
    let mut names: Vec<String> = entry
        .releases
        .iter()
        .map(|release| match (&release.name, release.replaced) {
            (name, false) => name.clone(),
            (name, true) => message!("history-replaced", name),
        })
        .collect();
    if entry.more_releases > 0 {
        names.push(message!("history-more", count = entry.more_releases));
    }
    let names = names.join(&message!("separator-name"));
    let (no, at, what) = (told.no, &entry.at, event(entry.event));
    let mut out = line(message!("history-line", no, at, what, names));
    let mut below = Vec::new();
    if let Some(set) = &entry.set {
        let id: String = set.chars().take(8).collect();
        below.push(message!("history-set", id));
        below.extend(entry.signed_by.iter().map(signer));
        if entry.signed_by.is_empty() {
            below.push(message!("signed-not"));
        }
    }
    if let Some(site) = &entry.site {
        below.push(message!("history-site", site));
    }
    if !entry.from.is_empty() {
        let places = entry.from.join(&message!("separator-name"));
        below.push(message!("history-from", places));
    }
    if let Some(place) = &entry.to {
        below.push(message!("history-to", place));
    }
    if !entry.is_whole {
        below.push(message!("history-not-whole"));
    }
    below.push(message!("history-by", uid = entry.uid, host = &entry.host));
    out += &line_below(below.join(&message!("separator-detail")));
    out
}

fn signer(signer: &HistorySigner) -> String {
    let id = &signer.key_id;
    match &signer.trusted_as {
        Some(name) => message!("history-signed", name, id),
        None => message!("history-signed-stranger", id),
    }
}

fn event(event: HistoryEvent) -> String {
    match event {
        HistoryEvent::Receive => message!("history-receive"),
        HistoryEvent::Visit => message!("history-visit"),
        HistoryEvent::Add => message!("history-add"),
        HistoryEvent::Pull => message!("history-pull"),
        HistoryEvent::Copy => message!("history-copy"),
        HistoryEvent::Pack => message!("history-pack"),
        HistoryEvent::Checkout => message!("history-checkout"),
        HistoryEvent::Install => message!("history-install"),
        HistoryEvent::Push => message!("history-push"),
        HistoryEvent::Load => message!("history-load"),
        HistoryEvent::Remove => message!("history-remove"),
        _ => message!("history-other"),
    }
}
