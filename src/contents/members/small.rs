//! Tars of one chunk, whose members have no recipes of their own.

use super::Member;
use crate::archive::tar::{self, BLOCK, Header, Kind, Pax};
use crate::recipe::body::Body;
use crate::recipe::{ChunkRef, RecipeError};

/// What was said of the next member.
#[derive(Default)]
struct Next {
    pax: Pax,
    long_name: Option<Vec<u8>>,
}

impl Next {
    fn path(&mut self, block: &[u8]) -> Vec<u8> {
        let path = self.pax.path.take().or(self.long_name.take());
        path.unwrap_or_else(|| Header::path(block))
    }
}

/// Tells the members of a tar whose bytes these are.
pub(super) fn members(
    bytes: &[u8],
    chunk: ChunkRef,
    visit: &mut dyn FnMut(Member) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    let mut at = 0_usize;
    let mut next = Next::default();
    while let Some(block) = bytes.get(at..at.saturating_add(BLOCK)) {
        at += BLOCK;
        let Some(header) = Header::read(block) else {
            next = Next::default();
            continue;
        };
        let size = match header.kind {
            Kind::File => next.pax.size.unwrap_or(header.size),
            _ => header.size,
        };
        let whole = size.saturating_add(tar::padding(size));
        let len = usize::try_from(size).unwrap_or(usize::MAX);
        let body = bytes.get(at..at.saturating_add(len));
        match (header.kind, body) {
            (Kind::Pax, Some(body)) => next.pax = Pax::read(body),
            (Kind::Note, Some(body)) if Header::is_long_name(block) => {
                next.long_name = Some(tar::until_nul(body).to_vec());
            }
            (Kind::Bodiless, _) => {
                if let Some((link, target)) = Header::link(block) {
                    let target = next.pax.link.take().unwrap_or_else(|| target.to_vec());
                    let path = next.path(block);
                    visit(Member::Link { path, link, target })?;
                }
                next = Next::default();
            }
            (Kind::File, Some(body)) if !body.is_empty() => {
                let path = next.path(block);
                let body = Body::Slice {
                    chunk,
                    offset: at as u64,
                    bytes: size,
                };
                visit(Member::File { path, body })?;
                next = Next::default();
            }
            (Kind::File | Kind::Sparse, _) => next = Next::default(),
            (Kind::Pax | Kind::Note, _) => {}
        }
        at = at.saturating_add(usize::try_from(whole).unwrap_or(usize::MAX));
    }
    Ok(())
}
