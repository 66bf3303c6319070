//! The client of one registry: requests with credentials, retries, and redirects that never leak credentials.
//!
//! `fetch` pulls, `send` pushes, and `token` authenticates. Memory: a manifest of at most 4 MiB for each request, and
//! 256 KiB for each blob in transfer.

mod answers;
mod fetch;
mod pipe;
mod send;
mod token;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ureq::http::{Method, Response, StatusCode, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, SendBody};

pub(crate) use self::answers::is_loopback;
pub(super) use self::answers::shown;
use self::answers::{header, is_later, is_of_tls, message, pause_asked, rest, same_origin};
pub use self::fetch::Fetched;
pub use self::send::Sent;
use super::credentials::{self, Credentials};
use super::{RegistryError, tls};
use crate::base::backend::BoxError;
use crate::base::monitor::Monitor;

/// Most redirects that are followed.
const REDIRECTS_MAX: usize = 5;
/// Longest pause between attempts. A registry that asks for a longer one is not asked again.
const PAUSE_MAX: Duration = Duration::from_secs(120);

/// The limits of retrying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// Number of attempts, at least 1. An attempt at a blob that brought bytes is not counted.
    pub attempts: u32,
    /// The pause after the first failure. It doubles each time.
    pub first_pause: Duration,
    /// The longest silence of the other side.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(500),
            silence: Duration::from_secs(60),
        }
    }
}

/// Options of the connection to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Uses HTTP without TLS. This is the default on loopback, unless certificates are given.
    pub plain_http: bool,
    /// A PEM file of root certificates in addition to the machine's.
    pub ca: Option<PathBuf>,
    /// Docker's config file, for credentials.
    pub config: Option<PathBuf>,
    /// The limits of retrying.
    pub patience: Patience,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            plain_http: false,
            ca: None,
            config: credentials::config_path(),
            patience: Patience::default(),
        }
    }
}

/// The client of one registry. May be used from several threads.
pub struct Client {
    agent: Agent,
    /// The host as people write it.
    host: String,
    /// Scheme, host and port.
    origin: Uri,
    credentials: Option<Credentials>,
    /// Values of `Authorization` by scope.
    tokens: Mutex<HashMap<String, String>>,
    patience: Patience,
}

/// A request.
struct Call<'a> {
    method: Method,
    /// Path and query, or a whole URL.
    target: &'a str,
    /// What a token must allow: `repository:NAME:pull`.
    scope: &'a str,
    headers: &'a [(&'static str, String)],
    /// Its description for people.
    what: &'a str,
}

/// The body of a request.
enum RequestBody<'a> {
    None,
    Bytes(&'a [u8]),
    Stream(&'a mut dyn Read, u64),
}

impl RequestBody<'_> {
    fn bytes(&self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream(_, bytes) => Some(*bytes),
        }
    }
}

/// The reason why there is no answer.
enum RequestFailed {
    /// A retry may work.
    Line(ureq::Error),
    /// A retry does not help.
    Final(RegistryError),
}

impl From<RegistryError> for RequestFailed {
    fn from(error: RegistryError) -> Self {
        Self::Final(error)
    }
}

impl Client {
    /// Prepares a client for `host` (`HOST[:PORT]`). Sends nothing yet.
    ///
    /// # Errors
    /// [`RegistryError::Credentials`], or an error of the certificates.
    pub fn new(host: &str, options: &ClientOptions) -> Result<Self, RegistryError> {
        let is_plain = options.plain_http || options.ca.is_none() && is_loopback(host);
        let scheme = if is_plain { "http" } else { "https" };
        // Docker Hub has one name for people and another address.
        let address = if host == "docker.io" {
            "registry-1.docker.io"
        } else {
            host
        };
        let origin: Uri = format!("{scheme}://{address}/")
            .parse()
            .map_err(|_| RegistryError::corrupt(host, "not a host"))?;
        let credentials = match &options.config {
            Some(config) => credentials::find(config, host)?,
            None => None,
        };
        let roots = if is_plain {
            Vec::new()
        } else {
            roots(options.ca.as_deref())?
        };
        let roots: Vec<_> = roots
            .iter()
            .map(|root| Certificate::from_der(root).to_owned())
            .collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(tls::provider())
            .build();
        let silence = options.patience.silence;
        // As in other clients, no proxy is used for this machine itself.
        let proxy = ureq::Proxy::try_from_env().filter(|_| !is_loopback(host));
        let config = Agent::config_builder()
            .proxy(proxy)
            .http_status_as_error(false)
            // `follow` handles redirects itself, because it decides where credentials are sent.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("carryall/", env!("CARGO_PKG_VERSION")))
            // Digests and ranges are about the bytes as stored, so no compression is accepted.
            .accept_encoding("identity")
            .tls_config(tls)
            .input_buffer_size(128 << 10)
            .output_buffer_size(128 << 10)
            .max_idle_connections_per_host(8)
            .timeout_connect(Some(silence.min(Duration::from_secs(20))))
            // A registry hashes and moves the whole upload before it answers.
            .timeout_recv_response(Some(silence * 5))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .build();
        Ok(Self {
            agent: Agent::new_with_config(config),
            host: host.to_owned(),
            origin,
            credentials,
            tokens: Mutex::default(),
            patience: options.patience,
        })
    }

    /// Returns the registry, as people write it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Repeats a request until the answer is not "later".
    fn ask(
        &self,
        call: &Call<'_>,
        body: Option<&[u8]>,
        monitor: &dyn Monitor,
    ) -> Result<Response<Body>, RegistryError> {
        let mut attempt = 1;
        loop {
            monitor.check_stop()?;
            let payload = body.map_or(RequestBody::None, RequestBody::Bytes);
            let outcome = self.ask_once(call, payload);
            let is_last = attempt >= self.patience.attempts;
            let pause = match outcome {
                Ok(response) if is_last || !is_later(response.status()) => return Ok(response),
                Ok(response) => match pause_asked(&response) {
                    // A person would take a longer pause for a hang, so the answer is reported instead.
                    Some(pause) if pause > PAUSE_MAX => return Ok(response),
                    Some(pause) => pause,
                    None => self.pause(attempt),
                },
                Err(RequestFailed::Line(error)) if is_last => {
                    return Err(self.unreachable(call.what, error));
                }
                Err(RequestFailed::Line(_)) => self.pause(attempt),
                Err(RequestFailed::Final(error)) => return Err(error),
            };
            rest(pause, monitor)?;
            attempt += 1;
        }
    }

    /// Sends a request once. Repeats it with credentials when they are asked for, and follows redirects of reads.
    fn ask_once(
        &self,
        call: &Call<'_>,
        payload: RequestBody<'_>,
    ) -> Result<Response<Body>, RequestFailed> {
        let target = self.resolve(&self.origin, call.target, call.what)?;
        // A stream is consumed by the first request, so the caller has to start it again.
        let repeatable = match payload {
            RequestBody::None => Some(None),
            RequestBody::Bytes(bytes) => Some(Some(bytes)),
            RequestBody::Stream(..) => None,
        };
        let used = self.token(call.scope);
        let response = self.request(call, &target, used.as_deref(), payload)?;
        // Only the registry itself may ask for credentials. Another host would be given what is not for it.
        if response.status() == StatusCode::UNAUTHORIZED && same_origin(&target, &self.origin) {
            self.authorize(call, &response, used.as_deref())?;
            let Some(bytes) = repeatable else {
                return Ok(response);
            };
            let token = self.token(call.scope);
            let payload = bytes.map_or(RequestBody::None, RequestBody::Bytes);
            let response = self.request(call, &target, token.as_deref(), payload)?;
            return self.follow(call, target, response);
        }
        self.follow(call, target, response)
    }

    /// Follows redirects of GET and HEAD. Credentials are only sent to the registry's own origin.
    fn follow(
        &self,
        call: &Call<'_>,
        mut from: Uri,
        mut response: Response<Body>,
    ) -> Result<Response<Body>, RequestFailed> {
        // A redirected write would send its bytes to a place that nobody named.
        if !matches!(call.method, Method::GET | Method::HEAD) {
            return Ok(response);
        }
        // Two hosts may redirect to each other forever.
        for _ in 0..REDIRECTS_MAX {
            let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(location) = header(&response, "location").filter(|_| is_redirect) else {
                return Ok(response);
            };
            let to = self.resolve(&from, location, call.what)?;
            // A downgrade would send the request and its answer in the clear.
            if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
                let why = "redirected from https to http".to_owned();
                return Err(RegistryError::corrupt(call.what, why).into());
            }
            // Blob storage elsewhere has its own signed URLs and must not see the registry's token.
            let token = if same_origin(&to, &self.origin) {
                self.token(call.scope)
            } else {
                None
            };
            response = self.request(call, &to, token.as_deref(), RequestBody::None)?;
            from = to;
        }
        Err(RegistryError::corrupt(call.what, "redirected without end").into())
    }

    fn request(
        &self,
        call: &Call<'_>,
        target: &Uri,
        authorization: Option<&str>,
        payload: RequestBody<'_>,
    ) -> Result<Response<Body>, RequestFailed> {
        let mut request = ureq::http::Request::builder()
            .method(call.method.clone())
            .uri(target.clone());
        for (name, value) in call.headers {
            request = request.header(*name, value);
        }
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        if let Some(bytes) = payload.bytes() {
            request = request.header("content-length", bytes);
        }
        match payload {
            RequestBody::None => self.run(request, (), call),
            RequestBody::Bytes(bytes) => self.run(request, bytes, call),
            RequestBody::Stream(reader, _) => {
                self.run(request, SendBody::from_reader(reader), call)
            }
        }
    }

    fn run(
        &self,
        request: ureq::http::request::Builder,
        body: impl ureq::AsSendBody,
        call: &Call<'_>,
    ) -> Result<Response<Body>, RequestFailed> {
        let request = request
            .body(body)
            .map_err(|error| RegistryError::corrupt(call.what, error.to_string()))?;
        self.agent.run(request).map_err(|error| match error {
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => {
                self.untrusted(error)
            }
            ureq::Error::Io(inner) if is_of_tls(&inner) => self.untrusted(inner),
            ureq::Error::BadUri(why) => {
                RequestFailed::Final(RegistryError::corrupt(call.what, why))
            }
            other => RequestFailed::Line(other),
        })
    }

    fn untrusted(&self, error: impl Into<BoxError>) -> RequestFailed {
        RequestFailed::Final(RegistryError::Tls {
            host: self.host.clone(),
            source: error.into(),
        })
    }

    fn unreachable(&self, what: &str, error: impl Into<BoxError>) -> RegistryError {
        RegistryError::Unreachable {
            host: self.host.clone(),
            what: what.to_owned(),
            source: error.into(),
        }
    }

    /// Resolves a path or URL that stood in an answer from `from`.
    fn resolve(&self, from: &Uri, target: &str, what: &str) -> Result<Uri, RegistryError> {
        let odd = || RegistryError::corrupt(what, format!("not an address: {}", shown(target)));
        let absolute = match target.strip_prefix("//") {
            Some(rest) => format!("{}://{rest}", from.scheme_str().unwrap_or("https")),
            None if target.starts_with('/') => {
                let authority = from.authority().ok_or_else(odd)?;
                format!(
                    "{}://{authority}{target}",
                    from.scheme_str().unwrap_or("https")
                )
            }
            None => target.to_owned(),
        };
        let uri: Uri = absolute.parse().map_err(|_| odd())?;
        // The address comes from an answer, and no other scheme is for a registry.
        if uri.host().is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(odd());
        }
        Ok(uri)
    }

    /// Returns the pause after this many failures.
    fn pause(&self, attempt: u32) -> Duration {
        let doubled = 1_u32 << attempt.saturating_sub(1).min(16);
        self.patience
            .first_pause
            .saturating_mul(doubled)
            .min(PAUSE_MAX)
    }

    /// Turns every answer with another status into an error.
    fn expect(
        &self,
        response: Response<Body>,
        what: &str,
        statuses: &[u16],
    ) -> Result<Response<Body>, RegistryError> {
        let status = response.status().as_u16();
        if statuses.contains(&status) {
            return Ok(response);
        }
        let (host, what) = (self.host.clone(), what.to_owned());
        Err(match status {
            404 => RegistryError::Absent { host, what },
            401 | 403 => RegistryError::Denied {
                host,
                what,
                message: message(response),
            },
            _ => RegistryError::Refused {
                host,
                what,
                status,
                message: message(response),
            },
        })
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the machine's root certificates and those of a file. A machine without any is not an error.
fn roots(
    extra: Option<&Path>,
) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, RegistryError> {
    let mut roots = rustls_native_certs::load_native_certs().certs;
    if let Some(path) = extra {
        roots.extend(tls::certificates(path)?);
    }
    Ok(roots)
}
