//! What xorriso says of the disc in a drive.

use serde::Serialize;

use crate::volumes::media::kind::SECTOR_BYTES;

/// Whether a disc can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscStatus {
    /// There is no disc, or none that the drive understands.
    None,
    /// Nothing is on it.
    Blank,
    /// Something is on it.
    Written,
}

/// The disc in a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscState {
    /// Its kind, as the drive says it: `BD-R sequential recording`.
    pub kind: String,
    /// Whether it can be written.
    pub status: DiscStatus,
    /// Bytes that can be written to it. What is on a rewritable disc counts as free.
    pub room_bytes: u64,
}

impl DiscState {
    /// Returns whether what is on it can be erased.
    pub fn is_erasable(&self) -> bool {
        let kinds = ["RW", "BD-RE", "RAM", "overwriteable"];
        kinds.iter().any(|kind| self.kind.contains(kind))
    }

    pub(super) fn is_cd(&self) -> bool {
        self.kind.starts_with("CD")
    }

    /// Returns whether the drive checks every block while it writes, which halves the speed.
    pub(super) fn has_defect_management(&self) -> bool {
        self.kind.contains("BD-RE") || self.kind.contains("DVD-RAM")
    }
}

/// Reads the answer to `-toc -tell_media_space`. Returns `None` when it is no answer.
pub(super) fn parse(said: &str) -> Option<DiscState> {
    let after = |label: &str| {
        let mut lines = said.lines().rev();
        let line = lines.find_map(|line| line.trim().strip_prefix(label))?;
        Some(line.trim_start_matches([' ', ':']).trim())
    };
    let kind = after("Media current")?.to_owned();
    let status = match after("Media status").unwrap_or_default() {
        text if text.contains("is blank") => DiscStatus::Blank,
        text if text.contains("is written") => DiscStatus::Written,
        _ => DiscStatus::None,
    };
    let sectors = |text: &str| text.trim_end_matches('s').trim().parse::<u64>().ok();
    let free = after("Media space").and_then(sectors).unwrap_or(0);
    let overall = after("Media blocks").and_then(|text| {
        let overall = text
            .split(',')
            .find_map(|part| part.trim().strip_suffix(" overall"));
        sectors(overall?)
    });
    let mut disc = DiscState {
        kind,
        status,
        room_bytes: 0,
    };
    let room = if disc.is_erasable() && status == DiscStatus::Written {
        overall.unwrap_or(free).max(free)
    } else {
        free
    };
    disc.room_bytes = room.saturating_mul(SECTOR_BYTES);
    Some(disc)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_xorriso_says_is_understood() {
        let blank = "Drive current: -outdev '/dev/sr0'\nMedia current: BD-R sequential recording\n\
             Media status : is blank\nMedia summary: 0 sessions, 0 data blocks, 0 data, 23.3g free\n\
             Media blocks : 0 readable , 12219392 writable , 12219392 overall\nMedia space  : 12219392s\n";
        let disc = parse(blank).unwrap();
        assert_eq!(disc.status, DiscStatus::Blank);
        assert_eq!(disc.room_bytes, 12_219_392 * 2048);
        assert!(!disc.is_erasable() && !disc.is_cd() && !disc.has_defect_management());
        let used = "Media current: CD-RW\nMedia status : is written , is closed\n\
             Media blocks : 1664 readable , 0 writable , 359848 overall\nMedia space  : 0s\n";
        let disc = parse(used).unwrap();
        assert_eq!(
            (disc.status, disc.room_bytes),
            (DiscStatus::Written, 359_848 * 2048)
        );
        assert!(disc.is_erasable() && disc.is_cd());
        let once = used.replace("CD-RW", "DVD+R");
        assert_eq!(parse(&once).unwrap().room_bytes, 0);
        assert!(!parse(&once).unwrap().is_erasable());
        let empty = "Media current: is not present\nMedia status : is not present\n";
        assert_eq!(parse(empty).unwrap().status, DiscStatus::None);
        assert!(parse("xorriso : FAILURE : Cannot acquire drive\n").is_none());
        assert!(
            parse(&used.replace("CD-RW", "BD-RE"))
                .unwrap()
                .has_defect_management()
        );
    }
}
