//! What is packed by a machine that has nothing of a store in a bucket is as small as from a folder, and is read once.

use std::fs;
use std::path::PathBuf;

use crate::testkit::bytes::{noise, text};
use crate::testkit::cloud::{Cloud, ok};
use crate::testkit::faulty_proxy::FaultyProxy;
use crate::testkit::stage::Run;
use crate::testkit::stage::disk::Disk;

/// The bytes with one changed in every 20,000.
fn edited(mut bytes: Vec<u8>) -> Vec<u8> {
    for at in (7..bytes.len()).step_by(20_000) {
        bytes[at] ^= 1;
    }
    bytes
}

/// Two releases: of the second, one file is edited, one has an edited copy beside it, and one is another. Each file is of
/// a kind of its own, so that each has frames of its own.
fn make_releases(cloud: &Cloud) {
    let file = |release: &str, name: &str, bytes: Vec<u8>| {
        let folder = cloud.stage.path(release);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    for release in ["one", "two"] {
        // Of nothing like this is anything needed.
        file(release, "table.c", noise(1, 9_000_000));
        file(release, "page.html", text(2, 4_000_000));
        file(release, "server-1.0.bin", noise(3, 1_500_000));
    }
    file("one", "tool.py", noise(4, 1_500_000));
    file("two", "tool.py", edited(noise(4, 1_500_000)));
    file("two", "server-1.1.bin", edited(noise(3, 1_500_000)));
    file("one", "data.json", noise(5, 1_500_000));
    file("two", "data.json", noise(6, 1_500_000));
    ok(&mut cloud.add("shop:1", "one"));
    ok(&mut cloud.add("shop:2", "two"));
}

fn payload_bytes(run: &Run) -> u64 {
    run.json()["plan"]["payload_bytes"].as_u64().unwrap()
}

#[test]
fn a_delta_reads_what_is_new_and_what_it_is_like() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    make_releases(&cloud);
    let proxy = FaultyProxy::before(&cloud.bucket.endpoint);
    cloud.bucket.endpoint.clone_from(&proxy.endpoint);
    let words = |to: &'static str| {
        [
            "--json", "pack", "shop:2", "--since", "shop:1", "--to", to, "--media", "25MB",
        ]
    };
    // The machine that added has all of it, and reads all of it.
    let near = ok(&mut cloud.command(&words("near")));
    let (_, near_bytes, _) = proxy.take();
    let far = ok(&mut cloud.command_at(&words("far"), cloud.prefix, "fresh"));
    let (requests, far_bytes, _) = proxy.take();
    // Three files are new, two old ones are like them, and one is read before it is known that it is not.
    let needed = 6 * 1_500_000;
    eprintln!("delta: {near_bytes} bytes near, {far_bytes} bytes in {requests} requests afar");
    assert!(near_bytes < 500_000, "{near_bytes}");
    assert!(far_bytes < needed + needed / 5, "{far_bytes} bytes");
    let (near, far) = (payload_bytes(&near), payload_bytes(&far));
    assert!(near < 1_600_000 && far < near + near / 50, "{far}, {near}");
    // The next site gets the same from what was kept, whatever became of that.
    let parts = parts(&cloud, "fresh");
    assert!(parts.len() >= 5, "{parts:?}");
    ok(&mut cloud.command_at(&words("again"), cloud.prefix, "fresh"));
    let (_, again_bytes, _) = proxy.take();
    assert!(again_bytes < 500_000, "{again_bytes} bytes");
    for part in &parts {
        let mut bytes = fs::read(part).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(part, bytes).unwrap();
    }
    ok(&mut cloud.command_at(&words("mended"), cloud.prefix, "fresh"));
    let (_, mended_bytes, _) = proxy.take();
    assert!(mended_bytes > needed / 2, "{mended_bytes} bytes");
    ok(&mut cloud.command(&["check", "--data"]));
    // Each of them gives the release to a site that has the first one.
    ok(&mut cloud.command(&["pack", "shop:1", "--to", "base", "--media", "100MB"]));
    for set in ["near", "far", "again", "mended"] {
        cloud.stage.store = "site";
        cloud.stage.run(&["receive", "base"]).ends_with(0);
        cloud.stage.run(&["receive", set]).ends_with(0);
        cloud.stage.comes_back("shop:2", "two");
        fs::remove_dir_all(cloud.stage.path("site")).unwrap();
    }
}

#[test]
fn a_full_set_reads_each_byte_once_and_none_for_the_next() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    make_releases(&cloud);
    let proxy = FaultyProxy::before(&cloud.bucket.endpoint);
    cloud.bucket.endpoint.clone_from(&proxy.endpoint);
    let pack = |to: &'static str| {
        let words = ["--json", "pack", "shop:2", "--to", to, "--media", "100MB"];
        let run = ok(&mut cloud.command_at(&words, cloud.prefix, "fresh"));
        (payload_bytes(&run), proxy.take().1)
    };
    let (payload, read) = pack("first");
    assert!(read < payload + payload / 5, "{read} bytes of {payload}");
    let (_, read) = pack("second");
    assert!(read < 500_000, "{read} bytes");
}

fn parts(cloud: &Cloud, cache: &str) -> Vec<PathBuf> {
    let below = walkdir::WalkDir::new(cloud.stage.path(cache)).into_iter();
    let files = below.flatten().filter(|entry| entry.file_type().is_file());
    let paths = files.map(walkdir::DirEntry::into_path);
    let is_part = |path: &PathBuf| {
        path.parent()
            .is_some_and(|folder| folder.ends_with("parts"))
    };
    paths.filter(is_part).collect()
}

/// Beside a bucket, what an `add` puts stays on the local disk for a while, and there must be room for it.
#[test]
fn an_add_into_a_bucket_with_hardly_any_local_room_is_refused() {
    let Some(cloud) = Cloud::new() else { return };
    fs::create_dir_all(cloud.stage.path("given")).unwrap();
    fs::write(cloud.stage.path("given/image.bin"), noise(1, 30_000_000)).unwrap();
    let Some(disk) = Disk::new(&cloud.stage, "disk", 3_000_000) else {
        return;
    };
    let add = || cloud.command_at(&["add", "shop:1", "given/image.bin"], cloud.prefix, "disk");
    let run: Run = add().output().unwrap().into();
    run.fails_with(1, &["/disk/", "free, and ", "needed"]);
    // Nothing of it is anywhere.
    let listed = ok(&mut cloud.command_at(&["list"], cloud.prefix, "elsewhere")).stdout;
    assert!(!listed.contains("shop:1"), "{listed}");
    disk.resize(100_000_000);
    ok(&mut add());
    cloud.comes_back("shop:1", "given", "elsewhere");
}
