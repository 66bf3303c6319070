//! Finds out what a manifest of a layout is attached to: signatures, attestations and other referrers.

use super::{ImageLayout, ListedManifest, Naming, reference_of};
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::oci::image::attached::{self, digest_tag, suffix_of_kind};
use crate::oci::image::context::{ImageContext, ImageFault, Scene};
use crate::oci::image::document::{Document, RawDescriptor};
use crate::oci::image::{Digest, Referrer};

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Keeps a manifest by its type: as a referrer, as an attestation, or as one of an image, which is read later.
    pub(super) fn sort(
        &mut self,
        scene: &Scene<'_>,
        listed: ListedManifest,
        layout: &mut ImageLayout,
    ) -> Result<(), RecipeError> {
        let Some((subject, tag)) = self.subject_of(scene, &listed)? else {
            if listed.is_attestation {
                return self.part(scene, &listed);
            }
            layout.manifests.push(listed);
            return Ok(());
        };
        self.part(scene, &listed)?;
        let config_type = listed.config().map(|config| config.media_type);
        let artifact_type = listed.document.artifact_type.clone();
        let references = match listed.naming {
            Naming::Own => listed.references,
            Naming::Index => Vec::new(),
        };
        self.found.keep_referrer(Referrer {
            subject,
            artifact_type: artifact_type.or(config_type),
            annotations: listed.document.annotations.clone().unwrap_or_default(),
            references,
            tag,
            descriptor: listed.descriptor,
            bytes: listed.bytes,
        });
        Ok(())
    }

    /// Returns the subject of a manifest, and the tag that expresses it. The sources are its own `subject`, a tag as
    /// cosign writes it, the signed payload, and the layout.
    fn subject_of(
        &self,
        scene: &Scene<'_>,
        listed: &ListedManifest,
    ) -> Result<Option<(Digest, Option<String>)>, RecipeError> {
        let own = (listed.naming == Naming::Own).then_some(&listed.references);
        let mut tags = own
            .into_iter()
            .flatten()
            .filter_map(|name| digest_tag(name));
        let tagged = tags.find(|tag| tag.has_suffix);
        if let Some(subject) = &listed.document.subject {
            let tag = tagged.map(|tagged| tagged.tag);
            return Ok(subject.digest.parse().ok().map(|subject| (subject, tag)));
        }
        if let Some(tagged) = tagged {
            return Ok(Some((tagged.digest, Some(tagged.tag))));
        }
        let signed = self.signed(scene, &listed.document)?.map(|of| (of, "sig"));
        let attached = signed.or_else(|| listed.attached.clone());
        Ok(attached.map(|(digest, suffix)| {
            let tag = format!("{}-{}.{suffix}", digest.algorithm(), digest.hex());
            (digest, Some(tag))
        }))
    }

    /// Returns what a signature says that it signs.
    fn signed(
        &self,
        scene: &Scene<'_>,
        document: &Document,
    ) -> Result<Option<Digest>, RecipeError> {
        let payload = attached::payload(document).and_then(RawDescriptor::checked);
        let Some(payload) = payload else {
            return Ok(None);
        };
        let Ok((_, body)) = scene.blob(&payload.digest) else {
            return Ok(None);
        };
        match self.read_checked(&(&payload.digest).into(), &payload, &body) {
            Ok(bytes) => Ok(attached::signed(&bytes)),
            Err(ImageFault::Stop(stop)) => Err(stop.into()),
            // A wrong digest is reported where its blobs are read.
            Err(ImageFault::Bad(_)) => Ok(None),
        }
    }

    /// Keeps a manifest that is not an image, and its blobs.
    fn part(&mut self, scene: &Scene<'_>, listed: &ListedManifest) -> Result<(), RecipeError> {
        self.keep_manifest(&listed.descriptor, &listed.bytes);
        let blobs = self.blobs_of(scene, listed);
        let subject = listed.references.first().cloned().unwrap_or_default();
        for (descriptor, _, body) in self.judge(scene, &subject, blobs)?.unwrap_or_default() {
            if let Some(body) = body {
                self.keep_blob(&descriptor.digest, body);
            }
        }
        Ok(())
    }
}

/// Returns what the entries of a layout say that one of them is attached to: the image of the same name, or else the
/// entry before it.
pub(super) fn attached_to(
    scene: &Scene<'_>,
    all: &[RawDescriptor],
    number: usize,
) -> Option<(Digest, &'static str)> {
    let raw = all.get(number)?;
    let suffix = suffix_of_kind(raw)?;
    let own = reference_of(scene, raw);
    let is_image =
        |each: &&RawDescriptor| suffix_of_kind(each).is_none() && !attached::is_referrer_kind(each);
    let mut before = all.iter().take(number).rev().filter(is_image);
    let image = match own {
        Some(name) => {
            let has_name =
                |each: &&RawDescriptor| reference_of(scene, each).as_ref() == Some(&name);
            all.iter().filter(is_image).find(has_name)
        }
        None => before.next(),
    };
    let digest = image
        .or_else(|| all.iter().find(is_image))?
        .digest
        .parse()
        .ok()?;
    Some((digest, suffix))
}
