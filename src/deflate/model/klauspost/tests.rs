#![expect(clippy::cast_possible_truncation, reason = "numbers are small")]

use super::super::super::token::{MATCH_MAX, WINDOW};
use super::super::{AHEAD, BEHIND};
use super::*;

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// Text with matches near and far, runs, and parts without any.
fn sample(bytes: usize, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut text = Vec::new();
    while text.len() < bytes {
        let bits = 2 + numbers.below(11);
        let len = 1 + numbers.below(1 << bits);
        match numbers.below(8) {
            0 => text.resize(text.len() + len, 0),
            1 => text.extend((0..len).map(|_| numbers.below(256) as u8)),
            2 | 3 => text.extend((0..len).map(|_| b'a' + numbers.below(7) as u8)),
            _ if text.is_empty() => {}
            _ => {
                let from = text.len() - 1 - numbers.below(text.len().min(40_000));
                let to = text.len().min(from + len);
                text.extend_from_within(from..to);
            }
        }
    }
    text.truncate(bytes);
    text
}

fn whole(bytes: &[u8], base: u32) -> Text<'_> {
    Text {
        bytes,
        base,
        start: 0,
        end: bytes.len(),
    }
}

/// The tokens that a writer makes of `bytes` from `at` on.
fn tokens(level: u8, era: Era, text: Text<'_>, at: usize, dictionary: usize) -> Vec<Token> {
    let mut model = model(level, era);
    model.begin(text, at, dictionary);
    let mut tokens = Vec::new();
    let mut at = at;
    while at < text.end {
        let token = model.predict(text, at);
        model.follow(text, at, token);
        at += token.advance();
        tokens.push(token);
    }
    assert_eq!(at, text.end);
    tokens
}

fn levels() -> impl Iterator<Item = (u8, Era)> {
    (1..=9).flat_map(|level| eras(level).iter().map(move |era| (level, *era)))
}

#[test]
fn long_matches_are_cut_by_era() {
    let text = vec![7; 1000];
    let lens = |era| -> Vec<u32> {
        tokens(5, era, whole(&text, 65536), 0, 0)
            .iter()
            .map(|token| token.len())
            .collect()
    };
    assert_eq!(lens(Era::From1_15_10), [0, 258, 258, 258, 225]);
    assert_eq!(lens(Era::First), [0, 255, 255, 255, 234]);
    // Three bytes are left over at least.
    let text = vec![7; 1 + 260];
    assert_eq!(
        tokens(5, Era::From1_15_10, whole(&text, 65536), 0, 0)[1..],
        [Token::matched(255, 1), Token::matched(5, 1)]
    );
}

#[test]
fn a_short_input_has_no_matches() {
    let text = vec![7; TINY - 1];
    assert!(
        tokens(6, Era::From1_15_10, whole(&text, 65536), 0, 0)
            .iter()
            .all(|token| token.is_literal())
    );
    let text = vec![7; TINY];
    assert_eq!(
        tokens(6, Era::From1_15_10, whole(&text, 65536), 0, 0).len(),
        2
    );
}

#[test]
fn few_matches_are_no_matches() {
    let mut text: Vec<u8> = Vec::new();
    let mut numbers = Numbers(9);
    text.extend((0..4000).map(|_| numbers.below(256) as u8));
    let (mut once, mut often) = (text.clone(), text);
    once.extend_from_within(..100);
    assert!(
        tokens(5, Era::From1_15_10, whole(&once, 65536), 0, 0)
            .iter()
            .all(|token| token.is_literal())
    );
    often.extend_from_within(..1000);
    assert!(
        tokens(5, Era::From1_15_10, whole(&often, 65536), 0, 0)
            .iter()
            .any(|token| !token.is_literal())
    );
}

#[test]
fn a_chunk_knows_its_dictionary_only() {
    let mut text = sample(3000, 5);
    text.extend_from_within(..);
    for (level, era) in levels() {
        let known = tokens(level, era, whole(&text, 65536), 3000, 0);
        let unknown = tokens(level, era, whole(&text, 65536), 3000, 3000);
        assert!(
            known.len() < 40 && known.iter().any(|token| token.dist() == 3000),
            "level {level}"
        );
        assert!(
            unknown.len() > 100 && unknown.iter().all(|token| token.dist() < 3000),
            "level {level}"
        );
    }
}

#[test]
fn it_matters_not_where_the_text_lies() {
    let bytes = sample(300_000, 77);
    for (level, era) in levels() {
        let expected = tokens(level, era, whole(&bytes, 65536), 0, 0);
        assert_eq!(
            tokens(level, era, whole(&bytes, u32::MAX - 100_000), 0, 0),
            expected,
            "level {level}"
        );
        // No more of the text than is promised.
        let mut model = model(level, era);
        model.begin(whole(&bytes, 65536), 0, 0);
        let mut at = 0_usize;
        for token in expected {
            let from = at.saturating_sub(BEHIND);
            let to = bytes.len().min(at + AHEAD);
            let text = Text {
                bytes: &bytes[from..to],
                base: 65536 + from as u32,
                start: 0,
                end: to - from,
            };
            assert_eq!(
                model.predict(text, at - from),
                token,
                "level {level} at {at}"
            );
            at += token.advance();
        }
    }
}

#[test]
fn blocks_without_tokens_are_gone_through() {
    let mut bytes = sample(WINDOW_BYTES, 3);
    bytes.extend_from_within(40_000..60_000);
    let text = whole(&bytes, 65536);
    for (level, era) in levels().filter(|(level, _)| *level < 7) {
        let expected = tokens(level, era, text, 0, 0);
        let mut model = model(level, era);
        model.begin(text, 0, 0);
        model.block(text, 0);
        model.block(text, WINDOW_BYTES);
        let mut at = WINDOW_BYTES;
        while at < bytes.len() {
            at += model.predict(text, at).advance();
        }
        assert!(expected.iter().map(|token| token.advance()).sum::<usize>() == at);
        assert_eq!(
            model.predict(text, WINDOW_BYTES).advance(),
            1,
            "level {level}: it never goes back"
        );
    }
}

#[test]
fn hostile_streams_do_no_harm() {
    let bytes = sample(400_000, 1234);
    let mut numbers = Numbers(99);
    for (level, era) in levels() {
        let mut model = model(level, era);
        for _ in 0..20 {
            let at = numbers.below(bytes.len());
            let from = at.saturating_sub(numbers.below(200_000));
            let to = at + numbers.below(bytes.len() - at + 1);
            let mut text = Text {
                bytes: &bytes[from..to],
                base: numbers.below(1 << 32) as u32,
                start: 0,
                end: to - from,
            };
            let mut at = at - from;
            if numbers.below(3) > 0 {
                model.begin(text, at, at - numbers.below(at.min(WINDOW) + 1));
            }
            for _ in 0..200 {
                if at >= text.end {
                    break;
                }
                if numbers.below(20) == 0 {
                    model.block(text, at);
                }
                if numbers.below(50) == 0 {
                    text.end = at + 1 + numbers.below(text.bytes.len() - at);
                    text.base = text.base.wrapping_add(numbers.below(100_000) as u32);
                }
                model.predict(text, at);
                let token = Token::matched(3 + numbers.below(MATCH_MAX - 2) as u32, 1);
                model.follow(text, at, token);
                at += if numbers.below(2) == 0 {
                    1
                } else {
                    token.advance() + numbers.below(3000)
                };
            }
        }
    }
}
