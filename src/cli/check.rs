//! `check`, `prune` and `keep`.

use carryall::content::release::ReleaseName;
use carryall::ops::Completion;
use carryall::ops::Error;
use carryall::ops::maintain::check::{self, StoreCheckReport};
use carryall::ops::maintain::prune::{self, PruneRequest, StorePruneReport};
use carryall::ops::maintain::retention::{self, LetGoReport};
use carryall::store::{CheckDepth, OpenMode, Store};

use crate::cli::args::{CheckArgs, PruneArgs};
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &CheckArgs) -> Result<u8, Failure> {
    if args.renew_settings {
        let renewed = Store::renew_settings(&open::store_dir(context)?).map_err(Error::from)?;
        if !context.json {
            messages::say(&messages::renewed(renewed.as_ref()));
        }
    }
    let store = open::store_to_check(context, &args.heal_from)?;
    let depth = if args.data {
        CheckDepth::Data
    } else {
        CheckDepth::Structure
    };
    let report = check::check(&store, depth, &args.heal_from, &context.screen)?;
    context.print(&report, |report| text(report, depth))?;
    let completion = report.completion();
    if report.has_loss() {
        context.hint_damage();
    } else if !report.history.is_empty() && !context.json {
        messages::say(&messages::hint_line(&messages::hint_history()));
    }
    if completion == Completion::Failed && !context.json {
        messages::say(&messages::hint_line(&messages::hint_passing()));
    }
    Ok(exit_code(completion))
}

fn text(report: &StoreCheckReport, depth: CheckDepth) -> String {
    let mut out = String::new();
    for release in &report.damaged {
        out += &messages::damaged_release(release);
    }
    out += &messages::checked(report, depth);
    out
}

pub fn prune(context: &Context, args: &PruneArgs) -> Result<u8, Failure> {
    let mut store = open::store_alone(context)?;
    let last = args.keep_last.and_then(|last| usize::try_from(last).ok());
    let gone = match last {
        Some(last) => retention::apply_retention(&store, last, &context.screen)?,
        None => LetGoReport::default(),
    };
    let mut options = PruneRequest::default();
    options.drop_ready = args.ready;
    options.grace = args.grace;
    let freed = prune::prune(&mut store, &options, &context.screen)?;
    context.print(&Pruned { gone, freed }, |report| {
        messages::discard_if_done(&report.gone) + &messages::pruned(&report.freed)
    })?;
    Ok(0)
}

/// Both as one report.
#[derive(serde::Serialize)]
struct Pruned {
    #[serde(flatten)]
    gone: LetGoReport,
    #[serde(flatten)]
    freed: StorePruneReport,
}

pub fn keep(context: &Context, name: &ReleaseName, kept: bool) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Write)?;
    let report = retention::keep(&store, name, kept)?;
    context.print(&report, messages::kept)?;
    Ok(0)
}
