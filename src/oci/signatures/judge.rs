//! Judges the signatures of the images of releases.
//!
//! Nothing of a signature counts that the digest of its own blob does not match. Whatever cannot be read makes an image
//! less trusted and never more.

use std::collections::{HashMap, HashSet};

use super::bundle::{BUNDLE, BundleContent, SigstoreBundle};
use super::dsse::{DsseEnvelope, EnvelopeDocument};
use super::simple::SimplePayload;
use super::verdict::{
    ImageSignature, ImageStanding, ImageVerdict, SignatureFormat, SignatureState,
};
use super::{BLOB_BYTES_MAX, SIGNATURES_MAX, TrustedImageKey, decoded};
use crate::base::monitor::Monitor;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::oci::image::document::{Document, RawDescriptor};
use crate::oci::image::{Digest, Image, Images, Origin, Referrer};

/// Media type of what cosign signs.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Media type of an envelope.
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// Type of notation's signatures.
const NOTATION: &str = "application/vnd.cncf.notary.signature";
/// Annotation with a signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Annotation with the certificate of a signature without a key.
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// What a statement says that is itself a signature, as newer cosign writes it.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";
/// Most signatures of all images together that are listed.
const LISTED_MAX: usize = 1 << 16;
/// Most indexes around an image that are looked at.
const INDEXES_MAX: usize = 64;

/// Judges signatures with the keys of a site.
pub struct SignatureJudge<'a, S> {
    source: &'a S,
    images: &'a Images,
    keys: &'a [TrustedImageKey],
    monitor: &'a dyn Monitor,
    referrers: HashMap<&'a Digest, Vec<&'a Referrer>>,
    /// The indexes that list each manifest.
    parents: HashMap<&'a Digest, Vec<&'a Digest>>,
    judged: HashMap<Digest, JudgedManifest>,
    /// Signatures that may still be listed.
    listed_left: usize,
}

/// All signatures of one manifest, whatever the image is called.
#[derive(Debug, Clone, Default)]
struct JudgedManifest {
    found: Vec<JudgedSignature>,
    is_cut: bool,
}

/// A signature, and the number of the trusted key that made it.
#[derive(Debug, Clone)]
struct JudgedSignature {
    signature: ImageSignature,
    by: Option<usize>,
}

/// What a blob turned out to be.
struct Judgment {
    state: SignatureState,
    by: Option<usize>,
    signs: Option<Digest>,
    reference: Option<String>,
    predicate_type: Option<String>,
}

impl Judgment {
    fn of(state: SignatureState) -> Self {
        Self {
            state,
            by: None,
            signs: None,
            reference: None,
            predicate_type: None,
        }
    }
}

impl<'a, S: ChunkSource> SignatureJudge<'a, S> {
    /// Judges the images of `images`, whose blobs are in `source`.
    pub fn new(
        source: &'a S,
        images: &'a Images,
        keys: &'a [TrustedImageKey],
        monitor: &'a dyn Monitor,
    ) -> Self {
        let mut referrers: HashMap<&Digest, Vec<&Referrer>> = HashMap::new();
        for referrer in images.all_referrers() {
            referrers
                .entry(&referrer.subject)
                .or_default()
                .push(referrer);
        }
        let mut parents: HashMap<&Digest, Vec<&Digest>> = HashMap::new();
        for index in images.indexes() {
            for child in &index.children {
                let known = parents.entry(&child.descriptor.digest).or_default();
                // The same index may be in several archives.
                if !known.contains(&&index.descriptor.digest) && known.len() < INDEXES_MAX {
                    known.push(&index.descriptor.digest);
                }
            }
        }
        Self {
            source,
            images,
            keys,
            monitor,
            referrers,
            parents,
            judged: HashMap::new(),
            listed_left: LISTED_MAX,
        }
    }

    /// Judges an image by its own manifest and by the indexes that list it.
    ///
    /// # Errors
    /// [`RecipeError::Interrupted`].
    pub fn image(&mut self, image: &Image) -> Result<ImageVerdict, RecipeError> {
        let verdict = self.manifest(&image.manifest.digest, &image.references)?;
        if image.origin == Origin::DockerArchive {
            return Ok(ImageVerdict {
                standing: ImageStanding::NoManifest,
                signed_by: Vec::new(),
                signed_digest: None,
                ..verdict
            });
        }
        Ok(verdict)
    }

    /// Judges a manifest or an index, which has these names.
    ///
    /// # Errors
    /// As [`Self::image`].
    pub fn manifest(
        &mut self,
        digest: &Digest,
        names: &[String],
    ) -> Result<ImageVerdict, RecipeError> {
        let mut verdict = ImageVerdict {
            standing: ImageStanding::NotSigned,
            signed_by: Vec::new(),
            signed_digest: None,
            signatures: Vec::new(),
            statements: Vec::new(),
            is_cut: false,
        };
        for level in self.levels(digest) {
            let judged = self.signatures_of(&level)?;
            verdict.is_cut |= judged.is_cut;
            let right: Vec<usize> = judged.found.iter().filter_map(right_key).collect();
            let is_covered = self.covers(&right, names);
            for JudgedSignature { mut signature, by } in judged.found {
                let key = by.and_then(|number| self.keys.get(number));
                let is_for = key.is_some_and(|key| is_for(key, names));
                if signature.state == SignatureState::Verified && !is_for {
                    signature.state = SignatureState::OtherName;
                }
                signature.key = key.map(|key| key.name.clone());
                if !signature.is_statement() {
                    let own = worth(&signature, is_covered);
                    verdict.standing = verdict.standing.min(own);
                    if own == ImageStanding::Verified {
                        verdict.signed_digest.get_or_insert_with(|| level.clone());
                        let name = signature.key.clone().unwrap_or_default();
                        if !verdict.signed_by.contains(&name) {
                            verdict.signed_by.push(name);
                        }
                    }
                }
                // An index with many signatures may list many images, and each would list all of them.
                if self.listed_left == 0 {
                    verdict.is_cut = true;
                    continue;
                }
                self.listed_left -= 1;
                if signature.is_statement() {
                    verdict.statements.push(signature);
                } else {
                    verdict.signatures.push(signature);
                }
            }
        }
        Ok(verdict)
    }

    /// Returns the manifest and the indexes around it, the nearest first.
    fn levels(&self, digest: &Digest) -> Vec<Digest> {
        let mut levels = vec![digest.clone()];
        let mut met = HashSet::from([digest]);
        let mut at = 0;
        while let Some(level) = levels.get(at).cloned() {
            at += 1;
            for parent in self.parents.get(&level).into_iter().flatten() {
                if levels.len() <= INDEXES_MAX && met.insert(*parent) {
                    levels.push((*parent).clone());
                }
            }
        }
        levels
    }

    /// Returns whether each name has one of these keys that is trusted for it.
    fn covers(&self, keys: &[usize], names: &[String]) -> bool {
        let keys: Vec<&TrustedImageKey> = keys
            .iter()
            .filter_map(|number| self.keys.get(*number))
            .collect();
        let mut names = names.iter().peekable();
        if names.peek().is_none() {
            return keys.iter().any(|key| key.patterns.is_empty());
        }
        names.all(|name| keys.iter().any(|key| key.is_for(name)))
    }

    fn signatures_of(&mut self, digest: &Digest) -> Result<JudgedManifest, RecipeError> {
        if let Some(known) = self.judged.get(digest) {
            return Ok(known.clone());
        }
        let mut judged = JudgedManifest::default();
        let referrers = self.referrers.get(digest).cloned().unwrap_or_default();
        for referrer in referrers {
            if judged.is_cut {
                break;
            }
            self.referrer(referrer, &mut judged)?;
        }
        self.judged.insert(digest.clone(), judged.clone());
        Ok(judged)
    }

    /// Judges what is in one referrer.
    fn referrer(
        &self,
        referrer: &Referrer,
        judged: &mut JudgedManifest,
    ) -> Result<(), RecipeError> {
        let document: Document = match serde_json::from_slice(&referrer.bytes) {
            Ok(document) => document,
            Err(_) => return Ok(()),
        };
        if referrer.artifact_type.as_deref() == Some(NOTATION) {
            let judgment = Judgment::of(SignatureState::NotChecked);
            keep(referrer, SignatureFormat::Notation, judgment, judged);
            return Ok(());
        }
        for layer in document.layers.iter().flatten() {
            self.monitor.check_stop()?;
            let media_type = layer.media_type.as_deref().unwrap_or_default();
            let format = match media_type {
                SIMPLE_SIGNING => SignatureFormat::Cosign,
                DSSE => SignatureFormat::Dsse,
                _ if media_type.starts_with(BUNDLE) => SignatureFormat::SigstoreBundle,
                _ => continue,
            };
            let judgment = match self.blob(layer)? {
                Some(blob) => match format {
                    SignatureFormat::Cosign => self.simple(layer, &blob, &referrer.subject),
                    SignatureFormat::Dsse => self.dsse(&blob, &referrer.subject),
                    _ => self.bundle(&blob, &referrer.subject),
                },
                None => Judgment::of(SignatureState::Unreadable),
            };
            keep(referrer, format, judgment, judged);
            if judged.is_cut {
                break;
            }
        }
        Ok(())
    }

    /// Reads a blob that matches its digest. Returns `None` for one that does not, or is absent or too long.
    fn blob(&self, layer: &RawDescriptor) -> Result<Option<Vec<u8>>, RecipeError> {
        let Some(descriptor) = layer.checked() else {
            return Ok(None);
        };
        let Some(body) = self.images.blob(&descriptor.digest) else {
            return Ok(None);
        };
        match body.read(self.source, BLOB_BYTES_MAX, self.monitor) {
            Ok(bytes) if descriptor.digest.likewise_of(&bytes) == descriptor.digest => {
                Ok(Some(bytes))
            }
            Err(error @ RecipeError::Interrupted(_)) => Err(error),
            _ => Ok(None),
        }
    }

    /// Returns the number of the key that made one of these signatures.
    fn by(&self, message: &[u8], signatures: &[Vec<u8>]) -> Option<usize> {
        let made = |key: &TrustedImageKey| {
            let mut signatures = signatures.iter();
            signatures.any(|signature| key.key.verifies(message, signature))
        };
        self.keys.iter().position(made)
    }

    /// Returns whether a signed digest means this manifest. It may be of another algorithm.
    fn is_of(&self, signed: &Digest, subject: &Digest) -> bool {
        let resolved = || self.images.resolve(subject.as_str());
        signed == subject
            || signed.algorithm() != subject.algorithm()
                && resolved().is_some_and(|found| signed.likewise_of(found.bytes) == *signed)
    }

    fn simple(&self, layer: &RawDescriptor, payload: &[u8], subject: &Digest) -> Judgment {
        let signature = layer.annotation(SIGNATURE).and_then(decoded);
        let (Some(signature), Some(read)) = (signature, SimplePayload::read(payload)) else {
            return Judgment::of(SignatureState::Unreadable);
        };
        let by = self.by(payload, &[signature]);
        let is_of = self.is_of(&read.digest, subject);
        let state = match (is_of, by) {
            (false, _) => SignatureState::OtherImage,
            (true, Some(_)) => SignatureState::Verified,
            (true, None) if layer.annotation(CERTIFICATE).is_some() => SignatureState::Keyless,
            (true, None) => SignatureState::Stranger,
        };
        Judgment {
            by,
            signs: (!is_of).then_some(read.digest),
            reference: read.reference,
            ..Judgment::of(state)
        }
    }

    fn dsse(&self, blob: &[u8], subject: &Digest) -> Judgment {
        let envelope = EnvelopeDocument::read(blob).and_then(|document| document.decode());
        match envelope {
            Some(envelope) => self.envelope(&envelope, subject, false, None),
            None => Judgment::of(SignatureState::Unreadable),
        }
    }

    fn envelope(
        &self,
        envelope: &DsseEnvelope,
        subject: &Digest,
        has_certificate: bool,
        hint: Option<&str>,
    ) -> Judgment {
        let Some(statement) = &envelope.statement else {
            return Judgment::of(SignatureState::Unreadable);
        };
        let by = self.by(&envelope.signed, &envelope.signatures);
        let mut subjects = statement.subjects.iter();
        let is_of = subjects.any(|each| self.is_of(each, subject));
        let state = self.state(is_of, by, has_certificate, hint);
        let is_signature = statement.predicate_type == SIGNED;
        let first = statement.subjects.first();
        Judgment {
            by,
            signs: first.filter(|_| !is_of).cloned(),
            predicate_type: (!is_signature).then(|| statement.predicate_type.clone()),
            ..Judgment::of(state)
        }
    }

    fn bundle(&self, blob: &[u8], subject: &Digest) -> Judgment {
        let Some(bundle) = SigstoreBundle::read(blob) else {
            return Judgment::of(SignatureState::Unreadable);
        };
        let (has_certificate, hint) = (bundle.has_certificate, bundle.hint.as_deref());
        let (digest, signature) = match bundle.content {
            BundleContent::Envelope(envelope) => {
                return self.envelope(&envelope, subject, has_certificate, hint);
            }
            BundleContent::Message { digest, signature } => (digest, signature),
        };
        let Some(manifest) = self.images.resolve(subject.as_str()) else {
            return Judgment::of(SignatureState::Unreadable);
        };
        // The digest beside a signature is not signed. What counts is the manifest itself.
        let by = self.by(manifest.bytes, &[signature]);
        let other = digest.filter(|digest| !self.is_of(digest, subject));
        let state = self.state(by.is_some() || other.is_none(), by, has_certificate, hint);
        Judgment {
            by,
            signs: other.filter(|_| by.is_none()),
            ..Judgment::of(state)
        }
    }

    fn state(
        &self,
        is_of: bool,
        by: Option<usize>,
        has_certificate: bool,
        hint: Option<&str>,
    ) -> SignatureState {
        let names = |key: &TrustedImageKey| hint.is_some_and(|hint| key.key.is_hinted(hint));
        match (is_of, by) {
            (false, _) => SignatureState::OtherImage,
            (true, Some(_)) => SignatureState::Verified,
            (true, None) if has_certificate => SignatureState::Keyless,
            (true, None) if self.keys.iter().any(names) => SignatureState::Wrong,
            (true, None) => SignatureState::Stranger,
        }
    }
}

/// Keeps a judgment, unless there are too many.
fn keep(
    referrer: &Referrer,
    format: SignatureFormat,
    judgment: Judgment,
    judged: &mut JudgedManifest,
) {
    if judged.found.len() >= SIGNATURES_MAX {
        judged.is_cut = true;
        return;
    }
    judged.found.push(JudgedSignature {
        signature: ImageSignature {
            format,
            state: judgment.state,
            key: None,
            subject: referrer.subject.clone(),
            manifest: referrer.descriptor.digest.clone(),
            signs: judgment.signs,
            reference: judgment.reference,
            predicate_type: judgment.predicate_type,
        },
        by: judgment.by,
    });
}

/// Returns the key of a right signature, which is no statement.
fn right_key(judged: &JudgedSignature) -> Option<usize> {
    let signature = &judged.signature;
    let is_right = signature.state == SignatureState::Verified && !signature.is_statement();
    judged.by.filter(|_| is_right)
}

fn is_for(key: &TrustedImageKey, names: &[String]) -> bool {
    key.patterns.is_empty() || names.iter().any(|name| key.is_for(name))
}

/// Returns what a signature makes of an image, whose names have keys for all of them or not.
fn worth(signature: &ImageSignature, is_covered: bool) -> ImageStanding {
    match signature.state {
        SignatureState::Verified if is_covered => ImageStanding::Verified,
        SignatureState::Verified | SignatureState::OtherName => ImageStanding::OtherName,
        SignatureState::OtherImage | SignatureState::Wrong | SignatureState::Unreadable => {
            ImageStanding::Wrong
        }
        SignatureState::Stranger => ImageStanding::Stranger,
        SignatureState::Keyless | SignatureState::NotChecked => ImageStanding::NotChecked,
    }
}
