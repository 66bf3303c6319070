//! The map from new addresses to old ones, and the labels of fields by it.

use super::fields::{Field, Form};
use super::{ADDRESS_END, JUMP_BIT, NEAR, NEW_BIT};

/// New addresses that all moved by the same number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRun {
    /// First new address.
    pub new: u32,
    /// First old address.
    pub old: u32,
    /// Number of addresses.
    pub count: u32,
}

/// Runs of addresses. No new and no old address is in two of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressMap {
    by_new: Vec<AddressRun>,
    by_old: Vec<AddressRun>,
}

impl AddressMap {
    /// Returns the map with these runs. `None` when two of them overlap or one leaves the addresses.
    pub fn new(mut runs: Vec<AddressRun>) -> Option<Self> {
        let is_valid = |run: &AddressRun| {
            let fits =
                |first: u32| (1..=ADDRESS_END).contains(&first) && run.count <= ADDRESS_END - first;
            run.count > 0 && fits(run.new) && fits(run.old)
        };
        if !runs.iter().all(is_valid) {
            return None;
        }
        runs.sort_unstable_by_key(|run| run.new);
        let mut by_old = runs.clone();
        by_old.sort_unstable_by_key(|run| run.old);
        let apart = |runs: &[AddressRun], first: fn(&AddressRun) -> u32| {
            runs.windows(2)
                .all(|pair| first(&pair[0]) + pair[0].count <= first(&pair[1]))
        };
        let is_map = apart(&runs, |run| run.new) && apart(&by_old, |run| run.old);
        is_map.then_some(Self {
            by_new: runs,
            by_old,
        })
    }

    /// Returns the runs by new address.
    pub fn runs(&self) -> &[AddressRun] {
        &self.by_new
    }

    fn old_of(&self, new: u32) -> Option<u32> {
        let at = self.by_new.partition_point(|run| run.new <= new);
        let run = self.by_new.get(at.checked_sub(1)?)?;
        let ahead = new - run.new;
        (ahead < run.count).then(|| run.old + ahead)
    }

    fn new_of(&self, old: u32) -> Option<u32> {
        let at = self.by_old.partition_point(|run| run.old <= old);
        let run = self.by_old.get(at.checked_sub(1)?)?;
        let ahead = old - run.old;
        (ahead < run.count).then(|| run.new + ahead)
    }

    /// Returns what stands in a new field in place of `value`.
    pub fn label(&self, field: &Field, value: u32) -> u32 {
        if is_near(field, value) {
            return value;
        }
        let target = value.wrapping_add(field.base);
        let label = match self.old_of(target) {
            Some(old) => old,
            None if self.has_new_label(field, target) => target | NEW_BIT,
            None => return value,
        };
        marked(field, label)
    }

    /// Undoes [`Self::label`].
    pub fn value(&self, field: &Field, label: u32) -> u32 {
        if is_near(field, label) {
            return label;
        }
        let plain = marked(field, label);
        let target = match self.new_of(plain) {
            Some(new) => new,
            None if self.has_new_label(field, plain ^ NEW_BIT) => plain ^ NEW_BIT,
            None => return label,
        };
        target.wrapping_sub(field.base)
    }

    /// Returns whether a target that has no old address stands as its new one. For a field that holds an address this
    /// is needed only where it would be taken for an old one.
    fn has_new_label(&self, field: &Field, target: u32) -> bool {
        match field.form {
            Form::Distance | Form::Jump => (1..ADDRESS_END).contains(&target),
            Form::Address => self.new_of(target).is_some(),
        }
    }
}

/// Returns what stands in an old field in place of `value`: its target.
pub fn old_label(field: &Field, value: u32) -> u32 {
    let target = value.wrapping_add(field.base);
    if is_near(field, value) || !(1..ADDRESS_END).contains(&target) {
        value
    } else {
        marked(field, target)
    }
}

fn is_near(field: &Field, value: u32) -> bool {
    field.form == Form::Jump && value.wrapping_add(NEAR) < 2 * NEAR
}

/// Sets the mark of jumps, or removes it.
fn marked(field: &Field, label: u32) -> u32 {
    match field.form {
        Form::Jump => label ^ JUMP_BIT,
        Form::Distance | Form::Address => label,
    }
}
