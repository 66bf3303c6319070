//! Messages about what makes a bundle heavy.

use carryall::content::content_kind::ContentKind;
use carryall::ops::pack::contributors::{Contributor, ContributorKind};
use carryall::ops::pack::estimate::EstimateReport;

use super::{bytes, enumerated, facts, files, grouped, line, line_below, message, shown};

/// Whether there is something that files may have been in before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// An older release.
    Older,
    /// Nothing.
    Nothing,
}

/// Folders and files with most of the new bytes, one a line, `most` of them.
pub fn contributors(contributors: &[Contributor], against: Baseline, most: usize) -> String {
    if contributors.is_empty() {
        return String::new();
    }
    let mut out = line(message!("heading-contributors"));
    for each in contributors.iter().take(most) {
        let what = what(each, against) + &place(each);
        out += &weighed(each.new_bytes, each.carried_bytes, &what);
    }
    if contributors.len() > most {
        out += &line_below(message!("more", count = contributors.len() - most));
    }
    out
}

/// `    3.10 MB   3.00 MB  what`.
fn weighed(new: u64, carried: u64, what: &str) -> String {
    format!("  {:>9} {:>9}  {what}\n", bytes(new), bytes(carried))
}

fn what(each: &Contributor, against: Baseline) -> String {
    let path = &each.path;
    match each.kind {
        ContributorKind::File => shown(path).into_owned(),
        ContributorKind::Folder => message!("weight-folder", path, files = many(each, against)),
        ContributorKind::Rest => message!("weight-rest", path, files = many(each, against)),
        ContributorKind::Headers => message!("weight-headers"),
        ContributorKind::Recipes => message!("weight-recipes"),
        ContributorKind::Tables => message!("weight-tables"),
    }
}

fn many(each: &Contributor, against: Baseline) -> String {
    let files = files(each.files);
    match each.changed_files {
        _ if against == Baseline::Nothing => files,
        0 => message!("weight-all-new", files),
        known if known == each.files => message!("weight-all-changed", files),
        known => message!("weight-some-changed", files, known = grouped(known)),
    }
}

/// `  [1.1.tar, shop/web:1.1 layer 3 of 7]`; the layer stands for what it lies in.
fn place(each: &Contributor) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !each.item.is_empty() {
        parts.push(each.item.clone());
    }
    let archives = match &each.layer {
        None => &each.archives[..],
        Some(layer) => {
            let (image, number, all) = (&layer.image, layer.layer, layer.layers);
            parts.push(message!("weight-layer", image, number, all));
            // The layer itself; what lies deeper stays.
            each.archives.get(1..).unwrap_or_default()
        }
    };
    parts.extend(archives.iter().cloned());
    if parts.is_empty() {
        return String::new();
    }
    format!("  [{}]", shown(&facts(&parts)))
}

/// What a bundle will weigh.
pub fn estimate(report: &EstimateReport, most: usize) -> String {
    let mut out = line(message!("heading-items"));
    for item in &report.items {
        let what = format!("{}  {}", item.release, shown(&item.name));
        out += &weighed(item.new_bytes, item.carried_bytes, &what);
    }
    if !report.images.is_empty() {
        out += &line(message!("heading-images"));
    }
    for image in report.images.iter().take(most) {
        out += &weighed(image.new_bytes, image.carried_bytes, &shown(&image.image));
    }
    out += &line(message!("heading-kinds"));
    for each in &report.classes {
        out += &weighed(each.new_bytes, each.carried_bytes, &kind(each.class));
    }
    let against = if report.receivers.is_empty() {
        Baseline::Nothing
    } else {
        Baseline::Older
    };
    out += &contributors(&report.contributors, against, most);
    let (total, new) = (bytes(report.release_bytes), bytes(report.new_bytes));
    let (releases, packed) = (enumerated(&report.releases), bytes(report.carried_bytes));
    out + &line(if report.receivers.is_empty() {
        message!("estimate", releases, total, new, packed)
    } else {
        let receivers = enumerated(&report.receivers);
        message!("estimate-delta", releases, total, new, receivers, packed)
    })
}

fn kind(kind: ContentKind) -> String {
    match kind {
        ContentKind::Meta => message!("kind-meta"),
        ContentKind::TarHeaders => message!("kind-tar-headers"),
        ContentKind::Text => message!("kind-text"),
        ContentKind::Python => "Python".to_owned(),
        ContentKind::Js => "JavaScript".to_owned(),
        ContentKind::PyCache => message!("kind-py-cache"),
        ContentKind::ElfX86_64 => message!("kind-elf", architecture = "x86-64"),
        ContentKind::ElfArm64 => message!("kind-elf", architecture = "arm64"),
        ContentKind::Packed => message!("kind-packed"),
        ContentKind::Other => message!("kind-other"),
        ContentKind::Data => message!("kind-data"),
        ContentKind::Markup => message!("kind-markup"),
        ContentKind::C => message!("kind-c"),
        ContentKind::Java => message!("kind-java"),
        ContentKind::Tables => message!("kind-tables"),
    }
}
