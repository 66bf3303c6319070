//! `inspect`: what volumes hold.

use std::path::PathBuf;

use carryall::ops::media::inspect;

use crate::cli::exit::Failure;
use crate::cli::{Context, messages};

pub fn run(context: &Context, paths: &[PathBuf]) -> Result<u8, Failure> {
    let found = inspect::inspect(paths, &context.screen)?;
    context.print(&found, |found| {
        found.sets.iter().map(messages::set_contents).collect()
    })?;
    Ok(0)
}
