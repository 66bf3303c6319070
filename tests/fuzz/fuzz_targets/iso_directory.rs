//! A disc whose directory says anything, with sectors that cannot be read: a directory is a hint, so that every whole
//! block of a volume on it is met wherever it lies.
#![no_main]

use std::collections::BTreeSet;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::Mutex;

use carryall::base::id::SetId;
use carryall::base::monitor::Silent;
use carryall::base::read_at::ReadAt;
use carryall::volumes::block::{BlockHeader, BlockKind, BlockSize, ParityCodec, SetHeader};
use carryall::volumes::media::scan::scan_reader;
use carryall::volumes::media::{AccessPattern, Sighting};
use carryall_fuzz::Numbers;
use libfuzzer_sys::fuzz_target;

const SECTOR: usize = 2048;
/// The sector of the volume descriptor, and the directory behind it.
const DESCRIPTOR: usize = 16;
const DIRECTORY: Range<usize> = 17..48;
/// Sectors of a small disc, and of one on which places without a block are passed over. One in 64 is so large.
const SMALL_SECTORS: usize = 160;
const LARGE_SECTORS: usize = 9_000;
/// Blocks of the volume, the smallest there is and some more.
const BLOCKS: u32 = 12;

struct Disc {
    front: Vec<u8>,
    volume: Vec<u8>,
    volume_at: usize,
    bytes: usize,
    bad: Vec<Range<usize>>,
}

impl ReadAt for Disc {
    fn size_bytes(&self) -> u64 {
        self.bytes as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(offset).unwrap_or(self.bytes).min(self.bytes);
        let end = self.bytes.min(at + buf.len());
        if self.bad.iter().any(|bad| bad.start < end && at < bad.end) {
            return Err(io::ErrorKind::Other.into());
        }
        let out = &mut buf[..end - at];
        out.fill(0);
        for (start, bytes) in [(0, &self.front), (self.volume_at, &self.volume)] {
            let both = at.max(start)..end.min(start + bytes.len());
            if !both.is_empty() {
                out[both.start - at..both.end - at].copy_from_slice(&bytes[both.start - start..both.end - start]);
            }
        }
        Ok(out.len())
    }
}

fn volume() -> Vec<u8> {
    let set = SetHeader {
        set_id: SetId([7; 16]),
        block_size: BlockSize::ALL[0],
        codec: ParityCodec::Gf8,
        data_volumes: 1,
        spare_volumes: 0,
        stripe_width: 0,
        local_data: 0,
        local_parity: 0,
        catalog_blocks: 1,
        volume_blocks: BLOCKS,
    };
    let block = |block_no| {
        let header = BlockHeader {
            set,
            volume_no: 1,
            block_no,
            kind: BlockKind::Data,
        };
        let mut block = vec![9; set.block_size.bytes()];
        header.seal(&mut block);
        block
    };
    (0..BLOCKS).flat_map(block).collect()
}

/// A record of a directory: a file of the volume's name.
fn record(sector: usize, bytes: usize) -> Vec<u8> {
    let name = b"CARRYALL.001;1";
    let mut record = vec![0; 33];
    record[0] = u8::try_from(33 + name.len()).expect("short");
    record[2..6].copy_from_slice(&(sector as u32).to_le_bytes());
    record[10..14].copy_from_slice(&(bytes as u32).to_le_bytes());
    record[32] = u8::try_from(name.len()).expect("short");
    record.extend_from_slice(name);
    record
}

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let choice = numbers.next_u16();
    let sectors = if choice & 0x3f == 0x3f { LARGE_SECTORS } else { SMALL_SECTORS };
    let volume = volume();
    let block_bytes = volume.len() / BLOCKS as usize;
    let room = sectors - DIRECTORY.end - volume.len() / SECTOR;
    let volume_at = (DIRECTORY.end + numbers.next_u16() as usize % room) * SECTOR;
    let mut bad = Vec::new();
    for _ in 0..choice >> 8 & 3 {
        let sector = numbers.next_u16() as usize % sectors;
        bad.push(sector * SECTOR..(sector + 1 + usize::from(numbers.next_u16() % 40)) * SECTOR);
    }
    let mut directory = Vec::new();
    if choice & 0x800 != 0 {
        // Nearly where it lies, or right there.
        let by = usize::from(choice >> 12 & 3);
        directory = record(volume_at / SECTOR + by, volume.len());
    }
    let most = DIRECTORY.len() * SECTOR - directory.len();
    directory.extend(&numbers.0[..numbers.0.len().min(most)]);
    let mut front = vec![0; DESCRIPTOR * SECTOR];
    front.extend_from_slice(b"\x01CD001\x01");
    front.resize(DESCRIPTOR * SECTOR + 128, 0);
    front.extend_from_slice(&2048_u16.to_le_bytes());
    front.resize(DESCRIPTOR * SECTOR + 156, 0);
    let mut root = record(DIRECTORY.start, directory.len());
    root[25] = 2;
    front.extend(root);
    front.resize(DIRECTORY.start * SECTOR, 0);
    front.extend(directory);
    let disc = Disc {
        front,
        volume,
        volume_at,
        bytes: sectors * SECTOR,
        bad,
    };
    let met = Mutex::new(BTreeSet::new());
    let visit = |sighting: &Sighting<'_>| {
        if let Sighting::Whole { header, .. } = sighting {
            met.lock().expect("nobody panics").insert(header.block_no);
        }
        ControlFlow::Continue(())
    };
    let access = if choice & 0x80 == 0 { AccessPattern::Sequential } else { AccessPattern::Parallel };
    scan_reader(&disc, 0, access, &visit, &Silent).expect("nobody stops it");
    let met = met.into_inner().expect("nobody panics");
    for block_no in 0..BLOCKS {
        let at = volume_at + block_no as usize * block_bytes;
        let is_whole = !disc.bad.iter().any(|bad| bad.start < at + block_bytes && at < bad.end);
        assert!(!is_whole || met.contains(&block_no), "block {block_no} was not met");
    }
});
