//! A medium of any bytes, with some blocks on it that are whole and say anything.
#![no_main]

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use carryall::volumes::block::{BlockHeader, BlockSize, MAGIC};
use carryall::volumes::media::scan::scan_reader;
use carryall::volumes::media::source::AccessPattern;
use carryall::base::read_at::ReadAt;
use carryall::volumes::media::Sighting;
use carryall::base::monitor::Silent;
use libfuzzer_sys::fuzz_target;

struct Medium(Vec<u8>);

impl ReadAt for Medium {
    fn size_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| self.0.get(at..))
            .unwrap_or_default();
        let len = rest.len().min(buf.len());
        // A bad sector, where the medium says so.
        if rest.starts_with(b"\xde\xad") {
            return Err(io::ErrorKind::Other.into());
        }
        buf[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

fuzz_target!(|input: &[u8]| {
    let mut bytes = input.to_vec();
    let mut sealed = 0;
    for piece in input.chunks(48).take(3) {
        let size = BlockSize::ALL[usize::from(piece[0] & 1)];
        let mut block = MAGIC.to_vec();
        block.extend_from_slice(&[1, size as u8]);
        block.extend_from_slice(piece);
        block.resize(size.bytes(), piece[0]);
        if let Some(header) = BlockHeader::peek(&block) {
            header.seal(&mut block);
            sealed += 1;
        }
        bytes.extend_from_slice(&block);
    }
    let whole = AtomicU64::new(0);
    let visit = |sighting: &Sighting<'_>| {
        if let Sighting::Whole { header, block, .. } = sighting {
            assert_eq!(BlockHeader::open(block), Some(*header));
            whole.fetch_add(1, Ordering::Relaxed);
        }
        ControlFlow::Continue(())
    };
    let medium = Medium(bytes);
    let report =
        scan_reader(&medium, 0, AccessPattern::Parallel, &visit, &Silent).expect("nobody stops it");
    assert_eq!(report.whole_blocks, whole.load(Ordering::Relaxed));
    if report.unread_bytes == 0 {
        assert!(
            report.whole_blocks >= sealed.min(1),
            "a whole block was not met"
        );
    }
});
