//! What the library says of images and stores, in the person's language.

use std::borrow::Cow;

use carryall::base::saying::{Saying, Template};
use carryall::oci::image::sayings as of;
use carryall::ops::maintain::check::{READY_DAMAGED, ROOTS_GONE};
use carryall::ops::{ROOT_DAMAGED, ROOT_MISNAMED};
use carryall::store::{CANNOT_BE_READ, QUARANTINE_LOST};

use super::catalog::find;

/// A sentence of the library in the person's language.
pub fn said(saying: &Saying) -> String {
    saying.in_words(&words)
}

/// The words for a template, with its places as they are in it.
fn words(template: Template) -> Option<Cow<'static, str>> {
    let (_, id) = MESSAGES.iter().find(|(other, _)| *other == template)?;
    let places = [
        ("one", "{0}"),
        ("two", "{1}"),
        ("three", "{2}"),
        ("four", "{3}"),
    ];
    let places = places.map(|(name, place)| (name, place.into()));
    find(id, &places).map(Cow::Owned)
}

/// Templates of the library, and the ids of their messages.
const MESSAGES: &[(Template, &str)] = &[
    (READY_DAMAGED, "saying-ready-damaged"),
    (CANNOT_BE_READ, "saying-cannot-be-read"),
    (QUARANTINE_LOST, "saying-quarantine-lost"),
    (ROOT_DAMAGED, "saying-root-damaged"),
    (ROOT_MISNAMED, "saying-root-misnamed"),
    (ROOTS_GONE, "saying-roots-gone"),
    (of::TEXT, "saying-text"),
    (of::IT, "saying-it"),
    (of::AND, "saying-and"),
    (of::CONFIG, "saying-config"),
    (of::LAYER, "saying-layer"),
    (of::ABSENT, "saying-absent"),
    (of::TWICE, "saying-twice"),
    (of::OUTSIDE, "saying-outside"),
    (of::LINKS, "saying-links"),
    (of::CLOSED, "saying-closed"),
    (of::PACKED, "saying-packed"),
    (of::TOO_DEEP, "saying-too-deep"),
    (of::MORE_HOLDERS, "saying-more-holders"),
    (of::MORE_FILES, "saying-more-files"),
    (of::NO_INDEX, "saying-no-index"),
    (of::LONG_DOCUMENT, "saying-long-document"),
    (of::LONG_METADATA, "saying-long-metadata"),
    (of::UNREADABLE_DOCUMENT, "saying-unreadable-document"),
    (of::LONG, "saying-long"),
    (of::UNREADABLE, "saying-unreadable"),
    (of::WRONG_SIZE, "saying-wrong-size"),
    (of::BYTES, "saying-bytes"),
    (of::MISMATCH, "saying-mismatch"),
    (of::NO_CONFIG, "saying-no-config"),
    (of::BAD_DIFF_ID, "saying-bad-diff-id"),
    (of::LAYERS_DOCKER, "saying-layers-docker"),
    (of::LAYERS_CONFIG, "saying-layers-config"),
    (of::TOO_MANY_INDEXES, "saying-too-many-indexes"),
    (of::NO_DIGEST, "saying-no-digest"),
    (of::NO_MANIFEST, "saying-no-manifest"),
    (of::UNKNOWN_MANIFEST, "saying-unknown-manifest"),
    (of::WITHOUT_CONFIG, "saying-without-config"),
    (of::MORE_IMAGES, "saying-more-images"),
    (of::TWO_IMAGES, "saying-two-images"),
    (of::MIXED, "saying-mixed"),
    (of::LACKING, "saying-lacking"),
    (of::TWINS, "saying-twins"),
    (of::BAD_NAME, "saying-bad-name"),
    (of::NAMELESS, "saying-nameless"),
    (of::SECOND, "saying-second"),
    (of::BY_DIGEST, "saying-by-digest"),
    (of::OTHER_HOST, "saying-other-host"),
    (of::BY_HOST, "saying-by-host"),
    (of::OLDER, "saying-older"),
    (of::ORPHAN, "saying-orphan"),
    (of::OF_INDEX, "saying-of-index"),
    (of::UNNAMED, "saying-unnamed"),
    (of::NOT_WORKING, "saying-not-working"),
    (of::LEFT, "saying-left"),
    (of::NOTHING_LEFT, "saying-nothing-left"),
    (of::LOST, "saying-lost"),
    (of::NOT_RUNNABLE, "saying-not-runnable"),
    (of::NO_BLOB, "saying-no-blob"),
    (of::BLOB_MISMATCH, "saying-blob-mismatch"),
    (of::BLOB, "saying-blob"),
    (of::ARCHIVE, "saying-archive"),
    (of::CHUNK, "saying-chunk"),
    (of::NO_CHUNK, "saying-no-chunk"),
    (of::CORRUPT, "saying-corrupt"),
    (of::NEWER, "saying-newer"),
    (of::REBUILT, "saying-rebuilt"),
    (of::REMAKE, "saying-remake"),
    (of::BAD_HOST, "saying-bad-host"),
    (of::BAD_REPOSITORY, "saying-bad-repository"),
    (of::BAD_TAG, "saying-bad-tag"),
    (of::BAD_DIGEST, "saying-bad-digest"),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::messages::catalog::in_language;

    #[test]
    fn everything_that_is_said_of_images_has_a_message() {
        for template in of::ALL {
            let english = in_language("en", || words(*template));
            assert_eq!(english.as_deref(), Some(template.english()));
        }
        for (number, (template, id)) in MESSAGES.iter().enumerate() {
            let english = in_language("en", || words(*template));
            assert_eq!(english.as_deref(), Some(template.english()), "{id}");
            let again = MESSAGES[number + 1..].iter();
            let again = again.filter(|(other, other_id)| other == template || other_id == id);
            assert_eq!(again.count(), 0, "{id} twice");
        }
        let saying = of::IT
            .saying_that(of::CONFIG.with("x"))
            .saying_that(of::BYTES.with(1).with(2));
        let chinese = in_language("zh-CN", || said(&saying));
        assert_eq!(chinese, "配置 x 有 1 字节，而声明的是 2 字节");
    }

    #[test]
    fn nothing_is_said_of_images_in_english_alone() {
        let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let named = [
            "ops/publish/load/mod.rs",
            "ops/publish/push.rs",
            "ops/publish/serve.rs",
            "ops/maintain/show.rs",
            "ops/checkout/images.rs",
        ];
        let mut files: Vec<_> = named.iter().map(|name| src.join(name)).collect();
        let mut folders = vec![
            src.join("oci/image"),
            src.join("ops/publish/repositories"),
            src.join("oci/registry"),
        ];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        assert!(files.len() > 40);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for word in [
                "Finding::note(",
                "Finding::loss(",
                "Finding::damage(",
                "Finding::new(",
            ] {
                assert!(!text.contains(word), "{} has {word}", file.display());
            }
        }
    }
}
