//! The START-HERE pages of a volume: what this is and what to do with it, for a person who knows nothing about it.
//!
//! Chinese and English stand side by side. The text depends on facts and notes alone, not on clock or machine, so the
//! same volume has the same page.

use std::fmt::Write;

use crate::base::size::ByteSize;
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

/// A heading and a paragraph in both languages, and a command to type.
struct PageSection {
    zh: (&'static str, String),
    en: (&'static str, String),
    command: Option<String>,
}

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

fn parts(facts: &VolumeFacts, notes: &PageNotes) -> Vec<PageSection> {
    let mut parts = vec![what_it_is(facts), the_program(notes)];
    parts.extend(room(notes));
    parts.extend([
        what_to_do(),
        what_comes_after(facts),
        missing_volumes(facts),
        whole_volumes(),
        unreadable(facts),
        how_to_check(),
    ]);
    parts
}

fn the_program(notes: &PageNotes) -> PageSection {
    let (mut zh, mut en) = (
        "carryall 程序不在这些卷上，由发送方另行提供（一个文件，适用于 Linux）。把它复制到现场机器的 /usr/local/bin，\
         以后各条命令就能直接使用。"
            .to_owned(),
        "The program carryall is not on these volumes: the sender gives it along with them, one file for Linux. Copy it to \
         /usr/local/bin on the machine at the site."
            .to_owned(),
    );
    if notes.contact.is_some() {
        zh.push_str("没有收到时，请找上面的联系人。");
        en.push_str(" If it did not come, ask the contact above.");
    }
    PageSection {
        zh: ("程序在哪里", zh),
        en: ("Where the program is", en),
        command: Some("sudo install -m 755 carryall /usr/local/bin/carryall".into()),
    }
}

fn room(notes: &PageNotes) -> Option<PageSection> {
    let receive = ByteSize(notes.receive_bytes?);
    let (mut zh, mut en) = (
        format!("接收时仓库所在磁盘约需 {receive}"),
        format!("Receiving takes about {receive} where the store is"),
    );
    if let Some(bytes) = notes.item_bytes {
        let items = ByteSize(bytes);
        let _ = write!(zh, "；全部还原（checkout）另需 {items}");
        let _ = write!(en, ", and giving everything back another {items}");
    }
    zh.push_str("。查看可用空间：");
    en.push_str(". What is free:");
    Some(PageSection {
        zh: ("需要多少空间", zh),
        en: ("Room needed", en),
        command: Some("df -h".into()),
    })
}

/// Returns the section on what comes next. Its commands name the first release.
fn what_comes_after(facts: &VolumeFacts) -> PageSection {
    let release = facts.releases.first().map_or("RELEASE", String::as_str);
    let release = plain_text(release, 100);
    PageSection {
        zh: (
            "接收完成之后",
            "当 receive 报告接收完成（received whole）后，按需要选用：还原文件；把镜像装入 docker、podman 或 containerd；\
             推送到现场的镜像仓库；或安装为可切换、可回退的版本。"
                .into(),
        ),
        en: (
            "When everything was received",
            "When receive says \"received whole\", take what you need: give the files back, load images into docker, podman or \
             containerd, push them into the site's registry, or install versions that can be switched back."
                .into(),
        ),
        command: Some(format!(
            "carryall checkout {release} DIR\ncarryall load {release}\ncarryall push {release} REGISTRY:5000\n\
             carryall install {release} --into DIR"
        )),
    }
}

fn what_it_is(facts: &VolumeFacts) -> PageSection {
    let (count, spare, data) = (
        facts.volume_count(),
        facts.spare_volumes,
        facts.data_volumes,
    );
    let (zh, en) = if count == 1 {
        ("只有这一卷".to_owned(), "on this one volume".to_owned())
    } else {
        (
            format!(
                "一套共 {count} 卷（{data} 卷数据，{spare} 卷备用），每张光盘或每个 U 盘是一卷"
            ),
            format!(
                "on a set of {count} volumes ({data} with data, {spare} spare); each disc or USB disk is one volume"
            ),
        )
    };
    PageSection {
        zh: (
            "这是什么",
            format!(
                "这是软件交付介质，{zh}。内容由 carryall 程序打包，不能直接打开；请用 carryall 接收到现场的机器上。"
            ),
        ),
        en: (
            "What this is",
            format!(
                "A delivery of software {en}. It was packed by the program carryall and cannot be opened by hand: receive it \
                 with carryall on a machine at the site."
            ),
        ),
        command: None,
    }
}

fn what_to_do() -> PageSection {
    PageSection {
        zh: (
            "现场怎么做",
            "逐卷插入，次序不限，每卷只需插入一次。对每一卷执行下面的命令，PATH 是这一卷所在的位置\
             （挂载目录、.iso 文件或光驱设备，例如 /mnt/cdrom 或 /dev/sr0）。程序会告诉您还缺哪一卷。"
                .into(),
        ),
        en: (
            "What to do at the site",
            "Insert the volumes one after the other, in any order, each only once, and type this for each. PATH is where the \
             volume is: the mounted folder, an .iso file or the drive, such as /mnt/cdrom or /dev/sr0. \
             The program says which volume is still needed."
                .into(),
        ),
        command: Some("carryall receive PATH".into()),
    }
}

fn missing_volumes(facts: &VolumeFacts) -> PageSection {
    let (count, spare, data) = (
        facts.volume_count(),
        facts.spare_volumes,
        facts.data_volumes,
    );
    let (zh, en) = match (spare, data) {
        (0, 1) => (
            "全部内容都在这一卷上，没有备用卷。少量划伤或坏块可以自动修复。".to_owned(),
            "Everything is on this one volume, and there is no spare. Small scratches and bad spots heal by themselves."
                .to_owned(),
        ),
        (0, _) => (
            format!("这一套没有备用卷，{count} 卷缺一不可。少量划伤或坏块可以自动修复。"),
            format!(
                "This set has no spare volumes: all {count} are needed. Small scratches and bad spots heal by themselves."
            ),
        ),
        _ => (
            format!(
                "任意 {spare} 卷丢失或完全读不出，用其余的卷仍可恢复全部内容。\
                 损坏的卷不要扔掉：能读出的部分也有用。"
            ),
            format!(
                "Any {spare} of the {count} volumes may be missing or unreadable: the rest bring everything back. \
                 Do not throw a damaged volume away; what can still be read of it helps."
            ),
        ),
    };
    PageSection {
        zh: ("少了几卷怎么办", zh),
        en: ("If volumes are missing", en),
        command: None,
    }
}

fn whole_volumes() -> PageSection {
    PageSection {
        zh: (
            "不要只复制一部分",
            "如果要复制，请复制这一卷的全部文件，放在同一个目录里。不要解压、转换或修改任何文件。\
             文件名变了没有关系，程序按内容识别。"
                .into(),
        ),
        en: (
            "Do not copy only a part",
            "When you copy a volume, copy all of its files into one folder. Do not unpack, convert or edit any of them. \
             Changed names do no harm: the program goes by content."
                .into(),
        ),
        command: None,
    }
}

fn unreadable(facts: &VolumeFacts) -> PageSection {
    let no = facts.volume_no;
    PageSection {
        zh: (
            "光盘划伤或读不出时",
            "照样插入并执行 receive：程序会跳过坏处，读出其余部分，能修的自动修好。再不行，用软布从中心向外擦拭，\
             或换一台光驱。系统无法挂载时，直接给出设备（例如 /dev/sr0）；也可先用 ddrescue 尽量读成映像文件，再交给 receive："
                .into(),
        ),
        en: (
            "When a disc is scratched or unreadable",
            "Insert it anyway and type receive: the program skips bad spots, reads the rest and heals what it can. If that is not \
             enough, wipe the disc with a soft cloth from the centre outwards, or try another drive. When it cannot be \
             mounted, name the device (such as /dev/sr0), or save what is readable with ddrescue first and receive the image:"
                .into(),
        ),
        command: Some(format!(
            "ddrescue -b 2048 /dev/sr0 volume{no}.img volume{no}.map && carryall receive volume{no}.img"
        )),
    }
}

fn how_to_check() -> PageSection {
    PageSection {
        zh: ("怎么检查", "只检查、不接收，也不改动任何东西：".into()),
        en: (
            "How to check",
            "Checks without receiving anything, and changes nothing:".into(),
        ),
        command: Some("carryall verify PATH".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SetId;

    fn facts(volume_no: u16, data_volumes: u16, spare_volumes: u16) -> VolumeFacts {
        VolumeFacts {
            set_id: SetId([0xab; 16]),
            title: "商店 <2.0> & \"co\"".into(),
            volume_no,
            data_volumes,
            spare_volumes,
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
            ..notes()
        };
        let (browser, plain) = (html(&long, &endless), text(&long, &endless));
        // Each page begins a sector of its own.
        assert!(browser.len() <= 24 * 1024, "{}", browser.len());
        assert!(plain.len() <= 8 * 1024, "{}", plain.len());
        assert!(browser.contains("more</span>") && plain.contains("more"));
    }
}
