//! LZMA2: raw streams, alone or with old bytes as a prefix.
//!
//! Only this module calls the crate.

use std::io::{self, Read, Write};

use lzma_rust2::{EncodeMode, Lzma2Options, Lzma2Reader, Lzma2Writer, LzmaOptions, MfType};

const DICTIONARY_MIN: u32 = 4096;
/// Largest dictionary of a stream without a prefix.
const DICTIONARY_MAX: u32 = 32 << 20;
/// A match of this length ends the search. Longer ones gain a thousandth.
const NICE_BYTES: u32 = 32;

/// The effort of the match search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LzmaSearch {
    /// Hash chains: two thirds of the time, some percent larger.
    Chains,
    /// Binary trees, searched to a fourth of their depth: three quarters of the time, a hundredth larger.
    LowTrees,
    /// Binary trees.
    Trees,
}

/// Candidates in [`LzmaSearch::LowTrees`].
const LOW_DEPTH: i32 = 8;

/// Returns the dictionary size of a stream: its plain bytes and the prefix, within bounds.
fn dictionary_bytes(prefix: &[u8], plain_bytes: usize) -> u32 {
    let wanted = u32::try_from(prefix.len() + plain_bytes).unwrap_or(u32::MAX);
    if prefix.is_empty() {
        wanted.clamp(DICTIONARY_MIN, DICTIONARY_MAX)
    } else {
        wanted.max(DICTIONARY_MIN)
    }
}

/// Packs `plain`. Takes about 6 (chains) to 12 (trees) bytes for each byte.
pub(super) fn pack(plain: &[u8], search: LzmaSearch, out: Vec<u8>) -> Vec<u8> {
    pack_behind(plain, Vec::new(), search, out)
}

/// Packs `plain` with `prefix`. Takes about 6 (chains) to 12 (trees) bytes for each byte of both.
pub(super) fn pack_behind(
    plain: &[u8],
    prefix: Vec<u8>,
    search: LzmaSearch,
    mut out: Vec<u8>,
) -> Vec<u8> {
    let mut lzma = LzmaOptions::with_preset(6);
    lzma.dict_size = dictionary_bytes(&prefix, plain.len());
    lzma.nice_len = NICE_BYTES;
    if search == LzmaSearch::Chains {
        lzma.mf = MfType::Hc4;
        lzma.mode = EncodeMode::Normal;
        lzma.depth_limit = 8;
    }
    if search == LzmaSearch::LowTrees {
        lzma.depth_limit = LOW_DEPTH;
    }
    if !prefix.is_empty() {
        lzma.preset_dict = Some(prefix);
    }
    let options = Lzma2Options {
        lzma_options: lzma,
        ..Lzma2Options::default()
    };
    out.clear();
    let mut writer = Lzma2Writer::new(out, options);
    writer.write_all(plain).expect("memory takes everything");
    writer.finish().expect("memory takes everything")
}

/// Opens a stream that claims to give `plain_bytes` bytes with `prefix`. Takes as much memory as both, or 32 MiB
/// without a prefix.
pub(super) fn open<'a>(
    stored: &'a [u8],
    prefix: &[u8],
    plain_bytes: usize,
) -> Lzma2Reader<&'a [u8]> {
    let dictionary_bytes = dictionary_bytes(prefix, plain_bytes);
    let prefix = (!prefix.is_empty()).then_some(prefix);
    Lzma2Reader::new(stored, dictionary_bytes, prefix)
}

/// Unpacks at most one byte more than expected. That byte reveals a stream that is too long.
pub(super) fn unpack(
    stored: &[u8],
    prefix: &[u8],
    plain_bytes: usize,
    plain: &mut Vec<u8>,
) -> io::Result<()> {
    open(stored, prefix, plain_bytes)
        .take(plain_bytes as u64 + 1)
        .read_to_end(plain)?;
    Ok(())
}
