//! Packs a release onto volumes, loses one of them, and receives the release from the others.
//!
//! `cargo run --example lose_a_volume`

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;

use carryall::{AddOptions, ByteSize, Capacity, PackOptions, ReleaseName, Silent, Store};

// Visible for the test that runs it.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let given = folder.join("setup.bin");
    fs::write(&given, numbers(9_000_000))?;

    // The vendor's side.
    let vendor = Store::create(&folder.join("vendor"))?;
    let name: ReleaseName = "shop:1.0".parse()?;
    carryall::add(&vendor, &name, &[given], &AddOptions::default(), &Silent)?;
    let releases = [carryall::release(&vendor, &name)?];
    let mut options = PackOptions::new(Capacity::exact(8_000_000));
    options.spare = Some(1);
    let packed = carryall::pack(
        &vendor,
        &releases,
        &folder.join("media"),
        &options,
        &mut |plan| {
            let (data, spare) = (plan.data_volumes, plan.spare_volumes);
            let bytes = ByteSize(plan.volume_bytes);
            println!("packing {name} onto {data} data volumes and {spare} spare, {bytes} each");
        },
        &Silent,
    )?;

    // On the way.
    let (lost, left) = packed.volumes.split_first().ok_or("no volume")?;
    fs::remove_dir_all(lost)?;
    println!("lost volume 1 of {}", packed.volumes.len());

    // The site's side: one volume after the other, in any order.
    let site = Store::create(&folder.join("site"))?;
    for path in left.iter().rev() {
        let received = carryall::receive(&site, std::slice::from_ref(path), &Silent)?;
        for set in &received.sets {
            let (state, healed) = (set.state, set.healed_blocks);
            println!("received a volume: {state:?}, {healed} blocks healed");
        }
    }
    let is_same = carryall::release(&site, &name)? == releases[0];
    println!("the site has {name}, same as the vendor's: {is_same}");
    assert!(is_same);
    Ok(())
}

/// Bytes that do not compress well.
fn numbers(count: u64) -> Vec<u8> {
    let mut state = 1_u64;
    let next = move |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..count).map(next).collect()
}
