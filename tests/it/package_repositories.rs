//! Package repositories on their whole way: added, compared, packed, received, served, and read by the programs that they
//! are for.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};

use serde_json::Value;

use crate::testkit::bytes::{noise, text};
use crate::testkit::programs::{has, run};
use crate::testkit::stage::{Stage, look, volumes};

/// A package of Debian with some files, made by dpkg-deb.
fn deb(stage: &Stage, name: &str, version: &str, seed: u64, to: &Path) {
    let root = stage.path("package");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("DEBIAN")).unwrap();
    fs::create_dir_all(root.join("usr/share").join(name)).unwrap();
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a test\n"
    );
    fs::write(root.join("DEBIAN/control"), control).unwrap();
    let files = root.join("usr/share").join(name);
    fs::write(files.join("text"), text(1, 600_000)).unwrap();
    fs::write(files.join("news"), text(seed, 20_000)).unwrap();
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    // The same package has the same bytes whenever it is built.
    run(Command::new("dpkg-deb")
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .args(["--root-owner-group", "-Zxz", "--build"])
        .arg(&root)
        .arg(to));
}

/// Writes what a program makes of a folder into a file of it.
fn index(folder: &Path, words: &[&str], to: &str) {
    let output = Command::new("apt-ftparchive")
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::write(folder.join(to), output.stdout).unwrap();
}

/// A repository with a pool, and a flat one, as a mirror has them.
fn mirror(stage: &Stage, mirror: &Path, tool: &str, seed: u64) {
    let pool = mirror.join("debian/pool/main/t");
    deb(
        stage,
        "tool",
        tool,
        seed,
        &pool.join(format!("tool_{}_all.deb", tool.replace(':', "%3a"))),
    );
    deb(stage, "other", "1.0", 9, &pool.join("other_1.0_all.deb"));
    let debian = mirror.join("debian");
    let binary = "dists/stable-test/main/binary-amd64";
    fs::create_dir_all(debian.join(binary)).unwrap();
    index(
        &debian,
        &["packages", "pool"],
        &format!("{binary}/Packages"),
    );
    let packages = debian.join(binary).join("Packages");
    run(Command::new("gzip").arg("-9nk").arg(packages));
    let origin = [
        "-o",
        "APT::FTPArchive::Release::Suite=stable-test",
        "-o",
        "APT::FTPArchive::Release::Architectures=amd64",
        "-o",
        "APT::FTPArchive::Release::Components=main",
        "release",
    ];
    index(
        &debian.join("dists/stable-test"),
        &[&origin[..], &["."]].concat(),
        "../Release",
    );
    fs::rename(
        debian.join("dists/Release"),
        debian.join("dists/stable-test/Release"),
    )
    .unwrap();
    std::os::unix::fs::symlink("stable-test", debian.join("dists/current")).unwrap();

    let flat = mirror.join("flat");
    deb(
        stage,
        "flat+tool",
        "2:1.0~rc1",
        seed,
        &flat.join("any-name.deb"),
    );
    index(&flat, &["packages", "."], "Packages");
    index(&flat, &["release", "."], "../Release");
    fs::rename(mirror.join("Release"), flat.join("Release")).unwrap();
}

/// A `serve` that runs.
struct Server {
    child: Child,
    host: String,
    ready: Value,
}

impl Server {
    fn start(stage: &Stage) -> Self {
        let mut child = stage.start(&["--json", "serve", "--listen", "127.0.0.1:0"]);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let mut log = child.stderr.take().unwrap();
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
        let ready: Value = serde_json::from_str(&line).unwrap();
        let host = ready["address"].as_str().unwrap().to_owned();
        Self { child, host, ready }
    }

    /// Asks for a path, and returns the head of the answer and its body.
    fn get(&self, path: &str, more: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let body = answer.split_off(end + 4);
        (String::from_utf8(answer).unwrap(), body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ = self.child.wait();
    }
}

/// apt with folders of its own, that knows this source alone.
fn apt(stage: &Stage, folder: &str, source: &str, words: &[&str]) -> String {
    let root = stage.path(folder);
    for part in [
        "state/lists/partial",
        "cache/archives/partial",
        "etc/apt.conf.d",
        "etc/preferences.d",
        "got",
    ] {
        fs::create_dir_all(root.join(part)).unwrap();
    }
    fs::write(root.join("etc/sources.list"), source).unwrap();
    fs::write(root.join("status"), "").unwrap();
    let at = |part: &str| root.join(part).display().to_string();
    let mut command = Command::new("apt-get");
    command.current_dir(root.join("got"));
    for (name, value) in [
        ("Dir::State", at("state")),
        ("Dir::State::status", at("status")),
        ("Dir::Cache", at("cache")),
        ("Dir::Etc", at("etc")),
        ("Dir::Etc::sourcelist", at("etc/sources.list")),
        ("Dir::Etc::sourceparts", "-".to_owned()),
        ("APT::Architecture", "amd64".to_owned()),
        ("APT::Sandbox::User", "root".to_owned()),
        ("Acquire::http::Proxy", "DIRECT".to_owned()),
        ("Acquire::Languages", "none".to_owned()),
        ("Acquire::Retries", "0".to_owned()),
    ] {
        command.args(["-o", &format!("{name}={value}")]);
    }
    run(command.args(["-q", "-y"]).args(words))
}

#[test]
fn apt_installs_from_a_mirror_that_came_as_a_delta_with_a_volume_lost() {
    if !has(&["dpkg-deb", "apt-ftparchive", "apt-get", "gzip"]) {
        return;
    }
    let mut stage = Stage::new();
    for (release, version, seed) in [("os:1", "1:1.0", 3), ("os:2", "1:1.1", 4)] {
        let _ = fs::remove_dir_all(stage.path("mirror"));
        mirror(&stage, &stage.path("mirror"), version, seed);
        // What makes two volumes of each release.
        let image = stage.path("mirror/debian/installer.img");
        fs::write(image, noise(seed + 100, 2_400_000)).unwrap();
        stage.run(&["add", release, "mirror"]).ends_with(0);
    }

    let shown = stage.run(&["show", "os:2", "--json"]).ends_with(0).json();
    let repositories = shown["repositories"].as_array().unwrap();
    let told: Vec<_> = repositories
        .iter()
        .map(|each| {
            let packages = each["packages"].as_array().unwrap().iter();
            let packages = packages.map(|one| {
                (
                    one["name"].as_str().unwrap(),
                    one["version"].as_str().unwrap(),
                )
            });
            (
                each["kind"].as_str().unwrap(),
                each["folder"].as_str().unwrap(),
                packages.collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("apt", "debian", vec![("other", "1.0"), ("tool", "1:1.1")]),
            ("apt", "flat", vec![("flat+tool", "2:1.0~rc1")]),
        ]
    );
    let text = stage.run(&["show", "os:2"]).ends_with(0).stdout;
    assert!(
        text.contains("apt repository mirror/debian: 2 packages"),
        "{text}"
    );
    let text = stage.run(&["diff", "os:1", "os:2"]).ends_with(0).stdout;
    assert!(text.contains("~ tool  1:1.0 -> 1:1.1  all"), "{text}");
    let differs = stage
        .run(&["diff", "os:1", "os:2", "--json"])
        .ends_with(0)
        .json();
    let packages = differs["packages"].as_array().unwrap();
    assert!(
        packages.iter().all(|one| one["name"] != "other"),
        "{packages:#?}"
    );
    let tool = packages.iter().find(|one| one["name"] == "tool").unwrap();
    assert_eq!(tool["versions"], serde_json::json!(["1:1.1"]));
    let carried = tool["carried_bytes"].as_u64().unwrap();
    assert!((1..60_000).contains(&carried), "{tool:#}");

    // Two data volumes and a spare each, and another data volume of each is lost.
    let medium = ["--sectors", "2500", "--spare", "1", "--without-program"];
    for (to, what, lost) in [
        ("full", &["os:1"][..], 0),
        ("delta", &["os:2", "--since", "os:1"], 1),
    ] {
        let words = [&["pack", "--to", to], what, &medium].concat();
        stage.run(&words).ends_with(0);
        let set = volumes(&stage.path(to));
        assert_eq!(set.len(), 3, "{set:?}");
        fs::remove_dir_all(&set[lost]).unwrap();
    }
    stage.store = "site";
    stage.run(&["receive", "full"]).ends_with(0);
    stage.run(&["receive", "delta"]).ends_with(0);
    stage.remove("site/ready");

    let server = Server::start(&stage);
    let (host, given) = (&server.host, stage.path("mirror"));
    assert_eq!(server.ready["packages"].as_array().unwrap().len(), 4);
    // Every file comes byte for byte, by the version and as the newest one.
    for (at, file) in [
        "debian/dists/stable-test/Release",
        "debian/pool/main/t/tool_1%3a1.1_all.deb",
        "flat/Packages",
    ]
    .iter()
    .enumerate()
    {
        let own = fs::read(given.join(file)).unwrap();
        let release = ["os", "os:2"][at % 2];
        let path = format!("/packages/{release}/mirror/{}", file.replace('%', "%25"));
        let (head, body) = server.get(&path, "");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(body == own);
        let (head, body) = server.get(&path, "range: bytes=100-299\r\n");
        assert!(head.starts_with("HTTP/1.1 206"), "{head}");
        assert!(body == own[100..300]);
    }
    let (head, _) = server.get("/packages/os/mirror/debian/dists/none", "");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let older = server
        .get("/packages/os:1/mirror/debian/dists/current/Release", "")
        .1;
    assert!(
        !older.is_empty()
            && older != fs::read(given.join("debian/dists/stable-test/Release")).unwrap()
    );

    for (folder, source, package, file) in [
        (
            "apt-pool",
            format!("deb [trusted=yes] http://{host}/packages/os/mirror/debian stable-test main\n"),
            "tool=1:1.1",
            "tool_1%3a1.1_all.deb",
        ),
        (
            "apt-link",
            format!("deb [trusted=yes] http://{host}/packages/os:1/mirror/debian current main\n"),
            "tool=1:1.0",
            "tool_1%3a1.0_all.deb",
        ),
        (
            "apt-flat",
            format!("deb [trusted=yes] http://{host}/packages/os/mirror/flat ./\n"),
            "flat+tool",
            "flat+tool_2%3a1.0~rc1_all.deb",
        ),
    ] {
        apt(&stage, folder, &source, &["update"]);
        apt(&stage, folder, &source, &["download", package]);
        let got = fs::read(stage.path(folder).join("got").join(file)).unwrap();
        // apt has compared it with the index already.
        assert!(got.starts_with(b"!<arch>\n"));
    }
    // The whole installation is planned and fetched from there.
    let source =
        format!("deb [trusted=yes] http://{host}/packages/os/mirror/debian stable-test main\n");
    apt(
        &stage,
        "apt-pool",
        &source,
        &["install", "--download-only", "tool", "other"],
    );
    let archives = stage.path("apt-pool/cache/archives");
    for file in ["tool_1%3a1.1_all.deb", "other_1.0_all.deb"] {
        let own = given.join("debian/pool/main/t").join(file);
        assert!(
            fs::read(archives.join(file)).unwrap() == fs::read(own).unwrap(),
            "{file}"
        );
    }
    drop(server);
    stage.run(&["checkout", "os:2", "back"]).ends_with(0);
    assert!(look(&stage.path("back/mirror")) == look(&given));
}

#[test]
fn repositories_of_other_programs_are_known_by_their_indexes() {
    let stage = Stage::new();
    let write = |path: &str, bytes: &[u8]| {
        let path = stage.path("all").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("el9/repodata/repomd.xml", b"<repomd/>");
    write("el9/Packages/b/bash-5.1.8-9.el9.x86_64.rpm", &noise(1, 900));
    write("alpine/main/x86_64/APKINDEX.tar.gz", b"-");
    write("alpine/main/x86_64/busybox-1.36.1-r29.apk", &noise(2, 900));
    write("pip/simple/index.html", b"<a href=\"tool/\">tool</a>");
    write(
        "pip/simple/tool/index.html",
        b"<a href=\"tool-1.0-py3-none-any.whl\">tool</a>",
    );
    write("pip/simple/tool/tool-1.0-py3-none-any.whl", &noise(3, 900));
    write("npm/left-pad/-/left-pad-1.3.0.tgz", &noise(4, 900));
    write("npm/left-pad/index.json", b"{\"name\":\"left-pad\"}");
    write(
        "charts/index.yaml",
        b"apiVersion: v1\nentries:\n  redis: []\n",
    );
    write("charts/redis-19.0.1.tgz", &noise(5, 900));
    // None of these is one.
    write("site/index.yaml", b"title: x\n");
    write("site/redis-19.0.1.tgz", &noise(6, 900));
    write("web/simple/index.html", b"-");
    write("secret.txt", b"not given out");
    stage.run(&["add", "all:1", "all"]).ends_with(0);
    let shown = stage.run(&["show", "all:1", "--json"]).ends_with(0).json();
    let told: Vec<String> = shown["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| {
            let one = &each["packages"][0];
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            [
                &each["kind"],
                &each["folder"],
                &one["name"],
                &one["version"],
            ]
            .map(word)
            .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "dnf el9 bash 5.1.8-9.el9",
            "apk alpine/main busybox 1.36.1-r29",
            "pypi pip tool 1.0",
            "npm npm left-pad 1.3.0",
            "helm charts redis 19.0.1",
        ]
    );
    let server = Server::start(&stage);
    for (path, bytes) in [
        ("el9/repodata/repomd.xml", &b"<repomd/>"[..]),
        (
            "pip/simple/tool/",
            b"<a href=\"tool-1.0-py3-none-any.whl\">tool</a>",
        ),
        ("npm/left-pad", b"{\"name\":\"left-pad\"}"),
        ("charts/redis-19.0.1.tgz", &noise(5, 900)),
    ] {
        let (head, body) = server.get(&format!("/packages/all/all/{path}"), "");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(body == bytes, "{path}");
    }
    for path in [
        "secret.txt",
        "site/index.yaml",
        "pip/../secret.txt",
        "el9/../../all/secret.txt",
        "",
    ] {
        let (head, _) = server.get(&format!("/packages/all/all/{path}"), "");
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
    }
}
