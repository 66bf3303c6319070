//! Members of tars. The side stream is read in the same way as `files::unpacker` wrote it.

use super::{MemberStart, Side};
use crate::content::archive::tar::{self, PAX_BYTES_MAX, Pax, TarHeader, TarKind};
use crate::content::recipe::{ChunkSource, RecipeError};

/// The position in a tar while its names are read. Holds at most a pax header of 64 KiB.
#[derive(Default)]
pub(in super::super) struct TarNames {
    state: TarNameState,
    /// Bytes of the block or note that is being collected.
    buffer: Vec<u8>,
    /// What earlier headers say about the next member.
    pax: Pax,
    long_name: Option<Vec<u8>>,
    member_no: u64,
    name: Vec<u8>,
    /// Bytes of the archive that were followed.
    at: u64,
    /// Members that began, when they are recorded.
    begun: Option<Vec<MemberStart>>,
}

#[derive(Default, Clone, Copy)]
enum TarNameState {
    /// A header is being collected.
    #[default]
    Header,
    /// The body of a note that must be read, and its padding.
    Note { of: Note, left: u64, padding: u64 },
    /// A block of a sparse map, then the body.
    Map { size: u64 },
    /// The body of a member.
    Body { left: u64, padding: u64 },
    /// Bytes that do not matter.
    Skip { left: u64 },
}

#[derive(Clone, Copy)]
enum Note {
    Pax,
    LongName,
}

impl TarNames {
    /// Records members that begin from now on, until they are taken.
    pub(super) fn record(&mut self) {
        self.begun = Some(Vec::new());
    }

    pub(super) fn take_begun(&mut self) -> Vec<MemberStart> {
        self.begun.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn side<S: ChunkSource>(
        &mut self,
        side: &mut Side<'_, S>,
        bytes: u64,
    ) -> Result<(), RecipeError> {
        let mut run = bytes;
        while run > 0 {
            match self.state {
                TarNameState::Header | TarNameState::Map { .. } => {
                    if self.gather(side, tar::BLOCK as u64, &mut run)? {
                        self.block();
                    }
                }
                TarNameState::Note { of, left, padding } => {
                    if self.gather(side, left, &mut run)? {
                        self.note(of);
                        self.state = TarNameState::Skip { left: padding };
                    }
                }
                TarNameState::Body { left, .. } => {
                    let now = left.min(run);
                    side.skip(now)?;
                    run -= now;
                    self.body(now);
                }
                TarNameState::Skip { left } => {
                    let now = left.min(run);
                    side.skip(now)?;
                    run -= now;
                    self.at += now;
                    self.state = TarNameState::Skip { left: left - now };
                }
            }
            if let TarNameState::Skip { left: 0 } = self.state {
                self.state = TarNameState::Header;
            }
            if side.is_lost() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Fills the buffer up to `wanted` bytes. Returns whether it is full.
    fn gather<S: ChunkSource>(
        &mut self,
        side: &mut Side<'_, S>,
        wanted: u64,
        run: &mut u64,
    ) -> Result<bool, RecipeError> {
        let lacking = wanted.saturating_sub(self.buffer.len() as u64);
        let now = lacking.min(*run);
        // At most a block, or a note of PAX_BYTES_MAX bytes.
        side.read(usize::try_from(now).unwrap_or(0), &mut self.buffer)?;
        *run -= now;
        self.at += now;
        Ok(now == lacking)
    }

    /// Handles a whole block of 512 bytes.
    fn block(&mut self) {
        let block = std::mem::take(&mut self.buffer);
        if let TarNameState::Map { size } = self.state {
            let more = block
                .get(tar::SPARSE_MORE_IN_MAP)
                .is_some_and(|flag| *flag != 0);
            self.state = if more {
                TarNameState::Map { size }
            } else {
                body_of(size)
            };
            return;
        }
        self.state = TarNameState::Header;
        let Some(header) = TarHeader::read(&block) else {
            self.forget();
            return;
        };
        match header.kind {
            TarKind::Pax | TarKind::Note => self.state = note_of(&header, &block),
            TarKind::Bodiless => {
                self.link(&block);
                self.forget();
            }
            TarKind::File | TarKind::Sparse => {
                let pax = std::mem::take(&mut self.pax);
                let size = pax.size.unwrap_or(header.size);
                let long_name = self.long_name.take();
                self.name = pax
                    .path
                    .or(long_name)
                    .unwrap_or_else(|| TarHeader::path(&block));
                self.member_no += 1;
                if header.kind == TarKind::File
                    && let Some(begun) = &mut self.begun
                {
                    begun.push(MemberStart::File {
                        path: self.name.clone(),
                        at: self.at,
                        bytes: Some(size),
                        is_packed: false,
                    });
                }
                let more = block
                    .get(tar::SPARSE_MORE_IN_HEADER)
                    .is_some_and(|flag| *flag != 0);
                self.state = if header.kind == TarKind::Sparse && more {
                    TarNameState::Map { size }
                } else {
                    body_of(size)
                };
            }
        }
    }

    /// Records a link when members are recorded.
    fn link(&mut self, block: &[u8]) {
        let Some((begun, (link, target))) = self.begun.as_mut().zip(TarHeader::link(block)) else {
            return;
        };
        let name = self.pax.path.take().or(self.long_name.take());
        begun.push(MemberStart::Link {
            path: name.unwrap_or_else(|| TarHeader::path(block)),
            link,
            target: self.pax.link.take().unwrap_or_else(|| target.to_vec()),
        });
    }

    fn note(&mut self, of: Note) {
        let body = std::mem::take(&mut self.buffer);
        match of {
            Note::Pax => self.pax = Pax::read(&body),
            Note::LongName => self.long_name = Some(tar::until_nul(&body).to_vec()),
        }
    }

    fn forget(&mut self) {
        self.pax = Pax::default();
        self.long_name = None;
    }

    pub(super) fn body(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes);
        match self.state {
            TarNameState::Body { left, padding } if bytes < left => {
                let left = left - bytes;
                self.state = TarNameState::Body { left, padding };
            }
            TarNameState::Body { padding, .. } => self.state = skip(padding),
            // The position is not within a member, so the next bytes must be a header.
            _ => {
                self.buffer.clear();
                self.forget();
                self.state = TarNameState::Header;
            }
        }
    }

    pub(super) fn member(&self) -> (u64, &[u8]) {
        match self.state {
            TarNameState::Body { .. } => (self.member_no, &self.name),
            _ => (0, &[]),
        }
    }
}

fn body_of(size: u64) -> TarNameState {
    match size {
        0 => TarNameState::Header,
        left => TarNameState::Body {
            left,
            padding: tar::padding(size),
        },
    }
}

fn note_of(header: &TarHeader, block: &[u8]) -> TarNameState {
    let size = header.size;
    let of = match header.kind {
        TarKind::Pax => Some(Note::Pax),
        _ if TarHeader::is_long_name(block) => Some(Note::LongName),
        _ => None,
    };
    match of.filter(|_| size <= PAX_BYTES_MAX) {
        Some(of) => TarNameState::Note {
            of,
            left: size,
            padding: tar::padding(size),
        },
        None => skip(size.saturating_add(tar::padding(size))),
    }
}

fn skip(left: u64) -> TarNameState {
    match left {
        0 => TarNameState::Header,
        left => TarNameState::Skip { left },
    }
}
