//! Images and packages through the command: known for what they are, given back in forms that other programs read, and
//! refused one by one when they lie.

use crate::testkit::trees::files_below;
use crate::testkit::{made, programs, shown, stage};

use std::fs;
use std::path::Path;

use made::{Files, Made, blob_path, digest, files_tar, write_files};
use programs::{ask_skopeo, has};
use serde_json::{Value, json};
use shown::{api, expected, findings, images, web};
use stage::{Stage, look};

#[test]
fn every_form_of_image_is_found_wherever_it_lies() {
    let both = [web(), api()];
    let forms: [(&str, Vec<u8>); 4] = [
        ("classic", made::docker_classic(&both)),
        ("docker25", files_tar(&made::docker_25(&both))),
        ("containerd", files_tar(&made::containerd(&both))),
        ("oci", files_tar(&made::oci(&both))),
    ];
    let stage = Stage::new();
    for (name, archive) in forms {
        let inner = made::tar_of(&[
            ("notes.txt", b"nothing".to_vec()),
            ("deep/images.tar.gz", made::gzip(&archive)),
        ]);
        let places = [
            ("plain", archive.clone()),
            ("gzip", made::gzip(&archive)),
            ("deep", made::gzip(&inner)),
        ];
        for (place, bytes) in places {
            stage.remove("given");
            // Names say nothing.
            stage.give("something", &bytes);
            let release = format!("{name}-{place}:1");
            stage.add(&release);
            let report = stage.show(&release);
            assert_eq!(images(&report), expected(&both), "{release}: {report:#}");
            assert_eq!(findings(&report), Vec::<String>::new(), "{release}");
        }
    }
    stage.remove("given");
    write_files(&stage.path("given/layout"), &made::oci(&both));
    stage.add("folder:1");
    let report = stage.show("folder:1");
    assert_eq!(images(&report), expected(&both));
    let (manifest, _) = web().packed("oci");
    assert_eq!(report["images"][0]["digest"], digest(&manifest));
}

#[test]
fn images_come_out_as_archives_and_layouts_that_skopeo_reads() {
    if !has(&["skopeo"]) {
        return;
    }
    let both = [web(), api()];
    let stage = Stage::new();
    stage.give("images.tar", &files_tar(&made::oci(&both)));
    stage.give(
        "old.tar",
        &made::docker_classic(&[Made::new("shop/db:1.0", "amd64", 14)]),
    );
    stage.add("shop:1.0");
    let report = stage
        .run(&[
            "--json",
            "checkout",
            "shop:1.0",
            "out.tar",
            "--as",
            "docker-archive",
        ])
        .ends_with(0)
        .json();
    assert_eq!(report["images"].as_array().unwrap().len(), 3);
    let out = stage.path("out.tar");
    let archive = format!("docker-archive:{}", out.display());
    for image in &both {
        let config = ask_skopeo(&[
            "inspect",
            "--raw",
            "--config",
            &format!("{archive}:{}", image.reference),
        ]);
        assert_eq!(digest(config.as_bytes()), digest(&image.config()));
        // It reads every layer, and compares it with the config.
        let copy = stage.path(image.arch);
        let _ = fs::remove_dir_all(&copy);
        ask_skopeo(&[
            "copy",
            "-q",
            &format!("{archive}:{}", image.reference),
            &format!("dir:{}", copy.display()),
        ]);
    }
    // The same images give the same bytes, and nothing is written over.
    stage
        .run(&[
            "checkout",
            "shop:1.0",
            "again.tar",
            "--as",
            "docker-archive",
        ])
        .ends_with(0);
    assert!(fs::read(stage.path("again.tar")).unwrap() == fs::read(&out).unwrap());
    stage
        .run(&["checkout", "shop:1.0", "out.tar", "--as", "docker-archive"])
        .fails_with(1, &["out.tar is there already"]);

    stage
        .run(&["checkout", "shop:1.0", "layout", "--as", "oci"])
        .ends_with(0);
    for image in &both {
        let layout = format!("oci:{}:{}", stage.path("layout").display(), image.reference);
        let (manifest, _) = image.packed("oci");
        assert_eq!(
            ask_skopeo(&["inspect", "--raw", &layout]).into_bytes(),
            manifest
        );
        let copy = stage.path("copied");
        let _ = fs::remove_dir_all(&copy);
        ask_skopeo(&["copy", "-q", &layout, &format!("dir:{}", copy.display())]);
    }
    // One that came without a manifest gets the same every time.
    let layout = format!("oci:{}:shop/db:1.0", stage.path("layout").display());
    let made = ask_skopeo(&["inspect", "--raw", &layout]);
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(
        made["config"]["digest"],
        digest(&Made::new("shop/db:1.0", "amd64", 14).config())
    );
    stage
        .run(&["checkout", "shop:1.0", "layout2", "--as", "oci"])
        .ends_with(0);
    assert!(files_below(&stage.path("layout")) == files_below(&stage.path("layout2")));
    stage
        .run(&["checkout", "shop:1.0", "layout", "--as", "oci"])
        .fails_with(1, &["not empty"]);
    // A run that was killed while its files got their names is started again in the same folder.
    let (layout, whole) = (stage.path("layout"), files_below(&stage.path("layout2")));
    fs::create_dir(layout.join(".carryall.part")).unwrap();
    for name in ["oci-layout", "index.json"] {
        let part = layout.join(".carryall.part").join(name);
        fs::rename(layout.join(name), part).unwrap();
    }
    stage
        .run(&["checkout", "shop:1.0", "layout", "--as", "oci"])
        .ends_with(0);
    assert!(files_below(&layout) == whole);

    // One image alone, by a name without host, and by its id.
    let id = &digest(&api().config())[7..19];
    for name in ["shop/api:1.0", id] {
        let run = stage.run(&[
            "--json",
            "checkout",
            "shop:1.0",
            "one.tar",
            "--as",
            "docker-archive",
            "--image",
            name,
        ]);
        let report = run.ends_with(0).json();
        assert_eq!(
            report["images"][0]["references"][0],
            api().reference,
            "{name}"
        );
        assert_eq!(report["images"].as_array().unwrap().len(), 1);
        stage.remove("one.tar");
    }
    stage
        .run(&[
            "checkout",
            "shop:1.0",
            "x",
            "--as",
            "oci",
            "--image",
            "shop/nothing",
        ])
        .fails_with(1, &["no image shop/nothing", "shop/api:1.0"]);
    assert!(!stage.path("x").exists());
    stage
        .run(&["checkout", "shop:1.0", "x", "--image", "shop/api:1.0"])
        .fails_with(2, &["--image"]);
}

#[test]
fn indexes_go_out_whole_with_what_refers_to_them() {
    if !has(&["skopeo"]) {
        return;
    }
    let pair = [Made::new("", "amd64", 21), Made::new("", "arm64", 22)];
    let files = made::oci_two_platforms("shop/web:1.0", &pair);
    let stage = Stage::new();
    write_files(&stage.path("given/web"), &files);
    stage.add("shop:1.0");
    let report = stage.show("shop:1.0");
    assert_eq!(findings(&report), Vec::<String>::new());
    let platforms: Vec<&Value> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["platform"])
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    stage
        .run(&["checkout", "shop:1.0", "layout", "--as", "oci"])
        .ends_with(0);
    // Every blob that came in is there, the signature among them.
    for (name, body) in files.iter().filter(|(name, _)| name.starts_with("blobs/")) {
        assert!(
            fs::read(stage.path("layout").join(name)).unwrap() == *body,
            "{name}"
        );
    }
    let layout = format!("oci:{}:shop/web:1.0", stage.path("layout").display());
    ask_skopeo(&[
        "copy",
        "-q",
        "--all",
        &layout,
        &format!("dir:{}", stage.path("copied").display()),
    ]);

    let refused = stage.run(&["checkout", "shop:1.0", "x.tar", "--as", "docker-archive"]);
    refused.fails_with(
        1,
        &[
            "shop/web:1.0 is the name of 2 images: linux/amd64, linux/arm64",
            "--platform",
        ],
    );
    stage
        .run(&[
            "checkout",
            "shop:1.0",
            "x.tar",
            "--as",
            "docker-archive",
            "--platform",
            "linux/arm64/v8",
        ])
        .ends_with(0);
    let archive = format!(
        "docker-archive:{}:shop/web:1.0",
        stage.path("x.tar").display()
    );
    let config: Value =
        serde_json::from_str(&ask_skopeo(&["inspect", "--config", &archive])).unwrap();
    assert_eq!(config["architecture"], "arm64");
    stage
        .run(&[
            "checkout",
            "shop:1.0",
            "y",
            "--as",
            "oci",
            "--platform",
            "linux/s390x",
        ])
        .fails_with(1, &["no image for linux/s390x", "linux/amd64, linux/arm64"]);
}

#[test]
fn layers_that_are_kept_as_they_came_leave_so() {
    // Long members of a tar that are no archives lie among the steps of its recipe, folders have files.
    let (files, manifest) = made::oci_zstd(&web());
    for (release, is_folder) in [("tar:1", false), ("folder:1", true)] {
        let stage = Stage::new();
        if is_folder {
            write_files(&stage.path("given/web"), &files);
        } else {
            stage.give("web.tar", &files_tar(&files));
        }
        stage.add(release);
        stage
            .run(&["checkout", release, "layout", "--as", "oci"])
            .ends_with(0);
        for (path, body) in files.iter().filter(|(path, _)| path.starts_with("blobs/")) {
            assert!(
                fs::read(stage.path("layout").join(path)).unwrap() == *body,
                "{path}"
            );
        }
        stage
            .run(&["checkout", release, "out.tar", "--as", "docker-archive"])
            .ends_with(0);
        if has(&["skopeo"]) {
            let layout = format!("oci:{}:{}", stage.path("layout").display(), web().reference);
            assert_eq!(
                ask_skopeo(&["inspect", "--raw", &layout]).into_bytes(),
                manifest
            );
            let archive = format!(
                "docker-archive:{}:{}",
                stage.path("out.tar").display(),
                web().reference
            );
            ask_skopeo(&[
                "copy",
                "-q",
                &archive,
                &format!("dir:{}", stage.path("copied").display()),
            ]);
        }
    }
}

#[test]
fn names_in_archives_do_nothing_to_a_terminal() {
    let stage = Stage::new();
    let image = Made::new("shop/\u{1b}[2Jweb\u{7}:1", "amd64", 11);
    stage.give("x", &made::docker_classic(std::slice::from_ref(&image)));
    stage.add("shop:1");
    let shown = stage.run(&["show", "shop:1"]).ends_with(0).stdout;
    assert!(
        shown.contains("shop/?[2Jweb?:1") && !shown.contains('\u{1b}'),
        "{shown:?}"
    );
    let refused = stage.run(&["checkout", "shop:1", "y", "--as", "oci", "--image", "none"]);
    assert!(
        !refused
            .fails_with(1, &["shop/?[2Jweb"])
            .stderr
            .contains('\u{1b}')
    );
    // A script gets the name as it is.
    assert_eq!(
        stage.show("shop:1")["images"][0]["references"][0],
        image.reference
    );
}

/// An image that lies, and what is said of it; beside it another that stays.
struct Liar {
    name: &'static str,
    archive: Vec<u8>,
    words: Vec<String>,
    good: usize,
}

fn change(files: &Files, change: impl FnOnce(&mut Files)) -> Vec<u8> {
    let mut files = files.clone();
    change(&mut files);
    files_tar(&files)
}

fn liars() -> Vec<Liar> {
    let both = [web(), api()];
    let oci = made::oci(&both);
    let (manifest, _) = web().packed("oci");
    let config = web().config();
    let own_layer = made::gzip(&web().layers[1]);
    let liar = |name, archive, words: &[&str], good| Liar {
        name,
        archive,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        good,
    };
    let name = web().reference;
    let mut classic = tar::Builder::new(Vec::new());
    made::append(&mut classic, "c.json", &config);
    made::append(&mut classic, "l.tar", &web().layers[0]);
    made::append(&mut classic, "m.tar", &web().layers[1]);
    made::append_link(&mut classic, "out.tar", "../../etc/passwd");
    let entry = |config: &str, last: &str| json!({"Config": config, "RepoTags": [name], "Layers": ["l.tar", last]});
    let entries = [
        entry("c.json", "m.tar"),
        entry("c.json", "../m.tar"),
        entry("c.json", "out.tar"),
        entry("/../../c.json", "m.tar"),
    ];
    made::append(
        &mut classic,
        "manifest.json",
        &serde_json::to_vec(&entries).unwrap(),
    );
    let classic = classic.into_inner().unwrap();
    let mut twice = made::tar_of(&oci.clone().into_iter().collect::<Vec<_>>());
    // Before the two blocks that end it.
    twice.truncate(twice.len() - 1024);
    twice.extend(made::tar_of(&[(
        blob_path(&config),
        b"{\"other\":1}".to_vec(),
    )]));
    let long = format!("{{\"x\":\"{}\"}}", "y".repeat(4 << 20)).into_bytes();
    let with_index = |entry: Value, files: &Files| {
        change(files, |files| {
            let mut index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
            index["manifests"][0] = entry;
            files.insert("index.json".into(), serde_json::to_vec(&index).unwrap());
        })
    };
    let long_entry = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(&long),
        "size": long.len(), "annotations": {"org.opencontainers.image.ref.name": name}});
    let mut with_long = oci.clone();
    with_long.insert(blob_path(&long), long.clone());
    let bad_digest = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:../../../etc/passwd", "size": 5,
        "annotations": {"org.opencontainers.image.ref.name": name}});
    let mut nested = oci.clone();
    let mut inner = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(&manifest), "size": manifest.len()});
    for _ in 0..12 {
        let body = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [inner]});
        let body = serde_json::to_vec(&body).unwrap();
        inner = json!({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest(&body), "size": body.len(),
            "annotations": {"org.opencontainers.image.ref.name": name}});
        nested.insert(blob_path(&body), body);
    }
    // A cycle needs a digest that lies.
    let cycle_path = blob_path(b"cycle");
    let cycle = json!({"schemaVersion": 2, "manifests": [
        {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest(b"cycle"), "size": 219}]});
    let cycle = serde_json::to_vec(&cycle).unwrap();
    let cycle_entry = json!({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest(b"cycle"),
        "size": cycle.len(), "annotations": {"org.opencontainers.image.ref.name": name}});
    let mut with_cycle = oci.clone();
    with_cycle.insert(cycle_path, cycle);
    vec![
        liar(
            "manifest",
            change(&oci, |files| {
                let mut other = manifest.clone();
                other[3] ^= 1;
                files.insert(blob_path(&manifest), other);
            }),
            &[&name, &digest(&manifest), "does not match its digest"],
            1,
        ),
        liar(
            "config",
            change(&oci, |files| {
                let mut other = config.clone();
                other[3] ^= 1;
                files.insert(blob_path(&config), other);
            }),
            &[&name, &digest(&config), "does not match its digest"],
            1,
        ),
        liar(
            "layer",
            change(&oci, |files| {
                files.remove(&blob_path(&own_layer));
            }),
            &[&name, &digest(&own_layer), "is not in the archive"],
            1,
        ),
        liar(
            "length",
            change(&oci, |files| {
                files.get_mut(&blob_path(&own_layer)).unwrap().push(0);
            }),
            &[&name, &digest(&own_layer), "are said"],
            1,
        ),
        liar(
            "nothing",
            change(&oci, |files| {
                files.remove(&blob_path(&manifest));
            }),
            &[&name, &digest(&manifest), "is not in the archive"],
            1,
        ),
        liar("twice", twice, &[&name, &digest(&config), "twice"], 1),
        liar(
            "long",
            with_index(long_entry, &with_long),
            &[&name, &digest(&long), "longer than the 4 MiB"],
            1,
        ),
        liar(
            "digest",
            with_index(bad_digest, &oci),
            &[&name, "is no digest"],
            1,
        ),
        liar(
            "nested",
            with_index(inner, &nested),
            &[&name, "too many indexes"],
            1,
        ),
        liar(
            "cycle",
            with_index(cycle_entry, &with_cycle),
            &[&name, &digest(b"cycle"), "does not match its digest"],
            1,
        ),
        liar(
            "traversal",
            classic.clone(),
            &[&name, "layer ../m.tar", "lies outside of the archive"],
            1,
        ),
        liar(
            "link",
            classic.clone(),
            &[&name, "layer out.tar", "lies outside of the archive"],
            1,
        ),
        liar(
            "absolute",
            classic,
            &[&name, "config /../../c.json", "lies outside of the archive"],
            1,
        ),
        liar(
            "no json",
            change(&oci, |files| {
                files.insert("index.json".into(), b"[1, 2".to_vec());
            }),
            &["index.json is not an index"],
            0,
        ),
    ]
}

#[test]
fn an_image_that_lies_is_told_with_its_blob_and_the_others_stay() {
    let stage = Stage::new();
    for liar in liars() {
        stage.remove("given");
        stage.give("item.tar", &liar.archive);
        let release = format!("{}:1", liar.name.replace(' ', "-"));
        stage.add(&release);
        let report = stage.show(&release);
        let found = findings(&report);
        let is_it = |each: &&String| {
            each.starts_with("item.tar") && liar.words.iter().all(|word| each.contains(&word[..]))
        };
        assert!(
            found.iter().any(|each| is_it(&each)),
            "{}: {:?} not in {found:#?}",
            liar.name,
            liar.words
        );
        assert_eq!(
            images(&report).len(),
            liar.good,
            "{}: {report:#}",
            liar.name
        );
        // The item itself comes back as it was.
        stage.comes_back(&release, "given");
        if liar.good > 0 {
            let dest = format!("{}.tar", liar.name.replace(' ', "-"));
            let run = stage.run(&["checkout", &release, &dest, "--as", "docker-archive"]);
            let run = run.ends_with(3);
            assert!(run.stdout.contains("whole"), "{run:#?}");
        }
    }
}

#[test]
fn an_image_of_which_a_blob_is_not_there_is_lost_and_no_other() {
    use sha2::Digest as _;
    // A layer that is named by a digest which is that of something else.
    let layer = made::gzip(&web().layers[1]);
    let hash = sha2::Sha512::digest(b"something else");
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let (manifest, _) = web().packed("oci");
    let text = String::from_utf8(manifest.clone()).unwrap();
    let text = text.replace(&digest(&layer), &format!("sha512:{hex}"));
    let mut files = made::oci(&[web(), api()]);
    files.remove(&blob_path(&layer));
    files.insert(format!("blobs/sha512/{hex}"), layer.clone());
    files.remove(&blob_path(&manifest));
    files.insert(blob_path(text.as_bytes()), text.clone().into_bytes());
    let mut index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    let entries = index["manifests"].as_array_mut().unwrap();
    let entry = entries
        .iter_mut()
        .find(|entry| entry["digest"] == digest(&manifest));
    let entry = entry.unwrap();
    entry["digest"] = json!(digest(text.as_bytes()));
    entry["size"] = json!(text.len());
    files.insert("index.json".into(), index.to_string().into_bytes());
    let stage = Stage::new();
    write_files(&stage.path("given/layout"), &files);
    stage.add("shop:1");
    assert_eq!(images(&stage.show("shop:1")).len(), 2);
    // In a docker archive it is the plain layer that counts, and the config says what that is.
    let archive = ["checkout", "shop:1", "out.tar", "--as", "docker-archive"];
    stage.run(&archive).ends_with(0);
    let run = stage.run(&["checkout", "shop:1", "out", "--as", "oci"]);
    let run = run.ends_with(3);
    let lost = format!("LOST  {}", web().reference);
    assert!(run.stdout.contains(&lost), "{run:#?}");
    assert!(run.stderr.contains(&format!("sha512:{hex}")), "{run:#?}");
    let whole = format!("whole  {}", api().reference);
    assert!(run.stdout.contains(&whole), "{run:#?}");
    let alone = [
        "checkout",
        "shop:1",
        "alone",
        "--as",
        "oci",
        "--image",
        &web().reference,
    ];
    stage
        .run(&alone)
        .fails_with(1, &["does not match its digest"]);
    assert!(!stage.path("alone").exists());
}

#[test]
fn a_layer_that_is_not_what_its_manifest_says_never_leaves() {
    let good = made::oci(&[web(), api()]);
    let own = made::gzip(&web().layers[1]);
    // Of the length that is said, so that only the bytes tell.
    let mut other = own.clone();
    let at = other.len() / 2;
    other[at] ^= 0x55;
    let archive = change(&good, |files| {
        files.insert(blob_path(&own), other);
    });
    let stage = Stage::new();
    stage.give("item.tar", &archive);
    stage.add("shop:1");
    // It is found: layers are not read to be listed.
    assert_eq!(images(&stage.show("shop:1")).len(), 2);
    // A docker archive has the plain layers, and is compared with what the config says of these.
    let plain = digest(&web().layers[1]);
    for (form, dest, blob) in [
        ("docker-archive", "out.tar", plain.clone()),
        ("oci", "out", digest(&own)),
    ] {
        let run = stage
            .run(&["checkout", "shop:1", dest, "--as", form])
            .ends_with(3);
        assert!(
            run.stdout.contains(&format!("LOST  {}", web().reference)),
            "{run:#?}"
        );
        assert!(
            run.stdout.contains(&format!("whole  {}", api().reference)),
            "{run:#?}"
        );
        assert!(run.stderr.contains(&blob), "{run:#?}");
    }
    assert!(!stage.path("out").join(blob_path(&own)).exists());
    assert!(!stage.path("out/.carryall.part").exists());
    assert!(!stage.path(".out.tar.carryall.part").exists());
    // Alone, nothing is left of it.
    stage
        .run(&[
            "checkout",
            "shop:1",
            "alone",
            "--as",
            "oci",
            "--image",
            "shop/web:1.0",
        ])
        .fails_with(1, &[&digest(&own), "does not match its digest"]);
    assert!(!stage.path("alone").exists());
    if has(&["skopeo"]) {
        let archive = format!(
            "docker-archive:{}:{}",
            stage.path("out.tar").display(),
            api().reference
        );
        ask_skopeo(&["inspect", &archive]);
    }
}

#[test]
fn two_architectures_of_one_version_live_side_by_side() {
    let stage = Stage::new();
    let arm = Made::new("registry.example/shop/web:1.0", "arm64", 11);
    for (arch, image) in [("amd64", web()), ("arm64", arm.clone())] {
        stage.remove("given");
        // Exports of both have the same file name.
        stage.give(
            "mall-1.0-ram.tar.gz",
            &made::ram("mall", "1.0", &[image], &[]),
        );
        stage.add(&format!("mall:1.0@{arch}"));
        stage.copy("given", &format!("given-{arch}"));
    }
    stage
        .run(&[
            "pack",
            "mall:1.0@amd64",
            "mall:1.0@arm64",
            "--to",
            "discs",
            "--media",
            "16MB",
        ])
        .ends_with(0);
    let mut site = stage;
    site.store = "site";
    site.receive_all("discs");
    site.comes_back("mall:1.0@amd64", "given-amd64");
    site.comes_back("mall:1.0@arm64", "given-arm64");
    // Without @ARCH the platform chooses.
    site.run(&[
        "checkout",
        "mall:1.0",
        "back",
        "--platform",
        "linux/aarch64",
    ])
    .ends_with(0);
    assert!(look(&site.path("back")) == look(&site.path("given-arm64")));
    let run = site.run(&[
        "--json",
        "checkout",
        "mall:1.0",
        "arm.tar",
        "--as",
        "docker-archive",
        "--platform",
        "linux/arm64",
    ]);
    assert_eq!(
        run.ends_with(0).json()["images"][0]["id"],
        digest(&arm.config())
    );
    site.run(&[
        "pack",
        "mall:1.0",
        "--platform",
        "linux/arm64",
        "--to",
        "arm",
        "--media",
        "16MB",
    ])
    .ends_with(0);
    let inspected = site.run(&["inspect", "arm"]).ends_with(0).stdout;
    assert!(
        inspected.contains("mall:1.0@arm64") && !inspected.contains("@amd64"),
        "{inspected}"
    );
    site.run(&["checkout", "mall:1.0", "none"])
        .fails_with(1, &["mall:1.0@amd64"]);
}

#[test]
fn diff_says_of_each_image_what_changed() {
    let stage = Stage::new();
    stage.give("images.tar", &files_tar(&made::oci(&[web(), api()])));
    stage.add("shop:1.0");
    stage.remove("given");
    let newer = Made::new("registry.example/shop/web:1.1", "amd64", 31);
    let db = Made::new("registry.example/shop/db:1.0", "amd64", 32);
    // Compressed anew, the same image in another form.
    stage.give(
        "images.tar",
        &files_tar(&made::docker_25(&[newer, api(), db])),
    );
    stage.add("shop:1.1");
    let report = stage
        .run(&["--json", "diff", "shop:1.0", "shop:1.1"])
        .ends_with(0)
        .json();
    let said: Vec<_> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| {
            (
                each["name"].as_str().unwrap(),
                each["change"].as_str().unwrap(),
                each["new_layers"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("registry.example/shop/web:1.1", "changed", 1),
            ("registry.example/shop/api:1.0", "same", 0),
            ("registry.example/shop/db:1.0", "added", 1),
        ]
    );
    let new: Vec<u64> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["new_bytes"].as_u64().unwrap())
        .collect();
    assert!(
        new[0] > 80_000 && new[1] == 0 && new[2] > 80_000,
        "{report:#}"
    );
    assert_eq!(
        report["images"][0]["before"],
        "registry.example/shop/web:1.0"
    );
    let back = stage
        .run(&["diff", "shop:1.1", "shop:1.0"])
        .ends_with(0)
        .stdout;
    assert!(back.contains("- registry.example/shop/db:1.0"), "{back}");
}

/// The stage is made of parts that other tests use.
#[test]
fn what_is_made_is_what_it_says() {
    let files = made::oci(&[web()]);
    for (path, body) in files.iter().filter(|(path, _)| path.starts_with("blobs/")) {
        assert_eq!(
            Path::new(path).file_name().unwrap().to_str().unwrap(),
            made::hex(body)
        );
    }
}
