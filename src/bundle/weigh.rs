//! Estimates, file by file, what is new in releases for a recipient, and how many bytes it takes on media.
//!
//! For a recipient that has nothing, nothing is packed for the estimate. A chunk counts for its share of its frame in
//! the store, times a measured factor by which bundles pack its kind of content smaller. For any other recipient a
//! sample of each kind is packed against what it has (see `sample`), and so is one of each large file. The chunks of a
//! kind share the result of the kind, those of large files by what these gave. Memory: 130 bytes a new chunk, about 100 bytes and the path for each file with new ones, and 16 bytes for
//! any other chunk.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::bases::OldChunks;
use crate::bundle::sample::{self, FileSample};
use crate::bundle::{BundleError, Effort, Have};
use crate::content::content_kind::ContentKind;
use crate::content::contents::{Contents, FileKind, FoundFile};
use crate::content::recipe::RecipeError;
use crate::content::release::ReleaseRoot;
use crate::store::{ChunkSet, FrameNeed, Store};

/// The new content and its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weighed {
    /// The containers of files. See [`FileWeight::within`].
    pub places: Vec<Vec<Vec<u8>>>,
    /// Files, headers, recipes and tables with new chunks, in the order of the releases. A chunk counts where it is
    /// needed first.
    pub files: Vec<FileWeight>,
    /// The kinds of content with new chunks.
    pub classes: Vec<ClassWeight>,
}

impl Weighed {
    /// Returns the plain bytes of all new chunks, and about what they take in a bundle.
    pub fn total(&self) -> (u64, u64) {
        let classes = self.classes.iter();
        let sum = |one: (u64, u64), class: &ClassWeight| {
            (one.0 + class.new_bytes, one.1 + class.carried_bytes)
        };
        classes.fold((0, 0), sum)
    }
}

/// Something with new chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWeight {
    /// What it is.
    pub kind: FileKind,
    /// Number of the first release that has it.
    pub release: usize,
    /// Its container, as an index into [`Weighed::places`].
    pub within: usize,
    /// Its path there.
    pub path: Vec<u8>,
    /// Its total length.
    pub bytes: u64,
    /// Whether a recipient has a file of this path.
    pub is_known: bool,
    /// Its new chunks.
    pub new_chunks: u64,
    /// Their plain bytes.
    pub new_bytes: u64,
    /// About what they take in a bundle.
    pub carried_bytes: u64,
}

/// A kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassWeight {
    /// The kind.
    pub class: ContentKind,
    /// Plain bytes of new chunks.
    pub new_bytes: u64,
    /// About what they take in a bundle.
    pub carried_bytes: u64,
}

/// The paths of the recipients' files, 8 bytes each.
#[derive(Default)]
struct KnownPaths(HashSet<u64>);

impl KnownPaths {
    fn of(store: &Store, have: &Have, monitor: &dyn Monitor) -> Result<Self, BundleError> {
        let mut known = Self::default();
        let mut contents = Contents::new(store);
        for root in have.releases() {
            contents.release(root, &mut |found| {
                monitor.check_stop()?;
                known.0.insert(hash_of(found.path));
                Ok::<(), RecipeError>(())
            })?;
        }
        Ok(known)
    }

    fn has(&self, path: &[u8]) -> bool {
        self.0.contains(&hash_of(path))
    }
}

/// Hashes a path for a large set. The set is only used for messages, so a collision does no harm.
fn hash_of(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// Weighs the chunks that `releases` need and that are not in `have`.
///
/// # Errors
/// [`BundleError`] when a list cannot be read, the store is missing a chunk, or a stop was asked for.
pub fn weigh(
    store: &Store,
    releases: &[ReleaseRoot],
    have: &Have,
    effort: Effort,
    monitor: &dyn Monitor,
) -> Result<Weighed, BundleError> {
    store.keep_reads();
    let known = KnownPaths::of(store, have, monitor)?;
    let mut gathered = Gathered::default();
    let mut contents = Contents::new(store);
    for (number, root) in releases.iter().enumerate() {
        contents.release(root, &mut |found| {
            monitor.check_stop()?;
            gathered.add(number, found, have, &known);
            Ok::<(), RecipeError>(())
        })?;
    }
    let Gathered {
        mut weighed,
        mut chunks,
        seen,
        depended,
    } = gathered;
    let needs = store.frames_of(&mut chunks.iter().map(|chunk| chunk.id))?;
    chunks.sort_unstable_by_key(|chunk| chunk.id);
    let mut classes = [(0_u64, 0.0_f64); ContentKind::ALL.len()];
    for need in &needs {
        let places: Vec<usize> = need
            .chunks
            .iter()
            .filter_map(|id| chunks.binary_search_by_key(id, |chunk| chunk.id).ok())
            .collect();
        let plain: u64 = places.iter().map(|at| u64::from(chunks[*at].bytes)).sum();
        let rate = rate(need, plain, effort);
        let class = &mut classes[usize::from(need.class as u8)];
        class.0 += plain;
        for at in places {
            let chunk = &mut chunks[at];
            chunk.class = need.class;
            chunk.carried = f64::from(chunk.bytes) * rate;
            class.1 += chunk.carried;
        }
    }
    if !have.is_none() {
        let depended = depended.settled();
        let plain_bytes = classes.map(|(plain, _)| plain);
        let is_needed = |id: &ChunkId| depended.contains(id) || seen.contains(id);
        let mut old = OldChunks::of(store, (releases, have), &needs, is_needed, monitor)?;
        old.find_programs(store, releases, have, &needs, monitor)?;
        let rates = sample::rates(store, &needs, &plain_bytes, &old, effort, monitor)?;
        for (class, rate) in classes.iter_mut().zip(rates) {
            #[allow(clippy::cast_precision_loss)] // Far below 2^52.
            let plain_bytes = class.0 as f64;
            class.1 = rate.map_or(class.1, |rate| plain_bytes * rate);
        }
        share(&mut chunks, &classes);
        let large = large_files(&chunks);
        let rates = sample::rates_of_files(store, &large, &old, effort, monitor)?;
        for chunk in &mut chunks {
            if let Some(rate) = rates.get(&chunk.file) {
                chunk.carried = f64::from(chunk.bytes) * rate;
            }
        }
        share(&mut chunks, &classes);
    }
    let mut carried = vec![0.0; weighed.files.len()];
    for chunk in &chunks {
        carried[chunk.file] += chunk.carried;
    }
    for (file, carried) in weighed.files.iter_mut().zip(carried) {
        file.carried_bytes = whole(carried);
    }
    let by_class = ContentKind::ALL.into_iter().zip(classes);
    weighed.classes = by_class
        .filter(|(_, (new_bytes, _))| *new_bytes > 0)
        .map(|(class, (new_bytes, carried))| ClassWeight {
            class,
            new_bytes,
            carried_bytes: whole(carried),
        })
        .collect();
    Ok(weighed)
}

/// Scales the chunks of each kind so that they add up to what the kind takes.
fn share(chunks: &mut [NewChunk], classes: &[(u64, f64); ContentKind::ALL.len()]) {
    let mut sums = [0.0_f64; ContentKind::ALL.len()];
    for chunk in chunks.iter() {
        sums[usize::from(chunk.class as u8)] += chunk.carried;
    }
    for chunk in chunks {
        let class = usize::from(chunk.class as u8);
        if sums[class] > 0.0 {
            chunk.carried *= classes[class].1 / sums[class];
        }
    }
}

/// Returns the files that seem to take most, with a stretch from the middle of each.
fn large_files(chunks: &[NewChunk]) -> Vec<FileSample> {
    let mut files: HashMap<usize, (f64, Vec<&NewChunk>)> = HashMap::new();
    for chunk in chunks {
        let file = files.entry(chunk.file).or_default();
        file.0 += chunk.carried;
        file.1.push(chunk);
    }
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable_by(|(one, (carried, _)), (other, (more, _))| {
        more.total_cmp(carried).then_with(|| one.cmp(other))
    });
    let largest = files.into_iter().take(sample::FILES_MAX);
    largest
        .map(|(file, (_, mut chunks))| {
            chunks.sort_unstable_by_key(|chunk| chunk.turn);
            let middle = chunks.len() / 2;
            let all: u64 = chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum();
            // A short file is taken from its start on.
            let from = if all <= sample::FILE_BYTES { 0 } else { middle };
            let mut bytes = 0;
            let stretch = chunks[from..].iter().take_while(|chunk| {
                let is_in = bytes < sample::FILE_BYTES && chunk.class == chunks[from].class;
                bytes += u64::from(chunk.bytes);
                is_in
            });
            FileSample {
                file,
                class: chunks[from].class,
                chunks: stretch.map(|chunk| chunk.id).collect(),
            }
        })
        .collect()
}

/// A new chunk, and the first file that needs it.
struct NewChunk {
    id: ChunkId,
    /// How many chunks came before it.
    turn: usize,
    bytes: u32,
    class: ContentKind,
    carried: f64,
    file: usize,
}

#[derive(Default)]
struct Gathered {
    weighed: Weighed,
    chunks: Vec<NewChunk>,
    seen: HashSet<ChunkId>,
    /// Chunks that are needed and not new.
    depended: ChunkSet,
}

impl Gathered {
    fn add(&mut self, release: usize, found: &FoundFile<'_>, have: &Have, known: &KnownPaths) {
        let file = self.weighed.files.len();
        let (mut new_chunks, mut new_bytes) = (0, 0);
        for chunk in found.chunks {
            if have.contains(&chunk.id) {
                self.depended.insert(&chunk.id);
                continue;
            }
            if !self.seen.insert(chunk.id) {
                continue;
            }
            new_chunks += 1;
            new_bytes += u64::from(chunk.bytes);
            self.chunks.push(NewChunk {
                id: chunk.id,
                turn: self.chunks.len(),
                bytes: chunk.bytes,
                class: ContentKind::Other,
                carried: 0.0,
                file,
            });
        }
        if new_chunks == 0 {
            return;
        }
        let places = &mut self.weighed.places;
        if places.last().is_none_or(|last| last != found.within) {
            places.push(found.within.to_vec());
        }
        self.weighed.files.push(FileWeight {
            kind: found.kind,
            release,
            within: places.len() - 1,
            path: found.path.to_vec(),
            bytes: found.bytes,
            is_known: known.has(found.path),
            new_chunks,
            new_bytes,
            carried_bytes: 0,
        });
    }
}

/// Returns the bytes in a bundle for each of the `plain` bytes that are needed of a frame.
fn rate(need: &FrameNeed, plain: u64, effort: Effort) -> f64 {
    #[allow(clippy::cast_precision_loss)] // Frames have at most 2^27 bytes.
    let stored = need.share_bytes as f64 / plain.max(1) as f64;
    // Content that does not compress in the store does not compress in a bundle either.
    if stored > 0.97 {
        stored
    } else {
        stored * gain(effort, need.class)
    }
}

/// How many times its share of frames in the store a bundle takes for a kind of content, in thousandths by number of
/// the kind. Measured with whole bundles of a release of 1.3 GB (docs/decisions/002-bundles.md). Kinds that were not in
/// it are assumed to be like their neighbors.
const GAIN_FAST: [u16; 15] = [
    958, 1027, 1009, 1050, 974, 1052, 970, 970, 988, 995, 962, 1008, 1007, 1000, 891,
];
/// See [`GAIN_FAST`].
const GAIN_DEFAULT: [u16; 15] = [
    947, 969, 862, 873, 836, 882, 864, 864, 982, 915, 834, 879, 854, 880, 771,
];
/// See [`GAIN_FAST`]. Machine code is packed by LZMA.
const GAIN_MAX: [u16; 15] = [
    947, 969, 862, 873, 836, 882, 657, 657, 982, 915, 834, 879, 854, 880, 771,
];

fn gain(effort: Effort, class: ContentKind) -> f64 {
    let gains = match effort {
        Effort::Fast => GAIN_FAST,
        Effort::Default => GAIN_DEFAULT,
        Effort::Max => GAIN_MAX,
    };
    f64::from(gains[usize::from(class as u8)]) / 1000.0
}

fn whole(bytes: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // The value is a sum of chunk lengths, so it is never negative and fits.
    let whole = bytes.round() as u64;
    whole
}
