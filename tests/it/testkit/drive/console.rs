//! The serial line of a machine: what it says, and what is typed.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A terminal at a machine.
pub struct Console {
    keys: ChildStdin,
    parts: Receiver<Vec<u8>>,
    /// Bytes that are not yet a whole letter or sequence.
    raw: Vec<u8>,
    /// What was said and not read yet.
    unread: String,
    /// What was read.
    read: String,
}

impl Console {
    /// Sits down at a serial line.
    pub fn new(keys: ChildStdin, mut screen: ChildStdout) -> Self {
        let (send, parts) = channel();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(len @ 1..) = screen.read(&mut part)
                && send.send(part[..len].to_vec()).is_ok()
            {}
        });
        Self {
            keys,
            parts,
            raw: Vec::new(),
            unread: String::new(),
            read: String::new(),
        }
    }

    /// Types keys: `\n` is Enter, `\u{3}` is Ctrl-C.
    pub fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Reads on until one of these words was said. Returns which one, and what was said up to its end.
    #[track_caller]
    pub fn wait_for(&mut self, words: &[&str], patience: Duration) -> (usize, String) {
        let deadline = Instant::now() + patience;
        loop {
            let found = words.iter().enumerate().filter_map(|(which, word)| {
                let at = self.unread.find(word)?;
                Some((at, which, at + word.len()))
            });
            if let Some((_, which, end)) = found.min() {
                let text: String = self.unread.drain(..end).collect();
                self.read += &text;
                return (which, text);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let part = self.parts.recv_timeout(left);
            match part {
                Ok(part) => self.hear(&part),
                Err(error) => panic!("waited for {words:?}, {error}: {}", self.transcript()),
            }
        }
    }

    /// Everything that was said so far.
    pub fn transcript(&self) -> String {
        format!("{}{}", self.read, self.unread)
    }

    fn hear(&mut self, part: &[u8]) {
        self.raw.extend(part);
        let whole = whole_bytes(&self.raw);
        let bytes: Vec<u8> = self.raw.drain(..whole).collect();
        self.unread += &plain(&String::from_utf8_lossy(&bytes));
    }
}

/// How many of these bytes end in front of a letter or sequence that goes on later.
fn whole_bytes(raw: &[u8]) -> usize {
    let letters = match std::str::from_utf8(raw) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => raw.len(),
    };
    let raw = &raw[..letters];
    if raw.last() == Some(&b'\r') {
        return raw.len() - 1;
    }
    match raw.iter().rposition(|byte| *byte == 0x1b) {
        Some(at) if !raw[at..].iter().any(u8::is_ascii_alphabetic) => at,
        _ => raw.len(),
    }
}

/// What a person sees: without the sequences that move a cursor or color letters. A line that is written anew is a line.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(each) = chars.next() {
        match each {
            '\u{1b}' => while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {},
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            _ => out.push(each),
        }
    }
    out
}

#[test]
fn what_comes_in_pieces_is_read_as_a_whole() {
    let bytes = "10 %\r\u{1b}[2K20 %\r\n插入\u{1b}[1m!\u{1b}[0m\r\n".as_bytes();
    let mut text = String::new();
    let mut raw = Vec::new();
    for byte in bytes {
        raw.push(*byte);
        let whole = whole_bytes(&raw);
        let part: Vec<u8> = raw.drain(..whole).collect();
        text += &plain(std::str::from_utf8(&part).unwrap());
    }
    assert_eq!(text, "10 %\n20 %\n插入!\n");
}
