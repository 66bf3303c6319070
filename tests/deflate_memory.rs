//! Opening and re-making a stream takes less than 10 MB, whatever its length. Alone in its process: the peak is the process's.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};

use carryall::deflate::{AnalyseOptions, RemakeOptions, Wrapper, analyse, remake};
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};

const PLAIN_BYTES: u64 = 48 << 20;
const MOST_KIB: u64 = 10_000;

/// The same text over and over.
struct Cycle {
    text: Vec<u8>,
    at: usize,
}

impl Cycle {
    fn new() -> Self {
        let packed = include_bytes!("data/deflate/streams/zlib-6.gz");
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

fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// The peak since now, without what is resident now; `None` where the kernel does not let it be set back.
fn peak_kib_of(work: impl FnOnce()) -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = status_kib("VmRSS:");
    work();
    Some(status_kib("VmHWM:").saturating_sub(before))
}

#[test]
fn memory_does_not_grow_with_the_stream() {
    let packed = || GzEncoder::new(Cycle::new().take(PLAIN_BYTES), Compression::new(1));
    let options = AnalyseOptions {
        wrapper: Wrapper::Gzip,
        recipe_limit_per_mille: 1000,
        ..AnalyseOptions::default()
    };
    let (mut recipe, mut stream_bytes) = (Vec::new(), 0);
    let analysing = peak_kib_of(|| {
        let mut source = packed();
        let analysis = analyse(&mut source, &mut std::io::sink(), &mut recipe, &options).unwrap();
        assert_eq!(analysis.plain_bytes, PLAIN_BYTES);
        stream_bytes = analysis.stream_bytes;
    });
    let mut out = Count(0);
    let remaking = peak_kib_of(|| {
        let options = RemakeOptions {
            stream_bytes,
            threads: 1,
        };
        let mut plain = Cycle::new().take(PLAIN_BYTES);
        remake(&mut &recipe[..], &mut plain, &mut out, &options).unwrap();
    });
    assert_eq!(out.0, stream_bytes);
    for (what, peak) in [("analysing", analysing), ("re-making", remaking)] {
        let peak = peak.unwrap_or(0).saturating_sub(recipe.len() as u64 / 1024);
        assert!(peak < MOST_KIB, "{what} takes {peak} KiB");
    }
}
