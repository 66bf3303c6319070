//! Versions side by side at a site without containers: installed, edited, updated, rolled back; and which releases stay.

use crate::testkit::stage;

use std::fs;
use std::os::unix::fs::MetadataExt;

use stage::{Stage, noise, text};

/// A product of which `version` is the second half of every second file.
fn give(stage: &Stage, version: u64) {
    let app = stage.path("given/app");
    fs::create_dir_all(app.join("bin")).unwrap();
    fs::create_dir_all(app.join("conf")).unwrap();
    let files = [
        ("bin/tool", noise(1, 300_000)),
        ("bin/helper", noise(100 + version, 20_000)),
        ("conf/site.env", format!("LEVEL={version}\n").into_bytes()),
        (
            "conf/untouched.env",
            format!("FROM={version}\n").into_bytes(),
        ),
        ("conf/rules.conf", text(7, 2000)),
    ];
    for (name, bytes) in files {
        let path = app.join(name);
        // What did not change is not touched, so that its time stays.
        if fs::read(&path).ok().as_ref() != Some(&bytes) {
            fs::write(path, bytes).unwrap();
        }
    }
    let release = format!("app:1.{version}");
    stage.run(&["add", &release, "given/app"]).ends_with(0);
}

fn read(stage: &Stage, name: &str) -> String {
    fs::read_to_string(stage.path(name)).unwrap()
}

#[test]
fn an_update_keeps_what_the_site_edited_and_goes_back() {
    let stage = Stage::new();
    give(&stage, 0);
    stage
        .run(&["rollback", "opt"])
        .fails_with(1, &["no version"]);
    let run = stage
        .run(&["install", "app:1.0", "--into", "opt"])
        .ends_with(0);
    assert!(run.stdout.contains("opt/current leads to it"), "{run:#?}");
    assert_eq!(
        fs::read_link(stage.path("opt/current")).unwrap().to_str(),
        Some("releases/1.0")
    );
    fs::write(stage.path("opt/current/app/conf/site.env"), "LEVEL=mine\n").unwrap();
    fs::write(stage.path("opt/current/app/conf/local.env"), "MORE=1\n").unwrap();
    fs::write(stage.path("opt/current/app/conf/rules.conf"), "gone\n").unwrap();

    give(&stage, 1);
    let run = stage
        .run(&["install", "app:1.1", "--into", "opt", "--json"])
        .ends_with(0);
    let report = run.json();
    assert_eq!(report["before"], "1.0");
    assert_eq!(report["shared"]["files"], 1, "{report}");
    assert_eq!(
        read(&stage, "opt/current/app/conf/site.env"),
        "LEVEL=mine\n"
    );
    assert_eq!(
        read(&stage, "opt/current/app/conf/site.env.shipped"),
        "LEVEL=1\n"
    );
    assert_eq!(read(&stage, "opt/current/app/conf/local.env"), "MORE=1\n");
    // Never edited: the release's word counts. Not named by a pattern: so does it.
    assert_eq!(
        read(&stage, "opt/current/app/conf/untouched.env"),
        "FROM=1\n"
    );
    let rules = fs::read(stage.path("opt/current/app/conf/rules.conf")).unwrap();
    assert_eq!(rules, text(7, 2000));
    let tool = |version: &str| {
        let path = stage.path(&format!("opt/releases/{version}/app/bin/tool"));
        assert!(fs::read(&path).unwrap() == noise(1, 300_000));
        fs::metadata(path).unwrap()
    };
    // A hard link, or a clone where the file system has them.
    assert_eq!(tool("1.0").mtime_nsec(), tool("1.1").mtime_nsec());

    let run = stage.run(&["rollback", "opt"]).ends_with(0);
    assert!(run.stdout.contains("from 1.1 to 1.0"), "{run:#?}");
    assert_eq!(
        read(&stage, "opt/current/app/conf/site.env"),
        "LEVEL=mine\n"
    );
    assert_eq!(
        read(&stage, "opt/current/app/conf/untouched.env"),
        "FROM=0\n"
    );
    // What is there is switched to as it is.
    let run = stage
        .run(&["install", "app:1.1", "--into", "opt"])
        .ends_with(0);
    assert!(run.stdout.contains("already"), "{run:#?}");
    // Links were made for two versions; the site goes on editing one of them.
    give(&stage, 2);
    let run = stage
        .run(&[
            "install",
            "app:1.2",
            "--into",
            "opt",
            "--copy",
            "--keep",
            "*/rules.*",
            "--json",
        ])
        .ends_with(0);
    let report = run.json();
    assert_eq!(report["shared"]["files"], 0, "{report}");
    assert_eq!(read(&stage, "opt/current/app/conf/site.env"), "LEVEL=2\n");
}

#[test]
fn what_is_not_as_it_should_be_is_left_alone() {
    let stage = Stage::new();
    give(&stage, 0);
    stage
        .run(&["install", "app:1.0", "--into", "opt"])
        .ends_with(0);
    // Another release of the same name.
    give(&stage, 1);
    stage.run(&["rm", "app:1.0"]).ends_with(0);
    stage.run(&["add", "app:1.0", "given/app"]).ends_with(0);
    stage
        .run(&["install", "app:1.0", "--into", "opt"])
        .fails_with(1, &["there already", "another folder"]);
    // A link of somebody else's.
    fs::remove_file(stage.path("opt/current")).unwrap();
    fs::create_dir(stage.path("opt/current")).unwrap();
    stage
        .run(&["install", "app:1.1", "--into", "opt"])
        .fails_with(1, &["no link to a version"]);
    fs::remove_dir(stage.path("opt/current")).unwrap();
    // A folder that leads elsewhere in the new release: nothing is written through it.
    std::os::unix::fs::symlink("releases/1.0", stage.path("opt/current")).unwrap();
    fs::write(stage.path("opt/current/app/conf/site.env"), "LEVEL=mine\n").unwrap();
    fs::create_dir(stage.path("outside")).unwrap();
    fs::remove_dir_all(stage.path("given/app/conf")).unwrap();
    std::os::unix::fs::symlink(stage.path("outside"), stage.path("given/app/conf")).unwrap();
    stage.run(&["add", "app:2.0", "given/app"]).ends_with(0);
    let run = stage
        .run(&["install", "app:2.0", "--into", "opt"])
        .ends_with(0);
    assert!(run.stdout.contains("NOT taken over"), "{run:#?}");
    assert_eq!(fs::read_dir(stage.path("outside")).unwrap().count(), 0);
    // Bad words.
    stage
        .run(&["install", "app:2.0", "--into", "opt", "--keep", "/etc/*"])
        .ends_with(2);
    stage
        .run(&["install", "app:9", "--into", "opt"])
        .fails_with(1, &["no release app:9"]);
}

#[test]
fn the_newest_releases_stay_and_those_that_are_marked() {
    let stage = Stage::new();
    for version in [0, 9, 10, 11] {
        give(&stage, version);
    }
    stage
        .run(&["add", "app:1.0@arm64", "given/app"])
        .ends_with(0);
    stage.run(&["keep", "app:1.0"]).ends_with(0);
    stage.run(&["keep", "app:7"]).fails_with(1, &["no release"]);
    stage.run(&["prune", "--keep-last", "0"]).ends_with(2);
    let run = stage.run(&["prune", "--keep-last", "2"]).ends_with(0);
    assert!(
        run.stdout.contains("app:1.9 is removed") && run.stdout.contains("app:1.0 stays"),
        "{run:#?}"
    );
    let left = || {
        let list = stage.run(&["list", "--json"]).ends_with(0).json();
        let releases = list["releases"].as_array().unwrap().clone();
        let names = releases
            .iter()
            .map(|each| each["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<String>>()
    };
    assert_eq!(left(), ["app:1.0", "app:1.0@arm64", "app:1.10", "app:1.11"]);
    for release in left() {
        let dest = format!("back-{}", release.replace([':', '@'], "-"));
        stage.run(&["checkout", &release, &dest]).ends_with(0);
    }
    stage.run(&["keep", "app:1.0", "--no-longer"]).ends_with(0);
    stage.run(&["prune", "--keep-last", "1"]).ends_with(0);
    assert_eq!(left(), ["app:1.0@arm64", "app:1.11"]);
    stage.run(&["check", "--data"]).ends_with(0);
}
