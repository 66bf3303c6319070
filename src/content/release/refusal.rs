//! Why a file, an item or an entry of a folder is refused.

use crate::base::term::terms;

terms! {
    /// Why no release can hold it, or why a release with it is not restored.
    Refusal {
        NotFileNorFolder = "term-refusal-not-file-nor-folder", "neither a file nor a folder";
        NoName = "term-refusal-no-name", "it has no name";
        PathOver64KiB = "term-refusal-path-over64-kib", "its path is longer than 64 KiB";
        TooManyFolders = "term-refusal-too-many-folders", "it lies in more than 4096 folders";
        Attributes = "term-refusal-attributes", "its extended attributes are longer than 512 KiB";
        GivenName = "term-refusal-given-name", "the name for it is not the name of a file";
        NotAFileName = "term-refusal-not-afile-name", "it is not the name of a file";
        LongName = "term-refusal-long-name", "its name is too long";
        LongNameInPath = "term-refusal-long-name-in-path", "a name in it is too long";
        LongPath = "term-refusal-long-path", "it is longer than 64 KiB";
        TwoOfThisName = "term-refusal-two-of-this-name", "there are two items of this name";
        ImpossibleSize = "term-refusal-impossible-size", "it cannot be as large as it says";
        LargerThanItems = "term-refusal-larger-than-items", "it says that it is larger than its items";
        LargerThanContent = "term-refusal-larger-than-content", "it says that it is larger than what is in it";
        MoreEntries = "term-refusal-more-entries", "it says that it has more entries than it has";
        LinkTarget = "term-refusal-link-target", "no link can point there";
        FolderTwice = "term-refusal-folder-twice", "a folder has no second name";
        NoOtherName = "term-refusal-no-other-name", "hard link: its other name is not there";
        ThereAlready = "term-refusal-there-already", "something is there already";
        NotThroughFolders = "term-refusal-not-through-folders", "it leads through what is not a folder";
        FolderAfterwards = "term-refusal-folder-afterwards", "the folder it is in does not come before it";
        NotDownwards = "term-refusal-not-downwards", "it is not a plain path downwards";
    }
}
