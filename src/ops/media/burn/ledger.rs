//! Which volumes were burned and found good: a line each, in a hidden file beside the volumes.
//!
//! It is advice. Losing it burns a volume once more.

use std::fs::{self, OpenOptions};
use std::io::Write;

use crate::base::fs::parent_of;
use crate::volumes::at_hand::VolumeAtHand;

const NAME: &str = ".carryall-burned";
/// Most bytes of the file that are looked at.
const BYTES_MAX: u64 = 1 << 20;

/// Returns whether this volume, of this set, is noted.
pub(super) fn has(volume: &VolumeAtHand) -> bool {
    let path = parent_of(&volume.path).join(NAME);
    let is_ours =
        fs::symlink_metadata(&path).is_ok_and(|stat| stat.is_file() && stat.len() <= BYTES_MAX);
    let line = line(volume);
    is_ours && fs::read_to_string(path).is_ok_and(|text| text.lines().any(|noted| noted == line))
}

/// Notes a volume. A folder that cannot be written to has no notes, and its volumes are burned again.
pub(super) fn add(volume: &VolumeAtHand) {
    if has(volume) {
        return;
    }
    let path = parent_of(&volume.path).join(NAME);
    if fs::symlink_metadata(&path).is_ok_and(|stat| !stat.is_file()) {
        return;
    }
    let file = OpenOptions::new().append(true).create(true).open(path);
    let noted = file.and_then(|mut file| {
        // A line that was cut by a power cut ends here.
        file.write_all(format!("\n{}\n", line(volume)).as_bytes())?;
        file.sync_all()
    });
    // Nothing depends on it.
    let _ = noted;
}

fn line(volume: &VolumeAtHand) -> String {
    format!("{} {}", volume.facts.set_id, volume.facts.volume_no)
}
