//! Holds every page in every language to what a page has.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::messages::catalog::{LANGUAGES, in_language};

/// Examples on each page but the first.
const EXAMPLES: usize = 3;

/// Every command with its names, the first one is the program itself.
fn commands() -> Vec<(Vec<String>, Command)> {
    let mut found = Vec::new();
    let mut rest = vec![(Vec::new(), with_pages())];
    while let Some((path, command)) = rest.pop() {
        let is_new = |below: &&Command| path.is_empty() || below.get_name() != HELP;
        let is_help = command.get_name() == HELP;
        for below in command
            .get_subcommands()
            .filter(|below| !is_help && is_new(below))
        {
            let mut path: Vec<String> = path.clone();
            path.push(below.get_name().to_owned());
            rest.push((path, below.clone()));
        }
        found.push((path, command));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn page_of(path: &[String]) -> String {
    let words = ["carryall".to_owned(), "help".to_owned()];
    let words = words.iter().chain(path).map(OsString::from);
    parse(words).unwrap_err().to_string()
}

fn examples(page: &str) -> Vec<String> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("  "));
    let lines = lines.filter(|line| !line.starts_with('#'));
    let from = |line: &str| {
        let at = line.find("carryall ")?;
        let before = &line[..at];
        let is_command = before.is_empty() || before.ends_with("| ");
        is_command.then(|| line[at..].to_owned())
    };
    lines.filter_map(from).collect()
}

/// Words as a shell splits them: quotes keep spaces, and what comes behind `>` is the shell's.
fn split(line: &str) -> Vec<OsString> {
    let (line, _) = line.split_once(" > ").unwrap_or((line, ""));
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(OsString::from(std::mem::take(&mut word))),
            _ => word.push(c),
        }
    }
    words.push(word.into());
    words
}

#[test]
fn every_page_says_everything_in_every_language() {
    for (tag, _) in LANGUAGES {
        in_language(tag, || {
            for (path, command) in commands() {
                let page = page_of(&path);
                let missing: Vec<&str> = page
                    .split_whitespace()
                    .filter(|word| word.starts_with("help-"))
                    .collect();
                assert!(missing.is_empty(), "{tag} {path:?}: {missing:?}");
                for arg in command.get_arguments() {
                    let name = spelled_long(arg);
                    let is_elsewhere = name == "--version"
                        || name == "--store"
                            && path.first().is_some_and(|name| {
                                WITHOUT_STORE.contains(&&name[..]) || name == HELP
                            });
                    assert!(
                        is_elsewhere || page.contains(&name),
                        "{tag} {path:?}: {name}"
                    );
                }
            }
        });
    }
}

fn spelled_long(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("--{long}"),
        None => arg.to_string(),
    }
}

#[test]
fn every_command_is_in_one_group_and_on_the_first_page() {
    let command = named();
    let mut names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    names.retain(|name| *name != HELP);
    let mut grouped: Vec<&str> = GROUPS
        .iter()
        .flat_map(|(_, names)| *names)
        .copied()
        .collect();
    names.sort_unstable();
    grouped.sort_unstable();
    assert_eq!(names, grouped);
    for name in WITHOUT_STORE {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn chinese_pages_have_no_english_sentence() {
    in_language("zh-CN", || {
        for (path, _) in commands() {
            let page = page_of(&path);
            for line in page.lines() {
                // Commands, options and examples are the same in every language.
                if examples(line).is_empty() {
                    let words = english_in_a_row(line);
                    assert!(words.len() < 3, "{path:?}: {words:?} in {line}");
                }
            }
            for word in [
                "Usage", "Options", "Commands", "OPTIONS", "COMMAND", "default:",
            ] {
                assert!(!page.contains(word), "{path:?}: {word}");
            }
        }
    });
}

/// The longest row of words in small letters alone, names of commands and programs apart.
fn english_in_a_row(line: &str) -> Vec<&str> {
    let names: Vec<String> = commands_of_all();
    let (mut longest, mut row) = (Vec::new(), Vec::new());
    for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.' && c != '/')
    {
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
        if is_word && !names.iter().any(|name| name == word) {
            row.push(word);
        } else if !word.is_empty() {
            row.clear();
        }
        if row.len() > longest.len() {
            longest.clone_from(&row);
        }
    }
    longest
}

fn commands_of_all() -> Vec<String> {
    let command = named();
    let names = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned());
    let programs = [
        "docker",
        "podman",
        "nerdctl",
        "skopeo",
        "buildah",
        "containerd",
        "ctr",
        "bash",
        "zsh",
        "fish",
    ];
    let values = ["cd", "dvd", "bd", "usb", "import", "images"];
    let others = programs
        .iter()
        .chain(&values)
        .map(|name| (*name).to_owned());
    names.chain(others).collect()
}

#[test]
fn every_example_is_one_that_the_program_takes() {
    let of = |tag: &str| -> Vec<(Vec<String>, Vec<String>)> {
        in_language(tag, || {
            let with_examples = |(path, _): (Vec<String>, Command)| {
                let found = examples(&page_of(&path));
                (path, found)
            };
            commands().into_iter().map(with_examples).collect()
        })
    };
    let english = of("en");
    assert!(english.len() > 25);
    for (path, examples) in &english {
        assert!(examples.len() >= EXAMPLES, "{path:?}: {examples:?}");
        for example in examples {
            let parsed = parse(split(example));
            let is_taken = match &parsed {
                Ok(_) => true,
                Err(error) => path == &[HELP] && error.kind() == ErrorKind::DisplayHelp,
            };
            assert!(is_taken, "{example}: {parsed:?}");
        }
        let names = path.join(" ");
        let is_about = |example: &String| example.contains(&names);
        assert!(examples.iter().any(is_about), "{path:?}: {examples:?}");
    }
    for (tag, _) in &LANGUAGES[1..] {
        assert_eq!(of(tag), english, "{tag}");
    }
}

#[test]
fn a_narrow_terminal_breaks_no_name() {
    let page = in_language("zh-CN", || page_of(&["add".to_owned()]));
    let widest = page.lines().map(wrap::columns).max().unwrap();
    assert!(widest <= 100, "{widest}");
}
