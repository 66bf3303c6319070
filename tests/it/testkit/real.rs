//! Real images: layers that umoci wrote out of this machine's own programs, archives as containerd and skopeo write them, and
//! Rainbond's packages of them as GNU tar packs them.
//!
//! What is in a layer differs from machine to machine; what the tests assert does not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use carryall::oci::image::Digest;
use serde_json::{Value, json};

use super::programs::{run, skopeo};

/// The programs that this needs.
pub const PROGRAMS: [&str; 3] = ["umoci", "skopeo", "tar"];

/// Tag of an image in the layout, and the name it goes by outside.
pub type Named<'a> = (&'a str, &'a str);

/// Copies programs and libraries of this machine, by name, until there are so many bytes; `skip` of them are passed over.
pub fn gather(from: &str, to: &Path, bytes: u64, skip: usize) {
    fs::create_dir_all(to).unwrap();
    let files = walkdir::WalkDir::new(from).max_depth(2).sort_by_file_name();
    let files = files.into_iter().filter_map(Result::ok);
    let fits = |entry: &walkdir::DirEntry| {
        let len = entry.metadata().unwrap().len();
        entry.file_type().is_file() && (1000..4_000_000).contains(&len)
    };
    let mut left = bytes;
    for entry in files.filter(fits).skip(skip) {
        let body = fs::read(entry.path()).unwrap();
        left = left.saturating_sub(body.len() as u64);
        fs::write(to.join(entry.file_name()), body).unwrap();
        if left == 0 {
            return;
        }
    }
    panic!("{from} has too little for a layer");
}

/// Puts some bytes into the midst of every third file of a folder, as another build would.
pub fn rebuild(folder: &Path) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths.iter().step_by(3) {
        let mut body = fs::read(path).unwrap();
        let middle = body.len() / 2;
        body.splice(middle..middle, *b"built anew");
        fs::write(path, body).unwrap();
    }
}

/// An OCI layout that umoci fills.
pub struct RealImages {
    layout: PathBuf,
}

impl RealImages {
    /// Makes an empty one.
    pub fn new(layout: &Path) -> Self {
        fs::create_dir_all(layout.parent().unwrap()).unwrap();
        run(Command::new("umoci").args(["init", "--layout"]).arg(layout));
        Self {
            layout: layout.to_owned(),
        }
    }

    /// One that was filled before.
    pub fn open(layout: &Path) -> Self {
        Self {
            layout: layout.to_owned(),
        }
    }

    fn image(&self, tag: &str) -> String {
        format!("{}:{tag}", self.layout.display())
    }

    /// A new image without layers.
    pub fn begin(&self, tag: &str, architecture: &str) {
        let image = self.image(tag);
        run(Command::new("umoci").args(["new", "--image", &image]));
        let config = ["config", "--no-history", "--architecture", architecture];
        run(Command::new("umoci").args(config).args(["--image", &image]));
    }

    /// Another name for an image, to go on from there.
    pub fn branch(&self, from: &str, to: &str) {
        let image = self.image(from);
        run(Command::new("umoci").args(["tag", "--image", &image, to]));
    }

    /// A layer with a file or folder.
    pub fn layer(&self, tag: &str, source: &Path, target: &str) {
        let image = self.image(tag);
        run(Command::new("umoci")
            .args(["insert", "--rootless", "--image", &image])
            .arg(source)
            .arg(target));
    }

    fn index(&self) -> Value {
        let bytes = fs::read(self.layout.join("index.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// What the index says of an image.
    pub fn descriptor(&self, tag: &str) -> Value {
        let index = self.index();
        let mut entries = index["manifests"].as_array().unwrap().iter();
        let name = "org.opencontainers.image.ref.name";
        let is_it = |entry: &&Value| entry["annotations"][name] == tag;
        entries.find(is_it).unwrap().clone()
    }

    fn blob_path(digest: &str) -> String {
        format!("blobs/{}", digest.replace(':', "/"))
    }

    /// Reads a blob.
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        fs::read(self.layout.join(Self::blob_path(digest))).unwrap()
    }

    /// Digest of an image's manifest.
    pub fn digest(&self, tag: &str) -> String {
        self.descriptor(tag)["digest"].as_str().unwrap().to_owned()
    }

    fn manifest(&self, tag: &str) -> Value {
        serde_json::from_slice(&self.blob(&self.digest(tag))).unwrap()
    }

    /// Digest of an image's config, which docker calls its id.
    pub fn id(&self, tag: &str) -> String {
        self.manifest(tag)["config"]["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Writes what containerd exports: sorted members with modes and owners of its own, an index, and docker's manifest in
    /// whatever order.
    pub fn containerd_archive(&self, images: &[Named<'_>], to: &Path) {
        let mut blobs = BTreeSet::new();
        let (mut listed, mut entries) = (Vec::new(), Vec::new());
        for (tag, name) in images {
            let mut descriptor = self.descriptor(tag);
            descriptor["annotations"] = json!({"io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rsplit(':').next().unwrap()});
            let manifest = self.manifest(tag);
            let digest = |blob: &Value| blob["digest"].as_str().unwrap().to_owned();
            let layers = manifest["layers"].as_array().unwrap().iter().map(digest);
            let layers: Vec<String> = layers.collect();
            let paths: Vec<String> = layers.iter().map(|each| Self::blob_path(each)).collect();
            let config = Self::blob_path(&self.id(tag));
            entries.push(json!({"Config": config, "RepoTags": [name], "Layers": paths}));
            blobs.extend(layers);
            blobs.extend([self.digest(tag), self.id(tag)]);
            listed.push(descriptor);
        }
        entries.reverse();
        let json = |value: Value| value.to_string().into_bytes();
        let mut tar = tar::Builder::new(fs::File::create(to).unwrap());
        for folder in ["blobs/", "blobs/sha256/"] {
            put(&mut tar, folder, 0o755, b"");
        }
        for digest in &blobs {
            put(
                &mut tar,
                &Self::blob_path(digest),
                0o444,
                &self.blob(digest),
            );
        }
        let index = json!({"schemaVersion": 2, "manifests": listed});
        put(&mut tar, "index.json", 0o644, &json(index));
        put(&mut tar, "manifest.json", 0o644, &json(entries.into()));
        put(
            &mut tar,
            "oci-layout",
            0o444,
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        );
        tar.finish().unwrap();
    }

    /// Writes a docker archive: skopeo's of each image, put together as `docker save` does for several.
    pub fn docker_archive(&self, images: &[Named<'_>], to: &Path) {
        let mut members: BTreeMap<String, (tar::Header, Vec<u8>)> = BTreeMap::new();
        let mut entries: Vec<Value> = Vec::new();
        for (tag, name) in images {
            let one = to.with_extension("one");
            run(skopeo()
                .args(["copy", "-q", &format!("oci:{}", self.image(tag))])
                .arg(format!("docker-archive:{}:{name}", one.display())));
            let mut archive = tar::Archive::new(fs::File::open(&one).unwrap());
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().to_str().unwrap().to_owned();
                let mut body = Vec::new();
                entry.read_to_end(&mut body).unwrap();
                match &path[..] {
                    "manifest.json" => {
                        let of_one: Vec<Value> = serde_json::from_slice(&body).unwrap();
                        entries.extend(of_one);
                    }
                    "repositories" => {}
                    _ => {
                        members.insert(path, (entry.header().clone(), body));
                    }
                }
            }
            fs::remove_file(one).unwrap();
        }
        let mut tar = tar::Builder::new(fs::File::create(to).unwrap());
        for (header, body) in members.values() {
            tar.append(header, &body[..]).unwrap();
        }
        let manifest = serde_json::to_vec(&entries).unwrap();
        put(&mut tar, "manifest.json", 0o644, &manifest);
        tar.finish().unwrap();
    }
}

fn put(tar: &mut tar::Builder<fs::File>, name: &str, mode: u32, body: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_size(body.len() as u64);
    header.set_mode(mode);
    if name.ends_with('/') {
        header.set_entry_type(tar::EntryType::Directory);
    }
    tar.append_data(&mut header, name, body).unwrap();
}

/// A component of an application.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Its image.
    pub image: &'a str,
    /// `amd64` or `arm64`.
    pub architecture: &'a str,
}

/// `metadata.json` of an application template, with fields that are of no matter here and some that are not known.
pub fn metadata(name: &str, version: &str, parts: &[Part<'_>]) -> Vec<u8> {
    let app = |part: &Part<'_>| {
        let id = Digest::of(part.name.as_bytes()).hex()[..32].to_owned();
        json!({
            "memory": 512, "cpu": 0, "probes": [], "service_id": id, "service_key": id,
            "service_image": {"hub_user": "", "hub_url": "", "hub_password": "", "is_trust": false},
            "service_share_uuid": format!("{id}+{id}"), "share_type": "image", "dep_service_map_list": [],
            "service_source": "docker_run", "extend_method": "stateless_multiple",
            "service_volume_map_list": [{"volume_name": "conf", "volume_type": "config-file",
                "volume_path": "/etc/app.conf", "file_content": format!("version={version}\n")}],
            "port_map_list": [{"port_alias": "P", "protocol": "http", "container_port": 8080}],
            "deploy_version": "20260101120000", "version": "20260101120000", "report": null,
            "service_cname": part.name, "k8s_component_name": part.name, "arch": part.architecture,
            "share_image": part.image, "image": part.image, "endpoints": {"endpoints_type": ""},
        })
    };
    let value = json!({
        "group_key": "094e06094b9e48d6a3b14e06890e37b2", "group_name": name, "group_version": version,
        "template_version": "v2", "apps": parts.iter().map(app).collect::<Vec<_>>(),
        "annotations": {"suffix": "png", "image_base64_string": "iVBORw0KGgo=\n".repeat(4000)},
        "governance_mode": "KUBERNETES_NATIVE_SERVICE", "of_a_later_version": {"deep": [null, 1.5e3]},
    });
    value.to_string().into_bytes()
}

/// `docker-compose.yaml` with these services.
pub fn compose_file(parts: &[Part<'_>]) -> Vec<u8> {
    let mut text = "version: \"2.1\"\nservices:\n".to_owned();
    for Part { name, image, .. } in parts {
        text += &format!(
            "  {name}:\n    image: {image}\n    container_name: {name}\n    restart: always\n    network_mode: host\n"
        );
        text += &format!("    volumes:\n    - ./{name}/etc/app.conf:/etc/app.conf\n");
    }
    text.into_bytes()
}

pub fn write(path: &Path, body: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, body).unwrap();
}

/// Packs a folder as the exporters do: `tar -czf`, in whatever order the folder has.
pub fn tar_gz(folder: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    run(Command::new("tar")
        .arg("-czf")
        .arg(to)
        .arg("-C")
        .arg(folder.parent().unwrap())
        .arg(folder.file_name().unwrap()));
}
