//! File systems that the tests write, with two files in every other cluster.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::volumes::media::images::extents::ReorderedSource;

const CLUSTER: usize = 1024;
const FILE_BYTES: usize = 150_000;

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn content(no: u8) -> Vec<u8> {
    (0..FILE_BYTES)
        .map(|at| no.wrapping_mul(31) ^ u8::try_from(at % 251).unwrap())
        .collect()
}

/// A file system whose two files have every other cluster, with this many clusters.
fn image(kind: FatKind, clusters: u32) -> Vec<u8> {
    let count = usize::try_from(clusters).unwrap();
    let table_bytes = (count + 2) * 4;
    let table_sectors = table_bytes.div_ceil(512);
    let root_entries = if matches!(kind, FatKind::Fat12 | FatKind::Fat16) {
        16
    } else {
        0
    };
    let heap = (32 + table_sectors) * 512 + root_entries * 32;
    let total = heap + count * CLUSTER;
    let mut out = vec![0; total];
    let long = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let short = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
    put(&mut out, 510, &[0x55, 0xaa]);
    if kind == FatKind::ExFat {
        put(&mut out, 3, b"EXFAT   ");
        put(&mut out, 80, &long(32));
        put(&mut out, 84, &long(table_sectors));
        put(&mut out, 88, &long(heap / 512));
        put(&mut out, 92, &long(count));
        put(&mut out, 96, &long(2));
        put(&mut out, 108, &[9, 1]);
    } else {
        put(&mut out, 11, &short(512));
        out[13] = 2;
        put(&mut out, 14, &short(32));
        out[16] = 1;
        put(&mut out, 17, &short(root_entries));
        out[21] = 0xf8;
        put(&mut out, 32, &long(total / 512));
        if kind == FatKind::Fat32 {
            put(&mut out, 36, &long(table_sectors));
        } else {
            put(&mut out, 22, &short(table_sectors));
        }
        put(&mut out, 44, &long(2));
    }
    let mut set_next = |cluster: usize, next: usize| match kind {
        FatKind::Fat12 => {
            let at = 32 * 512 + cluster + cluster / 2;
            let old = u16::from_le_bytes([out[at], out[at + 1]]);
            let next = u16::try_from(next & 0xfff).unwrap();
            let new = if cluster % 2 == 1 {
                old & 0xf | next << 4
            } else {
                old & 0xf000 | next
            };
            put(&mut out, at, &new.to_le_bytes());
        }
        FatKind::Fat16 => put(&mut out, 32 * 512 + cluster * 2, &short(next & 0xffff)),
        _ => put(&mut out, 32 * 512 + cluster * 4, &long(next)),
    };
    set_next(2, 0x0fff_ffff);
    let in_file = FILE_BYTES.div_ceil(CLUSTER);
    for file in 0..2 {
        for no in 0..in_file {
            let cluster = 10 + file + 2 * no;
            let next = if no + 1 == in_file {
                0x0fff_ffff
            } else {
                cluster + 2
            };
            set_next(cluster, next);
        }
    }
    let root = if root_entries > 0 {
        heap - root_entries * 32
    } else {
        heap
    };
    for file in 0..2 {
        let content = content(u8::try_from(file).unwrap());
        for (no, part) in content.chunks(CLUSTER).enumerate() {
            put(&mut out, heap + (8 + file + 2 * no) * CLUSTER, part);
        }
        if kind == FatKind::ExFat {
            let entry = root + file * 64;
            out[entry] = 0x85;
            out[entry + 32] = 0xc0;
            put(&mut out, entry + 32 + 20, &long(10 + file));
            put(&mut out, entry + 32 + 24, &long(FILE_BYTES));
        } else {
            let entry = root + file * 32;
            put(&mut out, entry, b"FILE    BIN\x20");
            put(&mut out, entry + 26, &short(10 + file));
            put(&mut out, entry + 28, &long(FILE_BYTES));
        }
    }
    out
}

const KINDS: [(FatKind, u32); 4] = [
    (FatKind::Fat12, 2000),
    (FatKind::Fat16, 5000),
    (FatKind::Fat32, 70_000),
    (FatKind::ExFat, 3000),
];

#[track_caller]
fn files_come_first(image: Vec<u8>) {
    let size = image.len();
    let (extents, files) = order(&image).unwrap();
    assert_eq!(files, 2);
    let view = ReorderedSource::new(Arc::new(image), extents);
    assert_eq!(view.size_bytes(), size as u64);
    let in_file = FILE_BYTES.next_multiple_of(CLUSTER) as u64;
    for no in 0..2 {
        let mut out = vec![0; FILE_BYTES];
        assert_eq!(
            read_full(&view, u64::from(no) * in_file, &mut out),
            FILE_BYTES
        );
        assert!(out == content(no), "file {no}");
    }
}

#[test]
fn files_in_many_stretches_are_put_in_order_in_every_kind() {
    for (kind, clusters) in KINDS {
        files_come_first(image(kind, clusters));
    }
}

#[test]
fn partitions_are_found_in_both_tables() {
    let inner = image(FatKind::Fat16, 5000);
    let mut mbr = vec![0; 2048 * 512];
    put(&mut mbr, 510, &[0x55, 0xaa]);
    put(&mut mbr, 446 + 16 + 4, &[0x0c]);
    put(&mut mbr, 446 + 16 + 8, &2048_u32.to_le_bytes());
    let mut gpt = mbr.clone();
    mbr.extend_from_slice(&inner);
    files_come_first(mbr);
    gpt[446 + 4] = 0xee;
    put(&mut gpt, 512, b"EFI PART");
    put(&mut gpt, 512 + 72, &2_u64.to_le_bytes());
    put(&mut gpt, 512 + 80, &4_u32.to_le_bytes());
    put(&mut gpt, 512 + 84, &128_u32.to_le_bytes());
    put(&mut gpt, 1024 + 128, &[1; 16]);
    put(&mut gpt, 1024 + 128 + 32, &2048_u64.to_le_bytes());
    gpt.extend_from_slice(&inner);
    files_come_first(gpt);
}

#[test]
fn chains_that_loop_and_other_nonsense_end() {
    for (kind, clusters) in KINDS {
        let good = image(kind, clusters);
        // A chain that leads back to its beginning.
        let mut bytes = good.clone();
        match kind {
            FatKind::Fat16 => put(&mut bytes, 32 * 512 + 30 * 2, &10_u16.to_le_bytes()),
            FatKind::Fat12 => {}
            _ => put(&mut bytes, 32 * 512 + 30 * 4, &10_u32.to_le_bytes()),
        }
        let _ = order(&bytes);
        let mut bytes = good.clone();
        for at in (0..512).chain(32 * 512..32 * 512 + 200) {
            for value in [0, 1, 0x7f, 0xff] {
                bytes[at] = value;
                if let Some((extents, _)) = order(&bytes) {
                    let sum: u64 = extents.iter().map(|extent| extent.bytes).sum();
                    assert_eq!(sum, bytes.len() as u64);
                }
            }
            bytes[at] = good[at];
        }
        let _ = order(&good[..good.len() / 9].to_vec());
    }
    assert_eq!(order(&vec![0; 100_000]), None);
}

#[test]
fn a_folder_whose_clusters_in_a_row_have_no_numbers_is_empty() {
    let mut bytes = image(FatKind::ExFat, 3000);
    let root = (32 + (3002_usize * 4).div_ceil(512)) * 512;
    put(&mut bytes, root + 4, &[0x10]);
    put(&mut bytes, root + 32 + 1, &[2]);
    put(&mut bytes, root + 32 + 20, &u32::MAX.to_le_bytes());
    // The other file is still put in order.
    assert_eq!(order(&bytes).unwrap().1, 1);
}
