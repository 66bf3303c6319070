//! Reads the frames of a payload, and checks and unpacks them on every core.
//!
//! The caller provides the payload and receives the chunks.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use rayon::prelude::*;

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::base::term::Flaw;
use crate::bundle::{BundleError, CatalogFrame, FramePlace};
use crate::content::frame::{
    Bases, FRAME_MAX, Frame, FrameError, FrameHead, KeptFrame, SealedFrame, frame_hash,
};

/// Bytes that are unpacked at a time, unless a single frame has more.
const BATCH_BYTES: u64 = 128 << 20;
/// The same where a frame depends on old chunks, which take memory beside it.
const DELTA_BATCH_BYTES: u64 = 64 << 20;

/// A frame of a payload, checked.
pub(crate) struct UnpackedFrame {
    /// Its chunks.
    pub(crate) frame: Frame,
    /// The frame as it came, when a store may keep it so.
    pub(crate) kept: Option<KeptFrame>,
}

/// Old chunks that the frames of a batch depend on, as far as they were read together.
struct HeldBases<'a> {
    held: HashMap<ChunkId, Box<[u8]>>,
    others: &'a dyn Bases,
}

impl<'a> HeldBases<'a> {
    fn of<'s>(stored: impl Iterator<Item = &'s [u8]>, others: &'a dyn Bases) -> Self {
        // A frame that is wrong is told when it is unpacked.
        let deltas = stored.filter(|bytes| depends(bytes));
        let bases = deltas.filter_map(|bytes| Some(SealedFrame::open(bytes).ok()?.bases));
        let ids: Vec<ChunkId> = bases.flatten().collect();
        let held = match ids.is_empty() {
            true => HashMap::new(),
            false => others.read_together(&ids),
        };
        Self { held, others }
    }
}

impl Bases for HeldBases<'_> {
    fn append(&self, id: &ChunkId, out: &mut Vec<u8>) -> bool {
        match self.held.get(id) {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                true
            }
            None => self.others.append(id, out),
        }
    }
}

/// Reads `frames`, which are consecutive in `payload`, and hands them out in order. Frames that depend on old chunks
/// get them from `bases`. Memory: the stored and plain bytes of 128 MiB of frames, or of one larger frame, 64 MiB of old
/// chunks a core, and what `bases` reads together. `first_no` is the number of the first frame.
///
/// # Errors
/// [`BundleError`] when the payload ends early, a frame is wrong, `each` fails, or a stop was asked for.
pub(crate) fn read_frames<E: From<BundleError>>(
    payload: &mut dyn Read,
    frames: &[CatalogFrame],
    first_no: usize,
    bases: &dyn Bases,
    monitor: &dyn Monitor,
    mut each: impl FnMut(UnpackedFrame) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = frames;
    let mut frame_no = first_no;
    while !rest.is_empty() {
        monitor.check_stop().map_err(BundleError::from)?;
        // One batch at a time bounds the memory, whatever the payload has.
        let stored = read_batch(rest.iter(), |entry| {
            read_exactly(payload, entry.stored_bytes)
        });
        let stored = stored.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (batch, behind) = rest.split_at(stored.len());
        let bases = HeldBases::of(stored.iter().map(Vec::as_slice), bases);
        let unpacked: Vec<Result<UnpackedFrame, FrameError>> = stored
            .into_par_iter()
            .zip(batch)
            .map(|(bytes, entry)| unpack(bytes, entry, &bases))
            .collect();
        for (frame, entry) in unpacked.into_iter().zip(batch) {
            let frame = frame.map_err(|source| BundleError::Frame { frame_no, source })?;
            each(frame)?;
            monitor.advance(u64::from(entry.stored_bytes));
            frame_no += 1;
        }
        rest = behind;
    }
    Ok(())
}

/// Reads `places` one by one and hands each out in order, either as a frame or as the error in it. A bad frame does not
/// stop the others. `open` returns the payload from a place on. The memory is that of [`read_frames`].
///
/// # Errors
/// An error of `each`, or an interruption.
pub(crate) fn read_single<E: From<BundleError>>(
    places: &[FramePlace],
    mut open: impl FnMut(&FramePlace) -> Result<Vec<u8>, BundleError>,
    bases: &dyn Bases,
    monitor: &dyn Monitor,
    mut each: impl FnMut(&FramePlace, Result<UnpackedFrame, BundleError>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = places;
    while !rest.is_empty() {
        monitor.check_stop().map_err(BundleError::from)?;
        let mut places = rest.iter();
        let stored = read_batch(rest.iter().map(|place| &place.entry), |_| {
            open(places.next().expect("a place an entry"))
        });
        let (batch, behind) = rest.split_at(stored.len());
        let bases = HeldBases::of(stored.iter().flatten().map(Vec::as_slice), bases);
        let unpacked: Vec<Result<UnpackedFrame, BundleError>> = stored
            .into_par_iter()
            .zip(batch)
            .map(|(bytes, place)| {
                unpack(bytes?, &place.entry, &bases).map_err(|source| BundleError::Frame {
                    frame_no: place.frame_no,
                    source,
                })
            })
            .collect();
        for (frame, place) in unpacked.into_iter().zip(batch) {
            each(place, frame)?;
            monitor.advance(u64::from(place.entry.stored_bytes));
        }
        rest = behind;
    }
    Ok(())
}

/// Reads through `frames` as [`read_frames`] does, without unpacking. Returns the old chunks that they depend on and
/// for which `is_there` returns false, each once.
///
/// # Errors
/// As [`read_frames`].
pub(crate) fn missing_bases(
    payload: &mut dyn Read,
    frames: &[CatalogFrame],
    first_no: usize,
    monitor: &dyn Monitor,
    is_there: impl Fn(&ChunkId) -> bool,
) -> Result<BTreeSet<ChunkId>, BundleError> {
    let mut missing = BTreeSet::new();
    for (frame_no, frame) in (first_no..).zip(frames) {
        monitor.check_stop()?;
        let stored = read_exactly(payload, frame.stored_bytes)?;
        let sealed =
            SealedFrame::open(&stored).map_err(|source| BundleError::Frame { frame_no, source })?;
        missing.extend(sealed.bases.into_iter().filter(|id| !is_there(id)));
    }
    Ok(missing)
}

/// Unpacks a frame only when it is as large as the catalog says. The catalog's size chose the batch, so a catalog with
/// too small a size could otherwise have a whole payload unpacked at once.
fn unpack(
    stored: Vec<u8>,
    entry: &CatalogFrame,
    bases: &dyn Bases,
) -> Result<UnpackedFrame, FrameError> {
    let frame = sealed(&stored, entry)?.unpack_on(bases)?;
    let kept = KeptFrame::of(stored, &frame);
    Ok(UnpackedFrame { frame, kept })
}

/// Checks that `stored` is a frame as the catalog describes it, without unpacking.
///
/// # Errors
/// [`FrameError`] for anything else.
pub(crate) fn check_frame(stored: &[u8], place: &FramePlace) -> Result<(), FrameError> {
    sealed(stored, &place.entry)?;
    match place.seal {
        Some(seal) if frame_hash(stored) != Some(&seal) => {
            Err(FrameError::Corrupt(Flaw::NotTheCatalog))
        }
        _ => Ok(()),
    }
}

fn sealed<'a>(stored: &'a [u8], entry: &CatalogFrame) -> Result<SealedFrame<'a>, FrameError> {
    let sealed = SealedFrame::open(stored)?;
    let said = |count: usize, entry: u32| u32::try_from(count) == Ok(entry);
    // A right hash says that the frame is whole, not that it is the one the catalog means.
    if !said(sealed.head.plain_bytes, entry.plain_bytes)
        || !said(sealed.head.chunk_count, entry.chunks)
    {
        return Err(FrameError::Corrupt(Flaw::NotTheCatalog));
    }
    Ok(sealed)
}

/// Reads the stored bytes of as many frames as make a batch, at least one.
fn read_batch<'e>(
    entries: impl Iterator<Item = &'e CatalogFrame>,
    mut read: impl FnMut(&CatalogFrame) -> Result<Vec<u8>, BundleError>,
) -> Vec<Result<Vec<u8>, BundleError>> {
    let mut batch = Vec::new();
    let (mut bytes, mut limit_bytes) = (0, BATCH_BYTES);
    for entry in entries {
        bytes += u64::from(entry.plain_bytes.max(entry.stored_bytes));
        // A frame above the bound goes alone: without it the loop would not end.
        if bytes > limit_bytes && !batch.is_empty() {
            break;
        }
        let stored = read(entry);
        if stored.as_ref().is_ok_and(|stored| depends(stored)) {
            limit_bytes = DELTA_BATCH_BYTES;
        }
        batch.push(stored);
    }
    batch
}

/// Returns whether a frame says that it depends on old chunks.
fn depends(stored: &[u8]) -> bool {
    FrameHead::parse(stored).is_ok_and(|head| head.base_count > 0)
}

/// Reads the stored bytes of the next frame of `payload`.
///
/// # Errors
/// [`BundleError::Payload`].
pub(crate) fn read_exactly(payload: &mut dyn Read, bytes: u32) -> Result<Vec<u8>, BundleError> {
    let length = usize::try_from(bytes)
        .ok()
        // A catalog may claim any length, and no frame is longer than this.
        .filter(|length| *length <= FRAME_MAX)
        .ok_or(BundleError::Payload(std::io::ErrorKind::InvalidData.into()))?;
    // The buffer grows with the bytes that are really present. The catalog's size alone allocates nothing.
    let mut stored = Vec::new();
    let read = payload
        .take(u64::from(bytes))
        .read_to_end(&mut stored)
        .map_err(BundleError::Payload)?;
    if read != length {
        return Err(BundleError::Payload(
            std::io::ErrorKind::UnexpectedEof.into(),
        ));
    }
    Ok(stored)
}
