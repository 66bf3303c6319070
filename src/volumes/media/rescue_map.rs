//! Map files that ddrescue writes beside an image: which bytes of it were never read.
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
/// Suffixes of maps, behind the image's name or in place of its own suffix.
const SUFFIXES: [&str; 2] = ["map", "mapfile"];

/// Bytes of an image that its map does not list as read, in order.
#[derive(Debug, Default)]
pub(super) struct RescueMap {
    missing: Vec<Range<u64>>,
}

impl RescueMap {
    /// Reads the map beside an image. Without one, nothing is missing.
    pub(super) fn beside(image: &Path) -> Self {
        let names = SUFFIXES.iter().flat_map(|suffix| {
            let mut behind = image.as_os_str().to_owned();
            behind.push(".");
            behind.push(suffix);
            [PathBuf::from(behind), image.with_extension(suffix)]
        });
        let maps = names.filter(|name| name != image && name.is_file());
        let read =
            |path: PathBuf| parse(BufReader::new(File::open(path).ok()?).take(MAP_MAX_BYTES));
        let missing = maps.filter_map(read).next().unwrap_or_default();
        Self { missing }
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

/// Reads the lines of a map: comments, a line with the state of the whole, and stretches with place, size and status.
/// Returns `None` for anything else.
fn parse(map: impl BufRead) -> Option<Vec<Range<u64>>> {
    let mut lines = map.lines().map_while(Result::ok).peekable();
    if !lines
        .peek()?
        .starts_with("# Mapfile. Created by GNU ddrescue")
    {
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
