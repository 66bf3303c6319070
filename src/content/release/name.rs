//! Names of releases: `NAME:VERSION[@ARCH]`, strict enough to be safe in commands, file names and pages.
//!
//! A name says nothing about the content of its release.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use wincode::{SchemaRead, SchemaWrite};

use super::script;

/// Most bytes of a name.
const NAME_MAX: usize = 96;
/// Most bytes of a version.
const VERSION_MAX: usize = 64;
/// Most bytes of an architecture.
const ARCH_MAX: usize = 32;
/// Most bytes of a file stem, so that a suffix and a temporary name still fit into 255 bytes.
const STEM_MAX: usize = 216;

/// Says why a text is not the name of a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a release: {text:?} ({why}); it is written NAME:VERSION or NAME:VERSION@ARCH")]
pub struct ReleaseNameError {
    /// The given text, at most 80 characters of it.
    pub text: String,
    /// What is wrong.
    pub why: &'static str,
}

/// Name, version and optional architecture of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, SchemaRead, SchemaWrite)]
pub struct ReleaseName {
    name: String,
    version: String,
    arch: Option<String>,
}

impl ReleaseName {
    /// Builds a name from its parts, which are converted to the composed form.
    ///
    /// # Errors
    /// [`ReleaseNameError`] when a part is empty, too long or has characters that are not allowed.
    pub fn new(name: &str, version: &str, arch: Option<&str>) -> Result<Self, ReleaseNameError> {
        let built = Self {
            name: script::composed(name),
            version: script::composed(version),
            arch: arch.map(str::to_owned),
        };
        built.check()?;
        Ok(built)
    }

    /// Returns the part before the colon.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the part behind the colon.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the part behind the `@`.
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
        let begins = |part: &str| part.starts_with(script::begins);
        let only = |part: &str, extra| part.chars().all(|c| script::belongs(c, extra));
        if self.name.len() > NAME_MAX || !self.name.split('/').all(begins) {
            return bad("each part of the name begins with a letter or digit, 96 bytes at most");
        }
        if !only(&self.name, "._-/") {
            return bad("a name has letters and digits of any script and . _ - /");
        }
        if self.version.len() > VERSION_MAX || !begins(&self.version) {
            return bad("the version begins with a letter or digit, 64 bytes at most");
        }
        if !only(&self.version, "._-+") {
            return bad("a version has letters and digits of any script and . _ - +");
        }
        if let Some(arch) = &self.arch {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if arch.len() > ARCH_MAX || !begins(arch) || !arch.bytes().all(plain) {
                return bad(
                    "an architecture has letters a to z, digits and . _ -, 32 bytes at most",
                );
            }
        }
        if !script::is_composed(&self.name) || !script::is_composed(&self.version) {
            return bad("it is not in the composed form (NFC)");
        }
        if self.file_stem().len() > STEM_MAX {
            return bad("it is too long: as a file name it would have more than 216 bytes");
        }
        Ok(())
    }

    /// Returns the name as a file stem, in ASCII: `/` is `%2f`, `:` is `%3a`, `@` is `%40`. Characters beyond ASCII are
    /// written by `script::to_ascii`. All other characters stay as they are, case included.
    pub fn file_stem(&self) -> String {
        script::to_ascii(&self.to_string())
            .replace('/', "%2f")
            .replace(':', "%3a")
            .replace('@', "%40")
    }

    /// Reads a name back from its file stem.
    ///
    /// # Errors
    /// [`ReleaseNameError`] when no release has this file stem.
    pub fn from_file_stem(stem: &str) -> Result<Self, ReleaseNameError> {
        let text = script::from_ascii(stem)
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

    /// Parses a name as people type it: in any Unicode form, with full-width letters, digits, `：`, `／` and `＠`.
    fn from_str(text: &str) -> Result<Self, ReleaseNameError> {
        let composed = script::composed(text);
        let Some((name, rest)) = composed.split_once(':') else {
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

impl Serialize for ReleaseName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
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
            ("商城:1.0", "%u5546%u57ce%3a1.0"),
            (
                "団体/Größe-ж:1.0版",
                "%u56e3%u4f53%2fGr%u00f6%u00dfe-%u0436%3a1.0%u7248",
            ),
            ("हिन्दी:1", "%u0939%u093f%u0928%u094d%u0926%u0940%3a1"),
            ("𠮷野家:2", "%U020bb7%u91ce%u5bb6%3a2"),
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
            "a\0:1",
            "商\u{202e}城:1",
            "商\u{200b}城:1",
            "商 城:1",
            "商\u{3000}城:1",
            "商，城:1",
            "商城:1\n",
            "商\u{1b}[31m城:1",
            "\u{301}a:1",
            "\u{3164}:1",
            "—商城:1",
            "-商城:1",
            "商城:-1",
            "商城/../a:1",
            "..:1",
            "商城:1@架构",
            "☃:1",
            "a%2fb:1",
            &long,
            &slashes,
        ] {
            assert!(bad.parse::<ReleaseName>().is_err(), "{bad:?}");
        }
        for bad in [
            "shop:1.0",
            "a/b%3a1",
            "shop%3A1",
            "shop",
            "商城%3a1",
            "%u0061%3a1",
            "%U005546%3a1",
            "%u5546%u57CE%3a1",
            "%u202e%3a1",
            "e%u0301%3a1",
            "%uff41%3a1",
        ] {
            assert!(ReleaseName::from_file_stem(bad).is_err(), "{bad:?}");
        }
    }
    #[test]
    fn a_name_is_one_however_it_is_typed() {
        for (typed, name) in [
            ("e\u{301}cole:1", "\u{e9}cole:1"),
            ("商城：１．０", "商城:1.0"),
            ("ｓｈｏｐ／ａ：１＠ａｒｍ６４", "shop/a:1@arm64"),
            ("\u{1112}\u{1161}\u{11ab}:1", "\u{d55c}:1"),
            ("\u{f900}:1", "\u{8c48}:1"),
        ] {
            let read: ReleaseName = typed.parse().unwrap();
            assert_eq!(read, name.parse().unwrap(), "{typed}");
            assert_eq!(read.to_string(), name);
        }
        let decoded = ReleaseName {
            name: "e\u{301}".into(),
            version: "1".into(),
            arch: None,
        };
        assert!(
            decoded.check().is_err(),
            "two names would be one to the eye"
        );
    }

    #[test]
    fn thirty_two_characters_of_chinese_are_a_name() {
        let name = format!("{}:1.0", "商".repeat(32));
        assert!(name.parse::<ReleaseName>().is_ok());
        assert!(format!("商{name}").parse::<ReleaseName>().is_err());
    }
}
