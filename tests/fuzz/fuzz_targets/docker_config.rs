//! docker's config file, of any text: what is not understood is an error, and no secret is shown.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use carryall::oci::registry::credentials::{Credentials, find};
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = format!("carryall-fuzz-{}.json", std::process::id());
    std::env::temp_dir().join(name)
});

fuzz_target!(|input: &[u8]| {
    // A helper that it names would be run.
    if input.windows(4).any(|word| word == b"cred") || input.windows(2).any(|word| word == b"\\u") {
        return;
    }
    std::fs::write(&*FILE, input).expect("there is room");
    for host in ["a.b", "a.b:5000", "docker.io"] {
        match find(&FILE, host) {
            Ok(Some(credentials @ Credentials::Password { .. })) => {
                let header = credentials.basic().expect("a name and a password");
                assert!(!header.contains(['\r', '\n']));
            }
            Ok(_) => {}
            Err(error) => assert!(error.to_string().starts_with("credentials: ")),
        }
    }
});
