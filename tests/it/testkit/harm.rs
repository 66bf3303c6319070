//! Damage to single files: what a bad sector or a bad disk leaves.

use std::fs;
use std::path::Path;

use super::trees::visible;

/// Flips one bit in the middle of a file.
pub fn flip_middle(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

/// Writes over a thousand bytes in the middle of the first file of a volume.
pub fn spoil_volume(volume: &Path) {
    let file = visible(volume).into_iter();
    let mut files = file.filter(|path| path.extension().is_some_and(|end| end == "000"));
    let file = files.next().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 1000].fill(7);
    fs::write(file, bytes).unwrap();
}
