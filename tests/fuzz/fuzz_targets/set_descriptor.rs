//! A superblock's payload of any bytes, the descriptor's envelope right.
#![no_main]

use carryall::volumes::block::{BlockSize, ParityCodec, SetHeader};
use carryall::base::envelope::{EnvelopeKind, seal};
use carryall::volumes::geometry::Geometry;
use carryall::base::id::SetId;
use carryall::volumes::SetDescriptor;
use carryall::volumes::descriptor::descriptor_offset;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let block_size = BlockSize::ALL[usize::from(input.first().copied().unwrap_or(0) >> 7)];
    let header = SetHeader {
        set_id: SetId([1; 16]),
        block_size,
        codec: ParityCodec::Gf16,
        data_volumes: 1 + u16::from(input.first().copied().unwrap_or(0) % 3),
        spare_volumes: 0,
        stripe_width: 0,
        local_data: 0,
        local_parity: 0,
        catalog_blocks: 2,
        volume_blocks: 10,
    };
    let geometry = Geometry::from_header(&header).expect("numbers of a small set");
    let _ = SetDescriptor::from_superblock(&geometry, input);
    let mut payload = vec![0; descriptor_offset(block_size)];
    payload.extend_from_slice(&seal(EnvelopeKind::SetDescriptor, input));
    if let Some(descriptor) = SetDescriptor::from_superblock(&geometry, &payload) {
        let facts = descriptor.volume_facts(&header, 1);
        let _ = (
            facts.volume_name(),
            facts.label(),
            facts.volume_file_name(0),
        );
        for bytes in &descriptor.payload_bytes {
            let blocks = geometry.blocks_of_payload(0..*bytes);
            assert!(blocks.end <= geometry.data_blocks());
        }
    }
});
