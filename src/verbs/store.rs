//! Lets the verbs work on a [`Store`]: its chunks as a source and a sink, its roots as releases.
//!
//! Nothing else: what the store does with them is its own affair.

use super::{Releases, ReleasesMut, Stored};
use crate::class::Class;
use crate::id::{ChunkId, ReleaseId};
use crate::monitor::Monitor;
use crate::recipe::{BoxError, ChunkSink, ChunkSource, RecipeError};
use crate::release::{ReleaseName, ReleaseRoot};
use crate::store::{ChunkBytes, Store, StoreError, StoreWriter, WriteOptions};

impl ChunkSource for Store {
    type Bytes = ChunkBytes;

    fn chunk(&self, id: &ChunkId) -> Result<ChunkBytes, RecipeError> {
        self.read(id).map_err(|error| match error {
            StoreError::NoSuchChunk { id } => RecipeError::Missing(id),
            other => RecipeError::Chunk {
                id: *id,
                source: other.into(),
            },
        })
    }

    fn prefetch(&self, ids: &[ChunkId]) {
        Store::prefetch(self, ids);
    }

    fn contains(&self, id: &ChunkId) -> bool {
        Store::contains(self, id)
    }
}

impl ChunkSink for StoreWriter<'_> {
    fn put(&mut self, plain: &[u8], class: Class) -> Result<ChunkId, RecipeError> {
        StoreWriter::put(self, plain, class).map_err(|error| match error {
            StoreError::Interrupted(stop) => RecipeError::Interrupted(stop),
            other => RecipeError::Store(other.into()),
        })
    }
}

/// An interruption stays one, however deep it happened.
fn boxed(error: StoreError) -> BoxError {
    match error {
        StoreError::Interrupted(stop) => Box::new(stop),
        other => Box::new(other),
    }
}

impl Releases for Store {
    fn roots(&self) -> Result<Vec<ReleaseRoot>, BoxError> {
        let roots = Store::roots(self)?.into_iter();
        // One that cannot be read is told by `list` and `check`.
        let bodies = roots.filter_map(|root| root.body.ok());
        Ok(bodies
            .filter_map(|body| ReleaseRoot::decode(&body).ok())
            .collect())
    }

    fn root(&self, name: &ReleaseName) -> Result<Option<ReleaseRoot>, BoxError> {
        match self.read_root(&name.file_stem()) {
            Ok(body) => Ok(Some(ReleaseRoot::decode(&body)?)),
            Err(StoreError::NoSuchRoot { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}

impl ReleasesMut for Store {
    type Writer<'a> = StoreWriter<'a>;

    fn writer<'a>(&'a self, monitor: &'a dyn Monitor) -> Result<StoreWriter<'a>, BoxError> {
        Store::writer(self, &WriteOptions::default(), monitor).map_err(boxed)
    }

    fn finish(&self, writer: StoreWriter<'_>) -> Result<Stored, BoxError> {
        let report = writer.finish().map_err(boxed)?;
        Ok(Stored {
            new_bytes: report.new_bytes,
            stored_bytes: report.stored_bytes,
        })
    }

    fn commit(&self, root: &ReleaseRoot) -> Result<ReleaseId, BoxError> {
        self.commit_root(&root.name.file_stem(), &root.encode())?;
        Ok(root.id())
    }
}
