//! Chooses among the images that were found: by name, digest and platform, each once.
//!
//! A name without a host is that of any host. One image in two forms (an OCI layout and a docker archive) is chosen in the
//! form that came with a manifest.

use std::collections::HashMap;

use super::{Digest, Image, Images, Origin, Platform, Reference};

/// Hex digits of a digest that are enough to name an image.
const SHORT_MIN: usize = 8;

/// Which images are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Names, digests or beginnings of digests; none: all.
    pub images: Vec<String>,
    /// Only those for this platform.
    pub platform: Option<Platform>,
}

/// Says why images cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// There is none at all.
    #[error("there are no images in the release")]
    NoImages,
    /// None has this name or digest.
    #[error("the release has no image {wanted}; it has {}", .has.join(", "))]
    NoSuchImage {
        /// What was asked for.
        wanted: String,
        /// The names there are.
        has: Vec<String>,
    },
    /// None that is wanted is for this platform.
    #[error("no image for {platform}; there are some for {}", .has.join(", "))]
    NoSuchPlatform {
        /// What was asked for.
        platform: Platform,
        /// The platforms there are.
        has: Vec<String>,
    },
    /// A name stands for several images, and only one may have it.
    #[error("{name} is the name of {} images: {}", .images.len(), .images.join(", "))]
    Several {
        /// The name.
        name: String,
        /// Platforms where these tell the images apart, else digests.
        images: Vec<String>,
        /// Whether a platform tells them apart.
        by_platform: bool,
    },
}

impl Images {
    /// The images that are wanted, in the order in which they were met.
    ///
    /// # Errors
    /// [`ChoiceError`] when there is none, or something that is asked for is not there.
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
        let is_wanted = |image: &&Image| {
            let mut names = choice.images.iter();
            choice.images.is_empty() || names.any(|wanted| self.is_called(image, wanted))
        };
        let named: Vec<&Image> = self.images.iter().filter(is_wanted).collect();
        let named = self.once(&named);
        let Some(platform) = &choice.platform else {
            return Ok(named);
        };
        let fits = |image: &&&Image| {
            let own = image.platform.as_ref();
            own.is_some_and(|own| platform.takes(own))
        };
        let fitting: Vec<&Image> = named.iter().filter(fits).copied().collect();
        if fitting.is_empty() {
            let has = named.iter().filter_map(|image| image.platform.as_ref());
            let mut has: Vec<String> = has.map(ToString::to_string).collect();
            has.sort();
            has.dedup();
            let platform = platform.clone();
            return Err(ChoiceError::NoSuchPlatform { platform, has });
        }
        Ok(fitting)
    }

    /// Whether people may mean an image by this text.
    fn is_called(&self, image: &Image, wanted: &str) -> bool {
        if image.references.iter().any(|reference| reference == wanted) {
            return true;
        }
        let is_index = |index: &Digest| {
            let index = self
                .indexes
                .iter()
                .find(|each| each.descriptor.digest == *index);
            let mut children = index.into_iter().flat_map(|index| &index.children);
            children.any(|child| child.descriptor.digest == image.manifest.digest)
        };
        let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex.len() >= SHORT_MIN && is_hex {
            let digests = [&image.manifest.digest, &image.config.digest];
            let short = digests.iter().any(|digest| digest.hex().starts_with(hex));
            return short || wanted.parse().is_ok_and(|digest| is_index(&digest));
        }
        let Ok(wanted) = wanted.parse::<Reference>() else {
            return false;
        };
        let mut references = image.references.iter();
        references.any(|reference| {
            reference.parse::<Reference>().is_ok_and(|own| {
                (wanted.host.is_none() || wanted.host == own.host)
                    && wanted.repository == own.repository
                    && wanted.tag_or_latest() == own.tag_or_latest()
            })
        })
    }

    /// Each config once, in the form that came with a manifest when there is one.
    fn once<'i>(&self, images: &[&'i Image]) -> Vec<&'i Image> {
        let mut at: HashMap<&Digest, usize> = HashMap::new();
        let mut chosen: Vec<&Image> = Vec::new();
        for image in images {
            match at.get(&image.config.digest) {
                // Artifacts may all have the same empty config.
                _ if image.diff_ids.is_empty() => chosen.push(image),
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

/// Refuses images of which two have one name: a reader of one archive would take the last.
///
/// # Errors
/// [`ChoiceError::Several`].
pub fn check_names(images: &[&Image]) -> Result<(), ChoiceError> {
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
