//! Patterns of names of images, for keys that are trusted for some images alone.

use std::fmt;
use std::str::FromStr;

use crate::oci::image::Reference;

/// Most bytes of a pattern.
const PATTERN_BYTES_MAX: usize = 512;
/// The host of names that have none.
const DOCKER_HOST: &str = "docker.io";
/// The folder of repositories there that have none.
const DOCKER_FOLDER: &str = "library";

/// A pattern such as `registry.example/shop/*`. A `*` stands for any characters. Without a host it means every host. Tags
/// are no part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePattern(String);

/// The error for a text that is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a pattern of images: [HOST/]REPOSITORY, with * for any characters")]
pub struct ImagePatternError;

impl ImagePattern {
    /// Returns whether the name of an image is one of these. A text that is not a name never is.
    pub fn fits(&self, name: &str) -> bool {
        let Ok(name) = name.parse::<Reference>() else {
            return false;
        };
        let repository = &name.repository;
        let in_folder = format!("{DOCKER_FOLDER}/{repository}");
        let mut paths = vec![repository.clone()];
        let host = match &name.host {
            Some(host) => host.to_ascii_lowercase(),
            None => DOCKER_HOST.to_owned(),
        };
        if host == DOCKER_HOST && !repository.contains('/') {
            paths.push(in_folder);
        }
        paths.iter().any(|path| {
            if self.has_host() {
                is_like(self.0.as_bytes(), format!("{host}/{path}").as_bytes())
            } else {
                is_like(self.0.as_bytes(), path.as_bytes())
            }
        })
    }

    fn has_host(&self) -> bool {
        let first = self.0.split_once('/').map(|(first, _)| first);
        first.is_some_and(|first| first.contains(['.', ':', '*']) || first == "localhost")
    }

    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for ImagePattern {
    type Err = ImagePatternError;

    fn from_str(text: &str) -> Result<Self, ImagePatternError> {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"*./:_-[]".contains(&byte)
        };
        // A tag in a pattern would seem to mean something.
        let path = text.split_once('/').map_or(text, |(_, path)| path);
        let is_pattern = !text.is_empty()
            && text.len() <= PATTERN_BYTES_MAX
            && text.bytes().all(fits)
            && !path.contains(':');
        is_pattern
            .then(|| Self(text.to_owned()))
            .ok_or(ImagePatternError)
    }
}

/// Matches a text in time that grows with the product of both lengths at most.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some(byte), _) if *byte == text[from] => {
                at += 1;
                from += 1;
            }
            (_, Some((star_at, star_from))) => {
                star = Some((star_at, star_from + 1));
                at = star_at + 1;
                from = star_from + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pattern_means_names_with_and_without_their_host() {
        for (pattern, fits, other) in [
            (
                "shop/web",
                "r.example:5000/shop/web:1.0",
                "r.example/shop/webs",
            ),
            (
                "r.example/shop/*",
                "r.example/shop/a/b:1",
                "q.example/shop/a:1",
            ),
            ("r.example/*", "r.example/web", "r.example.evil/web"),
            ("docker.io/library/*", "nginx:1.25", "shop/nginx"),
            ("library/nginx", "docker.io/nginx", "r.example/nginx"),
            ("*", "anything/at/all:1", "not a name"),
            ("*/web", "r.example/shop/web", "r.example/shop/api"),
            (
                "r.example/*-db",
                "R.EXAMPLE/shop/a-db-db",
                "r.example/shop/db",
            ),
        ] {
            let read: ImagePattern = pattern.parse().unwrap();
            assert!(read.fits(fits), "{pattern} {fits}");
            assert!(!read.fits(other), "{pattern} {other}");
        }
        for bad in [
            "",
            "a b",
            "shop/web:1.0",
            "web:1.0",
            "Shop/*",
            "shop/web@x",
            &"a".repeat(600),
        ] {
            assert_eq!(bad.parse::<ImagePattern>(), Err(ImagePatternError), "{bad}");
        }
        let slow: ImagePattern = ("a*".repeat(250) + "b").parse().unwrap();
        assert!(!slow.fits(&"a".repeat(255)));
    }
}
