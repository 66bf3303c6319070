//! `demo`: the whole journey on something real, in a temporary folder, told in a dozen lines.
//!
//! It uses the same library calls as the other commands; the damage is done to its own volumes alone.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use carryall::base::diagnostic::diagnostic;
use carryall::base::fs::free_space_bytes;
use carryall::base::monitor::Monitor;
use carryall::ops;
use carryall::ops::add::AddOptions;
use carryall::ops::checkout::{self, CheckoutOptions};
use carryall::ops::media::verify;
use carryall::ops::pack::{self, PackOptions, PackReport};
use carryall::ops::program::Program;
use carryall::ops::{Completion, Error, add, receive};
use carryall::store::Store;
use carryall::volumes::media::{Capacity, MediaError};

use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages};

/// Real files of some size that any Linux machine has, the first that is there.
const DEFAULTS: [&str; 5] = [
    "/usr/lib/python3",
    "/usr/share/perl",
    "/usr/lib/git-core",
    "/usr/share/zoneinfo",
    "/etc",
];
/// What the volumes are cut to: about so many data volumes.
const DATA_VOLUMES: u64 = 4;
/// Of every volume that is left, one part in so many is overwritten.
const SCRATCH_PART: u64 = 25;

/// A folder that goes with everything in it, also after a failure.
struct Stage(PathBuf);

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn run(context: &Context, path: Option<&Path>) -> Result<u8, Failure> {
    let given = given(path)?;
    let stage = stage(&given)?;
    let monitor = &context.screen;
    let io = |source| {
        Failure::from(Error::Io {
            path: stage.0.clone(),
            source,
        })
    };
    let tell = |text: String| {
        if !context.json {
            messages::say(&(text + "\n"));
        }
    };

    tell(messages::demo_begins(&given, &stage.0));
    let vendor = Store::create(&stage.0.join("vendor")).map_err(Error::from)?;
    let name = "demo:1.0"
        .parse()
        .map_err(|_| io(std::io::ErrorKind::InvalidInput.into()))?;
    let added = add::add(
        &vendor,
        &name,
        std::slice::from_ref(&given),
        &AddOptions::default(),
        monitor,
    )?;
    tell(messages::demo_added(&added));

    let discs = stage.0.join("discs");
    let packed = pack(
        &vendor,
        &ops::release(&vendor, &name)?,
        &discs,
        added.stored_bytes,
        monitor,
    )?;
    tell(messages::demo_packed(&packed));

    let lost = &packed.volumes[1.min(packed.volumes.len() - 1)];
    fs::remove_dir_all(lost).map_err(io)?;
    let scratched = scratch_all(&discs).map_err(io)?;
    tell(messages::demo_hurt(lost, scratched));

    let seen = verify::verify(std::slice::from_ref(&discs), monitor)?;
    tell(super::verify::text(&seen.report).trim_end().to_owned());

    let site = Store::create(&stage.0.join("site")).map_err(Error::from)?;
    let received = receive::receive(&site, std::slice::from_ref(&discs), monitor)?;
    tell(
        received
            .sets
            .iter()
            .map(messages::progress)
            .collect::<String>()
            .trim_end()
            .to_owned(),
    );

    let back = stage.0.join("back");
    let options = CheckoutOptions::default();
    let out = checkout::checkout(&site, &name, &back, &options, monitor)?;
    let vendor_release = ops::release(&vendor, &name)?;
    let same = out.is_whole() && ops::release(&site, &name)? == vendor_release;
    tell(messages::demo_ends(&out, same));
    context.print(&serde_json::json!({ "add": added, "pack": packed, "receive": received, "checkout": out, "same": same }), |_| String::new())?;
    let completion = if same {
        out.completion()
    } else {
        Completion::DamageLeft
    };
    Ok(exit_code(completion))
}

fn given(path: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = path {
        return path.canonicalize().map_err(|source| {
            Error::Io {
                path: path.to_owned(),
                source,
            }
            .into()
        });
    }
    let usable =
        |path: &PathBuf| fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    let default = DEFAULTS.iter().map(PathBuf::from).find(usable);
    // On a system without any of these there is at least the program.
    let own = || Program::running().ok().map(|program| program.path);
    default
        .or_else(own)
        .ok_or_else(|| diagnostic!("usage.nothing_to_demo").into())
}

/// A new folder where there is room; what it takes is about four times what is given, and a demo is told so beforehand.
fn stage(given: &Path) -> Result<Stage, Failure> {
    let temp = std::env::temp_dir();
    // A bare system may have no folder for temporary files.
    let temp = if temp.is_dir() {
        temp
    } else {
        PathBuf::from(".")
    };
    let temp = std::path::absolute(&temp).unwrap_or(temp);
    let dir = temp.join(format!("carryall-demo-{}", std::process::id()));
    let needed_bytes = 4 * bytes_below(given);
    let free_bytes = free_space_bytes(&temp).map_err(|error| {
        Error::from(MediaError::Io {
            path: temp.clone(),
            source: error,
        })
    })?;
    if free_bytes < needed_bytes {
        return Err(Error::NoSpace {
            path: temp,
            needed_bytes,
            free_bytes,
        }
        .into());
    }
    fs::create_dir(&dir).map_err(|source| Error::Io {
        path: dir.clone(),
        source,
    })?;
    Ok(Stage(dir))
}

fn bytes_below(path: &Path) -> u64 {
    let Ok(stat) = path.symlink_metadata() else {
        return 0;
    };
    if !stat.is_dir() {
        return stat.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| bytes_below(&entry.path())).sum()
}

fn pack(
    store: &Store,
    release: &carryall::content::release::ReleaseRoot,
    to: &Path,
    stored_bytes: u64,
    monitor: &dyn Monitor,
) -> Result<PackReport, Failure> {
    // A tenth for local parity, and what pages and file system take of a small medium.
    let volume_bytes = stored_bytes / DATA_VOLUMES * 11 / 10 + (5 << 20);
    let mut options = PackOptions::new(Capacity::exact(volume_bytes));
    options.spare = Some(2);
    let releases = std::slice::from_ref(release);
    Ok(pack::pack(
        store,
        releases,
        to,
        &options,
        &mut |_| (),
        monitor,
    )?)
}

/// Overwrites a burst in the middle of every volume file that is left, and returns the bytes hit.
fn scratch_all(discs: &Path) -> std::io::Result<u64> {
    let mut hit = 0;
    for volume in fs::read_dir(discs)? {
        for file in fs::read_dir(volume?.path())? {
            let path = file?.path();
            let number = path.extension().unwrap_or_default().to_string_lossy();
            let is_carrier = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty();
            if !is_carrier {
                continue;
            }
            let bytes = path.metadata()?.len();
            let burst = vec![0xaa; usize::try_from(bytes / SCRATCH_PART).unwrap_or(0)];
            File::options()
                .write(true)
                .open(&path)?
                .write_all_at(&burst, bytes / 3)?;
            hit += burst.len() as u64;
        }
    }
    Ok(hit)
}
