//! Adds packs to the index that no segment lists: complete packs of a killed process, or all packs when the index is
//! lost.
//!
//! Only frames with the right hash are listed. It holds one pack in memory at a time.

use super::chunk_index::{self, ChunkIndex, pack_name};
use super::seen::OpenNotes;
use super::{OpenMode, StoreError};
use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::id::ChunkId;
use crate::content::frame::SealedFrame;
use crate::content::index::{ChunkEntry, PackEntry, prefix};
use crate::content::pack::{self, FrameSpan, PACK_MAX, TRAILER_BYTES};
use crate::store::storage::{self, Storage};

/// Lists these packs, in a new segment when `access` allows and in memory otherwise. Removes broken segments.
pub(super) fn adopt(
    storage: &dyn Storage,
    chunk_index: &mut ChunkIndex,
    access: OpenMode,
    seen: &mut OpenNotes,
) -> Result<(), StoreError> {
    let unlisted = std::mem::take(&mut chunk_index.unlisted);
    let mut new = None;
    if !unlisted.is_empty() {
        let mut entries = Vec::new();
        let mut packs = Vec::with_capacity(unlisted.len());
        for pack in unlisted {
            if let Some(ids) = read_pack(storage, &pack, seen) {
                let pack_no = u32::try_from(packs.len()).expect("fewer packs than files");
                entries.extend(ids.into_iter().map(|(id, frame_offset)| ChunkEntry {
                    prefix: prefix(&id),
                    pack_no,
                    frame_offset,
                }));
                packs.push(pack);
            }
        }
        match access {
            // No pack could be read.
            _ if packs.is_empty() => {}
            OpenMode::Write => {
                let (name, segment) = chunk_index::publish(storage, &packs, entries)?;
                chunk_index.add(Some(name.clone()), segment, None);
                new = Some(name);
            }
            OpenMode::Read => {
                if let Some(segment) = chunk_index::in_memory(&packs, entries) {
                    chunk_index.add(None, segment, None);
                }
            }
        }
    }
    if access == OpenMode::Write {
        // The packs of broken segments are listed again by now, so nothing depends on these files. The same entries have the
        // same name, so the new segment may have replaced the broken one.
        let broken = std::mem::take(&mut chunk_index.broken).into_iter();
        for name in broken.filter(|name| Some(name) != new.as_ref()) {
            storage.remove(&name)?;
        }
    }
    Ok(())
}

/// Returns the chunks of a pack with the places of their frames. Returns nothing when the pack cannot be read at all.
fn read_pack(
    storage: &dyn Storage,
    pack: &PackEntry,
    seen: &mut OpenNotes,
) -> Option<Vec<(ChunkId, u32)>> {
    let subject = Subject::Pack(pack.id.short().to_string());
    let bytes = match storage::read(storage, &pack_name(&pack.id), PACK_MAX) {
        Ok(bytes) => bytes,
        // The pack is read again when the store is opened next.
        Err(error) => {
            seen.fault(subject, error);
            return None;
        }
    };
    // The table is only a short way: frames that it misses are found by their own headers.
    let spans = spans(&bytes).unwrap_or_else(|| {
        let what = diagnostic!("pack_file.table_damaged");
        seen.findings.push(Finding::damage(subject.clone(), what));
        pack::scan(&bytes)
    });
    let mut found = Vec::new();
    for span in spans {
        match frame_ids(&bytes, span) {
            Some(ids) => found.extend(ids.into_iter().map(|id| (id, span.offset))),
            None => {
                let what = diagnostic!("pack_file.frame_damaged", offset = span.offset);
                seen.findings.push(Finding::damage(subject.clone(), what));
            }
        }
    }
    Some(found)
}

fn spans(bytes: &[u8]) -> Option<Vec<FrameSpan>> {
    pack::check_header(bytes).ok()?;
    let trailer = bytes.len().checked_sub(TRAILER_BYTES)?;
    let tail = pack::tail_bytes(&bytes[trailer..], bytes.len() as u64).ok()?;
    pack::parse_tail(&bytes[bytes.len() - tail..], bytes.len() as u64).ok()
}

fn frame_ids(bytes: &[u8], span: FrameSpan) -> Option<Vec<ChunkId>> {
    let from = usize::try_from(span.offset).ok()?;
    // Opening checks the hash of the frame, so only intact frames enter the index.
    let sealed = SealedFrame::open(bytes.get(from..)?).ok()?;
    match sealed.chunks.iter().map(|(id, _)| *id).collect() {
        Some(ids) => Some(ids),
        None => Some(
            sealed
                .unpack()
                .ok()?
                .chunks
                .into_iter()
                .map(|(id, _)| id)
                .collect(),
        ),
    }
}
