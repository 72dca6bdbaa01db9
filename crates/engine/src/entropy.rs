//! Random numbers, as the engine sees them: for ids, task tokens, jitter and `States.UUID`.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A source of random numbers that cannot be guessed, or, seeded, of the same ones again.
pub struct Entropy(Mutex<StdRng>);

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_system() -> Entropy {
        Entropy(Mutex::new(rand::make_rng()))
    }

    /// The same numbers for the same seed; for tests and the simulator.
    pub fn from_seed(seed: u64) -> Entropy {
        Entropy(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    pub fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        let bytes = (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}
