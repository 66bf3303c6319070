//! Raw images of compact discs: sectors with their headers and checks around the user data, as CloneCD and others write
//! them (`.bin`, `.img`).
//!
//! It recognizes the layout by content and shows the user data alone, 2048 bytes a sector. A sector whose own check does
//! not fit counts as unreadable, so that a bad sector of the dump is a gap and not wrong data. Sectors are described in
//! ECMA-130.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use crate::base::read_at::{ReadAt, read_some};
use crate::volumes::media::images::read_full;

/// Bytes of user data in a sector.
const USER: usize = 2048;
/// Bytes of a sector with its sync pattern, without sub-channel.
const WHOLE: usize = 2352;
/// Bytes of a sector of mode 2 without sync pattern and header.
const MODE_2_ALONE: u64 = 2336;
/// Sectors with sync pattern: alone, with all of the sub-channel, and with one channel of it.
const STRIDES: [u64; 3] = [2352, 2448, 2368];
/// The pattern at the beginning of a sector.
const SYNC: [u8; 12] = [0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0];
/// Sectors that are looked at all over an image. Half of them must fit, because the others may be bad.
const SAMPLES: u64 = 64;
/// Bytes in which the first sync pattern is looked for.
const SEARCH_BYTES: usize = 8 * 2448;

/// How the sectors of a raw image lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SectorLayout {
    /// Bytes from one sector to the next.
    pub(crate) stride: u64,
    /// Bytes before the first whole sector.
    start: u64,
    /// Whether sectors carry checks that fit. Some programs leave them out.
    is_checked: bool,
}

impl SectorLayout {
    /// Recognizes a raw image. Returns `None` for anything else.
    pub(crate) fn of(source: &dyn ReadAt) -> Option<Self> {
        let mut begin = vec![0; SEARCH_BYTES];
        let have = read_full(source, 0, &mut begin);
        Self::of_begun(source, &begin[..have])
    }

    /// Recognizes a raw image of which the first bytes are known.
    pub(super) fn of_begun(source: &dyn ReadAt, begin: &[u8]) -> Option<Self> {
        let size = source.size_bytes();
        let begin = &begin[..begin.len().min(SEARCH_BYTES)];
        let first = memmem::find(begin, &SYNC).map(|at| at as u64);
        let may_be = |stride: u64| size.is_multiple_of(stride) && size > 0;
        // The first sectors may be bad. Then the length says whether looking further is worth a read.
        let first = first.or_else(|| {
            STRIDES.into_iter().any(may_be).then(|| {
                let middle = size / 2;
                let mut bytes = vec![0; SEARCH_BYTES];
                let have = read_full(source, middle, &mut bytes);
                memmem::find(&bytes[..have], &SYNC).map(|at| middle + at as u64)
            })?
        });
        let with_sync = first.into_iter().flat_map(|first| {
            STRIDES.map(|stride| Self {
                stride,
                start: first % stride,
                is_checked: true,
            })
        });
        let without = may_be(MODE_2_ALONE).then_some(Self {
            stride: MODE_2_ALONE,
            start: 0,
            is_checked: true,
        });
        with_sync
            .chain(without)
            .find_map(|layout| layout.confirmed(source))
    }

    /// Returns whether bytes begin with the first sector of a disc. Its address is 0 minutes, 2 seconds.
    pub(super) fn begins(bytes: &[u8]) -> bool {
        let is_first = |address: &[u8]| address <= [0, 2, 0].as_slice();
        bytes.starts_with(&SYNC) && bytes.get(12..15).is_some_and(is_first)
    }

    /// Looks at sectors all over the image.
    fn confirmed(self, source: &dyn ReadAt) -> Option<Self> {
        let sectors = self.sectors(source.size_bytes());
        let samples = sectors.min(SAMPLES);
        let mut sector = [0; WHOLE];
        let sector = &mut sector[..self.sector_bytes()];
        let (mut fitting, mut right) = (0, 0);
        for sample in 0..samples {
            let no = sectors * sample / samples;
            if read_full(source, self.start + no * self.stride, sector) < sector.len() {
                continue;
            }
            if let Some(place) = self.place_of(sector) {
                fitting += 1;
                right += u64::from(place.check_fits(sector));
            }
        }
        let is_it = samples > 1 && fitting * 2 >= samples;
        is_it.then_some(Self {
            is_checked: right * 2 >= fitting,
            ..self
        })
    }

    fn sectors(&self, size: u64) -> u64 {
        let bytes = size.saturating_sub(self.start);
        let last = bytes % self.stride;
        // The last sector may lack its sub-channel.
        bytes / self.stride + u64::from(last >= self.sector_bytes() as u64)
    }

    /// Bytes of a sector that matter here: without sub-channel.
    fn sector_bytes(&self) -> usize {
        if self.stride == MODE_2_ALONE {
            WHOLE - 16
        } else {
            WHOLE
        }
    }

    /// Returns the user data of a sector that is good.
    fn user_data<'a>(&self, sector: &'a [u8]) -> Option<&'a [u8]> {
        let place = self.place_of(sector)?;
        let is_good = !self.is_checked || place.check_fits(sector);
        is_good.then(|| &sector[place.at..place.at + USER])
    }

    /// Returns where the user data of a sector are. Returns `None` for one without, and for bytes that are no sector.
    fn place_of(&self, sector: &[u8]) -> Option<UserData> {
        if self.stride == MODE_2_ALONE {
            return UserData::mode_2(sector, 0);
        }
        if !sector.starts_with(&SYNC) {
            return None;
        }
        match sector[15] {
            1 => Some(UserData {
                at: 16,
                checked: 0..16 + USER,
            }),
            2 => UserData::mode_2(sector, 16),
            _ => None,
        }
    }
}

/// The place of user data in a sector, and the bytes before its check.
struct UserData {
    at: usize,
    checked: Range<usize>,
}

impl UserData {
    /// Mode 2: a subheader of four bytes, twice, and one bit of it for the form. Form 2 has no user data of this kind.
    fn mode_2(sector: &[u8], at: usize) -> Option<Self> {
        let subheader = sector.get(at..at + 8)?;
        let (one, two) = subheader.split_at(4);
        let is_form_1 = one[2] & 0x20 == 0;
        // Zeros say nothing where no sync pattern stands before them.
        let is_told = at > 0 || one != [0; 4];
        (one == two && is_told && is_form_1).then_some(Self {
            at: at + 8,
            checked: at..at + 8 + USER,
        })
    }

    fn check_fits(&self, sector: &[u8]) -> bool {
        let said = sector.get(self.checked.end..self.checked.end + 4);
        said == Some(&edc(&sector[self.checked.clone()]).to_le_bytes())
    }
}

/// Returns the error detection code of ECMA-130: a CRC of 32 bits, lowest bit first.
fn edc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        sum >> 8 ^ EDC_TABLE[usize::from(low ^ byte)]
    })
}

const EDC_TABLE: [u32; 256] = edc_table();

const fn edc_table() -> [u32; 256] {
    /// (x^16 + x^15 + x^2 + 1) (x^16 + x^2 + x + 1), bits reversed.
    const POLYNOMIAL: u32 = 0xd801_8001;
    let mut table = [0; 256];
    let mut index = 0;
    let mut value = 0_u32;
    while index < 256 {
        let mut sum = value;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 {
                sum >> 1 ^ POLYNOMIAL
            } else {
                sum >> 1
            };
            bit += 1;
        }
        table[index] = sum;
        index += 1;
        value += 1;
    }
    table
}

/// The user data of a raw image.
pub(super) struct RawSectors {
    source: Arc<dyn ReadAt>,
    layout: SectorLayout,
}

impl RawSectors {
    pub(super) fn new(source: Arc<dyn ReadAt>, layout: SectorLayout) -> Self {
        Self { source, layout }
    }
}

impl ReadAt for RawSectors {
    fn size_bytes(&self) -> u64 {
        self.layout.sectors(self.source.size_bytes()) * USER as u64
    }

    /// Reads to the end of one sector at least, and on while sectors are good.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        /// Sectors that are read at a time.
        const BATCH: usize = 32;
        let end = self
            .size_bytes()
            .min(offset.saturating_add(out.len() as u64));
        if offset >= end {
            return Ok(0);
        }
        let first = offset / USER as u64;
        let count = in_memory(end.div_ceil(USER as u64) - first).min(BATCH);
        let stride = in_memory(self.layout.stride);
        let at = self.layout.start + first * self.layout.stride;
        let mut raw = vec![0; count * stride];
        let have = match read_some(&*self.source, at, &mut raw) {
            // A bad sector further on must not cost the first one.
            Err(_) if count > 1 => read_some(&*self.source, at, &mut raw[..stride])?,
            other => other?,
        };
        let mut done = 0;
        let mut within = in_memory(offset % USER as u64);
        for sector in raw[..have].chunks(stride) {
            let sector = sector.get(..self.layout.sector_bytes());
            let data = sector.and_then(|sector| self.layout.user_data(sector));
            let Some(data) = data else { break };
            let len = (USER - within).min(out.len() - done);
            out[done..done + len].copy_from_slice(&data[within..within + len]);
            done += len;
            within = 0;
            if done == out.len() {
                break;
            }
        }
        if done == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a bad sector of a raw image",
            ));
        }
        Ok(done)
    }
}

/// The user data of a raw image that comes as a stream. Bad sectors are zeros, because a stream has no gaps.
pub(super) struct RawSectorStream<R> {
    source: R,
    layout: SectorLayout,
    sector: Vec<u8>,
    data: [u8; USER],
    /// How much of `data` was taken.
    at: usize,
    is_begun: bool,
}

impl<R: Read> RawSectorStream<R> {
    pub(super) fn new(source: R, layout: SectorLayout) -> Self {
        Self {
            source,
            layout,
            sector: Vec::new(),
            data: [0; USER],
            at: USER,
            is_begun: false,
        }
    }

    /// Reads the next sector. Returns false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        if !self.is_begun {
            self.is_begun = true;
            io::copy(
                &mut self.source.by_ref().take(self.layout.start),
                &mut io::sink(),
            )?;
        }
        self.sector.clear();
        let sector = self.source.by_ref().take(self.layout.stride);
        { sector }.read_to_end(&mut self.sector)?;
        let Some(sector) = self.sector.get(..self.layout.sector_bytes()) else {
            return Ok(false);
        };
        match self.layout.user_data(sector) {
            Some(data) => self.data.copy_from_slice(data),
            None => self.data.fill(0),
        }
        self.at = 0;
        Ok(true)
    }
}

impl<R: Read> Read for RawSectorStream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == USER && !self.advance()? {
            return Ok(0);
        }
        let len = out.len().min(USER - self.at);
        out[..len].copy_from_slice(&self.data[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

fn in_memory(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
