//! Waits for a disc where a drive is named whose tray is empty, as long as somebody is there to put one in.

use std::path::PathBuf;
use std::thread;

use carryall::volumes::media::drive::{Drive, TrayState};

use crate::cli::exit::Failure;
use crate::cli::{Context, interrupt, messages, terminal};

/// Waits until each drive among `paths` has a disc. Where nobody sees what is asked for, it does not wait, and opening the
/// drive tells what is missing.
pub fn wait_for_discs(context: &Context, paths: &[PathBuf]) -> Result<(), Failure> {
    if context.json || !terminal::is_seen() {
        return Ok(());
    }
    for drive in paths.iter().filter_map(|path| Drive::at(path)) {
        let mut was_asked = false;
        while let Ok(TrayState::Open | TrayState::Empty | TrayState::Busy) = drive.tray() {
            if interrupt::is_asked() {
                return Err(Failure::interrupted());
            }
            if !was_asked {
                was_asked = true;
                messages::say(&messages::insert_a_disc(&drive.path));
            }
            thread::sleep(terminal::ASK_EVERY);
        }
    }
    Ok(())
}
