//! Ranges of bytes: requested (`Range`), returned (`Content-Range`), and the progress of an upload.

use std::ops::Range;

/// The meaning of a request's `Range` header for a body of some length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The whole body: no header, several ranges, or a header that is not understood.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that do not exist: status 416.
    Beyond,
}

/// Parses `bytes=FIRST-[LAST]` or `bytes=-LAST_SO_MANY`.
pub fn asked(header: Option<&str>, bytes: u64) -> Asked {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Asked::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Asked::Whole;
    };
    match (number(first), number(last)) {
        (Some(first), _) if first >= bytes && (last.is_empty() || number(last).is_some()) => {
            Asked::Beyond
        }
        (Some(first), Some(last)) if first <= last => {
            Asked::Part(first..last.saturating_add(1).min(bytes))
        }
        (Some(first), None) if last.is_empty() => Asked::Part(first..bytes),
        (None, Some(0)) if first.is_empty() => Asked::Beyond,
        (None, Some(_)) if first.is_empty() && bytes == 0 => Asked::Beyond,
        (None, Some(count)) if first.is_empty() => Asked::Part(bytes.saturating_sub(count)..bytes),
        _ => Asked::Whole,
    }
}

/// Parses a response's `Content-Range: bytes FIRST-LAST/TOTAL`. The total may be `*`.
pub fn given(header: &str) -> Option<Range<u64>> {
    let spec = header.trim().strip_prefix("bytes ")?;
    let (range, _) = spec.split_once('/')?;
    let (first, last) = range.trim().split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(first..last.checked_add(1)?)
}

/// Parses an upload's `Range: 0-LAST` (some write `bytes=0-LAST`), and returns how many bytes the registry has.
/// Registries write `0-0` both for no bytes and for a single byte, so it counts as none.
pub fn taken(header: &str) -> Option<u64> {
    let spec = header.trim();
    let spec = spec.strip_prefix("bytes=").unwrap_or(spec);
    let (first, last) = spec.split_once('-')?;
    match (number(first)?, number(last)?) {
        (0, 0) => Some(0),
        (0, last) => last.checked_add(1),
        _ => None,
    }
}

/// Accepts only digits, because `parse` would also accept a sign.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_as_clients_ask() {
        assert_eq!(asked(None, 10), Asked::Whole);
        assert_eq!(asked(Some("bytes=0-3"), 10), Asked::Part(0..4));
        assert_eq!(asked(Some("bytes=4-"), 10), Asked::Part(4..10));
        assert_eq!(asked(Some("bytes=4-99"), 10), Asked::Part(4..10));
        assert_eq!(asked(Some("bytes=-3"), 10), Asked::Part(7..10));
        assert_eq!(asked(Some("bytes=-30"), 10), Asked::Part(0..10));
        assert_eq!(asked(Some("bytes=10-"), 10), Asked::Beyond);
        assert_eq!(asked(Some("bytes=10-12"), 10), Asked::Beyond);
        assert_eq!(asked(Some("bytes=-0"), 10), Asked::Beyond);
        for odd in [
            "bytes=3-1",
            "bytes=0-1,3-4",
            "lines=1-2",
            "bytes=",
            "bytes=-",
            "bytes=+1-2",
            "bytes=a-b",
        ] {
            assert_eq!(asked(Some(odd), 10), Asked::Whole, "{odd}");
        }
    }

    #[test]
    fn ranges_as_registries_answer() {
        assert_eq!(given("bytes 4-9/10"), Some(4..10));
        assert_eq!(given("bytes 4-9/*"), Some(4..10));
        assert_eq!(given("bytes 9-4/10"), None);
        assert_eq!(given("bytes */10"), None);
        assert_eq!(taken("0-0"), Some(0));
        assert_eq!(taken("0-9"), Some(10));
        assert_eq!(taken("bytes=0-9"), Some(10));
        assert_eq!(taken("3-9"), None);
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_body(text in "(bytes|=|-|[0-9]{1,21}|,|/| |\\*){0,8}", bytes in any::<u64>()) {
            if let Asked::Part(range) = asked(Some(&text), bytes) {
                prop_assert!(range.start < range.end && range.end <= bytes);
            }
            if let Some(range) = given(&text) {
                prop_assert!(range.start < range.end);
            }
            let _ = taken(&text);
        }
    }
}
