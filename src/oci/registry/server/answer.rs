//! Answers requests by the pull part of the distribution specification.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::access::AccessRules;
use super::blobs::{BlobBody, WriteJob};
use super::callers::Busy;
use super::files::media_type;
use super::pressure::Pressure;
use super::route::{Misrouted, Page, Route, namespace, route};
use super::{Answered, CurrentRepositories, Lines};
use crate::oci::image::{Digest, OCI_INDEX};
use crate::oci::registry::range::{Asked, asked};

/// A small answer, or a blob.
pub(crate) type HttpAnswer = Response<Either<Full<Bytes>, BlobBody>>;

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";
/// Most characters of a target in the log.
const TARGET_SHOWN: usize = 512;

/// Answers requests.
pub(crate) struct Answerer {
    repositories: Arc<CurrentRepositories>,
    access: AccessRules,
    jobs: Mutex<Sender<WriteJob>>,
    writers_wanted: Arc<Pressure>,
    lines: Mutex<Lines>,
}

/// The parts of an answer besides its body.
struct AnswerHead {
    status: StatusCode,
    media_type: String,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

/// What is sent by a writer.
struct AnswerBody<'a> {
    digest: &'a Digest,
    bytes: u64,
    media_type: &'a str,
    headers: Vec<(HeaderName, String)>,
}

impl AnswerHead {
    fn json(value: &serde_json::Value) -> Self {
        Self {
            status: StatusCode::OK,
            media_type: JSON.to_owned(),
            headers: Vec::new(),
            body: value.to_string().into_bytes(),
        }
    }

    fn error(status: StatusCode, code: &str, message: &str) -> Self {
        let errors = serde_json::json!({"errors": [{"code": code, "message": message}]});
        Self {
            status,
            ..Self::json(&errors)
        }
    }
}

impl Answerer {
    pub(super) fn new(
        repositories: Arc<CurrentRepositories>,
        access: AccessRules,
        jobs: Sender<WriteJob>,
        writers_wanted: Arc<Pressure>,
        lines: Lines,
    ) -> Self {
        Self {
            repositories,
            access,
            jobs: Mutex::new(jobs),
            writers_wanted,
            lines: Mutex::new(lines),
        }
    }

    /// Answers one request. Its connection is busy until the answer was sent.
    pub async fn answer(
        &self,
        from: SocketAddr,
        request: Request<Incoming>,
        busy: Busy,
    ) -> HttpAnswer {
        let target = request
            .uri()
            .path_and_query()
            .map_or("", |target| target.as_str());
        let line = Answered {
            from,
            method: request.method().to_string(),
            // A client decides how long this is, and it is logged.
            target: target.chars().take(TARGET_SHOWN).collect(),
            status: 0,
            bytes: 0,
            broken: None,
        };
        let is_head = request.method() == Method::HEAD;
        let authorization = text(request.headers(), "authorization");
        // Access comes before the path, so a stranger does not learn which names exist.
        if !self.access.allows(authorization).await {
            let mut refused = AnswerHead::error(
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED",
                "a name and a password are needed",
            );
            let challenge = "Basic realm=\"carryall\"".to_owned();
            refused
                .headers
                .push((hyper::header::WWW_AUTHENTICATE, challenge));
            return self.small(refused, is_head, line);
        }
        if !is_head && request.method() != Method::GET {
            let message = "this registry is read-only";
            let refused = AnswerHead::error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message);
            return self.small(refused, is_head, line);
        }
        let uri = request.uri();
        match route(uri.path(), uri.query()) {
            Ok(Route::Blob(name, digest)) => {
                let range = text(request.headers(), "range");
                self.blob(&name, &digest, range, is_head, line, busy)
            }
            Ok(Route::File(path)) => {
                let range = text(request.headers(), "range");
                self.file(&path, range, is_head, line, busy)
            }
            Ok(route) => {
                let host = namespace(uri.query());
                self.small(self.look_up(&route, host.as_deref()), is_head, line)
            }
            Err(misrouted) => self.small(lost(misrouted), is_head, line),
        }
    }

    fn look_up(&self, route: &Route, host: Option<&str>) -> AnswerHead {
        let repositories = self.repositories.now();
        match route {
            Route::Base | Route::Blob(..) | Route::File(_) => {
                AnswerHead::json(&serde_json::json!({}))
            }
            Route::Catalog(page) => {
                let (names, more) = cut(repositories.names(), page);
                let mut answer = AnswerHead::json(&serde_json::json!({"repositories": names}));
                answer
                    .headers
                    .extend(next("/v2/_catalog", page, names.last().filter(|_| more)));
                answer
            }
            Route::Tags(name, page) => {
                let Some(tags) = repositories.tags(name) else {
                    return unknown_name(name);
                };
                let (tags, more) = cut(tags, page);
                let mut answer = AnswerHead::json(&serde_json::json!({"name": name, "tags": tags}));
                let path = format!("/v2/{name}/tags/list");
                answer
                    .headers
                    .extend(next(&path, page, tags.last().filter(|_| more)));
                answer
            }
            Route::Manifest(name, reference) => self.manifest(name, reference, host),
            Route::Referrers(name, subject, kind) => self.referrers(name, subject, kind.as_deref()),
        }
    }

    fn manifest(&self, name: &str, reference: &str, host: Option<&str>) -> AnswerHead {
        let repositories = self.repositories.now();
        let Some(manifest) = repositories.manifest(name, reference, host) else {
            if !repositories.has(name) {
                return unknown_name(name);
            }
            let message = format!("no manifest {reference} in {name}");
            return AnswerHead::error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message);
        };
        AnswerHead {
            status: StatusCode::OK,
            media_type: manifest.descriptor.media_type.clone(),
            headers: digest_headers(&manifest.descriptor.digest),
            body: manifest.bytes.clone(),
        }
    }

    fn referrers(&self, name: &str, subject: &Digest, kind: Option<&str>) -> AnswerHead {
        let repositories = self.repositories.now();
        let Some(all) = repositories.referrers(name, subject) else {
            return unknown_name(name);
        };
        let of_kind =
            |entry: &&serde_json::Value| kind.is_none_or(|kind| entry["artifactType"] == kind);
        let manifests: Vec<_> = all.iter().filter(of_kind).collect();
        let index =
            serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
        let mut answer = AnswerHead::json(&index);
        answer.media_type = OCI_INDEX.to_owned();
        if kind.is_some() {
            let applied = HeaderName::from_static("oci-filters-applied");
            answer.headers.push((applied, "artifactType".to_owned()));
        }
        answer
    }

    fn blob(
        &self,
        name: &str,
        digest: &Digest,
        range: Option<&str>,
        is_head: bool,
        line: Answered,
        busy: Busy,
    ) -> HttpAnswer {
        let repositories = self.repositories.now();
        let Some(bytes) = repositories.blob(name, digest) else {
            // Clients may request a manifest as a blob.
            if let Some(manifest) = repositories.manifest(name, digest.as_str(), None) {
                let mut found = self.manifest(name, manifest.descriptor.digest.as_str(), None);
                found.media_type = BYTES.to_owned();
                return self.small(found, is_head, line);
            }
            let message = format!("no blob {digest} in {name}");
            let refused = AnswerHead::error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", &message);
            return self.small(refused, is_head, line);
        };
        let name = HeaderName::from_static("docker-content-digest");
        let body = AnswerBody {
            digest,
            bytes,
            media_type: BYTES,
            headers: vec![(name, digest.to_string())],
        };
        self.body(body, range, is_head, line, busy)
    }

    /// Answers with a file of a package repository.
    fn file(
        &self,
        path: &str,
        range: Option<&str>,
        is_head: bool,
        line: Answered,
        busy: Busy,
    ) -> HttpAnswer {
        let repositories = self.repositories.now();
        let Some((path, digest, bytes)) = repositories.files().get(path) else {
            let message = "no such file in a package repository";
            let refused = AnswerHead::error(StatusCode::NOT_FOUND, "NOT_FOUND", message);
            return self.small(refused, is_head, line);
        };
        let body = AnswerBody {
            digest,
            bytes,
            media_type: media_type(path),
            headers: Vec::new(),
        };
        self.body(body, range, is_head, line, busy)
    }

    /// Answers with the bytes of the source, or a range of them.
    fn body(
        &self,
        body: AnswerBody<'_>,
        range: Option<&str>,
        is_head: bool,
        mut line: Answered,
        busy: Busy,
    ) -> HttpAnswer {
        let AnswerBody {
            digest,
            bytes,
            media_type,
            mut headers,
        } = body;
        // A range of a HEAD request has no meaning.
        let (status, part) = match asked(range.filter(|_| !is_head), bytes) {
            Asked::Whole => (StatusCode::OK, 0..bytes),
            Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
            Asked::Beyond => {
                let mut refused = AnswerHead::error(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "RANGE_INVALID",
                    "no such bytes",
                );
                refused
                    .headers
                    .push((hyper::header::CONTENT_RANGE, format!("bytes */{bytes}")));
                return self.small(refused, is_head, line);
            }
        };
        let part_bytes = part.end - part.start;
        headers.push((hyper::header::ETAG, format!("\"{digest}\"")));
        headers.push((hyper::header::ACCEPT_RANGES, "bytes".to_owned()));
        headers.push((hyper::header::CONTENT_LENGTH, part_bytes.to_string()));
        if status == StatusCode::PARTIAL_CONTENT {
            let given = format!("bytes {}-{}/{bytes}", part.start, part.end - 1);
            headers.push((hyper::header::CONTENT_RANGE, given));
        }
        line.status = status.as_u16();
        if is_head || part_bytes == 0 {
            self.log(line);
            return respond(status, media_type, headers, Either::Left(Full::default()));
        }
        let (out, body) = BlobBody::new(part_bytes, busy);
        let job = WriteJob {
            digest: digest.clone(),
            range: part,
            out,
            line,
            waits: self.writers_wanted.held_up(),
        };
        // When the writers have ended, the body ends at once, and the client sees a broken connection.
        if let Ok(jobs) = self.jobs.lock() {
            let _ = jobs.send(job);
        }
        respond(status, media_type, headers, Either::Right(body))
    }

    fn small(&self, answer: AnswerHead, is_head: bool, mut line: Answered) -> HttpAnswer {
        line.status = answer.status.as_u16();
        let mut headers = answer.headers;
        headers.push((hyper::header::CONTENT_LENGTH, answer.body.len().to_string()));
        let body = if is_head { Vec::new() } else { answer.body };
        line.bytes = body.len() as u64;
        self.log(line);
        respond(
            answer.status,
            &answer.media_type,
            headers,
            Either::Left(Full::from(body)),
        )
    }

    fn log(&self, line: Answered) {
        if let Ok(lines) = self.lines.lock() {
            // The thread that writes the log outlives the answerer.
            let _ = lines.send(line);
        }
    }
}

fn respond(
    status: StatusCode,
    media_type: &str,
    headers: Vec<(HeaderName, String)>,
    body: Either<Full<Bytes>, BlobBody>,
) -> HttpAnswer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let version = HeaderName::from_static("docker-distribution-api-version");
    let fixed = [
        (version, "registry/2.0".to_owned()),
        (hyper::header::CONTENT_TYPE, media_type.to_owned()),
        (hyper::header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    for (name, value) in fixed.into_iter().chain(headers) {
        // Media types come from manifests. One that does not fit into a header is left out.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn digest_headers(digest: &Digest) -> Vec<(HeaderName, String)> {
    let name = HeaderName::from_static("docker-content-digest");
    vec![
        (name, digest.to_string()),
        (hyper::header::ETAG, format!("\"{digest}\"")),
    ]
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn unknown_name(name: &str) -> AnswerHead {
    let message = format!("no repository {name}");
    AnswerHead::error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", &message)
}

fn lost(misrouted: Misrouted) -> AnswerHead {
    let (status, code, message) = match misrouted {
        Misrouted::Path => (
            StatusCode::NOT_FOUND,
            "UNSUPPORTED",
            "there is nothing here",
        ),
        Misrouted::Name => (
            StatusCode::BAD_REQUEST,
            "NAME_INVALID",
            "not the name of a repository",
        ),
        Misrouted::Digest => (StatusCode::BAD_REQUEST, "DIGEST_INVALID", "not a digest"),
        Misrouted::Tag => (
            StatusCode::BAD_REQUEST,
            "TAG_INVALID",
            "neither a tag nor a digest",
        ),
    };
    AnswerHead::error(status, code, message)
}

/// Returns the page of a sorted list, and whether more follows it.
fn cut<'n>(names: impl Iterator<Item = &'n str>, page: &Page) -> (Vec<&'n str>, bool) {
    let behind = |name: &&str| page.last.as_deref().is_none_or(|last| *name > last);
    // One more than asked for tells whether there is a next page.
    let mut names: Vec<&str> = names.filter(behind).take(page.count + 1).collect();
    let more = names.len() > page.count;
    names.truncate(page.count);
    (names, more)
}

/// Returns the header with the next page of a list.
fn next(path: &str, page: &Page, last: Option<&&str>) -> Option<(HeaderName, String)> {
    let last = last?;
    let link = format!("<{path}?last={last}&n={}>; rel=\"next\"", page.count);
    Some((hyper::header::LINK, link))
}
