//! Estimates how small new chunks become against old ones. Packs a sample of each kind of content as a bundle would.
//!
//! The packed bytes are discarded. Memory: the sample, [`SAMPLE_BYTES`] a kind, what the old chunks state, and for each
//! core what packing a frame takes.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::bases::OldChunks;
use crate::bundle::cut::{SampleOptions, packed_bytes};
use crate::bundle::{BundleError, Effort};
use crate::content::content_kind::ContentKind;
use crate::store::{FrameNeed, Store};

/// Approximate plain bytes of a sample of one kind. When a kind has less than twice that, all of it is taken.
const SAMPLE_BYTES: u64 = 8 << 20;
/// Approximate plain bytes that are taken from one frame of the store.
const PIECE_BYTES: usize = 1 << 20;

/// Files of which a sample is packed.
pub(super) const FILES_MAX: usize = 16;
/// Approximate plain bytes of the sample of a file.
pub(super) const FILE_BYTES: u64 = 512 << 10;
/// Most bytes of old chunks that the sample of a file is packed against.
const FILE_BASE_BYTES: usize = 3 << 20;

/// Bytes in a bundle for each plain byte, by number of the kind. `None` for kinds without new chunks.
pub(super) type Rates = [Option<f64>; ContentKind::ALL.len()];

/// Measures the rates of the chunks in `needs`. `plain_bytes` is the total of each kind.
///
/// # Errors
/// [`BundleError`] when a chunk cannot be read, or a stop was asked for.
pub(super) fn rates(
    store: &Store,
    needs: &[FrameNeed],
    plain_bytes: &[u64; ContentKind::ALL.len()],
    old: &OldChunks,
    effort: Effort,
    monitor: &dyn Monitor,
) -> Result<Rates, BundleError> {
    let measured: Vec<Result<Option<f64>, BundleError>> = ContentKind::ALL
        .par_iter()
        .map(|class| {
            let of_class: Vec<&FrameNeed> =
                needs.iter().filter(|need| need.class == *class).collect();
            let all_bytes = plain_bytes[usize::from(*class as u8)];
            let chunks = sample(store, &of_class, all_bytes, monitor)?;
            let sampled: usize = chunks.iter().map(|(_, bytes)| bytes.len()).sum();
            if sampled == 0 {
                return Ok(None);
            }
            let options = SampleOptions {
                effort,
                base_bytes: None,
            };
            let packed = packed_bytes(store, old, *class, &chunks, options)?;
            #[allow(clippy::cast_precision_loss)] // Far below 2^52.
            let rate = packed as f64 / sampled as f64;
            Ok(Some(rate))
        })
        .collect();
    let mut rates: Rates = Rates::default();
    for (rate, measured) in rates.iter_mut().zip(measured) {
        *rate = measured?;
    }
    Ok(rates)
}

/// A file that seems to take much, and a stretch of it.
pub(super) struct FileSample {
    /// Its number.
    pub(super) file: usize,
    /// The kind of the stretch.
    pub(super) class: ContentKind,
    /// The chunks of the stretch.
    pub(super) chunks: Vec<ChunkId>,
}

/// Measures the rates of files, by their numbers. Each stretch is packed alone.
///
/// # Errors
/// As [`rates`].
pub(super) fn rates_of_files(
    store: &Store,
    files: &[FileSample],
    old: &OldChunks,
    effort: Effort,
    monitor: &dyn Monitor,
) -> Result<HashMap<usize, f64>, BundleError> {
    let measured: Vec<Result<_, BundleError>> = files
        .par_iter()
        .map(|sample| {
            monitor.check_stop()?;
            let mut chunks = Vec::new();
            for id in &sample.chunks {
                chunks.push((*id, store.read(id)?.to_vec()));
            }
            let plain: usize = chunks.iter().map(|(_, bytes)| bytes.len()).sum();
            let options = SampleOptions {
                effort,
                base_bytes: Some(FILE_BASE_BYTES),
            };
            let packed = packed_bytes(store, old, sample.class, &chunks, options)?;
            #[allow(clippy::cast_precision_loss)] // Far below 2^52.
            let rate = packed as f64 / plain.max(1) as f64;
            Ok((sample.file, rate))
        })
        .collect();
    measured.into_iter().collect()
}

/// Takes chunks from all parts of `needs`, in order, each once.
fn sample(
    store: &Store,
    needs: &[&FrameNeed],
    all_bytes: u64,
    monitor: &dyn Monitor,
) -> Result<Vec<(ChunkId, Vec<u8>)>, BundleError> {
    let takes_all = all_bytes <= 2 * SAMPLE_BYTES;
    let pieces = usize::try_from(SAMPLE_BYTES).unwrap_or(usize::MAX) / PIECE_BYTES;
    let step = if takes_all {
        1
    } else {
        needs.len().div_ceil(pieces).max(1)
    };
    // With few frames each piece is longer.
    let piece_bytes = SAMPLE_BYTES / needs.len().div_ceil(step).max(1) as u64;
    let mut chunks: Vec<(ChunkId, Vec<u8>)> = Vec::new();
    let mut seen: HashSet<ChunkId> = HashSet::new();
    for need in needs.iter().step_by(step) {
        monitor.check_stop()?;
        let frame = store.load_frame(need)?;
        let wanted: HashSet<&ChunkId> = need.chunks.iter().collect();
        let mut taken = 0;
        for (id, range) in &frame.chunks {
            if !takes_all && taken >= piece_bytes {
                break;
            }
            if wanted.contains(id) && seen.insert(*id) {
                taken += range.len() as u64;
                chunks.push((*id, frame.plain[range.clone()].to_vec()));
            }
        }
    }
    Ok(chunks)
}
