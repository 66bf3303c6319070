//! Images and discs as other programs see them: what comes back is read by skopeo, volumes by xorriso and bsdtar, and an
//! image that ddrescue read off a bad disc is taken in.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use crate::testkit::registry_parts::layer;
use crate::testkit::{packed, programs};

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use carryall::base::monitor::Silent;
use carryall::content::release::ReleaseName;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::media::verify::SetState;
use carryall::store::Store;
use carryall::volumes::block::BLOCK_BYTES;
use carryall::volumes::media::Carrier;
use packed::{Packed, Shape, Site, assert_complete, files_below, paths_in};
use programs::{has, run, skopeo};
use tempfile::TempDir;

/// What skopeo says of an image: one digest stands for all of it, the layers and their order.
fn inspect(image: &str) -> serde_json::Value {
    let said = run(skopeo().args(["inspect", image]));
    let mut said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let digest = run(skopeo().args(["inspect", "--raw", image]));
    said["raw manifest"] = digest.into();
    said["config"] = run(skopeo().args(["inspect", "--config", image])).into();
    assert!(
        said["Layers"]
            .as_array()
            .is_some_and(|layers| layers.len() == 2),
        "{said}"
    );
    said
}

fn sha256(bytes: &[u8], dir: &Path) -> String {
    let file = dir.join("to-sum");
    fs::write(&file, bytes).unwrap();
    run(Command::new("sha256sum").arg(&file))[..64].to_owned()
}

/// Makes an OCI layout of two layers, gzipped, by hand.
fn make_oci_layout(to: &Path) {
    let scratch = TempDir::new().unwrap();
    let blobs = to.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8], media_type: &str| {
        let sum = sha256(bytes, scratch.path());
        fs::write(blobs.join(&sum), bytes).unwrap();
        serde_json::json!({
            "mediaType": format!("application/vnd.oci.image.{media_type}"),
            "digest": format!("sha256:{sum}"),
            "size": bytes.len(),
        })
    };
    let mut layers = Vec::new();
    let mut diff_ids = Vec::new();
    for seed in [1, 2] {
        let plain = layer(seed);
        diff_ids.push(format!("sha256:{}", sha256(&plain, scratch.path())));
        let file = scratch.path().join("layer.tar");
        fs::write(&file, plain).unwrap();
        run(Command::new("gzip").arg("-nf").arg(&file));
        let packed = fs::read(file.with_extension("tar.gz")).unwrap();
        layers.push(put(&packed, "layer.v1.tar+gzip"));
    }
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": { "Env": ["A=b"], "Cmd": ["/opt/app"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = put(config.to_string().as_bytes(), "config.v1+json");
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": layers,
    });
    let mut manifest = put(manifest.to_string().as_bytes(), "manifest.v1+json");
    manifest["annotations"] = serde_json::json!({ "org.opencontainers.image.ref.name": "1.0" });
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(to.join("index.json"), index.to_string()).unwrap();
    fs::write(to.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

fn tar_folder(folder: &Path, to: &Path) {
    run(Command::new("tar")
        .arg("-C")
        .arg(folder)
        .arg("-cf")
        .arg(to)
        .args(
            paths_in(folder)
                .iter()
                .map(|path| path.file_name().unwrap().to_owned()),
        ));
}

/// Makes, of an OCI layout, what newer docker programs save: the layout in a tar, with a manifest.json beside it.
fn make_new_archive(layout: &Path, to: &Path) {
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let blob = |digest: &serde_json::Value| {
        format!(
            "blobs/sha256/{}",
            digest.as_str().unwrap().trim_start_matches("sha256:")
        )
    };
    let manifest = fs::read(layout.join(blob(&index["manifests"][0]["digest"]))).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let layers: Vec<String> = layers.iter().map(|layer| blob(&layer["digest"])).collect();
    let listed = serde_json::json!([{
        "Config": blob(&manifest["config"]["digest"]), "RepoTags": ["shop:1.0"], "Layers": layers,
    }]);
    let copy = TempDir::new().unwrap();
    for (name, bytes) in files_below(layout) {
        fs::create_dir_all(copy.path().join(&name).parent().unwrap()).unwrap();
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    fs::write(copy.path().join("manifest.json"), listed.to_string()).unwrap();
    tar_folder(copy.path(), to);
}

/// The same image as layout, as classic archive, and as archive of the newer form, packed as images of discs.
fn pack_images() -> Packed {
    let dir = TempDir::new().unwrap();
    let given = dir.path().join("given");
    fs::create_dir(&given).unwrap();
    make_oci_layout(&given.join("layout"));
    let from = format!("oci:{}:1.0", given.join("layout").display());
    let to = format!(
        "docker-archive:{}:shop:1.0",
        given.join("classic.tar").display()
    );
    run(skopeo().args(["copy", "--quiet", &from, &to]));
    make_new_archive(&given.join("layout"), &given.join("newer.tar"));
    let store = Store::create(&dir.path().join("vendor")).unwrap();
    let release: ReleaseName = "shop:1.0".parse().unwrap();
    let report = add(
        &store,
        &release,
        &paths_in(&given),
        &AddOptions::default(),
        &Silent,
    )
    .unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    Shape {
        carrier: Carrier::Iso,
        blocks: 40,
        ..Shape::default()
    }
    .pack_from(dir, &store, release)
}

fn images_in(folder: &Path) -> [String; 3] {
    [
        format!("oci:{}:1.0", folder.join("layout").display()),
        format!("docker-archive:{}", folder.join("classic.tar").display()),
        format!("docker-archive:{}", folder.join("newer.tar").display()),
    ]
}

/// Copies an image into a layout and returns the blobs that came of it.
fn blobs_of(image: &str) -> Vec<PathBuf> {
    let out = TempDir::new().unwrap();
    let to = format!("oci:{}:1.0", out.path().display());
    run(skopeo().args(["copy", "--quiet", image, &to]));
    files_below(out.path()).into_keys().collect()
}

fn by_extension(carried: &packed::Carried<'_>) -> Vec<PathBuf> {
    let images = paths_in(carried.root());
    assert!(
        images
            .iter()
            .all(|path| path.extension().is_some_and(|end| end == "iso"))
    );
    images
}

#[test]
fn images_given_back_are_the_same_to_skopeo() {
    if !has(&["skopeo", "xorriso", "gzip", "sha256sum", "tar"]) {
        return;
    }
    let packed = pack_images();
    let site = Site::default();
    let carried = packed.carry();
    carried.lose(1);
    let progress = site.receive_set(&by_extension(&carried), &packed);
    assert_complete(&progress);
    site.assert_same(&packed);
    let back = site.dir.path().join("back");
    let options = CheckoutOptions::default();
    checkout(&site.store, &packed.release, &back, &options, &Silent).unwrap();
    for (given, back) in images_in(&packed.given()).iter().zip(images_in(&back)) {
        assert_eq!(inspect(given), inspect(&back));
        assert_eq!(blobs_of(given), blobs_of(&back));
    }
}

#[test]
fn discs_are_listed_and_extracted_by_xorriso_and_bsdtar() {
    if !has(&["skopeo", "xorriso", "bsdtar", "gzip", "sha256sum", "tar"]) {
        return;
    }
    let packed = pack_images();
    let carried = packed.carry();
    let out = TempDir::new().unwrap();
    for (number, image) in by_extension(&carried).iter().enumerate() {
        let by_xorriso = out.path().join(format!("xorriso/{number}"));
        fs::create_dir_all(by_xorriso.parent().unwrap()).unwrap();
        run(Command::new("xorriso")
            .args(["-no_rc", "-osirrox", "on", "-indev"])
            .arg(image)
            .args(["-extract", "/"])
            .arg(&by_xorriso));
        let by_bsdtar = out.path().join(format!("bsdtar/{number}"));
        fs::create_dir_all(&by_bsdtar).unwrap();
        run(Command::new("bsdtar")
            .arg("-C")
            .arg(&by_bsdtar)
            .arg("-xf")
            .arg(image));
        let files = files_below(&by_xorriso);
        assert!(files == files_below(&by_bsdtar), "the two readers differ");
        let carrier = PathBuf::from(format!("carry{:02}.000", number + 1));
        let blocks = u64::from(packed.geometry.volume_blocks());
        assert_eq!(files[&carrier].len() as u64, blocks * BLOCK_BYTES as u64);
        let listed = run(Command::new("bsdtar").arg("-tf").arg(image));
        let found = run(Command::new("xorriso")
            .args(["-no_rc", "-indev"])
            .arg(image)
            .args(["-find", "/", "-type", "f"]));
        for name in files.keys() {
            let name = name.to_str().unwrap();
            assert!(
                listed.contains(name) && found.contains(name),
                "{name}: {listed}{found}"
            );
        }
        // Its blocks are the image's: the image is not needed any more.
        fs::remove_file(image).unwrap();
    }
    for reader in ["xorriso", "bsdtar"] {
        let site = Site::default();
        let progress = site.receive_set(&[out.path().join(reader)], &packed);
        assert_complete(&progress);
        site.assert_same(&packed);
    }
}

#[test]
fn what_ddrescue_read_off_a_bad_disc_is_taken_in() {
    if !has(&["skopeo", "xorriso", "ddrescue", "gzip", "sha256sum", "tar"]) {
        return;
    }
    let packed = pack_images();
    let carried = packed.carry();
    [1, 2].into_iter().for_each(|no| carried.lose(no));
    let rescued = TempDir::new().unwrap();
    for (number, image) in by_extension(&carried).iter().enumerate() {
        // A disc whose start and a stretch in the middle are gone; ddrescue leaves zeros there.
        let bytes = fs::metadata(image).unwrap().len();
        let scratch = usize::try_from(packed.geometry.local_burst_blocks() - 1).unwrap();
        let file = fs::OpenOptions::new().write(true).open(image).unwrap();
        file.write_all_at(&vec![0; 40_960], 0).unwrap();
        file.write_all_at(&vec![0; scratch * BLOCK_BYTES], bytes / 2 / 2048 * 2048)
            .unwrap();
        let copy = rescued.path().join(format!("rescued-{number}.img"));
        run(Command::new("ddrescue")
            .arg("--quiet")
            .arg(image)
            .arg(&copy)
            .arg(rescued.path().join(format!("{number}.map"))));
        fs::remove_file(image).unwrap();
        fs::rename(copy, image).unwrap();
    }
    assert_eq!(carried.verify().state, SetState::Recoverable);
    let site = Site::default();
    let progress = site.receive_set(&carried.paths(), &packed);
    assert_complete(&progress);
    site.assert_same(&packed);
    site.assert_sound();
}
