//! Holds the languages to each other, and the sources to the languages.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{self, Entry, Expression, InlineExpression, PatternElement};

use super::{LANGUAGES, in_language, language_of};
use crate::cli::messages::errors::COMMANDS;
use crate::cli::messages::message;

/// Ids that begin so are put together while the program runs; a test beside that code holds them to be there and used.
const PUT_TOGETHER: [&str; 4] = ["help-", "man-heading-", "task-", "term-"];

/// What is typed with these marks in every language, the names of its parts apart.
const FORMS: [&str; 13] = [
    "://",
    "[:端口]",
    "名称:版本",
    "主机[:端口]",
    "地址:端口",
    "仓库:标签",
    "[:标签]",
    "名称:标签",
    "GF(2^16)",
    "GF(2^8)",
    "* 和 ?",
    "sha256:",
    "stdio:文件",
];

/// What a message says: its texts with a mark for each argument, and the names of its arguments.
#[derive(Default)]
struct Said {
    text: String,
    args: BTreeSet<String>,
}

/// Stands for an argument in a text.
const MARK: char = '\u{fffc}';

type Messages = BTreeMap<String, Said>;

fn messages(source: &str) -> Messages {
    let resource = fluent_syntax::parser::parse(source).unwrap_or_else(|(_, errors)| {
        let lines = errors.iter().map(|error| {
            let line = source[..error.pos.start].lines().count();
            format!("line {line}: {}", error.kind)
        });
        panic!("{}", lines.collect::<Vec<_>>().join("\n"))
    });
    let mut found = Messages::new();
    let mut add = |id: String, pattern: &ast::Pattern<&str>| {
        let mut said = Said::default();
        hear(pattern, &mut said);
        assert!(found.insert(id.clone(), said).is_none(), "{id} twice");
    };
    for entry in &resource.body {
        match entry {
            Entry::Message(message) => {
                if let Some(pattern) = &message.value {
                    add(message.id.name.to_owned(), pattern);
                }
                for attribute in &message.attributes {
                    let id = format!("{}.{}", message.id.name, attribute.id.name);
                    add(id, &attribute.value);
                }
            }
            Entry::Junk { content } => panic!("not a message: {content}"),
            _ => {}
        }
    }
    found
}

fn hear(pattern: &ast::Pattern<&str>, said: &mut Said) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => said.text.push_str(value),
            PatternElement::Placeable { expression } => match expression {
                Expression::Inline(inline) => hear_inline(inline, said),
                Expression::Select { selector, variants } => {
                    let before = said.text.len();
                    hear_inline(selector, said);
                    said.text.truncate(before);
                    for variant in variants {
                        hear(&variant.value, said);
                    }
                }
            },
        }
    }
}

fn hear_inline(inline: &InlineExpression<&str>, said: &mut Said) {
    match inline {
        InlineExpression::VariableReference { id } => {
            said.args.insert(id.name.to_owned());
            said.text.push(MARK);
        }
        InlineExpression::StringLiteral { value } => said.text.push_str(value),
        InlineExpression::Placeable { expression } => {
            if let Expression::Inline(inline) = expression.as_ref() {
                hear_inline(inline, said);
            }
        }
        _ => said.text.push(MARK),
    }
}

fn all() -> Vec<(&'static str, Messages)> {
    LANGUAGES
        .iter()
        .map(|(tag, source)| (*tag, messages(source)))
        .collect()
}

#[test]
fn every_language_has_every_message_with_the_same_arguments() {
    let all = all();
    let (_, english) = &all[0];
    let mut wrong = Vec::new();
    for (tag, other) in &all[1..] {
        for id in english.keys().filter(|id| !other.contains_key(*id)) {
            wrong.push(format!("{tag} lacks {id}"));
        }
        for (id, said) in other {
            match english.get(id) {
                None => wrong.push(format!("only {tag} has {id}")),
                Some(one) if one.args != said.args => {
                    wrong.push(format!("{id}: en {:?}, {tag} {:?}", one.args, said.args));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn chinese_has_chinese_punctuation() {
    let is_chinese = |c: char| matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}');
    let mut wrong = Vec::new();
    for (id, said) in &all()[1].1 {
        let text = FORMS
            .iter()
            .fold(said.text.clone(), |text, form| text.replace(form, "x"));
        let chars: Vec<char> = text.chars().collect();
        for (at, c) in chars.iter().enumerate() {
            if !",:;()!?".contains(*c) {
                continue;
            }
            let before = chars[..at].iter().rev().find(|c| **c != ' ');
            let after = chars[at + 1..].iter().find(|c| **c != ' ');
            let is_beside =
                before.is_some_and(|c| is_chinese(*c)) || after.is_some_and(|c| is_chinese(*c));
            let is_pause = ",:;".contains(*c) && chars.get(at + 1) == Some(&' ');
            if is_beside || is_pause {
                wrong.push(format!("{id}: {c} in {}", said.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A use of a message in the sources.
#[derive(Debug)]
struct Use {
    file: PathBuf,
    id: String,
    args: BTreeSet<String>,
}

/// The uses of a macro below a folder of the sources.
fn uses(of: &str, below: &str) -> Vec<Use> {
    let mut files = Vec::new();
    list(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(below),
        &mut files,
    );
    let mut uses = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for (at, _) in source.match_indices(of) {
            let line = source[..at].rsplit('\n').next().unwrap_or_default();
            if line.trim_start().starts_with("//") {
                continue;
            }
            let inner = inner(&source[at + of.len()..]);
            let parts = split(inner);
            // The macro itself has no id there.
            let Some(id) = parts[0]
                .strip_prefix('"')
                .and_then(|id| id.strip_suffix('"'))
            else {
                continue;
            };
            let args = parts[1..].iter().filter(|part| !part.is_empty());
            let name = |part: &&str| part.split(['=', ' ', '\n']).next().map(str::to_owned);
            uses.push(Use {
                file: file.clone(),
                id: id.to_owned(),
                args: args.filter_map(name).collect(),
            });
        }
    }
    uses
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("catalog/tests.rs")
        {
            files.push(path);
        }
    }
}

/// What stands between this place, behind an open parenthesis, and the one that closes it.
fn inner(source: &str) -> &str {
    let mut depth = 1;
    for (at, c) in code(source) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &source[..at];
        }
    }
    panic!("a parenthesis stays open")
}

/// The arguments of a call, trimmed.
fn split(inner: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in code(inner) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(inner[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(inner[from..].trim());
    parts
}

/// The characters that are not in a string or a character.
fn code(source: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut is_string, mut skip) = (false, 0);
    source.char_indices().filter(move |(at, c)| {
        if skip > 0 {
            skip -= 1;
            return false;
        }
        match c {
            '\\' if is_string => {
                skip = 1;
                return false;
            }
            '"' => {
                is_string = !is_string;
                return false;
            }
            '\'' if !is_string => {
                let mut next = source[at + 1..].chars();
                let (one, two) = (next.next(), next.next());
                if one == Some('\\') {
                    skip = 3;
                } else if two == Some('\'') {
                    skip = 2;
                }
                return false;
            }
            _ => {}
        }
        !is_string
    })
}

fn messages_used() -> Vec<Use> {
    uses("message!(", "src/cli")
}

/// The diagnostics of library and command line, with the ids of their messages: those of errors, else those of findings.
fn diagnostics_made() -> Vec<Use> {
    let (_, english) = &all()[0];
    let mut made = uses("diagnostic!(", "src");
    // Without arguments.
    made.extend(uses("Diagnostic::new(", "src"));
    made.retain(|one| !one.file.ends_with("base/diagnostic.rs"));
    for one in &mut made {
        let code = one.id.replace(['.', '_'], "-");
        let ids = ["error", "finding"].map(|kind| format!("{kind}-{code}"));
        let are_both = ids.iter().all(|id| english.contains_key(id));
        assert!(!are_both, "{code} is an error and a finding");
        let [error, finding] = ids;
        one.id = if english.contains_key(&finding) {
            finding
        } else {
            error
        };
    }
    made
}

#[test]
fn every_message_that_is_used_is_there_and_gets_its_arguments() {
    let (_, english) = &all()[0];
    let mut wrong = Vec::new();
    for one in messages_used() {
        match english.get(&one.id) {
            None => wrong.push(format!("{}: no message {}", one.file.display(), one.id)),
            Some(said) if said.args != one.args => wrong.push(format!(
                "{}: {} takes {:?} and gets {:?}",
                one.file.display(),
                one.id,
                said.args,
                one.args
            )),
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_error_has_words_and_gives_them_their_arguments() {
    let (_, english) = &all()[0];
    let made = diagnostics_made();
    assert!(made.len() > 200);
    let mut wrong = Vec::new();
    for one in &made {
        let attributes = ["", ".hint", ".otherwise"];
        let ids = attributes.map(|attribute| format!("{}{attribute}", one.id));
        if !english.contains_key(&ids[0]) {
            wrong.push(format!("{}: no message {}", one.file.display(), one.id));
        }
        for id in &ids {
            let args = english.get(id).map(|said| &said.args);
            let is_there = |arg: &&String| one.args.contains(*arg) || *arg == COMMANDS;
            let lacking = args.map(|args| args.iter().filter(|arg| !is_there(arg)));
            let lacking = lacking.map(Iterator::collect::<Vec<_>>);
            if let Some(lacking) = lacking.filter(|lacking| !lacking.is_empty()) {
                wrong.push(format!("{}: {id} lacks {lacking:?}", one.file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_message_is_used() {
    let mut used: BTreeSet<String> = messages_used().into_iter().map(|one| one.id).collect();
    for one in diagnostics_made() {
        for attribute in ["", ".hint", ".otherwise"] {
            used.insert(format!("{}{attribute}", one.id));
        }
    }
    let all = all();
    let is_elsewhere = |id: &str| PUT_TOGETHER.iter().any(|begin| id.starts_with(begin));
    let unused: Vec<&String> = all[0]
        .1
        .keys()
        .filter(|id| !used.contains(*id) && !is_elsewhere(id))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn a_message_is_said_in_the_language_of_the_locale() {
    assert_eq!(language_of("zh_CN.UTF-8"), 1);
    assert_eq!(language_of("zh"), 1);
    for locale in ["C", "en_US.UTF-8", "POSIX", "", "z", "zhx"] {
        assert_eq!(language_of(locale), 0, "{locale}");
    }
    assert_eq!(
        in_language("en", || message!("line-hint", hint = "x")),
        "hint: x"
    );
    assert_eq!(
        in_language("zh_TW", || message!("line-hint", hint = "x")),
        "提示：x"
    );
}

#[test]
fn a_name_in_a_message_is_harmless_and_stands_without_marks() {
    let what = Path::new("a\u{1b}[31m\nb\u{202e}");
    let said = in_language("en", || message!("system-numbered", what, number = 7));
    assert_eq!(said, "a?[31m?b? (os error 7)");
}
