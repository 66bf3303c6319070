//! Registries from the outside: a real one, skopeo as the client of ours, and servers that misbehave.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod registry_parts;

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carryall::block::Codec;
use carryall::bundle::Effort;
use carryall::image::{Choice, ChoiceError, Descriptor, Digest, OCI_MANIFEST};
use carryall::media::{Capacity, Carrier, MediaKind};
use carryall::monitor::{Monitor, Recording, Silent};
use carryall::recipe::BoxError;
use carryall::registry::client::{Client, ClientOptions, Patience};
use carryall::registry::pull::PullOptions;
use carryall::registry::push::NameState;
use carryall::registry::server::{ServeEvent, ServeOptions};
use carryall::registry::{BlobSource, RegistryError};
use carryall::release::ReleaseName;
use carryall::store::{Access, Store, StoreError};
use carryall::verbs::add::sources::{RegistryImage, Sources, Stream, add_sources};
use carryall::verbs::add::{AddError, AddOptions, AddReport};
use carryall::verbs::checkout::{CheckoutOptions, checkout};
use carryall::verbs::pack::{PackOptions, pack};
use carryall::verbs::push::{PushOptions, PushedRelease, push};
use carryall::verbs::receive::receive;
use carryall::verbs::{Error, serve};
use registry_parts::{
    LayoutMaker, Misbehaving, RealRegistry, Request, certificate, has, noise, run, skopeo,
};
use serde_json::{Value, json};

fn name(text: &str) -> ReleaseName {
    text.parse().unwrap()
}

/// Impatient, and without anyone's credentials.
fn client_options() -> ClientOptions {
    ClientOptions {
        config: None,
        patience: Patience {
            attempts: 3,
            first_pause: Duration::from_millis(10),
            silence: Duration::from_secs(10),
        },
        ..ClientOptions::default()
    }
}

fn add_paths(store: &Store, release: &str, paths: &[PathBuf]) -> AddReport {
    carryall::verbs::add::add(
        store,
        &name(release),
        paths,
        &AddOptions::default(),
        &Silent,
    )
    .unwrap()
}

fn pull(
    store: &Store,
    release: &str,
    image: &str,
    client: &ClientOptions,
) -> Result<AddReport, AddError> {
    pull_platforms(store, release, image, client, &[])
}

fn pull_platforms(
    store: &Store,
    release: &str,
    image: &str,
    client: &ClientOptions,
    platforms: &[&str],
) -> Result<AddReport, AddError> {
    let sources = Sources {
        paths: &[],
        images: &[RegistryImage::parse(image).unwrap()],
        pull: PullOptions {
            platforms: platforms.iter().map(|text| text.parse().unwrap()).collect(),
        },
        client: client.clone(),
        stream: None,
    };
    add_sources(
        store,
        &name(release),
        sources,
        &AddOptions::default(),
        &Silent,
    )
    .map(|(report, _)| report)
}

fn push_to(store: &Store, release: &str, to: &str) -> Result<PushedRelease, Error> {
    let options = PushOptions {
        client: client_options(),
        ..PushOptions::default()
    };
    push(store, &name(release), to, &options, &Silent)
}

/// A release with an image for two platforms, something that refers to it, and a second image that shares a layer.
fn shop(folder: &Path) -> (Store, HashMap<&'static str, String>) {
    let mut layout = LayoutMaker::new(&folder.join("layout"));
    let (amd, arm) = (
        layout.image("amd64", &[1, 2]),
        layout.image("arm64", &[1, 3]),
    );
    let index = layout.index(&[amd.clone(), arm.clone()]);
    let sbom = layout.referrer(&index);
    let db = layout.image("amd64", &[1, 4]);
    layout.name(&index, Some("registry.example/shop/web:1.0"));
    layout.name(&sbom, None);
    layout.name(&db, Some("registry.example/shop/db:2"));
    let store = Store::create(&folder.join("store")).unwrap();
    add_paths(&store, "shop:1.0", &[layout.folder.clone()]);
    let digest = |value: &Value| value["digest"].as_str().unwrap().to_owned();
    let digests = [
        ("index", &index),
        ("amd64", &amd),
        ("arm64", &arm),
        ("sbom", &sbom),
        ("db", &db),
    ];
    (
        store,
        digests.map(|(key, value)| (key, digest(value))).into(),
    )
}

fn raw_digest(image: &str) -> String {
    let raw = run(skopeo().args(["inspect", "--raw", "--tls-verify=false", image]));
    Digest::of(raw.as_bytes()).to_string()
}

#[test]
fn what_is_pushed_into_a_real_registry_comes_back_with_its_digests() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, digests) = shop(folder.path());
    let registry = RealRegistry::start();
    let pushed = push_to(&store, "shop:1.0", &format!("{}/site", registry.host)).unwrap();
    assert!(pushed.is_whole(), "{pushed:?}");
    let states: HashMap<&str, NameState> = pushed
        .pushed
        .names
        .iter()
        .map(|each| (&each.name[..], each.state))
        .collect();
    assert_eq!(states["site/shop/web:1.0"], NameState::Pushed);
    assert_eq!(states["site/shop/db:2"], NameState::Pushed);
    // The layer that both repositories have was sent once.
    assert_eq!(pushed.pushed.mounted_blobs, 1);
    let web = format!("docker://{}/site/shop/web", registry.host);
    assert_eq!(raw_digest(&format!("{web}:1.0")), digests["index"]);
    assert_eq!(
        raw_digest(&format!("{web}@{}", digests["arm64"])),
        digests["arm64"]
    );
    assert_eq!(
        raw_digest(&format!("docker://{}/site/shop/db:2", registry.host)),
        digests["db"]
    );
    run(skopeo()
        .args([
            "copy",
            "-q",
            "--all",
            "--src-tls-verify=false",
            &format!("{web}:1.0"),
        ])
        .arg(format!("oci:{}:x", folder.path().join("all").display())));

    let again = push_to(&store, "shop:1.0", &format!("{}/site", registry.host)).unwrap();
    assert_eq!(again.pushed.pushed_blobs, 0);
    assert!(
        again
            .pushed
            .names
            .iter()
            .all(|each| each.state == NameState::There),
        "{again:?}"
    );

    // Back again, twice, into two stores: the same item, bytes and metadata.
    let reference = format!("{}/site/shop/web:1.0", registry.host);
    let mut roots = Vec::new();
    for number in 0..2 {
        let store = Store::create(&folder.path().join(format!("back-{number}"))).unwrap();
        pull(&store, "web:1.0", &reference, &client_options()).unwrap();
        assert!(!store.dir().join("pulls").exists());
        let root = carryall::verbs::release(&store, &name("web:1.0")).unwrap();
        roots.push(root.manifest);
        if number == 0 {
            let out = folder.path().join("out");
            checkout(
                &store,
                &name("web:1.0"),
                &out,
                &CheckoutOptions::default(),
                &Silent,
            )
            .unwrap();
            let item = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
            for key in ["index", "amd64", "arm64", "sbom"] {
                let hex = digests[key].strip_prefix("sha256:").unwrap();
                let bytes = fs::read(item.join("blobs/sha256").join(hex)).unwrap();
                assert_eq!(Digest::of(&bytes).to_string(), digests[key]);
            }
            let index: Value =
                serde_json::from_slice(&fs::read(item.join("index.json")).unwrap()).unwrap();
            assert_eq!(index["manifests"][0]["digest"], digests["index"][..]);
            assert_eq!(
                index["manifests"][0]["annotations"]["io.containerd.image.name"],
                reference[..]
            );
        }
    }
    assert_eq!(roots[0], roots[1]);
}

#[test]
fn one_platform_alone_goes_in_and_out() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, digests) = shop(folder.path());
    let registry = RealRegistry::start();
    let options = PushOptions {
        choice: Choice {
            images: vec!["shop/web:1.0".to_owned()],
            platforms: vec!["linux/arm64".parse().unwrap()],
        },
        client: client_options(),
    };
    let pushed = push(&store, &name("shop:1.0"), &registry.host, &options, &Silent).unwrap();
    assert_eq!(pushed.pushed.names.len(), 1, "{pushed:?}");
    assert_eq!(
        raw_digest(&format!("docker://{}/shop/web:1.0", registry.host)),
        digests["arm64"]
    );

    // An index of which one image is pulled stays the index that it is, and is told apart when it is pushed again.
    push_to(&store, "shop:1.0", &registry.host).unwrap();
    let site = Store::create(&folder.path().join("site")).unwrap();
    let reference = format!("{}/shop/web:1.0", registry.host);
    let error = pull_platforms(
        &site,
        "web:1.0",
        &reference,
        &client_options(),
        &["linux/s390x"],
    )
    .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("linux/s390x") && text.contains("linux/amd64, linux/arm64"),
        "{text}"
    );
    let one = format!("{}/shop/db:2", registry.host);
    let error =
        pull_platforms(&site, "db:2", &one, &client_options(), &["linux/arm64"]).unwrap_err();
    assert!(error.to_string().contains("it has linux/amd64"), "{error}");
    pull_platforms(
        &site,
        "web:1.0",
        &reference,
        &client_options(),
        &["linux/amd64"],
    )
    .unwrap();
    let other = RealRegistry::start();
    let pushed = push_to(&site, "web:1.0", &other.host).unwrap();
    let web = pushed
        .pushed
        .names
        .iter()
        .find(|each| each.name == "shop/web:1.0")
        .unwrap();
    assert_eq!(web.state, NameState::Only, "{pushed:?}");
    assert_eq!(
        raw_digest(&format!("docker://{}/shop/web:1.0", other.host)),
        digests["amd64"]
    );

    let options = PushOptions {
        choice: Choice {
            images: vec!["shop/nothing".to_owned()],
            ..Choice::default()
        },
        client: client_options(),
    };
    let error = push(&store, &name("shop:1.0"), &registry.host, &options, &Silent).unwrap_err();
    assert!(
        matches!(error, Error::Choice(ChoiceError::NoSuchImage { .. })),
        "{error}"
    );
}

/// Serves a store's releases while `work` runs.
fn while_serving(
    store: &Store,
    options: &ServeOptions,
    work: impl FnOnce(SocketAddr),
) -> Vec<ServeEvent> {
    let monitor = Recording::default();
    let events = Mutex::new(Vec::new());
    let (ready, is_ready) = channel();
    let ready = Mutex::new(ready);
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let tell = |_: &serve::Served, event: &ServeEvent| {
                if let ServeEvent::Ready { address } = event {
                    ready.lock().unwrap().send(*address).unwrap();
                }
                events.lock().unwrap().push(event.clone());
            };
            serve::serve(store, &[], options, &tell, &monitor)
        });
        // Whatever happens in `work`, the server ends.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let stop = Stop(&monitor.stop);
        let address = is_ready.recv_timeout(Duration::from_secs(60)).unwrap();
        work(address);
        drop(stop);
        serving.join().unwrap().unwrap();
    });
    events.into_inner().unwrap()
}

/// Asks until the answer is this; what is served is looked at every other second.
fn ask_until(address: SocketAddr, head: &str, status: u16) {
    let begin = std::time::Instant::now();
    while ask(address, head).0 != status {
        assert!(begin.elapsed() < Duration::from_secs(60), "{head}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_is_received_while_it_serves_is_served_too() {
    let folder = tempfile::tempdir().unwrap();
    let (vendor, digests) = shop(folder.path());
    let mut layout = LayoutMaker::new(&folder.path().join("later"));
    let later = layout.image("amd64", &[1, 9]);
    layout.name(&later, Some("registry.example/shop/web:1.1"));
    add_paths(&vendor, "shop:1.1", &[layout.folder.clone()]);
    let volumes = |release: &str| {
        let root = carryall::verbs::release(&vendor, &name(release)).unwrap();
        let options = PackOptions {
            capacity: Capacity::of(MediaKind::Usb),
            carrier: Carrier::Folders,
            spare: Some(0),
            local_percent: None,
            effort: Effort::Fast,
            codec: Codec::Gf16,
            receivers: Vec::new(),
        };
        let to = folder.path().join(release.replace(':', "-"));
        pack(&vendor, &[root], &to, &options, &mut |_| {}, &Silent).unwrap();
        [to]
    };
    let (old, new) = (volumes("shop:1.0"), volumes("shop:1.1"));
    let place = folder.path().join("site");
    receive(&Store::create(&place).unwrap(), &old, &Silent).unwrap();
    let pulled = |address: SocketAddr, tag: &str| {
        let store = Store::create(tempfile::tempdir_in(folder.path()).unwrap().path()).unwrap();
        let image = format!("{address}/shop/web:{tag}");
        pull(&store, "web:1.0", &image, &client_options()).unwrap();
        ask(
            address,
            &format!("HEAD /v2/shop/web/manifests/{tag} HTTP/1.1"),
        )
        .1
    };

    let served = Store::open_beside_writers(&place).unwrap();
    let events = while_serving(&served, &on_any_port(), |address| {
        assert!(pulled(address, "1.0").contains(&digests["index"]));
        let is_there = "HEAD /v2/shop/web/manifests/1.1 HTTP/1.1";
        assert_eq!(ask(address, is_there).0, 404);
        {
            let mut site = Store::open(&place, Access::Write).unwrap();
            // A set, and something that is added; nothing waits but what would remove what is served.
            receive(&site, &new, &Silent).unwrap();
            add_paths(
                &site,
                "words:1.0",
                &[folder.path().join("layout/oci-layout")],
            );
            let options = carryall::verbs::check::PruneOptions::default();
            let refused = carryall::verbs::check::prune(&mut site, &options, &Silent);
            assert!(
                matches!(refused, Err(Error::Store(StoreError::Served { .. }))),
                "{refused:?}"
            );
        }
        ask_until(address, is_there, 200);
        let digest = later["digest"].as_str().unwrap();
        assert!(pulled(address, "1.1").contains(digest));
        assert!(pulled(address, "1.0").contains(&digests["index"]));
        // A release that is taken out is served no longer; the rest is.
        let site = Store::open(&place, Access::Write).unwrap();
        site.remove_root(&name("shop:1.0").file_stem()).unwrap();
        ask_until(address, "HEAD /v2/shop/db/manifests/2 HTTP/1.1", 404);
        drop(site);
        pulled(address, "1.1");
    });
    assert!(events.contains(&ServeEvent::Changed));
    drop(served);
    let mut site = Store::open(&place, Access::Write).unwrap();
    let options = carryall::verbs::check::PruneOptions::default();
    let pruned = carryall::verbs::check::prune(&mut site, &options, &Silent).unwrap();
    assert!(pruned.bytes_after < pruned.bytes_before, "{pruned:?}");
}

fn on_any_port() -> ServeOptions {
    ServeOptions {
        listen: "127.0.0.1:0".to_owned(),
        ..ServeOptions::default()
    }
}

/// Sends a request by hand: status, headers as they came, body.
fn ask(address: SocketAddr, head: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let request = format!("{head}\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

#[test]
fn skopeo_pulls_from_a_store_that_is_served() {
    if !has(&["skopeo"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, digests) = shop(folder.path());
    while_serving(&store, &on_any_port(), |address| {
        let web = format!("docker://{address}/shop/web:1.0");
        assert_eq!(raw_digest(&web), digests["index"]);
        let said: Value = serde_json::from_str(&run(skopeo().args([
            "inspect",
            "--tls-verify=false",
            &format!("docker://{address}/shop/db:2"),
        ])))
        .unwrap();
        assert_eq!(said["Digest"], digests["db"][..]);
        // Several pulls at once, all platforms.
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (web, to) = (&web, folder.path().join(format!("pulled-{number}")));
                scope.spawn(move || {
                    run(skopeo()
                        .args(["copy", "-q", "--all", "--src-tls-verify=false", web])
                        .arg(format!("oci:{}:web", to.display())))
                });
            }
        });
        for number in 0..4 {
            let index =
                fs::read_to_string(folder.path().join(format!("pulled-{number}/index.json")))
                    .unwrap();
            assert!(index.contains(&digests["index"]), "{index}");
        }
    });
}

#[test]
fn the_api_answers_by_the_specification() {
    let folder = tempfile::tempdir().unwrap();
    let (store, digests) = shop(folder.path());
    let layout = folder.path().join("layout/blobs/sha256");
    let manifest: Value =
        serde_json::from_slice(&fs::read(layout.join(&digests["db"][7..])).unwrap()).unwrap();
    let layer = manifest["layers"][1]["digest"].as_str().unwrap().to_owned();
    let bytes = fs::read(layout.join(&layer[7..])).unwrap();
    let events = while_serving(&store, &on_any_port(), |address| {
        assert_eq!(ask(address, "GET /v2/ HTTP/1.1").0, 200);
        let blob = format!("/v2/shop/db/blobs/{layer}");
        let (status, head, body) = ask(address, &format!("GET {blob} HTTP/1.1"));
        assert_eq!((status, body.len()), (200, bytes.len()));
        assert!(body == bytes && head.contains(&format!("docker-content-digest: {layer}")));
        let (status, head, body) = ask(address, &format!("HEAD {blob} HTTP/1.1"));
        assert_eq!((status, body.len()), (200, 0));
        assert!(
            head.contains(&format!("content-length: {}", bytes.len())),
            "{head}"
        );
        for (range, from, to) in [
            ("700000-", 700_000, bytes.len()),
            ("5-99", 5, 100),
            ("-10", bytes.len() - 10, bytes.len()),
        ] {
            let (status, head, body) = ask(
                address,
                &format!("GET {blob} HTTP/1.1\r\nrange: bytes={range}"),
            );
            assert_eq!(status, 206);
            assert!(body == bytes[from..to], "{range}");
            assert!(
                head.contains(&format!(
                    "content-range: bytes {from}-{}/{}",
                    to - 1,
                    bytes.len()
                )),
                "{head}"
            );
        }
        let beyond = format!("GET {blob} HTTP/1.1\r\nrange: bytes={}-", bytes.len());
        assert_eq!(ask(address, &beyond).0, 416);

        let (status, head, body) = ask(address, "GET /v2/_catalog?n=1 HTTP/1.1");
        assert_eq!(
            (status, &body[..]),
            (200, &br#"{"repositories":["shop/db"]}"#[..])
        );
        assert!(
            head.contains("link: </v2/_catalog?last=shop/db&n=1>; rel=\"next\""),
            "{head}"
        );
        let (_, head, body) = ask(address, "GET /v2/_catalog?n=1&last=shop/db HTTP/1.1");
        assert_eq!(&body[..], br#"{"repositories":["shop/web"]}"#);
        assert!(!head.contains("link:"));
        assert_eq!(
            ask(address, "GET /v2/shop/web/tags/list HTTP/1.1").2,
            br#"{"name":"shop/web","tags":["1.0"]}"#
        );

        let referrers = format!("/v2/shop/web/referrers/{}", digests["index"]);
        let list: Value =
            serde_json::from_slice(&ask(address, &format!("GET {referrers} HTTP/1.1")).2).unwrap();
        assert_eq!(list["manifests"][0]["digest"], digests["sbom"][..]);
        assert_eq!(
            list["manifests"][0]["artifactType"],
            "application/vnd.example.sbom"
        );
        let (_, head, body) = ask(
            address,
            &format!("GET {referrers}?artifactType=other HTTP/1.1"),
        );
        let list: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(list["manifests"], json!([]));
        assert!(head.contains("oci-filters-applied: artifacttype"));

        assert_eq!(
            ask(address, "GET /v2/shop/web/manifests/2.0 HTTP/1.1").0,
            404
        );
        assert_eq!(ask(address, "GET /v2/shop/none/tags/list HTTP/1.1").0, 404);
        // A blob of another repository is not to be had here.
        assert_eq!(
            ask(address, &format!("GET /v2/shop/web/blobs/{layer} HTTP/1.1")).0,
            404
        );
        assert_eq!(
            ask(
                address,
                "POST /v2/shop/web/blobs/uploads/ HTTP/1.1\r\ncontent-length: 0"
            )
            .0,
            405
        );
        assert_eq!(ask(address, "GET /v2/../etc/passwd HTTP/1.1").0, 400);
    });
    let answered = events
        .iter()
        .filter(|event| matches!(event, ServeEvent::Answered(_)))
        .count();
    assert_eq!(answered, 17);
}

#[test]
fn with_a_certificate_and_passwords_only_the_right_client_pulls() {
    if !has(&["openssl", "htpasswd"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, digests) = shop(folder.path());
    let (certificate, key) = certificate(folder.path(), "site");
    let passwords = registry_parts::passwords(folder.path(), "site", "s3cret");
    let options = ServeOptions {
        tls: Some((certificate.clone(), key)),
        passwords: Some(passwords),
        ..on_any_port()
    };
    while_serving(&store, &options, |address| {
        let reference = format!("{address}/shop/web@{}", digests["index"]);
        let config = folder.path().join("config.json");
        let trusting = ClientOptions {
            ca: Some(certificate.clone()),
            config: Some(config.clone()),
            ..client_options()
        };
        let site = Store::create(&folder.path().join("site")).unwrap();
        let error = pull(&site, "web:1", &reference, &trusting).unwrap_err();
        assert!(
            matches!(error, AddError::Registry(RegistryError::Denied { .. })),
            "{error:?}"
        );
        let login = |pair: &str| {
            use base64::Engine;
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            fs::write(
                &config,
                json!({"auths": {address.to_string(): {"auth": pair}}}).to_string(),
            )
            .unwrap();
        };
        login("site:wrong");
        let error = pull(&site, "web:1", &reference, &trusting).unwrap_err();
        assert!(
            matches!(error, AddError::Registry(RegistryError::Denied { .. })),
            "{error:?}"
        );
        login("site:s3cret");
        pull(&site, "web:1", &reference, &trusting).unwrap();
        // Whoever does not know the certificate does not send the password.
        let (strange, _) = registry_parts::certificate(folder.path(), "other");
        let doubting = ClientOptions {
            ca: Some(strange),
            ..trusting
        };
        let error = pull(&site, "web:1", &reference, &doubting).unwrap_err();
        assert!(
            matches!(error, AddError::Registry(RegistryError::Tls { .. })),
            "{error:?}"
        );
    });
}

#[test]
fn bytes_from_a_stream_become_an_item() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    let bytes = noise(5, 3_000_000);
    let sources = Sources {
        paths: &[],
        images: &[],
        pull: PullOptions::default(),
        client: client_options(),
        stream: Some(Stream {
            name: "images.tar".to_owned(),
            bytes: &mut &bytes[..],
        }),
    };
    add_sources(
        &store,
        &name("a:1"),
        sources,
        &AddOptions::default(),
        &Silent,
    )
    .unwrap();
    let out = folder.path().join("out");
    checkout(
        &store,
        &name("a:1"),
        &out,
        &CheckoutOptions::default(),
        &Silent,
    )
    .unwrap();
    assert!(fs::read(out.join("images.tar")).unwrap() == bytes);
    assert!(!store.dir().join("pulls").exists());
    let sources = Sources {
        paths: &[],
        images: &[],
        pull: PullOptions::default(),
        client: client_options(),
        stream: Some(Stream {
            name: "../x".to_owned(),
            bytes: &mut &bytes[..],
        }),
    };
    let error = add_sources(
        &store,
        &name("a:1"),
        sources,
        &AddOptions::default(),
        &Silent,
    )
    .unwrap_err();
    assert!(matches!(error, AddError::Unfit { .. }), "{error}");
}

/// An image with one long layer, for servers that misbehave.
struct Small {
    manifest: Vec<u8>,
    config: Vec<u8>,
    layer: Vec<u8>,
}

impl Small {
    fn new() -> Self {
        let layer = noise(9, 2_000_000);
        let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer).as_str()]}});
        let config = config.to_string().into_bytes();
        let describe = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": Digest::of(bytes).as_str(), "size": bytes.len()});
        let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": describe("application/vnd.oci.image.config.v1+json", &config),
            "layers": [describe("application/vnd.oci.image.layer.v1.tar", &layer)]});
        Self {
            manifest: manifest.to_string().into_bytes(),
            config,
            layer,
        }
    }

    fn is_layer(&self, request: &Request) -> bool {
        request
            .target
            .ends_with(&format!("/blobs/{}", Digest::of(&self.layer)))
    }

    /// Answers as a good registry does.
    fn answer(&self, request: &mut Request) {
        let target = request.target.clone();
        if target.ends_with("/manifests/1.0")
            || target.ends_with(Digest::of(&self.manifest).as_str())
                && target.contains("/manifests/")
        {
            request.answer(200, &[("content-type", OCI_MANIFEST)], &self.manifest);
        } else if self.is_layer(request) {
            let from = request.headers.get("range").map_or(0, |range| {
                range
                    .strip_prefix("bytes=")
                    .and_then(|range| range.strip_suffix('-'))
                    .unwrap()
                    .parse()
                    .unwrap()
            });
            let total = self.layer.len();
            let range = format!("bytes {from}-{}/{total}", total - 1);
            let status = if from > 0 { 206 } else { 200 };
            request.answer(status, &[("content-range", &range)], &self.layer[from..]);
        } else if target.ends_with(&format!("/blobs/{}", Digest::of(&self.config))) {
            request.answer(200, &[], &self.config);
        } else {
            request.answer(404, &[], b"");
        }
    }
}

/// A store, and a pull of the small image from a server into it.
fn pull_small(folder: &Path, host: &str) -> (Store, Result<AddReport, AddError>) {
    let dir = folder.join("store");
    let store = if dir.exists() {
        Store::open(&dir, carryall::store::Access::Write)
    } else {
        Store::create(&dir)
    };
    let store = store.unwrap();
    let outcome = pull(&store, "x:1", &format!("{host}/x:1.0"), &client_options());
    (store, outcome)
}

fn registry_error(outcome: Result<AddReport, AddError>) -> RegistryError {
    match outcome.unwrap_err() {
        AddError::Registry(error) => error,
        other => panic!("{other}"),
    }
}

fn is_empty(store: &Store) -> bool {
    carryall::verbs::releases(store).unwrap().0.is_empty()
}

#[test]
fn a_line_that_breaks_is_taken_up_where_it_broke() {
    let small = Small::new();
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let seen = ranges.clone();
    let server = Misbehaving::start(move |request| {
        if small.is_layer(request) {
            let mut seen = seen.lock().unwrap();
            seen.push(request.headers.get("range").cloned());
            if seen.len() == 1 {
                return request.answer_part(200, &[], &small.layer[..700_000], small.layer.len());
            }
        }
        small.answer(request);
    });
    let folder = tempfile::tempdir().unwrap();
    let (_, outcome) = pull_small(folder.path(), &server.host);
    assert_eq!(outcome.unwrap().items.len(), 1);
    assert_eq!(
        *ranges.lock().unwrap(),
        [None, Some("bytes=700000-".to_owned())]
    );
}

#[test]
fn a_second_run_goes_on_where_the_first_gave_up() {
    let small = Small::new();
    let is_better = Arc::new(AtomicBool::new(false));
    let better = is_better.clone();
    let first = Arc::new(Mutex::new(None));
    let asked = first.clone();
    let server = Misbehaving::start(move |request| {
        if small.is_layer(request) {
            let range = request.headers.get("range").cloned();
            if better.load(Ordering::Relaxed) {
                asked.lock().unwrap().get_or_insert(range);
            } else if range.is_none() {
                return request.answer_part(200, &[], &small.layer[..1_000_000], small.layer.len());
            } else {
                // Accepts and says nothing.
                return;
            }
        }
        small.answer(request);
    });
    let folder = tempfile::tempdir().unwrap();
    let (store, outcome) = pull_small(folder.path(), &server.host);
    let error = registry_error(outcome);
    assert!(
        matches!(error, RegistryError::Unreachable { .. }),
        "{error}"
    );
    assert!(is_empty(&store));
    drop(store);
    is_better.store(true, Ordering::Relaxed);
    let (store, outcome) = pull_small(folder.path(), &server.host);
    outcome.unwrap();
    assert_eq!(
        first.lock().unwrap().clone(),
        Some(Some("bytes=1000000-".to_owned()))
    );
    assert!(!store.dir().join("pulls").exists());
}

#[test]
fn what_a_broken_pull_left_goes_with_the_next_prune() {
    let small = Small::new();
    let server = Misbehaving::start(move |request| {
        if small.is_layer(request) {
            return request.answer_part(200, &[], &small.layer[..1_000_000], small.layer.len());
        }
        small.answer(request);
    });
    let folder = tempfile::tempdir().unwrap();
    let (store, outcome) = pull_small(folder.path(), &server.host);
    registry_error(outcome);
    let left = walkdir::WalkDir::new(store.dir().join("pulls")).into_iter();
    let bytes: u64 = left
        .map(|entry| entry.unwrap().metadata().unwrap())
        .filter(std::fs::Metadata::is_file)
        .map(|stat| stat.len())
        .sum();
    assert!(bytes >= 1_000_000, "{bytes}");
    let dir = store.dir().to_owned();
    drop(store);
    run(Command::new(env!("CARGO_BIN_EXE_carryall"))
        .arg("--store")
        .arg(&dir)
        .arg("prune"));
    assert!(!dir.join("pulls").exists());
}

#[test]
fn troubles_that_pass_are_waited_for_and_those_that_stay_are_told() {
    for (status, header) in [
        (500, ("x", "y")),
        (503, ("retry-after", "0")),
        (429, ("retry-after", "1")),
    ] {
        let small = Small::new();
        let left = Arc::new(AtomicUsize::new(2));
        let count = left.clone();
        let server = Misbehaving::start(move |request| {
            let is_ill = count
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok();
            if is_ill {
                request.answer(status, &[header], b"{}")
            } else {
                small.answer(request)
            }
        });
        let folder = tempfile::tempdir().unwrap();
        pull_small(folder.path(), &server.host).1.unwrap();
        left.store(usize::MAX, Ordering::Relaxed);
        let other = tempfile::tempdir().unwrap();
        let (store, outcome) = pull_small(other.path(), &server.host);
        let error = registry_error(outcome);
        assert!(
            matches!(error, RegistryError::Refused { status: told, .. } if told == status),
            "{error}"
        );
        assert!(is_empty(&store));
    }
    // A pause of an hour is not waited for.
    let server = Misbehaving::start(|request| {
        let body =
            br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate\u001b[31m limit"}]}"#;
        request.answer(429, &[("retry-after", "3600")], body);
    });
    let folder = tempfile::tempdir().unwrap();
    let text = registry_error(pull_small(folder.path(), &server.host).1).to_string();
    assert!(
        text.contains("429") && text.contains("TOOMANYREQUESTS pull rate[31m limit"),
        "{text:?}"
    );
}

#[test]
fn bytes_of_another_digest_are_refused_and_not_kept() {
    let small = Small::new();
    let is_good = Arc::new(AtomicBool::new(false));
    let good = is_good.clone();
    let server = Misbehaving::start(move |request| {
        if small.is_layer(request) && !good.load(Ordering::Relaxed) {
            let mut wrong = small.layer.clone();
            wrong[1_234_567] ^= 1;
            return request.answer(200, &[], &wrong);
        }
        small.answer(request);
    });
    let folder = tempfile::tempdir().unwrap();
    let (store, outcome) = pull_small(folder.path(), &server.host);
    let error = registry_error(outcome);
    assert!(matches!(error, RegistryError::Mismatch { .. }), "{error}");
    assert!(is_empty(&store));
    drop(store);
    is_good.store(true, Ordering::Relaxed);
    pull_small(folder.path(), &server.host).1.unwrap();
}

#[test]
fn what_is_too_long_or_not_what_it_says_is_refused() {
    type Lie = fn(&Small, &mut Request) -> bool;
    let lies: [(Lie, &str); 6] = [
        (
            |small, request| {
                let is_it = small.is_layer(request);
                if is_it {
                    request.answer(200, &[], &[&small.layer[..], b"more"].concat());
                }
                is_it
            },
            "were announced",
        ),
        (
            |_, request| {
                let is_it = request.target.contains("/manifests/1.0");
                if is_it {
                    request.answer(200, &[("content-type", OCI_MANIFEST)], &vec![b' '; 5 << 20]);
                }
                is_it
            },
            "too large",
        ),
        (
            |small, request| {
                let is_it = request.target.contains("/manifests/1.0");
                if is_it {
                    let digest = Digest::of(b"other");
                    request.answer(
                        200,
                        &[
                            ("content-type", OCI_MANIFEST),
                            ("docker-content-digest", digest.as_str()),
                        ],
                        &small.manifest,
                    );
                }
                is_it
            },
            "not those of its digest",
        ),
        (
            |_, request| {
                let is_it = request.target.contains("/manifests/1.0");
                if is_it {
                    request.answer(200, &[("content-type", "text/html")], b"<html>");
                }
                is_it
            },
            "expected value",
        ),
        (
            |_, request| {
                let is_it = request.target.contains("/manifests/1.0");
                if is_it {
                    let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [{"digest": "sha256:../../x", "size": 1}]});
                    request.answer(200, &[], manifest.to_string().as_bytes());
                }
                is_it
            },
            "no SHA-256",
        ),
        (
            |_, request| {
                request.answer(302, &[("location", &request.target.clone())], b"");
                true
            },
            "without end",
        ),
    ];
    for (lie, words) in lies {
        let small = Small::new();
        let server = Misbehaving::start(move |request| {
            if !lie(&small, request) {
                small.answer(request);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let (store, outcome) = pull_small(folder.path(), &server.host);
        let text = registry_error(outcome).to_string();
        assert!(text.contains(words), "{words}: {text}");
        assert!(is_empty(&store));
    }
}

#[test]
fn credentials_are_sent_to_the_registry_and_to_nobody_else() {
    let small = Arc::new(Small::new());
    let leaked = Arc::new(Mutex::new(Vec::new()));
    let (elsewhere_small, elsewhere_seen) = (small.clone(), leaked.clone());
    let elsewhere = Misbehaving::start(move |request| {
        elsewhere_seen
            .lock()
            .unwrap()
            .push(request.headers.get("authorization").cloned());
        elsewhere_small.answer(request);
    });
    let to = elsewhere.host.clone();
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let asked = tokens.clone();
    let server = Misbehaving::start(move |request| {
        let host = request.headers["host"].clone();
        if request.target.starts_with("/token") {
            asked.lock().unwrap().push((
                request.target.clone(),
                request.headers.get("authorization").cloned(),
            ));
            return request.answer(
                200,
                &[("content-type", "application/json")],
                br#"{"token":"t0ken"}"#,
            );
        }
        if request.headers.get("authorization").map(String::as_str) != Some("Bearer t0ken") {
            let challenge = format!(
                "Bearer realm=\"http://{host}/token\",service=\"me\",scope=\"repository:x:pull\""
            );
            return request.answer(401, &[("www-authenticate", &challenge)], b"");
        }
        if small.is_layer(request) {
            let location = format!("http://{to}{}", request.target);
            return request.answer(307, &[("location", &location)], b"");
        }
        small.answer(request);
    });
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    fs::write(
        &config,
        json!({"auths": {&server.host: {"username": "me", "password": "pw"}}}).to_string(),
    )
    .unwrap();
    let options = ClientOptions {
        config: Some(config),
        ..client_options()
    };
    let store = Store::create(&folder.path().join("store")).unwrap();
    pull(&store, "x:1", &format!("{}/x:1.0", server.host), &options).unwrap();
    assert_eq!(*leaked.lock().unwrap(), [None]);
    let tokens = tokens.lock().unwrap();
    assert_eq!(
        tokens[0],
        (
            "/token?service=me&scope=repository%3Ax%3Apull".to_owned(),
            Some("Basic bWU6cHc=".to_owned())
        )
    );
}

/// A registry that takes uploads and drops the line now and then.
#[derive(Default)]
struct Uploads {
    /// What came of the upload that is open.
    bytes: Vec<u8>,
    blobs: HashMap<String, Vec<u8>>,
    manifests: Vec<String>,
    pieces: usize,
}

fn uploads(drop_after: Option<usize>) -> (Misbehaving, Arc<Mutex<Uploads>>) {
    let state = Arc::new(Mutex::new(Uploads::default()));
    let shared = state.clone();
    let server = Misbehaving::start(move |request| {
        let mut state = shared.lock().unwrap();
        let target = request.target.clone();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let digest = path.rsplit('/').next().unwrap().to_owned();
        match &request.method[..] {
            "HEAD" if path.contains("/blobs/") && state.blobs.contains_key(&digest) => {
                request.answer(200, &[], b"")
            }
            "HEAD" => request.answer(404, &[], b""),
            "POST" => {
                state.bytes.clear();
                request.answer(202, &[("location", "/v2/x/blobs/uploads/one?state=a")], b"");
            }
            "PATCH" => {
                state.pieces += 1;
                let from: usize = request.headers["content-range"]
                    .split('-')
                    .next()
                    .unwrap()
                    .parse()
                    .unwrap();
                assert_eq!(from, state.bytes.len(), "a piece that does not fit");
                let all = request.body_bytes();
                if let Some(bytes) = drop_after.filter(|bytes| *bytes < all && state.pieces < 3) {
                    let part = request.body(bytes);
                    state.bytes.extend(part);
                    return;
                }
                let body = request.body(all);
                state.bytes.extend(body);
                request.answer(202, &[("location", "/v2/x/blobs/uploads/one?state=b")], b"");
            }
            "GET" => {
                let range = format!("0-{}", state.bytes.len().saturating_sub(1));
                request.answer(
                    204,
                    &[
                        ("range", &range),
                        ("location", "/v2/x/blobs/uploads/one?state=c"),
                    ],
                    b"",
                );
            }
            "PUT" if path.contains("/manifests/") => {
                let body = request.body(request.body_bytes());
                state
                    .manifests
                    .push(format!("{} {}", digest, Digest::of(&body)));
                request.answer(201, &[], b"");
            }
            "PUT" => {
                let body = request.body(request.body_bytes());
                state.bytes.extend(body);
                let wanted = query.rsplit("digest=").next().unwrap().replace("%3A", ":");
                if Digest::of(&state.bytes).as_str() == wanted {
                    let bytes = std::mem::take(&mut state.bytes);
                    state.blobs.insert(wanted, bytes);
                    request.answer(201, &[], b"");
                } else {
                    request.answer(
                        400,
                        &[],
                        br#"{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}"#,
                    );
                }
            }
            _ => request.answer(405, &[], b""),
        }
    });
    (server, state)
}

/// Hands a request on to another server, and its answer back.
fn forward(request: &mut Request, to: &str) {
    let mut onward = TcpStream::connect(to).unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    onward.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    let body = request.body(request.body_bytes());
    onward.write_all(&body).unwrap();
    let mut answer = Vec::new();
    let _ = onward.read_to_end(&mut answer);
    let _ = request.line.get_mut().write_all(&answer);
}

struct OneBlob(Vec<u8>);

impl BlobSource for OneBlob {
    fn bytes(&self, _: &Digest) -> Option<u64> {
        Some(self.0.len() as u64)
    }

    fn write(
        &self,
        _: &Digest,
        range: std::ops::Range<u64>,
        out: &mut dyn Write,
        _: &dyn Monitor,
    ) -> Result<(), BoxError> {
        let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
        Ok(out.write_all(&self.0[range])?)
    }
}

fn described(bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: "application/octet-stream".to_owned(),
        digest: Digest::of(bytes),
        bytes: bytes.len() as u64,
    }
}

#[test]
fn an_upload_that_breaks_is_taken_up_where_it_broke() {
    let (server, state) = uploads(Some(3_000_000));
    let bytes = noise(3, 10_000_000);
    let client = Client::new(&server.host, &client_options()).unwrap();
    client
        .push_blob(
            "x",
            &described(&bytes),
            None,
            &OneBlob(bytes.clone()),
            &Silent,
        )
        .unwrap();
    let state = state.lock().unwrap();
    assert_eq!(state.pieces, 3);
    assert!(state.blobs[Digest::of(&bytes).as_str()] == bytes);
}

#[test]
fn a_proxy_that_takes_little_at_a_time_gets_little_at_a_time() {
    // Proxies refuse what is too long before they read it, and then read on for a while, or close at once.
    for reads_on in [true, false] {
        let (good, state) = uploads(None);
        let to = good.host.clone();
        let refused = Arc::new(AtomicUsize::new(0));
        let count = refused.clone();
        let server = Misbehaving::start(move |request| {
            let bytes = request.body_bytes();
            if bytes <= 2_000_000 {
                return forward(request, &to);
            }
            count.fetch_add(1, Ordering::Relaxed);
            request.answer(413, &[], b"<html>413 Request Entity Too Large</html>");
            if reads_on {
                request.body(bytes);
            }
        });
        let bytes = noise(3, 5_000_000);
        let client = Client::new(&server.host, &client_options()).unwrap();
        let source = OneBlob(bytes.clone());
        client
            .push_blob("x", &described(&bytes), None, &source, &Silent)
            .unwrap();
        let state = state.lock().unwrap();
        assert_eq!(state.pieces, 5, "{reads_on}");
        assert!(state.blobs[Digest::of(&bytes).as_str()] == bytes);
        // Whole, in larger pieces, and no more than that.
        assert_eq!(refused.load(Ordering::Relaxed), 2, "{reads_on}");
    }
}

#[test]
fn a_blob_that_is_rotten_here_is_not_sent_to_its_end() {
    for bytes in [10_000_000, 1000] {
        let (server, state) = uploads(None);
        let good = noise(3, bytes);
        let mut rotten = good.clone();
        rotten[500] ^= 1;
        let client = Client::new(&server.host, &client_options()).unwrap();
        let error = client
            .push_blob("x", &described(&good), None, &OneBlob(rotten), &Silent)
            .unwrap_err();
        assert!(matches!(error, RegistryError::Mismatch { .. }), "{error}");
        assert!(state.lock().unwrap().blobs.is_empty());
    }
}

#[test]
fn a_push_that_broke_leaves_no_manifest_and_a_second_one_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut layout = LayoutMaker::new(&folder.path().join("layout"));
    let image = layout.image("amd64", &[1]);
    layout.name(&image, Some("a.b/x:1"));
    let store = Store::create(&folder.path().join("store")).unwrap();
    add_paths(&store, "x:1", &[layout.folder.clone()]);
    let (good, state) = uploads(None);
    let is_full = Arc::new(AtomicBool::new(true));
    let full = is_full.clone();
    let to = good.host.clone();
    // Stands before the other and refuses what is long, as a disk that is full does.
    let server = Misbehaving::start(move |request| {
        if request.method == "PATCH" && full.load(Ordering::Relaxed) {
            let _ = request.body(request.body_bytes());
            return request.answer(
                507,
                &[],
                br#"{"errors":[{"code":"UNKNOWN","message":"no space left on device"}]}"#,
            );
        }
        forward(request, &to);
    });
    let error = push_to(&store, "x:1", &server.host).unwrap_err();
    assert!(
        error.to_string().contains("no space left on device"),
        "{error}"
    );
    assert!(state.lock().unwrap().manifests.is_empty());
    is_full.store(false, Ordering::Relaxed);
    let pushed = push_to(&store, "x:1", &server.host).unwrap();
    assert!(pushed.is_whole());
    let digest = image["digest"].as_str().unwrap();
    assert_eq!(state.lock().unwrap().manifests, [format!("1 {digest}")]);
}

#[test]
fn a_blob_that_is_rotten_here_is_broken_off_when_it_is_served() {
    use carryall::registry::push::PlannedRepository;
    use carryall::registry::server::{Shelf, serve};
    let good = noise(3, 3_000_000);
    let mut rotten = good.clone();
    rotten[100] ^= 1;
    let shelf = Shelf::new(vec![PlannedRepository {
        name: "x".to_owned(),
        blobs: vec![described(&good)],
        manifests: Vec::new(),
    }]);
    let monitor = Recording::default();
    let answered = Mutex::new(Vec::new());
    let (ready, is_ready) = channel();
    let ready = Mutex::new(ready);
    let source = OneBlob(rotten);
    let tell = |event: &ServeEvent| match event {
        ServeEvent::Ready { address } => ready.lock().unwrap().send(*address).unwrap(),
        ServeEvent::Changed => {}
        ServeEvent::Answered(line) => answered.lock().unwrap().push(line.clone()),
    };
    std::thread::scope(|scope| {
        let (source, tell, monitor) = (&source, &tell, &monitor);
        let serving = scope.spawn(move || serve(shelf, source, &on_any_port(), tell, monitor));
        let address = is_ready.recv_timeout(Duration::from_secs(60)).unwrap();
        let blob = format!("GET /v2/x/blobs/{} HTTP/1.1", Digest::of(&good));
        let (status, _, body) = ask(address, &blob);
        assert_eq!(status, 200);
        assert!(body.len() < good.len(), "the whole blob came");
        // A part is the client's to check.
        let part = format!("{blob}\r\nrange: bytes=0-9");
        assert_eq!(ask(address, &part).2.len(), 10);
        monitor.stop.store(true, Ordering::Relaxed);
        serving.join().unwrap().unwrap();
    });
    let answered = answered.into_inner().unwrap();
    let why = answered[0].broken.as_deref().unwrap();
    assert!(why.contains("digest"), "{why}");
    assert_eq!(answered[1].broken, None);
}

#[test]
fn exports_of_one_name_for_two_platforms_are_served_under_one_index() {
    let folder = tempfile::tempdir().unwrap();
    let mut digests = Vec::new();
    let mut paths = Vec::new();
    for architecture in ["arm64", "amd64"] {
        let mut layout = LayoutMaker::new(&folder.path().join(architecture));
        let image = layout.image(architecture, &[1]);
        layout.name(&image, Some("a.b/shop/web:1.0"));
        digests.push(image["digest"].as_str().unwrap().to_owned());
        paths.push(layout.folder.clone());
    }
    let store = Store::create(&folder.path().join("store")).unwrap();
    add_paths(&store, "web:1.0", &paths);
    while_serving(&store, &on_any_port(), |address| {
        let index = ask(address, "GET /v2/shop/web/manifests/1.0 HTTP/1.1").2;
        let index: Value = serde_json::from_slice(&index).unwrap();
        let listed: Vec<(&str, &str)> = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| {
                let architecture = each["platform"]["architecture"].as_str().unwrap();
                (architecture, each["digest"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            listed,
            [("amd64", &digests[1][..]), ("arm64", &digests[0][..])]
        );
        for digest in &digests {
            let head = format!("HEAD /v2/shop/web/manifests/{digest} HTTP/1.1");
            assert_eq!(ask(address, &head).0, 200);
        }
    });
}

#[test]
fn the_program_serves_until_it_is_interrupted_and_says_what_to_do_when_it_cannot() {
    use std::io::BufRead;
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = shop(folder.path());
    let dir = store.dir().to_owned();
    drop(store);
    let carryall = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carryall"));
        command.env("LC_ALL", "C").env("HOME", folder.path());
        command.arg("--store").arg(&dir).args(arguments);
        command
    };
    let mut serving = carryall(&["serve", "--listen", "127.0.0.1:0", "shop:1.0"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(serving.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(
        first.starts_with("serving 2 images at http://127.0.0.1:"),
        "{first}"
    );
    let address = first
        .split("http://")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let rest: Vec<String> = lines.by_ref().take(9).map(Result::unwrap).collect();
    let rest = rest.join("\n");
    assert!(
        rest.contains("/etc/containerd/certs.d/registry.example/hosts.toml"),
        "{rest}"
    );
    assert!(
        rest.contains(&format!("[host.\"http://{address}\"]")),
        "{rest}"
    );
    assert!(
        rest.contains(&format!("\"insecure-registries\": [\"{address}\"]")),
        "{rest}"
    );
    assert_eq!(ask(address.parse().unwrap(), "GET /v2/ HTTP/1.1").0, 200);
    let pid = rustix::process::Pid::from_raw(i32::try_from(serving.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = serving.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let log = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(log.contains("GET /v2/  200  2"), "{log}");

    let server = Misbehaving::start(|request| {
        request.answer(401, &[("www-authenticate", "Basic realm=x")], b"");
    });
    let image = format!("docker://{}/x:1", server.host);
    for (arguments, code, said, hint) in [
        (
            vec!["add", "x:1", &image],
            1,
            "refuses access",
            "docker login",
        ),
        (
            vec!["add", "x:1", "docker://A/../b"],
            2,
            "not a",
            "docker://HOST",
        ),
        (
            vec!["push", "shop:1.0", &server.host],
            1,
            "refuses access",
            "docker login",
        ),
        (
            vec!["push", "shop:1.0", "no registry"],
            1,
            "is not a registry",
            "HOST[:PORT]",
        ),
        (
            vec!["push", "shop:1.0", "a.b", "--image", "none"],
            1,
            "no image none",
            "registry.example/shop/web:1.0",
        ),
        (
            vec!["serve", "--listen", "999.0.0.1:x"],
            1,
            "cannot listen",
            "--listen",
        ),
    ] {
        let out = carryall(&arguments).output().unwrap();
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(
            text.contains(said) && text.contains("hint:") && text.contains(hint),
            "{arguments:?}: {text}"
        );
    }
}
