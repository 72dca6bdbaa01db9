//! JSONPath as Step Functions evaluates it: paths, reference paths, intrinsic functions and payload templates.
//!
//! - [`Path`] is a compiled JSONPath with Jayway's behaviour, which is what AWS runs: a definite path yields the bare
//!   value, an indefinite one always an array. Roots are the input (`$`), the context object (`$$`) and workflow
//!   variables (`$name`).
//! - [`ReferencePath`] is the restricted form that names one place. It reads, and it writes (`ResultPath`).
//! - [`Intrinsic`] is a `States.…(…)` call.
//! - [`Template`] is a payload template (`Parameters`, `ItemSelector`, `ResultSelector`, `Assign`).
//! - [`string_matches`] is the wildcard matcher of Choice's `StringMatches`.
//!
//! Everything is compiled once, when a definition is loaded, and evaluated against a [`Scope`]. Nothing here reads a
//! clock or makes random numbers: those come in as arguments. Every evaluation is bounded (see [`limits`]).
//!
//! Left out: the comparisons of Choice, and AWS's sentences around an error that name the state (the caller knows it).

mod cursor;
mod filter;
mod intrinsic;
pub mod limits;
mod path;
mod reference;
mod scope;
mod select;
mod string_matches;
mod template;
mod wording;

pub use cursor::SyntaxError;
pub use intrinsic::{Intrinsic, IntrinsicError};
pub use path::{Path, PathError};
pub use reference::{ReferencePath, SetError};
pub use scope::{NoVariables, Root, Scope, Variables};
pub use string_matches::string_matches;
pub use template::{Template, TemplateError, TemplateEvaluationError};
pub use wording::{invalid_path, path_not_found};
