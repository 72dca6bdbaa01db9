//! JSON values as Step Functions needs them: the text of numbers and the order of keys are kept, clones are
//! cheap, and the size in bytes is known.
//!
//! - [`Value`] is a JSON value. Containers and strings are shared, so a clone is a counter.
//! - [`Document`] is a whole JSON payload (an input, an output) that holds its text, its value, or both, and
//!   derives the missing one once. A payload that passes through a state unchanged is never parsed or written again,
//!   and its text stays what the user sent, white space included.
//! - [`read`] parses with a depth limit and reports line and column; [`jackson`] says what AWS would say instead.
//! - [`java`] is how the Java values that AWS computes with look as text, and how they are hashed.
//!
//! Invariant: this crate knows nothing of states, serde derives of other rooms, or async.

mod document;
pub mod jackson;
pub mod java;
mod number;
mod object;
mod reader;
mod value;
mod writer;

pub use document::Document;
pub use number::Number;
pub use object::Object;
pub use reader::{DEPTH_MAX, ReadError, read, read_bytes};
pub use value::{Array, Kind, Value};
pub use writer::{write_string, write_string_as_javascript, written_len};
