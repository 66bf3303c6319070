//! Fetches manifests, referrers and blobs, and checks each by its digest as it comes in.

use std::io::Read;

use serde::Deserialize;
use ureq::http::Method;

use super::{Call, Client, RequestFailed, header, rest, shown};
use crate::base::monitor::Monitor;
use crate::oci::image::{
    DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Digest, MANIFEST_BYTES_MAX, OCI_INDEX, OCI_MANIFEST,
    is_tag,
};
use crate::oci::registry::part::PartFile;
use crate::oci::registry::{RegistryError, link, range};

/// The media types that are accepted.
pub(crate) const MANIFESTS: [&str; 4] = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST];
/// Bytes read from a connection at a time.
const PIECE_BYTES: usize = 128 << 10;
/// Most pages of a list that are followed.
const PAGES_MAX: usize = 100;
/// Most referrers of one manifest that are taken.
const REFERRERS_MAX: usize = 1000;
/// Most attempts at one blob. `Patience` limits the failures in a row that bring no new byte.
const RESUMES_MAX: u32 = 1000;

/// A manifest or index in its original form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its media type, digest and length.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A small body.
struct SmallBody {
    bytes: Vec<u8>,
    /// The digest in the headers.
    said: Option<String>,
    /// The media type in the headers.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct MediaType {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
}

impl Client {
    /// Fetches a manifest or index by tag or digest. Checks it against the requested digest, or else against the one in
    /// the headers.
    ///
    /// # Errors
    /// [`RegistryError`]. `Absent` when there is none.
    pub fn manifest(
        &self,
        repository: &str,
        reference: &str,
        monitor: &dyn Monitor,
    ) -> Result<Fetched, RegistryError> {
        let asked = reference.parse::<Digest>().ok();
        let joint = if asked.is_some() { '@' } else { ':' };
        let what = format!("manifest {repository}{joint}{reference}");
        let scope = pull_scope(repository);
        let call = Call {
            method: Method::GET,
            target: &format!("/v2/{repository}/manifests/{reference}"),
            scope: &scope,
            headers: &[("accept", MANIFESTS.join(", "))],
            what: &what,
        };
        let SmallBody { bytes, said, kind } = self.small(&call, monitor)?;
        let said = said.and_then(|said| said.parse::<Digest>().ok());
        if let Some(wanted) = asked.as_ref().or(said.as_ref())
            && wanted.likewise_of(&bytes) != *wanted
        {
            let got = wanted.likewise_of(&bytes);
            let what = match asked {
                Some(_) => what,
                None => format!("{what}, which is said to be {wanted}"),
            };
            return Err(RegistryError::Mismatch { what, got });
        }
        // From here on the bytes go by their own digest, whatever the tag means later.
        let digest = asked.unwrap_or_else(|| Digest::of(&bytes));
        // The media type in the bytes is covered by the digest, but the header is not.
        let inner = serde_json::from_slice::<MediaType>(&bytes)
            .map_err(|error| RegistryError::corrupt(&what, error.to_string()))?;
        // The header may have parameters such as a charset.
        let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_owned());
        let media_type = inner.media_type.or(kind).unwrap_or_default();
        if !MANIFESTS.contains(&&media_type[..]) {
            let why = format!(
                "neither a manifest nor an index that is known: {}",
                shown(&media_type)
            );
            return Err(RegistryError::corrupt(what, why));
        }
        let descriptor = Descriptor {
            media_type,
            digest,
            bytes: bytes.len() as u64,
        };
        Ok(Fetched { descriptor, bytes })
    }

    /// Fetches a whole small body, again when the connection breaks.
    fn small(&self, call: &Call<'_>, monitor: &dyn Monitor) -> Result<SmallBody, RegistryError> {
        let mut attempt = 1;
        loop {
            let response = self.ask(call, None, monitor)?;
            let mut response = self.expect(response, call.what, &[200])?;
            let said = header(&response, "docker-content-digest").map(str::to_owned);
            let kind = header(&response, "content-type").map(str::to_owned);
            let body = response.body_mut().with_config().limit(MANIFEST_BYTES_MAX);
            match body.read_to_vec() {
                Ok(bytes) => return Ok(SmallBody { bytes, said, kind }),
                Err(ureq::Error::BodyExceedsLimit(_)) => {
                    return Err(RegistryError::TooLarge {
                        what: call.what.to_owned(),
                        limit: "4 MiB".to_owned(),
                    });
                }
                Err(error) if attempt >= self.patience.attempts => {
                    return Err(self.unreachable(call.what, error));
                }
                Err(_) => rest(self.pause(attempt), monitor)?,
            }
            attempt += 1;
        }
    }

    /// Fetches a small blob into memory, checked by its digest.
    ///
    /// # Errors
    /// [`RegistryError`]. `TooLarge` beyond 4 MiB.
    pub(crate) fn small_blob(
        &self,
        repository: &str,
        digest: &Digest,
        monitor: &dyn Monitor,
    ) -> Result<Vec<u8>, RegistryError> {
        let what = format!("blob {repository}@{digest}");
        let scope = pull_scope(repository);
        let call = Call {
            method: Method::GET,
            target: &format!("/v2/{repository}/blobs/{digest}"),
            scope: &scope,
            headers: &[],
            what: &what,
        };
        let bytes = self.small(&call, monitor)?.bytes;
        let got = digest.likewise_of(&bytes);
        if got != *digest {
            return Err(RegistryError::Mismatch { what, got });
        }
        Ok(bytes)
    }

    /// Returns the digest of a manifest without fetching it. Returns `None` when there is none, or the registry does
    /// not tell.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn manifest_digest(
        &self,
        repository: &str,
        reference: &str,
        monitor: &dyn Monitor,
    ) -> Result<Option<Digest>, RegistryError> {
        let what = format!("manifest {repository} {reference}");
        // Only a push asks this question, so the token for it serves here too.
        let scope = super::send::push_scope(repository, None);
        let call = Call {
            method: Method::HEAD,
            target: &format!("/v2/{repository}/manifests/{reference}"),
            scope: &scope,
            headers: &[("accept", MANIFESTS.join(", "))],
            what: &what,
        };
        let response = self.ask(&call, None, monitor)?;
        match self.expect(response, &what, &[200]) {
            Ok(response) => {
                let said = header(&response, "docker-content-digest");
                Ok(said.and_then(|said| said.parse().ok()))
            }
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Fetches the referrers of a manifest: signatures, SBOMs, attestations. Uses the registry's list, or else the tag
    /// that replaces it, and also cosign's tags. Each comes with the tag under which it was found.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be asked. A registry without such a list is not an error.
    pub fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
        monitor: &dyn Monitor,
    ) -> Result<Vec<(Fetched, Option<String>)>, RegistryError> {
        let mut found = Vec::new();
        for digest in self.referrer_list(repository, subject, monitor)? {
            let fetched = self.manifest(repository, digest.as_str(), monitor)?;
            found.push((fetched, None));
        }
        let (algorithm, hex) = (subject.algorithm(), subject.hex());
        for suffix in ["sig", "att", "sbom"] {
            let tag = format!("{algorithm}-{hex}.{suffix}");
            if !is_tag(&tag) {
                continue;
            }
            match self.manifest(repository, &tag, monitor) {
                Ok(fetched) => found.push((fetched, Some(tag))),
                Err(error) if is_not_offered(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Returns the digests of a manifest's referrers, from the registry's list or from the tag that replaces it.
    ///
    /// # Errors
    /// As [`Client::referrers`].
    pub(crate) fn referrer_list(
        &self,
        repository: &str,
        subject: &Digest,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Digest>, RegistryError> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            manifests: Vec<ManifestChild>,
        }
        #[derive(Deserialize)]
        struct ManifestChild {
            digest: String,
        }
        let what = format!("referrers of {repository}@{subject}");
        let scope = pull_scope(repository);
        let mut target = format!("/v2/{repository}/referrers/{subject}");
        let mut digests: Vec<Digest> = Vec::new();
        // A registry could answer with a next page forever.
        for page in 0..PAGES_MAX {
            let call = Call {
                method: Method::GET,
                target: &target,
                scope: &scope,
                headers: &[("accept", OCI_INDEX.to_owned())],
                what: &what,
            };
            let response = self.ask(&call, None, monitor)?;
            let mut response = match self.expect(response, &what, &[200]) {
                Ok(response) => response,
                // The registry has no referrers API, so a tag replaces the list.
                Err(error) if page == 0 && is_not_offered(&error) => {
                    let tag = format!("{}-{}", subject.algorithm(), subject.hex());
                    match self.manifest(repository, &tag, monitor) {
                        Ok(fetched) => {
                            let list = serde_json::from_slice::<List>(&fetched.bytes);
                            let children = list.map(|list| list.manifests).unwrap_or_default();
                            digests.extend(
                                children
                                    .iter()
                                    .filter_map(|child| child.digest.parse().ok()),
                            );
                            break;
                        }
                        Err(error) if is_not_offered(&error) => return Ok(Vec::new()),
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            };
            let next = header(&response, "link")
                .and_then(link::next)
                .map(str::to_owned);
            let body = response.body_mut().with_config().limit(MANIFEST_BYTES_MAX);
            let bytes = body
                .read_to_vec()
                .map_err(|error| self.unreachable(&what, error))?;
            // Some registries answer a path that they do not know with a page that is not a list.
            let Ok(list) = serde_json::from_slice::<List>(&bytes) else {
                break;
            };
            digests.extend(
                list.manifests
                    .iter()
                    .filter_map(|child| child.digest.parse::<Digest>().ok()),
            );
            match next {
                Some(next) => target = next,
                None => break,
            }
        }
        // A registry may list a referrer twice and in any order. Sorted digests give the same image every time.
        digests.sort_unstable();
        digests.dedup();
        if digests.len() > REFERRERS_MAX {
            return Err(RegistryError::TooLarge {
                what,
                limit: format!("{REFERRERS_MAX} referrers"),
            });
        }
        Ok(digests)
    }

    /// Fetches a blob into a file that may already hold its beginning, and resumes when the connection breaks.
    /// `advance` gets the new bytes by way of the monitor.
    ///
    /// # Errors
    /// [`RegistryError`]. What came is kept in the file, unless it turned out to be wrong.
    pub(in crate::oci::registry) fn blob(
        &self,
        repository: &str,
        blob: &Descriptor,
        file: &mut PartFile,
        monitor: &dyn Monitor,
    ) -> Result<(), RegistryError> {
        let mut failures = 0;
        // A registry that gives one byte a connection must not keep the program busy forever.
        for _ in 0..RESUMES_MAX {
            let before_bytes = file.bytes();
            // Manifests may give a wrong length, zero among them.
            if before_bytes == blob.bytes && (before_bytes > 0 || file.is_whole()) {
                break;
            }
            match self.blob_once(repository, blob, file, monitor) {
                Ok(()) => break,
                Err(RequestFailed::Final(error)) => return Err(error),
                Err(RequestFailed::Line(error)) => {
                    // An attempt that brought bytes starts the count again, so a slow but steady transfer never gives
                    // up.
                    failures = if file.bytes() > before_bytes {
                        1
                    } else {
                        failures + 1
                    };
                    if failures >= self.patience.attempts {
                        return Err(self.unreachable(&format!("blob {}", blob.digest), error));
                    }
                    rest(self.pause(failures), monitor)?;
                }
            }
        }
        Ok(())
    }

    fn blob_once(
        &self,
        repository: &str,
        blob: &Descriptor,
        file: &mut PartFile,
        monitor: &dyn Monitor,
    ) -> Result<(), RequestFailed> {
        let what = format!("blob {repository}@{}", blob.digest);
        let scope = pull_scope(repository);
        let from = file.bytes();
        let ranged;
        let mut headers: &[(&'static str, String)] = &[];
        if from > 0 {
            ranged = [("range", format!("bytes={from}-"))];
            headers = &ranged;
        }
        let call = Call {
            method: Method::GET,
            target: &format!("/v2/{repository}/blobs/{}", blob.digest),
            scope: &scope,
            headers,
            what: &what,
        };
        let response = self.ask(&call, None, monitor)?;
        if response.status().as_u16() == 416 {
            // The file does not hold the beginning of the registry's blob.
            file.clear()?;
            // Counting it as a broken connection makes the next attempt start from zero.
            return Err(RequestFailed::Line(ureq::Error::StatusCode(416)));
        }
        let response = self.expect(response, &what, &[200, 206])?;
        if response.status().as_u16() == 206 {
            let given = header(&response, "content-range").and_then(range::given);
            // Appending another range would corrupt the file, so the part starts again.
            if given.is_none_or(|given| given.start != from) {
                file.clear()?;
                return Err(
                    RegistryError::corrupt(what, "another range came than was asked for").into(),
                );
            }
        } else {
            // A registry without support for ranges sends everything again.
            file.clear()?;
        }
        copy(response, blob, file, &what, monitor)
    }
}

/// Copies a body up to its largest allowed length. The registry knows its length better than a manifest, and the digest
/// decides in the end.
fn copy(
    response: ureq::http::Response<ureq::Body>,
    blob: &Descriptor,
    file: &mut PartFile,
    what: &str,
    monitor: &dyn Monitor,
) -> Result<(), RequestFailed> {
    let announced = header(&response, "content-length").and_then(|bytes| bytes.parse().ok());
    let bytes_max = file.bytes().saturating_add(announced.unwrap_or(0));
    let bytes_max = bytes_max.max(blob.bytes);
    let mut reader = response
        .into_body()
        .into_with_config()
        .limit(u64::MAX)
        .reader();
    let too_long = |file: &mut PartFile, got_bytes| match file.clear() {
        Err(error) => RequestFailed::Final(error),
        Ok(()) => RequestFailed::Final(RegistryError::Length {
            what: what.to_owned(),
            bytes: blob.bytes,
            got_bytes,
        }),
    };
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        monitor.check_stop().map_err(RegistryError::from)?;
        let count = reader
            .read(&mut piece)
            .map_err(|error| RequestFailed::Line(ureq::Error::Io(error)))?;
        if count == 0 {
            break;
        }
        let got_bytes = file.bytes().saturating_add(count as u64);
        if got_bytes > bytes_max {
            return Err(too_long(file, got_bytes));
        }
        file.put(&piece[..count])?;
        monitor.advance(count as u64);
    }
    let got_bytes = file.bytes();
    if got_bytes > blob.bytes && !file.is_whole() {
        return Err(too_long(file, got_bytes));
    }
    if got_bytes < blob.bytes && !file.is_whole() {
        // The body is shorter than announced but ended properly: the connection broke behind a proxy.
        let short = std::io::ErrorKind::UnexpectedEof;
        return Err(RequestFailed::Line(ureq::Error::Io(short.into())));
    }
    Ok(())
}

/// Returns whether the registry does not know or does not offer the path.
fn is_not_offered(error: &RegistryError) -> bool {
    match error {
        RegistryError::Absent { .. } | RegistryError::Denied { .. } => true,
        RegistryError::Refused { status, .. } => matches!(status, 400 | 404 | 405 | 406 | 501),
        // A web page, or a manifest of an unknown kind.
        RegistryError::Corrupt { .. } => true,
        _ => false,
    }
}

/// Returns the scope of a token for a pull.
pub(super) fn pull_scope(repository: &str) -> String {
    format!("repository:{repository}:pull")
}
