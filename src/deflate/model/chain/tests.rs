#![allow(clippy::unwrap_used)]
use super::*;

/// A generator of numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap() % end
    }
}

/// Text of `letters` letters, with copies of what was before.
fn random_text(len: usize, letters: usize, copies: usize, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = vec![b'-'];
    while bytes.len() < len {
        let from = numbers.below(bytes.len());
        if numbers.below(100) < copies {
            let count = numbers.below(300).min(bytes.len() - from);
            bytes.extend_from_within(from..from + count);
        } else {
            bytes.push(u8::try_from(numbers.below(letters)).unwrap());
        }
    }
    bytes
}

fn whole(bytes: &[u8]) -> Text<'_> {
    Text {
        bytes,
        base: 1 << 16,
        start: 0,
        end: bytes.len(),
    }
}

fn models() -> Vec<Box<dyn Model>> {
    let zlib = (1..=9).map(|level| Box::new(Chain::zlib(level)) as Box<dyn Model>);
    let wide = (1..=9).map(|level| Box::new(Chain::zlib_wide(level)) as Box<dyn Model>);
    let go = (2..=9).map(|level| Box::new(Chain::go(level)) as Box<dyn Model>);
    let chromium = [ChromiumEra::Multiplied, ChromiumEra::Crc]
        .into_iter()
        .flat_map(|era| (1..=9).map(move |level| chromium_model(era, level) as Box<dyn Model>));
    zlib.chain(wide).chain(go).chain(chromium).collect()
}

/// The tokens of a text, matches as `(len,dist)`.
fn tokens(model: &mut dyn Model, bytes: &[u8]) -> String {
    let mut out = Vec::new();
    model.begin(whole(bytes), 0, 0);
    model.run(
        whole(bytes),
        0,
        bytes.len(),
        bytes.len(),
        usize::MAX,
        &mut out,
    );
    let words = out.iter().map(|token| {
        if token.is_literal() {
            char::from(token.byte()).to_string()
        } else {
            format!("({},{})", token.len(), token.dist())
        }
    });
    words.collect()
}

#[test]
fn small_texts_are_written_as_the_writers_do() {
    // zlib takes the first place for "none".
    let cases = [
        ("abcdabcd", "abcda(3,4)", "abcda(3,4)", "abcd(4,4)"),
        ("aaaaaaaa", "aa(6,1)", "aa(6,1)", "a(7,1)"),
        ("-abcabcabc", "-abc(6,3)", "-abc(6,3)", "-abc(6,3)"),
        // The better match one place later, for those who look.
        (
            "-abc?bcdef!abcdef",
            "-abc?bcdef!(3,10)(3,7)",
            "-abc?bcdef!a(5,7)",
            "-abc?bcdef!a(5,7)",
        ),
        // Go wants four bytes.
        ("-abc?abc!", "-abc?(3,4)!", "-abc?(3,4)!", "-abc?abc!"),
    ];
    for (text, greedy, lazy, go) in cases {
        for level in 1..=9 {
            let expected = if level < 4 { greedy } else { lazy };
            let bytes = text.as_bytes();
            assert_eq!(
                tokens(&mut Chain::zlib(level), bytes),
                expected,
                "zlib {level}"
            );
            assert_eq!(tokens(&mut Chain::zlib_wide(level), bytes), expected);
            if level > 1 {
                assert_eq!(tokens(&mut Chain::go(level), bytes), go, "Go {level}");
            }
        }
    }
}

#[test]
fn a_used_model_begins_as_a_new_one() {
    let mut numbers = Numbers(77);
    let mut used = models();
    for round in 0..36 {
        let len = [20, 300, 4000, 70_000][[0, 1, 2, 1, 0, 3][round % 6]] + numbers.below(50);
        let (letters, copies) = (1 + numbers.below(30), numbers.below(60));
        let text = random_text(len, letters, copies, &mut numbers);
        for (used, mut new) in used.iter_mut().zip(models()) {
            let same = tokens(used.as_mut(), &text) == tokens(new.as_mut(), &text);
            assert!(same, "round {round}");
        }
    }
}

/// Compares [`Index::search`] with [`Index::walk`] all over a text.
fn compare<F: Family>(bytes: &[u8], numbers: &mut Numbers) {
    let text = whole(bytes);
    let mut index = StringIndex::<F>::new(true);
    index.begin(text.position(0));
    for at in 0..bytes.len() {
        index.insert_around(text, at);
        let limit = MATCH_MAX.min(text.end - at);
        let (first_reach, reach) = F::reach(&text, at);
        for (chain, nice) in [(1, 8), (16, 32), (4096, 258)] {
            let least = [F::LEAST - 1, 3, 4, numbers.below(30) + 3][numbers.below(4)];
            if limit <= least || limit < F::LEAST {
                continue;
            }
            let wanted = MatchQuery {
                at,
                position: text.position(at),
                least,
                limit,
                nice: limit.min(nice),
                first_reach,
                reach,
                chain,
            };
            // The caller drops far matches of three bytes.
            let near = |found: ChainMatch| {
                if found.len == 3 && found.dist > F::FAR {
                    ChainMatch::default()
                } else {
                    found
                }
            };
            let walked = near(index.walk(text, &wanted));
            assert_eq!(near(index.search(text, &wanted)), walked, "{wanted:?}");
        }
    }
}

#[test]
fn the_short_way_finds_what_the_long_one_does() {
    let mut numbers = Numbers(7);
    for (len, letters, copies) in [
        (3000, 2, 0),
        (9000, 2, 1),
        (30000, 5, 1),
        (80000, 30, 4),
        (80000, 256, 10),
    ] {
        let bytes = random_text(len, letters, copies, &mut numbers);
        compare::<Zlib>(&bytes, &mut numbers);
        compare::<ZlibWide>(&bytes, &mut numbers);
        compare::<Go>(&bytes, &mut numbers);
        compare::<chromium::Multiplied>(&bytes, &mut numbers);
        compare::<chromium::Crc<3>>(&bytes, &mut numbers);
        compare::<chromium::Crc<4>>(&bytes, &mut numbers);
        compare::<zlib_ng::NgMultiplied>(&bytes, &mut numbers);
        compare::<zlib_ng::NgCrc>(&bytes, &mut numbers);
        compare::<zlib_ng::Leaping>(&bytes, &mut numbers);
    }
}

#[test]
fn any_tokens_can_be_followed() {
    let mut numbers = Numbers(11);
    for mut model in models() {
        let bytes = random_text(20000, 6, 3, &mut numbers);
        let (start, begin) = (numbers.below(1000), 1000 + numbers.below(2));
        let text = Text {
            start,
            end: bytes.len() - numbers.below(3),
            ..whole(&bytes)
        };
        model.begin(text, begin, [start, begin][numbers.below(2)]);
        let mut at = begin;
        while at < text.end {
            let predicted = model.predict(text, at);
            assert!(at + predicted.advance() <= text.end);
            assert!(predicted.is_literal() || predicted.dist() as usize <= at - start);
            let token = match numbers.below(4) {
                0 => Token::literal(0),
                1 if text.end - at >= 3 => {
                    let len = 3 + numbers.below((text.end - at - 2).min(256));
                    Token::matched(u32::try_from(len).unwrap(), 1)
                }
                _ => predicted,
            };
            model.follow(text, at, token);
            at += token.advance();
        }
    }
}
