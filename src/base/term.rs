//! Terms that stand inside of messages: each an enum, with an id that catalogs have words for, and its English words.
//!
//! The id does not depend on the English words, so that these can change.

/// Defines an enum of terms: for each its name, its id and its English words.
macro_rules! terms {
    (
        $(#[$about:meta])*
        $name:ident {
            $($variant:ident = $id:literal, $english:literal;)*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $english, "`")] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the id and the English words.
            pub const fn term(self) -> $crate::base::diagnostic::Term {
                let (id, english) = match self {
                    $(Self::$variant => ($id, $english),)*
                };
                $crate::base::diagnostic::Term { id, english }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.term().english)
            }
        }

        impl From<$name> for $crate::base::diagnostic::Arg {
            fn from(one: $name) -> Self {
                Self::Term(one.term())
            }
        }
    };
}
pub(crate) use terms;

terms! {
    /// What was tried with a file, as it stands behind "cannot".
    Action {
        AskFreeSpace = "term-action-ask-free-space", "ask for the free space of";
        BringToDisk = "term-action-bring-to-disk", "bring to the disk";
        Create = "term-action-create", "create";
        Find = "term-action-find", "find";
        KeepWhatWasRead = "term-action-keep-what-was-read", "keep what was read of";
        Link = "term-action-link", "link";
        List = "term-action-list", "list";
        Lock = "term-action-lock", "lock";
        LookAt = "term-action-look-at", "look at";
        Make = "term-action-make", "make";
        MakeDurable = "term-action-make-durable", "make durable";
        Map = "term-action-map", "map";
        Open = "term-action-open", "open";
        PutAside = "term-action-put-aside", "put aside";
        Read = "term-action-read", "read";
        ReadAttributes = "term-action-read-attributes", "read extended attributes of";
        ReadLink = "term-action-read-link", "read link";
        Remove = "term-action-remove", "remove";
        Rename = "term-action-rename", "rename";
        RenameIntoPlace = "term-action-rename-into-place", "rename into place";
        Write = "term-action-write", "write";
        WriteBelow = "term-action-write-below", "write below";
        WriteIn = "term-action-write-in", "write in";
        WriteTo = "term-action-write-to", "write to";
    }
}

terms! {
    /// What is wrong with damaged or forged data.
    Flaw {
        ReceiptJson = "term-flaw-receipt-json", "JSON";
        ReceiptChunk = "term-flaw-receipt-chunk", "a chunk";
        ReceiptSet = "term-flaw-receipt-set", "a set";
        ReceiptId = "term-flaw-receipt-id", "an id";
        StoreId = "term-flaw-store-id", "id of the store";
        TooMuch = "term-flaw-too-much", "too much in it";
        ReleaseId = "term-flaw-release-id", "id of a release";
        ReleaseName = "term-flaw-release-name", "name of a release";
        WaitingSet = "term-flaw-waiting-set", "a set that waits";
        ChunkId = "term-flaw-chunk-id", "a chunk is not what its id says";
        LongChunk = "term-flaw-long-chunk", "a chunk's length is past its limit";
        LongLength = "term-flaw-long-length", "a length is past its limit";
        ArchiveWithMore = "term-flaw-archive-with-more", "archive: more in it than is followed";
        ChunkLengths = "term-flaw-chunk-lengths", "chunk lengths do not add up";
        End = "term-flaw-end", "end";
        LongFile = "term-flaw-long-file", "file: longer than it may be";
        FrameGaps = "term-flaw-frame-gaps", "frames are not back to back";
        TableHash = "term-flaw-table-hash", "hash mismatch in the table";
        Hash = "term-flaw-hash", "hash mismatch";
        IndexHead = "term-flaw-index-head", "index head does not add up";
        DependsOnTooMuch = "term-flaw-depends-on-too-much", "it depends on too much";
        DependsOnSomething = "term-flaw-depends-on-something", "it is said to depend on something";
        ChunkLength = "term-flaw-chunk-length", "length of a chunk";
        ChunkList = "term-flaw-chunk-list", "list of chunks";
        EmptyChunkRecord = "term-flaw-empty-chunk-record", "list of chunks: empty record";
        ChunkListLength = "term-flaw-chunk-list-length", "list of chunks: length";
        LongRoot = "term-flaw-long-root", "longer than any root";
        Long = "term-flaw-long", "longer than it may be";
        ManifestItems = "term-flaw-manifest-items", "manifest: number of items";
        NoTrailer = "term-flaw-no-trailer", "no trailer";
        OtherLength = "term-flaw-other-length", "not as long as it says";
        NotDecodable = "term-flaw-not-decodable", "not decodable";
        NotDecompressible = "term-flaw-not-decompressible", "not decompressible";
        NotTheCatalog = "term-flaw-not-the-catalog", "not what the catalog says";
        MissingFrame = "term-flaw-missing-frame", "an item names a frame that is not there";
        BlobPart = "term-flaw-blob-part", "part of a blob";
        FilePart = "term-flaw-file-part", "part of a file";
        RawLength = "term-flaw-raw-length", "raw, but not as long as its chunks";
        Step = "term-flaw-step", "recipe step";
        StepLength = "term-flaw-step-length", "recipe: length of a step";
        StepStreamLength = "term-flaw-step-stream-length", "recipe: length of a stream";
        LongSteps = "term-flaw-long-steps", "recipe: longer than the blob";
        StepOrder = "term-flaw-step-order", "recipe: order of steps";
        StepsForUse = "term-flaw-steps-for-use", "recipe: shorter than its use";
        ShortSteps = "term-flaw-short-steps", "recipe: shorter than the blob";
        SideBytes = "term-flaw-side-bytes", "recipe: side bytes";
        DeepSteps = "term-flaw-deep-steps", "recipe: too deep";
        Record = "term-flaw-record", "record";
        LongRecord = "term-flaw-long-record", "record: longer than it may be";
        TooLongRecord = "term-flaw-too-long-record", "record: too long";
        SetsOfNoPrerequisite = "term-flaw-sets-of-no-prerequisite", "sets of no prerequisite";
        SetsWithoutDependents = "term-flaw-sets-without-dependents", "sets without what depends on them";
        Short = "term-flaw-short", "shorter than it says";
        SmallContent = "term-flaw-small-content", "small content";
        StreamEnd = "term-flaw-stream-end", "stream: ends early";
        StreamChunk = "term-flaw-stream-chunk", "stream: length of a chunk";
        StreamForUse = "term-flaw-stream-for-use", "stream: shorter than its use";
        DeepStream = "term-flaw-deep-stream", "stream: too deep";
        LongStream = "term-flaw-long-stream", "stream: too long";
        Table = "term-flaw-table", "table";
        ManyFrames = "term-flaw-many-frames", "too many frames";
        ManyItems = "term-flaw-many-items", "too many items";
        Version = "term-flaw-version", "version";
    }
}
