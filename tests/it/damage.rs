//! Damage on whole journeys: a release is packed, its volumes are hurt, and what verify, repair and receive say and do
//! about it is compared with what was packed. Each kind of damage comes within redundancy and beyond it.

use crate::testkit::packed;
use crate::testkit::properties::cases;

use std::fs::{self, OpenOptions};
use std::sync::OnceLock;

use carryall::base::monitor::Silent;
use carryall::ops::media::repair::{RepairOptions, repair};
use carryall::ops::media::verify::SetState;
use carryall::ops::receive::ProgressState;
use carryall::volumes::block::{BLOCK_BYTES, HEADER_BYTES, ParityCodec};
use carryall::volumes::media::Carrier;
use packed::{Carried, Packed, Shape, Site, assert_all_complete, assert_complete, files_below};
use proptest::prelude::*;
use tempfile::TempDir;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// The set that most tests hurt: four data volumes or so, two spares.
fn set() -> &'static Packed {
    static SET: OnceLock<Packed> = OnceLock::new();
    SET.get_or_init(|| {
        let set = Shape::default().pack();
        let header = set.geometry.header();
        assert!(
            header.data_volumes >= 3 && header.spare_volumes == 2,
            "{header:?}"
        );
        assert!(
            header.local_parity > 0 && set.geometry.group_count() > 0,
            "{header:?}"
        );
        set
    })
}

/// The same as images.
fn images() -> Option<&'static Packed> {
    static SET: OnceLock<Option<Packed>> = OnceLock::new();
    let there = std::process::Command::new("xorriso")
        .arg("--version")
        .output()
        .is_ok();
    assert!(
        there || std::env::var_os("CI").is_none(),
        "xorriso is needed on CI"
    );
    let pack = || {
        there.then(|| {
            Shape {
                carrier: Carrier::Iso,
                ..Shape::default()
            }
            .pack()
        })
    };
    SET.get_or_init(pack).as_ref()
}

/// All volumes but these.
fn others(packed: &Packed, gone: &[u16]) -> Vec<u16> {
    (1..=packed.volume_count())
        .filter(|no| !gone.contains(no))
        .collect()
}

/// The first `p` places of every local group, drawn a little apart on each volume.
fn what_local_parity_bears(packed: &Packed, volume_no: u16) -> Vec<u32> {
    let geometry = &packed.geometry;
    let parity = usize::from(geometry.header().local_parity);
    let of_group = |group: u32| {
        let skip = (group as usize + usize::from(volume_no)) % 5;
        geometry
            .group_places(group)
            .skip(skip)
            .step_by(2)
            .take(parity)
            .collect::<Vec<u32>>()
    };
    (0..geometry.group_count()).flat_map(of_group).collect()
}

/// Checks that what is left suffices: verify says so, repair writes `broken` as they were, receive takes the release in.
fn assert_within(hurt: &Carried<'_>, state: SetState, broken: &[u16]) {
    let packed = hurt.packed;
    let verdict = hurt.verify();
    assert_eq!(verdict.state, state, "{:?}", verdict.volumes);
    assert!(
        verdict.needs.complete && verdict.lost_items.is_empty(),
        "{:?}",
        verdict.needs
    );
    let not_whole = verdict
        .volumes
        .iter()
        .filter(|each| each.outcome.present_blocks < each.blocks);
    let not_whole: Vec<u16> = not_whole.map(|each| each.outcome.volume_no).collect();
    assert_eq!(not_whole, broken);
    assert_eq!(repaired(hurt), broken);

    let site = Site::default();
    let progress = site.receive_set(&hurt.paths(), packed);
    assert_complete(&progress);
    assert_eq!(progress.committed[0].name, packed.release);
    site.assert_sound();
    site.assert_same(packed);
    let again = site.receive_set(&hurt.paths(), packed);
    assert_eq!(again.state, ProgressState::AlreadyHere);
}

/// Repairs, compares every volume that was written with what was packed, and returns the numbers of this set's.
fn repaired(hurt: &Carried<'_>) -> Vec<u16> {
    let packed = hurt.packed;
    let carrier = if hurt.volume(1).extension().is_some_and(|end| end == "iso") {
        Carrier::Iso
    } else {
        Carrier::Folders
    };
    let out = TempDir::new().unwrap();
    let options = RepairOptions::default();
    let report = repair(&hurt.paths(), out.path(), carrier, &options, &Silent).unwrap();
    let Some(set) = report
        .sets
        .iter()
        .find(|set| set.set_id == packed.report.set_id)
    else {
        return Vec::new();
    };
    let written = files_below(out.path());
    for (volume_no, path) in &set.rebuilt {
        assert_eq!(path.file_name().unwrap(), packed.volume_name(*volume_no));
        let volume = packed.volume_name(*volume_no);
        let files = written.iter().filter(|(name, _)| name.starts_with(&volume));
        let files = files
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect();
        assert!(
            packed.files_of(*volume_no) == files,
            "volume {volume_no} is not as it was"
        );
    }
    let rebuilt: Vec<u16> = set
        .rebuilt
        .iter()
        .map(|(volume_no, _)| *volume_no)
        .collect();
    assert!(
        set.not_recoverable
            .iter()
            .all(|volume_no| !rebuilt.contains(volume_no))
    );
    rebuilt
}

/// What is to be said of a set of which too much is gone.
struct Beyond<'a> {
    state: SetState,
    /// Volumes not at hand.
    any_of: &'a [u16],
    at_least: Option<u16>,
    /// Volumes at hand that miss what nothing brings back.
    damaged: &'a [u16],
    /// Volumes that have lost all they had.
    lost: &'a [u16],
    /// Volumes that, found again, make it whole.
    help: &'a [u16],
}

impl<'a> Beyond<'a> {
    /// One volume more is gone than there are spares.
    fn gone(volumes: &'a [u16], help: &'a [u16]) -> Self {
        Self {
            state: SetState::NeedsVolumes,
            any_of: volumes,
            at_least: Some(1),
            damaged: &[],
            lost: volumes,
            help,
        }
    }

    /// All volumes are at hand, and these miss what nothing brings back.
    fn damaged(volumes: &'a [u16], help: &'a [u16]) -> Self {
        Self {
            state: SetState::Lost,
            any_of: &[],
            at_least: None,
            damaged: volumes,
            lost: volumes,
            help,
        }
    }
}

/// Checks that too much is gone, that it is said exactly what, that nothing is changed by it, and that `help` helps.
fn assert_beyond(hurt: &Carried<'_>, beyond: &Beyond<'_>) {
    let packed = hurt.packed;
    let verdict = hurt.verify();
    let needs = &verdict.needs;
    assert_eq!(verdict.state, beyond.state, "{needs:?}");
    assert_eq!(
        (&needs.any_of[..], needs.at_least),
        (beyond.any_of, beyond.at_least),
        "{needs:?}"
    );
    assert_eq!(
        (needs.complete, &needs.damaged[..]),
        (false, beyond.damaged)
    );
    assert_eq!(verdict.lost_items, packed.items_on(beyond.lost));
    assert!(!verdict.lost_items.is_empty());
    assert!(
        beyond
            .lost
            .iter()
            .all(|lost| !repaired(hurt).contains(lost))
    );

    let site = Site::default();
    let other = site.dir.path().join("other.txt");
    fs::write(&other, "was here before").unwrap();
    carryall::ops::add::add(
        &site.store,
        &"other:1".parse().unwrap(),
        &[other],
        &carryall::ops::add::AddOptions::default(),
        &Silent,
    )
    .unwrap();
    let before = site.content();
    let progress = site.receive_set(&hurt.paths(), packed);
    let expected = match beyond.state {
        SetState::NeedsVolumes => ProgressState::NeedsVolumes,
        _ => ProgressState::Damaged,
    };
    assert_eq!(progress.state, expected);
    assert_eq!(progress.needs, *needs);
    if expected == ProgressState::Damaged {
        assert_eq!(progress.lost_items, verdict.lost_items);
    }
    assert!(progress.committed.is_empty());
    assert_eq!(site.releases(), ["other:1"]);
    assert!(
        site.content() == before,
        "an incomplete set changed the store"
    );
    site.assert_sound();
    let status = carryall::ops::receive::status(&site.store).unwrap();
    let waiting = status
        .incoming
        .iter()
        .find(|set| set.set_id == packed.report.set_id)
        .unwrap();
    assert_eq!((waiting.state, &waiting.needs), (expected, needs));

    let more = packed.carry();
    for volume_no in others(packed, beyond.help) {
        more.lose(volume_no);
    }
    let progress = site.receive_set(&more.paths(), packed);
    assert_complete(&progress);
    site.assert_same(packed);
    site.assert_sound();
}

#[test]
fn nothing_is_said_of_what_is_whole() {
    assert_within(&set().carry(), SetState::Whole, &[]);
}

#[test]
fn lost_volumes() {
    let packed = set();
    let last = packed.volume_count();
    for (gone, state) in [
        (vec![1], SetState::Recoverable),
        (vec![2, last], SetState::Recoverable),
        (vec![1, 2], SetState::Recoverable),
        (vec![last - 1, last], SetState::DataWhole),
    ] {
        let hurt = packed.carry_without(&gone);
        assert_within(&hurt, state, &gone);
    }
}

#[test]
fn lost_volumes_beyond() {
    let packed = set();
    let last = packed.volume_count();
    for (gone, lost) in [
        (vec![1, 2, 3], vec![1, 2, 3]),
        (vec![2, last - 1, last], vec![2]),
    ] {
        let hurt = packed.carry_without(&gone);
        let beyond = Beyond {
            lost: &lost,
            ..Beyond::gone(&gone, &gone[1..2])
        };
        assert_beyond(&hurt, &beyond);
    }
    let hurt = packed.carry_without(&others(packed, &[1]));
    let needs = hurt.verify().needs;
    assert_eq!(
        needs.at_least,
        Some(packed.geometry.header().data_volumes - 1)
    );
}

#[test]
fn bursts() {
    let packed = set();
    let blocks = packed.geometry.volume_blocks();
    for gone in [&[][..], &[1]] {
        let hurt = packed.carry_without(gone);
        let burst = packed
            .geometry
            .burst_blocks(u16::try_from(gone.len()).unwrap());
        assert!(burst > 1 && burst < blocks);
        for volume_no in others(packed, gone) {
            let first = u32::from(volume_no) * 17 % (blocks - burst);
            hurt.spoil(volume_no, first..first + burst);
        }
        assert_within(&hurt, SetState::Recoverable, &others(packed, &[]));
    }
    // A volume alone, all others out of sight: what was read of it is all there.
    let hurt = packed.carry_without(&others(packed, &[2]));
    let burst = packed.geometry.local_burst_blocks();
    hurt.spoil(2, 11..11 + burst);
    let outcome = hurt.verify().volumes[1].outcome;
    assert_eq!(
        (
            outcome.local_blocks + outcome.copied_blocks,
            outcome.missing_blocks
        ),
        (burst, 0)
    );
}

#[test]
fn bursts_beyond() {
    let packed = set();
    let hurt = packed.carry();
    [1, 2, 3].into_iter().for_each(|no| hurt.ruin(no));
    assert_beyond(&hurt, &Beyond::damaged(&[1, 2, 3], &[3]));
}

#[test]
fn scattered_bad_blocks() {
    let packed = set();
    let hurt = packed.carry();
    for volume_no in others(packed, &[3]) {
        // One byte of each, or the whole block.
        let places = what_local_parity_bears(packed, volume_no);
        hurt.overwrite(
            volume_no,
            places,
            31_337,
            if volume_no % 2 == 0 { 1 } else { 9000 },
        );
    }
    hurt.lose(3);
    let healed = hurt.verify();
    assert!(
        healed
            .volumes
            .iter()
            .all(|each| each.spare || each.damaged_blocks > 0 || !each.at_hand)
    );
    assert_within(&hurt, SetState::Recoverable, &others(packed, &[]));
}

#[test]
fn scattered_bad_blocks_beyond() {
    let packed = set();
    let hurt = packed.carry();
    // Two blocks of three everywhere: no group and no stripe can be solved, but much is still whole.
    for volume_no in others(packed, &[]) {
        let blocks = 1..packed.geometry.volume_blocks();
        hurt.spoil(
            volume_no,
            blocks.filter(|no| (no + u32::from(volume_no)) % 3 > 0),
        );
    }
    let all = others(packed, &[]);
    let data: Vec<u16> = (1..=packed.geometry.header().data_volumes).collect();
    let beyond = Beyond {
        lost: &data,
        ..Beyond::damaged(&all, &data)
    };
    assert_beyond(&hurt, &beyond);
}

fn cut_tail(hurt: &Carried<'_>, volume_no: u16, blocks: u32, zero_filled: bool) {
    let file = OpenOptions::new()
        .write(true)
        .open(hurt.volume_file(volume_no))
        .unwrap();
    let bytes = file.metadata().unwrap().len();
    // Not on a block's edge.
    file.set_len(bytes - u64::from(blocks) * BLOCK + 1000)
        .unwrap();
    if zero_filled {
        file.set_len(bytes).unwrap();
    }
}

#[test]
fn truncated_and_zero_filled_tails() {
    let packed = set();
    for zero_filled in [false, true] {
        let hurt = packed.carry();
        for volume_no in [1, 3] {
            cut_tail(
                &hurt,
                volume_no,
                packed.geometry.local_burst_blocks(),
                zero_filled,
            );
        }
        cut_tail(&hurt, 2, packed.geometry.volume_blocks() / 2, zero_filled);
        assert_within(&hurt, SetState::Recoverable, &[1, 2, 3]);
    }
}

#[test]
fn truncated_and_zero_filled_tails_beyond() {
    let packed = set();
    for zero_filled in [false, true] {
        let hurt = packed.carry();
        for volume_no in [1, 2, 3] {
            cut_tail(
                &hurt,
                volume_no,
                packed.geometry.volume_blocks() - 1,
                zero_filled,
            );
        }
        assert_beyond(&hurt, &Beyond::damaged(&[1, 2, 3], &[1]));
    }
}

fn swap(hurt: &Carried<'_>, one: u16, other: u16) {
    let aside = hurt.root().join("aside");
    fs::rename(hurt.volume_file(one), &aside).unwrap();
    fs::rename(hurt.volume_file(other), hurt.volume_file(one)).unwrap();
    fs::rename(&aside, hurt.volume_file(other)).unwrap();
}

#[test]
fn swapped_names() {
    let packed = set();
    let hurt = packed.carry();
    swap(&hurt, 1, 2);
    swap(&hurt, 3, packed.volume_count());
    assert_within(&hurt, SetState::Whole, &[]);
    let hurt = packed.carry();
    swap(&hurt, 1, 2);
    // The folder of volume 1 holds what volume 2 has.
    hurt.lose(1);
    assert_within(&hurt, SetState::Recoverable, &[2]);
}

#[test]
fn swapped_names_beyond() {
    let packed = set();
    let last = packed.volume_count();
    let hurt = packed.carry();
    swap(&hurt, 1, last);
    [1, 2, 3].into_iter().for_each(|no| hurt.lose(no));
    let gone = [2, 3, last];
    let beyond = Beyond {
        lost: &[2, 3],
        ..Beyond::gone(&gone, &gone[2..])
    };
    assert_beyond(&hurt, &beyond);
}

/// Puts every file of `from` into one folder, under names that say nothing.
fn flatten(from: &Carried<'_>) {
    let flat = from.root().join("flat");
    fs::create_dir(&flat).unwrap();
    for (number, (name, bytes)) in files_below(from.root()).iter().enumerate() {
        if bytes.len() >= BLOCK_BYTES {
            fs::write(
                flat.join(format!("{}.jpg", 7919 * (number + 3) % 1000)),
                bytes,
            )
            .unwrap();
        }
        fs::remove_file(from.root().join(name)).unwrap();
    }
}

#[test]
fn flattened_under_names_that_say_nothing() {
    let packed = set();
    let hurt = packed.carry();
    flatten(&hurt);
    assert_within(&hurt, SetState::Whole, &[]);
    let hurt = packed.carry();
    hurt.lose(2);
    hurt.spoil(1, 5..5 + packed.geometry.local_burst_blocks());
    flatten(&hurt);
    assert_within(&hurt, SetState::Recoverable, &[1, 2]);
}

#[test]
fn flattened_under_names_that_say_nothing_beyond() {
    let hurt = set().carry_without(&[1, 2, 3]);
    flatten(&hurt);
    assert_beyond(&hurt, &Beyond::gone(&[1, 2, 3], &[2]));
}

#[test]
fn two_sets_in_one_folder() {
    let one = set();
    let other = Shape {
        release: "till:7@arm64",
        seed: 2,
        spare: 1,
        ..Shape::default()
    }
    .pack();
    let hurt = one.carry_without(&[1, 2]);
    let second = other.carry();
    second.lose(1);
    copy_into(&second, &hurt);
    flatten(&hurt);
    assert_within(&hurt, SetState::Recoverable, &[1, 2]);
    let site = Site::default();
    let report = site.receive(&hurt.paths());
    assert_all_complete(&report);
    assert_eq!(site.releases(), ["shop:1.0", "till:7@arm64"]);
    site.assert_same(one);
    site.assert_same(&other);
}

#[test]
fn two_sets_in_one_folder_beyond() {
    let one = set();
    let other = Shape {
        release: "till:7@arm64",
        seed: 2,
        spare: 1,
        ..Shape::default()
    }
    .pack();
    // Each has what the other lacks by number, and that is no help.
    let hurt = one.carry_without(&[1, 2, 3]);
    let second = other.carry();
    for volume_no in 3..=other.volume_count() {
        second.lose(volume_no);
    }
    copy_into(&second, &hurt);
    assert_beyond(&hurt, &Beyond::gone(&[1, 2, 3], &[1]));
}

fn copy_into(from: &Carried<'_>, to: &Carried<'_>) {
    for (name, bytes) in files_below(from.root()) {
        fs::create_dir_all(to.root().join(&name).parent().unwrap()).unwrap();
        fs::write(to.root().join(name), bytes).unwrap();
    }
}

#[test]
fn a_stale_volume_among_them() {
    let packed = set();
    // The release as it was before: the same name, one item other than now.
    let older = Shape {
        items: &[2_500_000, 2_500_000, 2_400_000],
        ..Shape::default()
    }
    .pack();
    assert_eq!(older.release, packed.release);
    let stale = older.carry_without(&others(&older, &[2]));

    let hurt = packed.carry_without(&[2, 3]);
    copy_into(&stale, &hurt);
    assert_within(&hurt, SetState::Recoverable, &[2, 3]);

    let hurt = packed.carry_without(&[1, 2, 3]);
    copy_into(&stale, &hurt);
    assert_beyond(&hurt, &Beyond::gone(&[1, 2, 3], &[2]));
}

#[test]
fn block_headers() {
    let packed = set();
    let hurt = packed.carry();
    for volume_no in others(packed, &[]) {
        let places = what_local_parity_bears(packed, volume_no);
        hurt.overwrite(volume_no, places, 0, HEADER_BYTES);
    }
    assert_within(&hurt, SetState::Recoverable, &others(packed, &[]));
    // Every header of two volumes: as good as not there.
    let hurt = packed.carry();
    for volume_no in [1, 2] {
        hurt.overwrite(volume_no, 0..packed.geometry.volume_blocks(), 0, 4);
    }
    assert_within(&hurt, SetState::Recoverable, &[1, 2]);
}

#[test]
fn block_headers_beyond() {
    let packed = set();
    let hurt = packed.carry();
    for volume_no in [1, 2, 3] {
        hurt.overwrite(volume_no, 0..packed.geometry.volume_blocks(), 20, 16);
    }
    assert_beyond(&hurt, &Beyond::gone(&[1, 2, 3], &[3]));
}

#[test]
fn all_superblocks() {
    let packed = set();
    let superblocks = packed.geometry.superblocks();
    let hurt = packed.carry();
    hurt.spoil(2, superblocks);
    assert_within(&hurt, SetState::DataWhole, &[2]);
    // Of every volume: the catalog's first block says the same.
    let hurt = packed.carry();
    others(packed, &[])
        .iter()
        .for_each(|no| hurt.spoil(*no, superblocks));
    assert_within(&hurt, SetState::DataWhole, &others(packed, &[]));
    // That block too: local parity brings it back.
    let hurt = packed.carry();
    for volume_no in others(packed, &[]) {
        hurt.spoil(volume_no, superblocks);
        hurt.spoil(volume_no, [packed.geometry.catalog_place(0)]);
    }
    assert_within(&hurt, SetState::DataWhole, &others(packed, &[]));
}

#[test]
fn all_superblocks_beyond() {
    let packed = set();
    let hurt = packed.carry_without(&[1, 2, 3]);
    others(packed, &[1, 2, 3])
        .iter()
        .for_each(|no| hurt.spoil(*no, packed.geometry.superblocks()));
    assert_beyond(&hurt, &Beyond::gone(&[1, 2, 3], &[1]));
}

fn catalog_places(packed: &Packed) -> Vec<u32> {
    (0..packed.geometry.catalog_blocks())
        .map(|index| packed.geometry.catalog_place(index))
        .collect()
}

#[test]
fn the_catalog_on_all_volumes_but_one() {
    let packed = set();
    let last = packed.volume_count();
    for kept in [1, last] {
        let hurt = packed.carry();
        let hit = others(packed, &[kept]);
        hit.iter()
            .for_each(|no| hurt.spoil(*no, catalog_places(packed)));
        assert_within(&hurt, SetState::DataWhole, &hit);
    }
    // On all of them, as far as local parity goes: one block of it each.
    let hurt = packed.carry();
    let index = packed.geometry.catalog_blocks() - 1;
    others(packed, &[])
        .iter()
        .for_each(|no| hurt.spoil(*no, [packed.geometry.catalog_place(index)]));
    assert_within(&hurt, SetState::DataWhole, &others(packed, &[]));
}

#[test]
fn the_catalog_on_all_volumes_and_too_much_around_it() {
    let packed = set();
    let blocks = packed.geometry.volume_blocks();
    let hurt = packed.carry();
    hurt.lose(2);
    // No volume keeps a catalog block or what would bring one back; all payload is there.
    let group = packed.geometry.group_of(packed.geometry.catalog_place(1));
    for volume_no in others(packed, &[2]) {
        let keep = |no: &u32| packed.geometry.group_of(*no) != group;
        let data = packed.geometry.protected_blocks();
        hurt.spoil(volume_no, (data..blocks).filter(|no| !keep(no)));
        hurt.spoil(volume_no, [packed.geometry.catalog_place(1)]);
    }
    let verdict = hurt.verify();
    assert_eq!(verdict.state, SetState::NeedsVolumes);
    assert_eq!(
        (&verdict.needs.any_of[..], verdict.needs.at_least),
        (&[2][..], Some(1))
    );
    let site = Site::default();
    let before = site.content();
    let progress = site.receive_set(&hurt.paths(), packed);
    assert_eq!(
        (progress.state, progress.needs),
        (ProgressState::NeedsVolumes, verdict.needs)
    );
    assert!(site.content() == before);
    hurt.find_again(&[2]);
    let progress = site.receive_set(&[hurt.volume(2)], packed);
    assert_eq!(progress.state, ProgressState::Complete);
    site.assert_same(packed);
}

fn zero_front(hurt: &Carried<'_>, volume_no: u16, bytes: usize) {
    use std::os::unix::fs::FileExt;
    let file = OpenOptions::new()
        .write(true)
        .open(hurt.volume(volume_no))
        .unwrap();
    file.write_all_at(&vec![0; bytes], 0).unwrap();
}

#[test]
fn images_whose_file_system_is_destroyed() {
    let Some(packed) = images() else { return };
    let hurt = packed.carry();
    assert_within(&hurt, SetState::Whole, &[]);
    let hurt = packed.carry();
    for volume_no in [1, 2] {
        zero_front(&hurt, volume_no, 1 << 20);
    }
    assert_within(&hurt, SetState::Recoverable, &[1, 2]);
    // Nothing but the file system: every block is still there.
    let hurt = packed.carry();
    for volume_no in others(packed, &[]) {
        zero_front(&hurt, volume_no, 64 * 1024);
    }
    assert_within(&hurt, SetState::Whole, &[]);
}

#[test]
fn images_whose_file_system_is_destroyed_beyond() {
    let Some(packed) = images() else { return };
    let hurt = packed.carry();
    for volume_no in [1, 2] {
        hurt.lose(volume_no);
    }
    let bytes = fs::metadata(hurt.volume(3)).unwrap().len();
    zero_front(&hurt, 3, usize::try_from(bytes).unwrap());
    assert_beyond(&hurt, &Beyond::gone(&[1, 2, 3], &[2]));
}

#[test]
fn two_damaged_copies_of_one_volume() {
    let packed = set();
    let half = packed.geometry.volume_blocks() / 2;
    let hurt = packed.carry();
    // As many volumes gone as there are spares, so that all of volume 3 is needed.
    [1, 2].into_iter().for_each(|no| hurt.lose(no));
    hurt.spoil(3, 1..half);
    let needs = hurt.verify().needs;
    assert_eq!((&needs.any_of[..], needs.at_least), (&[1, 2][..], Some(1)));
    assert_eq!(needs.damaged, [3]);
    let copy = packed.carry();
    copy.spoil(3, half..packed.geometry.volume_blocks());
    fs::rename(copy.volume(3), hurt.root().join("second copy")).unwrap();
    assert_within(&hurt, SetState::Recoverable, &[1, 2]);
    // One after the other, the first being gone by then.
    let site = Site::default();
    fs::rename(hurt.root().join("second copy"), copy.root().join("back")).unwrap();
    let progress = site.receive_set(&hurt.paths(), packed);
    assert_eq!(
        (progress.state, progress.needs),
        (ProgressState::NeedsVolumes, needs)
    );
    let progress = site.receive_set(&[copy.root().join("back")], packed);
    assert_eq!(progress.state, ProgressState::Complete);
    site.assert_same(packed);
}

#[test]
fn two_damaged_copies_of_one_volume_beyond() {
    let packed = set();
    let hurt = packed.carry_without(&[1, 2]);
    // Both copies are damaged at the same places.
    let copy = packed.carry();
    for damaged in [&hurt, &copy] {
        damaged.ruin(3);
    }
    fs::rename(copy.volume(3), hurt.root().join("second copy")).unwrap();
    let beyond = Beyond {
        state: SetState::NeedsVolumes,
        any_of: &[1, 2],
        at_least: Some(1),
        damaged: &[3],
        lost: &[1, 2, 3],
        help: &[2],
    };
    assert_beyond(&hurt, &beyond);
}

#[test]
fn an_item_that_lost_nothing_is_not_named() {
    let packed = set();
    let all = packed.items_on(&others(packed, &[]));
    let hurt = packed.carry();
    // The volume that holds the end of the payload, and both spares.
    let data = packed.geometry.header().data_volumes;
    let last = packed.volume_count();
    [data, last - 1, last]
        .into_iter()
        .for_each(|no| hurt.ruin(no));
    let lost = packed.items_on(&[data]);
    assert!(
        !lost.is_empty() && lost.len() < all.len(),
        "{lost:?} of {all:?}"
    );
    let verdict = hurt.verify();
    assert_eq!(
        verdict.needs.damaged.first(),
        Some(&data),
        "{:?}",
        verdict.needs
    );
    assert_eq!(verdict.lost_items, lost);
    let progress = Site::default().receive_set(&hurt.paths(), packed);
    assert_eq!(
        (progress.state, &progress.lost_items),
        (ProgressState::Damaged, &lost)
    );
}

/// A set and what happens to it, drawn from few numbers.
#[derive(Debug, Clone)]
struct Fate {
    seed: u64,
    blocks: u64,
    spare: u16,
    local: f64,
    gf8: bool,
    flat: bool,
    /// Volumes lost, unless the set bears fewer.
    lost: u16,
    order: Vec<u32>,
    beyond: bool,
}

fn fates() -> impl Strategy<Value = Fate> {
    let order = proptest::collection::vec(any::<u32>(), 12);
    (
        any::<u64>(),
        48_u64..90,
        0_u16..4,
        0.0..30.0,
        any::<(bool, bool, bool)>(),
        0_u16..4,
        order,
    )
        .prop_map(
            |(seed, blocks, spare, local, (gf8, flat, beyond), lost, order)| Fate {
                seed: seed % 1000,
                blocks,
                spare,
                local: if local < 4.0 { 0.0 } else { local },
                gf8,
                flat,
                lost,
                order,
                beyond,
            },
        )
}

impl Fate {
    fn draw(&self, at: u16, below: u32) -> u32 {
        self.order[usize::from(at) % self.order.len()] % below.max(1)
    }

    /// Volumes in an order of its own.
    fn shuffled(&self, volumes: u16) -> Vec<u16> {
        let mut all: Vec<u16> = (1..=volumes).collect();
        all.sort_by_key(|no| self.draw(*no, u32::MAX));
        all
    }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn within_the_guarantee_all_comes_back_and_beyond_it_is_said_what_is_missing(fate in fates()) {
        let shape = Shape {
            seed: fate.seed,
            items: &[1_300_000, 900_000, 1_700_000],
            blocks: fate.blocks,
            spare: fate.spare,
            local: fate.local,
            codec: if fate.gf8 { ParityCodec::Gf8 } else { ParityCodec::Gf16 },
            ..Shape::default()
        };
        let packed = shape.pack();
        let volumes = packed.volume_count();
        let spares = packed.geometry.header().spare_volumes;
        let hurt = packed.carry();
        let mut lost = fate.lost.min(spares);
        if fate.beyond {
            lost = (spares + 1 + fate.lost % 2).min(volumes);
        }
        let gone = &fate.shuffled(volumes)[..usize::from(lost)];
        let data_gone = gone.iter().any(|no| packed.geometry.is_data_volume(*no));
        gone.iter().for_each(|no| hurt.lose(*no));
        // The printed guarantee, in bytes, from anywhere on: not only on a block's edge.
        let plan = &packed.report.plan;
        let burst = match lost {
            0 => plan.burst_everywhere_bytes,
            lost if lost == spares => plan.burst_alone_bytes,
            _ => 0,
        };
        for volume_no in others(&packed, gone) {
            let room = u64::from(packed.geometry.volume_blocks()) * BLOCK - burst;
            let at = u64::from(fate.draw(volume_no, u32::MAX)) % (room + 1);
            hurt.overwrite(volume_no, [0], at, usize::try_from(burst).unwrap());
        }
        if fate.flat {
            flatten(&hurt);
        }

        let site = Site::default();
        let before = site.content();
        if gone.len() == usize::from(volumes) {
            prop_assert!(carryall::ops::receive::receive(&site.store, &hurt.paths(), &Silent).is_err());
            prop_assert!(site.content() == before);
            return Ok(());
        }
        let progress = site.receive_set(&hurt.paths(), &packed);
        if !fate.beyond || !data_gone && burst == 0 {
            prop_assert_eq!(progress.state, ProgressState::Complete, "{:?} {:?}", progress.needs, packed.geometry);
            site.assert_same(&packed);
            site.assert_sound();
        } else {
            prop_assert_eq!(progress.state, ProgressState::NeedsVolumes);
            let mut missing = gone.to_vec();
            missing.sort_unstable();
            prop_assert_eq!(&progress.needs.any_of, &missing);
            prop_assert!(progress.needs.at_least.is_some_and(|least| least >= 1 && least <= lost));
            prop_assert!(!progress.needs.ask_for.is_empty());
            prop_assert!(site.content() == before);
            prop_assert!(site.releases().is_empty());
            // What was asked for is enough.
            let more = packed.carry();
            others(&packed, &progress.needs.ask_for).iter().for_each(|no| more.lose(*no));
            let progress = site.receive_set(&more.paths(), &packed);
            prop_assert_eq!(progress.state, ProgressState::Complete);
            site.assert_same(&packed);
        }
    }
}
