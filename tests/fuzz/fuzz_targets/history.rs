//! A history that somebody else wrote, read whole: any bytes give lines and findings, and never a panic.
#![no_main]

use carryall::ops::history::{HistoryLine, HistoryReport};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (head, lines) = bytes.split_at(bytes.len().min(80));
    let report = HistoryReport::of_bytes(lines, head);
    for line in &report.lines {
        let again = HistoryLine::decode(&line.encode());
        assert_eq!(again.as_ref(), Some(line));
    }
    let _ = carryall::ops::history::to_csv(&report.lines);
});
