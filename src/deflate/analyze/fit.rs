//! Measures how well the model fits, and decides when another one is searched for.

use std::io::Read;

use super::StreamAnalyzer;
use crate::deflate::idle_models;
use crate::deflate::run::WriterStyle;
use crate::deflate::select::{self, Leave, SAMPLE_BYTES, SAMPLE_TOKENS};
use crate::deflate::text::FIRST;
use crate::deflate::writers::Writer;
use crate::deflate::{DeflateError, Experience};

/// Tokens between two checks of the model's fit. [`LOOK_PER_MILLE`] misses in a thousand of them start a search.
const LOOK_TOKENS: u64 = 1 << 16;
const LOOK_PER_MILLE: u64 = 5;
/// Most weight of a sample's segments, see [`BlockSegment::weight`](crate::deflate::inflate::BlockSegment::weight).
const SAMPLE_WEIGHT_MAX: usize = 1 << 12;
/// Searches that may end without a better model.
const LOOKS_IN_VAIN_MAX: u32 = 4;

/// Writers of earlier members that are tried first with the next one.
const MEMBERS_REMEMBERED: usize = 4;

/// Newest pieces that do not count yet for the model's fit. There are never more pieces in work than that, so decisions
/// do not depend on threads.
const FIT_LAG_PIECES: u64 = 4;

/// How well the model fits.
#[derive(Default)]
pub(super) struct ModelFit {
    /// Tokens and misses since the last check.
    pub(super) tokens: u64,
    pub(super) misses: u64,
    pub(super) all_misses: u64,
    all_tokens: u64,
    /// [`ModelFit::all_tokens`] where the last member began that was looked at.
    tokens_before: u64,
    pub(super) looks_in_vain: u32,
    pub(super) looked: bool,
    /// Writers of earlier members, the latest first. With more than one, each further member is looked at.
    members: Vec<WriterStyle>,
}

impl ModelFit {
    pub(super) fn add(&mut self, tokens: u64, misses: u64) {
        self.tokens += tokens;
        self.misses += misses;
        self.all_misses += misses;
        self.all_tokens += tokens;
    }
}

impl<R: Read> StreamAnalyzer<'_, R> {
    /// Searches for a model: at the beginning, and when the current one does not fit.
    pub(super) fn look(&mut self) -> Result<Option<WriterStyle>, DeflateError> {
        if let Some(style) = self.forced.take() {
            self.drain()?;
            return Ok(Some(style));
        }
        self.count_fits(FIT_LAG_PIECES);
        let fit = &mut self.fit;
        if fit.looked {
            let begins = self.position == self.run.member();
            // Behind a long member, one more look costs little beside what a member with the wrong model does.
            let is_long = fit.all_tokens - fit.tokens_before >= LOOK_TOKENS;
            let differs = begins && (fit.members.len() > 1 || is_long);
            if begins {
                fit.tokens_before = fit.all_tokens;
            }
            if fit.tokens < LOOK_TOKENS && !(begins && fit.misses > 0) && !differs {
                return Ok(None);
            }
            let fits = fit.misses * 1000 < fit.tokens * LOOK_PER_MILLE && !differs;
            (fit.tokens, fit.misses) = (0, 0);
            if fits || fit.looks_in_vain >= LOOKS_IN_VAIN_MAX || !self.run.has_model() {
                return Ok(None);
            }
            self.drain()?;
        }
        while self.end.is_none()
            && self.stretch.end() - self.position < SAMPLE_BYTES
            && self.queued_tokens < SAMPLE_TOKENS
            && self.queued_weight < SAMPLE_WEIGHT_MAX
        {
            self.parse()?;
        }
        self.see_end();
        self.run.keeps_model = self.end.is_some();
        if !self.run.keeps_model {
            // A long stream has its memory for itself.
            idle_models::forget();
        }
        let (watch, plain_bytes) = (self.options.watch, self.stretch.end() - FIRST);
        let experience = self.options.experience;
        let likely = match experience {
            _ if self.fit.looked => {
                let others = self
                    .fit
                    .members
                    .iter()
                    .filter(|style| **style != self.run.style);
                std::iter::once(self.run.style)
                    .chain(others.copied())
                    .collect()
            }
            Some(experience) => experience.likely(),
            None => Vec::new(),
        };
        let leave = Leave {
            likely: &likely,
            affords: &|bytes| experience.is_none_or(|experience| experience.affords(bytes)),
            goes_on: &|| watch.is_none_or(|watch| watch(plain_bytes)),
        };
        let (stretch, position) = (&self.stretch, self.position);
        let chosen = select::select(stretch, &self.queue, position, &self.run, &leave)?;
        let style = chosen.style;
        // The try went over the whole member, as the run itself would, and need not be repeated.
        let whole_member = self.end.is_some() && position == self.run.member();
        if chosen.is_whole && whole_member && style.chunks.is_none() {
            self.foreseen_to = self.stretch.end();
        } else if experience.is_some_and(Experience::is_strict) {
            return Err(DeflateError::Stopped);
        }
        if style.writer != Writer::UNKNOWN {
            self.fit.members.retain(|other| *other != style);
            self.fit.members.insert(0, style);
            self.fit.members.truncate(MEMBERS_REMEMBERED);
        }
        // A member that shows its writer is no search in vain, nor is one without any tokens.
        if style == self.run.style && !chosen.is_whole && self.queued_tokens > 0 {
            self.fit.looks_in_vain += u32::from(self.fit.looked);
        }
        self.fit.looked = true;
        Ok((style != self.run.style).then_some(style))
    }

    /// Counts how well the pieces were predicted, except for the last `lag` of them.
    pub(super) fn count_fits(&mut self, lag: u64) {
        while self.pieces_counted + lag < self.pieces_given
            && let Some((tokens, misses)) = self.late_fits.pop_front()
        {
            self.fit.add(tokens, misses);
            self.pieces_counted += 1;
        }
    }
}
