//! `add`: makes or extends a release.

use carryall::layouts::opener::{Depth, OpenOptions};
use carryall::verbs::Error;
use carryall::verbs::add::{self, AddOptions, AddReport, Change};

use crate::cli::args::{AddArgs, GzipArg};
use crate::cli::failure::Failure;
use crate::cli::{Context, open, words};

pub fn run(context: &Context, args: &AddArgs) -> Result<u8, Failure> {
    let store = open::store_or_new(context, &args.paths)?;
    let report = add::add(
        &store,
        &args.release,
        &args.paths,
        &options(args),
        &context.screen,
    )
    .map_err(Error::from)?;
    context.print(&report, text)?;
    Ok(0)
}

fn options(args: &AddArgs) -> AddOptions {
    // A percent is checked to be 0 to 100.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let recipe_limit_per_mille = (args.gzip_recipe * 10.0).round() as u64;
    AddOptions {
        open: OpenOptions {
            depth: match args.gzip {
                GzipArg::Auto => Depth::Open,
                GzipArg::Keep => Depth::Tars,
            },
            recipe_limit_per_mille,
            seconds_per_gb: Some(args.gzip_seconds_per_gb).filter(|seconds| *seconds > 0),
            ..OpenOptions::default()
        },
    }
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
    out + &words::added(report) + &words::streams(&report.streams)
}
