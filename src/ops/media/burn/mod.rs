//! `burn`: burns volumes disc by disc, reads every disc back, and says of each whether it is good.
//!
//! What was burned and found good is remembered beside the volumes, so that a second run burns the rest alone. Questions
//! go to the person through a function, and nothing is erased without an answer.

mod ledger;
mod read_back;

use std::path::PathBuf;

use serde::Serialize;

use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::path_text;
use crate::ops::Error;
use crate::volumes::at_hand::{VolumeAtHand, volume_at, volumes_at_hand};
use crate::volumes::media::burner::{Burned, Burner, DiscState, DiscStatus, Reloaded};

/// Options of `burn`.
#[derive(Debug, Clone)]
pub struct BurnOptions {
    /// The drive, or `stdio:FILE`.
    pub device: PathBuf,
    /// The speed, in the drive's own numbers.
    pub speed: Option<u32>,
    /// Whether rewritable discs are erased without asking.
    pub erase: Erase,
    /// Whether volumes that are remembered as good are burned once more.
    pub which: WhichVolumes,
}

/// Whether rewritable discs are erased without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// The person is asked for each.
    Ask,
    /// All that are put in.
    All,
}

/// Whether volumes that are remembered as good are burned once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichVolumes {
    /// They are passed over.
    NotYetGood,
    /// They are burned like the others.
    All,
}

/// How it ended for one volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BurnOutcome {
    /// It was burned and read back whole.
    Good,
    /// It was found on a disc, or remembered, as burned and good.
    GoodBefore,
    /// No disc of it is good, though one was tried.
    Bad,
    /// It was not tried.
    NotBurned,
}

/// One volume in the report.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BurnedVolume {
    /// The set.
    pub set_id: SetId,
    /// Its title.
    pub title: String,
    /// The volume.
    pub volume_no: u16,
    /// Volumes of the set, data and spare.
    pub of_volumes: u32,
    /// Whether it is a spare volume.
    pub spare: bool,
    /// What was burned.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// How it ended.
    pub outcome: BurnOutcome,
    /// Discs that were tried.
    pub discs: u32,
}

/// The result of `burn`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BurnReport {
    /// The drive.
    #[serde(serialize_with = "path_text::one")]
    pub device: PathBuf,
    /// The volumes, in the order in which they were burned.
    pub volumes: Vec<BurnedVolume>,
}

/// What stands in the way of burning a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The disc before is done: the next blank one is wanted.
    NextDisc,
    /// There is no disc, or the drive does not understand it.
    NoDisc,
    /// The disc can be written once, and was.
    Used,
    /// The disc can be erased, which loses what is on it.
    HoldsData {
        /// The volume set on it, when it is one of ours.
        title: Option<String>,
    },
    /// The disc is too small.
    TooSmall {
        /// Bytes that fit.
        room_bytes: u64,
        /// Bytes that are needed.
        needed_bytes: u64,
    },
    /// The program that burns failed.
    Failed {
        /// Its last words.
        said: String,
    },
    /// What is on the disc is not what was burned.
    Bad {
        /// Bytes that differ or cannot be read, at least.
        bad_bytes: u64,
    },
    /// The tray is open, and only a person can close it.
    Reload,
}

/// What is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BurnAnswer {
    /// Go on with the disc that is in the drive now. What is on it stays.
    GoOn,
    /// Erase the disc that was asked about. Another one in its place is asked about anew.
    Erase,
    /// Leave this volume out.
    Skip,
    /// Burn nothing more.
    Stop,
}

/// What happens to a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BurnStep<'a> {
    /// It is remembered as good.
    Remembered,
    /// It is being written to this disc.
    Writing(&'a DiscState),
    /// It is being read back.
    ReadingBack,
    /// It was found on the disc already.
    OnDisc,
    /// Every byte came back.
    Good,
    /// Burning was broken off: a disc that can be written once is lost.
    BrokenOff,
}

/// How a person and a program take part in burning.
pub struct Dialog<'a> {
    /// Answers what stands in the way.
    pub ask: &'a mut dyn FnMut(&VolumeAtHand, &Obstacle) -> BurnAnswer,
    /// Hears what happens.
    pub tell: &'a mut dyn FnMut(&VolumeAtHand, BurnStep<'_>),
}

impl BurnReport {
    /// Returns how many volumes are on a good disc.
    pub fn good(&self) -> usize {
        let is_good = |volume: &&BurnedVolume| {
            matches!(volume.outcome, BurnOutcome::Good | BurnOutcome::GoodBefore)
        };
        self.volumes.iter().filter(is_good).count()
    }
}

/// Burns the volumes at `paths`.
///
/// # Errors
/// [`Error::NoVolumes`] when there is none. An error when the drive or the program cannot be used, or a stop was asked
/// for. What was found good until then is remembered.
pub fn burn(
    paths: &[PathBuf],
    options: &BurnOptions,
    dialog: &mut Dialog<'_>,
    monitor: &dyn Monitor,
) -> Result<BurnReport, Error> {
    let volumes = volumes_at_hand(paths, monitor)?;
    if volumes.is_empty() {
        return Err(Error::no_volumes(paths));
    }
    let burner = Burner::new(&options.device, options.speed);
    let mut work = BurningSession {
        burner: &burner,
        options,
        monitor,
        used: false,
    };
    let mut report = BurnReport {
        device: options.device.clone(),
        volumes: volumes.iter().map(entry).collect(),
    };
    for (volume, entry) in volumes.iter().zip(&mut report.volumes) {
        monitor.check_stop()?;
        if options.which == WhichVolumes::NotYetGood && ledger::has(volume) {
            entry.outcome = BurnOutcome::GoodBefore;
            (dialog.tell)(volume, BurnStep::Remembered);
            continue;
        }
        if !work.volume(volume, entry, dialog)? {
            break;
        }
    }
    Ok(report)
}

fn entry(volume: &VolumeAtHand) -> BurnedVolume {
    BurnedVolume {
        set_id: volume.facts.set_id,
        title: volume.facts.title.clone(),
        volume_no: volume.facts.volume_no,
        of_volumes: volume.facts.volume_count(),
        spare: volume.facts.is_spare(),
        path: volume.path.clone(),
        outcome: BurnOutcome::NotBurned,
        discs: 0,
    }
}

/// The drive while it is used.
struct BurningSession<'a> {
    burner: &'a Burner,
    options: &'a BurnOptions,
    monitor: &'a dyn Monitor,
    /// Whether a finished disc is in the drive.
    used: bool,
}

impl BurningSession<'_> {
    /// Burns one volume until a disc of it is good. Returns `false` when nothing more is to be burned.
    fn volume(
        &mut self,
        volume: &VolumeAtHand,
        entry: &mut BurnedVolume,
        dialog: &mut Dialog<'_>,
    ) -> Result<bool, Error> {
        let mut obstacle = self.used.then_some(Obstacle::NextDisc);
        loop {
            let mut erasable = None;
            if let Some(obstacle) = obstacle {
                match (dialog.ask)(volume, &obstacle) {
                    BurnAnswer::GoOn => {}
                    BurnAnswer::Erase => erasable = Some(obstacle),
                    BurnAnswer::Skip => return Ok(true),
                    BurnAnswer::Stop => return Ok(false),
                }
            }
            obstacle = self.disc(volume, entry, erasable.as_ref(), dialog)?;
            if obstacle.is_none() {
                ledger::add(volume);
                self.burner.eject();
                self.used = true;
                return Ok(true);
            }
        }
    }

    /// Tries the disc that is in the drive. Returns what stands in the way, or `None` when it is good. A disc that holds
    /// what `erasable` says is erased.
    fn disc(
        &self,
        volume: &VolumeAtHand,
        entry: &mut BurnedVolume,
        erasable: Option<&Obstacle>,
        dialog: &mut Dialog<'_>,
    ) -> Result<Option<Obstacle>, Error> {
        let mut disc = self.burner.look()?;
        if disc.status == DiscStatus::None {
            return Ok(Some(Obstacle::NoDisc));
        }
        if disc.status == DiscStatus::Written {
            let there = volume_at(&self.burner.read_path(), self.monitor)
                .ok()
                .flatten();
            let is_it = there.as_ref().is_some_and(|there| same(there, volume));
            if is_it && self.options.which == WhichVolumes::NotYetGood {
                (dialog.tell)(volume, BurnStep::OnDisc);
                // A run that was broken off while reading back left a finished disc.
                if self.read_back(volume, dialog)? == Some(0) {
                    entry.outcome = BurnOutcome::GoodBefore;
                    (dialog.tell)(volume, BurnStep::Good);
                    return Ok(None);
                }
            }
            if !disc.is_erasable() {
                return Ok(Some(Obstacle::Used));
            }
            let title = there.map(|there| there.facts.title);
            let held = Obstacle::HoldsData { title };
            if self.options.erase == Erase::Ask && erasable != Some(&held) {
                return Ok(Some(held));
            }
            if let Burned::Failed(said) = self.burner.erase(self.monitor)? {
                return Ok(Some(Obstacle::Failed { said }));
            }
            disc = self.burner.look()?;
        }
        let needed_bytes = self.burner.needed_bytes(&volume.path, &disc)?;
        if needed_bytes > disc.room_bytes {
            let room_bytes = disc.room_bytes;
            return Ok(Some(Obstacle::TooSmall {
                room_bytes,
                needed_bytes,
            }));
        }
        self.write(volume, entry, &disc, needed_bytes, dialog)
    }

    fn write(
        &self,
        volume: &VolumeAtHand,
        entry: &mut BurnedVolume,
        disc: &DiscState,
        needed_bytes: u64,
        dialog: &mut Dialog<'_>,
    ) -> Result<Option<Obstacle>, Error> {
        (dialog.tell)(volume, BurnStep::Writing(disc));
        (entry.outcome, entry.discs) = (BurnOutcome::Bad, entry.discs + 1);
        self.monitor.start("burn", needed_bytes);
        let burned = self
            .burner
            .burn(&volume.path, &volume.facts, disc, self.monitor);
        self.monitor.finish();
        if burned.is_err() && self.monitor.stop_asked() {
            (dialog.tell)(volume, BurnStep::BrokenOff);
        }
        if let Burned::Failed(said) = burned? {
            return Ok(Some(Obstacle::Failed { said }));
        }
        match self.read_back(volume, dialog)? {
            Some(0) => {
                entry.outcome = BurnOutcome::Good;
                (dialog.tell)(volume, BurnStep::Good);
                Ok(None)
            }
            Some(bad_bytes) => Ok(Some(Obstacle::Bad { bad_bytes })),
            None => Ok(Some(Obstacle::NoDisc)),
        }
    }

    /// Reads the disc back and returns its bad bytes. Returns `None` when nobody puts it in again.
    fn read_back(
        &self,
        volume: &VolumeAtHand,
        dialog: &mut Dialog<'_>,
    ) -> Result<Option<u64>, Error> {
        while self.burner.reload(self.monitor)? == Reloaded::ByHand {
            if (dialog.ask)(volume, &Obstacle::Reload) != BurnAnswer::GoOn {
                return Ok(None);
            }
            // The tray is closed now, and is not opened once more.
            if self.burner.look()?.status == DiscStatus::Written {
                self.burner.forget_cache()?;
                break;
            }
        }
        (dialog.tell)(volume, BurnStep::ReadingBack);
        let there = self.burner.read_path();
        let bad_bytes = if volume.path.is_dir() {
            read_back::blocks(volume, &there, self.monitor)?
        } else {
            read_back::bytes(&volume.path, &there, self.monitor)?
        };
        Ok(Some(bad_bytes))
    }
}

fn same(one: &VolumeAtHand, other: &VolumeAtHand) -> bool {
    let key = |volume: &VolumeAtHand| (volume.facts.set_id, volume.facts.volume_no);
    key(one) == key(other)
}
