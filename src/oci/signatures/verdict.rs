//! What is said of a signature, and of an image with all of its signatures.

use serde::Serialize;

use crate::oci::image::Digest;

/// The form of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignatureFormat {
    /// cosign's older form: a payload with the signature beside it.
    Cosign,
    /// An envelope with a statement, as `cosign attest` attached it in its older form.
    Dsse,
    /// Sigstore's bundle.
    SigstoreBundle,
    /// A signature of the CNCF's Notary Project, made with notation.
    Notation,
}

/// What a signature is worth here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignatureState {
    /// A key that is trusted for this image made it, for this image.
    Verified,
    /// A trusted key made it, and the site does not trust that key for images of this name.
    OtherName,
    /// It is a signature of another image.
    OtherImage,
    /// It names a trusted key, and that key did not make it.
    Wrong,
    /// No trusted key made it. Either another key did, or somebody changed what is signed.
    Stranger,
    /// It was made with a certificate, which only the network could vouch for.
    Keyless,
    /// This program does not check its form.
    NotChecked,
    /// It cannot be read as what it should be.
    Unreadable,
}

/// A signature, or a signed statement, of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImageSignature {
    /// Its form.
    pub format: SignatureFormat,
    /// What it is worth.
    pub state: SignatureState,
    /// The name of the trusted key that made it.
    pub key: Option<String>,
    /// What it stands beside: the manifest of the image, or an index that lists it.
    pub subject: Digest,
    /// Digest of its own manifest.
    pub manifest: Digest,
    /// What it signs, when that is not what it stands beside.
    pub signs: Option<Digest>,
    /// The name of the image that the signer wrote down.
    pub reference: Option<String>,
    /// What a signed statement says of the image. `None` for a signature.
    pub predicate_type: Option<String>,
}

impl ImageSignature {
    /// Returns whether it says something of the image, and is no signature of it.
    pub fn is_statement(&self) -> bool {
        self.format == SignatureFormat::Dsse || self.predicate_type.is_some()
    }
}

/// Whether an image counts as signed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImageStanding {
    /// A trusted key signed its manifest, or an index that lists it.
    Verified,
    /// A trusted key signed it that is not trusted for images of this name.
    OtherName,
    /// Something stands beside it that claims to be a signature of it and is not.
    Wrong,
    /// Somebody signed it whom nobody trusts here.
    Stranger,
    /// It has signatures that are not checked here.
    NotChecked,
    /// It is not signed.
    NotSigned,
    /// It came without a manifest, which is what signatures sign.
    NoManifest,
}

/// An image and its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImageVerdict {
    /// Whether it counts as signed.
    pub standing: ImageStanding,
    /// Names of the trusted keys whose signatures make it so.
    pub signed_by: Vec<String>,
    /// What they signed: the manifest, or an index that lists it.
    pub signed_digest: Option<Digest>,
    /// All signatures of it, and of indexes that list it.
    pub signatures: Vec<ImageSignature>,
    /// Signed statements about it. They say something of the image, and are no signatures of it.
    pub statements: Vec<ImageSignature>,
    /// Whether there were more than are read.
    pub is_cut: bool,
}

impl ImageVerdict {
    /// Returns whether the image counts as signed.
    pub fn is_verified(&self) -> bool {
        self.standing == ImageStanding::Verified
    }
}

/// An image that is not signed by a key that the site trusts for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnsignedImage {
    /// Its name, or the beginning of its digest.
    pub name: String,
    /// What its signatures are worth.
    pub standing: ImageStanding,
    /// Whether it is an index, whose images may be signed.
    pub is_index: bool,
}
