//! The frame of lz4: a header, blocks, an end mark and a checksum. Source: the LZ4 Frame Format Description, 1.6.
//!
//! The blocks of a frame are one piece. Frames follow one another. Those with a checksum for each block, with a dictionary
//! or in the format from before frames are not opened, since hardly anybody writes them.

use std::io::{self, Read};

use super::RecodeError;
use super::guess::{self, BlockSample};
use super::input::StreamInput;
use super::lz4_encoder::Lz4Settings;
use super::opener::Opener;
use super::settings::EncoderSettings;

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// Bytes of a header with and without the length of the content.
const HEADER_BYTES: usize = 7;
const HEADER_BYTES_MAX: usize = 15;
/// Most bytes behind the blocks: the end mark and a checksum.
const TAIL_BYTES_MAX: usize = 8;
/// Plain bytes that are unpacked at a time.
const OUT_BYTES: usize = 64 << 10;
/// Plain bytes of a sample, at least one block.
const SAMPLE_BYTES: usize = 4 << 20;
/// Packed bytes that it may have more: headers, lengths of blocks, and what is read ahead of the plain bytes.
const SAMPLE_PACKED_BYTES: usize = 128 << 10;

/// What the header of a frame says.
struct Lz4Header {
    bytes: usize,
    block_log: u8,
    is_linked: bool,
    has_checksum: bool,
}

impl Lz4Header {
    /// Reads a header. Returns `None` for one that is not opened.
    fn read(head: &[u8]) -> Option<Self> {
        let (&flags, &block) = (head.get(4)?, head.get(5)?);
        // Version 1, without checksums of blocks, a dictionary and reserved bits.
        let is_known = is_header(head) && flags & 0xd3 == 0x40 && block & 0x8f == 0;
        let block_log = match block >> 4 {
            size @ 4..=7 => 8 + 2 * size,
            _ => return None,
        };
        let has_length = flags & 8 != 0;
        is_known.then_some(Self {
            bytes: if has_length {
                HEADER_BYTES_MAX
            } else {
                HEADER_BYTES
            },
            block_log,
            is_linked: flags & 0x20 == 0,
            has_checksum: flags & 4 != 0,
        })
    }

    fn settings(&self, level: u8) -> Option<Lz4Settings> {
        Lz4Settings::new(level, self.block_log, self.is_linked)
    }
}

pub(super) fn is_header(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// Reads a frame for the decoder, which asks for no byte behind its end.
struct Lz4Input<'i, 's> {
    input: &'i mut StreamInput<'s>,
    /// The first bytes, [`SAMPLE_PACKED_BYTES`] more than the plain bytes of the sample at most.
    sample: Vec<u8>,
    sample_bytes: usize,
    /// The last bytes.
    tail: Vec<u8>,
    failed: Option<RecodeError>,
}

impl Read for Lz4Input<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ahead = match self.input.peek(1) {
            Ok([]) => Err(RecodeError::Truncated),
            other => other,
        };
        let ahead = ahead.map_err(|error| {
            self.failed = Some(error);
            io::Error::other("the frame cannot be read")
        })?;
        let len = ahead.len().min(out.len());
        out[..len].copy_from_slice(&ahead[..len]);
        self.input.pass(len);
        let room = self.sample_bytes - self.sample.len();
        self.sample.extend_from_slice(&out[..len.min(room)]);
        self.tail
            .extend_from_slice(&out[len.saturating_sub(TAIL_BYTES_MAX)..len]);
        let gone = self.tail.len().saturating_sub(TAIL_BYTES_MAX);
        self.tail.drain(..gone);
        Ok(len)
    }
}

/// Opens all frames that follow one another. Returns where the last one ends.
pub(super) fn open(
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
) -> Result<u64, RecodeError> {
    while is_header(input.peek(MAGIC.len())?) {
        open_frame(input, opener)?;
    }
    Ok(input.taken())
}

fn open_frame(input: &mut StreamInput<'_>, opener: &mut Opener<'_>) -> Result<(), RecodeError> {
    let head = input.peek(HEADER_BYTES_MAX)?;
    let header = Lz4Header::read(head).ok_or(RecodeError::Unknown)?;
    let head = head.get(..header.bytes).ok_or(RecodeError::Truncated)?;
    opener.literal(head)?;
    let sample_bytes = SAMPLE_BYTES.max(1 << header.block_log);
    let tail_bytes = if header.has_checksum { 8 } else { 4 };
    let mut decoder = lz4::Decoder::new(Lz4Input {
        input,
        sample: Vec::new(),
        sample_bytes: sample_bytes + SAMPLE_PACKED_BYTES,
        tail: Vec::new(),
        failed: None,
    })
    .map_err(RecodeError::Io)?;
    let (mut plain, mut bytes) = (Vec::new(), 0_u64);
    let mut settings = None;
    let mut out = vec![0; OUT_BYTES];
    loop {
        let len = match decoder.read(&mut out) {
            Ok(len) => len,
            Err(_) => {
                let (frame, _) = decoder.finish();
                return Err(frame
                    .failed
                    .unwrap_or(RecodeError::Corrupt("compressed bytes")));
            }
        };
        bytes += len as u64;
        opener.give(&out[..len], decoder.reader().input.taken())?;
        if settings.is_none() {
            plain.extend_from_slice(&out[..len]);
            if len == 0 || plain.len() >= sample_bytes {
                let packed = &decoder.reader().sample;
                let is_whole = len == 0;
                let behind = if is_whole { tail_bytes } else { 0 };
                let end = packed.len().saturating_sub(behind);
                let sample = BlockSample {
                    packed: packed.get(header.bytes..end).unwrap_or_default(),
                    plain: &plain,
                    is_whole,
                };
                settings = Some(learn(&header, &sample, opener)?);
                plain = Vec::new();
            }
        }
        if len == 0 {
            break;
        }
    }
    let (frame, ended) = decoder.finish();
    ended.map_err(|_| RecodeError::Truncated)?;
    if let Some(settings) = settings.filter(|_| bytes > 0) {
        opener.coded_in_parts(&settings, &[], bytes)?;
    }
    let tail = frame.tail.len().checked_sub(tail_bytes);
    opener.literal(&frame.tail[tail.ok_or(RecodeError::Truncated)?..])?;
    let taken = frame.input.taken();
    opener.check_recipe(taken)
}

/// Finds the level with which liblz4 gives the blocks of a sample.
fn learn(
    header: &Lz4Header,
    sample: &BlockSample<'_>,
    opener: &mut Opener<'_>,
) -> Result<EncoderSettings, RecodeError> {
    let formats = (1..=12).filter_map(|level| header.settings(level));
    let found = guess::of_lz4(formats, sample, opener.clock())?;
    let settings = found.settings.clone();
    opener.learned(found, sample.plain.len() as u64);
    Ok(settings)
}
