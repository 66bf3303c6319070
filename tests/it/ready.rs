//! Gzip layers that a site keeps ready: they are handed out as they are, never when they are damaged, and make way.

use crate::testkit::{made, stage};

use std::fs;
use std::path::PathBuf;

use made::{Files, Made, files_tar, noise_layer, oci, write_files};
use stage::disk::Disk;
use stage::{Stage, contents, visible};

/// Bytes of a layer that is worth being kept.
const LAYER_BYTES: usize = 3_000_000;

fn image(version: &str, seed: u64) -> Made {
    let mut image = Made::new(&format!("registry.example/shop/web:{version}"), "amd64", 11);
    image
        .layers
        .push(noise_layer("app/model.bin", seed, LAYER_BYTES));
    image
}

/// A vendor's set of a release with a layout in it, on a disk as large as needed; the layout lies in `given` as well.
fn packed(stage: &Stage, release: &str, layout: &Files) {
    let given = stage.path("given");
    // An item is a folder, or a tar of it: layers lie in both.
    write_files(&given.join("layout"), layout);
    fs::write(given.join("layout.tar"), files_tar(layout)).unwrap();
    stage
        .run(&[
            "add",
            release,
            "given/layout",
            "given/layout.tar",
            "--store",
            "vendor",
        ])
        .ends_with(0);
    let pack = [
        "pack", release, "--store", "vendor", "--to", "carried", "--media", "usb",
    ];
    stage.run(&pack).ends_with(0);
}

/// Copies of long layers.
fn copies(stage: &Stage) -> Vec<PathBuf> {
    let mut files = visible(&stage.path(stage.store).join("ready"));
    files.retain(|file| file.extension().is_none());
    files
}

/// Groups of what is short.
fn groups(stage: &Stage) -> Vec<PathBuf> {
    let mut files = visible(&stage.path(stage.store).join("ready"));
    files.retain(|file| file.extension().is_some_and(|kind| kind == "group"));
    files
}

fn bytes_of(files: &[PathBuf]) -> u64 {
    files
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum()
}

/// Gives the release back in every way, and compares.
#[track_caller]
fn comes_back(stage: &Stage, release: &str, layout: &Files) {
    for name in ["back", "image"] {
        stage.remove(name);
    }
    stage.run(&["checkout", release, "back"]).ends_with(0);
    assert_eq!(
        contents(&stage.path("back")),
        contents(&stage.path("given"))
    );
    let out = ["checkout", release, "image", "--as", "oci"];
    stage.run(&out).ends_with(0);
    for (path, bytes) in layout.iter().filter(|(path, _)| path.starts_with("blobs/")) {
        assert!(
            fs::read(stage.path("image").join(path)).unwrap() == *bytes,
            "{path}"
        );
    }
}

#[test]
fn layers_are_kept_ready_until_no_release_needs_them() {
    let stage = Stage::new();
    let (old, new) = (oci(&[image("1.0", 1)]), oci(&[image("1.1", 2)]));
    packed(&stage, "shop:1.0", &old);
    let report = stage
        .run(&["--json", "receive", "carried"])
        .ends_with(0)
        .json();
    let [copy] = &copies(&stage)[..] else {
        panic!("one layer is worth it: {:?}", copies(&stage));
    };
    let ready_bytes = fs::metadata(copy).unwrap().len();
    let [group] = &groups(&stage)[..] else {
        panic!("short layers go together: {:?}", groups(&stage));
    };
    assert_eq!(
        report["ready_bytes"],
        ready_bytes + bytes_of(std::slice::from_ref(group))
    );
    assert!(old.values().any(|blob| fs::read(copy).unwrap() == *blob));
    comes_back(&stage, "shop:1.0", &old);

    let report = stage
        .run(&["--json", "receive", "carried"])
        .ends_with(0)
        .json();
    assert_eq!(report["ready_bytes"], 0, "it is here already");

    stage.remove("carried");
    stage.remove("given");
    packed(&stage, "shop:1.1", &new);
    stage.run(&["receive", "carried"]).ends_with(0);
    assert_eq!(copies(&stage).len(), 2);
    stage.run(&["rm", "shop:1.0"]).ends_with(0);
    let report = stage.run(&["--json", "prune"]).ends_with(0).json();
    assert_eq!(report["ready_dropped_bytes"], ready_bytes);
    assert_eq!(copies(&stage).len(), 1);
    // Short layers are in both releases.
    assert_eq!(groups(&stage), std::slice::from_ref(group));
    comes_back(&stage, "shop:1.1", &new);
    stage.run(&["prune", "--ready"]).ends_with(0);
    assert!(copies(&stage).is_empty() && groups(&stage).is_empty());
    comes_back(&stage, "shop:1.1", &new);
    stage.store_is_well();
}

#[test]
fn a_vendor_keeps_them_when_asked_to() {
    let stage = Stage::new();
    let layout = oci(&[image("1.0", 1)]);
    write_files(&stage.path("given/layout"), &layout);
    stage.run(&["add", "shop:1.0", "given/layout"]).ends_with(0);
    assert!(copies(&stage).is_empty() && groups(&stage).is_empty());
    // What is known already, too.
    let add = ["--json", "add", "shop:1.0", "given/layout", "--ready"];
    let report = stage.run(&add).ends_with(0).json();
    let kept = [copies(&stage), groups(&stage)].concat();
    assert_eq!(kept.len(), 2);
    assert_eq!(report["ready_bytes"], bytes_of(&kept));
    comes_back(&stage, "shop:1.0", &layout);
}

#[test]
fn a_damaged_copy_is_passed_over_and_told() {
    let stage = Stage::new();
    let layout = oci(&[image("1.0", 1)]);
    packed(&stage, "shop:1.0", &layout);
    stage.run(&["receive", "carried"]).ends_with(0);
    for copy in [copies(&stage).remove(0), groups(&stage).remove(0)] {
        let good = fs::read(&copy).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        for bad in [&flipped[..], &good[..good.len() - 1], &[]] {
            fs::write(&copy, bad).unwrap();
            comes_back(&stage, "shop:1.0", &layout);
            let said = stage.run(&["check", "--data"]).ends_with(0);
            let is_told = said.stderr.contains("kept ready is damaged");
            // A group whose table is gone holds nothing that could be damaged.
            assert!(
                is_told || copy.extension().is_some() && bad.len() < good.len(),
                "{said:#?}"
            );
        }
        // What stands in its place may be anything.
        let _ = fs::remove_file(&copy);
        fs::create_dir_all(copy.join("folder")).unwrap();
        comes_back(&stage, "shop:1.0", &layout);
    }
}

#[test]
fn files_of_gzip_in_plain_layers_are_kept_too() {
    let stage = Stage::new();
    let mut image = image("1.0", 1);
    let manual = made::gzip(&stage::text(5, 400_000));
    image
        .layers
        .push(made::tar_of(&[("usr/share/man/web.1.gz", manual.clone())]));
    let layout = oci(&[image.clone()]);
    packed(&stage, "shop:1.0", &layout);
    stage.run(&["receive", "carried"]).ends_with(0);
    let kept = fs::read(&groups(&stage)[0]).unwrap();
    assert!(kept.windows(manual.len()).any(|window| window == manual));
    let archive = [
        "checkout",
        "shop:1.0",
        "image.tar",
        "--as",
        "docker-archive",
    ];
    stage.run(&archive).ends_with(0);
    let archive = fs::read(stage.path("image.tar")).unwrap();
    for layer in &image.layers {
        assert!(archive.windows(layer.len()).any(|window| window == layer));
    }
}

#[test]
fn copies_make_way_for_a_release_that_needs_the_room() {
    let mut stage = Stage::new();
    let Some(disk) = Disk::new(&stage, "disk", 100_000_000) else {
        return;
    };
    stage.store = "disk/store";
    let old = oci(&[image("1.0", 1)]);
    packed(&stage, "shop:1.0", &old);
    stage.run(&["receive", "carried"]).ends_with(0);
    assert_eq!(copies(&stage).len(), 1);
    stage.remove("carried");
    stage.remove("given");
    let new = oci(&[image("1.1", 2)]);
    packed(&stage, "shop:1.1", &new);
    let free = || rustix::fs::statvfs(disk.path()).unwrap();
    // So little is free that what comes has no room beside the copy, and has some without.
    let fill = free().f_bavail * free().f_frsize - (LAYER_BYTES as u64) / 2;
    fs::write(
        disk.path().join("fill"),
        vec![0; usize::try_from(fill).unwrap()],
    )
    .unwrap();
    let said = stage.run(&["receive", "carried"]);
    assert!(copies(&stage).is_empty(), "{said:#?}");
    fs::remove_file(disk.path().join("fill")).unwrap();
    stage.run(&["receive", "carried"]).ends_with(0);
    comes_back(&stage, "shop:1.1", &new);
}
