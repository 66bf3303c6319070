//! Map files of ddrescue: which bytes of an image were never read. A map lies beside its image, or is named like a
//! medium.
//!
//! In an image these bytes are zeros, and zeros may be payload as well. With its map they are known to be missing. A map
//! may be old or belong to another image, so only zeros are taken for missing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Most bytes of a map that are read.
const MAP_MAX_BYTES: u64 = 64 << 20;
/// Smallest sector of any medium.
const SECTOR_BYTES: u64 = 512;
/// How a map begins. The command that wrote it is in the next line.
const FIRST_LINE: &str = "# Mapfile. Created by GNU ddrescue";
const COMMAND_MAX_BYTES: u64 = 64 << 10;
/// Suffixes of maps, behind the image's name or in place of its own suffix.
const SUFFIXES: [&str; 2] = ["map", "mapfile"];

/// Bytes of an image that its map does not list as read, in order.
#[derive(Debug, Default)]
pub(super) struct RescueMap {
    missing: Vec<Range<u64>>,
}

impl RescueMap {
    /// Reads the map beside an image. Without one, nothing is missing.
    fn beside(image: &Path) -> Self {
        let maps = names_of(image).filter(|name| name != image && name.is_file());
        let missing = maps.filter_map(|path| read(&path)).next();
        Self {
            missing: missing.unwrap_or_default(),
        }
    }

    /// Reads the map of an image that lies elsewhere, or without one the map beside it.
    pub(super) fn of(image: &Path, elsewhere: Option<&Path>) -> Self {
        match elsewhere.and_then(read) {
            Some(missing) => Self { missing },
            None => Self::beside(image),
        }
    }

    /// Returns whether nothing is known to be missing.
    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// Returns how many of the bytes that were read at `offset` come before the first missing one.
    pub(super) fn there(&self, offset: u64, bytes: &[u8]) -> usize {
        let end = offset + bytes.len() as u64;
        let first = self.missing.partition_point(|range| range.end <= offset);
        let within = |at: u64| usize::try_from(at - offset).unwrap_or(usize::MAX);
        for range in self.missing[first..]
            .iter()
            .take_while(|range| range.start < end)
        {
            let mut at = range.start.max(offset);
            while at < range.end.min(end) {
                let next = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES)
                    .min(range.end)
                    .min(end);
                if bytes[within(at)..within(next)]
                    .iter()
                    .all(|byte| *byte == 0)
                {
                    return within(at);
                }
                at = next;
            }
        }
        bytes.len()
    }
}

/// Returns the names that the map of an image may have beside it.
fn names_of(image: &Path) -> impl Iterator<Item = PathBuf> {
    SUFFIXES.iter().flat_map(|suffix| {
        let mut behind = image.as_os_str().to_owned();
        behind.push(".");
        behind.push(suffix);
        [PathBuf::from(behind), image.with_extension(suffix)]
    })
}

fn read(map: &Path) -> Option<Vec<Range<u64>>> {
    parse(BufReader::new(File::open(map).ok()?).take(MAP_MAX_BYTES))
}

/// Maps that were named like media, for images that lie elsewhere.
#[derive(Debug, Default)]
pub(super) struct NamedMaps(Vec<NamedMap>);

#[derive(Debug)]
struct NamedMap {
    path: PathBuf,
    /// The command that wrote it, which names the image.
    command: String,
}

/// Returns whether a file is a map of ddrescue.
pub(crate) fn is_rescue_map(path: &Path) -> bool {
    command_of(path).is_some()
}

/// Returns the line of a map with the command that wrote it.
fn command_of(map: &Path) -> Option<String> {
    let is_file = std::fs::metadata(map).is_ok_and(|stat| stat.is_file());
    let file = is_file.then(|| File::open(map).ok()).flatten()?;
    let mut lines = BufReader::new(file.take(COMMAND_MAX_BYTES)).lines();
    let first = lines.next()?.ok()?;
    let command = || lines.next().and_then(Result::ok).unwrap_or_default();
    first.starts_with(FIRST_LINE).then(command)
}

impl NamedMaps {
    /// Takes a file when it is a map of ddrescue.
    pub(super) fn take(&mut self, path: &Path) -> bool {
        let Some(command) = command_of(path) else {
            return false;
        };
        let path = path.to_owned();
        self.0.push(NamedMap { path, command });
        true
    }

    /// Returns the map of an image: the one with its name, the one whose command names it, or the only one for the only
    /// image. Each map belongs to one image.
    pub(super) fn take_for(&mut self, image: &Path, is_only: bool) -> Option<PathBuf> {
        let is_named = |map: &NamedMap| {
            let mut names = names_of(image);
            names.any(|name| name.file_name() == map.path.file_name())
        };
        let is_written = |map: &NamedMap| {
            // The image comes last but one, and the map last.
            let written = map.command.split_whitespace().rev().nth(1);
            written.is_some_and(|word| Path::new(word).file_name() == image.file_name())
        };
        let maps = &self.0;
        let at = maps
            .iter()
            .position(is_named)
            .or_else(|| maps.iter().position(is_written))
            .or_else(|| (is_only && maps.len() == 1).then_some(0))?;
        Some(self.0.remove(at).path)
    }

    /// Returns the maps that belong to no image.
    pub(super) fn left(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|map| map.path.as_path())
    }
}

/// Reads the lines of a map: comments, a line with the state of the whole, and stretches with place, size and status.
/// Returns `None` for anything else.
fn parse(map: impl BufRead) -> Option<Vec<Range<u64>>> {
    let mut lines = map.lines().map_while(Result::ok).peekable();
    if !lines.peek()?.starts_with(FIRST_LINE) {
        return None;
    }
    let mut lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.next()?;
    let mut missing: Vec<Range<u64>> = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let start = number(words.next()?)?;
        let end = start.checked_add(number(words.next()?)?)?;
        let is_read = match words.next()? {
            "+" => true,
            "?" | "*" | "/" | "-" => false,
            _ => return None,
        };
        // Stretches follow one another.
        if missing.last().is_some_and(|last| last.end > start) {
            return None;
        }
        if !is_read {
            missing.push(start..end);
        }
    }
    Some(missing)
}

fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
    use super::*;

    const MAP: &str = "# Mapfile. Created by GNU ddrescue version 1.27\n# Command line: ddrescue\n\
        # current_pos  current_status  current_pass\n0x00001000     ?               1\n\
        #      pos        size  status\n0x00000000  0x00001000  +\n0x00001000  0x00000800  -\n\
        0x00001800  0x00000800  +\n0x00002000  0x00001000  ?\n";

    #[test]
    fn what_is_not_listed_as_read_is_missing_where_it_is_zero() {
        let missing = parse(MAP.as_bytes()).unwrap();
        assert_eq!(missing, [0x1000..0x1800, 0x2000..0x3000]);
        let map = RescueMap { missing };
        let mut bytes = vec![7; 0x3000];
        // The map is old, and all was read since.
        assert_eq!(map.there(0, &bytes), 0x3000);
        bytes[0x1200..0x1400].fill(0);
        assert_eq!(map.there(0, &bytes), 0x1200);
        assert_eq!(map.there(0x1000, &bytes[0x1000..]), 0x200);
        assert_eq!(map.there(0x1400, &bytes[0x1400..]), 0x1c00);
        // Zeros that were read are zeros.
        bytes[0x1800..0x2000].fill(0);
        assert_eq!(map.there(0x1400, &bytes[0x1400..]), 0x1c00);
    }

    #[test]
    fn other_files_are_no_maps() {
        for text in ["", "0x0 0x10 +\n", "# Mapfile. Created by GNU ddrescue\n"] {
            assert!(parse(text.as_bytes()).unwrap_or_default().is_empty());
        }
        assert_eq!(parse(MAP.replace("  -\n", "  x\n").as_bytes()), None);
        assert_eq!(
            parse(MAP.replace("0x00002000", "0x00000100").as_bytes()),
            None
        );
    }

    #[test]
    fn maps_elsewhere_find_their_images() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, command: &str| {
            let path = dir.path().join(name);
            let text = MAP.replace("# Command line: ddrescue", command);
            std::fs::write(&path, text).unwrap();
            path
        };
        let mut maps = NamedMaps::default();
        let by_name = put("one.map", "# Command line: ddrescue");
        let by_command = put("log", "# Command line: ddrescue /dev/sr0 out/two.img log");
        let other = dir.path().join("one.img");
        std::fs::write(&other, [0; 10]).unwrap();
        assert!(maps.take(&by_name) && maps.take(&by_command) && !maps.take(&other));
        assert_eq!(maps.take_for(Path::new("/a/three.img"), false), None);
        let two = maps.take_for(Path::new("/a/two.img"), false);
        assert_eq!(two, Some(by_command));
        let of = RescueMap::of(Path::new("/a/one.img"), Some(&by_name));
        assert_eq!(of.missing.len(), 2);
        // The only map of the only image needs no name.
        let any = maps.take_for(Path::new("/a/any.img"), true);
        assert_eq!(any, Some(by_name));
        assert_eq!(maps.left().count(), 0);
    }

    #[test]
    fn a_map_is_found_by_both_names() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("volume2.img");
        for name in ["volume2.map", "volume2.img.mapfile"] {
            std::fs::write(dir.path().join(name), MAP).unwrap();
            assert_eq!(RescueMap::beside(&image).missing.len(), 2, "{name}");
            std::fs::remove_file(dir.path().join(name)).unwrap();
        }
        assert!(RescueMap::beside(&image).missing.is_empty());
    }
}
