//! What tests of registries share: a real one and ours on loopback, images made on the spot, and the verbs that go there.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carryall::base::monitor::Silent;
use carryall::content::release::ReleaseName;
use carryall::oci::image::{Digest, OCI_INDEX, OCI_MANIFEST};
use carryall::oci::registry::client::ClientOptions;
use carryall::ops::Error;
use carryall::ops::add::sources::{RegistryImage, Sources, add_sources};
use carryall::ops::add::{AddOptions, AddReport};
use carryall::ops::publish::push::{PushOptions, ReleasePushReport, push};
use carryall::store::Store;
use serde_json::{Value, json};

use super::archives::gzip;
pub use super::bytes::noise;
use super::programs::run;

/// A file of passwords as `htpasswd -B` writes it, with one name.
pub fn passwords(folder: &Path, name: &str, password: &str) -> PathBuf {
    let path = folder.join("passwords");
    let words = ["-nbB", "-C", "5", name, password];
    fs::write(&path, run(Command::new("htpasswd").args(words))).unwrap();
    path
}

/// A certificate for loopback that signs itself, and its key.
pub fn certificate(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let key = folder.join(format!("{name}.key"));
    let certificate = folder.join(format!("{name}.pem"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    run(Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "3650"])
        .args(curve)
        .arg("-subj")
        .arg(format!("/CN={name}"))
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate));
    (certificate, key)
}

/// Debian's docker-registry on a free port of loopback, ended with this.
pub struct RealRegistry {
    child: Child,
    pub host: String,
    _folder: tempfile::TempDir,
}

impl RealRegistry {
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// One that asks for a name and password of this file, as `htpasswd -B` writes it.
    pub fn start_with_passwords(passwords: &Path) -> Self {
        let path = passwords.display();
        Self::start_with(&format!(
            "auth: {{htpasswd: {{realm: site, path: {path}}}}}\n"
        ))
    }

    fn start_with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = folder.path().join("config.yml");
        let data = folder.path().join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n{more}",
            data.display()
        );
        fs::write(&config, text).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let host = format!("127.0.0.1:{port}");
        let mut tries = 0;
        while TcpStream::connect(&host).is_err() {
            tries += 1;
            assert!(tries < 200, "docker-registry does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            child,
            host,
            _folder: folder,
        }
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command `serve` on a free port of loopback, ended with this.
pub struct Serving {
    child: Child,
    pub host: String,
    /// What it says to people besides the log.
    said: Arc<Mutex<String>>,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Serving {
    /// Starts it: the words are those of `serve` on port 0.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let said = Arc::new(Mutex::new(String::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                heard.lock().unwrap().extend([&line[..], "\n"]);
            }
        });
        let mut serving = Self {
            child,
            host: String::new(),
            said,
            log: Some(log),
        };
        // The lines for docker are the last.
        let said = serving.says("\ndocker: ");
        let host = said.split("://").nth(1).unwrap();
        serving.host = host.split_whitespace().next().unwrap().to_owned();
        serving
    }

    /// What it said, once that has `words` in it.
    pub fn says(&mut self, words: &str) -> String {
        for _ in 0..1200 {
            let said = self.said.lock().unwrap().clone();
            if said.contains(words) {
                return said;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("serve did not say {words:?}");
    }

    /// Ends it as Ctrl-C does, and returns its log.
    pub fn end(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let status = self.child.wait().unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An OCI layout in the making.
pub struct LayoutMaker {
    pub folder: PathBuf,
    entries: Vec<Value>,
}

impl LayoutMaker {
    pub fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(
            folder.join("oci-layout"),
            r#"{"imageLayoutVersion":"1.0.0"}"#,
        )
        .unwrap();
        Self {
            folder: folder.to_owned(),
            entries: Vec::new(),
        }
    }

    pub fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        fs::write(self.folder.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest.as_str(), "size": bytes.len()})
    }

    /// An image for one platform: its layers are gzip streams of tars.
    pub fn image(&self, architecture: &str, seeds: &[u64]) -> Value {
        let mut layers = Vec::new();
        let mut ids = Vec::new();
        for seed in seeds {
            let tar = layer(*seed);
            ids.push(Digest::of(&tar).to_string());
            layers.push(self.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&tar)));
        }
        let config = json!({"architecture": architecture, "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": ids}});
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        );
        let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers});
        let mut descriptor = self.blob(OCI_MANIFEST, manifest.to_string().as_bytes());
        descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
        descriptor
    }

    pub fn index(&self, children: &[Value]) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children});
        self.blob(OCI_INDEX, index.to_string().as_bytes())
    }

    /// Something that refers to a manifest.
    pub fn referrer(&self, subject: &Value) -> Value {
        let config = self.blob("application/vnd.example.sbom", b"{}");
        let layer = self.blob(
            "text/plain",
            format!("about {}", subject["digest"]).as_bytes(),
        );
        let mut subject = subject.clone();
        subject.as_object_mut().unwrap().remove("platform");
        let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example.sbom",
            "config": config, "layers": [layer], "subject": subject, "annotations": {"made": "here"}});
        self.blob(OCI_MANIFEST, manifest.to_string().as_bytes())
    }

    pub fn name(&mut self, descriptor: &Value, name: Option<&str>) {
        let mut entry = descriptor.clone();
        entry.as_object_mut().unwrap().remove("platform");
        if let Some(name) = name {
            entry["annotations"] = json!({"io.containerd.image.name": name});
        }
        self.entries.push(entry);
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        fs::write(self.folder.join("index.json"), index.to_string()).unwrap();
    }
}

/// Some files in a tar, the same for the same seed.
pub fn layer(seed: u64) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for number in 0..4 {
        let body = if number == 0 {
            noise(seed, 1_500_000)
        } else {
            format!("line {seed} {number}\n").repeat(4000).into_bytes()
        };
        let mut header = tar::Header::new_gnu();
        header.set_size(body.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("opt/app-{seed}/{number}"), &body[..])
            .unwrap();
    }
    tar.into_inner().unwrap()
}

pub fn name(text: &str) -> ReleaseName {
    text.parse().unwrap()
}

/// Impatient, and without anyone's credentials.
pub fn client_options() -> ClientOptions {
    let mut options = ClientOptions::default();
    options.config = None;
    options.patience.attempts = 3;
    options.patience.first_pause = Duration::from_millis(10);
    options.patience.silence = Duration::from_secs(10);
    options
}

pub fn add_paths(store: &Store, release: &str, paths: &[PathBuf]) -> AddReport {
    carryall::ops::add::add(
        store,
        &name(release),
        paths,
        &AddOptions::default(),
        &Silent,
    )
    .unwrap()
}

pub fn pull(
    store: &Store,
    release: &str,
    image: &str,
    client: &ClientOptions,
) -> Result<AddReport, Error> {
    pull_platforms(store, release, image, client, &[])
}

pub fn pull_platforms(
    store: &Store,
    release: &str,
    image: &str,
    client: &ClientOptions,
    platforms: &[&str],
) -> Result<AddReport, Error> {
    let images = [RegistryImage::parse(image).unwrap()];
    let mut sources = Sources::default();
    sources.images = &images;
    sources.pull.platforms = platforms.iter().map(|text| text.parse().unwrap()).collect();
    sources.client = client.clone();
    add_sources(
        store,
        &name(release),
        sources,
        &AddOptions::default(),
        &Silent,
    )
    .map(|(report, _)| report)
}

pub fn push_to(store: &Store, release: &str, to: &str) -> Result<ReleasePushReport, Error> {
    let mut options = PushOptions::default();
    options.client = client_options();
    push(store, &name(release), to, &options, &Silent)
}
