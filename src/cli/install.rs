//! `install` and `rollback`: versions side by side.

use std::path::Path;

use carryall::ops::checkout::install::{self, InstallOptions, Unchanged};
use carryall::store::OpenMode;

use crate::cli::args::InstallArgs;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &InstallArgs) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let mut options = InstallOptions::default();
    options.keep.clone_from(&args.keep);
    options.privileges = args.privileges.to_privileges();
    options.unchanged = if args.copy {
        Unchanged::Copied
    } else {
        Unchanged::Shared
    };
    let report = install::install(&store, &args.release, &args.into, &options, &context.screen)?;
    context.print(&report, |report| messages::installed(report, &args.into))?;
    Ok(0)
}

pub fn roll_back(context: &Context, dir: &Path) -> Result<u8, Failure> {
    let report = install::roll_back(dir)?;
    context.print(&report, |report| messages::rolled_back(report, dir))?;
    Ok(0)
}
