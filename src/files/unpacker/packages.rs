//! Opens packages of operating systems and what they are made of: `ar` archives (deb), rpm packages, and `cpio` archives.
//!
//! Headers and padding become side bytes, and bodies become contents of their own. Bytes that do not fit are kept, also
//! what stands behind the last member.

use super::Unpacker;
use crate::base::read_at::ReadAt;
use crate::content::archive::ar::{AR_HEADER_BYTES, AR_MAGIC, ArHeader};
use crate::content::archive::cpio::{self, CPIO_HEADER_BYTES, CpioHeader};
use crate::content::archive::rpm::{self, INTRO_BYTES, LEAD_BYTES};
use crate::content::chunk::CHUNK_MAX;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{Blob, ChunkSource};
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Follows an `ar` archive of `bytes` bytes that begins here.
    pub(super) fn ar<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        depth: usize,
    ) -> Result<Blob, LayoutError> {
        reader.push_hasher();
        let end = reader.offset() + bytes;
        let mut recipe = RecipeWriter::new(ContentKind::TarHeaders);
        self.side(reader, AR_MAGIC.len() as u64, &mut recipe)?;
        while let left @ 1.. = end - reader.offset() {
            let head = reader.peek(at_most(left, AR_HEADER_BYTES))?;
            let Some(header) = ArHeader::read(head) else {
                self.body(reader, left, b"", depth + 1, None, &mut recipe)?;
                break;
            };
            let name = ArHeader::name(head).to_vec();
            self.side(reader, AR_HEADER_BYTES as u64, &mut recipe)?;
            let body = header.body_bytes.min(end - reader.offset());
            self.body(reader, body, &name, depth + 1, None, &mut recipe)?;
            let padding = (body % 2).min(end - reader.offset());
            self.side(reader, padding, &mut recipe)?;
        }
        self.finish(reader, bytes, recipe)
    }

    /// Follows a `cpio` archive of `bytes` bytes that begins here.
    pub(super) fn cpio<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        depth: usize,
    ) -> Result<Blob, LayoutError> {
        reader.push_hasher();
        let end = reader.offset() + bytes;
        let mut recipe = RecipeWriter::new(ContentKind::TarHeaders);
        while let left @ 1.. = end - reader.offset() {
            let head = reader.peek(at_most(left, CPIO_HEADER_BYTES))?;
            let header = CpioHeader::read(head).filter(|header| header.bytes() as u64 <= left);
            let Some(header) = header else {
                self.behind_cpio(reader, end, depth, &mut recipe)?;
                break;
            };
            let head = reader.peek(header.bytes())?;
            let (name, is_last) = (CpioHeader::name(head).to_vec(), CpioHeader::is_last(head));
            self.side(reader, header.bytes() as u64, &mut recipe)?;
            let body = header.body_bytes.min(end - reader.offset());
            self.body(reader, body, &name, depth + 1, None, &mut recipe)?;
            let padding = cpio::padding(body).min(end - reader.offset());
            self.side(reader, padding, &mut recipe)?;
            if is_last {
                self.behind_cpio(reader, end, depth, &mut recipe)?;
                break;
            }
        }
        self.finish(reader, bytes, recipe)
    }

    /// Puts what follows a `cpio` archive into the recipe: zeros, and another archive or a stream.
    fn behind_cpio<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        end: u64,
        depth: usize,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        while let left @ 1.. = end - reader.offset() {
            let window = reader.peek(at_most(left, CHUNK_MAX))?;
            let zeros = window.iter().position(|byte| *byte != 0);
            let whole = window.len();
            self.side(reader, zeros.unwrap_or(whole) as u64, recipe)?;
            if zeros.is_some() {
                let left = end - reader.offset();
                return self.body(reader, left, b"", depth + 1, None, recipe);
            }
        }
        Ok(())
    }

    /// Takes an rpm package of `bytes` bytes that begins here apart.
    pub(super) fn rpm<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        depth: usize,
    ) -> Result<Blob, LayoutError> {
        reader.push_hasher();
        let end = reader.offset() + bytes;
        let mut recipe = RecipeWriter::new(ContentKind::TarHeaders);
        self.side(reader, LEAD_BYTES.min(bytes), &mut recipe)?;
        // The signature is new with every build, and ends at a multiple of 8.
        if let Some(signature) = header_here(reader, end)? {
            let whole = signature.next_multiple_of(8);
            let whole = whole.min(end - reader.offset());
            self.side(reader, whole, &mut recipe)?;
        }
        if let Some(header) = header_here(reader, end)? {
            self.body(reader, header, b"header", depth + 1, None, &mut recipe)?;
        }
        let payload = end - reader.offset();
        self.body(
            reader,
            payload,
            b"payload.cpio",
            depth + 1,
            None,
            &mut recipe,
        )?;
        self.finish(reader, bytes, recipe)
    }
}

/// Returns the length of the rpm header that begins here, when it ends before `end`.
fn header_here<R: ReadAt + ?Sized>(
    reader: &mut HashingReader<'_, R>,
    end: u64,
) -> Result<Option<u64>, LayoutError> {
    let left = end - reader.offset();
    let intro = reader.peek(at_most(left, INTRO_BYTES))?;
    Ok(rpm::header_bytes(intro).filter(|bytes| *bytes <= left))
}

fn at_most(left: u64, most: usize) -> usize {
    usize::try_from(left).map_or(most, |left| left.min(most))
}
