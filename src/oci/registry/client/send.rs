//! Pushes the blobs that a registry is missing, resumed after a broken connection, and manifests.
//!
//! A blob is hashed while it is sent. Its last bytes are held back unless the hash matches its digest.

use std::ops::Range;

use ureq::Body;
use ureq::http::{Method, Response};

use super::pipe::{self, UploadReader};
use super::token::escaped;
use super::{Call, Client, RequestBody, RequestFailed, header, is_later, rest};
use crate::base::backend::BackendError;
use crate::base::monitor::Monitor;
use crate::oci::image::{Descriptor, Digest, DigestHasher};
use crate::oci::registry::{BlobSource, RegistryError, range};

/// Longest blobs that are sent in one request.
const SMALL_BYTES: u64 = 1 << 20;
/// Media type of blobs in transfer.
const BYTES: &str = "application/octet-stream";
/// Sizes of pieces to try when a proxy in between refuses longer requests.
const LESSER_PIECES: [u64; 2] = [16 << 20, 1 << 20];

/// The result of pushing a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was sent.
    Pushed,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was there already.
    There,
}

/// An upload in progress.
struct Upload {
    location: String,
    /// Bytes that the registry has.
    offset: u64,
    /// Bytes before this offset are in the hasher.
    hashed: u64,
    hasher: DigestHasher,
}

impl Upload {
    fn at(location: String, digest: &Digest) -> Self {
        Self {
            location,
            offset: 0,
            hashed: 0,
            hasher: DigestHasher::like(digest),
        }
    }
}

impl Client {
    /// Returns whether the registry has a blob in this repository.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(crate) fn has_blob(
        &self,
        repository: &str,
        digest: &Digest,
        monitor: &dyn Monitor,
    ) -> Result<bool, RegistryError> {
        let what = format!("blob {repository}@{digest}");
        let scope = push_scope(repository, None);
        let call = Call {
            method: Method::HEAD,
            target: &format!("/v2/{repository}/blobs/{digest}"),
            scope: &scope,
            headers: &[],
            what: &what,
        };
        let response = self.ask(&call, None, monitor)?;
        match self.expect(response, &what, &[200]) {
            Ok(_) => Ok(true),
            Err(error) if error.is_absent() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Pushes a blob unless the registry has it in this repository. `from` is another repository that has it.
    ///
    /// # Errors
    /// [`RegistryError`]. A second call resumes where it can.
    pub fn push_blob(
        &self,
        repository: &str,
        blob: &Descriptor,
        from: Option<&str>,
        source: &dyn BlobSource,
        monitor: &dyn Monitor,
    ) -> Result<Sent, RegistryError> {
        if self.has_blob(repository, &blob.digest, monitor)? {
            return Ok(Sent::There);
        }
        let mut failures = 0;
        loop {
            let Some(location) = self.begin(repository, blob, from, monitor)? else {
                return Ok(Sent::Mounted);
            };
            let mut upload = Upload::at(location, &blob.digest);
            match self.upload(repository, blob, &mut upload, source, monitor) {
                Ok(()) => return Ok(Sent::Pushed),
                Err(RequestFailed::Final(error)) => return Err(error),
                // The registry has forgotten the upload, so it starts from the beginning.
                Err(RequestFailed::Line(error)) => {
                    failures += 1;
                    if failures >= self.patience.attempts {
                        return Err(
                            self.unreachable(&format!("upload of blob {}", blob.digest), error)
                        );
                    }
                    rest(self.pause(failures), monitor)?;
                }
            }
        }
    }

    /// Opens an upload. Returns `None` when the registry took the blob from `from`.
    fn begin(
        &self,
        repository: &str,
        blob: &Descriptor,
        from: Option<&str>,
        monitor: &dyn Monitor,
    ) -> Result<Option<String>, RegistryError> {
        let what = format!("upload of blob {repository}@{}", blob.digest);
        let scope = push_scope(repository, from);
        let mut target = format!("/v2/{repository}/blobs/uploads/");
        if let Some(from) = from {
            let (digest, from) = (escaped(blob.digest.as_str()), escaped(from));
            target += &format!("?mount={digest}&from={from}");
        }
        let call = Call {
            method: Method::POST,
            target: &target,
            scope: &scope,
            headers: &[],
            what: &what,
        };
        let response = self.ask(&call, Some(&[]), monitor)?;
        let response = self.expect(response, &what, &[201, 202])?;
        // 201 means that the blob was mounted. 202 opens an upload even when a mount was asked for.
        if response.status().as_u16() == 201 && from.is_some() {
            return Ok(None);
        }
        let location = header(&response, "location");
        let location =
            location.ok_or_else(|| RegistryError::corrupt(&what, "no place to send it to"))?;
        Ok(Some(location.to_owned()))
    }

    /// Sends what the registry does not have of a blob yet.
    fn upload(
        &self,
        repository: &str,
        blob: &Descriptor,
        upload: &mut Upload,
        source: &dyn BlobSource,
        monitor: &dyn Monitor,
    ) -> Result<(), RequestFailed> {
        let what = format!("upload of blob {repository}@{}", blob.digest);
        let scope = push_scope(repository, None);
        if blob.bytes <= SMALL_BYTES {
            return self.put_whole(&what, &scope, blob, upload, source, monitor);
        }
        let mut lesser = LESSER_PIECES.iter();
        let mut piece_bytes = u64::MAX;
        let mut failures = 0;
        while upload.offset < blob.bytes {
            let before = upload.offset;
            let end = before.saturating_add(piece_bytes).min(blob.bytes);
            let outcome = self.send_piece(&what, &scope, blob, upload, end, source, monitor);
            let did_break = matches!(outcome, Err(RequestFailed::Line(_)));
            let pause = match outcome {
                Ok(response) if matches!(response.status().as_u16(), 200..=204) => {
                    self.moved(upload, &response);
                    upload.offset = end;
                    failures = 0;
                    continue;
                }
                Ok(response) => match response.status().as_u16() {
                    413 if let Some(bytes) = lesser.next() => {
                        piece_bytes = *bytes;
                        std::time::Duration::ZERO
                    }
                    // The registry has other bytes than assumed, or needs a new token. Its offset is asked for, and the
                    // upload continues there.
                    401 | 416 if failures == 0 => std::time::Duration::ZERO,
                    _ if is_later(response.status()) && failures + 1 < self.patience.attempts => {
                        self.pause(failures + 1)
                    }
                    _ => {
                        self.expect(response, &what, &[202])?;
                        return Ok(());
                    }
                },
                Err(RequestFailed::Line(error)) if failures + 1 >= self.patience.attempts => {
                    return Err(RequestFailed::Final(self.unreachable(&what, error)));
                }
                Err(RequestFailed::Line(_)) => self.pause(failures + 1),
                Err(RequestFailed::Final(error)) => return Err(RequestFailed::Final(error)),
            };
            rest(pause, monitor)?;
            self.how_far(&what, &scope, blob, upload, monitor)?;
            failures = if upload.offset > before {
                1
            } else {
                // Some proxies close the connection on a long request before their answer arrives.
                if did_break && let Some(bytes) = lesser.next() {
                    piece_bytes = *bytes;
                }
                failures + 1
            };
        }
        self.close(repository, &what, &scope, blob, upload, monitor)
    }

    /// Sends all of a small blob in one request.
    fn put_whole(
        &self,
        what: &str,
        scope: &str,
        blob: &Descriptor,
        upload: &Upload,
        source: &dyn BlobSource,
        monitor: &dyn Monitor,
    ) -> Result<(), RequestFailed> {
        let mut bytes = Vec::new();
        source
            .write(&blob.digest, 0..blob.bytes, &mut bytes, monitor)
            .map_err(|error| unreadable(blob, error))?;
        let got = blob.digest.likewise_of(&bytes);
        if got != blob.digest {
            let what = format!("blob {} as it is here", blob.digest);
            return Err(RegistryError::Mismatch { what, got }.into());
        }
        let (target, headers) = closing(upload, blob);
        let call = Call {
            method: Method::PUT,
            target: &target,
            scope,
            headers: &headers,
            what,
        };
        let response = self.ask_once(&call, RequestBody::Bytes(&bytes))?;
        if is_later(response.status()) || response.status().as_u16() == 404 {
            return Err(RequestFailed::Line(ureq::Error::StatusCode(
                response.status().as_u16(),
            )));
        }
        self.expect(response, what, &[201, 202, 204])?;
        monitor.advance(blob.bytes);
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what is sent, where to, and from where"
    )]
    fn send_piece(
        &self,
        what: &str,
        scope: &str,
        blob: &Descriptor,
        upload: &mut Upload,
        end: u64,
        source: &dyn BlobSource,
        monitor: &dyn Monitor,
    ) -> Result<Response<Body>, RequestFailed> {
        let Range { start, end } = upload.offset..end;
        let call = Call {
            method: Method::PATCH,
            target: &upload.location.clone(),
            scope,
            headers: &[
                ("content-type", BYTES.to_owned()),
                ("content-range", format!("{start}-{}", end - 1)),
            ],
            what,
        };
        // The hasher is copied, because a failed attempt must not advance it.
        let (hashed, hasher) = (upload.hashed, upload.hasher.clone());
        // Only the last piece can be checked against the digest of the whole blob.
        let whole = (end == blob.bytes).then_some(&blob.digest);
        let (outcome, hasher) = pipe::between(
            |out| source.write(&blob.digest, hashed..end, out, monitor),
            |pieces| {
                let mut reader =
                    UploadReader::new(pieces, hasher, start - hashed, end - start, whole, monitor);
                let outcome = self.ask_once(&call, RequestBody::Stream(&mut reader, end - start));
                let end = reader.into_end();
                (outcome, end)
            },
        );
        match hasher {
            Ok(hasher) => {
                if outcome.is_ok() {
                    upload.hasher = hasher;
                    upload.hashed = end;
                }
                outcome
            }
            Err(pipe::PipeBroken::Source(error)) => Err(unreadable(blob, error).into()),
            Err(pipe::PipeBroken::Hash(got)) => {
                let what = format!("blob {} as it is here", blob.digest);
                Err(RegistryError::Mismatch { what, got }.into())
            }
            Err(pipe::PipeBroken::Stopped) => {
                Err(RegistryError::from(crate::base::monitor::Interrupted).into())
            }
            // The registry answered before it had everything, and its answer says why.
            Err(pipe::PipeBroken::Early) => outcome,
        }
    }

    /// Asks how much of an upload the registry has.
    fn how_far(
        &self,
        what: &str,
        scope: &str,
        blob: &Descriptor,
        upload: &mut Upload,
        monitor: &dyn Monitor,
    ) -> Result<(), RequestFailed> {
        let call = Call {
            method: Method::GET,
            target: &upload.location.clone(),
            scope,
            headers: &[],
            what,
        };
        let response = self.ask(&call, None, monitor)?;
        let taken = header(&response, "range")
            .and_then(range::taken)
            .unwrap_or(0);
        // More bytes than the blob has cannot come from this upload.
        let is_known = matches!(response.status().as_u16(), 200 | 202 | 204) && taken <= blob.bytes;
        if !is_known {
            return Err(RequestFailed::Line(ureq::Error::StatusCode(
                response.status().as_u16(),
            )));
        }
        self.moved(upload, &response);
        upload.offset = taken;
        // The hash has run ahead of what the registry holds, and a hash cannot go back.
        if upload.hashed > taken {
            upload.hashed = 0;
            upload.hasher = DigestHasher::like(&blob.digest);
        }
        Ok(())
    }

    /// Every answer may change the URL of the next piece.
    fn moved(&self, upload: &mut Upload, response: &Response<Body>) {
        if let Some(location) = header(response, "location") {
            location.clone_into(&mut upload.location);
        }
    }

    /// Completes the upload.
    fn close(
        &self,
        repository: &str,
        what: &str,
        scope: &str,
        blob: &Descriptor,
        upload: &Upload,
        monitor: &dyn Monitor,
    ) -> Result<(), RequestFailed> {
        let (target, headers) = closing(upload, blob);
        let call = Call {
            method: Method::PUT,
            target: &target,
            scope,
            headers: &headers,
            what,
        };
        let response = self.ask(&call, Some(&[]), monitor)?;
        let refused = match self.expect(response, what, &[201, 202, 204]) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        // The answer to an earlier attempt may have been lost.
        if self.has_blob(repository, &blob.digest, monitor)? {
            return Ok(());
        }
        Err(refused.into())
    }

    /// Puts a manifest or index under a tag or its digest. Returns whether the registry has recorded its subject.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(crate) fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        descriptor: &Descriptor,
        bytes: &[u8],
        monitor: &dyn Monitor,
    ) -> Result<bool, RegistryError> {
        let what = format!("manifest {repository} {reference}");
        let scope = push_scope(repository, None);
        let call = Call {
            method: Method::PUT,
            target: &format!("/v2/{repository}/manifests/{reference}"),
            scope: &scope,
            headers: &[("content-type", descriptor.media_type.clone())],
            what: &what,
        };
        let response = self.ask(&call, Some(bytes), monitor)?;
        let response = self.expect(response, &what, &[200, 201, 202])?;
        let said =
            header(&response, "docker-content-digest").and_then(|said| said.parse::<Digest>().ok());
        // The registry may have chosen another algorithm.
        if let Some(got) = said.filter(|said| *said != said.likewise_of(bytes)) {
            return Err(RegistryError::Mismatch { what, got });
        }
        Ok(header(&response, "oci-subject").is_some())
    }
}

fn unreadable(blob: &Descriptor, error: BackendError) -> RegistryError {
    error.or(|source| RegistryError::Source {
        what: format!("blob {}", blob.digest),
        source,
    })
}

/// Returns the URL and the headers of the last request of an upload.
fn closing(upload: &Upload, blob: &Descriptor) -> (String, [(&'static str, String); 1]) {
    let location = &upload.location;
    let joint = if location.contains('?') { '&' } else { '?' };
    let digest = escaped(blob.digest.as_str());
    (
        format!("{location}{joint}digest={digest}"),
        [("content-type", BYTES.to_owned())],
    )
}

/// Returns the scope of a token for a push, and for mounting a blob from another repository.
pub(super) fn push_scope(repository: &str, from: Option<&str>) -> String {
    let own = format!("repository:{repository}:pull,push");
    match from {
        Some(from) => format!("{own} repository:{from}:pull"),
        None => own,
    }
}
