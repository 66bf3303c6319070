//! `inspect`: what volumes hold.

use std::path::PathBuf;

use carryall::ops::media::inspect;

use crate::cli::exit::Failure;
use crate::cli::{Context, messages, tray};

pub fn run(context: &Context, paths: &[PathBuf]) -> Result<u8, Failure> {
    tray::wait_for_discs(context, paths)?;
    let found = inspect::inspect(paths, &context.screen)?;
    context.print(&found, |found| {
        found.sets.iter().map(messages::set_contents).collect()
    })?;
    Ok(0)
}
