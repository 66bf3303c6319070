//! Property: what assessment promises is what healing does, byte for byte, and every guarantee holds.

use crate::testkit::packed::{files_below, medium_for, noise};
use crate::testkit::properties::cases;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Cursor, Read};
use std::os::unix::fs::FileExt;

use carryall::base::monitor::Silent;
use carryall::volumes::block::{BlockSize, ParityCodec};
use carryall::volumes::geometry::Geometry;
use carryall::volumes::media::{Carrier, ReadBack};
use carryall::volumes::read_media::read_media;
use carryall::volumes::recovery::{Presence, RecoveryGoal, needs, recover};
use carryall::volumes::slices::{SLICE_BYTES, count_of};
use carryall::volumes::{
    Blocks, SetContent, SetPlan, SetRequest, VolumeForm, discover, plan, rebuild, write,
};
use proptest::prelude::*;

const FOLDERS: VolumeForm = VolumeForm {
    carrier: Carrier::Folders,
    limit_bytes: None,
    read_back: ReadBack::Removable,
};

#[derive(Debug, Clone)]
struct Shape {
    piece_bytes: Vec<u64>,
    blocks: u64,
    catalog_bytes: u64,
    spare: u16,
    local: f64,
    gf8: bool,
    small: bool,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let pieces = proptest::collection::vec(1_u64..250_000, 1..24);
    (
        pieces,
        18_u64..48,
        1_u64..200_000,
        0_u16..4,
        0.0..40.0,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(piece_bytes, blocks, catalog_bytes, spare, local, gf8, small)| Shape {
                piece_bytes,
                blocks,
                catalog_bytes,
                spare,
                local: if local < 5.0 { 0.0 } else { local },
                gf8,
                small,
            },
        )
}

impl Shape {
    fn piece(&self, piece_no: usize) -> Vec<u8> {
        let bytes = usize::try_from(self.piece_bytes[piece_no]).unwrap();
        noise(piece_no as u64, bytes)
    }

    fn plan(&self) -> SetPlan {
        plan(&SetRequest {
            piece_bytes: &self.piece_bytes,
            catalog_bytes: self.catalog_bytes,
            capacity: medium_for(self.blocks, Carrier::Folders),
            carrier: Carrier::Folders,
            spare: Some(self.spare),
            local_percent: Some(self.local),
            codec: if self.gf8 {
                ParityCodec::Gf8
            } else {
                ParityCodec::Gf16
            },
            block_size: Some(if self.small {
                BlockSize::Small
            } else {
                BlockSize::Full
            }),
        })
        .unwrap()
    }
}

fn full(geometry: &Geometry) -> Presence {
    let mut presence = Presence::new(geometry);
    (1..=geometry.volume_count()).for_each(|volume_no| presence.add_volume(volume_no));
    presence
}

fn lose_volumes(
    geometry: &Geometry,
    presence: &mut Presence,
    order: &[u32],
    count: u16,
) -> Vec<u16> {
    let mut volumes: Vec<u16> = (1..=geometry.volume_count()).collect();
    volumes.sort_by_key(|no| order[usize::from(*no) % order.len()]);
    let gone = volumes[..usize::from(count)].to_vec();
    for volume_no in &gone {
        (0..geometry.volume_blocks()).for_each(|block_no| {
            presence.remove((*volume_no, block_no));
        });
    }
    gone
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn every_loss_within_the_guarantees_is_recoverable(
        shape in shapes(), order in proptest::collection::vec(any::<u32>(), 40), lost in 0_u16..4,
    ) {
        let plan = shape.plan();
        let geometry = plan.geometry();
        let spares = geometry.header().spare_volumes;
        // Any M volumes.
        let mut presence = full(geometry);
        lose_volumes(geometry, &mut presence, &order, spares);
        let recovery = recover(geometry, &presence);
        prop_assert!(recovery.payload_complete);
        prop_assert!(recovery.set_complete);
        // Some volumes, and a burst on each of the others.
        let lost = lost.min(spares);
        let mut presence = full(geometry);
        let gone = lose_volumes(geometry, &mut presence, &order, lost);
        let burst = geometry.burst_blocks(lost).min(geometry.volume_blocks());
        for volume_no in (1..=geometry.volume_count()).filter(|no| !gone.contains(no)) {
            let room = geometry.volume_blocks() - burst;
            let first = order[usize::from(volume_no) % order.len()] % (room + 1);
            (first..first + burst).for_each(|block_no| { presence.remove((volume_no, block_no)); });
        }
        prop_assert!(recover(geometry, &presence).payload_complete, "{:?} burst {burst} lost {gone:?}", geometry.header());
        // The same place on every volume is the worst for the catalog.
        let mut presence = full(geometry);
        let burst = geometry.burst_blocks(0);
        for volume_no in 1..=geometry.volume_count() {
            (0..burst).for_each(|block_no| { presence.remove((volume_no, block_no)); });
        }
        prop_assert!(recover(geometry, &presence).payload_complete, "{:?} burst {burst}", geometry.header());
        // One burst heals within its volume, all others gone from sight.
        let mut presence = Presence::new(geometry);
        presence.add_volume(1);
        let burst = geometry.local_burst_blocks();
        let first = order[0] % (geometry.volume_blocks() - burst + 1);
        (first..first + burst).for_each(|block_no| { presence.remove((1, block_no)); });
        let recovery = recover(geometry, &presence);
        prop_assert_eq!(recovery.volumes[0].missing_data_blocks, 0);
    }

    #[test]
    fn a_schedule_builds_on_what_is_there_and_reaches_its_goal(
        shape in shapes(), damage in proptest::collection::vec((any::<u16>(), any::<u32>()), 0..120), gone in any::<u16>(),
    ) {
        let plan = shape.plan();
        let geometry = plan.geometry();
        let mut start = full(geometry);
        lose_volumes(geometry, &mut start, &[u32::from(gone), 7, 3, u32::from(gone) / 3], gone % (geometry.volume_count() + 1));
        for (volume_no, block_no) in damage {
            start.remove((volume_no % geometry.volume_count() + 1, block_no % geometry.volume_blocks()));
        }
        let recovery = recover(geometry, &start);
        let all: Vec<u16> = (1..=geometry.volume_count()).collect();
        for goal in [RecoveryGoal::Payload, RecoveryGoal::Volumes(vec![1]), RecoveryGoal::Volumes(all)] {
            let mut now = start.clone();
            for step in recovery.steps_for(geometry, &start, &goal) {
                let places = step.act.places(geometry);
                let there = places.iter().filter(|place| now.has(**place)).count();
                prop_assert!(there >= step.act.needed(geometry), "{:?}", step.act);
                for place in step.healed {
                    prop_assert!(places.contains(&place));
                    prop_assert!(now.add(place), "healed twice");
                }
            }
            if goal == RecoveryGoal::Payload && recovery.payload_complete {
                prop_assert!(recover(geometry, &now).steps_for(geometry, &now, &goal).is_empty());
            }
        }
        // Some of the payload: every third block of the last data volume.
        let mut part = Presence::new(geometry);
        let last = geometry.header().data_volumes;
        for index in (0..geometry.data_blocks()).step_by(3) {
            part.add((last, geometry.data_place(index)));
        }
        // What is asked for suffices, and less than the least does not: any volumes of that number.
        for goal in [RecoveryGoal::Payload, RecoveryGoal::Part(part)] {
            let needs = needs(geometry, &start, &goal);
            let reached = |more: &Presence| recover(geometry, more).reaches(geometry, &goal);
            prop_assert_eq!(needs.complete, reached(&start));
            prop_assert!(!recovery.payload_complete || needs.complete);
            let Some(least) = needs.at_least else { continue };
            for (count, backwards) in [(least, true), (least, false), (least.saturating_sub(1), true)] {
                let mut volumes = needs.any_of.clone();
                if backwards {
                    volumes.reverse();
                }
                let mut more = start.clone();
                volumes.iter().take(usize::from(count)).for_each(|no| more.add_volume(*no));
                prop_assert!(reached(&more) || count < least, "any {least} of {:?}", needs.any_of);
            }
            let mut more = start.clone();
            needs.ask_for.iter().for_each(|no| more.add_volume(*no));
            prop_assert!(reached(&more), "{needs:?}");
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn what_is_promised_is_healed_byte_for_byte(
        shape in shapes(), damage in proptest::collection::vec((any::<u16>(), any::<u32>(), 1_u32..6), 0..14), gone in 0_u16..3,
        sectors in proptest::collection::vec((any::<u16>(), any::<u32>()), 0..80),
    ) {
        let plan = shape.plan();
        let geometry = plan.geometry().clone();
        let dir = tempfile::tempdir().unwrap();
        let catalog = noise(999, usize::try_from(shape.catalog_bytes).unwrap());
        let content = SetContent { title: "p", releases: &[], created_by: "c", facts: &[], catalog: &catalog };
        let mut open = |piece_no: usize| -> std::io::Result<Box<dyn Read>> {
            Ok(Box::new(Cursor::new(shape.piece(piece_no))))
        };
        let report = write(&plan, &content, &mut open, dir.path(), &Silent).unwrap();
        let before = files_below(dir.path());

        let gone: BTreeSet<u16> = (1..=gone.min(geometry.volume_count() - 1)).collect();
        for volume_no in &gone {
            fs::remove_dir_all(&report.volumes[usize::from(*volume_no) - 1]).unwrap();
        }
        for (volume_no, first, count) in damage {
            let volume_no = volume_no % geometry.volume_count() + 1;
            if gone.contains(&volume_no) {
                continue;
            }
            let carrier = report.volumes[usize::from(volume_no) - 1].join(format!("carry{volume_no:02}.000"));
            let file = OpenOptions::new().write(true).open(carrier).unwrap();
            let first = first % geometry.volume_blocks();
            let end = (first + count).min(geometry.volume_blocks());
            let zeros = vec![0; (end - first) as usize * geometry.block_bytes()];
            file.write_all_at(&zeros, geometry.block_size().offset_of(first)).unwrap();
        }

        for (volume_no, sector) in sectors {
            let volume_no = volume_no % geometry.volume_count() + 1;
            if gone.contains(&volume_no) {
                continue;
            }
            let carrier = report.volumes[usize::from(volume_no) - 1].join(format!("carry{volume_no:02}.000"));
            let file = OpenOptions::new().write(true).open(carrier).unwrap();
            let sector = sector % (geometry.volume_blocks() * u32::try_from(count_of(geometry.block_size())).unwrap());
            file.write_all_at(&[0; SLICE_BYTES], u64::from(sector) * SLICE_BYTES as u64).unwrap();
        }

        let paths = [dir.path().to_owned()];
        let found = discover(&paths, &Silent).unwrap();
        let Some(set) = found.sets.first() else {
            // Every single block was hit.
            prop_assert_eq!(found.scan.whole_blocks, 0);
            return Ok(());
        };
        let assessed = set.assess();
        let spool = tempfile::tempdir().unwrap();
        let mut received = read_media(spool.path(), &paths, &|_| true, &Silent).unwrap();
        let (mut incoming, _) = received.sets.remove(0);
        prop_assert_eq!(incoming.needs().complete, assessed.payload_complete);
        incoming.heal(&Silent).unwrap();
        if assessed.payload_complete && set.descriptor().is_ok() {
            prop_assert!(incoming.payload_ready());
            prop_assert_eq!(incoming.catalog().unwrap(), catalog);
            for (volume_no, pieces) in (1..).zip(&plan.pieces) {
                let want: Vec<u8> = pieces.clone().flat_map(|no| shape.piece(no)).collect();
                let mut have = Vec::new();
                incoming.payload_reader(volume_no).unwrap().read_to_end(&mut have).unwrap();
                prop_assert!(have == want);
            }
        }
        if set.descriptor().is_ok() {
            let out = tempfile::tempdir().unwrap();
            let all: Vec<u16> = (1..=geometry.volume_count()).collect();
            let rebuilt = rebuild(set, &all, out.path(), FOLDERS, &Silent).unwrap();
            prop_assert_eq!(&rebuilt.not_recoverable, &assessed.volumes_missing());
            for (name, bytes) in files_below(out.path()) {
                prop_assert!(before.get(&name) == Some(&bytes));
            }
        }
        let _ = set.geometry();
    }
}
