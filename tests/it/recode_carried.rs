//! Xz, lzma, bzip2 and lz4 streams on their whole way: opened by `add`, carried as a delta, received, checked, served from copies that are
//! kept ready, read by a stranger, and given back bit for bit.

use std::fs;
use std::process::Command;

use carryall::oci::image::Digest;

use crate::recode::tool;
use crate::testkit::archives::tar_of;
use crate::testkit::bytes::{noise, text};
use crate::testkit::programs::{has, run, skopeo};
use crate::testkit::stage::{Stage, look};

/// A tar of a program and its texts.
fn program(seed: u64) -> Vec<u8> {
    tar_of(&[
        ("usr/bin/tool", noise(1, 90_000)),
        ("usr/share/text", text(2, 900_000)),
        ("usr/share/news", text(seed, 30_000)),
    ])
}

fn opened(stage: &Stage, release: &str) -> u64 {
    let report = stage.run(&["show", release, "--json"]).ends_with(0).json();
    report["opened"]["streams"].as_u64().unwrap()
}

#[test]
fn a_changed_tar_in_xz_travels_as_the_change_and_comes_back() {
    if !has(&["xz", "bzip2", "lz4"]) {
        return;
    }
    let stage = Stage::new();
    let other = [text(9, 20_000), noise(4, 20_000)].concat();
    for (version, seed) in [("1", 3), ("2", 4)] {
        let given = stage.path(&format!("given-{version}"));
        fs::create_dir(&given).unwrap();
        let plain = program(seed);
        // In blocks as dpkg-deb makes them, in one block, and in the older format.
        for (name, arguments) in [
            ("threads.tar.xz", "-c -6 -T2 --block-size=300000"),
            ("single.tar.xz", "-c -3 -T1"),
            ("old.tar.lzma", "-c --format=lzma -1"),
        ] {
            fs::write(given.join(name), tool("xz", arguments, &plain)).unwrap();
        }
        for (name, arguments) in [("best.tar.bz2", "-c -9"), ("fast.tar.bz2", "-c -1")] {
            fs::write(given.join(name), tool("bzip2", arguments, &plain)).unwrap();
        }
        for (name, arguments) in [
            ("best.tar.lz4", "-q -c -9"),
            ("linked.tar.lz4", "-q -c -BD"),
        ] {
            fs::write(given.join(name), tool("lz4", arguments, &plain)).unwrap();
        }
        // As short as the metadata of a package.
        let metadata = tar_of(&[("control", text(seed, 3000))]);
        let packed = tool("xz", "-c -6", &metadata);
        assert!((768..4096).contains(&packed.len()), "{}", packed.len());
        fs::write(given.join("control.tar.xz"), packed).unwrap();
        // Streams in an archive, and in one another.
        let inner = tool("xz", "-c -1", &other);
        let outer = tar_of(&[("inner.xz", inner), ("more", noise(7, 70_000))]);
        fs::write(given.join("nested.tar.xz"), tool("xz", "-c -0", &outer)).unwrap();
        let words = [
            "add",
            &format!("tool:{version}"),
            &format!("given-{version}"),
        ];
        stage.run(&words).ends_with(0);
        assert_eq!(opened(&stage, &format!("tool:{version}")), 10);
    }
    stage.store_is_well();
    stage.comes_back_in("tool:2", "given-2");

    // Two streams stayed as they are. Who has them has proved them.
    for (bundle, more, streams) in [
        ("full", &["tool:1"][..], 10),
        ("delta", &["tool:2", "--since", "tool:1"], 8),
    ] {
        let words = [&["pack", "--json", "--bare", bundle][..], more].concat();
        let report = stage.run(&words).ends_with(0).json();
        assert_eq!(report["plan"]["remake"]["streams"], streams, "{bundle}");
    }
    let size = |bundle: &str| fs::metadata(stage.path(bundle)).unwrap().len();
    // All archives changed, each by 30 kB of text that they share.
    assert!(
        size("delta") * 8 < size("full"),
        "{} {}",
        size("delta"),
        size("full")
    );
    let mut site = stage;
    site.store = "site";
    site.run(&["receive", "full"]).ends_with(0);
    site.run(&["receive", "delta"]).ends_with(0);
    site.store_is_well();
    // Once from copies that are ready, once made again.
    site.comes_back_in("tool:2", "given-2");
    site.remove("site/ready");
    site.comes_back_in("tool:2", "given-2");
}

#[test]
fn one_changed_byte_in_a_tar_in_bzip2_or_lz4_costs_its_neighborhood() {
    for (program, arguments) in [("bzip2", "-c"), ("lz4", "-q -c -9")] {
        if has(&[program]) {
            a_changed_byte_costs_its_neighborhood(program, arguments);
        }
    }
}

fn a_changed_byte_costs_its_neighborhood(program: &str, arguments: &str) {
    let name = format!("src.tar.{program}");
    let mut stage = Stage::new();
    let mut texts = text(5, 5_000_000);
    for version in ["1", "2"] {
        let tar = tar_of(&[("src/all", texts.clone())]);
        fs::write(stage.path(&name), tool(program, arguments, &tar)).unwrap();
        let release = format!("src:{version}");
        stage.run(&["add", &release, &name]).ends_with(0);
        texts[2_500_000] ^= 1;
    }
    stage.run(&["pack", "--bare", "full", "src:1"]).ends_with(0);
    let words = ["pack", "--bare", "delta", "src:2", "--since", "src:1"];
    stage.run(&words).ends_with(0);
    let bytes = fs::metadata(stage.path("delta")).unwrap().len();
    assert!(bytes <= 8192, "{program}: {bytes}");
    stage.store = "site";
    stage.run(&["receive", "full"]).ends_with(0);
    stage.run(&["receive", "delta"]).ends_with(0);
    stage.run(&["checkout", "src:2", "back"]).ends_with(0);
    let given = fs::read(stage.path(&name)).unwrap();
    assert!(fs::read(stage.path(&format!("back/{name}"))).unwrap() == given);
}

/// A docker archive of one layer.
fn image(layer: &[u8]) -> Vec<u8> {
    let diff_id = Digest::of(layer);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#
    );
    let manifest = r#"[{"Config":"c.json","RepoTags":["shop/tool:1"],"Layers":["layer.tar"]}]"#;
    tar_of(&[
        ("c.json", config.into_bytes()),
        ("layer.tar", layer.to_vec()),
        ("manifest.json", manifest.as_bytes().to_vec()),
    ])
}

#[test]
fn a_layer_that_skopeo_packs_by_zstd_travels_as_what_changed() {
    if !has(&["skopeo"]) {
        return;
    }
    let mut stage = Stage::new();
    for (version, seed) in [("1", 3), ("2", 4)] {
        fs::write(stage.path("image.tar"), image(&program(seed))).unwrap();
        let from = format!("docker-archive:{}", stage.path("image.tar").display());
        let given = format!("given-{version}");
        let to = format!("oci:{}:1", stage.path(&given).display());
        run(skopeo().args(["copy", "-q", "--dest-compress-format", "zstd", &from, &to]));
        let release = format!("tool:{version}");
        stage.run(&["add", &release, &given]).ends_with(0);
        assert_eq!(opened(&stage, &release), 1);
    }
    stage.store_is_well();
    stage
        .run(&["pack", "--bare", "full", "tool:1"])
        .ends_with(0);
    let words = ["pack", "--bare", "delta", "tool:2", "--since", "tool:1"];
    stage.run(&words).ends_with(0);
    let size = |bundle: &str| fs::metadata(stage.path(bundle)).unwrap().len();
    assert!(
        size("delta") * 8 < size("full"),
        "{} {}",
        size("delta"),
        size("full")
    );
    stage.store = "site";
    stage.run(&["receive", "full"]).ends_with(0);
    stage.run(&["receive", "delta"]).ends_with(0);
    stage.comes_back_in("tool:2", "given-2");
    stage.remove("site/ready");
    stage.comes_back_in("tool:2", "given-2");
}

#[test]
fn packages_of_dpkg_deb_have_streams_that_come_back() {
    if !has(&["dpkg-deb", "ar"]) {
        return;
    }
    let stage = Stage::new();
    let root = stage.path("package");
    fs::create_dir_all(root.join("DEBIAN")).unwrap();
    fs::create_dir_all(root.join("usr/share/tool")).unwrap();
    let control = "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a tool\n";
    fs::write(root.join("DEBIAN/control"), control).unwrap();
    fs::write(root.join("usr/share/tool/text"), text(1, 700_000)).unwrap();
    fs::write(root.join("usr/share/tool/noise"), noise(1, 100_000)).unwrap();
    fs::create_dir(stage.path("parts")).unwrap();
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "-Zxz", "--build"])
        .arg(&root)
        .arg(stage.path("tool.deb")));
    run(Command::new("ar")
        .arg("x")
        .arg(stage.path("tool.deb"))
        .current_dir(stage.path("parts")));
    stage.run(&["add", "tool:1", "parts"]).ends_with(0);
    // The control member is too short to be opened.
    assert_eq!(opened(&stage, "tool:1"), 1);
    stage.store_is_well();
    stage.comes_back_in("tool:1", "parts");
}

impl Stage {
    /// Asserts that a release of one folder comes out of the store as it was given.
    #[track_caller]
    pub fn comes_back_in(&self, release: &str, given: &str) {
        self.remove("back");
        self.run(&["checkout", release, "back"]).ends_with(0);
        assert!(look(&self.path("back").join(given)) == look(&self.path(given)));
    }
}
