//! What a command says, without what differs from run to run.

/// Replaces the test's folder, ids, dates, versions, free space and receipts by names in brackets.
pub fn redacted(text: &str, root: &str) -> String {
    let version = concat!("carryall ", env!("CARGO_PKG_VERSION"));
    let text = text.replace(root, "[STAGE]");
    let text = text.replace(version, "carryall [VERSION]");
    let lines = text.lines().map(|line| {
        let is_receipt = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
        if !line.is_empty() && line.chars().all(is_receipt) {
            return "[RECEIPT]\n".to_owned();
        }
        free_space(&ids(line)) + "\n"
    });
    lines.collect()
}

/// Replaces runs of eight and more hexadecimal digits, and dates.
fn ids(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if word.len() >= 8 && word.chars().all(is_hex) {
            out.push_str("[ID]");
        } else if let Some(date) = rest.get(..10).filter(|date| is_date(date)) {
            out.push_str("[DATE]");
            rest = &rest[date.len()..];
            continue;
        } else {
            out.push_str(word);
        }
        let other = after.find(|c: char| c.is_ascii_alphanumeric());
        let (other, after) = after.split_at(other.unwrap_or(after.len()));
        out.push_str(other);
        rest = after;
    }
    out
}

fn is_date(text: &str) -> bool {
    text.chars().enumerate().all(|(at, c)| match at {
        4 | 7 => c == '-',
        _ => c.is_ascii_digit(),
    })
}

/// Replaces the number of `43.3 GB free` and of `可用 43.3 GB`.
fn free_space(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for at in 0..words.len() {
        if words[at].starts_with("free") && at >= 2 && words[at - 1].ends_with('B') {
            words[at - 2] = "[FREE]".to_owned();
            words[at - 1] = "[UNIT]".to_owned();
        } else if words[at].ends_with("可用") && at + 2 < words.len() {
            let unit = words[at + 2].trim_start_matches(|c: char| c.is_ascii_alphabetic());
            words[at + 2] = format!("[UNIT]{unit}");
            words[at + 1] = "[FREE]".to_owned();
        }
    }
    words.join(" ")
}

#[test]
fn only_what_differs_is_replaced() {
    let said = "date: 2026-11-28, 43.3 GB free\nset ba6a44fc of shop-1.0-ba6a44fc-vol01of03\n可用 43.2 GB，正在接收\nGG2D\n12345";
    let want = "date: [DATE], [FREE] [UNIT] free\nset [ID] of shop-1.0-[ID]-vol01of03\n可用 [FREE] [UNIT]，正在接收\n[RECEIPT]\n[RECEIPT]\n";
    assert_eq!(redacted(said, "/nowhere"), want);
    let said = "  added  setup.bin  3.00 MB\n$ carryall list\n[0]\n";
    assert_eq!(redacted(said, "/nowhere"), said);
}
