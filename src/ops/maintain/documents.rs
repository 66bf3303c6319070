//! Recognizes SBOMs, provenance and signatures among files: by their names first, so that not every file is read, and then
//! by how they begin.

use serde::Serialize;

use crate::base::monitor::Monitor;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, Content, RecipeError};

/// Bytes of a file that are looked at.
const HEAD_BYTES: u64 = 4096;
/// What the names of such files have in them.
const NAMES: [&str; 8] = [
    "spdx",
    "cdx",
    "cyclonedx",
    "bom",
    "in-toto",
    "intoto",
    "provenance",
    "sigstore",
];

/// The format of an SBOM or a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentFormat {
    /// SPDX.
    Spdx,
    /// CycloneDX.
    CycloneDx,
    /// A statement of in-toto, or an envelope of one.
    InToto,
    /// Sigstore's bundle.
    SigstoreBundle,
}

/// What the beginnings of such files have in them.
const MARKS: [(&str, DocumentFormat); 8] = [
    ("vnd.dev.sigstore.bundle", DocumentFormat::SigstoreBundle),
    ("\"spdxVersion\"", DocumentFormat::Spdx),
    ("SPDXVersion:", DocumentFormat::Spdx),
    ("spdx.org/rdf", DocumentFormat::Spdx),
    ("\"CycloneDX\"", DocumentFormat::CycloneDx),
    ("cyclonedx.org/schema/bom", DocumentFormat::CycloneDx),
    ("in-toto.io/Statement", DocumentFormat::InToto),
    ("application/vnd.in-toto+json", DocumentFormat::InToto),
];

/// Returns the format of a file, or `None` for other files.
///
/// # Errors
/// A stop. A file that cannot be read is none.
pub(super) fn format_of<S: ChunkSource>(
    source: &S,
    path: &str,
    content: &Content,
    monitor: &dyn Monitor,
) -> Result<Option<DocumentFormat>, RecipeError> {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    if !NAMES.iter().any(|part| name.contains(part)) {
        return Ok(None);
    }
    let body = FileBody::Content(*content);
    let mut head = Vec::new();
    let range = 0..body.bytes().min(HEAD_BYTES);
    match body.write(source, range, &mut head, monitor) {
        Err(error @ RecipeError::Interrupted(_)) => Err(error),
        Err(_) => Ok(None),
        Ok(()) => Ok(of_head(&head)),
    }
}

fn of_head(head: &[u8]) -> Option<DocumentFormat> {
    let text = String::from_utf8_lossy(head);
    let mut marks = MARKS.iter();
    marks
        .find(|(mark, _)| text.contains(mark))
        .map(|(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_shows_at_the_beginning() {
        for (head, format) in [
            (r#"{"spdxVersion": "SPDX-2.3"}"#, Some(DocumentFormat::Spdx)),
            ("SPDXVersion: SPDX-2.3\n", Some(DocumentFormat::Spdx)),
            (
                r#"{"bomFormat": "CycloneDX"}"#,
                Some(DocumentFormat::CycloneDx),
            ),
            (
                r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5">"#,
                Some(DocumentFormat::CycloneDx),
            ),
            (
                r#"{"_type":"https://in-toto.io/Statement/v1"}"#,
                Some(DocumentFormat::InToto),
            ),
            (
                r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#,
                Some(DocumentFormat::SigstoreBundle),
            ),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(of_head(head.as_bytes()), format, "{head}");
        }
    }
}
