//! The numbers of a module: how many types and values there are, and what stands for each.
//!
//! Both sides feed the same records to it, so they agree on what each number means.

use std::collections::HashMap;

use super::labels::{BitcodeNames, Labels, label, label_of_name, mix};
use super::patterns::{self, Kind};

/// Values of a function are counted modulo 2^32.
pub(super) const MASK: u64 = u32::MAX as u64;
/// A type that comes later, in hashes.
const LATER: u64 = 1 << 16;

/// What calls and parameters need to know of a type.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    is_void: bool,
    /// The type of what a function returns, or of what a pointer points at.
    result: u64,
    /// Parameters of a function.
    parameters: Option<u64>,
}

/// The numbers of a record that are still to come.
#[derive(Default)]
struct Cursor {
    block: u64,
    code: u64,
    /// Meanings of the next numbers, the last one first.
    due: Vec<Kind>,
    /// Numbers behind them that are parameters of a call.
    parameters: u64,
    /// Meanings behind them, over and over.
    repeated: &'static [Kind],
    repeated_at: usize,
    /// Numbers so far.
    taken: usize,
    /// The first of them.
    first: [u64; 5],
    hash: u64,
    /// Whether a call gives a value.
    is_void: bool,
}

/// What is known of a file so far.
pub(super) struct BitcodeModel<'a> {
    pub(super) names: &'a BitcodeNames,
    originals: HashMap<u64, u64>,
    /// Original names that were met.
    pub(super) originals_met: usize,
    cursor: Cursor,

    pub(super) types: Labels,
    shapes: Vec<Shape>,
    struct_name: Option<u64>,
    /// Functions, variables and constants of the module.
    pub(super) values: Labels,
    /// Constants of the module that count from the next function on.
    constants: Vec<u16>,
    constant_type: u64,
    /// Whether names stand in the table of strings.
    has_strings: bool,
    /// Where the next name is expected.
    pub(super) next_name: u64,
    /// Types of the functions that have bodies, and how many bodies were met.
    bodies: Vec<u64>,
    bodies_met: usize,
    is_in_function: bool,
    /// The number of the next value, and how many parameters and constants the function has.
    pub(super) next_value: u64,
    pub(super) locals: u64,
    pub(super) entries: Labels,
    pub(super) entry: u64,
}

impl<'a> BitcodeModel<'a> {
    pub(super) fn new(names: &'a BitcodeNames) -> Self {
        Self {
            names,
            originals: names.originals.iter().copied().collect(),
            originals_met: 0,
            cursor: Cursor::default(),
            types: Labels::default(),
            shapes: Vec::new(),
            struct_name: None,
            values: Labels::default(),
            constants: Vec::new(),
            constant_type: 0,
            has_strings: false,
            next_name: 0,
            bodies: Vec::new(),
            bodies_met: 0,
            is_in_function: false,
            next_value: 0,
            locals: 0,
            entries: Labels::default(),
            entry: 0,
        }
    }

    /// A block begins.
    pub(super) fn enter(&mut self, block: u64) {
        match block {
            patterns::MODULE => {
                *self = Self {
                    originals_met: self.originals_met,
                    originals: std::mem::take(&mut self.originals),
                    ..Self::new(self.names)
                };
            }
            patterns::CONSTANTS if !self.is_in_function => {
                self.next_value = self.values.len() + self.constants.len() as u64;
            }
            patterns::FUNCTION => {
                for label in std::mem::take(&mut self.constants) {
                    self.values.push(label);
                }
                let body = self.bodies.get(self.bodies_met).copied();
                self.bodies_met += 1;
                let mut shape = self.shape(body.unwrap_or_default());
                // Up to LLVM 14 some writers give the type of the pointer to the function.
                if shape.parameters.is_none() {
                    shape = self.shape(shape.result);
                }
                self.is_in_function = true;
                self.locals = shape.parameters.unwrap_or_default();
                self.next_value = self.values.len() + self.locals;
            }
            _ => {}
        }
    }

    /// A block ends.
    pub(super) fn leave(&mut self, block: u64) {
        if block == patterns::FUNCTION {
            self.is_in_function = false;
        }
    }

    fn shape(&self, number: u64) -> Shape {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        self.shapes.get(number).copied().unwrap_or_default()
    }

    /// A record begins. `count` is how many numbers it has, or 0 when that is not known yet.
    pub(super) fn begin(&mut self, block: u64, code: u64, count: usize) {
        let is_old = block == patterns::MODULE && !self.has_strings;
        let block = if is_old && code != patterns::MODULE_VERSION {
            u64::MAX
        } else {
            block
        };
        let (first, repeated) = patterns::of_record(block, code, count);
        let cursor = &mut self.cursor;
        cursor.block = block;
        cursor.code = code;
        cursor.due.clear();
        cursor.due.extend(first.iter().rev());
        if block == patterns::FUNCTION {
            match code {
                patterns::CALL => cursor.due.extend([Kind::Plain; 2]),
                patterns::INVOKE => cursor.due.extend([Kind::Plain; 4]),
                _ => {}
            }
        }
        cursor.parameters = 0;
        cursor.repeated = repeated;
        cursor.repeated_at = 0;
        cursor.taken = 0;
        cursor.first = [0; 5];
        cursor.is_void = false;
        cursor.hash = match block {
            patterns::CONSTANTS => mix(code, self.types.get(self.constant_type).into()),
            _ => code,
        };
    }

    /// Returns what the next number means.
    pub(super) fn next_kind(&mut self) -> Kind {
        let cursor = &mut self.cursor;
        if let Some(kind) = cursor.due.pop() {
            return kind;
        }
        if cursor.parameters > 0 {
            cursor.parameters -= 1;
            return Kind::Back;
        }
        let kind = cursor.repeated.get(cursor.repeated_at);
        cursor.repeated_at = (cursor.repeated_at + 1) % cursor.repeated.len().max(1);
        kind.copied().unwrap_or(Kind::Plain)
    }

    /// The next number was taken.
    pub(super) fn took(&mut self, kind: Kind, number: u64) {
        let part = match kind {
            Kind::Nested if number >= self.types.len() => LATER,
            Kind::Nested | Kind::Type => self.types.get(number).into(),
            Kind::Constant | Kind::Value => self.values.get(number).into(),
            _ => number,
        };
        let cursor = &mut self.cursor;
        cursor.hash = mix(cursor.hash, part);
        if let Some(first) = cursor.first.get_mut(cursor.taken) {
            *first = number;
        }
        cursor.taken += 1;
        if kind == Kind::BackOrTyped {
            let value = self.next_value.wrapping_sub(number) & MASK;
            if value >= self.next_value {
                cursor.due.push(Kind::Type);
            }
        }
        if cursor.block == patterns::FUNCTION {
            self.took_of_call(kind, number);
        }
    }

    /// Learns from the first numbers of a call what follows.
    fn took_of_call(&mut self, kind: Kind, number: u64) {
        // Bits of the calling convention: the type of the function follows, flags of floats come before it.
        let (head, has_type, has_flags) = match self.cursor.code {
            patterns::CALL => (2, 15, Some(17)),
            patterns::INVOKE => (4, 13, None),
            _ => return,
        };
        let has = |bit: u32| self.cursor.first[1] >> bit & 1 == 1;
        if self.cursor.taken == head {
            let (has_type, has_flags) = (has(has_type), has_flags.is_some_and(has));
            let due = &mut self.cursor.due;
            due.push(Kind::BackOrTyped);
            if has_type {
                due.push(Kind::Type);
            }
            if has_flags {
                due.push(Kind::Plain);
            }
        } else if kind == Kind::Type && self.cursor.taken <= head + 2 && has(has_type) {
            let shape = self.shape(number);
            self.cursor.parameters = shape.parameters.unwrap_or_default();
            self.cursor.is_void = self.shape(shape.result).is_void;
        }
    }

    /// A record ends.
    pub(super) fn end(&mut self, found: Option<&mut BitcodeNames>) {
        let Cursor {
            block,
            code,
            taken,
            first,
            hash,
            is_void,
            ..
        } = self.cursor;
        match block {
            patterns::TYPES => self.end_type(code, taken, first, hash),
            patterns::MODULE if code == patterns::MODULE_VERSION => {
                self.has_strings = first[0] >= 2
            }
            patterns::MODULE if patterns::is_global(code) => {
                let [at, len, kind, _, is_prototype] = first;
                let end = at.saturating_add(len);
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                let name = self.names.strings.get(place(at)..place(end));
                self.values.push(label_of_name(name.unwrap_or_default()));
                self.next_name = end;
                if code == patterns::MODULE_FUNCTION && is_prototype == 0 {
                    self.bodies.push(kind);
                }
            }
            patterns::CONSTANTS if code == patterns::CONSTANT_TYPE => self.constant_type = first[0],
            patterns::CONSTANTS => {
                self.next_value += 1;
                if self.is_in_function {
                    self.locals += 1;
                } else {
                    self.constants.push(label(hash));
                }
            }
            patterns::FUNCTION => {
                let gives = match code {
                    patterns::CALL | patterns::INVOKE => !is_void,
                    _ => patterns::gives_value(code),
                };
                self.next_value += u64::from(gives);
            }
            patterns::SUMMARY => self.end_summary(code, first, found),
            _ => {}
        }
    }

    fn end_type(&mut self, code: u64, taken: usize, first: [u64; 5], hash: u64) {
        match code {
            patterns::TYPE_COUNT => return,
            patterns::TYPE_STRUCT_NAME => {
                self.struct_name = Some(hash);
                return;
            }
            _ => {}
        }
        let name = match code {
            patterns::TYPE_STRUCT_NAMED | patterns::TYPE_OPAQUE => self.struct_name.take(),
            _ => None,
        };
        self.shapes.push(match code {
            patterns::TYPE_VOID => Shape {
                is_void: true,
                ..Shape::default()
            },
            patterns::TYPE_FUNCTION => Shape {
                is_void: false,
                result: first[1],
                parameters: Some((taken as u64).saturating_sub(2)),
            },
            _ => Shape {
                result: first[0],
                ..Shape::default()
            },
        });
        self.types.push(label(name.unwrap_or(hash)));
    }

    fn end_summary(&mut self, code: u64, first: [u64; 5], found: Option<&mut BitcodeNames>) {
        match code {
            4 | 6 => self.entry = first[0],
            patterns::ORIGINAL_NAME => {
                self.originals_met += 1;
                if let Some(found) = found {
                    found.originals.push((self.entry, first[0]));
                }
            }
            patterns::GUID => {
                let [entry, hash, ..] = first;
                // Entries are counted from 1 on.
                if self.entries.len() == 0 && entry == 1 {
                    self.entries.push(1);
                }
                if entry == self.entries.len() {
                    let name = self.originals.get(&entry).copied();
                    self.entries.push(label(mix(0, name.unwrap_or(hash))));
                }
            }
            _ => {}
        }
    }
}
