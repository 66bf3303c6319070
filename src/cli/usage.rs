//! A command line that makes no sense, said in the person's language: what the parser found, decided by the kind of its error.

use std::error::Error as _;
use std::fmt;
use std::num::{IntErrorKind, ParseIntError};
use std::process::ExitCode;

use carryall::base::diagnostic::{Diagnostic, diagnostic};
use carryall::bundle::receipt::site::SiteNameError;
use carryall::content::release::ReleaseNameError;
use carryall::files::versions::PatternError;
use carryall::oci::image::{PlatformError, ReferenceError};
use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::exit::{EXIT_USAGE, Failure};
use crate::cli::messages::{self, message};
use crate::cli::terminal;

/// A value that an option does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadValue {
    /// Not a number.
    NotANumber,
    /// A number that is no percentage.
    NotAPercent,
    /// Not a time with its unit.
    NotATime,
    /// Not `HOST=PREFIX`.
    NotAHostMap,
    /// Not a host.
    NotAHost(String),
    /// Not a path of a repository.
    NotAPath(String),
    /// Not `REPOSITORY[:TAG]` alone.
    NotAName,
    /// Not a reference of an image.
    Reference(ReferenceError),
}

impl std::error::Error for BadValue {}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotANumber => message!("usage-why-no-number"),
            Self::NotAPercent => message!("usage-why-percent"),
            Self::NotATime => message!("usage-why-time"),
            Self::NotAHostMap => message!("usage-why-host-map"),
            Self::NotAHost(host) => message!("usage-why-host", host),
            Self::NotAPath(path) => message!("usage-why-path", path),
            Self::NotAName => message!("usage-why-new-name"),
            Self::Reference(error) => reference(error),
        };
        f.write_str(&text)
    }
}

fn reference(error: &ReferenceError) -> String {
    match error {
        ReferenceError::Host => message!("usage-why-reference-host"),
        ReferenceError::Repository => message!("usage-why-repository"),
        ReferenceError::Tag => message!("usage-why-tag"),
        ReferenceError::Digest => message!("usage-why-digest"),
    }
}

/// Says what the parser has to say. Help and version are no failures.
pub fn end(error: &Error, json: bool) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let what = what(error);
    let hint = messages::hint(&what);
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !json {
        // The help page says more.
        terminal::say(&error.render().to_string());
        terminal::say(&messages::hint_line(&hint));
        return ExitCode::from(EXIT_USAGE);
    }
    let how = usage(error).filter(|_| !json);
    let failure = Failure::from(what);
    ExitCode::from(match how {
        Some(usage) => failure
            .with_line(message!("usage-line", usage))
            .report(json),
        None => failure.report(json),
    })
}

/// What is wrong, and what was meant, as far as the parser can guess.
fn what(error: &Error) -> Diagnostic {
    let one = wrong(error);
    let suggested = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    // The parser names the likeliest last. Two names in a row would look like a command and its part.
    let mut meant = suggested.iter().filter_map(|kind| said(error, *kind).pop());
    if let Some(meant) = meant.next() {
        return one.with_details(vec![diagnostic!("usage.meant", meant)]);
    }
    if error.kind() == ErrorKind::UnknownArgument && error.get(ContextKind::Suggested).is_some() {
        return one.with_details(vec![diagnostic!("usage.is_value")]);
    }
    one
}

fn wrong(error: &Error) -> Diagnostic {
    let arguments = said(error, ContextKind::InvalidArg);
    let argument = arguments.join(" ");
    match error.kind() {
        ErrorKind::UnknownArgument => diagnostic!("usage.unknown_argument", argument),
        ErrorKind::InvalidSubcommand => {
            let command = said(error, ContextKind::InvalidSubcommand).join(" ");
            diagnostic!("usage.unknown_command", command)
        }
        ErrorKind::MissingRequiredArgument => {
            diagnostic!("usage.missing_argument", arguments = &arguments)
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            diagnostic!("usage.no_command")
        }
        ErrorKind::ArgumentConflict => {
            let other = said(error, ContextKind::PriorArg);
            diagnostic!("usage.conflict", argument, other = &other)
        }
        ErrorKind::NoEquals => diagnostic!("usage.no_equals", argument),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => bad_value(error, argument),
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            diagnostic!("usage.value_count", argument)
        }
        ErrorKind::InvalidUtf8 => diagnostic!("usage.not_utf8"),
        _ => diagnostic!("usage.other"),
    }
}

fn bad_value(error: &Error, argument: String) -> Diagnostic {
    let value = said(error, ContextKind::InvalidValue).join(" ");
    if value.is_empty() {
        return diagnostic!("usage.no_value", argument);
    }
    let value = format!("{value:?}");
    let allowed = said(error, ContextKind::ValidValue);
    if allowed.is_empty() {
        let why = why(error);
        return diagnostic!("usage.bad_value", argument, value, why);
    }
    diagnostic!("usage.bad_choice", argument, value, allowed = &allowed)
}

/// Why a value is not taken, by the error that reading it gave.
fn why(error: &Error) -> String {
    let Some(source) = error.source() else {
        return message!("usage-why-other");
    };
    if let Some(error) = source.downcast_ref::<BadValue>() {
        return error.to_string();
    }
    if let Some(error) = source.downcast_ref::<ReferenceError>() {
        return reference(error);
    }
    if let Some(error) = source.downcast_ref::<ParseIntError>() {
        return match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => message!("usage-why-range"),
            _ => message!("usage-why-number"),
        };
    }
    if source.is::<ReleaseNameError>() {
        message!("usage-why-release")
    } else if source.is::<PlatformError>() {
        message!("usage-why-platform")
    } else if source.is::<SiteNameError>() {
        message!("usage-why-site")
    } else if source.is::<PatternError>() {
        message!("usage-why-pattern")
    } else {
        // The parser's own readers of numbers: `0 is not in 1..`.
        let text = source.to_string();
        match text.split_once(" is not in ") {
            Some((_, range)) => message!("usage-why-range-of", range),
            None => message!("usage-why-other"),
        }
    }
}

/// How the command is called, if the parser says so.
fn usage(error: &Error) -> Option<String> {
    let ContextValue::StyledStr(usage) = error.get(ContextKind::Usage)? else {
        return None;
    };
    let usage = usage.to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    Some(usage.replace("[OPTIONS]", &message!("help-options-tag")))
}

fn said(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::Number(number)) => vec![number.to_string()],
        _ => Vec::new(),
    }
}
