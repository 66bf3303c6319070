//! Headers of github.com/klauspost/compress/flate (huffman_bit_writer.go), and of Go from 1.27 on.
//!
//! The writer makes a header for the tokens of its first window and continues with the same codes while they are good
//! enough. Therefore the histogram covers the block's first 65535 plain bytes (levels 1 to 6), or its first 32768
//! tokens (levels 7 to 9). The end of the block counts once.
//!
//! The header is that of [`super::go`] where codes serve one block only. That is the case at the end of a stream or
//! chunk, in all blocks from 1.18.1 on, and in Go. Headers of blocks of literals only are that of [`super::go`], too.

use super::super::codes::{DIST_SYMBOLS, Histogram, LIT_SYMBOLS};
use super::super::header::DynamicHeader;
use super::Lengths;
use super::go::{finish, limited};

/// Most bits of a code.
const BITS_MAX: usize = 15;

/// How a code is prepared for tokens that are not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeSmoothing {
    /// Lengths of all symbols are written, used or not (1.14.0 to 1.18.0).
    AllWritten,
    /// Every symbol counts at least once (up to 1.13.6).
    AllUsed,
    /// Every literal counts at least once, other symbols are not written (blocks of literals only, up to 1.12.2).
    LiteralsUsed,
}

/// Builds the header of a block from the histogram of its beginning.
pub(crate) fn header(histogram: &Histogram, ready: CodeSmoothing) -> DynamicHeader {
    let mut counts = histogram.clone();
    match ready {
        CodeSmoothing::AllWritten => {}
        CodeSmoothing::AllUsed => {
            at_least_once(&mut counts.lit);
            at_least_once(&mut counts.dist);
        }
        CodeSmoothing::LiteralsUsed => {
            at_least_once(&mut counts.lit[..257]);
            counts.dist[0] = 1;
        }
    }
    let mut lengths = Lengths {
        lit: [0; LIT_SYMBOLS],
        dist: [0; DIST_SYMBOLS],
    };
    limited(&counts.lit, BITS_MAX, &mut lengths.lit);
    limited(&counts.dist, BITS_MAX, &mut lengths.dist);
    if ready == CodeSmoothing::LiteralsUsed {
        return finish(&lengths, 257, 1);
    }
    finish(&lengths, LIT_SYMBOLS, DIST_SYMBOLS)
}

fn at_least_once(counts: &mut [u32]) {
    for count in counts {
        *count = (*count).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::token::Token;
    use super::*;

    #[test]
    fn symbols_are_made_ready() {
        let tokens = [
            Token::literal(b'a'),
            Token::literal(b'b'),
            Token::matched(9, 2),
            Token::literal(b'a'),
        ];
        let histogram = Histogram::of(&tokens);
        let used = |ready| {
            let header = header(&histogram, ready);
            let used = |lens: &[u8]| lens.iter().filter(|len| **len > 0).count();
            (
                header.lit_count,
                used(header.lit_lens()),
                header.dist_count,
                used(header.dist_lens()),
            )
        };
        assert_eq!(used(CodeSmoothing::AllWritten), (286, 4, 30, 1));
        assert_eq!(used(CodeSmoothing::AllUsed), (286, 286, 30, 30));
        assert_eq!(used(CodeSmoothing::LiteralsUsed), (257, 257, 1, 1));
    }

    #[test]
    fn a_block_of_literals_has_no_distances() {
        let header = header(
            &Histogram::of(&[Token::literal(b'a'); 3]),
            CodeSmoothing::AllWritten,
        );
        assert_eq!(header.dist_lens(), [0; 30]);
    }
}
