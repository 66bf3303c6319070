//! Parses the command line, and shows help pages in the person's language.
//!
//! The parser knows names and rules. What is said about them comes from the catalog of messages: `help-add` is the line about
//! `add`, `help-add-arg-name` that about its option `--name`.

pub mod manual;
mod page;
#[cfg(test)]
mod tests;
mod wrap;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory, Error, FromArgMatches};

use crate::cli::args::Cli;
use crate::cli::messages::catalog::find;

/// Commands by whom they are for, in the order of the first page.
const GROUPS: [(&str, &[&str]); 4] = [
    ("help-group-vendor", &["add", "diff", "pack", "site", "key"]),
    (
        "help-group-media",
        &["inspect", "verify", "repair", "burn", "labels"],
    ),
    (
        "help-group-site",
        &[
            "trust", "visit", "receive", "status", "forget", "receipt", "checkout", "install",
            "rollback", "load", "push", "serve",
        ],
    ),
    (
        "help-group-both",
        &[
            "list",
            "show",
            "copy",
            "rm",
            "keep",
            "prune",
            "history",
            "check",
            "doctor",
            "demo",
            "completions",
            "man",
        ],
    ),
];

/// Commands that use no store: their pages have no `--store`.
const WITHOUT_STORE: [&str; 10] = [
    "key",
    "inspect",
    "verify",
    "repair",
    "burn",
    "labels",
    "rollback",
    "demo",
    "completions",
    "man",
];

/// The command that the parser has by itself.
const HELP: &str = "help";

/// Parses the words of a command line, the program's name first.
///
/// # Errors
/// What the parser says, with pages in the person's language where help was asked for.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, Error> {
    let words: Vec<OsString> = words.into_iter().collect();
    let parse = |mut command: Command| {
        let matches = command.try_get_matches_from_mut(&words)?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    };
    let is_help = |error: &Error| {
        matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        )
    };
    match parse(named()) {
        // Pages are made for those alone who read them.
        Err(error) if is_help(&error) => parse(with_pages()),
        other => other,
    }
}

/// The parser, with the names of values in the person's language: its errors repeat them.
fn named() -> Command {
    let mut command = named_below(Cli::command());
    command.build();
    command
}

fn named_below(command: Command) -> Command {
    let command = command.subcommand_value_name(text("help-command-tag"));
    let command = command.mut_args(with_value_name);
    command.mut_subcommands(named_below)
}

fn with_value_name(arg: Arg) -> Arg {
    let name = arg.get_value_names().and_then(|names| names.first());
    match name.map(|name| text(&value_id(name))) {
        Some(name) if arg.get_action().takes_values() => arg.value_name(name),
        _ => arg,
    }
}

/// The id of the words for a value: `help-name-file-pem` for `FILE.pem`.
fn value_id(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("help-name-{}", words.join("-"))
}

/// The parser with a page for each command.
fn with_pages() -> Command {
    let command = named();
    let globals: Vec<Arg> = command.get_arguments().cloned().collect();
    with_page(command, &[], &globals)
}

/// The parser with what is said of commands and options in the person's language, for shells that show it.
pub fn described() -> Command {
    described_below(named(), "help", text("help-about"))
}

fn described_below(command: Command, id: &str, about: String) -> Command {
    let command = command.about(about).mut_args(|arg| {
        let name = arg.get_id().as_str().replace('_', "-");
        let own = find(&format!("{id}-arg-{name}"), &[]);
        let help = own.unwrap_or_else(|| text(&format!("help-arg-{name}")));
        arg.help(help)
    });
    command.mut_subcommands(|below| {
        // The parser's own has every command below it.
        let name = below.get_name().to_owned();
        if name == HELP || id.starts_with("help-help") {
            return below;
        }
        let id = format!("{id}-{name}");
        let about = text(&id);
        described_below(below, &id, about)
    })
}

fn with_page(mut command: Command, path: &[String], globals: &[Arg]) -> Command {
    let page = page::page(&mut command, path, globals);
    command.override_help(page).mut_subcommands(|below| {
        let name = below.get_name().to_owned();
        // The parser's own is the same below every command, and has every command below it.
        if name == HELP {
            let mut help = below;
            let page = page::page(&mut help, &[name], globals);
            return help.override_help(page);
        }
        with_page(below, &[path, &[name]].concat(), globals)
    })
}

/// A message that is put together here, without arguments.
fn text(id: &str) -> String {
    find(id, &[]).unwrap_or_else(|| id.to_owned())
}
