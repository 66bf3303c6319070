//! Images of every legal shape come in, are found, and go out as what they were: read by other programs where these read such.

use crate::testkit::{made, programs, shown, stage};

use std::fs;

use made::{Files, Made, blob_path, digest, files_tar, gzip, write_files};
use programs::{ask_skopeo, has};
use serde_json::{Value, json};
use sha2::Digest as _;
use shown::{api, findings, web};
use stage::Stage;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const REF: &str = "org.opencontainers.image.ref.name";

fn sha512(bytes: &[u8]) -> String {
    let hash = sha2::Sha512::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha512:{hex}")
}

fn bytes(document: &Value) -> Vec<u8> {
    serde_json::to_vec(document).unwrap()
}

/// A layout in the making, its blobs named by one algorithm.
struct Shape {
    files: Files,
    entries: Vec<Value>,
    named_by: fn(&[u8]) -> String,
}

impl Shape {
    fn new() -> Self {
        Self {
            files: Files::from([("oci-layout".to_owned(), made::LAYOUT.to_vec())]),
            entries: Vec::new(),
            named_by: digest,
        }
    }

    /// Keeps a blob and describes it.
    fn put(&mut self, blob: &[u8], media_type: &str) -> Value {
        let digest = (self.named_by)(blob);
        let path = format!("blobs/{}", digest.replace(':', "/"));
        self.files.insert(path, blob.to_vec());
        json!({"mediaType": media_type, "digest": digest, "size": blob.len()})
    }

    fn manifest(&mut self, config: &Value, layers: &[Value]) -> Value {
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.put(&bytes(&manifest), MANIFEST)
    }

    /// An image; its descriptor.
    fn image(&mut self, image: &Made) -> Value {
        let config = self.put(&image.config(), CONFIG);
        let layers = image.layers.iter();
        let layers: Vec<Value> = layers.map(|layer| self.put(&gzip(layer), LAYER)).collect();
        self.manifest(&config, &layers)
    }

    fn name(&mut self, mut entry: Value, name: &str) {
        entry["annotations"][REF] = json!(name);
        self.entries.push(entry);
    }

    fn files(&self) -> Files {
        let mut files = self.files.clone();
        files.insert("index.json".into(), made::index(&self.entries));
        files
    }
}

/// Digests of all images that `show` finds.
fn digests(report: &Value) -> Vec<String> {
    let images = report["images"].as_array().unwrap().iter();
    images
        .map(|each| each["digest"].as_str().unwrap().to_owned())
        .collect()
}

/// Gives a layout, adds it, and writes its images out as a layout again: every blob that came in must be there.
#[track_caller]
fn comes_through(shape: &Shape) -> (Stage, Value) {
    let stage = Stage::new();
    write_files(&stage.path("given/layout"), &shape.files());
    stage.add("shop:1");
    let report = stage.show("shop:1");
    stage
        .run(&["checkout", "shop:1", "out", "--as", "oci"])
        .ends_with(0);
    for (path, blob) in shape
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("blobs/"))
    {
        let there = fs::read(stage.path("out").join(path));
        assert!(there.unwrap() == *blob, "{path}");
    }
    (stage, report)
}

#[test]
fn digests_of_both_algorithms_are_checked_and_go_out() {
    let mut shape = Shape::new();
    shape.named_by = sha512;
    let entry = shape.image(&web());
    shape.name(entry, &web().reference);
    let (stage, report) = comes_through(&shape);
    assert_eq!(findings(&report), Vec::<String>::new());
    assert!(digests(&report)[0].starts_with("sha512:"), "{report:#}");
    stage
        .run(&["checkout", "shop:1", "out.tar", "--as", "docker-archive"])
        .ends_with(0);
    // One that lies is told and the other stays.
    let lie = shape
        .files
        .keys()
        .find(|path| path.contains("sha512"))
        .unwrap();
    let mut files = shape.files();
    files.insert(lie.clone(), b"{}".to_vec());
    stage.remove("given");
    write_files(&stage.path("given/layout"), &files);
    write_files(&stage.path("given/other"), &made::oci(&[api()]));
    stage.add("shop:2");
    let run = stage.run(&["checkout", "shop:2", "out2", "--as", "oci"]);
    let run = run.ends_with(3);
    assert!(run.stdout.contains(&api().reference), "{run:#?}");
}

#[test]
fn a_length_that_a_manifest_gives_wrongly_is_a_note() {
    for said in [
        json!(1),
        json!(0),
        json!(-1),
        json!(99_999_999),
        Value::Null,
    ] {
        for wrong in ["manifest", "config", "layer"] {
            let mut shape = Shape::new();
            let mut config = shape.put(&web().config(), CONFIG);
            let layers = web().layers;
            let mut layers: Vec<Value> = layers
                .iter()
                .map(|layer| shape.put(&gzip(layer), LAYER))
                .collect();
            match wrong {
                "config" => config["size"] = said.clone(),
                "layer" => layers[1]["size"] = said.clone(),
                _ => {}
            }
            let mut entry = shape.manifest(&config, &layers);
            if wrong == "manifest" {
                entry["size"] = said.clone();
            }
            shape.name(entry.clone(), &web().reference);
            let (stage, report) = comes_through(&shape);
            assert_eq!(digests(&report), [entry["digest"].as_str().unwrap()]);
            let found = findings(&report);
            assert_eq!(found.len(), 1, "{wrong} {said}: {found:?}");
            assert!(found[0].contains("its digest is right"), "{found:?}");
            stage
                .run(&["checkout", "shop:1", "out.tar", "--as", "docker-archive"])
                .ends_with(0);
        }
    }
}

#[test]
fn a_layer_that_is_packed_in_its_archive_is_that_layer_whatever_was_opened() {
    let image = web();
    let packed: Vec<Vec<u8>> = image.layers.iter().map(|layer| gzip(layer)).collect();
    let layers: Vec<Value> = packed
        .iter()
        .map(|layer| json!({"mediaType": LAYER, "digest": digest(layer), "size": layer.len()}))
        .collect();
    let config = image.config();
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest(&config), "size": config.len()}, "layers": layers});
    // As crane and kaniko, as jib, by no digest at all, and in docker's own folders.
    type Named = fn(usize, &[u8]) -> String;
    let forms: [(String, Named); 4] = [
        (digest(&config), |_, layer| {
            format!("{}.tar.gz", made::hex(layer))
        }),
        ("config.json".into(), |_, layer| {
            format!("{}.tar.gz", made::hex(layer))
        }),
        ("image.json".into(), |number, _| {
            format!("layer{number}.tgz")
        }),
        (format!("{}.json", made::hex(&config)), |number, _| {
            format!("{}/layer.tar", made::hex(&[u8::try_from(number).unwrap()]))
        }),
    ];
    for (config_path, named) in forms {
        let paths: Vec<String> = packed
            .iter()
            .enumerate()
            .map(|(at, layer)| named(at, layer))
            .collect();
        let mut files = Files::from([(config_path.clone(), config.clone())]);
        files.extend(paths.iter().cloned().zip(packed.iter().cloned()));
        let entries =
            json!([{"Config": config_path, "RepoTags": [image.reference], "Layers": paths}]);
        files.insert("manifest.json".into(), bytes(&entries));
        let stage = Stage::new();
        stage.give("image.tar", &files_tar(&files));
        let item = stage.path("given/image.tar");
        let item = item.to_str().unwrap();
        let mut seen = Vec::new();
        for (release, options) in [
            ("open:1", &[][..]),
            ("closed:1", &["--open", "none"][..]),
            ("without-recipes:1", &["--open-recipe", "0"][..]),
        ] {
            // A store of its own, so that nothing is known.
            let mut own = Stage::new();
            own.store = "own";
            own.run(&[&["add", release, item][..], options].concat())
                .ends_with(0);
            own.run(&["checkout", release, "out", "--as", "oci"])
                .ends_with(0);
            for blob in &packed {
                assert!(
                    own.path("out").join(blob_path(blob)).exists(),
                    "{release} {config_path}"
                );
            }
            seen.push(digests(&own.show(release)));
            if has(&["skopeo"]) {
                let layout = format!("oci:{}:{}", own.path("out").display(), image.reference);
                let to = format!("dir:{}", own.path("copied").display());
                ask_skopeo(&["copy", "-q", &layout, &to]);
                own.run(&["checkout", release, "out.tar", "--as", "docker-archive"])
                    .ends_with(0);
                let archive = format!("docker-archive:{}", own.path("out.tar").display());
                assert!(ask_skopeo(&["inspect", "--config", &archive]).contains("amd64"));
            }
        }
        assert_eq!(seen[0], seen[1], "{config_path}");
        assert_eq!(seen[0], seen[2], "{config_path}");
        // The manifest is written as these are, in this order.
        let made = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{},{}]}}"#,
            written(&manifest["config"]),
            written(&manifest["layers"][0]),
            written(&manifest["layers"][1])
        );
        assert_eq!(seen[0], [digest(made.as_bytes())], "{config_path}");
    }
}

fn written(descriptor: &Value) -> String {
    format!(
        r#"{{"mediaType":{},"digest":{},"size":{}}}"#,
        descriptor["mediaType"], descriptor["digest"], descriptor["size"]
    )
}

#[test]
fn items_get_the_names_that_are_given_to_them() {
    let stage = Stage::new();
    for folder in ["web", "db"] {
        fs::create_dir_all(stage.path(folder)).unwrap();
        fs::write(stage.path(folder).join("image.tar"), folder).unwrap();
    }
    fs::write(stage.path("a=b"), "as it is").unwrap();
    let names = |release: &str| -> Vec<String> {
        let report = stage.show(release);
        let items = report["contents"].as_array().unwrap().iter();
        items
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    stage
        .run(&["add", "shop:1", "web/image.tar", "db/image.tar"])
        .fails_with(1, &["image.tar", "NAME=PATH"]);
    stage
        .run(&[
            "add",
            "shop:1",
            "web.tar=web/image.tar",
            "数据库.tar=db/image.tar",
            "a=b",
        ])
        .ends_with(0);
    assert_eq!(names("shop:1"), ["a=b", "web.tar", "数据库.tar"]);
    stage.run(&["checkout", "shop:1", "back"]).ends_with(0);
    assert_eq!(fs::read(stage.path("back/数据库.tar")).unwrap(), b"db");
    stage
        .run(&["add", "one:1", "web", "--name", "shop"])
        .ends_with(0);
    assert_eq!(names("one:1"), ["shop"]);
    for bad in [
        &["add", "no:1", "..=web"][..],
        &["add", "no:1", "web", "--name", "a/b"],
    ] {
        stage.run(bad).fails_with(1, &["not the name of a file"]);
    }
    stage
        .run(&["add", "no:1", "web", "db", "--name", "x"])
        .fails_with(2, &["NAME=PATH"]);
}

#[test]
fn an_index_of_indexes_goes_out_under_its_own_name() {
    let mut shape = Shape::new();
    let mut inner = Vec::new();
    for arch in ["amd64", "arm64"] {
        let mut entry = shape.image(&Made::new("", arch, 7));
        entry["platform"] = json!({"os": "linux", "architecture": arch});
        // A name below an index is none.
        entry["annotations"][REF] = json!("stray/name:1");
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
        inner.push(shape.put(&bytes(&index), INDEX));
    }
    let outer = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": inner});
    let outer = shape.put(&bytes(&outer), INDEX);
    shape.name(outer.clone(), "shop/web:1.0");
    let (stage, report) = comes_through(&shape);
    assert_eq!(digests(&report).len(), 2);
    let index: Value =
        serde_json::from_slice(&fs::read(stage.path("out/index.json")).unwrap()).unwrap();
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{index:#}");
    assert_eq!(entries[0]["digest"], outer["digest"]);
    assert_eq!(entries[0]["annotations"][REF], "shop/web:1.0");
}

#[test]
fn an_image_without_layers_goes_out_in_every_form() {
    let mut image = Made::new("shop/empty:1", "amd64", 1);
    image.layers.clear();
    let mut shape = Shape::new();
    let entry = shape.image(&image);
    shape.name(entry, &image.reference);
    let (stage, report) = comes_through(&shape);
    assert_eq!(report["images"][0]["layers"], 0);
    stage
        .run(&["checkout", "shop:1", "out.tar", "--as", "docker-archive"])
        .ends_with(0);
    if has(&["skopeo"]) {
        let archive = format!("docker-archive:{}", stage.path("out.tar").display());
        assert!(ask_skopeo(&["inspect", "--config", &archive]).contains("amd64"));
    }
}

#[test]
fn a_tag_alone_is_one_of_what_its_layout_is_called() {
    let mut both = Vec::new();
    let stage = Stage::new();
    for (folder, image) in [("web", web()), ("db", api())] {
        let mut shape = Shape::new();
        let entry = shape.image(&image);
        both.push((
            format!("{folder}:main"),
            entry["digest"].as_str().unwrap().to_owned(),
        ));
        // The same tag twice for the same image is one tag.
        shape.name(entry.clone(), "main");
        shape.name(entry, "main");
        write_files(&stage.path("given").join(folder), &shape.files());
    }
    stage.add("shop:1");
    let report = stage.show("shop:1");
    assert_eq!(findings(&report), Vec::<String>::new());
    let mut found: Vec<(String, String)> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&each["references"][0]), text(&each["digest"]))
        })
        .collect();
    found.sort();
    both.sort();
    assert_eq!(found, both);
}

#[test]
fn folders_of_skopeo_and_the_storage_of_a_registry_are_images() {
    let stage = Stage::new();
    let (manifest, blobs) = web().packed("oci");
    let blobs: Vec<Vec<u8>> = blobs
        .into_values()
        .filter(|blob| *blob != manifest)
        .collect();
    let mut dir = Files::from([
        ("manifest.json".to_owned(), manifest.clone()),
        (
            "version".to_owned(),
            b"Directory Transport Version: 1.1\n".to_vec(),
        ),
    ]);
    let mut storage = Files::new();
    let root = "docker/registry/v2";
    for blob in &blobs {
        dir.insert(made::hex(blob), blob.clone());
    }
    for blob in blobs.iter().chain([&manifest]) {
        let hex = made::hex(blob);
        storage.insert(
            format!("{root}/blobs/sha256/{}/{hex}/data", &hex[..2]),
            blob.clone(),
        );
    }
    let link = digest(&manifest).into_bytes();
    let manifests = format!("{root}/repositories/shop/web/_manifests");
    storage.insert(format!("{manifests}/tags/1.0/current/link"), link.clone());
    storage.insert(
        format!(
            "{manifests}/tags/1.0/index/sha256/{}/link",
            made::hex(&manifest)
        ),
        link.clone(),
    );
    storage.insert(
        format!("{manifests}/revisions/sha256/{}/link", made::hex(&manifest)),
        link,
    );
    for (release, item, files, name) in [
        ("dir:1", "web", &dir, "web"),
        (
            "sync:1",
            "all/registry.example/shop/web:1.0",
            &dir,
            "registry.example/shop/web:1.0",
        ),
        ("tree:1", "storage", &storage, "shop/web:1.0"),
    ] {
        stage.remove("given");
        write_files(&stage.path("given").join(item), files);
        stage.add(release);
        let report = stage.show(release);
        assert_eq!(findings(&report), Vec::<String>::new(), "{release}");
        assert_eq!(digests(&report), [digest(&manifest)], "{release}");
        assert_eq!(
            report["images"][0]["references"],
            json!([name]),
            "{release}"
        );
        let out = format!("out-{}", &release[..3]);
        stage
            .run(&["checkout", release, &out, "--as", "oci"])
            .ends_with(0);
        for blob in &blobs {
            assert!(stage.path(&out).join(blob_path(blob)).exists());
        }
        stage.comes_back(release, "given");
    }
    if !has(&["skopeo"]) {
        return;
    }
    // As skopeo itself writes them, an index among them.
    let pair = [Made::new("", "amd64", 21), Made::new("", "arm64", 22)];
    write_files(
        &stage.path("layout"),
        &made::oci_two_platforms("shop/web:1.0", &pair),
    );
    stage.remove("given");
    fs::create_dir_all(stage.path("given")).unwrap();
    let from = format!("oci:{}:shop/web:1.0", stage.path("layout").display());
    let to = format!("dir:{}", stage.path("given/web:2.0").display());
    ask_skopeo(&["copy", "-q", "--all", &from, &to]);
    stage.add("skopeo:1");
    let report = stage.show("skopeo:1");
    assert_eq!(findings(&report), Vec::<String>::new());
    assert_eq!(digests(&report).len(), 2, "{report:#}");
    stage
        .run(&["checkout", "skopeo:1", "skopeo", "--as", "oci"])
        .ends_with(0);
    let layout = format!("oci:{}:web:2.0", stage.path("skopeo").display());
    assert_eq!(
        ask_skopeo(&["inspect", "--raw", &layout]),
        ask_skopeo(&["inspect", "--raw", &from])
    );
}

#[test]
fn add_and_pack_say_what_no_program_will_load() {
    let stage = Stage::new();
    let mut files = made::oci(&[web(), api()]);
    files.remove(&blob_path(&gzip(&web().layers[1])));
    write_files(&stage.path("given/layout"), &files);
    let lost = |run: &stage::Run| {
        assert!(run.stderr.contains("is not in the archive"), "{run:#?}");
        assert!(run.stderr.contains("shop/web:1.0"), "{run:#?}");
    };
    lost(&stage.run(&["add", "shop:1", "given/layout"]).ends_with(0));
    let words = ["pack", "shop:1", "--to", "discs", "--media", "16MB"];
    lost(&stage.run(&words).ends_with(0));
}

#[test]
fn what_is_packed_as_a_whole_and_not_opened_is_told() {
    let archive = files_tar(&made::oci(&[web()]));
    let heads: [(&str, &[u8]); 4] = [
        ("xz", &[0xfd, b'7', b'z', b'X', b'Z', 0]),
        ("bzip2", b"BZh91AY&SY"),
        ("lz4", &[4, 0x22, 0x4d, 0x18]),
        ("zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
    ];
    for (name, head) in heads {
        let stage = Stage::new();
        let packed = [head, &archive[..]].concat();
        stage.give("images.bin", &packed);
        let run = stage
            .run(&["add", "shop:1", "given/images.bin"])
            .ends_with(0);
        assert!(
            run.stderr.contains(name) && run.stderr.contains("not looked into"),
            "{run:#?}"
        );
        let mut chinese = stage.command(&["show", "shop:1"]);
        let said = chinese
            .env("LC_ALL", "zh_CN.UTF-8")
            .output()
            .unwrap()
            .stdout;
        assert!(String::from_utf8(said).unwrap().contains("未展开查看"));
    }
    // A gzip stream that is kept as it came is not looked into either.
    let stage = Stage::new();
    stage.give("images.tar.gz", &gzip(&archive));
    let run = stage.run(&["add", "shop:1", "given/images.tar.gz", "--open", "none"]);
    assert!(run.ends_with(0).stderr.contains("gzip"));
    let run = stage
        .run(&["add", "shop:2", "given/images.tar.gz"])
        .ends_with(0);
    assert!(!run.stderr.contains("not looked into"), "{run:#?}");
}

#[test]
fn a_long_metadata_file_is_read_and_a_chart_without_images_is_a_package() {
    let stage = Stage::new();
    let metadata = made::metadata("mall", "1.0", &[web()], &[]);
    let mut metadata: Value = serde_json::from_slice(&metadata).unwrap();
    let icon: String = stage::noise(3, 3 << 20)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    metadata["icon"] = json!(icon);
    metadata["with_image_data"] = json!(false);
    let files = [("metadata.json", bytes(&metadata))];
    stage.give("mall.tar.gz", &made::package("mall-1.0-ram", &files));
    let files = [
        (
            "cart/Chart.yaml",
            b"name: cart\nversion: \"2.1\"\n".to_vec(),
        ),
        ("cart/dependent_image.txt", b"shop/web:1.0".to_vec()),
    ];
    let members = files.map(|(name, body)| (format!("cart-2.1-helm/{name}"), body));
    stage.give("cart.tar", &made::tar_of(&members));
    stage.add("shop:1");
    let report = stage.show("shop:1");
    let packages = report["packages"].as_array().unwrap();
    let named: Vec<_> = packages
        .iter()
        .map(|each| (&each["kind"], &each["name"]))
        .collect();
    assert_eq!(
        named,
        [
            (&json!("helm"), &json!("cart")),
            (&json!("ram"), &json!("mall"))
        ]
    );
    assert_eq!(findings(&report), Vec::<String>::new());
}
