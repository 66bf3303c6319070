//! `man` and `completions`: what packages bring along beside the program.

use std::fs;
use std::path::{Path, PathBuf};

use carryall::base::output::OutputFile;
use carryall::ops::Error;
use clap_complete::Shell;
use serde_json::json;

use crate::cli::exit::Failure;
use crate::cli::help::manual;
use crate::cli::messages::catalog;
use crate::cli::{Context, help, messages, terminal};

/// Writes the pages of every language: `man1` for English, `zh_CN/man1` for Chinese, as below `/usr/share/man`.
pub fn run(context: &Context, to: &Path) -> Result<u8, Failure> {
    let mut written = Vec::new();
    for (tag, _) in catalog::LANGUAGES {
        let folder = match tag {
            "en" => to.join("man1"),
            tag => to.join(tag.replace('-', "_")).join("man1"),
        };
        fs::create_dir_all(&folder).map_err(|source| Error::Io {
            path: folder.clone(),
            source,
        })?;
        for page in catalog::in_tag(tag, manual::pages) {
            written.push(write(&folder.join(&page.file), &page.text)?);
        }
    }
    let count = written.len();
    context.print(&json!({"pages": written}), |_| {
        messages::pages_written(count, to)
    })?;
    Ok(0)
}

fn write(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let is_page = |beginning: &[u8]| beginning.starts_with(manual::BEGINNING.as_bytes());
    let file = OutputFile::begin(path, is_page, &[]).map_err(Error::from)?;
    Ok(file.finish(text.as_bytes()).map_err(Error::from)?)
}

/// Prints what a shell completes.
pub fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut help::described(), "carryall", &mut out);
    terminal::print(&String::from_utf8_lossy(&out))?;
    Ok(0)
}
