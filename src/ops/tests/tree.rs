//! A folder with one of everything, and what can be seen of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, Timespec, Timestamps, XattrFlags};

use super::{is_root, noise};

pub(super) fn set_time(path: &Path, seconds: i64, nanos: i64) {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanos,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

pub(super) fn set_xattr(path: &Path, key: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, key, value, XattrFlags::empty()).unwrap();
}

/// Makes a folder with every kind of entry.
pub(super) fn make_tree(root: &Path) {
    fs::create_dir(root).unwrap();
    fs::create_dir_all(root.join("a/deep/er")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::write(root.join("a/small"), b"small").unwrap();
    fs::write(root.join("a/nothing"), b"").unwrap();
    fs::write(root.join("a/deep/large"), noise(1, 900_000)).unwrap();
    fs::write(root.join("a.txt"), b"sorts between a and a/").unwrap();
    let odd = std::ffi::OsString::from_vec(b"not \xff utf-8 \n".to_vec());
    fs::write(root.join(&odd), b"odd name").unwrap();
    symlink("../a/small", root.join("a/deep/link")).unwrap();
    symlink("/nowhere/at all", root.join("dangling")).unwrap();
    fs::hard_link(root.join("a/small"), root.join("a/deep/er/same")).unwrap();
    fs::hard_link(root.join("dangling"), root.join("zz-same-link")).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), FileType::Fifo, mode, 0).unwrap();
    set_xattr(&root.join("a/small"), "user.comment", b"a \0 value");
    set_xattr(&root.join("empty"), "user.folder", b"");
    if is_root() {
        let device = rustix::fs::makedev(1, 3);
        let null = root.join("null");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &null,
            FileType::CharacterDevice,
            mode,
            device,
        )
        .unwrap();
        std::os::unix::fs::lchown(root.join("a/deep/large"), Some(1234), Some(4321)).unwrap();
        std::os::unix::fs::lchown(root.join("dangling"), Some(7), Some(8)).unwrap();
    }
    let chmod = |path: &str, mode| {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod("a/small", 0o4711);
    chmod("a/deep/large", 0o400);
    chmod("empty", 0o1777);
    chmod("a/deep", 0o555);
    set_time(&root.join("a/small"), 1_000_000_000, 123_456_789);
    set_time(&root.join("dangling"), -5, 5);
    set_time(&root.join("pipe"), 77, 1);
    set_time(&root.join("a/deep"), 1_111_111_111, 0);
    set_time(&root.join("a"), 1_222_222_222, 2);
    set_time(root, 1_333_333_333, 3);
}

fn xattrs(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; 65_536];
    let len = rustix::fs::llistxattr(path, &mut names[..]).unwrap_or(0);
    let mut all = Vec::new();
    for key in names[..len]
        .split(|byte| *byte == 0)
        .filter(|key| !key.is_empty())
    {
        let mut value = vec![0; 65_536];
        let len = rustix::fs::lgetxattr(path, key, &mut value[..]).unwrap();
        all.push((key.to_vec(), value[..len].to_vec()));
    }
    all.sort();
    all
}

/// Returns everything that is visible of a folder, and which names are the same file.
pub(super) fn look(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut seen = BTreeMap::new();
    let mut inodes: BTreeMap<u64, usize> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path();
        let stat = path.symlink_metadata().unwrap();
        let content = if stat.is_file() {
            crate::base::id::BlobId(crate::base::id::hash(&fs::read(path).unwrap())).to_string()
        } else if stat.is_symlink() {
            format!("{:?}", fs::read_link(path).unwrap())
        } else {
            format!("{:?} {}", stat.file_type().is_fifo(), stat.rdev())
        };
        let count = inodes.len();
        let inode = inodes.entry(stat.ino()).or_insert(count);
        let text = format!(
            "{:o} {} {} {}.{:09} {:?} file {inode}: {content}",
            stat.mode(),
            stat.uid(),
            stat.gid(),
            stat.mtime(),
            stat.mtime_nsec(),
            xattrs(path)
        );
        let below = path.strip_prefix(root).unwrap().as_os_str().as_bytes();
        seen.insert(below.to_vec(), text);
    }
    seen
}
