//! What the numbers of records mean, by block and code.
//!
//! Source: LLVMBitCodes.h and BitcodeReader.cpp of LLVM 14 to 19. Codes that are not listed have plain numbers.

/// The meaning of a number of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// A type.
    Type,
    /// A type in the table of types.
    Nested,
    /// Where a name begins in the table of strings.
    NameAt,
    /// A function, variable or constant of the module.
    Value,
    /// The same in a record of constants, where it may come later.
    Constant,
    /// A value of a function, counted back from the next one.
    Back,
    /// The same, followed by its type when it comes later.
    BackOrTyped,
    /// The same with a sign in the lowest bit.
    BackSigned,
    /// A value of a function by its number.
    Number,
    /// An entry of an index.
    Entry,
    /// The entry of an index that a record describes.
    NextEntry,
    /// A hash of eight bytes.
    Hash,
    /// The hash of an original name, which is among [`BitcodeNames`](super::labels::BitcodeNames).
    Original,
}

use Kind::{
    Back, BackOrTyped, BackSigned, Constant, Entry, Hash, NameAt, Nested, NextEntry, Number,
    Original, Plain, Type, Value,
};

pub(super) const MODULE: u64 = 8;
pub(super) const CONSTANTS: u64 = 11;
pub(super) const FUNCTION: u64 = 12;
pub(super) const TYPES: u64 = 17;
pub(super) const SUMMARY: u64 = 20;
pub(super) const STRINGS: u64 = 23;

/// Codes of the table of types.
pub(super) const TYPE_COUNT: u64 = 1;
pub(super) const TYPE_VOID: u64 = 2;
pub(super) const TYPE_OPAQUE: u64 = 6;
pub(super) const TYPE_STRUCT_NAME: u64 = 19;
pub(super) const TYPE_STRUCT_NAMED: u64 = 20;
pub(super) const TYPE_FUNCTION: u64 = 21;
/// Codes of a module.
pub(super) const MODULE_VERSION: u64 = 1;
pub(super) const MODULE_FUNCTION: u64 = 8;
/// Codes of constants.
pub(super) const CONSTANT_TYPE: u64 = 1;
/// Codes of instructions.
pub(super) const INVOKE: u64 = 5;
pub(super) const CALL: u64 = 34;
/// Codes of a summary.
pub(super) const ORIGINAL_NAME: u64 = 9;
pub(super) const GUID: u64 = 16;

/// Whether a code of a module is a function, variable, alias or resolver, which is the next value.
pub(super) fn is_global(code: u64) -> bool {
    matches!(code, 7 | 8 | 14 | 15)
}

/// Whether an instruction that is no call gives a value.
pub(super) fn gives_value(code: u64) -> bool {
    // DECLAREBLOCKS, RET, BR, SWITCH, UNREACHABLE, INDIRECTBR, DEBUG_LOC_AGAIN, DEBUG_LOC, FENCE, RESUME, STORE,
    // STOREATOMIC, CLEANUPRET, CATCHRET, OPERAND_BUNDLE, BLOCKADDR_USERS
    !matches!(
        code,
        1 | 10 | 11 | 12 | 15 | 31 | 33 | 35 | 36 | 39 | 44 | 45 | 48 | 49 | 55 | 60
    )
}

/// Returns the meanings of the first numbers of a record of `count` numbers, and those that repeat behind them.
pub(super) fn of_record(block: u64, code: u64, count: usize) -> (&'static [Kind], &'static [Kind]) {
    const PLAIN: &[Kind] = &[Plain];
    match (block, code) {
        // POINTER, ARRAY, VECTOR, STRUCT_ANON, STRUCT_NAMED, FUNCTION
        (TYPES, 8) => (&[Nested], PLAIN),
        (TYPES, 11 | 12) => (&[Plain, Nested], PLAIN),
        (TYPES, 18 | 20 | 21) => (&[Plain], &[Nested]),
        (MODULE, code) if is_global(code) => (&[NameAt, Plain, Type], PLAIN),
        // SETTYPE, AGGREGATE, CE_CAST, CE_GEP, CE_INBOUNDS_GEP, CE_GEP_WITH_INRANGE_INDEX
        (CONSTANTS, 1) => (&[Type], PLAIN),
        (CONSTANTS, 7) => (&[], &[Constant]),
        (CONSTANTS, 11) => (&[Plain, Type, Constant], PLAIN),
        (CONSTANTS, 12 | 20 | 24) if count % 2 == 1 => (&[Type], &[Type, Constant]),
        (CONSTANTS, 24) => (&[Type, Plain], &[Type, Constant]),
        (CONSTANTS, 12 | 20) => (&[], &[Type, Constant]),
        (FUNCTION, code) => of_instruction(code, count),
        // PERMODULE, PERMODULE_GLOBALVAR_INIT_REFS, COMBINED, COMBINED_GLOBALVAR_INIT_REFS
        (SUMMARY, 1) => (&[Value, Plain, Plain, Plain, Plain, Plain, Plain], &[Value]),
        (SUMMARY, 3) => (&[Value, Plain, Plain], &[Value]),
        (SUMMARY, 4) => (
            &[
                NextEntry, Plain, Plain, Plain, Plain, Plain, Plain, Plain, Plain,
            ],
            &[Entry],
        ),
        (SUMMARY, 6) => (&[NextEntry, Plain, Plain, Plain], &[Entry]),
        (SUMMARY, ORIGINAL_NAME) => (&[Original], PLAIN),
        (SUMMARY, GUID) => (&[Plain, Hash], PLAIN),
        _ => (&[], PLAIN),
    }
}

fn of_instruction(code: u64, count: usize) -> (&'static [Kind], &'static [Kind]) {
    const PLAIN: &[Kind] = &[Plain];
    match code {
        // BINOP, CMP, CMP2, INSERTELT, SHUFFLEVEC, VSELECT, CMPXCHG
        2 | 9 | 28 => (&[BackOrTyped, Back], PLAIN),
        7 | 8 | 29 => (&[BackOrTyped, Back, BackOrTyped], PLAIN),
        46 => (&[BackOrTyped, BackOrTyped, Back], PLAIN),
        // CAST, LOAD, LOADATOMIC
        3 | 20 | 41 => (&[BackOrTyped, Type], PLAIN),
        // EXTRACTELT, INSERTVAL, STORE, STOREATOMIC, ATOMICRMW
        6 | 27 | 44 | 45 | 59 => (&[BackOrTyped, BackOrTyped], PLAIN),
        // RET, EXTRACTVAL, RESUME, UNOP, FREEZE
        10 | 26 | 39 | 56 | 58 => (&[BackOrTyped], PLAIN),
        // BR
        11 if count == 3 => (&[Plain, Plain, Back], PLAIN),
        // SWITCH
        12 => (&[Type, Back, Plain], &[Number, Plain]),
        // PHI
        16 => (&[Type], &[BackSigned, Plain]),
        // ALLOCA
        19 => (&[Type, Type, Number], PLAIN),
        // VAARG
        23 => (&[Type, Back, Type], PLAIN),
        // LANDINGPAD
        40 => (&[Type, Plain, Plain], &[Plain, BackOrTyped]),
        // GEP
        43 => (&[Plain, Type], &[BackOrTyped]),
        // OPERAND_BUNDLE
        55 => (&[Plain], &[BackOrTyped]),
        // The callee follows what `cc` says of these.
        CALL | INVOKE => (&[], &[BackOrTyped]),
        _ => (&[], PLAIN),
    }
}
