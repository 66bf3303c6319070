//! `push`: the images of a release into a registry.

use carryall::base::diagnostic::diagnostic;
use carryall::oci::image::Digest;
use carryall::ops;
use carryall::ops::publish::push::{self, PushOptions, ReleasePushReport};
use carryall::ops::publish::repositories::{OtherHosts, Rules};
use carryall::store::OpenMode;

use crate::cli::args::PushArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::hosts::hosts;
use crate::cli::trust::required_keys;
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &PushArgs) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let platform = args.choice.one_platform();
    let root = ops::release_for(&store, &args.release, platform)?;
    let mut options = PushOptions::default();
    options.choice = args.choice.to_choice();
    options.client = args.registry.options();
    options.signed_by = required_keys(&store, args.require_signed)?;
    let others = if args.keep_host {
        OtherHosts::Kept
    } else {
        OtherHosts::Dropped
    };
    let hosts =
        hosts(&args.map, others).map_err(|host| diagnostic!("usage.host_mapped_twice", host))?;
    let rules = Rules {
        hosts,
        name: args.new_name.clone().map(|name| name.0),
        ..Rules::default()
    };
    let (name, screen) = (&root.name, &context.screen);
    let report = push::push_by(&store, name, &args.to, &options, &rules, screen)?;
    context.print(&report, text)?;
    if !report.is_whole() && !context.json {
        messages::say(&messages::hint_left_out(&report));
    }
    Ok(exit_code(report.completion()))
}

fn text(report: &ReleasePushReport) -> String {
    let mut out = String::new();
    for name in &report.pushed.names {
        let state = messages::name_state(name.state);
        let (host, name, digest) = (&report.pushed.registry, &name.name, &name.digest);
        let digest = digest.as_ref().filter(|_| !name.contains('@'));
        let digest = digest.map(Digest::as_str).unwrap_or_default();
        out += format!("  {state}  {host}/{name}  {digest}").trim_end();
        out += "\n";
    }
    out + &messages::pushed(report)
}
