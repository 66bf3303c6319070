//! Packages as Rainbond and similar platforms export them: their kind, application, components and plugins.
//!
//! A package is recognized by the content of its folder. The folder's name is only used for what nothing else states.
//! Unknown fields are ignored.

mod compose;
mod lint;
mod metadata;
mod yaml;

use std::collections::BTreeSet;

use serde::Serialize;

use self::yaml::{Yaml, YamlError};
use super::Digest;
use super::context::{ImageContext, subject};
use crate::base::diagnostic::diagnostic;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};

/// Longest `metadata.json` that is read. Such a file contains icons and documents.
const METADATA_BYTES_MAX: u64 = 32 << 20;
/// The list of images next to a chart or YAML for Kubernetes.
const IMAGE_LIST: &[u8] = b"dependent_image.txt";
/// Most components of one package that are listed.
const COMPONENTS_MAX: usize = 1 << 16;
/// Most bytes of a name that are shown.
const NAME_BYTES_MAX: usize = 1024;

/// Kinds of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageKind {
    /// An application template: `metadata.json` and archives of images.
    Ram,
    /// For docker compose: `docker-compose.yaml`, `run.sh` and an archive of images.
    Compose,
    /// Without containers: `NAME/NAME-slug.tgz` for each component.
    Slug,
    /// A Helm chart and archives of images.
    Helm,
    /// Kubernetes YAML and archives of images.
    Yaml,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its kind.
    pub kind: PackageKind,
    /// The application. Empty when it is not stated.
    pub name: String,
    /// Its version. Empty when it is not stated.
    pub version: String,
    /// The key of the application in a catalog.
    pub key: Option<String>,
    /// The item, then the nested archives that it is in.
    pub place: Vec<Vec<u8>>,
    /// The folder in the innermost archive, with a `/` at its end unless it is the top.
    pub folder: Vec<u8>,
    /// SHA-256 of the document that describes it. `None` when there is none.
    pub content: Option<Digest>,
    /// Its components.
    pub components: Vec<Component>,
    /// Its plugins.
    pub plugins: Vec<Component>,
    /// Whether images belong in it.
    pub has_images: bool,
}

/// A component or plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its name for people.
    pub name: String,
    /// When it was built, or its version.
    pub version: Option<String>,
    /// The image it runs.
    pub image: Option<String>,
    /// The architecture it is for, as the package has it.
    pub architecture: Option<String>,
}

/// The content of a folder that may make it a package.
#[derive(Debug, Default)]
pub(super) struct PackageMarks {
    metadata: Option<FileBody>,
    compose: Option<FileBody>,
    has_run_script: bool,
    has_images: bool,
    /// Whether it has `NAME/dependent_image.txt`. Exports without images have it, too.
    lists_images: bool,
    has_yaml: bool,
    chart: Option<FileBody>,
    slugs: BTreeSet<Vec<u8>>,
}

impl PackageMarks {
    /// Returns the kind of the folder when it has no `metadata.json` of a package.
    fn kind_but_ram(&self) -> Option<PackageKind> {
        if self.compose.is_some() && self.has_run_script {
            Some(PackageKind::Compose)
        } else if !self.slugs.is_empty() {
            Some(PackageKind::Slug)
        } else if (self.has_images || self.lists_images) && self.chart.is_some() {
            Some(PackageKind::Helm)
        } else if (self.has_images || self.lists_images) && self.has_yaml {
            Some(PackageKind::Yaml)
        } else {
            None
        }
    }

    /// Records a file of the folder.
    pub(super) fn file(&mut self, name: &[u8], body: FileBody) {
        match name {
            b"metadata.json" => self.metadata = Some(body),
            b"docker-compose.yaml" | b"docker-compose.yml" => self.compose = Some(body),
            b"run.sh" => self.has_run_script = true,
            b"component-images.tar" | b"plugin-images.tar" => self.has_images = true,
            name => self.has_yaml |= is_yaml(name),
        }
    }

    /// Returns whether a file of this name in a folder is a mark.
    pub(super) fn is_mark(name: &[u8]) -> bool {
        let names = [
            &b"metadata.json"[..],
            b"docker-compose.yaml",
            b"docker-compose.yml",
            b"run.sh",
            b"component-images.tar",
            b"plugin-images.tar",
        ];
        names.contains(&name) || is_yaml(name)
    }

    /// Returns whether a file in a subfolder is a mark of the folder: a slug of a component, a chart, or YAML for
    /// Kubernetes.
    pub(super) fn is_mark_below(folder: &[u8], name: &[u8]) -> bool {
        is_slug(folder, name) || is_yaml(name) || name == IMAGE_LIST
    }

    /// Records such a file.
    pub(super) fn file_below(&mut self, folder: &[u8], name: &[u8], body: FileBody) {
        if is_slug(folder, name) {
            if self.slugs.len() < COMPONENTS_MAX {
                self.slugs.insert(folder.to_vec());
            }
        } else if name == b"Chart.yaml" {
            self.chart.get_or_insert(body);
        } else if name == IMAGE_LIST {
            self.lists_images = true;
        } else {
            self.has_yaml |= is_yaml(name);
        }
    }
}

fn is_yaml(name: &[u8]) -> bool {
    name.ends_with(b".yaml") || name.ends_with(b".yml")
}

/// Returns whether this is `NAME-slug.tgz` in a folder `NAME`.
fn is_slug(folder: &[u8], name: &[u8]) -> bool {
    let stem = name.strip_suffix(b"-slug.tgz");
    stem.is_some_and(|stem| !stem.is_empty() && stem == folder)
}

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Keeps the package of a folder, if it is one.
    pub(super) fn package(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        marks: &PackageMarks,
    ) -> Result<(), RecipeError> {
        let mut package = Package::in_folder(place, folder, marks);
        // Many programs use this file name.
        let is_ram = match &marks.metadata {
            Some(body) if body.bytes() > METADATA_BYTES_MAX => {
                self.note(
                    subject(place, folder, ""),
                    diagnostic!("package.long_metadata"),
                );
                false
            }
            Some(body) => self
                .mark_within(place, folder, "metadata.json", body, METADATA_BYTES_MAX)?
                .is_some_and(|bytes| metadata::read(&bytes, &mut package)),
            None => false,
        };
        package.kind = match marks.kind_but_ram() {
            _ if is_ram => PackageKind::Ram,
            Some(kind) => kind,
            None => return Ok(()),
        };
        match package.kind {
            PackageKind::Compose => self.services(&mut package, marks)?,
            PackageKind::Helm => self.chart(&mut package, marks)?,
            PackageKind::Slug => {
                let slugs = marks.slugs.iter();
                package.components = slugs.map(|name| named(&text(name))).collect();
            }
            PackageKind::Ram | PackageKind::Yaml => {}
        }
        self.found.packages.push(package);
        Ok(())
    }

    /// Reads the services of a package for docker compose.
    fn services(&mut self, package: &mut Package, marks: &PackageMarks) -> Result<(), RecipeError> {
        const NAME: &str = "docker-compose.yaml";
        let Some(bytes) = self.document(package, NAME, marks.compose.as_ref())? else {
            return Ok(());
        };
        match compose::services(&bytes) {
            Ok(services) => package.components = services,
            Err(error) => self.not_yaml(package, NAME, &error),
        }
        Ok(())
    }

    /// Reads the name and version of a chart.
    fn chart(&mut self, package: &mut Package, marks: &PackageMarks) -> Result<(), RecipeError> {
        const NAME: &str = "Chart.yaml";
        let Some(bytes) = self.document(package, NAME, marks.chart.as_ref())? else {
            return Ok(());
        };
        match Yaml::read(&String::from_utf8_lossy(&bytes)) {
            Ok(chart) => {
                let said = |key| Some(chart.root().get(key)?.text()?.to_owned());
                if let Some(name) = said("name") {
                    package.name = name;
                }
                if let Some(version) = said("version") {
                    package.version = version;
                }
            }
            Err(error) => self.not_yaml(package, NAME, &error),
        }
        Ok(())
    }

    /// Reads the document that describes a package.
    fn document(
        &mut self,
        package: &mut Package,
        name: &str,
        body: Option<&FileBody>,
    ) -> Result<Option<Vec<u8>>, RecipeError> {
        let Some(body) = body else {
            return Ok(None);
        };
        let bytes = self.mark(&package.place, &package.folder, name, body)?;
        package.content = bytes.as_deref().map(Digest::of);
        Ok(bytes)
    }

    fn not_yaml(&mut self, package: &Package, name: &str, error: &YamlError) {
        let why = diagnostic!("image.unreadable_document", name, why = error.to_string());
        self.note(subject(&package.place, &package.folder, ""), why);
    }
}

impl Package {
    /// Makes a package from its place, folder and marks.
    fn in_folder(place: &[Vec<u8>], folder: &[u8], marks: &PackageMarks) -> Self {
        let (name, version) = name_of(place, folder);
        Self {
            kind: PackageKind::Ram,
            name,
            version,
            key: None,
            place: place.to_vec(),
            folder: folder.to_vec(),
            content: None,
            components: Vec::new(),
            plugins: Vec::new(),
            has_images: marks.has_images,
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn named(name: &str) -> Component {
    Component {
        name: name.to_owned(),
        version: None,
        image: None,
        architecture: None,
    }
}

/// Returns name and version from the folder name of a package: `NAME-VERSION-KIND`.
fn name_of(place: &[Vec<u8>], folder: &[u8]) -> (String, String) {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    let path = if folder.is_empty() {
        place.last().map(Vec::as_slice).unwrap_or_default()
    } else {
        folder
    };
    let name = text(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default());
    let mut stem = &name[..];
    for end in [".gz", ".tgz", ".tar", ".zip"] {
        stem = stem.strip_suffix(end).unwrap_or(stem);
    }
    for kind in ["-ram", "-dockercompose", "-slug", "-helm", "-yaml"] {
        if let Some(rest) = stem.strip_suffix(kind) {
            return match rest.rsplit_once('-') {
                Some((name, version)) => (name.to_owned(), version.to_owned()),
                None => (rest.to_owned(), String::new()),
            };
        }
    }
    (stem.to_owned(), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_say_what_nothing_else_does() {
        let name = |folder: &str| name_of(&[b"x.tar.gz".to_vec()], folder.as_bytes());
        assert_eq!(
            name("默认应用-1.0-dockercompose/"),
            ("默认应用".into(), "1.0".into())
        );
        assert_eq!(name("a/my-app-2.1-slug/"), ("my-app".into(), "2.1".into()));
        assert_eq!(name(""), ("x".into(), String::new()));
    }
}
