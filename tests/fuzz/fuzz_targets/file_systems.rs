//! A stick or its image with FAT or exFAT, whose tables and directories say anything: whatever order its files are put
//! in, each byte is there once.
#![no_main]

use std::ops::ControlFlow;
use std::sync::OnceLock;

use carryall::base::monitor::Silent;
use carryall::base::read_at::read_some;
use carryall::volumes::media::source::find_sources;
use carryall::volumes::media::{Sighting, scan};
use carryall_fuzz::{Numbers, noise, temp_file};
use libfuzzer_sys::fuzz_target;

const SECTOR: usize = 512;
/// Where the file system of a partition begins, in sectors.
const PARTITION: usize = 8;
/// Clusters of a file system, more of them than there are bytes for. They tell FAT12 from FAT16.
const CLUSTERS: [u32; 4] = [4000, 5000, 70_000, 1000];
/// Bytes behind what the input says.
const NOISE_BYTES: usize = 24_000;

#[derive(Clone, Copy)]
enum Kind {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
}

fn put(sector: &mut [u8], at: usize, bytes: &[u8]) {
    sector[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A boot sector that makes sense, with a table behind it and everything else behind the table.
fn boot(kind: Kind, in_cluster: u8, table: u8, root_entries: u16) -> Vec<u8> {
    let mut boot = vec![0; SECTOR];
    let clusters = CLUSTERS[kind as usize];
    let sectors = clusters * (1 << in_cluster) + u32::from(table) + 20;
    match kind {
        Kind::ExFat => {
            put(&mut boot, 3, b"EXFAT   ");
            for (at, word) in [(80, 1), (84, table.into()), (88, 1 + u32::from(table)), (92, clusters), (96, 2)] {
                put(&mut boot, at, &word.to_le_bytes());
            }
            put(&mut boot, 108, &[9, in_cluster]);
        }
        Kind::Fat12 | Kind::Fat16 | Kind::Fat32 => {
            let is_long = matches!(kind, Kind::Fat32);
            put(&mut boot, 11, &(SECTOR as u16).to_le_bytes());
            put(&mut boot, 13, &[1 << in_cluster, 1, 0, 1]);
            put(&mut boot, 17, &(if is_long { 0 } else { root_entries }).to_le_bytes());
            boot[21] = 0xf8;
            boot[22] = if is_long { 0 } else { table };
            put(&mut boot, 32, &sectors.to_le_bytes());
            put(&mut boot, 36, &[if is_long { table } else { 0 }]);
            put(&mut boot, 44, &[2]);
        }
    }
    put(&mut boot, 510, &[0x55, 0xaa]);
    boot
}

/// What stands before a file system: nothing, or a table of partitions.
fn partitions(choice: u8) -> Vec<u8> {
    let mut out = vec![0; PARTITION * SECTOR];
    put(&mut out, 510, &[0x55, 0xaa]);
    match choice {
        0 => {
            out[446 + 4] = 0x0c;
            out[446 + 8] = PARTITION as u8;
        }
        1 => {
            out[446 + 4] = 0xee;
            put(&mut out, SECTOR, b"EFI PART");
            for (at, number) in [(72, 2), (80, 1), (84, 128)] {
                out[SECTOR + at] = number;
            }
            out[2 * SECTOR] = 7;
            out[2 * SECTOR + 32] = PARTITION as u8;
        }
        _ => out.clear(),
    }
    out
}

fn counts(bytes: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

fuzz_target!(|input: &[u8]| {
    let Some(([choice, more, split], rest)) = input.split_first_chunk() else {
        return;
    };
    let kind = [Kind::Fat12, Kind::Fat16, Kind::Fat32, Kind::ExFat][usize::from(choice & 3)];
    let table = 1 + (more & 7);
    let mut boot = boot(kind, choice >> 2 & 3, table, u16::from(1 + (more >> 3 & 3)) * 16);
    let mut rest = Numbers(rest);
    if choice & 0x40 != 0 {
        let (at, byte) = (rest.next_u16(), rest.next_u16());
        boot[usize::from(at) % 510] = byte.to_le_bytes()[0];
    }
    let rest = rest.0;
    let mut bytes = partitions(choice >> 4 & 3);
    let begin = bytes.len();
    bytes.extend(boot);
    let (entries, behind) = rest.split_at(rest.len().min(usize::from(*split) * 8));
    bytes.extend_from_slice(&entries[..entries.len().min(usize::from(table) * SECTOR)]);
    bytes.resize(begin + (1 + usize::from(table)) * SECTOR, 0);
    bytes.extend_from_slice(behind);
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    bytes.extend_from_slice(NOISE.get_or_init(|| noise(NOISE_BYTES)));

    let path = temp_file("stick", &bytes);
    let sources = find_sources(&[path], &Silent).expect("the file is there");
    let shown = sources[0].open().expect("the file is there");
    let mut ordered = vec![0; bytes.len() + 1];
    let len = read_some(&*shown, 0, &mut ordered).expect("a file is read");
    assert_eq!(shown.size_bytes(), bytes.len() as u64);
    assert_eq!(len, bytes.len());
    assert!(counts(&ordered[..len]) == counts(&bytes), "each byte is there once");
    let visit = |_: &Sighting<'_>| ControlFlow::Continue(());
    scan(&sources, &visit, &Silent).expect("nobody stops it");
});
