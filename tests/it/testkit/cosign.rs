//! Signatures of images as cosign makes them, by keys and signatures of openssl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use carryall::oci::image::{Digest, OCI_MANIFEST};
use serde_json::{Value, json};

use super::programs::run;
use super::registry_parts::LayoutMaker;

const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What a statement of cosign says that is a signature.
pub const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
/// What a statement says that is provenance.
pub const SLSA: &str = "https://slsa.dev/provenance/v1";

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A pair of keys in files.
pub struct ImageSigner {
    secret: PathBuf,
    public: PathBuf,
    is_ed25519: bool,
}

impl ImageSigner {
    /// Makes one with these words of `openssl genpkey`.
    pub fn make(folder: &Path, name: &str, words: &[&str]) -> Self {
        let is_ed25519 = words.contains(&"ED25519");
        let secret = folder.join(format!("{name}.key"));
        let public = folder.join(format!("{name}.pub"));
        run(Command::new("openssl")
            .arg("genpkey")
            .args(words)
            .arg("-out")
            .arg(&secret));
        let mut command = Command::new("openssl");
        command.args(["pkey", "-pubout", "-in"]).arg(&secret);
        run(command.arg("-out").arg(&public));
        Self {
            secret,
            public,
            is_ed25519,
        }
    }

    /// A key as `cosign generate-key-pair` makes it.
    pub fn p256(folder: &Path, name: &str) -> Self {
        let words = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
        Self::make(folder, name, &words)
    }

    /// Signs with these words of `openssl dgst` besides.
    pub fn sign_with(&self, message: &[u8], words: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (
            folder.path().join("message"),
            folder.path().join("signature"),
        );
        fs::write(&from, message).unwrap();
        let mut command = Command::new("openssl");
        if self.is_ed25519 {
            command.args(["pkeyutl", "-sign", "-rawin", "-inkey"]);
            command.arg(&self.secret).arg("-in").arg(&from);
        } else {
            command
                .arg("dgst")
                .args(words)
                .arg("-sign")
                .arg(&self.secret);
        }
        command.arg("-out").arg(&to);
        if !self.is_ed25519 {
            command.arg(&from);
        }
        run(&mut command);
        fs::read(&to).unwrap()
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_with(message, &["-sha256"])
    }

    /// The base64 of the SHA-256 of the key's DER, as cosign names keys.
    pub fn hint(&self) -> String {
        let text = fs::read_to_string(&self.public).unwrap();
        let body: String = text
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect();
        let hash = Digest::of(&STANDARD.decode(body).unwrap());
        let hex = hash.hex().as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        base64(&hex.map(|pair| byte(pair).unwrap()).collect::<Vec<u8>>())
    }
}

/// The payload of a signature in cosign's older form.
pub fn payload_of(subject: &Value) -> Vec<u8> {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": "registry.example/shop/web"},
            "image": {"docker-manifest-digest": subject["digest"]},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    payload.to_string().into_bytes()
}

/// A statement of in-toto about a manifest.
pub fn statement_of(subject: &Value, predicate_type: &str) -> Vec<u8> {
    let hex = subject["digest"].as_str().unwrap().strip_prefix("sha256:");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "registry.example/shop/web", "digest": {"sha256": hex.unwrap()}}],
        "predicateType": predicate_type,
        "predicate": {"builder": {"id": "https://build.example"}},
    });
    statement.to_string().into_bytes()
}

/// An envelope of a statement.
pub fn envelope_of(statement: &[u8], signer: &ImageSigner) -> Value {
    let kind = "application/vnd.in-toto+json";
    let mut signed = format!("DSSEv1 {} {kind} {} ", kind.len(), statement.len()).into_bytes();
    signed.extend_from_slice(statement);
    json!({
        "payload": base64(statement), "payloadType": kind,
        "signatures": [{"sig": base64(&signer.sign(&signed)), "keyid": ""}],
    })
}

/// A bundle of an envelope, which names its key.
pub fn bundle_of(envelope: &Value, signer: &ImageSigner) -> Value {
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {
            "publicKey": {"hint": signer.hint()}, "tlogEntries": [],
            "timestampVerificationData": {"rfc3161Timestamps": []},
        },
        "dsseEnvelope": envelope,
    })
}

/// A bundle that signs bytes themselves.
pub fn message_bundle_of(message: &[u8], digest: &[u8], signer: &ImageSigner) -> Value {
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": signer.hint()}},
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": base64(digest)},
            "signature": base64(&signer.sign(message)),
        },
    })
}

impl LayoutMaker {
    /// The tag under which cosign keeps what belongs to a manifest.
    pub fn cosign_tag(subject: &Value, suffix: &str) -> String {
        let digest = subject["digest"].as_str().unwrap();
        format!("{}.{suffix}", digest.replace(':', "-"))
    }

    /// A manifest of signatures in cosign's older form: payloads, and the signature of each.
    pub fn cosign(&self, signatures: &[(&[u8], &[u8])]) -> Value {
        let layers = signatures.iter().map(|(payload, signature)| {
            let mut layer = self.blob(SIMPLE, payload);
            layer["annotations"] = json!({"dev.cosignproject.cosign/signature": base64(signature)});
            layer
        });
        self.artifact(layers.collect())
    }

    /// A manifest of statements in cosign's older form.
    pub fn cosign_statements(&self, envelopes: &[Value], predicate_type: &str) -> Value {
        let layers = envelopes.iter().map(|envelope| {
            let mut layer = self.blob(DSSE, envelope.to_string().as_bytes());
            layer["annotations"] = json!({
                "dev.cosignproject.cosign/signature": "", "predicateType": predicate_type,
            });
            layer
        });
        self.artifact(layers.collect())
    }

    /// A manifest with these layers, which looks like one of an image.
    pub fn artifact(&self, layers: Vec<Value>) -> Value {
        let ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({"architecture": "", "os": "", "config": {},
            "rootfs": {"type": "layers", "diff_ids": ids}});
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        );
        let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers});
        self.blob(OCI_MANIFEST, manifest.to_string().as_bytes())
    }

    /// Names a manifest of cosign's older form by the tag that stands for its subject.
    pub fn attach(&mut self, manifest: &Value, subject: &Value, suffix: &str) {
        let tag = Self::cosign_tag(subject, suffix);
        self.name(manifest, Some(&format!("registry.example/shop/web:{tag}")));
    }

    /// A bundle that refers to a manifest.
    pub fn refer(&mut self, subject: &Value, bundle: &[u8], notes: &Value) -> Value {
        let empty = self.blob("application/vnd.oci.empty.v1+json", b"{}");
        let layer = self.blob(BUNDLE, bundle);
        let mut subject = subject.clone();
        subject.as_object_mut().unwrap().remove("platform");
        let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": BUNDLE,
            "config": empty, "layers": [layer], "subject": subject, "annotations": notes});
        let manifest = self.blob(OCI_MANIFEST, manifest.to_string().as_bytes());
        self.name(&manifest, None);
        manifest
    }

    /// The bytes of a blob.
    pub fn bytes_of(&self, blob: &Value) -> Vec<u8> {
        let hex = blob["digest"].as_str().unwrap().strip_prefix("sha256:");
        fs::read(self.folder.join("blobs/sha256").join(hex.unwrap())).unwrap()
    }
}
