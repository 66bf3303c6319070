//! apt's index of packages, read line by line (source: deb822(5) and the repository format of wiki.debian.org).
//!
//! Only four fields are read. Lines of any length and fields in any order do no harm.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{REPOSITORY_FILES_MAX, RepositoryPackage};

/// Longest value that is kept. Others are cut off, and their line is passed over.
const LINE_BYTES_MAX: usize = 4096;

/// The packages of indexes, by the paths of their files.
#[derive(Debug, Default)]
pub struct ControlIndex {
    line: Vec<u8>,
    is_long: bool,
    name: String,
    version: String,
    architecture: String,
    path: String,
    packages: BTreeMap<String, (String, String, String)>,
}

impl ControlIndex {
    /// Returns what an index says of the package with this file.
    pub fn package(&self, path: &str) -> Option<RepositoryPackage> {
        let (name, version, architecture) = self.packages.get(path)?.clone();
        Some(RepositoryPackage {
            name,
            version,
            architecture,
            path: path.to_owned(),
            bytes: 0,
        })
    }

    /// Returns the packages' files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(String::as_str)
    }

    /// Ends an index. Another one may follow.
    pub fn finish(&mut self) {
        self.end_line();
        self.end_stanza();
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_long) {
            return;
        }
        let line = String::from_utf8_lossy(&line);
        if line.trim_end().is_empty() {
            return self.end_stanza();
        }
        let Some((field, value)) = line.split_once(':') else {
            return;
        };
        let place = match field {
            "Package" => &mut self.name,
            "Version" => &mut self.version,
            "Architecture" => &mut self.architecture,
            "Filename" => &mut self.path,
            _ => return,
        };
        value.trim().clone_into(place);
    }

    fn end_stanza(&mut self) {
        let [name, version, architecture, path] = [
            &mut self.name,
            &mut self.version,
            &mut self.architecture,
            &mut self.path,
        ]
        .map(std::mem::take);
        let path = path.strip_prefix("./").unwrap_or(&path);
        let is_all = !name.is_empty() && !path.is_empty();
        if is_all && self.packages.len() < REPOSITORY_FILES_MAX {
            let package = (name, version, architecture);
            self.packages.insert(path.to_owned(), package);
        }
    }
}

impl Write for ControlIndex {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            if self.line.len() + text.len() > LINE_BYTES_MAX {
                self.is_long = true;
                self.line.clear();
            }
            if !self.is_long {
                self.line.extend_from_slice(text);
            }
            if text.len() < part.len() {
                self.end_line();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stanzas_are_read_in_pieces_of_any_length() {
        let long = "x".repeat(3 * LINE_BYTES_MAX);
        let text = format!(
            "Package: vim\nDescription: an editor\n Filename: no\nDepends: {long}\nVersion: 2:9.0\nArchitecture: amd64\nFilename: ./vim.deb\n\n\n\
             Filename: pool/a.deb\nPackage: a\nVersion: 1\n\nPackage: nameless\nVersion: 1"
        );
        for step in [1, 7, 5000, text.len()] {
            let mut index = ControlIndex::default();
            for piece in text.as_bytes().chunks(step) {
                index.write_all(piece).unwrap();
            }
            index.finish();
            let vim = index.package("vim.deb").unwrap();
            assert_eq!(
                (&vim.name[..], &vim.version[..], &vim.architecture[..]),
                ("vim", "2:9.0", "amd64")
            );
            assert_eq!(index.package("pool/a.deb").unwrap().version, "1");
            assert_eq!(index.paths().count(), 2);
        }
    }
}
