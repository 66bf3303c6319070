//! `show`: what a release is made of.

use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::maintain::show::{self, ShowReport, ShownKind};
use carryall::ops::trust::TrustedKeys;
use carryall::store::OpenMode;

use crate::cli::args::ChoiceArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open};

pub fn run(
    context: &Context,
    name: &ReleaseName,
    choice: &ChoiceArgs,
    verify: bool,
) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let root = ops::release_for(&store, name, choice.one_platform())?;
    let choice = choice.to_choice();
    let screen = &context.screen;
    let (report, keys) = if verify {
        let keys = TrustedKeys::of(&store)?.for_images();
        let report = show::show_verified(&store, &root, &choice, &keys, screen)?;
        (report, Some(keys.len()))
    } else {
        let report = show::show_chosen(&store, &root, &choice, screen)?;
        (report, None)
    };
    context.print(&report, |report| text(report, keys))?;
    Ok(exit_code(report.completion()))
}

fn text(report: &ShowReport, keys: Option<usize>) -> String {
    let mut out = messages::release_line(report);
    for item in &report.contents {
        let hash = item.hash.to_string();
        let bytes = messages::bytes(item.bytes);
        out += &match item.kind {
            ShownKind::File => format!(
                "  {bytes:>9}  {}  {}\n",
                &hash[..16],
                messages::shown(&item.name)
            ),
            ShownKind::Folder => {
                let entries = messages::entries(item.entries);
                format!(
                    "  {bytes:>9}  {}  {}/  {entries}\n",
                    &hash[..16],
                    messages::shown(&item.name)
                )
            }
        };
    }
    out += &messages::packages(report);
    out += &messages::package_repositories(&report.repositories);
    out += &messages::images(report);
    out += &messages::attachments(report);
    if let Some(keys) = keys {
        out += &messages::image_signatures(report, keys);
    }
    out += &messages::show_streams(report);
    out + &messages::findings(&report.findings)
}
