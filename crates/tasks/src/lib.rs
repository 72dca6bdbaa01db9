//! What a Task state can call.
//!
//! The engine hands a [`Call`] to [`Targets`] and gets a [`Success`] or a [`Failure`] back. This room knows neither storage
//! nor the wire of the Step Functions API, and nothing of states: retries, callbacks and history are the engine's.

pub mod aws_json;
pub mod functions;
mod items;
pub mod lambda;
mod target;
mod targets;
pub mod tls;

pub use items::{Item, ItemResult, ItemSource, Position, ResultSink};
pub use target::{
    BoxFuture, Call, CancellationSignal, Canceller, Failure, FailureKind, Pattern, Resource, Success,
    TaskTarget, cancellation,
};
pub use targets::Targets;
