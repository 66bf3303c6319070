//! Opening and re-making a stream takes less than 10 MB, whatever its length.

use std::io::{Read, Write};

use carryall::deflate::{AnalyzeOptions, ReconstructOptions, Wrapper, analyze, reconstruct};
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};

use crate::testkit::own_process::{in_own_process, status_kib};

const PLAIN_BYTES: u64 = 48 << 20;
const MOST_KIB: u64 = 10_000;

/// The same text over and over.
struct Cycle {
    text: Vec<u8>,
    at: usize,
}

impl Cycle {
    fn new() -> Self {
        let packed = include_bytes!("../data/deflate/streams/zlib-6.gz");
        let mut text = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut text).unwrap();
        Self { text, at: 0 }
    }
}

impl Read for Cycle {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = out.len().min(self.text.len() - self.at);
        out[..len].copy_from_slice(&self.text[self.at..self.at + len]);
        self.at = (self.at + len) % self.text.len();
        Ok(len)
    }
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The peak since now, without what is resident now and without the pages of the program that are run for the first time;
/// `None` where the kernel does not let it be set back.
fn peak_kib_of(work: impl FnOnce()) -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let (before, program) = (status_kib("VmRSS:"), status_kib("RssFile:"));
    work();
    let program = status_kib("RssFile:").saturating_sub(program);
    Some(status_kib("VmHWM:").saturating_sub(before + program))
}

fn options() -> AnalyzeOptions<'static> {
    AnalyzeOptions {
        wrapper: Wrapper::Gzip,
        recipe_limit_per_mille: 1_000_000,
        ratio_limit: u64::MAX,
        ..AnalyzeOptions::default()
    }
}

fn check(what: &str, peak_kib: Option<u64>, kept: &[u8]) {
    let peak_kib = peak_kib
        .unwrap_or(0)
        .saturating_sub(kept.len() as u64 / 1024);
    assert!(peak_kib < MOST_KIB, "{what} takes {peak_kib} KiB");
}

#[test]
fn memory_does_not_grow_with_a_long_stream() {
    in_own_process(
        "deflate_memory::memory_does_not_grow_with_a_long_stream",
        a_long_stream,
    );
}

#[test]
fn memory_does_not_grow_with_many_blocks() {
    in_own_process(
        "deflate_memory::memory_does_not_grow_with_many_blocks",
        many_blocks_with_hardly_any_text,
    );
}

fn a_long_stream() {
    let packed = || GzEncoder::new(Cycle::new().take(PLAIN_BYTES), Compression::new(1));
    let (mut recipe, mut stream_bytes) = (Vec::new(), 0);
    let analysing = peak_kib_of(|| {
        let mut source = packed();
        let analysis = analyze(&mut source, &mut std::io::sink(), &mut recipe, &options()).unwrap();
        assert_eq!(analysis.plain_bytes, PLAIN_BYTES);
        stream_bytes = analysis.stream_bytes;
    });
    check("analysing", analysing, &recipe);
    let mut out = Count(0);
    let remaking = peak_kib_of(|| {
        let options = ReconstructOptions {
            stream_bytes,
            threads: 1,
        };
        let mut plain = Cycle::new().take(PLAIN_BYTES);
        reconstruct(&mut &recipe[..], &mut plain, &mut out, &options).unwrap();
    });
    check("re-making", remaking, &recipe);
    assert_eq!(out.0, stream_bytes);
}

/// Four blocks of fixed codes, empty (40 bits) or of one literal (72 bits).
const EMPTY_BLOCKS: [u8; 5] = [0x02, 0x08, 0x20, 0x80, 0x00];
const LITERAL_BLOCKS: [u8; 9] = [0x4a, 0x04, 0x28, 0x11, 0xa0, 0x44, 0x80, 0x12, 0x01];

/// Four empty blocks of dynamic codes.
const DYNAMIC_BLOCKS: [u8; 47] = [
    0x04, 0xc0, 0x01, 0x09, 0x00, 0x00, 0x00, 0x00, 0x10, 0xff, 0x57, 0x2b, 0x01, 0x70, 0x40, 0x02,
    0x00, 0x00, 0x00, 0x00, 0xc4, 0xff, 0xd5, 0x4a, 0x00, 0x1c, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xf1, 0x7f, 0xb5, 0x12, 0x00, 0x07, 0x24, 0x00, 0x00, 0x00, 0x00, 0x40, 0xfc, 0x5f, 0xad,
];

/// A stream may have a block for every byte, and blocks for none: opened or refused, it takes no memory.
fn many_blocks_with_hardly_any_text() {
    let stored = &[0, 0, 0, 0xff, 0xff][..];
    for (what, blocks, times) in [
        ("empty stored blocks", stored, 400_000),
        ("empty fixed blocks", &EMPTY_BLOCKS[..], 200_000),
        ("empty dynamic blocks", &DYNAMIC_BLOCKS, 40_000),
        ("blocks of one literal", &LITERAL_BLOCKS[..], 100_000),
    ] {
        let mut packed = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
        packed.extend(blocks.repeat(times));
        packed.extend_from_slice(&[0x03, 0x00]);
        let mut plain = Vec::new();
        flate2::read::DeflateDecoder::new(&packed[10..])
            .read_to_end(&mut plain)
            .unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(&plain);
        packed.extend_from_slice(&crc.sum().to_le_bytes());
        packed.extend_from_slice(&crc.amount().to_le_bytes());
        let (mut recipe, mut is_opened) = (Vec::with_capacity(packed.len()), false);
        let analysing = peak_kib_of(|| {
            let result = analyze(
                &mut &packed[..],
                &mut std::io::sink(),
                &mut recipe,
                &options(),
            );
            is_opened = result.is_ok();
        });
        check(what, analysing, &recipe);
        if is_opened {
            let mut out = Count(0);
            let remaking = peak_kib_of(|| {
                let options = ReconstructOptions {
                    stream_bytes: packed.len() as u64,
                    threads: 1,
                };
                reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options).unwrap();
            });
            check(what, remaking, &recipe);
        }
    }
}
