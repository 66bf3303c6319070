//! Codes the headers of dynamic blocks: the number of a rule, or the header itself.

use super::super::DeflateError;
use super::super::coder::{BitTree, Chance, Number, SymbolCoder};
use super::super::codes::{DIST_SYMBOLS, LIT_SYMBOLS};
use super::super::header::{DynamicHeader, LengthSymbol};
use super::super::trees;
use super::small;

/// Adaptive models for headers of dynamic blocks.
#[derive(Default)]
pub(super) struct HeaderCorrections {
    /// Whether the rule differs from the last one.
    other: Chance,
    rule: BitTree<4>,
    last: u8,
    /// For a header that no rule gives:
    lit_count: BitTree<5>,
    dist_count: BitTree<5>,
    /// Indexed by the length that zlib would give.
    lens: [BitTree<4>; 16],
    one_run: [Chance; 3],
    op_count: Number,
    ops: BitTree<5>,
    extras: BitTree<7>,
    cl_ruled: [Chance; 3],
    cl_lens: BitTree<3>,
    cl_count: BitTree<4>,
}

impl HeaderCorrections {
    /// Returns models that have learned nothing, behind the same block.
    pub(super) fn afresh(&self) -> Self {
        Self {
            last: self.last,
            ..Self::default()
        }
    }

    /// Codes the number of the rule that gives the header.
    pub(super) fn rule<C: SymbolCoder>(&mut self, coder: &mut C, rule: u8) -> u8 {
        if coder.bit(&mut self.other, rule != self.last) {
            let rule = self.rule.code(coder, u32::from(rule));
            self.last = u8::try_from(rule).expect("four bits");
        }
        self.last
    }

    /// Codes a header that no rule gives. `near` is the header that zlib would write.
    pub(super) fn written_out<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        near: &DynamicHeader,
        header: Option<&DynamicHeader>,
    ) -> Result<DynamicHeader, DeflateError> {
        let given = header.unwrap_or(near);
        let lit_count = 257 + self.lit_count.code(coder, small(given.lit_count - 257)) as usize;
        let dist_count = 1 + self.dist_count.code(coder, small(given.dist_count - 1)) as usize;
        if lit_count > LIT_SYMBOLS || dist_count > DIST_SYMBOLS {
            return Err(DeflateError::Corrupt("recipe: number of codes"));
        }
        let total = lit_count + dist_count;
        let mut lens = Vec::with_capacity(total);
        for place in 0..total {
            let (near, at, given) = if place < lit_count {
                (near.lit_lens(), place, given.lit_lens().get(place))
            } else {
                (
                    near.dist_lens(),
                    place - lit_count,
                    given.dist_lens().get(place - lit_count),
                )
            };
            let near = usize::from(near.get(at).copied().unwrap_or(0));
            let len = self.lens[near].code(coder, u32::from(given.copied().unwrap_or(0)));
            lens.push(u8::try_from(len).expect("four bits"));
        }
        let ops = self.ops(coder, &lens, lit_count, &given.ops)?;
        let (cl_lens, cl_count) = self.cl(coder, &ops, given);
        Ok(DynamicHeader {
            lit_count,
            dist_count,
            lens,
            ops,
            cl_lens,
            cl_count,
        })
    }

    fn ops<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        lens: &[u8],
        lit_count: usize,
        given: &[LengthSymbol],
    ) -> Result<Vec<LengthSymbol>, DeflateError> {
        for (chance, ruled) in self.one_run.iter_mut().zip([
            trees::in_one_run(lens),
            trees::in_two_runs(&lens[..lit_count], &lens[lit_count..]),
        ]) {
            if !coder.bit(chance, ruled != given) {
                return Ok(ruled);
            }
        }
        let count = self.op_count.code(coder, small(given.len()));
        if count as usize > lens.len() {
            return Err(DeflateError::Corrupt("recipe: code lengths"));
        }
        let mut ops = Vec::with_capacity(count as usize);
        for place in 0..count as usize {
            let op = given.get(place).copied().unwrap_or(LengthSymbol {
                symbol: 0,
                extra: 0,
            });
            let symbol = self.ops.code(coder, u32::from(op.symbol)).min(18);
            let extra = if symbol > 15 {
                self.extras.code(coder, u32::from(op.extra))
            } else {
                0
            };
            let most = [3, 7, 127]
                .get((symbol as usize).wrapping_sub(16))
                .copied()
                .unwrap_or(0);
            ops.push(LengthSymbol {
                symbol: u8::try_from(symbol).expect("at most 18"),
                extra: u8::try_from(extra.min(most)).expect("at most 127"),
            });
        }
        Ok(ops)
    }

    fn cl<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        ops: &[LengthSymbol],
        given: &DynamicHeader,
    ) -> ([u8; 19], usize) {
        for (chance, ruled) in self.cl_ruled.iter_mut().zip(trees::cl_by_rules(ops)) {
            if !coder.bit(chance, ruled != (given.cl_lens, given.cl_count)) {
                return ruled;
            }
        }
        let mut lens = [0; 19];
        for (len, given) in lens.iter_mut().zip(given.cl_lens) {
            *len = u8::try_from(self.cl_lens.code(coder, u32::from(given))).expect("three bits");
        }
        let count = 4 + self.cl_count.code(coder, small(given.cl_count - 4)) as usize;
        (lens, count.min(19))
    }
}
