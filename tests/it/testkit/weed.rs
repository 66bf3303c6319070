//! A real object store on loopback: the server `weed` of SeaweedFS, which speaks S3.
//!
//! One server serves all tests of the process, each in a bucket of its own, and ends with the process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::programs::has;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(90);
/// The credentials that it knows.
pub const KEY: &str = "builder";
pub const SECRET: &str = "not-a-secret";

/// The server.
pub struct Weed {
    s3: u16,
    filer: u16,
    /// Its standard input: when this process ends, however it does, the server is ended.
    _child: Child,
    _folder: tempfile::TempDir,
}

/// A bucket, and what a process needs to reach it.
pub struct Bucket {
    pub name: String,
    pub endpoint: String,
}

/// Returns a bucket of its own, or `None`, and says so, where the server is not installed. On CI it must be.
pub fn bucket() -> Option<Bucket> {
    static WEED: OnceLock<Option<Weed>> = OnceLock::new();
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let weed = WEED.get_or_init(|| has(&["weed"]).then(Weed::start));
    let weed = weed.as_ref()?;
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("bucket-{number}");
    weed.make_bucket(&name);
    Some(Bucket {
        name,
        endpoint: format!("http://127.0.0.1:{}", weed.s3),
    })
}

impl Bucket {
    /// The address of a prefix in the bucket.
    pub fn address(&self, prefix: &str) -> PathBuf {
        PathBuf::from(format!("s3://{}/{prefix}", self.name))
    }

    /// The environment of a process that may use it. Its local folder for stores is `cache`.
    pub fn environment(&self, cache: &Path) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("CARRYALL_CACHE", cache.display().to_string()),
        ]
    }
}

impl Weed {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("s3.json");
        let text = format!(
            r#"{{"identities":[{{"name":"builder","credentials":[{{"accessKey":"{KEY}","secretKey":"{SECRET}"}}],"actions":["Admin"]}}]}}"#
        );
        std::fs::write(&config, text).unwrap();
        let ports: Vec<u16> = free_ports();
        let [
            master,
            master_grpc,
            volume,
            volume_grpc,
            filer,
            filer_grpc,
            s3,
            s3_grpc,
        ] = ports[..]
        else {
            panic!("eight ports");
        };
        // Each bucket has seven files of its own from the first byte on. Without a number there would be one for each 256 MB
        // that are free.
        let words = format!(
            "weed server -ip=127.0.0.1 -ip.bind=127.0.0.1 -dir={0} -master.port={master} -master.port.grpc={master_grpc} \
             -master.telemetry=false -master.volumeSizeLimitMB=256 -volume.port={volume} -volume.port.grpc={volume_grpc} \
             -volume.max=1000 -filer -filer.port={filer} -filer.port.grpc={filer_grpc} -s3 -s3.port={s3} \
             -s3.port.grpc={s3_grpc} -s3.config={0}/s3.json -s3.port.iceberg=0 -s3.port.lance=0",
            folder.path().display()
        );
        // The shell reads its input to the end, which comes when this process is gone.
        let line = format!(
            "{words} >{0}/log 2>&1 & cat >/dev/null; kill $!",
            folder.path().display()
        );
        let child = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let weed = Self {
            s3,
            filer,
            _child: child,
            _folder: folder,
        };
        let began = Instant::now();
        while !weed.answers() {
            let log = std::fs::read_to_string(weed._folder.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "weed does not start: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
        weed
    }

    fn answers(&self) -> bool {
        ask(self.s3, "GET /healthz").is_some_and(|answer| answer.contains(" 200 "))
    }

    /// A bucket is a folder of the server's own file system.
    fn make_bucket(&self, name: &str) {
        let began = Instant::now();
        let made = || ask(self.filer, &format!("POST /buckets/{name}/"));
        while !made().is_some_and(|answer| answer.contains(" 201 ")) {
            assert!(began.elapsed() < PATIENCE, "weed makes no bucket");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Ports that nobody listens on now.
fn free_ports() -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..8)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    listeners.iter().map(port).collect()
}

/// Sends a request without a body, and returns the beginning of the answer.
fn ask(port: u16, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).ok()?;
    let text = format!(
        "{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).ok()?;
    let mut answer = [0; 256];
    let len = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..len]).into_owned())
}
