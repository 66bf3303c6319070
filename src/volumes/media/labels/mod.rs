//! Labels for volumes: one A4 sheet each, with a sleeve of 125 mm and a disc face of 116 mm to cut out.
//!
//! Chinese and English stand side by side. The same volumes give the same page.

use std::fmt::Write;

use crate::base::qr::QrCode;
use crate::volumes::media::markup::html_text;
use crate::volumes::media::{PageNotes, VolumeFacts};

/// How every page of labels begins.
const DOCTYPE: &str = "<!DOCTYPE html>\n";
/// Says that a page is one of ours.
const GENERATOR: &str = "<meta name=\"generator\" content=\"carryall labels\">";

/// Most characters of a line that comes from outside.
const TEXT_MAX_CHARS: usize = 120;
/// Names of releases on a sleeve. The others are counted.
const RELEASES_MAX: usize = 4;
/// Sleeve and disc face: left edge, top edge and side in millimeters.
const SLEEVE_MM: (f64, f64, f64) = (42.5, 18.0, 125.0);
/// Length of a cut mark, and its distance from the corner.
const MARK_MM: f64 = 5.0;
const GAP_MM: f64 = 1.5;

/// What a label says.
#[derive(Debug, Clone)]
pub struct Label<'a> {
    /// The volume.
    pub facts: &'a VolumeFacts,
    /// Date and contact.
    pub notes: &'a PageNotes,
    /// The medium's own number in the books of the place, when there is one.
    pub number: Option<&'a str>,
}

/// Returns whether a file with this beginning is a page of labels.
pub fn is_labels(head: &[u8]) -> bool {
    let says = |part: &[u8]| part == GENERATOR.as_bytes();
    head.starts_with(DOCTYPE.as_bytes()) && head.windows(GENERATOR.len()).any(says)
}

/// Returns what the QR code of a volume says: `CARRYALL 12AB... 3/7`, with the whole id of the set.
pub fn code_text(facts: &VolumeFacts) -> String {
    let set = facts.set_id.to_string().to_ascii_uppercase();
    format!(
        "CARRYALL {set} {}/{}",
        facts.volume_no,
        facts.volume_count()
    )
}

/// Renders the labels as one self-contained page, a sheet of paper for each volume.
pub fn labels_html(labels: &[Label<'_>]) -> String {
    let title = labels.first().map_or_else(String::new, |label| {
        html_text(&label.facts.title, TEXT_MAX_CHARS)
    });
    let mut out = format!(
        "{DOCTYPE}<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n{GENERATOR}\n<title>{title} · 标签 · labels</title>\n\
         <style>\n{css}</style>\n</head>\n<body>\n",
        css = include_str!("labels.css"),
    );
    for label in labels {
        out.push_str("<div class=\"sheet\">\n");
        out.push_str(&cut_marks());
        sleeve(&mut out, label);
        face(&mut out, label);
        out.push_str(
            "<p class=\"hint\" style=\"top:8mm\">请按 100 % 打印，不要缩放。沿标记裁剪：封套 125 mm，盘面 116 mm · \
             <span lang=\"en\">Print at 100 %, without scaling. Cut along the marks: sleeve 125 mm, disc face 116 mm</span></p>\n</div>\n",
        );
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// Short lines outside of the corners of the sleeve.
fn cut_marks() -> String {
    let (left, top, side) = SLEEVE_MM;
    let mut out = String::new();
    for x in [left, left + side] {
        for y in [top, top + side] {
            let across = if x > left {
                x + GAP_MM
            } else {
                x - GAP_MM - MARK_MM
            };
            let along = if y > top {
                y + GAP_MM
            } else {
                y - GAP_MM - MARK_MM
            };
            let _ = write!(
                out,
                "<span class=\"cut h\" style=\"left:{across}mm;top:{y}mm\"></span>\
                 <span class=\"cut v\" style=\"left:{x}mm;top:{along}mm\"></span>"
            );
        }
    }
    out + "\n"
}

fn sleeve(out: &mut String, label: &Label<'_>) {
    let facts = label.facts;
    let (no, count) = (facts.volume_no, facts.volume_count());
    let title = html_text(&facts.title, TEXT_MAX_CHARS);
    let _ = write!(
        out,
        "<section class=\"sleeve\">\n<div class=\"head\"><div class=\"no\"><span>第 {no} 卷，共 {count} 卷</span><b>{no}/{count}</b>\
         <span lang=\"en\">Volume {no} of {count}</span></div><div class=\"title\">{title}</div></div>\n{releases}\
         <table class=\"facts\">\n",
        releases = releases(facts),
    );
    let mut row = |zh: &str, en: &str, value: &str| {
        let _ = writeln!(
            out,
            "<tr><td>{zh} <span lang=\"en\">{en}</span></td><td>{value}</td></tr>"
        );
    };
    row(
        "卷集编号",
        "Set",
        &format!("<b>{}</b>", facts.set_id.short()),
    );
    row("类别", "Kind", kind_of(facts));
    if let Some(date) = &label.notes.date {
        row("日期", "Date", &html_text(date, TEXT_MAX_CHARS));
    }
    if let Some(contact) = &label.notes.contact {
        row("联系", "Contact", &html_text(contact, TEXT_MAX_CHARS));
    }
    row("接收", "Receive", "<code>carryall receive /dev/sr0</code>");
    let number = label
        .number
        .map_or_else(String::new, |number| html_text(number, TEXT_MAX_CHARS));
    let _ = write!(
        out,
        "</table>\n<div class=\"foot\">{code}<div class=\"lines\">\
         <p class=\"line\">编号 <span lang=\"en\">No.</span> <b class=\"number\">{number}</b></p>\
         <p class=\"line\">登记 <span lang=\"en\">Ledger</span> <i></i></p>\
         <p class=\"line\">签收 <span lang=\"en\">Received by</span> <i></i></p></div></div>\n</section>\n",
        code = code(facts),
    );
}

fn face(out: &mut String, label: &Label<'_>) {
    let facts = label.facts;
    let (no, count) = (facts.volume_no, facts.volume_count());
    let mut lines = vec![
        format!(
            "卷集 <span lang=\"en\">Set</span> <b>{}</b>",
            facts.set_id.short()
        ),
        kind_of(facts).to_owned(),
    ];
    if let Some(date) = &label.notes.date {
        lines.push(html_text(date, TEXT_MAX_CHARS));
    }
    lines.push(match label.number {
        Some(number) => format!("No. {}", html_text(number, TEXT_MAX_CHARS)),
        None => "No. ____________".to_owned(),
    });
    let _ = writeln!(
        out,
        "<section class=\"face\"><div class=\"top\"><b>{title}</b></div>\
         <div class=\"left\"><span>第 {no} 卷，共 {count} 卷</span><b>{no}/{count}</b><span lang=\"en\">Volume {no} of {count}</span></div>\
         <div class=\"right\">{code}</div><div class=\"bottom\">{lines}</div><div class=\"hole\"></div></section>",
        title = html_text(&facts.title, TEXT_MAX_CHARS),
        code = code(facts),
        lines = lines.join("<br>"),
    );
}

fn code(facts: &VolumeFacts) -> String {
    QrCode::of(&code_text(facts)).map_or_else(String::new, |code| code.svg())
}

fn releases(facts: &VolumeFacts) -> String {
    let names = facts.releases.iter().take(RELEASES_MAX);
    let names: Vec<String> = names.map(|name| html_text(name, TEXT_MAX_CHARS)).collect();
    let hidden = facts.releases.len().saturating_sub(RELEASES_MAX);
    // A title that is the only release says it already.
    if facts.releases.len() <= 1 && facts.releases.first() == Some(&facts.title) {
        return String::new();
    }
    let more = match hidden {
        0 => String::new(),
        hidden => format!(" · 另有 {hidden} 个 <span lang=\"en\">and {hidden} more</span>"),
    };
    format!("<p class=\"releases\">{}{more}</p>\n", names.join(" · "))
}

fn kind_of(facts: &VolumeFacts) -> &'static str {
    if facts.is_spare() {
        "<span class=\"spare\">备用 <span lang=\"en\">SPARE</span></span>"
    } else {
        "数据 <span lang=\"en\">data</span>"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SetId;
    use crate::volumes::block::BlockSize;

    fn facts(volume_no: u16) -> VolumeFacts {
        VolumeFacts {
            set_id: SetId([0xab; 16]),
            title: "商店 <2.0> & \"co\"".into(),
            volume_no,
            data_volumes: 2,
            spare_volumes: 1,
            block_size: BlockSize::Full,
            volume_blocks: 100,
            releases: (0..7)
                .map(|no| format!("<script>alert({no})</script>"))
                .collect(),
            created_by: "carryall 0.1.0".into(),
        }
    }

    #[test]
    fn a_sheet_a_volume_says_what_it_is_in_both_languages() {
        let (data, spare) = (facts(1), facts(3));
        let notes = PageNotes {
            date: Some("2026-11-28".into()),
            contact: Some("Zhang <zhang@example.com>".into()),
            ..PageNotes::default()
        };
        let label = |facts, number| Label {
            facts,
            notes: &notes,
            number,
        };
        let page = labels_html(&[label(&data, None), label(&spare, Some("A-17 & B"))]);
        assert!(is_labels(page.as_bytes()) && !is_labels(b"<!DOCTYPE html>\n<html>"));
        assert_eq!(page.matches("class=\"sheet\"").count(), 2);
        assert_eq!(page.matches("class=\"sleeve\"").count(), 2);
        assert_eq!(page.matches("class=\"face\"").count(), 2);
        assert_eq!(page.matches("<svg").count(), 4);
        assert_eq!(page.matches("class=\"cut ").count(), 16);
        for said in [
            "第 3 卷，共 3 卷",
            "Volume 3 of 3",
            "1/3",
            "abababab",
            "2026-11-28",
            "&lt;zhang@example.com&gt;",
            "A-17 &amp; B",
            "SPARE",
            "商店 &lt;2.0&gt; &amp; &quot;co&quot;",
            "另有 3 个",
            "Ledger",
        ] {
            assert!(page.contains(said), "{said}\n{page}");
        }
        assert!(!page.contains("<script"));
        let open = page.matches("<section").count();
        assert_eq!(open, page.matches("</section>").count());
        let id = "AB".repeat(16);
        assert_eq!(code_text(&spare), format!("CARRYALL {id} 3/3"));
    }
}
