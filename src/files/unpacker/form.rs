//! What a content is opened as: by its first bytes, and by its last ones for a zip behind something else.
//!
//! Only magics and lengths are looked at. Whether a content is what it seems shows when it is opened.

use super::zip_directory::ZipDirectory;
use super::{Depth, Unpacker};
use crate::base::read_at::ReadAt;
use crate::content::archive::ar::AR_MAGIC;
use crate::content::archive::cpio::CpioHeader;
use crate::content::archive::rpm::RPM_MAGIC;
use crate::content::archive::{git_pack, tar, zip};
use crate::content::recipe::{ChunkSource, SMALL_BYTES};
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;
use crate::files::stream_kind::{STREAM_BYTES_MIN, StreamKind};
use crate::files::stream_report::KeptReason;

/// The form that a content is opened as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContentForm {
    Plain,
    Tar,
    Stream(StreamKind),
    Ar,
    Cpio,
    Rpm,
    GitPack,
    /// Packed in a way that is not opened.
    Closed(KeptReason),
    /// With its directory, as far as it has one.
    Zip(ZipDirectory),
}

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Returns the form of the next `bytes` bytes.
    pub(super) fn form<R: ReadAt + ?Sized>(
        &self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
    ) -> Result<ContentForm, LayoutError> {
        let depth = self.options.depth;
        let (source, begin) = (reader.source(), reader.offset());
        let head_bytes = usize::try_from(bytes).map_or(tar::BLOCK, |bytes| bytes.min(tar::BLOCK));
        let head = reader.peek(head_bytes)?;
        Ok(if depth == Depth::Closed {
            ContentForm::Plain
        } else if bytes > SMALL_BYTES && tar::begins_tar(head) {
            ContentForm::Tar
        } else if depth == Depth::Tars {
            ContentForm::Plain
        } else if let Some(kind) = StreamKind::of(head) {
            ContentForm::Stream(kind)
        } else if bytes >= STREAM_BYTES_MIN && head.starts_with(&RPM_MAGIC) {
            ContentForm::Rpm
        } else if begins_ar(head, bytes) {
            ContentForm::Ar
        } else if bytes > SMALL_BYTES && CpioHeader::read(head).is_some() {
            ContentForm::Cpio
        } else if bytes > SMALL_BYTES && git_pack::objects(head).is_some() {
            ContentForm::GitPack
        } else if bytes > SMALL_BYTES {
            match ZipDirectory::read(source, begin, begin + bytes) {
                Some(directory) => ContentForm::Zip(directory),
                None if head.starts_with(&zip::LOCAL_MAGIC) => {
                    ContentForm::Zip(ZipDirectory::default())
                }
                None => KeptReason::of_closed(head).map_or(ContentForm::Plain, ContentForm::Closed),
            }
        } else {
            ContentForm::Plain
        })
    }
}

/// Returns whether an `ar` archive that is worth opening begins here. Debian's packages hold streams, so they are even
/// when they are short.
fn begins_ar(head: &[u8], bytes: u64) -> bool {
    let member = head.strip_prefix(&AR_MAGIC);
    member.is_some_and(|member| {
        let is_deb = member.starts_with(b"debian-binary");
        bytes > SMALL_BYTES || (is_deb && bytes >= STREAM_BYTES_MIN)
    })
}
