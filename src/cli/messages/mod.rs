//! What is said to people: the library gives facts, this module puts them into messages of the catalog.
//!
//! The words are in the message files alone, one for each language.

mod burn;
pub mod catalog;
mod delta;
mod demo;
mod doctor;
mod errors;
mod history;
mod images;
mod incoming;
mod media;
mod registry;
mod repos;
mod signatures;
mod store;
mod trust;
mod versions;
mod visit;
mod weight;

use carryall::base::finding::{Finding, Severity, Subject};
use carryall::base::size::ByteSize;
use unicode_width::UnicodeWidthStr;

pub use crate::cli::terminal::{say, shown};
pub(crate) use catalog::message;
pub use catalog::{language_tag, use_english};

pub use burn::{burn_obstacle, burn_step, burned};
pub use delta::{
    another_store, code_of, done_with, fleet, fleet_set, forgotten, hint_base, hint_platform,
    hint_top_up, receipt_about, receipt_label, site_is_new, sites, unknown_releases, unknown_sets,
};
pub use demo::{demo_added, demo_begins, demo_ends, demo_hurt, demo_packed};
pub use doctor::{doctor_advice, doctor_facts, doctor_verdict};
pub use errors::{USAGE, english, hint, hint_damage, hint_passing, said};
pub use history::{hint_history, history, history_written};
pub use images::{
    change_mark, diff_images, image_name, images, images_out, loaded, packages, platform,
};
pub use incoming::{gave_nothing, given_up, hint_waiting, progress, set_name, status, waiting_set};
pub use media::{
    labels_written, map_written, not_rebuilt, nothing_to_repair, packed, packed_bare, plan,
    plan_alone, rebuilt, report_written, set_contents, set_line, unread, verdict, verdict_at_hand,
    volume_lines, without_volume,
};
pub use registry::{
    broken_off, hint_left_out, lines_left_out, name_state, pulled, pushed, ready, served_now,
};
pub use repos::{diff_packages, package_repositories};
pub use signatures::{attachment_line, attachments, attachments_out, image_signatures};
pub use store::{
    added, change, checked, checked_out, checked_reading, copied, damaged_release, diff_total,
    hint_copy_damaged, item_new, item_state, kept_ready, pruned, release_line, removed, renewed,
    show_streams, store_created, store_is_empty, streams,
};
pub use trust::{
    ask_new_passphrase, ask_new_password, ask_passphrase, ask_password_again, ask_password_of,
    image_key_trusted, image_key_trusted_no_longer, key_facts, key_made, signed, trust_list,
    trusted, trusted_no_longer,
};
pub use versions::{discard_if_done, installed, kept, rolled_back};
pub use visit::{
    insert_a_disc, visit_ask_other, visit_busy, visit_disc, visit_drive, visit_drives, visit_end,
    visit_first, visit_history, visit_missing, visit_out, visit_prompt, visit_top_up,
    visit_top_up_code, visit_top_up_lines, visit_unclear, visit_unknown,
};
pub use weight::{Baseline, contributors, estimate};

/// Widest column.
const COLUMN_MAX: usize = 60;

/// A line of a report.
fn line(text: String) -> String {
    text + "\n"
}

/// A line of a report that belongs to the one above it.
fn line_below(text: String) -> String {
    format!("  {text}\n")
}

/// The line that says what failed.
pub fn error_line(message: &str) -> String {
    line(message!("line-error", message))
}

/// The line that says what to do.
pub fn hint_line(hint: &str) -> String {
    line(message!("line-hint", hint))
}

/// `352 MB`.
pub fn bytes(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// Manual pages were written.
pub fn pages_written(count: usize, to: &std::path::Path) -> String {
    line(message!("man-written", count, to))
}

/// `a, b, c`: names of things.
fn enumerated(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(&message!("list-separator"))
}

/// `a, b, c`: what is said of one thing.
fn facts(facts: &[String]) -> String {
    facts.join(&message!("list-facts"))
}

/// `a; b`: sentences on one line.
fn sentences(sentences: &[String]) -> String {
    sentences.join(&message!("list-sentences"))
}

/// `a; or b`: ways of which one is enough.
fn alternatives(ways: &[String]) -> String {
    ways.join(&message!("list-or"))
}

/// `a, b and c`.
fn both(mut names: Vec<String>) -> String {
    match names.pop() {
        None => String::new(),
        Some(last) if names.is_empty() => last,
        Some(last) => message!("list-last", first = enumerated(&names), last),
    }
}

/// `3`, `3 and 7`, `1-4, 7 and 9`: three numbers in a row and more are a range.
fn numbers(numbers: &[u16]) -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let run = |(first, last): (u16, u16)| match last - first {
        0 => vec![first.to_string()],
        1 => vec![first.to_string(), last.to_string()],
        _ => vec![format!("{first}-{last}")],
    };
    both(runs.into_iter().flat_map(run).collect())
}

/// `volume 3`, `volumes 3 and 5`, `volumes 1-6`.
pub fn volumes(numbers_of: &[u16]) -> String {
    let (count, numbers) = (numbers_of.len(), numbers(numbers_of));
    message!("volumes", count, numbers)
}

/// `1 item`, `4 items`.
pub fn items(count: u64) -> String {
    message!("count-items", count)
}

/// `1 entry`, `40 entries`.
pub fn entries(count: u64) -> String {
    message!("count-entries", count)
}

/// `1 file`, `1,203 files`.
pub fn files(count: u64) -> String {
    match count {
        1 => message!("count-one-file"),
        more => message!("count-files", digits = grouped(more)),
    }
}

/// Columns that hold these; what is longer stands out of them. A name may have any length, a column may not.
pub fn width(names: &[String]) -> usize {
    let widths = names.iter().map(|name| name.width());
    widths.max().unwrap_or(0).min(COLUMN_MAX)
}

/// A name with spaces behind it, so that it takes so many columns.
pub fn padded(name: &str, width: usize) -> String {
    format!("{name}{:1$}", "", width.saturating_sub(name.width()))
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

/// What a progress bar calls a task of the library: the message `task-look-for-wrong-blocks` for `look for wrong blocks`.
pub fn task(name: &str) -> String {
    let id = format!("task-{}", name.replace(' ', "-"));
    catalog::find(&id, &[]).unwrap_or_else(|| name.to_owned())
}

/// Heard Ctrl-C.
pub fn stopping() -> String {
    message!("stopping")
}

/// There is less memory than the command takes. `cores`: those that it works on instead, if that is enough.
pub fn memory(needed_bytes: u64, there_bytes: u64, cores: Option<u64>) -> String {
    let (needed, there) = (bytes(needed_bytes), bytes(there_bytes));
    line(match cores {
        Some(cores) => message!("memory-fewer-cores", needed, there, cores),
        None => message!("memory-short", needed, there),
    })
}

/// One line for a finding.
pub fn finding(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Note => message!("severity-note"),
        Severity::Damage => message!("severity-damage"),
        Severity::Loss => message!("severity-loss"),
    };
    let (subject, message) = (subject(&finding.subject), said(&finding.what));
    message!("finding", severity, subject, message)
}

/// What a finding is about.
fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Named(name) => name.clone(),
        Subject::Media => message!("subject-media"),
        Subject::Store => message!("subject-store"),
        Subject::Incoming => message!("subject-incoming"),
        Subject::Release(release) => message!("subject-release", release),
        Subject::Pack(id) => message!("subject-pack", id),
        Subject::Blob(id) => message!("subject-blob", id),
        Subject::Set(id) => message!("subject-set", id),
        Subject::Volume { set, volume_no } => message!("subject-volume", set, volume_no),
    }
}

/// One line each.
pub fn findings(findings: &[Finding]) -> String {
    findings.iter().map(|each| line(finding(each))).collect()
}

/// More findings than fit a screen.
pub fn more_findings(count: u64) -> String {
    message!("more-findings", count)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use carryall::base::diagnostic::{Arg, diagnostic};

    use super::*;
    use catalog::{LANGUAGES, in_language};

    #[test]
    fn volumes_in_a_row_are_a_range() {
        let said = |numbers: &[u16]| {
            let english = in_language("en", || volumes(numbers));
            (english, in_language("zh-CN", || volumes(numbers)))
        };
        let both = |english: &str, chinese: &str| (english.to_owned(), chinese.to_owned());
        assert_eq!(said(&[3]), both("volume 3", "第 3 卷"));
        assert_eq!(said(&[3, 4]), both("volumes 3 and 4", "第 3 和 4 卷"));
        assert_eq!(
            said(&[1, 2, 3, 4, 7, 9]),
            both("volumes 1-4, 7 and 9", "第 1-4、7 和 9 卷")
        );
        let all: Vec<u16> = (1..=255).collect();
        assert_eq!(said(&all), both("volumes 1-255", "第 1-255 卷"));
    }

    #[test]
    fn the_subject_of_a_finding_is_in_the_language_and_the_reports_have_it_in_english() {
        let id = || "12ab34cd".to_owned();
        let subjects = [
            (Subject::Named("a/b".to_owned()), "a/b"),
            (Subject::Media, "介质"),
            (Subject::Store, "仓库"),
            (Subject::Incoming, "暂存目录"),
            (Subject::Release("a:1".to_owned()), "发布包 a:1"),
            (Subject::Pack(id()), "数据包 12ab34cd"),
            (Subject::Blob(id()), "文件 12ab34cd"),
            (Subject::Set(id()), "卷集 12ab34cd"),
            (
                Subject::Volume {
                    set: id(),
                    volume_no: 3,
                },
                "卷集 12ab34cd 第 3 卷",
            ),
        ];
        for (one, chinese) in subjects {
            assert_eq!(in_language("en", || subject(&one)), one.to_string());
            assert_eq!(in_language("zh-CN", || subject(&one)), chinese);
        }
    }

    #[test]
    fn a_finding_is_said_with_what_caused_it() {
        let config = diagnostic!("image.config", config = "x");
        let why = diagnostic!("image.other_length", bytes = 1_u8, said = 2_u8);
        let part = diagnostic!("image.part", what = config, why);
        let denied = std::io::Error::from_raw_os_error(13);
        let unread = diagnostic!("media.cannot_be_read", why = Arg::caught(denied));
        let pairs = [
            (
                Finding::loss("a.tar", part),
                "LOSS: a.tar: config x has 1 bytes, and 2 are said",
                "丢失：a.tar：配置 x 有 1 字节，而声明的是 2 字节",
            ),
            (
                Finding::damage(Subject::Media, unread),
                "damage: media: cannot be read: Permission denied (os error 13)",
                "损坏：介质：无法读取：没有权限（系统错误 13）",
            ),
        ];
        for (one, english, chinese) in pairs {
            assert_eq!(in_language("en", || finding(&one)), english);
            assert_eq!(in_language("zh-CN", || finding(&one)), chinese);
            let said = in_language("zh-CN", || super::english(&one.what));
            assert!(english.ends_with(&said), "{said}");
        }
    }

    /// The names that the library gives its tasks, and nothing else.
    #[test]
    fn every_task_has_a_name_in_every_language() {
        let mut started = BTreeSet::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    let is_library = path.file_name().unwrap() != "cli";
                    folders.extend(is_library.then_some(path));
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for (at, begin) in source.match_indices("onitor.start(") {
                    let rest = source[at + begin.len()..].trim_start();
                    let name = rest
                        .strip_prefix('"')
                        .and_then(|rest| rest.split('"').next());
                    started.extend(name.map(|name| format!("task-{}", name.replace(' ', "-"))));
                }
            }
        }
        assert!(started.len() > 15, "{started:?}");
        for (tag, source) in LANGUAGES {
            let ids = source.lines().filter_map(|line| line.split(" = ").next());
            let named = ids.filter(|id| id.starts_with("task-")).map(str::to_owned);
            assert_eq!(named.collect::<BTreeSet<_>>(), started, "{tag}");
        }
    }
}
