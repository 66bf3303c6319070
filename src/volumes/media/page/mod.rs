//! The START-HERE pages of a volume: what this is and what to do with it, for a person who knows nothing about it.
//!
//! Chinese and English stand side by side. The text depends on facts and notes alone, not on clock or machine, so the
//! same volume has the same page.

mod sections;

use std::fmt::Write;

use self::sections::parts;
use crate::volumes::media::markup::{html_text, plain_text};
use crate::volumes::media::{PageNotes, VolumeFacts};

/// Name of the page for browsers.
pub(crate) const HTML_NAME: &str = "START-HERE.html";
/// Name of the page for plain readers.
pub(crate) const TEXT_NAME: &str = "START-HERE.txt";
/// Most bytes that both pages take together, whatever the facts.
pub const PAGES_MAX_BYTES: u64 = 32 * 1024;

const TITLE_MAX_CHARS: usize = 120;
const NAME_MAX_CHARS: usize = 200;
/// Most characters of the line that says whom to ask.
pub const CONTACT_MAX_CHARS: usize = 200;
const DATE_MAX_CHARS: usize = 20;
/// Bytes of release names on the page for browsers. The other names are counted.
const HTML_RELEASES_MAX: usize = 5 * 1024;
/// Bytes of release names on the page for plain readers. The other names are counted.
const TEXT_RELEASES_MAX: usize = 1024;

/// Renders the page for browsers, one self-contained file.
pub fn html(facts: &VolumeFacts, notes: &PageNotes) -> String {
    let title = html_text(&facts.title, TITLE_MAX_CHARS);
    let (no, count) = (facts.volume_no, facts.volume_count());
    let (kind_zh, kind_en) = kind_of(facts);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · {no}/{count}</title>\n\
         <style>\n{css}</style>\n</head>\n<body>\n<header>\n\
         <div class=\"no\"><span>第 {no} 卷</span><b>{no}/{count}</b><span lang=\"en\">Volume {no} of {count}</span></div>\n\
         <div><h1>{title}</h1>\n<p class=\"facts\">{kind_zh} · <span lang=\"en\">{kind_en}</span><br>\
         卷集编号 <span lang=\"en\">Set</span> <b>{short}</b> <code>{set}</code>{extra}</p></div>\n</header>\n",
        css = include_str!("page.css"),
        short = facts.set_id.short(),
        set = facts.set_id,
        extra = html_notes(notes),
    );
    html_releases(&mut out, facts);
    for part in parts(facts, notes) {
        let _ = write!(
            out,
            "<section>\n<div><h2>{}</h2><p>{}</p></div>\n<div lang=\"en\"><h2>{}</h2><p>{}</p></div>\n",
            part.zh.0, part.zh.1, part.en.0, part.en.1
        );
        if let Some(command) = part.command {
            let lines: Vec<String> = command
                .lines()
                .map(|line| html_text(line, NAME_MAX_CHARS))
                .collect();
            let _ = writeln!(out, "<pre>{}</pre>", lines.join("\n"));
        }
        out.push_str("</section>\n");
    }
    let by = html_text(&facts.created_by, NAME_MAX_CHARS);
    let _ = write!(
        out,
        "<footer>由 {by} 写入 · <span lang=\"en\">Written by {by}</span></footer>\n</body>\n</html>\n"
    );
    out
}

/// Renders the lines of the header: the date, and whom to ask.
fn html_notes(notes: &PageNotes) -> String {
    let mut out = String::new();
    if let Some(date) = &notes.date {
        let date = html_text(date, DATE_MAX_CHARS);
        let _ = write!(out, "<br>日期 <span lang=\"en\">Date</span> {date}");
    }
    if let Some(contact) = &notes.contact {
        let contact = html_text(contact, CONTACT_MAX_CHARS);
        let _ = write!(
            out,
            "<br>联系 <span lang=\"en\">Contact</span> <b>{contact}</b>"
        );
    }
    out
}

/// Renders the page for plain readers, in UTF-8.
pub fn text(facts: &VolumeFacts, notes: &PageNotes) -> String {
    let (kind_zh, kind_en) = kind_of(facts);
    let (no, count) = (facts.volume_no, facts.volume_count());
    let mut out = format!(
        "{title}\n第 {no} 卷，共 {count} 卷 / Volume {no} of {count}\n{kind_zh} / {kind_en}\n卷集编号 / Set: {short} ({set})\n",
        title = plain_text(&facts.title, TITLE_MAX_CHARS),
        short = facts.set_id.short(),
        set = facts.set_id,
    );
    if let Some(date) = &notes.date {
        let _ = writeln!(out, "日期 / Date: {}", plain_text(date, DATE_MAX_CHARS));
    }
    if let Some(contact) = &notes.contact {
        let contact = plain_text(contact, CONTACT_MAX_CHARS);
        let _ = writeln!(out, "联系 / Contact: {contact}");
    }
    let names = facts
        .releases
        .iter()
        .map(|name| plain_text(name, NAME_MAX_CHARS));
    let (shown, hidden) = within(names, TEXT_RELEASES_MAX);
    for name in shown {
        let _ = writeln!(out, "  {name}");
    }
    if hidden > 0 {
        let _ = writeln!(out, "  ... 另有 {hidden} 个 / and {hidden} more");
    }
    for part in parts(facts, notes) {
        let _ = write!(
            out,
            "\n[{}]\n{}\n[{}]\n{}\n",
            part.zh.0, part.zh.1, part.en.0, part.en.1
        );
        if let Some(command) = part.command {
            for line in command.lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
    out
}

fn html_releases(out: &mut String, facts: &VolumeFacts) {
    if facts.releases.is_empty() {
        return;
    }
    out.push_str(
        "<section>\n<div><h2>内容</h2><p>全部卷合在一起，装有以下发布包：</p></div>\n\
         <div lang=\"en\"><h2>Contents</h2><p>All volumes together carry these releases:</p></div>\n<ul>\n",
    );
    let names = facts
        .releases
        .iter()
        .map(|name| html_text(name, NAME_MAX_CHARS));
    let (shown, hidden) = within(names, HTML_RELEASES_MAX);
    for name in shown {
        let _ = writeln!(out, "<li><code>{name}</code></li>");
    }
    if hidden > 0 {
        let _ = writeln!(
            out,
            "<li>另有 {hidden} 个 · <span lang=\"en\">and {hidden} more</span></li>"
        );
    }
    out.push_str("</ul>\n</section>\n");
}

/// Takes names while they fit, with 32 bytes of markup for each, and counts the others.
fn within(names: impl Iterator<Item = String>, max_bytes: usize) -> (Vec<String>, usize) {
    let (mut shown, mut hidden, mut bytes) = (Vec::new(), 0, 0);
    for name in names {
        bytes += name.len() + 32;
        if bytes <= max_bytes {
            shown.push(name);
        } else {
            hidden += 1;
        }
    }
    (shown, hidden)
}

fn kind_of(facts: &VolumeFacts) -> (&'static str, &'static str) {
    if facts.is_spare() {
        (
            "备用卷：只有别的卷丢失或损坏时才用到，请一并保管",
            "spare volume: needed only when another is lost or damaged; keep it with the others",
        )
    } else {
        ("数据卷", "data volume")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SetId;
    use crate::volumes::block::BlockSize;
    use crate::volumes::media::ProgramNote;

    fn facts(volume_no: u16, data_volumes: u16, spare_volumes: u16) -> VolumeFacts {
        VolumeFacts {
            set_id: SetId([0xab; 16]),
            title: "商店 <2.0> & \"co\"".into(),
            volume_no,
            data_volumes,
            spare_volumes,
            block_size: BlockSize::Full,
            volume_blocks: 71_000,
            releases: vec![
                "shop:2.0@arm64".into(),
                "<script>alert(1)</script>:1".into(),
            ],
            created_by: "carryall 0.1.0".into(),
        }
    }

    fn notes() -> PageNotes {
        PageNotes {
            date: Some("2026-11-28".into()),
            contact: Some("Zhang <zhang@example.com> +86 10 1234".into()),
            item_bytes: Some(344_000_000),
            receive_bytes: Some(240_000_000),
            programs: Vec::new(),
        }
    }

    fn program(suffix: &str) -> ProgramNote {
        ProgramNote {
            file: format!("carryall.{suffix}"),
            machine: "loongarch64".into(),
            sha256: "0f".repeat(32),
        }
    }

    #[test]
    fn a_program_on_the_volume_is_named_with_its_hash_and_its_guide() {
        let with = PageNotes {
            programs: vec![program("x64"), program("a64")],
            ..notes()
        };
        let one = facts(3, 5, 2);
        for page in [html(&one, &with), text(&one, &with)] {
            for said in [
                "carryall.x64",
                "carryall.a64",
                &"0f".repeat(32),
                "sudo install -m 755 carryall.x64 /usr/local/bin/carryall",
                "sha256sum",
                "guide-en.txt",
                "guide-zh.txt",
                "程序就在这一卷上",
                "The program is on this volume",
            ] {
                assert!(page.contains(said), "{said}\n{page}");
            }
            assert!(!page.contains("not on these volumes"));
        }
    }

    fn page_html(facts: &VolumeFacts) -> String {
        html(facts, &notes())
    }

    fn page_text(facts: &VolumeFacts) -> String {
        text(facts, &notes())
    }

    #[test]
    fn both_pages_say_what_comes_before_and_after_and_whom_to_ask() {
        let one = facts(3, 5, 2);
        for page in [page_html(&one), page_text(&one)] {
            for said in [
                "2026-11-28",
                "+86 10 1234",
                "344 MB",
                "240 MB",
                "/usr/local/bin",
                "carryall checkout shop:2.0@arm64 DIR",
                "carryall load shop:2.0@arm64",
                "carryall install",
                "接收完成之后",
                "Where the program is",
                "abababab",
            ] {
                assert!(page.contains(said), "{said}\n{page}");
            }
        }
        assert!(page_html(&one).contains("&lt;zhang@example.com&gt;"));
        let bare = text(&one, &PageNotes::default());
        assert!(!bare.contains("Date") && !bare.contains("Contact") && !bare.contains("Room"));
    }

    #[test]
    fn both_pages_say_what_to_do_in_both_languages() {
        for page in [page_html(&facts(3, 5, 2)), page_text(&facts(3, 5, 2))] {
            for said in [
                "Volume 3 of 7",
                "第 3 卷",
                "carryall receive PATH",
                "carryall verify PATH",
                "ddrescue",
                "Any 2 of the 7 volumes",
                "任意 2 卷",
                "shop:2.0@arm64",
                "abababababababababababababababab",
                "Do not copy only a part",
                "不要只复制一部分",
            ] {
                assert!(page.contains(said), "{said}\n{page}");
            }
        }
        assert!(page_html(&facts(6, 5, 2)).contains("备用卷：只有"));
        assert!(page_text(&facts(1, 1, 0)).contains("there is no spare"));
        assert!(page_text(&facts(1, 3, 0)).contains("all 3 are needed"));
    }

    #[test]
    fn what_comes_from_outside_stays_text() {
        let page = page_html(&facts(3, 5, 2));
        assert!(page.contains("商店 &lt;2.0&gt; &amp; &quot;co&quot;"));
        assert!(!page.contains("<script"));
        assert_eq!(
            page.matches("<section>").count(),
            page.matches("</section>").count()
        );
    }

    #[test]
    fn pages_are_bounded_whatever_the_facts() {
        let mut long = facts(1000, 800, 224);
        long.title = "&".repeat(10_000);
        long.created_by = "商".repeat(10_000);
        long.releases = (0..100_000)
            .map(|no| format!("<{no}>{}", "'".repeat(no % 300)))
            .collect();
        let endless = PageNotes {
            date: Some("&".repeat(1000)),
            contact: Some("&".repeat(1000)),
            programs: vec![program("a64"); 8],
            ..notes()
        };
        let (browser, plain) = (html(&long, &endless), text(&long, &endless));
        // Each page begins a sector of its own.
        assert!(browser.len() <= 24 * 1024, "{}", browser.len());
        assert!(plain.len() <= 8 * 1024, "{}", plain.len());
        assert!(browser.contains("more</span>") && plain.contains("more"));
    }
}
