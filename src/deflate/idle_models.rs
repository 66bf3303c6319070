//! Keeps models of short streams for the next one on the same thread: making a model costs more than a short stream.
//!
//! Only models that begin anew whatever they did before are kept. Memory: some 640 KB a model, [`IDLE_MAX`] a thread.

use std::cell::RefCell;

use super::writers::{AnyModel, Writer};

/// Most idle models of a thread.
const IDLE_MAX: usize = 2;

thread_local! {
    /// Models without work, the one used last at the end.
    static IDLE: RefCell<Vec<(Writer, AnyModel)>> = const { RefCell::new(Vec::new()) };
}

/// Returns a model of the writer, or none for the unknown writer. Its next call is
/// [`Model::begin`](super::model::Model::begin).
pub(super) fn take(writer: Writer) -> Option<AnyModel> {
    let idle = IDLE.with_borrow_mut(|idle| {
        let at = idle.iter().rposition(|(other, _)| *other == writer)?;
        Some(idle.remove(at).1)
    });
    idle.or_else(|| writer.model())
}

/// Gives a model back that is not needed any more.
pub(super) fn give_back(writer: Writer, model: AnyModel) {
    if !writer.begins_anew() {
        return;
    }
    // A thread that ends has no place for it any more.
    let _ = IDLE.try_with(|idle| {
        let mut idle = idle.borrow_mut();
        if idle.len() >= IDLE_MAX {
            idle.remove(0);
        }
        idle.push((writer, model));
    });
}

/// Drops the idle models of this thread.
pub(super) fn forget() {
    IDLE.with_borrow_mut(Vec::clear);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_of_chains_are_kept_and_the_last_used_stay() {
        let idle = || -> Vec<Writer> {
            IDLE.with_borrow(|idle| idle.iter().map(|(writer, _)| *writer).collect())
        };
        let chains: Vec<Writer> = (1..=9).map(Writer::zlib).collect();
        let others = [Writer::libdeflate(6), Writer::LITERALS];
        for writer in chains.iter().chain(&others) {
            give_back(*writer, take(*writer).expect("a model"));
        }
        let kept = idle();
        assert_eq!(kept, chains[chains.len() - IDLE_MAX..]);
        assert!(take(chains[8]).is_some() && !idle().contains(&chains[8]));
        assert!(take(Writer::UNKNOWN).is_none());
        forget();
        assert!(idle().is_empty());
    }
}
