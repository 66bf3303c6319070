//! How a command fails: exit code, the chain of causes in one line, and what to do next.
//!
//! Which error means what is decided here; the words of the hints are in `messages`.

use std::error::Error;

use crate::cli::{messages, terminal};

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
    exit_code: u8,
    message: String,
    hint: String,
}

impl Failure {
    /// Command-line words that do not make sense.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit_code: EXIT_USAGE,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// A failure with words of its own.
    pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit_code: EXIT_FAILED,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// The same about one thing of several.
    pub fn about(self, what: &str) -> Self {
        Self {
            message: format!("{what}: {}", self.message),
            ..self
        }
    }

    /// Standard output went away: nothing more to say to nobody.
    pub fn is_quiet(&self) -> bool {
        self.message.is_empty()
    }

    /// A signal asked to stop.
    pub fn interrupted() -> Self {
        Self::of(&carryall::base::monitor::Interrupted.into())
    }

    /// The exit code that it stands for.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// `error:` and `hint:`, one line each, or one JSON object.
    pub fn text(&self, json: bool) -> String {
        if json {
            let value = serde_json::json!({
                "event": "error", "exit_code": self.exit_code,
                "message": self.message, "hint": self.hint,
            });
            return format!("{value}\n");
        }
        format!(
            "{}: {}\n{}: {}\n",
            messages::error_label(),
            terminal::shown(&self.message),
            messages::hint_label(),
            terminal::shown(&self.hint)
        )
    }

    /// Prints it to stderr and returns the exit code.
    pub fn report(&self, json: bool) -> u8 {
        if !self.is_quiet() {
            terminal::say_either(&self.text(json), json);
        }
        self.exit_code
    }
}

fn in_english(error: &carryall::ops::Error) -> String {
    let beside = messages::beside(error);
    if beside.is_empty() {
        chain(error)
    } else {
        format!("{}: {beside}", chain(error))
    }
}

/// The causes of an error in one line, each once.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// What the system said, if it is behind an error.
fn system<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a std::io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

impl From<std::io::Error> for Failure {
    /// Only printing fails with a bare I/O error: a broken pipe is the reader's choice, not a failure.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self {
                exit_code: 0,
                message: String::new(),
                hint: String::new(),
            }
        } else {
            Self::failed(error.to_string(), messages::hint_generic())
        }
    }
}

impl From<carryall::ops::Error> for Failure {
    fn from(error: carryall::ops::Error) -> Self {
        Self::of(&error)
    }
}

impl Failure {
    /// The words for an error.
    pub fn of(error: &carryall::ops::Error) -> Self {
        let exit_code = match error.kind() {
            carryall::ops::ErrorKind::Interrupted => EXIT_INTERRUPTED,
            carryall::ops::ErrorKind::Failed => EXIT_FAILED,
        };
        Self {
            exit_code,
            message: messages::chinese_error(error).unwrap_or_else(|| in_english(error)),
            hint: system(error)
                .and_then(messages::hint_of_system)
                .map_or_else(|| messages::hint(error), str::to_owned),
        }
    }
}
