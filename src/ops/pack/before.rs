//! What is looked for before anything is compressed: what is known to fail costs a second, not the time of compressing.

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

/// The fact in which a set says what it was made of and how: the same again makes the same set.
pub const FACT_ASKED: &str = "made as";
/// So many spares are never questioned: copies of one volume for several sites.
const SPARES_ALWAYS: u16 = 4;

/// What cutting the bundle begins with.
pub struct Cutting {
    pub have: Have,
    pub needs: BundleNeeds,
    /// Bytes that the set takes at the very least.
    pub least_set_bytes: u64,
}

/// Looks whether the set can be written at all, as far as that is known without compressing.
pub fn look(
    store: &Store,
    releases: &[ReleaseRoot],
    options: &PackOptions,
    notes: &PackNotes,
) -> Result<Cutting, Error> {
    if options.carrier == Carrier::Iso {
        check_program()?;
    }
    // A medium too small for any volume needs no look at the releases.
    rehearse(options, &[1])?;
    let have = Have::of(store, &options.receivers)?;
    let needs = BundleNeeds::of(store, releases, &have)?;
    let plain_bytes: u64 = total(releases.iter().map(|root| root.bytes));
    let share_bytes = needs.share_bytes();
    // Solid frames are smaller than what the chunks take in the store, never by half.
    let least = rehearse(options, &frames(options, share_bytes / 2, plain_bytes))?;
    if notes.spares == Spares::Sane {
        let one = PackOptions {
            spare: options.spare.map(|spare| spare.min(1)),
            ..options.clone()
        };
        // Frames of a small medium may be too large in this guess, and fit in truth.
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
    })?)
}

/// Frames of `bytes` together, each about as long as one that holds its share of the plain bytes.
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

/// Errs on many more spares than there is data.
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

/// Names what is asked for, whole: the same releases, receivers and options.
pub fn asked(releases: &[ReleaseRoot], options: &PackOptions, notes: &PackNotes) -> String {
    let mut text = String::from(env!("CARGO_PKG_VERSION"));
    for root in releases {
        text += &format!("|{}={}", root.name, root.id());
    }
    // For one that has nothing the set is the full one.
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
        text += &format!("|for {ids:?} without {:?}", receiver.lacks);
    }
    text += &format!(
        "|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}",
        options.capacity,
        options.carrier,
        options.spare,
        options.local_percent.map(f64::to_bits),
        options.effort,
        options.codec
    );
    text += &format!("|{:?}|{:?}", notes.date, notes.contact);
    let hash = id::hash(text.as_bytes());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A volume in `to` of the very set that would be written: what it is says so itself, whatever it is called.
pub fn same_set_in(to: &Path, asked: &str) -> Option<PathBuf> {
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

/// `*-vol01of05` or `*-vol01of05.iso`: the first of each set is looked at, others have the same to say.
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
