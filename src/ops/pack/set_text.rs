//! What a set says about itself: its title, its releases, and facts that stand on every volume.

use super::before;
use super::{PackNotes, PackPlan};
use crate::volumes::SetContent;
use crate::volumes::descriptor::{
    FACT_CONTACT, FACT_DATE, FACT_ITEM_BYTES, FACT_PROGRAM, FACT_SITE,
};
use crate::volumes::media::CompanionFile;

/// What a set says about itself.
pub(super) struct SetText {
    pub(super) title: String,
    pub(super) releases: Vec<String>,
    pub(super) facts: Vec<(String, String)>,
}

impl SetText {
    pub(super) fn content<'a>(&'a self, catalog: &'a [u8]) -> SetContent<'a> {
        SetContent {
            title: &self.title,
            releases: &self.releases,
            created_by: concat!("carryall ", env!("CARGO_PKG_VERSION")),
            facts: &self.facts,
            catalog,
        }
    }
}

/// Returns what the set says about itself. Any superblock has all of it.
pub(super) fn text(
    plan: &PackPlan,
    notes: &PackNotes,
    companions: &[CompanionFile],
    asked: &str,
) -> SetText {
    let leans = plan.leans.iter();
    let mut facts: Vec<(String, String)> = leans
        .map(|names| ("leans on".to_owned(), names.join(", ")))
        .collect();
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    add(FACT_ITEM_BYTES, plan.release_bytes.to_string());
    if let Some(date) = &notes.date {
        add(FACT_DATE, date.clone());
    }
    if let Some(contact) = &notes.contact {
        add(FACT_CONTACT, contact.clone());
    }
    if let Some((name, store)) = &notes.site {
        add(FACT_SITE, format!("{name} {store}"));
    }
    for program in companions.iter().filter_map(|file| file.program.as_ref()) {
        add(FACT_PROGRAM, program.to_fact());
    }
    add(before::FACT_ASKED, asked.to_owned());
    let releases: Vec<String> = plan.releases.iter().map(ToString::to_string).collect();
    SetText {
        title: title(&releases),
        releases,
        facts,
    }
}

/// Makes a title for people and for the names of the volumes' folders, such as `shop:1.0` or `shop:1.0 and 2 more`.
fn title(names: &[String]) -> String {
    match names {
        [] => "empty".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}
