//! Compares what is on a disc with what was burned.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::base::monitor::Monitor;
use crate::ops::Error;
use crate::ops::media::verify::verify;
use crate::volumes::at_hand::VolumeAtHand;

/// Bytes that are compared at once.
const STEP: usize = 1 << 20;
/// Bytes that are read at once around an error: the sector of a disc.
const SECTOR: usize = 2048;
/// Bad bytes after which the rest is not read: the disc is bad, and a drive takes seconds for each sector.
const BAD_ENOUGH: u64 = 32 * SECTOR as u64;

/// Compares an image byte by byte. Returns how many bytes of sectors differ or cannot be read.
pub(super) fn bytes(image: &Path, there: &Path, monitor: &dyn Monitor) -> Result<u64, Error> {
    let original = File::open(image).map_err(Error::io(image))?;
    let burned = File::open(there).map_err(Error::io(there))?;
    let total = original.metadata().map_err(Error::io(image))?.len();
    monitor.start("read back", total);
    let (mut want, mut have) = (vec![0; STEP], vec![0; STEP]);
    let (mut offset, mut bad) = (0, 0);
    while offset < total && bad < BAD_ENOUGH {
        monitor.check_stop()?;
        let len = usize::try_from(total - offset).map_or(STEP, |rest| rest.min(STEP));
        let want = &mut want[..len];
        original
            .read_exact_at(want, offset)
            .map_err(Error::io(image))?;
        let have = &mut have[..len];
        if burned.read_exact_at(have, offset).is_err() || want != have {
            bad += bad_sectors(&burned, want, offset, monitor)?;
        }
        offset += len as u64;
        monitor.advance(len as u64);
    }
    monitor.finish();
    Ok(bad)
}

/// Reads a stretch again in sectors, so that the count is of what is bad.
fn bad_sectors(
    burned: &File,
    want: &[u8],
    offset: u64,
    monitor: &dyn Monitor,
) -> Result<u64, Error> {
    let mut bad = 0;
    let mut sector = [0; SECTOR];
    for (at, want) in (0_u64..).step_by(SECTOR).zip(want.chunks(SECTOR)) {
        monitor.check_stop()?;
        let have = &mut sector[..want.len()];
        if burned.read_exact_at(have, offset + at).is_err() || want != have {
            bad += want.len() as u64;
        }
        if bad >= BAD_ENOUGH {
            break;
        }
    }
    Ok(bad)
}

/// Checks the blocks of a volume that was burned from a folder: there is no image to compare with. Returns the bytes of
/// those that are damaged or missing.
pub(super) fn blocks(
    volume: &VolumeAtHand,
    there: &Path,
    monitor: &dyn Monitor,
) -> Result<u64, Error> {
    let size = volume.facts.block_size;
    let all = size.total(volume.facts.volume_blocks);
    let report = match verify(&[there.to_owned()], monitor) {
        Ok(judged) => judged.report,
        Err(Error::NoVolumes { .. }) => return Ok(all),
        Err(error) => return Err(error),
    };
    let set = report
        .sets
        .iter()
        .find(|set| set.set_id == volume.facts.set_id);
    let burned = set.and_then(|set| set.volumes.get(usize::from(volume.facts.volume_no) - 1));
    let present = burned.map_or(0, |burned| u64::from(burned.outcome.present_blocks));
    let is_right = set.is_some_and(|set| !set.wrong_volumes.contains(&volume.facts.volume_no));
    Ok(if is_right {
        all.saturating_sub(size.total(present))
    } else {
        all
    })
}
