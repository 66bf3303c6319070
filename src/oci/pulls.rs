//! Recognizes the content of a folder for pulls by the names that pulls and streams give. It pulls nothing.

use crate::base::own::is_hex;

/// Returns whether `path` below a folder for pulls is what pulls and streams leave there. `blobs` is the pool, `items`
/// has the layouts by number, and `stream` is a stream.
pub(crate) fn is_own(path: &str) -> bool {
    let is_digest = |name: &str| [64, 96, 128].iter().any(|digits| is_hex(name, *digits));
    let is_blob = |name: &str| is_digest(name.strip_suffix(".part").unwrap_or(name));
    match &path.split('/').collect::<Vec<_>>()[..] {
        ["stream" | "blobs" | "items"] => true,
        ["blobs", blob] => is_blob(blob),
        ["items", number, within @ ..] => {
            number.parse::<u32>().is_ok()
                && match within {
                    []
                    | ["oci-layout" | "index.json" | "blobs"]
                    | ["blobs", "sha256" | "sha512"] => true,
                    ["blobs", "sha256" | "sha512", blob] => is_digest(blob),
                    _ => false,
                }
        }
        _ => false,
    }
}
