//! `pack --estimate`: estimates the size of a bundle, by item, image and kind of content, without writing it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::contributors::{Contributor, contributors, image_of, item_of};
use crate::base::monitor::Monitor;
use crate::base::size::total;
use crate::bundle::{Effort, Have, Recipient, weigh};
use crate::content::content_kind::ContentKind;
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::oci::image::Images;
use crate::ops::Error;
use crate::store::Store;

/// The estimated size of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EstimateReport {
    /// The releases in it.
    pub releases: Vec<ReleaseName>,
    /// The recipients: receipts, releases or sites. Empty when the bundle is full.
    pub receivers: Vec<String>,
    /// Bytes of the releases' items when restored.
    pub release_bytes: u64,
    /// Chunks that not every recipient has.
    pub new_chunks: u64,
    /// Their plain bytes.
    pub new_bytes: u64,
    /// Approximate bytes of these in the bundle.
    pub carried_bytes: u64,
    /// By item, in the order of the releases. A chunk that two items need counts for the first.
    pub items: Vec<EstimatedItem>,
    /// By image, where items contain images, the largest first.
    pub images: Vec<EstimatedImage>,
    /// By kind of content, the largest first.
    pub classes: Vec<EstimatedClass>,
    /// Folders and files with most of the new bytes, those that take most in a bundle first.
    pub contributors: Vec<Contributor>,
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EstimatedItem {
    /// Its release.
    pub release: ReleaseName,
    /// Its name.
    pub name: String,
    /// Its bytes when restored.
    pub bytes: u64,
    /// Plain bytes that are new.
    pub new_bytes: u64,
    /// Approximate bytes in the bundle.
    pub carried_bytes: u64,
}

/// The layers of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EstimatedImage {
    /// Its name.
    pub image: String,
    /// Plain bytes that are new in its layers. A layer of several images counts for the first.
    pub new_bytes: u64,
    /// Approximate bytes in the bundle.
    pub carried_bytes: u64,
}

/// A kind of content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EstimatedClass {
    /// The kind.
    pub class: ContentKind,
    /// Plain bytes that are new.
    pub new_bytes: u64,
    /// Approximate bytes in the bundle.
    pub carried_bytes: u64,
}

/// Estimates a bundle of `releases` that leaves out what all `receivers` have. Without recipients it is full.
///
/// # Errors
/// [`Error`] when a list cannot be read, the store is missing a chunk, or a stop was asked for.
pub fn estimate(
    store: &Store,
    releases: &[ReleaseRoot],
    receivers: &[Recipient],
    effort: Effort,
    monitor: &dyn Monitor,
) -> Result<EstimateReport, Error> {
    let have = Have::of(store, receivers)?;
    let weighed = weigh(store, releases, &have, effort, monitor)?;
    let (new_bytes, carried_bytes) = weighed.total();
    let mut images = Images::default();
    for root in releases {
        images.add(store, root, monitor)?;
    }
    let mut by_item: BTreeMap<(usize, &[u8]), (u64, u64)> = BTreeMap::new();
    let mut by_image: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut new_chunks = 0;
    for file in &weighed.files {
        new_chunks += file.new_chunks;
        let count = |sum: &mut (u64, u64)| {
            sum.0 += file.new_bytes;
            sum.1 += file.carried_bytes;
        };
        if let Some(item) = item_of(&weighed, file) {
            count(by_item.entry((file.release, item)).or_default());
        }
        if let Some(image) = image_of(&images, &weighed, file) {
            count(by_image.entry(image.name()).or_default());
        }
    }
    let mut items = Vec::new();
    for (number, root) in releases.iter().enumerate() {
        for item in root.read_items(store)? {
            let sum = by_item.get(&(number, &item.name[..]));
            let (new_bytes, carried_bytes) = sum.copied().unwrap_or_default();
            items.push(EstimatedItem {
                release: root.name.clone(),
                name: String::from_utf8_lossy(&item.name).into_owned(),
                bytes: item.bytes(),
                new_bytes,
                carried_bytes,
            });
        }
    }
    let mut by_weight: Vec<EstimatedImage> = by_image
        .into_iter()
        .map(|(image, (new_bytes, carried_bytes))| EstimatedImage {
            image,
            new_bytes,
            carried_bytes,
        })
        .collect();
    by_weight.sort_by_key(|image| std::cmp::Reverse(image.carried_bytes));
    let mut classes: Vec<EstimatedClass> = weighed
        .classes
        .iter()
        .map(|each| EstimatedClass {
            class: each.class,
            new_bytes: each.new_bytes,
            carried_bytes: each.carried_bytes,
        })
        .collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.carried_bytes));
    Ok(EstimateReport {
        releases: releases.iter().map(|root| root.name.clone()).collect(),
        receivers: receivers.iter().map(|each| each.label.clone()).collect(),
        release_bytes: total(releases.iter().map(|root| root.bytes)),
        new_chunks,
        new_bytes,
        carried_bytes,
        items,
        contributors: contributors(&weighed, &images),
        images: by_weight,
        classes,
    })
}
