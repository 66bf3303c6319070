//! Any numbers of a header: a layout or a refusal; and what recovery says of any blocks that are there holds.
#![no_main]

use carryall::volumes::block::{BlockSize, ParityCodec, SetHeader};
use carryall::volumes::geometry::Geometry;
use carryall::base::id::SetId;
use carryall::volumes::recovery::{RecoveryGoal, Presence, needs, recover};
use carryall_fuzz::Numbers;
use libfuzzer_sys::fuzz_target;

/// Most blocks of a set whose recovery is computed here: more is slow and not different.
const BLOCKS_MAX: u64 = 4096;

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let small = numbers.next_u16();
    let mut half = |most: u16| {
        let value = numbers.next_u16();
        if small & 1 == 1 { value % most } else { value }
    };
    let [
        data_volumes,
        spare_volumes,
        stripe_width,
        local_data,
        local_parity,
    ] = [half(6), half(4), half(5), half(20), half(6)];
    let (catalog_blocks, volume_blocks) = (numbers.next_u32(), numbers.next_u32());
    let header = SetHeader {
        set_id: SetId([1; 16]),
        block_size: BlockSize::ALL[usize::from(small >> 2 & 1)],
        codec: if small & 2 == 0 {
            ParityCodec::Gf16
        } else {
            ParityCodec::Gf8
        },
        data_volumes,
        spare_volumes,
        stripe_width,
        local_data,
        local_parity,
        catalog_blocks: if small & 1 == 1 {
            catalog_blocks % 8
        } else {
            catalog_blocks
        },
        volume_blocks: if small & 1 == 1 {
            volume_blocks % 256
        } else {
            volume_blocks
        },
    };
    let Ok(geometry) = Geometry::from_header(&header) else {
        return;
    };
    let _ = (
        geometry.burst_blocks(0),
        geometry.burst_blocks(u16::MAX),
        geometry.local_burst_blocks(),
    );
    for block_no in [
        0,
        geometry.volume_blocks() / 2,
        geometry.volume_blocks() - 1,
    ] {
        let _ = (geometry.role(block_no), geometry.group_of(block_no));
    }
    let blocks = u64::from(geometry.volume_blocks()) * u64::from(geometry.volume_count());
    if blocks > BLOCKS_MAX {
        return;
    }
    let mut presence = Presence::new(&geometry);
    let damage = numbers.0;
    for volume_no in 1..=geometry.volume_count() {
        for block_no in 0..geometry.volume_blocks() {
            let at = usize::from(volume_no) * 31 + block_no as usize;
            let is_lost = damage
                .get(at % damage.len().max(1))
                .is_some_and(|byte| byte & 7 == 1);
            if !is_lost {
                presence.add((volume_no, block_no));
            }
        }
    }
    let recovery = recover(&geometry, &presence);
    for volume_no in 1..=geometry.volume_count() {
        assert!(recovery.after.count(volume_no) >= presence.count(volume_no));
    }
    let mut now = presence.clone();
    for step in recovery.steps_for(&geometry, &presence, &RecoveryGoal::Payload) {
        let there = step
            .act
            .places(&geometry)
            .iter()
            .filter(|place| now.has(**place))
            .count();
        assert!(there >= step.act.needed(&geometry));
        for place in step.healed {
            assert!(now.add(place), "healed twice");
        }
    }
    assert_eq!(
        needs(&geometry, &presence, &RecoveryGoal::Payload).complete,
        recovery.payload_complete
    );
});
