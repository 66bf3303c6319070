//! What can be wrong with stored data, as data: a report carries findings, it does not fail with them.
//!
//! The words that people read are made by the command line from these.

use serde::Serialize;

use crate::base::saying::{Saying, Template};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    Note,
    /// Damage that can be, or has been, made good.
    Damage,
    /// Bytes that nothing at hand can bring back.
    Loss,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it concerns: a path, `volume 3`, `pack 12ab34cd`, a release or an item.
    pub subject: String,
    /// What is wrong, one line, no full stop.
    pub message: String,
    /// The same, to be said in other languages, where it is known so.
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

    /// The same with words that can be said in other languages.
    pub fn said(severity: Severity, subject: impl Into<String>, saying: Saying) -> Self {
        Self {
            message: saying.to_string(),
            saying: Some(saying),
            ..Self::new(severity, subject, "")
        }
    }

    /// Whether this template says it.
    pub fn is_said_by(&self, template: Template) -> bool {
        self.saying
            .as_ref()
            .is_some_and(|saying| saying.is_of(template))
    }

    /// Something worth knowing.
    pub fn note(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, subject, message)
    }

    /// Damage that can be made good.
    pub fn damage(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Damage, subject, message)
    }

    /// Bytes that are gone.
    pub fn loss(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Loss, subject, message)
    }
}
