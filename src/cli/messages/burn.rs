//! Messages about burning.

use std::path::Path;

use carryall::ops::media::burn::{BurnOutcome, BurnReport, BurnStep, Obstacle};
use carryall::volumes::at_hand::VolumeAtHand;

use super::{bytes, line, line_below, message};

/// What stands in the way of a volume, and what can be answered.
pub fn burn_obstacle(volume: &VolumeAtHand, obstacle: &Obstacle) -> String {
    let (no, count) = (volume.facts.volume_no, volume.facts.volume_count());
    let why = match obstacle {
        Obstacle::NextDisc => message!("burn-next-disc", no, count),
        Obstacle::NoDisc => message!("burn-no-disc", no, count),
        Obstacle::Used => message!("burn-used", no, count),
        Obstacle::HoldsData { title: Some(title) } => message!("burn-holds-set", title, no, count),
        Obstacle::HoldsData { title: None } => message!("burn-holds-data", no, count),
        Obstacle::TooSmall {
            room_bytes,
            needed_bytes,
        } => {
            let (room, needed) = (bytes(*room_bytes), bytes(*needed_bytes));
            message!("burn-too-small", room, needed, no, count)
        }
        Obstacle::Failed { said } => message!("burn-failed", said, no, count),
        Obstacle::Bad { bad_bytes } => {
            message!("burn-bad", bad = bytes(*bad_bytes), no, count)
        }
        Obstacle::Reload => message!("burn-reload"),
    };
    line(why) + &line_below(message!("burn-answers"))
}

/// What happens to a volume.
pub fn burn_step(volume: &VolumeAtHand, step: BurnStep<'_>, device: &Path) -> String {
    let (no, count) = (volume.facts.volume_no, volume.facts.volume_count());
    let title = &volume.facts.title;
    let set = volume.facts.set_id.short();
    match step {
        BurnStep::Remembered => line(message!("burn-remembered", title, set, no, count)),
        BurnStep::Writing(disc) => {
            let kind = &disc.kind;
            line(message!(
                "burn-writing",
                title,
                set,
                no,
                count,
                kind,
                device
            ))
        }
        BurnStep::ReadingBack => line_below(message!("burn-reading-back")),
        BurnStep::OnDisc => line(message!("burn-on-disc", title, set, no, count)),
        BurnStep::Good => line_below(message!("burn-good", no, count)),
        BurnStep::BrokenOff => line(message!("burn-broken-off", no, count)),
    }
}

/// How it ended, volume by volume.
pub fn burned(report: &BurnReport) -> String {
    let mut out = String::new();
    for volume in &report.volumes {
        let (no, count) = (volume.volume_no, volume.of_volumes);
        out += &line(match volume.outcome {
            BurnOutcome::Good | BurnOutcome::GoodBefore => {
                message!("burned-good", title = &volume.title, no, count)
            }
            BurnOutcome::Bad => message!("burned-bad", title = &volume.title, no, count),
            _ => message!("burned-not", title = &volume.title, no, count),
        });
    }
    if report.good() < report.volumes.len() {
        out += &line(message!("burned-rest"));
    }
    out
}
