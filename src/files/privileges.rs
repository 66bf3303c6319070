//! Metadata that gives power beyond the bytes of a file, and the list of what was withheld of it.
//!
//! A release may come from anyone. What makes a file run with another's rights, or reach a device, is therefore given
//! out only when it is asked for.

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::content::release::{Meta, Xattr};

/// What becomes of owners, setuid and setgid bits, security attributes and devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Privileges {
    /// They are left out and listed. Everything belongs to the user who runs the program.
    #[default]
    Withheld,
    /// They are restored as far as the system allows it. Most of it needs root.
    Restored,
}

/// The bits of a mode that lend the rights of the owner or the group.
const SET_ID_BITS: u32 = 0o6000;
/// Namespaces of extended attributes that the kernel and security modules act on. Capabilities are among them.
const POWERFUL_NAMESPACES: [&[u8]; 2] = [b"security.", b"trusted."];
/// Names in one finding. Any beyond this number are only counted.
const NAMES_MAX: usize = 20;

/// Entries that lost something of one kind.
#[derive(Debug, Default)]
struct Listed {
    count: u64,
    names: Vec<String>,
    has_more: bool,
}

impl Listed {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.iter().any(|known| known == name) {
            return;
        }
        if self.names.len() < NAMES_MAX {
            self.names.push(name.to_owned());
        } else {
            self.has_more = true;
        }
    }

    fn names(&self) -> Arg {
        let mut names = self.names.join(", ");
        if self.has_more {
            names += ", …";
        }
        Arg::from(names)
    }
}

/// Everything that was withheld of one item.
#[derive(Debug, Default)]
pub(super) struct Withheld {
    owners: Listed,
    set_id: Listed,
    attributes: Listed,
    devices: Listed,
}

impl Withheld {
    /// Notes the owner and group of an entry, unless they are those of this process.
    pub fn owner(&mut self, meta: &Meta) {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        if (meta.uid, meta.gid) != (uid.as_raw(), gid.as_raw()) {
            self.owners.add(&format!("{}:{}", meta.uid, meta.gid));
        }
    }

    /// Returns the mode without what lends rights.
    pub fn mode(&mut self, path: &str, mode: u32) -> u32 {
        if mode & SET_ID_BITS != 0 {
            self.set_id.add(path);
        }
        mode & !SET_ID_BITS
    }

    /// Returns whether an extended attribute may be restored.
    pub fn allows(&mut self, path: &str, xattr: &Xattr) -> bool {
        let is_powerful = |namespace: &&[u8]| xattr.name.starts_with(namespace);
        let is_withheld = POWERFUL_NAMESPACES.iter().any(is_powerful);
        if is_withheld {
            self.attributes.add(path);
        }
        !is_withheld
    }

    /// Notes a device, or another name of one.
    pub fn device(&mut self, path: &str) {
        self.devices.add(path);
    }

    /// Returns a note for each kind. `subject` is the item.
    pub fn into_findings(self, subject: &str) -> Vec<Finding> {
        let Self {
            owners,
            set_id,
            attributes,
            devices,
        } = self;
        let mut notes = Vec::new();
        let mut note = |what| notes.push(Finding::note(subject, what));
        if owners.count > 0 {
            let (count, owners) = (owners.count, owners.names());
            note(diagnostic!("files.owners_withheld", count, owners));
        }
        if set_id.count > 0 {
            let (count, paths) = (set_id.count, set_id.names());
            note(diagnostic!("files.set_id_withheld", count, paths));
        }
        if attributes.count > 0 {
            let (count, paths) = (attributes.count, attributes.names());
            note(diagnostic!("files.attributes_withheld", count, paths));
        }
        if devices.count > 0 {
            let (count, paths) = (devices.count, devices.names());
            note(diagnostic!("files.devices_withheld", count, paths));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_kind_is_one_note_with_bounded_names() {
        let mut withheld = Withheld::default();
        for number in 0..30 {
            assert_eq!(withheld.mode(&format!("bin/{number}"), 0o4755), 0o755);
        }
        assert_eq!(withheld.mode("tmp", 0o1777), 0o1777);
        withheld.device("dev/sda");
        let findings = withheld.into_findings("item");
        assert_eq!(findings.len(), 2, "{findings:?}");
        let words = serde_json::to_string(&findings).unwrap();
        assert!(words.contains("30"), "{words}");
        assert!(
            words.contains("bin/19, …") && !words.contains("bin/20"),
            "{words}"
        );
        assert!(
            words.contains("dev/sda") && !words.contains("dev/sda, …"),
            "{words}"
        );
    }

    #[test]
    fn capabilities_are_withheld_and_user_attributes_are_not() {
        let mut withheld = Withheld::default();
        let xattr = |name: &str| Xattr {
            name: name.as_bytes().to_vec(),
            value: vec![1],
        };
        assert!(!withheld.allows("ping", &xattr("security.capability")));
        assert!(!withheld.allows("layer", &xattr("trusted.overlay.opaque")));
        assert!(withheld.allows("note", &xattr("user.note")));
        assert!(withheld.allows("note", &xattr("system.posix_acl_access")));
    }
}
