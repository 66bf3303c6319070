//! Images on their way out: the files that a docker archive or an OCI layout has, and the same as a tar.
//!
//! Nothing is unpacked: blobs are rebuilt while they are written, and their digests compared. The same images give the same
//! bytes.

mod docker;
mod oci;

use std::io::{self, Write};

use self::docker::docker_archive;
use self::oci::oci_layout;
pub use self::oci::whole_name;
use super::{Digest, DigestHasher, Image, Images};
use crate::base::monitor::Monitor;
use crate::content::archive::tar;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};

/// Bytes that are hashed and written together.
const PIECE_BYTES: usize = 256 << 10;

/// The form that images are given out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageForm {
    /// What `docker load` reads: `manifest.json`, configs, layers as plain tars where they are kept opened, else as they came.
    DockerArchive,
    /// An OCI layout: manifests and blobs with the digests that they came with.
    OciLayout,
}

/// Says why images cannot be given out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It is an artifact.
    #[error("{image} is no image of layers: a docker archive cannot hold it")]
    NotRunnable {
        /// The image.
        image: String,
    },
    /// Something of it is not in the release.
    #[error("{image}: blob {digest} is not in the release")]
    Missing {
        /// The image.
        image: String,
        /// The blob.
        digest: Digest,
    },
    /// A blob does not come out as the digest that it is named by.
    #[error("blob {digest} does not match its digest: it is {found}")]
    Mismatch {
        /// The blob.
        digest: Digest,
        /// What came out.
        found: Digest,
    },
    /// A blob cannot be rebuilt, or not be written.
    #[error("blob {digest}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// Why.
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
    /// What is in it.
    pub what: What,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A blob of this digest.
    Blob(Digest, FileBody),
}

impl OutFile {
    /// Its length.
    pub fn bytes(&self) -> u64 {
        match &self.what {
            What::Bytes(bytes) => bytes.len() as u64,
            What::Blob(_, body) => body.bytes(),
        }
    }

    /// Writes what is in it, and compares the digest.
    ///
    /// # Errors
    /// [`OutgoingError::Mismatch`] and the like; bytes may have been written by then.
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
/// [`OutgoingError::Mismatch`] and [`OutgoingError::Blob`]; bytes may have been written by then.
pub fn write_blob<S: ChunkSource>(
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

/// Hashes what it passes on.
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
    /// Names that the form cannot express, and are left out.
    pub unnamed: Vec<String>,
}

impl ExportPlan {
    /// Plans what is written of these images.
    ///
    /// # Errors
    /// [`OutgoingError::NotRunnable`] and [`OutgoingError::Missing`]; what reading recipes gives.
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

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files
            .iter()
            .map(OutFile::bytes)
            .fold(0, u64::saturating_add)
    }

    /// Bytes of the tar of all files.
    pub fn tar_bytes(&self) -> u64 {
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
    /// [`OutgoingError`]; the first that goes wrong ends it.
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

    /// Where each file stands in the tar of all files.
    pub fn tar_places(&self) -> impl Iterator<Item = TarPlace<'_>> {
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

/// Where a file stands in a tar. Zeros follow up to the next header, or to the end.
pub struct TarPlace<'o> {
    /// The file.
    pub file: &'o OutFile,
    /// Its header.
    pub header: Vec<u8>,
    /// Where the header stands.
    pub header_offset: u64,
    /// Where its bytes begin.
    pub offset: u64,
}

/// The header of a file in a tar, and the padding behind it.
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
