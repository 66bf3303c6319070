#![allow(clippy::unwrap_used)]
use super::super::super::bits::BitWriter;
use super::super::super::codes::{Histogram, TokenEncoder};
use super::super::super::token::MATCH_MAX;
use super::super::super::trees::libdeflate::header;
use super::*;

/// Words, some of them again and again.
fn words(bytes: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let mut random = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 16
    };
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut out = Vec::new();
    while out.len() < bytes {
        if random() % 4 == 0 || words.len() < 8 {
            let letters = 1 + random() % 9;
            words.push((0..letters).map(|_| b'a' + (random() % 26) as u8).collect());
        }
        out.extend_from_slice(&words[random() as usize % words.len()]);
        out.push(b' ');
    }
    out.truncate(bytes);
    out
}

fn whole(bytes: &[u8]) -> Text<'_> {
    Text {
        bytes,
        base: 1 << 16,
        start: 0,
        end: bytes.len(),
    }
}

/// FNV-1a of the one block that the model writes.
fn written(level: u8, era: LibdeflateEra) -> u64 {
    let plain = words(9000);
    let text = whole(&plain);
    let mut model = model(level, era);
    model.begin(text, 0, 0);
    model.block(text, 0);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.end {
        let token = model.predict(text, at);
        model.follow(text, at, token);
        tokens.push(token);
        at += token.advance();
    }
    let header = header(&Histogram::of(&tokens));
    let mut stream = Vec::new();
    let mut bits = BitWriter::new(&mut stream, 1 << 20);
    bits.put(0b101, 3).unwrap();
    header.write(&mut bits).unwrap();
    let codes = TokenEncoder::new(header.lit_lens(), header.dist_lens());
    for token in tokens {
        codes.put(token, &mut bits).unwrap();
    }
    codes.end(&mut bits).unwrap();
    bits.finish().unwrap();
    stream.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn streams_are_those_of_the_writer() {
    // Hashes of what `libdeflate-gzip` wrote: 1.14 (1.24 writes the same), and 1.8.
    let middle = [
        (1, 0x0eb8_7f36_ffa2_a3b6),
        (2, 0x7158_322e_bfc4_4bea),
        (3, 0x6571_594f_3d4c_adba),
        (4, 0xdd4b_79b3_4e5e_c7c0),
        (6, 0xd4ad_2824_d61f_b2ec),
        (9, 0xa05c_f765_e00e_a2e5),
    ];
    for (level, hash) in middle {
        assert_eq!(written(level, LibdeflateEra::Middle), hash, "level {level}");
        assert_eq!(written(level, LibdeflateEra::Late), hash, "level {level}");
    }
    let early = [
        (1, 0x3455_b368_f3e5_6072),
        (4, 0x7a4b_7343_0b5e_58f3),
        (6, 0x1a92_e8d9_a587_f136),
    ];
    for (level, hash) in early {
        assert_eq!(written(level, LibdeflateEra::Early), hash, "level {level}");
    }
}

#[test]
fn any_tokens_and_gaps_are_survived() {
    let mut plain = words(150_000);
    plain.extend(vec![0; 30_000]);
    plain.extend(words(100_000));
    for level in 0..=12 {
        for era in [
            LibdeflateEra::Early,
            LibdeflateEra::Middle,
            LibdeflateEra::Late,
        ] {
            let mut model = model(level, era);
            let (mut seed, mut at, mut base) = (u32::from(level) + 1, 0, u32::MAX - 70_000);
            let mut from = 0;
            while from < plain.len() {
                let text = Text {
                    bytes: &plain[from..],
                    base,
                    start: 0,
                    end: plain.len() - from,
                };
                if at == 0 {
                    model.begin(text, 0, 0);
                }
                while at < text.end {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let predicted = model.predict(text, at);
                    assert!(at + predicted.advance() <= text.end);
                    let len = (3 + seed as usize % (MATCH_MAX - 2)).min(text.end - at);
                    let len = u32::try_from(len).unwrap();
                    let token = match seed >> 24 {
                        0..=99 => predicted,
                        100..=150 if len >= 3 => Token::matched(len, 1 + (seed >> 8) % 32768),
                        _ => Token::literal(b'x'),
                    };
                    model.follow(text, at, token);
                    at += token.advance();
                    if seed >> 21 == 0 {
                        at = (at + 90_000).min(text.end);
                    }
                    if seed >> 22 == 1 && at < text.end {
                        model.block(text, at);
                    }
                    if at > 131_072 {
                        break;
                    }
                }
                let drop = at
                    .saturating_sub(66_000)
                    .max(usize::from(at == text.end) * text.end);
                from += drop;
                at -= drop;
                base = base.wrapping_add(u32::try_from(drop).unwrap());
            }
        }
    }
}

#[test]
fn tiny_inputs_are_survived() {
    for bytes in 1..20 {
        let plain = vec![b'a'; bytes];
        for level in 1..=9 {
            let mut model = model(level, LibdeflateEra::Middle);
            let text = whole(&plain);
            model.begin(text, 0, 0);
            let mut at = 0;
            while at < bytes {
                let token = model.predict(text, at);
                model.follow(text, at, token);
                at += token.advance();
            }
            assert_eq!(at, bytes);
        }
    }
}
