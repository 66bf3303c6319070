//! `site list` and `site forget`: what is remembered of sites.

use carryall::bundle::receipt::site::SiteName;
use carryall::ops::pack::recipients;
use carryall::store::OpenMode;

use crate::cli::args::SiteCommand;
use crate::cli::exit::{EXIT_FAILED, Failure};
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, command: &SiteCommand) -> Result<u8, Failure> {
    match command {
        SiteCommand::List => list(context),
        SiteCommand::Forget { name } => forget(context, name),
    }
}

fn list(context: &Context) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let report = recipients::sites(&store)?;
    context.print(&report, messages::sites)?;
    Ok(0)
}

fn forget(context: &Context, name: &SiteName) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let forgotten = recipients::forget(&store, name)?;
    let report = serde_json::json!({ "site": name.to_string(), "forgotten": forgotten });
    context.print(&report, |_| messages::forgotten(name, forgotten))?;
    Ok(if forgotten { 0 } else { EXIT_FAILED })
}
