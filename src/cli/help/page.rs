//! One help page: what a command is for, how it is called, its arguments and options, and examples.

use clap::builder::styling::Style;
use clap::builder::{StyledStr, Styles};
use clap::{Arg, Command};
use std::fmt::Write as _;

use super::wrap::{columns, wrapped};
use super::{GROUPS, HELP, WITHOUT_STORE, text};
use crate::cli::messages::catalog::find;
use crate::cli::messages::message;
use crate::cli::terminal;

/// Wider than this nobody reads.
const COLUMNS_MAX: usize = 120;
/// Narrower than this nothing fits.
const COLUMNS_MIN: usize = 50;
/// The names of commands and options take at most so many columns beside what is said of them.
const NAME_COLUMNS_MAX: usize = 26;

/// Makes the page of a command; `path` are its names, none for the program's own.
pub fn page(command: &mut Command, path: &[String], globals: &[Arg]) -> StyledStr {
    let page = HelpPage::new(path);
    page.made(command, globals).into()
}

pub(super) struct HelpPage {
    /// `help-site-list`.
    id: String,
    /// Names of commands, the last one is that of the page.
    path: Vec<String>,
    columns: usize,
    heading: Style,
    literal: Style,
}

impl HelpPage {
    /// Its id in the catalog.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The names of the command.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    pub(super) fn new(path: &[String]) -> Self {
        let styles = Styles::styled();
        let id: String = path.iter().map(|name| format!("-{name}")).collect();
        Self {
            id: format!("help{id}"),
            path: path.to_vec(),
            columns: terminal::columns().clamp(COLUMNS_MIN, COLUMNS_MAX),
            heading: *styles.get_header(),
            literal: *styles.get_literal(),
        }
    }

    fn made(&self, command: &mut Command, globals: &[Arg]) -> String {
        let is_top = self.path.is_empty();
        let mut out = match is_top {
            true => self.paragraphs(&text("help-about")),
            false => self.paragraphs(&text(&self.id)),
        };
        if let Some(long) = find(&format!("{}-long", self.id), &[]) {
            out += &format!("\n{}", self.paragraphs(&long));
        }
        let usage = usage(command);
        let (heading, literal) = (self.heading, self.literal);
        // A Chinese colon has its own space.
        let label = text("help-usage");
        let space = if label.ends_with(':') { " " } else { "" };
        let _ = writeln!(
            out,
            "\n{heading}{label}{heading:#}{space}{literal}{usage}{literal:#}"
        );
        let below = below(command);
        if is_top {
            out += &self.groups();
        } else if !below.is_empty() {
            out += &self.commands("help-heading-commands", &below, widest(&below));
        }
        let own = |arg: &&Arg| !globals.iter().any(|global| global.get_id() == arg.get_id());
        let own: Vec<&Arg> = command.get_arguments().filter(own).collect();
        let (positional, options): (Vec<&Arg>, Vec<&Arg>) =
            own.into_iter().partition(|arg| arg.is_positional());
        out += &self.args("help-heading-arguments", &positional);
        out += &self.args("help-heading-options", &options);
        out += &self.args("help-heading-global", &self.globals(globals));
        out += &self.examples();
        if is_top {
            out += &format!("\n{}", self.paragraphs(&text("help-more")));
            out += &format!("\n{}", self.paragraphs(&text("help-after")));
        }
        out
    }

    /// The global options that are of use here: the version is the program's, and some commands use no store.
    pub(super) fn globals<'a>(&self, globals: &'a [Arg]) -> Vec<&'a Arg> {
        let command = self.path.first().map(String::as_str);
        let is_of_use = |arg: &&Arg| match (arg.get_id().as_str(), command) {
            ("version", command) => command.is_none(),
            ("store", Some(command)) => !WITHOUT_STORE.contains(&command),
            _ => true,
        };
        globals.iter().filter(is_of_use).collect()
    }

    fn paragraphs(&self, text: &str) -> String {
        let lines = wrapped(text, self.columns);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn heading(&self, words: &str) -> String {
        let heading = self.heading;
        format!("\n{heading}{words}{heading:#}\n")
    }

    fn groups(&self) -> String {
        let all = GROUPS.iter().flat_map(|(_, names)| *names);
        let width = widest(all);
        let group = |(heading, names): &(&str, &[&str])| self.commands(heading, names, width);
        GROUPS.iter().map(group).collect()
    }

    fn commands(&self, heading: &str, names: &[&str], width: usize) -> String {
        let about = |name: &&str| {
            let about = text(&format!("{}-{name}", self.id));
            ((*name).to_owned(), vec![about])
        };
        let rows: Vec<_> = names.iter().map(about).collect();
        self.heading(&text(heading)) + &self.rows(&rows, width)
    }

    fn args(&self, heading: &str, args: &[&Arg]) -> String {
        if args.is_empty() {
            return String::new();
        }
        let rows: Vec<_> = args
            .iter()
            .map(|arg| (spelled(arg), self.about(arg)))
            .collect();
        let widths = rows.iter().map(|(name, _)| columns(name));
        let fitting = widths.filter(|width| *width <= NAME_COLUMNS_MAX);
        let width = fitting.max().unwrap_or(NAME_COLUMNS_MAX);
        self.heading(&text(heading)) + &self.rows(&rows, width)
    }

    /// What is said of an argument: its help, its default, and its values.
    pub(super) fn about(&self, arg: &Arg) -> Vec<String> {
        let name = arg.get_id().as_str().replace('_', "-");
        let own = find(&format!("{}-arg-{name}", self.id), &[]);
        let mut first = own.unwrap_or_else(|| text(&format!("help-arg-{name}")));
        if !arg.get_action().takes_values() {
            return vec![first];
        }
        let defaults: Vec<_> = arg.get_default_values().iter().collect();
        if let [value] = defaults[..] {
            let value = value.to_string_lossy();
            first = message!("help-default", help = first, value);
        }
        let mut lines = vec![first];
        for value in arg.get_possible_values() {
            let value = value.get_name();
            let about = text(&format!("{}-value-{name}-{value}", self.id));
            lines.push(message!("help-value", value, about));
        }
        lines
    }

    /// Names beside what is said of them, in two columns, the first one so wide.
    fn rows(&self, rows: &[(String, Vec<String>)], width: usize) -> String {
        let (literal, indent) = (self.literal, width + 4);
        let mut out = String::new();
        for (name, lines) in rows {
            let _ = write!(out, "  {literal}{name}{literal:#}");
            let lines = lines.iter();
            let mut lines = lines
                .flat_map(|line| wrapped(line, self.columns.saturating_sub(indent)))
                .collect::<Vec<_>>()
                .into_iter();
            let taken = columns(name);
            if taken <= width {
                let first = lines.next().unwrap_or_default();
                let _ = write!(out, "{:1$}{first}", "", width - taken + 2);
            }
            out.push('\n');
            for line in lines {
                let _ = writeln!(out, "{:indent$}{line}", "");
            }
        }
        out
    }

    fn examples(&self) -> String {
        let Some(examples) = find(&format!("{}-examples", self.id), &[]) else {
            return String::new();
        };
        let lines = examples.lines().map(|line| format!("  {line}\n"));
        self.heading(&text("help-heading-examples")) + &lines.collect::<String>()
    }
}

/// How a command is called.
pub(super) fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let usage = usage.replace("[OPTIONS]", &text("help-options-tag"));
    // That of the parser's own `help`, which is not there before the parser is built.
    usage.replace("[COMMAND]", &format!("[{}]", text("help-command-tag")))
}

/// The commands below one. The parser's own `help` has all commands once more, and they are on the first page.
pub(super) fn below(command: &Command) -> Vec<&str> {
    if command.get_name() == HELP {
        return Vec::new();
    }
    let names = command.get_subcommands().map(Command::get_name);
    names.filter(|name| *name != HELP).collect()
}

fn widest<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> usize {
    let widths = names.into_iter().map(|name| columns(name));
    widths.max().unwrap_or(0)
}

/// `-o, --out <FILE>`.
pub(super) fn spelled(arg: &Arg) -> String {
    match (arg.get_short(), arg.is_positional()) {
        (_, true) => arg.to_string(),
        (Some(short), false) => format!("-{short}, {arg}"),
        (None, false) => format!("    {arg}"),
    }
}
