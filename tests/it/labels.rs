//! `labels`: the page has a sheet for each volume, prints on A4, and its codes are read by zbar from a picture of it.

use std::fs;
use std::process::Command;

use crate::qr_codes::read_codes;
use crate::testkit::programs::{has, run};
use crate::testkit::stage::{Stage, noise};

/// A hostile name that no markup may come from.
const CONTACT: &str = "<script>alert(1)</script> & \"Zhang\"";

fn packed() -> Stage {
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(2, 2_000_000)).unwrap();
    stage.run(&["add", "商城:1.0", "setup.bin"]).ends_with(0);
    stage
        .run(&[
            "pack",
            "商城:1.0",
            "--to",
            "discs",
            "--media",
            "6MB",
            "--spare",
            "1",
            "--contact",
            CONTACT,
            "--date",
            "2026-11-28",
        ])
        .ends_with(0);
    stage
}

#[test]
fn a_sheet_for_each_volume_and_no_markup_from_outside() {
    let stage = packed();
    let words = [
        "labels",
        "discs",
        "--to",
        "labels.html",
        "--number",
        "MR-17<b>",
    ];
    let report = stage
        .run(&[&words[..], &["--json"]].concat())
        .ends_with(0)
        .json();
    let labels = report["labels"].as_array().unwrap();
    assert_eq!((labels.len(), &labels[1]["spare"]), (2, &true.into()));
    assert_eq!(labels[1]["number"], "MR-17<b>-2");
    let page = fs::read_to_string(stage.path("labels.html")).unwrap();
    assert_eq!(page.matches("class=\"sheet\"").count(), 2);
    for said in [
        "Volume 2 of 2",
        "第 2 卷，共 2 卷",
        "商城:1.0",
        "SPARE",
        "2026-11-28",
        "&lt;script&gt;",
        "MR-17&lt;b&gt;-2",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("<script") && !page.contains("<b>-2"));
    // An earlier page is replaced, and nothing else is.
    stage.run(&words).ends_with(0);
    fs::write(stage.path("other.html"), "<!DOCTYPE html>\nnot ours").unwrap();
    stage
        .run(&["labels", "discs", "--to", "other.html"])
        .fails_with(1, &["other.html"]);
    stage
        .run(&["labels", "discs", "--to", "discs/labels.html"])
        .ends_with(0);
    stage
        .run(&["labels", "setup.bin"])
        .fails_with(1, &["no carryall volume"]);
    let set = labels[0]["set_id"].as_str().unwrap();
    let run = stage.run(&["labels", "discs"]).ends_with(0);
    assert!(
        run.stdout.contains(&format!("labels-{}.html", &set[..8])),
        "{run:#?}"
    );
}

#[test]
fn the_codes_are_read_from_what_a_browser_prints() {
    if !has(&["zbarimg", "chromium"]) {
        return;
    }
    let stage = packed();
    let run_labels = ["labels", "discs", "--to", "labels.html", "--json"];
    let report = stage.run(&run_labels).ends_with(0).json();
    let set = report["labels"][0]["set_id"]
        .as_str()
        .unwrap()
        .to_uppercase();
    let browser = |words: &[&str]| {
        let mut command = Command::new("chromium");
        let quiet = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--user-data-dir=profile",
        ];
        command.args(quiet).args(words).arg("labels.html");
        run(command
            .env("HOME", stage.path(""))
            .current_dir(stage.path("")));
    };
    browser(&[
        "--window-size=900,2400",
        "--force-device-scale-factor=2",
        "--screenshot=labels.png",
    ]);
    let mut codes = read_codes(&stage.path("labels.png"));
    codes.sort();
    codes.dedup();
    assert_eq!(
        codes,
        [format!("CARRYALL {set} 1/2"), format!("CARRYALL {set} 2/2")]
    );
    // Each sheet is one page of paper.
    browser(&["--no-pdf-header-footer", "--print-to-pdf=labels.pdf"]);
    let pdf = fs::read(stage.path("labels.pdf")).unwrap();
    let pdf = String::from_utf8_lossy(&pdf);
    assert!(pdf.contains("/Count 2"), "two pages");
}
