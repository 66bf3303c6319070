//! Tars of one chunk, whose members have no recipes of their own.

use super::ArchiveMember;
use crate::content::archive::tar::{BLOCK, Pax, TarHeader, TarKind, padding, until_nul};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkRef, RecipeError};

/// What earlier headers say about the next member.
#[derive(Default)]
pub(super) struct NextMember {
    pax: Pax,
    long_name: Option<Vec<u8>>,
}

impl NextMember {
    pub(super) fn path(&mut self, block: &[u8]) -> Vec<u8> {
        let path = self.pax.path.take().or(self.long_name.take());
        path.unwrap_or_else(|| TarHeader::path(block))
    }

    /// Returns the length of the member's body, when it is stated apart from its header.
    pub(super) fn size(&self) -> Option<u64> {
        self.pax.size
    }

    /// Returns the link that a header is.
    pub(super) fn link(&mut self, block: &[u8]) -> Option<ArchiveMember> {
        let (link, target) = TarHeader::link(block)?;
        let target = self.pax.link.take().unwrap_or_else(|| target.to_vec());
        let path = self.path(block);
        Some(ArchiveMember::Link { path, link, target })
    }

    /// Takes what a header with a body says of the member behind it.
    pub(super) fn read(&mut self, block: &[u8], body: &[u8]) {
        match TarHeader::read(block).map(|header| header.kind) {
            Some(TarKind::Pax) => self.pax = Pax::read(body),
            Some(TarKind::Note) if TarHeader::is_long_name(block) => {
                self.long_name = Some(until_nul(body).to_vec());
            }
            _ => {}
        }
    }
}

/// Lists the members of a tar from its bytes.
pub(super) fn members(
    bytes: &[u8],
    chunk: ChunkRef,
    visit: &mut dyn FnMut(ArchiveMember) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    let mut at = 0_usize;
    let mut next = NextMember::default();
    while let Some(block) = bytes.get(at..at.saturating_add(BLOCK)) {
        at += BLOCK;
        let Some(header) = TarHeader::read(block) else {
            next = NextMember::default();
            continue;
        };
        let size = match header.kind {
            TarKind::File => next.pax.size.unwrap_or(header.size),
            _ => header.size,
        };
        let whole = size.saturating_add(padding(size));
        let len = usize::try_from(size).unwrap_or(usize::MAX);
        let body = bytes.get(at..at.saturating_add(len));
        match (header.kind, body) {
            (TarKind::Pax | TarKind::Note, Some(body)) => next.read(block, body),
            (TarKind::Bodiless, _) => {
                if let Some(link) = next.link(block) {
                    visit(link)?;
                }
                next = NextMember::default();
            }
            (TarKind::File, Some(body)) if !body.is_empty() => {
                let path = next.path(block);
                let body = FileBody::Slice {
                    chunk,
                    offset: at as u64,
                    bytes: size,
                };
                visit(ArchiveMember::File { path, body })?;
                next = NextMember::default();
            }
            (TarKind::File | TarKind::Sparse, _) => next = NextMember::default(),
            (TarKind::Pax | TarKind::Note, _) => {}
        }
        at = at.saturating_add(usize::try_from(whole).unwrap_or(usize::MAX));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::base::id::ChunkId;
    use crate::content::archive::tar::{TarLink, file_header};

    fn listed(bytes: &[u8]) -> Vec<ArchiveMember> {
        let chunk = ChunkRef {
            bytes: u32::try_from(bytes.len()).unwrap(),
            id: ChunkId::of(bytes),
        };
        let mut found = Vec::new();
        members(bytes, chunk, &mut |member| {
            found.push(member);
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn files_and_links_are_told_and_what_is_cut_is_not() {
        let mut tar = tar::Builder::new(Vec::new());
        let long = format!("{}/name", "long".repeat(40));
        for (name, body) in [("a", &b"first"[..]), (&long, b"second"), ("empty", b"")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(body.len() as u64);
            tar.append_data(&mut header, name, body).unwrap();
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "link", "a").unwrap();
        let mut bytes = tar.into_inner().unwrap();
        bytes.truncate(bytes.len() - 1024);
        bytes.extend_from_slice(&file_header("cut", 5000));
        bytes.extend_from_slice(b"short");
        let found = listed(&bytes);
        let read = |member: &ArchiveMember| match member {
            ArchiveMember::File {
                path,
                body: FileBody::Slice {
                    offset, bytes: len, ..
                },
            } => {
                let at = usize::try_from(*offset).unwrap();
                let body = bytes[at..at + usize::try_from(*len).unwrap()].to_vec();
                (String::from_utf8(path.clone()).unwrap(), body)
            }
            ArchiveMember::Link { path, link, target } => {
                assert_eq!(*link, TarLink::Symbolic);
                (String::from_utf8(path.clone()).unwrap(), target.clone())
            }
            ArchiveMember::File { .. } => panic!("{member:?}"),
        };
        let found: Vec<_> = found.iter().map(read).collect();
        assert_eq!(
            found,
            [
                ("a".to_owned(), b"first".to_vec()),
                (long, b"second".to_vec()),
                ("link".to_owned(), b"a".to_vec()),
            ]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_tars_never_panic(
            sizes in proptest::collection::vec(any::<u64>(), 1..4),
            noise in proptest::collection::vec(any::<u8>(), 0..2000),
        ) {
            let mut bytes = Vec::new();
            for size in sizes {
                bytes.extend_from_slice(&file_header("x", size));
                bytes.extend_from_slice(&noise);
            }
            let _ = listed(&bytes);
        }
    }
}
