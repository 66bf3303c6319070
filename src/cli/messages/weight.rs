//! Words about what makes a bundle heavy.

use carryall::content::content_kind::ContentKind;
use carryall::ops::pack::contributors::{Contributor, ContributorKind};
use carryall::ops::pack::estimate::EstimateReport;

use super::{bytes, files, grouped, pick, shown};

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
    let mut out = pick(
        "most of it (new bytes, packed about):\n",
        "主要来源（新增数据，打包后约）：\n",
    )
    .to_owned();
    for each in contributors.iter().take(most) {
        let (new, carried) = (bytes(each.new_bytes), bytes(each.carried_bytes));
        let what = what(each, against);
        out += &format!("  {new:>9} {carried:>9}  {what}{}\n", place(each));
    }
    if contributors.len() > most {
        let more = contributors.len() - most;
        out += &pick(
            format!("  ... and {more} more (-v shows all)\n"),
            format!("  ……另有 {more} 处（-v 可全部显示）\n"),
        );
    }
    out
}

fn what(each: &Contributor, against: Baseline) -> String {
    let path = &shown(&each.path);
    let many = || {
        let count = files(each.files);
        match each.changed_files {
            _ if against == Baseline::Nothing => count,
            0 => pick(
                format!("{count}, none of them there before"),
                format!("{count}，均为新增"),
            ),
            known if known == each.files => pick(
                format!("{count}, all changed"),
                format!("{count}，均已改动"),
            ),
            known => {
                let known = grouped(known);
                pick(
                    format!("{count}, {known} of them changed"),
                    format!("{count}，其中 {known} 个已改动"),
                )
            }
        }
    };
    match each.kind {
        ContributorKind::File => path.to_string(),
        ContributorKind::Folder => format!("{path}/: {}", many()),
        ContributorKind::Rest => pick(
            format!("{path}/, the rest: {}", many()),
            format!("{path}/ 其余：{}", many()),
        ),
        ContributorKind::Headers => pick("headers of archives", "归档文件头").to_owned(),
        ContributorKind::Recipes => pick("recipes", "重建信息").to_owned(),
        ContributorKind::Tables => pick("lists of files and blobs", "文件与数据清单").to_owned(),
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
            parts.push(pick(
                format!("{image} layer {number} of {all}"),
                format!("{image} 第 {number}/{all} 层"),
            ));
            // The layer itself; what lies deeper stays.
            each.archives.get(1..).unwrap_or_default()
        }
    };
    parts.extend(archives.iter().cloned());
    if parts.is_empty() {
        return String::new();
    }
    format!("  [{}]", shown(&parts.join(pick(", ", "，"))))
}

/// What a bundle will weigh.
pub fn estimate(report: &EstimateReport, most: usize) -> String {
    let mut out = String::new();
    let line = |new: u64, carried: u64, what: &str| {
        format!("  {:>9} {:>9}  {what}\n", bytes(new), bytes(carried))
    };
    out += pick(
        "items (new bytes, packed about):\n",
        "项目（新增数据，打包后约）：\n",
    );
    for item in &report.items {
        let what = format!("{}  {}", item.release, shown(&item.name));
        out += &line(item.new_bytes, item.carried_bytes, &what);
    }
    if !report.images.is_empty() {
        out += pick("images:\n", "镜像：\n");
    }
    for image in report.images.iter().take(most) {
        out += &line(image.new_bytes, image.carried_bytes, &shown(&image.image));
    }
    out += pick("kinds of content:\n", "内容类别：\n");
    for each in &report.classes {
        out += &line(each.new_bytes, each.carried_bytes, class(each.class));
    }
    let against = if report.receivers.is_empty() {
        Baseline::Nothing
    } else {
        Baseline::Older
    };
    out += &contributors(&report.contributors, against, most);
    let (new, carried) = (bytes(report.new_bytes), bytes(report.carried_bytes));
    let total = bytes(report.release_bytes);
    let names = report.releases.join(pick(", ", "、"));
    out + &match report.receivers.join(pick(", ", "、")) {
        had if had.is_empty() => pick(
            format!("{names}: {total}, of it {new} distinct; a bundle of about {carried}\n"),
            format!("{names}：共 {total}，去重后 {new}；交付包约 {carried}\n"),
        ),
        had => pick(
            format!("{names}: {total}, of it {new} not with {had}; a bundle of about {carried}\n"),
            format!("{names}：共 {total}，其中 {had} 没有的 {new}；交付包约 {carried}\n"),
        ),
    }
}

fn class(class: ContentKind) -> &'static str {
    match class {
        ContentKind::Meta => pick("recipes and lists", "重建信息与清单"),
        ContentKind::TarHeaders => pick("headers of archives", "归档文件头"),
        ContentKind::Text => pick("text", "文本"),
        ContentKind::Python => "Python",
        ContentKind::Js => "JavaScript",
        ContentKind::PyCache => pick("compiled Python", "已编译的 Python"),
        ContentKind::ElfX86_64 => pick("programs for x86-64", "x86-64 程序"),
        ContentKind::ElfArm64 => pick("programs for arm64", "arm64 程序"),
        ContentKind::Packed => pick("compressed already", "已压缩的内容"),
        ContentKind::Other => pick("other", "其他"),
        ContentKind::Data => pick("JSON and the like", "JSON 等数据"),
        ContentKind::Markup => pick("markup and styles", "标记与样式"),
        ContentKind::C => pick("C and C++", "C 与 C++"),
        ContentKind::Java => pick("Java classes", "Java 类"),
        ContentKind::Tables => pick("small binary tables", "小型二进制表"),
    }
}
