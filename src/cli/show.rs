//! `show`: what a release is made of.

use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::maintain::show::{self, ShowReport, ShownKind};
use carryall::store::Access;

use crate::cli::args::ChoiceArgs;
use crate::cli::failure::Failure;
use crate::cli::{Context, open, words};

pub fn run(context: &Context, name: &ReleaseName, choice: &ChoiceArgs) -> Result<u8, Failure> {
    let store = open::store(context, Access::Read)?;
    let root = ops::release_for(&store, name, choice.one_platform())?;
    let choice = choice.to_choice();
    let report = show::show_chosen(&store, &root, &choice, &context.screen)?;
    context.print(&report, text)?;
    Ok(0)
}

fn text(report: &ShowReport) -> String {
    let mut out = words::release_line(report);
    for item in &report.contents {
        let bytes = words::bytes(item.bytes);
        out += &match item.kind {
            ShownKind::File => format!(
                "  {bytes:>9}  {}  {}\n",
                &item.hash[..16],
                words::shown(&item.name)
            ),
            ShownKind::Folder => {
                let entries = words::entries(item.entries);
                format!(
                    "  {bytes:>9}  {}  {}/  {entries}\n",
                    &item.hash[..16],
                    words::shown(&item.name)
                )
            }
        };
    }
    out += &words::packages(report);
    out += &words::images(report);
    out += &words::show_streams(report);
    out + &words::findings(&report.findings)
}
