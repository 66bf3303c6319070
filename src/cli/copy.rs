//! `copy`: puts releases into another store.

use carryall::ops::maintain::copy;
use carryall::store::OpenMode;

use crate::cli::args::CopyArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &CopyArgs) -> Result<u8, Failure> {
    let from = open::store(context, OpenMode::Read)?;
    open::with_target_or_new(context, &from, &args.to, |to| {
        let report = copy::copy(&from, to, &args.releases, &context.screen)?;
        context.print(&report, |report| messages::copied(report, to.shown_as()))?;
        if !report.damaged.is_empty() && !context.json {
            messages::say(&messages::hint_line(&messages::hint_copy_damaged()));
        }
        Ok(exit_code(report.completion()))
    })
}
