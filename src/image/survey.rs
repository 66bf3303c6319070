//! One look through the files of a folder or archive: which folders may be images or packages, which files may be archives.

use std::collections::BTreeMap;

use super::package::PackageMarks;
use crate::recipe::Content;
use crate::recipe::body::Body;

/// Archives in one folder or archive that are looked into.
const NESTED_MAX: usize = 1 << 18;
/// Files of one folder or archive that are told to be compressed.
const ZSTD_MAX: usize = 1 << 10;
/// Folders of one holder that may be images or packages.
const FOLDERS_MAX: usize = 1 << 16;

/// What lies in one folder of a holder and may be the mark of something.
#[derive(Default)]
pub(super) struct Marks {
    /// `manifest.json`.
    pub(super) docker: Option<Body>,
    /// `index.json`.
    pub(super) index: Option<Body>,
    /// Whether there is an `oci-layout`.
    pub(super) is_layout: bool,
    /// What may make it a package.
    pub(super) package: PackageMarks,
}

/// What one look through a holder found.
#[derive(Default)]
pub(super) struct Survey {
    /// By folder, with a `/` behind it unless it is the top.
    pub(super) folders: BTreeMap<Vec<u8>, Marks>,
    /// Files that may be archives.
    pub(super) nested: Vec<(Vec<u8>, Content)>,
    /// Files whose names say that they are compressed with zstd: to look at every file for this would take long.
    pub(super) zstd: Vec<(Vec<u8>, Body)>,
    /// Whether there was more than is remembered.
    pub(super) is_cut: bool,
}

impl Survey {
    /// Takes note of a file.
    pub(super) fn file(&mut self, path: &[u8], body: Body) {
        if path.ends_with(b"zst") && self.zstd.len() < ZSTD_MAX {
            self.zstd.push((path.to_vec(), body));
        }
        // A tar of one chunk is known by its name: to read every short file would take long.
        if let Body::Content(content) = body
            && (matches!(content, Content::Blob(_)) || path.ends_with(b".tar"))
        {
            if self.nested.len() < NESTED_MAX {
                self.nested.push((path.to_vec(), content));
            } else {
                self.is_cut = true;
            }
        }
        let at = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |at| at + 1);
        let (folder, name) = path.split_at(at);
        let is_of_images = matches!(name, b"manifest.json" | b"index.json" | b"oci-layout");
        if is_of_images || PackageMarks::is_mark(name) {
            let Some(marks) = self.folder(folder) else {
                return;
            };
            match name {
                b"manifest.json" => marks.docker = Some(body),
                b"index.json" => marks.index = Some(body),
                b"oci-layout" => marks.is_layout = true,
                name => marks.package.file(name, body),
            }
        }
        self.below(folder, name, body);
    }

    /// Takes note of a file that marks the folder around its own.
    fn below(&mut self, folder: &[u8], name: &[u8], body: Body) {
        let Some(path) = folder.strip_suffix(b"/") else {
            return;
        };
        let at = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |at| at + 1);
        let (outer, own) = path.split_at(at);
        if PackageMarks::is_mark_below(own, name)
            && let Some(marks) = self.folder(outer)
        {
            marks.package.file_below(own, name, body);
        }
    }

    /// The marks of a folder; `None` when there are too many.
    fn folder(&mut self, folder: &[u8]) -> Option<&mut Marks> {
        if self.folders.len() >= FOLDERS_MAX && !self.folders.contains_key(folder) {
            self.is_cut = true;
            return None;
        }
        Some(self.folders.entry(folder.to_vec()).or_default())
    }
}
