//! What the name of a package's file says: name, version and architecture.
//!
//! Sources: deb-version(7) and dpkg-name(1), rpm's NEVRA, Alpine's abuild, the binary distribution format of PyPA, npm's
//! tarball addresses, and `helm package`.

use super::{RepositoryKind, RepositoryPackage};

/// Returns what the path of a file in a repository says of the package that it is, or `None` for other files.
pub(super) fn parse(kind: RepositoryKind, path: &str) -> Option<RepositoryPackage> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (name, version, architecture) = match kind {
        RepositoryKind::Apt => deb(file)?,
        RepositoryKind::Dnf => rpm(file)?,
        RepositoryKind::Apk => {
            let (rest, release) = file.strip_suffix(".apk")?.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            let architecture = folder.rsplit('/').next().unwrap_or_default();
            (
                name.to_owned(),
                format!("{version}-{release}"),
                architecture.to_owned(),
            )
        }
        RepositoryKind::PyPi => python(file)?,
        RepositoryKind::Npm => {
            let name = folder.strip_suffix("/-")?;
            let base = name.rsplit('/').next()?;
            let version = file.strip_suffix(".tgz")?.strip_prefix(base)?;
            let version = version.strip_prefix('-')?;
            (name.to_owned(), version.to_owned(), String::new())
        }
        RepositoryKind::Helm => chart(file.strip_suffix(".tgz")?)?,
    };
    let is_all = !name.is_empty() && !version.is_empty();
    is_all.then(|| RepositoryPackage {
        name,
        version,
        architecture,
        path: path.to_owned(),
        bytes: 0,
    })
}

type FileNameParts = (String, String, String);

fn deb(file: &str) -> Option<FileNameParts> {
    let stem = [".deb", ".udeb", ".ddeb"]
        .iter()
        .find_map(|end| file.strip_suffix(end))?;
    let mut parts = stem.split('_');
    let parts = (parts.next()?, parts.next()?, parts.next()?, parts.next());
    let (name, version, architecture, None) = parts else {
        return None;
    };
    // An epoch is written so where colons may not stand in names of files.
    let version = version.replace("%3a", ":").replace("%3A", ":");
    Some((name.to_owned(), version, architecture.to_owned()))
}

fn rpm(file: &str) -> Option<FileNameParts> {
    let (rest, architecture) = file.strip_suffix(".rpm")?.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some((
        name.to_owned(),
        format!("{version}-{release}"),
        architecture.to_owned(),
    ))
}

fn python(file: &str) -> Option<FileNameParts> {
    if let Some(stem) = file.strip_suffix(".whl") {
        let parts: Vec<&str> = stem.split('-').collect();
        let (5 | 6, [name, version, ..]) = (parts.len(), &parts[..]) else {
            return None;
        };
        let platform = parts.last().copied().unwrap_or_default();
        return Some((
            (*name).to_owned(),
            (*version).to_owned(),
            platform.to_owned(),
        ));
    }
    let stem = file
        .strip_suffix(".tar.gz")
        .or_else(|| file.strip_suffix(".zip"))?;
    let (name, version) = stem.rsplit_once('-')?;
    Some((name.to_owned(), version.to_owned(), String::new()))
}

/// The version begins behind the first dash with a digit and a point behind it: `cert-manager-v1.14.0-beta.1`.
fn chart(stem: &str) -> Option<FileNameParts> {
    let is_version = |rest: &str| {
        let rest = rest.strip_prefix('v').unwrap_or(rest);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest.as_bytes().get(digits) == Some(&b'.')
    };
    let mut dashes = stem.match_indices('-');
    let (at, _) = dashes.find(|(at, _)| is_version(&stem[at + 1..]))?;
    Some((
        stem[..at].to_owned(),
        stem[at + 1..].to_owned(),
        String::new(),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_files_as_tools_write_them() {
        use RepositoryKind::{Apk, Apt, Dnf, Helm, Npm, PyPi};
        for (kind, path, name, version, architecture) in [
            (
                Apt,
                "pool/main/b/bash/bash_5.2.15-2+b2_amd64.deb",
                "bash",
                "5.2.15-2+b2",
                "amd64",
            ),
            (Apt, "vim_2%3a9.0_all.udeb", "vim", "2:9.0", "all"),
            (
                Dnf,
                "Packages/b/bash-completion-2.11-1.el9.noarch.rpm",
                "bash-completion",
                "2.11-1.el9",
                "noarch",
            ),
            (
                Apk,
                "x86_64/busybox-extras-1.36.1-r29.apk",
                "busybox-extras",
                "1.36.1-r29",
                "x86_64",
            ),
            (
                PyPi,
                "packages/a/blake3-1.0.4-cp311-cp311-manylinux_2_17_x86_64.whl",
                "blake3",
                "1.0.4",
                "manylinux_2_17_x86_64",
            ),
            (
                PyPi,
                "simple/ruamel-yaml/ruamel.yaml-0.18.6.tar.gz",
                "ruamel.yaml",
                "0.18.6",
                "",
            ),
            (
                Npm,
                "@types/node/-/node-20.1.0.tgz",
                "@types/node",
                "20.1.0",
                "",
            ),
            (
                Npm,
                "left-pad/-/left-pad-1.3.0.tgz",
                "left-pad",
                "1.3.0",
                "",
            ),
            (
                Helm,
                "cert-manager-v1.14.0-beta.1.tgz",
                "cert-manager",
                "v1.14.0-beta.1",
                "",
            ),
            (Helm, "sub/redis-7-19.0.1.tgz", "redis-7", "19.0.1", ""),
        ] {
            let found = parse(kind, path).unwrap();
            assert_eq!(
                (&found.name[..], &found.version[..], &found.architecture[..]),
                (name, version, architecture)
            );
        }
        for (kind, path) in [
            (Apt, "bash.deb"),
            (Apt, "a_b_c_d.deb"),
            (Apt, "Packages.gz"),
            (Dnf, "repodata/primary.xml.gz"),
            (Dnf, "x.rpm"),
            (PyPi, "a-1.whl"),
            (Npm, "left-pad/-/other-1.tgz"),
            (Helm, "chart.tgz"),
        ] {
            assert_eq!(parse(kind, path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_left(path in "\\PC{0,20}(/|-|_|\\.){0,3}\\PC{0,9}(\\.deb|\\.rpm|\\.apk|\\.whl|\\.tgz|\\.tar\\.gz)?") {
            use RepositoryKind::{Apk, Apt, Dnf, Helm, Npm, PyPi};
            for kind in [Apt, Dnf, Apk, PyPi, Npm, Helm] {
                if let Some(package) = parse(kind, &path) {
                    prop_assert!(!package.name.is_empty() && !package.version.is_empty());
                }
            }
        }
    }
}
