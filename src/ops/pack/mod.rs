//! `pack`: lays out releases on a volume set, one medium a volume.
//!
//! Known obstacles are looked for first. Then the bundle is cut into a spool file next to the volumes, so that the plan
//! that is shown is exact, and the set is written. [`plan`] does the same and keeps nothing.

pub mod bare;
mod before;
pub mod contributors;
mod departure;
pub mod diff;
pub mod estimate;
pub mod fleet;
mod fleet_scale;
mod planned;
pub mod programs;
pub mod recipients;
mod remake;
mod seal;
mod set_text;

use std::path::{Path, PathBuf};

use serde::Serialize;

use self::departure::{departure, remember};
pub use self::planned::{PackPlan, PlannedReceiver};
use self::planned::{describe, recipients_of};
use self::programs::PackPrograms;
pub use self::remake::RemakeWork;
use self::seal::{SealedBundle, SpoolPlace};
use self::set_text::{SetText, text};
use crate::base::finding::Finding;
use crate::base::fs::file_bytes_max;
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::output;
use crate::base::path_text;
use crate::base::sealing::SealTo;
use crate::base::signing::SecretKey;
use crate::bundle::{self, CutBundle, CutOptions, Effort, Recipient, solid_bytes};
use crate::content::release::ReleaseRoot;
use crate::oci::image::Images;
use crate::ops::history;
use crate::ops::space::Space;
use crate::ops::space::free_bytes;
use crate::ops::trust::KeyFacts;
use crate::ops::{Error, Releases};
use crate::store::Store;
use crate::volumes::block::{BlockSize, ParityCodec};
use crate::volumes::descriptor::{FACT_CONTACT, FACT_DATE, FACT_PROGRAM};
use crate::volumes::media::{Capacity, Carrier, CompanionFile, MediaError, ReadBack};
use crate::volumes::{self, SetExtras, SetPlan, SetRequest};

/// Options of `pack`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PackOptions {
    /// The medium.
    pub capacity: Capacity,
    /// Folders or ISO images.
    pub carrier: Carrier,
    /// Spare volumes. `None` stands for one spare as soon as there are two data volumes.
    pub spare: Option<u16>,
    /// Local parity in percent. `None` stands for 3 with spares and 10 on a single volume, and for more where room is
    /// left over.
    pub local_percent: Option<f64>,
    /// How hard to compress.
    pub effort: Effort,
    /// The parity code.
    pub codec: ParityCodec,
    /// The size of blocks. `None` stands for small ones in small sets.
    pub block_size: Option<BlockSize>,
    /// Whether the volumes are read back from the disk that they were written to.
    pub read_back: ReadBack,
    /// Recipients of the bundle. It leaves out what all of them have. Without recipients it is full.
    pub receivers: Vec<Recipient>,
    /// Programs that stand on every volume.
    pub programs: PackPrograms,
    /// Keys that sign the set.
    pub signers: Vec<SecretKey>,
    /// Whom the set is sealed for. `None` leaves it open.
    pub seal_to: Option<SealTo>,
}

impl PackOptions {
    /// A full bundle in folders for this medium, with spares and parity as the plan finds best.
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            carrier: Carrier::Folders,
            spare: None,
            local_percent: None,
            effort: Effort::Default,
            codec: ParityCodec::Gf16,
            block_size: None,
            read_back: ReadBack::default(),
            receivers: Vec::new(),
            programs: PackPrograms::default(),
            signers: Vec::new(),
            seal_to: None,
        }
    }
}

/// What the volumes say besides the releases, and what is questioned before packing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PackNotes {
    /// The day that is written on the volumes, such as `2026-11-28`. It is part of the set, so another day makes
    /// another set.
    pub date: Option<String>,
    /// The contact that is written on the volumes.
    pub contact: Option<String>,
    /// Whether a number of spares is questioned.
    pub spares: Spares,
    /// The site that the set is made for, and the hex digits of its store that are known. Other sites refuse the set.
    pub site: Option<(String, String)>,
    /// The site in the history, also when nothing is known of its store.
    pub recipient: Option<String>,
}

/// Whether a number of spares is questioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spares {
    /// Any number is accepted.
    #[default]
    AsAsked,
    /// A number far beyond that of the data volumes is an error.
    Sane,
}

/// Facts that a sealed set tells everybody: what was written on its page on purpose, and what is beside it.
const OUTER_FACTS: [&str; 3] = [FACT_DATE, FACT_CONTACT, FACT_PROGRAM];

/// The result of `pack`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PackReport {
    /// Id of the volume set.
    pub set_id: SetId,
    /// The volumes, from volume 1 on.
    #[serde(serialize_with = "path_text::all")]
    pub volumes: Vec<PathBuf>,
    /// The plan.
    pub plan: PackPlan,
    /// Problems in the images and packages of the releases.
    pub findings: Vec<Finding>,
}

/// Packs `releases` onto volumes in the folder `to`. Passes the plan to `show` before the first volume is written.
///
/// # Errors
/// [`Error`] when a release is not whole, the medium is too small, space is short, or a stop was asked for. No volume
/// is left behind then.
pub fn pack(
    store: &Store,
    releases: &[ReleaseRoot],
    to: &Path,
    options: &PackOptions,
    show: &mut dyn FnMut(&PackPlan),
    monitor: &dyn Monitor,
) -> Result<PackReport, Error> {
    let notes = PackNotes::default();
    pack_with(store, releases, to, options, &notes, show, monitor)
}

/// Packs as [`pack`] does, with notes for the volumes.
///
/// # Errors
/// As [`pack`]. Also [`Error::ManySpares`] and [`MediaError::Exists`](crate::volumes::media::MediaError::Exists),
/// before anything is compressed.
pub fn pack_with(
    store: &Store,
    releases: &[ReleaseRoot],
    to: &Path,
    options: &PackOptions,
    notes: &PackNotes,
    show: &mut dyn FnMut(&PackPlan),
    monitor: &dyn Monitor,
) -> Result<PackReport, Error> {
    let asked = before::asked(releases, options, notes);
    let cutting = before::look(store, releases, options, notes)?;
    if let Some(path) = before::same_set_in(to, &asked) {
        return Err(crate::volumes::media::MediaError::Exists { path }.into());
    }
    let rehearsed_bytes = cutting.least_set_bytes;
    let place: Vec<PathBuf> = store.place().map(Path::to_owned).into_iter().collect();
    output::try_folder(to, &place)?;
    std::fs::create_dir_all(to).map_err(Error::io(to))?;
    let findings = images_of(store, releases, monitor)?;
    // This checks the room for the spool and the data volumes from estimates. The exact check follows with the plan.
    let share_bytes = cutting.needs.share_bytes();
    // What is sealed stands in a spool of its own.
    let copies = if options.seal_to.is_some() { 3 } else { 2 };
    let needed_bytes = (copies * share_bytes).max(rehearsed_bytes);
    Space::in_folder(to, needed_bytes)?.check()?;
    let spool = SpoolPlace::In(to);
    let drawn = draw(store, releases, options, notes, cutting, spool, monitor)?;
    let Drawn {
        plan,
        companions,
        bundled,
        text,
        mut shown,
    } = drawn;
    let free_bytes = free_bytes(to)?;
    shown.free_bytes = Some(free_bytes);
    show(&shown);
    Space {
        path: to.to_owned(),
        needed_bytes: shown.needed_bytes,
        free_bytes,
    }
    .check()?;

    fits_in_files(to, &shown, options.carrier)?;

    let mut open = |piece_no: usize| -> std::io::Result<Box<dyn std::io::Read + '_>> {
        Ok(Box::new(bundled.laid_out().0.open_piece(piece_no)?))
    };
    let extras = SetExtras {
        companions: &companions,
        signers: &options.signers,
    };
    let written = volumes::write_with(
        &plan,
        &text.content(bundled.laid_out().1),
        &extras,
        &mut open,
        to,
        options.read_back,
        monitor,
    )?;
    let set = &written.header.set_id;
    if bundled.sealed.is_none() {
        remember(store, set, releases, &bundled.cut, monitor);
    }
    let entry = departure(releases, to, options, notes, *set);
    history::note(store, &entry, monitor);
    Ok(PackReport {
        set_id: written.header.set_id,
        volumes: written.volumes,
        plan: shown,
        findings,
    })
}

/// Checks that the file system takes files as large as the images will be.
fn fits_in_files(to: &Path, plan: &PackPlan, carrier: Carrier) -> Result<(), Error> {
    let bytes = plan.volume_bytes;
    match file_bytes_max(to) {
        Some(limit_bytes) if carrier == Carrier::Iso && bytes >= limit_bytes => {
            Err(MediaError::FileTooLarge {
                path: to.to_owned(),
                bytes,
                limit_bytes,
            }
            .into())
        }
        _ => Ok(()),
    }
}

/// Reports images that no program can load before anything is burned.
fn images_of(
    store: &Store,
    releases: &[ReleaseRoot],
    monitor: &dyn Monitor,
) -> Result<Vec<Finding>, Error> {
    let mut images = Images::default();
    for root in releases {
        images.add(store, root, monitor)?;
    }
    let findings = images.warnings().to_vec();
    findings.iter().for_each(|finding| monitor.finding(finding));
    Ok(findings)
}

/// Returns exactly the plan that [`pack_with`] would carry out, without writing anything. `to` only serves to measure
/// its free space.
///
/// # Errors
/// As [`pack_with`], except for space.
pub fn plan(
    store: &Store,
    releases: &[ReleaseRoot],
    to: Option<&Path>,
    options: &PackOptions,
    notes: &PackNotes,
    monitor: &dyn Monitor,
) -> Result<PackPlan, Error> {
    let cutting = before::look(store, releases, options, notes)?;
    images_of(store, releases, monitor)?;
    let spool = SpoolPlace::Nowhere;
    let mut shown = draw(store, releases, options, notes, cutting, spool, monitor)?.shown;
    shown.free_bytes = to.map(free_bytes).transpose()?;
    Ok(shown)
}

/// A finished bundle, and what is said of whom it is for.
struct Bundled {
    cut: CutBundle,
    catalog: Vec<u8>,
    sealed: Option<SealedBundle>,
    receivers: Vec<PlannedReceiver>,
    together_bytes: Option<u64>,
    remake: RemakeWork,
}

impl Bundled {
    /// Returns the pieces that are laid out, and the catalog of these.
    fn laid_out(&self) -> (&CutBundle, &[u8]) {
        match &self.sealed {
            Some(sealed) => (&sealed.cut, &sealed.catalog),
            None => (&self.cut, &self.catalog),
        }
    }

    /// Adds to a plan what does not follow from its volumes.
    fn complete(&self, shown: &mut PackPlan, options: &PackOptions, notes: &PackNotes) {
        shown.receivers.clone_from(&self.receivers);
        shown.together_bytes = self.together_bytes;
        shown.remake = self.remake;
        shown.date.clone_from(&notes.date);
        shown.sealed_for = options.seal_to.as_ref().map(SealTo::kinds);
        let keys = options.signers.iter().map(SecretKey::public_key);
        shown.signed_by = keys.map(KeyFacts::of).collect();
    }
}

/// Cuts the bundle.
fn bundle_up(
    store: &Store,
    releases: &[ReleaseRoot],
    (options, notes): (&PackOptions, &PackNotes),
    cutting: before::Cutting,
    spool: SpoolPlace<'_>,
    monitor: &dyn Monitor,
) -> Result<Bundled, Error> {
    let before::Cutting { have, needs, .. } = cutting;
    let together_bytes = (options.receivers.len() > 1).then(|| needs.share_bytes());
    let receivers = recipients_of(store, releases, &options.receivers)?;
    let remake = remake::work_of(store, releases, &options.receivers)?;
    let how = CutOptions {
        effort: options.effort,
        solid_bytes: solid_bytes(options.capacity.bytes()),
    };
    let cut = bundle::cut(store, releases, needs, &have, how, spool.make()?, monitor)?;
    let mut bundled = Bundled {
        catalog: cut.catalog.to_bytes(),
        cut,
        sealed: None,
        receivers,
        together_bytes,
        remake,
    };
    if let Some(to) = &options.seal_to {
        let request = (releases, options, notes);
        bundled.sealed = Some(seal::seal(&bundled, request, to, spool, monitor)?);
    }
    Ok(bundled)
}

/// A finished bundle, and the plan for it.
struct Drawn {
    plan: SetPlan,
    companions: Vec<CompanionFile>,
    bundled: Bundled,
    text: SetText,
    shown: PackPlan,
}

fn draw(
    store: &Store,
    releases: &[ReleaseRoot],
    options: &PackOptions,
    notes: &PackNotes,
    cutting: before::Cutting,
    spool: SpoolPlace<'_>,
    monitor: &dyn Monitor,
) -> Result<Drawn, Error> {
    let both = (options, notes);
    let bundled = bundle_up(store, releases, both, cutting, spool, monitor)?;
    let (laid, catalog) = bundled.laid_out();
    let cut = &bundled.cut;
    let mut request = SetRequest {
        piece_bytes: &laid.piece_bytes(),
        catalog_bytes: catalog.len() as u64,
        capacity: options.capacity,
        carrier: options.carrier,
        spare: options.spare,
        local_percent: options.local_percent,
        codec: options.codec,
        block_size: options.block_size,
    };
    let asked = before::asked(releases, options, notes);
    let signers = options.signers.len();
    let mut planned = programs::plan_with(&request, &options.programs, signers)?;
    let mut shown = describe(&planned, releases, cut, catalog.len() as u64);
    let said = |shown: &PackPlan, companions: &[CompanionFile]| match &options.seal_to {
        Some(to) => seal::outer_text(to, notes, shown, companions),
        None => text(shown, notes, companions, &asked),
    };
    let mut text = said(&shown, &planned.companions);
    if !volumes::describes(&planned.plan, &text.content(catalog), signers) {
        // It is too long for small blocks.
        request.block_size = Some(BlockSize::Full);
        planned = programs::plan_with(&request, &options.programs, signers)?;
        shown = describe(&planned, releases, cut, catalog.len() as u64);
        text = said(&shown, &planned.companions);
    }
    shown.programs = planned.programs(&options.programs);
    before::question(notes, shown.data_volumes, shown.spare_volumes)?;
    bundled.complete(&mut shown, options, notes);
    Ok(Drawn {
        plan: planned.plan,
        companions: planned.companions,
        bundled,
        text,
        shown,
    })
}
