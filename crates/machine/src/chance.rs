//! Random numbers of an execution: derived from a seed that its first event holds, so that the same step, taken again, draws the
//! same numbers.

use std::cell::Cell;

use sha2::{Digest, Sha256};

/// What the random numbers of an execution are derived from. Task tokens are made of them: it is as secret as they are.
pub type Seed = [u8; 16];

/// Where in the execution numbers are drawn.
pub(crate) struct Chance {
    /// `None`: the caller's numbers are taken, as before there were seeds.
    seed: Option<Seed>,
    /// How many events there were before, but for holds: an execution that was held draws what it would have drawn.
    moment: Cell<u32>,
    /// How many were drawn since.
    drawn: Cell<u32>,
}

impl Chance {
    pub fn new(seed: Option<Seed>, moment: u32) -> Chance {
        Chance { seed, moment: Cell::new(moment), drawn: Cell::new(0) }
    }

    pub fn seed(&self) -> Option<Seed> {
        self.seed
    }

    pub fn is_at(&self, moment: u32) {
        if self.moment.replace(moment) != moment {
            self.drawn.set(0);
        }
    }

    pub fn draw(&self) -> Option<u64> {
        let seed = self.seed?;
        let drawn = self.drawn.replace(self.drawn.get().wrapping_add(1));
        let mut hash = Sha256::new();
        hash.update(seed);
        hash.update(self.moment.get().to_le_bytes());
        hash.update(drawn.to_le_bytes());
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
        Some(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// A seed from the caller's numbers.
pub(crate) fn seed(entropy: &mut dyn FnMut() -> u64) -> Seed {
    ((u128::from(entropy()) << 64) | u128::from(entropy())).to_le_bytes()
}
