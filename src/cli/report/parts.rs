//! Parts of the page: headings, tables and lists of escaped and bounded texts.

use std::fmt::Write;

use carryall::volumes::media::markup::html_text;

use crate::cli::messages::message;

/// Most characters of a text that comes from outside.
const TEXT_CHARS_MAX: usize = 400;
/// Most lines of a list. The others are counted.
pub(super) const LINES_MAX: usize = 200;
/// Rows of a table that is not torn apart between two sheets.
const SHORT_ROWS: usize = 12;

/// A text, safe for a page.
pub(super) fn text(text: impl AsRef<str>) -> String {
    html_text(text.as_ref(), TEXT_CHARS_MAX)
}

/// A fact, or that it is not known.
pub(super) fn known(fact: Option<&str>) -> String {
    match fact {
        Some(fact) => text(fact),
        None => format!(
            "<span class=\"none\">{}</span>",
            text(message!("report-not-known"))
        ),
    }
}

/// A short text that stays on one line.
pub(super) fn unbroken(value: &str) -> String {
    format!("<span class=\"k\">{}</span>", text(value))
}

pub(super) fn code(value: &str) -> String {
    format!("<code>{}</code>", text(value))
}

pub(super) fn heading(out: &mut String, level: u8, words: &str) {
    let _ = writeln!(out, "<h{level}>{}</h{level}>", text(words));
}

/// Facts, one a row. The values are markup.
pub(super) fn facts(out: &mut String, rows: &[(String, String)]) {
    out.push_str("<table class=\"facts\">\n");
    for (name, value) in rows {
        let _ = writeln!(out, "<tr><th>{}</th><td>{value}</td></tr>", text(name));
    }
    out.push_str("</table>\n");
}

/// A table. The cells are markup.
pub(super) fn table(out: &mut String, heads: &[String], numbers_from: usize, rows: &[Vec<String>]) {
    let class = |column: usize| {
        if column >= numbers_from {
            " class=\"n\""
        } else {
            ""
        }
    };
    let short = if rows.len() <= SHORT_ROWS {
        " class=\"short\""
    } else {
        ""
    };
    let _ = write!(out, "<table{short}>\n<thead><tr>");
    for (column, head) in heads.iter().enumerate() {
        let _ = write!(out, "<th{}>{}</th>", class(column), text(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(out, "<td{}>{cell}</td>", class(column));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

/// A list that is not endless. The entries are markup.
pub(super) fn list(out: &mut String, entries: impl ExactSizeIterator<Item = String>, more: u64) {
    let hidden = entries.len().saturating_sub(LINES_MAX);
    out.push_str("<ul>\n");
    for entry in entries.take(LINES_MAX) {
        let _ = writeln!(out, "<li>{entry}</li>");
    }
    let more = more.saturating_add(u64::try_from(hidden).unwrap_or(u64::MAX));
    if more > 0 {
        let _ = writeln!(
            out,
            "<li>{}</li>",
            text(message!("report-more", count = more))
        );
    }
    out.push_str("</ul>\n");
}
