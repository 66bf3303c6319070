//! Frames against blocks: a block may have a right hash and a wrong content, and a frame then does not match.
//!
//! Here the frames that stand in the spool are looked at one by one; `volumes::mend` finds other blocks for those that do not
//! match. What cannot be mended is taken out, so that it is asked for. Memory: some copies of one frame.

use std::cell::Cell;

use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, FramePlace, check_frame};
use crate::content::frame::FrameError;
use crate::ops::Error;
use crate::ops::receive::staged_set::StagedSet;
use crate::volumes::Mended;
use crate::volumes::mend::OPINIONS_BUDGET;

/// What became of the frames that were looked at.
#[derive(Debug, Default)]
pub(crate) struct FrameCheck {
    /// Frames that are right now and were not.
    pub(crate) mended: u64,
    /// Frames that are taken out.
    pub(crate) wrong: Vec<FramePlace>,
    /// What is wrong with the first of them.
    pub(crate) error: Option<Error>,
}

/// Looks at all frames that are asked for and stand in the spool. `instead`: each of which there is another version that is
/// right in itself is changed for that one.
///
/// # Errors
/// [`Error`] when the spool cannot be read or written, or a stop was asked for.
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
        let is_right = |bytes: &[u8]| match check_frame(bytes, &place.entry) {
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

/// Whether a frame did not match what its blocks should hold. One that leans on what is not here is no such frame.
pub(crate) fn is_wrong_frame(error: &Error) -> bool {
    match error {
        Error::Bundle(BundleError::Frame { source, .. }) => {
            !matches!(source, FrameError::Base(_) | FrameError::Unsupported(_))
        }
        _ => false,
    }
}
