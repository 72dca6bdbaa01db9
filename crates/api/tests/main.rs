//! The API over real connections, with a fake backend.

#![allow(clippy::unwrap_used)]

mod activities_and_tags;
mod callers;
mod configurations;
mod constraints;
mod executions;
mod measured;
mod random_bodies;
mod requests;
mod state_machines;
mod support;
mod throttling;
mod versions_and_aliases;
mod wire;
