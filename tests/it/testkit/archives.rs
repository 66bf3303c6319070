//! Tars and gzip streams.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A tar of files that were changed at the beginning of time.
pub fn tar_of<N: AsRef<str>>(members: &[(N, Vec<u8>)]) -> Vec<u8> {
    tar_at(members, 0)
}

/// A tar of files that were all changed at one time.
pub fn tar_at<N: AsRef<str>>(members: &[(N, Vec<u8>)], mtime: u64) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, body) in members {
        append_at(&mut tar, name.as_ref(), body, mtime);
    }
    tar.into_inner().unwrap()
}

/// Appends a file.
pub fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, body: &[u8]) {
    append_at(tar, name, body, 0);
}

fn append_at(tar: &mut tar::Builder<Vec<u8>>, name: &str, body: &[u8], mtime: u64) {
    let mut header = tar::Header::new_ustar();
    header.set_size(body.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(mtime);
    // Names that leave the archive are written as they are.
    let field = &mut header.as_old_mut().name;
    assert!(name.len() <= field.len());
    field[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    tar.append(&header, body).unwrap();
}

/// Appends a symbolic link.
pub fn append_link(tar: &mut tar::Builder<Vec<u8>>, name: &str, target: &str) {
    let mut header = tar::Header::new_ustar();
    header.set_size(0);
    header.set_entry_type(tar::EntryType::Symlink);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    tar.append(&header, &[][..]).unwrap();
}

/// A gzip stream of the usual level.
pub fn gzip(plain: &[u8]) -> Vec<u8> {
    gzip_at(plain, 6)
}

/// A gzip stream of a level.
pub fn gzip_at(plain: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
