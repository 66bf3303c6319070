//! DSSE envelopes and the in-toto statements in them.
//!
//! An envelope signs its payload together with the payload's type. A statement names digests, and says something of
//! them.

use serde::Deserialize;

use super::decoded;
use crate::oci::image::Digest;

/// Type of the payload of envelopes with statements.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// Types of statements.
const STATEMENTS: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];
/// Most signatures of one envelope that are tried.
const SIGNATURES_MAX: usize = 16;
/// Most subjects of a statement that are compared.
const SUBJECTS_MAX: usize = 4096;

/// An envelope as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct EnvelopeDocument {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Debug, Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

/// An envelope, decoded and not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DsseEnvelope {
    /// The bytes that are signed.
    pub(super) signed: Vec<u8>,
    /// The signatures.
    pub(super) signatures: Vec<Vec<u8>>,
    /// The payload, when it is a statement.
    pub(super) statement: Option<InTotoStatement>,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTotoStatement {
    /// Digests of what it is about.
    pub subjects: Vec<Digest>,
    /// The type of what it says.
    pub predicate_type: String,
}

impl EnvelopeDocument {
    /// Reads one of its JSON.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Decodes what is in it. Returns `None` for what is no envelope, or beyond the limits.
    pub(super) fn decode(&self) -> Option<DsseEnvelope> {
        if self.signatures.is_empty() || self.signatures.len() > SIGNATURES_MAX {
            return None;
        }
        let payload = decoded(&self.payload)?;
        let signatures = self.signatures.iter().map(|each| decoded(&each.sig));
        let is_statement = self.payload_type == IN_TOTO;
        Some(DsseEnvelope {
            signed: pre_authentication(&self.payload_type, &payload),
            signatures: signatures.collect::<Option<_>>()?,
            statement: is_statement
                .then(|| InTotoStatement::read(&payload))
                .flatten(),
        })
    }
}

/// Returns the bytes that an envelope signs.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (type_bytes, bytes) = (payload_type.len(), payload.len());
    let mut out = format!("DSSEv1 {type_bytes} {payload_type} {bytes} ").into_bytes();
    out.extend_from_slice(payload);
    out
}

impl InTotoStatement {
    /// Reads one of its JSON.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct StatementDocument {
            #[serde(rename = "_type")]
            kind: String,
            subject: Vec<StatementSubject>,
            #[serde(rename = "predicateType")]
            predicate_type: String,
        }
        #[derive(Deserialize)]
        struct StatementSubject {
            #[serde(default)]
            digest: SubjectDigests,
        }
        #[derive(Default, Deserialize)]
        struct SubjectDigests {
            sha256: Option<String>,
            sha512: Option<String>,
        }
        let read: StatementDocument = serde_json::from_slice(bytes).ok()?;
        let is_known = STATEMENTS.contains(&&read.kind[..]);
        if !is_known || read.subject.len() > SUBJECTS_MAX {
            return None;
        }
        let with = |algorithm: &str, hex: Option<String>| {
            format!("{algorithm}:{}", hex?).parse::<Digest>().ok()
        };
        let digests = |subject: StatementSubject| {
            let StatementSubject { digest } = subject;
            [with("sha256", digest.sha256), with("sha512", digest.sha512)]
        };
        Some(Self {
            subjects: read
                .subject
                .into_iter()
                .flat_map(digests)
                .flatten()
                .collect(),
            predicate_type: read.predicate_type,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let signed = pre_authentication("http://example.com/HelloWorld", b"hello world");
        let said = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(String::from_utf8(signed).unwrap(), said);
    }

    #[test]
    fn a_statement_names_digests_and_what_is_none_is_passed_over() {
        let hex = Digest::of(b"x").hex().to_owned();
        let text = |subject: &str| {
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subject}],"predicateType":"p","predicate":{{}}}}"#
            )
        };
        let one = format!(
            r#"{{"name":"x","digest":{{"sha256":"{hex}","md5":"1"}}}},{{"digest":{{"sha256":"X"}}}}"#
        );
        let read = InTotoStatement::read(text(&one).as_bytes()).unwrap();
        assert_eq!(read.subjects, [Digest::of(b"x")]);
        assert_eq!(read.predicate_type, "p");
        // Readers disagree on which of two equal names counts.
        let twice = format!(r#"{{"digest":{{"sha256":"{hex}","sha256":"{hex}"}}}}"#);
        assert_eq!(InTotoStatement::read(text(&twice).as_bytes()), None);
        let other = text(&one).replace("Statement/v1", "Statement/v9");
        assert_eq!(InTotoStatement::read(other.as_bytes()), None);
        let deep = text(&"[".repeat(100_000));
        assert_eq!(InTotoStatement::read(deep.as_bytes()), None);
    }
}
