//! Finds out what old names are called now: old and new text are aligned without their names.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::list::{Rename, Renamed, Renames};
use super::names::{Name, TextPart, each_part};
use crate::base::roomy::roomy;
use crate::content::bindiff::coarse_runs;

/// With fewer names there is nothing to gain.
const NAMES_MIN: usize = 16;
/// A minified script has about one name in so many bytes.
const BYTES_A_NAME: usize = 16;
/// What stands for a name.
const BLANK: u8 = 1;

/// Finds the renames with which `old` is most like `new`. `None` when there are none, or it would take too long.
pub fn find(old: &[u8], new: &[u8]) -> Option<Renames> {
    let blank_new = Blank::of(new);
    if blank_new.names.len() < NAMES_MIN {
        return None;
    }
    let blank_old = Blank::of(old);
    if blank_old.names.len() < NAMES_MIN {
        return None;
    }
    let called = blank_old.called_in(&blank_new)?;
    let called_next = blank_old.called_next(&called);
    drop((blank_old, blank_new));
    let mut each = called.into_iter().zip(called_next);
    let mut list = Vec::new();
    let mut gap = 0;
    let mut renamed = Renamed::new(Vec::new());
    each_part(old, |part| {
        renamed.push(part, |_, likely| {
            let (called, next) = each.next().unwrap_or_default();
            let new = called
                // Where it is called so only once, two renames take more than one changed name.
                .filter(|_| next != Some(likely))
                .unwrap_or(likely);
            if new == likely {
                gap += 1;
            } else {
                list.push(Rename { gap, new });
                gap = 0;
            }
            new
        });
        renamed.bytes.clear();
        true
    });
    (!list.is_empty()).then_some(Renames { list })
}

/// A text with one byte for each name.
struct Blank {
    bytes: Vec<u8>,
    /// The places of these bytes, and the names.
    names: Vec<(usize, Name)>,
}

impl Blank {
    fn of(text: &[u8]) -> Self {
        let mut blank = Self {
            bytes: roomy(text.len()),
            names: roomy(text.len() / BYTES_A_NAME),
        };
        each_part(text, |part| {
            match part {
                TextPart::Name(name) => {
                    blank.names.push((blank.bytes.len(), name));
                    blank.bytes.push(BLANK);
                }
                TextPart::Other(bytes) => blank.bytes.extend_from_slice(bytes),
            }
            true
        });
        blank
    }

    /// Returns the number of the first name at `place` or behind it.
    fn first_from(&self, place: usize) -> usize {
        self.names.partition_point(|(at, _)| *at < place)
    }

    /// Returns for each name what the same name is called where it comes next.
    fn called_next(&self, called: &[Option<Name>]) -> Vec<Option<Name>> {
        let mut next_of: HashMap<Name, Name> = HashMap::new();
        let mut next = vec![None; called.len()];
        for (number, ((_, name), called)) in self.names.iter().zip(called).enumerate().rev() {
            next[number] = next_of.get(name).copied();
            if let Some(called) = called {
                next_of.insert(*name, *called);
            }
        }
        next
    }

    /// Returns for each name what stands at its place in `new`, where both are alike.
    fn called_in(&self, new: &Self) -> Option<Vec<Option<Name>>> {
        let mut called = vec![None; self.names.len()];
        let mut runs = coarse_runs(&self.bytes, &new.bytes)?;
        // What is alike for longer decides.
        runs.sort_by_key(|run| Reverse(run.copied));
        for run in runs {
            let mut number = self.first_from(run.from);
            let there = new.names[new.first_from(run.at)..].iter();
            for (at, name) in there.take_while(|(at, _)| *at < run.at + run.copied) {
                let place = run.from + (at - run.at);
                while self.names.get(number).is_some_and(|(at, _)| *at < place) {
                    number += 1;
                }
                match self.names.get(number) {
                    Some((at, _)) if *at == place => {
                        called[number].get_or_insert(*name);
                    }
                    _ => {}
                }
            }
        }
        Some(called)
    }
}
