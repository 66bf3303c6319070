//! Checks frames against their content. A block may have a right hash and a wrong content, and its frame then does not
//! match.
//!
//! The staged frames are checked one by one. `volumes::mend` finds other blocks for those that do not match. What
//! cannot be mended is removed, so that it is requested again. Memory: some copies of one frame.

use std::cell::Cell;

use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, FramePlace, check_frame};
use crate::content::frame::FrameError;
use crate::ops::Error;
use crate::ops::receive::staged_set::StagedSet;
use crate::volumes::Mended;
use crate::volumes::mend::OPINIONS_BUDGET;

/// The result of checking frames.
#[derive(Debug, Default)]
pub(crate) struct FrameCheck {
    /// Frames that were wrong and are right now.
    pub(crate) mended: u64,
    /// Frames that were removed.
    pub(crate) wrong: Vec<FramePlace>,
    /// What is wrong with the first of them.
    pub(crate) error: Option<Error>,
}

/// Checks all requested frames that are staged. With `instead`, each frame with another version that is right in itself
/// is replaced by that version.
///
/// # Errors
/// [`Error`] when the staged set cannot be read or written, or a stop was asked for.
pub(crate) fn frames(
    set: &mut StagedSet,
    instead: bool,
    monitor: &dyn Monitor,
) -> Result<FrameCheck, Error> {
    let mut looked = FrameCheck::default();
    let mut budget = OPINIONS_BUDGET;
    let places = set.places();
    monitor.start("look for wrong blocks", set.selection.payload_bytes());
    for place in places {
        monitor.check_stop()?;
        let first = Cell::new(None);
        let is_right = |bytes: &[u8]| match check_frame(bytes, &place) {
            Ok(()) => true,
            Err(error) => {
                first.set(first.get().or(Some(error)));
                false
            }
        };
        let (volume_no, range) = (place.volume_no, place.range());
        match set
            .staging
            .mend(volume_no, range.clone(), instead, &is_right, &mut budget)?
        {
            Mended::Mended => looked.mended += 1,
            // With `instead`, a frame without another version is still right in itself and stays.
            Mended::Wrong if !instead => {
                set.staging.doubt(volume_no, range)?;
                if let Some(source) = first.get() {
                    let frame_no = place.frame_no;
                    let error = BundleError::Frame { frame_no, source };
                    looked.error.get_or_insert(error.into());
                }
                looked.wrong.push(place);
            }
            Mended::Wrong | Mended::Right | Mended::Incomplete => {}
        }
        monitor.advance(u64::from(place.entry.stored_bytes));
    }
    monitor.finish();
    Ok(looked)
}

/// Returns whether the error is a frame that does not match its blocks. A frame with missing prerequisites is not one.
pub(crate) fn is_wrong_frame(error: &Error) -> bool {
    match error {
        Error::Bundle(BundleError::Frame { source, .. }) => {
            // A missing base or a newer format says nothing about the bytes of the frame.
            !matches!(source, FrameError::Base(_) | FrameError::Unsupported(_))
        }
        _ => false,
    }
}
