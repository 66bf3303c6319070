//! Problems with stored data, as data. A report carries findings and does not fail because of them.
//!
//! The command line turns findings into the words that people read.

use serde::Serialize;

use crate::base::saying::{Saying, Template};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing. Nothing is lost.
    Note,
    /// Damage that can be repaired, or was repaired.
    Damage,
    /// Bytes that nothing available can restore.
    Loss,
}

/// One problem that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it concerns: a path, `volume 3`, `pack 12ab34cd`, a release or an item.
    pub subject: String,
    /// What is wrong, one line, no full stop.
    pub message: String,
    /// The message as a template, where it is known. The command line translates it.
    #[serde(skip)]
    pub saying: Option<Saying>,
}

impl Finding {
    /// Builds a finding of any severity.
    pub fn new(severity: Severity, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity,
            subject: subject.into(),
            message: message.into(),
            saying: None,
        }
    }

    /// Builds a finding whose message can be translated.
    pub fn said(severity: Severity, subject: impl Into<String>, saying: Saying) -> Self {
        Self {
            message: saying.to_string(),
            saying: Some(saying),
            ..Self::new(severity, subject, "")
        }
    }

    /// Returns whether the message was made from this template.
    pub fn is_said_by(&self, template: Template) -> bool {
        self.saying
            .as_ref()
            .is_some_and(|saying| saying.is_of(template))
    }

    /// Builds a note.
    pub fn note(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, subject, message)
    }

    /// Builds a finding of damage that can be repaired.
    pub fn damage(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Damage, subject, message)
    }

    /// Builds a finding of bytes that are lost.
    pub fn loss(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Loss, subject, message)
    }
}
