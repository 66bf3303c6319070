//! References: the names that people and archives give images, and the names that they get in a registry.
//!
//! Repository path and tag stay, and only the host is dropped. `registry.example/shop/web:1.0` becomes `shop/web:1.0`,
//! and `web` becomes `web:latest`.

use std::fmt;
use std::str::FromStr;

use super::Digest;

/// Most bytes of a repository's path.
const REPOSITORY_BYTES_MAX: usize = 255;
/// Most bytes of a tag.
const TAG_BYTES_MAX: usize = 128;

/// `[HOST/]REPOSITORY[:TAG][@DIGEST]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The first component, when it has a `.` or `:` or is `localhost`.
    pub host: Option<String>,
    /// The path after the host.
    pub repository: String,
    /// The tag, when one is given.
    pub tag: Option<String>,
    /// The digest, when one is given.
    pub digest: Option<Digest>,
}

/// What is wrong with a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The host has characters that are not allowed in a host and port.
    #[error("not a host: HOST[:PORT]")]
    Host,
    /// The path has characters that are not allowed in a repository.
    #[error("not a repository: lower-case words of a-z, 0-9, '.', '_' and '-', joined by '/'")]
    Repository,
    /// The tag has characters that are not allowed in a tag.
    #[error("not a tag: at most 128 of letters, digits, '_', '.' and '-'")]
    Tag,
    /// The text after the `@` is not a digest.
    #[error("not a digest behind the @ (sha256: and 64 hex digits)")]
    Digest,
}

impl Reference {
    /// Returns the tag, or `latest` when there is neither tag nor digest.
    pub(crate) fn tag_or_latest(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some("latest"),
            (None, Some(_)) => None,
        }
    }

    /// Returns the repository of the image in a registry: `prefix` before its path, the host dropped.
    pub fn repository_under(&self, prefix: Option<&str>) -> String {
        match prefix {
            Some(prefix) => format!("{prefix}/{}", self.repository),
            None => self.repository.clone(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(out, "{host}/")?;
        }
        out.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(out, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(out, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|_| ReferenceError::Digest)?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                (Some(host), path)
            }
            _ => (None, rest),
        };
        if !host.is_none_or(is_host) {
            return Err(ReferenceError::Host);
        }
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_repository(repository) {
            return Err(ReferenceError::Repository);
        }
        if !tag.is_none_or(is_tag) {
            return Err(ReferenceError::Tag);
        }
        Ok(Self {
            host: host.map(str::to_owned),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

/// Returns whether a text is `HOST[:PORT]`, with IPv6 addresses in brackets.
pub fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_name = |name: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let (first, last) = (name.chars().next(), name.chars().next_back());
        name.len() <= 255 && name.chars().all(fits) && ends(first) && ends(last)
    };
    let is_address = |name: &str| {
        let inner = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
    };
    port_fits && (is_name(name) || is_address(name))
}

/// Returns whether a text is the path of a repository by the distribution specification.
pub fn is_repository(text: &str) -> bool {
    text.len() <= REPOSITORY_BYTES_MAX && text.split('/').all(is_component)
}

/// Returns whether a text consists of runs of `a-z0-9`, joined by one `.`, one or two `_`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let Some(last) = text.chars().next_back() else {
        return false;
    };
    let separators = text.split(is_word).filter(|between| !between.is_empty());
    let fits =
        |between: &str| matches!(between, "." | "_" | "__") || between.chars().all(|c| c == '-');
    is_word(last) && text.starts_with(is_word) && separators.into_iter().all(fits)
}

/// Returns whether a text is a tag.
pub(crate) fn is_tag(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty()
        && text.len() <= TAG_BYTES_MAX
        && text.chars().all(fits)
        && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_host_is_dropped() {
        for (given, repository, tag) in [
            ("registry.example/shop/web:1.0", "shop/web", Some("1.0")),
            ("localhost/web", "web", Some("latest")),
            ("localhost:5000/web:1", "web", Some("1")),
            ("[::1]:5000/web:1", "web", Some("1")),
            ("shop/web:1.0", "shop/web", Some("1.0")),
            ("web", "web", Some("latest")),
            (
                "goodrain.me/a__b/c---d:V_1.x-y",
                "a__b/c---d",
                Some("V_1.x-y"),
            ),
        ] {
            let reference: Reference = given.parse().unwrap();
            assert_eq!(reference.repository_under(None), repository, "{given}");
            assert_eq!(reference.tag_or_latest(), tag, "{given}");
            assert_eq!(reference.to_string(), given);
        }
        let reference: Reference = "a.b/shop/web:1".parse().unwrap();
        assert_eq!(
            reference.repository_under(Some("site/one")),
            "site/one/shop/web"
        );
        let digest = Digest::of(b"");
        let reference: Reference = format!("web@{digest}").parse().unwrap();
        assert_eq!(reference.tag_or_latest(), None);
        assert_eq!(reference.digest, Some(digest));
    }

    #[test]
    fn what_could_leave_its_place_is_refused() {
        for bad in [
            "",
            "/",
            "web/",
            "/web",
            "a//b",
            "../web",
            "a.b/../web",
            "Web",
            "we b",
            "web:",
            "web:.x",
            "web:a/b",
            "web:1:2",
            "web@",
            "web@sha256:12",
            "a.b:x/web",
            "a.b:0/web",
            "a.b:99999/web",
            "we\u{e9}b",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "web\r\nx:1",
            "a.b?c/web",
            "user@a.b/web",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back(text in "[a-zA-Z0-9./:@_\\[\\]-]{0,40}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string(), text);
            }
        }
    }
}
