//! Burns a volume to a disc with xorriso, which stays a child process. None of its output is ours.
//!
//! It looks at one disc at a time. Which disc is wanted and what is asked of the person is decided elsewhere.

mod child;
mod disc;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise};

pub use self::disc::{DiscState, DiscStatus};
use crate::base::monitor::Monitor;
use crate::volumes::media::drive::{Drive, TrayState};
use crate::volumes::media::kind::SECTOR_BYTES;
use crate::volumes::media::{MediaError, VolumeFacts, iso};

/// Beginning of the name of a file that stands for a drive, as xorriso names it.
const FILE_DEVICE: &str = "stdio:";
/// Zeros behind an image on a CD: some drives cannot read the end of the last track without them.
const CD_PAD_SECTORS: u64 = 150;
/// xorriso writes a session from files in units of 32 sectors.
const WRITE_UNIT_BYTES: u64 = 32 * SECTOR_BYTES;
/// How long a drive may examine a disc that was put in again.
const LOADS_WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A drive that burns, or a file that stands for one (`stdio:FILE`).
#[derive(Debug, Clone)]
pub struct Burner {
    device: PathBuf,
    program: PathBuf,
    speed: Option<u32>,
}

/// How burning ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Burned {
    /// The program says that all was written.
    Done,
    /// It failed, and these are its last words.
    Failed(String),
}

/// Whether a disc was taken out of the drive's reach and put in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// What is read from now on comes from the disc.
    Done,
    /// The drive cannot pull its tray in: a person has to.
    ByHand,
}

impl Burner {
    /// Names a device. `speed` is that of the drive's own numbers, such as 4 for `4x`.
    pub fn new(device: &Path, speed: Option<u32>) -> Self {
        Self {
            device: device.to_owned(),
            program: iso::default_program(),
            speed,
        }
    }

    /// Returns the device, as it was named.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Returns the path where what was burned is read.
    pub fn read_path(&self) -> PathBuf {
        match self.device.to_string_lossy().strip_prefix(FILE_DEVICE) {
            Some(file) => PathBuf::from(file),
            None => self.device.clone(),
        }
    }

    /// Asks the drive what is in it.
    ///
    /// # Errors
    /// [`MediaError::BurnerMissing`]. [`MediaError::BurnerFailed`] when the drive cannot be used.
    pub fn look(&self) -> Result<DiscState, MediaError> {
        let mut command = self.command();
        command.arg("-outdev").arg(&self.device);
        command.args(["-toc", "-tell_media_space"]);
        let output = command.output().map_err(|error| self.not_started(error))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        disc::parse(&said).ok_or_else(|| MediaError::BurnerFailed {
            device: self.device.clone(),
            last_lines: child::last_lines(&said),
        })
    }

    /// Empties a rewritable disc.
    ///
    /// # Errors
    /// As [`Burner::burn`].
    pub fn erase(&self, monitor: &dyn Monitor) -> Result<Burned, MediaError> {
        let mut command = self.command();
        command.arg("-outdev").arg(&self.device);
        command.args(["-blank", "as_needed"]);
        child::run(command, monitor).map_err(|error| self.broken_off(error))
    }

    /// Returns the bytes that a volume takes on such a disc, padding included.
    ///
    /// # Errors
    /// When the volume cannot be read, or xorriso does not say.
    pub fn needed_bytes(&self, volume: &Path, disc: &DiscState) -> Result<u64, MediaError> {
        let stat = std::fs::metadata(volume).map_err(MediaError::io(volume))?;
        let pad = if disc.is_cd() {
            CD_PAD_SECTORS * SECTOR_BYTES
        } else {
            0
        };
        if !stat.is_dir() {
            return Ok(stat.len().next_multiple_of(SECTOR_BYTES) + pad);
        }
        let mut command = self.command();
        command.args([
            "-as",
            "mkisofs",
            "-quiet",
            "-r",
            "-J",
            "-no-pad",
            "-print-size",
            "-o",
            "/dev/null",
        ]);
        let output = command.arg(volume).output();
        let output = output.map_err(|error| self.not_started(error))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let sectors: Option<u64> = printed.trim().parse().ok();
        let sectors = sectors.ok_or_else(|| MediaError::BurnerFailed {
            device: self.device.clone(),
            last_lines: child::last_lines(&String::from_utf8_lossy(&output.stderr)),
        })?;
        Ok((sectors * SECTOR_BYTES).next_multiple_of(WRITE_UNIT_BYTES) + pad)
    }

    /// Burns an image, or a folder as an image. Advances the monitor's task by the bytes written, as far as they are
    /// told.
    ///
    /// # Errors
    /// [`MediaError::Interrupted`] when a stop was asked for. A disc that can be written once is then lost.
    /// [`MediaError::BurnerMissing`], [`MediaError::Io`].
    pub fn burn(
        &self,
        volume: &Path,
        facts: &VolumeFacts,
        disc: &DiscState,
        monitor: &dyn Monitor,
    ) -> Result<Burned, MediaError> {
        let command = if volume.is_dir() {
            self.burn_folder(volume, facts, disc)
        } else {
            self.burn_image(volume, disc)
        };
        child::run(command, monitor).map_err(|error| self.broken_off(error))
    }

    fn burn_image(&self, image: &Path, disc: &DiscState) -> Command {
        let mut command = self.command();
        let mut device = std::ffi::OsString::from("dev=");
        device.push(&self.device);
        // A rewritable disc that is new is formatted by this. What holds something was erased before, with consent.
        command.args(["-as", "cdrecord", "-v", "blank=as_needed"]);
        command.arg(device);
        if let Some(speed) = self.speed {
            command.arg(format!("speed={speed}"));
        }
        // Defect management halves the speed, and everything is read back here.
        if disc.has_defect_management() {
            command.arg("stream_recording=on");
        }
        // Elsewhere padding is of no use, and an image of the medium's size would not fit with it.
        if !disc.is_cd() {
            command.arg("-nopad");
        }
        command.arg(image);
        command
    }

    fn burn_folder(&self, folder: &Path, facts: &VolumeFacts, disc: &DiscState) -> Command {
        let mut command = self.command();
        command.args(["-abort_on", "FAILURE"]);
        command.arg("-outdev").arg(&self.device);
        command.args(["-volid", &facts.label(), "-joliet", "on"]);
        let pad = if disc.is_cd() {
            format!("{CD_PAD_SECTORS}s")
        } else {
            "0".to_owned()
        };
        command.args(["-blank", "as_needed", "-padding", &pad, "-close", "on"]);
        if disc.has_defect_management() {
            command.args(["-stream_recording", "on"]);
        }
        if let Some(speed) = self.speed {
            command.args(["-speed", &speed.to_string()]);
        }
        command.arg("-map").arg(folder).arg("/");
        command.args(["-find", "/", "-exec", "mkisofs_r", "--", "-commit"]);
        command
    }

    /// Takes care that what is read next comes from the disc: the disc is out of the drive for a moment, and the
    /// system forgets what it remembers.
    ///
    /// # Errors
    /// [`MediaError::Interrupted`], [`MediaError::Io`].
    pub fn reload(&self, monitor: &dyn Monitor) -> Result<Reloaded, MediaError> {
        let path = self.read_path();
        if let Some(drive) = Drive::at(&path) {
            // A drive that does not eject still forgets what the system can make it forget.
            if drive.eject().is_ok() && self.load(&drive, monitor)? == Reloaded::ByHand {
                return Ok(Reloaded::ByHand);
            }
        }
        self.forget_cache()?;
        Ok(Reloaded::Done)
    }

    /// Pulls the tray in and waits for the disc. Opening the device makes the kernel pull, where the drive can.
    fn load(&self, drive: &Drive, monitor: &dyn Monitor) -> Result<Reloaded, MediaError> {
        let begun = Instant::now();
        while begun.elapsed() < LOADS_WITHIN {
            monitor.check_stop()?;
            let opened = std::fs::File::open(&drive.path).is_ok();
            match drive.tray() {
                Ok(TrayState::Disc) if opened => return Ok(Reloaded::Done),
                Ok(TrayState::Open) => return Ok(Reloaded::ByHand),
                _ => std::thread::sleep(LOOK_EVERY),
            }
        }
        Ok(Reloaded::ByHand)
    }

    /// Makes the system forget what it has of the device or file.
    ///
    /// # Errors
    /// [`MediaError::Io`].
    pub fn forget_cache(&self) -> Result<(), MediaError> {
        let path = self.read_path();
        let file = std::fs::File::open(&path).map_err(MediaError::io(&path))?;
        if file.metadata().is_ok_and(|stat| stat.is_file()) {
            // Only what is on the disk can be forgotten.
            file.sync_all().map_err(MediaError::io(&path))?;
        }
        // A file system that takes no advice is read all the same.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        Ok(())
    }

    /// Hands the disc out. Files have nothing to hand out.
    pub fn eject(&self) {
        if let Some(drive) = Drive::at(&self.device) {
            // The person opens a tray that does not open by itself.
            let _ = drive.eject();
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("LC_ALL", "C")
            .arg("-no_rc")
            .stdin(Stdio::null());
        command
    }

    fn not_started(&self, error: io::Error) -> MediaError {
        match error.kind() {
            io::ErrorKind::NotFound => MediaError::BurnerMissing,
            _ => MediaError::io(&self.program)(error),
        }
    }

    fn broken_off(&self, error: io::Error) -> MediaError {
        match crate::base::monitor::Interrupted::of_io(&error) {
            Some(interrupted) => interrupted.into(),
            None => self.not_started(error),
        }
    }
}
