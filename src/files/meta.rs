//! Reads the metadata of files from the file system and restores it.
//!
//! Restoring never fails as a whole, because the bytes are there. What the system refuses is reported in findings.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{
    AtFlags, Gid, IFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags,
};

use super::LayoutError;
use super::privileges::{Privileges, Withheld};
use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::Finding;
use crate::base::limits::{XATTR_BYTES_MAX, XATTRS_BYTES_MAX};
use crate::base::term::Action;
use crate::content::release::Refusal;
use crate::content::release::{Meta, Xattr};

/// Flags set with `chattr` that are not carried, by the letters that `lsattr` shows.
const FLAGS: [(IFlags, char); 13] = [
    (IFlags::SECURE_REMOVAL, 's'),
    (IFlags::UNRM, 'u'),
    (IFlags::SYNC, 'S'),
    (IFlags::DIRSYNC, 'D'),
    (IFlags::IMMUTABLE, 'i'),
    (IFlags::APPEND, 'a'),
    (IFlags::NODUMP, 'd'),
    (IFlags::NOATIME, 'A'),
    (IFlags::COMPRESSED, 'c'),
    (IFlags::JOURNALING, 'j'),
    (IFlags::TOPDIR, 'T'),
    (IFlags::NOCOW, 'C'),
    (IFlags::PROJECT_INHERIT, 'P'),
];

/// Attributes that a folder's default ACL gives to every file made in it.
const ACLS: [&str; 2] = ["system.posix_acl_access", "system.posix_acl_default"];

/// Removes the ACL that a new file or folder inherited from its parent folder. The item's own ACLs are set later, if it
/// has any.
pub(super) fn drop_inherited_acl(file: impl AsFd) {
    for name in ACLS {
        // The attribute is rarely present. A file system that cannot remove it never had it.
        let _ = rustix::fs::fremovexattr(&file, name);
    }
}

/// Reads metadata. Keeps a buffer for extended attributes, and notes what is not carried.
pub(crate) struct MetaReader {
    names: Vec<u8>,
    value: Vec<u8>,
    notes: Vec<Finding>,
    notes_more: u64,
}

impl Default for MetaReader {
    fn default() -> Self {
        Self {
            names: vec![0; XATTR_BYTES_MAX],
            value: vec![0; XATTR_BYTES_MAX],
            notes: Vec::new(),
            notes_more: 0,
        }
    }
}

impl MetaReader {
    /// Joins the result of `stat` with the extended attributes of `path`, whose links are not followed. `shown` is the
    /// path that people know.
    ///
    /// # Errors
    /// [`LayoutError::Io`], or [`LayoutError::Unfit`] when there are more attributes than a record holds.
    pub fn read(
        &mut self,
        path: &Path,
        shown: &Path,
        stat: &std::fs::Metadata,
    ) -> Result<Meta, LayoutError> {
        if stat.is_file() || stat.is_dir() {
            self.note_flags(path, shown);
        }
        Ok(Meta {
            mode: stat.mode() & 0o7777,
            uid: stat.uid(),
            gid: stat.gid(),
            mtime_s: stat.mtime(),
            mtime_ns: u32::try_from(stat.mtime_nsec()).unwrap_or_default(),
            xattrs: self.xattrs(path).map_err(|error| error.called(shown))?,
        })
    }

    /// Returns what was noted. `subject` is the item.
    pub fn finish(self, subject: &str) -> Vec<Finding> {
        let mut notes = self.notes;
        notes.extend(more_of(subject, self.notes_more));
        notes
    }

    fn note_flags(&mut self, path: &Path, shown: &Path) {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // Few file systems have flags, and a file without them is still whole.
        let Ok(flags) = rustix::fs::open(path, flags, Mode::empty())
            .and_then(|file| rustix::fs::ioctl_getflags(&file))
        else {
            return;
        };
        let set = FLAGS.iter().filter(|(flag, _)| flags.contains(*flag));
        let letters: String = set.map(|(_, letter)| *letter).collect();
        if letters.is_empty() {
            return;
        }
        if self.notes.len() < FINDINGS_MAX {
            let what = diagnostic!("files.flags_not_carried", flags = letters);
            self.notes
                .push(Finding::note(shown.display().to_string(), what));
        } else {
            self.notes_more += 1;
        }
    }

    fn xattrs(&mut self, path: &Path) -> Result<Vec<Xattr>, LayoutError> {
        let failed =
            |error: rustix::io::Errno| LayoutError::io(Action::ReadAttributes, path)(error.into());
        let len = match rustix::fs::llistxattr(path, &mut self.names[..]) {
            Ok(len) => len,
            Err(rustix::io::Errno::NOTSUP) => 0,
            Err(error) => return Err(failed(error)),
        };
        let mut xattrs = Vec::new();
        let mut total = 0;
        for name in self.names[..len].split(|byte| *byte == 0) {
            if name.is_empty() {
                continue;
            }
            let len = match rustix::fs::lgetxattr(path, name, &mut self.value[..]) {
                Ok(len) => len,
                // The file system lists the attribute, but it is not there or not readable for this user.
                Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => continue,
                Err(error) => return Err(failed(error)),
            };
            total += name.len() + len;
            if total > XATTRS_BYTES_MAX {
                return Err(LayoutError::Unfit {
                    path: path.to_owned(),
                    why: Refusal::Attributes,
                });
            }
            xattrs.push(Xattr {
                name: name.to_vec(),
                value: self.value[..len].to_vec(),
            });
        }
        xattrs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(xattrs)
    }
}

/// Reports findings that are counted and not listed one by one.
fn more_of(subject: &str, count: u64) -> Option<Finding> {
    (count > 0).then(|| Finding::note(subject, diagnostic!("files.more_of_this_kind", count)))
}

/// A part of the metadata that one system call restores.
#[derive(Debug, Clone, Copy)]
enum MetaPart {
    Owner,
    Mode,
    Time,
}

/// Restores metadata, and counts what could not be restored.
pub(crate) struct MetaWriter {
    privileges: Privileges,
    withheld: Withheld,
    other_owners: u64,
    refused: Vec<Finding>,
    refused_more: u64,
}

/// Findings about the metadata of one item. Any beyond this number are only counted.
const FINDINGS_MAX: usize = 20;

impl MetaWriter {
    /// Starts with nothing refused.
    pub fn new(privileges: Privileges) -> Self {
        Self {
            privileges,
            withheld: Withheld::default(),
            other_owners: 0,
            refused: Vec::new(),
            refused_more: 0,
        }
    }

    /// Restores the metadata of an open file or folder.
    pub fn put(&mut self, file: impl AsFd, path: &Path, meta: &Meta) {
        if self.takes_owner(meta) {
            let owner = rustix::fs::fchown(&file, Some(uid(meta)), Some(gid(meta)));
            self.note(path, MetaPart::Owner, owner);
        }
        // Attributes come before the mode, which may take away the right to write.
        for xattr in &meta.xattrs {
            if self.takes_attribute(path, xattr) {
                let (name, value) = (&xattr.name[..], &xattr.value);
                let set = rustix::fs::fsetxattr(&file, name, value, XattrFlags::empty());
                self.note_attribute(path, name, set);
            }
        }
        let mode = self.mode(path, meta);
        self.note(path, MetaPart::Mode, rustix::fs::fchmod(&file, mode));
        self.note(
            path,
            MetaPart::Time,
            rustix::fs::futimens(&file, &times(meta)),
        );
    }

    /// Restores the metadata of an entry that cannot be opened: a link, a pipe or a device called `name` in the folder
    /// `parent`.
    pub(crate) fn put_at(
        &mut self,
        parent: impl AsFd,
        name: &[u8],
        path: &Path,
        meta: &Meta,
        link: FollowLink,
    ) {
        let parent = parent.as_fd();
        if self.takes_owner(meta) {
            let (uid, gid) = (Some(uid(meta)), Some(gid(meta)));
            let owner = rustix::fs::chownat(parent, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
            self.note(path, MetaPart::Owner, owner);
        }
        if !meta.xattrs.is_empty() {
            // No call takes a folder's handle, so the handle's entry in /proc is used.
            let folder = format!("/proc/self/fd/{}", parent.as_raw_fd());
            let there = Path::new(&folder).join(std::ffi::OsStr::from_bytes(name));
            for xattr in &meta.xattrs {
                if self.takes_attribute(path, xattr) {
                    let (name, value) = (&xattr.name[..], &xattr.value);
                    let set = rustix::fs::lsetxattr(&there, name, value, XattrFlags::empty());
                    self.note_attribute(path, name, set);
                }
            }
        }
        if link == FollowLink::No {
            let mode = self.mode(path, meta);
            let set = rustix::fs::chmodat(parent, name, mode, AtFlags::empty());
            self.note(path, MetaPart::Mode, set);
        }
        let set = rustix::fs::utimensat(parent, name, &times(meta), AtFlags::SYMLINK_NOFOLLOW);
        self.note(path, MetaPart::Time, set);
    }

    /// Returns whether a device may be made, and notes it when it may not.
    pub fn takes_device(&mut self, path: &Path) -> bool {
        let is_allowed = self.privileges == Privileges::Restored;
        if !is_allowed {
            self.withheld.device(&path.display().to_string());
        }
        is_allowed
    }

    /// Reports something else that was not restored although no bytes are lost.
    pub fn refuse(&mut self, path: &Path, what: Diagnostic) {
        if self.refused.len() < FINDINGS_MAX {
            let finding = Finding::note(path.display().to_string(), what);
            self.refused.push(finding);
        } else {
            self.refused_more += 1;
        }
    }

    /// Returns what was not restored. `subject` is the item.
    pub fn finish(mut self, subject: &str) -> Vec<Finding> {
        self.refused.extend(more_of(subject, self.refused_more));
        if self.other_owners > 0 {
            let what = diagnostic!("files.owners_not_restored", count = self.other_owners);
            self.refused.push(Finding::note(subject, what));
        }
        self.refused.extend(self.withheld.into_findings(subject));
        self.refused
    }

    fn takes_owner(&mut self, meta: &Meta) -> bool {
        let user = rustix::process::geteuid();
        match self.privileges {
            Privileges::Withheld => self.withheld.owner(meta),
            Privileges::Restored if user.is_root() => return true,
            Privileges::Restored => self.other_owners += u64::from(meta.uid != user.as_raw()),
        }
        false
    }

    fn mode(&mut self, path: &Path, meta: &Meta) -> Mode {
        let mode = meta.mode & 0o7777;
        Mode::from_raw_mode(match self.privileges {
            Privileges::Withheld => self.withheld.mode(&path.display().to_string(), mode),
            Privileges::Restored => mode,
        })
    }

    fn takes_attribute(&mut self, path: &Path, xattr: &Xattr) -> bool {
        self.privileges == Privileges::Restored
            || self.withheld.allows(&path.display().to_string(), xattr)
    }

    fn note_attribute(&mut self, path: &Path, name: &[u8], result: rustix::io::Result<()>) {
        if let Err(error) = result {
            let (name, why) = (
                &*String::from_utf8_lossy(name),
                Arg::caught(io::Error::from(error)),
            );
            self.refuse(path, diagnostic!("files.attribute_not_restored", name, why));
        }
    }

    fn note(&mut self, path: &Path, what: MetaPart, result: rustix::io::Result<()>) {
        if let Err(error) = result {
            let why = Arg::caught(io::Error::from(error));
            self.refuse(
                path,
                match what {
                    MetaPart::Owner => diagnostic!("files.owner_not_restored", why),
                    MetaPart::Mode => diagnostic!("files.mode_not_restored", why),
                    MetaPart::Time => diagnostic!("files.time_not_restored", why),
                },
            );
        }
    }
}

/// Whether an entry is a symbolic link, which has no mode of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FollowLink {
    /// It is.
    Yes,
    /// It is not.
    No,
}

fn uid(meta: &Meta) -> Uid {
    Uid::from_raw(meta.uid)
}

fn gid(meta: &Meta) -> Gid {
    Gid::from_raw(meta.gid)
}

fn times(meta: &Meta) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: meta.mtime_s,
            tv_nsec: meta.mtime_ns.min(999_999_999).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn owners_and_bits_are_withheld_and_told_once() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("file");
        let file = std::fs::File::create(&path).unwrap();
        let before = file.metadata().unwrap().uid();
        let meta = Meta {
            mode: 0o6640,
            uid: before + 1,
            mtime_s: 7,
            ..Meta::default()
        };
        let mut writer = MetaWriter::new(Privileges::Withheld);
        for _ in 0..3 {
            writer.put(&file, &path, &meta);
        }
        let codes: Vec<String> = writer
            .finish("item")
            .iter()
            .map(|finding| finding.what.code().to_owned())
            .collect();
        assert_eq!(codes, ["files.owners_withheld", "files.set_id_withheld"]);
        let stat = file.metadata().unwrap();
        assert_eq!(
            (stat.uid(), stat.mode() & 0o7777, stat.mtime()),
            (before, 0o640, 7)
        );
    }

    #[test]
    fn refusals_are_notes_and_not_without_end() {
        let dir = tempfile::TempDir::new().unwrap();
        let file = std::fs::File::open(dir.path()).unwrap();
        let xattr = Xattr {
            name: b"no-such-namespace.x".to_vec(),
            value: vec![1],
        };
        let meta = Meta {
            mode: 0o700,
            xattrs: vec![xattr; 50],
            ..Meta::default()
        };
        let mut writer = MetaWriter::new(Privileges::Withheld);
        writer.put(&file, dir.path(), &meta);
        let findings = writer.finish("item");
        assert!(
            findings.iter().any(
                |finding| finding.what == diagnostic!("files.more_of_this_kind", count = 30_u8)
            )
        );
    }
}
