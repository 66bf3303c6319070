//! Exports images: the files of a docker archive or an OCI layout, and the same files as a tar.
//!
//! Nothing is unpacked to disk. Blobs are rebuilt while they are written, and their digests are compared. The same
//! images give the same bytes.

mod docker;
mod oci;

use std::io::{self, Write};

use self::docker::docker_archive;
use self::oci::oci_layout;
pub(crate) use self::oci::whole_name;
use super::{Digest, DigestHasher, Image, Images};
use crate::base::monitor::Monitor;
use crate::content::archive::tar;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};

/// Bytes that are hashed and written together.
const PIECE_BYTES: usize = 256 << 10;

/// The format in which images are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageForm {
    /// The format of `docker load`: `manifest.json`, configs and layers. Layers are plain tars where they are stored
    /// opened, and otherwise as they came.
    DockerArchive,
    /// An OCI layout: manifests and blobs with their original digests.
    OciLayout,
}

/// The reason why images cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It is an artifact.
    #[error("{image} is no image of layers: a docker archive cannot hold it")]
    NotRunnable {
        /// The image.
        image: String,
    },
    /// A part of it is not in the release.
    #[error("{image}: blob {digest} is not in the release")]
    Missing {
        /// The image.
        image: String,
        /// The blob.
        digest: Digest,
    },
    /// A blob does not match the digest that it is named by.
    #[error("blob {digest} does not match its digest: it is {found}")]
    Mismatch {
        /// The blob.
        digest: Digest,
        /// The digest of the rebuilt bytes.
        found: Digest,
    },
    /// A blob cannot be rebuilt or written.
    #[error("blob {digest}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// The error.
        source: RecipeError,
    },
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    /// A recipe cannot be followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

/// A file of an archive or layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutFile {
    /// Path in the archive or layout.
    pub path: String,
    /// Its content.
    pub what: What,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A blob of this digest.
    Blob(Digest, FileBody),
}

impl OutFile {
    /// Returns its length.
    pub fn bytes(&self) -> u64 {
        match &self.what {
            What::Bytes(bytes) => bytes.len() as u64,
            What::Blob(_, body) => body.bytes(),
        }
    }

    /// Writes the content, and compares the digest.
    ///
    /// # Errors
    /// [`ExportError::Mismatch`] and similar. Bytes may have been written by then.
    pub fn write<S: ChunkSource>(
        &self,
        source: &S,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), ExportError> {
        match &self.what {
            What::Bytes(bytes) => {
                out.write_all(bytes).map_err(ExportError::Write)?;
                monitor.advance(bytes.len() as u64);
                Ok(())
            }
            What::Blob(digest, body) => write_blob(source, digest, body, out, monitor),
        }
    }
}

/// Writes a blob and compares its digest.
///
/// # Errors
/// [`ExportError::Mismatch`] and [`ExportError::Blob`]. Bytes may have been written by then.
pub(crate) fn write_blob<S: ChunkSource>(
    source: &S,
    digest: &Digest,
    body: &FileBody,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), ExportError> {
    let mut hashed = DigestWriter {
        out,
        hash: DigestHasher::like(digest),
    };
    let written = body.write(source, 0..body.bytes(), &mut hashed, monitor);
    written.map_err(|source| ExportError::Blob {
        digest: digest.clone(),
        source,
    })?;
    let found = hashed.hash.finish();
    if found == *digest {
        return Ok(());
    }
    let digest = digest.clone();
    Err(ExportError::Mismatch { digest, found })
}

/// Hashes the bytes that it passes on.
struct DigestWriter<'o> {
    out: &'o mut dyn Write,
    hash: DigestHasher,
}

impl Write for DigestWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Short pieces are still in the core's own cache when they are read for the second time.
        let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
        self.hash.update(piece);
        self.out.write_all(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The files of an archive or layout, small ones first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPlan {
    /// The files.
    pub files: Vec<OutFile>,
    /// Names that the format cannot express and that are left out.
    pub unnamed: Vec<String>,
}

impl ExportPlan {
    /// Plans the files of these images.
    ///
    /// # Errors
    /// [`ExportError::NotRunnable`] and [`ExportError::Missing`], or an error of reading recipes.
    pub fn plan<S: ChunkSource>(
        source: &S,
        images: &Images,
        chosen: &[&Image],
        form: ImageForm,
    ) -> Result<Self, ExportError> {
        match form {
            ImageForm::DockerArchive => docker_archive(source, images, chosen),
            ImageForm::OciLayout => oci_layout(images, chosen),
        }
    }

    /// Returns the bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files
            .iter()
            .map(OutFile::bytes)
            .fold(0, u64::saturating_add)
    }

    /// Returns the bytes of the tar of all files.
    pub(crate) fn tar_bytes(&self) -> u64 {
        let whole = |file: &OutFile| {
            let (header, padding) = frame_of(file);
            let around = (header.len() + padding.len()) as u64;
            file.bytes().saturating_add(around)
        };
        let files = self.files.iter().map(whole);
        files.fold(2 * tar::BLOCK as u64, u64::saturating_add)
    }

    /// Writes the tar of all files.
    ///
    /// # Errors
    /// [`ExportError`]. The first error ends the writing.
    pub fn write_tar<S: ChunkSource>(
        &self,
        source: &S,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), ExportError> {
        for file in &self.files {
            let (header, padding) = frame_of(file);
            out.write_all(&header).map_err(ExportError::Write)?;
            file.write(source, out, monitor)?;
            out.write_all(padding).map_err(ExportError::Write)?;
        }
        out.write_all(&[0; 2 * tar::BLOCK])
            .map_err(ExportError::Write)?;
        out.flush().map_err(ExportError::Write)
    }

    /// Iterates over the place of each file in the tar of all files.
    pub(crate) fn tar_places(&self) -> impl Iterator<Item = TarPlace<'_>> {
        self.files.iter().scan(0, |at, file| {
            let (header, padding) = frame_of(file);
            let header_offset = *at;
            let offset = header_offset + header.len() as u64;
            *at = offset + file.bytes() + padding.len() as u64;
            Some(TarPlace {
                file,
                header,
                header_offset,
                offset,
            })
        })
    }
}

/// The place of a file in a tar. Zeros follow up to the next header, or to the end.
pub(crate) struct TarPlace<'o> {
    /// The file.
    pub file: &'o OutFile,
    /// Its header.
    pub header: Vec<u8>,
    /// Offset of the header.
    pub header_offset: u64,
    /// Offset of the content.
    pub offset: u64,
}

/// Returns the header of a file in a tar, and the padding after it.
fn frame_of(file: &OutFile) -> (Vec<u8>, &'static [u8]) {
    const ZEROS: &[u8] = &[0; tar::BLOCK];
    let bytes = file.bytes();
    let padding = usize::try_from(tar::padding(bytes)).unwrap_or_default();
    (tar::file_header(&file.path, bytes), &ZEROS[..padding])
}

fn missing(image: &Image, digest: &Digest) -> ExportError {
    ExportError::Missing {
        image: image.name(),
        digest: digest.clone(),
    }
}

fn blob_file(path: String, digest: &Digest, body: FileBody) -> OutFile {
    OutFile {
        path,
        what: What::Blob(digest.clone(), body),
    }
}

fn bytes_file(path: &str, bytes: Vec<u8>) -> OutFile {
    OutFile {
        path: path.to_owned(),
        what: What::Bytes(bytes),
    }
}
