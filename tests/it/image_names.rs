//! A name stands for what it stood for, whatever leaves and wherever it goes: registries, serve, load and layouts.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use crate::testkit::{programs, registry_parts};

use std::fs;
use std::path::Path;
use std::process::Command;

use carryall::oci::image::{Digest, OCI_MANIFEST};
use carryall::store::{OpenMode, Store};
use programs::{has, run, skopeo};
use registry_parts::{LayoutMaker, RealRegistry, Serving, add_paths};
use serde_json::{Value, json};

/// Runs the program on a store; exit code, what it says as data, what it says to people.
fn carryall(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_carryall"))
        .args(["--store", "store"])
        .args(words)
        .current_dir(folder)
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        out.status.code().unwrap(),
        text(&out.stdout),
        text(&out.stderr),
    )
}

fn serve(folder: &Path) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carryall"));
    let words = ["--store", "store", "serve", "--listen", "127.0.0.1:0"];
    Serving::start(command.args(words).current_dir(folder).env("LC_ALL", "C"))
}

/// The digest that a registry has for a name; `None`: it has no such name.
fn has_name(image: &str) -> Option<String> {
    let mut command = skopeo();
    let words = ["inspect", "--raw", "--tls-verify=false"];
    let out = command
        .args(words)
        .arg(format!("docker://{image}"))
        .output()
        .unwrap();
    let digest = Digest::of(&out.stdout).to_string();
    out.status.success().then_some(digest)
}

fn tags(repository: &str) -> Vec<String> {
    let listed = run(skopeo()
        .args(["list-tags", "--tls-verify=false"])
        .arg(format!("docker://{repository}")));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let tags = listed["Tags"].as_array().unwrap().iter();
    tags.map(|tag| tag.as_str().unwrap().to_owned()).collect()
}

fn digest(value: &Value) -> String {
    value["digest"].as_str().unwrap().to_owned()
}

/// An entry of `index.json` with annotations.
fn write_index(layout: &LayoutMaker, entries: &[(&Value, Value)]) {
    let entries: Vec<Value> = entries
        .iter()
        .map(|(descriptor, annotations)| {
            let mut entry = (*descriptor).clone();
            entry["annotations"] = annotations.clone();
            entry
        })
        .collect();
    let index = json!({"schemaVersion": 2, "manifests": entries});
    fs::write(layout.folder.join("index.json"), index.to_string()).unwrap();
}

/// What tells how an image was built, in every form that tools write below an index.
fn attestation(layout: &LayoutMaker, image: &Value, form: usize) -> Value {
    let statement = layout.blob(
        "application/vnd.in-toto+json",
        format!("{{\"form\":{form}}}").as_bytes(),
    );
    let empty = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let old = json!({"architecture": "unknown", "os": "unknown", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [statement["digest"]]}});
    let old = layout.blob(
        "application/vnd.oci.image.config.v1+json",
        old.to_string().as_bytes(),
    );
    let mut subject = image.clone();
    subject.as_object_mut().unwrap().remove("platform");
    let mut manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": empty, "layers": [statement],
        "artifactType": "application/vnd.docker.attestation.manifest.v1+json"});
    let mut notes = json!({"vnd.docker.reference.digest": image["digest"],
        "vnd.docker.reference.type": "attestation-manifest"});
    let mut platform = json!({"os": "unknown", "architecture": "unknown"});
    match form {
        // BuildKit with oci-artifact=true.
        0 => manifest["subject"] = subject,
        // BuildKit of old: an image by its looks.
        1 => manifest["config"] = old,
        // No more than an artifact beside the image, on no platform.
        2 => (notes, platform) = (json!({}), Value::Null),
        // One that refers, noted with the platform of its image.
        _ => {
            manifest["subject"] = subject;
            notes = json!({});
            platform = image["platform"].clone();
        }
    }
    let mut descriptor = layout.blob(OCI_MANIFEST, manifest.to_string().as_bytes());
    descriptor["annotations"] = notes;
    if !platform.is_null() {
        descriptor["platform"] = platform;
    }
    descriptor
}

#[test]
fn what_lies_below_an_index_never_takes_its_name() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = RealRegistry::start();
    for form in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut layout = LayoutMaker::new(&folder.join("layout"));
        let (amd, arm) = (layout.image("amd64", &[1]), layout.image("arm64", &[2]));
        let (of_amd, of_arm) = (
            attestation(&layout, &amd, form),
            attestation(&layout, &arm, form),
        );
        // Before and behind what they are about: the order means nothing.
        let index = layout.index(&[of_amd, amd.clone(), arm.clone(), of_arm]);
        layout.name(&index, Some("docker.io/shop/d:1"));
        let store = Store::create(&folder.join("store")).unwrap();
        add_paths(&store, "d:1.0", &[layout.folder.clone()]);
        drop(store);
        let to = format!("{}/form{form}", registry.host);
        let (code, said, _) =
            carryall(folder, &["push", "d:1.0", &to, "--platform", "linux/arm64"]);
        assert_eq!(code, 0, "{form}: {said}");
        assert_eq!(
            has_name(&format!("{to}/shop/d:1")),
            Some(digest(&arm)),
            "{form}: {said}"
        );
        let whole = format!("{}/whole{form}", registry.host);
        assert_eq!(carryall(folder, &["push", "d:1.0", &whole]).0, 0);
        assert_eq!(has_name(&format!("{whole}/shop/d:1")), Some(digest(&index)));

        let mut command = Command::new(env!("CARGO_BIN_EXE_carryall"));
        let words = [
            "--store",
            "store",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--platform",
            "linux/amd64",
        ];
        let serving = Serving::start(command.args(words).current_dir(folder).env("LC_ALL", "C"));
        assert_eq!(
            has_name(&format!("{}/shop/d:1", serving.host)),
            Some(digest(&amd)),
            "{form}"
        );
        serving.end();

        // In a layout, which is what containerd gets, one entry has the name.
        let words = [
            "checkout",
            "d:1.0",
            "out",
            "--as",
            "oci",
            "--platform",
            "linux/arm64",
        ];
        let (code, _, said) = carryall(folder, &words);
        assert_eq!(code, 0, "{form}: {said}");
        let out: Value =
            serde_json::from_slice(&fs::read(folder.join("out/index.json")).unwrap()).unwrap();
        let named = out["manifests"].as_array().unwrap().iter();
        let named: Vec<String> = named
            .filter(|entry| {
                entry["annotations"]["io.containerd.image.name"] == "docker.io/shop/d:1"
            })
            .map(digest)
            .collect();
        assert_eq!(named, [digest(&arm)], "{form}: {out}");
        let words = [
            "checkout",
            "d:1.0",
            "out.tar",
            "--as",
            "docker-archive",
            "--platform",
            "linux/arm64",
        ];
        let (code, _, said) = carryall(folder, &[&words[..], &["--image", "shop/d:1"]].concat());
        assert_eq!(code, 0, "{form}: {said}");
    }
}

/// Names that differ in the host alone: an index and an image, two images, two platforms.
#[test]
fn names_that_differ_in_the_host_alone_are_two_names() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = RealRegistry::start();
    for (case, is_index, architecture) in
        [(0, true, "amd64"), (1, false, "amd64"), (2, false, "arm64")]
    {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut layout = LayoutMaker::new(&folder.join("layout"));
        let first = layout.image("amd64", &[1]);
        let first = if is_index {
            layout.index(&[first, layout.image("arm64", &[2])])
        } else {
            first
        };
        let second = layout.image(architecture, &[3]);
        layout.name(&first, Some("a.example/shop/web:1"));
        layout.name(&second, Some("b.example:5000/shop/web:1"));
        let store = Store::create(&folder.join("store")).unwrap();
        add_paths(&store, "web:1.0", &[layout.folder.clone()]);
        drop(store);
        let to = format!("{}/case{case}", registry.host);
        let (code, _, said) = carryall(folder, &["push", "web:1.0", &to]);
        assert!(
            code == 3 && said.contains("LOSS: b.example:5000/shop/web:1: "),
            "{said}"
        );
        assert!(
            said.contains("hint: ") && said.contains("--map HOST=PREFIX"),
            "{said}"
        );
        assert_eq!(has_name(&format!("{to}/shop/web:1")), Some(digest(&first)));

        let kept = format!("{to}/kept");
        let (code, said, _) = carryall(folder, &["push", "web:1.0", &kept, "--keep-host"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(
            has_name(&format!("{kept}/a.example/shop/web:1")),
            Some(digest(&first))
        );
        assert_eq!(
            has_name(&format!("{kept}/b.example-5000/shop/web:1")),
            Some(digest(&second))
        );
        let (code, said, _) = carryall(
            folder,
            &[
                "push",
                "web:1.0",
                &to,
                "--map",
                "B.example:5000=beta/b",
                "--map",
                "a.example=",
            ],
        );
        assert_eq!(code, 0, "{said}");
        assert_eq!(
            has_name(&format!("{to}/beta/b/shop/web:1")),
            Some(digest(&second))
        );
        // Two hosts that are mapped to one place meet there, as without.
        let same = ["--map", "b.example:5000=x", "--map", "a.example=x"];
        let (code, _, said) = carryall(folder, &[&["push", "web:1.0", &to], &same[..]].concat());
        assert!(
            code == 3 && said.contains("LOSS: b.example:5000/shop/web:1: "),
            "{said}"
        );
        let (code, _, said) = carryall(folder, &["push", "web:1.0", &to, "--map", "c.example=x"]);
        assert!(
            code == 1 && said.contains("a.example, b.example:5000") && said.contains("hint: "),
            "{said}"
        );
        for bad in ["c.example", "a.example=Ä", "=x"] {
            assert_eq!(
                carryall(folder, &["push", "web:1.0", &to, "--map", bad]).0,
                2,
                "{bad}"
            );
        }

        // containerd says to a mirror which host is meant.
        let serving = serve(folder);
        let asked = |query: &str, reference: &str| {
            let url = format!(
                "http://{}/v2/shop/web/manifests/{reference}{query}",
                serving.host
            );
            let answer = ureq::get(&url).header("accept", "*/*").call();
            let mut body = answer.ok()?.into_body();
            Some(Digest::of(&body.read_to_vec().unwrap()).to_string())
        };
        assert_eq!(asked("?ns=a.example", "1"), Some(digest(&first)));
        assert_eq!(asked("?ns=b.example%3A5000", "1"), Some(digest(&second)));
        assert_eq!(asked("?ns=B.example:5000", "1"), Some(digest(&second)));
        assert_eq!(asked("", "1"), Some(digest(&first)));
        // A host that nothing came from may have all: it is the site's own name for what is here.
        assert_eq!(asked("?ns=registry.site", "1"), Some(digest(&first)));
        for each in [&first, &second] {
            assert_eq!(asked("", &digest(each)), Some(digest(each)));
            assert_eq!(asked("?ns=a.example", &digest(each)), Some(digest(each)));
        }
        serving.end();
    }
}

#[test]
fn a_host_does_not_answer_for_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut layout = LayoutMaker::new(&folder.join("layout"));
    let (own, plain) = (layout.image("amd64", &[1]), layout.image("amd64", &[2]));
    layout.name(&own, Some("a.example/shop/web:1"));
    layout.name(&layout.image("amd64", &[3]), Some("b.example/shop/web:2"));
    layout.name(&plain, Some("shop/web:3"));
    let store = Store::create(&folder.join("store")).unwrap();
    add_paths(&store, "web:1.0", &[layout.folder.clone()]);
    drop(store);
    let serving = serve(folder);
    let status = |tag: &str, host: &str| {
        let url = format!(
            "http://{}/v2/shop/web/manifests/{tag}?ns={host}",
            serving.host
        );
        match ureq::head(&url).call() {
            Ok(answer) => answer.status().as_u16(),
            Err(ureq::Error::StatusCode(status)) => status,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(status("1", "a.example"), 200);
    assert_eq!(status("1", "b.example"), 404);
    assert_eq!(status("2", "a.example"), 404);
    // What no host is written for is anyone's.
    assert_eq!(status("3", "a.example"), 200);
    assert_eq!(status("3", "docker.io"), 200);
    serving.end();
}

#[test]
fn of_a_tag_that_moved_the_newest_stands_and_all_are_there_by_digest() {
    if !has(&["skopeo"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = Store::create(&folder.join("store")).unwrap();
    let mut digests = Vec::new();
    let mut add = |version: &str, is_index: bool, seed: u64| {
        let mut layout = LayoutMaker::new(&folder.join(version));
        let image = layout.image("amd64", &[seed]);
        let image = if is_index {
            layout.index(&[image, layout.image("arm64", &[seed + 100])])
        } else {
            image
        };
        layout.name(&image, Some("a.example/shop/web:latest"));
        let store = Store::open(&folder.join("store"), OpenMode::Write).unwrap();
        add_paths(&store, version, &[layout.folder.clone()]);
        digests.push(digest(&image));
        digests.clone()
    };
    drop(store);
    // 1.10 is newer than 1.9 whenever it came, and its image less than 1.9's index.
    add("shop:1.10", false, 1);
    let before = add("shop:1.9", true, 2);
    let serving = serve(folder);
    let web = format!("{}/shop/web", serving.host);
    let all_there = |digests: &[String]| {
        for digest in digests {
            assert_eq!(has_name(&format!("{web}@{digest}")).as_ref(), Some(digest));
        }
    };
    assert_eq!(has_name(&format!("{web}:latest")), Some(before[0].clone()));
    all_there(&before);
    // What comes while it serves, too.
    let now = add("shop:1.11", true, 3);
    let begin = std::time::Instant::now();
    while has_name(&format!("{web}:latest")) != Some(now[2].clone()) {
        assert!(begin.elapsed().as_secs() < 60);
        std::thread::sleep(std::time::Duration::from_millis(200));
        all_there(&now[..2]);
    }
    all_there(&now);
    // Another name with the same tag, and an older version: the name that was committed last has it.
    let now = add("tools:0.1", false, 4);
    let begin = std::time::Instant::now();
    while has_name(&format!("{web}:latest")) != Some(now[3].clone()) {
        assert!(begin.elapsed().as_secs() < 60);
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    all_there(&now);
    serving.end();
}

/// A signature as cosign makes it: an image by its looks.
fn signature(layout: &LayoutMaker, subject: &Value, media_type: &str, payload: &str) -> Value {
    let payload = layout.blob(media_type, payload.as_bytes());
    let config = json!({"architecture": "", "os": "", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [payload["digest"]]}});
    let config = layout.blob(
        "application/vnd.oci.image.config.v1+json",
        config.to_string().as_bytes(),
    );
    let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [payload],
        "annotations": {"of": subject["digest"]}});
    layout.blob(OCI_MANIFEST, manifest.to_string().as_bytes())
}

const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

#[test]
fn signatures_are_found_again_in_every_form_that_tools_save() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = RealRegistry::start();
    let reference = "org.opencontainers.image.ref.name";
    let containerd = "io.containerd.image.name";
    let web = "r.example/shop/web:1";
    for form in 0..7 {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let layout = LayoutMaker::new(&folder.join("layout"));
        let image = layout.index(&[layout.image("amd64", &[1]), layout.image("arm64", &[2])]);
        let other = layout.image("amd64", &[3]);
        let payload = json!({"critical": {"identity": {}, "image": {"docker-manifest-digest": image["digest"]}, "type": "x"}});
        let payload = if form == 6 {
            "{}".to_owned()
        } else {
            payload.to_string()
        };
        let sig = signature(&layout, &image, SIMPLE, &payload);
        let att = signature(&layout, &image, ENVELOPE, "{\"payload\":\"\"}");
        let stem = digest(&image).replace(':', "-");
        let tag = |suffix: &str| format!("{stem}.{suffix}");
        let beside = |suffix: &str| format!("r.example/shop/web:{}", tag(suffix));
        let other_is = json!({containerd: "r.example/shop/other:1"});
        let entries = match form {
            // By tags alone; by whole names; cosign save with and without a reference; hauler, of old and of now.
            0 => vec![
                (&image, json!({reference: web})),
                (&other, other_is),
                (&sig, json!({reference: tag("sig")})),
                (&att, json!({reference: tag("att")})),
            ],
            1 => vec![
                (&att, json!({reference: beside("att")})),
                (&sig, json!({containerd: beside("sig")})),
                (&other, other_is),
                (&image, json!({containerd: web})),
            ],
            2 => vec![
                (
                    &image,
                    json!({"kind": "dev.cosignproject.cosign/imageIndex", "dev.cosignproject.cosign/imageRef": web}),
                ),
                (
                    &sig,
                    json!({"kind": "dev.cosignproject.cosign/sigs", "dev.cosignproject.cosign/imageRef": web}),
                ),
                (
                    &att,
                    json!({"kind": "dev.cosignproject.cosign/atts", "dev.cosignproject.cosign/imageRef": web}),
                ),
                (&other, other_is),
            ],
            3 => vec![
                (
                    &image,
                    json!({"kind": "dev.cosignproject.cosign/imageIndex", reference: web}),
                ),
                (&sig, json!({"kind": "dev.cosignproject.cosign/sigs"})),
                (&att, json!({"kind": "dev.cosignproject.cosign/atts"})),
                (&other, other_is),
            ],
            4 | 6 => vec![
                (&other, other_is),
                (
                    &sig,
                    json!({"kind": "dev.cosignproject.cosign/sigs", reference: "shop/web:1", containerd: web}),
                ),
                (
                    &image,
                    json!({"kind": "dev.cosignproject.cosign/imageIndex", reference: "shop/web:1", containerd: web}),
                ),
                (
                    &att,
                    json!({"kind": "dev.cosignproject.cosign/atts", reference: "shop/web:1", containerd: web}),
                ),
            ],
            _ => vec![
                (&other, other_is),
                (
                    &image,
                    json!({"kind": "dev.hauler/imageIndex", reference: "shop/web:1", containerd: web}),
                ),
                (
                    &sig,
                    json!({"kind": "dev.hauler/sigs", reference: "shop/web:1", containerd: web}),
                ),
                (
                    &att,
                    json!({"kind": "dev.hauler/atts", reference: "shop/web:1", containerd: web}),
                ),
            ],
        };
        write_index(&layout, &entries);
        let store = Store::create(&folder.join("store")).unwrap();
        add_paths(&store, "web:1.0", std::slice::from_ref(&layout.folder));
        drop(store);
        let to = format!("{}/form{form}", registry.host);
        let (code, said, loss) = carryall(folder, &["push", "web:1.0", &to]);
        assert_eq!(code, 0, "{form}: {said}{loss}");
        assert_eq!(
            has_name(&format!("{to}/shop/web:1")),
            Some(digest(&image)),
            "{form}: {said}"
        );
        assert_eq!(
            has_name(&format!("{to}/shop/web:{}", tag("sig"))),
            Some(digest(&sig)),
            "{form}: {said}"
        );
        assert_eq!(
            has_name(&format!("{to}/shop/web:{}", tag("att"))),
            Some(digest(&att)),
            "{form}: {said}"
        );
        assert_eq!(
            has_name(&format!("{to}/shop/other:1")),
            Some(digest(&other)),
            "{form}: {said}"
        );
        assert_eq!(tags(&format!("{to}/shop/web")).len(), 3, "{form}");

        // No program runs a signature.
        let words = [
            "checkout",
            "web:1.0",
            "out.tar",
            "--as",
            "docker-archive",
            "--platform",
            "linux/amd64",
        ];
        let (code, _, said) = carryall(folder, &words);
        assert_eq!(code, 0, "{form}: {said}");
        let manifest = run(Command::new("tar")
            .args(["-xOf", "out.tar", "manifest.json"])
            .current_dir(folder));
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest.as_array().unwrap().len(), 2, "{form}: {manifest}");
        // What leaves as a layout says it in a way that is understood when it comes back.
        assert_eq!(
            carryall(folder, &["checkout", "web:1.0", "out", "--as", "oci"]).0,
            0
        );
        assert_eq!(carryall(folder, &["add", "again:1.0", "out"]).0, 0);
        let again = format!("{}/again{form}", registry.host);
        let (code, said, _) = carryall(folder, &["push", "again:1.0", &again]);
        assert_eq!(code, 0, "{form}: {said}");
        for suffix in ["sig", "att"] {
            let name = format!("shop/web:{}", tag(suffix));
            assert_eq!(
                has_name(&format!("{again}/{name}")),
                has_name(&format!("{to}/{name}")),
                "{form}"
            );
        }
    }
}

#[test]
fn what_refers_to_nothing_that_is_there_is_lost_aloud_and_what_has_a_name_is_not() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = RealRegistry::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut layout = LayoutMaker::new(&folder.join("layout"));
    let web = layout.image("amd64", &[1]);
    let elsewhere =
        json!({"mediaType": OCI_MANIFEST, "digest": Digest::of(b"elsewhere").as_str(), "size": 9});
    let (orphan, nameless) = (layout.referrer(&elsewhere), layout.image("amd64", &[2]));
    let sig = signature(&layout, &elsewhere, SIMPLE, "{}");
    let tag = format!("sha256-{}.sig", Digest::of(b"elsewhere").hex());
    layout.name(&web, Some("r.example/shop/web:1"));
    layout.name(&orphan, None);
    layout.name(&nameless, None);
    layout.name(&sig, Some(&format!("r.example/shop/web:{tag}")));
    let store = Store::create(&folder.join("store")).unwrap();
    add_paths(&store, "web:1.0", &[layout.folder.clone()]);
    drop(store);
    let (code, _, said) = carryall(folder, &["push", "web:1.0", &registry.host]);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains(&format!("LOSS: {}", digest(&orphan))),
        "{said}"
    );
    assert!(
        said.contains(&digest(&nameless)[..19]) && said.contains("has no name"),
        "{said}"
    );
    assert_eq!(
        has_name(&format!("{}/shop/web:1", registry.host)),
        Some(digest(&web))
    );
    assert_eq!(
        has_name(&format!("{}/shop/web:{tag}", registry.host)),
        Some(digest(&sig))
    );
    // One of them alone can be named.
    let id = digest(&nameless);
    let words = [
        "push",
        "web:1.0",
        &registry.host,
        "--image",
        &id,
        "--as",
        "site/tool:2",
    ];
    let (code, said, loss) = carryall(folder, &words);
    assert_eq!(code, 0, "{said}{loss}");
    assert_eq!(
        has_name(&format!("{}/site/tool:2", registry.host)),
        Some(id)
    );
}
