//! `receive` and `status`.

use carryall::ops::receive::{self, ReceiveOptions, ReceiveReport, StatusReport};
use carryall::store::{OpenMode, Store};

use crate::cli::args::ReceiveArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open, tray};

pub fn run(context: &Context, args: &ReceiveArgs) -> Result<u8, Failure> {
    tray::wait_for_discs(context, &args.paths)?;
    open::with_store_or_new(context, &args.paths, |store| receive(context, args, store))
}

fn receive(context: &Context, args: &ReceiveArgs, store: &Store) -> Result<u8, Failure> {
    let mut options = ReceiveOptions::default();
    options.platforms.clone_from(&args.platform);
    options.retry_time = args.retry_time;
    args.taken.apply(&mut options);
    let report = receive::receive_with(store, &args.paths, &options, &context.screen)?;
    context.print(&report, text)?;
    if report.needs_base() && !context.json {
        messages::say(&messages::hint_line(&messages::hint_base()));
        if let Some(hint) = messages::hint_platform(&report.sets) {
            messages::say(&messages::hint_line(&hint));
        }
    }
    if report.is_damaged() && !context.json {
        messages::say(&messages::hint_line(&messages::hint_top_up()));
    }
    say_failed(context, &report);
    Ok(exit_code(report.completion()))
}

/// Says which sets could not be received, and why.
pub fn say_failed(context: &Context, report: &ReceiveReport) {
    for failed in &report.failed {
        let name = messages::set_name(&failed.title, &failed.set_id.short());
        Failure::of(&failed.error).about(&name).report(context.json);
    }
}

/// What a call brought, set by set.
pub fn text(report: &ReceiveReport) -> String {
    let sets = report.sets.iter().map(messages::progress);
    let done_with = report.done_with.iter().map(messages::done_with);
    let ready = (report.ready_bytes > 0).then(|| messages::kept_ready(report.ready_bytes));
    let nothing = messages::gave_nothing(report);
    let lines = sets.chain(done_with).chain(ready);
    lines.chain(std::iter::once(nothing)).collect()
}

pub fn status(context: &Context) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let report = receive::status(&store)?;
    context.print(&report, status_text)?;
    if !report.incoming.is_empty() && !context.json {
        messages::say(&messages::hint_line(&messages::hint_waiting()));
    }
    Ok(exit_code(report.completion()))
}

fn status_text(report: &StatusReport) -> String {
    let mut out = messages::status(report);
    for (number, set) in (1..).zip(&report.incoming) {
        out += &messages::waiting_set(number, set);
    }
    out
}
