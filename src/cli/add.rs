//! `add`: makes or extends a release.

use carryall::verbs::Error;
use carryall::verbs::add::{self, AddReport, Change};

use crate::cli::args::AddArgs;
use crate::cli::failure::Failure;
use crate::cli::{Context, open, words};

pub fn run(context: &Context, args: &AddArgs) -> Result<u8, Failure> {
    let store = open::store_or_new(context, &args.paths)?;
    let report =
        add::add(&store, &args.release, &args.paths, &context.screen).map_err(Error::from)?;
    context.print(&report, text)?;
    Ok(0)
}

fn text(report: &AddReport) -> String {
    let mut out = String::new();
    for item in &report.items {
        let change = match item.change {
            Change::Added => words::pick("added", "已添加"),
            Change::Replaced => words::pick("replaced", "已替换"),
            Change::Kept => words::pick("kept", "保留"),
        };
        out += &format!("  {change}  {}  {}\n", item.name, words::bytes(item.bytes));
    }
    out + &words::added(report)
}
