//! `repair`: rebuilds volumes.

use carryall::ops::media::repair::{self, RepairOptions, RepairReport};
use carryall::volumes::media::Carrier;

use crate::cli::args::RepairArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages};

pub fn run(context: &Context, args: &RepairArgs) -> Result<u8, Failure> {
    let carrier = if args.iso {
        Carrier::Iso
    } else {
        Carrier::Folders
    };
    let mut options = RepairOptions::default();
    options.volumes.clone_from(&args.volume);
    options.retry_time = args.retry_time;
    let report = repair::repair(&args.paths, &args.to, carrier, &options, &context.screen)?;
    context.print(&report, text)?;
    Ok(exit_code(report.completion()))
}

fn text(report: &RepairReport) -> String {
    if report.sets.is_empty() {
        return messages::nothing_to_repair();
    }
    let mut out = String::new();
    for set in &report.sets {
        let found = report
            .found
            .sets
            .iter()
            .find(|found| found.set_id == set.set_id);
        out += &found.map(messages::set_line).unwrap_or_default();
        for (volume_no, path) in &set.rebuilt {
            out += &messages::rebuilt(*volume_no, path);
        }
        if !set.not_recoverable.is_empty() {
            out += &messages::not_rebuilt(&set.not_recoverable);
            out += &found.map(messages::verdict).unwrap_or_default();
        }
    }
    out
}
