//! Checks that the claimed plain size of a release's deflate streams is within the limits. Runs before any stream is
//! rebuilt.
//!
//! A few chunks can stand for any number of plain bytes, and the author of a set may be hostile. Memory: 20 bytes a
//! chunk when there are more than `plain-bytes` of [`CostLimits`](crate::base::limits::CostLimits).

use std::collections::HashSet;

use crate::base::id::ChunkId;
use crate::content::recipe::Excess;
use crate::content::recipe::walk::{FoundStream, Visitor, Walker};
use crate::content::recipe::{ChunkRef, ChunkSource, RecipeError};

/// The plain bytes of streams, and the existing chunks.
#[derive(Default)]
struct StreamClaims {
    plain_bytes: u64,
    /// The first eight bytes of ids. `None` while only plain bytes count.
    chunks: Option<HashSet<u64>>,
    chunk_bytes: u64,
}

impl Visitor for StreamClaims {
    fn chunk(&mut self, _: &ChunkId) -> Result<(), RecipeError> {
        Ok(())
    }

    fn length(&mut self, chunk: &ChunkRef) {
        let [a, b, c, d, e, f, g, h, ..] = chunk.id.0;
        if let Some(chunks) = &mut self.chunks
            && chunks.insert(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
        {
            self.chunk_bytes += u64::from(chunk.bytes);
        }
    }

    fn stream(&mut self, stream: &FoundStream) -> Result<(), RecipeError> {
        self.plain_bytes = self.plain_bytes.saturating_add(stream.plain.bytes());
        Ok(())
    }
}

/// Fails when the contents that `walk` visits exceed the limits.
///
/// # Errors
/// [`RecipeError::Limit`], or an error of the walk.
pub(super) fn check<S: ChunkSource>(
    source: &S,
    walk: impl Fn(&mut Walker<'_, S>, &mut dyn Visitor) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    let mut claims = StreamClaims::default();
    walk(&mut Walker::new(source), &mut claims)?;
    // Nearly every release ends here. Only more than this is worth the memory of a set of chunks.
    let limits = source.limits();
    if claims.plain_bytes <= limits.plain_bytes {
        return Ok(());
    }
    let mut claims = StreamClaims {
        chunks: Some(HashSet::new()),
        ..StreamClaims::default()
    };
    walk(&mut Walker::new(source), &mut claims)?;
    // Each chunk counts once: a few that are named many times must not stand for any number of bytes.
    let backed = claims.chunk_bytes.saturating_mul(limits.plain_ratio);
    if claims.plain_bytes > backed.saturating_add(limits.plain_bytes) {
        return Err(RecipeError::Limit(Excess::PlainOfStreams));
    }
    Ok(())
}
