//! `receipt`: describes in tens of bytes what a site's store holds.
//!
//! It walks the lists of every release and reads no data, and lists what is known to be damaged or lost. For staged
//! sets it gives the usable frames. Chunks that no release needs and no such set has are left out, which makes a bundle
//! larger.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Subject};
use crate::base::id::{ChunkId, SetId};
use crate::base::monitor::Monitor;
use crate::base::output::OutputFile;
use crate::base::path_text;
use crate::bundle::receipt::{
    FramesWaiting, HeldRelease, LACKS_MAX, RELEASES_MAX, Receipt, ReceiptJson,
};
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::{ReleaseRoot, walk};
use crate::ops::Error;
use crate::ops::receive::staged_set::StagedSet;
use crate::store::Store;
use crate::volumes::staging::open_all;

/// Modules of a side of the largest code in a picture. A phone reads it from the screen of another machine.
const PICTURE_SIDE_MODULES: usize = 117;
/// Pixels of a module in a picture.
const MODULE_PIXELS: u16 = 8;

/// A receipt, in the forms that people pass on.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ReceiptReport {
    /// Its content. `pack --for` reads this JSON as well.
    #[serde(flatten)]
    pub json: ReceiptJson,
    /// The lines to be typed or read out. `None` when they would be too many.
    pub text: Option<Vec<String>>,
    /// Staged sets, and how many of their frames are present.
    pub sets: Vec<WaitingReport>,
    /// Releases that it leaves out, and why.
    pub findings: Vec<Finding>,
    /// Pictures of its QR codes that were written, in the order in which they are read.
    #[serde(serialize_with = "path_text::all")]
    pub pictures: Vec<PathBuf>,
    /// The receipt itself.
    #[serde(skip)]
    pub receipt: Receipt,
}

/// A staged set that is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WaitingReport {
    /// Its id.
    pub set_id: SetId,
    /// The releases in it.
    pub releases: Vec<String>,
    /// Frames that are present and usable.
    pub frames: u64,
    /// Frames of the set.
    pub of_frames: u64,
}

/// Makes the receipt of a store. The same store gives the same receipt.
///
/// # Errors
/// [`Error`] when the releases cannot be listed, or a stop was asked for.
pub fn receipt(store: &Store, monitor: &dyn Monitor) -> Result<ReceiptReport, Error> {
    let (roots, mut findings) = crate::ops::releases(store)?;
    let mut releases = Vec::new();
    let mut missing: BTreeSet<[u8; 8]> = BTreeSet::new();
    for root in &roots {
        monitor.check_stop()?;
        let leave_out = |what| Finding::damage(Subject::Release(root.name.to_string()), what);
        match missing_marks(store, root) {
            Err(error) => {
                let why = Arg::caught(error);
                findings.push(leave_out(diagnostic!("receipt.release_unread", why)));
            }
            Ok(more) if missing.len() + more.len() > LACKS_MAX => {
                let what = diagnostic!("receipt.lacks_too_much", count = more.len());
                findings.push(leave_out(what));
            }
            Ok(_) if releases.len() == RELEASES_MAX => {
                findings.push(leave_out(diagnostic!("receipt.full")));
            }
            Ok(more) => {
                missing.extend(more);
                releases.push(HeldRelease::of(root));
            }
        }
    }
    let (waiting, sets) = waiting(store, &missing, monitor)?;
    let receipt = Receipt::new(store.id(), releases, missing.into_iter().collect());
    let receipt = receipt.with_waiting(waiting);
    Ok(ReceiptReport {
        sets,
        json: receipt.to_json(),
        text: receipt.to_text(),
        findings,
        pictures: Vec::new(),
        receipt,
    })
}

/// Writes the QR codes of a receipt to PNG files and notes them in the report. One code goes to `place`. Several go
/// beside it, with `-1of3` and so on in their names. None may exist yet or lie in one of `inputs`.
///
/// # Errors
/// [`Error::NoCodes`] when it is too long. [`Error::Output`] when a file exists or cannot be written.
pub fn write_pictures(
    report: &mut ReceiptReport,
    place: &Path,
    inputs: &[PathBuf],
) -> Result<(), Error> {
    let codes = report.receipt.to_codes(PICTURE_SIDE_MODULES);
    let codes = codes.ok_or(Error::NoCodes)?;
    let names = (1..=codes.len()).map(|number| numbered(place, number, codes.len()));
    let files = names.map(|name| OutputFile::begin(&name, |_| false, inputs));
    let files: Vec<OutputFile> = files.collect::<Result<_, _>>()?;
    for (code, file) in codes.iter().zip(files) {
        report.pictures.push(file.finish(&code.png(MODULE_PIXELS))?);
    }
    Ok(())
}

/// Returns the name of one of several files: `plant-1of3.png`.
fn numbered(place: &Path, number: usize, count: usize) -> PathBuf {
    if count == 1 {
        return place.to_owned();
    }
    let mut name = place.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}of{count}"));
    if let Some(end) = place.extension() {
        name.push(".");
        name.push(end);
    }
    place.with_file_name(name)
}

/// Returns what a release needs and the store does not have. Fails when a list is unreadable, because the answer is
/// then unknown.
fn missing_marks(store: &Store, root: &ReleaseRoot) -> Result<BTreeSet<[u8; 8]>, RecipeError> {
    let mut missing = BTreeSet::new();
    let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
        if !store.contains(id) {
            let mut mark = [0; 8];
            mark.copy_from_slice(&id.as_bytes()[..8]);
            missing.insert(mark);
        }
        Ok(())
    };
    walk::release(&mut Walker::new(store), root, &mut note)?;
    Ok(missing)
}

/// Returns the staged sets with their usable frames. A frame is usable when it is whole or parity can make it whole,
/// and its old chunks are here or on the receipt.
fn waiting(
    store: &Store,
    missing: &BTreeSet<[u8; 8]>,
    monitor: &dyn Monitor,
) -> Result<(Vec<FramesWaiting>, Vec<WaitingReport>), Error> {
    let (mut waiting, mut sets) = (Vec::new(), Vec::new());
    let mut known: HashMap<ChunkId, bool> = HashMap::new();
    for incoming in open_all(&store.incoming_dir())? {
        monitor.check_stop()?;
        // A set without a readable catalog tells nothing about frames.
        let Ok(set) = StagedSet::of(incoming) else {
            continue;
        };
        // Nobody knows what is in the pieces of a sealed set.
        if set.catalog().is_sealed() {
            continue;
        }
        let mut is_at_hand = |id: &ChunkId| {
            *known.entry(*id).or_insert_with(|| {
                let mark = id.as_bytes().first_chunk::<8>();
                store.contains(id) || mark.is_some_and(|mark| missing.contains(mark))
            })
        };
        let frames = set.usable_frames(&mut is_at_hand);
        sets.push(WaitingReport {
            set_id: set.staging.set_id(),
            releases: set.release_names(),
            frames: frames.len() as u64,
            of_frames: set.catalog().frames.len() as u64,
        });
        let numbers = frames.iter().filter_map(|frame| u32::try_from(*frame).ok());
        waiting.extend(FramesWaiting::new(&set.staging.set_id(), numbers));
    }
    Ok((waiting, sets))
}
