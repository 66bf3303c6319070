//! Packages as Rainbond and its kin export them: which kind, which application, which components and plugins.
//!
//! Known by what is in a folder, never by its name; that is asked alone for what nothing else says. Fields that are not known
//! are passed over.

mod judge;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::Digest;
use super::find::Finder;
use crate::recipe::body::Body;
use crate::recipe::{ChunkSource, RecipeError};

/// Components of one package that are told.
const COMPONENTS_MAX: usize = 1 << 16;
/// Bytes of a name that are told.
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
    /// The application; empty when nothing says it.
    pub name: String,
    /// Its version; empty when nothing says it.
    pub version: String,
    /// What identifies the application in a catalogue.
    pub key: Option<String>,
    /// The item, then the archives in one another that it lies in.
    pub place: Vec<Vec<u8>>,
    /// The folder in the innermost, with a `/` behind it unless it is the top.
    pub folder: Vec<u8>,
    /// SHA-256 of the document that describes it; `None` when there is none.
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
    /// What people call it.
    pub name: String,
    /// When it was built, or its version.
    pub version: Option<String>,
    /// The image it runs.
    pub image: Option<String>,
    /// The architecture it is for, as the package has it.
    pub architecture: Option<String>,
}

/// What a folder has that may make it a package.
#[derive(Debug, Default)]
pub(super) struct PackageMarks {
    metadata: Option<Body>,
    compose: Option<Body>,
    has_run_script: bool,
    has_images: bool,
    has_yaml: bool,
    chart: Option<Vec<u8>>,
    slugs: BTreeSet<Vec<u8>>,
}

impl PackageMarks {
    /// Whether there is anything worth a look.
    fn kind(&self) -> Option<PackageKind> {
        if self.metadata.is_some() {
            Some(PackageKind::Ram)
        } else if self.compose.is_some() && self.has_run_script {
            Some(PackageKind::Compose)
        } else if !self.slugs.is_empty() {
            Some(PackageKind::Slug)
        } else if self.has_images && self.chart.is_some() {
            Some(PackageKind::Helm)
        } else if self.has_images && self.has_yaml {
            Some(PackageKind::Yaml)
        } else {
            None
        }
    }

    /// Takes note of a file of the folder.
    pub(super) fn file(&mut self, name: &[u8], body: Body) {
        match name {
            b"metadata.json" => self.metadata = Some(body),
            b"docker-compose.yaml" | b"docker-compose.yml" => self.compose = Some(body),
            b"run.sh" => self.has_run_script = true,
            b"component-images.tar" | b"plugin-images.tar" => self.has_images = true,
            name => self.has_yaml |= is_yaml(name),
        }
    }

    /// Whether a file of this name in a folder is a mark.
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

    /// What a file in a folder of the folder makes it: a slug of a component, or a chart.
    pub(super) fn is_mark_below(folder: &[u8], name: &[u8]) -> bool {
        is_slug(folder, name) || name == b"Chart.yaml"
    }

    /// Takes note of such a file.
    pub(super) fn file_below(&mut self, folder: &[u8], name: &[u8]) {
        if is_slug(folder, name) {
            if self.slugs.len() < COMPONENTS_MAX {
                self.slugs.insert(folder.to_vec());
            }
        } else {
            self.chart = Some(folder.to_vec());
        }
    }
}

fn is_yaml(name: &[u8]) -> bool {
    name.ends_with(b".yaml") || name.ends_with(b".yml")
}

/// Whether this is `NAME-slug.tgz` in a folder `NAME`.
fn is_slug(folder: &[u8], name: &[u8]) -> bool {
    let stem = name.strip_suffix(b"-slug.tgz");
    stem.is_some_and(|stem| !stem.is_empty() && stem == folder)
}

impl<S: ChunkSource> Finder<'_, S> {
    /// Keeps the package that a folder is, if it is one.
    pub(super) fn package(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        marks: &PackageMarks,
    ) -> Result<(), RecipeError> {
        let Some(mut kind) = marks.kind() else {
            return Ok(());
        };
        let (name, version) = name_of(place, folder);
        let mut package = Package {
            kind,
            name,
            version,
            key: None,
            place: place.to_vec(),
            folder: folder.to_vec(),
            content: None,
            components: Vec::new(),
            plugins: Vec::new(),
            has_images: marks.has_images,
        };
        if let Some(metadata) = &marks.metadata {
            let is_it = match self.mark(place, folder, "metadata.json", metadata)? {
                Some(bytes) => read_metadata(&bytes, &mut package),
                None => false,
            };
            if !is_it {
                // Many a program calls its own file so.
                let other = PackageMarks {
                    metadata: None,
                    compose: marks.compose,
                    has_run_script: marks.has_run_script,
                    has_images: marks.has_images,
                    has_yaml: marks.has_yaml,
                    chart: marks.chart.clone(),
                    slugs: marks.slugs.clone(),
                };
                match other.kind() {
                    Some(other) => kind = other,
                    None => return Ok(()),
                }
            }
        }
        package.kind = kind;
        match kind {
            PackageKind::Compose => {
                let compose = marks.compose.as_ref();
                let read =
                    compose.map(|body| self.mark(place, folder, "docker-compose.yaml", body));
                if let Some(bytes) = read.transpose()?.flatten() {
                    package.content = Some(Digest::of(&bytes));
                    package.components = compose_services(&String::from_utf8_lossy(&bytes));
                }
            }
            PackageKind::Slug => {
                let slugs = marks.slugs.iter();
                package.components = slugs.map(|name| named(&text(name))).collect();
            }
            PackageKind::Ram | PackageKind::Helm | PackageKind::Yaml => {}
        }
        self.found.packages.push(package);
        Ok(())
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

/// Name and version as folders of packages have them: `NAME-VERSION-KIND`.
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

/// A text field of a JSON object, if it has one that says something.
fn field(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    let is_said = !text.is_empty() && text.len() <= NAME_BYTES_MAX;
    is_said.then(|| text.to_owned())
}

/// Reads `metadata.json`; false when it is that of something else.
fn read_metadata(bytes: &[u8], package: &mut Package) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return false;
    };
    let list = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let (key, name) = (field(&value, "group_key"), field(&value, "group_name"));
    if value.get("apps").is_none() || (key.is_none() && name.is_none()) {
        return false;
    }
    package.key = key;
    package.name = name.unwrap_or_else(|| package.name.clone());
    package.version = field(&value, "group_version").unwrap_or_else(|| package.version.clone());
    package.content = Some(Digest::of(bytes));
    let says_none = value.get("with_image_data").and_then(Value::as_bool) == Some(false);
    package.has_images = !says_none;
    let first = |value: &Value, keys: &[&str]| keys.iter().find_map(|key| field(value, key));
    let component = |value: &Value| Component {
        name: first(
            value,
            &["service_cname", "k8s_component_name", "service_id"],
        )
        .unwrap_or_default(),
        version: first(value, &["deploy_version", "version"]),
        image: first(value, &["share_image", "image"]),
        architecture: field(value, "arch"),
    };
    let plugin = |value: &Value| Component {
        name: first(value, &["plugin_alias", "plugin_name", "plugin_id"]).unwrap_or_default(),
        version: field(value, "build_version"),
        image: first(value, &["share_image", "image"]),
        architecture: field(value, "arch"),
    };
    package.components = list("apps").take(COMPONENTS_MAX).map(component).collect();
    package.plugins = list("plugins").take(COMPONENTS_MAX).map(plugin).collect();
    true
}

/// Services and their images of a compose file, as far as their lines say them: no YAML is understood beyond that.
fn compose_services(document: &str) -> Vec<Component> {
    let mut services: Vec<Component> = Vec::new();
    let mut indent = None;
    let mut is_inside = false;
    for line in document.lines() {
        let trimmed = line.trim_start();
        let depth = line.len() - trimmed.len();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if depth == 0 {
            is_inside = trimmed.trim_end() == "services:";
            indent = None;
            continue;
        }
        if !is_inside || services.len() >= COMPONENTS_MAX {
            continue;
        }
        let indent = *indent.get_or_insert(depth);
        let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        if depth == indent {
            let Some(name) = trimmed.trim_end().strip_suffix(':') else {
                continue;
            };
            services.push(named(&unquoted(name)));
        } else if let (Some(image), Some(service)) =
            (trimmed.strip_prefix("image:"), services.last_mut())
        {
            service.image.get_or_insert_with(|| unquoted(image));
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_compose_files_are_read_line_by_line() {
        let document = "version: \"2.1\"\nservices:\n  web:\n    image: 'shop/web:1.0'\n    volumes:\n    - ./a:/b\n  # note\n  \"api\":\n    build: x\nnetworks:\n  net:\n    image: no\n";
        let services = compose_services(document);
        let all: Vec<_> = services
            .iter()
            .map(|each| (&each.name[..], each.image.as_deref()))
            .collect();
        assert_eq!(all, [("web", Some("shop/web:1.0")), ("api", None)]);
    }

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
