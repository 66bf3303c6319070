//! The only way to standard output and standard error: whatever goes out is made harmless here.
//!
//! Names come from media, packages and registries. Nothing of them may move the cursor, color the screen, turn the order of
//! letters or pass for a line of ours: [`shown`] is for a name within a line, and every writer passes [`plain`] as a net.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use carryall::base::monitor::Monitor;
use carryall::base::qr::{QrCode, TerminalPaint};
use serde_json::Value;

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;
/// Rows of the smallest terminal that people use.
const ROWS: usize = 24;
/// How often a stop, the keyboard and drives are looked at while something is waited for.
pub const ASK_EVERY: Duration = Duration::from_millis(100);

/// Whether a character does something to a terminal or to the order of what is around it, or cannot be seen.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

fn escape(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_bad = |c: char| is_unsafe(c) && !is_kept(c);
    if text.contains(is_bad) {
        Cow::Owned(text.replace(is_bad, "?"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text from elsewhere within a line: `a?b` for a name with a line break in it.
pub fn shown(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// A path within a line.
pub fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy()).into_owned()
}

/// A text of several lines: line breaks stay.
pub fn plain(text: &str) -> Cow<'_, str> {
    escape(text, |c| c == '\n')
}

/// Takes out of a text the line breaks of names that are in the report it was made of, wherever they were forgotten.
pub fn names_in_lines<'a>(text: &'a str, report: &impl serde::Serialize) -> Cow<'a, str> {
    let mut broken = BrokenNames::default();
    if let Ok(value) = serde_json::to_value(report) {
        broken.find(&value);
    }
    broken.mend(text)
}

/// Names with line breaks in them, by what stands before the first one.
#[derive(Default)]
struct BrokenNames {
    names: HashMap<String, Vec<String>>,
    lengths: BTreeSet<usize>,
}

impl BrokenNames {
    fn find(&mut self, value: &Value) {
        match value {
            Value::String(name) => self.add(name),
            Value::Array(values) => values.iter().for_each(|value| self.find(value)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                self.add(name);
                self.find(value);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add(&mut self, name: &str) {
        // Of blank names nobody takes the lines for ours.
        if let Some(at) = name.find('\n')
            && !name.trim().is_empty()
        {
            self.lengths.insert(at);
            let alike = self.names.entry(name[..at].to_owned()).or_default();
            alike.push(name.to_owned());
        }
    }

    fn mend<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.names.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for (at, _) in text.match_indices('\n') {
            // The longest that fits is the whole name.
            let begins = |before: &usize| at.checked_sub(*before).filter(|begin| *begin >= done);
            let names = self.lengths.iter().filter_map(begins).filter_map(|begin| {
                let alike = self.names.get(text.get(begin..at)?)?;
                let rest = text.get(begin..)?;
                let name = alike.iter().filter(|name| rest.starts_with(*name));
                Some((begin, name.max_by_key(|name| name.len())?))
            });
            if let Some((begin, name)) = names.max_by_key(|(_, name)| name.len()) {
                out.push_str(&text[done..begin]);
                out.push_str(&shown(name));
                done = begin + name.len();
            }
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }
}

/// JSON says the same with escapes of its own; a line break outside of strings is layout.
fn plain_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(|c| is_unsafe(c) && c != '\n') {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_unsafe(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Prints a text for people to stderr, beside the report on stdout. Whoever reads it may be gone.
pub fn say(text: &str) {
    say_either(text, false);
}

/// Prints one line of JSON to stderr.
pub fn say_json(value: &serde_json::Value) {
    say_either(&format!("{value}\n"), true);
}

/// Prints a text, or JSON, to stderr.
pub fn say_either(text: &str, is_json: bool) {
    let safe = if is_json {
        plain_json(text)
    } else {
        plain(text)
    };
    let _ = io::stderr().write_all(safe.as_bytes());
}

/// Prints a report to stdout.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(plain(text).as_bytes())?;
    out.flush()
}

/// Prints a report to stdout as JSON.
pub fn print_json(json: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(plain_json(json).as_bytes())?;
    out.flush()
}

/// Prints bytes that are a file to stdout.
pub fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(bytes)?;
    out.flush()
}

/// Columns of the terminal that stdout is, or those that are good to read.
pub fn columns() -> usize {
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let seen = size.map(|size| usize::from(size.ws_col));
    seen.filter(|columns| *columns > 0)
        .or_else(named)
        .unwrap_or(COLUMNS)
}

/// Rows of the terminal that stdout is, or those of the smallest one.
pub fn rows() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let seen = size.map(|size| usize::from(size.ws_row));
    seen.filter(|rows| *rows > 0).unwrap_or(ROWS)
}

/// Prints a QR code to stdout. Colors are ours alone, and only a terminal that has them gets them.
pub fn print_code(code: &QrCode) -> io::Result<()> {
    let is_set = |name: &str, value: &str| std::env::var_os(name).is_some_and(|is| is == value);
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let paint = if io::stdout().is_terminal() && !no_color && !is_set("TERM", "dumb") {
        TerminalPaint::Colors
    } else {
        TerminalPaint::Blocks
    };
    print_bytes((code.terminal_lines(paint).join("\n") + "\n").as_bytes())
}

/// Waits for a line that is typed. Returns `None` when nothing more will be typed, or a stop was asked for.
pub fn read_line(monitor: &dyn Monitor) -> Option<String> {
    let (send, typed) = std::sync::mpsc::channel();
    // A read of the keyboard cannot be broken off, and Ctrl-C is not to wait for it.
    let read = move || {
        let mut line = String::new();
        let bytes = io::stdin().read_line(&mut line).unwrap_or(0);
        let _ = send.send((bytes > 0).then_some(line));
    };
    std::thread::Builder::new().spawn(read).ok()?;
    loop {
        match typed.recv_timeout(ASK_EVERY) {
            Ok(line) => return line,
            Err(RecvTimeoutError::Timeout) if !monitor.stop_asked() => {}
            Err(_) => return None,
        }
    }
}

/// Whether a person sees stdout.
pub fn is_out_seen() -> bool {
    io::stdout().is_terminal()
}

/// Whether a person sees stderr.
pub fn is_seen() -> bool {
    io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_of_a_name_reaches_the_terminal_as_more_than_letters() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let (line, text) = (format!("a{c}b"), format!("a{c}b\n"));
            assert!(!shown(&line).chars().any(is_unsafe), "{c:?}");
            let kept = plain(&text).into_owned();
            assert!(!kept.chars().any(|c| is_unsafe(c) && c != '\n'), "{c:?}");
            let json = serde_json::to_string(&line).unwrap();
            let safe = plain_json(&json).into_owned();
            assert!(!safe.chars().any(is_unsafe), "{c:?}");
            assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), line);
        }
        assert_eq!(shown("a\u{1b}[31m\n\u{9b}\u{202e}"), "a?[31m???");
        assert_eq!(shown("商城：1.0 é"), "商城：1.0 é");
    }

    #[test]
    fn a_name_that_was_forgotten_makes_no_line_of_its_own() {
        let report = serde_json::json!({
            "items": ["a\nhint: b", "a\n", "商\n城\n", "\n", "plain"], "a\nhint": 1,
        });
        let text = "all:\n  a\nhint: b  1\n  a\n\n商\n城\n.\nplain\n";
        assert_eq!(
            names_in_lines(text, &report),
            "all:\n  a?hint: b  1\n  a?\n商?城?.\nplain\n"
        );
        assert_eq!(names_in_lines("a\nb\n", &["c"]), "a\nb\n");
    }
}
