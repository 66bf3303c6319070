//! `inspect`: what volumes hold.

use std::path::PathBuf;

use carryall::ops::media::verify::{self, SetVerdict};

use crate::cli::exit::Failure;
use crate::cli::{Context, messages};

pub fn run(context: &Context, paths: &[PathBuf]) -> Result<u8, Failure> {
    let judged = verify::verify(paths, &context.screen)?;
    context.print(&judged.report, |report| {
        report.sets.iter().map(text).collect()
    })?;
    Ok(0)
}

fn text(set: &SetVerdict) -> String {
    let mut out = messages::set_line(set);
    for release in &set.releases {
        out += &format!("  {}\n", messages::shown(&release.name));
        for item in &release.items {
            out += &format!(
                "    {:>9}  {}\n",
                messages::bytes(item.bytes),
                messages::shown(&item.name)
            );
        }
    }
    out + &messages::at_hand(set)
}
