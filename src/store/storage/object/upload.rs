//! An object on its way into a bucket.
//!
//! Its name is known only at the end, because packs are named by what is in them. Until then its bytes wait in memory, or
//! when there are more of them than one request takes, in a file without a name. Then they go up in parts, side by side.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};

use super::requests::patiently;
use super::{AT_ONCE, Action, NewObject, ObjectStorage, StorageError, wait};

/// Bytes of a part. Servers take parts of 5 MiB and more, and some want all of them to be equal.
const PART_BYTES: usize = 8 << 20;

pub(super) struct ObjectUpload {
    storage: ObjectStorage,
    /// What is not in the file yet.
    waiting: Vec<u8>,
    spool: Option<File>,
    spooled: u64,
}

impl ObjectUpload {
    pub(super) fn new(storage: ObjectStorage) -> Self {
        Self {
            storage,
            waiting: Vec::new(),
            spool: None,
            spooled: 0,
        }
    }

    fn spill(&mut self) -> Result<(), StorageError> {
        let folder = &self.storage.spools;
        let file = match &mut self.spool {
            Some(file) => file,
            none => {
                none.insert(nameless(folder).map_err(StorageError::on(Action::Create, folder))?)
            }
        };
        file.write_all(&self.waiting)
            .map_err(StorageError::on(Action::Write, folder))?;
        self.spooled += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

/// Makes a file and removes its name, so that a killed process leaves nothing.
fn nameless(folder: &Path) -> io::Result<File> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("stream-{}-{number}", std::process::id()));
        let mut options = File::options();
        match options.read(true).write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => {
                let file = file?;
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
}

impl NewObject for ObjectUpload {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() > PART_BYTES {
            self.spill()?;
        }
        Ok(())
    }

    fn publish(mut self: Box<Self>, name: &str) -> Result<(), StorageError> {
        if self.spool.is_some() {
            self.spill()?;
        }
        let client = Arc::clone(&self.storage.client);
        let path = self.storage.address.path(name);
        let spooled = self.spool.take().map(Arc::new);
        let (waiting, bytes) = (Bytes::from(std::mem::take(&mut self.waiting)), self.spooled);
        // The name stands for these bytes, so a put whose answer was lost may be done once more.
        let done = wait(async move {
            let put = || async {
                match &spooled {
                    None => client.put(&path, waiting.clone().into()).await.map(drop),
                    Some(file) => put_in_parts(&client, &path, file, bytes).await,
                }
            };
            patiently(put).await
        });
        done.map_err(|error| self.storage.fault(Action::Write, name, error))
    }
}

/// Puts what a file holds, and leaves no parts behind when that fails.
async fn put_in_parts(
    client: &Arc<dyn ObjectStore>,
    path: &object_store::path::Path,
    file: &Arc<File>,
    bytes: u64,
) -> object_store::Result<()> {
    let mut upload = client.put_multipart(path).await?;
    match parts(upload.as_mut(), Arc::clone(file), bytes).await {
        Ok(()) => upload.complete().await.map(drop),
        Err(error) => {
            // What cannot be removed now, a lifecycle rule of the bucket removes.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

/// Sends the parts in order, some of them at once.
async fn parts(
    upload: &mut dyn MultipartUpload,
    file: Arc<File>,
    bytes: u64,
) -> object_store::Result<()> {
    let starts = (0..bytes).step_by(PART_BYTES);
    let mut sent = stream::iter(starts)
        .map(|start| {
            let len = usize::try_from(bytes - start)
                .unwrap_or(PART_BYTES)
                .min(PART_BYTES);
            let mut part = vec![0; len];
            // A spool is on the local disk, and short enough to be in memory still.
            let read = file.read_exact_at(&mut part, start);
            let sending = read.map(|()| upload.put_part(PutPayload::from(part)));
            async move {
                match sending {
                    Ok(sending) => sending.await,
                    Err(error) => Err(object_store::Error::Generic {
                        store: "spool",
                        source: error.into(),
                    }),
                }
            }
        })
        .buffered(AT_ONCE);
    while let Some(done) = sent.next().await {
        done?;
    }
    Ok(())
}
