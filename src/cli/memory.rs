//! What memory a command takes and what there is: fewer threads where it is short, and a word before the work begins where it
//! is shorter still.
//!
//! What is taken is stated in docs/memory.md, and measured. What is there is the least of what the machine, the control
//! group and the limits of the process leave.

use std::fs;
use std::num::NonZero;
use std::path::Path;

use rustix::process::{Resource, getrlimit};

use crate::cli::args::{Command, EffortArg};

const MIB: u64 = 1 << 20;
/// What a thread takes of the address space beside what it uses: its stack, and its part of the heap.
const SPACE_A_THREAD: u64 = 72 * MIB;

/// What a command takes at the peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Whatever the machine.
    base_bytes: u64,
    /// For each core that it works on.
    core_bytes: u64,
}

impl Need {
    fn of(command: &Command) -> Option<Self> {
        let (base, core) = match command {
            Command::Add(_) => (330, 150),
            Command::Demo { .. } => (400, 200),
            Command::Pack(args) if args.estimate => (250, 50),
            Command::Pack(args) => {
                let is_delta =
                    args.site.is_some() || !args.receipts.is_empty() || !args.since.is_empty();
                let base = if is_delta { 350 } else { 200 };
                match args.effort {
                    EffortArg::Max => (base, if is_delta { 720 } else { 550 }),
                    _ => (base, if is_delta { 360 } else { 200 }),
                }
            }
            Command::Receive(_) | Command::Visit(_) => (330, 120),
            Command::Repair(_) => (230, 40),
            Command::Checkout(_) | Command::Install(_) | Command::Load(_) => (220, 100),
            Command::Push(_) | Command::Serve(_) => (220, 100),
            Command::Check(_) | Command::Prune(_) | Command::Diff { .. } => (210, 20),
            _ => return None,
        };
        Some(Self {
            base_bytes: base * MIB,
            core_bytes: core * MIB,
        })
    }

    fn on(self, cores: u64) -> u64 {
        self.base_bytes + self.core_bytes * cores
    }
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct There {
    /// Memory that may be used.
    bytes: u64,
    /// Addresses that may be used.
    space_bytes: u64,
}

/// How a command gets along with the memory that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFit {
    /// Cores that it is to work on.
    pub cores: u64,
    /// What it takes on all cores.
    pub needed_bytes: u64,
    /// What is there.
    pub there_bytes: u64,
    /// Whether it is enough on so many cores.
    pub is_enough: bool,
}

/// Whether a command works on every core.
pub fn is_heavy(command: &Command) -> bool {
    Need::of(command).is_some()
}

/// Looks at the machine; `None` when all is well, or nothing is known.
pub fn fit(command: &Command) -> Option<MemoryFit> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get) as u64;
    fit_on(Need::of(command)?, there(), cores)
}

fn fit_on(need: Need, there: There, cores: u64) -> Option<MemoryFit> {
    let is_enough = |cores: u64| {
        let bytes = need.on(cores);
        // Each core has a thread of each of two pools, and there are some besides.
        let space = bytes.saturating_add(SPACE_A_THREAD * (2 * cores + 4));
        bytes <= there.bytes && (there.space_bytes == u64::MAX || space <= there.space_bytes)
    };
    if is_enough(cores) {
        return None;
    }
    let fewer = (1..cores).rev().find(|cores| is_enough(*cores));
    Some(MemoryFit {
        cores: fewer.unwrap_or(1),
        needed_bytes: need.on(cores),
        there_bytes: there.bytes.min(there.space_bytes),
        is_enough: fewer.is_some(),
    })
}

/// Works on so many cores from now on, whoever counts them.
pub fn use_cores(cores: u64) {
    let Ok(mut set) = rustix::thread::sched_getaffinity(None) else {
        return;
    };
    let mut left = cores.max(1);
    for cpu in 0..rustix::thread::CpuSet::MAX_CPU {
        if set.is_set(cpu) {
            if left == 0 {
                set.unset(cpu);
            }
            left = left.saturating_sub(1);
        }
    }
    // Where it is not allowed more is taken, and that is all.
    let _ = rustix::thread::sched_setaffinity(None, &set);
}

/// Starts the threads that CPU work is spread over: fewer where the system does not give as many.
pub fn start_workers() -> Result<(), ()> {
    let mut count = std::thread::available_parallelism().map_or(1, NonZero::get);
    loop {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
        match pool.build_global() {
            Ok(()) => return Ok(()),
            Err(_) if count == 1 => return Err(()),
            Err(_) => count /= 2,
        }
    }
}

/// Returns the memory that may be used. `None` when it is not known.
pub fn there_bytes() -> Option<u64> {
    let there = there();
    let bytes = there.bytes.min(there.space_bytes);
    (bytes < u64::MAX).then_some(bytes)
}

fn there() -> There {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let left = |resource, used: &str| {
        let limit = getrlimit(resource).current?;
        Some(limit.saturating_sub(kib_of(&status, used).unwrap_or(0)))
    };
    let machine = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let machine = kib_of(&machine, "MemAvailable:")
        .map(|bytes| bytes.saturating_add(kib_of(&machine, "SwapFree:").unwrap_or(0)));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_group = in_groups(&groups, Path::new("/sys/fs/cgroup"));
    let bytes = [machine, of_group, left(Resource::Data, "VmData:")];
    There {
        bytes: bytes.into_iter().flatten().min().unwrap_or(u64::MAX),
        space_bytes: left(Resource::As, "VmSize:").unwrap_or(u64::MAX),
    }
}

/// The bytes of a line such as `VmSize:   1234 kB`.
fn kib_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// What the control groups leave: the least of the process's own and all above it. Memory that only caches files counts as free.
fn in_groups(groups: &str, root: &Path) -> Option<u64> {
    let mut least: Option<u64> = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (base, limit, used, cache) = if controllers.is_empty() {
            (
                root.to_owned(),
                "memory.max",
                "memory.current",
                "inactive_file ",
            )
        } else if controllers.split(',').any(|name| name == "memory") {
            (
                root.join("memory"),
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file ",
            )
        } else {
            continue;
        };
        // In a container the path may be that of the host: then what is there is the root's.
        for folder in base.join(path.trim_start_matches('/')).ancestors() {
            if !folder.starts_with(&base) {
                break;
            }
            let number = |name: &str| -> Option<u64> {
                fs::read_to_string(folder.join(name))
                    .ok()?
                    .trim()
                    .parse()
                    .ok()
            };
            let (Some(limit), Some(used)) = (number(limit), number(used)) else {
                continue;
            };
            let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
            let cached = stat.lines().find_map(|line| line.strip_prefix(cache));
            let cached: u64 = cached.and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
            let left = limit.saturating_sub(used.saturating_sub(cached));
            least = Some(least.map_or(left, |least| least.min(left)));
        }
    }
    least
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NEED: Need = Need {
        base_bytes: 200 * MIB,
        core_bytes: 100 * MIB,
    };

    fn fits(mib: u64, space_mib: Option<u64>) -> Option<(u64, bool)> {
        let there = There {
            bytes: mib * MIB,
            space_bytes: space_mib.map_or(u64::MAX, |mib| mib * MIB),
        };
        fit_on(NEED, there, 8).map(|fit| (fit.cores, fit.is_enough))
    }

    #[test]
    fn where_memory_is_short_fewer_cores_work_and_then_it_is_said() {
        assert_eq!(fits(1000, None), None);
        assert_eq!(fits(999, None), Some((7, true)));
        assert_eq!(fits(420, None), Some((2, true)));
        assert_eq!(fits(299, None), Some((1, false)));
        assert_eq!(fits(9999, Some(1400)), Some((3, true)));
        assert_eq!(fits(9999, Some(9999)), None);
    }

    #[test]
    fn control_groups_of_both_kinds_are_read_up_to_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("a/b/memory.max", "max\n");
        put("a/b/memory.current", "5\n");
        put("a/memory.max", "1000\n");
        put("a/memory.current", "700\n");
        put("a/memory.stat", "anon 1\ninactive_file 300\n");
        assert_eq!(in_groups("0::/a/b\n", dir.path()), Some(600));
        assert_eq!(in_groups("0::/elsewhere\n", dir.path()), None);
        put("memory/x/memory.limit_in_bytes", "500\n");
        put("memory/x/memory.usage_in_bytes", "100\n");
        let both = "5:cpu:/x\n4:memory:/x\n0::/a/b\n";
        assert_eq!(in_groups(both, dir.path()), Some(400));
        assert_eq!(in_groups("nonsense\n", dir.path()), None);
    }
}
