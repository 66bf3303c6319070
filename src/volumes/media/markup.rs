//! Makes foreign text safe for a page: escaped, without control characters, bounded.
//!
//! It knows no page. All pages use it.

/// Returns at most `max_chars` characters of `text`, escaped for HTML text and attributes.
pub fn html_text(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    for c in plain_text(text, max_chars).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Returns at most `max_chars` characters of `text` on one line. Control characters become spaces. So do characters
/// that change the direction of writing, which can make one name read as another.
pub fn plain_text(text: &str, max_chars: usize) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean = |c: char| if c.is_control() || turns(c) { ' ' } else { c };
    let mut out: String = text.chars().take(max_chars).map(clean).collect();
    if text.chars().nth(max_chars).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(
            html_text("<a href='x'>&\"", 99),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;"
        );
        assert_eq!(html_text("a\nb\u{202e}c", 99), "a b c");
        assert_eq!(plain_text("商店商店", 2), "商店…");
    }
}
