//! `pack --bare`: a bundle in one file without volumes and parity, for channels that are narrow and reliable.
//!
//! It carries what a set carries, its signatures too, and is read as the only volume of one. It heals nothing.

use std::path::{Path, PathBuf};

use super::before::{self, Cutting};
use super::departure::departure;
use super::seal::{self, SpoolPlace};
use super::set_text::text;
use super::{
    Bundled, PackNotes, PackOptions, PackPlan, PackReport, bundle_up, images_of, remember,
};
use crate::base::fs::parent_of;
use crate::base::monitor::Monitor;
use crate::base::output::OutputFile;
use crate::bundle::{BundleNeeds, Have};
use crate::content::release::ReleaseRoot;
use crate::ops::space::{Space, free_bytes};
use crate::ops::{Error, Releases, history};
use crate::store::Store;
use crate::volumes::SetPlan;
use crate::volumes::media::MediaError;
use crate::volumes::write_bare::{BareOutput, write_bare};

/// Packs `releases` into the file `to`, which must not exist. Options of media and volumes mean nothing here. Passes the
/// plan to `show` before the file is written.
///
/// # Errors
/// As [`pack_with`](super::pack_with). No file is left behind then.
pub fn pack_bare(
    store: &Store,
    releases: &[ReleaseRoot],
    to: &Path,
    options: &PackOptions,
    notes: &PackNotes,
    show: &mut dyn FnMut(&PackPlan),
    monitor: &dyn Monitor,
) -> Result<PackReport, Error> {
    if to.symlink_metadata().is_ok() {
        return Err(MediaError::Exists {
            path: to.to_owned(),
        }
        .into());
    }
    let cutting = look(store, releases, options)?;
    let place: Vec<PathBuf> = store.place().map(Path::to_owned).into_iter().collect();
    // Nothing that is there is replaced, whatever it is.
    let mut file = OutputFile::begin(to, |_| false, &place)?;
    let findings = images_of(store, releases, monitor)?;
    let folder = parent_of(to);
    let copies = if options.seal_to.is_some() { 3 } else { 2 };
    Space::in_folder(folder, copies * cutting.needs.share_bytes())?.check()?;
    let spool = SpoolPlace::In(folder);
    let drawn = draw(store, releases, options, notes, cutting, spool, monitor)?;
    let (plan, bundled, mut shown) = drawn;
    let free_bytes = free_bytes(folder)?;
    shown.free_bytes = Some(free_bytes);
    show(&shown);
    Space {
        path: folder.to_owned(),
        needed_bytes: shown.needed_bytes,
        free_bytes,
    }
    .check()?;
    let asked = before::asked(releases, options, notes);
    let said = match &options.seal_to {
        Some(to) => seal::outer_text(to, notes, &shown, &[]),
        None => text(&shown, notes, &[], &asked),
    };
    let (laid, catalog) = bundled.laid_out();
    let mut open = |piece_no: usize| -> std::io::Result<Box<dyn std::io::Read + '_>> {
        Ok(Box::new(laid.open_piece(piece_no)?))
    };
    let output = BareOutput {
        out: file.writer(),
        path: to,
    };
    let content = said.content(catalog);
    monitor.start("payload", plan.piece_bytes.iter().sum());
    let (set_id, file_bytes) = write_bare(
        &plan,
        &content,
        &options.signers,
        &mut open,
        output,
        monitor,
    )?;
    monitor.finish();
    let path = file.finish(&[])?;
    shown.volume_bytes = file_bytes;
    if bundled.sealed.is_none() {
        remember(store, &set_id, releases, &bundled.cut, monitor);
    }
    let entry = departure(releases, to, options, notes, set_id);
    history::note(store, &entry, monitor);
    Ok(PackReport {
        set_id,
        volumes: vec![path],
        plan: shown,
        findings,
    })
}

/// Returns the plan that [`pack_bare`] would carry out, without writing anything. `to` only serves to measure the free
/// space.
///
/// # Errors
/// As [`pack_bare`], except for space.
pub fn plan_bare(
    store: &Store,
    releases: &[ReleaseRoot],
    to: &Path,
    options: &PackOptions,
    notes: &PackNotes,
    monitor: &dyn Monitor,
) -> Result<PackPlan, Error> {
    let cutting = look(store, releases, options)?;
    images_of(store, releases, monitor)?;
    let spool = SpoolPlace::Nowhere;
    let (_, _, mut shown) = draw(store, releases, options, notes, cutting, spool, monitor)?;
    shown.free_bytes = Some(free_bytes(parent_of(to))?);
    Ok(shown)
}

fn look(store: &Store, releases: &[ReleaseRoot], options: &PackOptions) -> Result<Cutting, Error> {
    let have = Have::of(store, &options.receivers)?;
    let needs = BundleNeeds::of(store, releases, &have)?;
    Ok(Cutting {
        have,
        needs,
        least_set_bytes: 0,
    })
}

fn draw(
    store: &Store,
    releases: &[ReleaseRoot],
    options: &PackOptions,
    notes: &PackNotes,
    cutting: Cutting,
    spool: SpoolPlace<'_>,
    monitor: &dyn Monitor,
) -> Result<(SetPlan, Bundled, PackPlan), Error> {
    let both = (options, notes);
    let bundled = bundle_up(store, releases, both, cutting, spool, monitor)?;
    let (laid, catalog) = bundled.laid_out();
    let catalog_bytes = catalog.len() as u64;
    let plan = SetPlan::bare(&laid.piece_bytes(), catalog_bytes)?;
    let mut shown = super::planned::describe_plan(&plan, releases, &bundled.cut, catalog_bytes);
    // The description is small, and known when it is signed.
    shown.volume_bytes = shown.payload_bytes + shown.catalog_bytes;
    shown.needed_bytes = plan.volume_bytes();
    shown.is_bare = true;
    bundled.complete(&mut shown, options, notes);
    Ok((plan, bundled, shown))
}
