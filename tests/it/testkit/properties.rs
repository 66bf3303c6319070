//! How many cases a property is tried on.

use proptest::test_runner::Config;

/// Settings for this many cases, or for as many as `$PROPTEST_CASES` says. A failure leaves no file behind: its report shows
/// the case.
pub fn cases(usual: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    Config {
        cases: asked.and_then(|text| text.parse().ok()).unwrap_or(usual),
        failure_persistence: None,
        ..Config::default()
    }
}
