//! Stores items again that could not be rebuilt. First leaves the failing parts closed, then everything.

use super::{AddError, Input, finish, read_item, sum};
use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::content::recipe::RecipeError;
use crate::content::release::Item;
use crate::files::unpacker::{Depth, KeptReason, OpenOptions, StreamReport, Unpacker};
use crate::ops::proof::{self, ProvedBlobs};
use crate::ops::{ReleasesMut, Stored};

/// Parts of an item that are closed one by one before the whole item is.
const CLOSED_ONE_BY_ONE_MAX: usize = 8;

/// Stores items again that could not be rebuilt.
pub(super) struct Again<'a, R: ReleasesMut> {
    pub(super) store: &'a R,
    pub(super) open: &'a OpenOptions,
    pub(super) findings: &'a mut Vec<Finding>,
    pub(super) streams: &'a mut StreamReport,
    pub(super) stored: &'a mut Stored,
    pub(super) monitor: &'a dyn Monitor,
}

impl<R: ReleasesMut> Again<'_, R> {
    /// Keeps closed what could not be rebuilt, and everything when that is not enough.
    pub(super) fn item(&mut self, input: &Input, error: RecipeError) -> Result<Item, AddError> {
        let mut open = self.open.clone();
        let mut why = error;
        for _ in 0..CLOSED_ONE_BY_ONE_MAX {
            let (RecipeError::Mismatch(blob) | RecipeError::Remake { blob, .. }) = why else {
                break;
            };
            if !open.closed.insert(blob) {
                break;
            }
            let (item, streams, proved) = self.store(input, &open)?;
            match proved {
                Ok(()) => {
                    let why = Arg::caught(RecipeError::Mismatch(blob));
                    self.tell(input, diagnostic!("add.part_kept_as_it_came", why));
                    for (reason, tally) in streams.kept {
                        if reason == KeptReason::Changed {
                            self.streams.kept.insert(reason, tally);
                        }
                    }
                    return Ok(item);
                }
                Err(error) => why = error,
            }
        }
        let why = Arg::caught(why);
        self.tell(input, diagnostic!("add.item_kept_as_it_came", why));
        open.depth = Depth::Closed;
        let (item, _, proved) = self.store(input, &open)?;
        proved.map_err(|source| AddError::Store {
            name: input.shown(),
            source,
        })?;
        Ok(item)
    }

    fn tell(&mut self, input: &Input, what: Diagnostic) {
        let finding = Finding::note(input.shown(), what);
        self.monitor.finding(&finding);
        self.findings.push(finding);
    }

    /// Stores an item, and returns whether it can be rebuilt.
    #[allow(clippy::type_complexity)]
    fn store(
        &mut self,
        input: &Input,
        open: &OpenOptions,
    ) -> Result<(Item, StreamReport, Result<(), RecipeError>), AddError> {
        let writer = self.store.writer(self.monitor);
        let mut writer = writer?;
        let nothing = ProvedBlobs::default();
        let mut unpacker =
            Unpacker::new(self.store, &mut writer, &nothing.blobs, open, self.monitor);
        let item = read_item(&mut unpacker, input, &mut Vec::new(), self.monitor)?;
        let streams = unpacker.streams().clone();
        drop(unpacker);
        *self.stored = sum(*self.stored, finish(self.store, writer)?);
        let mut failed = proof::items(self.store, &nothing, &[&item], None, self.monitor)?;
        let proved = failed.remove(&0).map_or(Ok(()), Err);
        Ok((item, streams, proved))
    }
}
