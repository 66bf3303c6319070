//! What the person types while discs are waited for.

use std::io::BufRead;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Enter alone: look again.
    Again,
    /// The volume that is asked for is not there.
    Missing,
    /// Stop here.
    Quit,
    /// Yes.
    Yes,
    /// No.
    No,
    /// Something else.
    Unclear,
}

/// The lines of standard input, read by a thread of their own.
pub struct Keyboard {
    lines: Option<Receiver<String>>,
}

impl Keyboard {
    /// Starts to listen.
    pub fn listen() -> Self {
        let (send, lines) = channel();
        let work = move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if send.send(line).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("keyboard".into())
            .spawn(work);
        Self {
            lines: thread.is_ok().then_some(lines),
        }
    }

    /// Whether nothing more will be typed.
    pub fn is_closed(&self) -> bool {
        self.lines.is_none()
    }

    /// Takes what was typed since the last call. Never waits.
    pub fn take(&mut self) -> Option<Answer> {
        match self.lines.as_ref()?.try_recv() {
            Ok(line) => Some(answer(&line)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.lines = None;
                None
            }
        }
    }
}

/// Answers are words of both languages, in any case and width.
fn answer(line: &str) -> Answer {
    let word = line.trim().to_lowercase();
    match word.as_str() {
        "" => Answer::Again,
        "m" | "ｍ" | "missing" | "缺" | "没有" => Answer::Missing,
        "q" | "ｑ" | "quit" | "exit" | "退出" => Answer::Quit,
        "y" | "ｙ" | "yes" | "是" => Answer::Yes,
        "n" | "ｎ" | "no" | "否" | "不" => Answer::No,
        _ => Answer::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_words_of_both_languages() {
        for (line, meant) in [
            ("", Answer::Again),
            ("  ", Answer::Again),
            ("M", Answer::Missing),
            ("没有", Answer::Missing),
            ("q\r", Answer::Quit),
            ("Yes", Answer::Yes),
            ("ｎ", Answer::No),
            ("what?", Answer::Unclear),
        ] {
            assert_eq!(answer(line), meant, "{line}");
        }
    }
}
