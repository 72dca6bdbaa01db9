//! The Amazon States Language: text → syntax with spans → checks → [`program::Program`].
//!
//! - [`compile`] takes a whole machine, [`compile_state`] a single state; both give a [`Compilation`]: a program when
//!   there is no error, and all findings as [`Diagnostic`]s, plain data with places in the text. [`lower_accepted`] does not
//!   judge: it is for definitions that are stored.
//! - [`diagnose`] is [`compile`] for people: one mistake is said once, where AWS reports each consequence.
//! - [`Compilation::aws_error`] is what `CreateStateMachine` answers, [`validate`] what
//!   `ValidateStateMachineDefinition` answers.
//! - [`language`] lists what there is in the language; [`explain`] has a page for every code.
//!
//! Inside: `read` makes the tree, `outline` numbers flows and states, `check` walks and asks `rules` (one file each, over
//! the table in `fields`), `lower` makes the program.
//!
//! Invariant: this crate knows nothing of executions and does no I/O. Diagnostics are plain data.

mod check;
pub mod codes;
mod compile;
mod diagnostic;
mod expression;
mod fields;
pub mod language;
mod location;
mod lower;
mod misplaced;
mod node;
mod options;
mod outline;
pub mod program;
mod read;
mod resource_arn;
mod rules;
mod sdk_actions;
mod spelling;
mod states_fields;
mod test_state;
mod validate;

pub use codes::explain;
pub use compile::{Compilation, compile, diagnose, lower_accepted};
pub use diagnostic::{Diagnostic, Fix, Note, Severity};
pub use options::{CompileOptions, MachineType, Substitutions};
pub use read::Format;
pub use sdk_actions::sdk_actions;
pub use test_state::{CompiledState, compile_state};
pub use validate::{ValidationDiagnostic, ValidationResult, validate};
