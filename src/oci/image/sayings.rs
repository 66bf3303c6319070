//! What there is to say of images, packages and their names: every sentence once, so that each has words in every language.

use super::files::Absent;
use super::{Digest, ExportError, ReferenceError};
use crate::base::saying::{Saying, Template};
use crate::content::recipe::RecipeError;

macro_rules! sayings {
    ($($(#[$about:meta])* $name:ident = $english:literal;)*) => {
        $($(#[$about])* pub const $name: Template = Template::new($english);)*
        /// All of them.
        pub const ALL: &[Template] = &[$($name),*];
    };
}

sayings! {
    /// What something is called.
    TEXT = "{0}";
    /// What is wrong with what.
    IT = "{0} {1}";
    /// Two of a kind.
    AND = "{0} and {1}";
    /// A config.
    CONFIG = "config {0}";
    /// A layer.
    LAYER = "layer {0}";
    /// Not there.
    ABSENT = "is not in the archive";
    /// Two, and they differ.
    TWICE = "is in the archive twice, with different bytes";
    /// A path that leaves the archive.
    OUTSIDE = "lies outside of the archive";
    /// A link to links.
    LINKS = "is a link that leads nowhere";
    /// A holder that cannot be followed.
    CLOSED = "cannot be looked into: {0}";
    /// A file that is not opened.
    PACKED = "is compressed with {0} as a whole, and not looked into: what images it has is not known";
    /// A holder beyond the limits.
    TOO_DEEP = "is not looked into: too many archives, or too deep in one another";
    /// More in a holder than is remembered.
    MORE_HOLDERS = "has more archives and folders than are looked into";
    /// More in an archive than is remembered.
    MORE_FILES = "has more than {0} files: only the first are looked at";
    /// A layout without an index.
    NO_INDEX = "index.json is not an index of images";
    /// A document that is named.
    LONG_DOCUMENT = "{0} is longer than the 4 MiB that are read";
    /// A folder.
    LONG_METADATA = "metadata.json is longer than the 32 MiB that are read: whether this is a package is not known";
    /// A document that is named.
    UNREADABLE_DOCUMENT = "{0} cannot be read: {1}";
    /// A manifest or config.
    LONG = "is longer than the 4 MiB that are read";
    /// A blob.
    UNREADABLE = "cannot be read: {0}";
    /// A blob of another length than its descriptor's, and of the right digest.
    WRONG_SIZE = "has {0} bytes, and its manifest says {1}: its digest is right, and it stays";
    /// A blob of another length than its descriptor's.
    BYTES = "has {0} bytes, and {1} are said";
    /// Other bytes.
    MISMATCH = "does not match its digest: it is {0}";
    /// Not JSON of a config.
    NO_CONFIG = "is no config: {0}";
    /// A config.
    BAD_DIFF_ID = "has a diff id that is no digest";
    /// A docker archive.
    LAYERS_DOCKER = "has {0} layers, and manifest.json {1}";
    /// A manifest.
    LAYERS_CONFIG = "has {0} layers, and its config {1}";
    /// An index beyond the limits.
    TOO_MANY_INDEXES = "lies in too many indexes, or is one of too many";
    /// What should be a digest.
    NO_DIGEST = "is no digest";
    /// Not JSON of a manifest.
    NO_MANIFEST = "is no manifest: {0}";
    /// JSON of something else.
    UNKNOWN_MANIFEST = "is no manifest of a known kind";
    /// A manifest without a config.
    WITHOUT_CONFIG = "has no config";
    /// Images beyond the limit.
    MORE_IMAGES = "is left out: there are more images than are looked at";
    /// A name.
    TWO_IMAGES = "is the name of two images: {0} and {1}";
    /// A package.
    MIXED = "mixes platforms: components or images for {0}";
    /// A package.
    LACKING = "image {0} of {1} is not in the package";
    /// A package.
    TWINS = "is {0} {1} with another content than {2}: two contents under one version";
    /// An image.
    BAD_NAME = "has a name that no registry takes: {0}";
    /// An image.
    NAMELESS = "image {0} has no name, and is left out";
    /// A name in a registry.
    SECOND = "two contents have this name and platform: {0} stands, the other is left out";
    /// A name in a registry.
    BY_DIGEST = "two contents have this name: {0} stands, {1} is there by its digest alone";
    /// A name that differs from another in the host alone.
    OTHER_HOST = "without its host this is the name of another image, {0}, which stands: this one is left out";
    /// The same where both can be had.
    BY_HOST = "is for whoever asks with its host, as containerd does; without a host the name is that of {0}";
    /// A tag that moved.
    OLDER = "stands for what {0} has; {2} of {1} is there by its digest alone";
    /// A referrer.
    ORPHAN = "refers to {0}, which is not there under a name: it is left out";
    /// A referrer.
    OF_INDEX = "refers to {0}, the index of all platforms: it is left out with that";
    /// A name that docker archives cannot have.
    UNNAMED = "docker takes no such name: the image is there without it";
    /// A program.
    NOT_WORKING = "is installed and does not work: {0}; {1} does, and is taken";
    /// A program, after a failure.
    LEFT = "has now, from this or from before: {0}";
    /// A program, after a failure.
    NOTHING_LEFT = "has none of these images under its name: nothing was left behind";
    /// An image that is not given out.
    LOST = "the image is lost: {0}";
    /// An artifact.
    NOT_RUNNABLE = "{0} is no image of layers: a docker archive cannot hold it";
    /// A blob of an image.
    NO_BLOB = "{0}: blob {1} is not in the release";
    /// A blob.
    BLOB_MISMATCH = "blob {0} does not match its digest: it is {1}";
    /// A blob and why it does not come out.
    BLOB = "blob {0}: {1}";
    /// An archive.
    ARCHIVE = "cannot write the archive: {0}";
    /// A chunk.
    CHUNK = "chunk {0} cannot be read: {1}";
    /// A chunk.
    NO_CHUNK = "chunk {0} is missing";
    /// A list or record.
    CORRUPT = "corrupt {0}";
    /// A recipe.
    NEWER = "needs a newer carryall: {0}";
    /// A blob.
    REBUILT = "rebuilt bytes do not match: blob {0} expected";
    /// A blob.
    REMAKE = "a stream in blob {0} cannot be made again: {1}";
    /// A reference.
    BAD_HOST = "not a host: HOST[:PORT]";
    /// A reference.
    BAD_REPOSITORY = "not a repository: lower-case words of a-z, 0-9, '.', '_' and '-', joined by '/'";
    /// A reference.
    BAD_TAG = "not a tag: at most 128 of letters, digits, '_', '.' and '-'";
    /// A reference.
    BAD_DIGEST = "not a digest behind the @ (sha256: and 64 hex digits)";
}

impl From<&Digest> for Saying {
    fn from(digest: &Digest) -> Self {
        TEXT.with(digest)
    }
}

impl From<Absent> for Saying {
    fn from(absent: Absent) -> Self {
        let template = match absent {
            Absent::Missing => ABSENT,
            Absent::Twice => TWICE,
            Absent::Outside => OUTSIDE,
            Absent::Links => LINKS,
        };
        template.saying()
    }
}

impl From<&RecipeError> for Saying {
    fn from(error: &RecipeError) -> Self {
        match error {
            RecipeError::Chunk { id, source } => CHUNK.with(id.short()).with(source),
            RecipeError::Missing(id) => NO_CHUNK.with(id.short()),
            RecipeError::Corrupt(what) => CORRUPT.with(what),
            RecipeError::Newer(what) => NEWER.with(what),
            RecipeError::Mismatch(blob) => REBUILT.with(blob.short()),
            RecipeError::Remake { blob, source } => REMAKE.with(blob.short()).with(source),
            other => TEXT.with(other),
        }
    }
}

impl From<ReferenceError> for Saying {
    fn from(error: ReferenceError) -> Self {
        let template = match error {
            ReferenceError::Host => BAD_HOST,
            ReferenceError::Repository => BAD_REPOSITORY,
            ReferenceError::Tag => BAD_TAG,
            ReferenceError::Digest => BAD_DIGEST,
        };
        template.saying()
    }
}

impl From<&ExportError> for Saying {
    fn from(error: &ExportError) -> Self {
        match error {
            ExportError::NotRunnable { image } => NOT_RUNNABLE.with(image),
            ExportError::Missing { image, digest } => NO_BLOB.with(image).with(digest),
            ExportError::Mismatch { digest, found } => BLOB_MISMATCH.with(digest).with(found),
            ExportError::Blob { digest, source } => BLOB.with(digest).saying_that(source.into()),
            ExportError::Write(source) => ARCHIVE.with(source),
            ExportError::Recipe(source) => source.into(),
        }
    }
}
