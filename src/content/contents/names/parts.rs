//! Members of `ar` and `cpio` archives. The side stream is read in the same way as `files::unpacker` wrote it.

use super::{MemberStart, Side};
use crate::content::archive::ar::{AR_HEADER_BYTES, AR_MAGIC, ArHeader};
use crate::content::archive::cpio::{self, CPIO_HEADER_BYTES, CpioHeader};
use crate::content::recipe::{ChunkSource, RecipeError};

/// The format of an archive's headers.
#[derive(Clone, Copy)]
enum PartFormat {
    Ar,
    Cpio,
}

/// The position in an archive while its names are read. Holds one header.
pub(in super::super) struct PartNames {
    format: PartFormat,
    state: PartState,
    /// Bytes of the header that is being collected.
    buffer: Vec<u8>,
    member_no: u64,
    name: Vec<u8>,
    /// Bytes of the archive that were followed.
    at: u64,
    /// Members that began, when they are recorded.
    begun: Option<Vec<MemberStart>>,
}

#[derive(Clone, Copy)]
enum PartState {
    /// Bytes that do not matter, then a header.
    Skip(u64),
    /// The body of a member, and its padding.
    Body { left: u64, padding: u64 },
    /// Nothing more is understood.
    Over,
}

impl PartNames {
    /// Returns the names of the archive that begins with these bytes, if one does.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let (format, skip) = if head.starts_with(&AR_MAGIC) {
            (PartFormat::Ar, AR_MAGIC.len() as u64)
        } else {
            CpioHeader::read(head)?;
            (PartFormat::Cpio, 0)
        };
        Some(Self {
            format,
            state: PartState::Skip(skip),
            buffer: Vec::new(),
            member_no: 0,
            name: Vec::new(),
            at: 0,
            begun: None,
        })
    }

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
        while run > 0 && !side.is_lost() {
            match self.state {
                PartState::Skip(0) => {
                    let lacking = self.header_bytes() - self.buffer.len();
                    let now = run.min(lacking as u64);
                    // At most a header and a name of 4 KiB.
                    side.read(usize::try_from(now).unwrap_or_default(), &mut self.buffer)?;
                    run -= now;
                    self.at = self.at.saturating_add(now);
                    if now == lacking as u64 && self.buffer.len() >= self.header_bytes() {
                        self.header();
                    }
                }
                PartState::Skip(left) => {
                    let now = left.min(run);
                    side.skip(now)?;
                    run -= now;
                    self.at = self.at.saturating_add(now);
                    self.state = PartState::Skip(left - now);
                }
                PartState::Body { left, .. } => {
                    let now = left.min(run);
                    side.skip(now)?;
                    run -= now;
                    self.body(now);
                }
                PartState::Over => {
                    side.skip(run)?;
                    run = 0;
                }
            }
        }
        Ok(())
    }

    /// Returns the length of the header that is being collected, as far as it is known.
    fn header_bytes(&self) -> usize {
        match self.format {
            PartFormat::Ar => AR_HEADER_BYTES,
            PartFormat::Cpio => {
                let header = CpioHeader::read(&self.buffer);
                header.map_or(CPIO_HEADER_BYTES, |header| header.bytes())
            }
        }
    }

    /// Handles a whole header.
    fn header(&mut self) {
        let head = std::mem::take(&mut self.buffer);
        let found = match self.format {
            PartFormat::Ar => ArHeader::read(&head).map(|header| {
                let bytes = header.body_bytes;
                (ArHeader::name(&head), bytes, bytes % 2)
            }),
            PartFormat::Cpio => CpioHeader::read(&head).map(|header| {
                let bytes = header.body_bytes;
                (CpioHeader::name(&head), bytes, cpio::padding(bytes))
            }),
        };
        self.state = match found {
            None => PartState::Over,
            Some((_, 0, _)) => PartState::Skip(0),
            Some((name, left, padding)) => {
                self.name = name.to_vec();
                self.member_no += 1;
                if let Some(begun) = &mut self.begun {
                    begun.push(MemberStart::File {
                        path: self.name.clone(),
                        at: self.at,
                        bytes: Some(left),
                        is_packed: false,
                    });
                }
                PartState::Body { left, padding }
            }
        };
    }

    pub(super) fn body(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes);
        self.state = match self.state {
            PartState::Body { left, padding } if bytes < left => PartState::Body {
                left: left - bytes,
                padding,
            },
            PartState::Body { padding, .. } => PartState::Skip(padding),
            // Bytes without a header stand behind the archive.
            _ => PartState::Over,
        };
    }

    pub(super) fn member(&self) -> (u64, &[u8]) {
        match self.state {
            PartState::Body { .. } => (self.member_no, &self.name),
            _ => (0, &[]),
        }
    }
}
