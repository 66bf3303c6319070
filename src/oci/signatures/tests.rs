//! Keys and signatures that cosign made in earnest, and everything that they are not.
#![allow(clippy::unwrap_used)]

use super::*;

/// A key and a signature that cosign made, from the tests of sigstore-rs.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENptdY/l3nB0yqkXLBWkZWQwo6+cu
OSWS1X9vPavpiQOoTTGC0xX57OojUadxF1cdQmrsiReWg2Wn4FneJfa8xw==
-----END PUBLIC KEY-----
";
const PAYLOAD: &str = r#"{"critical":{"identity":{"docker-reference":"registry-testing.svc.lan/busybox"},"image":{"docker-manifest-digest":"sha256:f3cfc9d0dbf931d3db4685ec659b7ac68e2a578219da4aae65427886e649b06b"},"type":"cosign container image signature"},"optional":null}"#;
const SIGNATURE: &str = "MEUCIQD6q/COgzOyW0YH1Dk+CCYSt4uAhm3FDHUwvPI55zwnlwIgE0ZK58ZOWpZw8YVmBapJhBqCfdPekIknimuO0xH8Jh8=";

/// A bundle and its key, from the conformance tests of Sigstore, without its log entry.
const BUNDLE_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7pBlkILi/WN1X8FiQTlZBK2/GlQD
Ol9bn1iDaSE8B5Eu+uccNndQid2Nmgp8mrTWhT2XhZbshUGMDSDx/6jwvw==
-----END PUBLIC KEY-----
";
const BUNDLE: &str = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"rJuYlKqs5PMzdPzjkZBg4BveZRpD97PBnngUXPZSlr8="},"tlogEntries":[],"timestampVerificationData":{"rfc3161Timestamps":[]}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoiYS50eHQiLCJkaWdlc3QiOnsic2hhMjU2IjoiYTBjZmM3MTI3MWQ2ZTI3OGU1N2NkMzMyZmY5NTdjM2Y3MDQzZmRkYTM1NGM0Y2JiMTkwYTMwZDU2ZWZhMDFiZiJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL2V4YW1wbGUuY29tL3Rlc3QiLCJwcmVkaWNhdGUiOnt9fQ==","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEUCIBb8Pe4/Z0vKtXSvAHV6pcC1F3eTwCZnVejwWERFVwKeAiEAre6v18YSEs3mKaeMgE8Ti0l62CzT5yZvwfGiVd1eTIw=","keyid":""}]}}"#;

#[test]
fn a_signature_that_cosign_made_is_right_for_its_payload_and_key_alone() {
    let key = ImageKey::read(KEY).unwrap();
    assert_eq!(key.algorithm(), "ECDSA P-256");
    assert_eq!(ImageKey::read(&key.line()).unwrap(), key);
    let signature = decoded(SIGNATURE).unwrap();
    assert!(key.verifies(PAYLOAD.as_bytes(), &signature));
    let read = SimplePayload::read(PAYLOAD.as_bytes()).unwrap();
    assert_eq!(read.digest.short(), "f3cfc9d0dbf9");
    let name = "registry-testing.svc.lan/busybox";
    assert_eq!(read.reference.as_deref(), Some(name));
    for at in 0..PAYLOAD.len() {
        let mut other = PAYLOAD.as_bytes().to_vec();
        other[at] ^= 1;
        assert!(!key.verifies(&other, &signature), "{at}");
    }
    for at in 0..signature.len() {
        let mut other = signature.clone();
        other[at] ^= 1;
        assert!(!key.verifies(PAYLOAD.as_bytes(), &other), "{at}");
        assert!(!key.verifies(PAYLOAD.as_bytes(), &signature[..at]), "{at}");
    }
    let other = ImageKey::read(BUNDLE_KEY).unwrap();
    assert!(!other.verifies(PAYLOAD.as_bytes(), &signature));
}

#[test]
fn what_is_no_key_for_images_is_told_apart() {
    let error = |text: &str| ImageKey::read(text).unwrap_err();
    assert_eq!(error(""), ImageKeyError::NotPublic);
    assert_eq!(error(&KEY[..90]), ImageKeyError::NotPublic);
    assert_eq!(error(&"A".repeat(20_000)), ImageKeyError::NotPublic);
    let other = KEY.replace("PUBLIC KEY", "ENCRYPTED SIGSTORE PRIVATE KEY");
    assert_eq!(error(&other), ImageKeyError::Secret);
    let other = KEY.replace("PUBLIC KEY", "CERTIFICATE");
    assert_eq!(error(&other), ImageKeyError::Certificate);
    let der = decoded(&ImageKey::read(KEY).unwrap().line()).unwrap();
    for len in 0..der.len() {
        assert!(ImageKey::from_der(&der[..len]).is_err(), "{len}");
    }
    let more = [&der[..], &[0]].concat();
    assert_eq!(ImageKey::from_der(&more), Err(ImageKeyError::NotPublic));
    // Another curve.
    let mut other = der;
    other[22] ^= 1;
    assert_eq!(ImageKey::from_der(&other), Err(ImageKeyError::Unsupported));
}

#[test]
fn a_bundle_of_sigstore_is_right_for_its_key_and_names_it() {
    let key = ImageKey::read(BUNDLE_KEY).unwrap();
    let bundle = SigstoreBundle::read(BUNDLE.as_bytes()).unwrap();
    assert!(key.is_hinted(bundle.hint.as_deref().unwrap()) && !bundle.has_certificate);
    let BundleContent::Envelope(envelope) = &bundle.content else {
        panic!("an envelope");
    };
    assert!(key.verifies(&envelope.signed, &envelope.signatures[0]));
    let statement = envelope.statement.as_ref().unwrap();
    assert_eq!(statement.predicate_type, "https://example.com/test");
    assert_eq!(statement.subjects[0].short(), "a0cfc71271d6");
    let other = ImageKey::read(KEY).unwrap();
    assert!(!other.verifies(&envelope.signed, &envelope.signatures[0]));
    assert!(!other.is_hinted(bundle.hint.as_deref().unwrap()));
}

#[test]
fn what_is_not_quite_a_bundle_is_none() {
    let envelope = BUNDLE.split_once("\"dsseEnvelope\":").unwrap().1;
    let message = r#""messageSignature":{"signature":"AAAA"}"#;
    for (from, to) in [
        ("sigstore.bundle", "sigstore.parcel"),
        ("dsseEnvelope", "dsseParcel"),
        ("\"sig\":\"MEUC", "\"sig\":\"?EUC"),
        ("\"payload\":\"ey", "\"payload\":\"?y"),
        // Two of what there is one of.
        ("\"mediaType\"", "\"mediaType\":\"x\",\"mediaType\""),
        ("\"dsseEnvelope\"", &format!("{message},\"dsseEnvelope\"")),
        (&format!("\"dsseEnvelope\":{envelope}"), "\"x\":1}"),
    ] {
        let other = BUNDLE.replacen(from, to, 1);
        assert_ne!(other, BUNDLE);
        assert_eq!(SigstoreBundle::read(other.as_bytes()), None, "{other}");
    }
    let sig = r#"{"sig":"AAAA"},"#.repeat(17);
    let other = BUNDLE.replacen("[{\"sig\"", &format!("[{sig}{{\"sig\""), 1);
    assert_eq!(SigstoreBundle::read(other.as_bytes()), None);
    let deep = format!("{{\"mediaType\":{}", "[".repeat(1_000_000));
    assert_eq!(SigstoreBundle::read(deep.as_bytes()), None);
    for len in 0..BUNDLE.len() {
        assert_eq!(SigstoreBundle::read(&BUNDLE.as_bytes()[..len]), None);
    }
}
