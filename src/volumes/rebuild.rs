//! Writes whole volumes anew, byte for byte as they were, from whatever is left of a set.
//!
//! The caller decides which volumes are rebuilt. The originals stay unchanged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::base::monitor::{Monitor, Silent};
use crate::volumes::blocks::{Blocks, read_whole};
use crate::volumes::described::read_descriptor;
use crate::volumes::geometry::{Geometry, Role};
use crate::volumes::heal::{HealReport, heal};
use crate::volumes::media::{CompanionFile, VolumeWriter};
use crate::volumes::recovery::{BlockPlace, Presence, RecoveryGoal};
use crate::volumes::slices::{self, Slices};
use crate::volumes::staged_images::StagedImages;
use crate::volumes::write::{VolumeForm, write_superblocks};
use crate::volumes::{SetDescriptor, SetReader, VolumeError, discover, signatures};

/// Blocks that are copied at a time.
const BATCH_BLOCKS: usize = 256;

/// The result of a rebuild.
#[derive(Debug, Clone)]
pub struct RebuildReport {
    /// Volumes that are whole again, and their paths.
    pub rebuilt: Vec<(u16, PathBuf)>,
    /// Requested volumes that lack blocks which nothing available restores.
    pub not_recoverable: Vec<u16>,
    /// The blocks that were healed for it.
    pub healed: HealReport,
}

/// A temporary folder for healed blocks, removed at the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // A destructor cannot report errors. The next repair of this set removes the rest.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The blocks that were found, overlaid with those that were healed since.
struct Healed<'a> {
    found: &'a SetReader,
    images: &'a StagedImages,
}

impl Blocks for Healed<'_> {
    fn geometry(&self) -> &Geometry {
        self.found.geometry()
    }

    fn read_raw(&self, place: BlockPlace, block: &mut [u8]) -> Result<bool, VolumeError> {
        if self.found.presence().has(place) && read_whole(self.found, place, block) {
            return Ok(true);
        }
        self.images.read_raw(place, block)
    }

    fn read_slices(&self, place: BlockPlace, block: &mut [u8]) -> Result<Slices, VolumeError> {
        let found = self.found.read_slices(place, block)?;
        // Slices that were healed since are written together with those that were found.
        let mut later = vec![0; self.geometry().block_bytes()];
        let healed = self.images.read_slices(place, &mut later)?;
        slices::copy(healed.without(found), &later, block);
        Ok(found.or(healed))
    }
}

/// Rebuilds `volumes` into folders or images in `to`, which must exist, and reads them back. Healed blocks are kept in
/// a hidden folder in `to` meanwhile. They take at most the size of the missing blocks once more.
///
/// # Errors
/// [`VolumeError::NoSuperblock`], and errors of reading or writing media. Volumes that cannot be recovered are in the
/// report.
pub fn rebuild(
    set: &SetReader,
    volumes: &[u16],
    to: &Path,
    form: VolumeForm,
    monitor: &dyn Monitor,
) -> Result<RebuildReport, VolumeError> {
    rebuild_with(set, volumes, &[], to, form, monitor)
}

/// Rebuilds as [`rebuild`] does. Companion files come onto the volumes again when the set records a program that is
/// among them, by its hash.
///
/// # Errors
/// As [`rebuild`].
pub fn rebuild_with(
    set: &SetReader,
    volumes: &[u16],
    companions: &[CompanionFile],
    to: &Path,
    form: VolumeForm,
    monitor: &dyn Monitor,
) -> Result<RebuildReport, VolumeError> {
    let geometry = set.geometry();
    let scratch = Scratch(to.join(format!(".carryall-repair-{}", set.set_id().short())));
    if scratch.0.is_dir() {
        fs::remove_dir_all(&scratch.0).map_err(VolumeError::io(&scratch.0))?;
    }
    fs::create_dir(&scratch.0).map_err(VolumeError::io(&scratch.0))?;
    let images = StagedImages::new(scratch.0.clone(), geometry.clone());
    let blocks = Healed {
        found: set,
        images: &images,
    };
    let mut presence = set.presence().clone();
    let healed = heal(
        &blocks,
        &mut presence,
        &images,
        &RecoveryGoal::Volumes(volumes.to_vec()),
        monitor,
    )?;

    // Read after healing, which may have restored the only copy in the catalog.
    let descriptor = read_descriptor(&blocks, &presence)?;
    let (statement, signed) = set.signatures_written();
    let mut beside = recorded(&descriptor, companions);
    beside.extend(signatures::files(&statement, &signed));
    let whole = |volume_no: &u16| missing_blocks(geometry, &presence, *volume_no) == 0;
    let (possible, mut not_recoverable): (Vec<u16>, Vec<u16>) =
        volumes.iter().copied().partition(whole);
    monitor.start(
        "rebuild",
        possible.len() as u64 * geometry.header().volume_bytes(),
    );
    let mut rebuilt = Vec::new();
    for volume_no in possible {
        let facts = descriptor.volume_facts(geometry.header(), volume_no);
        let writer = form.create(to, facts, descriptor.page_notes(geometry.header()))?;
        let writer = writer.with_companions(beside.clone());
        if !copy_blocks(&blocks, &writer, monitor)? {
            not_recoverable.push(volume_no);
            continue;
        }
        write_superblocks(geometry, &writer, &descriptor, &signed)?;
        let path = writer.finish(monitor)?;
        check_written(&path, set, volume_no)?;
        rebuilt.push((volume_no, path));
    }
    monitor.finish();
    Ok(RebuildReport {
        rebuilt,
        not_recoverable,
        healed,
    })
}

/// Returns the companion files of a set: the programs that it records, and with one of them what else is at hand.
fn recorded(descriptor: &SetDescriptor, companions: &[CompanionFile]) -> Vec<CompanionFile> {
    let programs = descriptor.programs();
    let is_recorded = |file: &&CompanionFile| {
        let note = file.program.as_ref();
        note.is_none_or(|note| programs.contains(note))
    };
    let found: Vec<CompanionFile> = companions.iter().filter(is_recorded).cloned().collect();
    if found.iter().any(|file| file.program.is_some()) {
        found
    } else {
        Vec::new()
    }
}

/// Returns the number of missing blocks, not counting superblocks, which are made anew.
fn missing_blocks(geometry: &Geometry, presence: &Presence, volume_no: u16) -> u32 {
    let superblocks = geometry
        .superblocks()
        .into_iter()
        .filter(|place| !presence.has((volume_no, *place)));
    let missing = geometry.volume_blocks() - presence.count(volume_no);
    missing - u32::try_from(superblocks.count()).expect("five at most")
}

/// Copies all blocks except superblocks. Returns `false` when one cannot be read any more.
fn copy_blocks(
    blocks: &Healed<'_>,
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<bool, VolumeError> {
    let geometry = blocks.geometry();
    let volume_no = writer.facts().volume_no;
    let all: Vec<u32> = (0..geometry.volume_blocks())
        .filter(|block_no| geometry.role(*block_no) != Role::Superblock)
        .collect();
    for batch in all.chunks(BATCH_BLOCKS) {
        monitor.check_stop()?;
        let unread = Mutex::new(false);
        batch.par_iter().try_for_each_init(
            || vec![0; geometry.block_bytes()],
            |block, block_no| -> Result<(), VolumeError> {
                if read_whole(blocks, (volume_no, *block_no), block) {
                    writer.write_run(*block_no, block)?;
                } else {
                    *unread.lock().unwrap_or_else(PoisonError::into_inner) = true;
                }
                Ok(())
            },
        )?;
        if unread.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Ok(false);
        }
        monitor.advance((batch.len() * geometry.block_bytes()) as u64);
    }
    Ok(true)
}

/// Scans the finished volume and checks that every block is there.
fn check_written(path: &Path, set: &SetReader, volume_no: u16) -> Result<(), VolumeError> {
    // The volume is read back from the medium like any other, so that bad memory or a bad disk shows now.
    let found = discover(&[path.to_owned()], &Silent)?;
    let whole = found.sets.iter().any(|found| {
        found.set_id() == set.set_id()
            && found.presence().count(volume_no) == set.geometry().volume_blocks()
    });
    if whole {
        Ok(())
    } else {
        Err(VolumeError::WrittenWrong {
            path: path.to_owned(),
        })
    }
}
