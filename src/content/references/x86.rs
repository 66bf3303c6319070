//! Finds the lengths of x86-64 instructions, and the four bytes in some of them that say how far away something is.
//!
//! The tables are part of the format (docs/format.md, Labels): a reader has to find the same instructions in changed
//! bytes as the writer found in the original ones. They therefore never change, not even for new instructions. Only the
//! length counts. Nothing is said about what an instruction does, or whether a processor would accept it.

/// Longest instruction.
const LENGTH_MAX: usize = 15;

/// What follows each opcode of one byte, sixteen in a line. The letters are those of docs/format.md.
const ONE_BYTE: [&[u8; 16]; 16] = [
    b"mmmmbz--mmmmbz-2",
    b"mmmmbz--mmmmbz--",
    b"mmmmbzp-mmmmbzp-",
    b"mmmmbzp-mmmmbzp-",
    b"rrrrrrrrrrrrrrrr",
    b"................",
    b"--VmppppzZbB....",
    b"bbbbbbbbbbbbbbbb",
    b"BZ-Bmmmmmmmmmmmq",
    b"..........-.....",
    b"oooo....bz......",
    b"bbbbbbbbvvvvvvvv",
    b"BBw.xyBZe.w..b-.",
    b"mmmm---.mmmmmmmm",
    b"bbbbbbbbcj-b....",
    b"p.pp..gG......mm",
];

/// What follows each opcode behind `0f`.
const TWO_BYTES: [&[u8; 16]; 16] = [
    b"mmmm-.....-.-m.B",
    b"mmmmmmmmmmmmmmmm",
    b"mmmm----mmmmmmmm",
    b"......-.3-A-----",
    b"mmmmmmmmmmmmmmmm",
    b"mmmmmmmmmmmmmmmm",
    b"mmmmmmmmmmmmmmmm",
    b"BBBBmmm.mm--mmmm",
    b"jjjjjjjjjjjjjjjj",
    b"mmmmmmmmmmmmmmmm",
    b"...mBm--...mBmmm",
    b"mmmmmmmmmmBmmmmm",
    b"mmBmBBBm........",
    b"mmmmmmmmmmmmmmmm",
    b"mmmmmmmmmmmmmmmm",
    b"mmmmmmmmmmmmmmmm",
];

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Its length.
    pub bytes: usize,
    /// Its distance field, if it has one of four bytes.
    pub distance: Option<Distance>,
}

/// Four bytes in an instruction that are added to the address behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    /// Place in the instruction.
    pub at: usize,
    /// Whether it is that of a jump. Those of calls and of operands are treated alike.
    pub is_jump: bool,
}

/// What some bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// An instruction.
    Instruction(Instruction),
    /// None that is known.
    Unknown,
    /// One that the bytes are too short for.
    Cut,
}

/// Returns what `code` begins with.
pub fn instruction(code: &[u8]) -> Found {
    find(code).unwrap_or(Found::Cut)
}

/// Prefixes that change lengths.
#[derive(Default)]
struct Prefixes {
    /// `66`: immediate values of two bytes.
    is_short: bool,
    /// `67`: addresses of four bytes.
    has_short_addresses: bool,
    /// REX.W directly before the opcode.
    is_wide: bool,
}

impl Prefixes {
    fn z(&self) -> usize {
        if self.is_short && !self.is_wide { 2 } else { 4 }
    }

    fn v(&self) -> usize {
        if self.is_wide { 8 } else { self.z() }
    }
}

/// Reads bytes one by one. `None` when there are no more.
struct CodeCursor<'a> {
    code: &'a [u8],
    at: usize,
}

impl CodeCursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.code.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

/// The letters of [`ONE_BYTE`] and [`TWO_BYTES`] by opcode.
static LETTERS: [[u8; 256]; 2] = [by_opcode(ONE_BYTE), by_opcode(TWO_BYTES)];

const fn by_opcode(rows: [&[u8; 16]; 16]) -> [u8; 256] {
    let mut letters = [0; 256];
    let mut opcode = 0;
    while opcode < letters.len() {
        letters[opcode] = rows[opcode / 16][opcode % 16];
        opcode += 1;
    }
    letters
}

fn find(code: &[u8]) -> Option<Found> {
    let mut cursor = CodeCursor { code, at: 0 };
    let mut prefixes = Prefixes::default();
    let letter = loop {
        let byte = cursor.next()?;
        match LETTERS[0][usize::from(byte)] {
            b'p' => {
                prefixes.is_wide = false;
                prefixes.is_short |= byte == 0x66;
                prefixes.has_short_addresses |= byte == 0x67;
            }
            b'r' => prefixes.is_wide = byte & 8 != 0,
            letter => break letter,
        }
        if cursor.at == LENGTH_MAX {
            return Some(Found::Unknown);
        }
    };
    let Some(letter) = operands(&mut cursor, letter)? else {
        return Some(Found::Unknown);
    };
    let mut operand = Operand::default();
    if matches!(letter, b'm' | b'B' | b'Z' | b'g' | b'G' | b'q') {
        operand = Operand::read(&mut cursor)?;
    }
    let tests = operand.register < 2;
    let immediate = match letter {
        b'.' | b'm' => 0,
        b'q' if operand.register == 0 => 0,
        b'g' if !tests => 0,
        b'G' if !tests => 0,
        b'b' | b'B' | b'g' => 1,
        b'w' => 2,
        b'e' => 3,
        b'z' | b'Z' | b'G' => prefixes.z(),
        b'v' => prefixes.v(),
        b'o' if prefixes.has_short_addresses => 4,
        b'o' => 8,
        b'c' | b'j' => 4,
        _ => return Some(Found::Unknown),
    };
    let bytes = cursor.at + operand.displacement + immediate;
    if bytes > LENGTH_MAX {
        return Some(Found::Unknown);
    }
    if bytes > code.len() {
        return None;
    }
    let is_branch = letter == b'c' || letter == b'j';
    let distance = (is_branch || operand.is_relative).then_some(Distance {
        at: cursor.at,
        is_jump: letter == b'j',
    });
    Some(Found::Instruction(Instruction { bytes, distance }))
}

/// Reads on to the end of an opcode and returns its letter, `None` for one that is unknown.
fn operands(cursor: &mut CodeCursor<'_>, letter: u8) -> Option<Option<u8>> {
    let map = match letter {
        b'2' => {
            return Some(match LETTERS[1][usize::from(cursor.next()?)] {
                b'3' => {
                    cursor.next()?;
                    Some(b'm')
                }
                b'A' => {
                    cursor.next()?;
                    Some(b'B')
                }
                letter => Some(letter),
            });
        }
        b'y' => {
            cursor.next()?;
            1
        }
        b'x' => {
            let map = cursor.next()? & 0x1f;
            if !(1..=3).contains(&map) {
                return Some(None);
            }
            cursor.next()?;
            map
        }
        b'V' => {
            let map = cursor.next()? & 7;
            if !matches!(map, 1..=3 | 5 | 6) {
                return Some(None);
            }
            cursor.next()?;
            cursor.next()?;
            map
        }
        b'q' => {
            let map = cursor.peek()? & 0x1f;
            if map < 8 {
                return Some(Some(b'q'));
            }
            cursor.next()?;
            if map > 10 {
                return Some(None);
            }
            cursor.next()?;
            map
        }
        other => return Some(Some(other)),
    };
    let opcode = cursor.next()?;
    Some(Some(match (map, opcode) {
        (3 | 8, _) | (1, 0x70..=0x73 | 0xc2 | 0xc4..=0xc6) => b'B',
        (10, _) => b'Z',
        (1, 0x77) => b'.',
        _ => b'm',
    }))
}

/// The byte ModRM and what it brings along.
#[derive(Default)]
struct Operand {
    register: u8,
    /// Bytes of the displacement, which follows.
    displacement: usize,
    /// Whether the displacement counts from the end of the instruction.
    is_relative: bool,
}

impl Operand {
    fn read(cursor: &mut CodeCursor<'_>) -> Option<Self> {
        let byte = cursor.next()?;
        let (mode, low) = (byte >> 6, byte & 7);
        let mut operand = Self {
            register: byte >> 3 & 7,
            ..Self::default()
        };
        if mode == 3 {
            return Some(operand);
        }
        let mut base = low;
        if low == 4 {
            base = cursor.next()? & 7;
        }
        operand.displacement = match mode {
            0 if base == 5 => 4,
            0 => 0,
            1 => 1,
            _ => 4,
        };
        operand.is_relative = mode == 0 && low == 5;
        Some(operand)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(digits: &str) -> Vec<u8> {
        let digits: Vec<u8> = digits
            .bytes()
            .filter_map(|digit| char::from(digit).to_digit(16))
            .map(|digit| u8::try_from(digit).unwrap())
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    #[test]
    fn instructions_end_where_a_processor_says() {
        // Bytes, and where the distance is.
        let known: [(&str, Option<usize>); 34] = [
            ("c3", None),
            ("f3 0f1efa", None),
            ("55", None),
            ("48 89e5", None),
            ("e8 01020304", Some(1)),
            ("66 66 48 e8 01020304", Some(4)),
            ("e9 01020304", Some(1)),
            ("0f84 01020304", Some(2)),
            ("f2 e9 01020304", Some(2)),
            ("74 05", None),
            ("48 8d05 01020304", Some(3)),
            ("48 8d0425 01020304", None),
            ("48 8b44 24 08", None),
            ("48 8b84 24 01020304", None),
            ("48 c705 01020304 05060708", Some(3)),
            ("66 c705 01020304 0506", Some(3)),
            ("80 3d 01020304 00", Some(2)),
            ("f6 05 01020304 05", Some(2)),
            ("f6 1d 01020304", Some(2)),
            ("f7 c1 01020304", None),
            ("66 f7 c1 0102", None),
            ("f7 d9", None),
            ("48 b8 0102030405060708", None),
            ("66 b8 0102", None),
            ("b8 01020304", None),
            ("a1 0102030405060708", None),
            ("c5f8 77", None),
            ("c5fb 1005 01020304", Some(4)),
            ("c4e379 0f05 01020304 07", Some(5)),
            ("62f17c48 1005 01020304", Some(6)),
            ("660f3a0f 05 01020304 05", Some(5)),
            ("66 2e 0f1f8400 00000000", None),
            ("8f05 01020304", Some(2)),
            ("8f4878c305 01020304 38", Some(5)),
        ];
        for (digits, at) in known {
            let code = hex(digits);
            let Found::Instruction(found) = instruction(&code) else {
                panic!("{digits}");
            };
            assert_eq!(found.bytes, code.len(), "{digits}");
            assert_eq!(found.distance.map(|distance| distance.at), at, "{digits}");
            let is_jump = found.distance.is_some_and(|distance| distance.is_jump);
            assert_eq!(
                is_jump,
                digits.contains("e9") || digits.contains("0f84"),
                "{digits}"
            );
            assert_eq!(instruction(&code[..code.len() - 1]), Found::Cut, "{digits}");
        }
    }

    #[test]
    fn unknown_ones_are_said_to_be() {
        for digits in [
            "06",
            "0f04",
            "c4e0",
            "6204",
            "8f 20",
            "8f cb",
            "d6",
            "48 ea",
            &"66".repeat(15),
        ] {
            assert_eq!(instruction(&hex(digits)), Found::Unknown, "{digits}");
        }
        // One byte more than the longest.
        let long = ["66".repeat(11), "81 00 0102".to_owned()].concat();
        let Found::Instruction(found) = instruction(&hex(&long)) else {
            panic!();
        };
        assert_eq!(found.bytes, 15);
        assert_eq!(instruction(&hex(&["66", &long].concat())), Found::Unknown);
    }

    #[test]
    fn the_tables_are_those_of_the_document() {
        let document = include_str!("../../../docs/format.md");
        for (table, name) in [
            (ONE_BYTE, "says what follows it"),
            (TWO_BYTES, "Behind `0f`:"),
        ] {
            let (_, behind) = document.split_once(name).unwrap();
            let lines = behind.lines().skip_while(|line| !line.starts_with("00  "));
            for (number, (line, row)) in lines.zip(table).enumerate() {
                let row = std::str::from_utf8(row).unwrap();
                assert_eq!(line, format!("{number:x}0  {row}"));
            }
        }
    }

    proptest! {
        #[test]
        fn the_distance_does_not_matter(mut code in proptest::collection::vec(any::<u8>(), 1..20), other in any::<[u8; 4]>()) {
            let before = instruction(&code);
            if let Found::Instruction(found) = before {
                prop_assert!((1..=LENGTH_MAX.min(code.len())).contains(&found.bytes));
                if let Some(distance) = found.distance {
                    prop_assert!(distance.at + 4 <= found.bytes);
                    code[distance.at..distance.at + 4].copy_from_slice(&other);
                }
            }
            prop_assert_eq!(instruction(&code), before);
        }
    }
}
