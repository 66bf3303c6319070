//! What is wrong, as data: a stable code, typed arguments, and the cause.
//!
//! Errors and findings are diagnostics, so that programs can distinguish them and a front end can show them in any
//! language. The words are not here. A front end finds them by the diagnostic's code.

use std::error::Error as Cause;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::base::size::ByteSize;

/// What is wrong, without words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    code: &'static str,
    args: Vec<(&'static str, Arg)>,
    details: Vec<Diagnostic>,
    cause: Option<Box<Diagnostic>>,
}

/// An argument of a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A text that is the same in every language: a name, an id, what a program answered.
    Text(String),
    /// A term of the library, which catalogs have words for.
    Term(Term),
    /// A path.
    Path(PathBuf),
    /// Several paths.
    Paths(Vec<PathBuf>),
    /// A number.
    Number(u64),
    /// A number of bytes.
    Bytes(u64),
    /// Several names.
    Names(Vec<String>),
    /// Several volumes of a set, by number.
    Volumes(Vec<u16>),
    /// A diagnostic inside of the sentence.
    Said(Box<Diagnostic>),
    /// An error inside of the sentence.
    Caught(CaughtError),
}

/// A term, whichever enum it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Its id in the catalogs.
    pub id: &'static str,
    /// Its English words.
    pub english: &'static str,
}

/// An error that nobody has diagnosed yet. A room cannot diagnose the errors of the rooms above it, which reach it in
/// boxes. `ops::diagnose` can.
#[derive(Debug, Clone)]
pub struct CaughtError(Arc<dyn Cause + Send + Sync>);

impl CaughtError {
    /// The error.
    pub fn error(&self) -> &(dyn Cause + 'static) {
        &*self.0
    }
}

impl fmt::Display for CaughtError {
    /// Writes the error and its sources.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(out, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl PartialEq for CaughtError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for CaughtError {}

/// Puts diagnostics into English words.
pub type EnglishWords = fn(&Diagnostic) -> String;

static WORDS: OnceLock<EnglishWords> = OnceLock::new();

/// Gives all diagnostics of this process their words. A front end does this once, when it starts. A later call changes
/// nothing.
pub fn use_words(words: EnglishWords) {
    let _ = WORDS.set(words);
}

/// Makes a [`Diagnostic`]: `diagnostic!("store.locked", path = path)`, or `diagnostic!("store.locked", path)`.
#[macro_export]
#[doc(hidden)]
macro_rules! diagnostic {
    (@value $name:ident) => { $name };
    (@value $name:ident, $value:expr) => { $value };
    ($code:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {
        $crate::base::diagnostic::Diagnostic::new($code)
            $(.with(stringify!($name), $crate::diagnostic!(@value $name $(, $value)?)))*
    };
}
pub use crate::diagnostic;

impl Diagnostic {
    /// Creates a diagnostic without arguments. The code is the room, a dot, and lower-case words joined by `_`.
    pub fn new(code: &'static str) -> Self {
        Self {
            code,
            args: Vec::new(),
            details: Vec::new(),
            cause: None,
        }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.push((name, value.into()));
        self
    }

    /// The same with what was seen instead, thing by thing.
    #[must_use]
    pub fn with_details(mut self, details: Vec<Self>) -> Self {
        self.details = details;
        self
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, cause: Self) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// The stable code, such as `store.locked`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The arguments by name.
    pub fn args(&self) -> &[(&'static str, Arg)] {
        &self.args
    }

    /// What was seen instead, thing by thing.
    pub fn details(&self) -> &[Self] {
        &self.details
    }

    /// What caused it.
    pub fn cause(&self) -> Option<&Self> {
        self.cause.as_deref()
    }

    /// It, its cause, the cause of that, and so on.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |one| one.cause())
    }

    /// Whether it, or a cause of it, has this code.
    pub(crate) fn is_caused_by(&self, code: &str) -> bool {
        self.chain().any(|one| one.code == code)
    }
}

impl fmt::Display for Diagnostic {
    /// Writes the English words of the front end. Without a front end it writes the code and the arguments.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(words) = WORDS.get() {
            return out.write_str(&words(self));
        }
        out.write_str(self.code)?;
        for (name, arg) in &self.args {
            match arg {
                Arg::Said(_) | Arg::Caught(_) => write!(out, " {name}=({arg})")?,
                _ => write!(out, " {name}={arg}")?,
            }
        }
        for more in self.details.iter().chain(self.cause()) {
            write!(out, ": {more}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Arg {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Term(term) => out.write_str(term.english),
            Self::Path(path) => write!(out, "{}", path.display()),
            Self::Paths(paths) => write!(out, "{paths:?}"),
            Self::Number(number) | Self::Bytes(number) => write!(out, "{number}"),
            Self::Names(names) => write!(out, "{names:?}"),
            Self::Volumes(volumes) => write!(out, "{volumes:?}"),
            Self::Said(said) => write!(out, "{said}"),
            Self::Caught(caught) => write!(out, "{caught}"),
        }
    }
}

impl Arg {
    /// Makes an argument of an error that is not diagnosed yet.
    pub fn caught(error: impl Cause + Send + Sync + 'static) -> Self {
        Self::Caught(CaughtError(Arc::new(error)))
    }

    /// Makes an argument of the innermost source of an error, such as what the system said.
    pub fn innermost(error: &(dyn Cause + 'static)) -> Self {
        if let Some(source) = error.source() {
            return Self::innermost(source);
        }
        match error.downcast_ref::<io::Error>() {
            None => Self::Text(error.to_string()),
            // An error of the system is its number. Any other has its text.
            Some(io) => Self::caught(match io.raw_os_error() {
                Some(number) => io::Error::from_raw_os_error(number),
                None => io::Error::new(io.kind(), io.to_string()),
            }),
        }
    }
}

impl From<&Self> for Arg {
    fn from(arg: &Self) -> Self {
        arg.clone()
    }
}

impl From<Diagnostic> for Arg {
    fn from(said: Diagnostic) -> Self {
        Self::Said(Box::new(said))
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Arg {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&Path> for Arg {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<&PathBuf> for Arg {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}

impl From<&Vec<PathBuf>> for Arg {
    fn from(paths: &Vec<PathBuf>) -> Self {
        Self::Paths(paths.clone())
    }
}

impl From<ByteSize> for Arg {
    fn from(bytes: ByteSize) -> Self {
        Self::Bytes(bytes.0)
    }
}

impl From<&Vec<String>> for Arg {
    fn from(names: &Vec<String>) -> Self {
        Self::Names(names.clone())
    }
}

impl From<&Vec<u16>> for Arg {
    fn from(volumes: &Vec<u16>) -> Self {
        Self::Volumes(volumes.clone())
    }
}

impl From<usize> for Arg {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

macro_rules! numbers_are_arguments {
    ($($number:ty),*) => {$(
        impl From<$number> for Arg {
            fn from(number: $number) -> Self {
                Self::Number(u64::from(number))
            }
        }
    )*};
}
numbers_are_arguments!(u8, u16, u32, u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_keeps_its_arguments_and_its_causes() {
        let (path, bytes) = (Path::new("a"), ByteSize(7));
        let cause = diagnostic!("system.not_found", number = 2_u8);
        let one = diagnostic!("store.unreadable", path, needed_bytes = bytes).because(cause);
        assert_eq!(one.code(), "store.unreadable");
        let args = [
            ("path", Arg::Path("a".into())),
            ("needed_bytes", Arg::Bytes(7)),
        ];
        assert_eq!(one.args(), args);
        assert!(one.is_caused_by("system.not_found") && !one.is_caused_by("system.other"));
        assert_eq!(one.chain().count(), 2);
    }

    #[test]
    fn a_diagnostic_without_a_front_end_shows_its_code_and_its_arguments() {
        let why = || Arg::caught(io::Error::other("no luck"));
        let inner = diagnostic!("a.b", count = 3_u8);
        let one = diagnostic!("store.cannot_be_read_now", why = why(), inner);
        let text = "store.cannot_be_read_now why=(no luck) inner=(a.b count=3)";
        assert_eq!(one.to_string(), text);
        assert_eq!(why(), why());
    }
}
