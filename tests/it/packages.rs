//! Rainbond's packages around real images, all the way: added, packed onto volumes of which one gets lost, received, given back
//! byte for byte, and their images handed to a registry, to skopeo and as archives with the digests that they had.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use crate::testkit::programs::raw_digest;
use crate::testkit::{programs, real, registry_parts, stage};

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use carryall::oci::image::Digest;
use programs::{has, run, skopeo};
use real::{Part, RealImages};
use registry_parts::{RealRegistry, Serving};
use stage::{Stage, volumes};

/// What a package is of.
const RELEASES: [(&str, &str); 4] = [
    ("1.0", "amd64"),
    ("1.0", "arm64"),
    ("1.1", "amd64"),
    ("1.1", "arm64"),
];
const PARTS: [&str; 3] = ["web", "api", "jobs"];

/// The images and packages of a product, on a stage.
struct Product<'a> {
    stage: &'a Stage,
    images: RealImages,
}

/// Tag in the layout.
fn tag(part: &str, version: &str, arch: &str) -> String {
    // Rebuilt images alone get new tags; the web did not change.
    let version = if part == "web" { "1.0" } else { version };
    format!("{part}-{version}-{arch}")
}

fn digest_of_name(part: &str) -> String {
    Digest::of(part.as_bytes()).hex()[..32].to_owned()
}

/// The name that a package gives an image: its tag says when it was built.
fn name(part: &str, version: &str) -> String {
    let id = digest_of_name(part);
    let built = match (part, version) {
        ("web", _) | (_, "1.0") => "20260101120000",
        _ => "20260301093000",
    };
    format!("goodrain.me/default/{id}:{built}")
}

fn release(version: &str, arch: &str) -> String {
    format!("mall:{version}@{arch}")
}

fn folder(version: &str, arch: &str) -> String {
    format!("given/{version}-{arch}")
}

impl<'a> Product<'a> {
    /// Makes all images, then all packages.
    fn make(stage: &'a Stage) -> Self {
        let images = RealImages::new(&stage.path("made/layout"));
        let product = Self { stage, images };
        for (arch, skip) in [("amd64", 0), ("arm64", 60)] {
            product.make_images(arch, skip);
        }
        for (version, arch) in RELEASES {
            product.ram(version, arch);
            product.compose(version, arch);
            product.slug(version, arch);
        }
        product
    }

    fn make_images(&self, arch: &str, skip: usize) {
        let made = |name: &str| self.stage.path(&format!("made/{arch}/{name}"));
        real::gather("/usr/lib", &made("base"), 8_000_000, skip);
        real::gather("/usr/bin", &made("web"), 4_000_000, skip);
        real::gather("/usr/bin", &made("api"), 6_000_000, skip + 80);
        real::gather("/usr/bin", &made("slug/target"), 2_500_000, skip + 140);
        real::write(&made("slug/Procfile"), b"web: target/jobs\n");
        let images = &self.images;
        let base = format!("base-{arch}");
        images.begin(&base, arch);
        images.layer(&base, &made("base"), "/usr/lib/shop");
        let from_base = |part: &str, version: &str| {
            let tag = tag(part, version, arch);
            images.branch(&base, &tag);
            tag
        };
        images.layer(&from_base("web", "1.0"), &made("web"), "/srv/web");
        for version in ["1.0", "1.1"] {
            if version == "1.1" {
                real::rebuild(&made("api"));
                real::rebuild(&made("slug/target"));
            }
            let api = from_base("api", version);
            images.layer(&api, &made("api"), "/srv/api");
            real::write(&made("app.conf"), format!("version={version}\n").as_bytes());
            images.layer(&api, &made("app.conf"), "/etc/app.conf");
            // The builder copies the slug into the image, and then changes its owner: two layers with the same bytes.
            let jobs = from_base("jobs", version);
            let slug = made(&format!("slug-{version}.tgz"));
            real::tar_gz(&made("slug"), &slug);
            images.layer(&jobs, &slug, "/tmp/slug/slug.tgz");
            let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&slug, own).unwrap();
            images.layer(&jobs, &slug, "/tmp/slug/slug.tgz");
        }
    }

    /// Packs what lies in `made/KIND`, in a folder named as the exporters name it.
    fn pack(&self, version: &str, arch: &str, kind: &str) {
        let package = format!("mall-{version}-{kind}");
        let file = format!("{}/{package}.tar.gz", folder(version, arch));
        real::tar_gz(
            &self.stage.path(&format!("made/{package}")),
            &self.stage.path(&file),
        );
        self.stage.remove(&format!("made/{package}"));
    }

    fn named(version: &str, arch: &str, parts: &[&str]) -> Vec<(String, String)> {
        let both = |part: &&str| (tag(part, version, arch), name(part, version));
        parts.iter().map(both).collect()
    }

    fn ram(&self, version: &str, arch: &str) {
        let made = self.stage.path(&format!("made/mall-{version}-ram"));
        let named = Self::named(version, arch, &PARTS);
        let parts = PARTS.iter().zip(&named);
        let parts: Vec<Part<'_>> = parts
            .map(|(part, (_, name))| of(part, name, arch))
            .collect();
        let metadata = real::metadata("mall", version, &parts);
        real::write(&made.join("metadata.json"), &metadata);
        self.images
            .containerd_archive(&borrowed(&named), &made.join("component-images.tar"));
        // As exporters of 2023 wrote it without plugins.
        let none = self.stage.path("made/none");
        real::write(&none.join("manifest.json"), b"null");
        run(std::process::Command::new("tar")
            .arg("-cf")
            .arg(made.join("plugin-images.tar"))
            .arg("-C")
            .arg(&none)
            .arg("manifest.json"));
        self.pack(version, arch, "ram");
    }

    fn compose(&self, version: &str, arch: &str) {
        let made = self
            .stage
            .path(&format!("made/mall-{version}-dockercompose"));
        let named = Self::named(version, arch, &PARTS[..2]);
        let parts = PARTS.iter().zip(&named);
        let parts: Vec<Part<'_>> = parts
            .map(|(part, (_, name))| of(part, name, arch))
            .collect();
        real::write(
            &made.join("docker-compose.yaml"),
            &real::compose_file(&parts),
        );
        real::write(&made.join("run.sh"), b"#!/bin/sh\n");
        for part in &PARTS[..2] {
            let conf = made.join(part).join("etc/app.conf");
            real::write(&conf, format!("version={version}\n").as_bytes());
        }
        self.images
            .docker_archive(&borrowed(&named), &made.join("component-images.tar"));
        self.pack(version, arch, "dockercompose");
    }

    fn slug(&self, version: &str, arch: &str) {
        let made = self.stage.path(&format!("made/mall-{version}-slug"));
        let slug = self.stage.path(&format!("made/{arch}/slug-{version}.tgz"));
        fs::create_dir_all(made.join("jobs")).unwrap();
        fs::copy(slug, made.join("jobs/jobs-slug.tgz")).unwrap();
        real::write(&made.join("jobs/jobs.env"), b"export PORT=8080\n");
        real::write(&made.join("jobs/jobs.sh"), b"#!/bin/sh\n");
        real::write(&made.join("mall.sh"), b"#!/bin/sh\n");
        self.pack(version, arch, "slug");
    }

    /// Digest of each image's manifest, by the name that it has in a registry.
    fn digests(&self, version: &str, arch: &str) -> BTreeMap<String, String> {
        let of = |part: &&str| {
            let name = name(part, version).replace("goodrain.me/", "");
            (name, self.images.digest(&tag(part, version, arch)))
        };
        PARTS.iter().map(of).collect()
    }

    fn id(&self, part: &str, version: &str, arch: &str) -> String {
        self.images.id(&tag(part, version, arch))
    }
}

fn of<'a>(name: &'a str, image: &'a str, architecture: &'a str) -> Part<'a> {
    Part {
        name,
        image,
        architecture,
    }
}

fn borrowed(named: &[(String, String)]) -> Vec<(&str, &str)> {
    named
        .iter()
        .map(|(tag, name)| (&tag[..], &name[..]))
        .collect()
}

/// Adds a release of all files in a folder.
#[track_caller]
fn add(stage: &Stage, release: &str, folder: &str) {
    let mut words = vec!["add".into(), release.into()];
    let paths = stage::visible(&stage.path(folder));
    words.extend(paths.iter().map(|path| path.as_os_str().to_owned()));
    stage.run(&words).ends_with(0);
}

/// Digest of the config, through any list of platforms.
fn config_digest(arch: &str, image: &str) -> String {
    let words = [
        "--override-arch",
        arch,
        "inspect",
        "--raw",
        "--config",
        "--tls-verify=false",
    ];
    let raw = run(skopeo().args(words).arg(image));
    Digest::of(raw.as_bytes()).to_string()
}

/// `show` knows the packages for what they are.
fn are_known(product: &Product<'_>, version: &str, arch: &str) {
    let words = ["--json", "show", &release(version, arch)];
    let report = product.stage.run(&words).ends_with(0).json();
    let packages = report["packages"].as_array().unwrap().iter();
    let said: Vec<(&str, &str, usize, u64)> = packages
        .map(|each| {
            let components = each["components"].as_array().unwrap().len();
            let text = |key: &str| each[key].as_str().unwrap();
            let images = each["images"].as_u64().unwrap();
            assert_eq!(text("name"), "mall");
            (text("kind"), text("version"), components, images)
        })
        .collect();
    let expected = [
        ("compose", version, 2, 2),
        ("ram", version, 3, 3),
        ("slug", version, 1, 0),
    ];
    assert_eq!(said, expected, "{report:#}");
    assert_eq!(report["findings"], serde_json::json!([]), "{report:#}");
    let ids: BTreeSet<&str> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["id"].as_str().unwrap())
        .collect();
    let made: Vec<String> = PARTS.map(|part| product.id(part, version, arch)).into();
    assert_eq!(ids, made.iter().map(String::as_str).collect());
}

/// Archives for docker, read by skopeo layer by layer.
fn come_out_as_archives(product: &Product<'_>, version: &str, arch: &str) {
    let stage = product.stage;
    let archive = format!("{version}-{arch}.tar");
    let release = release(version, arch);
    stage
        .run(&["checkout", &release, &archive, "--as", "docker-archive"])
        .ends_with(0);
    for part in PARTS {
        let name = name(part, version);
        let image = format!("docker-archive:{}:{name}", stage.path(&archive).display());
        assert_eq!(
            config_digest(arch, &image),
            product.id(part, version, arch),
            "{name}"
        );
        let copy = format!("dir:{}", stage.path("copied").display());
        run(skopeo().args(["copy", "-q", &image, &copy]));
        stage.remove("copied");
    }
    stage.remove(&archive);
}

/// Into a real registry, each platform below a prefix of its own; the manifests are those of the packages.
fn are_pushed(product: &Product<'_>, registry: &RealRegistry, version: &str, arch: &str) {
    let to = format!("{}/{arch}", registry.host);
    let words = ["--json", "push", &release(version, arch), &to];
    product.stage.run(&words).ends_with(0);
    for (name, digest) in product.digests(version, arch) {
        assert_eq!(
            raw_digest(&["--override-arch", arch], &format!("docker://{to}/{name}")),
            digest,
            "{name}"
        );
    }
}

/// From the store, nothing unpacked: by name for either platform, by digest as it was.
fn are_served(product: &Product<'_>, releases: &[(&str, &str)]) {
    let mut words = vec!["serve".to_owned(), "--listen".into(), "127.0.0.1:0".into()];
    words.extend(
        releases
            .iter()
            .map(|(version, arch)| release(version, arch)),
    );
    let serving = Serving::start(&mut product.stage.command(&words));
    for (version, arch) in releases {
        for part in PARTS {
            let name = name(part, version).replace("goodrain.me/", "");
            let image = format!("docker://{}/{name}", serving.host);
            assert_eq!(
                config_digest(arch, &image),
                product.id(part, version, arch),
                "{name}"
            );
        }
        for (name, digest) in product.digests(version, arch) {
            let path = name.split(':').next().unwrap();
            let image = format!("docker://{}/{path}@{digest}", serving.host);
            let copy = product.stage.path("copied");
            run(skopeo()
                .args([
                    "--override-arch",
                    arch,
                    "copy",
                    "-q",
                    "--src-tls-verify=false",
                    &image,
                ])
                .arg(format!("dir:{}", copy.display())));
            let manifest = fs::read(copy.join("manifest.json")).unwrap();
            assert_eq!(Digest::of(&manifest).to_string(), digest, "{name}");
            product.stage.remove("copied");
        }
    }
    let log = serving.end();
    assert!(log.contains("GET /v2/default/"), "{log}");
}

fn packages_are_there(stage: &Stage) {
    for (version, arch) in RELEASES {
        let names: Vec<String> = stage::visible(&stage.path(&folder(version, arch)))
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        let expected = ["dockercompose", "ram", "slug"];
        let expected = expected.map(|kind| format!("mall-{version}-{kind}.tar.gz"));
        assert_eq!(names, expected);
    }
}

#[test]
fn packages_around_real_images_cross_with_a_volume_lost_and_their_digests_kept() {
    if !has(&real::PROGRAMS) || !has(&["docker-registry"]) {
        return;
    }
    let mut stage = Stage::new();
    Product::make(&stage);
    packages_are_there(&stage);
    for (version, arch) in RELEASES {
        add(&stage, &release(version, arch), &folder(version, arch));
    }
    let mut words = vec!["pack".to_owned()];
    words.extend(RELEASES.map(|(version, arch)| release(version, arch)));
    words.extend(["--to", "discs", "--media", "8MB", "--spare", "1"].map(str::to_owned));
    stage.run(&words).ends_with(0);
    let mut discs = volumes(&stage.path("discs"));
    assert!(discs.len() >= 4, "{discs:?}");
    fs::remove_dir_all(discs.remove(1)).unwrap();
    stage.store = "site";
    let mut words = vec!["receive".into()];
    words.extend(discs.iter().map(|path| path.as_os_str().to_owned()));
    stage.run(&words).ends_with(0);

    let product = Product {
        stage: &stage,
        images: RealImages::open(&stage.path("made/layout")),
    };
    let registry = RealRegistry::start();
    for (version, arch) in RELEASES {
        stage.comes_back(&release(version, arch), &folder(version, arch));
        are_known(&product, version, arch);
        come_out_as_archives(&product, version, arch);
        are_pushed(&product, &registry, version, arch);
    }
    are_served(&product, &[("1.0", "amd64"), ("1.0", "arm64")]);
    are_served(&product, &[("1.1", "arm64")]);
    stage.run(&["check", "--data"]).ends_with(0);
}

#[test]
fn images_that_came_without_manifests_go_out_under_the_ids_that_they_had() {
    if !has(&real::PROGRAMS) || !has(&["docker-registry"]) {
        return;
    }
    let stage = Stage::new();
    let images = RealImages::new(&stage.path("made/layout"));
    images.begin("base", "amd64");
    real::gather("/usr/lib", &stage.path("made/base"), 2_000_000, 20);
    images.layer("base", &stage.path("made/base"), "/usr/lib/shop");
    let named = [
        ("web", "shop.example/a/web:1"),
        ("api", "shop.example/a/api:1"),
    ];
    for (number, (tag, _)) in named.iter().enumerate() {
        images.branch("base", tag);
        let own = stage.path(&format!("made/{tag}"));
        real::gather("/usr/bin", &own, 1_500_000, 30 * number);
        images.layer(tag, &own, "/srv");
    }
    let made = stage.path("made/cart-2.0-dockercompose");
    let parts = named.map(|(tag, name)| of(tag, name, "amd64"));
    real::write(
        &made.join("docker-compose.yaml"),
        &real::compose_file(&parts),
    );
    real::write(&made.join("run.sh"), b"#!/bin/sh\n");
    images.docker_archive(&named, &made.join("component-images.tar"));
    real::tar_gz(&made, &stage.path("given/cart-2.0-dockercompose.tar.gz"));
    add(&stage, "cart:2.0", "given");

    let registry = RealRegistry::start();
    stage
        .run(&["push", "cart:2.0", &registry.host])
        .ends_with(0);
    let serving = Serving::start(&mut stage.command(&["serve", "--listen", "127.0.0.1:0"]));
    for (tag, name) in named {
        let path = name.strip_prefix("shop.example/").unwrap();
        let pushed = format!("docker://{}/{path}", registry.host);
        let served = format!("docker://{}/{path}", serving.host);
        assert_eq!(config_digest("amd64", &pushed), images.id(tag));
        assert_eq!(config_digest("amd64", &served), images.id(tag));
        // The manifest was made here, the same for both ways out, and its layers can be pulled.
        assert_eq!(
            raw_digest(&["--override-arch", "amd64"], &pushed),
            raw_digest(&["--override-arch", "amd64"], &served)
        );
        for from in [&pushed, &served] {
            let copy = format!("dir:{}", stage.path("copied").display());
            run(skopeo().args(["copy", "-q", "--src-tls-verify=false", from, &copy]));
            stage.remove("copied");
        }
    }
    serving.end();
}
