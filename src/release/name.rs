//! Names of releases: `NAME:VERSION[@ARCH]`, strict enough to be safe in commands, file names and pages.
//!
//! It knows nothing of what a release holds.

use std::fmt;
use std::str::FromStr;

use wincode::{SchemaRead, SchemaWrite};

/// Most bytes of a name.
const NAME_MAX: usize = 96;
/// Most bytes of a version.
const VERSION_MAX: usize = 64;
/// Most bytes of an architecture.
const ARCH_MAX: usize = 32;
/// Most bytes of a file stem, so that a suffix and a temporary name still fit into 255.
const STEM_MAX: usize = 216;

/// Says why a text is not the name of a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a release: {text:?} ({why}); it is written NAME:VERSION or NAME:VERSION@ARCH")]
pub struct ReleaseNameError {
    /// What was given, at most 80 characters of it.
    pub text: String,
    /// What is wrong.
    pub why: &'static str,
}

/// Name, version and perhaps architecture of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, SchemaRead, SchemaWrite)]
pub struct ReleaseName {
    name: String,
    version: String,
    arch: Option<String>,
}

impl ReleaseName {
    /// Builds a name from its parts.
    ///
    /// # Errors
    /// [`ReleaseNameError`] when a part is empty, too long or has bytes that do not belong in it.
    pub fn new(name: &str, version: &str, arch: Option<&str>) -> Result<Self, ReleaseNameError> {
        let built = Self {
            name: name.to_owned(),
            version: version.to_owned(),
            arch: arch.map(str::to_owned),
        };
        built.check()?;
        Ok(built)
    }

    /// What comes before the colon.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What comes behind the colon.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What comes behind the `@`.
    pub fn arch(&self) -> Option<&str> {
        self.arch.as_deref()
    }

    /// Checks a name that was decoded rather than parsed.
    ///
    /// # Errors
    /// As [`ReleaseName::new`].
    pub fn check(&self) -> Result<(), ReleaseNameError> {
        let bad = |why| {
            Err(ReleaseNameError {
                text: self.to_string().chars().take(80).collect(),
                why,
            })
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let starts_well =
            |part: &str| part.starts_with(|first: char| first.is_ascii_alphanumeric());
        if self.name.len() > NAME_MAX || !self.name.split('/').all(starts_well) {
            return bad("each part of the name begins with a letter or digit, 96 bytes at most");
        }
        if !self.name.bytes().all(|byte| plain(byte) || byte == b'/') {
            return bad("a name has letters, digits and . _ - /");
        }
        if self.version.len() > VERSION_MAX || !starts_well(&self.version) {
            return bad("the version begins with a letter or digit, 64 bytes at most");
        }
        if !self.version.bytes().all(|byte| plain(byte) || byte == b'+') {
            return bad("a version has letters, digits and . _ - +");
        }
        if let Some(arch) = &self.arch
            && (arch.len() > ARCH_MAX || !starts_well(arch) || !arch.bytes().all(plain))
        {
            return bad("an architecture has letters, digits and . _ -, 32 bytes at most");
        }
        if self.file_stem().len() > STEM_MAX {
            return bad("it is too long");
        }
        Ok(())
    }

    /// The name as a file stem: `/` is `%2f`, `:` is `%3a`, `@` is `%40`; all else stands as it is, case included.
    pub fn file_stem(&self) -> String {
        self.to_string()
            .replace('/', "%2f")
            .replace(':', "%3a")
            .replace('@', "%40")
    }

    /// Reads a name back from its file stem.
    ///
    /// # Errors
    /// [`ReleaseNameError`] when no release has this file stem.
    pub fn from_file_stem(stem: &str) -> Result<Self, ReleaseNameError> {
        let text = stem
            .replace("%2f", "/")
            .replace("%3a", ":")
            .replace("%40", "@");
        let name: Self = text.parse()?;
        if name.file_stem() == stem {
            Ok(name)
        } else {
            Err(ReleaseNameError {
                text: stem.chars().take(80).collect(),
                why: "not a file name of a release",
            })
        }
    }
}

impl FromStr for ReleaseName {
    type Err = ReleaseNameError;

    fn from_str(text: &str) -> Result<Self, ReleaseNameError> {
        let Some((name, rest)) = text.split_once(':') else {
            return Err(ReleaseNameError {
                text: text.chars().take(80).collect(),
                why: "there is no version",
            });
        };
        let (version, arch) = match rest.split_once('@') {
            Some((version, arch)) => (version, Some(arch)),
            None => (rest, None),
        };
        Self::new(name, version, arch)
    }
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.version)?;
        self.arch.iter().try_for_each(|arch| write!(f, "@{arch}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_round_trip_through_text_and_file_stem() {
        for (text, stem) in [
            ("shop:1.0", "shop%3a1.0"),
            (
                "team/Shop_x:1.0+rc.1@arm64",
                "team%2fShop_x%3a1.0+rc.1%40arm64",
            ),
            ("9:9@x86-64", "9%3a9%40x86-64"),
        ] {
            let name: ReleaseName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.file_stem(), stem);
            assert_eq!(ReleaseName::from_file_stem(stem), Ok(name));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("{}:1", "a".repeat(97));
        let slashes = format!("{}a:{}", "a/".repeat(47), "1".repeat(64));
        for bad in [
            "",
            "shop",
            ":1",
            "shop:",
            "shop:1@",
            "../shop:1",
            "a//b:1",
            "/a:1",
            "a/:1",
            "-a:1",
            ".a:1",
            "a:1:2",
            "a:1@b@c",
            "a b:1",
            "a:1/2",
            "商城:1",
            "a\0:1",
            "a%2fb:1",
            &long,
            &slashes,
        ] {
            assert!(bad.parse::<ReleaseName>().is_err(), "{bad:?}");
        }
        for bad in ["shop:1.0", "a/b%3a1", "shop%3A1", "shop"] {
            assert!(ReleaseName::from_file_stem(bad).is_err(), "{bad:?}");
        }
    }
}
