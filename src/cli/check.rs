//! `check` and `prune`.

use carryall::store::{Access, CheckDepth};
use carryall::verbs::check::{self, CheckSummary};

use crate::cli::args::CheckArgs;
use crate::cli::failure::{EXIT_DAMAGE, Failure};
use crate::cli::{Context, open, words};

pub fn run(context: &Context, args: &CheckArgs) -> Result<u8, Failure> {
    let store = open::store(context, Access::Write)?;
    let depth = if args.data {
        CheckDepth::Data
    } else {
        CheckDepth::Structure
    };
    let report = check::check(&store, depth, &args.heal_from, &context.screen)?;
    context.print(&report, |report| text(report, depth))?;
    if !report.has_loss() {
        return Ok(0);
    }
    context.hint_damage();
    Ok(EXIT_DAMAGE)
}

fn text(report: &CheckSummary, depth: CheckDepth) -> String {
    let mut out = String::new();
    for release in &report.damaged {
        out += &words::damaged_release(release);
    }
    out += &words::checked(report, depth);
    out
}

pub fn prune(context: &Context) -> Result<u8, Failure> {
    let mut store = open::store(context, Access::Write)?;
    let report = check::prune(&mut store, &context.screen)?;
    context.print(&report, words::pruned)?;
    Ok(0)
}
