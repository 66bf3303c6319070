//! Members of zip files, by their local headers.

use super::{MemberStart, Side};
use crate::content::archive::zip::{self, HEADER_BYTES, LOCAL_MAGIC, LocalHeader, Method};
use crate::content::recipe::{ChunkSource, RecipeError};

/// Bytes that are searched for a header at a time.
const STEP_BYTES: u64 = 64 * 1024;

/// The position in a zip while its names are read. Holds one local header and one step.
#[derive(Default)]
pub(in super::super) struct ZipNames {
    member_no: u64,
    name: Vec<u8>,
    body: ZipBody,
    /// Bytes of the archive that were followed.
    at: u64,
    /// Members that began, when they are recorded.
    begun: Option<Vec<MemberStart>>,
    /// Length of the member whose header was just read, and whether it is a deflate stream.
    untold: Option<(Option<u64>, bool)>,
}

/// The body of the member whose header was read last.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum ZipBody {
    /// The body has ended.
    #[default]
    Over,
    /// This many bytes of it are left.
    Known(u64),
    /// It ends with its stream, if it has one.
    Unknown,
}

impl ZipNames {
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
        let begins_at = self.at;
        self.at = self.at.saturating_add(bytes);
        let (mut window, mut at) = (Vec::new(), 0);
        while (run > 0 || at < window.len()) && !side.is_lost() {
            match self.body {
                // The rest of the body lies in the window, and behind it.
                ZipBody::Known(left) => {
                    let rest = window.len() - at;
                    let here = usize::try_from(left).map_or(rest, |left| left.min(rest));
                    at += here;
                    let behind = (left - here as u64).min(run);
                    side.skip(behind)?;
                    run -= behind;
                    self.pass(here as u64 + behind);
                }
                // No stream followed the header, so there is no body.
                ZipBody::Unknown => self.body = ZipBody::Over,
                ZipBody::Over => match self.header(&window[at..], run == 0) {
                    Some(used) => {
                        at += used;
                        let behind = run + (window.len() - at) as u64;
                        self.tell(begins_at.saturating_add(bytes - behind));
                    }
                    None => {
                        window.drain(..at);
                        at = 0;
                        let now = run.min(STEP_BYTES);
                        side.read(usize::try_from(now).unwrap_or(0), &mut window)?;
                        run -= now;
                    }
                },
            }
        }
        Ok(())
    }

    /// Looks for a header at the front of `window` and returns the number of bytes to skip. `None` means that more
    /// bytes are needed.
    fn header(&mut self, window: &[u8], is_all: bool) -> Option<usize> {
        let may_begin = window.len() < LOCAL_MAGIC.len() || window.starts_with(&LOCAL_MAGIC);
        if may_begin && !is_all && window.len() < HEADER_BYTES {
            return None;
        }
        let Some(header) = LocalHeader::read(window) else {
            let behind = if is_all {
                window.len()
            } else {
                window.len().saturating_sub(3)
            };
            return Some(zip::find_header(window).unwrap_or(behind.max(1).min(window.len())));
        };
        let Some(whole) = window.get(..header.bytes()) else {
            // A header without an end is not a header.
            return is_all.then_some(1);
        };
        self.name = whole[HEADER_BYTES..][..header.name_bytes].to_vec();
        self.untold = match header.method {
            Method::Stored => Some((header.body_bytes, false)),
            Method::Deflate => Some((header.body_bytes, true)),
            Method::Other | Method::Encrypted => None,
        };
        self.member_no += 1;
        self.body = match header.body_bytes {
            Some(0) => ZipBody::Over,
            Some(bytes) => ZipBody::Known(bytes),
            None => ZipBody::Unknown,
        };
        Some(header.bytes())
    }

    /// Records the member whose header was read, when members are recorded. Its body begins at `at`.
    fn tell(&mut self, at: u64) {
        let Some((begun, (bytes, is_packed))) = self.begun.as_mut().zip(self.untold.take()) else {
            return;
        };
        begun.push(MemberStart::File {
            path: self.name.clone(),
            at,
            bytes,
            is_packed,
        });
    }

    pub(super) fn body(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes);
        self.pass(bytes);
    }

    fn pass(&mut self, bytes: u64) {
        self.body = match self.body {
            ZipBody::Known(left) if bytes < left => ZipBody::Known(left - bytes),
            ZipBody::Known(_) | ZipBody::Over => ZipBody::Over,
            ZipBody::Unknown => ZipBody::Unknown,
        };
    }

    pub(super) fn member(&self) -> (u64, &[u8]) {
        match self.body {
            ZipBody::Over => (0, &[]),
            ZipBody::Known(_) | ZipBody::Unknown => (self.member_no, &self.name),
        }
    }
}
