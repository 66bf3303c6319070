//! The tables that a frame with labels begins with: segments, map, and the fields that are left alone.

use super::address_map::{AddressMap, AddressRun, old_label};
use super::fields::{change_fields, truncated};
use super::segment::{Segment, SegmentKind};
use crate::content::bindiff::{push_varint, read_varint, unzigzag, zigzag};

/// Everything that is needed to make labels and to undo them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceTables {
    /// Segments of the bases, in order.
    pub old: Vec<Segment>,
    /// Segments of the plain bytes, in order.
    pub new: Vec<Segment>,
    /// Where the addresses have gone.
    pub map: AddressMap,
    /// Places of the fields in the plain bytes that have no label, in order.
    pub exceptions: Vec<usize>,
}

impl ReferenceTables {
    /// Replaces the references in the bases by labels.
    pub fn label_old(&self, bytes: &mut [u8]) {
        change_fields(bytes, &self.old, old_label);
    }

    /// Replaces the references in the plain bytes by labels, and notes those that would not come back.
    pub fn label_new(&mut self, bytes: &mut [u8]) {
        let (map, exceptions) = (&self.map, &mut self.exceptions);
        exceptions.clear();
        change_fields(bytes, &self.new, |field, value| {
            let label = map.label(field, value);
            if map.value(&field.in_changed(), label) == value {
                return label;
            }
            exceptions.push(field.place);
            value
        });
    }

    /// Undoes [`Self::label_new`].
    pub fn undo_new(&self, bytes: &mut [u8]) {
        let mut exceptions = self.exceptions.iter().peekable();
        change_fields(bytes, &self.new, |field, label| {
            while exceptions.next_if(|place| **place < field.place).is_some() {}
            if exceptions.peek() == Some(&&field.place) {
                label
            } else {
                self.map.value(field, label)
            }
        });
    }

    /// Encodes the tables.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        push_segments(&self.old, &mut out);
        push_segments(&self.new, &mut out);
        let runs = self.map.runs();
        push_varint(&mut out, runs.len() as u64);
        let mut end = 0;
        for run in runs {
            push_varint(&mut out, u64::from(run.new - end));
            end = run.new + run.count;
        }
        for run in runs {
            push_varint(&mut out, u64::from(run.count));
        }
        let mut moved = 0;
        for run in runs {
            let by = i64::from(run.old) - i64::from(run.new);
            push_varint(&mut out, zigzag(by - moved));
            moved = by;
        }
        push_varint(&mut out, self.exceptions.len() as u64);
        let mut last = 0;
        for place in &self.exceptions {
            push_varint(&mut out, (place - last) as u64);
            last = *place;
        }
        out
    }

    /// Decodes tables for bases and plain bytes of these lengths. Takes some ten bytes for each byte of `encoded`.
    /// Returns `None` for anything that [`Self::encode`] would not have made.
    pub fn decode(encoded: &[u8], old_bytes: usize, new_bytes: usize) -> Option<Self> {
        let mut reader = NumberReader(encoded);
        let old = reader.segments(old_bytes)?;
        let new = reader.segments(new_bytes)?;
        let map = AddressMap::new(reader.runs()?)?;
        let mut exceptions = Vec::new();
        let mut last = 0_usize;
        for _ in 0..reader.count(1)? {
            last = last.checked_add(usize::try_from(reader.number()?).ok()?)?;
            exceptions.push(last);
        }
        reader.0.is_empty().then_some(Self {
            old,
            new,
            map,
            exceptions,
        })
    }
}

/// Appends segments: one number of all of them, then the next number. Numbers of one kind compress best together.
fn push_segments(segments: &[Segment], out: &mut Vec<u8>) {
    push_varint(out, segments.len() as u64);
    let mut end = 0;
    for segment in segments {
        push_varint(out, (segment.place - end) as u64);
        end = segment.end();
    }
    for segment in segments {
        push_varint(out, segment.bytes as u64);
    }
    for segment in segments {
        push_varint(out, u64::from(segment.kind as u8));
    }
    let mut origin = 0;
    for segment in segments {
        let own = segment.address.wrapping_sub(truncated(segment.place));
        push_ahead(own, origin, out);
        origin = own;
    }
    let mut last = 0;
    for segment in segments {
        match base_of(segment.kind) {
            Base::None => {}
            Base::Own => push_ahead(segment.base, segment.address, out),
            Base::Common => {
                push_ahead(segment.base, last, out);
                last = segment.base;
            }
        }
    }
    let mut last = 0;
    for segment in segments {
        if segment.kind == SegmentKind::Symbols {
            push_ahead(segment.names, last, out);
            last = segment.names;
        }
    }
}

/// Appends how far `number` is ahead of `origin`.
fn push_ahead(number: u32, origin: u32, out: &mut Vec<u8>) {
    let ahead = number.wrapping_sub(origin).cast_signed();
    push_varint(out, zigzag(i64::from(ahead)));
}

/// What the base of a segment is counted from.
enum Base {
    /// It has none.
    None,
    /// The segment's address.
    Own,
    /// The base before it of this sort.
    Common,
}

fn base_of(kind: SegmentKind) -> Base {
    match kind {
        SegmentKind::Code | SegmentKind::Unwind | SegmentKind::Arm64Code => Base::None,
        SegmentKind::Distances => Base::Own,
        SegmentKind::Relocations
        | SegmentKind::Symbols
        | SegmentKind::Words
        | SegmentKind::Arm64Relocations => Base::Common,
    }
}

/// Reads numbers off the front.
struct NumberReader<'a>(&'a [u8]);

impl NumberReader<'_> {
    fn number(&mut self) -> Option<u64> {
        read_varint(&mut self.0).ok()
    }

    /// Reads a count of things of at least `bytes` bytes each.
    fn count(&mut self, bytes: usize) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.0.len() / bytes).then_some(count)
    }

    /// Reads a number that says how far something is ahead of `origin`.
    fn ahead(&mut self, origin: u32) -> Option<u32> {
        let ahead = i32::try_from(unzigzag(self.number()?)).ok()?;
        Some(origin.wrapping_add(ahead.cast_unsigned()))
    }

    /// Reads segments of so many bytes.
    fn segments(&mut self, within: usize) -> Option<Vec<Segment>> {
        let gaps = self.numbers(4)?;
        let mut segments = Vec::with_capacity(gaps.len());
        let mut end = 0_usize;
        for gap in gaps {
            let place = end.checked_add(usize::try_from(gap).ok()?)?;
            segments.push(Segment {
                place,
                ..Segment::EMPTY
            });
            // Its length, which is needed for the next place, is read below.
            end = place;
        }
        let mut moved = 0_usize;
        for segment in &mut segments {
            segment.place = segment.place.checked_add(moved)?;
            segment.bytes = usize::try_from(self.number()?).ok()?;
            moved = moved.checked_add(segment.bytes)?;
            if segment.bytes == 0 || segment.place.checked_add(segment.bytes)? > within {
                return None;
            }
        }
        for segment in &mut segments {
            segment.kind = SegmentKind::from_number(self.number()?)?;
        }
        let mut origin = 0;
        for segment in &mut segments {
            origin = self.ahead(origin)?;
            segment.address = origin.wrapping_add(truncated(segment.place));
        }
        let mut last = 0;
        for segment in &mut segments {
            match base_of(segment.kind) {
                Base::None => {}
                Base::Own => segment.base = self.ahead(segment.address)?,
                Base::Common => {
                    last = self.ahead(last)?;
                    segment.base = last;
                }
            }
        }
        let mut last = 0;
        for segment in &mut segments {
            if segment.kind == SegmentKind::Symbols {
                last = self.ahead(last)?;
                segment.names = last;
            }
        }
        Some(segments)
    }

    fn runs(&mut self) -> Option<Vec<AddressRun>> {
        let gaps = self.numbers(3)?;
        let mut runs = Vec::with_capacity(gaps.len());
        let mut end = 0_u32;
        for gap in gaps {
            let count = u32::try_from(self.number()?).ok()?;
            let new = end.checked_add(u32::try_from(gap).ok()?)?;
            runs.push(AddressRun { new, old: 0, count });
            end = new.checked_add(count)?;
        }
        let mut moved = 0_i64;
        for run in &mut runs {
            moved = moved.checked_add(unzigzag(self.number()?))?;
            run.old = u32::try_from(i64::from(run.new).checked_add(moved)?).ok()?;
        }
        Some(runs)
    }

    /// Reads the count of things that have at least `bytes` bytes each, and the first number of each.
    fn numbers(&mut self, bytes: usize) -> Option<Vec<u64>> {
        let count = self.count(bytes)?;
        (0..count).map(|_| self.number()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Segments of any kind, one behind the other or with gaps, within `bytes`.
    fn segments(bytes: usize) -> impl Strategy<Value = Vec<Segment>> {
        let one = (
            0_usize..40,
            1_usize..200,
            0_u64..8,
            any::<[u32; 2]>(),
            1..ADDRESSES,
        );
        proptest::collection::vec(one, 0..8).prop_map(move |parts| {
            let mut end = 0;
            let mut segments = Vec::new();
            for (gap, length, kind, [base, names], address) in parts {
                let kind = SegmentKind::from_number(kind).unwrap();
                let segment = Segment {
                    place: end + gap,
                    bytes: length,
                    kind,
                    address,
                    // Small bases make addresses of small numbers.
                    base: match base_of(kind) {
                        Base::None => 0,
                        Base::Own | Base::Common => base & 0x8000_0fff,
                    },
                    names: if kind == SegmentKind::Symbols {
                        names >> 4
                    } else {
                        0
                    },
                };
                end = segment.end();
                if end <= bytes {
                    segments.push(segment);
                }
            }
            segments
        })
    }

    const ADDRESSES: u32 = 1 << 30;

    /// Runs of which no two overlap.
    fn map() -> impl Strategy<Value = AddressMap> {
        let one = (1_u32..900, 1_u32..5000);
        proptest::collection::vec((one, 1_u32..900), 0..12).prop_map(|parts| {
            let (mut new, mut old) = (1, 1);
            let mut runs: Vec<AddressRun> = Vec::new();
            for ((gap, count), old_gap) in parts {
                runs.push(AddressRun {
                    new: new + gap,
                    old: old + old_gap,
                    count,
                });
                (new, old) = (new + gap + count, old + old_gap + count);
            }
            // Some have changed places.
            if let [first, .., last] = &mut runs[..]
                && first.count == last.count
            {
                std::mem::swap(&mut first.old, &mut last.old);
            }
            AddressMap::new(runs).unwrap()
        })
    }

    /// Bytes with many small numbers and opcodes that have distances.
    fn code(bytes: usize) -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            3 => Just(0_u8), 1 => Just(0xe8), 1 => Just(0xe9), 1 => Just(0x05), 1 => Just(0x8d),
            1 => Just(0x80), 1 => Just(0x40), 1 => Just(0x0f), 4 => any::<u8>()
        ];
        proptest::collection::vec(byte, bytes)
    }

    /// Instructions for arm64 that refer to places near by, by few registers.
    fn arm64_code(words: usize) -> impl Strategy<Value = Vec<u8>> {
        let kinds = prop_oneof![
            2 => Just((0x6000_00e1, 0x9000_0000)),
            2 => Just((0x003f_fc23, 0x9100_0000)),
            2 => Just((0xc4ff_fc23, 0x3900_0000)),
            1 => Just((0x8000_ffff, 0x1400_0000)),
            1 => Just((0x000f_ffe1, 0x3400_0000)),
            1 => Just((0x600f_ffe1, 0x1000_0000)),
            1 => Just((u32::MAX, 0)),
        ];
        let word = (any::<u32>(), kinds).prop_map(|(word, (free, is))| word & free | is);
        let word = word.prop_map(|word| word.to_le_bytes().to_vec());
        proptest::collection::vec(word, words).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn arm64_code_comes_back(mut bytes in arm64_code(100), address in 1_u32..10_000, map in map()) {
            let given = bytes.clone();
            let segment = Segment {
                bytes: 400,
                kind: SegmentKind::Arm64Code,
                address: 4 * address,
                ..Segment::EMPTY
            };
            let mut tables = ReferenceTables { old: Vec::new(), new: vec![segment], map, exceptions: Vec::new() };
            tables.label_new(&mut bytes);
            tables.undo_new(&mut bytes);
            prop_assert_eq!(bytes, given);
        }

        #[test]
        fn whatever_the_segments_say_the_bytes_come_back(
            mut bytes in code(800), old in segments(600), new in segments(800), map in map(),
        ) {
            let given = bytes.clone();
            let mut tables = ReferenceTables { old, new, map, exceptions: Vec::new() };
            tables.label_new(&mut bytes);
            let decoded = ReferenceTables::decode(&tables.encode(), 600, 800).unwrap();
            prop_assert_eq!(&decoded, &tables);
            decoded.undo_new(&mut bytes);
            prop_assert_eq!(bytes, given);
        }

        #[test]
        fn hostile_tables_never_panic(
            encoded in proptest::collection::vec(prop_oneof![0_u8..8, any::<u8>()], 0..200), mut bytes in code(300),
        ) {
            if let Some(tables) = ReferenceTables::decode(&encoded, 300, 300) {
                tables.label_old(&mut bytes);
                tables.undo_new(&mut bytes);
                prop_assert_eq!(ReferenceTables::decode(&tables.encode(), 300, 300).unwrap(), tables);
            }
        }
    }

    #[test]
    fn a_call_is_known_by_where_its_target_was() {
        // A call at 0x1000 of 0x2005 which was at 0x3000.
        let mut code = [0xe8, 0, 0x10, 0, 0];
        let segment = Segment {
            place: 0,
            bytes: 5,
            kind: SegmentKind::Code,
            address: 0x1000,
            base: 0,
            names: 0,
        };
        let run = AddressRun {
            new: 0x2000,
            old: 0x2ffb,
            count: 16,
        };
        let mut tables = ReferenceTables {
            old: vec![segment],
            new: vec![segment],
            map: AddressMap::new(vec![run]).unwrap(),
            exceptions: Vec::new(),
        };
        tables.label_new(&mut code);
        assert_eq!(code, [0xe8, 0, 0x30, 0, 0]);
        tables.undo_new(&mut code);
        assert_eq!(code, [0xe8, 0, 0x10, 0, 0]);
        tables.label_old(&mut code);
        assert_eq!(code, [0xe8, 5, 0x20, 0, 0]);
    }

    #[test]
    fn runs_that_overlap_are_refused() {
        let run = |new, old, count| AddressRun { new, old, count };
        assert!(AddressMap::new(vec![run(1, 9, 4), run(5, 1, 8)]).is_some());
        for runs in [
            vec![run(1, 9, 4), run(4, 1, 4)],
            vec![run(1, 9, 4), run(5, 12, 4)],
            vec![run(0, 9, 4)],
            vec![run(1, 9, 0)],
            vec![run(1, ADDRESSES - 1, 2)],
            vec![run(u32::MAX, 1, 2)],
        ] {
            assert!(AddressMap::new(runs).is_none());
        }
    }
}
