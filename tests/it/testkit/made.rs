//! Images and packages as docker, containerd and Rainbond write them, small and of fixed seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use carryall::oci::image::Digest;
use serde_json::{Value, json};

pub use super::archives::{append, append_link, gzip, tar_of};
use super::bytes::{noise, text};

/// Paths and what is in them.
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

pub fn hex(bytes: &[u8]) -> String {
    Digest::of(bytes).hex().to_owned()
}

/// An image with plain layers.
#[derive(Clone)]
pub struct Made {
    pub reference: String,
    pub arch: &'static str,
    pub layers: Vec<Vec<u8>>,
}

impl Made {
    /// An image of a base layer that all of an architecture share, and one of its own.
    pub fn new(reference: &str, arch: &'static str, seed: u64) -> Self {
        let base = tar_of(&[
            (
                format!("usr/lib/base-{arch}.so"),
                noise(1 + arch.len() as u64, 150_000),
            ),
            ("etc/os-release".into(), b"ID=demo\n".to_vec()),
        ]);
        let own = tar_of(&[
            ("app/start", text(seed, 90_000)),
            ("app/data.bin", noise(seed, 80_000)),
        ]);
        Self {
            reference: reference.to_owned(),
            arch,
            layers: vec![base, own],
        }
    }

    pub fn config(&self) -> Vec<u8> {
        let ids: Vec<String> = self.layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({
            "architecture": self.arch, "os": "linux", "unknown": {"field": 1},
            "config": {"Cmd": ["/app/start"]},
            "rootfs": {"type": "layers", "diff_ids": ids},
        });
        serde_json::to_vec(&config).unwrap()
    }

    /// The manifest over gzip layers, and all blobs by digest.
    pub fn packed(&self, kind: &str) -> (Vec<u8>, Files) {
        let config = self.config();
        let (manifest, config_type, layer_type) = match kind {
            "docker" => (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            ),
            _ => (
                "application/vnd.oci.image.manifest.v1+json",
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
        };
        let mut blobs = Files::new();
        let mut put = |bytes: Vec<u8>, media_type: &str| {
            let entry =
                json!({"mediaType": media_type, "digest": digest(&bytes), "size": bytes.len()});
            blobs.insert(blob_path(&bytes), bytes);
            entry
        };
        let config = put(config, config_type);
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|layer| put(gzip(layer), layer_type))
            .collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": manifest, "config": config, "layers": layers,
        });
        let manifest = serde_json::to_vec_pretty(&manifest).unwrap();
        blobs.insert(blob_path(&manifest), manifest.clone());
        (manifest, blobs)
    }
}

pub fn blob_path(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", hex(bytes))
}

/// A layer with one file of noise.
pub fn noise_layer(path: &str, seed: u64, bytes: usize) -> Vec<u8> {
    tar_of(&[(path, noise(seed, bytes))])
}

pub fn files_tar(files: &Files) -> Vec<u8> {
    let members: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|(name, body)| (name.clone(), body.clone()))
        .collect();
    tar_of(&members)
}

pub fn write_files(folder: &Path, files: &Files) {
    for (name, body) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    }
}

/// As `docker save` wrote archives before version 25: `ID/layer.tar`, a layer that comes again as a link.
pub fn docker_classic(images: &[Made]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let mut configs = BTreeSet::new();
    let mut entries = Vec::new();
    for (number, image) in images.iter().enumerate() {
        let mut layers = Vec::new();
        for (layer_no, layer) in image.layers.iter().enumerate() {
            let id = hex(format!("{number} {layer_no}").as_bytes());
            let path = format!("{id}/layer.tar");
            append(&mut tar, &format!("{id}/VERSION"), b"1.0");
            match first.get(&hex(layer)) {
                Some(there) => append_link(&mut tar, &path, &format!("../{there}")),
                None => {
                    append(&mut tar, &path, layer);
                    first.insert(hex(layer), path.clone());
                }
            }
            layers.push(path);
        }
        let config = image.config();
        let config_path = format!("{}.json", hex(&config));
        if configs.insert(config_path.clone()) {
            append(&mut tar, &config_path, &config);
        }
        entries
            .push(json!({"Config": config_path, "RepoTags": [image.reference], "Layers": layers}));
    }
    append(
        &mut tar,
        "manifest.json",
        &serde_json::to_vec(&entries).unwrap(),
    );
    append(&mut tar, "repositories", b"{}");
    tar.into_inner().unwrap()
}

/// As docker writes archives from version 25 on: plain layers as blobs, and OCI manifests that leave the layers out.
pub fn docker_25(images: &[Made]) -> Files {
    let mut files = Files::new();
    let (mut entries, mut manifests) = (Vec::new(), Vec::new());
    for image in images {
        let config = image.config();
        let config_entry = json!({
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(&config), "size": config.len(),
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config_entry, "layers": null,
        });
        let manifest = serde_json::to_vec(&manifest).unwrap();
        manifests.push(json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest(&manifest), "size": manifest.len(),
            "annotations": {"io.containerd.image.name": image.reference},
        }));
        let layers: Vec<String> = image.layers.iter().map(|layer| blob_path(layer)).collect();
        entries.push(json!({
            "Config": blob_path(&config), "RepoTags": [image.reference], "Layers": layers,
        }));
        for blob in image.layers.iter().chain([&config, &manifest]) {
            files.insert(blob_path(blob), blob.clone());
        }
    }
    files.insert(
        "manifest.json".into(),
        serde_json::to_vec(&entries).unwrap(),
    );
    files.insert("index.json".into(), index(&manifests));
    files.insert("oci-layout".into(), LAYOUT.to_vec());
    files.insert("repositories".into(), b"{}".to_vec());
    files
}

pub const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

pub fn index(manifests: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": manifests})).unwrap()
}

/// As containerd exports one platform: gzip layers, docker's manifests under an index of which the other platform's child is
/// not there, and a `manifest.json`.
pub fn containerd(images: &[Made]) -> Files {
    let mut files = Files::new();
    let (mut entries, mut manifests) = (Vec::new(), Vec::new());
    for image in images {
        let (manifest, blobs) = image.packed("docker");
        let media_type = "application/vnd.docker.distribution.manifest.v2+json";
        let list_type = "application/vnd.docker.distribution.manifest.list.v2+json";
        let list = json!({
            "schemaVersion": 2, "mediaType": list_type,
            "manifests": [
                {"mediaType": media_type, "digest": digest(&manifest), "size": manifest.len(),
                 "platform": {"architecture": image.arch, "os": "linux"}},
                {"mediaType": media_type, "digest": digest(b"not there"), "size": 9,
                 "platform": {"architecture": "s390x", "os": "linux"}},
            ],
        });
        let list = serde_json::to_vec(&list).unwrap();
        manifests.push(json!({
            "mediaType": list_type, "digest": digest(&list), "size": list.len(),
            "annotations": {
                "io.containerd.image.name": image.reference,
                "org.opencontainers.image.ref.name": image.reference.rsplit(':').next().unwrap(),
            },
        }));
        let layers: Vec<String> = image
            .layers
            .iter()
            .map(|layer| blob_path(&gzip(layer)))
            .collect();
        entries.push(json!({
            "Config": blob_path(&image.config()), "RepoTags": [image.reference], "Layers": layers,
        }));
        files.extend(blobs);
        files.insert(blob_path(&list), list);
    }
    files.insert(
        "manifest.json".into(),
        serde_json::to_vec(&entries).unwrap(),
    );
    files.insert("index.json".into(), index(&manifests));
    files.insert("oci-layout".into(), LAYOUT.to_vec());
    files
}

/// An OCI layout.
pub fn oci(images: &[Made]) -> Files {
    let mut files = Files::new();
    let mut manifests = Vec::new();
    for image in images {
        let (manifest, blobs) = image.packed("oci");
        manifests.push(json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest(&manifest), "size": manifest.len(),
            "annotations": {"org.opencontainers.image.ref.name": image.reference},
        }));
        files.extend(blobs);
    }
    files.insert("index.json".into(), index(&manifests));
    files.insert("oci-layout".into(), LAYOUT.to_vec());
    files
}

/// An OCI layout with one name for two platforms, and a signature of the index.
pub fn oci_two_platforms(reference: &str, images: &[Made]) -> Files {
    let mut files = Files::new();
    let mut children = Vec::new();
    for image in images {
        let (manifest, blobs) = image.packed("oci");
        children.push(json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest(&manifest), "size": manifest.len(),
            "platform": {"architecture": image.arch, "os": "linux"},
        }));
        files.extend(blobs);
    }
    let index_type = "application/vnd.oci.image.index.v1+json";
    let inner = json!({"schemaVersion": 2, "mediaType": index_type, "manifests": children});
    let inner = serde_json::to_vec(&inner).unwrap();
    let (empty, payload) = (b"{}".to_vec(), b"a signature".to_vec());
    let signature = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.example.signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(&empty), "size": 2},
        "layers": [{"mediaType": "text/plain", "digest": digest(&payload), "size": payload.len()}],
        "subject": {"mediaType": index_type, "digest": digest(&inner), "size": inner.len()},
    });
    let signature = serde_json::to_vec(&signature).unwrap();
    let entries = [
        json!({"mediaType": index_type, "digest": digest(&inner), "size": inner.len(),
            "annotations": {"org.opencontainers.image.ref.name": reference}}),
        json!({"mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest(&signature), "size": signature.len()}),
    ];
    files.insert("index.json".into(), index(&entries));
    files.insert("oci-layout".into(), LAYOUT.to_vec());
    for blob in [inner, signature, empty, payload] {
        files.insert(blob_path(&blob), blob);
    }
    files
}

/// An OCI layout of one image whose last layer is zstd, which is kept as it comes.
pub fn oci_zstd(image: &Made) -> (Files, Vec<u8>) {
    let packed: Vec<Vec<u8>> = image
        .layers
        .iter()
        .map(|layer| zstd::encode_all(&layer[..], 3).unwrap())
        .collect();
    let config = image.config();
    let layers: Vec<Value> = packed
        .iter()
        .map(|layer| {
            json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd",
                "digest": digest(layer), "size": layer.len()})
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(&config), "size": config.len()},
        "layers": layers,
    });
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let entry = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest(&manifest), "size": manifest.len(),
        "annotations": {"org.opencontainers.image.ref.name": image.reference},
    });
    let mut files = Files::new();
    files.insert("index.json".into(), index(&[entry]));
    files.insert("oci-layout".into(), LAYOUT.to_vec());
    for blob in packed.iter().chain([&config, &manifest]) {
        files.insert(blob_path(blob), blob.clone());
    }
    (files, manifest)
}

/// `metadata.json` of an application template.
pub fn metadata(name: &str, version: &str, images: &[Made], plugins: &[Made]) -> Vec<u8> {
    let component = |image: &Made| {
        let name = image
            .reference
            .rsplit('/')
            .next()
            .unwrap()
            .split(':')
            .next()
            .unwrap();
        json!({
            "service_cname": name, "service_id": hex(name.as_bytes()), "deploy_version": "20260101120000",
            "share_image": image.reference, "arch": image.arch, "report": null, "memory": 512,
        })
    };
    let plugin = |image: &Made| json!({"plugin_alias": "meter", "build_version": "7", "share_image": image.reference});
    let value = json!({
        "group_key": "094e06094b9e48d6a3b14e06890e37b2", "group_name": name, "group_version": version,
        "template_version": "v2", "apps": images.iter().map(component).collect::<Vec<_>>(),
        "plugins": plugins.iter().map(plugin).collect::<Vec<_>>(),
        "annotations": {"image_base64_string": "AAAA"}, "unknown": [1, 2, 3],
    });
    serde_json::to_vec(&value).unwrap()
}

/// A package: one folder in a gzipped tar.
pub fn package(folder: &str, files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let members: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|(name, body)| (format!("{folder}/{name}"), body.clone()))
        .collect();
    gzip(&tar_of(&members))
}

/// An application template with one plugin, the images as containerd exports them.
pub fn ram(name: &str, version: &str, images: &[Made], plugins: &[Made]) -> Vec<u8> {
    let mut files = vec![
        ("metadata.json", metadata(name, version, images, plugins)),
        ("component-images.tar", files_tar(&containerd(images))),
    ];
    if plugins.is_empty() {
        // As exporters of 2023 wrote it.
        let none = Files::from([("manifest.json".to_owned(), b"null".to_vec())]);
        files.push(("plugin-images.tar", files_tar(&none)));
    } else {
        files.push(("plugin-images.tar", files_tar(&containerd(plugins))));
    }
    package(&format!("{name}-{version}-ram"), &files)
}

/// A package for docker compose, the images as docker saves them.
pub fn compose(name: &str, version: &str, images: &[Made]) -> Vec<u8> {
    let mut yaml = "version: \"2.1\"\nservices:\n".to_owned();
    for (number, image) in images.iter().enumerate() {
        yaml += &format!(
            "  part{number}:\n    image: {}\n    restart: always\n",
            image.reference
        );
    }
    let files = [
        ("component-images.tar", docker_classic(images)),
        ("docker-compose.yaml", yaml.into_bytes()),
        ("run.sh", b"#!/bin/sh\n".to_vec()),
        ("part0/etc/app.conf", b"a=1\n".to_vec()),
    ];
    package(&format!("{name}-{version}-dockercompose"), &files)
}

/// A package without containers.
pub fn slug(name: &str, version: &str) -> Vec<u8> {
    let inner = gzip(&tar_of(&[("target/jobs.jar", noise(5, 90_000))]));
    let files = [
        ("jobs/jobs-slug.tgz", inner),
        ("jobs/jobs.env", b"export PORT=8080\n".to_vec()),
        ("jobs/jobs.sh", b"#!/bin/sh\n".to_vec()),
        ("mall.sh", b"#!/bin/sh\n".to_vec()),
    ];
    package(&format!("{name}-{version}-slug"), &files)
}

/// A Helm package: the chart in a folder of the application's name, beside the images.
pub fn helm(name: &str, version: &str, images: &[Made]) -> Vec<u8> {
    let chart = format!(
        "apiVersion: v2\nappVersion: \"{version}\"\ndescription: demo\nname: {name}\ntype: application\nversion: \"{version}\"\n\n---\n"
    );
    let names: Vec<&str> = images.iter().map(|image| &image.reference[..]).collect();
    let folder = |file: &str| format!("{name}/{file}");
    let files = [
        (folder("Chart.yaml"), chart.into_bytes()),
        (folder("values.yaml"), b"replicas: 1\n".to_vec()),
        (
            folder("templates/Deployment.yaml"),
            b"kind: Deployment\n\n---\n".to_vec(),
        ),
        (folder("dependent_image.txt"), names.join("\n").into_bytes()),
        (
            "component-images.tar".to_owned(),
            files_tar(&containerd(images)),
        ),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(file, body)| (&file[..], body.clone()))
        .collect();
    package(&format!("{name}-{version}-helm"), &files)
}

/// A package of YAML for Kubernetes: a file for each kind in a folder of the application's name, beside the images.
pub fn kubernetes(name: &str, version: &str, images: &[Made]) -> Vec<u8> {
    let folder = |file: &str| format!("{name}/{file}");
    let files = [
        (
            folder("Deployment.yaml"),
            b"kind: Deployment\n\n---\n".to_vec(),
        ),
        (folder("Service.yaml"), b"kind: Service\n\n---\n".to_vec()),
        ("component-images.tar".to_owned(), docker_classic(images)),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(file, body)| (&file[..], body.clone()))
        .collect();
    package(&format!("{name}-{version}-yaml"), &files)
}

/// Files of a package as it was before 2021: an archive of each image, in a folder of its component.
pub fn old_files(name: &str, version: &str, images: &[Made]) -> Files {
    let folder = format!("{name}-{version}");
    let metadata = metadata(name, version, images, &[]);
    let mut files = Files::from([(format!("{folder}/metadata.json"), metadata)]);
    for image in images {
        let last = image.reference.rsplit('/').next().unwrap();
        let part = last.split(':').next().unwrap();
        files.insert(
            format!("{folder}/{part}/{}.image.tar", last.replace(':', "--")),
            docker_classic(std::slice::from_ref(image)),
        );
        files.insert(format!("{folder}/{part}/app.conf"), b"a=1\n".to_vec());
    }
    files
}
