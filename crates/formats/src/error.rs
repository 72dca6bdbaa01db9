//! Why stored bytes cannot be read.

use thiserror::Error;

/// Why stored bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FormatError {
    /// A later release wrote them.
    #[error(
        "{format} has format version {found}, and this release reads versions up to {known}: open it with the release that \
         wrote it, or a later one"
    )]
    Newer {
        /// Which format, as the beginning of a sentence.
        format: &'static str,
        found: u32,
        /// The newest that this release reads.
        known: u32,
    },
    /// They are not what any release wrote.
    #[error("{found} at byte {at}")]
    Malformed {
        found: &'static str,
        /// From the beginning of what was to be read.
        at: usize,
    },
}
