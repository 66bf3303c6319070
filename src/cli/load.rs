//! `load`: hands images to the program that runs them.

use carryall::ops;
use carryall::ops::publish::load::{self, LoadOptions, LoadReport, Loader, Then};
use carryall::store::OpenMode;

use crate::cli::args::{LoadArgs, LoaderArg};
use crate::cli::exit::{Failure, exit_code};
use crate::cli::trust::required_keys;
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &LoadArgs) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let platform = args.choice.one_platform();
    let root = ops::release_for(&store, &args.release, platform)?;
    let mut options = LoadOptions::default();
    options.choice = args.choice.to_choice();
    options.with = args.with.map(|with| match with {
        LoaderArg::Docker => Loader::Docker,
        LoaderArg::Podman => Loader::Podman,
        LoaderArg::Nerdctl => Loader::Nerdctl,
        LoaderArg::Ctr => Loader::Ctr,
    });
    options.then = if context.json {
        Then::Ask
    } else {
        Then::Nothing
    };
    options.namespace.clone_from(&args.namespace);
    options.signed_by = required_keys(&store, args.require_signed)?;
    let report = load::load(&store, &root, &options, &context.screen)?;
    context.print(&report, text)?;
    Ok(exit_code(report.completion()))
}

fn text(report: &LoadReport) -> String {
    let mut out = String::new();
    for line in report.said.lines().filter(|line| !line.trim().is_empty()) {
        out += &format!("  {}: {}\n", report.with.program(), messages::shown(line));
    }
    out + &messages::loaded(report)
}
