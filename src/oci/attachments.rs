//! What is attached to images: signatures, SBOMs, provenance and other statements, each a blob under a manifest.
//!
//! Only manifests are read. What the blobs say is taken from their media types and from annotations, and nothing here
//! says whether it is true. Memory: 600 bytes for each attachment, of which [`ATTACHMENTS_MAX`] are listed.

use std::collections::HashSet;

use serde::Serialize;

use super::image::document::{Document, RawDescriptor};
use super::image::{Descriptor, Digest, Images};

/// Most attachments that are listed.
pub const ATTACHMENTS_MAX: usize = 1 << 16;

/// Annotations with what a statement says, of BuildKit, of cosign, and of bundles.
const PREDICATES: [&str; 3] = [
    "in-toto.io/predicate-type",
    "predicateType",
    "dev.sigstore.bundle.predicateType",
];
/// What a statement says that is a signature.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";
/// Annotation of an entry that is an attestation, and the one with the digest that it is about, as BuildKit writes them.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
/// Media types of signatures.
const SIGNATURES: [&str; 4] = [
    "application/vnd.dev.cosign.simplesigning.v1+json",
    "application/vnd.cncf.notary.signature",
    "application/jose+json",
    "application/cose",
];

/// What something attached to an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttachmentKind {
    /// A signature.
    Signature,
    /// A list of what the image consists of, in SPDX, CycloneDX or another form.
    Sbom,
    /// How the image was built.
    Provenance,
    /// Another statement about the image.
    Statement,
    /// Anything else.
    Other,
}

impl AttachmentKind {
    /// Returns its name in files, which is the same in every language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Sbom => "sbom",
            Self::Provenance => "provenance",
            Self::Statement => "statement",
            Self::Other => "other",
        }
    }
}

/// Something that is attached to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attachment {
    /// What it is for.
    pub kind: AttachmentKind,
    /// The manifest or index that it is attached to.
    pub subject: Digest,
    /// Digest of the manifest that lists it.
    pub manifest: Digest,
    /// Its media type.
    pub media_type: String,
    /// What it says of the image, when it is a statement.
    pub predicate_type: Option<String>,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes. Zero when it is not there.
    pub bytes: u64,
    /// Whether it is there.
    pub is_there: bool,
}

/// Lists what is attached to the images and indexes of releases, each blob of each subject once.
pub fn attachments(images: &Images) -> Vec<Attachment> {
    let mut found = AttachmentList {
        images,
        list: Vec::new(),
        met: HashSet::new(),
    };
    for referrer in images.all_referrers() {
        let own = &referrer.descriptor.digest;
        found.manifest(&referrer.subject, own, &referrer.bytes);
    }
    for index in images.indexes() {
        let Ok(document) = serde_json::from_slice::<Document>(&index.bytes) else {
            continue;
        };
        for child in document.manifests.iter().flatten() {
            found.built(child);
        }
    }
    found.list
}

struct AttachmentList<'a> {
    images: &'a Images,
    list: Vec<Attachment>,
    met: HashSet<(Digest, Digest)>,
}

impl AttachmentList<'_> {
    /// Adds what BuildKit put into an index beside an image.
    fn built(&mut self, child: &RawDescriptor) {
        let is_attestation = child.annotation(REFERENCE_TYPE) == Some("attestation-manifest");
        let subject = child.annotation(REFERENCE_DIGEST);
        let subject = subject.and_then(|digest| digest.parse::<Digest>().ok());
        let images = self.images;
        let (Some(subject), true) = (subject, is_attestation) else {
            return;
        };
        if let Some(manifest) = images.resolve(&child.digest) {
            self.manifest(&subject, &manifest.descriptor.digest, manifest.bytes);
        }
    }

    fn manifest(&mut self, subject: &Digest, own: &Digest, bytes: &[u8]) {
        let Ok(document) = serde_json::from_slice::<Document>(bytes) else {
            return;
        };
        let notes = document.annotations.as_ref();
        let note = PREDICATES
            .iter()
            .find_map(|key| notes.and_then(|notes| notes.get(*key)));
        for layer in document.layers.iter().flatten() {
            let Some(descriptor) = layer.checked() else {
                continue;
            };
            let is_new = self
                .met
                .insert((subject.clone(), descriptor.digest.clone()));
            if !is_new || self.list.len() >= ATTACHMENTS_MAX {
                continue;
            }
            let predicate = PREDICATES.iter().find_map(|key| layer.annotation(key));
            let predicate = predicate.map(str::to_owned).or_else(|| note.cloned());
            let artifact_type = document.artifact_type.as_deref();
            let Descriptor {
                media_type, digest, ..
            } = descriptor;
            let body = self.images.blob(&digest);
            self.list.push(Attachment {
                kind: kind_of(&media_type, artifact_type, predicate.as_deref()),
                subject: subject.clone(),
                manifest: own.clone(),
                media_type,
                predicate_type: predicate,
                digest,
                bytes: body.map_or(0, |body| body.bytes()),
                is_there: body.is_some(),
            });
        }
    }
}

/// Returns what a blob is for, by the names that tools give such blobs.
fn kind_of(
    media_type: &str,
    artifact_type: Option<&str>,
    predicate_type: Option<&str>,
) -> AttachmentKind {
    let is_signature = |text: &str| SIGNATURES.contains(&text);
    if predicate_type == Some(SIGNED)
        || is_signature(media_type)
        || artifact_type.is_some_and(is_signature)
    {
        return AttachmentKind::Signature;
    }
    let has = |text: &str, words: &[&str]| {
        let text = text.to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    let all = [predicate_type, Some(media_type), artifact_type];
    let says = |words: &[&str]| all.iter().flatten().any(|text| has(text, words));
    if says(&["spdx", "cyclonedx", "syft", "sbom"]) {
        AttachmentKind::Sbom
    } else if says(&["provenance"]) {
        AttachmentKind::Provenance
    } else if predicate_type.is_some() || says(&["in-toto", "dsse"]) {
        AttachmentKind::Statement
    } else if says(&["dev.sigstore.bundle"]) {
        // A bundle that says nothing of itself signs the image, or a statement that only its content names.
        AttachmentKind::Signature
    } else {
        AttachmentKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_blob_is_for_stands_in_the_names_that_tools_give_it() {
        let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let in_toto = "application/vnd.in-toto+json";
        let sbom = "application/vnd.cyclonedx+json";
        for (media_type, artifact_type, predicate_type, kind) in [
            (SIGNATURES[0], None, None, AttachmentKind::Signature),
            (
                SIGNATURES[2],
                Some(SIGNATURES[1]),
                None,
                AttachmentKind::Signature,
            ),
            (
                bundle,
                Some(bundle),
                Some(SIGNED),
                AttachmentKind::Signature,
            ),
            (bundle, Some(bundle), None, AttachmentKind::Signature),
            (
                bundle,
                Some(bundle),
                Some("https://slsa.dev/provenance/v1"),
                AttachmentKind::Provenance,
            ),
            (
                in_toto,
                None,
                Some("https://spdx.dev/Document"),
                AttachmentKind::Sbom,
            ),
            (
                in_toto,
                None,
                Some("https://slsa.dev/provenance/v0.2"),
                AttachmentKind::Provenance,
            ),
            (
                in_toto,
                None,
                Some("https://example.com/tested"),
                AttachmentKind::Statement,
            ),
            ("text/spdx", None, None, AttachmentKind::Sbom),
            (sbom, Some(sbom), None, AttachmentKind::Sbom),
            (
                "text/plain",
                Some("application/vnd.example"),
                None,
                AttachmentKind::Other,
            ),
        ] {
            let found = kind_of(media_type, artifact_type, predicate_type);
            assert_eq!(found, kind, "{media_type} {predicate_type:?}");
        }
    }
}
