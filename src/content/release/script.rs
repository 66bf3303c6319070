//! The characters that names may have, in any script, and the ASCII form of names for file names.
//!
//! A name is the same however it was typed: it is composed (NFC), and full-width forms become plain ones. Some
//! characters are never part of a name: invisible ones, ones that change the direction of text, and ones that programs
//! read as an option or a path.

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Returns the text in the form of names: NFC, with plain forms for the full-width forms that East Asian keyboards
/// give.
pub(crate) fn composed(text: &str) -> String {
    text.chars().map(narrow).nfc().collect()
}

/// Returns whether the text is as [`composed`] gives it, so that names that look the same are the same.
pub(crate) fn is_composed(text: &str) -> bool {
    is_nfc(text) && !text.chars().any(|c| narrow(c) != c)
}

/// Returns `！` to `～` as `!` to `~`, and the ideographic space as the plain one.
pub(crate) fn narrow(c: char) -> char {
    match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        0x3000 => ' ',
        _ => c,
    }
}

/// Returns whether a name, or a part of one, may begin with this: a letter or digit of any script.
pub fn begins(c: char) -> bool {
    c.is_alphanumeric() && !is_combining_mark(c) && !is_unseen(c)
}

/// Returns whether a name may have this behind its first character: letters and digits of any script, their marks, and
/// `extra`.
pub fn belongs(c: char, extra: &str) -> bool {
    let is_letter = c.is_alphanumeric() || is_combining_mark(c);
    (is_letter && !is_unseen(c)) || extra.contains(c)
}

/// Returns whether a letter or mark is invisible: fillers, joiners and selectors.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Returns the ASCII form. A character beyond ASCII is `%u` and four hex digits of its number, or `%U` and six.
/// Different names have different forms, provided that no name contains `%`.
pub(crate) fn to_ascii(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match u32::from(c) {
            0..=0x7f => out.push(c),
            number @ 0x80..=0xffff => out.push_str(&format!("%u{number:04x}")),
            number => out.push_str(&format!("%U{number:06x}")),
        }
    }
    out
}

/// Returns the name of an ASCII form. An invalid form keeps its `%`, which no name has.
pub(crate) fn from_ascii(form: &str) -> String {
    let mut out = String::with_capacity(form.len());
    let mut rest = form;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let digits = match rest.as_bytes().get(1) {
            Some(b'u') => 4,
            Some(b'U') => 6,
            _ => 0,
        };
        let number = rest.get(2..2 + digits).filter(|hex| !hex.is_empty());
        let number = number.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let (c, used) = match number.and_then(char::from_u32) {
            Some(c) => (c, 2 + digits),
            None => ('%', 1),
        };
        out.push(c);
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_seen_or_turns_text_is_in_no_name() {
        for bad in [
            '\u{200b}',
            '\u{200d}',
            '\u{200f}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{ad}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{e0041}',
            '\u{0}',
            '\u{1b}',
            '\u{85}',
            '\u{2028}',
            '\u{3000}',
            ' ',
            '/',
            '\\',
            ':',
            '%',
            '。',
            '，',
            '—',
            '☃',
        ] {
            assert!(!belongs(bad, "._-"), "{bad:?}");
            assert!(!begins(bad), "{bad:?}");
        }
        for good in "aZ9商é한あЖעبก".chars() {
            assert!(belongs(good, "") && begins(good), "{good:?}");
        }
        // A sign of Devanagari that is part of letters.
        assert!(belongs('\u{94d}', "") && !begins('\u{94d}'));
    }

    proptest! {
        #[test]
        fn the_ascii_form_is_one_and_comes_back(name in "[^%]{0,40}", other in "[^%]{0,40}") {
            prop_assert!(to_ascii(&name).is_ascii());
            prop_assert_eq!(from_ascii(&to_ascii(&name)), name.clone());
            prop_assert_eq!(to_ascii(&name) == to_ascii(&other), name == other);
        }

        #[test]
        fn composing_is_done_once(text in any::<String>(), form in "\\PC{0,60}") {
            for text in [composed(&text), composed(&form)] {
                prop_assert_eq!(composed(&text), text);
            }
            let _ = (from_ascii(&text), from_ascii(&form));
        }
    }
}
