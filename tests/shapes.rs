//! Images of every legal shape come in, are found, and go out as what they were: read by other programs where these read such.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod made;
mod programs;
mod shown;
mod stage;

use std::fs;

use made::{Files, Made, blob_path, digest, files_tar, gzip, write_files};
use programs::{has, run};
use serde_json::{Value, json};
use sha2::Digest as _;
use shown::{api, findings, web};
use stage::Stage;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const REF: &str = "org.opencontainers.image.ref.name";

fn skopeo(words: &[&str]) -> String {
    run(programs::skopeo().args(words))
}

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
            ("keep:1", &["--gzip", "keep"][..]),
            ("none:1", &["--gzip-recipe", "0"][..]),
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
                skopeo(&["copy", "-q", &layout, &to]);
                own.run(&["checkout", release, "out.tar", "--as", "docker-archive"])
                    .ends_with(0);
                let archive = format!("docker-archive:{}", own.path("out.tar").display());
                assert!(skopeo(&["inspect", "--config", &archive]).contains("amd64"));
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
