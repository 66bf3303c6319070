//! Requests to an object store, and waiting for them.
//!
//! It knows neither prefixes nor what objects hold. Memory: what was asked for.

use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore};
use tokio::runtime::Runtime;

use super::fault::may_pass;

/// Threads that drive the requests. Their work is to wait.
const THREADS: usize = 2;
/// The pause before a request is repeated first. Each is twice as long as the one before.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The pause at which it is given up.
pub(super) const LAST_PAUSE: Duration = Duration::from_secs(6);
/// Bytes between two ranges that are read along, because a request would take longer.
const GAP_BYTES: u64 = 256 << 10;
/// Most bytes of a request for several ranges.
const JOINED_BYTES: u64 = 8 << 20;

/// Does what a request says and waits for it. The caller may be a thread of another runtime, which must not be blocked
/// by waiting for a runtime, so it waits for a channel.
pub(super) fn wait<T: Send + 'static>(
    request: impl Future<Output = object_store::Result<T>> + Send + 'static,
) -> object_store::Result<T> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let builder = builder.worker_threads(THREADS).thread_name("objects");
        builder.enable_all().build()
    });
    let failed = |why: String| object_store::Error::Generic {
        store: "runtime",
        source: why.into(),
    };
    let runtime = runtime
        .as_ref()
        .map_err(|error| failed(error.to_string()))?;
    let (done, result) = sync_channel(1);
    runtime.spawn(async move {
        // Whoever asked waits below, so there always is somebody to tell.
        let _ = done.send(request.await);
    });
    let ended = |_| failed("the request ended without an answer".to_owned());
    result.recv().map_err(ended)?
}

/// Repeats what may be done twice, with growing pauses, when it fails in passing. The crate repeats a request until its
/// answer begins, and this does when the line drops later.
pub(super) async fn patiently<T, F>(request: impl Fn() -> F) -> object_store::Result<T>
where
    F: Future<Output = object_store::Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match request().await {
            Err(error) if may_pass(&error) && pause < LAST_PAUSE => {
                tracing::info!(%error, "request is repeated");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
}

pub(super) async fn get_range(
    client: &Arc<dyn ObjectStore>,
    path: &Path,
    range: std::ops::Range<u64>,
) -> object_store::Result<Bytes> {
    patiently(|| get_range_once(client, path, range.clone())).await
}

async fn get_range_once(
    client: &Arc<dyn ObjectStore>,
    path: &Path,
    range: std::ops::Range<u64>,
) -> object_store::Result<Bytes> {
    let most = range.end - range.start;
    let options = GetOptions {
        range: Some(GetRange::Bounded(range)),
        ..GetOptions::default()
    };
    let got = client.get_opts(path, options).await?;
    collect(got, most).await
}

/// Reads an answer of at most `limit_bytes`. A server that sends more is not believed.
pub(super) async fn collect(got: GetResult, limit_bytes: u64) -> object_store::Result<Bytes> {
    let mut all = Vec::new();
    let mut pieces = got.into_stream();
    while let Some(piece) = pieces.try_next().await? {
        if all.len() as u64 + piece.len() as u64 > limit_bytes {
            return Err(object_store::Error::Generic {
                store: "answer",
                source: "it is longer than it may be".into(),
            });
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.into())
}

/// Joins ranges that lie close together. Each group has its beginning, its end, and the numbers of its ranges.
pub(super) fn joined(ranges: &[(u64, usize)]) -> Vec<(u64, u64, Vec<usize>)> {
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_unstable_by_key(|at| ranges[*at]);
    let mut groups: Vec<(u64, u64, Vec<usize>)> = Vec::new();
    for at in order {
        let (offset, len) = ranges[at];
        let end = offset.saturating_add(len as u64);
        match groups.last_mut() {
            Some((begin, last, members))
                if offset.saturating_sub(*last) <= GAP_BYTES && end - *begin <= JOINED_BYTES =>
            {
                *last = end.max(*last);
                members.push(at);
            }
            _ => groups.push((offset, end, vec![at])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_lie_close_together_are_one_request() {
        let kib = |at: u64| at << 10;
        let groups = joined(&[(kib(900), 10), (0, 1024), (kib(200), 1024), (kib(200), 0)]);
        let spans: Vec<_> = groups
            .iter()
            .map(|(begin, end, _)| (*begin, *end))
            .collect();
        assert_eq!(spans, [(0, kib(201)), (kib(900), kib(900) + 10)]);
        assert_eq!(groups[0].2, [1, 3, 2]);
        let long = joined(&[(0, 8 << 20), (8 << 20, 1), (u64::MAX, 9)]);
        assert_eq!(long.len(), 3, "no request is longer than its limit");
    }
}
