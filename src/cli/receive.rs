//! `receive` and `status`.

use carryall::base::monitor::Silent;
use carryall::ops::Error;
use carryall::ops::evidence::EvidenceCommand;
use carryall::ops::receive::{self, ReceiveOptions, ReceiveReport, StatusReport};
use carryall::store::{OpenMode, Store};

use crate::cli::args::ReceiveArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::report::Report;
use crate::cli::{Context, messages, open, seal, tray};

pub fn run(context: &Context, args: &ReceiveArgs) -> Result<u8, Failure> {
    let mut inputs = args.paths.clone();
    inputs.push(open::store_dir(context)?);
    let evidence = Report::begin(context, &args.report, EvidenceCommand::Receive, &inputs)?;
    let ended = tray::wait_for_discs(context, &args.paths).and_then(|()| {
        open::with_store_or_new(context, &args.paths, |store| {
            receive(context, args, store, &evidence)
        })
    });
    evidence.finish(context, ended)
}

fn receive(
    context: &Context,
    args: &ReceiveArgs,
    store: &Store,
    evidence: &Report,
) -> Result<u8, Failure> {
    let mut options = ReceiveOptions::default();
    options.platforms.clone_from(&args.platform);
    options.retry_time = args.retry_time;
    args.taken.apply(&mut options);
    options.identities = seal::identities(&args.open)?;
    evidence.note(|evidence| {
        args.paths
            .iter()
            .for_each(|path| evidence.note_medium(path));
    });
    let monitor = evidence.monitor(&context.screen);
    let received = if args.paths.is_empty() {
        // What is sealed and waits can be opened without its media.
        receive::finish_with(store, &options, &monitor)
    } else {
        receive::receive_with(store, &args.paths, &options, &monitor)
    };
    note(evidence, store, &options, received.as_ref());
    let report = received?;
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

/// Adds what came of a call to the evidence. When the call failed, what waits says who signed it.
pub fn note(
    evidence: &Report,
    store: &Store,
    options: &ReceiveOptions,
    received: Result<&ReceiveReport, &Error>,
) {
    evidence.note(|evidence| {
        match received {
            Ok(report) => evidence.note_received(report),
            Err(_) => {
                if let Ok(status) = receive::status_with(store, options) {
                    evidence.note_waiting(&status);
                }
            }
        }
        evidence.note_images(store, &Silent);
        evidence.note_store(store);
    });
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
