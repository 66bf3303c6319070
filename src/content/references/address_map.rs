//! The map from new addresses to old ones, and the labels of fields by it.

use super::arm64::NamedPage;
use super::fields::{Field, Form, IN_PAGE};
use super::{ADDRESS_END, NEAR};

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
        let target = field.target(value);
        let label = match (field.form, self.old_of(target)) {
            (Form::InPage, old) => old
                .filter(|old| {
                    let page = field.page;
                    let is = page.given.wrapping_add(field.base);
                    self.old_of(is) == Some(page.made) && old & !IN_PAGE == page.made & !IN_PAGE
                })
                .map(|old| old & IN_PAGE),
            (Form::Short, Some(old)) => self.old_of(field.base).map(|base| old.wrapping_sub(base)),
            (Form::Short, None) => None,
            (_, Some(old)) => Some(marked(field, old)),
            (_, None) => self
                .has_new_label(field, target)
                .then(|| marked(field, target ^ field.reach.new_mark())),
        };
        label
            .filter(|label| field.reach.holds(*label))
            .unwrap_or(value)
    }

    /// Undoes [`Self::label`].
    pub fn value(&self, field: &Field, label: u32) -> u32 {
        if is_near(field, label) {
            return label;
        }
        let plain = marked(field, label);
        let target = match field.form {
            Form::InPage => {
                return self.place_in_page(field, label).unwrap_or(label);
            }
            Form::Short => self
                .old_of(field.base)
                .and_then(|base| self.new_of(label.wrapping_add(base))),
            _ => self.new_of(plain).or_else(|| {
                let new = plain ^ field.reach.new_mark();
                self.has_new_label(field, new).then_some(new)
            }),
        };
        target
            .map(|target| target.wrapping_sub(field.base))
            .filter(|value| field.reach.holds(*value))
            .unwrap_or(label)
    }

    /// Returns the place in the new page for a label that is one in the old page.
    fn place_in_page(&self, field: &Field, label: u32) -> Option<u32> {
        let NamedPage { given, made } = field.page;
        let is = made.wrapping_add(field.base);
        let new = self.new_of(given & !IN_PAGE | label)?;
        let place = new & IN_PAGE;
        let is_there = self.new_of(given) == Some(is) && new & !IN_PAGE == is & !IN_PAGE;
        (is_there && field.reach.holds(place)).then_some(place)
    }

    /// Returns whether a target that has no old address stands as its new one. For a field that holds an address this
    /// is needed only where it would be taken for an old one.
    fn has_new_label(&self, field: &Field, target: u32) -> bool {
        match field.form {
            Form::Distance | Form::Jump => (1..ADDRESS_END).contains(&target),
            Form::Address => self.new_of(target).is_some(),
            Form::Short | Form::InPage => false,
        }
    }
}

/// Returns what stands in an old field in place of `value`: its target. Fields with too few bits for an address, and
/// further places in a page, stay as they are.
pub fn old_label(field: &Field, value: u32) -> u32 {
    if matches!(field.form, Form::Short | Form::InPage) || is_near(field, value) {
        return value;
    }
    let target = value.wrapping_add(field.base);
    let label = marked(field, target);
    if (1..ADDRESS_END).contains(&target) && field.reach.holds(label) {
        label
    } else {
        value
    }
}

/// Returns whether a jump stays close by. Its distance is no label then.
pub(super) fn is_near(field: &Field, value: u32) -> bool {
    matches!(field.form, Form::Jump | Form::Short) && value.wrapping_add(NEAR) < 2 * NEAR
}

/// Sets the mark of jumps, or removes it.
fn marked(field: &Field, label: u32) -> u32 {
    match field.form {
        Form::Jump => label ^ field.reach.jump_mark(),
        _ => label,
    }
}
