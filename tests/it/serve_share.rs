//! `serve` and clients that take all they can get and give nothing back: nobody else is held up.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use crate::testkit::registry_parts;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

use carryall::base::monitor::Recording;
use carryall::oci::image::Digest;
use carryall::oci::registry::server::{ServeEvent, ServeOptions};
use carryall::ops::publish::serve;
use carryall::store::Store;
use registry_parts::{LayoutMaker, add_paths, name, noise};

/// More than sockets of the loopback interface hold.
const BLOB_BYTES: usize = 24 << 20;
/// Less than what an idle head (30 s) or a client that takes nothing (60 s) may last when nobody waits.
const HELD_UP: Duration = Duration::from_secs(25);

/// A release with one image whose layer is long; the path of that blob.
fn long_blob(folder: &Path) -> (Store, String) {
    let mut layout = LayoutMaker::new(&folder.join("layout"));
    let bytes = noise(7, BLOB_BYTES);
    layout.blob("application/vnd.oci.image.layer.v1.tar", &bytes);
    let config = layout.blob(
        "application/vnd.oci.image.config.v1+json",
        br#"{"architecture":"amd64","os":"linux"}"#,
    );
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let digest = Digest::of(&bytes).to_string();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type, "config": config,
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": bytes.len(),
        }],
    });
    let manifest = layout.blob(media_type, manifest.to_string().as_bytes());
    layout.name(&manifest, Some("registry.example/shop/long:1"));
    let store = Store::create(&folder.join("store")).unwrap();
    add_paths(&store, "shop:1.0", &[layout.folder.clone()]);
    (store, format!("/v2/shop/long/blobs/{digest}"))
}

/// Serves while `work` runs with the address, and ends.
fn serving(store: &Store, work: impl FnOnce(SocketAddr)) {
    let (ready, address) = channel();
    let monitor = Recording::default();
    let options = ServeOptions::new("127.0.0.1:0");
    std::thread::scope(|scope| {
        let monitor = &monitor;
        scope.spawn(move || {
            let tell = move |_: &serve::Served, event: &ServeEvent| {
                if let ServeEvent::Ready { address } = event {
                    ready.send(*address).unwrap();
                }
            };
            serve::serve(store, &[name("shop:1.0")], &options, &tell, monitor).unwrap();
        });
        let address = address.recv().unwrap();
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(address)));
        monitor.stop.store(true, Ordering::Relaxed);
        if let Err(panic) = worked {
            std::panic::resume_unwind(panic);
        }
    });
}

fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HELD_UP)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Reads an answer to its end; each read has its time. Returns how many bytes there were behind the head.
fn body_bytes(mut stream: TcpStream) -> usize {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("others hold it up");
    let head = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert!(all.starts_with(b"HTTP/1.1 200"), "{:?}", &all[..head]);
    all.len() - head - 4
}

#[test]
fn clients_that_do_not_read_hold_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = long_blob(folder.path());
    // Few enough for a writer each, and more than there are writers.
    for deaf in [20, 150] {
        serving(&store, |address| {
            let held: Vec<TcpStream> = (0..deaf).map(|_| ask(address, &path)).collect();
            // They have what they asked for: one byte of each came.
            for mut stream in held.iter().take(16) {
                stream.read_exact(&mut [0]).unwrap();
            }
            assert_eq!(body_bytes(ask(address, &path)), BLOB_BYTES);
            assert_eq!(body_bytes(ask(address, "/v2/")), 2);
            drop(held);
        });
    }
}

#[test]
fn idle_connections_make_room_for_those_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = long_blob(folder.path());
    serving(&store, |address| {
        let connect = || TcpStream::connect(address).unwrap();
        let mut idle: Vec<TcpStream> = (0..200).map(|_| connect()).collect();
        // Half a head, and a connection kept alive between two requests, are idle, too.
        for mut stream in idle.iter().take(50) {
            stream.write_all(b"GET /v2/ HT").unwrap();
        }
        for _ in 0..100 {
            let mut stream = connect();
            stream.set_read_timeout(Some(HELD_UP)).unwrap();
            stream
                .write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n")
                .unwrap();
            stream.read_exact(&mut [0]).expect("others hold it up");
            idle.push(stream);
        }
        assert_eq!(body_bytes(ask(address, "/v2/")), 2);
        assert_eq!(body_bytes(ask(address, &path)), BLOB_BYTES);
        drop(idle);
    });
}

#[test]
fn an_interrupt_ends_the_program_when_nobody_reads_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = long_blob(folder.path());
    let dir = store.dir().to_owned();
    drop(store);
    let mut command = Command::new(env!("CARGO_BIN_EXE_carryall"));
    command.env("LC_ALL", "C").env("HOME", folder.path());
    command
        .arg("--store")
        .arg(&dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = vec![0; 4096];
    let count = child.stdout.as_mut().unwrap().read(&mut ready).unwrap();
    let ready: serde_json::Value = serde_json::from_slice(&ready[..count]).unwrap();
    let address: SocketAddr = ready["address"].as_str().unwrap().parse().unwrap();
    // Each request is a line of the log; a pipe holds 64 KiB.
    let long = format!("/v2/{}", "x".repeat(400));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HELD_UP)).unwrap();
    let mut answer = [0; 4096];
    for _ in 0..400 {
        let request = format!("GET {long} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        assert!(stream.read(&mut answer).expect("its log holds it up") > 0);
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    for _ in 0..600 {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 130)), "{status:?}");
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    panic!("it did not end");
}
