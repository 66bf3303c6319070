//! Registries that misbehave: lines that break, wrong digests, answers that are too long, and what a second run makes of it.

use crate::testkit::{misbehaving, programs, registry_parts};

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use carryall::base::monitor::Silent;
use carryall::oci::image::{Digest, OCI_MANIFEST};
use carryall::oci::registry::RegistryError;
use carryall::oci::registry::client::Client;
use carryall::ops::Error;
use carryall::ops::add::{AddError, AddReport};
use carryall::store::Store;
use misbehaving::{Misbehaving, OneBlob, Request, described};
use programs::run;
use registry_parts::{LayoutMaker, add_paths, client_options, noise, pull, push_to};
use serde_json::json;

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
fn pull_small(folder: &Path, host: &str) -> (Store, Result<AddReport, Error>) {
    let dir = folder.join("store");
    let store = if dir.exists() {
        Store::open(&dir, carryall::store::OpenMode::Write)
    } else {
        Store::create(&dir)
    };
    let store = store.unwrap();
    let outcome = pull(&store, "x:1", &format!("{host}/x:1.0"), &client_options());
    (store, outcome)
}

fn registry_error(outcome: Result<AddReport, Error>) -> RegistryError {
    match outcome.unwrap_err() {
        Error::Add(AddError::Registry(error)) => error,
        other => panic!("{other}"),
    }
}

fn is_empty(store: &Store) -> bool {
    carryall::ops::releases(store).unwrap().0.is_empty()
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
    let mut options = client_options();
    options.config = Some(config);
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
pub struct Uploads {
    /// What came of the upload that is open.
    bytes: Vec<u8>,
    blobs: HashMap<String, Vec<u8>>,
    manifests: Vec<String>,
    pieces: usize,
}

pub fn uploads(drop_after: Option<usize>) -> (Misbehaving, Arc<Mutex<Uploads>>) {
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
