//! The backtracking matcher: an explicit stack, so that no text deepens the thread's, and a bounded number of steps.

use super::Captures;
use super::parse::{Assertion, Fold, is_line_end};
use super::program::{Op, Program, Set};
use crate::fault::{Fault, Result};
use crate::limits::Meter;

/// Steps that one search may take.
const STEPS_MAX: u64 = 5_000_000;

/// Choices that one search may keep open.
const CHOICES_MAX: usize = 1_000_000;

/// The first match at or after byte `start`.
pub(super) fn find(
    program: &Program,
    text: &str,
    start: usize,
    meter: &Meter<'_>,
) -> Result<Option<Captures>> {
    let mut machine = Machine {
        program,
        text,
        start,
        groups: vec![None; program.groups + 1],
        opened: vec![0; program.groups + 1],
        marks: vec![0; program.registers],
        choices: Vec::new(),
        steps: 0,
    };
    let mut at = start;
    let found = loop {
        if let Some(end) = machine.run(0, at, None)? {
            if let Some(whole) = machine.groups.first_mut() {
                *whole = Some((at, end));
            }
            break Some(machine.groups);
        }
        match text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(char) => at += char.len_utf8(),
            None => break None,
        }
    };
    meter.spend(machine.steps / 8)?;
    Ok(found)
}

/// What to do when the current way fails.
#[derive(Clone, Copy)]
enum Choice {
    Go {
        op: usize,
        at: usize,
    },
    /// A run of characters may be one shorter (greedy) or one longer (lazy).
    Run {
        op: usize,
        at: usize,
        left: u32,
    },
    // What the matcher remembered, to be put back.
    Group(usize, Option<(usize, usize)>),
    Opened(usize, usize),
    Mark(usize, usize),
}

struct Machine<'p> {
    program: &'p Program,
    text: &'p str,
    /// Where the search began.
    start: usize,
    groups: Captures,
    /// Where each group that is being crossed began.
    opened: Vec<usize>,
    /// Where the current round of each loop began.
    marks: Vec<usize>,
    choices: Vec<Choice>,
    steps: u64,
}

impl Machine<'_> {
    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn char_before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    /// The next position when the character at `at` is in `set`.
    fn step(&self, set: usize, at: usize) -> Option<usize> {
        let char = self.char_at(at)?;
        let found = match self.program.sets.get(set)? {
            Set::Char(wanted) => *wanted == char,
            Set::Class(class) => class.contains(char),
        };
        found.then(|| at + char.len_utf8())
    }

    /// Runs from instruction `op` at byte `at` to `Done`, which must be at `end` if that is given; where it ended. What
    /// it left open is forgotten, what must be put back when the way before it fails is kept.
    fn run(&mut self, mut op: usize, mut at: usize, end: Option<usize>) -> Result<Option<usize>> {
        let base = self.choices.len();
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX || self.choices.len() > CHOICES_MAX {
                return Err(Fault::timeout());
            }
            let instruction = self.program.code.get(op).copied().unwrap_or(Op::Done);
            let next = match instruction {
                Op::Done if end.is_none_or(|end| end == at) => {
                    self.settle(base);
                    return Ok(Some(at));
                }
                Op::Done => None,
                _ => self.execute(instruction, op, at)?,
            };
            match next.or_else(|| self.backtrack(base)) {
                Some(next) => (op, at) = next,
                None => return Ok(None),
            }
        }
    }

    /// Forgets the open choices above `base`.
    fn settle(&mut self, base: usize) {
        let mut kept = base;
        for at in base..self.choices.len() {
            if !matches!(self.choices[at], Choice::Go { .. } | Choice::Run { .. }) {
                self.choices.swap(kept, at);
                kept += 1;
            }
        }
        self.choices.truncate(kept);
    }

    /// One instruction: where to go on, or `None` to go back.
    fn execute(&mut self, instruction: Op, op: usize, at: usize) -> Result<Option<(usize, usize)>> {
        let next = op + 1;
        Ok(match instruction {
            Op::One(set) => self.step(set, at).map(|position| (next, position)),
            Op::Run { set, min, max, greedy } => self.start_run(op, at, (set, min, max, greedy)),
            Op::Split { first, second } => {
                self.choices.push(Choice::Go { op: second, at });
                Some((first, at))
            }
            Op::Jump(target) => Some((target, at)),
            Op::Open(group) => {
                self.choices.push(Choice::Opened(group, self.opened[group]));
                self.opened[group] = at;
                Some((next, at))
            }
            Op::Close(group) => {
                self.choices.push(Choice::Group(group, self.groups[group]));
                self.groups[group] = Some((self.opened[group], at));
                Some((next, at))
            }
            Op::Mark(register) => {
                self.choices.push(Choice::Mark(register, self.marks[register]));
                self.marks[register] = at;
                Some((next, at))
            }
            Op::Moved { register, end } => Some((if self.marks[register] == at { end } else { next }, at)),
            Op::Assert(assertion) => self.holds(assertion, at).then_some((next, at)),
            Op::Atomic { next } => self.run(op + 1, at, None)?.map(|position| (next, position)),
            Op::LookAhead { next, negated } => self.look(op + 1, at, None, negated)?.then_some((next, at)),
            Op::LookBehind { next, negated, min, max } => {
                self.look_behind(op + 1, at, (min, max), negated)?.then_some((next, at))
            }
            Op::Reference { group, fold } => self.reference(group, at, fold).map(|position| (next, position)),
            Op::Done => Some((next, at)),
        })
    }

    /// Whether the code at `op` matches from `at`, or does not if that is wanted.
    fn look(&mut self, op: usize, at: usize, end: Option<usize>, negated: bool) -> Result<bool> {
        let base = self.choices.len();
        let found = self.run(op, at, end)?.is_some();
        if found && negated {
            // Only what must be put back is left above the base.
            self.backtrack(base);
        }
        Ok(found != negated)
    }

    /// The same for what ends at `at`, tried from the nearest start to the farthest.
    fn look_behind(&mut self, op: usize, at: usize, (min, max): (u32, u32), negated: bool) -> Result<bool> {
        let mut start = at;
        for distance in 0..=max {
            if distance >= min && self.look(op, start, Some(at), negated)? != negated {
                return Ok(!negated);
            }
            let Some(char) = self.char_before(start) else { break };
            start -= char.len_utf8();
            self.steps += 1;
        }
        Ok(negated)
    }

    fn holds(&self, assertion: Assertion, at: usize) -> bool {
        let (before, after) = (self.char_before(at), self.char_at(at));
        let within_pair = before == Some('\r') && after == Some('\n');
        match assertion {
            Assertion::TextStart => at == 0,
            Assertion::TextEnd => after.is_none(),
            Assertion::SearchStart => at == self.start,
            Assertion::LineStart { unix } => {
                let begins = |before| is_line_end(before, unix) && (unix || !within_pair);
                after.is_some() && before.is_none_or(begins)
            }
            Assertion::LineEnd { unix } => {
                after.is_none_or(|after| is_line_end(after, unix) && (unix || !within_pair))
            }
            Assertion::FinalEnd { unix } => after.is_none_or(|after| {
                let rest = self.text.get(at..).unwrap_or_default();
                let is_last = rest.len() == after.len_utf8() || (!unix && rest == "\r\n");
                is_last && is_line_end(after, unix) && (unix || !within_pair)
            }),
            Assertion::WordBoundary { negated } => {
                (before.is_some_and(is_word) != after.is_some_and(is_word)) != negated
            }
        }
    }

    fn start_run(
        &mut self,
        op: usize,
        at: usize,
        (set, min, max, greedy): (usize, u32, u32, bool),
    ) -> Option<(usize, usize)> {
        let mut position = at;
        let mut count = 0;
        while count < min {
            position = self.step(set, position)?;
            count += 1;
        }
        if !greedy {
            if count < max {
                self.choices.push(Choice::Run { op, at: position, left: max - count });
            }
            return Some((op + 1, position));
        }
        let least = count;
        while count < max {
            let Some(further) = self.step(set, position) else { break };
            position = further;
            count += 1;
        }
        self.steps += u64::from(count) / 4;
        if count > least {
            self.choices.push(Choice::Run { op, at: position, left: count - least });
        }
        Some((op + 1, position))
    }

    /// Takes the latest choice above `base` that leads on.
    fn backtrack(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.choices.len() > base {
            match self.choices.pop()? {
                Choice::Go { op, at } => return Some((op, at)),
                Choice::Run { op, at, left } => {
                    if let Some(resumed) = self.resume_run(op, at, left) {
                        return Some(resumed);
                    }
                }
                Choice::Group(group, range) => self.groups[group] = range,
                Choice::Opened(group, at) => self.opened[group] = at,
                Choice::Mark(register, at) => self.marks[register] = at,
            }
        }
        None
    }

    fn resume_run(&mut self, op: usize, at: usize, left: u32) -> Option<(usize, usize)> {
        let Some(Op::Run { set, greedy, .. }) = self.program.code.get(op).copied() else { return None };
        let position = if greedy {
            // One character less: the run goes back over what it took.
            at - self.char_before(at)?.len_utf8()
        } else {
            self.step(set, at)?
        };
        if left > 1 {
            self.choices.push(Choice::Run { op, at: position, left: left - 1 });
        }
        Some((op + 1, position))
    }

    /// Behind what the group matched, if that is here again.
    fn reference(&mut self, group: usize, at: usize, fold: Fold) -> Option<usize> {
        let (from, to) = self.groups.get(group).copied().flatten()?;
        self.steps += (to - from) as u64 / 8;
        let mut position = at;
        for wanted in self.text.get(from..to)?.chars() {
            let found = self.char_at(position)?;
            if found != wanted && fold.canonical(found) != fold.canonical(wanted) {
                return None;
            }
            position += found.len_utf8();
        }
        Some(position)
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}
