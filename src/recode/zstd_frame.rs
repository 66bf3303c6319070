//! The frame of zstd: a header, blocks and a checksum (RFC 8878). Frames follow one another, and skippable ones too.
//!
//! The blocks of a frame are one piece. Each is encoded again as soon as it is unpacked, by all settings that may be the
//! writer's, so a frame whose recipe is written comes back. Everything else goes into the recipe as it is.

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::RecodeError;
use super::input::StreamInput;
use super::klauspost::{Contest, KlauspostSettings};
use super::opener::Opener;
use super::recipe::pieces_max;
use super::settings::EncoderSettings;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes of a skippable frame's magic and length.
const SKIPPABLE_HEAD_BYTES: usize = 8;
/// Longest skippable frame.
const SKIPPABLE_BYTES_MAX: u32 = 1 << 20;
/// Most bytes of a frame's header.
const HEADER_BYTES_MAX: usize = 14;
/// Most plain bytes of a block.
const BLOCK_BYTES_MAX: usize = 128 << 10;
/// Largest window, as a power of two, and that of most writers.
const WINDOW_LOG_MAX: u8 = 25;
const USUAL_WINDOW_LOG: u8 = 23;
/// Blocks of the fastest level, and of the others, as powers of two.
const SHORT_BLOCK_LOG: u8 = 16;
const BLOCK_LOG: u8 = 17;

/// What the header of a frame says.
struct FrameHeader {
    /// Its bytes.
    bytes: usize,
    /// The window, as a power of two.
    window_log: u8,
    has_checksum: bool,
}

impl FrameHeader {
    /// Reads a header. Returns `None` for one that no writer of those that are known makes.
    fn read(head: &[u8]) -> Option<Self> {
        let rest = head.strip_prefix(&MAGIC)?;
        let (&descriptor, rest) = rest.split_first()?;
        // Dictionaries are not there, and a reserved bit is not set.
        if descriptor & 0x0b != 0 {
            return None;
        }
        let is_single = descriptor & 0x20 != 0;
        let size_bytes = match descriptor >> 6 {
            0 => usize::from(is_single),
            bits => 1 << bits,
        };
        let window_bytes = usize::from(!is_single);
        let size = rest.get(window_bytes..window_bytes + size_bytes)?;
        let window_log = if is_single {
            let mut all = [0; 8];
            all[..size_bytes].copy_from_slice(size);
            let bytes = u64::from_le_bytes(all) + if size_bytes == 2 { 256 } else { 0 };
            let bits = u64::BITS - bytes.saturating_sub(1).leading_zeros();
            u8::try_from(bits).ok()?.max(USUAL_WINDOW_LOG)
        } else {
            let window = *rest.first()?;
            // Klauspost's windows are powers of two.
            if window & 7 != 0 {
                return None;
            }
            10 + (window >> 3)
        };
        (window_log <= WINDOW_LOG_MAX).then_some(Self {
            bytes: MAGIC.len() + 1 + window_bytes + size_bytes,
            window_log,
            has_checksum: descriptor & 4 != 0,
        })
    }

    /// Returns the settings that may write a frame, the likely ones first. `first_bytes` are the plain bytes of its first
    /// block.
    fn settings(&self, first_bytes: usize) -> Vec<KlauspostSettings> {
        let mut all = Vec::new();
        for level in [2, 1, 3] {
            let is_short = level == 1 && first_bytes <= 1 << SHORT_BLOCK_LOG;
            let block_log = if is_short { SHORT_BLOCK_LOG } else { BLOCK_LOG };
            let block_log = block_log.min(self.window_log);
            for era in (1..=5).rev() {
                all.extend(KlauspostSettings::new(
                    era,
                    level,
                    self.window_log,
                    block_log,
                ));
            }
        }
        all
    }
}

pub(super) fn is_header(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// The plain lengths of a frame's blocks.
#[derive(Default)]
struct BlockLengths {
    /// Those before the last: a length, and how many blocks in turn have it.
    before: Vec<(usize, u64)>,
    last: usize,
}

impl BlockLengths {
    fn push(&mut self, bytes: usize, is_last: bool) {
        if is_last {
            self.last = bytes;
            return;
        }
        match self.before.last_mut() {
            Some((length, count)) if *length == bytes => *count += 1,
            _ => self.before.push((bytes, 1)),
        }
    }

    /// Returns the parts up to each flush, and the bytes behind the last one.
    fn parts(&self, block_bytes: usize) -> (Vec<u64>, u64) {
        let (mut parts, mut open) = (Vec::new(), 0);
        for (length, count) in &self.before {
            if *length == block_bytes {
                open += *length as u64 * count;
                continue;
            }
            for _ in 0..*count {
                parts.push(open + *length as u64);
                open = 0;
            }
        }
        // An empty block ends a frame whose text was flushed before.
        if self.last == 0 && open > 0 {
            parts.push(open);
            open = 0;
        }
        (parts, open + self.last as u64)
    }
}

/// Opens all frames that follow one another. Returns where the last one ends.
pub(super) fn open(
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
) -> Result<u64, RecodeError> {
    let mut decoder = Decoder::new().map_err(RecodeError::Io)?;
    let mut writers = None;
    frame(input, opener, &mut decoder, &mut writers)?;
    loop {
        let end = input.taken();
        let head = input.peek(SKIPPABLE_HEAD_BYTES)?;
        if head.starts_with(&MAGIC) {
            frame(input, opener, &mut decoder, &mut writers)?;
        } else if !skippable(input, opener)? {
            return Ok(end);
        }
    }
}

/// Passes over a skippable frame, as it is. Returns `false` when there is none.
fn skippable(input: &mut StreamInput<'_>, opener: &mut Opener<'_>) -> Result<bool, RecodeError> {
    let head = input.peek(SKIPPABLE_HEAD_BYTES)?;
    let Some([magic, 0x2a, 0x4d, 0x18, size @ ..]) = head.first_chunk::<SKIPPABLE_HEAD_BYTES>()
    else {
        return Ok(false);
    };
    let size = u32::from_le_bytes(*size);
    if magic & 0xf0 != 0x50 || size > SKIPPABLE_BYTES_MAX {
        return Ok(false);
    }
    let mut left = SKIPPABLE_HEAD_BYTES + size as usize;
    while left > 0 {
        let len = left.min(32 << 10);
        opener.literal(&input.take_vec(len)?)?;
        left -= len;
    }
    opener.check_recipe(input.taken())?;
    Ok(true)
}

/// Opens a frame. `writers` are the settings that gave all frames before, whatever their window.
fn frame(
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
    decoder: &mut Decoder<'_>,
    writers: &mut Option<Vec<KlauspostSettings>>,
) -> Result<(), RecodeError> {
    let header = FrameHeader::read(input.peek(HEADER_BYTES_MAX)?).ok_or(RecodeError::Unknown)?;
    let head = input.take_vec(header.bytes)?;
    opener.literal(&head)?;
    decoder.reinit().map_err(RecodeError::Io)?;
    unpack(decoder, &head, &mut Vec::new())?;
    let mut contest: Option<Contest> = None;
    let mut lengths = BlockLengths::default();
    let (mut packed, mut plain, mut plain_bytes) = (Vec::new(), Vec::new(), 0);
    loop {
        packed.clear();
        plain.clear();
        let is_last = take_block(input, &mut packed)?;
        unpack(decoder, &packed, &mut plain)?;
        if plain.is_empty() {
            // Blocks of nothing are written at the end alone.
            if !is_last || packed.len() != 3 {
                return Err(RecodeError::Unknown);
            }
        } else {
            let contest = contest.get_or_insert_with(|| {
                let mut settings = header.settings(plain.len());
                settings.retain(|new| writers.as_ref().is_none_or(|all| is_among(all, new)));
                Contest::new(&settings)
            });
            contest.block(&plain, &packed, is_last);
            if !contest.is_open() {
                return Err(RecodeError::Unknown);
            }
        }
        lengths.push(plain.len(), is_last);
        plain_bytes += plain.len() as u64;
        // A short block is a piece, and full ones may stand between any two.
        if lengths.before.len() as u64 > 2 * pieces_max(plain_bytes) {
            return Err(RecodeError::Unknown);
        }
        opener.give(&plain, input.taken())?;
        if is_last {
            break;
        }
    }
    let Some(contest) = contest else {
        opener.literal(&packed)?;
        return end(&header, input, opener);
    };
    let standing = contest.standing();
    let settings = *standing.first().ok_or(RecodeError::Unknown)?;
    let (parts, last_bytes) = lengths.parts(settings.block_bytes());
    let settings = EncoderSettings::Klauspost(settings);
    opener.coded_in_parts(&settings, &parts, last_bytes)?;
    *writers = Some(standing);
    end(&header, input, opener)
}

/// Passes over the checksum.
fn end(
    header: &FrameHeader,
    input: &mut StreamInput<'_>,
    opener: &mut Opener<'_>,
) -> Result<(), RecodeError> {
    if header.has_checksum {
        opener.literal(&input.take::<4>()?)?;
    }
    opener.check_recipe(input.taken())
}

/// Returns whether settings are among others, whatever the window.
fn is_among(all: &[KlauspostSettings], new: &KlauspostSettings) -> bool {
    let mut all = all.iter();
    all.any(|one| (one.era, one.level) == (new.era, new.level))
}

/// Takes a block with its header. Returns whether it is the last.
fn take_block(input: &mut StreamInput<'_>, packed: &mut Vec<u8>) -> Result<bool, RecodeError> {
    let head: [u8; 3] = input.take()?;
    packed.extend_from_slice(&head);
    let [low, middle, high] = head;
    let header = u32::from_le_bytes([low, middle, high, 0]);
    let mut left = match header >> 1 & 3 {
        1 => 1,
        3 => return Err(RecodeError::Corrupt("block")),
        _ => (header >> 3) as usize,
    };
    if left > BLOCK_BYTES_MAX {
        return Err(RecodeError::Corrupt("block"));
    }
    while left > 0 {
        let len = left.min(32 << 10);
        packed.extend_from_slice(&input.take_vec(len)?);
        left -= len;
    }
    Ok(header & 1 != 0)
}

/// Unpacks a header or a block, and appends all plain bytes that it gives.
fn unpack(
    decoder: &mut Decoder<'_>,
    packed: &[u8],
    plain: &mut Vec<u8>,
) -> Result<(), RecodeError> {
    let mut from = InBuffer::around(packed);
    let begin = plain.len();
    let mut room = vec![0; 32 << 10];
    loop {
        let mut to = OutBuffer::around(&mut room);
        let run = decoder.run(&mut from, &mut to);
        run.map_err(|_| RecodeError::Corrupt("compressed bytes"))?;
        let given = to.as_slice();
        let is_full = given.len() == 32 << 10;
        plain.extend_from_slice(given);
        if plain.len() - begin > BLOCK_BYTES_MAX {
            return Err(RecodeError::Corrupt("block"));
        }
        if from.pos() == packed.len() && !is_full {
            return Ok(());
        }
    }
}
