//! The text of a receipt: short lines that can be typed, read out and written down, each with its own check symbols.
//!
//! Letters and digits that look alike are read as the same. Any one or two wrong characters of a line are detected in
//! that line.

use super::{FrameRange, FramesWaiting, HeldRelease, Receipt, ReceiptError, SHORT_ID_BYTES};
use crate::base::id;
use crate::content::release::script;

/// Digits and letters without I, L, O and U.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Bytes of a full line.
const LINE_BYTES: usize = 10;
/// Check symbols at the end of a line.
const CHECK_SYMBOLS: usize = 2;
/// Symbols of a full line.
const LINE_SYMBOLS: usize = LINE_BYTES * 8 / 5 + CHECK_SYMBOLS;
/// Symbols between two dashes.
const GROUP_SYMBOLS: usize = 4;
/// Most lines of a text. Nobody types so many, but they can be pasted.
pub(super) const LINES_MAX: usize = 1000;
/// First byte of a text without staged sets, with at most 255 releases and 255 missing chunks.
const SETTLED: u8 = 1;
/// First byte of any other text.
const UNSETTLED: u8 = 2;
/// Bytes of the hash at the end of the whole text.
const HASH_BYTES: usize = 2;

pub(super) fn write(receipt: &Receipt) -> Option<Vec<String>> {
    let mut body = if receipt.waiting.is_empty() {
        settled(receipt).unwrap_or_else(|| unsettled(receipt))
    } else {
        unsettled(receipt)
    };
    body.extend(&id::hash(&body)[..HASH_BYTES]);
    if body.len().div_ceil(LINE_BYTES) > LINES_MAX {
        return None;
    }
    let lines = (0..).zip(body.chunks(LINE_BYTES));
    Some(lines.map(|(number, bytes)| line(number, bytes)).collect())
}

/// Returns `None` when there is more than its counts can express.
fn settled(receipt: &Receipt) -> Option<Vec<u8>> {
    let mut body = vec![SETTLED];
    body.extend(&receipt.store[..SHORT_ID_BYTES]);
    body.push(u8::try_from(receipt.releases.len()).ok()?);
    for held in &receipt.releases {
        body.extend(&held.id[..SHORT_ID_BYTES]);
    }
    body.push(u8::try_from(receipt.lacks.len()).ok()?);
    body.extend(receipt.lacks.iter().flatten());
    Some(body)
}

fn unsettled(receipt: &Receipt) -> Vec<u8> {
    let mut body = vec![UNSETTLED];
    body.extend(&receipt.store[..SHORT_ID_BYTES]);
    put_count(&mut body, receipt.releases.len());
    for held in &receipt.releases {
        body.extend(&held.id[..SHORT_ID_BYTES]);
    }
    put_count(&mut body, receipt.lacks.len());
    body.extend(receipt.lacks.iter().flatten());
    put_count(&mut body, receipt.waiting.len());
    for waiting in &receipt.waiting {
        body.extend(&waiting.set[..SHORT_ID_BYTES]);
        put_count(&mut body, waiting.frames.len());
        let mut end = 0;
        for run in &waiting.frames {
            put_number(&mut body, run.first - end);
            put_number(&mut body, run.count);
            end = run.first + run.count;
        }
    }
    body
}

fn put_count(body: &mut Vec<u8>, count: usize) {
    put_number(body, u32::try_from(count).unwrap_or(u32::MAX));
}

/// Appends a number with seven bits a byte, the lowest first. The highest bit says that more follow.
fn put_number(body: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        body.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    body.push((number & 0x7f) as u8);
}

fn take_number(rest: &mut &[u8]) -> Result<u32, ReceiptError> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = take(rest, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(number).map_err(|_| ReceiptError::Lines);
        }
    }
    Err(ReceiptError::Lines)
}

fn line(number: usize, bytes: &[u8]) -> String {
    let mut symbols = to_symbols(bytes);
    symbols.extend(check(number, &symbols));
    let groups = symbols.chunks(GROUP_SYMBOLS).map(|group| {
        group
            .iter()
            .map(|symbol| char::from(SYMBOLS[usize::from(*symbol)]))
            .collect::<String>()
    });
    groups.collect::<Vec<_>>().join("-")
}

pub(super) fn read(text: &str) -> Result<Receipt, ReceiptError> {
    let mut body = Vec::new();
    for (number, line) in (0..).zip(lines_of(text)?) {
        let at = |line| ReceiptError::Line { line };
        let data = line
            .len()
            .checked_sub(CHECK_SYMBOLS)
            .filter(|data| *data > 0 && line.len() <= LINE_SYMBOLS)
            .ok_or(at(number + 1))?;
        let (data, checks) = line.split_at(data);
        if check(number, data) != checks {
            return Err(at(number + 1));
        }
        body.extend(to_bytes(data).ok_or(at(number + 1))?);
    }
    from_body(&body)
}

fn from_body(body: &[u8]) -> Result<Receipt, ReceiptError> {
    let version = match body.first() {
        None | Some(0) => return Err(ReceiptError::NotAReceipt),
        Some(version @ (&SETTLED | &UNSETTLED)) => *version,
        Some(version) => return Err(ReceiptError::Newer(*version)),
    };
    let split = body.len().checked_sub(HASH_BYTES);
    let (said, hash) = body.split_at(split.ok_or(ReceiptError::Lines)?);
    if id::hash(said)[..HASH_BYTES] != *hash {
        return Err(ReceiptError::Lines);
    }
    let mut rest = said.get(1..).ok_or(ReceiptError::Lines)?;
    let count = |rest: &mut &[u8]| match version {
        SETTLED => Ok(u32::from(take(rest, 1)?[0])),
        _ => take_number(rest),
    };
    let store = take(&mut rest, SHORT_ID_BYTES)?.to_vec();
    let releases = (0..count(&mut rest)?).map(|_| {
        Ok(HeldRelease {
            name: String::new(),
            id: take(&mut rest, SHORT_ID_BYTES)?.to_vec(),
        })
    });
    let releases = releases.collect::<Result<_, ReceiptError>>()?;
    let lacks = usize::try_from(count(&mut rest)?).map_err(|_| ReceiptError::Lines)?;
    let lacks = take(&mut rest, lacks.saturating_mul(8))?.as_chunks::<8>().0;
    let sets = if version == SETTLED {
        0
    } else {
        take_number(&mut rest)?
    };
    let waiting = (0..sets).map(|_| take_waiting(&mut rest));
    let waiting = waiting.collect::<Result<_, ReceiptError>>()?;
    if !rest.is_empty() {
        return Err(ReceiptError::Lines);
    }
    Ok(Receipt {
        store,
        releases,
        lacks: lacks.to_vec(),
        waiting,
    })
}

fn take_waiting(rest: &mut &[u8]) -> Result<FramesWaiting, ReceiptError> {
    let set = take(rest, SHORT_ID_BYTES)?.to_vec();
    let mut end = 0_u32;
    let runs = (0..take_number(rest)?).map(|_| {
        let first = end.checked_add(take_number(rest)?);
        let first = first.ok_or(ReceiptError::Lines)?;
        let count = take_number(rest)?;
        end = first.checked_add(count).ok_or(ReceiptError::Lines)?;
        Ok(FrameRange { first, count })
    });
    Ok(FramesWaiting {
        set,
        frames: runs.collect::<Result<_, ReceiptError>>()?,
    })
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Result<&'a [u8], ReceiptError> {
    let (taken, behind) = rest.split_at_checked(bytes).ok_or(ReceiptError::Lines)?;
    *rest = behind;
    Ok(taken)
}

/// Returns the symbols of each line. A line that is clearly more than one is cut where full lines end: a text without
/// line ends, or lines that were joined by commas.
fn lines_of(text: &str) -> Result<Vec<Vec<u8>>, ReceiptError> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for written in text.lines() {
        let mut symbols = Vec::new();
        for symbol in written.chars().filter(|symbol| !is_between(*symbol)) {
            let line = lines.len() + symbols.len() / LINE_SYMBOLS + 1;
            symbols.push(value(symbol).ok_or(ReceiptError::Symbol { line, symbol })?);
        }
        if symbols.len() > LINE_SYMBOLS + CHECK_SYMBOLS {
            lines.extend(symbols.chunks(LINE_SYMBOLS).map(<[u8]>::to_vec));
        } else if !symbols.is_empty() {
            lines.push(symbols);
        }
    }
    if let [one] = &lines[..] {
        lines = one.chunks(LINE_SYMBOLS).map(<[u8]>::to_vec).collect();
    }
    Ok(lines)
}

/// Returns whether a character is what people, phones and messengers put between symbols and lines. These are spaces,
/// dashes, points, commas and semicolons of either width, quotation marks, and invisible characters. `:` and `/` are
/// excluded, because they are signs of a name or a path.
fn is_between(symbol: char) -> bool {
    let plain = script::narrow(symbol);
    plain.is_whitespace()
        || matches!(plain, '-' | '.' | ',' | '_' | ';' | '"' | '\'' | '`')
        || matches!(
            symbol,
            '\u{ff1a}' // full-width colon
                | '\u{b7}' | '\u{30fb}' | '\u{ff65}' // middle dots
                | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' // dashes, minus, long vowel
                | '\u{2018}'..='\u{201d}' | '\u{300c}'..='\u{300f}' // quotation marks
                | '\u{3001}' | '\u{3002}' | '\u{ff61}' | '\u{ff64}' // ideographic comma and full stop
                | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// Returns the value of a symbol as people may type it: small letters, look-alikes, full-width forms.
fn value(symbol: char) -> Option<u8> {
    let plain = match script::narrow(symbol).to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = SYMBOLS.iter().position(|each| char::from(*each) == plain)?;
    u8::try_from(at).ok()
}

/// Encodes five bits a symbol, first bits first, padded with zeros.
fn to_symbols(bytes: &[u8]) -> Vec<u8> {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let starts = (0..bytes.len() * 8).step_by(5);
    starts
        .map(|start| (start..start + 5).fold(0, |symbol, at| symbol << 1 | bit(at)))
        .collect()
}

/// Decodes symbols. Returns `None` when no bytes encode to them.
fn to_bytes(symbols: &[u8]) -> Option<Vec<u8>> {
    let bit = |at: usize| symbols[at / 5] >> (4 - at % 5) & 1;
    let bytes: Vec<u8> = (0..symbols.len() * 5 / 8)
        .map(|byte| (byte * 8..byte * 8 + 8).fold(0, |value, at| value << 1 | bit(at)))
        .collect();
    (to_symbols(&bytes) == symbols).then_some(bytes)
}

/// Computes two check symbols over a line and its number. Both are sums in the field of 32 elements, the second
/// weighted by the powers of 2, so that no change of one or two symbols keeps both.
fn check(number: usize, symbols: &[u8]) -> [u8; CHECK_SYMBOLS] {
    let number = u8::try_from(number % 32).unwrap_or_default();
    let (mut plain, mut weighted, mut weight) = (0, 0, 1);
    for symbol in std::iter::once(&number).chain(symbols) {
        plain ^= symbol;
        weighted ^= times(*symbol, weight);
        weight = times(weight, 2);
    }
    [plain, weighted]
}

/// Returns the product in GF(2^5) modulo x^5 + x^2 + 1.
fn times(one: u8, other: u8) -> u8 {
    let mut product = 0;
    let mut shifted = one;
    for bit in 0..5 {
        if other >> bit & 1 == 1 {
            product ^= shifted;
        }
        shifted = (shifted << 1) ^ if shifted & 0x10 == 0 { 0 } else { 0b10_0101 };
    }
    product
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn receipt(releases: u8, lacks: u8) -> Receipt {
        let id =
            |what: &str, number: u8| id::hash(format!("{what} {number}").as_bytes())[..8].to_vec();
        Receipt {
            store: id("store", 0),
            releases: (0..releases)
                .map(|number| HeldRelease {
                    name: String::new(),
                    id: id("release", number),
                })
                .collect(),
            lacks: (0..lacks)
                .map(|number| id("chunk", number).try_into().unwrap())
                .collect(),
            waiting: Vec::new(),
        }
    }

    /// Returns the text as an input method in full-width mode types it.
    fn wide(text: &str) -> String {
        let wide = |c: char| match u32::from(c) {
            plain @ 0x21..=0x7e => char::from_u32(plain + 0xfee0).unwrap(),
            _ => c,
        };
        text.chars().map(wide).collect()
    }

    /// Returns the symbols of a text, without the separators.
    fn bare(lines: &[String]) -> Vec<char> {
        lines.concat().chars().filter(|c| *c != '-').collect()
    }

    #[test]
    fn golden_lines() {
        let lines = write(&receipt(2, 0)).unwrap();
        assert_eq!(lines, GOLDEN);
        assert_eq!(read(&GOLDEN.join("\n")).unwrap(), receipt(2, 0));
    }

    /// Never edited, because a printed receipt must be readable forever.
    const GOLDEN: [&str; 3] = [
        "069J-AQE5-15NZ-5YG2-C5",
        "VF59-NVQM-RQRV-EFT9-AM",
        "TGVM-SG2A-8006-M3GF-C",
    ];

    #[test]
    fn it_is_read_as_people_type_it() {
        let receipt = receipt(3, 1);
        let lines = write(&receipt).unwrap();
        let printed = lines.join("\n");
        let sloppy = printed.to_lowercase().replace('0', "o").replace('1', "l");
        for typed in [
            printed.clone(),
            lines.join(" "),
            printed.replace('-', ""),
            printed.replace('-', " ") + "\n\n",
            sloppy,
            printed.replace('A', "Ａ").replace('-', "－"),
            lines.join("，"),
            lines.join("、"),
            lines.join("；\n"),
            lines.join("\u{3000}"),
            lines.join(", ") + "。",
            format!("“{}”", lines.join("\u{200b}，")),
            format!("：{}\r\n", lines.join("\r\n：")),
            wide(&lines.join("，")),
            lines[..2].join("、") + "\n" + &lines[2..].join("、"),
            lines[..1].join("") + "\n" + &lines[1..].join("，"),
        ] {
            assert_eq!(read(&typed).as_ref(), Ok(&receipt), "{typed}");
        }
        let wrong = lines[0].clone() + "，" + &lines[1].replacen(|c| c != '-', "U", 1);
        assert_eq!(
            read(&wrong),
            Err(ReceiptError::Symbol {
                line: 2,
                symbol: 'U'
            })
        );
        assert!(matches!(
            read("U"),
            Err(ReceiptError::Symbol {
                line: 1,
                symbol: 'U'
            })
        ));
    }

    #[test]
    fn every_single_wrong_symbol_and_every_swap_of_two_is_found_in_its_line() {
        let lines = write(&receipt(2, 0)).unwrap();
        for line in 0..lines.len() {
            let symbols = bare(&lines[line..=line]);
            for at in 0..symbols.len() {
                for wrong in SYMBOLS.iter().map(|symbol| char::from(*symbol)) {
                    let mut typed = lines.clone();
                    let mut changed = symbols.clone();
                    changed[at] = wrong;
                    if changed == symbols {
                        continue;
                    }
                    typed[line] = changed.iter().collect();
                    assert_eq!(
                        read(&typed.join("\n")),
                        Err(ReceiptError::Line { line: line + 1 })
                    );
                }
                let mut changed = symbols.clone();
                changed.swap(at, (at + 1) % symbols.len());
                if changed != symbols {
                    let mut typed = lines.clone();
                    typed[line] = changed.iter().collect();
                    assert_eq!(
                        read(&typed.join("\n")),
                        Err(ReceiptError::Line { line: line + 1 })
                    );
                }
            }
        }
    }

    #[test]
    fn lines_that_are_missing_doubled_or_swapped_are_found() {
        let lines = write(&receipt(4, 0)).unwrap();
        for line in 0..lines.len() {
            let mut missing = lines.clone();
            missing.remove(line);
            assert!(read(&missing.join("\n")).is_err());
            let mut doubled = lines.clone();
            doubled.insert(line, lines[line].clone());
            assert!(read(&doubled.join("\n")).is_err());
        }
        let mut swapped = lines.clone();
        swapped.swap(0, 1);
        assert_eq!(
            read(&swapped.join("\n")),
            Err(ReceiptError::Line { line: 1 })
        );
    }

    #[test]
    fn golden_lines_with_a_set_that_waits() {
        let mut waits = receipt(1, 1);
        waits.waiting = vec![FramesWaiting {
            set: id::hash(b"set")[..8].to_vec(),
            frames: vec![
                FrameRange { first: 0, count: 2 },
                FrameRange {
                    first: 3,
                    count: 200,
                },
            ],
        }];
        assert_eq!(write(&waits).unwrap(), GOLDEN_WAITING);
        assert_eq!(read(&GOLDEN_WAITING.join("\n")).unwrap(), waits);
    }

    /// Never edited either.
    const GOLDEN_WAITING: [&str; 5] = [
        "0A9J-AQE5-15NZ-5YG1-3R",
        "VF59-NVQM-RQRV-E0F0-S9",
        "9T4A-KZHA-3970-3SKJ-Y2",
        "WQ6M-P64J-XG10-00G1-11",
        "S00G-YSRJ-0",
    ];

    #[test]
    fn what_is_long_has_many_lines_and_what_is_endless_no_text() {
        let mut many = receipt(1, 0);
        many.lacks = (0..256_u64).map(|number| number.to_be_bytes()).collect();
        let lines = write(&many).unwrap();
        assert_eq!(lines.len(), 208);
        assert_eq!(read(&lines.join("\n")).unwrap(), many);
        many.lacks = vec![[1; 8]; 1300];
        assert_eq!(write(&many), None);
    }

    proptest! {
        #[test]
        fn two_wrong_symbols_are_found(
            line in 0_usize..3, one in 0_usize..18, other in 0_usize..18, by in 1_u8..32, by_other in 1_u8..32,
        ) {
            let lines = write(&receipt(2, 0)).unwrap();
            let mut symbols: Vec<u8> = bare(&lines[line..=line]).into_iter().map(|c| value(c).unwrap()).collect();
            let (one, other) = (one % symbols.len(), other % symbols.len());
            symbols[one] ^= by;
            if other != one {
                symbols[other] ^= by_other;
            }
            let mut typed = lines.clone();
            typed[line] = symbols.iter().map(|symbol| char::from(SYMBOLS[usize::from(*symbol)])).collect();
            prop_assert_eq!(read(&typed.join("\n")), Err(ReceiptError::Line { line: line + 1 }));
        }

        #[test]
        fn arbitrary_texts_never_panic(text in ".{0,200}", plain in "[0-9A-Za-z \n-]{0,200}") {
            let _ = (read(&text), read(&plain));
        }
    }
}
