//! The history as a table for a spreadsheet: RFC 4180, one row a line, every cell in quotes.
//!
//! Names come from media. A cell that a spreadsheet would take for a formula gets an apostrophe before it.

use std::fmt::Write;

use super::{HistoryEvent, HistoryLine};

/// Heads of the columns.
const HEADS: [&str; 15] = [
    "no",
    "at",
    "event",
    "direction",
    "releases",
    "ids",
    "set",
    "signed_by",
    "site",
    "from",
    "to",
    "whole",
    "host",
    "uid",
    "before",
];

/// Makes the table. It begins with the mark of UTF-8, without which spreadsheets guess.
pub fn to_csv(lines: &[HistoryLine]) -> String {
    let mut out = String::from("\u{feff}");
    row(&mut out, HEADS.map(str::to_owned));
    for HistoryLine { no, before, entry } in lines {
        let mut releases: Vec<&str> = entry.releases.iter().map(|each| &each.name[..]).collect();
        let more = format!("and {} more", entry.more_releases);
        if entry.more_releases > 0 {
            releases.push(&more);
        }
        let ids: Vec<&str> = entry.releases.iter().map(|each| &each.id[..]).collect();
        let signers = entry.signed_by.iter().map(|each| match &each.trusted_as {
            Some(name) => format!("{name} ({})", each.key_id),
            None => each.key_id.clone(),
        });
        let signers: Vec<String> = signers.collect();
        let direction = match entry.event.is_arrival() {
            Some(true) => "in",
            Some(false) => "out",
            None => "",
        };
        row(
            &mut out,
            [
                no.to_string(),
                entry.at.clone(),
                event_name(entry.event),
                direction.to_owned(),
                releases.join("; "),
                ids.join("; "),
                entry.set.clone().unwrap_or_default(),
                signers.join("; "),
                entry.site.clone().unwrap_or_default(),
                entry.from.join("; "),
                entry.to.clone().unwrap_or_default(),
                if entry.is_whole { "yes" } else { "no" }.to_owned(),
                entry.host.clone(),
                entry.uid.to_string(),
                before.clone(),
            ],
        );
    }
    out
}

fn event_name(event: HistoryEvent) -> String {
    let name = serde_json::to_value(event).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

fn row(out: &mut String, cells: [String; HEADS.len()]) {
    for (number, cell) in cells.iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let guard = if is_formula { "'" } else { "" };
        let cell = cell.replace('"', "\"\"");
        let _ = write!(out, "{comma}\"{guard}{cell}\"");
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::history::HistoryEntry;
    use std::path::Path;

    #[test]
    fn quotes_and_formulas_stay_text() {
        let entry = HistoryEntry::now(HistoryEvent::Add)
            .from([Path::new("=cmd|'/c calc'!A1"), Path::new("a,\"b\"\nc")])
            .to("@x");
        let table = to_csv(&[HistoryLine {
            no: 1,
            before: "0".repeat(64),
            entry,
        }]);
        assert!(table.starts_with("\u{feff}\"no\",\"at\","), "{table}");
        assert!(
            table.contains("\"'=cmd|'/c calc'!A1; a,\"\"b\"\"\nc\""),
            "{table}"
        );
        assert!(table.contains(",\"'@x\",\"yes\","), "{table}");
    }
}
