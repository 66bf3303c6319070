//! Sealing: the whole bundle as one age file, which is then laid out like any payload.
//!
//! What is sealed is the bundle as `--bare` writes it, its own signatures included. Outside stands nothing of it but its
//! length.

use std::io::{self, Read};
use std::path::Path;

use super::before;
use super::set_text::{SetText, text};
use super::{Bundled, PackNotes, PackOptions, PackPlan};
use crate::base::monitor::Monitor;
use crate::base::sealing::SealTo;
use crate::bundle::{CutBundle, PieceCutter, TempPayload};
use crate::content::release::ReleaseRoot;
use crate::ops::Error;
use crate::volumes::descriptor::FACT_SEALED;
use crate::volumes::media::CompanionFile;
use crate::volumes::write_bare::{BareOutput, write_bare};
use crate::volumes::{SetPlan, VolumeError};

/// The title of every sealed set.
const TITLE: &str = "sealed";

/// Where frames are kept until they are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) enum SpoolPlace<'a> {
    /// In a folder, in files without names.
    In(&'a Path),
    /// Nowhere, because only their sizes are needed.
    Nowhere,
}

impl SpoolPlace<'_> {
    /// Makes a spool.
    pub(super) fn make(self) -> Result<TempPayload, Error> {
        match self {
            Self::Nowhere => Ok(TempPayload::for_sizes()),
            Self::In(folder) => {
                // It loses its name at once, so the next one can have it.
                let name = format!(".carryall-spool-{}.tmp", std::process::id());
                Ok(TempPayload::create(&folder.join(name))?)
            }
        }
    }
}

/// A sealed bundle: opaque pieces, and the catalog of these.
pub(super) struct SealedBundle {
    pub(super) cut: CutBundle,
    pub(super) catalog: Vec<u8>,
}

/// Seals a bundle.
pub(super) fn seal(
    bundled: &Bundled,
    (releases, options, notes): (&[ReleaseRoot], &PackOptions, &PackNotes),
    to: &SealTo,
    spool: SpoolPlace<'_>,
    monitor: &dyn Monitor,
) -> Result<SealedBundle, Error> {
    let piece_bytes = bundled.cut.piece_bytes();
    let catalog_bytes = bundled.catalog.len() as u64;
    let plan = SetPlan::bare(&piece_bytes, catalog_bytes)?;
    let shown = super::planned::describe_plan(&plan, releases, &bundled.cut, catalog_bytes);
    let asked = before::asked(releases, options, notes);
    let said = text(&shown, notes, &[], &asked);
    let mut open = |piece_no: usize| -> io::Result<Box<dyn Read + '_>> {
        Ok(match spool {
            SpoolPlace::In(_) => Box::new(bundled.cut.open_piece(piece_no)?),
            // Of a plan only the sizes count.
            SpoolPlace::Nowhere => {
                let bytes = piece_bytes.get(piece_no).copied().unwrap_or(0);
                Box::new(io::repeat(0).take(bytes))
            }
        })
    };
    let place = match spool {
        SpoolPlace::In(folder) => folder,
        SpoolPlace::Nowhere => Path::new("."),
    };
    let io = |source| Error::from(VolumeError::io(place)(source));
    let cutter = PieceCutter::new(spool.make()?, plan.volume_bytes(), options.capacity.bytes());
    let mut writer = to.writer(cutter).map_err(io)?;
    let output = BareOutput {
        out: &mut writer,
        path: place,
    };
    let content = said.content(&bundled.catalog);
    monitor.start("seal", piece_bytes.iter().sum());
    write_bare(
        &plan,
        &content,
        &options.signers,
        &mut open,
        output,
        monitor,
    )?;
    monitor.finish();
    let cut = writer.finish().map_err(io)?.finish()?;
    Ok(SealedBundle {
        catalog: cut.catalog.to_bytes(),
        cut,
    })
}

/// Returns what a sealed set says about itself: nothing of what it carries.
pub(super) fn outer_text(
    to: &SealTo,
    notes: &PackNotes,
    plan: &PackPlan,
    companions: &[CompanionFile],
) -> SetText {
    let mut said = text(plan, notes, companions, "");
    said.title = TITLE.to_owned();
    said.releases = Vec::new();
    said.facts
        .retain(|(name, _)| super::OUTER_FACTS.contains(&name.as_str()));
    said.facts.push((FACT_SEALED.to_owned(), to.kinds()));
    said
}
