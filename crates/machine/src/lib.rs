//! The interpreter: one deterministic function that steps a compiled state machine.
//!
//! [`Execution::step`] decides: given what happened ([`Input`]), the time and a source of random numbers, it returns
//! [`Event`]s and [`Effect`]s. [`Execution::evolve`] applies an event; `step` changes the execution only through it, so
//! replaying stored events gives the same execution again. Durable engine, `TestState`, simulator and debugger are
//! callers of these two.
//!
//! Invariant: no async, clocks, randomness, storage or HTTP in here; time and random numbers come in as arguments.

mod abort;
mod branch;
mod breakpoints;
mod budget;
mod chance;
pub mod codec;
mod context;
mod effect;
pub mod event;
mod evolve;
mod execution;
mod failure;
mod fault;
pub mod history;
mod hold;
mod identity;
mod input;
mod inspect;
mod jsonata;
mod lines;
mod map_run;
mod memory;
mod outcome;
mod outstanding;
mod retry;
mod scene;
mod stages;
mod states;
mod stop;
mod task_inputs;
pub mod test_state;
pub mod token;
mod trace;
mod turn;
mod variables;
mod view;

pub use breakpoints::{AfterFailure, Breakpoints, Hold, Point};
pub use budget::{Budget, Nothing, Unbounded};
pub use effect::{Effect, QueuedActivity, TaskCall};
pub use event::{BranchId, Event, EventBody, RunId, TaskId, TimerId};
pub use execution::{EvolveError, Execution, Hooks, Step, StepError};
pub use hold::{Held, Owner};
pub use identity::{Behaviour, BehaviourFlags, ExecutionKind, Identity, UnknownBehaviour};
pub use input::{Input, TaskPhase};
pub use map_run::{Batch, MapRun, RunItem, child_result, exceeds_tolerance};
pub use outcome::{Failure, Outcome, Status};
pub use token::TaskToken;
pub use trace::{Trace, Traces, Visit};
pub use view::{Doing, Line, Reached};
