//! Chooses among the images that were found, by name, digest and platform. Each image is chosen once.
//!
//! A name without a host matches any host. When one image exists in two formats (an OCI layout and a docker archive),
//! the one that came with a manifest is chosen.

use std::collections::HashMap;

use super::{Digest, Image, ImageIndex, Images, Origin, Platform, Reference};

/// Fewest hex digits of a digest that name an image.
const SHORT_MIN: usize = 8;

/// The requested images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// Names, digests or beginnings of digests. Empty stands for all.
    pub images: Vec<String>,
    /// The requested platforms. Empty stands for all.
    pub platforms: Vec<Platform>,
}

impl Choice {
    /// Returns whether an image for this platform is requested. Artifacts have no platform, and are requested when no
    /// platform is named.
    pub fn takes(&self, platform: Option<&Platform>) -> bool {
        let is_any = self.platforms.is_empty();
        is_any || platform.is_some_and(|own| self.platforms.iter().any(|wanted| wanted.takes(own)))
    }

    /// Checks that each requested platform is that of one of these images.
    ///
    /// # Errors
    /// [`ChoiceError::NoSuchPlatform`].
    pub fn check_platforms(&self, images: &[&Image]) -> Result<(), ChoiceError> {
        let own = images.iter().filter_map(|image| image.platform.as_ref());
        let own: Vec<&Platform> = own.collect();
        let is_there = |wanted: &&Platform| own.iter().any(|own| wanted.takes(own));
        let Some(missing) = self.platforms.iter().find(|wanted| !is_there(wanted)) else {
            return Ok(());
        };
        let mut has: Vec<String> = own.iter().map(ToString::to_string).collect();
        has.sort();
        has.dedup();
        Err(ChoiceError::NoSuchPlatform {
            platform: Box::new(missing.clone()),
            has,
        })
    }
}

/// Returns whether `wanted` matches something with these names or digests. It may be the whole name, the name without
/// the host or without the tag, or the beginning of a digest.
pub(crate) fn is_meant(wanted: &str, names: &[&str], digests: &[&Digest]) -> bool {
    let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    let is_hex = hex.len() >= SHORT_MIN && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if names.contains(&wanted)
        || is_hex && digests.iter().any(|digest| digest.hex().starts_with(hex))
    {
        return true;
    }
    let Ok(wanted) = wanted.parse::<Reference>() else {
        return false;
    };
    let has_digest = |digest: &Digest| digests.contains(&digest);
    names.iter().any(|name| {
        name.parse::<Reference>().is_ok_and(|own| {
            (wanted.host.is_none() || wanted.host == own.host)
                && wanted.repository == own.repository
                && (wanted.tag.is_none() || wanted.tag_or_latest() == own.tag_or_latest())
                && wanted.digest.as_ref().is_none_or(has_digest)
        })
    })
}

/// The reason why images cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChoiceError {
    /// There is no image at all.
    #[error("there are no images in the release")]
    NoImages,
    /// No image has this name or digest.
    #[error("the release has no image {wanted}; it has {}", .has.join(", "))]
    NoSuchImage {
        /// The name or digest that was given.
        wanted: String,
        /// The names that exist.
        has: Vec<String>,
    },
    /// No requested image is for this platform.
    #[error("no image for {platform}; there are some for {}", .has.join(", "))]
    NoSuchPlatform {
        /// The platform that was given.
        platform: Box<Platform>,
        /// The platforms that exist.
        has: Vec<String>,
    },
    /// A name stands for several images, and only one may have it.
    #[error("{name} is the name of {} images: {}", .images.len(), .images.join(", "))]
    Several {
        /// The name.
        name: String,
        /// Platforms when these tell the images apart, and digests otherwise.
        images: Vec<String>,
        /// Whether platforms tell them apart.
        by_platform: bool,
    },
}

impl Images {
    /// Returns the requested images, in the order in which they were found.
    ///
    /// # Errors
    /// [`ChoiceError`] when there is none, or something requested does not exist.
    pub fn choose(&self, choice: &Choice) -> Result<Vec<&Image>, ChoiceError> {
        if self.images.is_empty() {
            return Err(ChoiceError::NoImages);
        }
        for wanted in &choice.images {
            if !self
                .images
                .iter()
                .any(|image| self.is_called(image, wanted))
            {
                return Err(ChoiceError::NoSuchImage {
                    wanted: wanted.clone(),
                    has: self.images.iter().map(Image::name).collect(),
                });
            }
        }
        let named = self.once(&self.named(choice));
        choice.check_platforms(&named)?;
        let fitting = named.into_iter();
        Ok(fitting
            .filter(|image| choice.takes(image.platform.as_ref()))
            .collect())
    }

    /// Returns the images with the requested names, for any platform.
    pub fn named(&self, choice: &Choice) -> Vec<&Image> {
        let is_wanted = |image: &&Image| {
            let mut names = choice.images.iter();
            choice.images.is_empty() || names.any(|wanted| self.is_called(image, wanted))
        };
        self.images.iter().filter(is_wanted).collect()
    }

    /// Returns whether this text may mean an image, or an index that lists it.
    fn is_called(&self, image: &Image, wanted: &str) -> bool {
        let lists = |index: &&ImageIndex| {
            let mut children = index.children.iter();
            children.any(|child| child.descriptor.digest == image.manifest.digest)
        };
        let indexes = self.indexes.iter().filter(lists);
        let digests = [&image.manifest.digest, &image.config.digest].into_iter();
        let digests: Vec<&Digest> = digests
            .chain(indexes.map(|index| &index.descriptor.digest))
            .collect();
        let names: Vec<&str> = image.references.iter().map(String::as_str).collect();
        is_meant(wanted, &names, &digests)
    }

    /// Returns each config once, in the format that came with a manifest when there is one.
    fn once<'i>(&self, images: &[&'i Image]) -> Vec<&'i Image> {
        let mut at: HashMap<&Digest, usize> = HashMap::new();
        let mut chosen: Vec<&Image> = Vec::new();
        for image in images {
            match at.get(&image.config.digest) {
                // Different artifacts may have the same empty config.
                _ if !image.runs() => chosen.push(image),
                None => {
                    at.insert(&image.config.digest, chosen.len());
                    chosen.push(image);
                }
                Some(there) if image.origin == Origin::OciLayout => {
                    let other = &mut chosen[*there];
                    if other.origin == Origin::DockerArchive {
                        *other = image;
                    }
                }
                Some(_) => {}
            }
        }
        chosen
    }
}

/// Refuses two images of one name, because a reader of one archive would take the last.
///
/// # Errors
/// [`ChoiceError::Several`].
pub(crate) fn check_names(images: &[&Image]) -> Result<(), ChoiceError> {
    let mut by_name: HashMap<&str, Vec<&Image>> = HashMap::new();
    for image in images {
        for reference in &image.references {
            by_name.entry(reference).or_default().push(image);
        }
    }
    let mut several: Vec<_> = by_name
        .into_iter()
        .filter(|(_, images)| images.len() > 1)
        .collect();
    several.sort_by_key(|(name, _)| *name);
    let Some((name, images)) = several.first() else {
        return Ok(());
    };
    let platforms = images.iter().filter_map(|image| image.platform.as_ref());
    let mut texts: Vec<String> = platforms.map(ToString::to_string).collect();
    texts.sort();
    texts.dedup();
    let by_platform = texts.len() == images.len();
    if !by_platform {
        let digests = images.iter().map(|image| &image.manifest.digest);
        texts = digests.map(ToString::to_string).collect();
    }
    Err(ChoiceError::Several {
        name: (*name).to_owned(),
        images: texts,
        by_platform,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn people_mean_an_image_by_any_of_its_names() {
        let digests = [Digest::of(b"manifest"), Digest::of(b"config")];
        let digests: Vec<&Digest> = digests.iter().collect();
        let names = ["registry.example:5000/shop/web:1.0", "base"];
        let (long, short) = (digests[1].as_str(), &digests[1].hex()[..8]);
        let with_digest = format!("shop/web@{}", digests[0]);
        let meant = [
            "registry.example:5000/shop/web:1.0",
            "shop/web:1.0",
            "shop/web",
            "base",
            "base:latest",
            long,
            short,
            &with_digest,
        ];
        for wanted in meant {
            assert!(is_meant(wanted, &names, &digests), "{wanted}");
        }
        let other = format!("shop/web@{}", Digest::of(b"other"));
        let not = [
            "other.example/shop/web:1.0",
            "web:1.0",
            "shop/web:1.1",
            "shop/web:latest",
            "base:1",
            &digests[1].hex()[..7],
            "deadbeef",
            "",
            "not a name",
            &other,
        ];
        for wanted in not {
            assert!(!is_meant(wanted, &names, &digests), "{wanted}");
        }
    }

    #[test]
    fn an_artifact_is_for_no_platform_that_is_asked_for() {
        let of = |text: &str| text.parse::<Platform>().unwrap();
        let mut choice = Choice::default();
        assert!(choice.takes(None) && choice.takes(Some(&of("linux/arm64"))));
        choice.platforms = vec![of("linux/arm64"), of("linux/amd64")];
        assert!(!choice.takes(None) && choice.takes(Some(&of("linux/arm64/v8"))));
        assert!(!choice.takes(Some(&of("linux/s390x"))));
    }
}
