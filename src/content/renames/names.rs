//! Tells short names from everything else. The rules are frozen (docs/format.md).

/// Most letters of a name.
const NAME_MAX: usize = 3;
/// Names are looked for in lines of at least so many bytes, the end of the line included. Nobody writes such lines.
const LINE_BYTES_MIN: usize = 256;
/// Short words that are no names.
const KEYWORDS: [&[u8]; 14] = [
    b"NaN", b"as", b"do", b"for", b"get", b"if", b"in", b"is", b"let", b"new", b"of", b"set",
    b"try", b"var",
];

/// One to three letters: A to Z, a to z, digits, `_` and `$`. The first is no digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name {
    letters: [u8; NAME_MAX],
    count: u8,
}

impl Name {
    /// Returns the name that these bytes are.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let first = bytes.first()?;
        if first.is_ascii_digit() || !bytes.iter().all(|byte| is_letter(*byte)) {
            return None;
        }
        let mut letters = [0; NAME_MAX];
        letters.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let count = u8::try_from(bytes.len()).ok()?;
        Some(Self { letters, count })
    }

    pub(super) fn letters(&self) -> &[u8] {
        &self.letters[..usize::from(self.count)]
    }
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPart<'a> {
    Name(Name),
    Other(&'a [u8]),
}

/// Calls `each` for every part of `bytes`, in order, until it returns false.
pub(super) fn each_part<'a>(bytes: &'a [u8], mut each: impl FnMut(TextPart<'a>) -> bool) {
    let mut line = 0;
    while line < bytes.len() {
        let newline = bytes[line..].iter().position(|byte| *byte == b'\n');
        let end = newline.map_or(bytes.len(), |ahead| line + ahead + 1);
        let goes_on = if end - line < LINE_BYTES_MIN {
            each(TextPart::Other(&bytes[line..end]))
        } else {
            of_line(bytes, line, end, &mut each)
        };
        if !goes_on {
            return;
        }
        line = end;
    }
}

/// Calls `each` for every part of a long line. Returns whether to go on.
fn of_line<'a>(
    bytes: &'a [u8],
    line: usize,
    end: usize,
    each: &mut impl FnMut(TextPart<'a>) -> bool,
) -> bool {
    // Everything before this place was given to `each`.
    let mut done = line;
    let mut at = line;
    while at < end {
        let word = bytes[at..end].iter().take_while(|byte| is_in_word(**byte));
        let word_end = at + word.count();
        if word_end == at {
            at += 1;
            continue;
        }
        if let Some(name) = name_at(bytes, at, word_end) {
            let is_apart = done == at || each(TextPart::Other(&bytes[done..at]));
            if !is_apart || !each(TextPart::Name(name)) {
                return false;
            }
            done = word_end;
        }
        at = word_end;
    }
    done == end || each(TextPart::Other(&bytes[done..end]))
}

/// Returns the name that the word from `at` to `end` is.
fn name_at(bytes: &[u8], at: usize, end: usize) -> Option<Name> {
    let word = &bytes[at..end];
    if word.len() > NAME_MAX || KEYWORDS.contains(&word) {
        return None;
    }
    let before = &bytes[..at];
    let (last, next) = (before.last(), bytes.get(end));
    let is_other = match last {
        // What belongs to something keeps its name, but for `...name`.
        Some(b'.') => !before.ends_with(b"..."),
        Some(b'"' | b'\'') => last == next,
        Some(b'{' | b',') => next == Some(&b':'),
        _ => false,
    };
    if is_other { None } else { Name::of(word) }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

/// Letters of other scripts belong to words as well.
fn is_in_word(byte: u8) -> bool {
    is_letter(byte) || byte >= 0x80
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let long = text.to_owned() + &" ".repeat(LINE_BYTES_MIN);
        let (mut found, mut all) = (Vec::new(), Vec::new());
        each_part(long.as_bytes(), |part| {
            match part {
                TextPart::Name(name) => {
                    found.push(String::from_utf8(name.letters().to_vec()).unwrap());
                    all.extend_from_slice(name.letters());
                }
                TextPart::Other(bytes) => all.extend_from_slice(bytes),
            }
            true
        });
        assert_eq!(all, long.as_bytes());
        found
    }

    #[test]
    fn short_words_are_names_where_a_minifier_gives_them() {
        assert_eq!(
            names("function(e,t){return n$+_a(e)}"),
            ["e", "t", "n$", "_a", "e"]
        );
        assert_eq!(
            names("for(let e of t)if(e in r)new ab(NaN)"),
            ["e", "t", "e", "r", "ab"]
        );
        assert_eq!(names("e.map(t.id,...n)"), ["e", "t", "n"]);
        assert_eq!(names("{a:b,c:d?e:f}"), ["b", "d", "e", "f"]);
        assert_eq!(names("\"a\"+'b'+\"c d\"+\"\u{e9}e\""), ["c", "d"]);
        assert_eq!(names("1e3 abcd 0x1 a1"), ["a1"]);
    }

    #[test]
    fn lines_that_somebody_wrote_have_no_names() {
        let mut count = 0;
        let text =
            "a = b\n".repeat(100) + &"c=d;".repeat(63) + "ef;\n" + &"c=d;".repeat(62) + "efg;\n";
        each_part(text.as_bytes(), |part| {
            count += usize::from(matches!(part, TextPart::Name(_)));
            true
        });
        // 63 times four and four bytes are just enough.
        assert_eq!(count, 127);
    }
}
