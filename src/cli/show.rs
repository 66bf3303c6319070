//! `show`: what a release is made of.

use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::maintain::show::{self, ShowReport, ShownKind};
use carryall::store::OpenMode;

use crate::cli::args::ChoiceArgs;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, name: &ReleaseName, choice: &ChoiceArgs) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let root = ops::release_for(&store, name, choice.one_platform())?;
    let choice = choice.to_choice();
    let report = show::show_chosen(&store, &root, &choice, &context.screen)?;
    context.print(&report, text)?;
    Ok(0)
}

fn text(report: &ShowReport) -> String {
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
    out += &messages::images(report);
    out += &messages::show_streams(report);
    out + &messages::findings(&report.findings)
}
