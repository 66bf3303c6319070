//! Keeps objects in a bucket of an object store, below a prefix, through the crate `object_store`.
//!
//! Whoever calls it waits: a small runtime of its own does the requests. Requests that fail in passing are repeated by
//! the crate, with growing pauses. Memory: 8 MiB for each part on its way, at most `AT_ONCE` of them an object, and the
//! windows that were read last (2 MiB). It keeps nothing from one process to the next, which is what
//! [`super::cached`] is for.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};

use super::{Given, NewObject, Object, ObjectVersion, Put, Storage, StorageError};
use crate::base::term::Action;

mod address;
mod fault;
mod profile;
mod requests;
mod upload;
mod windows;

pub use address::ObjectAddress;
pub use fault::ObjectFault;

use requests::{FIRST_PAUSE, LAST_PAUSE, collect, get_range, joined, patiently, wait};
use upload::ObjectUpload;
use windows::{WINDOW_BYTES, Windows};

/// Requests at once for one object.
const AT_ONCE: usize = 4;
/// Most objects in a folder. More packs than that no index names.
const LISTED_MAX: usize = 1 << 22;
/// Small objects that are read at once.
const GETS_AT_ONCE: usize = 16;

/// An object in a listing, with what tells its states apart.
pub(super) struct ListedObject {
    pub(super) object: Object,
    pub(super) version: ObjectVersion,
}

type WholeObject = (ObjectMeta, Bytes);

/// A prefix in a bucket that keeps objects.
#[derive(Clone)]
pub struct ObjectStorage {
    client: Arc<dyn ObjectStore>,
    address: ObjectAddress,
    /// Folder for what waits to be uploaded.
    spools: PathBuf,
    /// What was read last, the newest at the end.
    windows: Arc<Windows>,
}

impl ObjectStorage {
    /// Keeps objects at an address. Makes no request. What waits to be uploaded is kept in `spools`, an existing folder on
    /// a local disk.
    ///
    /// # Errors
    /// [`StorageError`] when credentials or endpoint in the environment, or in the files of profiles, cannot be understood.
    pub fn open(address: &ObjectAddress, spools: PathBuf) -> Result<Self, StorageError> {
        Ok(Self {
            client: address.client()?,
            address: address.clone(),
            spools,
            windows: Arc::default(),
        })
    }

    /// Keeps what waits to be uploaded in another folder from now on.
    #[must_use]
    pub(crate) fn spooling_in(self, spools: PathBuf) -> Self {
        Self { spools, ..self }
    }

    /// Returns the name of one object below the address, whoever made it, or `None` when there is none.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be listed.
    pub fn any(&self) -> Result<Option<String>, StorageError> {
        let (client, prefix) = (Arc::clone(&self.client), self.address.path(""));
        let first = wait(async move {
            let list = || async { client.list(Some(&prefix)).next().await.transpose() };
            patiently(list).await
        });
        let first = first.map_err(|error| self.fault(Action::List, "", error))?;
        Ok(first.map(|meta| self.name_of(&meta.location)))
    }

    /// Lists the objects in `folder` with what tells their states apart.
    ///
    /// # Errors
    /// As [`Storage::list`].
    pub(super) fn list_states(&self, folder: &str) -> Result<Vec<ListedObject>, StorageError> {
        self.list_states_after(folder, None)
    }

    fn list_states_after(
        &self,
        folder: &str,
        after: Option<&str>,
    ) -> Result<Vec<ListedObject>, StorageError> {
        let (client, prefix) = (Arc::clone(&self.client), self.address.path(folder));
        let after = after.map(|name| self.address.path(name));
        let listed = wait(async move {
            let list = || {
                let objects = match &after {
                    Some(after) => client.list_with_offset(Some(&prefix), after),
                    None => client.list(Some(&prefix)),
                };
                let objects = objects.take(LISTED_MAX + 1);
                objects.try_collect::<Vec<_>>()
            };
            patiently(list).await
        });
        let listed = listed.map_err(|error| self.fault(Action::List, folder, error))?;
        if listed.len() > LISTED_MAX {
            return Err(StorageError::too_long(folder));
        }
        let objects = listed.into_iter().map(|meta| ListedObject {
            object: Object {
                name: self.name_of(&meta.location),
                bytes: meta.size,
            },
            version: version(meta.e_tag, meta.version),
        });
        let mut objects: Vec<ListedObject> = objects.collect();
        objects.sort_unstable_by(|one, other| one.object.cmp(&other.object));
        Ok(objects)
    }

    /// Reads whole objects, many at once. Each has at most `limit_bytes`.
    pub(super) fn get_many(
        &self,
        names: &[String],
        limit_bytes: u64,
    ) -> Vec<Result<Vec<u8>, StorageError>> {
        let gets: Vec<_> = names
            .iter()
            .map(|name| self.get_whole(name, limit_bytes))
            .collect();
        let got = wait(async move {
            let got = stream::iter(gets)
                .buffered(GETS_AT_ONCE)
                .collect::<Vec<_>>();
            Ok(got.await)
        });
        match got {
            Ok(got) => {
                let read = names.iter().zip(got);
                read.map(|(name, got)| Ok(self.checked(name, got)?.0))
                    .collect()
            }
            // The runtime failed, so nothing was read.
            Err(error) => {
                let why = error.to_string();
                let failed = |name: &String| {
                    let error = object_store::Error::Generic {
                        store: "runtime",
                        source: why.clone().into(),
                    };
                    Err(self.fault(Action::Read, name, error))
                };
                names.iter().map(failed).collect()
            }
        }
    }

    /// The request for a whole object, or nothing when it is longer than allowed.
    fn get_whole(
        &self,
        name: &str,
        limit_bytes: u64,
    ) -> impl Future<Output = object_store::Result<Option<WholeObject>>> + Send + 'static {
        let (client, path) = (Arc::clone(&self.client), self.address.path(name));
        async move {
            let get = || async {
                let got = client.get(&path).await?;
                if got.meta.size > limit_bytes {
                    return Ok(None);
                }
                let meta = got.meta.clone();
                let bytes = collect(got, limit_bytes).await?;
                Ok(Some((meta, bytes)))
            };
            patiently(get).await
        }
    }

    fn checked(
        &self,
        name: &str,
        got: object_store::Result<Option<WholeObject>>,
    ) -> Result<(Vec<u8>, ObjectVersion), StorageError> {
        let got = got.map_err(|error| self.fault(Action::Read, name, error))?;
        let (meta, bytes) = got.ok_or_else(|| StorageError::too_long(name))?;
        if bytes.len() as u64 != meta.size {
            return Err(self.cut_short(name));
        }
        Ok((bytes.into(), version(meta.e_tag, meta.version)))
    }

    fn name_of(&self, path: &Path) -> String {
        let below = path.as_ref().strip_prefix(self.address.prefix());
        let name = below.unwrap_or(path.as_ref());
        name.strip_prefix('/').unwrap_or(name).to_owned()
    }

    fn fault(&self, action: Action, name: &str, error: object_store::Error) -> StorageError {
        fault::of(action, self.address.text_of(name), error)
    }

    /// Reads a range, which must be there whole.
    fn range(&self, name: &str, offset: u64, bytes: u64) -> Result<Bytes, StorageError> {
        let read = self.up_to(name, offset, bytes)?;
        if read.len() as u64 == bytes {
            Ok(read)
        } else {
            Err(self.cut_short(name))
        }
    }

    /// Reads a range as far as it is there.
    fn up_to(&self, name: &str, offset: u64, bytes: u64) -> Result<Bytes, StorageError> {
        let Some(end) = offset.checked_add(bytes) else {
            return Err(self.cut_short(name));
        };
        let (client, path) = (Arc::clone(&self.client), self.address.path(name));
        let read = wait(async move { get_range(&client, &path, offset..end).await });
        read.map_err(|error| {
            if fault::is_beyond(&error) {
                self.cut_short(name)
            } else {
                self.fault(Action::Read, name, error)
            }
        })
    }

    fn cut_short(&self, name: &str) -> StorageError {
        StorageError {
            action: Action::Read,
            path: self.address.text_of(name).into(),
            source: io::ErrorKind::UnexpectedEof.into(),
        }
    }
}

impl Storage for ObjectStorage {
    fn list(&self, folder: &str) -> Result<Vec<Object>, StorageError> {
        let listed = self.list_states(folder)?.into_iter();
        Ok(listed.map(|listed| listed.object).collect())
    }

    fn list_after(&self, folder: &str, name: &str) -> Result<Vec<Object>, StorageError> {
        let listed = self.list_states_after(folder, Some(name))?.into_iter();
        Ok(listed.map(|listed| listed.object).collect())
    }

    fn read_many(&self, names: &[String], limit_bytes: u64) -> Vec<Result<Vec<u8>, StorageError>> {
        self.get_many(names, limit_bytes)
    }

    fn bytes(&self, name: &str) -> Result<u64, StorageError> {
        let (client, path) = (Arc::clone(&self.client), self.address.path(name));
        let meta = wait(async move { patiently(|| client.head(&path)).await });
        Ok(meta
            .map_err(|error| self.fault(Action::Read, name, error))?
            .size)
    }

    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        if out.is_empty() {
            return Ok(());
        }
        // Names that are read by parts are names of packs and segments, whose bytes never change.
        let begun = self.windows.copy(name, offset, out);
        let rest = &mut out[begun..];
        let offset = offset.saturating_add(begun as u64);
        if rest.is_empty() {
            return Ok(());
        }
        if rest.len() as u64 > WINDOW_BYTES {
            rest.copy_from_slice(&self.range(name, offset, rest.len() as u64)?);
            return Ok(());
        }
        let read = self.up_to(name, offset, WINDOW_BYTES)?;
        let found = read.get(..rest.len()).ok_or_else(|| self.cut_short(name))?;
        rest.copy_from_slice(found);
        self.windows.keep(name, offset, read);
        Ok(())
    }

    fn read_alone(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        let begun = self.windows.copy(name, offset, out);
        let rest = &mut out[begun..];
        if !rest.is_empty() {
            let offset = offset.saturating_add(begun as u64);
            rest.copy_from_slice(&self.range(name, offset, rest.len() as u64)?);
        }
        Ok(())
    }

    fn is_near(&self, _name: &str, _offset: u64) -> bool {
        false
    }

    fn read_ranges(
        &self,
        name: &str,
        ranges: &[(u64, usize)],
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let groups = joined(ranges);
        let (client, path) = (Arc::clone(&self.client), self.address.path(name));
        let spans: Vec<_> = groups.iter().map(|(begin, end, _)| *begin..*end).collect();
        let read = wait(async move {
            let requests = spans.into_iter().map(|span| {
                let (client, path) = (Arc::clone(&client), path.clone());
                async move {
                    if span.is_empty() {
                        return Ok(Bytes::new());
                    }
                    get_range(&client, &path, span).await
                }
            });
            stream::iter(requests)
                .buffered(AT_ONCE)
                .try_collect::<Vec<Bytes>>()
                .await
        });
        let read = read.map_err(|error| {
            if fault::is_beyond(&error) {
                self.cut_short(name)
            } else {
                self.fault(Action::Read, name, error)
            }
        })?;
        let mut parts = vec![Vec::new(); ranges.len()];
        for ((begin, _, members), bytes) in groups.iter().zip(read) {
            for at in members {
                let (offset, len) = ranges[*at];
                let from = usize::try_from(offset - begin).unwrap_or(usize::MAX);
                let part = bytes.get(from..).and_then(|rest| rest.get(..len));
                parts[*at] = part.ok_or_else(|| self.cut_short(name))?.to_vec();
            }
        }
        Ok(parts)
    }

    fn whole(&self, name: &str, limit_bytes: u64) -> Result<Vec<u8>, StorageError> {
        Ok(self.get(name, limit_bytes)?.0)
    }

    fn get(&self, name: &str, limit_bytes: u64) -> Result<(Vec<u8>, ObjectVersion), StorageError> {
        self.checked(name, wait(self.get_whole(name, limit_bytes)))
    }

    fn put_if(&self, name: &str, bytes: &[u8], given: &Given) -> Result<Put, StorageError> {
        let bytes = Bytes::copy_from_slice(bytes);
        let mut pause = FIRST_PAUSE;
        loop {
            let (client, path) = (Arc::clone(&self.client), self.address.path(name));
            let (bytes, mode) = (bytes.clone(), mode(given));
            let put = async move { client.put_opts(&path, bytes.into(), mode.into()).await };
            match wait(put) {
                Ok(done) => return Ok(Put::Done(version(done.e_tag, done.version))),
                Err(error) if fault::is_lost(&error, given) => return Ok(Put::Lost),
                // The crate does not repeat what may have been done. Here that is no harm: if it was, the condition does
                // not hold any more, and the caller looks at what is there.
                Err(error) if fault::may_pass(&error) && pause < LAST_PAUSE => {
                    tracing::info!(name, %error, "put is repeated");
                    thread::sleep(pause);
                    pause *= 2;
                }
                Err(error) => return Err(self.fault(Action::Write, name, error)),
            }
        }
    }

    fn create(&self) -> Result<Box<dyn NewObject>, StorageError> {
        Ok(Box::new(ObjectUpload::new(self.clone())))
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        let (client, path) = (Arc::clone(&self.client), self.address.path(name));
        match wait(async move { patiently(|| client.delete(&path)).await }) {
            Err(object_store::Error::NotFound { source, path }) => {
                let error = object_store::Error::NotFound { source, path };
                let error = self.fault(Action::Remove, name, error);
                // The bucket may be what is missing.
                if error.is_missing() {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            done => done.map_err(|error| self.fault(Action::Remove, name, error)),
        }
    }

    /// Does nothing: what was not published has no name yet. Parts of uploads that were cut off are what a lifecycle
    /// rule of the bucket removes.
    fn sweep(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn put_at(&self, name: &str) -> Option<SystemTime> {
        let (client, path) = (Arc::clone(&self.client), self.address.path(name));
        let meta = wait(async move { patiently(|| client.head(&path)).await });
        Some(meta.ok()?.last_modified.into())
    }

    fn local_path(&self, _name: &str) -> Option<PathBuf> {
        None
    }
}

/// Both of what stores tell states by, in one text. Neither has a line's end in it.
fn version(e_tag: Option<String>, version: Option<String>) -> ObjectVersion {
    ObjectVersion(format!(
        "{}\n{}",
        e_tag.unwrap_or_default(),
        version.unwrap_or_default()
    ))
}

fn mode(given: &Given) -> PutMode {
    match given {
        Given::Absent => PutMode::Create,
        Given::Unchanged(ObjectVersion(text)) => {
            let (e_tag, version) = text.split_once('\n').unwrap_or((text, ""));
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            PutMode::Update(UpdateVersion {
                e_tag: some(e_tag),
                version: some(version),
            })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
impl ObjectStorage {
    /// Objects in the memory of this process.
    pub(super) fn in_memory(spools: &std::path::Path) -> Self {
        Self {
            client: Arc::new(object_store::memory::InMemory::new()),
            address: ObjectAddress::parse("s3://bucket/some/prefix".as_ref()).unwrap(),
            spools: spools.to_owned(),
            windows: Arc::default(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_promises_of_storage() {
        let dir = tempfile::tempdir().unwrap();
        let storage = ObjectStorage::in_memory(dir.path());
        super::super::conformance::conformance(&storage);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(storage.any().unwrap().as_deref(), Some("other"));
    }
}
