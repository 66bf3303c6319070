//! Carries software releases across an air gap on discs and USB disks.
//!
//! A vendor adds releases to a content-addressed [`store`], cuts a [`bundle`] of what a customer needs, and lays it out on a set
//! of [`volumes`] that survive lost discs and scratches. The customer's site receives them into a store of its own, in any order,
//! and gives the release back byte for byte. The formats are in `docs/format.md`, the layers in `docs/architecture.md`.
//!
//! ```
//! use carryall::base::monitor::Silent;
//! use carryall::store::Store;
//! use carryall::ops::{add, checkout};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let given = folder.path().join("notes.txt");
//! std::fs::write(&given, "carried")?;
//!
//! let store = Store::create(&folder.path().join("store"))?;
//! let name = "shop:1.0".parse()?;
//! add::add(&store, &name, &[given], &add::AddOptions::default(), &Silent)?;
//!
//! let back = folder.path().join("back");
//! let options = checkout::CheckoutOptions::default();
//! checkout::checkout(&store, &name, &back, &options, &Silent)?;
//! assert_eq!(std::fs::read_to_string(back.join("notes.txt"))?, "carried");
//! # Ok(())
//! # }
//! ```

// From the ground up: a room uses rooms of lower floors alone (tests/it/layers.rs).
pub mod base;
pub mod deflate;

pub mod content;
pub mod volumes;

pub mod files;
pub mod oci;
pub mod store;

pub mod bundle;

pub mod ops;
