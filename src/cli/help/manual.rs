//! Manual pages for `man`, made of the same parser and the same words as help pages.
//!
//! It makes roff of the usual macros alone, so that any `man` shows it.

use clap::{Arg, Command};

use super::page::HelpPage;
use super::wrap::pieces;
use super::{GROUPS, HELP, named, text};
use crate::cli::messages::catalog::find;

/// How every page begins.
pub const BEGINNING: &str = ".\\\" Made by `carryall man`.\n";

/// A manual page.
pub struct ManualPage {
    /// Name of its file: `carryall-site-list.1`.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Makes the pages of the program and of all commands, in the person's language.
pub fn pages() -> Vec<ManualPage> {
    let command = named();
    let globals: Vec<Arg> = command.get_arguments().cloned().collect();
    let mut made = Vec::new();
    add_pages(command, &[], &globals, &mut made);
    made
}

fn add_pages(command: Command, path: &[String], globals: &[Arg], made: &mut Vec<ManualPage>) {
    let below: Vec<Command> = command.get_subcommands().cloned().collect();
    let mut command = command;
    let page = Manual::new(path).made(&mut command, globals);
    made.push(page);
    for command in below.into_iter().filter(|below| below.get_name() != HELP) {
        let path = [path, &[command.get_name().to_owned()]].concat();
        add_pages(command, &path, globals, made);
    }
}

struct Manual {
    name: String,
    page: HelpPage,
    out: String,
}

impl Manual {
    fn new(path: &[String]) -> Self {
        let words: Vec<&str> = std::iter::once("carryall")
            .chain(path.iter().map(String::as_str))
            .collect();
        Self {
            name: words.join("-"),
            page: HelpPage::new(path),
            out: BEGINNING.to_owned(),
        }
    }

    fn made(mut self, command: &mut Command, globals: &[Arg]) -> ManualPage {
        let is_top = self.page.path().is_empty();
        let version = env!("CARGO_PKG_VERSION");
        let title = self.name.to_ascii_uppercase();
        // There is no date: the same program makes the same pages.
        self.out += &format!(
            ".TH \"{}\" 1 \"\" \"carryall {version}\" \"carryall\"\n.nh\n.ad l\n",
            escaped(&title)
        );
        let about = text(if is_top { "help-about" } else { self.page.id() });
        self.heading("man-heading-name");
        self.out += &format!("{} \\- {}\n", escaped(&self.name), broken(&about));
        self.heading("man-heading-synopsis");
        self.out += &format!("\\fB{}\\fR\n", broken(&super::page::usage(command)));
        if let Some(long) = find(&format!("{}-long", self.page.id()), &[]) {
            self.heading("man-heading-description");
            self.paragraphs(&long);
        }
        if is_top {
            for (heading, names) in GROUPS {
                self.heading_of(&text(heading));
                self.commands(names);
            }
        } else {
            let below = super::page::below(command);
            if !below.is_empty() {
                self.heading("help-heading-commands");
                self.commands(&below);
            }
        }
        let own = |arg: &&Arg| !globals.iter().any(|global| global.get_id() == arg.get_id());
        let own: Vec<&Arg> = command.get_arguments().filter(own).collect();
        let (positional, options): (Vec<&Arg>, Vec<&Arg>) =
            own.into_iter().partition(|arg| arg.is_positional());
        self.args("help-heading-arguments", &positional);
        self.args("help-heading-options", &options);
        let of_use = self.page.globals(globals);
        self.args("help-heading-global", &of_use);
        if let Some(examples) = find(&format!("{}-examples", self.page.id()), &[]) {
            self.heading("help-heading-examples");
            let lines = examples.lines().map(|line| format!("{}\n", escaped(line)));
            self.out += &format!(".nf\n{}.fi\n", lines.collect::<String>());
        }
        if is_top {
            self.heading("man-heading-notes");
            self.paragraphs(&text("help-after"));
        } else {
            self.heading("man-heading-see-also");
            self.out += "\\fBcarryall\\fR(1)\n";
        }
        ManualPage {
            file: format!("{}.1", self.name),
            text: self.out,
        }
    }

    fn heading(&mut self, id: &str) {
        self.heading_of(&text(id));
    }

    /// Begins a section. Help pages end their headings in a colon, and manual pages do not.
    fn heading_of(&mut self, words: &str) {
        let words = words.trim_end_matches([':', '：']).to_uppercase();
        self.out += &format!(".SH \"{}\"\n", escaped(&words).replace('"', "\\(dq"));
    }

    fn paragraphs(&mut self, words: &str) {
        for paragraph in words.lines().filter(|line| !line.trim().is_empty()) {
            self.out += &format!(".PP\n{}\n", broken(paragraph.trim()));
        }
    }

    fn commands(&mut self, names: &[&str]) {
        for name in names {
            let about = text(&format!("{}-{name}", self.page.id()));
            self.out += &format!(".TP\n\\fB{}\\fR\n{}\n", escaped(name), broken(&about));
        }
    }

    fn args(&mut self, heading: &str, args: &[&Arg]) {
        if args.is_empty() {
            return;
        }
        self.heading(heading);
        for arg in args {
            let spelled = super::page::spelled(arg);
            self.out += &format!(".TP\n\\fB{}\\fR\n", escaped(spelled.trim()));
            for (number, line) in self.page.about(arg).iter().enumerate() {
                let break_before = if number > 0 { ".br\n" } else { "" };
                self.out += &format!("{break_before}{}\n", broken(line));
            }
        }
    }
}

/// Returns a text that roff takes as it is.
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for (at, c) in words.char_indices() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' if at == 0 => out.push_str("\\&\\(aq"),
            '.' if at == 0 => out.push_str("\\&."),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            c => out.push(c),
        }
    }
    out
}

/// Returns a text that roff may break between Chinese letters as well.
fn broken(words: &str) -> String {
    let pieces = pieces(words).into_iter();
    let pieces: Vec<String> = pieces
        .enumerate()
        .map(|(number, piece)| match number {
            0 => escaped(piece),
            // Only the first piece begins a line.
            _ => escaped(&format!("x{piece}"))[1..].to_owned(),
        })
        .collect();
    let mut out = String::new();
    for piece in pieces {
        if !out.is_empty() && !out.ends_with(' ') {
            out.push_str("\\:");
        }
        out.push_str(&piece);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::messages::catalog::{LANGUAGES, in_language};

    #[test]
    fn roff_takes_what_is_said_as_text() {
        assert_eq!(escaped(".a 'b' \\n --c"), "\\&.a \\(aqb\\(aq \\en \\-\\-c");
        assert_eq!(
            broken("读入光盘, 再还原"),
            "读\\:入\\:光\\:盘, 再\\:还\\:原"
        );
        assert_eq!(broken("two .words"), "two .words");
    }

    #[test]
    fn every_command_has_a_page_in_every_language_with_all_of_its_options() {
        for (tag, _) in LANGUAGES {
            let pages = in_language(tag, pages);
            assert!(pages.len() > 28);
            for page in &pages {
                let words: Vec<&str> = page.text.split_whitespace().collect();
                let missing = words
                    .iter()
                    .find(|word| word.starts_with("help\\-") || word.starts_with("man\\-heading"));
                assert_eq!(missing, None, "{tag} {}", page.file);
            }
            let pack = pages.iter().find(|page| page.file == "carryall-pack.1");
            let pack = &pack.unwrap().text;
            for option in [
                "\\-\\-media",
                "\\-\\-program",
                "\\-\\-json",
                "carryall pack shop:1.0",
            ] {
                assert!(pack.contains(option), "{tag}: {option}");
            }
        }
    }
}
