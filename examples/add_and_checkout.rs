//! Adds two versions of a folder to a store and checks the first one out again.
//!
//! `cargo run --example add_and_checkout`

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;

use carryall::{AddOptions, ByteSize, CheckoutOptions, ReleaseName, Silent, Store};

// Visible for the test that runs it.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let shop = folder.path().join("shop");
    fs::create_dir(&shop)?;
    let store = Store::create(&folder.path().join("store"))?;

    // Of the second version one file is new. The other one is in the store already.
    fs::write(shop.join("data.bin"), numbers(2_000_000))?;
    for version in ["1.0", "1.1"] {
        fs::write(shop.join("version.txt"), version)?;
        let name: ReleaseName = format!("shop:{version}").parse()?;
        let paths = [shop.clone()];
        let added = carryall::add(&store, &name, &paths, &AddOptions::default(), &Silent)?;
        let (bytes, new_bytes) = (ByteSize(added.bytes), ByteSize(added.new_bytes));
        println!("added {name}: {bytes}, of which {new_bytes} are new");
    }

    let out = folder.path().join("out");
    let name = "shop:1.0".parse()?;
    let options = CheckoutOptions::default();
    let report = carryall::checkout(&store, &name, &out, &options, &Silent)?;
    assert!(report.is_whole());
    let version = fs::read_to_string(out.join("shop/version.txt"))?;
    println!("checked {name} out: version.txt says {version}");
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
