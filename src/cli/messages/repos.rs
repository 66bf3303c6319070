//! Messages about package repositories.

use carryall::base::size::total;
use carryall::ops::maintain::show::ShownRepository;
use carryall::ops::pack::diff::{DiffChange, DiffPackage};
use carryall::ops::publish::serve::ServedPackages;

use super::{bytes, change_mark, line, message, padded, shown, width};

/// The package repositories of a release, each with its packages, one a line.
pub fn package_repositories(repositories: &[ShownRepository]) -> String {
    let mut out = String::new();
    for repository in repositories {
        let place = [&repository.item[..], &repository.folder];
        let place = place.into_iter().filter(|part| !part.is_empty());
        let place = place.collect::<Vec<_>>().join("/");
        let (kind, packages) = (repository.kind.name(), &repository.packages);
        let count = message!("count-packages", count = packages.len());
        let size = bytes(total(packages.iter().map(|package| package.bytes)));
        out += &line(message!("package-repository", kind, place, count, size));
        let names: Vec<String> = packages
            .iter()
            .map(|package| shown(&package.name).into_owned())
            .collect();
        let width = width(&names);
        for (package, name) in packages.iter().zip(&names) {
            let name = padded(name, width);
            let size = bytes(package.bytes);
            let (version, architecture) = (shown(&package.version), shown(&package.architecture));
            out += format!("  {size:>9}  {name}  {version}  {architecture}").trim_end();
            out.push('\n');
        }
    }
    out
}

/// The packages that differ, one a line.
pub fn diff_packages(packages: &[DiffPackage]) -> String {
    if packages.is_empty() {
        return String::new();
    }
    let mut out = line(message!("heading-repository-packages"));
    for package in packages {
        let mark = change_mark(package.change);
        let (before, now) = (package.before.join(", "), package.versions.join(", "));
        let versions = match package.change {
            DiffChange::Added => now,
            DiffChange::Removed => before,
            _ if before == now => now,
            _ => format!("{before} -> {now}"),
        };
        let (name, versions) = (shown(&package.name), shown(&versions));
        let architecture = shown(&package.architecture);
        out += format!("{mark} {name}  {versions}  {architecture}").trim_end();
        if package.change != DiffChange::Removed {
            let (size, packed) = (bytes(package.bytes), bytes(package.carried_bytes));
            out += &format!("  {}", message!("diff-package", size, packed));
        }
        out.push('\n');
    }
    out
}

/// Where package repositories are served. `before` is the address.
pub fn served_packages(packages: &[ServedPackages], before: &str, rows: usize) -> String {
    let mut out = String::new();
    for served in packages.iter().take(rows) {
        let kind = served.kind.name();
        let count = message!("count-packages", count = served.packages);
        let url = format!("{before}{}", escaped(&served.path));
        out += &super::line_below(message!("serve-packages", kind, url, count));
    }
    if packages.len() > rows {
        out += &super::line_below(message!("more", count = packages.len() - rows));
    }
    out
}

/// Writes a path as it stands in a URL.
fn escaped(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'/'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b':'
            | b'@'
            | b'+' => {
                out.push(char::from(byte));
            }
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}
