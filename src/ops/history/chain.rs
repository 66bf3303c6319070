//! The lines of the history: each has its number and the hash of the line before it, so that a line that was cut out or
//! changed is told.
//!
//! The hash is SHA-256 over the bytes of a line, which every machine can compute. The note of the last line tells that
//! lines at the end are gone. Who can write all of it can also write all of it anew: against that helps only a copy
//! elsewhere.

use serde::{Deserialize, Serialize};

use super::HistoryEntry;
use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::oci::image::Digest;
use crate::store::{HistoryEnd, NextLine, StoredHistory};

/// Most bytes of a line.
const LINE_BYTES_MAX: usize = 128 << 10;
/// Hex digits of a hash.
const HASH_DIGITS: usize = 64;
/// Most findings of one reading. A history that is wrong throughout is not told line by line.
const FINDINGS_MAX: usize = 20;

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryLine {
    /// Its number, from 1 on.
    pub no: u64,
    /// SHA-256 of the line before it. Zeros in the first line.
    pub before: String,
    /// What happened.
    #[serde(flatten)]
    pub entry: HistoryEntry,
}

/// A line, by its number and hash. Whoever keeps it elsewhere can tell later that everything up to there is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HistoryMark {
    /// Number of the line.
    pub no: u64,
    /// SHA-256 of the line.
    pub sha256: String,
}

impl HistoryMark {
    fn of(no: u64, line: &[u8]) -> Self {
        Self {
            no,
            sha256: Digest::of(line).hex().to_owned(),
        }
    }

    /// What stands before the first line.
    fn start() -> Self {
        Self {
            no: 0,
            sha256: "0".repeat(HASH_DIGITS),
        }
    }

    /// Reads a note. Returns `None` for what is none.
    fn parse(note: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(note).ok()?;
        let (no, sha256) = text.strip_suffix('\n')?.split_once(' ')?;
        let is_number = !no.is_empty() && no.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || !is_hash(sha256) {
            return None;
        }
        Some(Self {
            no: no.parse().ok()?,
            sha256: sha256.to_owned(),
        })
    }

    pub(super) fn note(&self) -> Vec<u8> {
        format!("{} {}\n", self.no, self.sha256).into_bytes()
    }
}

impl HistoryLine {
    /// Reads a line without its end. Returns `None` for what is none, or is too long.
    pub fn decode(line: &[u8]) -> Option<Self> {
        if line.len() > LINE_BYTES_MAX {
            return None;
        }
        let read: Self = serde_json::from_slice(line).ok()?;
        (read.no > 0 && is_hash(&read.before)).then_some(read)
    }

    /// Makes a line without its end.
    pub fn encode(&self) -> Vec<u8> {
        // Text and numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn is_hash(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == HASH_DIGITS && text.bytes().all(is_digit)
}

/// Makes the next line. What is wrong with the lines before stays visible in it: where the end is not what the note
/// says, the line follows the note.
pub(super) fn next(end: &HistoryEnd, entry: &HistoryEntry) -> NextLine {
    let last = match end.last_no {
        // What lies at that place counts, even when it is no line any more.
        Some(no) => Some(HistoryMark::of(no, &end.lines)),
        None => {
            let lines = end.lines.split(|byte| *byte == b'\n').rev();
            lines
                .filter_map(|line| Some(HistoryMark::of(HistoryLine::decode(line)?.no, line)))
                .next()
        }
    };
    let note = end.head.as_deref().and_then(HistoryMark::parse);
    let follows = match (last, note) {
        (Some(last), Some(note))
            if note.no > last.no || note.no == last.no && note.sha256 != last.sha256 =>
        {
            note
        }
        (Some(last), _) => last,
        (None, Some(note)) => note,
        (None, None) => HistoryMark::start(),
    };
    let line = HistoryLine {
        no: follows.no.saturating_add(1),
        before: follows.sha256,
        entry: entry.clone(),
    };
    let bytes = line.encode();
    NextLine {
        no: line.no,
        head: HistoryMark::of(line.no, &bytes).note(),
        line: bytes,
    }
}

/// The lines of a history, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Audit {
    pub(super) lines: Vec<HistoryLine>,
    pub(super) last: Option<HistoryMark>,
    pub(super) findings: Vec<Finding>,
}

impl Audit {
    /// Reads all lines. A line that a power cut left without its end is passed over, because the next one follows the
    /// one before it.
    pub(super) fn of(stored: &StoredHistory) -> Self {
        let mut audit = Self::default();
        // Nothing is known of what was before lines that went to make room.
        let mut last = (!stored.is_bounded).then(HistoryMark::start);
        let note = stored.head.as_deref().and_then(HistoryMark::parse);
        let mut noted = None;
        for (_, bytes) in &stored.files {
            for line in bytes.split(|byte| *byte == b'\n') {
                let Some(read) = HistoryLine::decode(line) else {
                    continue;
                };
                if let Some(last) = &last {
                    audit.compare(last, &read);
                }
                let mark = HistoryMark::of(read.no, line);
                if note.as_ref().is_some_and(|note| note.no == mark.no) {
                    noted = Some(mark.clone());
                }
                last = Some(mark);
                audit.lines.push(read);
            }
        }
        audit.compare_note(stored, note.as_ref(), last.as_ref());
        // All of it may have been written anew since the line that was noted here.
        if let (true, Some(note), Some(noted)) = (audit.findings.is_empty(), note, noted)
            && noted != note
        {
            let (no, next) = (note.no, note.no.saturating_add(1));
            audit.find(diagnostic!("history.line_changed", no, next));
        }
        audit.last = last.filter(|last| last.no > 0);
        audit
    }

    fn compare(&mut self, last: &HistoryMark, line: &HistoryLine) {
        let next_no = last.no.saturating_add(1);
        if line.no > next_no {
            let (from, to) = (next_no, line.no - 1);
            self.find(diagnostic!(
                "history.lines_missing",
                from,
                to,
                count = to - from + 1
            ));
        } else if line.no < next_no {
            self.find(diagnostic!("history.line_misplaced", no = line.no));
        } else if line.before != last.sha256 {
            // Which of the two was changed cannot be told.
            self.find(diagnostic!(
                "history.line_changed",
                no = last.no,
                next = line.no
            ));
        }
    }

    fn compare_note(
        &mut self,
        stored: &StoredHistory,
        note: Option<&HistoryMark>,
        last: Option<&HistoryMark>,
    ) {
        let last = last.cloned().unwrap_or_else(HistoryMark::start);
        match note {
            Some(note) if note.no > last.no => {
                let (from, to) = (last.no.saturating_add(1), note.no);
                self.find(diagnostic!(
                    "history.lines_missing",
                    from,
                    to,
                    count = to - from + 1
                ));
            }
            Some(note) if note.no == last.no && note.sha256 != last.sha256 => {
                self.find(diagnostic!("history.last_line_changed", no = last.no));
            }
            Some(_) => {}
            None if stored.may_lack_note && stored.head.is_none() => {}
            // The note of the first line may not have been written before a power cut.
            None if last.no > 1 => self.find(diagnostic!("history.note_missing")),
            None => {}
        }
    }

    fn find(&mut self, what: crate::base::diagnostic::Diagnostic) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding::damage(Subject::Store, what));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ops::history::HistoryEvent;

    /// A history of so many lines, and the note of the last one.
    fn history(count: u64) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut lines, mut head) = (Vec::new(), None);
        for _ in 0..count {
            let end = HistoryEnd {
                lines: lines.join(&b'\n'),
                last_no: None,
                head: head.clone(),
            };
            let entry = HistoryEntry::now(HistoryEvent::Add);
            let NextLine {
                line, head: note, ..
            } = next(&end, &entry);
            lines.push(line);
            head = Some(note);
        }
        (lines, head.unwrap())
    }

    fn codes(lines: &[Vec<u8>], head: Option<&[u8]>) -> Vec<&'static str> {
        let stored = StoredHistory {
            files: vec![(1, lines.join(&b'\n'))],
            head: head.map(<[u8]>::to_vec),
            is_bounded: false,
            may_lack_note: false,
        };
        let found = Audit::of(&stored).findings;
        found.iter().map(Finding::code).collect()
    }

    #[test]
    fn what_was_written_is_well_and_a_note_may_be_one_line_behind() {
        let (lines, head) = history(5);
        assert!(codes(&lines, Some(&head)).is_empty());
        let (_, behind) = history(4);
        let behind = HistoryMark::parse(&behind).unwrap();
        assert_eq!(behind.no, 4);
        let behind = HistoryMark::of(4, &lines[3]).note();
        assert!(codes(&lines, Some(&behind)).is_empty());
        assert!(codes(&lines[..1], None).is_empty());
        // A line that was cut off in the middle, behind which the next one stands.
        let mut torn = lines.clone();
        torn.insert(2, lines[2][..40].to_vec());
        torn.push(lines[4][..9].to_vec());
        assert!(codes(&torn, Some(&head)).is_empty());
    }

    #[test]
    fn every_line_that_is_cut_moved_or_changed_is_told() {
        let (lines, head) = history(6);
        for at in 0..lines.len() {
            let mut cut = lines.clone();
            cut.remove(at);
            assert_eq!(codes(&cut, Some(&head)), ["history.lines_missing"], "{at}");
            let mut changed = lines.clone();
            let text = String::from_utf8(changed[at].clone()).unwrap();
            changed[at] = text.replace("\"add\"", "\"pull\"").into_bytes();
            let told = if at + 1 == lines.len() {
                "history.last_line_changed"
            } else {
                "history.line_changed"
            };
            assert_eq!(codes(&changed, Some(&head)), [told], "{at}");
        }
        let mut swapped = lines.clone();
        swapped.swap(2, 3);
        assert!(!codes(&swapped, Some(&head)).is_empty());
        assert_eq!(codes(&lines, None), ["history.note_missing"]);
        assert_eq!(codes(&lines, Some(b"x")), ["history.note_missing"]);
        assert_eq!(codes(&[], Some(&head)), ["history.lines_missing"]);
    }

    #[test]
    fn what_was_cut_off_before_a_new_line_stays_told() {
        let (lines, head) = history(6);
        for (kept, told) in [(3, "history.lines_missing"), (0, "history.lines_missing")] {
            let mut kept = lines[..kept].to_vec();
            let end = HistoryEnd {
                lines: kept.join(&b'\n'),
                last_no: None,
                head: Some(head.clone()),
            };
            let entry = HistoryEntry::now(HistoryEvent::Pack);
            let NextLine { line, head, .. } = next(&end, &entry);
            kept.push(line);
            assert_eq!(codes(&kept, Some(&head)), [told]);
        }
        let mut changed = lines;
        let text = String::from_utf8(changed[5].clone()).unwrap();
        changed[5] = text.replace("\"add\"", "\"pull\"").into_bytes();
        let end = HistoryEnd {
            lines: changed.join(&b'\n'),
            last_no: None,
            head: Some(head),
        };
        let NextLine { line, head, .. } = next(&end, &HistoryEntry::now(HistoryEvent::Add));
        changed.push(line);
        assert_eq!(codes(&changed, Some(&head)), ["history.line_changed"]);
    }

    #[test]
    fn golden_lines_are_read_and_written_the_same() {
        let lines = include_bytes!("../../../tests/data/golden/v1/history.jsonl");
        let head = include_bytes!("../../../tests/data/golden/v1/history.head");
        let audit = Audit::of(&StoredHistory {
            files: vec![(1, lines.to_vec())],
            head: Some(head.to_vec()),
            is_bounded: false,
            may_lack_note: false,
        });
        assert!(audit.findings.is_empty(), "{:?}", audit.findings);
        assert_eq!(audit.last.unwrap().note(), head);
        let written = audit.lines.iter().map(HistoryLine::encode);
        let written: Vec<Vec<u8>> = written.map(|line| [&line[..], b"\n"].concat()).collect();
        assert_eq!(written.concat(), lines);
    }

    #[test]
    fn what_is_no_line_is_none() {
        let (lines, _) = history(1);
        assert!(HistoryLine::decode(&lines[0]).is_some());
        let text = String::from_utf8(lines[0].clone()).unwrap();
        for bad in [
            String::new(),
            "{}".to_owned(),
            text.replace("\"no\":1", "\"no\":0"),
            text.replace("\"no\":1", "\"no\":-1"),
            text.replacen("00", "0g", 1),
            text[1..].to_owned(),
            text.replace(
                "\"uid\"",
                &format!("\"x\":\"{}\",\"uid\"", "y".repeat(LINE_BYTES_MAX)),
            ),
        ] {
            assert_eq!(HistoryLine::decode(bad.as_bytes()), None, "{bad:.80}");
        }
        // What a later version adds is passed over.
        let later = text
            .replace("\"uid\"", "\"later\":[1],\"uid\"")
            .replace("\"add\"", "\"beam\"");
        let later = HistoryLine::decode(later.as_bytes()).unwrap();
        assert_eq!(later.entry.event, HistoryEvent::Other);
    }
}
