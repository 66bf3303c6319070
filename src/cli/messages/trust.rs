//! Messages about keys, and about who signed a set.

use std::path::Path;

use carryall::ops::trust::{
    ImageKeyFacts, KeyFacts, KeyReport, SetSigners, TrustReport, TrustedFacts,
};

use super::{enumerated, line, line_below, message};

/// A new pair of keys, and what to do with it.
pub fn key_made(report: &KeyReport) -> String {
    let (secret, public) = (&report.secret_key_file, &report.public_key_file);
    let mut out = line(message!("key-made", secret, public));
    out += &key_facts(&report.key);
    if !report.has_password {
        out += &line_below(message!("key-without-password"));
    }
    out + &line_below(message!("key-made-next", public))
}

/// What tells a key from others.
pub fn key_facts(key: &KeyFacts) -> String {
    let (id, fingerprint, key) = (&key.key_id, &key.fingerprint, &key.key);
    line_below(message!("key-id", id))
        + &line_below(message!("key-fingerprint", fingerprint))
        + &line_below(message!("key-line", key))
}

pub fn ask_new_password() -> String {
    message!("key-ask-new") + " "
}

pub fn ask_password_again() -> String {
    message!("key-ask-again") + " "
}

pub fn ask_password_of(file: &Path) -> String {
    message!("key-ask", path = file) + " "
}

pub fn ask_new_passphrase() -> String {
    message!("seal-ask-new") + " "
}

pub fn ask_passphrase() -> String {
    message!("seal-ask") + " "
}

/// A key is trusted from now on.
pub fn trusted(trusted: &TrustedFacts) -> String {
    let name = &trusted.name;
    line(message!("trust-added", name))
        + &key_facts(&trusted.key)
        + &line_below(message!("trust-check"))
}

/// A key is trusted no longer, and so many are left.
pub fn trusted_no_longer(gone: &TrustedFacts, left: usize) -> String {
    let (name, id) = (&gone.name, &gone.key.key_id);
    line(message!("trust-removed", name, id, left))
}

/// A key is trusted for images from now on.
pub fn image_key_trusted(key: &ImageKeyFacts) -> String {
    let (name, algorithm, sha256) = (&key.name, key.algorithm, &key.sha256);
    let images = enumerated(&key.images);
    let mut out = line(if key.images.is_empty() {
        message!("trust-images-added", name)
    } else {
        message!("trust-images-added-for", name, images)
    });
    out += &line_below(message!("trust-images-hash", algorithm, sha256));
    out + &line_below(message!("trust-images-check"))
}

/// A key is trusted for images no longer.
pub fn image_key_trusted_no_longer(gone: &ImageKeyFacts) -> String {
    let (name, sha256) = (&gone.name, &gone.sha256);
    line(message!("trust-images-removed", name, sha256))
}

/// The keys that are trusted.
pub fn trust_list(report: &TrustReport) -> String {
    let one = |each: &TrustedFacts| {
        let (name, id) = (&each.name, &each.key.key_id);
        line(message!(
            "trust-key",
            name,
            id,
            fingerprint = &each.key.fingerprint
        ))
    };
    let mut out: String = report.keys.iter().map(one).collect();
    if report.keys.is_empty() {
        out += &line(message!("trust-nobody"));
    }
    if report.required {
        out += &line(message!("trust-required"));
    }
    for key in &report.image_keys {
        let (name, algorithm, sha256) = (&key.name, key.algorithm, &key.sha256);
        let images = enumerated(&key.images);
        out += &line(if key.images.is_empty() {
            message!("trust-images-key", name, algorithm, sha256)
        } else {
            message!("trust-images-key-for", name, algorithm, sha256, images)
        });
    }
    out
}

/// Who signed a set, a line each.
pub fn signed(set: &SetSigners) -> String {
    let mut out = String::new();
    for signer in &set.signers {
        let (id, fingerprint, comment) =
            (&signer.key.key_id, &signer.key.fingerprint, &signer.comment);
        out += &line_below(match &signer.trusted_as {
            Some(name) => message!("signed-trusted", name, id, comment),
            None => message!("signed-stranger", id, fingerprint, comment),
        });
    }
    if set.wrong_signatures > 0 {
        out += &line_below(message!("signed-wrong", count = set.wrong_signatures));
    }
    if set.unknown_signatures > 0 {
        out += &line_below(message!("signed-unknown", count = set.unknown_signatures));
    }
    if out.is_empty() {
        out += &line_below(message!("signed-not"));
    }
    out
}
