//! `receipt`: says in tens of bytes what a site's store holds.
//!
//! It walks the lists of every release and reads no data; what is known to be damaged or lost is listed.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::finding::Finding;
use crate::id::ChunkId;
use crate::monitor::Monitor;
use crate::receipt::{Held, LACKS_MAX, RELEASES_MAX, Receipt, ReceiptJson};
use crate::recipe::RecipeError;
use crate::recipe::walk::Walker;
use crate::release::{ReleaseRoot, walk};
use crate::store::Store;
use crate::verbs::Error;

/// A receipt, in the forms that people pass on.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiptReport {
    /// What it says; `pack --for` reads this JSON as well.
    #[serde(flatten)]
    pub json: ReceiptJson,
    /// The lines to be typed or read out; `None` when they would be too many.
    pub text: Option<Vec<String>>,
    /// Releases that it leaves out, and why.
    pub findings: Vec<Finding>,
    /// The receipt itself.
    #[serde(skip)]
    pub receipt: Receipt,
}

/// Makes the receipt of a store. The same store gives the same receipt.
///
/// # Errors
/// [`Error`] when the releases cannot be listed, or a stop was asked for.
pub fn receipt(store: &Store, monitor: &dyn Monitor) -> Result<ReceiptReport, Error> {
    let (roots, mut findings) = super::releases(store)?;
    let mut releases = Vec::new();
    let mut lacks: BTreeSet<[u8; 8]> = BTreeSet::new();
    for root in &roots {
        monitor.check_stop()?;
        let leave_out = |why: String| Finding::damage(format!("release {}", root.name), why);
        match lacks_of(store, root) {
            Err(error) => findings.push(leave_out(format!("left out of the receipt: {error}"))),
            Ok(more) if lacks.len() + more.len() > LACKS_MAX => {
                let why = format!("left out of the receipt: it lacks {} chunks", more.len());
                findings.push(leave_out(why));
            }
            Ok(_) if releases.len() == RELEASES_MAX => {
                findings.push(leave_out("left out of the receipt: it is full".to_owned()));
            }
            Ok(more) => {
                lacks.extend(more);
                releases.push(Held::of(root));
            }
        }
    }
    let receipt = Receipt::new(store.id(), releases, lacks.into_iter().collect());
    Ok(ReceiptReport {
        json: receipt.to_json(),
        text: receipt.to_text(),
        findings,
        receipt,
    })
}

/// What a release needs and the store does not have. With a list unreadable nobody knows, so that is an error.
fn lacks_of(store: &Store, root: &ReleaseRoot) -> Result<BTreeSet<[u8; 8]>, RecipeError> {
    let mut lacks = BTreeSet::new();
    let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
        if !store.contains(id) {
            let mut lack = [0; 8];
            lack.copy_from_slice(&id.as_bytes()[..8]);
            lacks.insert(lack);
        }
        Ok(())
    };
    walk::release(&mut Walker::new(store), root, &mut note)?;
    Ok(lacks)
}
