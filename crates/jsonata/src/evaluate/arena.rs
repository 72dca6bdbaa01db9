//! What comes into being during an evaluation and is borrowed until its end: programs that `$eval` compiles, values
//! that `$parse` reads.

use std::cell::OnceCell;

use stepwright_value as json;

use crate::program::Program;

/// Keeps programs and values until the evaluation ends.
#[derive(Default)]
pub(crate) struct Arena {
    programs: Chain<Program>,
    values: Chain<json::Value>,
}

impl Arena {
    pub(crate) fn program(&self, program: Program) -> &Program {
        self.programs.add(program)
    }

    pub(crate) fn value(&self, value: json::Value) -> &json::Value {
        self.values.add(value)
    }
}

/// Each link holds twice as many cells as the one before, so that finding the free cell stays cheap.
struct Chain<T> {
    cells: OnceCell<Box<[OnceCell<T>]>>,
    used: std::cell::Cell<usize>,
    next: OnceCell<Box<Chain<T>>>,
}

impl<T> Default for Chain<T> {
    fn default() -> Chain<T> {
        Chain { cells: OnceCell::new(), used: std::cell::Cell::new(0), next: OnceCell::new() }
    }
}

impl<T> Chain<T> {
    fn add(&self, value: T) -> &T {
        let mut link = self;
        let mut length = 8;
        loop {
            let cells = link.cells.get_or_init(|| (0..length).map(|_| OnceCell::new()).collect());
            if let Some(cell) = cells.get(link.used.get()) {
                link.used.set(link.used.get() + 1);
                return cell.get_or_init(|| value);
            }
            link = link.next.get_or_init(Box::default);
            length *= 2;
        }
    }
}

impl<T> Drop for Chain<T> {
    fn drop(&mut self) {
        // The chain is short: its links double.
        drop(self.next.take());
    }
}
