//! Messages about the signatures of images, and about what else is attached to them.

use std::path::Path;

use carryall::oci::attachments::{Attachment, AttachmentKind};
use carryall::oci::signatures::{
    ImageSignature, ImageStanding, ImageVerdict, SignatureFormat, SignatureState,
};
use carryall::ops::checkout::attached::AttachmentReport;
use carryall::ops::maintain::show::{DocumentFormat, ShowReport, ShownImage};

use super::{bytes, enumerated, image_name, line, message, platform, shown};

/// Most signatures of an image that get a line.
const SIGNATURES_SHOWN: usize = 16;

/// What is attached to the images, and the SBOMs and the like among the files.
pub fn attachments(report: &ShowReport) -> String {
    let mut out = String::new();
    if !report.attachments.is_empty() {
        let (count, release) = (report.attachments.len(), report.name.to_string());
        out += &line(message!("attachments", count, release));
    }
    for attachment in &report.attachments {
        let mut own = report.images.iter();
        let own = own.find(|image| image.digest == attachment.subject);
        let names = own.map(|image| image.references.clone());
        out += &attachment_line(attachment, &names.unwrap_or_default());
    }
    if !report.documents.is_empty() {
        out += &line(message!("documents", count = report.documents.len()));
    }
    for document in &report.documents {
        let format = match document.format {
            DocumentFormat::Spdx => "SPDX",
            DocumentFormat::CycloneDx => "CycloneDX",
            DocumentFormat::InToto => "in-toto",
            _ => "Sigstore",
        };
        let path = [&document.item[..], &document.path].join("/");
        let (path, size) = (shown(path.trim_end_matches('/')), bytes(document.bytes));
        out += &format!("  {size:>9}  {format}  {path}\n");
    }
    out
}

/// Something that is attached to an image with these names.
pub fn attachment_line(attachment: &Attachment, names: &[String]) -> String {
    let kind = match attachment.kind {
        AttachmentKind::Signature => message!("attachment-signature"),
        AttachmentKind::Sbom => message!("attachment-sbom"),
        AttachmentKind::Provenance => message!("attachment-provenance"),
        AttachmentKind::Statement => message!("attachment-statement"),
        _ => message!("attachment-other"),
    };
    let what = attachment.predicate_type.as_ref();
    let what = shown(what.unwrap_or(&attachment.media_type)).into_owned();
    let image = image_name(names, &attachment.subject);
    let size = if attachment.is_there {
        bytes(attachment.bytes)
    } else {
        "-".to_owned()
    };
    let said = message!("attachment", kind, what, image);
    format!("  {size:>9}  {said}\n")
}

/// What was taken out.
pub fn attachments_out(report: &AttachmentReport, dest: &Path) -> String {
    let (count, release) = (report.attachments.len(), report.release.to_string());
    let total = bytes(report.bytes);
    line(message!("attachments-out", release, count, total, dest))
}

/// What the signatures of the images are worth, which were verified with so many keys.
pub fn image_signatures(report: &ShowReport, keys: usize) -> String {
    let verdicts = report.images.iter();
    let verdicts: Vec<(&ShownImage, &ImageVerdict)> = verdicts
        .filter_map(|image| Some((image, image.signatures.as_ref()?)))
        .collect();
    if verdicts.is_empty() {
        return String::new();
    }
    let count = verdicts.len();
    let right = verdicts.iter().filter(|(_, verdict)| verdict.is_verified());
    let verified = right.count();
    let mut out = line(message!("signatures", count, verified, keys));
    for (image, verdict) in verdicts {
        let name = image_name(&image.references, &image.digest);
        let platform = platform(image.platform.as_ref());
        let said = standing(image, verdict);
        out += &format!("  {name}  {platform}  {said}\n");
        let signatures = verdict.signatures.iter().chain(&verdict.statements);
        for signature in signatures.take(SIGNATURES_SHOWN) {
            out += &format!("    {}\n", signature_line(signature));
        }
        if verdict.is_cut {
            out += &format!("    {}\n", message!("signatures-cut"));
        }
    }
    if keys == 0 {
        out += &line(message!("signatures-no-key"));
    }
    out + &line(message!("signatures-no-network"))
}

fn standing(image: &ShownImage, verdict: &ImageVerdict) -> String {
    match verdict.standing {
        ImageStanding::Verified => {
            let names = enumerated(&verdict.signed_by);
            let digest = verdict.signed_digest.as_ref();
            match digest.filter(|digest| **digest != image.digest) {
                Some(index) => message!(
                    "standing-verified-index",
                    names,
                    index = index.short().to_string()
                ),
                None => message!("standing-verified", names),
            }
        }
        ImageStanding::OtherName => message!("standing-other-name"),
        ImageStanding::Wrong => message!("standing-wrong"),
        ImageStanding::Stranger => message!("standing-stranger"),
        ImageStanding::NotChecked => message!("standing-not-checked"),
        ImageStanding::NoManifest => message!("standing-no-manifest"),
        _ => message!("standing-not-signed"),
    }
}

fn signature_line(signature: &ImageSignature) -> String {
    let what = match &signature.predicate_type {
        Some(kind) => message!("signature-statement", kind = shown(kind).into_owned()),
        None if signature.is_statement() => message!("signature-statement-unread"),
        None => match signature.format {
            SignatureFormat::SigstoreBundle => message!("signature-bundle"),
            SignatureFormat::Notation => message!("signature-notation"),
            _ => message!("signature-cosign"),
        },
    };
    let key = signature.key.clone().unwrap_or_default();
    let digest = signature.signs.as_ref().map(ToString::to_string);
    let digest = digest.unwrap_or_default();
    match (signature.state, &signature.key) {
        (SignatureState::Verified, _) => message!("signature-verified", what, key),
        (SignatureState::OtherName, _) => message!("signature-other-name", what, key),
        (SignatureState::OtherImage, Some(_)) => {
            message!("signature-copied", what, key, digest)
        }
        (SignatureState::OtherImage, None) => message!("signature-other-image", what, digest),
        (SignatureState::Wrong, _) => message!("signature-wrong", what),
        (SignatureState::Stranger, _) => message!("signature-stranger", what),
        (SignatureState::Keyless, _) => message!("signature-keyless", what),
        (SignatureState::NotChecked, _) => message!("signature-not-checked", what),
        _ => message!("signature-unreadable", what),
    }
}
