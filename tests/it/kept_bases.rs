//! What a new release keeps is a base for what resembles it: a changed copy beside the original costs as little as one in
//! its place.

use crate::testkit::stage::{Stage, noise};

use std::fs;

/// Noise of this seed with a byte changed in every 20,000.
fn changed(seed: u64) -> Vec<u8> {
    let mut bytes = noise(seed, 1_400_000);
    for at in (7..bytes.len()).step_by(20_000) {
        bytes[at] ^= 1;
    }
    bytes
}

fn payload_bytes(stage: &Stage, words: &[&str]) -> u64 {
    let run = stage.run(words).ends_with(0);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    report["plan"]["payload_bytes"]
        .as_u64()
        .unwrap_or_else(|| panic!("{report:#}"))
}

#[test]
fn a_changed_copy_beside_the_original_costs_as_little_as_one_in_its_place() {
    let vendor = Stage::new();
    for folder in ["one", "beside", "instead"] {
        fs::create_dir(vendor.path(folder)).unwrap();
        fs::write(vendor.path(&format!("{folder}/notes.txt")), folder).unwrap();
    }
    fs::write(vendor.path("one/server-1.0"), noise(1, 1_400_000)).unwrap();
    fs::write(vendor.path("beside/server-1.0"), noise(1, 1_400_000)).unwrap();
    fs::write(vendor.path("beside/server-1.1"), changed(1)).unwrap();
    fs::write(vendor.path("instead/server-1.1"), changed(1)).unwrap();
    for (release, folder) in [
        ("shop:1", "one"),
        ("shop:2", "beside"),
        ("shop:3", "instead"),
    ] {
        vendor.run(&["add", release, folder]).ends_with(0);
    }
    let pack = |release: &str, to: &str, effort: &str| {
        let words = [
            "pack", release, "--since", "shop:1", "--to", to, "--media", "8MB", "--spare", "0",
            "--effort", effort, "--json",
        ];
        payload_bytes(&vendor, &words)
    };
    for effort in ["fast", "default"] {
        let beside = pack("shop:2", &format!("beside-{effort}"), effort);
        let instead = pack("shop:3", &format!("instead-{effort}"), effort);
        assert!(
            beside < instead + 2000 && beside < 20_000,
            "{effort}: {beside} beside, {instead} instead"
        );
    }

    // A site that has the old release takes it, and what it depends on is named to one that has not.
    let base = [
        "pack", "shop:1", "--to", "base", "--media", "8MB", "--spare", "0",
    ];
    vendor.run(&base).ends_with(0);
    let site = Stage::new();
    let given = |folder: &str| vendor.path(folder).to_str().unwrap().to_owned();
    let delta = given("beside-default");
    let run = site.run(&["receive", &delta]).ends_with(4);
    assert!(run.stdout.contains("shop:1"), "{run:#?}");
    site.run(&["receive", &given("base")]).ends_with(0);
    site.run(&["checkout", "shop:2", "back"]).ends_with(0);
    let back = fs::read(site.path("back/beside/server-1.1")).unwrap();
    assert!(back == changed(1));
}
