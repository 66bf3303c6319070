//! Parses the paths of the API.

use crate::oci::image::{Digest, is_repository, is_tag};

/// Most entries on a page of a list, which is also the default.
const PAGE: usize = 1000;

/// The request of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/packages/`: a file of a package repository, by the path behind it.
    File(String),
    /// `/v2/`: whether this is a registry.
    Base,
    /// All repositories.
    Catalog(Page),
    /// All tags of a repository.
    Tags(String, Page),
    /// A manifest by tag or digest.
    Manifest(String, String),
    /// A blob.
    Blob(String, Digest),
    /// The referrers of a manifest, optionally of one kind.
    Referrers(String, Digest, Option<String>),
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// Number of entries.
    pub count: usize,
    /// The entry before the first one.
    pub last: Option<String>,
}

/// The reason why a path is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misrouted {
    /// It is not a path of the API.
    Path,
    /// It has no valid repository.
    Name,
    /// It has no valid digest.
    Digest,
    /// It has neither a tag nor a digest.
    Tag,
}

/// Parses path and query.
pub(crate) fn route(path: &str, query: Option<&str>) -> Result<Route, Misrouted> {
    let path = decoded(path).ok_or(Misrouted::Path)?;
    if let Some(file) = path.strip_prefix("/packages/") {
        return Ok(Route::File(file.to_owned()));
    }
    let rest = match &path[..] {
        "/v2" | "/v2/" => return Ok(Route::Base),
        other => other.strip_prefix("/v2/").ok_or(Misrouted::Path)?,
    };
    let value = |name: &str| value(query, name);
    let page = || Page {
        count: value("n")
            .and_then(|count| count.parse().ok())
            .unwrap_or(PAGE)
            .min(PAGE),
        last: value("last"),
    };
    if rest == "_catalog" {
        return Ok(Route::Catalog(page()));
    }
    let (before, last) = rest.rsplit_once('/').ok_or(Misrouted::Path)?;
    let (name, kind) = before.rsplit_once('/').ok_or(Misrouted::Path)?;
    if !is_repository(name) {
        return Err(Misrouted::Name);
    }
    let (name, last) = (name.to_owned(), last.to_owned());
    let digest = || last.parse().map_err(|_| Misrouted::Digest);
    match kind {
        "tags" if last == "list" => Ok(Route::Tags(name, page())),
        "manifests" if is_tag(&last) || last.parse::<Digest>().is_ok() => {
            Ok(Route::Manifest(name, last))
        }
        "manifests" => Err(Misrouted::Tag),
        "blobs" => Ok(Route::Blob(name, digest()?)),
        "referrers" => Ok(Route::Referrers(name, digest()?, value("artifactType"))),
        _ => Err(Misrouted::Path),
    }
}

/// Returns the host in the name that a client pulls, which containerd passes to a mirror.
pub fn namespace(query: Option<&str>) -> Option<String> {
    value(query, "ns").filter(|host| !host.is_empty())
}

/// Returns a value of a query.
fn value(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = query.unwrap_or_default().split('&');
    let found = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name);
    found.and_then(|(_, value)| decoded(value))
}

/// Decodes `%XX`. Returns `None` when the result is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_as_clients_ask() {
        let digest = Digest::of(b"");
        assert_eq!(route("/v2/", None), Ok(Route::Base));
        assert_eq!(
            route("/v2/shop/web/manifests/1.0", Some("ns=registry.example")),
            Ok(Route::Manifest("shop/web".to_owned(), "1.0".to_owned()))
        );
        assert_eq!(
            namespace(Some("x=1&ns=a.example%3A5000")),
            Some("a.example:5000".to_owned())
        );
        assert_eq!(namespace(Some("ns=")), None);
        assert_eq!(
            route("/packages/os/pool/g%2b%2b_1%3a2_amd64.deb", None),
            Ok(Route::File("os/pool/g++_1:2_amd64.deb".to_owned()))
        );
        let escaped = format!("/v2/a/blobs/{}", digest.to_string().replace(':', "%3A"));
        assert_eq!(
            route(&escaped, None),
            Ok(Route::Blob("a".to_owned(), digest.clone()))
        );
        assert_eq!(
            route("/v2/a/tags/list", Some("n=2&last=b%2Bc")).unwrap(),
            Route::Tags(
                "a".to_owned(),
                Page {
                    count: 2,
                    last: Some("b+c".to_owned())
                }
            )
        );
        assert_eq!(
            route(
                &format!("/v2/manifests/blobs/referrers/{digest}"),
                Some("artifactType=x")
            )
            .unwrap(),
            Route::Referrers("manifests/blobs".to_owned(), digest, Some("x".to_owned()))
        );
        assert_eq!(
            route("/v2/_catalog", Some("n=99999999999999999999")).unwrap(),
            Route::Catalog(Page {
                count: PAGE,
                last: None
            })
        );
    }

    #[test]
    fn other_paths_are_refused() {
        assert_eq!(route("/", None), Err(Misrouted::Path));
        assert_eq!(route("/v2/a/blobs/sha256:12", None), Err(Misrouted::Digest));
        assert_eq!(route("/v2/a/manifests/%2e%2e", None), Err(Misrouted::Tag));
        assert_eq!(route("/v2/../etc/manifests/x", None), Err(Misrouted::Name));
        assert_eq!(route("/v2/A/manifests/x", None), Err(Misrouted::Name));
        assert_eq!(route("/v2/a/uploads/x", None), Err(Misrouted::Path));
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_refused(path in "(/|v2|manifests|blobs|tags|list|%|[a-f0-9]{1,3}|\\PC){0,12}", query in "\\PC{0,30}") {
            let _ = route(&format!("/v2/{path}"), Some(&query));
        }
    }
}
