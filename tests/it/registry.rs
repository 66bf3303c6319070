//! Registries from the outside: a real one, and skopeo as the client of ours.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use crate::testkit::programs::raw_digest;
use crate::testkit::{misbehaving, programs, registry_parts};

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use carryall::base::monitor::{Recording, Silent};
use carryall::bundle::Effort;
use carryall::oci::image::{ChoiceError, Digest};
use carryall::oci::registry::RegistryError;
use carryall::oci::registry::push::NameState;
use carryall::oci::registry::server::{ServeEvent, ServeOptions};
use carryall::ops::Error;
use carryall::ops::add::sources::{ItemStream, Sources, add_sources};
use carryall::ops::add::{AddError, AddOptions};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::pack::{PackOptions, pack};
use carryall::ops::publish::push::{PushOptions, push};
use carryall::ops::publish::serve;
use carryall::ops::receive::receive;
use carryall::store::{OpenMode, Store, StoreError};
use carryall::volumes::media::{Capacity, MediaKind};
use misbehaving::{Misbehaving, OneBlob, described};
use programs::{has, run, skopeo};
use registry_parts::{
    LayoutMaker, RealRegistry, add_paths, certificate, client_options, name, noise, pull,
    pull_platforms, push_to,
};
use serde_json::{Value, json};

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
    assert_eq!(raw_digest(&[], &format!("{web}:1.0")), digests["index"]);
    assert_eq!(
        raw_digest(&[], &format!("{web}@{}", digests["arm64"])),
        digests["arm64"]
    );
    assert_eq!(
        raw_digest(&[], &format!("docker://{}/site/shop/db:2", registry.host)),
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
        let root = carryall::ops::release(&store, &name("web:1.0")).unwrap();
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
    let mut options = PushOptions::default();
    options.choice.images = vec!["shop/web:1.0".to_owned()];
    options.choice.platforms = vec!["linux/arm64".parse().unwrap()];
    options.client = client_options();
    let pushed = push(&store, &name("shop:1.0"), &registry.host, &options, &Silent).unwrap();
    assert_eq!(pushed.pushed.names.len(), 1, "{pushed:?}");
    assert_eq!(
        raw_digest(&[], &format!("docker://{}/shop/web:1.0", registry.host)),
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
        raw_digest(&[], &format!("docker://{}/shop/web:1.0", other.host)),
        digests["amd64"]
    );

    let mut options = PushOptions::default();
    options.choice.images = vec!["shop/nothing".to_owned()];
    options.client = client_options();
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
        let root = carryall::ops::release(&vendor, &name(release)).unwrap();
        let mut options = PackOptions::new(Capacity::of(MediaKind::Usb));
        options.spare = Some(0);
        options.effort = Effort::Fast;
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

    let served = Store::open_shared(&place).unwrap();
    let events = while_serving(&served, &on_any_port(), |address| {
        assert!(pulled(address, "1.0").contains(&digests["index"]));
        let is_there = "HEAD /v2/shop/web/manifests/1.1 HTTP/1.1";
        assert_eq!(ask(address, is_there).0, 404);
        {
            let mut site = Store::open(&place, OpenMode::Write).unwrap();
            // A set, and something that is added; nothing waits but what would remove what is served.
            receive(&site, &new, &Silent).unwrap();
            add_paths(
                &site,
                "words:1.0",
                &[folder.path().join("layout/oci-layout")],
            );
            let options = carryall::ops::maintain::prune::PruneRequest::default();
            let refused = carryall::ops::maintain::prune::prune(&mut site, &options, &Silent);
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
        let site = Store::open(&place, OpenMode::Write).unwrap();
        site.remove_root(&name("shop:1.0").file_stem()).unwrap();
        ask_until(address, "HEAD /v2/shop/db/manifests/2 HTTP/1.1", 404);
        drop(site);
        pulled(address, "1.1");
    });
    assert!(events.contains(&ServeEvent::Changed));
    drop(served);
    let mut site = Store::open(&place, OpenMode::Write).unwrap();
    let options = carryall::ops::maintain::prune::PruneRequest::default();
    let pruned = carryall::ops::maintain::prune::prune(&mut site, &options, &Silent).unwrap();
    assert!(pruned.bytes_after < pruned.bytes_before, "{pruned:?}");
}

fn on_any_port() -> ServeOptions {
    ServeOptions::new("127.0.0.1:0")
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
        assert_eq!(raw_digest(&[], &web), digests["index"]);
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
    let mut options = on_any_port();
    options.tls = Some((certificate.clone(), key));
    options.passwords = Some(passwords);
    while_serving(&store, &options, |address| {
        let reference = format!("{address}/shop/web@{}", digests["index"]);
        let config = folder.path().join("config.json");
        let mut trusting = client_options();
        trusting.ca = Some(certificate.clone());
        trusting.config = Some(config.clone());
        let site = Store::create(&folder.path().join("site")).unwrap();
        let error = pull(&site, "web:1", &reference, &trusting).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Add(AddError::Registry(RegistryError::Denied { .. }))
            ),
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
            matches!(
                error,
                Error::Add(AddError::Registry(RegistryError::Denied { .. }))
            ),
            "{error:?}"
        );
        login("site:s3cret");
        pull(&site, "web:1", &reference, &trusting).unwrap();
        // Whoever does not know the certificate does not send the password.
        let (strange, _) = registry_parts::certificate(folder.path(), "other");
        let mut doubting = trusting;
        doubting.ca = Some(strange);
        let error = pull(&site, "web:1", &reference, &doubting).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Add(AddError::Registry(RegistryError::Tls { .. }))
            ),
            "{error:?}"
        );
    });
}

#[test]
fn bytes_from_a_stream_become_an_item() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    let bytes = noise(5, 3_000_000);
    let mut all = &bytes[..];
    let mut sources = Sources::default();
    sources.client = client_options();
    sources.stream = Some(ItemStream::new("images.tar", &mut all));
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
    let mut all = &bytes[..];
    let mut sources = Sources::default();
    sources.client = client_options();
    sources.stream = Some(ItemStream::new("../x", &mut all));
    let error = add_sources(
        &store,
        &name("a:1"),
        sources,
        &AddOptions::default(),
        &Silent,
    )
    .unwrap_err();
    assert!(
        matches!(error, Error::Add(AddError::Unfit { .. })),
        "{error}"
    );
}

#[test]
fn a_blob_that_is_rotten_here_is_broken_off_when_it_is_served() {
    use carryall::oci::registry::plan::PlannedRepository;
    use carryall::oci::registry::server::{Repositories, serve};
    let good = noise(3, 3_000_000);
    let mut rotten = good.clone();
    rotten[100] ^= 1;
    let shelf = Repositories::new(vec![PlannedRepository {
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
    // Lines are told as answers end: on a busy machine the part's may come first.
    let broken: Vec<&str> = answered
        .iter()
        .filter_map(|line| line.broken.as_deref())
        .collect();
    assert_eq!((answered.len(), broken.len()), (2, 1), "{answered:?}");
    assert!(broken[0].contains("digest"), "{}", broken[0]);
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
