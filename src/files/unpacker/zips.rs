//! Opens zip files (jar, whl, apk and similar). Deflated members become plain bytes, stored ones become contents, and
//! everything else becomes side bytes. What stands before the zip is a content of its own.
//!
//! A zip is read from front to back, and neither its headers nor its directory are trusted: a member ends where its
//! stream ends. What does not fit is kept as bytes.

use super::Unpacker;
use super::members_ahead::MembersAhead;
use super::zip_directory::ZipDirectory;
use crate::base::monitor::Quiet;
use crate::base::read_at::ReadAt;
use crate::content::archive::zip::{self, LocalHeader, Method};
use crate::content::chunk::CHUNK_MAX;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{Blob, ChunkSource, SMALL_BYTES};
use crate::deflate::Wrapper;
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;
use crate::files::stream_report::KeptReason;
use crate::files::streams::{self, How, Outcome, Region, StreamFormat};

/// Shorter members are side bytes, because finding a chunk costs as much as it gains.
const MEMBER_BYTES_MIN: u64 = 200;
/// Bytes of failed streams, beyond the length of the zip, after which no more are tried. Headers may lie inside
/// streams, so a hostile zip could otherwise have everything read again for each of them.
const IN_VAIN_BYTES: u64 = 16 << 20;

/// A zip that is being followed.
struct Zip {
    end: u64,
    depth: usize,
    recipe: RecipeWriter,
    /// Bytes that may still be read in vain.
    vain_left: u64,
    directory: ZipDirectory,
    ahead: MembersAhead,
}

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Follows a zip of `bytes` bytes that begins here, or whose directory says that it begins behind something else.
    pub(super) fn zip<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        depth: usize,
        directory: ZipDirectory,
    ) -> Result<Blob, LayoutError> {
        reader.push_hasher();
        let end = reader.offset() + bytes;
        let is_here = reader.peek(zip::LOCAL_MAGIC.len())? == zip::LOCAL_MAGIC;
        let begin = directory.first().filter(|_| !is_here);
        let before = begin.map_or(0, |begin| begin - reader.offset());
        let mut zip = Zip {
            end,
            depth,
            recipe: RecipeWriter::new(ContentKind::TarHeaders),
            vain_left: bytes + IN_VAIN_BYTES,
            ahead: MembersAhead::of(&directory, end),
            directory,
        };
        self.body(reader, before, name, depth + 1, None, &mut zip.recipe)?;
        while reader.offset() < zip.end {
            let left = zip.end - reader.offset();
            let window = |most: usize| usize::try_from(left).map_or(most, |left| left.min(most));
            let at = reader.offset();
            let head = reader.peek(window(zip::HEADER_BYTES))?;
            match zip.directory.header(head, at, zip.end) {
                Some(header) => {
                    let head = reader.peek(header.bytes())?;
                    let name = head[zip::HEADER_BYTES..][..header.name_bytes].to_vec();
                    self.side(reader, header.bytes() as u64, &mut zip.recipe)?;
                    self.zip_member(reader, &header, &name, &mut zip)?;
                }
                None => {
                    let window = reader.peek(window(CHUNK_MAX))?;
                    // The last three bytes may be the beginning of a header.
                    let all = if window.len() as u64 == left {
                        left
                    } else {
                        window.len() as u64 - 3
                    };
                    let gap = zip::find_header(window).map_or(all, |at| at as u64);
                    let listed = zip.directory.next_behind(at).map(|next| next - at);
                    let gap = listed.map_or(gap, |listed| listed.min(gap));
                    self.side(reader, gap, &mut zip.recipe)?;
                }
            }
        }
        self.finish(reader, bytes, zip.recipe)
    }

    /// Puts the body of a member into the recipe, as far as the body's end is known.
    fn zip_member<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        header: &LocalHeader,
        name: &[u8],
        zip: &mut Zip,
    ) -> Result<(), LayoutError> {
        let left = zip.end - reader.offset();
        let known = header.body_bytes.filter(|bytes| *bytes <= left);
        match (header.method, known) {
            (_, Some(bytes)) if bytes < MEMBER_BYTES_MIN => {
                self.side(reader, bytes, &mut zip.recipe)
            }
            (Method::Deflate, _) => self.zip_stream(reader, known, name, zip),
            (Method::Stored, Some(bytes)) => {
                self.body(reader, bytes, name, zip.depth + 1, None, &mut zip.recipe)
            }
            (method @ (Method::Other | Method::Encrypted), Some(bytes)) => {
                let reason = match method {
                    Method::Encrypted => KeptReason::Encrypted,
                    _ => KeptReason::ZipMethod,
                };
                if bytes > SMALL_BYTES {
                    let blob = self.closed(reader, bytes, name, reason)?;
                    return Ok(zip.recipe.blob(self.sink, blob)?);
                }
                self.kept(reason, bytes);
                self.plain_part(reader, bytes, name, &mut zip.recipe)
            }
            (_, None) => Ok(()),
        }
    }

    fn zip_stream<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        known: Option<u64>,
        name: &[u8],
        zip: &mut Zip,
    ) -> Result<(), LayoutError> {
        let region = Region {
            source: reader.source(),
            path: reader.path(),
            offset: reader.offset(),
            bytes: known.unwrap_or(zip.end - reader.offset()),
        };
        // The budget is used up, so members are kept without another attempt.
        let (outcome, read) = if zip.vain_left == 0 {
            (Outcome::Kept(KeptReason::Corrupt), 0)
        } else {
            let quiet = Quiet(self.monitor);
            let how = How {
                format: StreamFormat::Deflate(Wrapper::Raw),
                effort: Some(&self.effort),
                threads: 1,
            };
            let ahead = &mut zip.ahead;
            match ahead.take(
                region,
                &zip.directory,
                &self.effort,
                self.options,
                self.monitor,
            ) {
                Some(opened) => opened,
                None => streams::open(region, how, self.options, &quiet)?,
            }
        };
        match outcome {
            Outcome::Opened(opened) if opened.stream_bytes >= MEMBER_BYTES_MIN => {
                self.deflate(&opened, region.path, name, zip.depth, &mut zip.recipe)?;
                reader.skip(opened.stream_bytes)?;
                self.report(opened.stream_bytes)
            }
            Outcome::Opened(opened) => self.side(reader, opened.stream_bytes, &mut zip.recipe),
            Outcome::Kept(reason) => {
                zip.vain_left = zip.vain_left.saturating_sub(read);
                self.kept(reason, known.unwrap_or(0));
                match known {
                    Some(bytes) => self.plain_part(reader, bytes, name, &mut zip.recipe),
                    None => Ok(()),
                }
            }
            Outcome::Known => Ok(()),
        }
    }
}
