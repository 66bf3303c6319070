//! Problems with stored data, as data. A report carries findings and does not fail because of them.
//!
//! A finding has no words. A front end finds them by its code, as it does for errors.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::base::diagnostic::Diagnostic;

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

/// What a finding concerns. Its text is English, for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Something with a name of its own: a path, an item, a release, an image.
    Named(String),
    /// The media that were read.
    Media,
    /// The store.
    Store,
    /// The folder of sets that are being received.
    Incoming,
    /// A release, where its name alone could be that of an item.
    Release(String),
    /// A pack, by its short id.
    Pack(String),
    /// A blob, by its short id.
    Blob(String),
    /// A volume set, by its short id.
    Set(String),
    /// A volume of a set.
    Volume {
        /// The set's short id.
        set: String,
        /// The volume's number.
        volume_no: u16,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => out.write_str(name),
            Self::Media => out.write_str("media"),
            Self::Store => out.write_str("store"),
            Self::Incoming => out.write_str("incoming"),
            Self::Release(name) => write!(out, "release {name}"),
            Self::Pack(id) => write!(out, "pack {id}"),
            Self::Blob(id) => write!(out, "blob {id}"),
            Self::Set(id) => write!(out, "set {id}"),
            Self::Volume { set, volume_no } => write!(out, "set {set}, volume {volume_no}"),
        }
    }
}

impl From<String> for Subject {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

impl From<&str> for Subject {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

/// One problem that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it concerns.
    pub subject: Subject,
    /// What is wrong.
    pub what: Diagnostic,
}

impl Finding {
    /// Builds a finding of any severity.
    pub fn new(severity: Severity, subject: impl Into<Subject>, what: Diagnostic) -> Self {
        Self {
            severity,
            subject: subject.into(),
            what,
        }
    }

    /// Builds a note.
    pub fn note(subject: impl Into<Subject>, what: Diagnostic) -> Self {
        Self::new(Severity::Note, subject, what)
    }

    /// Builds a finding of damage that can be repaired.
    pub fn damage(subject: impl Into<Subject>, what: Diagnostic) -> Self {
        Self::new(Severity::Damage, subject, what)
    }

    /// Builds a finding of bytes that are lost.
    pub fn loss(subject: impl Into<Subject>, what: Diagnostic) -> Self {
        Self::new(Severity::Loss, subject, what)
    }

    /// The stable code of what is wrong.
    pub fn code(&self) -> &'static str {
        self.what.code()
    }

    /// What is wrong, in English, one line, no full stop. See [`Diagnostic`] for where the words come from.
    pub fn message(&self) -> String {
        self.what.to_string()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 4)?;
        fields.serialize_field("severity", &self.severity)?;
        fields.serialize_field("subject", &self.subject.to_string())?;
        fields.serialize_field("kind", self.code())?;
        fields.serialize_field("message", &self.message())?;
        fields.end()
    }
}
