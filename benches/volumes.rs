//! Times the stages of writing a volume set: `volumes FOLDER TO` lays the files of FOLDER out on 4 data volumes and 1 spare in TO.
//!
//! Prints `stage | wall s | CPU s | peak memory MB | MB gone through`, a line a stage and one for parity as a whole.
//! `benches/compare` runs it beside par2.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use carryall::base::monitor::Monitor;
use carryall::volumes::block::{BlockSize, ParityCodec};
use carryall::volumes::media::{Capacity, Carrier};
use carryall::volumes::{SetContent, SetRequest, plan, write};

const DATA_VOLUMES: u64 = 4;
const PIECES_A_FILE: u64 = 16;

/// User and system seconds of this process, and its peak memory in MB.
fn usage() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap() / 100.0;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    (ticks(11) + ticks(12), peak_kib / 1000)
}

struct Stage {
    name: String,
    began: Instant,
    cpu: f64,
    bytes: u64,
}

#[derive(Default)]
struct Stopwatch {
    stage: Mutex<Option<Stage>>,
    parity: Mutex<(f64, f64)>,
}

impl Monitor for Stopwatch {
    fn start(&self, task: &str, bytes: u64) {
        let stage = Stage {
            name: task.to_owned(),
            began: Instant::now(),
            cpu: usage().0,
            bytes,
        };
        *self.stage.lock().unwrap() = Some(stage);
    }

    fn finish(&self) {
        let Some(stage) = self.stage.lock().unwrap().take() else {
            return;
        };
        let wall = stage.began.elapsed().as_secs_f64();
        let (cpu_now, peak) = usage();
        let (cpu, mb) = (cpu_now - stage.cpu, stage.bytes / 1_000_000);
        if stage.name.ends_with("parity") {
            let mut parity = self.parity.lock().unwrap();
            *parity = (parity.0 + wall, parity.1 + cpu);
        }
        println!("{} | {wall:.2} | {cpu:.2} | {peak} | {mb}", stage.name);
    }
}

fn main() {
    // `cargo bench` and `cargo test --benches` pass flags of their own: nothing to do without two paths.
    let paths: Vec<PathBuf> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .map(PathBuf::from)
        .collect();
    let [folder, to] = &paths[..] else { return };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut pieces = Vec::new();
    for file in &files {
        let each = file.metadata().unwrap().len() / PIECES_A_FILE;
        pieces.extend((0..PIECES_A_FILE).map(|no| (file, no * each, each)));
    }
    let piece_bytes: Vec<u64> = pieces.iter().map(|piece| piece.2).collect();
    let total: u64 = piece_bytes.iter().sum();
    let plan = plan(&SetRequest {
        piece_bytes: &piece_bytes,
        catalog_bytes: 1000,
        // Room for 3 % of local parity and hardly more.
        capacity: Capacity::exact(total / DATA_VOLUMES * 1037 / 1000 + (5 << 20)),
        carrier: Carrier::Folders,
        spare: Some(1),
        local_percent: Some(3.0),
        codec: ParityCodec::Gf16,
        block_size: Some(BlockSize::Full),
    })
    .unwrap();
    let content = SetContent {
        title: "bench",
        releases: &[],
        created_by: "benches/volumes",
        facts: &[],
        catalog: &[7; 1000],
    };
    let mut open = |no: usize| -> std::io::Result<Box<dyn Read>> {
        let (file, offset, bytes) = pieces[no];
        let mut file = File::open(file)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(offset))?;
        Ok(Box::new(file.take(bytes)))
    };
    let watch = Stopwatch::default();
    write(&plan, &content, &mut open, to, &watch).unwrap();
    let (wall, cpu) = *watch.parity.lock().unwrap();
    let header = plan.geometry().header();
    let (k, m, w) = (
        header.data_volumes,
        header.spare_volumes,
        header.stripe_width,
    );
    println!(
        "parity as a whole ({}+{} shards, local {}+{}) | {wall:.2} | {cpu:.2} | {} | {}",
        k * w,
        m * w,
        header.local_data,
        header.local_parity,
        usage().1,
        total / 1_000_000
    );
}
