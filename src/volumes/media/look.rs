//! Identifies what a path without a volume holds, so that the person learns what to give instead.
//!
//! It only reads beginnings and judges by content, and by the name only where content cannot tell. `scan` searches for
//! blocks. This module runs after `scan` found none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::monitor::Silent;
use crate::base::read_at::{ReadAt, read_some};
use crate::volumes::bare_head::BareHead;
use crate::volumes::block::{BLOCK_BYTES, SMALL_BLOCK_BYTES};
use crate::volumes::media::images::packed::PackedKind;
use crate::volumes::media::images::{FileReader, SourceForm};
use crate::volumes::media::page;
use crate::volumes::media::source::{find_sources, is_pipe};
use crate::volumes::media::text_mode::TextMode;
use crate::volumes::media::volume_files;

/// Most files of one folder that are examined.
const FILES_MAX: usize = 200;
/// Places of a file that are tested for anything but zeros.
const SAMPLES: u64 = 16;
/// Offset of an ISO 9660 file system's magic. The offset and length of its label follow.
const ISO_MAGIC_OFFSET: usize = 0x8001;
const ISO_LABEL_OFFSET: usize = 0x8028;
const ISO_LABEL_BYTES: usize = 32;

/// What a given path turned out to be.
#[derive(Debug)]
pub struct LookReport {
    /// The path, or the most telling file below it.
    pub path: PathBuf,
    /// What it holds.
    pub what: NotAVolume,
}

/// Contents that are not a volume.
#[derive(Debug)]
pub enum NotAVolume {
    /// It cannot be opened: no permission, no disc in the drive, a bad connection.
    Closed(io::Error),
    /// It was opened, and its bytes cannot be read.
    Unread(io::Error),
    /// A folder without files that could hold a volume, or an empty file.
    Empty,
    /// A folder with a volume's pages and without its volume files.
    PagesAlone,
    /// A file too short to hold one block.
    Short,
    /// A store's folder.
    Store,
    /// An archive or a compressed file. A volume inside cannot be seen from outside.
    Packed(&'static str),
    /// A packed file that was unpacked, without a volume in it.
    Unpacked(&'static str),
    /// A disk image of a virtual machine whose sectors do not lie in order.
    PackedDisk(&'static str),
    /// A volume that was copied as text.
    CopiedAsText,
    /// A bare bundle whose beginning is damaged or missing in part.
    BareBegin,
    /// Standard input or a pipe.
    Pipe,
    /// A part of a split file, or an incomplete download.
    Piece,
    /// A web page, as servers send instead of the file.
    WebPage,
    /// Only zeros.
    Zeros,
    /// A disc, or an image of one, with other content.
    OtherDisc {
        /// Its label.
        label: String,
    },
    /// Anything else.
    Unknown,
}

impl NotAVolume {
    /// Returns how telling it is. Of the files in a folder, the most telling one is reported.
    fn weight(&self) -> u8 {
        match self {
            Self::Closed(_) | Self::Unread(_) => 6,
            Self::Packed(_)
            | Self::Unpacked(_)
            | Self::PackedDisk(_)
            | Self::Piece
            | Self::Pipe
            | Self::BareBegin
            | Self::CopiedAsText => 5,
            Self::OtherDisc { .. } | Self::PagesAlone | Self::Store => 4,
            Self::WebPage => 3,
            Self::Zeros => 2,
            Self::Short | Self::Empty => 1,
            Self::Unknown => 0,
        }
    }
}

/// Examines each of `paths`.
pub fn look(paths: &[PathBuf]) -> Vec<LookReport> {
    paths.iter().map(|path| look_at(path)).collect()
}

fn look_at(path: &Path) -> LookReport {
    let found = |what| LookReport {
        path: path.to_owned(),
        what,
    };
    if is_pipe(path) {
        return found(NotAVolume::Pipe);
    }
    match fs::metadata(path) {
        Err(error) => found(NotAVolume::Closed(error)),
        Ok(stat) if stat.is_dir() => look_into(path),
        Ok(_) => found(look_at_file(path)),
    }
}

fn look_into(folder: &Path) -> LookReport {
    let found = |what| LookReport {
        path: folder.to_owned(),
        what,
    };
    let mut names = match fs::read_dir(folder) {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok().map(|entry| entry.file_name()))
            .peekable(),
        Err(error) => return found(NotAVolume::Closed(error)),
    };
    if names.peek().is_none() {
        return found(NotAVolume::Empty);
    }
    if folder.join("carryall.toml").is_file() {
        return found(NotAVolume::Store);
    }
    let sources = find_sources(&[folder.to_owned()], &Silent).unwrap_or_default();
    let looks = sources.iter().take(FILES_MAX).map(|source| LookReport {
        path: source.path.clone(),
        what: look_at_file(&source.path),
    });
    // Of several that are equally telling, the first by name is reported.
    let telling = looks.reduce(|best, next| {
        if next.what.weight() > best.what.weight() {
            next
        } else {
            best
        }
    });
    match telling {
        Some(telling) if telling.what.weight() > 0 => telling,
        _ if has_page(folder) => found(NotAVolume::PagesAlone),
        Some(_) => found(NotAVolume::Unknown),
        None => found(NotAVolume::Empty),
    }
}

fn has_page(folder: &Path) -> bool {
    let walk = walkdir::WalkDir::new(folder).max_depth(2).into_iter();
    walk.filter_map(Result::ok)
        .take(FILES_MAX)
        .any(|entry| entry.file_name() == page::HTML_NAME || entry.file_name() == page::TEXT_NAME)
}

fn look_at_file(path: &Path) -> NotAVolume {
    let reader = match FileReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return NotAVolume::Closed(error),
    };
    let mut start = vec![0; BLOCK_BYTES];
    let read = match read_some(&reader, 0, &mut start) {
        Ok(read) => read,
        Err(error) => return NotAVolume::Unread(error),
    };
    let start = &start[..read];
    if start.is_empty() {
        return NotAVolume::Empty;
    }
    if BareHead::is_claimed_by(start) {
        return NotAVolume::BareBegin;
    }
    if let Some(kind) = PackedKind::of(start) {
        let form = SourceForm::of(path, Arc::default());
        let is_unpacked = form.is_ok_and(|(form, _)| form.is_stream());
        return match kind {
            PackedKind::Archive(name) if is_unpacked => NotAVolume::Unpacked(name),
            PackedKind::Archive(name) => NotAVolume::Packed(name),
            PackedKind::Disk(name) => NotAVolume::PackedDisk(name),
        };
    }
    if TextMode::of(&reader).is_some() {
        return NotAVolume::CopiedAsText;
    }
    if is_piece(path) {
        return NotAVolume::Piece;
    }
    if is_web_page(start) {
        return NotAVolume::WebPage;
    }
    if start.get(ISO_MAGIC_OFFSET..ISO_MAGIC_OFFSET + 5) == Some(b"CD001") {
        let label = start.get(ISO_LABEL_OFFSET..ISO_LABEL_OFFSET + ISO_LABEL_BYTES);
        let label = String::from_utf8_lossy(label.unwrap_or_default());
        return NotAVolume::OtherDisc {
            label: label.trim_matches(['\0', ' ']).to_owned(),
        };
    }
    if read < SMALL_BLOCK_BYTES {
        return NotAVolume::Short;
    }
    if is_zeros(start) && samples_are_zeros(&reader) {
        return NotAVolume::Zeros;
    }
    NotAVolume::Unknown
}

fn is_zeros(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn samples_are_zeros(reader: &dyn ReadAt) -> bool {
    let mut sample = [0; 4096];
    (1..SAMPLES).all(|part| {
        let offset = reader.size_bytes() / SAMPLES * part;
        read_some(reader, offset, &mut sample).is_ok_and(|read| is_zeros(&sample[..read]))
    })
}

/// Returns whether the name is that of a part: `.001`, `.part`, `.part2.rar`, `.z01`, `.crdownload`. The bytes of a
/// later part reveal nothing. Volume files have numbers, too, and do not count as parts.
fn is_piece(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_ascii_lowercase();
    if volume_files::is_volume_file_name(&lower) {
        return false;
    }
    let Some((stem, end)) = lower.rsplit_once('.') else {
        return false;
    };
    let digits = |text: &str| text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = |text: &str, word: &str| text.strip_prefix(word).is_some_and(digits);
    let split = stem.rsplit_once('.').is_some_and(|(_, before)| {
        before.strip_prefix("part").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    });
    digits(end)
        || numbered(end, "z")
        || numbered(end, "r")
        || numbered(end, "part")
        || split
        || (end.len() == 2
            && stem.contains('.')
            && end.bytes().all(|byte| byte.is_ascii_lowercase())
            && end.starts_with(['a', 'b']))
        || [
            "part",
            "partial",
            "crdownload",
            "download",
            "aria2",
            "td",
            "xltd",
        ]
        .contains(&end)
}

fn is_web_page(start: &[u8]) -> bool {
    let head = String::from_utf8_lossy(start.get(..512).unwrap_or(start)).to_ascii_lowercase();
    let head = head.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    [
        "<!doctype html",
        "<html",
        "<head",
        "<?xml",
        "{\"error",
        "<error",
    ]
    .iter()
    .any(|begin| head.starts_with(begin))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(name: &str, bytes: &[u8]) -> NotAVolume {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let by_name = look_at(&path).what;
        let by_folder = look_into(dir.path()).what;
        if bytes.len() >= BLOCK_BYTES {
            assert_eq!(format!("{by_name:?}"), format!("{by_folder:?}"), "{name}");
        }
        by_name
    }

    fn long(start: &[u8]) -> Vec<u8> {
        let mut bytes = start.to_vec();
        bytes.resize(3 * BLOCK_BYTES, 7);
        bytes
    }

    #[test]
    fn what_is_no_volume_is_told_by_what_it_is() {
        for (name, magic, kind) in [
            ("v.zip", &b"PK\x03\x04"[..], "zip"),
            ("v.tar.gz", b"\x1f\x8b\x08", "gzip"),
            ("v.7z", b"7z\xbc\xaf\x27\x1c", "7z"),
            ("v.iso.xz", b"\xfd7zXZ\x00", "xz"),
            ("v.zst", b"\x28\xb5\x2f\xfd", "zstd"),
        ] {
            let look = of(name, &long(magic));
            assert!(
                matches!(look, NotAVolume::Packed(found) | NotAVolume::Unpacked(found) if found == kind),
                "{name} {look:?}"
            );
        }
        let mut tar = vec![0; 3 * BLOCK_BYTES];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(matches!(of("v.tar", &tar), NotAVolume::Packed("tar")));
        for name in [
            "v.iso.002",
            "v.part2.rar",
            "v.z01",
            "v.iso.part",
            "v.iso.crdownload",
            "v.iso.ab",
        ] {
            let look = of(name, &long(b"something"));
            assert!(matches!(look, NotAVolume::Piece), "{name} {look:?}");
        }
        assert!(matches!(
            of("carry03.000", &long(b"something")),
            NotAVolume::Unknown
        ));
        assert!(matches!(
            of("v.iso", &long(b"\n<!DOCTYPE HTML>")),
            NotAVolume::WebPage
        ));
        assert!(matches!(
            of("v.iso", &vec![0; 5 * BLOCK_BYTES]),
            NotAVolume::Zeros
        ));
        let mut late = vec![0; 50 * BLOCK_BYTES];
        late[25 * BLOCK_BYTES..].fill(1);
        assert!(matches!(of("v.iso", &late), NotAVolume::Unknown));
        let mut disc = long(b"");
        disc[0x8001..0x8006].copy_from_slice(b"CD001");
        disc[0x8028..0x8048].fill(b' ');
        disc[0x8028..0x802e].copy_from_slice(b"HOLIDA");
        let look = of("v.iso", &disc);
        assert!(
            matches!(&look, NotAVolume::OtherDisc { label } if label == "HOLIDA"),
            "{look:?}"
        );
        assert!(matches!(of("v", b""), NotAVolume::Empty));
        assert!(matches!(of("v", b"x"), NotAVolume::Short));
    }

    #[test]
    fn folders_are_told_by_what_is_in_them() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(look_into(dir.path()).what, NotAVolume::Empty));
        fs::write(dir.path().join("START-HERE.html"), "x").unwrap();
        assert!(matches!(look_into(dir.path()).what, NotAVolume::PagesAlone));
        fs::write(dir.path().join("a.bin"), long(b"x")).unwrap();
        fs::write(dir.path().join("b.zip"), long(b"PK\x03\x04")).unwrap();
        let looked = look_into(dir.path());
        assert!(matches!(looked.what, NotAVolume::Packed("zip")) && looked.path.ends_with("b.zip"));
        let gone = look_at(&dir.path().join("none"));
        assert!(matches!(gone.what, NotAVolume::Closed(_)));
    }
}
