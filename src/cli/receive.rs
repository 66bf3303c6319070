//! `receive` and `status`.

use std::path::PathBuf;

use carryall::store::Access;
use carryall::verbs::receive::{self, ProgressState, ReceiveReport, StatusReport};

use crate::cli::failure::{EXIT_DAMAGE, EXIT_NEEDS_VOLUMES, Failure};
use crate::cli::{Context, open, words};

pub fn run(context: &Context, paths: &[PathBuf]) -> Result<u8, Failure> {
    let store = open::store_or_new(context, paths)?;
    let report = receive::receive(&store, paths, &context.screen)?;
    context.print(&report, text)?;
    if report.needs_base() && !context.json {
        words::say(&format!(
            "{}: {}\n",
            words::hint_label(),
            words::hint_base()
        ));
    }
    Ok(if report.needs_volumes() || report.needs_base() {
        EXIT_NEEDS_VOLUMES
    } else if report.is_damaged() {
        EXIT_DAMAGE
    } else {
        0
    })
}

fn text(report: &ReceiveReport) -> String {
    report.sets.iter().map(words::progress).collect()
}

pub fn status(context: &Context) -> Result<u8, Failure> {
    let store = open::store(context, Access::Read)?;
    let report = receive::status(&store)?;
    context.print(&report, status_text)?;
    Ok(if report.incoming.is_empty() {
        0
    } else if report
        .incoming
        .iter()
        .any(|set| set.state != ProgressState::Damaged)
    {
        EXIT_NEEDS_VOLUMES
    } else {
        EXIT_DAMAGE
    })
}

fn status_text(report: &StatusReport) -> String {
    let mut out = words::status(report);
    for set in &report.incoming {
        out += &words::progress(set);
    }
    out
}
