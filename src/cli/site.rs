//! `site list` and `site forget`: what is remembered of sites.

use carryall::base::diagnostic::diagnostic;
use carryall::bundle::receipt::site::SiteName;
use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::pack::recipients;
use carryall::store::OpenMode;

use crate::cli::args::SiteCommand;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, command: &SiteCommand) -> Result<u8, Failure> {
    match command {
        SiteCommand::List { next } => list(context, next),
        SiteCommand::Forget { name } => forget(context, name),
    }
}

fn list(context: &Context, next: &[ReleaseName]) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let next = next.iter().map(|name| ops::release(&store, name));
    let next = next.collect::<Result<Vec<_>, _>>()?;
    let report = recipients::sites(&store, &next, &context.screen)?;
    context.print(&report, messages::sites)?;
    Ok(0)
}

fn forget(context: &Context, name: &SiteName) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    if !recipients::forget(&store, name)? {
        return Err(diagnostic!("site.unknown", site = name.to_string()).into());
    }
    let report = serde_json::json!({ "site": name.to_string(), "forgotten": true });
    context.print(&report, |_| messages::forgotten(name))?;
    Ok(0)
}
