//! Chooses the model of a stream's writer by trying models on a sample.

use std::collections::VecDeque;
use std::io;

use super::DeflateError;
use super::coder::RangeEncoder;
use super::corrections::CorrectionModels;
use super::inflate::{BlockForm, BlockSegment};
use super::run::{
    CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, ChunkedWriting, DICTIONARIES, WriterRun, WriterStyle,
};
use super::text::Stretch;
use super::token::Token;
use super::writers::{self, Writer};

/// Most plain bytes and tokens of a sample: about 1 MiB and one chunk of pgzip.
pub(crate) const SAMPLE_BYTES: u64 = (1 << 20) + (1 << 16);
pub(crate) const SAMPLE_TOKENS: usize = 1 << 19;
/// Tokens of the first, short try of each writer.
const SHORT_TOKENS: usize = 1 << 13;
/// Writers that are tried on the whole sample.
const LONGER: usize = 6;
/// Streams with fewer tokens are tried only with the common writers.
const FEW_TOKENS: usize = 1 << 12;
/// Matches without a miss that suffice to trust a model.
const SURE_MATCHES: usize = 2000;
/// Misses in a thousand tokens at which a stream counts as unknown.
const UNKNOWN_PER_MILLE: usize = 120;
/// Misses in a thousand tokens from which a model is compared with none at all, and tokens over which it is.
const DOUBTFUL_PER_MILLE: usize = 10;
const COMPARED_TOKENS: usize = 1 << 16;
/// Tokens between two looks whether a writer can still be chosen.
const STEP_TOKENS: usize = 256;

/// The preferences and the budget of a search.
pub(crate) struct Leave<'a> {
    /// Styles that are tried first.
    pub(crate) likely: &'a [WriterStyle],
    /// Asked before all are tried: whether models may process this many bytes.
    pub(crate) affords: &'a dyn Fn(u64) -> bool,
    /// Asked between tries whether to go on.
    pub(crate) goes_on: &'a dyn Fn() -> bool,
}

/// A style, and what its try showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StyleChoice {
    pub(crate) style: WriterStyle,
    /// Whether every token that is queued was predicted.
    pub(crate) is_whole: bool,
}

impl StyleChoice {
    fn whole(style: WriterStyle) -> Self {
        Self {
            style,
            is_whole: true,
        }
    }

    fn by_chance(style: WriterStyle) -> Self {
        Self {
            style,
            is_whole: false,
        }
    }
}

/// Chooses a style for what is queued from `position` on.
///
/// # Errors
/// [`DeflateError::Stopped`] when `goes_on` returns false.
pub(crate) fn select(
    stretch: &Stretch,
    queue: &VecDeque<BlockSegment>,
    position: u64,
    run: &WriterRun,
    leave: &Leave<'_>,
) -> Result<StyleChoice, DeflateError> {
    let sample = Sample {
        stretch,
        queue,
        position,
        run,
    };
    let tokens: usize = queue.iter().map(|segment| segment.tokens.len()).sum();
    let matches = queue
        .iter()
        .flat_map(|segment| &segment.tokens)
        .filter(|token| !token.is_literal())
        .count();
    if tokens == 0 {
        let style = leave.likely.first().copied().unwrap_or(run.style);
        return Ok(StyleChoice::by_chance(style));
    }
    let chunk_bytes = sample.chunk_bytes();
    // A writer with more misses would count as unknown, so its try ends there.
    let too_many = tokens * UNKNOWN_PER_MILLE / 1000 + 1;
    // A writer without a model predicts nothing. It is the last resort and never tried.
    let fits = |style: &&WriterStyle| {
        let is_cut_so = style.chunks.map(|chunks| chunks.bytes) == chunk_bytes;
        is_cut_so && style.writer != Writer::UNKNOWN
    };
    let likely = || leave.likely.iter().filter(fits);
    // Mostly one of them fits, and each of the others is done with at its first miss.
    if let Some(style) = likely().find(|style| sample.misses(**style, usize::MAX, 0) == 0) {
        return Ok(StyleChoice::whole(*style));
    }
    if matches == 0 {
        return Ok(StyleChoice::by_chance(WriterStyle {
            writer: Writer::LITERALS,
            chunks: None,
        }));
    }
    let mut best: Option<(usize, WriterStyle)> = None;
    for style in likely() {
        let most = best.map_or(too_many, |(misses, _)| misses);
        let misses = sample.misses(*style, usize::MAX, most);
        if misses < most {
            best = Some((misses, *style));
        }
    }
    let reach = queue
        .iter()
        .flat_map(|segment| &segment.tokens)
        .filter(|token| !token.is_literal())
        .map(|token| token.dist());
    let reach = reach.max().unwrap_or(0);
    let first = queue.front().map_or(0, |segment| segment.tokens.len());
    let styles = writers::all().filter(|writer| writer.may_have(reach, first));
    let styles = styles.take(if tokens < FEW_TOKENS {
        writers::FEW
    } else {
        usize::MAX
    });
    let mut styles: Vec<WriterStyle> = styles
        .flat_map(|writer| styles_of(writer, chunk_bytes))
        .collect();
    if !(leave.affords)(sample.cost(tokens, styles.len())) {
        styles.clear();
    }
    let mut short: Vec<(usize, WriterStyle)> = Vec::new();
    for style in styles {
        if !(leave.goes_on)() {
            return Err(DeflateError::Stopped);
        }
        // Only the best are tried longer, so a try ends when it is behind them.
        let last = short.get(LONGER - 1).map_or(too_many, |(most, _)| *most);
        let misses = sample.misses(style, SHORT_TOKENS, last.min(too_many));
        let rank = short.partition_point(|(other, _)| *other <= misses);
        short.insert(rank, (misses, style));
        short.truncate(LONGER);
        // A style without a miss on the short sample is tried on all of it at once, which mostly ends the search.
        if misses == 0 && matches >= SURE_MATCHES {
            // Any miss at all leaves it to the longer tries.
            if sample.misses(style, usize::MAX, 0) == 0 {
                return Ok(StyleChoice::whole(style));
            }
        }
    }
    for (_, style) in short {
        if !(leave.goes_on)() {
            return Err(DeflateError::Stopped);
        }
        let most = best.map_or(too_many, |(misses, _)| misses);
        let misses = sample.misses(style, usize::MAX, most);
        if misses < most {
            best = Some((misses, style));
        }
    }
    let unknown = WriterStyle {
        writer: Writer::UNKNOWN,
        chunks: None,
    };
    let is_worse = |style| {
        let [with, without] = [style, unknown].map(|style| sample.recipe_bytes(style));
        without < with
    };
    Ok(match best {
        Some((0, style)) => StyleChoice::whole(style),
        Some((misses, style))
            if misses * 1000 >= tokens * DOUBTFUL_PER_MILLE && is_worse(style) =>
        {
            StyleChoice::by_chance(unknown)
        }
        Some((_, style)) => StyleChoice::by_chance(style),
        None => StyleChoice::by_chance(unknown),
    })
}

fn styles_of(writer: Writer, chunk_bytes: Option<u64>) -> Vec<WriterStyle> {
    let Some(bytes) = chunk_bytes else {
        return vec![WriterStyle {
            writer,
            chunks: None,
        }];
    };
    let chunked = DICTIONARIES
        .into_iter()
        .map(|dictionary| ChunkedWriting { bytes, dictionary })
        .filter(|chunks| !chunks.go_on() || writer.goes_on())
        .map(Some);
    chunked
        .chain([None])
        .map(|chunks| WriterStyle { writer, chunks })
        .collect()
}

struct Sample<'a> {
    stretch: &'a Stretch,
    queue: &'a VecDeque<BlockSegment>,
    position: u64,
    run: &'a WriterRun,
}

impl Sample<'_> {
    /// Counts misses over the first `most_tokens` tokens. With more than `most` it stops soon.
    fn misses(&self, style: WriterStyle, most_tokens: usize, most: usize) -> usize {
        let mut run = self.run.afresh(style);
        run.change(style, self.position);
        let mut position = self.position;
        let (mut misses, mut tokens) = (0, 0);
        let mut predicted: Vec<Token> = Vec::new();
        for segment in self.queue {
            if segment.head.is_some() && segment.bytes > 0 {
                run.turn(self.stretch, position);
                run.block(self.stretch, position);
            }
            let end = position + segment.bytes as u64;
            if segment.tokens.is_empty() {
                run.pass_over(self.stretch, position, end, &mut predicted);
            }
            let wanted = segment.tokens.len().min(most_tokens - tokens);
            let (mut at, mut left) = (position, &segment.tokens[..wanted]);
            while !left.is_empty() && misses <= most {
                let (step, rest) = left.split_at(left.len().min(STEP_TOKENS));
                predicted.clear();
                let goes_on = run.predict_all(self.stretch, at, step, &mut predicted);
                let pairs = step.iter().zip(&predicted);
                misses += pairs
                    .filter(|(token, predicted)| token != predicted)
                    .count();
                // Tokens without a prediction count as misses.
                misses += step.len().saturating_sub(predicted.len());
                if !goes_on {
                    misses += rest.len();
                    break;
                }
                at += step.iter().map(|token| token.advance() as u64).sum::<u64>();
                left = rest;
            }
            tokens += wanted;
            position = end;
            if tokens >= most_tokens || misses > most {
                break;
            }
        }
        misses
    }

    /// Returns the bytes that the first tokens take in a recipe. A style without a model codes them by its candidates.
    fn recipe_bytes(&self, style: WriterStyle) -> u64 {
        let mut run = self.run.afresh(style);
        run.change(style, self.position);
        let mut nowhere = io::sink();
        let mut coder = RangeEncoder::new(&mut nowhere);
        let mut script = CorrectionModels::default();
        let (mut position, mut left) = (self.position, COMPARED_TOKENS);
        let mut predicted: Vec<Token> = Vec::new();
        for segment in self.queue {
            if segment.head.is_some() && segment.bytes > 0 {
                run.turn(self.stretch, position);
                run.block(self.stretch, position);
            }
            predicted.clear();
            let end = position + segment.bytes as u64;
            if segment.tokens.is_empty() {
                run.pass_over(self.stretch, position, end, &mut predicted);
            }
            let tokens = &segment.tokens[..segment.tokens.len().min(left)];
            if run.has_model() {
                run.predict_all(self.stretch, position, tokens, &mut predicted);
                for (token, predicted) in tokens.iter().zip(&predicted) {
                    let literal = Token::literal(token.byte());
                    script.token(&mut coder, *predicted, *token, literal);
                }
            } else {
                let mut position = position;
                for token in tokens {
                    run.turn(self.stretch, position);
                    let (text, at) = (run.text(self.stretch), self.stretch.place(position));
                    script.unforeseen(&mut coder, text, at, *token);
                    position += token.advance() as u64;
                }
            }
            left -= tokens.len();
            position = end;
            if left == 0 {
                break;
            }
        }
        // Nothing is written, so nothing can fail.
        coder.finish().unwrap_or(u64::MAX)
    }

    /// Returns the bytes that models process when this many styles are tried on a sample of `tokens` tokens.
    fn cost(&self, tokens: usize, styles: usize) -> u64 {
        let bytes: usize = self.queue.iter().map(|segment| segment.bytes).sum();
        let short = bytes as u64 * tokens.min(SHORT_TOKENS) as u64 / tokens.max(1) as u64;
        short * styles as u64 + (bytes * LONGER.min(styles)) as u64
    }

    /// Returns the plain bytes between empty blocks when those stand at multiples of one number, as with a chunked
    /// writer.
    fn chunk_bytes(&self) -> Option<u64> {
        let mut position = self.position - self.run.member();
        let (mut empty, mut begins) = (Vec::new(), Vec::new());
        for segment in self.queue {
            if let Some(head) = &segment.head {
                begins.push(position);
                if segment.bytes == 0 && !head.last && !matches!(head.kind, BlockForm::Dynamic(_)) {
                    empty.push(position);
                }
            }
            position += segment.bytes as u64;
        }
        // An empty block at the very end says nothing about chunks.
        empty.retain(|place| *place < position);
        empty.dedup();
        begins.dedup();
        let first = *empty.first()?;
        // pigz writes an empty block only where a chunk does not end at a whole byte. A block begins there in any case.
        let begins_at_all = |bytes: u64| {
            let last = begins.last().map_or(0, |last| last / bytes);
            (1..=last).all(|number| begins.binary_search(&(number * bytes)).is_ok())
        };
        let parts = (2..=8).rev().filter(|parts| first.is_multiple_of(*parts));
        let mut parts = parts.map(|parts| first / parts);
        let part = parts.find(|bytes| *bytes >= CHUNK_BYTES_MIN && begins_at_all(*bytes));
        let bytes = part.unwrap_or(first);
        let fits = empty.iter().filter(|place| place.is_multiple_of(bytes));
        let is_size = (CHUNK_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&bytes);
        (is_size && fits.count() * 10 >= empty.len() * 9).then_some(bytes)
    }
}
