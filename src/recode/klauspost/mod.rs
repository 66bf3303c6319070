//! The encoder of github.com/klauspost/compress/zstd, with which Go programs write zstd: buildkit, podman, skopeo, nerdctl.
//!
//! It is a model of that encoder, which was compared with it byte by byte: what a block becomes depends on the text before
//! it, the level and the version alone, and not on how many goroutines run. Headers, checksums and skippable frames are not
//! its matter. An encoder holds its window and half as much again, and tables of 5 MB at most.
#![expect(
    clippy::cast_possible_truncation,
    reason = "bytes, codes and positions are bounded by blocks, tables and windows"
)]

mod better;
mod bits;
mod block;
mod contest;
mod double_fast;
mod fast;
mod fse;
mod history;
mod huffman;
mod rules;
mod search;
mod sequences;

pub(super) use self::contest::Contest;
pub(crate) use self::rules::{KlauspostSettings, WriterLevel};

use self::block::{BlockCoder, BlockParse, raw};
use self::search::BlockSearch;

/// Encodes the blocks of one frame.
pub(super) struct KlauspostEncoder {
    search: BlockSearch,
    coder: BlockCoder,
    parse: BlockParse,
    block_bytes: usize,
    is_begun: bool,
}

impl KlauspostEncoder {
    pub(super) fn new(settings: KlauspostSettings) -> Self {
        Self {
            search: BlockSearch::new(settings),
            coder: BlockCoder::new(settings),
            parse: BlockParse::default(),
            block_bytes: settings.block_bytes(),
            is_begun: false,
        }
    }

    /// Takes plain bytes, and appends to `out` the blocks that are full, once it is known that they are not the last.
    pub(super) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) {
        while !plain.is_empty() {
            if self.search.block_bytes() == self.block_bytes {
                self.block(false, out);
            }
            let room = self.block_bytes - self.search.block_bytes();
            let (part, rest) = plain.split_at(plain.len().min(room));
            self.search.add(part);
            plain = rest;
        }
    }

    /// Ends the block that is begun.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        if self.search.block_bytes() > 0 {
            self.block(false, out);
        }
    }

    /// Ends the frame's blocks. The last one is empty where nothing is left.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.search.block_bytes() > 0 {
            self.block(true, out);
        } else {
            raw(&[], true, out);
        }
    }

    fn block(&mut self, is_last: bool, out: &mut Vec<u8>) {
        let is_lone = is_last && !self.is_begun;
        self.is_begun = true;
        self.search.parse(is_lone, &mut self.parse);
        let text = self.search.block();
        self.coder.write(text, &self.parse, is_last, out);
        self.search.end_block();
    }
}
