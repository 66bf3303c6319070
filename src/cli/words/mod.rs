//! All words for people, English beside Chinese: the library gives facts, this module says them.
//!
//! The language is the locale's: Chinese when LC_ALL, LC_MESSAGES or LANG begins with `zh`, else English.

mod delta;
mod demo;
mod errors;
mod images;
mod media;
mod registry;
mod sayings;
mod store;
mod versions;
mod weight;

use std::io::Write;
use std::sync::OnceLock;

use carryall::finding::{Finding, Severity};
use carryall::size::ByteSize;

pub use delta::{
    another_store, done_with, forgotten, hint_base, hint_receipt_file, hint_top_up,
    one_receipt_a_site, receipt_about, receipt_label, site_is_new, sites, unknown_releases,
    unknown_sets,
};
pub use demo::{demo_added, demo_begins, demo_ends, demo_hurt, demo_nothing, demo_packed};
pub use errors::{
    chinese_error, hint, hint_damage, hint_generic, hint_store, hint_unexpanded_home, hint_usage,
    unexpanded_home,
};
pub use images::{
    change_mark, diff_images, hint_form, image_name, image_without_form, images, images_out,
    item_with_form, loaded, packages,
};
pub use media::{
    at_hand, map_written, no_media_named, not_rebuilt, nothing_to_repair, packed, plan, progress,
    rebuilt, set_line, status, unread, verdict, volume_lines,
};
pub use registry::{
    broken_off, hint_left_out, hint_reference, lines_left_out, one_name, one_stream, pulled,
    pushed, ready, served_now, terminal_stdin,
};
pub use store::{
    added, checked, checked_out, damaged_release, diff_total, item_new, kept_ready, no_store_named,
    pruned, release_line, removed, show_streams, store_created, store_is_empty, streams,
};
pub use versions::{installed, kept, let_go, rolled_back};
pub use weight::{Against, contributors, estimate};

fn is_chinese() -> bool {
    static CHINESE: OnceLock<bool> = OnceLock::new();
    *CHINESE.get_or_init(|| {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty())
            .is_some_and(|value| value.to_string_lossy().starts_with("zh"))
    })
}

/// The words in the person's language.
pub fn pick<T>(english: T, chinese: T) -> T {
    if is_chinese() { chinese } else { english }
}

/// Prints a text for people to stderr, beside the report on stdout.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// `352 MB`.
pub fn bytes(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// `3`, `3 and 7`, `3, 5 and 7`.
pub fn numbers(numbers: &[u16]) -> String {
    let texts: Vec<String> = numbers.iter().map(u16::to_string).collect();
    match texts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => {
            format!(
                "{}{}{last}",
                rest.join(pick(", ", "、")),
                pick(" and ", " 和 ")
            )
        }
    }
}

/// `volume 3`, `volumes 3 and 5`.
pub fn volumes(nos: &[u16]) -> String {
    let (word, list) = (
        if nos.len() == 1 { "volume" } else { "volumes" },
        numbers(nos),
    );
    pick(format!("{word} {list}"), format!("第 {list} 卷"))
}

/// `1 item`, `4 items`.
pub fn items(count: u64) -> String {
    pick(
        format!("{count} item{}", plural(count)),
        format!("{count} 项"),
    )
}

/// `1 entry`, `40 entries`.
pub fn entries(count: u64) -> String {
    let word = if count == 1 { "entry" } else { "entries" };
    pick(format!("{count} {word}"), format!("{count} 个条目"))
}

/// `1 file`, `1,203 files`.
pub fn files(count: u64) -> String {
    let digits = grouped(count);
    pick(
        format!("{digits} file{}", plural(count)),
        format!("{digits} 个文件"),
    )
}

/// `1,203`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// What a progress bar calls a task of the library.
pub fn task(name: &str) -> String {
    let chinese = match name {
        "read" => "读取",
        "look" => "查看",
        "pull" => "拉取",
        "push" => "推送",
        "compare" => "比对",
        "compress" => "压缩",
        "payload" => "写入数据",
        "wide parity" => "跨卷校验",
        "local parity" => "本卷校验",
        "scan" => "扫描",
        "heal" => "修复",
        "rebuild" => "重建",
        "take over" => "入库",
        "check" => "检查",
        "check out" => "还原",
        "sync" => "写盘",
        other => other,
    };
    pick(name, chinese).to_owned()
}

/// `error`.
pub fn error_label() -> &'static str {
    pick("error", "错误")
}

/// `hint`.
pub fn hint_label() -> &'static str {
    pick("hint", "提示")
}

/// Heard Ctrl-C.
pub fn stopping() -> &'static str {
    pick(
        "stopping; what is done is kept (Ctrl-C again ends at once)",
        "正在停止；已完成的部分会保留（再按一次 Ctrl-C 立即结束）",
    )
}

/// One line for a finding.
pub fn finding(finding: &Finding) -> String {
    let label = match finding.severity {
        Severity::Note => pick("note", "注意"),
        Severity::Damage => pick("damage", "损坏"),
        Severity::Loss => pick("LOSS", "丢失"),
    };
    let message = match &finding.saying {
        Some(saying) => sayings::said(saying),
        None => finding.message.clone(),
    };
    plain(&format!("{label}: {}: {message}", finding.subject))
}

/// A text out of an archive or from another program, without what could make a terminal do things.
pub fn plain(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && c != '\n' { '?' } else { c }
    };
    text.chars().map(shown).collect()
}

/// One line each.
pub fn findings(findings: &[Finding]) -> String {
    findings.iter().map(|each| finding(each) + "\n").collect()
}

/// More findings than fit a screen.
pub fn more_findings(count: u64) -> String {
    pick(
        format!("... and {count} more like these (-v shows all)"),
        format!("……另有 {count} 条（-v 可全部显示）"),
    )
}
