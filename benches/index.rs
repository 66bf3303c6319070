//! How large an index may become: stores with index segments of as many chunks as are asked for, and no payload.
//!
//!     cargo bench --bench index -- make STORE CHUNKS      # makes a store in a folder, or adds to one in a bucket
//!     cargo bench --bench index -- measure DIR            # opens, looks up and marks, in a folder that was made so
//!
//! Of each pack there is a hole of its length (in a bucket, nothing). Segments have 10 million entries at most. `measure`
//! prints times, and the memory that is resident beside the mapped index.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use carryall::base::id::{ChunkId, PackId, hash};
use carryall::base::monitor::Silent;
use carryall::content::index::{self, ChunkEntry, PackEntry};
use carryall::store::storage::object::{ObjectAddress, ObjectStorage};
use carryall::store::storage::put;
use carryall::store::{LiveChunks, OpenMode, PruneOptions, Store, StoreError};

/// A stored GB is 60,000 chunks, and a pack 64 MB.
const CHUNKS_A_PACK: u64 = 3_840;
const PACK_BYTES: u64 = 64_000_000;
const FRAMES_A_PACK: u64 = 30;
const SEGMENT_CHUNKS: u64 = 10_000_000;
const LOOKUPS: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["make", place, chunks, ..] => make(Path::new(place), chunks.parse()?),
        ["measure", dir, ..] => measure(Path::new(dir)),
        _ => {
            println!("skipped: it needs `make STORE CHUNKS` or `measure DIR`");
            Ok(())
        }
    }
}

fn chunk(number: u64) -> ChunkId {
    ChunkId(hash(&number.to_le_bytes()))
}

fn pack(number: u64) -> PackId {
    PackId(hash(format!("pack {number}").as_bytes()))
}

fn make(place: &Path, chunks: u64) -> Result<(), Box<dyn Error>> {
    let spools = std::env::temp_dir();
    let bucket = ObjectAddress::parse(place);
    let bucket = bucket.map(|address| ObjectStorage::open(&address, spools));
    let bucket = bucket.transpose()?;
    if bucket.is_none() {
        Store::create(place)?;
        std::fs::create_dir_all(place.join("index"))?;
    }
    let mut bytes = 0;
    for first in (0..chunks).step_by(usize::try_from(SEGMENT_CHUNKS)?) {
        let last = chunks.min(first + SEGMENT_CHUNKS);
        let packs: Vec<u64> = (first / CHUNKS_A_PACK..=(last - 1) / CHUNKS_A_PACK).collect();
        let entries = (first..last).map(|number| {
            let frame = number % CHUNKS_A_PACK * FRAMES_A_PACK / CHUNKS_A_PACK;
            Ok(ChunkEntry {
                prefix: index::prefix(&chunk(number)),
                pack_no: u32::try_from(number / CHUNKS_A_PACK - packs[0])?,
                frame_offset: u32::try_from(8 + frame * (PACK_BYTES / FRAMES_A_PACK))?,
            })
        });
        let entries: Vec<ChunkEntry> = entries.collect::<Result<_, Box<dyn Error>>>()?;
        let listed = packs.iter().map(|number| PackEntry {
            id: pack(*number),
            bytes: PACK_BYTES,
        });
        let file = index::build(&listed.collect::<Vec<_>>(), entries);
        bytes += file.len();
        let name = format!("index/{}.idx", PackId(hash(&file)));
        if let Some(bucket) = &bucket {
            put(bucket, &name, &file)?;
        } else {
            std::fs::write(place.join(name), file)?;
            for number in packs {
                let hex = pack(number).to_string();
                let folder = place.join("packs").join(&hex[..2]);
                std::fs::create_dir_all(&folder)?;
                let file = std::fs::File::create(folder.join(format!("{hex}.pack")))?;
                file.set_len(PACK_BYTES)?;
            }
        }
    }
    println!("{chunks} chunks: {bytes} bytes of index");
    Ok(())
}

/// Bytes that are resident and no map of a file.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Seconds of processor time of this process, in user mode and in the system.
fn processor_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS_A_SECOND
}

/// Runs something, and prints how long it took, what the processors worked, and the most memory that was resident meanwhile.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (is_over, most) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                most.fetch_max(resident(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let (begun, worked) = (Instant::now(), processor_seconds());
        let done = work();
        let seconds = begun.elapsed().as_secs_f64();
        let worked = processor_seconds() - worked;
        is_over.store(true, Ordering::Relaxed);
        let mib = most.load(Ordering::Relaxed).max(resident()) >> 20;
        println!("{what}: {seconds:.2} s, {worked:.2} s of processors, {mib} MiB");
        done
    })
}

fn measure(dir: &Path) -> Result<(), Box<dyn Error>> {
    timed("opened for reading", || Store::open(dir, OpenMode::Read))?;
    let mut store = timed("opened for writing, every entry checked", || {
        Store::open(dir, OpenMode::Write)
    })?;
    let mut chunks = 0;
    while store.contains(&chunk(chunks)) {
        chunks = chunks.max(1) * 2;
    }
    // Between the last power of two that is there and the next.
    let (mut low, mut high) = (chunks / 2, chunks);
    while low + 1 < high {
        let middle = (low + high) / 2;
        match store.contains(&chunk(middle)) {
            true => low = middle,
            false => high = middle,
        }
    }
    let chunks = high;
    println!("{chunks} chunks");
    let found = timed("a million look-ups of what is there", || {
        let mut found = 0_u64;
        for number in 0..LOOKUPS {
            found += u64::from(store.contains(&chunk(number * 7_919 % chunks)));
        }
        found
    });
    assert_eq!(found, LOOKUPS);
    let found = timed("a million look-ups of what is not", || {
        let mut found = 0_u64;
        for number in 0..LOOKUPS {
            found += u64::from(store.contains(&chunk(number + chunks)));
        }
        found
    });
    assert_eq!(found, 0);
    let live = timed("the set of what releases need", || {
        let mut live = LiveChunks::new(&store);
        (0..chunks).try_for_each(|number| live.insert(&chunk(number)))?;
        Ok::<_, StoreError>(live)
    })?;
    let report = timed("prune, all of it needed", || {
        store.prune(live, &PruneOptions::default(), &Silent)
    })?;
    assert_eq!(report.packs_removed, 0);
    Ok(())
}
