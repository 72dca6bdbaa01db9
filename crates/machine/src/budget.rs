//! How long a step may take. The interpreter has no clock: the caller's [`Budget`] says when a step ends.

use std::cell::Cell;

/// Asked again and again while a step is taken.
pub trait Budget {
    /// Whether another state may begin in this step. Where not, the step ends with [`crate::Effect::Continue`].
    fn has_more(&self) -> bool;

    /// Whether to go on in the middle of a state, which may evaluate for seconds. Where not, the step is given up
    /// ([`crate::StepError::Interrupted`]), and the execution with it, which may have gone a part of the way. Asked several
    /// times a millisecond.
    fn goes_on(&self) -> bool;
}

/// A budget, and whether it has said that the step is to be given up.
pub(crate) struct Asked<'a> {
    budget: &'a dyn Budget,
    was_interrupted: Cell<bool>,
    /// Small evaluations since the budget was last asked.
    small: Cell<u8>,
}

/// So many small evaluations take a fraction of a millisecond.
const SMALL_UNASKED: u8 = 8;

impl<'a> Asked<'a> {
    pub fn new(budget: &'a dyn Budget) -> Asked<'a> {
        Asked { budget, was_interrupted: Cell::new(false), small: Cell::new(0) }
    }

    pub fn has_more(&self) -> bool {
        self.budget.has_more()
    }

    pub fn goes_on(&self) -> bool {
        let goes_on = self.budget.goes_on();
        self.was_interrupted.set(self.was_interrupted.get() || !goes_on);
        goes_on
    }

    /// Whether another evaluation, which may be small, begins.
    pub fn may_evaluate(&self) -> bool {
        let small = self.small.get() + 1;
        self.small.set(small % SMALL_UNASKED);
        !self.was_interrupted() && (small < SMALL_UNASKED || self.goes_on())
    }

    pub fn was_interrupted(&self) -> bool {
        self.was_interrupted.get()
    }
}

/// As long as it takes.
pub struct Unbounded;

impl Budget for Unbounded {
    fn has_more(&self) -> bool {
        true
    }

    fn goes_on(&self) -> bool {
        true
    }
}

/// No state begins: what is told is taken in, and what follows from it comes with [`crate::Input::Continue`].
pub struct Nothing;

impl Budget for Nothing {
    fn has_more(&self) -> bool {
        false
    }

    fn goes_on(&self) -> bool {
        true
    }
}
