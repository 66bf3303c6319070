//! Reads from the headers of an ELF file whether it is a program, for which machine, and whether it needs anything else
//! to run.
//!
//! It works on memory and checks every offset. It does not look at the code.

/// Bytes that a file in the format begins with.
const MAGIC: &[u8] = b"\x7fELF";
/// Type of a program at fixed addresses.
const TYPE_EXECUTABLE: u64 = 2;
/// Type of a shared object. A program at any address is one, too.
const TYPE_SHARED: u64 = 3;
/// Kind of the segment that has the dynamic table.
const SEGMENT_DYNAMIC: u64 = 2;
/// Kind of the segment that names the loader.
const SEGMENT_LOADER: u64 = 3;
/// Tag of an entry that names a library.
const TAG_NEEDED: u64 = 1;
/// Most program headers that are looked at. Real programs have about ten.
const SEGMENTS_MAX: u64 = 512;

/// What the headers of an ELF file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElfProgram {
    /// The machine.
    pub machine: Machine,
    /// Whether it runs with nothing but itself: it names neither a loader nor a library.
    pub is_static: bool,
}

/// A machine for which programs are known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Arm64,
    /// 32-bit x86.
    X86,
    /// 32-bit ARM.
    Arm,
    /// 64-bit RISC-V.
    Riscv64,
    /// 64-bit LoongArch.
    Loongarch64,
    /// 64-bit PowerPC, little-endian.
    Ppc64le,
    /// IBM Z.
    S390x,
}

/// Number in the header, class (1 for 32 bits, 2 for 64), byte order (1 for little-endian), machine, name, and
/// the three characters that end names of files.
const MACHINES: [(u64, u8, u8, Machine, &str, &str); 8] = [
    (62, 2, 1, Machine::X86_64, "x86-64", "x64"),
    (183, 2, 1, Machine::Arm64, "arm64", "a64"),
    (3, 1, 1, Machine::X86, "x86", "x86"),
    (40, 1, 1, Machine::Arm, "arm", "a32"),
    (243, 2, 1, Machine::Riscv64, "riscv64", "r64"),
    (258, 2, 1, Machine::Loongarch64, "loongarch64", "l64"),
    (21, 2, 1, Machine::Ppc64le, "ppc64le", "p64"),
    (22, 2, 2, Machine::S390x, "s390x", "z64"),
];

impl Machine {
    /// Returns the name that people know, such as `x86-64`.
    pub fn name(self) -> &'static str {
        self.entry().4
    }

    /// Returns three characters for the end of a file's name, such as `x64`.
    pub fn suffix(self) -> &'static str {
        self.entry().5
    }

    fn entry(self) -> &'static (u64, u8, u8, Self, &'static str, &'static str) {
        MACHINES
            .iter()
            .find(|entry| entry.3 == self)
            .expect("every machine has an entry")
    }
}

/// Says why bytes are no program that can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// They are no ELF program: something else, a library, or cut off.
    #[error("not an ELF program")]
    NotAProgram,
    /// It is for a machine without a name here.
    #[error("an ELF program for machine {0}")]
    UnknownMachine(u64),
}

/// Reads the headers of a program.
///
/// # Errors
/// [`ElfError`] when it is none, or for an unknown machine.
pub fn program(bytes: &[u8]) -> Result<ElfProgram, ElfError> {
    read(bytes).ok_or(ElfError::NotAProgram)?
}

fn read(bytes: &[u8]) -> Option<Result<ElfProgram, ElfError>> {
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let (class, order) = (*bytes.get(4)?, *bytes.get(5)?);
    if !(1..=2).contains(&class) || !(1..=2).contains(&order) {
        return None;
    }
    let file = ElfFile {
        bytes,
        is_wide: class == 2,
        is_little: order == 1,
    };
    let (kind, number) = (file.number(16, 2)?, file.number(18, 2)?);
    let entry = file.word(24)?;
    let segments = file.segments()?;
    let needs = segments.needs_loader || segments.needs_library;
    let is_program = match kind {
        TYPE_EXECUTABLE => true,
        // A library may have an entry, but it names no loader and names other libraries.
        TYPE_SHARED => entry != 0 && (segments.needs_loader || !segments.needs_library),
        _ => false,
    };
    if !is_program {
        return None;
    }
    let machine = MACHINES
        .iter()
        .find(|known| (known.0, known.1, known.2) == (number, class, order));
    Some(
        machine
            .map(|known| ElfProgram {
                machine: known.3,
                is_static: !needs,
            })
            .ok_or(ElfError::UnknownMachine(number)),
    )
}

struct ElfFile<'a> {
    bytes: &'a [u8],
    is_wide: bool,
    is_little: bool,
}

#[derive(Default)]
struct Segments {
    needs_loader: bool,
    needs_library: bool,
}

impl ElfFile<'_> {
    /// Returns a number of `len` bytes at `at`.
    fn number(&self, at: u64, len: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(len)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if self.is_little {
            bytes.iter().rev().fold(0, add)
        } else {
            bytes.iter().fold(0, add)
        })
    }

    /// Returns an address or offset, of which the class gives the size.
    fn word(&self, at: u64) -> Option<u64> {
        self.number(at, if self.is_wide { 8 } else { 4 })
    }

    fn segments(&self) -> Option<Segments> {
        let (table, entry_bytes, count) = if self.is_wide {
            (self.word(32)?, self.number(54, 2)?, self.number(56, 2)?)
        } else {
            (self.word(28)?, self.number(42, 2)?, self.number(44, 2)?)
        };
        if count == 0 || count > SEGMENTS_MAX {
            return None;
        }
        let mut found = Segments::default();
        for index in 0..count {
            let at = table.checked_add(index * entry_bytes)?;
            match self.number(at, 4)? {
                SEGMENT_LOADER => found.needs_loader = true,
                SEGMENT_DYNAMIC => {
                    let (offset, len) = if self.is_wide {
                        (self.word(at + 8)?, self.word(at + 32)?)
                    } else {
                        (self.word(at + 4)?, self.word(at + 16)?)
                    };
                    found.needs_library |= self.names_library(offset, len)?;
                }
                _ => {}
            }
        }
        Some(found)
    }

    /// Returns whether the dynamic table names a library.
    fn names_library(&self, offset: u64, len: u64) -> Option<bool> {
        let word_bytes: u64 = if self.is_wide { 8 } else { 4 };
        let mut at = offset;
        let end = offset.checked_add(len)?;
        while at.checked_add(2 * word_bytes)? <= end {
            match self.word(at)? {
                0 => break,
                TAG_NEEDED => return Some(true),
                _ => at += 2 * word_bytes,
            }
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// A program of 64 bits with these segments (kind, offset, length), and a dynamic table at 0x200.
    fn made(kind: u8, machine: u8, segments: &[(u8, u16, u16)], dynamic: &[u64]) -> Vec<u8> {
        let mut bytes = vec![0; 0x200];
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        (bytes[16], bytes[18], bytes[24]) = (kind, machine, 0x78);
        (bytes[32], bytes[54]) = (64, 56);
        bytes[56] = u8::try_from(segments.len()).unwrap();
        for (number, (kind, offset, len)) in segments.iter().enumerate() {
            let at = 64 + number * 56;
            bytes[at] = *kind;
            bytes[at + 8..at + 10].copy_from_slice(&offset.to_le_bytes());
            bytes[at + 32..at + 34].copy_from_slice(&len.to_le_bytes());
        }
        for word in dynamic {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn programs_are_told_from_libraries_and_from_what_needs_a_loader() {
        let fixed = made(2, 62, &[(1, 0, 64)], &[]);
        let found = program(&fixed).unwrap();
        assert_eq!((found.machine, found.is_static), (Machine::X86_64, true));
        let anywhere = made(3, 183, &[(1, 0, 64), (2, 0x200, 32)], &[5, 1, 0, 0]);
        let found = program(&anywhere).unwrap();
        assert_eq!((found.machine, found.is_static), (Machine::Arm64, true));
        let usual = made(3, 62, &[(3, 0, 9), (2, 0x200, 32)], &[1, 1, 0, 0]);
        assert!(!program(&usual).unwrap().is_static);
        let library = made(3, 62, &[(2, 0x200, 32)], &[1, 1, 0, 0]);
        assert_eq!(program(&library), Err(ElfError::NotAProgram));
        assert_eq!(
            program(&made(2, 8, &[(1, 0, 64)], &[])),
            Err(ElfError::UnknownMachine(8))
        );
        for other in [&b"#!/bin/sh\n"[..], b"", b"\x7fELF", &fixed[..60]] {
            assert_eq!(program(other), Err(ElfError::NotAProgram));
        }
    }

    #[test]
    fn this_test_is_a_program() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(program(&own).is_ok());
    }

    #[test]
    fn names_end_differently_for_each_machine() {
        let suffixes: std::collections::BTreeSet<_> =
            MACHINES.iter().map(|known| known.5).collect();
        assert_eq!(suffixes.len(), MACHINES.len());
        assert!(suffixes.iter().all(|suffix| suffix.len() == 3));
    }

    proptest! {
        #[test]
        fn any_bytes_behind_the_magic_are_answered(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..300), wide in 1_u8..=2, little in 1_u8..=2,
        ) {
            let head = [0x7f, b'E', b'L', b'F', wide, little];
            let len = bytes.len().min(head.len());
            bytes[..len].copy_from_slice(&head[..len]);
            let _ = program(&bytes);
        }
    }
}
