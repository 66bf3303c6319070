//! Reads from the section headers of ELF files for x86-64 and arm64 where code and tables lie.
//!
//! Only the writer needs this. What it gets wrong costs bytes and nothing else.

use std::collections::HashMap;
use std::ops::Range;

use super::ADDRESS_END;
use super::fields::truncated;
use super::segment::{Segment, SegmentKind};
use super::unwind;

/// Most sections that are looked at. Real files have about thirty.
const SECTIONS_MAX: u64 = 4096;
const SECTION_HEADER_BYTES: u64 = 64;
/// Bytes of a page, which addresses are aligned to.
const PAGE: u32 = 4096;
/// Bytes of `.eh_frame_hdr` before its table.
const UNWIND_INDEX_HEAD: u64 = 12;

/// Types of sections.
const PROGBITS: u32 = 1;
const SYMTAB: u32 = 2;
const RELA: u32 = 4;
const DYNAMIC: u32 = 6;
const NOBITS: u32 = 8;
const DYNSYM: u32 = 11;
const INIT_ARRAY: u32 = 14;
const FINI_ARRAY: u32 = 15;
/// Type that some linkers give to `.eh_frame`.
const UNWIND: u32 = 0x7000_0001;
/// Flags of sections.
const WRITABLE: u64 = 1;
const ALLOCATED: u64 = 2;
const EXECUTABLE: u64 = 4;
const THREAD_LOCAL: u64 = 0x400;

/// What differs by the architecture.
struct Architecture {
    code: SegmentKind,
    relocations: SegmentKind,
}

const X86_64: Architecture = Architecture {
    code: SegmentKind::Code,
    relocations: SegmentKind::Relocations,
};
const ARM64: Architecture = Architecture {
    code: SegmentKind::Arm64Code,
    relocations: SegmentKind::Arm64Relocations,
};

/// A part of a file that has addresses.
#[derive(Debug, Clone, Copy)]
struct Section {
    offset: u64,
    bytes: u64,
    address: u32,
    kind: Option<SegmentKind>,
    /// Address of the names, for symbols.
    names: u32,
    is_constant: bool,
}

/// What is known of one file.
#[derive(Debug, Clone)]
pub struct Sections {
    list: Vec<Section>,
    lowest: u32,
    end: u32,
}

/// Bytes of a frame, or of its bases, that have addresses.
#[derive(Debug, Clone, Copy)]
pub struct AddressSpan {
    pub place: usize,
    pub bytes: usize,
    pub address: u32,
    /// Whether it is neither code nor written to.
    pub is_constant: bool,
}

/// What the writer knows of a frame's bytes, or of its bases.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Segments, in order.
    pub segments: Vec<Segment>,
    /// Everything with addresses, in order.
    pub spans: Vec<AddressSpan>,
    /// Addresses of code, also of code that is not among the bytes.
    pub code: Vec<Range<u32>>,
    /// What is added to the addresses of each file, so that no two files share one.
    biases: HashMap<usize, u32>,
    end: u32,
}

impl Layout {
    /// Adds a run of a file's bytes, which lies behind all that were added before.
    pub fn add(
        &mut self,
        file: usize,
        sections: &Sections,
        offset: u64,
        place: usize,
        bytes: &[u8],
    ) {
        let bias = match self.biases.get(&file) {
            Some(bias) => *bias,
            None => {
                // Address 0 is none, and pages stay pages.
                let first = (self.end + 1).next_multiple_of(PAGE);
                let taken = first.saturating_add(sections.end - sections.lowest);
                if taken >= ADDRESS_END {
                    return;
                }
                self.end = taken;
                let bias = first.wrapping_sub(sections.lowest);
                self.biases.insert(file, bias);
                let code = sections
                    .list
                    .iter()
                    .filter(|section| section.kind.is_some_and(SegmentKind::is_code));
                self.code.extend(code.map(|section| {
                    let first = section.address.wrapping_add(bias);
                    first..first.saturating_add(u32::try_from(section.bytes).unwrap_or(0))
                }));
                bias
            }
        };
        let run = FileRun {
            offset,
            place,
            bytes,
            bias,
        };
        for section in &sections.list {
            self.add_section(section, &run);
        }
    }

    fn add_section(&mut self, section: &Section, run: &FileRun<'_>) {
        let run_end = run.offset + run.bytes.len() as u64;
        let first = section.offset.max(run.offset);
        let end = (section.offset + section.bytes).min(run_end);
        if first >= end {
            return;
        }
        let span = |first: u64, end: u64| {
            let ahead = usize::try_from(first - run.offset).unwrap_or(usize::MAX);
            AddressSpan {
                place: run.place + ahead,
                bytes: usize::try_from(end - first).unwrap_or(0),
                address: section
                    .address
                    .wrapping_add(run.bias)
                    .wrapping_add(truncated(
                        usize::try_from(first - section.offset).unwrap_or(0),
                    )),
                is_constant: section.is_constant,
            }
        };
        if section.address != 0 {
            self.spans.push(span(first, end));
        }
        let Some(kind) = section.kind else { return };
        let aligned = |unit: u64| section.offset + (first - section.offset).next_multiple_of(unit);
        let first = match kind {
            SegmentKind::Code => first,
            SegmentKind::Arm64Code => aligned(4),
            SegmentKind::Relocations | SegmentKind::Arm64Relocations | SegmentKind::Symbols => {
                aligned(24)
            }
            SegmentKind::Words => aligned(8),
            SegmentKind::Distances => aligned(4).max(section.offset + UNWIND_INDEX_HEAD),
            SegmentKind::Unwind => {
                let ahead = usize::try_from(first - run.offset).unwrap_or(usize::MAX);
                let bytes = run.bytes.get(ahead..).unwrap_or_default();
                let skipped = if first == section.offset {
                    Some(0)
                } else {
                    unwind::first_entry(bytes, truncated(ahead))
                };
                let Some(skipped) = skipped else { return };
                first + skipped as u64
            }
        };
        if first >= end {
            return;
        }
        let span = span(first, end);
        self.segments.push(Segment {
            place: span.place,
            bytes: span.bytes,
            kind,
            address: span.address,
            base: match kind {
                SegmentKind::Code | SegmentKind::Arm64Code | SegmentKind::Unwind => 0,
                SegmentKind::Distances => section.address.wrapping_add(run.bias),
                SegmentKind::Relocations
                | SegmentKind::Arm64Relocations
                | SegmentKind::Symbols
                | SegmentKind::Words => run.bias,
            },
            names: match kind {
                SegmentKind::Symbols => section.names.wrapping_add(run.bias),
                _ => 0,
            },
        });
    }
}

struct FileRun<'a> {
    offset: u64,
    place: usize,
    bytes: &'a [u8],
    bias: u32,
}

/// Reads from a file: a place and a length.
pub type ReadPart<'a> = &'a mut dyn FnMut(u64, usize) -> Option<Vec<u8>>;

impl Sections {
    /// Reads the headers of a file. Returns `None` when it is no ELF file with sections for an architecture that is
    /// known.
    pub fn of(read: ReadPart<'_>) -> Option<Self> {
        let head = read(0, 64)?;
        let architecture = match number(&head, 18, 2)? {
            62 => X86_64,
            183 => ARM64,
            _ => return None,
        };
        let is_known = head.starts_with(b"\x7fELF\x02\x01");
        let (table, count) = (number(&head, 40, 8)?, number(&head, 60, 2)?);
        if !is_known || number(&head, 58, 2)? != SECTION_HEADER_BYTES || count > SECTIONS_MAX {
            return None;
        }
        let table_bytes = usize::try_from(count * SECTION_HEADER_BYTES).ok()?;
        let headers = read(table, table_bytes)?;
        let headers: Vec<&[u8]> = headers.chunks_exact(64).collect();
        let names_of_sections = headers.get(usize::try_from(number(&head, 62, 2)?).ok()?)?;
        let names_bytes = usize::try_from(number(names_of_sections, 32, 8)?).ok()?;
        let names = read(number(names_of_sections, 24, 8)?, names_bytes.min(1 << 20))?;
        let mut sections = Self {
            list: Vec::new(),
            lowest: ADDRESS_END,
            end: 0,
        };
        for header in &headers {
            sections.extend(header)?;
        }
        for header in &headers {
            sections.add(header, &headers, &names, &architecture)?;
        }
        let programs = number(&head, 56, 2)?;
        sections.add_words(0, 64 + 56 * programs);
        sections.add_words(table, count * SECTION_HEADER_BYTES);
        sections.list.sort_by_key(|section| section.offset);
        // Whatever the headers say, no two segments may overlap.
        let mut end = 0;
        sections.list.retain(|section| {
            let is_apart = section.offset >= end;
            if is_apart {
                end = section.offset.saturating_add(section.bytes);
            }
            is_apart && end < 1 << 40
        });
        (sections.lowest < sections.end).then_some(sections)
    }

    /// Makes room for the addresses of a section.
    fn extend(&mut self, header: &[u8]) -> Option<()> {
        let (flags, address) = (number(header, 8, 8)?, number(header, 16, 8)?);
        if flags & ALLOCATED == 0 || flags & THREAD_LOCAL != 0 {
            return Some(());
        }
        let end = address.checked_add(number(header, 32, 8)?)?;
        // Somewhere in the first page the file's own header lies.
        let lowest = u32::try_from(address & !u64::from(PAGE - 1)).ok()?;
        let end = u32::try_from(end).ok().filter(|end| *end < ADDRESS_END)?;
        self.lowest = self.lowest.min(lowest);
        self.end = self.end.max(end);
        Some(())
    }

    fn add(
        &mut self,
        header: &[u8],
        all: &[&[u8]],
        names: &[u8],
        architecture: &Architecture,
    ) -> Option<()> {
        let kind = u32::try_from(number(header, 4, 4)?).ok()?;
        let (flags, bytes) = (number(header, 8, 8)?, number(header, 32, 8)?);
        let is_allocated = flags & ALLOCATED != 0;
        if kind == NOBITS || bytes == 0 || !(is_allocated || kind == SYMTAB) {
            return Some(());
        }
        let name = names.get(usize::try_from(number(header, 0, 4)?).ok()?..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        let address = u32::try_from(number(header, 16, 8)?).ok()?;
        let segment = match (name, kind) {
            (b".eh_frame", PROGBITS | UNWIND) => Some(SegmentKind::Unwind),
            (b".eh_frame_hdr", PROGBITS | UNWIND) => Some(SegmentKind::Distances),
            (_, RELA) => Some(architecture.relocations),
            (_, DYNSYM | SYMTAB) => Some(SegmentKind::Symbols),
            (_, PROGBITS) if flags & EXECUTABLE != 0 => Some(architecture.code),
            (_, PROGBITS | DYNAMIC | INIT_ARRAY | FINI_ARRAY) if flags & WRITABLE != 0 => {
                address.is_multiple_of(8).then_some(SegmentKind::Words)
            }
            _ => None,
        };
        let mut names_at = 0;
        if segment == Some(SegmentKind::Symbols) {
            let link = all.get(usize::try_from(number(header, 40, 4)?).ok()?)?;
            names_at = u32::try_from(number(link, 16, 8)?).ok()?;
            if number(link, 8, 8)? & ALLOCATED == 0 {
                // These names have no addresses, so they get some behind all others.
                names_at = self.end;
                let bytes = u32::try_from(number(link, 32, 8)?).ok()?;
                self.end = names_at
                    .checked_add(bytes)
                    .filter(|end| *end < ADDRESS_END)?;
            }
        }
        self.list.push(Section {
            offset: number(header, 24, 8)?,
            bytes,
            address,
            kind: segment,
            names: names_at,
            is_constant: kind == PROGBITS && flags & (EXECUTABLE | WRITABLE) == 0,
        });
        Some(())
    }

    fn add_words(&mut self, offset: u64, bytes: u64) {
        self.list.push(Section {
            offset,
            bytes,
            address: 0,
            kind: Some(SegmentKind::Words),
            names: 0,
            is_constant: false,
        });
    }
}

/// Reads a number of `bytes` bytes.
fn number(from: &[u8], at: usize, bytes: usize) -> Option<u64> {
    let bytes = from.get(at..at + bytes)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

/// Layouts of the bases of a frame and of its plain bytes.
#[derive(Debug, Clone, Default)]
pub struct Layouts {
    /// Of the bases.
    pub old: Layout,
    /// Of the plain bytes.
    pub new: Layout,
}
