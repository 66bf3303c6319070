//! Finds contradictions within packages and between them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Package, PackageKind};
use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::Finding;
use crate::oci::image::context::subject;
use crate::oci::image::{Image, Images, Reference};

impl Images {
    /// Returns the packages, in the order in which they were found.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Returns the images that are in a package.
    pub fn images_of<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a Image> {
        let mut numbers: Vec<usize> = Vec::new();
        for (place, folder, number) in &self.places {
            let Some(rest) = place.strip_prefix(&package.place[..]) else {
                continue;
            };
            let path = rest.first().unwrap_or(folder);
            if path.starts_with(&package.folder) && !numbers.contains(number) {
                numbers.push(*number);
            }
        }
        numbers
            .into_iter()
            .filter_map(|number| self.images.get(number))
    }

    /// Reports packages that contradict themselves or one another, from number `from` on.
    pub(in crate::oci::image) fn judge_packages(&mut self, from: usize) {
        let mut findings = Vec::new();
        for package in &self.packages[from..] {
            findings.extend(self.mixed(package));
            findings.extend(self.lacking(package));
        }
        findings.extend(self.twins(from));
        self.warnings.append(&mut findings);
    }

    /// Returns the architectures of a package's content.
    fn architectures(&self, package: &Package) -> BTreeSet<String> {
        let parts = package.components.iter().chain(&package.plugins);
        let said = parts.filter_map(|part| part.architecture.clone());
        let images = self
            .images_of(package)
            .filter_map(|image| image.platform.as_ref());
        said.chain(images.map(|platform| platform.architecture.clone()))
            .collect()
    }

    fn mixed(&self, package: &Package) -> Option<Finding> {
        let architectures = self.architectures(package);
        if architectures.len() < 2 {
            return None;
        }
        let names = architectures.iter().map(Arg::from);
        let what = names.reduce(|all, name| diagnostic!("package.and", all, name).into())?;
        Some(note(package, diagnostic!("package.mixed_platforms", what)))
    }

    /// Reports images that components name and the package does not have.
    fn lacking(&self, package: &Package) -> Vec<Finding> {
        if !package.has_images || package.kind == PackageKind::Slug {
            return Vec::new();
        }
        let whole = |name: &str| {
            let reference: Reference = name.parse().ok()?;
            let tag = reference.tag_or_latest()?.to_owned();
            Some((reference.host, reference.repository, tag))
        };
        let images = self.images_of(package).flat_map(|image| &image.references);
        let there: BTreeSet<_> = images.map(|name| whole(name).ok_or(name)).collect();
        let parts = package.components.iter().chain(&package.plugins);
        let named = parts.filter_map(|part| Some((part, part.image.as_ref()?)));
        // The value of a variable is known only where the package runs.
        let named = named.filter(|(_, name)| !name.contains('$'));
        let lost = named.filter(|(_, name)| !there.contains(&whole(name).ok_or(name)));
        let lost = lost.map(|(part, image)| {
            let component = &part.name;
            note(
                package,
                diagnostic!("package.image_missing", image, component),
            )
        });
        lost.collect()
    }

    /// Reports packages of one kind, name, version and architecture with different contents. At a site one would
    /// replace the other.
    fn twins(&self, from: usize) -> Vec<Finding> {
        let mut by_name: BTreeMap<_, &Package> = BTreeMap::new();
        let mut findings = Vec::new();
        for (number, package) in self.packages.iter().enumerate() {
            if package.name.is_empty() || package.version.is_empty() || package.content.is_none() {
                continue;
            }
            let architectures = self.architectures(package);
            let name = (package.kind, &package.name, &package.version, architectures);
            match by_name.get(&name) {
                None => {
                    by_name.insert(name, package);
                }
                Some(first) if number >= from && first.content != package.content => {
                    let (name, version) = (&package.name, &package.version);
                    let other = subject_of(first);
                    let what = diagnostic!("package.twin", name, version, other);
                    findings.push(note(package, what));
                }
                Some(_) => {}
            }
        }
        findings
    }
}

fn note(package: &Package, what: Diagnostic) -> Finding {
    Finding::note(subject_of(package), what)
}

fn subject_of(package: &Package) -> String {
    subject(&package.place, &package.folder, "")
}
