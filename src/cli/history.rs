//! `history`: what came into the store and what went out.

use carryall::base::monitor::Monitor;
use carryall::base::output::OutputFile;
use carryall::content::release::ReleaseName;
use carryall::ops::Error;
use carryall::ops::history::{self, HistoryReport};
use carryall::store::OpenMode;

use crate::cli::args::HistoryArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &HistoryArgs) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    // A table that an auditor has is evidence. It is never replaced.
    let begin = |place| OutputFile::begin(place, |_| false, &[store.dir().to_owned()]);
    let table = args.csv.as_deref().map(begin).transpose();
    let table = table.map_err(Error::from)?;
    // A whole name is written as releases are, and anything else is the beginning of names.
    let asked = args.release.as_ref().map(|given| {
        let name = given.parse::<ReleaseName>();
        name.map_or_else(|_| given.clone(), |name| name.to_string())
    });
    let report = history::read(&store, asked.as_deref())?;
    for finding in &report.findings {
        context.screen.finding(finding);
    }
    let written = match table {
        Some(table) => {
            let bytes = history::to_csv(&report.lines);
            Some(table.finish(bytes.as_bytes()).map_err(Error::from)?)
        }
        None => None,
    };
    context.print(&report, |report: &HistoryReport| match &written {
        Some(path) => messages::history_written(path, report),
        None => messages::history(report),
    })?;
    if !report.is_intact && !context.json {
        messages::say(&messages::hint_line(&messages::hint_history()));
    }
    Ok(exit_code(report.completion()))
}
