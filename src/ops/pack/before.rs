//! Checks that run before anything is compressed. A known failure then costs a second, and not the time of compressing.

use std::path::{Path, PathBuf};

use super::{PackNotes, PackOptions, Spares};
use crate::base::id;
use crate::base::monitor::Silent;
use crate::base::size::total;
use crate::bundle::{BundleNeeds, Have, Recipient, solid_bytes};
use crate::content::release::ReleaseRoot;
use crate::ops::Error;
use crate::store::Store;
use crate::volumes::media::{Carrier, check_program};
use crate::volumes::{self, SetRequest};

/// The fact in which a set records what it was made of and how. The same request makes the same set.
pub(crate) const FACT_ASKED: &str = "made as";
/// Number of spares that is never questioned, such as copies of one volume for several sites.
const SPARES_ALWAYS: u16 = 4;

/// The data that cutting the bundle starts with.
pub(crate) struct Cutting {
    pub have: Have,
    pub needs: BundleNeeds,
    /// Lowest estimate of the set's bytes.
    pub least_set_bytes: u64,
}

/// Checks whether the set can be written at all, as far as is known without compressing.
pub fn look(
    store: &Store,
    releases: &[ReleaseRoot],
    options: &PackOptions,
    notes: &PackNotes,
) -> Result<Cutting, Error> {
    if options.carrier == Carrier::Iso {
        check_program()?;
    }
    // A medium too small for any volume fails before the releases are walked.
    rehearse(options, &[1])?;
    let have = Have::of(store, &options.receivers)?;
    let needs = BundleNeeds::of(store, releases, &have)?;
    let plain_bytes: u64 = total(releases.iter().map(|root| root.bytes));
    let share_bytes = needs.share_bytes();
    // Solid frames are smaller than the chunks in the store, but never by half.
    let least = rehearse(options, &frames(options, share_bytes / 2, plain_bytes))?;
    if notes.spares == Spares::Sane {
        let one = PackOptions {
            spare: options.spare.map(|spare| spare.min(1)),
            ..options.clone()
        };
        // Frames for a small medium may be too large in this estimate, and still fit when they are compressed.
        if let Ok(most) = rehearse(&one, &frames(options, share_bytes, plain_bytes)) {
            let data_volumes = most.geometry().header().data_volumes;
            question(notes, data_volumes, options.spare.unwrap_or(0))?;
        }
    }
    Ok(Cutting {
        have,
        needs,
        least_set_bytes: least.total_bytes(),
    })
}

fn rehearse(options: &PackOptions, piece_bytes: &[u64]) -> Result<volumes::SetPlan, Error> {
    Ok(volumes::plan(&SetRequest {
        piece_bytes,
        catalog_bytes: 1,
        capacity: options.capacity,
        carrier: options.carrier,
        spare: options.spare,
        local_percent: options.local_percent,
        codec: options.codec,
        block_size: options.block_size,
    })?)
}

/// Returns frames of `bytes` together, each about as long as one with its share of the plain bytes.
fn frames(options: &PackOptions, bytes: u64, plain_bytes: u64) -> Vec<u64> {
    let solid_bytes = solid_bytes(options.capacity.bytes()) as u64;
    let count = plain_bytes.div_ceil(solid_bytes).max(1);
    let one = bytes / count;
    let mut frames = vec![one; usize::try_from(count).unwrap_or(0)];
    if let Some(last) = frames.last_mut() {
        *last += bytes % count;
    }
    frames
}

/// Fails when many more spares are requested than there is data.
pub fn question(notes: &PackNotes, data_volumes: u16, spare_volumes: u16) -> Result<(), Error> {
    let most = data_volumes.saturating_mul(2).max(SPARES_ALWAYS);
    if notes.spares == Spares::Sane && spare_volumes > most {
        return Err(Error::ManySpares {
            spare_volumes,
            data_volumes,
            most,
        });
    }
    Ok(())
}

/// Describes the whole request. The same releases, recipients and options give the same text.
pub fn asked(releases: &[ReleaseRoot], options: &PackOptions, notes: &PackNotes) -> String {
    let mut text = String::from(env!("CARGO_PKG_VERSION"));
    for root in releases {
        text += &format!("|{}={}", root.name, root.id());
    }
    // For a recipient that has nothing the set is the full one.
    let has_nothing =
        |receiver: &Recipient| receiver.releases.is_empty() && receiver.waiting.is_empty();
    let is_full = options.receivers.iter().any(has_nothing);
    for receiver in options.receivers.iter().filter(|_| !is_full) {
        let ids = receiver.releases.iter().map(|root| root.id().to_string());
        let sets = receiver.waiting.iter().map(|waiting| {
            let frames: Vec<u32> = waiting.frames.iter().map(|(frame, _)| *frame).collect();
            format!("{}{frames:?}", waiting.set)
        });
        let ids: Vec<String> = ids.chain(sets).collect();
        text += &format!("|for {ids:?} without {:?}", receiver.missing);
    }
    text += &format!(
        "|Capacity {{ kind: {:?}, bytes: {:?} }}|{:?}|{:?}|{:?}|{:?}|{:?}",
        options.capacity.kind(),
        options.capacity.bytes(),
        options.carrier,
        options.spare,
        options.local_percent.map(f64::to_bits),
        options.effort,
        options.codec
    );
    text += &format!("|{:?}|{:?}", notes.date, notes.contact);
    if let Some((site, store)) = &notes.site {
        text += &format!("|site {site} {store}");
    }
    text += &options.programs.asked();
    let hash = id::hash(text.as_bytes());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Finds a volume in `to` of exactly the set that would be written. The volume's own record decides, and not its name.
pub(crate) fn same_set_in(to: &Path, asked: &str) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(to)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_first_volume(path))
        .collect();
    paths.sort();
    paths.into_iter().find(|path| {
        let facts = volumes::facts_of(path, &Silent).unwrap_or_default();
        facts
            .iter()
            .any(|(name, value)| name == FACT_ASKED && value == asked)
    })
}

/// Matches `*-vol01of05` or `*-vol01of05.iso`. Only the first volume of each set is read, because the others record the
/// same.
fn is_first_volume(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".iso").unwrap_or(&name);
    let Some((no, count)) = name
        .rsplit_once("-vol")
        .and_then(|(_, end)| end.split_once("of"))
    else {
        return false;
    };
    !name.starts_with('.') && no.parse() == Ok(1_u32) && count.parse::<u32>().is_ok()
}
