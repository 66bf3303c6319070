//! Folders fit the disks that they were sized for, whichever of the usual file systems is on them.

use crate::testkit::programs::has;

use std::fs::File;
use std::path::Path;
use std::process::Command;

use carryall::volumes::block::BLOCK_BYTES;
use carryall::volumes::media::kind::VOLUME_FILE_BYTES;
use carryall::volumes::media::page::PAGES_MAX_BYTES;
use carryall::volumes::media::{Capacity, Carrier};

/// Partition programs begin the first partition here.
const PARTITION_START: u64 = 1 << 20;

fn said(program: &str, args: &[&str], image: &Path) -> String {
    let output = Command::new(program)
        .args(args)
        .arg(image)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The last number on the line that `mark` is on.
fn number(text: &str, mark: &str) -> u64 {
    let line = text.lines().find(|line| line.contains(mark)).unwrap();
    let digits = line
        .split(|c: char| !c.is_ascii_digit())
        .rfind(|word| !word.is_empty());
    digits.unwrap().parse().unwrap()
}

/// Bytes that a volume takes in clusters: volume files, two pages, two directories and a label.
fn needed_bytes(blocks: u32, cluster_bytes: u64) -> u64 {
    let files = (u64::from(blocks) * BLOCK_BYTES as u64).div_ceil(VOLUME_FILE_BYTES);
    let data = u64::from(blocks) * BLOCK_BYTES as u64 + PAGES_MAX_BYTES;
    data + (files + 5) * cluster_bytes
}

fn check(make: &str, show: (&str, &[&str]), free: impl Fn(&str) -> (u64, u64), sizes: &[&str]) {
    for text in sizes {
        let capacity: Capacity = text.parse().unwrap();
        let blocks = capacity.usable_blocks(Carrier::Folders).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("disk");
        let partition_bytes = capacity.bytes().unwrap() - PARTITION_START;
        File::create(&image)
            .unwrap()
            .set_len(partition_bytes)
            .unwrap();
        said(make, &[], &image);
        let (cluster_bytes, free_clusters) = free(&said(show.0, show.1, &image));
        let (room, needed) = (
            cluster_bytes * free_clusters,
            needed_bytes(blocks, cluster_bytes),
        );
        assert!(
            needed <= room,
            "{make} {text}: {needed} needed, {room} free"
        );
        assert!(
            room - needed < (4 << 20) + room / 200,
            "{make} {text}: {} wasted",
            room - needed
        );
    }
}

#[test]
fn a_volume_fits_fat_and_exfat_disks_of_the_size_named() {
    let sizes = ["20MB", "100MB", "1GB", "8GB", "4GiB"];
    if has(&["mkfs.vfat", "fsck.fat"]) {
        let free = |text: &str| {
            let line = text
                .lines()
                .find(|line| line.ends_with("clusters"))
                .unwrap();
            let total = line
                .rsplit('/')
                .next()
                .unwrap()
                .trim_end_matches(" clusters");
            let cluster = text
                .lines()
                .find(|line| line.contains("bytes per cluster"))
                .unwrap();
            (
                cluster.split_whitespace().next().unwrap().parse().unwrap(),
                total.parse().unwrap(),
            )
        };
        check("mkfs.vfat", ("fsck.fat", &["-n", "-v"]), free, &sizes);
    }
    if has(&["mkfs.exfat", "dump.exfat"]) {
        let free = |text: &str| (number(text, "Cluster size"), number(text, "Free Clusters"));
        check("mkfs.exfat", ("dump.exfat", &[]), free, &sizes);
    }
}
