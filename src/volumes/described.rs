//! Descriptor and catalog of a set, assembled from any available copies until they match the set's id.
//!
//! A block may have a right hash and wrong content. Only content that gives the set's id is trusted. The work is
//! bounded: a fixed number of descriptors, and of ways to assemble the catalog, is tried.

use crate::base::id;
use crate::volumes::VolumeError;
use crate::volumes::block::HEADER_BYTES;
use crate::volumes::blocks::{Blocks, copies_of};
use crate::volumes::choices::add_in_turn;
use crate::volumes::descriptor::{self, SetDescriptor};
use crate::volumes::geometry::Geometry;
use crate::volumes::recovery::{BlockPlace, Presence};
use crate::volumes::slices::{self, Slices};

/// Most different descriptors that are tried.
const DESCRIPTORS_MAX: usize = 64;
/// Most ways to assemble the catalog that are tried for each descriptor.
const CATALOGS_MAX: usize = 256;
/// Most different blocks of one part of the catalog that are kept.
const VARIANTS_MAX: usize = 16;

/// Descriptor and catalog that match the set's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) descriptor: SetDescriptor,
    pub(crate) catalog: Vec<u8>,
    /// The set's root, whose first half is the id.
    pub(crate) root: [u8; 32],
}

impl Described {
    /// Returns the root in hex.
    pub(crate) fn root_hex(&self) -> String {
        self.root.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A part of the catalog in the version of some volumes.
struct Variant {
    payload: Vec<u8>,
    volumes: Vec<u16>,
}

/// Assembles descriptor and catalog.
///
/// # Errors
/// [`VolumeError::NoSuperblock`], [`VolumeError::CatalogIncomplete`]. [`VolumeError::Forged`] when nothing available
/// matches the id.
pub(crate) fn describe(blocks: &dyn Blocks, presence: &Presence) -> Result<Described, VolumeError> {
    let set_id = blocks.geometry().header().set_id;
    let mut tried: Vec<SetDescriptor> = Vec::new();
    let mut parts: Option<Vec<Vec<Variant>>> = None;
    for place in descriptor_places(blocks.geometry()) {
        for descriptor in descriptors_at(blocks, presence, place) {
            if tried.contains(&descriptor) {
                continue;
            }
            if tried.len() >= DESCRIPTORS_MAX {
                return Err(VolumeError::Forged { set_id });
            }
            if parts.is_none() {
                parts = Some(catalog_parts(blocks, presence)?);
            }
            if let Some((catalog, root)) = parts
                .as_ref()
                .map(|parts| fitting_catalog(blocks, parts, &descriptor))
                .transpose()?
                .flatten()
            {
                return Ok(Described {
                    descriptor,
                    catalog,
                    root,
                });
            }
            tried.push(descriptor);
        }
    }
    if tried.is_empty() {
        Err(VolumeError::NoSuperblock { set_id })
    } else {
        Err(VolumeError::Forged { set_id })
    }
}

/// Reads any descriptor that exists. Whether it matches the set's id is not known.
///
/// # Errors
/// [`VolumeError::NoSuperblock`].
pub(crate) fn read_descriptor(
    blocks: &dyn Blocks,
    presence: &Presence,
) -> Result<SetDescriptor, VolumeError> {
    let geometry = blocks.geometry();
    let whole = descriptor_places(geometry)
        .find_map(|place| descriptors_at(blocks, presence, place).into_iter().next());
    let found = whole.or_else(|| descriptor_of_slices(blocks, presence));
    found.ok_or(VolumeError::NoSuperblock {
        set_id: geometry.header().set_id,
    })
}

/// Puts a descriptor together from the slices of damaged superblocks, which are the same on a volume but for their
/// headers. Its own check decides.
fn descriptor_of_slices(blocks: &dyn Blocks, presence: &Presence) -> Option<SetDescriptor> {
    let geometry = blocks.geometry();
    let volumes = 1..=geometry.volume_count();
    let mut hurt = volumes.filter(|volume_no| presence.has_parts(*volume_no));
    hurt.find_map(|volume_no| {
        let mut joined = vec![0; geometry.block_bytes()];
        let mut known = Slices::NONE;
        let mut block = vec![0; geometry.block_bytes()];
        geometry.superblocks().into_iter().find_map(|block_no| {
            let slices = blocks.read_slices((volume_no, block_no), &mut block).ok()?;
            slices::copy(slices.without(known), &block, &mut joined);
            known = known.or(slices);
            // A slice may be wrong though it was read, so each copy is also tried by itself.
            [&block, &joined]
                .into_iter()
                .find_map(|block| SetDescriptor::from_superblock(geometry, &block[HEADER_BYTES..]))
        })
    })
}

/// Returns the places of blocks that contradict the descriptor and catalog that match the set's id.
pub(crate) fn forged_blocks(
    blocks: &dyn Blocks,
    presence: &Presence,
    described: &Described,
) -> Result<Vec<BlockPlace>, VolumeError> {
    let geometry = blocks.geometry();
    let file = described.descriptor.to_file(geometry.block_size())?;
    let mut forged_blocks = Vec::new();
    let mut block = vec![0; geometry.block_bytes()];
    let mut is_forged = |place: BlockPlace, is_right: &dyn Fn(&[u8]) -> bool| {
        presence.has(place)
            && crate::volumes::blocks::read_whole(blocks, place, &mut block)
            && !is_right(&block[HEADER_BYTES..])
    };
    for volume_no in (1..=geometry.volume_count()).filter(|no| presence.seen(*no)) {
        for block_no in geometry.superblocks() {
            let is_right = |payload: &[u8]| {
                SetDescriptor::from_superblock(geometry, payload).as_ref()
                    == Some(&described.descriptor)
            };
            if is_forged((volume_no, block_no), &is_right) {
                forged_blocks.push((volume_no, block_no));
            }
        }
        let rest = described.catalog.chunks(geometry.block_payload_bytes());
        for (index, part) in (0..).zip(std::iter::once(&file[..]).chain(rest)) {
            let place = (volume_no, geometry.catalog_place(index));
            let is_right = |payload: &[u8]| {
                // Writers fill the rest of the block with zeros.
                payload.starts_with(part) && payload[part.len()..].iter().all(|byte| *byte == 0)
            };
            if is_forged(place, &is_right) {
                forged_blocks.push(place);
            }
        }
    }
    Ok(forged_blocks)
}

/// Returns the places of descriptors: superblocks first, then the first blocks of the catalog.
fn descriptor_places(geometry: &Geometry) -> impl Iterator<Item = (BlockPlace, usize)> + '_ {
    let volumes = || 1..=geometry.volume_count();
    let offset = descriptor::descriptor_offset(geometry.block_size());
    let superblocks = volumes().flat_map(move |volume_no| {
        let places = geometry.superblocks().into_iter();
        places.map(move |block_no| ((volume_no, block_no), offset))
    });
    superblocks.chain(volumes().map(|volume_no| ((volume_no, geometry.catalog_place(0)), 0)))
}

fn descriptors_at(
    blocks: &dyn Blocks,
    presence: &Presence,
    (place, offset): (BlockPlace, usize),
) -> Vec<SetDescriptor> {
    let is_there = presence.has(place);
    if !is_there && !presence.seen(place.0) {
        return Vec::new();
    }
    let copies = copies_of(blocks, is_there, place).into_iter();
    copies
        .filter_map(|block| {
            let file = block.get(HEADER_BYTES + offset..)?;
            SetDescriptor::from_file(blocks.geometry(), file)
        })
        .collect()
}

/// Returns the existing versions of each part of the catalog.
fn catalog_parts(
    blocks: &dyn Blocks,
    presence: &Presence,
) -> Result<Vec<Vec<Variant>>, VolumeError> {
    let geometry = blocks.geometry();
    let mut parts = Vec::new();
    for index in 1..geometry.catalog_blocks() {
        let mut variants: Vec<Variant> = Vec::new();
        for volume_no in 1..=geometry.volume_count() {
            let place = (volume_no, geometry.catalog_place(index));
            let is_there = presence.has(place);
            if !is_there && !presence.seen(volume_no) {
                continue;
            }
            for block in copies_of(blocks, is_there, place) {
                let payload = &block[HEADER_BYTES..];
                // Equal payloads count together, because the catalog is the same on every volume.
                let known = variants.iter().position(|each| each.payload == payload);
                if let Some(known) = known {
                    variants[known].volumes.push(volume_no);
                } else if variants.len() < VARIANTS_MAX {
                    variants.push(Variant {
                        payload: payload.to_vec(),
                        volumes: vec![volume_no],
                    });
                }
            }
        }
        if variants.is_empty() {
            let set_id = geometry.header().set_id;
            return Err(VolumeError::CatalogIncomplete { set_id, index });
        }
        // The version of most volumes comes first.
        variants.sort_by_key(|variant| std::cmp::Reverse(variant.volumes.len()));
        parts.push(variants);
    }
    Ok(parts)
}

/// A catalog, and the root that it makes with the descriptor.
type RootedCatalog = (Vec<u8>, [u8; 32]);

/// Returns the catalog that this descriptor names, if it can be assembled and both give the set's id, and the root.
fn fitting_catalog(
    blocks: &dyn Blocks,
    parts: &[Vec<Variant>],
    descriptor: &SetDescriptor,
) -> Result<Option<RootedCatalog>, VolumeError> {
    let header = blocks.geometry().header();
    let encoded = descriptor.encode(header.block_size)?;
    // Reading the descriptor has checked this length against the room for the catalog.
    let length = usize::try_from(descriptor.catalog_bytes).unwrap_or(usize::MAX);
    for choice in choices(parts) {
        let mut catalog = Vec::new();
        for (variants, number) in parts.iter().zip(&choice) {
            catalog.extend_from_slice(&variants[*number].payload);
        }
        catalog.truncate(length);
        // The hash comes from the descriptor, which may be forged itself. Only the set's id settles it.
        if id::hash(&catalog) != descriptor.catalog_hash {
            continue;
        }
        let root = descriptor::set_root(header, &catalog, &encoded);
        if descriptor::id_of_root(&root) == header.set_id {
            return Ok(Some((catalog, root)));
        }
    }
    Ok(None)
}

/// Returns ways to choose one version of each part: that of most volumes, that of each volume, and then all others in
/// turn.
fn choices(parts: &[Vec<Variant>]) -> Vec<Vec<usize>> {
    let mut choices = vec![vec![0; parts.len()]];
    let mut volumes: Vec<u16> = parts
        .iter()
        .filter(|variants| variants.len() > 1)
        .flat_map(|variants| variants.iter().flat_map(|each| each.volumes.clone()))
        .collect();
    volumes.sort_unstable();
    volumes.dedup();
    for volume_no in volumes.into_iter().take(CATALOGS_MAX / 2) {
        let of_volume = |variants: &Vec<Variant>| {
            let mut each = variants.iter();
            each.position(|variant| variant.volumes.contains(&volume_no))
                .unwrap_or(0)
        };
        choices.push(parts.iter().map(of_volume).collect());
    }
    let counts: Vec<usize> = parts.iter().map(Vec::len).collect();
    add_in_turn(&mut choices, &counts, CATALOGS_MAX);
    choices
}
