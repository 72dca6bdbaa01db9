//! Scopes, and the variables that travel with the items of a path.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::fault::{Fault, Result};
use crate::limits::NESTING_MAX;
use crate::program::Name;
use crate::value::Val;

/// A scope; none where nothing is bound.
pub(crate) type Env<'a> = Option<Rc<Frame<'a>>>;

/// The variables of one scope.
pub(crate) struct Frame<'a> {
    pub(crate) parent: Env<'a>,
    variables: RefCell<Vec<(Name, Val<'a>)>>,
    nesting: Cell<u16>,
    /// Whether a function holds this scope.
    pub(crate) captured: Cell<bool>,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(parent: Env<'a>) -> Rc<Frame<'a>> {
        let nesting = Cell::new(parent.as_ref().map_or(0, |parent| parent.nesting.get()));
        Rc::new(Frame { parent, variables: RefCell::default(), nesting, captured: Cell::new(false) })
    }

    /// A scope with variables from the start.
    pub(crate) fn with(parent: Env<'a>, variables: Vec<(Name, Val<'a>)>) -> Result<Rc<Frame<'a>>> {
        let outer = parent.as_ref().map_or(0, |parent| parent.nesting.get());
        let nesting = variables.iter().map(|(_, value)| value.nesting()).max().unwrap_or(0).max(outer);
        if nesting > NESTING_MAX {
            return Err(Fault::stack());
        }
        let variables = RefCell::new(variables);
        Ok(Rc::new(Frame { parent, variables, nesting: Cell::new(nesting), captured: Cell::new(false) }))
    }

    #[inline]
    pub(crate) fn get(&self, name: Name) -> Option<Val<'a>> {
        // The latest of several bindings counts: parameters of one name.
        self.variables
            .borrow()
            .iter()
            .rev()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value.clone())
    }

    pub(crate) fn set(&self, name: Name, value: Val<'a>) -> Result<()> {
        let nesting = self.nesting.get().max(value.nesting());
        if nesting > NESTING_MAX {
            return Err(Fault::stack());
        }
        self.nesting.set(nesting);
        let mut variables = self.variables.borrow_mut();
        match variables.iter_mut().rev().find(|(candidate, _)| *candidate == name) {
            Some(variable) => variable.1 = value,
            None => variables.push((name, value)),
        }
        Ok(())
    }

    /// Replaces all variables, for the next round of a loop.
    pub(crate) fn refill(&self, values: impl Iterator<Item = (Name, Val<'a>)>) -> Result<()> {
        let mut variables = self.variables.borrow_mut();
        variables.clear();
        for (name, value) in values {
            let nesting = self.nesting.get().max(value.nesting());
            if nesting > NESTING_MAX {
                return Err(Fault::stack());
            }
            self.nesting.set(nesting);
            variables.push((name, value));
        }
        Ok(())
    }

    pub(crate) fn nesting(&self) -> u16 {
        self.nesting.get()
    }

    /// Lets go of all variables.
    pub(crate) fn clear(&self) {
        drop(std::mem::take(&mut *self.variables.borrow_mut()));
    }
}

/// An item of a path with the variables that were bound on the way to it.
#[derive(Clone)]
pub(crate) struct Tuple<'a> {
    pub(crate) context: Val<'a>,
    pub(crate) variables: Vec<(Name, Val<'a>)>,
}

impl<'a> Tuple<'a> {
    pub(crate) fn nesting(&self) -> u16 {
        let inner = self.variables.iter().map(|(_, value)| value.nesting()).max().unwrap_or(0);
        inner.max(self.context.nesting()) + 1
    }

    pub(crate) fn set(&mut self, name: Name, value: Val<'a>) {
        match self.variables.iter_mut().find(|(candidate, _)| *candidate == name) {
            Some(variable) => variable.1 = value,
            None => self.variables.push((name, value)),
        }
    }

    /// The scope in which an expression about this item is evaluated.
    pub(crate) fn scope(&self, env: &Env<'a>) -> Result<Env<'a>> {
        Ok(Some(Frame::with(env.clone(), self.variables.clone())?))
    }
}
