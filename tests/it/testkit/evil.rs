//! Volume sets as a hostile sender writes them: whole, and with any payload and catalog.

use std::io::{Cursor, Read};
use std::path::Path;

use carryall::base::monitor::Silent;
use carryall::content::release::Meta;
use carryall::volumes::block::{BlockSize, ParityCodec};
use carryall::volumes::media::{Capacity, Carrier};
use carryall::volumes::{SetContent, SetReport, SetRequest, plan, write};

/// The metadata of what nobody asks about.
pub fn meta() -> Meta {
    Meta {
        mode: 0o755,
        ..Meta::default()
    }
}

/// Writes a set as the library does, whatever its payload and catalog are.
pub fn write_set(to: &Path, pieces: &[Vec<u8>], catalog: &[u8], volume_bytes: u64) -> SetReport {
    let piece_bytes: Vec<u64> = pieces.iter().map(|piece| piece.len() as u64).collect();
    let plan = plan(&SetRequest {
        piece_bytes: &piece_bytes,
        catalog_bytes: catalog.len() as u64,
        capacity: Capacity::exact(volume_bytes),
        carrier: Carrier::Folders,
        spare: Some(0),
        local_percent: Some(0.0),
        codec: ParityCodec::Gf16,
        block_size: Some(BlockSize::Full),
    })
    .unwrap();
    let content = SetContent {
        title: "evil",
        releases: &["evil:1".to_owned()],
        created_by: "nobody",
        facts: &[],
        catalog,
    };
    let mut open = |piece_no: usize| -> std::io::Result<Box<dyn Read>> {
        Ok(Box::new(Cursor::new(pieces[piece_no].clone())))
    };
    write(&plan, &content, &mut open, to, &Silent).unwrap()
}
