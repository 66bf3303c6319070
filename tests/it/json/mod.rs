//! `docs/json.md` says what `--json` prints: the program is run, and what it prints is compared with the tables.
//!
//! The type of a field may name another table, so that objects are followed into each other.

mod document;

use crate::testkit::archives::gzip;
use crate::testkit::made;
use crate::testkit::programs::{has, put_program};
use crate::testkit::registry_parts::RealRegistry;
use crate::testkit::shown::{api, web};
use crate::testkit::stage::{Run, Stage, noise, text, visible};

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use document::{Document, repository};
use serde_json::Value;

/// What was seen of the document so far.
struct Seen {
    document: Document,
    events: BTreeSet<String>,
    reports: BTreeSet<String>,
}

impl Seen {
    fn new() -> Self {
        Self {
            document: Document::read(),
            events: BTreeSet::new(),
            reports: BTreeSet::new(),
        }
    }

    #[track_caller]
    fn event(&mut self, line: &str) {
        let event: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no event: {line}"));
        let faults = self.document.event_faults(&event);
        assert!(faults.is_empty(), "{line}: {faults:#?}");
        self.events.insert(event["event"].as_str().unwrap().into());
    }

    #[track_caller]
    fn report(&mut self, anchor: &str, report: &Value) {
        let faults = self.document.faults(anchor, report);
        assert!(faults.is_empty(), "{anchor}: {faults:#?} in {report:#}");
        self.reports.insert(anchor.to_owned());
    }

    /// Compares a run, whose report has the table of this anchor. Without an anchor there must be no report.
    #[track_caller]
    fn run(&mut self, anchor: &str, run: &Run) {
        for line in run.stderr.lines() {
            self.event(line);
        }
        if anchor.is_empty() {
            assert_eq!(run.stdout, "", "{run:#?}");
        } else {
            self.report(anchor, &run.json());
        }
    }

    /// Runs words, and compares what they print.
    #[track_caller]
    fn runs(&mut self, stage: &Stage, anchor: &str, code: i32, words: &[&str]) -> Value {
        let run = stage.run(&[&["--json"], words].concat()).ends_with(code);
        self.run(anchor, &run);
        serde_json::from_str(&run.stdout).unwrap_or_default()
    }
}

/// A small medium, of which the release needs several.
const MEDIA: &str = "6MB";

/// A stage with something of every kind in `given`: a folder, noise, images, a package, a stream that is cut off.
fn given() -> Stage {
    let stage = Stage::new();
    let images = made::files_tar(&made::containerd(&[web(), api()]));
    stage.give("images.tar", &images);
    stage.give("app.ram", &made::ram("shop", "1.0", &[web()], &[api()]));
    stage.give("setup.bin", &noise(2, 3_000_000));
    let cut = gzip(&noise(5, 300_000));
    stage.give("cut.gz", &cut[..200_000]);
    fs::create_dir(stage.path("given/docs")).unwrap();
    fs::write(stage.path("given/docs/readme.txt"), text(1, 100_000)).unwrap();
    fs::write(stage.path("given/docs/shop.env"), "A=1\n").unwrap();
    stage
}

fn pack_words<'a>(release: &'a str, to: &'a str) -> Vec<&'a str> {
    vec![
        "pack", release, "--to", to, "--media", MEDIA, "--spare", "1",
    ]
}

/// At the vendor: everything that is done with a store.
fn vendor(seen: &mut Seen, stage: &mut Stage) {
    seen.runs(stage, "add", 0, &["add", "shop:1.0", "given"]);
    stage.give("setup.bin", &noise(3, 3_000_000));
    seen.runs(stage, "add", 0, &["add", "shop:1.1", "given"]);
    seen.runs(stage, "list", 0, &["list"]);
    let shown = seen.runs(stage, "show", 0, &["show", "shop:1.0"]);
    let judged = seen.runs(stage, "show", 3, &["show", "shop:1.0", "--verify"]);
    assert_eq!(judged["images"][0]["signatures"]["standing"], "not_signed");
    papers(seen, stage);
    for part in ["images", "packages", "kept", "contents"] {
        assert!(!shown[part].as_array().unwrap().is_empty(), "{shown:#}");
    }
    let diff = seen.runs(stage, "diff", 0, &["diff", "shop:1.0", "shop:1.1"]);
    assert!(!diff["contributors"].as_array().unwrap().is_empty());
    let estimate = ["pack", "shop:1.1", "--estimate"];
    seen.runs(stage, "pack---estimate", 0, &estimate);
    let plan = [
        "pack", "shop:1.1", "--plan", "--media", MEDIA, "--since", "shop:1.0",
    ];
    seen.runs(stage, "pack-plan", 0, &plan);
    seen.runs(stage, "pack", 0, &pack_words("shop:1.0", "discs"));
    seen.runs(stage, "keep", 0, &["keep", "shop:1.0"]);
    seen.runs(stage, "copy", 0, &["copy", "shop:1.0", "--to", "copies"]);
    trust(seen, stage);
    let history = seen.runs(stage, "history", 0, &["history"]);
    assert!(history["last"].is_object(), "{history:#}");
    seen.runs(stage, "prune", 0, &["prune", "--keep-last", "1"]);
    seen.runs(stage, "check", 0, &["check", "--data"]);
    seen.runs(stage, "inspect", 0, &["inspect", "discs"]);
    let words = ["verify", "discs", "--report", "evidence.json"];
    seen.runs(stage, "verify", 0, &words);
    let evidence = fs::read(stage.path("evidence.json")).unwrap();
    seen.report("evidence", &serde_json::from_slice(&evidence).unwrap());
    seen.runs(stage, "doctor", 0, &["doctor"]);
    seen.runs(stage, "man", 0, &["man", "--to", "pages"]);
    seen.runs(stage, "demo", 0, &["demo", "given/docs"]);
}

/// An image with something attached to it, and an SBOM that is a file.
fn papers(seen: &mut Seen, stage: &Stage) {
    let layout = made::oci_two_platforms("registry.example/shop/web:1.0", &[web()]);
    made::write_files(&stage.path("papers"), &layout);
    let spdx = r#"{"spdxVersion": "SPDX-2.3"}"#;
    fs::write(stage.path("papers/web.spdx.json"), spdx).unwrap();
    seen.runs(stage, "add", 0, &["add", "papers:1.0", "papers"]);
    let shown = seen.runs(stage, "show", 0, &["show", "papers:1.0"]);
    for part in ["attachments", "documents"] {
        assert_eq!(shown[part].as_array().unwrap().len(), 1, "{shown:#}");
    }
    let words = ["checkout", "papers:1.0", "taken-out", "--as", "attachments"];
    let out = seen.runs(stage, "checkout---as-attachments", 0, &words);
    assert_eq!(out["attachments"].as_array().unwrap().len(), 1, "{out:#}");
    seen.runs(stage, "rm", 0, &["rm", "papers:1.0"]);
}

/// Keys, a signed set, and a store that trusts its signer.
fn trust(seen: &mut Seen, stage: &mut Stage) {
    let new = ["key", "new", "vendor.key", "--no-password"];
    seen.runs(stage, "key-new", 0, &new);
    seen.runs(stage, "", 1, &new);
    seen.runs(stage, "key-show", 0, &["key", "show", "vendor.pub"]);
    let mut words = pack_words("shop:1.0", "signed");
    words.extend(["--sign", "vendor.key"]);
    seen.runs(stage, "pack", 0, &words);
    stage.store = "trusting";
    seen.runs(stage, "trust-add", 0, &["trust", "add", "vendor.pub"]);
    let key = concat!(
        "-----BEGIN PUBLIC KEY-----\n",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENptdY/l3nB0yqkXLBWkZWQwo6+cu\n",
        "OSWS1X9vPavpiQOoTTGC0xX57OojUadxF1cdQmrsiReWg2Wn4FneJfa8xw==\n",
        "-----END PUBLIC KEY-----\n",
    );
    fs::write(stage.path("cosign.pub"), key).unwrap();
    let words = ["trust", "add", "cosign.pub", "--images", "--for", "shop/*"];
    seen.runs(stage, "trust-add-images", 0, &words);
    let trusted = seen.runs(stage, "trust-list", 0, &["trust", "list"]);
    assert_eq!(trusted["image_keys"][0]["name"], "cosign", "{trusted:#}");
    seen.runs(stage, "", 1, &["trust", "add", "cosign.pub"]);
    seen.runs(stage, "trust-add-images", 0, &["trust", "rm", "cosign"]);
    let report = seen.runs(stage, "inspect", 0, &["inspect", "signed"]);
    let signers = &report["sets"][0]["signed"]["signers"];
    assert_eq!(signers[0]["trusted_as"], "vendor", "{report:#}");
    seen.runs(stage, "", 1, &["receive", "discs"]);
    let waiting = seen.runs(stage, "status", 4, &["status"]);
    assert!(waiting["incoming"][0]["refused"].is_string(), "{waiting:#}");
    seen.runs(stage, "trust-list", 0, &["trust", "require"]);
    seen.runs(stage, "", 1, &["receive", "discs", "--unsigned"]);
    seen.runs(stage, "trust-add", 0, &["trust", "rm", "vendor"]);
    seen.runs(stage, "", 1, &["trust", "rm", "vendor"]);
    stage.store = "store";
}

/// Between vendor and site: a volume is lost and rebuilt.
fn media(seen: &mut Seen, stage: &Stage) {
    let volumes = visible(&stage.path("discs"));
    let first = volumes[0].to_str().unwrap();
    seen.runs(stage, "verify", 0, &["verify", "discs"]);
    seen.runs(stage, "verify", 4, &["verify", first]);
    let map = ["verify", "discs", "--map", "map.html"];
    seen.runs(stage, "verify", 0, &map);
    seen.runs(stage, "labels", 0, &["labels", "discs", "--number", "7"]);
    if has(&["xorriso"]) {
        let burn = ["burn", first, "--device", "stdio:disc.img"];
        seen.runs(stage, "burn", 0, &burn);
    } else {
        seen.reports.insert("burn".into());
    }
    fs::rename(&volumes[1], stage.path("lost")).unwrap();
    let repaired = seen.runs(stage, "repair", 0, &["repair", "discs", "--to", "new"]);
    assert!(!repaired["sets"].as_array().unwrap().is_empty());
    fs::rename(stage.path("lost"), &volumes[1]).unwrap();
}

/// At the site: volumes come in, receipts go out, releases are used.
fn site(seen: &mut Seen, stage: &mut Stage) {
    let first = visible(&stage.path("discs")).remove(0);
    let first = first.to_str().unwrap();
    stage.store = "site";
    seen.runs(stage, "receive", 4, &["receive", first]);
    seen.runs(stage, "status", 4, &["status"]);
    seen.runs(stage, "receipt", 0, &["receipt"]);
    seen.runs(stage, "forget", 0, &["forget", "--all-incomplete"]);
    seen.runs(stage, "receive", 0, &["receive", "discs"]);
    seen.runs(stage, "receive", 0, &["receive", first]);
    let receipt = seen.runs(stage, "receipt", 0, &["receipt"]);
    fs::write(stage.path("plant.json"), receipt.to_string()).unwrap();

    stage.store = "store";
    let mut words = pack_words("shop:1.1", "update");
    words.extend(["--site", "plant", "--for", "plant.json"]);
    seen.runs(stage, "pack", 0, &words);
    seen.runs(stage, "site-list", 0, &["site", "list"]);
    let next = ["site", "list", "--next", "shop:1.0"];
    let listed = seen.runs(stage, "site-list", 0, &next);
    assert_eq!(listed["sites"][0]["next"]["new_bytes"], 0, "{listed:#}");
    let words = [
        "pack",
        "shop:1.1",
        "--for-all",
        "--media",
        "dvd",
        "--to",
        "all",
    ];
    seen.runs(stage, "pack---for-all", 0, &words);
    seen.runs(stage, "site-forget", 0, &["site", "forget", "plant"]);
    seen.runs(stage, "", 1, &["site", "forget", "plant"]);

    // The update comes to a store without what it depends on.
    stage.store = "other";
    seen.runs(stage, "", 1, &["receive", "update"]);
    let all_the_same = ["receive", "update", "--replace"];
    let received = seen.runs(stage, "receive", 4, &all_the_same);
    assert!(received["sets"][0]["lacking"].is_object(), "{received:#}");

    stage.store = "site";
    seen.runs(stage, "receive", 0, &["receive", "update"]);
    seen.runs(stage, "checkout", 0, &["checkout", "shop:1.1", "back"]);
    let images = ["checkout", "shop:1.1", "a.tar", "--as", "docker-archive"];
    seen.runs(stage, "checkout---as", 0, &images);
    seen.runs(
        stage,
        "install",
        0,
        &["install", "shop:1.0", "--into", "srv"],
    );
    fs::write(stage.path("srv/current/given/docs/shop.env"), "A=2\n").unwrap();
    let installed = seen.runs(
        stage,
        "install",
        0,
        &["install", "shop:1.1", "--into", "srv"],
    );
    assert!(!installed["kept"].as_array().unwrap().is_empty());
    seen.runs(stage, "rollback", 0, &["rollback", "srv"]);
    seen.runs(stage, "rm", 0, &["rm", "shop:1.0"]);
    seen.runs(stage, "prune", 0, &["prune"]);
}

/// What goes wrong: findings, errors of every sort of argument, and usage errors.
fn troubles(seen: &mut Seen, stage: &Stage) {
    let errors: [(i32, &[&str]); 11] = [
        (1, &["show", "shop:9"]),
        (1, &["checkout", "shop:1.1", "x", "--item", "none"]),
        (1, &["checkout", "shop:1.1", "given"]),
        (1, &["verify", "given"]),
        (1, &["add", "shop:2", "nowhere"]),
        (1, &["forget", "none"]),
        (1, &["rollback", "given"]),
        (1, &["pack", "shop:1.1", "--to", "t", "--media", "3MB"]),
        (2, &["recieve"]),
        (2, &["add"]),
        (2, &["pack", "shop:1.1", "--to", "t", "--media", "dvdd"]),
    ];
    for (code, words) in errors {
        seen.runs(stage, "", code, words);
    }
    let packs = walkdir::WalkDir::new(stage.path("store/packs"));
    let files = packs.into_iter().map(Result::unwrap);
    let largest = files
        .filter(|entry| entry.file_type().is_file())
        .max_by_key(|entry| entry.metadata().unwrap().len());
    let path = largest.unwrap().into_path();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 1000].fill(0xee);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&path, bytes).unwrap();
    let checked = seen.runs(stage, "check", 3, &["check", "--data"]);
    assert!(!checked["damaged"].as_array().unwrap().is_empty());
    seen.runs(stage, "checkout", 3, &["checkout", "shop:1.0", "damaged"]);
}

/// Progress of something that takes its time: an input that waits.
fn progress(seen: &mut Seen, stage: &Stage) {
    let mut command = stage.command(&["--json", "add", "slow:1.0", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for seed in 0..4 {
        stdin.write_all(&noise(seed, 1_000_000)).unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }
    drop(stdin);
    let run = Run::from(child.wait_with_output().unwrap()).ends_with(0);
    assert!(run.stderr.contains("\"progress\""), "{run:#?}");
    seen.run("add", &run);
}

/// A process that may have little memory says so.
fn memory(seen: &mut Seen, stage: &Stage) {
    let mut command = Command::new("sh");
    let words = "ulimit -v 600000; exec \"$0\" --json --verbose --store store check";
    command.args(["-c", words, env!("CARGO_BIN_EXE_carryall")]);
    command.current_dir(stage.path("")).env("LC_ALL", "C");
    let run = Run::from(command.output().unwrap()).ends_with(0);
    assert!(run.stderr.contains("\"memory\""), "{run:#?}");
    seen.run("check", &run);
}

/// A registry: it is asked, and gets another release.
fn serve(seen: &mut Seen, stage: &Stage) {
    let words = ["--json", "serve", "--listen", "127.0.0.1:0"];
    let mut child = stage.start(&words);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    seen.event(&ready);
    let ready: Value = serde_json::from_str(&ready).unwrap();
    assert!(!ready["images"].as_array().unwrap().is_empty(), "{ready}");

    let mut stream = TcpStream::connect(ready["address"].as_str().unwrap()).unwrap();
    let request = b"GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    stage
        .run(&["add", "more:1.0", "given/images.tar"])
        .ends_with(0);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while !(seen.events.contains("changed") && seen.events.contains("request")) {
        let mut line = String::new();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended");
        seen.event(&line);
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A visit to an empty site with the first volume alone.
fn visit(seen: &mut Seen, stage: &Stage) {
    let mut command = stage.command(&["--json", "visit", "--drive", "tray"]);
    command.env("CARRYALL_STORE", stage.path("visited"));
    fs::create_dir(stage.path("tray")).unwrap();
    let volumes = visible(&stage.path("discs"));
    let name = volumes.iter().min().unwrap();
    fs::rename(stage.path("discs").join(name), stage.path("tray/volume")).unwrap();
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"m\nm\nm\nq\n").unwrap();
    let run = Run::from(child.wait_with_output().unwrap()).ends_with(4);
    fs::rename(stage.path("tray/volume"), stage.path("discs").join(name)).unwrap();
    seen.run("visit", &run);
    let report = run.json();
    assert!(report["top_up"].is_object(), "{report:#}");
}

/// Images go to a program and to a registry.
fn publish(seen: &mut Seen, stage: &Stage) {
    let program = stage.path("bin/docker");
    fs::create_dir(stage.path("bin")).unwrap();
    put_program(&program, "cat > taken.tar; echo Loaded");
    let mut command = stage.command(&["--json", "load", "shop:1.0", "--with", "docker"]);
    let path = format!("{}:/usr/bin:/bin", stage.path("bin").display());
    let run = Run::from(command.env("PATH", path).output().unwrap());
    seen.run("load", &run.ends_with(0));
    if has(&["docker-registry"]) {
        let registry = RealRegistry::start();
        seen.runs(stage, "push", 0, &["push", "shop:1.0", &registry.host]);
    } else {
        seen.reports.insert("push".to_owned());
    }
}

#[test]
fn what_the_program_prints_is_documented() {
    let mut seen = Seen::new();
    let mut stage = given();
    vendor(&mut seen, &mut stage);
    media(&mut seen, &stage);
    visit(&mut seen, &stage);
    publish(&mut seen, &stage);
    serve(&mut seen, &stage);
    site(&mut seen, &mut stage);
    stage.store = "store";
    memory(&mut seen, &stage);
    troubles(&mut seen, &stage);
    progress(&mut seen, &stage);
    assert_eq!(seen.events, seen.document.events);
    let missed: Vec<_> = seen.document.reports.difference(&seen.reports).collect();
    assert!(missed.is_empty(), "nothing printed {missed:?}");
}

#[test]
fn every_kind_has_its_words() {
    let document = Document::read();
    let words = repository("src/cli/messages/en.ftl");
    for (kinds, prefix, least) in [
        (document.kinds, "error-", 200),
        (document.findings, "finding-", 80),
    ] {
        let ids = words.lines().filter_map(|line| line.split_once(" ="));
        let ids: BTreeSet<&str> = ids.filter_map(|(id, _)| id.strip_prefix(prefix)).collect();
        let named: BTreeSet<String> = kinds
            .iter()
            .map(|kind| kind.replace(['.', '_'], "-"))
            .collect();
        assert!(named.len() > least && named.len() == kinds.len());
        let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
        let without: Vec<_> = named.symmetric_difference(&ids).collect();
        assert!(without.is_empty(), "only in one of the two: {without:?}");
    }
}

/// The examples are JSON, of the heading that they are below.
#[test]
fn the_examples_are_what_the_tables_say() {
    let document = Document::read();
    let mut anchor = "";
    let mut count = 0;
    let mut rest = &document.text[..];
    while let Some(at) = rest.find("```json\n") {
        let (before, behind) = (&rest[..at], &rest[at + 8..]);
        let heading = before.rfind("\n### ").map(|at| &before[at + 5..]);
        anchor = heading.map_or(anchor, |text| text.lines().next().unwrap());
        let (example, after) = behind.split_once("```").unwrap();
        let value: Value = serde_json::from_str(example).unwrap();
        let faults = match value.get("event") {
            Some(_) => document.event_faults(&value),
            None => document.faults(&anchor.replace(' ', "-"), &value),
        };
        assert!(faults.is_empty(), "{anchor}: {faults:#?}");
        count += 1;
        rest = after;
    }
    assert!(count > 25, "{count}");
}

#[test]
fn what_is_not_documented_is_found() {
    let text = "### a\n\n| field | type | meaning |\n| --- | --- | --- |\n\
                | `x` | bytes or null | X. |\n| `y` | list of [b](#b) | Y. |\n| `z` | string | Z. Left out when empty. |\n\n\
                ### b\n\n| field | type | meaning |\n| --- | --- | --- |\n| `w` | word | One of: `c`: C. |\n";
    let document = Document::of(text.to_owned());
    let faults = |value: Value| document.faults("a", &value).len();
    assert_eq!(faults(serde_json::json!({"x": 1, "y": [{"w": "c"}]})), 0);
    assert_eq!(faults(serde_json::json!({"x": null, "y": [], "z": "z"})), 0);
    assert_eq!(faults(serde_json::json!({"x": "1", "y": []})), 1);
    assert_eq!(faults(serde_json::json!({"x": 1})), 1);
    assert_eq!(faults(serde_json::json!({"x": 1, "y": [], "v": 1})), 1);
    assert_eq!(
        faults(serde_json::json!({"x": 1, "y": [{"w": "d"}, {"v": 1}]})),
        3
    );
    assert_eq!(
        document
            .event_faults(&serde_json::json!({"event": "new"}))
            .len(),
        1
    );
}
