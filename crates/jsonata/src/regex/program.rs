//! Trees to programs for the backtracking matcher.

use std::sync::Arc;

use super::class::Class;
use super::parse::{Assertion, Fold, Node, Pattern, TOO_LARGE};
use super::translate::can_be_empty;

/// Longest program, in instructions.
const LENGTH_MAX: usize = 20_000;

#[derive(Debug)]
pub(super) struct Program {
    pub(super) code: Vec<Op>,
    pub(super) sets: Vec<Set>,
    pub(super) groups: usize,
    /// Positions that loops remember.
    pub(super) registers: usize,
}

/// What one character must be.
#[derive(Debug)]
pub(super) enum Set {
    Char(char),
    Class(Arc<Class>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    /// The next character is in the set.
    One(usize),
    /// Between `min` and `max` characters in the set.
    Run {
        set: usize,
        min: u32,
        max: u32,
        greedy: bool,
    },
    /// Try `first`, then `second`.
    Split {
        first: usize,
        second: usize,
    },
    Jump(usize),
    /// Remember the position as the start of a group that is being crossed.
    Open(usize),
    Close(usize),
    /// Remember the position at the start of a round.
    Mark(usize),
    /// Leave the loop for `end` when the round has not moved.
    Moved {
        register: usize,
        end: usize,
    },
    Assert(Assertion),
    /// Run the code that follows, up to `Done`, once, then go on at `next` from where it ended.
    Atomic {
        next: usize,
    },
    /// The same, but go on from here.
    LookAhead {
        next: usize,
        negated: bool,
    },
    /// The same, but from up to `max` characters before to here.
    LookBehind {
        next: usize,
        negated: bool,
        min: u32,
        max: u32,
    },
    Reference {
        group: usize,
        fold: Fold,
    },
    Done,
}

pub(super) fn compile(pattern: &Pattern) -> Result<Program, String> {
    let mut compiler = Compiler { code: Vec::new(), sets: Vec::new(), registers: 0 };
    compiler.node(&pattern.root)?;
    compiler.push(Op::Done)?;
    let Compiler { code, sets, registers } = compiler;
    Ok(Program { code, sets, groups: pattern.groups, registers })
}

struct Compiler {
    code: Vec<Op>,
    sets: Vec<Set>,
    registers: usize,
}

impl Compiler {
    fn push(&mut self, op: Op) -> Result<usize, String> {
        if self.code.len() >= LENGTH_MAX {
            return Err(TOO_LARGE.to_owned());
        }
        self.code.push(op);
        Ok(self.code.len() - 1)
    }

    fn patch(&mut self, at: usize, op: Op) {
        if let Some(slot) = self.code.get_mut(at) {
            *slot = op;
        }
    }

    fn set(&mut self, node: &Node) -> Option<usize> {
        self.sets.push(match node {
            Node::Char(char) => Set::Char(*char),
            Node::Class(class) => Set::Class(Arc::clone(class)),
            _ => return None,
        });
        Some(self.sets.len() - 1)
    }

    fn node(&mut self, node: &Node) -> Result<(), String> {
        match node {
            Node::Empty => {}
            Node::Char(_) | Node::Class(_) => {
                if let Some(set) = self.set(node) {
                    self.push(Op::One(set))?;
                }
            }
            Node::Assert(assertion) => drop(self.push(Op::Assert(*assertion))?),
            Node::BackReference { group, fold } => {
                self.push(Op::Reference { group: *group, fold: *fold })?;
            }
            Node::Group(inner, None) => self.node(inner)?,
            Node::Group(inner, Some(group)) => {
                self.push(Op::Open(*group))?;
                self.node(inner)?;
                self.push(Op::Close(*group))?;
            }
            Node::Sequence(items) => {
                for item in items {
                    self.node(item)?;
                }
            }
            Node::Alternatives(branches) => self.alternatives(branches)?,
            Node::Atomic(inner) => self.apart(inner, |next| Op::Atomic { next })?,
            Node::LookAhead { node, negated } => {
                self.apart(node, |next| Op::LookAhead { next, negated: *negated })?;
            }
            Node::LookBehind { node, negated, min, max } => {
                let (negated, min, max) = (*negated, *min, *max);
                self.apart(node, |next| Op::LookBehind { next, negated, min, max })?;
            }
            Node::Repeat { node, min, max, greedy } => {
                self.repeat(node, *min, max.unwrap_or(u32::MAX), *greedy)?;
            }
        }
        Ok(())
    }

    /// Code that runs for itself: `op` says how, and where to go on.
    fn apart(&mut self, node: &Node, op: impl Fn(usize) -> Op) -> Result<(), String> {
        let at = self.push(Op::Done)?;
        self.node(node)?;
        self.push(Op::Done)?;
        let next = self.code.len();
        self.patch(at, op(next));
        Ok(())
    }

    fn alternatives(&mut self, branches: &[Node]) -> Result<(), String> {
        let mut jumps = Vec::new();
        for (at, branch) in branches.iter().enumerate() {
            if at + 1 == branches.len() {
                self.node(branch)?;
                break;
            }
            let split = self.push(Op::Done)?;
            self.node(branch)?;
            jumps.push(self.push(Op::Done)?);
            let second = self.code.len();
            self.patch(split, Op::Split { first: split + 1, second });
        }
        let end = self.code.len();
        for jump in jumps {
            self.patch(jump, Op::Jump(end));
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, min: u32, max: u32, greedy: bool) -> Result<(), String> {
        if let Some(set) = self.set(node) {
            self.push(Op::Run { set, min, max, greedy })?;
            return Ok(());
        }
        if matches!(node, Node::Empty) {
            return Ok(());
        }
        let (mut splits, mut guards) = (Vec::new(), Vec::new());
        for _ in 0..min {
            guards.extend(self.round(node)?);
        }
        let rounds = if max == u32::MAX { 1 } else { max - min };
        for _ in 0..rounds {
            splits.push(self.push(Op::Done)?);
            guards.extend(self.round(node)?);
        }
        if let (u32::MAX, Some(split)) = (max, splits.first()) {
            self.push(Op::Jump(*split))?;
        }
        let end = self.code.len();
        for at in splits {
            let (first, second) = if greedy { (at + 1, end) } else { (end, at + 1) };
            self.patch(at, Op::Split { first, second });
        }
        for (at, register) in guards {
            self.patch(at, Op::Moved { register, end });
        }
        Ok(())
    }

    /// One round; if it may be empty, where to patch the end of the loop, and the register of its start.
    fn round(&mut self, node: &Node) -> Result<Option<(usize, usize)>, String> {
        if !can_be_empty(node) {
            self.node(node)?;
            return Ok(None);
        }
        let register = self.registers;
        self.registers += 1;
        self.push(Op::Mark(register))?;
        self.node(node)?;
        Ok(Some((self.push(Op::Done)?, register)))
    }
}
