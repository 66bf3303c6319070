//! How a command ends: its exit code, and what is said when it failed.
//!
//! A failure is a diagnostic. Its code alone decides the words, the hint and the exit code.

use carryall::base::diagnostic::{Arg, Diagnostic};
use carryall::base::monitor::Interrupted;
use carryall::ops::Completion;
use serde_json::{Map, Value};

use crate::cli::messages::{self, message};
use crate::cli::{log, terminal};

/// Something failed.
pub const EXIT_FAILED: u8 = 1;
/// The command line does not make sense.
pub const EXIT_USAGE: u8 = 2;
/// Done, but damage is left.
pub const EXIT_DAMAGE: u8 = 3;
/// More volumes are needed.
pub const EXIT_NEEDS_VOLUMES: u8 = 4;
/// Ctrl-C or a termination signal.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Why a command failed, for a person and for a script.
#[derive(Debug)]
pub struct Failure {
    /// Nothing when standard output went away: there is nobody to say anything to.
    what: Option<Diagnostic>,
    /// Which one of several things it is about.
    about: Option<String>,
    /// A line between the error and the hint, for people.
    line: Option<String>,
}

impl Failure {
    /// The same with a line between the error and the hint.
    pub fn with_line(self, line: String) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// The same about one thing of several.
    pub fn about(self, what: &str) -> Self {
        Self {
            about: Some(what.to_owned()),
            ..self
        }
    }

    /// A signal asked to stop.
    pub fn interrupted() -> Self {
        Self::of(&Interrupted.into())
    }

    /// An error of the library.
    pub fn of(error: &carryall::ops::Error) -> Self {
        error.diagnose().into()
    }

    /// What failed. Nothing when standard output went away.
    pub fn what(&self) -> Option<&Diagnostic> {
        self.what.as_ref()
    }

    /// The exit code that it stands for.
    pub fn exit_code(&self) -> u8 {
        self.what
            .as_ref()
            .map_or(0, |what| exit_code_of(what.code()))
    }

    /// `error:` and `hint:`, one line each, or one JSON object.
    pub fn text(&self, json: bool) -> String {
        let Some(what) = &self.what else {
            return String::new();
        };
        let (message, hint) = (self.message(what), messages::hint(what));
        if json {
            return format!("{}\n", self.json(what, &message, &hint));
        }
        let line = self.line.as_ref().map(|line| format!("{line}\n"));
        let line = line.unwrap_or_default();
        messages::error_line(&message) + &line + &messages::hint_line(&hint)
    }

    fn message(&self, what: &Diagnostic) -> String {
        let said = messages::said(what);
        match &self.about {
            Some(about) => format!("{about}{}{said}", message!("separator-cause")),
            None => said,
        }
    }

    /// The typed arguments stand beside the words; those of a cause where the error itself has none of the name.
    fn json(&self, what: &Diagnostic, message: &str, hint: &str) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| {
            fields.entry(name).or_insert(value);
        };
        put("event", "error".into());
        put("kind", what.code().into());
        put("message", message.into());
        put("hint", hint.into());
        put("exit_code", exit_code_of(what.code()).into());
        let causes: Vec<&str> = what.chain().skip(1).map(Diagnostic::code).collect();
        if !causes.is_empty() {
            put("causes", causes.into());
        }
        if let Some(about) = &self.about {
            put("about", about.as_str().into());
        }
        for (name, arg) in what.chain().flat_map(Diagnostic::args) {
            put(name, value_of(arg));
        }
        Value::Object(fields)
    }

    /// Adds it to the log, with its causes.
    pub fn log(&self) {
        let Some(what) = &self.what else {
            return;
        };
        let message = log::without_secrets(&self.message(what));
        let exit_code = self.exit_code();
        let causes: Vec<&str> = what.chain().skip(1).map(Diagnostic::code).collect();
        let causes = causes.join(", ");
        let message = terminal::shown(&message);
        tracing::error!(kind = what.code(), causes, exit_code, "{message}");
    }

    /// Prints it to stderr and returns the exit code.
    pub fn report(&self, json: bool) -> u8 {
        if self.what.is_some() {
            terminal::say_either(&self.text(json), json);
        }
        self.exit_code()
    }
}

/// The exit code of how far an operation came.
pub fn exit_code(completion: Completion) -> u8 {
    match completion {
        Completion::Done => 0,
        Completion::DamageLeft => EXIT_DAMAGE,
        Completion::MoreNeeded => EXIT_NEEDS_VOLUMES,
        _ => EXIT_FAILED,
    }
}

/// The exit code of an error's code.
fn exit_code_of(code: &str) -> u8 {
    match code {
        "interrupted" => EXIT_INTERRUPTED,
        _ if code.starts_with(messages::USAGE) => EXIT_USAGE,
        _ => EXIT_FAILED,
    }
}

fn value_of(arg: &Arg) -> Value {
    match arg {
        Arg::Text(text) => text.as_str().into(),
        Arg::Term(term) => term.english.into(),
        Arg::Path(path) => path.to_string_lossy().into(),
        Arg::Paths(paths) => paths.iter().map(|path| path.to_string_lossy()).collect(),
        Arg::Number(number) | Arg::Bytes(number) => (*number).into(),
        Arg::Names(names) => names.as_slice().into(),
        Arg::Volumes(volumes) => volumes.as_slice().into(),
        Arg::Said(one) => messages::english(one).into(),
        Arg::Caught(caught) => messages::english(&carryall::ops::diagnose(caught.error())).into(),
    }
}

impl From<Diagnostic> for Failure {
    fn from(what: Diagnostic) -> Self {
        Self {
            what: Some(what),
            about: None,
            line: None,
        }
    }
}

impl From<carryall::ops::Error> for Failure {
    fn from(error: carryall::ops::Error) -> Self {
        Self::of(&error)
    }
}

impl From<std::io::Error> for Failure {
    /// Only printing fails with a bare I/O error: a broken pipe is the reader's choice, not a failure.
    fn from(error: std::io::Error) -> Self {
        let is_gone = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            what: (!is_gone).then(|| carryall::ops::diagnose(&error)),
            about: None,
            line: None,
        }
    }
}

impl From<serde_json::Error> for Failure {
    /// A report that is no JSON is a fault of the program.
    fn from(error: serde_json::Error) -> Self {
        carryall::ops::diagnose(&error).into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use carryall::base::diagnostic::diagnostic;
    use carryall::ops::Error;

    use super::*;

    #[test]
    fn an_error_in_json_has_its_kind_and_its_fields() {
        let error = Error::NoSpace {
            path: "/srv/a\n".into(),
            needed_bytes: 3_000_000,
            free_bytes: 1,
        };
        let text = Failure::of(&error).about("a set").text(true);
        let value: Value = serde_json::from_str(&text).unwrap();
        let want = serde_json::json!({
            "event": "error", "kind": "space.too_little", "exit_code": 1, "about": "a set",
            "message": "a set: /srv/a? has 1 B free, and 3.00 MB are needed",
            "hint": messages::hint(&error.diagnose()),
            "path": "/srv/a\n", "needed_bytes": 3_000_000, "free_bytes": 1,
        });
        assert_eq!(value, want);
    }

    #[test]
    fn the_code_of_an_error_decides_how_the_command_ends() {
        let ends = |one: Diagnostic| Failure::from(one).exit_code();
        assert_eq!(ends(diagnostic!("usage.no_media")), EXIT_USAGE);
        assert_eq!(ends(diagnostic!("add.nothing")), EXIT_FAILED);
        assert_eq!(Failure::interrupted().exit_code(), EXIT_INTERRUPTED);
        let codes = [
            (Completion::Done, 0),
            (Completion::Failed, EXIT_FAILED),
            (Completion::DamageLeft, EXIT_DAMAGE),
            (Completion::MoreNeeded, EXIT_NEEDS_VOLUMES),
        ];
        for (completion, code) in codes {
            assert_eq!(exit_code(completion), code);
        }
        let gone = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::from(gone).report(false), 0);
    }
}
