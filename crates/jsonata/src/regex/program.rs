//! Trees to programs for the backtracking matcher.

use super::parse::{Class, Node, Pattern};
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
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
}

/// What one character must be.
#[derive(Debug)]
pub(super) enum Set {
    Char(char),
    Any,
    Class(Class),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    /// The next character is in the set.
    One {
        set: usize,
        back: bool,
    },
    /// Between `min` and `max` characters in the set.
    Run {
        set: usize,
        min: u32,
        max: u32,
        greedy: bool,
        back: bool,
    },
    /// Try `first`, then `second`.
    Split {
        first: usize,
        second: usize,
    },
    Jump(usize),
    /// Remember the position as the end of a group that is being crossed.
    Open {
        group: usize,
    },
    Close {
        group: usize,
        back: bool,
    },
    /// Forget groups `from` to `to`.
    Reset {
        from: usize,
        to: usize,
    },
    /// Remember the position at the start of a round.
    Mark(usize),
    /// Fail when the round has not moved.
    Moved(usize),
    Start,
    End,
    Boundary {
        negated: bool,
    },
    /// Run the code that follows, up to `Done`, then go on at `next`.
    Look {
        next: usize,
        negated: bool,
    },
    Reference {
        group: usize,
        back: bool,
    },
    Done,
}

pub(super) fn compile(pattern: &Pattern, ignore_case: bool, multiline: bool) -> Result<Program, String> {
    let mut compiler = Compiler { code: Vec::new(), sets: Vec::new(), registers: 0, back: false };
    compiler.node(&pattern.root)?;
    compiler.push(Op::Done)?;
    let Compiler { code, sets, registers, .. } = compiler;
    Ok(Program { code, sets, groups: pattern.groups, registers, ignore_case, multiline })
}

struct Compiler {
    code: Vec<Op>,
    sets: Vec<Set>,
    registers: usize,
    /// Within a look-behind, which runs backwards.
    back: bool,
}

impl Compiler {
    fn push(&mut self, op: Op) -> Result<usize, String> {
        if self.code.len() >= LENGTH_MAX {
            return Err("Regular expression too large".to_owned());
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
            Node::Any => Set::Any,
            Node::Class(class) => Set::Class(class.clone()),
            _ => return None,
        });
        Some(self.sets.len() - 1)
    }

    fn node(&mut self, node: &Node) -> Result<(), String> {
        let back = self.back;
        match node {
            Node::Empty => {}
            Node::Char(_) | Node::Any | Node::Class(_) => {
                if let Some(set) = self.set(node) {
                    self.push(Op::One { set, back })?;
                }
            }
            Node::Start => drop(self.push(Op::Start)?),
            Node::End => drop(self.push(Op::End)?),
            Node::WordBoundary { negated } => drop(self.push(Op::Boundary { negated: *negated })?),
            Node::BackReference(group) => drop(self.push(Op::Reference { group: *group, back })?),
            Node::Group(inner, None) => self.node(inner)?,
            Node::Group(inner, Some(group)) => {
                self.push(Op::Open { group: *group })?;
                self.node(inner)?;
                self.push(Op::Close { group: *group, back })?;
            }
            Node::Sequence(items) if back => {
                for item in items.iter().rev() {
                    self.node(item)?;
                }
            }
            Node::Sequence(items) => {
                for item in items {
                    self.node(item)?;
                }
            }
            Node::Alternatives(branches) => self.alternatives(branches)?,
            Node::Look { node, behind, negated } => {
                let at = self.push(Op::Done)?;
                self.back = *behind;
                self.node(node)?;
                self.back = back;
                self.push(Op::Done)?;
                let next = self.code.len();
                self.patch(at, Op::Look { next, negated: *negated });
            }
            Node::Repeat { node, min, max, greedy, groups } => {
                self.repeat(node, *min, max.unwrap_or(u32::MAX), *greedy, *groups)?;
            }
        }
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

    fn repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: u32,
        greedy: bool,
        groups: (usize, usize),
    ) -> Result<(), String> {
        let back = self.back;
        if let Some(set) = self.set(node) {
            self.push(Op::Run { set, min, max, greedy, back })?;
            return Ok(());
        }
        for _ in 0..min {
            self.round(node, groups, None)?;
        }
        let guard = if can_be_empty(node) {
            self.registers += 1;
            Some(self.registers - 1)
        } else {
            None
        };
        let either = |first, second| {
            if greedy { Op::Split { first, second } } else { Op::Split { first: second, second: first } }
        };
        if max == u32::MAX {
            let split = self.push(Op::Done)?;
            self.round(node, groups, guard)?;
            self.push(Op::Jump(split))?;
            let end = self.code.len();
            self.patch(split, either(split + 1, end));
            return Ok(());
        }
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(Op::Done)?);
            self.round(node, groups, guard)?;
        }
        let end = self.code.len();
        for split in splits {
            self.patch(split, either(split + 1, end));
        }
        Ok(())
    }

    fn round(&mut self, node: &Node, groups: (usize, usize), guard: Option<usize>) -> Result<(), String> {
        if groups.0 != groups.1 {
            self.push(Op::Reset { from: groups.0 + 1, to: groups.1 })?;
        }
        if let Some(register) = guard {
            self.push(Op::Mark(register))?;
        }
        self.node(node)?;
        if let Some(register) = guard {
            self.push(Op::Moved(register))?;
        }
        Ok(())
    }
}
