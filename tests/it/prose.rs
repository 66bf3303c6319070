//! The documents are plain technical prose: short sentences, no semicolons, American spelling, links and paths that exist.
//!
//! Headings, tables and code blocks are not prose. What is in backticks counts as one word.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that a sentence may have, in nine of ten sentences of a document.
const SENTENCE_WORDS: usize = 33;

/// British spellings, and a few private words that the glossary has replaced.
const FOREIGN: [&str; 20] = [
    "behaviour",
    "catalogue",
    "centre",
    "colour",
    "favour",
    "honour",
    "labelled",
    "licence",
    "neighbour",
    "organis",
    "recognis",
    "analyse",
    "summaris",
    "travell",
    "judgement",
    "leans on",
    "lie one in the other",
    "verbs",
    "foresee",
    "takeover",
];

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every document: those in the root and all below `docs`.
fn documents() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    markdown_in(&repository(), false, &mut paths);
    markdown_in(&repository().join("docs"), true, &mut paths);
    assert!(paths.len() > 20, "the walk found too few documents");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(repository()).unwrap().display();
        (name.to_string(), fs::read_to_string(&path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn markdown_in(folder: &Path, deep: bool, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if deep && path.is_dir() {
            markdown_in(&path, deep, out);
        } else if path.extension().is_some_and(|end| end == "md") {
            out.push(path);
        }
    }
}

/// The text of a list item, without its mark.
fn list_item(line: &str) -> Option<&str> {
    let text = line.trim_start();
    if let Some(rest) = text.strip_prefix("- ") {
        return Some(rest);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.get(digits..)?.strip_prefix(". ")?;
    (digits > 0).then(|| rest.strip_prefix("[ ] ").unwrap_or(rest))
}

/// Paragraphs and list items, each on one line, without code blocks, tables, headings and pictures.
fn paragraphs(text: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = String::new();
    let mut fenced = false;
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        let item = list_item(line);
        let indented = line.starts_with("    ") && (open.is_empty() || line.starts_with("       "));
        let aside = ["|", "#", "!["].iter().any(|mark| line.starts_with(mark));
        let prose = !fence && !fenced && !line.trim().is_empty() && !aside;
        let code = indented && item.is_none();
        if !open.is_empty() && (!prose || code || item.is_some()) {
            done.push(std::mem::take(&mut open));
        }
        if prose && !code {
            open.push_str(item.unwrap_or(line.trim()));
            open.push(' ');
        }
    }
    done.extend((!open.is_empty()).then_some(open));
    done.iter().map(|paragraph| plain(paragraph)).collect()
}

/// A paragraph without the words of code and the targets of links.
fn plain(paragraph: &str) -> String {
    let mut out = String::new();
    for (number, part) in paragraph.split('`').enumerate() {
        out.push_str(if number % 2 == 0 { part } else { "CODE" });
    }
    while let Some(at) = out.find("](") {
        let end = out[at..].find(')').map_or(out.len(), |len| at + len + 1);
        out.replace_range(at..end, "");
    }
    out.replace(['[', '*'], "")
}

/// A sentence ends where a word ends in a sign and the next does not begin with a small letter.
fn sentences(paragraph: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        let goes_on = word.starts_with(|first: char| first.is_ascii_lowercase());
        match all.last_mut() {
            Some(last) if goes_on || !last.ends_with(['.', ':', '!', '?']) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => all.push(word.to_owned()),
        }
    }
    all
}

fn faults_of(name: &str, text: &str) -> Vec<String> {
    let paragraphs = paragraphs(text);
    let all: Vec<String> = paragraphs.iter().flat_map(|p| sentences(p)).collect();
    let long = |sentence: &&String| sentence.split_whitespace().count() > SENTENCE_WORDS;
    let long: Vec<&String> = all.iter().filter(long).collect();
    let mut faults = Vec::new();
    if long.len() * 10 > all.len() {
        faults.push(format!(
            "{name}: {} of {} sentences are long, such as: {}",
            long.len(),
            all.len(),
            long[0]
        ));
    }
    for sentence in all.iter().filter(|sentence| sentence.contains(';')) {
        faults.push(format!("{name}: a semicolon in: {sentence}"));
    }
    let lower = paragraphs.join(" ").to_lowercase();
    for word in FOREIGN.iter().filter(|word| lower.contains(*word)) {
        faults.push(format!("{name}: {word}"));
    }
    if name.contains(".zh.") {
        faults.extend(narrow_signs(&paragraphs).map(|place| format!("{name}: {place}")));
    }
    faults
}

/// Half-width signs behind a Chinese character, where a native writes full-width ones.
fn narrow_signs(paragraphs: &[String]) -> impl Iterator<Item = String> {
    let mut places = Vec::new();
    for paragraph in paragraphs {
        let signs: Vec<char> = paragraph.chars().collect();
        for at in 1..signs.len() {
            let behind = ('\u{4e00}'..='\u{9fff}').contains(&signs[at - 1]);
            if behind && [',', ';', ':', '!', '?', '(', ')'].contains(&signs[at]) {
                let begin = at.saturating_sub(12);
                places.push(signs[begin..=at].iter().collect());
            }
        }
    }
    places.into_iter()
}

#[test]
fn documents_are_plain_prose() {
    let faults: Vec<String> = documents()
        .iter()
        .flat_map(|(name, text)| faults_of(name, text))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Targets of links in a document, without those to the web and the part behind `#`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let ends = text
        .match_indices("](")
        .map(|(at, _)| text[at + 2..].split(')').next().unwrap());
    ends.map(|link| link.split('#').next().unwrap())
        .filter(|link| !link.is_empty() && !link.contains("://"))
}

/// Files of the source that a document names in backticks.
fn sources(text: &str) -> impl Iterator<Item = &str> {
    let roots = ["src/", "tests/", "docs/", "benches/", ".ci/"];
    let parts = text.split('`').skip(1).step_by(2);
    parts.filter(move |part| {
        let path = roots.iter().any(|root| part.starts_with(root));
        path && !part.contains([' ', '*', '<']) && !part.contains("vN")
    })
}

#[test]
fn links_and_paths_in_documents_exist() {
    let mut faults = Vec::new();
    for (name, text) in documents() {
        let folder = repository().join(&name).parent().unwrap().to_owned();
        for link in links(&text).filter(|link| !folder.join(link).exists()) {
            faults.push(format!("{name} links to {link}"));
        }
        for path in sources(&text).filter(|path| !repository().join(path).exists()) {
            faults.push(format!("{name} names {path}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn faults_are_found() {
    let long = "word ".repeat(SENTENCE_WORDS + 1);
    let found = |name, text: &str| faults_of(name, text).len();
    assert_eq!(found("a.md", &format!("{long}end.\n")), 1);
    assert_eq!(found("a.md", "One; two.\n"), 1);
    assert_eq!(found("a.md", "The colour of `catalogue;`.\n"), 1);
    assert_eq!(found("a.zh.md", "卷,卷集（一套）。\n"), 1);
    let fine = "# A; b\n\nShort. So is this: `a; b`.\n\n    a; b\n\n| a; b |\n\n```\na; b\n```\n";
    assert_eq!(faults_of("a.md", fine), Vec::<String>::new());
    assert_eq!(
        sentences("One. Two: Three v. four."),
        ["One.", "Two:", "Three v. four."]
    );
    let text = "[a](b.md#c) [d](#e) `src/nowhere.rs` `cargo test`";
    assert_eq!(links(text).collect::<Vec<_>>(), ["b.md"]);
    assert_eq!(sources(text).collect::<Vec<_>>(), ["src/nowhere.rs"]);
}
