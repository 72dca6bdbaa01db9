//! What must hold for any input whatever: no panic, no hang, no unbounded memory, and what each target says besides.
//!
//! One function for each target ([`targets`]). libFuzzer drives them with the files in `fuzz_targets`; `mutate` drives them
//! on a stable compiler with seeded [`mutation`]s of the corpus. `cargo xtask fuzz` runs either.

pub mod mutation;
pub mod targets;
pub mod watch;
