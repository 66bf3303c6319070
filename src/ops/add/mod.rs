//! `add`: makes or extends a release from files and folders.
//!
//! Everything new is rebuilt from the store and compared by hash before the release is committed. What cannot be
//! rebuilt is stored as it came. It lays out no volumes. Memory: the unpacker's buffers, three batches of the proof,
//! and the table of known blobs (150 bytes each, a million at most).

mod again;
pub(super) mod error;
mod input;
#[cfg(feature = "registry")]
pub mod sources;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use self::again::Again;
pub use self::error::AddError;
pub use self::input::InputPath;
use self::input::{Input, check_apart, check_readable, check_space, inputs};
use super::history::{self, HistoryEntry, HistoryEvent};
use super::proof::{self, CollectBlobs, ProvedBlobs};
use super::unpack_limits;
use super::{Error, ReleasesMut, Stored};
use crate::base::finding::Finding;
use crate::base::id::ReleaseId;
use crate::base::monitor::Monitor;
use crate::base::size::total;
use crate::base::term::Flaw;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::rebuild::BlobKeeper;
use crate::content::recipe::stream::StreamWriter;
use crate::content::recipe::walk::Walker;
use crate::content::recipe::{ChunkSink, ChunkSource, RecipeError};
use crate::content::release::{BlobTable, Item, ItemKind, ReleaseName, ReleaseRoot, walk};
use crate::files::meta::MetaReader;
use crate::files::unpacker::{OpenOptions, StreamReport, Unpacker};
use crate::files::{LayoutError, folder};
use crate::oci::image::Images;

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new in the release.
    Added,
    /// It replaced one of the same name.
    Replaced,
    /// It was in the release before and stays.
    Kept,
}

/// An item in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddedItem {
    /// Its name, as far as it is text.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// What happened to it.
    pub change: Change,
}

/// The result of `add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddReport {
    /// The release.
    pub release: ReleaseName,
    /// Its id.
    pub id: ReleaseId,
    /// All its items, by name.
    pub items: Vec<AddedItem>,
    /// Bytes of all items.
    pub bytes: u64,
    /// Bytes that were known from earlier releases and not opened again.
    pub known_bytes: u64,
    /// Bytes of chunks that the store did not have.
    pub new_bytes: u64,
    /// Bytes that these take in the store.
    pub stored_bytes: u64,
    /// The results of the deflate streams that were met, without those in known bytes.
    pub streams: StreamReport,
    /// Bytes of streams that are cached in addition.
    pub ready_bytes: u64,
    /// What the operator should know.
    pub findings: Vec<Finding>,
}

/// Options of `add`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddOptions {
    /// How far contents are opened. When the store has its own folder for unfinished files, spools go there.
    pub open: OpenOptions,
    /// Whether deflate streams are cached in addition, to be served from this store as they are.
    pub keep_ready: bool,
}

/// Makes the release `name` of `paths`, or adds them to it and replaces items of the same name.
/// A path that is a symbolic link stands for what it points to.
///
/// # Errors
/// [`Error::Add`], or an interruption. The store then has the release as it was before, or not at all.
pub fn add<R: ReleasesMut>(
    store: &R,
    name: &ReleaseName,
    paths: &[PathBuf],
    options: &AddOptions,
    monitor: &dyn Monitor,
) -> Result<AddReport, Error> {
    let given: Vec<InputPath> = paths.iter().cloned().map(InputPath::from).collect();
    let report = add_inputs(store, name, &inputs(&given)?, options, monitor)?;
    Ok(report)
}

fn add_inputs<R: ReleasesMut>(
    store: &R,
    name: &ReleaseName,
    inputs: &[Input],
    options: &AddOptions,
    monitor: &dyn Monitor,
) -> Result<AddReport, AddError> {
    // All checks come before the first chunk is written, so a refusal costs no time.
    check_readable(inputs, monitor)?;
    let mut open = options.open.clone();
    if let Some(place) = store.place() {
        check_apart(inputs, place)?;
        check_space(store, inputs, place, &open)?;
        open.spool_folder = place.join(crate::ops::UNFINISHED);
    }
    let old = match store.root(name)? {
        Some(root) => root.read_items(store).map_err(old(name))?,
        None => Vec::new(),
    };
    let mut known = match store.place() {
        Some(_) => ProvedBlobs::of_contents(store)?,
        // In a bucket each of these lists would be asked for.
        None => ProvedBlobs::read(store)?,
    };
    let mut findings = Vec::new();

    // Metadata is written along with the chunks, on the assumption that the proof succeeds.
    let mut writer = store.writer(monitor)?;
    let mut unpacker = Unpacker::new(store, &mut writer, &known.blobs, &open, monitor);
    let mut items = read_items(&mut unpacker, inputs, &mut findings, monitor)?;
    let known_bytes = unpacker.reused_bytes();
    let mut streams = unpacker.streams().clone();
    let (mut blobs, reused) = unpacker.into_blobs();
    blobs.extend(reused.clone());
    // Only blobs that were reused count as proved. The others of earlier releases are not in this one.
    known.blobs = reused;
    let changes = join_old(&mut items, &old);
    let kept = items
        .values()
        .filter(|item| changes[&item.name] == Change::Kept);
    collect_blobs((store, name), kept, &mut blobs)?;
    let mut root = write_root(&mut writer, name, &items, &blobs)?;
    if root.manifest.bytes > store.limits().list_bytes {
        return Err(too_many_items());
    }
    let mut stored = finish(store, writer)?;

    if streams.plain_bytes > store.limits().plain_bytes {
        // `receive` refuses a release that claims too much, so it is refused here first.
        unpack_limits::check(store, |walker, visitor| {
            walk::release(walker, &root, visitor)
        })?;
    }
    let ready_before = store.cached_bytes();
    let keeper = options.keep_ready.then(|| store.keeper()).flatten();
    if keeper.is_some() {
        // Blobs that were proved earlier may not be cached, so everything is rebuilt.
        known = ProvedBlobs::default();
    }
    let failed = prove_all(store, inputs, &items, &known, keeper.as_deref(), monitor)?;
    drop(keeper);
    if !failed.is_empty() {
        let mut again = Again {
            store,
            open: &open,
            findings: &mut findings,
            streams: &mut streams,
            stored: &mut stored,
            monitor,
        };
        for (input, error) in failed {
            items.insert(input.name.clone(), again.item(input, error)?);
        }
        // Recipes that do not work must not be used again.
        let mut blobs = BlobTable::default();
        collect_blobs((store, name), items.values(), &mut blobs)?;
        let mut writer = store.writer(monitor)?;
        root = write_root(&mut writer, name, &items, &blobs)?;
        stored = sum(stored, finish(store, writer)?);
    }
    // Images that no program can load are reported before anything is burned.
    let images = Images::find(store, &root, monitor)?;
    for finding in images.warnings() {
        monitor.finding(finding);
        findings.push(finding.clone());
    }
    // The only commit point. Until here a kill leaves chunks that `prune` drops, and no release.
    let id = store.commit(&root)?;
    let event = if inputs.iter().any(Input::is_pulled) {
        HistoryEvent::Pull
    } else {
        HistoryEvent::Add
    };
    let from = inputs.iter().map(|input| input.given.as_path());
    let entry = HistoryEntry::now(event).release(&root).from(from);
    history::note(store, &entry, monitor);
    Ok(AddReport {
        release: name.clone(),
        id,
        items: items
            .values()
            .map(|item| AddedItem {
                name: String::from_utf8_lossy(&item.name).into_owned(),
                bytes: item.bytes(),
                change: changes[&item.name],
            })
            .collect(),
        bytes: root.bytes,
        known_bytes,
        new_bytes: stored.new_bytes,
        stored_bytes: stored.stored_bytes,
        streams,
        ready_bytes: store.cached_bytes().saturating_sub(ready_before),
        findings,
    })
}

fn old(name: &ReleaseName) -> impl Fn(RecipeError) -> AddError {
    let release = name.to_string();
    move |source| AddError::Old {
        release: release.clone(),
        source,
    }
}

fn finish<R: ReleasesMut>(store: &R, writer: R::Writer<'_>) -> Result<Stored, AddError> {
    Ok(store.finish(writer)?)
}

fn sum(one: Stored, other: Stored) -> Stored {
    Stored {
        new_bytes: one.new_bytes + other.new_bytes,
        stored_bytes: one.stored_bytes + other.stored_bytes,
    }
}

/// Items by their names.
type Items = BTreeMap<Vec<u8>, Item>;

fn read_items<S: ChunkSource>(
    unpacker: &mut Unpacker<'_, S>,
    inputs: &[Input],
    findings: &mut Vec<Finding>,
    monitor: &dyn Monitor,
) -> Result<Items, AddError> {
    monitor.start("read", inputs.iter().map(Input::bytes).sum());
    let files: Vec<_> = inputs.iter().map(Input::files).collect();
    let items = unpacker.ahead_of(files.into_iter().flatten(), |unpacker| {
        let read = |input| read_item(unpacker, input, findings, monitor);
        let items: Result<Vec<Item>, AddError> = inputs.iter().map(read).collect();
        items
    })?;
    monitor.finish();
    Ok(items
        .into_iter()
        .map(|item| (item.name.clone(), item))
        .collect())
}

fn read_item<S: ChunkSource>(
    unpacker: &mut Unpacker<'_, S>,
    input: &Input,
    findings: &mut Vec<Finding>,
    monitor: &dyn Monitor,
) -> Result<Item, AddError> {
    unpacker.begin_item();
    let kind = if input.stat.is_dir() {
        folder::read(unpacker, &input.real, findings, monitor)?
    } else {
        ItemKind::File {
            content: folder::read_file(unpacker, &input.real)?,
        }
    };
    let mut metas = MetaReader::default();
    let meta = metas.read(&input.real, &input.given, &input.stat)?;
    let noted = metas.finish(&input.shown());
    noted.iter().for_each(|finding| monitor.finding(finding));
    findings.extend(noted);
    Ok(Item {
        name: input.name.clone(),
        meta,
        kind,
    })
}

/// Adds the old items that stay to the new ones, and returns what happened to each.
fn join_old(items: &mut Items, old: &[Item]) -> BTreeMap<Vec<u8>, Change> {
    let mut changes: BTreeMap<Vec<u8>, Change> = items
        .keys()
        .map(|name| (name.clone(), Change::Added))
        .collect();
    for item in old {
        let new = changes.contains_key(&item.name);
        let change = if new { Change::Replaced } else { Change::Kept };
        changes.insert(item.name.clone(), change);
        if !new {
            items.insert(item.name.clone(), item.clone());
        }
    }
    changes
}

/// Adds all blobs of stored items to a table.
fn collect_blobs<'i, S: ChunkSource>(
    (source, name): (&S, &ReleaseName),
    items: impl Iterator<Item = &'i Item>,
    blobs: &mut BlobTable,
) -> Result<(), AddError> {
    let mut collect = CollectBlobs {
        table: blobs,
        limit: usize::MAX,
    };
    let mut walker = Walker::new(source);
    for item in items {
        walk::item(&mut walker, item, &mut collect).map_err(old(name))?;
    }
    Ok(())
}

fn too_many_items() -> AddError {
    AddError::Layout(LayoutError::Recipe(RecipeError::Corrupt(Flaw::ManyItems)))
}

fn write_root(
    sink: &mut dyn ChunkSink,
    name: &ReleaseName,
    items: &Items,
    blobs: &BlobTable,
) -> Result<ReleaseRoot, AddError> {
    let mut manifest = StreamWriter::new(ContentKind::Meta);
    for item in items.values() {
        manifest.write_record(sink, item)?;
    }
    let manifest = manifest.finish(sink)?;
    Ok(ReleaseRoot {
        name: name.clone(),
        manifest,
        blobs: blobs.write(sink)?,
        items: u32::try_from(items.len()).map_err(|_| too_many_items())?,
        bytes: total(items.values().map(Item::bytes)),
    })
}

/// Rebuilds what is new and compares hashes. Returns the items that failed.
fn prove_all<'i, S: ChunkSource>(
    source: &S,
    inputs: &'i [Input],
    items: &Items,
    known: &ProvedBlobs,
    keeper: Option<&dyn BlobKeeper>,
    monitor: &dyn Monitor,
) -> Result<Vec<(&'i Input, RecipeError)>, AddError> {
    let new = inputs
        .iter()
        .filter_map(|input| Some((input, items.get(&input.name)?)));
    let (inputs, new): (Vec<&Input>, Vec<&Item>) = new.unzip();
    monitor.start("compare", total(new.iter().map(|item| item.bytes())));
    let failed = proof::items(source, known, &new, keeper, monitor)?;
    monitor.finish();
    Ok(failed
        .into_iter()
        .map(|(at, error)| (inputs[at], error))
        .collect())
}
