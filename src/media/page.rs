//! The START-HERE pages of a volume: what this is and what to do with it, for a person who knows nothing of it.
//!
//! Chinese and English side by side. The text comes from facts alone: no clock, no machine, so same volume, same page.

use std::fmt::Write;

use crate::media::VolumeFacts;

/// Name of the page for browsers.
pub const HTML_NAME: &str = "START-HERE.html";
/// Name of the page for plain readers.
pub const TEXT_NAME: &str = "START-HERE.txt";
/// Most bytes that both pages take together.
pub const PAGES_MAX_BYTES: u64 = 32 * 1024;

/// Makes the page for browsers.
pub fn html(facts: &VolumeFacts) -> String {
    let mut out = String::from("<!doctype html><meta charset=\"utf-8\"><title>carryall</title>");
    let _ = write!(out, "<p>{}</p>", facts.volume_no);
    out
}

/// Makes the page for plain readers.
pub fn text(facts: &VolumeFacts) -> String {
    format!("{}\n", facts.volume_name())
}
