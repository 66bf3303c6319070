//! A read-only registry. It serves the plan of a push, directly from where the blobs are, and the files of package
//! repositories as a web server does.
//!
//! `answer` answers requests, `blobs` writes blobs on a fixed number of threads, and `access` decides who may ask. A
//! client that does not read holds nobody up. The connection that has been idle longest makes room for the next one,
//! and a blob that nobody takes gives way when others wait (`callers`, `pressure`). Memory: at most 256 connections
//! with 1 MiB in transfer each, besides what the source needs for each blob.

mod access;
mod answer;
mod blob_cache;
mod blobs;
mod cached_blob;
mod callers;
mod files;
mod pressure;
mod repositories;
mod route;

use std::future::{Future, poll_fn};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use self::access::AccessRules;
use self::answer::Answerer;
use self::blob_cache::CachedSource;
use self::callers::{Callers, Connection};
pub use self::files::ServedFiles;
use self::pressure::Pressure;
pub use self::repositories::{CurrentRepositories, Repositories};
use super::{BlobSource, RegistryError, tls};
use crate::base::monitor::Monitor;

/// Connections at a time. More have to wait.
const CONNECTIONS_MAX: usize = 256;
/// Interval between two checks for a stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Time for a TLS handshake, and for the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Time for pulls to end after a stop.
const LAST_TIME: Duration = Duration::from_secs(1);
/// Time for the threads below the connections to end after that.
const CLOSE_TIME: Duration = Duration::from_millis(500);

/// Options of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Address and port. Port 0 stands for any free port.
    pub listen: String,
    /// PEM files: certificates, and the key of the first.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Folder for blobs that are expensive to make. They are made once, into unnamed files. With `None` they are made
    /// for each request.
    pub keep_in: Option<PathBuf>,
    /// Whether they are made before a client asks.
    pub make_ahead: MakeAhead,
    /// Lines of `NAME:HASH` as `htpasswd -B` writes them. With `None` everyone may pull.
    pub passwords: Option<PathBuf>,
}

impl ServeOptions {
    /// Serves at this address and port to everyone, without TLS. Port 0 is any that is free.
    pub fn new(listen: impl Into<String>) -> Self {
        Self {
            listen: listen.into(),
            ..Self::default()
        }
    }
}

/// When expensive blobs are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MakeAhead {
    /// On request.
    #[default]
    No,
    /// From the beginning, in parallel with requests.
    Yes,
}

/// An event while serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServeEvent {
    /// The server listens.
    Ready {
        /// Its address.
        address: SocketAddr,
    },
    /// The served content has changed.
    Changed,
    /// A request was answered, to its end or until the connection broke.
    Answered(Answered),
}

/// A request in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// Address of the client.
    pub from: SocketAddr,
    /// `GET` or `HEAD`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// HTTP status.
    pub status: u16,
    /// Bytes of the body that were sent.
    pub bytes: u64,
    /// The reason why not all of the body was sent.
    pub broken: Option<String>,
}

/// Serves until a stop is asked for. The repositories may be replaced meanwhile.
///
/// # Errors
/// [`RegistryError::Listen`], or an error of certificates or passwords.
pub fn serve(
    repositories: impl Into<Arc<CurrentRepositories>>,
    source: &dyn BlobSource,
    options: &ServeOptions,
    event: &(dyn Fn(&ServeEvent) + Sync),
    monitor: &dyn Monitor,
) -> Result<(), RegistryError> {
    let repositories = repositories.into();
    let acceptor = match &options.tls {
        Some((certificates, key)) => Some(acceptor(certificates, key)?),
        None => None,
    };
    let access = AccessRules::read(options.passwords.as_deref())?;
    let failed = |source| RegistryError::Listen {
        address: options.listen.clone(),
        source,
    };
    let listener = TcpListener::bind(&options.listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .enable_time()
        .build()
        .map_err(failed)?;
    event(&ServeEvent::Ready { address });

    let (lines, heard) = channel();
    let (jobs, queue) = blobs::queue();
    let handle = runtime.handle().clone();
    let kept = CachedSource::new(source, options.keep_in.as_deref());
    let pressure = Arc::new(Pressure::default());
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| tell(heard, event));
        for _ in 0..blob_cache::makers() {
            scope.spawn(|| kept.make_all(monitor));
        }
        if options.make_ahead == MakeAhead::Yes {
            kept.make_ahead(repositories.now().blobs().into_iter());
        }
        for _ in 0..blobs::WRITERS {
            let (queue, kept, handle, lines) = (&queue, &kept, &handle, lines.clone());
            let pressure = &*pressure;
            scope.spawn(move || blobs::write_all(queue, kept, handle, pressure, &lines, monitor));
        }
        let answerer = Answerer::new(repositories, access, jobs, Arc::clone(&pressure), lines);
        // The answerer ends with the last connection, and then the writers and the log thread end.
        let outcome = runtime.block_on(accept_all(
            listener,
            acceptor,
            Arc::new(answerer),
            &pressure,
            monitor,
        ));
        // The makers wait for requests, and the scope cannot end before they do.
        kept.close();
        outcome
    });
    close(runtime);
    outcome.map_err(failed)
}

fn close(runtime: Runtime) {
    runtime.shutdown_timeout(CLOSE_TIME);
}

fn tell(heard: Receiver<Answered>, event: &(dyn Fn(&ServeEvent) + Sync)) {
    for line in heard {
        event(&ServeEvent::Answered(line));
    }
}

fn acceptor(
    certificates: &std::path::Path,
    key: &std::path::Path,
) -> Result<TlsAcceptor, RegistryError> {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;
    let shown = key.display().to_string();
    let chain = tls::certificates(certificates)?;
    let key = PrivateKeyDer::from_pem_slice(&tls::read(key)?)
        .map_err(|_| RegistryError::corrupt(&shown, "no private key in PEM form"))?;
    let config = rustls::ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| RegistryError::corrupt(shown, error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept_all(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    answerer: Arc<Answerer>,
    pressure: &Arc<Pressure>,
    monitor: &dyn Monitor,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let callers = Arc::new(Callers::default());
    let mut connections = JoinSet::new();
    while !monitor.stop_asked() {
        while connections.try_join_next().is_some() {}
        let accepted = match tokio::time::timeout(LOOK_EVERY, listener.accept()).await {
            Ok(Ok(accepted)) => accepted,
            // The client is gone, or there are no more file handles. Later connections may still work.
            Ok(Err(_)) => {
                // An idle connection holds a file handle that a waiting client may need.
                callers.end_idle();
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            Err(_) => continue,
        };
        let Some(permit) = make_room(&room, &callers, pressure, monitor).await else {
            continue;
        };
        let (stream, from) = accepted;
        let _ = stream.set_nodelay(true);
        let (answerer, acceptor) = (answerer.clone(), acceptor.clone());
        let connection = Arc::new(callers.join());
        connections.spawn(async move {
            let mut ended = pin!(connection.ended());
            let met = meet(stream, from, acceptor, answerer, Arc::clone(&connection));
            let mut met = pin!(met);
            poll_fn(|context| {
                if ended.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
                met.as_mut().poll(context)
            })
            .await;
            // The room is given back when the connection ends, for whatever reason.
            drop(permit);
        });
    }
    // The connections hold the remaining references, so the answerer ends with the last of them.
    drop(answerer);
    let last = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_TIME, last).await.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

/// Waits until one more connection may be answered. An idle connection is ended for it. When all are busy, those whose
/// clients do not read give way. Returns `None` when a stop was asked for.
async fn make_room(
    room: &Arc<Semaphore>,
    callers: &Callers,
    pressure: &Arc<Pressure>,
    monitor: &dyn Monitor,
) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = Arc::clone(room).try_acquire_owned() {
        return Some(permit);
    }
    // Registered for as long as this waits, so that connections whose clients do not read give way.
    let _waits = pressure.held_up();
    let mut has_ended_one = false;
    while !monitor.stop_asked() {
        // One is enough, because its task gives the room back as soon as it runs.
        has_ended_one = has_ended_one || callers.end_idle();
        let waiting = Arc::clone(room).acquire_owned();
        if let Ok(permit) = tokio::time::timeout(LOOK_EVERY, waiting).await {
            return permit.ok();
        }
    }
    None
}

/// Does the TLS handshake, if any, and answers requests.
async fn meet(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    answerer: Arc<Answerer>,
    connection: Arc<Connection>,
) {
    match acceptor {
        None => converse(stream, from, answerer, connection).await,
        Some(acceptor) => {
            let shaken = tokio::time::timeout(HEAD_TIME, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = shaken {
                converse(stream, from, answerer, connection).await;
            }
        }
    }
}

/// Answers the requests of one connection. A broken connection is only logged.
async fn converse<S>(
    stream: S,
    from: SocketAddr,
    answerer: Arc<Answerer>,
    connection: Arc<Connection>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| {
        let (answerer, busy) = (answerer.clone(), connection.busy());
        async move { Ok::<_, std::convert::Infallible>(answerer.answer(from, request, busy).await) }
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(512 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The sender of log lines.
type Lines = Sender<Answered>;
