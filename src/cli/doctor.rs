//! `doctor`: what this machine has, what it lacks, and what to do about that.

use carryall::ops::maintain::doctor::{DoctorOptions, DoctorReport, LocaleFacts, doctor};

use crate::cli::exit::{EXIT_FAILED, Failure};
use crate::cli::messages::catalog;
use crate::cli::{Context, memory, messages, open, terminal};

pub fn run(context: &Context) -> Result<u8, Failure> {
    let report = doctor(&DoctorOptions {
        store: open::store_dir(context)?,
        temp: std::env::temp_dir(),
        memory_bytes: memory::there_bytes(),
        locale: locale(),
    });
    context.print(&report, text)?;
    Ok(if report.is_usable() { 0 } else { EXIT_FAILED })
}

fn text(report: &DoctorReport) -> String {
    let mut out = messages::doctor_facts(report);
    for advice in &report.advice {
        out += &messages::doctor_advice(advice);
    }
    out + &messages::doctor_verdict(report)
}

/// The language, and whether letters of Chinese arrive: the locale has UTF-8, and the terminal is none of the kernel's own,
/// which have no Chinese font.
fn locale() -> LocaleFacts {
    let (variable, value) = catalog::locale().unwrap_or_default();
    let codeset = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    let codeset = codeset
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let has_letters = codeset.contains("utf-8") || codeset.contains("utf8");
    let is_bare =
        terminal::is_out_seen() && std::env::var_os("TERM").is_some_and(|term| term == "linux");
    LocaleFacts {
        variable: (!variable.is_empty()).then(|| variable.to_owned()),
        value,
        language: catalog::language_tag().to_owned(),
        shows_chinese: has_letters && !is_bare,
    }
}
