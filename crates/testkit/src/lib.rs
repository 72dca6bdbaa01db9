//! Test support: a simulated clock, a slow and failing disk, task targets and workers that behave as the dice fall, a checker of
//! histories; and the simulator that puts an engine among them.
//!
//! Everything random comes from one seed, everything runs in one thread on virtual time: the same seed is the same run.
//!
//! Nothing that ships depends on this crate.

pub mod clock;
pub mod definitions;
pub mod dice;
pub mod disk;
pub mod history;
pub mod machines;
pub mod simulation;

pub use clock::SimulatedClock;
pub use definitions::FixedDefinitions;
pub use dice::Dice;
pub use disk::{Disk, now};
