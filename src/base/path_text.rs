//! Paths in reports. JSON has text only, so bytes that are no UTF-8 become U+FFFD, as they do in messages. A report is never
//! lost for the name of a path.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// Serializes a path, for `#[serde(serialize_with = "path_text::one")]`.
///
/// # Errors
/// What the serializer reports.
pub fn one<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    path.to_string_lossy().serialize(to)
}

/// Serializes paths, for `#[serde(serialize_with = "path_text::all")]`.
///
/// # Errors
/// What the serializer reports.
pub fn all<S: Serializer>(paths: &[PathBuf], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

/// Serializes paths with numbers, for `#[serde(serialize_with = "path_text::numbered")]`.
///
/// # Errors
/// What the serializer reports.
pub fn numbered<S: Serializer>(paths: &[(u16, PathBuf)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(paths.iter().map(|(no, path)| (no, path.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_path_that_is_no_text_does_not_lose_the_report() {
        #[derive(Serialize)]
        struct Report {
            #[serde(serialize_with = "one")]
            one: PathBuf,
            #[serde(serialize_with = "all")]
            all: Vec<PathBuf>,
            #[serde(serialize_with = "numbered")]
            numbered: Vec<(u16, PathBuf)>,
        }
        let path = PathBuf::from(OsStr::from_bytes(b"a\xff"));
        let report = Report {
            one: path.clone(),
            all: vec![path.clone(), "b".into()],
            numbered: vec![(2, path)],
        };
        let json = serde_json::to_string(&report).unwrap();
        let expected = r#"{"one":"a?","all":["a?","b"],"numbered":[[2,"a?"]]}"#;
        assert_eq!(json, expected.replace('?', "\u{fffd}"));
    }
}
