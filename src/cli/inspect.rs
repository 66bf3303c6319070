//! `inspect`: what volumes hold.

use std::path::PathBuf;

use carryall::ops::media::inspect;

use crate::cli::args::OpenArgs;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, seal, tray, trust};

pub fn run(context: &Context, paths: &[PathBuf], open: &OpenArgs) -> Result<u8, Failure> {
    tray::wait_for_discs(context, paths)?;
    let identities = seal::identities(open)?;
    let mut found = inspect::inspect_with(paths, &identities, &context.screen)?;
    found.name_signers(&trust::known_here(context));
    context.print(&found, |found| {
        found.sets.iter().map(messages::set_contents).collect()
    })?;
    Ok(0)
}
