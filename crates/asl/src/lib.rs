//! The Amazon States Language: text → syntax with spans → checks → [`program::Program`].
//!
//! Invariant: this crate knows nothing of executions and does no I/O. Diagnostics are plain data.

pub mod program;
