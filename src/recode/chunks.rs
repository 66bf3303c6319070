//! Follows the chunks of LZMA2 data, to learn what the decoder does not tell: the coder's properties, and whether
//! anything is compressed at all.

/// Plain bytes of a chunk that is not compressed, as liblzma cuts blocks that do not get shorter.
pub(super) const STORED_BYTES: u64 = 64 << 10;

/// What was seen of the chunks of one block.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// The head of the chunk that is begun.
    head: Vec<u8>,
    /// Bytes of its body that are still to come.
    left: u64,
    /// Chunks that are compressed.
    pub(super) compressed: u32,
    /// The properties of the first of them.
    pub(super) properties: Option<u8>,
    /// A chunk that is not compressed and has fewer bytes than [`STORED_BYTES`] came.
    is_short: bool,
    /// Whether no chunk is compressed, and all but the last have [`STORED_BYTES`].
    is_odd: bool,
}

impl Chunks {
    /// Takes packed bytes, from the beginning of a block on.
    pub(super) fn push(&mut self, mut packed: &[u8]) {
        while !packed.is_empty() {
            if self.left > 0 {
                let len = usize::try_from(self.left).map_or(packed.len(), |m| m.min(packed.len()));
                packed = &packed[len..];
                self.left -= len as u64;
                continue;
            }
            self.head.push(packed[0]);
            packed = &packed[1..];
            let size = |at: usize| {
                let pair = [self.head[at], self.head[at + 1]];
                u64::from(u16::from_be_bytes(pair)) + 1
            };
            match (self.head[0], self.head.len()) {
                (0x01 | 0x02, 3) => {
                    self.left = size(1);
                    self.is_odd |= self.is_short;
                    self.is_short = self.left < STORED_BYTES;
                    self.head.clear();
                }
                (control @ 0x80.., len) if len == 5 + usize::from(control >= 0xc0) => {
                    self.left = size(3);
                    self.compressed += 1;
                    if control >= 0xc0 && self.properties.is_none() {
                        self.properties = Some(self.head[5]);
                    }
                    self.head.clear();
                }
                (0x01 | 0x02 | 0x80.., _) => {}
                // The end, or what the decoder refuses.
                _ => self.head.clear(),
            }
        }
    }

    /// Returns whether nothing is compressed, in chunks as liblzma makes them of a block that does not get shorter.
    pub(super) fn is_stored(&self) -> bool {
        self.compressed == 0 && !self.is_odd
    }
}
