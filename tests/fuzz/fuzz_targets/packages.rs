//! Documents of packages, of any text: metadata of templates, compose files and charts.
#![no_main]

use carryall::oci::image::Images;
use carryall::base::monitor::Silent;
use carryall_fuzz::release_of;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // Empty files are as good as none.
    let input = if input.is_empty() { b" " } else { input };
    let file = |path: &str| (path.to_owned(), input.to_vec());
    let other = |path: &str| (path.to_owned(), b"#!/bin/sh\n".to_vec());
    let (memory, root) = release_of(&[
        file("mall-1.0-ram/metadata.json"),
        file("mall-1.0-dockercompose/docker-compose.yaml"),
        other("mall-1.0-dockercompose/run.sh"),
        file("mall-1.0-helm/mall/Chart.yaml"),
        other("mall-1.0-helm/component-images.tar"),
    ]);
    let images = Images::find(&memory, &root, &Silent).expect("the item can be read");
    // Compose files and charts are known by where they lie, whatever is in them.
    let count = images.packages().len();
    assert!((2..=3).contains(&count), "{count}");
});
