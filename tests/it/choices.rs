//! `--image` and `--platform` mean the same wherever images are chosen: shown, given out, pushed and served.

use crate::testkit::registry_parts;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use carryall::base::monitor::Silent;
use carryall::oci::image::export::ImageForm;
use carryall::oci::image::{Choice, ChoiceError};
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::CheckoutError;
use carryall::ops::checkout::images::{ImageOptions, checkout_images};
use carryall::ops::maintain::show::show_chosen;
use carryall::ops::publish::repositories::{self, PublishRequest};
use carryall::ops::{self, Error};
use carryall::store::Store;
use registry_parts::LayoutMaker;
use serde_json::Value;

/// `web:1.0` for two platforms and `web:1.1` for one, and `db:2` for one.
fn shop(folder: &std::path::Path) -> (Store, [String; 4]) {
    let mut layout = LayoutMaker::new(&folder.join("layout"));
    let (amd, arm) = (
        layout.image("amd64", &[1, 2]),
        layout.image("arm64", &[1, 3]),
    );
    let index = layout.index(&[amd.clone(), arm.clone()]);
    let later = layout.image("amd64", &[1, 5]);
    let db = layout.image("amd64", &[1, 4]);
    layout.name(&index, Some("registry.example/shop/web:1.0"));
    layout.name(&later, Some("registry.example/shop/web:1.1"));
    layout.name(&db, Some("shop/db:2"));
    let store = Store::create(&folder.join("store")).unwrap();
    let paths = [layout.folder.clone()];
    let name = "shop:1.0".parse().unwrap();
    add(&store, &name, &paths, &AddOptions::default(), &Silent).unwrap();
    let digest = |value: &Value| value["digest"].as_str().unwrap().to_owned();
    (
        store,
        [digest(&amd), digest(&arm), digest(&later), digest(&db)],
    )
}

/// What each of them takes, or that there is no such thing.
fn chosen(store: &Store, choice: &Choice) -> Vec<Result<BTreeSet<String>, ChoiceError>> {
    let name: carryall::content::release::ReleaseName = "shop:1.0".parse().unwrap();
    let root = ops::release(store, &name).unwrap();
    let refused = |error: Error| match error {
        Error::Choice(error) | Error::Checkout(CheckoutError::Choice(error)) => error,
        other => panic!("{other}"),
    };
    let shown = show_chosen(store, &root, choice, &Silent).map_err(refused);
    let digests = |images: Vec<carryall::ops::maintain::show::ShownImage>| {
        let digests = images.into_iter().map(|image| image.digest.to_string());
        digests.collect::<BTreeSet<String>>()
    };
    let back = tempfile::tempdir().unwrap();
    let dest = back.path().join("oci");
    let mut options = ImageOptions::new(ImageForm::OciLayout);
    options.choice = choice.clone();
    let given = checkout_images(store, &name, &dest, &options, &Silent)
        .map(|report| {
            assert!(report.is_whole());
            let images = report.images.into_iter();
            images
                .map(|image| image.digest.to_string())
                .collect::<BTreeSet<String>>()
        })
        .map_err(refused);
    let wanted = PublishRequest {
        choice: choice.clone(),
        prefix: None,
    };
    let planned = repositories::plan(store, &[name], &wanted, &Silent)
        .map(|plan| {
            let images: BTreeSet<String> = plan
                .images
                .images()
                .iter()
                .map(|image| image.manifest.digest.to_string())
                .collect();
            let manifests = plan.repositories.iter().flat_map(|each| &each.manifests);
            let digests = manifests.map(|manifest| manifest.descriptor.digest.to_string());
            digests.filter(|digest| images.contains(digest)).collect()
        })
        .map_err(refused);
    vec![shown.map(|report| digests(report.images)), given, planned]
}

fn choice(images: &[&str], platforms: &[&str]) -> Choice {
    let mut choice = Choice::default();
    choice.images = images.iter().map(|name| (*name).to_owned()).collect();
    choice.platforms = platforms.iter().map(|text| text.parse().unwrap()).collect();
    choice
}

#[test]
fn images_and_platforms_are_chosen_by_one_rule() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [amd, arm, later, db]) = shop(folder.path());
    let short = &later["sha256:".len()..][..12];
    let cases: [(Choice, &[&String]); 9] = [
        (choice(&[], &[]), &[&amd, &arm, &later, &db]),
        (choice(&["shop/web:1.0"], &[]), &[&amd, &arm]),
        (choice(&["registry.example/shop/web:1.1"], &[]), &[&later]),
        // Without a tag: all of them.
        (choice(&["shop/web"], &[]), &[&amd, &arm, &later]),
        (choice(&["shop/db:2", short], &[]), &[&db, &later]),
        (choice(&[], &["linux/arm64"]), &[&arm]),
        (choice(&["shop/web"], &["linux/amd64"]), &[&amd, &later]),
        (
            choice(&[], &["linux/arm64", "linux/amd64"]),
            &[&amd, &arm, &later, &db],
        ),
        (choice(&["shop/web:1.0"], &["linux/aarch64"]), &[&arm]),
    ];
    for (choice, digests) in cases {
        let digests: BTreeSet<String> = digests.iter().map(|digest| (*digest).clone()).collect();
        for taken in chosen(&store, &choice) {
            assert_eq!(taken.unwrap(), digests, "{choice:?}");
        }
    }
    for wrong in [
        "shop/web:2",
        "other.example/shop/web:1.0",
        "web",
        "deadbeefdead",
    ] {
        for taken in chosen(&store, &choice(&[wrong], &[])) {
            let refused = taken.unwrap_err();
            assert!(
                matches!(&refused, ChoiceError::NoSuchImage { wanted, .. } if wanted == wrong),
                "{refused}"
            );
        }
    }
    // Each platform must be there, for something that is asked for.
    for (images, platforms) in [
        (&[][..], &["linux/s390x"][..]),
        (&["shop/db"], &["linux/arm64"]),
        (&[], &["linux/arm64", "linux/s390x"]),
    ] {
        for taken in chosen(&store, &choice(images, platforms)) {
            let refused = taken.unwrap_err();
            assert!(
                matches!(refused, ChoiceError::NoSuchPlatform { .. }),
                "{refused}"
            );
        }
    }
}

#[test]
fn the_command_takes_them_wherever_images_are() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [_, arm, ..]) = shop(folder.path());
    let place = store.dir().to_owned();
    drop(store);
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_carryall"))
            .arg("--store")
            .arg(&place)
            .args(words)
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, out, _) = run(&[
        "show",
        "shop:1.0",
        "--platform",
        "linux/arm64",
        "--image",
        "shop/web",
    ]);
    assert_eq!(code, Some(0));
    assert!(out.contains("images: 1,") && out.contains(&arm), "{out}");
    let nothing = ["--platform", "linux/s390x"];
    let to = folder.path().join("out");
    let to = to.to_str().unwrap();
    for words in [
        &["show", "shop:1.0"][..],
        &["checkout", "shop:1.0", to, "--as", "oci"],
        &["load", "shop:1.0"],
        &["push", "shop:1.0", "127.0.0.1:9"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let (code, _, said) = run(&[words, &nothing].concat());
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("no image for linux/s390x; there are some for linux/amd64, linux/arm64"),
            "{said}"
        );
        assert!(said.contains("hint: take one of the platforms"), "{said}");
    }
    assert!(!fs::exists(to).unwrap());
}
