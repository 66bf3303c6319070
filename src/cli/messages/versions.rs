//! Messages about versions side by side, and about releases that stay.

use std::path::Path;

use carryall::files::versions::KeptState;
use carryall::ops::checkout::install::{InstallReport, RollbackReport};
use carryall::ops::maintain::retention::{KeepReport, LetGoReport};

use super::{bytes, files, line, line_below, message};

/// What `install` did.
pub fn installed(report: &InstallReport, into: &Path) -> String {
    let (release, path) = (report.release.to_string(), &report.path);
    let total = bytes(report.bytes);
    let mut out = line(if report.was_there {
        message!("install-there", release, path)
    } else {
        message!("installed", release, path, total)
    });
    for kept in &report.kept {
        let name = &kept.path;
        out += &line_below(match (kept.state, &kept.beside) {
            (KeptState::InTheWay, _) => message!("install-in-the-way", name),
            (_, Some(beside)) => message!("install-kept-beside", name, beside),
            (_, None) => message!("install-kept", name),
        });
    }
    if report.shared.files > 0 {
        let (files, size) = (files(report.shared.files), bytes(report.shared.bytes));
        out += &line_below(message!("install-shared", files, size));
    }
    let current = into.join("current");
    out + &line(match &report.before {
        Some(before) => message!("install-switched", current, before, into),
        None => message!("install-current", current),
    })
}

pub fn rolled_back(report: &RollbackReport, dir: &Path) -> String {
    let (left, now) = (&report.left, &report.current);
    line(message!(
        "rolled-back",
        current = dir.join("current"),
        left,
        now
    ))
}

pub fn kept(report: &KeepReport) -> String {
    let release = report.release.to_string();
    line(if report.kept {
        message!("keep", release)
    } else {
        message!("keep-no-longer", release)
    })
}

pub fn discard_if_done(report: &LetGoReport) -> String {
    let removed = report
        .removed
        .iter()
        .map(|name| message!("let-go", release = name.to_string()));
    let kept = report.kept.iter();
    let kept = kept.map(|name| message!("let-go-kept", release = name.to_string()));
    let awaited = report.awaited.iter();
    let awaited = awaited.map(|name| message!("let-go-awaited", release = name.to_string()));
    removed.chain(kept).chain(awaited).map(line).collect()
}
