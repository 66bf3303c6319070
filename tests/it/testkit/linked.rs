//! Small shared objects for x86-64 and arm64, as a linker would make them: when one function grows, everything behind it moves.

use super::bytes::noise;

const CODE: usize = 0x1000;
const SECTION: usize = 64;
const NAMES: &[u8] = b"\0.text\0.rodata\0.eh_frame\0.data.rel.ro\0.rela.dyn\0.shstrtab\0";

/// What a library is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    X86_64,
    Arm64,
}

/// A library of so many functions, of which one has more instructions than in other builds.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    /// What it is for.
    pub architecture: Architecture,
    /// What its instructions are drawn from.
    pub seed: u64,
    /// Number of functions.
    pub functions: usize,
    /// The function that grew, and by how many instructions.
    pub grown: (usize, usize),
}

/// A reference that the linker fills in: where it stands, and the number of a function or table.
struct Wanted {
    at: usize,
    of: Target,
}

enum Target {
    Function(usize),
    Table(usize),
}

fn put32(bytes: &mut [u8], at: usize, value: usize) {
    let value = u32::try_from(value & 0xffff_ffff).unwrap();
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn push64(bytes: &mut Vec<u8>, value: usize) {
    bytes.extend_from_slice(&(value as u64).to_le_bytes());
}

impl Library {
    /// Makes the file.
    pub fn link(&self) -> Vec<u8> {
        let is_x86 = self.architecture == Architecture::X86_64;
        let mut code = Vec::new();
        let (mut starts, mut wanted) = (Vec::new(), Vec::new());
        for number in 0..self.functions {
            starts.push(CODE + code.len());
            if is_x86 {
                self.compile(number, &mut code, &mut wanted);
            } else {
                self.compile_for_arm64(number, &mut code, &mut wanted);
            }
        }
        let code_end = CODE + code.len();
        // A jump table for each function: distances from its beginning to places in the function.
        let constants = code_end.next_multiple_of(4096);
        let table = |number: usize| constants + 16 * number;
        for Wanted { at, of } in wanted {
            let target = match of {
                Target::Function(number) => starts[number],
                Target::Table(number) => table(number),
            };
            match self.architecture {
                Architecture::X86_64 => put32(&mut code, at, target.wrapping_sub(CODE + at + 4)),
                Architecture::Arm64 => refer(&mut code, at, target),
            }
        }
        let mut out = vec![0; CODE];
        out.extend(code);
        out.resize(constants, 0);
        for (number, start) in starts.iter().enumerate() {
            for step in 0..4 {
                let distance = (start + 4 * step).wrapping_sub(table(number));
                out.extend_from_slice(&distance.to_le_bytes()[..4]);
            }
        }
        let unwind = out.len();
        unwind_entries(&mut out, unwind, &starts, code_end);
        out.resize(out.len().next_multiple_of(4096), 0);
        let (words, pointers) = (out.len(), starts.iter().step_by(3));
        for start in pointers.clone() {
            push64(&mut out, *start);
        }
        let relocations = out.len();
        for (number, start) in pointers.enumerate() {
            push64(&mut out, words + 8 * number);
            push64(&mut out, if is_x86 { 8 } else { 1027 });
            push64(&mut out, *start);
        }
        let names = out.len();
        out.extend_from_slice(NAMES);
        out.resize(out.len().next_multiple_of(8), 0);
        let table = out.len();
        out.resize(table + SECTION, 0);
        let sections = [
            (1, 1, 6, CODE, code_end),
            (7, 1, 2, constants, unwind),
            (15, 1, 2, unwind, words),
            (25, 1, 3, words, relocations),
            (38, 4, 2, relocations, names),
            (48, 3, 0, names, names + NAMES.len()),
        ];
        for (name, kind, flags, begin, end) in sections {
            let is_loaded = flags != 0;
            let at = out.len();
            out.resize(at + SECTION, 0);
            put32(&mut out, at, name);
            put32(&mut out, at + 4, kind);
            put32(&mut out, at + 8, flags);
            put32(&mut out, at + 16, if is_loaded { begin } else { 0 });
            put32(&mut out, at + 24, begin);
            put32(&mut out, at + 32, end - begin);
        }
        out[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        (out[16], out[18], out[20]) = (3, if is_x86 { 62 } else { 183 }, 1);
        put32(&mut out, 40, table);
        (out[52], out[54], out[58], out[60], out[62]) = (64, 56, 64, 7, 6);
        out
    }

    /// Appends a function: instructions, calls, the address of its table, short jumps.
    fn compile(&self, number: usize, code: &mut Vec<u8>, wanted: &mut Vec<Wanted>) {
        let random = noise(self.seed * 1000 + number as u64, 400);
        let more = if self.grown.0 == number {
            self.grown.1
        } else {
            0
        };
        code.extend_from_slice(&[0xf3, 0x0f, 0x1e, 0xfa, 0x55]);
        for step in 0..12 + more {
            let random = &random[step % 40 * 8..][..8];
            let to = usize::from(random[0]) * 7 + usize::from(random[1]);
            // mov rax, a number
            code.extend_from_slice(&[0x48, 0xc7, 0xc0, random[2], random[3], 0, 0]);
            match random[4] % 4 {
                0 | 1 => {
                    code.push(0xe8);
                    let (at, of) = (code.len(), Target::Function(to % self.functions));
                    wanted.push(Wanted { at, of });
                    code.extend_from_slice(&[0; 4]);
                }
                2 => {
                    code.extend_from_slice(&[0x48, 0x8d, 0x15]);
                    let (at, of) = (code.len(), Target::Table(number));
                    wanted.push(Wanted { at, of });
                    code.extend_from_slice(&[0; 4]);
                }
                _ => code.extend_from_slice(&[0x0f, 0x84, 9, 0, 0, 0, 0x74, 2]),
            }
        }
        code.push(0xe9);
        let of = Target::Function((number * 13 + 5) % self.functions);
        wanted.push(Wanted { at: code.len(), of });
        code.extend_from_slice(&[0; 4]);
        code.resize(code.len().next_multiple_of(16), 0x90);
    }

    /// The same with instructions for arm64. A table's address is loaded in two parts.
    fn compile_for_arm64(&self, number: usize, code: &mut Vec<u8>, wanted: &mut Vec<Wanted>) {
        let random = noise(self.seed * 1000 + number as u64, 400);
        let more = if self.grown.0 == number {
            self.grown.1
        } else {
            0
        };
        let mut push = |word: u32, of: Option<Target>| {
            let at = code.len();
            code.extend_from_slice(&word.to_le_bytes());
            wanted.extend(of.map(|of| Wanted { at, of }));
        };
        push(0xa9bf_7bfd, None);
        for step in 0..12 + more {
            let random = &random[step % 40 * 8..][..8];
            let to = usize::from(random[0]) * 7 + usize::from(random[1]);
            // mov x0, a number
            let number_word = u32::from(u16::from_le_bytes([random[2], random[3]])) << 5;
            push(0xd280_0000 | number_word, None);
            match random[4] % 4 {
                0 | 1 => push(0x9400_0000, Some(Target::Function(to % self.functions))),
                2 => {
                    push(0x9000_0002, Some(Target::Table(number)));
                    // mov x3, 0
                    push(0xd280_0003, None);
                    push(0x9100_0042, None);
                }
                _ => {
                    push(0x9000_0001, Some(Target::Table(number)));
                    // Loads from the table, one of them behind the beginning, and a conditional jump.
                    push(0xf940_0024, None);
                    push(0x5400_0040, None);
                    push(0xb940_0825, None);
                }
            }
        }
        push(
            0x1400_0000,
            Some(Target::Function((number * 13 + 5) % self.functions)),
        );
        let rest = code.len().next_multiple_of(16) - code.len();
        code.extend(std::iter::repeat_n(0xd503_201f_u32.to_le_bytes(), rest / 4).flatten());
    }
}

/// Fills in what an instruction for arm64 refers to, and of an address also the parts in the instructions behind it.
fn refer(code: &mut [u8], at: usize, target: usize) {
    let number = |value: usize| u32::try_from(value & 0xffff_ffff).unwrap();
    let word = |code: &[u8], at: usize| u32::from_le_bytes(code[at..at + 4].try_into().unwrap());
    let first = word(code, at);
    let mut change = |at: usize, bits: u32| {
        let changed = word(code, at) | bits;
        code[at..at + 4].copy_from_slice(&changed.to_le_bytes());
    };
    if first & 0x9f00_0000 != 0x9000_0000 {
        change(
            at,
            number(target.wrapping_sub(CODE + at) >> 2) & 0x03ff_ffff,
        );
        return;
    }
    let pages = number((target >> 12).wrapping_sub((CODE + at) >> 12));
    change(at, (pages & 3) << 29 | (pages >> 2 & 0x7_ffff) << 5);
    let low = number(target & 0xfff);
    if first & 31 == 2 {
        change(at + 8, low << 10);
    } else {
        change(at + 4, low >> 3 << 10);
        change(at + 12, (low + 8) >> 2 << 10);
    }
}

/// Appends `.eh_frame`: one entry that all have in common, and one a function.
fn unwind_entries(out: &mut Vec<u8>, begin: usize, starts: &[usize], code_end: usize) {
    out.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(b"\x01zR\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01\0\0");
    for (number, start) in starts.iter().enumerate() {
        let at = out.len();
        out.resize(at + 24, 0);
        let end = starts.get(number + 1).copied().unwrap_or(code_end);
        put32(out, at, 20);
        put32(out, at + 4, at + 4 - begin);
        put32(out, at + 8, start.wrapping_sub(at + 8));
        put32(out, at + 12, end - start);
    }
    out.extend_from_slice(&[0; 4]);
}
