//! One release that was packed twice, of which other volumes were lost each time: what is left of both completes it.

use crate::testkit::packed::{
    Packed, Shape, Site, assert_complete, files_below, medium_for, only, options_for,
};
use crate::testkit::stage;

use std::fs;
use std::path::{Path, PathBuf};

use carryall::base::monitor::Silent;
use carryall::ops;
use carryall::ops::pack::{PackReport, pack};
use carryall::ops::receive::{ProgressState, finish, status};
use carryall::volumes::media::Carrier;
use stage::disk::Disk;
use stage::kills::{Kills, words};
use stage::{Stage, noise, visible, volumes};
use tempfile::TempDir;

/// Two packings of one release without any parity, on three volumes and on two.
struct Twice {
    first: Packed,
    _dir: TempDir,
    second: PackReport,
}

impl Twice {
    fn new() -> Self {
        let shape = Shape {
            spare: 0,
            local: 0.0,
            ..Shape::default()
        };
        let first = shape.pack();
        let dir = TempDir::new().unwrap();
        let second = {
            let store = first.vendor();
            let root = ops::release(&store, &first.release).unwrap();
            let mut options = options_for(0);
            options.capacity = medium_for(80, Carrier::Folders);
            let to = dir.path().join("again");
            pack(&store, &[root], &to, &options, &mut |_| {}, &Silent).unwrap()
        };
        assert_ne!(first.report.set_id, second.set_id);
        assert_eq!((first.volume_count(), second.volumes.len()), (3, 2));
        Self {
            first,
            _dir: dir,
            second,
        }
    }
}

#[test]
fn two_incomplete_packings_complete_each_other() {
    let twice = Twice::new();
    let first = twice.first.carry_without(&[3]);
    let site = Site::default();
    let alone = site.receive_set(&first.paths(), &twice.first);
    assert_eq!(alone.state, ProgressState::NeedsVolumes, "{alone:?}");
    assert!(site.releases().is_empty());
    let waiting = site.dir.path().join("waiting");
    copy(&site.store.incoming_dir(), &waiting);

    let report = site.receive(&twice.second.volumes[1..]);
    let completed = report.sets.iter().find(|set| !set.committed.is_empty());
    let completed = completed.unwrap_or_else(|| panic!("{report:?}"));
    assert_complete(completed);
    assert_eq!(completed.committed.len(), 1);
    assert_eq!(completed.helped_by.len(), 1);
    assert_eq!(report.done_with, completed.helped_by);
    assert!(!report.needs_volumes() && !report.is_damaged());
    site.assert_same(&twice.first);
    site.assert_sound();
    assert!(status(&site.store).unwrap().incoming.is_empty());

    // Killed before the set was removed: the next command does so.
    copy(&waiting, &site.store.incoming_dir());
    let finished = finish(&site.store, &Silent).unwrap();
    assert_eq!(only(&finished).state, ProgressState::AlreadyHere);
    assert!(status(&site.store).unwrap().incoming.is_empty());
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files_below(from) {
        fs::create_dir_all(to.join(&name).parent().unwrap()).unwrap();
        fs::write(to.join(name), bytes).unwrap();
    }
}

/// In the order of the payload, the first has what is in front of a gap, and the second what is behind it.
#[test]
fn what_does_not_suffice_changes_nothing_in_the_store() {
    let twice = Twice::new();
    let first = twice.first.carry();
    let site = Site::default();
    site.receive(&[first.volume(1)]);
    let before = site.content();
    let report = site.receive(&twice.second.volumes[1..]);
    assert_eq!(only(&report).state, ProgressState::NeedsVolumes);
    assert_eq!(site.content(), before);
    assert_eq!(status(&site.store).unwrap().incoming.len(), 2);
    // A volume with the gap completes both.
    site.receive(&[first.volume(2)]);
    site.assert_same(&twice.first);
    assert!(status(&site.store).unwrap().incoming.is_empty());
}

/// Packs a release twice, into `first` and `second`. Returns the volumes that are left of both.
fn left_of_two(stage: &mut Stage) -> (Vec<PathBuf>, Vec<PathBuf>) {
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/it"), noise(3, 7_800_000)).unwrap();
    stage.run(&words("add shop:1.0 given/it")).ends_with(0);
    for (to, media) in [("first", "7.4MB"), ("second", "8.7MB")] {
        let pack = format!("pack shop:1.0 --to {to} --media {media} --spare 0 --local 0");
        stage.run(&words(&pack)).ends_with(0);
    }
    let (mut first, mut second) = (
        volumes(&stage.path("first")),
        volumes(&stage.path("second")),
    );
    assert_eq!((first.len(), second.len()), (3, 2));
    first.pop();
    second.remove(0);
    (first, second)
}

fn receive(volumes: &[PathBuf]) -> Vec<String> {
    let volumes = volumes.iter().map(|path| path.to_str().unwrap().to_owned());
    ["receive".to_owned()].into_iter().chain(volumes).collect()
}

#[test]
fn killed_at_any_instant() {
    let mut stage = Stage::new();
    let (first, second) = left_of_two(&mut stage);
    stage.store = "site";
    stage.run(&receive(&first)).ends_with(4);
    stage.copy("site", "before");
    let command = receive(&second);
    let run = stage.run(&command).ends_with(0);
    assert!(
        run.stdout.contains("together with what came of set"),
        "{run:#?}"
    );
    stage.copy("before", "site");
    let kills = Kills::timed(&stage, &command, 11, 6);
    kills.of(
        &stage,
        &command,
        || stage.copy("before", "site"),
        |round| {
            stage.store_is_well();
            stage.run(&command).ends_with(0);
            stage.run(&words("status")).ends_with(0);
            let spool = fs::read_dir(stage.path("site/incoming")).unwrap();
            assert_eq!(spool.count(), 0, "no spool is left");
            if round % 4 == 0 {
                stage.comes_back("shop:1.0", "given");
            }
        },
    );
}

#[test]
fn too_little_room_is_said_and_nothing_is_lost() {
    const MB: u64 = 1_000_000;
    let mut stage = Stage::new();
    let Some(disk) = Disk::new(&stage, "disk", 60 * MB) else {
        return;
    };
    let (first, second) = left_of_two(&mut stage);
    stage.store = "disk/store";
    stage.run(&receive(&first)).ends_with(4);
    // Room for the volumes, and not for the releases.
    let volumes = first.iter().chain(&second);
    let bytes: u64 = volumes
        .flat_map(|volume| files_below(volume).into_values())
        .map(|file| file.len() as u64)
        .sum();
    disk.resize(bytes + MB);
    let command = receive(&second);
    stage.run(&command).fails_with(1, &["free, and ", "needed"]);
    stage.store_is_well();
    assert_eq!(visible(&stage.path("disk/store/incoming")).len(), 2);
    disk.resize(60 * MB);
    stage.run(&command).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}
