//! Platforms that images run on.
//!
//! Their text form is containerd's: `linux/arm64/v8`, `windows(10.0.20348)/amd64`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Operating system, architecture and an optional variant, by their names in Go, such as `linux/arm64/v8`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// `v8`.
    pub variant: Option<String>,
    /// Version of the operating system, which Windows needs: `10.0.20348.2227`.
    pub os_version: Option<String>,
}

/// The error for a text that is not a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a platform (OS/ARCHITECTURE[/VARIANT], as linux/arm64)")]
pub struct PlatformError;

impl Platform {
    /// Returns whether a request for this platform matches an image for `other`. A variant or version that is not
    /// requested does not matter, nor do the last parts of a version. `v8` is implied for arm64.
    pub fn takes(&self, other: &Self) -> bool {
        let implied = |platform: &Self| match (&platform.architecture[..], &platform.variant) {
            ("arm64", None) => Some("v8".to_owned()),
            (_, variant) => variant.clone(),
        };
        let begins = |wanted: &String| {
            let rest = other
                .os_version
                .as_ref()
                .and_then(|own| own.strip_prefix(&wanted[..]));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.os == other.os
            && self.os_version.as_ref().is_none_or(begins)
            && self.architecture == other.architecture
            && (self.variant.is_none() || implied(self) == implied(other))
    }
}

impl Platform {
    /// Returns whether this is the platform that a release means by `@ARCH`, under any name of the architecture.
    pub fn is_of(&self, arch: &str) -> bool {
        let named = format!("{}/{arch}", self.os).parse::<Self>();
        named.is_ok_and(|named| named.architecture == self.architecture)
    }
}

impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.os)?;
        if let Some(version) = &self.os_version {
            write!(out, "({version})")?;
        }
        write!(out, "/{}", self.architecture)?;
        match &self.variant {
            Some(variant) => write!(out, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let is_word = |word: &&str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !word.is_empty() && word.len() <= 64 && word.chars().all(fits)
        };
        let mut words: Vec<&str> = text.split('/').collect();
        let mut os_version = None;
        if let Some(first) = words.first_mut()
            && let Some((os, version)) = first.strip_suffix(')').and_then(|os| os.split_once('('))
        {
            os_version = Some(version);
            *first = os;
        }
        if !words.iter().chain(&os_version).all(is_word) {
            return Err(PlatformError);
        }
        let (os, architecture, variant) = match words[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant.to_owned())),
            _ => return Err(PlatformError),
        };
        // Names that people, `uname` and releases use.
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant,
            os_version: os_version.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn platforms_read_back_and_know_one_another() {
        let of = |text: &str| text.parse::<Platform>().unwrap();
        assert_eq!(of("linux/arm64/v8").to_string(), "linux/arm64/v8");
        assert_eq!(of("linux/aarch64").to_string(), "linux/arm64");
        assert!(of("linux/arm64").takes(&of("linux/arm64/v8")));
        assert!(of("linux/arm64/v8").takes(&of("linux/arm64")));
        assert!(!of("linux/arm/v6").takes(&of("linux/arm/v7")));
        assert!(!of("linux/amd64").takes(&of("windows/amd64")));
        let windows = of("windows(10.0.20348.2227)/amd64");
        assert_eq!(windows.to_string(), "windows(10.0.20348.2227)/amd64");
        assert!(of("windows/amd64").takes(&windows));
        assert!(of("windows(10.0.20348)/amd64").takes(&windows));
        assert!(!of("windows(10.0.203)/amd64").takes(&windows));
        assert!(!of("windows(10.0.17763)/amd64").takes(&windows));
        for bad in [
            "linux",
            "",
            "linux/",
            "linux/amd64/v1/x",
            "li nux/amd64",
            "/amd64",
            "windows()/amd64",
            "windows(1(2))/amd64",
            "windows(1/amd64",
        ] {
            assert_eq!(bad.parse::<Platform>(), Err(PlatformError), "{bad}");
        }
    }
}
