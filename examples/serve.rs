//! Adds a container image, serves it as a registry on loopback, and asks that registry for it.
//!
//! `cargo run --example serve`

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use carryall::{AddOptions, Monitor, ReleaseName, ServeEvent, ServeOptions, Silent, Store};
use serde_json::json;
use sha2::{Digest, Sha256};

/// Asks the server to stop once it is set.
#[derive(Default)]
struct Stop(AtomicBool);

impl Monitor for Stop {
    fn stop_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

// Visible for the test that runs it.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let layout = folder.path().join("web");
    write_layout(&layout)?;

    let store = Store::create(&folder.path().join("store"))?;
    let name: ReleaseName = "shop:1.0".parse()?;
    carryall::add(&store, &name, &[layout], &AddOptions::default(), &Silent)?;
    println!("added {name} with one image");

    let options = ServeOptions::new("127.0.0.1:0");
    let (stop, (ready, address)) = (Stop::default(), mpsc::channel());
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let event = |served: &carryall::Served, event: &ServeEvent| {
                if let ServeEvent::Ready { address } = event {
                    println!("serving {}", served.names.join(", "));
                    // Nobody waits any more when the example has ended early.
                    let _ = ready.send(*address);
                }
            };
            carryall::serve(&store, &[name], &options, &event, &stop)
        });
        let answer = address.recv().map_err(Box::from).and_then(ask);
        stop.0.store(true, Ordering::Relaxed);
        let served = server.join().map_err(|_| "the server panicked")?;
        let answer = answer?;
        assert_eq!(answer, "HTTP/1.1 200 OK");
        println!("asked for the manifest: {answer}");
        println!("stopped serving");
        Ok(served?)
    })
}

/// Asks for the image's manifest as any client of registries does, and returns the first line of the answer.
fn ask(address: SocketAddr) -> Result<String, Box<dyn Error>> {
    let mut line = TcpStream::connect(address)?;
    let head = "GET /v2/shop/web/manifests/1.0 HTTP/1.1";
    write!(
        line,
        "{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    line.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

/// Writes an OCI image layout with one image, `shop/web:1.0`, which has one empty layer.
fn write_layout(layout: &Path) -> Result<(), Box<dyn Error>> {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let blob = |media_type: &str, bytes: &[u8]| {
        let hash = Sha256::digest(bytes);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(blobs.join(&hex), bytes)?;
        let digest = format!("sha256:{hex}");
        let media_type = format!("application/vnd.oci.image.{media_type}");
        let size = bytes.len();
        Ok::<_, std::io::Error>(json!({"mediaType": media_type, "digest": digest, "size": size}))
    };
    // An empty tar is two blocks of zeros.
    let layer = blob("layer.v1.tar", &[0; 1024])?;
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    });
    let config = blob("config.v1+json", config.to_string().as_bytes())?;
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
    let mut manifest = blob("manifest.v1+json", manifest.to_string().as_bytes())?;
    manifest["annotations"] = json!({"io.containerd.image.name": "docker.io/shop/web:1.0"});
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(layout.join("index.json"), index.to_string())?;
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion": "1.0.0"}"#,
    )?;
    Ok(())
}
