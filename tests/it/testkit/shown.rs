//! What tests of images share: two images, files that are given and added, and what `show` reports of them.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::made::{Made, digest};
use super::stage::{self, Stage};

pub fn web() -> Made {
    Made::new("registry.example/shop/web:1.0", "amd64", 11)
}

pub fn api() -> Made {
    Made::new("registry.example/shop/api:1.0", "amd64", 12)
}

impl Stage {
    /// Puts a file among what was given.
    pub fn give(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path("given")).unwrap();
        fs::write(self.path("given").join(name), bytes).unwrap();
    }

    /// Adds all that was given.
    #[track_caller]
    pub fn add(&self, release: &str) {
        let mut words = vec!["add".into(), release.into()];
        words.extend(
            stage::visible(&self.path("given"))
                .iter()
                .map(|path| path.as_os_str().to_owned()),
        );
        self.run(&words).ends_with(0);
    }

    /// The report of a release.
    #[track_caller]
    pub fn show(&self, release: &str) -> Value {
        self.run(&["--json", "show", release]).ends_with(0).json()
    }
}

/// Names, ids and platforms of all images in a report.
pub fn images(report: &Value) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let images = report["images"].as_array().unwrap().iter();
    images
        .map(|image| {
            (
                text(&image["references"][0]),
                text(&image["id"]),
                text(&image["platform"]),
            )
        })
        .collect()
}

pub fn expected(images: &[Made]) -> BTreeSet<(String, String, String)> {
    let of = |image: &Made| {
        (
            image.reference.clone(),
            digest(&image.config()),
            format!("linux/{}", image.arch),
        )
    };
    images.iter().map(of).collect()
}

#[track_caller]
pub fn findings(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|each| {
            format!(
                "{}: {}",
                each["subject"].as_str().unwrap(),
                each["message"].as_str().unwrap()
            )
        })
        .collect()
}
