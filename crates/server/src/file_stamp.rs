//! What tells one state of a file from the next. Times alone do not: two writes may share a tick of the clock.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A state of a file. A file that cannot be looked at counts as one state, the default.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct FileStamp {
    inode: u64,
    bytes: u64,
    /// The time of the inode's last change, which counts mode and owner too.
    changed: (i64, i64),
}

impl FileStamp {
    /// The state that a path leads to now.
    pub fn at(path: &Path) -> FileStamp {
        std::fs::metadata(path).map(|metadata| FileStamp::of(&metadata)).unwrap_or_default()
    }

    pub fn of(metadata: &Metadata) -> FileStamp {
        FileStamp {
            inode: metadata.ino(),
            bytes: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}
