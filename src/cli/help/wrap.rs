//! Breaks lines where a language allows it, by the columns that letters take on a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// No line begins with these.
const CLOSING: &str = "，。；：、！？）】》”’,.;:!?)]";
/// No line ends with these.
const OPENING: &str = "（【《“‘([";

/// The columns of a text.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text in lines of at most so many columns. Chinese breaks between any two letters, other scripts at spaces.
pub fn wrapped(text: &str, columns_max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for piece in pieces(paragraph) {
            let is_full = columns(&line) + columns(piece.trim_end()) > columns_max;
            if is_full && !line.trim().is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            line += piece;
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What stays together, with the spaces behind it.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    for pair in chars.windows(2) {
        let ((_, before), (at, after)) = (pair[0], pair[1]);
        let is_wide = |c: char| c.width().unwrap_or(0) > 1;
        let ends = if after == ' ' {
            false
        } else if before == ' ' {
            true
        } else {
            (is_wide(before) || is_wide(after))
                && !CLOSING.contains(after)
                && !OPENING.contains(before)
        };
        if ends {
            pieces.push(&text[from..at]);
            from = at;
        }
    }
    if from < text.len() {
        pieces.push(&text[from..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_between_chinese_letters() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("much-too-long a", 4), ["much-too-long", "a"]);
        assert_eq!(wrapped("a\n  b c", 4), ["a", "  b", "c"]);
        // A mark stays with what is before it, and a word in letters stays whole.
        assert_eq!(wrapped("读入光盘，再还原", 8), ["读入光", "盘，再还", "原"]);
        assert_eq!(wrapped("写成 docker 归档", 9), ["写成", "docker 归", "档"]);
        assert_eq!(wrapped("", 9), Vec::<String>::new());
    }
}
