//! The log of `--log FILE` or `$CARRYALL_LOG`: what a site sends home when something went wrong.
//!
//! Lines are only ever added. No secret reaches it: credentials in addresses are left out, and passwords are never words of
//! a command line.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use carryall::base::output::{OutputError, check_apart};
use carryall::ops::Error;

/// What a log begins with.
const HEAD: &[u8] = b"carryall log: lines are only ever added\n";

/// Begins to log to a file, which is made or is a log already. `words` are those of the command line.
///
/// # Errors
/// When the file is something else, is among or in what the command line names, or cannot be written.
pub fn begin(place: &Path, words: &[String]) -> Result<(), Error> {
    let file = open(place, words)?;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_target(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(Mutex::new(file));
    // Whoever has set one up before keeps it: there is nobody in this program.
    let _ = subscriber.try_init();
    let command = words.iter().map(|word| without_secrets(word));
    let command: Vec<String> = command.collect();
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, command = command.join(" "), "begins");
    Ok(())
}

fn open(place: &Path, words: &[String]) -> Result<File, OutputError> {
    let cannot = |source| OutputError::io(place)(source);
    let named = words.iter().map(PathBuf::from);
    let named = named.filter(|path| path.as_path() != place && path.exists());
    let named: Vec<PathBuf> = named.collect();
    check_apart(place, &named)?;
    // A pipe that nobody writes to must not hold the command up.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(place)
        .map_err(cannot)?;
    if !file.metadata().map_err(cannot)?.is_file() {
        return Err(OutputError::Exists(place.to_owned()));
    }
    let mut head = Vec::new();
    let begun = (&mut file).take(HEAD.len() as u64).read_to_end(&mut head);
    begun.map_err(cannot)?;
    if head.is_empty() {
        file.write_all(HEAD).map_err(cannot)?;
    } else if head != HEAD {
        return Err(OutputError::Exists(place.to_owned()));
    }
    Ok(file)
}

/// A text without the names and passwords that addresses in it may have.
pub fn without_secrets(text: &str) -> String {
    let words = text.split(' ').map(word_without_secrets);
    words.collect::<Vec<_>>().join(" ")
}

fn word_without_secrets(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let host_len = rest.find('/').unwrap_or(rest.len());
    match rest[..host_len].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_and_passwords_in_addresses_are_left_out() {
        let secret = without_secrets("docker://me:pass@word@host:5000/a@sha256:00");
        assert_eq!(secret, "docker://***@host:5000/a@sha256:00");
        assert_eq!(without_secrets("docker://host/a@b"), "docker://host/a@b");
        assert_eq!(without_secrets("a@b"), "a@b");
        let two = without_secrets("http://a:b@c: not  as https://d@e/f");
        assert_eq!(two, "http://***@c: not  as https://***@e/f");
    }

    #[test]
    fn what_is_no_log_is_left_as_it_is() {
        let dir = tempfile::TempDir::new().unwrap();
        let place = dir.path().join("file");
        std::fs::write(&place, "mine").unwrap();
        assert!(matches!(open(&place, &[]), Err(OutputError::Exists(_))));
        assert_eq!(std::fs::read(&place).unwrap(), b"mine");
        let (pipe, mode) = (dir.path().join("pipe"), rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(matches!(open(&pipe, &[]), Err(OutputError::Exists(_))));
        let log = dir.path().join("log");
        for _ in 0..2 {
            open(&log, &[]).unwrap().write_all(b"line\n").unwrap();
        }
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.ends_with("added\nline\nline\n"), "{text}");
        let folder = dir.path().to_string_lossy().into_owned();
        assert!(matches!(
            open(&dir.path().join("new"), &[folder]),
            Err(OutputError::Input { .. })
        ));
    }
}
