//! All words for people, English beside Chinese: the library gives facts, this module says them.
//!
//! The language is the locale's: Chinese when LC_ALL, LC_MESSAGES or LANG begins with `zh`, else English.

pub mod catalogue;
mod delta;
mod demo;
mod errors;
mod images;
mod incoming;
mod media;
mod registry;
mod sayings;
mod store;
mod versions;
mod weight;

use carryall::base::finding::{Finding, Severity};
use carryall::base::size::ByteSize;

use crate::cli::memory::MemoryFit;
pub use crate::cli::terminal::{say, shown, shown_path};
use catalogue::is_chinese;
pub(crate) use catalogue::message;
pub use catalogue::use_english;

pub use delta::{
    another_store, done_with, forgotten, hint_base, hint_top_up, receipt_about, receipt_label,
    site_is_new, sites, unknown_releases, unknown_sets,
};
pub use demo::{demo_added, demo_begins, demo_ends, demo_hurt, demo_packed};
pub use errors::{USAGE, hint, hint_damage, hint_passing, said};
pub use images::{change_mark, diff_images, image_name, images, images_out, loaded, packages};
pub use incoming::{gave_nothing, given_up, hint_waiting, progress, status, waiting_set};
pub use media::{
    at_hand, map_written, not_rebuilt, nothing_to_repair, packed, plan, plan_alone, rebuilt,
    set_line, unread, verdict, verdict_at_hand, volume_lines, without_volume,
};
pub use registry::{broken_off, hint_left_out, lines_left_out, pulled, pushed, ready, served_now};
pub use store::{
    added, checked, checked_out, checked_reading, damaged_release, diff_total, item_new,
    kept_ready, pruned, release_line, removed, renewed, show_streams, store_created,
    store_is_empty, streams,
};
pub use versions::{installed, kept, let_go, rolled_back};
pub use weight::{Baseline, contributors, estimate};

/// Widest column.
const COLUMN_MAX: usize = 60;

/// The words in the person's language.
pub fn pick<T>(english: T, chinese: T) -> T {
    if is_chinese() { chinese } else { english }
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

/// Width of a column that holds these; what is longer stands out of it. A name may have any length, a column may not.
pub fn width(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.max().unwrap_or(0).min(COLUMN_MAX)
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
        "look for wrong blocks" => "查找错误的块",
        "check" => "检查",
        "check out" => "还原",
        "sync" => "写盘",
        other => other,
    };
    pick(name, chinese).to_owned()
}

/// `hint`.
pub fn hint_label() -> String {
    message!("label-hint")
}

/// Heard Ctrl-C.
pub fn stopping() -> String {
    message!("stopping")
}

/// There is less memory than the command takes.
pub fn memory(fit: &MemoryFit) -> String {
    let (needed, there, cores) = (bytes(fit.needed_bytes), bytes(fit.there_bytes), fit.cores);
    let head = pick(
        format!("note: this takes up to about {needed} of memory, and {there} may be used: "),
        format!("注意：此操作最多约需 {needed} 内存，可用 {there}："),
    );
    let then = if fit.is_enough {
        pick(
            format!(
                "it works on {cores} core{} only, and takes longer\n",
                plural(cores)
            ),
            format!("只使用 {cores} 个核心，耗时更长\n"),
        )
    } else {
        pick(
            "it may not be enough; end other programs, or raise the limit (ulimit -v, that of the container or service)\n",
            "可能不够；请关闭其他程序，或放宽限制（ulimit -v，或容器、服务的限制）\n",
        )
        .to_owned()
    };
    head + &then
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
    format!("{label}: {}: {}", shown(&finding.subject), shown(&message))
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
