//! What is stored: the record types, and how they lie as bytes, apart from those who use them.
//!
//! A *format* is one kind of stored bytes. Each has a module:
//!
//! | module | what | who stores it |
//! |---|---|---|
//! | [`log`] | the entries of the embedded store's log | `store` |
//! | [`catalog`] | the records of the catalogue: state machines, activities, tags, limits, … | `api`, `engine` |
//!
//! Segments of history and snapshots of executions are made of the interpreter's own types; their format and its rules stand beside
//! them, in `machine`'s `codec`; rows of executions and records of map runs are described in `engine`'s `record`.
//!
//! [`codec`] has the pieces that formats are written with, [`FormatError`] is why bytes cannot be read.
//!
//! # Rules of change
//!
//! A data directory outlives the release that wrote it. Therefore:
//!
//! 1. **A format has versions, counted up from 0 or 1.** Who stores bytes stores the version beside them, and reading is told
//!    it: `read(version, bytes)`. Nothing guesses.
//! 2. **Variants and fields have numbers or names that are written out, never positions in a declaration.** One means the same
//!    for ever; that of something removed is not given away again.
//! 3. **Whatever changes what may be written raises the version**: a new variant, a new field, another meaning. An older
//!    release then refuses the bytes with a sentence instead of reading something else into them.
//! 4. **Every version that was ever written can be read.** A field that came with version N is read `if version >= N`, and has
//!    a default before. What is read of an old version is what the newest has; nobody above sees the difference.
//! 5. **Only the newest version is written.**
//! 6. **Each version has a data directory that was written with it**, below `crates/store/tests/directories`; a test opens
//!    all of them and compares every payload. A new version adds one; none is ever changed.
//!
//! Invariant: this crate knows neither where bytes are stored nor who uses them, and does no I/O.

pub mod catalog;
pub mod codec;
mod error;
pub mod log;

pub use error::FormatError;
