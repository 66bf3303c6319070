//! Stores in a bucket of a real object store: through every command, with many builders at once, and with what goes wrong.

use std::fs;
use std::path::Path;
use std::process::Command;

use carryall::store::storage::Storage;
use carryall::store::storage::conformance::conformance;
use carryall::store::storage::object::{ObjectAddress, ObjectStorage};

use crate::testkit::bytes::{noise, text};
use crate::testkit::cloud::{Cloud, bytes_below, ok};
use crate::testkit::faulty_proxy::FaultyProxy;
use crate::testkit::stage::{Run, kill, volumes};
use crate::testkit::trees::look;
use crate::testkit::weed::{KEY, SECRET};

/// Names the address that the test below works on.
const ADDRESS: &str = "CARRYALL_TEST_ADDRESS";

/// A release that is mostly the same for all seeds.
fn make_small(root: &Path, seed: u64) {
    fs::create_dir_all(root.join("files/deep")).unwrap();
    fs::write(root.join("common.bin"), noise(1, 12_000_000)).unwrap();
    fs::write(root.join("own.bin"), noise(seed + 100, 300_000)).unwrap();
    fs::write(root.join("files/deep/text"), text(seed, 200_000)).unwrap();
    fs::write(root.join("files/nothing"), b"").unwrap();
}

#[test]
fn a_real_server_keeps_the_promises_of_storage() {
    let Some(cloud) = Cloud::new() else { return };
    // Credentials come from the environment, so the body is a process of its own.
    let out = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "object_store::conformance_at_an_address",
            "--ignored",
            "--nocapture",
        ])
        .envs(cloud.bucket.environment(&cloud.stage.path("cache")))
        .env(ADDRESS, cloud.bucket.address("some/prefix"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{said}{errors}"
    );
}

#[test]
#[ignore = "run by the test above, in an environment with credentials"]
fn conformance_at_an_address() {
    let address = std::env::var_os(ADDRESS).unwrap();
    let address = ObjectAddress::parse(Path::new(&address)).unwrap();
    let spools = tempfile::tempdir().unwrap();
    let storage = ObjectStorage::open(&address, spools.path().to_owned()).unwrap();
    conformance(&storage);
    assert_eq!(storage.list("packs").unwrap().len(), 1);
}

#[test]
fn a_release_goes_through_a_bucket_and_comes_back() {
    let Some(cloud) = Cloud::new() else { return };
    let stage = &cloud.stage;
    make_small(&stage.path("one"), 1);
    make_small(&stage.path("two"), 2);
    ok(&mut cloud.add("shop:1.0", "one"));
    ok(&mut cloud.add("shop:1.1", "two"));
    // What is there is neither stored again nor refused.
    ok(&mut cloud.add("shop:1.1", "two"));
    let listed = cloud.run(&["list"]).ends_with(0).stdout;
    assert!(
        listed.contains("shop:1.0") && listed.contains("shop:1.1"),
        "{listed}"
    );
    cloud.run(&["show", "shop:1.1"]).ends_with(0);
    cloud.run(&["diff", "shop:1.0", "shop:1.1"]).ends_with(0);
    cloud.run(&["check", "--data"]).ends_with(0);
    cloud.run(&["keep", "shop:1.0"]).ends_with(0);
    // A machine that has nothing of it yet.
    cloud.comes_back("shop:1.0", "one", "other-cache");
    cloud.comes_back("shop:1.1", "two", "other-cache");

    // Out on media, and into the bucket of somebody else.
    cloud
        .run(&["pack", "shop:1.0", "--to", "first", "--media", "64MB"])
        .ends_with(0);
    cloud
        .run(&[
            "pack", "shop:1.1", "--since", "shop:1.0", "--to", "second", "--media", "64MB",
        ])
        .ends_with(0);
    let delta: u64 = volumes(&stage.path("second"))
        .iter()
        .map(|volume| bytes_below(volume))
        .sum();
    let full: u64 = volumes(&stage.path("first"))
        .iter()
        .map(|volume| bytes_below(volume))
        .sum();
    assert!(delta < full, "{delta} of {full}");
    for set in ["first", "second"] {
        let media = volumes(&stage.path(set));
        let mut words = vec!["receive"];
        words.extend(media.iter().map(|path| path.to_str().unwrap()));
        ok(&mut cloud.command_at(&words, "site", "site-cache"));
    }
    ok(&mut cloud.command_at(&["check", "--data"], "site", "site-cache"));
    ok(&mut cloud.command_at(&["checkout", "shop:1.1", "arrived"], "site", "site-cache"));
    assert!(look(&stage.path("arrived")) == look(&stage.path("two")));

    cloud.run(&["rm", "shop:1.0"]).ends_with(0);
    let listed = cloud.run(&["list"]).ends_with(0).stdout;
    assert!(!listed.contains("shop:1.0"), "{listed}");
    // What is marked goes when its time is over.
    fs::create_dir_all(stage.path("gone")).unwrap();
    fs::write(stage.path("gone/file"), noise(77, 500_000)).unwrap();
    ok(&mut cloud.add("gone:1", "gone"));
    cloud.run(&["rm", "gone:1"]).ends_with(0);
    let said = cloud.run(&["prune"]).ends_with(0).stdout;
    assert!(said.contains("marked"), "{said}");
    let said = cloud.run(&["prune"]).ends_with(0).stdout;
    assert!(said.contains("0 packs removed"), "{said}");
    let said = cloud.run(&["prune", "--grace", "0"]).ends_with(0).stdout;
    assert!(!said.contains("0 packs removed"), "{said}");
    cloud.run(&["check", "--data"]).ends_with(0);
    cloud.comes_back("shop:1.1", "two", "third-cache");
    cloud.comes_back("shop:1.1", "two", "cache");
}

#[test]
fn ten_builders_add_at_once_and_one_of_them_is_killed() {
    let Some(cloud) = Cloud::new() else { return };
    let names: Vec<String> = (0..10).map(|builder| format!("given-{builder}")).collect();
    for (builder, name) in names.iter().enumerate() {
        let root = cloud.stage.path(name);
        fs::create_dir_all(&root).unwrap();
        // Mostly the same for all of them.
        fs::write(root.join("common.bin"), noise(1, 3_000_000)).unwrap();
        fs::write(root.join("own.bin"), noise(100 + builder as u64, 300_000)).unwrap();
    }
    // None of them finds a store, and all of them make one.
    let builders: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(builder, name)| {
            cloud
                .add(&format!("product-{builder}:1"), name)
                .spawn()
                .unwrap()
        })
        .collect();
    let mut builders = builders.into_iter();
    let victim = builders.next().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    kill(victim);
    for builder in builders {
        Run::from(builder.wait_with_output().unwrap()).ends_with(0);
    }
    // What was killed can be run again, whatever it left.
    ok(&mut cloud.add("product-0:1", &names[0]));
    // The one that was killed may have been done with all but its line.
    let told = cloud.run(&["--json", "history"]).ends_with(0).json();
    let lines = told["lines"].as_array().unwrap();
    let mut added: Vec<&str> = lines
        .iter()
        .map(|line| line["releases"][0]["name"].as_str().unwrap())
        .collect();
    added.sort_unstable();
    added.dedup();
    assert_eq!((added.len(), &told["is_intact"]), (10, &true.into()));
    cloud.run(&["check", "--data"]).ends_with(0);
    for (builder, name) in names.iter().enumerate() {
        cloud.comes_back(&format!("product-{builder}:1"), name, "fresh-cache");
    }
}

/// What a vendor with many builders does every day, at once: ten of them add, one of these is killed, and another machine
/// prunes with next to no time of grace.
#[test]
fn ten_builders_add_beside_a_prune_and_each_release_arrives_elsewhere() {
    let Some(cloud) = Cloud::new() else { return };
    let names: Vec<String> = (0..10).map(|builder| format!("given-{builder}")).collect();
    for (builder, name) in names.iter().enumerate() {
        let root = cloud.stage.path(name);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("common.bin"), noise(1, 2_000_000)).unwrap();
        fs::write(root.join("own.bin"), noise(100 + builder as u64, 200_000)).unwrap();
    }
    // What is common belongs to a release that goes, so that its pack is marked when they begin.
    ok(&mut cloud.add("old:1", &names[0]));
    cloud.run(&["rm", "old:1"]).ends_with(0);
    ok(&mut cloud.command_at(&["prune"], cloud.prefix, "maintainer"));
    let spawn = |builder: usize| {
        let mut add = cloud.add(&format!("product-{builder}:1"), &names[builder]);
        add.env(
            "CARRYALL_CACHE",
            cloud.stage.path(&format!("cache-{builder}")),
        );
        add.spawn().unwrap()
    };
    let mut builders: Vec<_> = (0..10).map(spawn).collect();
    let victim = builders.remove(0);
    let (mut pruned, mut removed) = (0, 0);
    let mut prune = || {
        let words = ["--json", "prune", "--grace", "1s"];
        let run: Run = cloud
            .command_at(&words, cloud.prefix, "maintainer")
            .output()
            .unwrap()
            .into();
        let said: serde_json::Value = serde_json::from_str(&run.ends_with(0).stdout).unwrap();
        pruned += 1;
        removed += said["packs_removed"].as_u64().unwrap();
    };
    prune();
    kill(victim);
    while builders
        .iter_mut()
        .any(|builder| builder.try_wait().unwrap().is_none())
    {
        prune();
    }
    // Those that took longer than the time of grace may be told to run again, and nothing else may go wrong.
    let mut again = vec![0];
    for (number, builder) in (1..).zip(builders) {
        let run: Run = builder.wait_with_output().unwrap().into();
        if run.code != Some(0) {
            run.fails_with(1, &["were pruned before it was committed"]);
            again.push(number);
        }
    }
    for builder in &again {
        Run::from(spawn(*builder).wait_with_output().unwrap()).ends_with(0);
    }
    let prune = || {
        let words = ["prune", "--grace", "0"];
        ok(&mut cloud.command_at(&words, cloud.prefix, "maintainer"));
    };
    prune();
    prune();
    eprintln!(
        "{pruned} prunes beside, {removed} packs removed, {} told to run again",
        again.len() - 1
    );
    cloud.run(&["check", "--data"]).ends_with(0);
    // Each goes out on media from a machine that has nothing of it yet, and into the store of another.
    for (builder, name) in names.iter().enumerate() {
        let (release, set) = (format!("product-{builder}:1"), format!("set-{builder}"));
        let words = ["pack", &release, "--to", &set, "--media", "64MB"];
        ok(&mut cloud.command_at(&words, cloud.prefix, "packer"));
        let media = volumes(&cloud.stage.path(&set));
        let mut words = vec!["receive"];
        words.extend(media.iter().map(|path| path.to_str().unwrap()));
        ok(cloud
            .stage
            .command(&words)
            .env("CARRYALL_STORE", cloud.stage.path("site")));
        let back = format!("back-{builder}");
        ok(cloud
            .stage
            .command(&["checkout", &release, &back])
            .env("CARRYALL_STORE", cloud.stage.path("site")));
        assert!(look(&cloud.stage.path(&back)) == look(&cloud.stage.path(name)));
    }
}

#[test]
fn of_two_that_add_one_release_with_other_content_one_is_refused() {
    let Some(cloud) = Cloud::new() else { return };
    for (name, seed) in [("first", 1), ("one", 2), ("other", 3)] {
        let root = cloud.stage.path(name);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("content.bin"), noise(seed, 2_000_000)).unwrap();
    }
    ok(&mut cloud.add("base:1", "first"));
    let racers: Vec<_> = ["one", "other", "one", "other"]
        .into_iter()
        .map(|given| (given, cloud.add("shop:1", given).spawn().unwrap()))
        .collect();
    let mut won = Vec::new();
    for (given, racer) in racers {
        let run: Run = racer.wait_with_output().unwrap().into();
        match run.code {
            Some(0) => won.push(given),
            _ => {
                let run = run.fails_with(1, &["error: somebody else committed shop:1 meanwhile"]);
                assert_eq!(
                    run.stderr
                        .split_whitespace()
                        .filter(|word| is_id(word))
                        .count(),
                    2,
                    "{run:?}"
                );
            }
        }
    }
    // Those who began after another had committed replaced it knowingly, so more than one may have ended well.
    assert!(!won.is_empty());
    ok(&mut cloud.command(&["check", "--data"]));
    ok(&mut cloud.command(&["checkout", "shop:1", "back"]));
    let back = look(&cloud.stage.path("back"));
    assert!(
        won.iter()
            .any(|given| back == look(&cloud.stage.path(given)))
    );
}

/// What networks and busy servers do: errors, lines that drop, answers that are cut or lost, and delays.
#[test]
fn a_line_that_drops_and_a_server_that_is_busy_cost_time_alone() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let proxy = FaultyProxy::before(&cloud.bucket.endpoint);
    cloud.bucket.endpoint.clone_from(&proxy.endpoint);
    make_small(&cloud.stage.path("one"), 1);
    make_small(&cloud.stage.path("two"), 2);
    proxy.hurt(true);
    ok(&mut cloud.add("shop:1.0", "one"));
    ok(&mut cloud.add("shop:1.1", "two"));
    cloud.run(&["check", "--data"]).ends_with(0);
    cloud.comes_back("shop:1.0", "one", "other-cache");
    cloud
        .run(&[
            "pack", "shop:1.1", "--since", "shop:1.0", "--to", "discs", "--media", "64MB",
        ])
        .ends_with(0);
    let (requests, _, faults) = proxy.take();
    assert!(
        faults * 5 > requests && faults > 20,
        "{faults} of {requests}"
    );
    proxy.hurt(false);
    cloud.run(&["check", "--data"]).ends_with(0);
    cloud.comes_back("shop:1.1", "two", "cache");
}

/// Requests are what an object store costs, and what a distant one makes one wait for.
#[test]
fn unchanged_again_takes_few_requests_and_a_delta_reads_what_it_needs() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    make_small(&cloud.stage.path("one"), 1);
    make_small(&cloud.stage.path("two"), 2);
    for number in 0..30 {
        let root = cloud.stage.path("other");
        cloud.stage.remove("other");
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("file"), format!("{number}")).unwrap();
        ok(&mut cloud.add(&format!("other:{number}"), "other"));
    }
    ok(&mut cloud.add("shop:1.0", "one"));
    ok(&mut cloud.add("shop:1.1", "two"));
    let proxy = FaultyProxy::before(&cloud.bucket.endpoint);
    cloud.bucket.endpoint.clone_from(&proxy.endpoint);
    ok(&mut cloud.add("shop:1.1", "two"));
    let lines = proxy.lines();
    let (requests, bytes, _) = proxy.take();
    eprintln!("unchanged add: {requests} requests, {bytes} bytes");
    assert!(requests <= 20, "{lines:#?}");
    cloud
        .run(&[
            "pack", "shop:1.1", "--since", "shop:1.0", "--to", "discs", "--media", "64MB",
        ])
        .ends_with(0);
    let (requests, bytes, _) = proxy.take();
    let packed: u64 = volumes(&cloud.stage.path("discs"))
        .iter()
        .map(|volume| bytes_below(volume))
        .sum();
    eprintln!("pack --since: {requests} requests, {bytes} bytes, {packed} packed");
}

#[test]
fn releases_are_copied_up_and_down_and_only_what_is_missing() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    make_small(&cloud.stage.path("one"), 1);
    make_small(&cloud.stage.path("two"), 2);
    let folder = |cloud: &Cloud, words: &[&str], store: &str| -> Command {
        let mut command = cloud.command(words);
        command.env("CARRYALL_STORE", cloud.stage.path(store));
        command
    };
    for (release, given) in [("shop:1.0", "one"), ("shop:1.1", "two")] {
        let words = [
            "add",
            release,
            &format!("{given}/common.bin"),
            &format!("{given}/own.bin"),
            &format!("{given}/files"),
        ];
        ok(&mut folder(&cloud, &words, "local"));
    }
    let proxy = FaultyProxy::before(&cloud.bucket.endpoint);
    cloud.bucket.endpoint.clone_from(&proxy.endpoint);
    let address = cloud.bucket.address(cloud.prefix).display().to_string();
    let up = |cloud: &Cloud, release: &str, store: &str| {
        folder(cloud, &["--json", "copy", release, "--to", &address], store)
    };
    let said = |run: Run| -> serde_json::Value { serde_json::from_str(&run.stdout).unwrap() };
    let first = said(ok(&mut up(&cloud, "shop:1.0", "local")));
    assert_eq!(first["releases"][0]["was_there"], false);
    let second = said(ok(&mut up(&cloud, "shop:1.1", "local")));
    assert!(
        second["new_bytes"].as_u64().unwrap() < 1_000_000,
        "{second}"
    );
    proxy.take();
    let again = said(ok(&mut up(&cloud, "shop:1.1", "local")));
    assert_eq!(again["releases"][0]["was_there"], true);
    let (requests, bytes, _) = proxy.take();
    eprintln!("copied again: {requests} requests, {bytes} bytes");
    cloud.run(&["check", "--data"]).ends_with(0);
    // Other content of the same name is not replaced.
    ok(&mut folder(
        &cloud,
        &["add", "shop:1.0", "two/own.bin"],
        "other",
    ));
    let words = ["copy", "shop:1.0", "--to", &address];
    let run: Run = folder(&cloud, &words, "other").output().unwrap().into();
    run.fails_with(1, &["shop:1.0 is another release there"]);

    // Down again, on a line that drops, cut short by whoever is tired of waiting.
    proxy.hurt(true);
    let down = cloud.stage.path("down").display().to_string();
    let copy_down = || {
        cloud.command_at(
            &["copy", "shop:1.0", "shop:1.1", "--to", &down],
            cloud.prefix,
            "fresh",
        )
    };
    let tired = copy_down().spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    kill(tired);
    ok(&mut copy_down());
    proxy.hurt(false);
    ok(&mut folder(&cloud, &["check", "--data"], "down"));
    for (release, given) in [("shop:1.0", "one"), ("shop:1.1", "two")] {
        let back = format!("down-{given}");
        ok(&mut folder(&cloud, &["checkout", release, &back], "down"));
        assert!(look(&cloud.stage.path(&back)) == look(&cloud.stage.path(given)));
    }
    let listed = ok(&mut folder(&cloud, &["history"], "down")).stdout;
    assert!(listed.contains("copied"), "{listed}");
}

fn is_id(word: &str) -> bool {
    let word = word.trim_end_matches(',');
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn what_is_wrong_with_a_bucket_is_said_and_nothing_is_written() {
    let Some(cloud) = Cloud::new() else { return };
    let root = cloud.stage.path("given");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("file"), b"content").unwrap();
    let fails = |command: &mut Command, words: &[&str]| {
        let run: Run = command.output().unwrap().into();
        run.fails_with(1, words);
    };
    let add = || cloud.add("shop:1", "given");
    fails(
        add().env("AWS_SECRET_ACCESS_KEY", "wrong"),
        &["refuses these credentials"],
    );
    fails(
        add().env("CARRYALL_STORE", "s3://no-such-bucket/x"),
        &["no such bucket"],
    );
    fails(
        add().env("CARRYALL_STORE", "s3://x/y z"),
        &["no address in an object store"],
    );
    // What helps in a folder is refused here, and is not recommended.
    let mut chinese = cloud.command(&["list"]);
    chinese.env("LC_ALL", "zh_CN.UTF-8");
    for (mut command, words) in [
        (
            cloud.command(&["list"]),
            ["no store in s3://", "copy --to", "bucket and prefix"],
        ),
        (chinese, ["不是仓库", "copy --to", "存储桶和前缀"]),
    ] {
        let run: Run = command.output().unwrap().into();
        let said = run.ends_with(1).stderr;
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!said.contains("renew-settings"), "{said}");
    }
    // A listing that is refused has the hint of any request that is.
    ok(&mut cloud.command_at(&["add", "shop:1", "given/file"], "listed", "cache"));
    fails(
        cloud
            .command_at(&["list"], "listed", "cache")
            .env("AWS_SECRET_ACCESS_KEY", "wrong"),
        &["refuses these credentials", "hint:", "AWS_PROFILE"],
    );
    let doctor = |prefix: &str, secret: &str| -> serde_json::Value {
        let mut command = cloud.command_at(&["--json", "doctor"], prefix, "cache");
        if !secret.is_empty() {
            command.env("AWS_SECRET_ACCESS_KEY", secret);
        }
        Run::from(command.output().unwrap()).json()
    };
    assert_eq!(doctor("listed", "")["store"]["is_writable"], true);
    assert_eq!(doctor("listed", "wrong")["store"]["is_writable"], false);
    let listed = |prefix: &str| {
        let run: Run = cloud
            .command_at(&["list"], prefix, "cache")
            .output()
            .unwrap()
            .into();
        run
    };
    // A prefix that somebody keeps other things below, here a store that lies deeper.
    ok(&mut cloud.command_at(&["add", "shop:1", "given/file"], "theirs/deeper", "cache"));
    fails(
        &mut cloud.command_at(&["add", "shop:1", "given/file"], "theirs", "cache"),
        &["is no store and not empty", "deeper/"],
    );
    listed("theirs").fails_with(1, &["no store in"]);
    listed("theirs/deeper").ends_with(0);
    fails(
        &mut cloud.command_at(&["check", "--renew-settings"], "theirs/deeper", "cache"),
        &["not done in an object store yet"],
    );
}

/// What the tools of AWS find in their files, this program finds there too.
#[test]
fn credentials_and_endpoint_come_from_profiles_too() {
    let Some(cloud) = Cloud::new() else { return };
    fs::create_dir_all(cloud.stage.path("given")).unwrap();
    fs::write(cloud.stage.path("given/file"), b"content").unwrap();
    fs::create_dir_all(cloud.stage.path("home/.aws")).unwrap();
    let file = |name: &str, text: String| {
        fs::write(cloud.stage.path("home/.aws").join(name), text).unwrap();
    };
    file(
        "credentials",
        format!(
            "[default]\naws_access_key_id = stranger\naws_secret_access_key = x\n\n[builder]\naws_access_key_id = {KEY}\n\
             aws_secret_access_key = {SECRET}\n"
        ),
    );
    file(
        "config",
        format!(
            "[default]\nregion = us-east-1\nendpoint_url = {0}\n[profile builder]\nregion = us-east-1\nservices = house\n\
             [services house]\ns3 =\n  endpoint_url = {0}\n[profile asks]\nsso_session = house\n",
            cloud.bucket.endpoint
        ),
    );
    let with = |profile: &str| {
        let mut command = cloud.add("shop:1", "given");
        for (name, _) in cloud.bucket.environment(Path::new("")) {
            command.env_remove(name);
        }
        command
            .env("HOME", cloud.stage.path("home"))
            .env("CARRYALL_CACHE", cloud.stage.path("cache"));
        if !profile.is_empty() {
            command.env("AWS_PROFILE", profile);
        }
        command
    };
    let fails = |mut command: Command, words: &[&str]| {
        Run::from(command.output().unwrap()).fails_with(1, words);
    };
    fails(with(""), &["refuses these credentials"]);
    fails(with("bulider"), &["no profile bulider"]);
    fails(with("asks"), &["sso_session", "export-credentials"]);
    let mut chinese = with("asks");
    chinese.env("LC_ALL", "zh_CN.UTF-8");
    let chinese: Run = chinese.output().unwrap().into();
    let said = chinese.ends_with(1).stderr;
    assert!(said.contains("不支持以这种方式取得凭据"), "{said}");
    ok(&mut with("builder"));
    // The environment comes first.
    let mut wrong = with("builder");
    wrong.env("AWS_ACCESS_KEY_ID", KEY);
    wrong.env("AWS_SECRET_ACCESS_KEY", "wrong");
    fails(wrong, &["refuses these credentials"]);
    cloud.comes_back("shop:1", "given", "other-cache");
    file("config", "[default\n".to_owned());
    fails(with("builder"), &["cannot read", "config", "line 1"]);
}

/// What was put before a copy is killed is put again no more than one pack of it.
#[test]
fn a_copy_that_is_killed_repeats_one_pack_at_most() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let given = cloud.stage.path("given");
    fs::create_dir_all(&given).unwrap();
    let total = 110_000_000;
    fs::write(given.join("image.bin"), noise(5, total)).unwrap();
    let words = ["add", "big:1", "given/image.bin"];
    ok(cloud
        .command(&words)
        .env("CARRYALL_STORE", cloud.stage.path("local")));
    let proxy = FaultyProxy::before(&cloud.bucket.endpoint);
    cloud.bucket.endpoint.clone_from(&proxy.endpoint);
    let address = cloud.bucket.address(cloud.prefix).display().to_string();
    let copy = || {
        let mut copy = cloud.command(&["copy", "big:1", "--to", &address]);
        copy.env("CARRYALL_STORE", cloud.stage.path("local"));
        copy
    };
    // The first pack is put and listed, and nothing more comes through.
    proxy.stall_after("/index/");
    let mut child = copy().spawn().unwrap();
    while !proxy.is_stalled() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    kill(child);
    // The server does what it was sent.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let before = proxy.take_sent();
    proxy.go_on();
    ok(&mut copy());
    let after = proxy.take_sent();
    eprintln!("copy: {before} bytes before it was killed, {after} after, of {total}");
    assert!(before < 80_000_000 && after < 60_000_000);
    cloud.run(&["check", "--data"]).ends_with(0);
    cloud.comes_back("big:1", "given", "other-cache");
}
