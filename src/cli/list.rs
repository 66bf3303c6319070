//! `list`, `diff` and `rm`: what the store holds.

use carryall::content::release::ReleaseName;
use carryall::ops;
use carryall::ops::maintain::list::{self, ListReport};
use carryall::ops::pack::diff::{self, DiffReport};
use carryall::store::OpenMode;

use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open};

pub fn list(context: &Context) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let report = list::list(&store)?;
    context.print(&report, list_text)?;
    if !report.findings.is_empty() {
        context.hint_damage();
    }
    Ok(exit_code(report.completion()))
}

fn list_text(report: &ListReport) -> String {
    if report.releases.is_empty() && report.findings.is_empty() {
        return messages::store_is_empty();
    }
    let names = report
        .releases
        .iter()
        .map(|release| release.name.to_string());
    let names: Vec<String> = names.collect();
    let width = messages::width(&names);
    let mut out = String::new();
    for (release, name) in report.releases.iter().zip(&names) {
        let name = messages::padded(name, width);
        let items = messages::items(release.items.into());
        let bytes = messages::bytes(release.bytes);
        out += &format!("{name}  {bytes:>9}  {items}  {}\n", release.id.short());
    }
    out + &messages::findings(&report.findings)
}

pub fn diff(context: &Context, from: &ReleaseName, to: &ReleaseName) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let (from, to) = (ops::release(&store, from)?, ops::release(&store, to)?);
    let report = diff::diff(&store, &from, &to, &context.screen)?;
    context.print(&report, |report| diff_text(report, context.rows()))?;
    Ok(0)
}

fn diff_text(report: &DiffReport, most: usize) -> String {
    let mut out = String::new();
    for item in &report.items {
        let mark = messages::change_mark(item.change);
        out += &format!(
            "{mark} {}  {}\n",
            messages::shown(&item.name),
            messages::item_new(item.bytes, item.new_bytes)
        );
    }
    out + &messages::diff_images(&report.images)
        + &messages::diff_packages(&report.packages)
        + &messages::contributors(&report.contributors, messages::Baseline::Older, most)
        + &messages::diff_total(report)
}

pub fn remove(context: &Context, name: &ReleaseName) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Write)?;
    let could_be_read = ops::remove(&store, name, &context.screen)?;
    let report = serde_json::json!({
        "removed": name.to_string(), "was_damaged": !could_be_read,
    });
    context.print(&report, |_| messages::removed(name, could_be_read))?;
    Ok(0)
}
