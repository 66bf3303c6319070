//! Turns a volume's folder into an ISO 9660 image with xorriso, with Rock Ridge and Joliet. The same folder gives the
//! same bytes. Volume files begin at multiples of a block, so that a full one is one error-correction unit of a Blu-ray
//! disc.
//!
//! It does not burn and does not read images. `scan` finds blocks in images, as on any medium.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::base::fs::{parent_of, sync};
use crate::base::monitor::Monitor;
use crate::volumes::block::BlockSize;
use crate::volumes::media::kind::SECTOR_BYTES;
use crate::volumes::media::{MediaError, page};

/// The date of everything in an image: 1980-01-01, the first that FAT can represent.
const DATE: &str = "1980010100000000";
const DATE_EPOCH: &str = "315532800";
const LAST_LINES_MAX: usize = 8;
const LAST_LINE_MAX_CHARS: usize = 300;
const POLL: Duration = Duration::from_millis(50);

/// An image that is to be made.
pub(super) struct IsoImage<'a> {
    /// Name or path of xorriso.
    pub(super) program: &'a Path,
    /// The folder. Alignment lengthens its page for browsers.
    pub(super) folder: &'a Path,
    /// Names of the companion files in it, in order.
    pub(super) companions: Vec<String>,
    /// Names of the volume files in it, in order.
    pub(super) volume_files: Vec<String>,
    /// The image, which must not exist.
    pub(super) iso: &'a Path,
    /// The size of the volume's blocks. Volume files begin at multiples of it.
    pub(super) block_size: BlockSize,
    /// Volume label, upper-case letters, digits and underscores.
    pub(super) label: String,
    /// Most bytes the image may have.
    pub(super) limit_bytes: Option<u64>,
}

impl IsoImage<'_> {
    /// Makes the image under a hidden name, checks its size, brings it to the medium and renames it.
    /// Advances the monitor's task by the bytes written.
    pub(super) fn write(&self, monitor: &dyn Monitor) -> Result<(), MediaError> {
        let name = self.iso.file_name().unwrap_or_default().to_string_lossy();
        let unfinished = self.iso.with_file_name(format!(".{name}.unfinished"));
        let outcome = self.write_at(&unfinished, monitor);
        if outcome.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&unfinished);
        }
        outcome
    }

    fn write_at(&self, unfinished: &Path, monitor: &dyn Monitor) -> Result<(), MediaError> {
        match fs::remove_file(unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(MediaError::io(unfinished)(error));
            }
            _ => {}
        }
        self.align(unfinished)?;
        let command = self.command(unfinished)?;
        self.run(command, unfinished, monitor)?;
        let bytes = fs::metadata(unfinished)
            .map_err(MediaError::io(unfinished))?
            .len();
        if let Some(limit_bytes) = self.limit_bytes.filter(|limit| bytes > *limit) {
            return Err(MediaError::TooLarge {
                iso: self.iso.to_owned(),
                bytes,
                limit_bytes,
            });
        }
        sync(unfinished).map_err(MediaError::io(unfinished))?;
        if self.iso.symlink_metadata().is_ok() {
            return Err(MediaError::Exists {
                path: self.iso.to_owned(),
            });
        }
        fs::rename(unfinished, self.iso).map_err(MediaError::io(self.iso))?;
        sync(parent_of(self.iso)).map_err(MediaError::io(self.iso))
    }

    /// Lengthens the page with blank lines until the first volume file begins at a multiple of a block. The start of
    /// files depends on xorriso's version, so xorriso is asked for it.
    fn align(&self, unfinished: &Path) -> Result<(), MediaError> {
        let mut command = self.command(unfinished)?;
        command.arg("-print-size");
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| self.not_started(error))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let total: Option<u64> = printed
            .trim()
            .parse()
            .ok()
            .filter(|_| output.status.success());
        let total = total.ok_or_else(|| self.failed(&last_lines(&output.stderr[..])))?;
        let mut volume_file_sectors = 0;
        for name in &self.volume_files {
            volume_file_sectors += self.size_of(name)?.div_ceil(SECTOR_BYTES);
        }
        let before = total.saturating_sub(volume_file_sectors);
        let padding =
            before.next_multiple_of(self.block_size.bytes() as u64 / SECTOR_BYTES) - before;
        let page = self.folder.join(page::HTML_NAME);
        let have = self.size_of(page::HTML_NAME)?;
        let want = have.next_multiple_of(SECTOR_BYTES) + padding * SECTOR_BYTES;
        let mut text = fs::read(&page).map_err(MediaError::io(&page))?;
        text.resize(
            text.len() + usize::try_from(want - have).unwrap_or(0),
            b'\n',
        );
        fs::write(&page, text).map_err(MediaError::io(&page))
    }

    fn size_of(&self, name: &str) -> Result<u64, MediaError> {
        let path = self.folder.join(name);
        Ok(fs::metadata(&path).map_err(MediaError::io(&path))?.len())
    }

    /// Builds the command. The files are stored in the given order: pages, companion files, volume files.
    fn command(&self, unfinished: &Path) -> Result<Command, MediaError> {
        let output = std::path::absolute(unfinished).map_err(MediaError::io(unfinished))?;
        let pages = [page::HTML_NAME, page::TEXT_NAME].into_iter();
        let names: Vec<&str> = pages
            .chain(self.companions.iter().map(String::as_str))
            .chain(self.volume_files.iter().map(String::as_str))
            .collect();
        let mut command = Command::new(self.program);
        command
            .current_dir(self.folder)
            .envs([
                ("LC_ALL", "C"),
                ("TZ", "UTC"),
                ("SOURCE_DATE_EPOCH", DATE_EPOCH),
            ])
            .args([
                "-no_rc",
                "-as",
                "mkisofs",
                "-quiet",
                "-r",
                "-J",
                "-no-pad",
                "-V",
                &self.label,
            ])
            .args(["-A", "CARRYALL", "--set_all_file_dates", DATE])
            .arg(format!("--modification-date={DATE}"))
            .arg("-o")
            .arg(output);
        for (name, weight) in names.iter().zip((0..names.len()).rev()) {
            command.args(["--sort-weight", &weight.to_string(), &format!("/{name}")]);
        }
        command
            .arg("-graft-points")
            .args(names.iter().map(|name| format!("/{name}={name}")));
        Ok(command)
    }

    fn run(
        &self,
        mut command: Command,
        growing: &Path,
        monitor: &dyn Monitor,
    ) -> Result<(), MediaError> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| self.not_started(error))?;
        let stderr = child.stderr.take();
        let listener = std::thread::spawn(move || stderr.map(last_lines).unwrap_or_default());
        let outcome = self.wait(&mut child, growing, monitor);
        let said = listener.join().unwrap_or_default();
        if outcome? {
            Ok(())
        } else {
            Err(self.failed(&said))
        }
    }

    /// Waits for the child and returns whether it succeeded. Kills it when a stop is asked for.
    fn wait(
        &self,
        child: &mut Child,
        growing: &Path,
        monitor: &dyn Monitor,
    ) -> Result<bool, MediaError> {
        let mut reported = 0;
        loop {
            let status = child.try_wait().map_err(MediaError::io(self.iso))?;
            let bytes = fs::metadata(growing).map_or(reported, |meta| meta.len());
            monitor.advance(bytes.saturating_sub(reported));
            reported = bytes.max(reported);
            if let Some(status) = status {
                return Ok(status.success());
            }
            if let Err(interrupted) = monitor.check_stop() {
                // Killing fails when the child has just ended, which is no error.
                let _ = child.kill();
                let _ = child.wait();
                return Err(interrupted.into());
            }
            std::thread::sleep(POLL);
        }
    }

    fn not_started(&self, error: io::Error) -> MediaError {
        match error.kind() {
            io::ErrorKind::NotFound => MediaError::XorrisoMissing,
            _ => MediaError::Io {
                path: self.program.to_owned(),
                source: error,
            },
        }
    }

    fn failed(&self, last_lines: &str) -> MediaError {
        MediaError::XorrisoFailed {
            iso: self.iso.to_owned(),
            last_lines: last_lines.to_owned(),
        }
    }
}

/// Reads all output of the program and returns the last lines, joined, without its greeting.
fn last_lines(said: impl io::Read) -> String {
    let mut lines = VecDeque::new();
    for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
        let line: String = String::from_utf8_lossy(&line)
            .trim()
            .chars()
            .take(LAST_LINE_MAX_CHARS)
            .collect();
        if line.is_empty()
            || line.contains("libburnia project")
            || line.contains("SOURCE_DATE_EPOCH")
        {
            continue;
        }
        if lines.len() == LAST_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }
    Vec::from(lines).join("; ")
}

/// Checks that the program that makes images can be started. Called before long work that needs it later.
///
/// # Errors
/// [`MediaError::XorrisoMissing`].
pub(crate) fn check_program() -> Result<(), MediaError> {
    let started = Command::new(default_program())
        .arg("-version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match started {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(MediaError::XorrisoMissing),
        // Any other failure is reported when the program is used.
        _ => Ok(()),
    }
}

pub(super) fn default_program() -> PathBuf {
    PathBuf::from("xorriso")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::monitor::{Recording, Silent};
    use std::sync::atomic::Ordering;

    fn folder_with_pages() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in [page::HTML_NAME, page::TEXT_NAME, "carry01.000"] {
            fs::write(dir.path().join(name), b"x").unwrap();
        }
        dir
    }

    fn write_with(program: &Path, dir: &Path, monitor: &dyn Monitor) -> Result<(), MediaError> {
        let image = IsoImage {
            block_size: BlockSize::Full,
            program,
            folder: dir,
            companions: Vec::new(),
            volume_files: vec!["carry01.000".into()],
            iso: &dir.join("out.iso"),
            label: "CARRYALL_01_01".into(),
            limit_bytes: None,
        };
        image.write(monitor)
    }

    /// A child writes it: what this process writes is open in every child that another test has just started, until that
    /// runs its program, and what somebody has open for writing cannot be run.
    fn script(dir: &Path, text: &str) -> PathBuf {
        let path = dir.join("fake");
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "printf '#!/bin/sh\n%s\n' \"$1\" > \"$0\" && chmod 755 \"$0\"",
        ]);
        assert!(shell.arg(&path).arg(text).status().unwrap().success());
        path
    }

    #[test]
    fn a_missing_program_and_a_failing_one_are_told_apart() {
        let dir = folder_with_pages();
        let missing = write_with(Path::new("/none/xorriso"), dir.path(), &Silent);
        assert!(
            matches!(missing, Err(MediaError::XorrisoMissing)),
            "{missing:?}"
        );
        let failing = script(
            dir.path(),
            "case \"$*\" in *-print-size*) echo 64;; *) echo out of space >&2; exit 5;; esac",
        );
        let failed = write_with(&failing, dir.path(), &Silent).unwrap_err();
        assert!(failed.to_string().contains("out of space"), "{failed}");
        assert!(!dir.path().join(".out.iso.unfinished").exists());
    }

    #[test]
    fn a_stop_ends_the_program() {
        let dir = folder_with_pages();
        let slow = script(
            dir.path(),
            "case \"$*\" in *-print-size*) echo 64;; *) exec sleep 600;; esac",
        );
        let monitor = Recording::default();
        monitor.stop.store(true, Ordering::Relaxed);
        let stopped = write_with(&slow, dir.path(), &monitor);
        assert!(
            matches!(stopped, Err(MediaError::Interrupted(_))),
            "{stopped:?}"
        );
        assert!(!dir.path().join("out.iso").exists());
    }
}
