//! The set descriptor, the superblocks that carry it, and the computation of a set's id.
//!
//! It makes and reads payloads in memory. `geometry` knows the places of superblocks.

use wincode::{SchemaRead, SchemaWrite};

use crate::base::envelope::{self, EnvelopeKind};
use crate::base::id::{Hasher, SetId};
use crate::base::signing::{self, Signature};
use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, BlockKind, BlockSize, HEADER_BYTES, SetHeader};
use crate::volumes::geometry::Geometry;
use crate::volumes::media::{PageNotes, ProgramNote, VolumeFacts};
use crate::volumes::recovery::BlockPlace;

/// Returns the offset of the envelope in a superblock's payload. The text for people comes before it.
pub const fn descriptor_offset(size: BlockSize) -> usize {
    size.text_bytes()
}

/// Returns the most bytes of an encoded descriptor.
pub(crate) const fn descriptor_max(size: BlockSize) -> usize {
    size.payload_bytes() - descriptor_offset(size) - envelope::HEADER_BYTES
}

/// The description of a set, the same in every superblock.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct SetDescriptor {
    /// Title for people.
    pub title: String,
    /// Releases of the set, by their names.
    pub releases: Vec<String>,
    /// Program and version that wrote the set.
    pub created_by: String,
    /// Payload of each data volume in bytes, from volume 1 on.
    pub payload_bytes: Vec<u64>,
    /// Bytes of the catalog.
    pub catalog_bytes: u64,
    /// BLAKE3 of the catalog.
    pub catalog_hash: [u8; 32],
    /// More facts for people, as names and values.
    pub facts: Vec<(String, String)>,
}

impl SetDescriptor {
    /// Encodes it, for the superblock and the set id.
    pub(crate) fn encode(&self, size: BlockSize) -> Result<Vec<u8>, VolumeError> {
        let body = envelope::encode(self);
        if body.len() > descriptor_max(size) {
            return Err(VolumeError::DescriptorTooLarge {
                bytes: body.len(),
                limit_bytes: descriptor_max(size),
            });
        }
        Ok(body)
    }

    /// Encodes it in its envelope.
    pub(crate) fn to_file(&self, size: BlockSize) -> Result<Vec<u8>, VolumeError> {
        let body = self.encode(size)?;
        Ok(envelope::seal(EnvelopeKind::SetDescriptor, &body))
    }

    /// Reads it from a superblock's payload. Returns `None` when it is not a descriptor, or does not fit the geometry.
    pub fn from_superblock(geometry: &Geometry, payload: &[u8]) -> Option<Self> {
        let offset = descriptor_offset(geometry.block_size());
        Self::from_file(geometry, payload.get(offset..)?)
    }

    /// Reads it from an envelope, which begins the first catalog block.
    pub(crate) fn from_file(geometry: &Geometry, file: &[u8]) -> Option<Self> {
        let most = descriptor_max(geometry.block_size()) as u64;
        let body = envelope::open(EnvelopeKind::SetDescriptor, file, most).ok()?;
        let descriptor: Self = envelope::decode(body).ok()?;
        let room = geometry.volume_payload_bytes();
        let catalog_room =
            u64::from(geometry.catalog_blocks() - 1) * geometry.block_payload_bytes() as u64;
        let fits = descriptor.payload_bytes.len() == usize::from(geometry.header().data_volumes)
            && descriptor.payload_bytes.iter().all(|bytes| *bytes <= room)
            && descriptor.catalog_bytes <= catalog_room;
        fits.then_some(descriptor)
    }

    /// Returns the facts for the pages and names of one of its volumes.
    pub fn volume_facts(&self, set: &SetHeader, volume_no: u16) -> VolumeFacts {
        VolumeFacts {
            set_id: set.set_id,
            title: self.title.clone(),
            volume_no,
            data_volumes: set.data_volumes,
            spare_volumes: set.spare_volumes,
            block_size: set.block_size,
            volume_blocks: set.volume_blocks,
            releases: self.releases.clone(),
            created_by: self.created_by.clone(),
        }
    }
}

/// Name of the fact with the release's date. Pages show it.
pub(crate) const FACT_DATE: &str = "date";
/// Name of the fact that says whom to ask.
pub(crate) const FACT_CONTACT: &str = "contact";
/// Name of the fact that says whom the set was made for: the site's name, and its store in hex digits.
pub(crate) const FACT_SITE: &str = "site";
/// Name of the fact with the bytes of the items when they are restored.
pub(crate) const FACT_ITEM_BYTES: &str = "item bytes";
/// Name of the fact that a set is sealed: the kind of its recipients, and how many there are.
pub(crate) const FACT_SEALED: &str = "sealed";
/// Name of the facts with the programs on each volume: file, machine and SHA-256.
pub(crate) const FACT_PROGRAM: &str = "program";

impl SetDescriptor {
    /// Returns the first fact of this name.
    pub(crate) fn fact(&self, wanted: &str) -> Option<&str> {
        let named = self.facts.iter().find(|(name, _)| name == wanted);
        named.map(|(_, value)| value.as_str())
    }

    /// Returns the additional notes for the pages of its volumes.
    pub(crate) fn page_notes(&self, set: &SetHeader) -> PageNotes {
        let fact = |wanted| self.fact(wanted).map(str::to_owned);
        let payload: u64 = self.payload_bytes.iter().sum();
        // Receiving stages the data volumes and then stores the release, which takes a third more than on the volumes.
        let receive = u64::from(set.data_volumes)
            .saturating_mul(set.volume_bytes())
            .saturating_add(payload.saturating_add(payload / 3));
        PageNotes {
            date: fact(FACT_DATE),
            contact: fact(FACT_CONTACT),
            item_bytes: fact(FACT_ITEM_BYTES).and_then(|bytes| bytes.parse().ok()),
            receive_bytes: Some(receive),
            programs: self.programs(),
        }
    }

    /// Returns the programs that the set was written with.
    pub(crate) fn programs(&self) -> Vec<ProgramNote> {
        let values = self.facts.iter().filter(|(name, _)| name == FACT_PROGRAM);
        values
            .filter_map(|(_, value)| ProgramNote::from_fact(value))
            .collect()
    }
}

/// Computes a set's id: the first 128 bits of its root.
pub(crate) fn set_id(set: &SetHeader, catalog: &[u8], descriptor: &[u8]) -> SetId {
    id_of_root(&set_root(set, catalog, descriptor))
}

/// Returns the id of the set with this root.
pub(crate) fn id_of_root(root: &[u8; 32]) -> SetId {
    let (id, _) = root.split_first_chunk().expect("16 of 32 bytes");
    SetId(*id)
}

/// Computes a set's root: the BLAKE3 of its numbers, its catalog and its encoded descriptor.
pub(crate) fn set_root(set: &SetHeader, catalog: &[u8], descriptor: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    // No codec has this number, so that no set of full blocks has the id of one of small blocks.
    if set.block_size != BlockSize::Full {
        hasher.update(&[set.block_size as u8]);
    }
    hasher.update(&[set.codec as u8]);
    for half in [
        set.data_volumes,
        set.spare_volumes,
        set.stripe_width,
        set.local_data,
        set.local_parity,
    ] {
        hasher.update(&half.to_le_bytes());
    }
    for word in [set.catalog_blocks, set.volume_blocks] {
        hasher.update(&word.to_le_bytes());
    }
    hasher.update(&(catalog.len() as u64).to_le_bytes());
    hasher.update(catalog).update(descriptor);
    hasher.finish()
}

/// Makes the sealed superblock for a place.
pub(crate) fn superblock(
    set: &SetHeader,
    descriptor: &SetDescriptor,
    signatures: &[Signature],
    (volume_no, block_no): BlockPlace,
) -> Result<Vec<u8>, VolumeError> {
    let mut block = vec![0; set.block_size.bytes()];
    let payload = &mut block[HEADER_BYTES..];
    let offset = descriptor_offset(set.block_size);
    let text = text_for_people(set, descriptor, volume_no);
    let text = &text.as_bytes()[..text.len().min(offset)];
    payload[..text.len()].copy_from_slice(text);
    let file = descriptor.to_file(set.block_size)?;
    payload[offset..offset + file.len()].copy_from_slice(&file);
    put_signatures(payload, offset + file.len(), signatures)?;
    let header = BlockHeader {
        set: *set,
        volume_no,
        block_no,
        kind: BlockKind::Superblock,
    };
    header.seal(&mut block);
    Ok(block)
}

/// Puts signatures behind the descriptor in a superblock's payload, at this offset.
fn put_signatures(
    payload: &mut [u8],
    at: usize,
    signatures: &[Signature],
) -> Result<(), VolumeError> {
    if signatures.is_empty() {
        return Ok(());
    }
    let file = signing::list_to_file(signatures);
    let limit_bytes = payload.len();
    let room = payload.get_mut(at..at + file.len());
    let room = room.ok_or(VolumeError::DescriptorTooLarge {
        bytes: at + file.len(),
        limit_bytes,
    })?;
    room.copy_from_slice(&file);
    Ok(())
}

/// Reads the signatures from a superblock's payload. Without any, or when they make no sense, there are none.
pub(crate) fn signatures_in(size: BlockSize, payload: &[u8]) -> Vec<Signature> {
    let behind = payload.get(descriptor_offset(size)..).and_then(|file| {
        let body = file.get(16..24)?.try_into().ok()?;
        let body = usize::try_from(u64::from_le_bytes(body)).ok()?;
        file.get(envelope::HEADER_BYTES.checked_add(body)?..)
    });
    behind.and_then(signing::list_from_file).unwrap_or_default()
}

fn text_for_people(set: &SetHeader, descriptor: &SetDescriptor, volume_no: u16) -> String {
    let volumes = u32::from(set.data_volumes) + u32::from(set.spare_volumes);
    let kind = if volume_no > set.data_volumes {
        "spare"
    } else {
        "data"
    };
    let title: String = descriptor
        .title
        .chars()
        .take(200)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect();
    format!(
        "\n\ncarryall volume {volume_no} of {volumes} ({kind} volume)\n\
         Set: {}\n\
         Title: {title}\n\
         Written by: {}\n\
         Keep ALL volumes of this set, damaged ones too.\n\
         To take it in, run:  carryall receive PATH\n\n",
        set.set_id,
        descriptor
            .created_by
            .replace(|c: char| !c.is_ascii_graphic() && c != ' ', "?"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volumes::block::ParityCodec;

    fn set() -> SetHeader {
        SetHeader {
            set_id: SetId([1; 16]),
            block_size: BlockSize::Full,
            codec: ParityCodec::Gf16,
            data_volumes: 2,
            spare_volumes: 0,
            stripe_width: 0,
            local_data: 0,
            local_parity: 0,
            catalog_blocks: 2,
            volume_blocks: 10,
        }
    }

    fn descriptor() -> SetDescriptor {
        SetDescriptor {
            title: "Shop 商店\n2.0".into(),
            releases: vec!["shop:2.0".into()],
            created_by: "carryall 0.1.0".into(),
            payload_bytes: vec![100, 50],
            catalog_bytes: 10,
            catalog_hash: [3; 32],
            facts: vec![("chunks".into(), "12".into())],
        }
    }

    #[test]
    fn a_superblock_tells_people_and_programs_what_it_is() {
        let block = superblock(&set(), &descriptor(), &[], (2, 0)).expect("fits");
        let header = BlockHeader::open(&block).expect("sealed");
        assert_eq!((header.kind, header.volume_no), (BlockKind::Superblock, 2));
        let text = std::str::from_utf8(&block[HEADER_BYTES..HEADER_BYTES + 300]).expect("ASCII");
        assert!(text.is_ascii() && text.contains("carryall volume 2 of 2 (data volume)"));
        assert!(text.contains("Title: Shop ???2.0\n") && text.contains("carryall receive PATH"));
        let geometry = Geometry::from_header(&set()).expect("valid");
        let back = SetDescriptor::from_superblock(&geometry, &block[HEADER_BYTES..]);
        assert_eq!(back, Some(descriptor()));
    }

    #[test]
    fn a_descriptor_that_claims_more_than_the_set_holds_is_refused() {
        let geometry = Geometry::from_header(&set()).expect("valid");
        for spoil in [
            |d: &mut SetDescriptor| d.payload_bytes[1] = u64::MAX,
            |d: &mut SetDescriptor| d.payload_bytes.push(0),
            |d: &mut SetDescriptor| d.catalog_bytes = 1 << 40,
        ] {
            let mut bad = descriptor();
            spoil(&mut bad);
            let block = superblock(&set(), &bad, &[], (1, 0)).expect("fits");
            assert_eq!(
                SetDescriptor::from_superblock(&geometry, &block[HEADER_BYTES..]),
                None
            );
        }
        let mut long = descriptor();
        long.title = "x".repeat(70_000);
        assert!(matches!(
            superblock(&set(), &long, &[], (1, 0)),
            Err(VolumeError::DescriptorTooLarge { .. })
        ));
    }

    #[test]
    fn the_set_id_follows_numbers_catalog_and_descriptor() {
        let base = set_id(&set(), b"catalog", b"descriptor");
        let mut other = set();
        other.local_parity = 1;
        assert_ne!(set_id(&other, b"catalog", b"descriptor"), base);
        assert_ne!(set_id(&set(), b"catalogd", b"escriptor"), base);
        other = set();
        other.block_size = BlockSize::Small;
        assert_ne!(set_id(&other, b"catalog", b"descriptor"), base);
        other = set();
        other.set_id = SetId([9; 16]);
        assert_eq!(set_id(&other, b"catalog", b"descriptor"), base);
    }
}
