//! Scans the files of a folder or archive once: which folders may be images or packages, and which files may be
//! archives.

use std::collections::BTreeMap;

use memchr::memmem;

use super::package::PackageMarks;
use crate::content::recipe::Content;
use crate::content::recipe::body::FileBody;

/// Most archives in one folder or archive that are searched.
const NESTED_MAX: usize = 1 << 18;
/// Most compressed files of one folder or archive that are reported.
const PACKED_MAX: usize = 1 << 10;
/// Endings of the names of compressed archives.
const PACKED_ENDS: [&[u8]; 13] = [
    b".zst", b".tzst", b".zstd", b".xz", b".txz", b".bz2", b".tbz", b".tbz2", b".lz4", b".lzma",
    b".tar.gz", b".tgz", b".zip",
];
/// How the names of the parts of a Debian package begin. They hold no images, and a repository has thousands.
const PACKAGE_PARTS: [&[u8]; 2] = [b"control.tar.", b"data.tar."];
/// Most tags and revisions of registries in one container.
const LINKS_MAX: usize = 1 << 16;
/// Most folders of one container that may be images or packages.
const FOLDERS_MAX: usize = 1 << 16;

/// The files of one folder that may be marks of something.
#[derive(Default)]
pub(super) struct Marks {
    /// `manifest.json`.
    pub(super) docker: Option<FileBody>,
    /// `index.json`.
    pub(super) index: Option<FileBody>,
    /// Whether it has an `oci-layout`.
    pub(super) is_layout: bool,
    /// `version`, which a folder of skopeo has.
    pub(super) version: Option<FileBody>,
    /// Tags and revisions below `repositories/`, when it is the root of a registry's storage.
    pub(super) links: Vec<(Vec<u8>, FileBody)>,
    /// Marks of a package.
    pub(super) package: PackageMarks,
}

/// The result of scanning a container.
#[derive(Default)]
pub(super) struct FolderScan {
    /// By folder, with a `/` at its end unless it is the top.
    pub(super) folders: BTreeMap<Vec<u8>, Marks>,
    /// Files that may be archives.
    pub(super) nested: Vec<(Vec<u8>, Content)>,
    /// Files whose names say that they are compressed. Reading every file would take long.
    pub(super) packed: Vec<(Vec<u8>, FileBody)>,
    /// Whether there was more than is remembered.
    pub(super) is_cut: bool,
    /// Tags and revisions of registries.
    links: usize,
}

/// Returns whether a file of this path is a part of a Debian package, when its container is one.
pub(super) fn is_package_part(path: &[u8]) -> bool {
    PACKAGE_PARTS.iter().any(|part| path.starts_with(part))
}

impl FolderScan {
    /// Records a file.
    pub(super) fn file(&mut self, path: &[u8], body: FileBody) {
        let is_packed = PACKED_ENDS.iter().any(|end| path.ends_with(end));
        if is_packed && !is_package_part(path) && self.packed.len() < PACKED_MAX {
            self.packed.push((path.to_vec(), body));
        }
        // A tar of one chunk is recognized by its name, because reading every short file would take long.
        if let FileBody::Content(content) = body
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
        self.storage(path, body);
        let is_of_images = matches!(
            name,
            b"manifest.json" | b"index.json" | b"oci-layout" | b"version"
        );
        if is_of_images || PackageMarks::is_mark(name) {
            let Some(marks) = self.folder(folder) else {
                return;
            };
            match name {
                b"manifest.json" => marks.docker = Some(body),
                b"index.json" => marks.index = Some(body),
                b"oci-layout" => marks.is_layout = true,
                b"version" => marks.version = Some(body),
                name => marks.package.file(name, body),
            }
        }
        self.below(folder, name, body);
    }

    /// Records a tag or revision in the storage of a registry: `docker/registry/v2/repositories/NAME/_manifests/...`.
    fn storage(&mut self, path: &[u8], body: FileBody) {
        const ROOT: &[u8] = b"registry/v2/";
        let Some(own) = path.strip_suffix(b"/link") else {
            return;
        };
        let Some(at) = memmem::find(own, ROOT) else {
            return;
        };
        let is_start = at == 0 || own[at - 1] == b'/';
        let (folder, link) = own.split_at(at + ROOT.len());
        let is_link = link.starts_with(b"repositories/")
            && (link.ends_with(b"/current")
                || memmem::find(link, b"/_manifests/revisions/").is_some());
        if !is_start || !is_link || self.links >= LINKS_MAX {
            self.is_cut |= self.links >= LINKS_MAX;
            return;
        }
        self.links += 1;
        if let Some(marks) = self.folder(folder) {
            marks.links.push((link.to_vec(), body));
        }
    }

    /// Records a file that marks the parent of its folder.
    fn below(&mut self, folder: &[u8], name: &[u8], body: FileBody) {
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

    /// Returns the marks of a folder, or `None` when there are too many folders.
    fn folder(&mut self, folder: &[u8]) -> Option<&mut Marks> {
        if self.folders.len() >= FOLDERS_MAX && !self.folders.contains_key(folder) {
            self.is_cut = true;
            return None;
        }
        Some(self.folders.entry(folder.to_vec()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::ChunkId;
    use crate::content::recipe::ChunkRef;

    #[test]
    fn parts_of_debian_packages_are_no_archives_of_images() {
        let mut scan = FolderScan::default();
        let id = ChunkId::of(b"1");
        let body = FileBody::Content(Content::Chunk(ChunkRef { bytes: 1, id }));
        for path in [
            "control.tar.xz",
            "data.tar.zst",
            "images/data.tar.zst",
            "shop.tar.xz",
        ] {
            scan.file(path.as_bytes(), body);
        }
        let packed: Vec<_> = scan.packed.iter().map(|(path, _)| &path[..]).collect();
        assert_eq!(packed, [&b"images/data.tar.zst"[..], b"shop.tar.xz"]);
    }
}
