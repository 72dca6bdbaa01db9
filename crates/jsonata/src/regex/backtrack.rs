//! The backtracking matcher: an explicit stack, so that no text deepens the thread's, and a bounded number of steps.

use super::Captures;
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
        state: State {
            groups: vec![None; program.groups + 1],
            opened: vec![0; program.groups + 1],
            marks: vec![0; program.registers],
        },
        steps: 0,
    };
    let mut at = start;
    let found = loop {
        if let Some(end) = machine.run(0, at)? {
            if let Some(whole) = machine.state.groups.first_mut() {
                *whole = Some((at, end));
            }
            break Some(machine.state.groups.clone());
        }
        match text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(char) => at += char.len_utf8(),
            None => break None,
        }
    };
    meter.spend(machine.steps / 8)?;
    Ok(found)
}

#[derive(Clone)]
struct State {
    groups: Captures,
    /// Where each group that is being crossed began.
    opened: Vec<usize>,
    /// Where the current round of each loop began.
    marks: Vec<usize>,
}

/// What to do when the current way fails.
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
    Group(usize, Option<(usize, usize)>),
    Opened(usize, usize),
    Mark(usize, usize),
    State(Box<State>),
}

struct Machine<'p> {
    program: &'p Program,
    text: &'p str,
    state: State,
    steps: u64,
}

impl Machine<'_> {
    fn char_at(&self, at: usize, back: bool) -> Option<char> {
        if back { self.text.get(..at)?.chars().next_back() } else { self.text.get(at..)?.chars().next() }
    }

    fn moved(at: usize, char: char, back: bool) -> usize {
        if back { at - char.len_utf8() } else { at + char.len_utf8() }
    }

    fn is_in(&self, set: usize, char: char) -> bool {
        let fold = self.program.ignore_case;
        match self.program.sets.get(set) {
            Some(Set::Char(wanted)) => *wanted == char || (fold && canonical(*wanted) == canonical(char)),
            Some(Set::Any) => !is_line_end(char),
            Some(Set::Class(class)) => {
                let found = class.contains(char)
                    || (fold && {
                        let folded = canonical(char);
                        other_cases(char).any(|other| class.contains(other) && canonical(other) == folded)
                    });
                found != class.negated
            }
            None => false,
        }
    }

    /// The next position when the character at `at` is in `set`.
    fn step(&self, set: usize, at: usize, back: bool) -> Option<usize> {
        let char = self.char_at(at, back)?;
        self.is_in(set, char).then(|| Self::moved(at, char, back))
    }

    /// Runs from instruction `op` at byte `at` to `Done`; the end of the match.
    fn run(&mut self, mut op: usize, mut at: usize) -> Result<Option<usize>> {
        let mut choices: Vec<Choice> = Vec::new();
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX || choices.len() > CHOICES_MAX {
                return Err(Fault::timeout());
            }
            let Some(instruction) = self.program.code.get(op).copied() else { return Ok(Some(at)) };
            if let Op::Done = instruction {
                return Ok(Some(at));
            }
            match self.execute(instruction, op, at, &mut choices)? {
                Some((next, position)) => (op, at) = (next, position),
                None => match self.backtrack(&mut choices) {
                    Some((next, position)) => (op, at) = (next, position),
                    None => return Ok(None),
                },
            }
        }
    }

    /// One instruction: where to go on, or `None` to go back.
    fn execute(
        &mut self,
        instruction: Op,
        op: usize,
        at: usize,
        choices: &mut Vec<Choice>,
    ) -> Result<Option<(usize, usize)>> {
        let next = op + 1;
        let go = |holds: bool| Ok(holds.then_some((next, at)));
        match instruction {
            Op::One { set, back } => Ok(self.step(set, at, back).map(|position| (next, position))),
            Op::Run { set, min, max, greedy, back } => {
                Ok(self.start_run(op, at, (set, min, max, greedy, back), choices))
            }
            Op::Split { first, second } => {
                choices.push(Choice::Go { op: second, at });
                Ok(Some((first, at)))
            }
            Op::Jump(target) => Ok(Some((target, at))),
            Op::Open { group } => {
                choices.push(Choice::Opened(group, self.state.opened[group]));
                self.state.opened[group] = at;
                go(true)
            }
            Op::Close { group, back } => {
                let opened = self.state.opened[group];
                self.set_group(group, Some(if back { (at, opened) } else { (opened, at) }), choices);
                go(true)
            }
            Op::Reset { from, to } => {
                for group in from..=to {
                    self.set_group(group, None, choices);
                }
                go(true)
            }
            Op::Mark(register) => {
                choices.push(Choice::Mark(register, self.state.marks[register]));
                self.state.marks[register] = at;
                go(true)
            }
            Op::Moved(register) => go(self.state.marks[register] != at),
            Op::Start => go(self.is_start(at)),
            Op::End => go(self.is_end(at)),
            Op::Boundary { negated } => {
                let before = self.char_at(at, true).is_some_and(is_word);
                let after = self.char_at(at, false).is_some_and(is_word);
                go((before != after) != negated)
            }
            Op::Look { next, negated } => {
                let before = self.state.clone();
                let found = self.run(op + 1, at)?.is_some();
                if negated || !found {
                    self.state = before;
                } else {
                    choices.push(Choice::State(Box::new(before)));
                }
                Ok((found != negated).then_some((next, at)))
            }
            Op::Reference { group, back } => {
                Ok(self.reference(group, at, back).map(|position| (next, position)))
            }
            Op::Done => go(true),
        }
    }

    /// Whether `^` matches.
    fn is_start(&self, at: usize) -> bool {
        let begins = |before: char| {
            let after = self.char_at(at, false);
            is_line_end(before) && after.is_some() && !(before == '\r' && after == Some('\n'))
        };
        at == 0 || (self.program.multiline && self.char_at(at, true).is_some_and(begins))
    }

    /// Whether `$` matches: Java's end is also before a last line terminator.
    fn is_end(&self, at: usize) -> bool {
        let is_end = |char: char| {
            let within = char == '\n' && self.char_at(at, true) == Some('\r');
            let rest = self.text.get(at..).unwrap_or_default();
            is_line_end(char) && !within && (self.program.multiline || is_last(rest))
        };
        self.char_at(at, false).is_none_or(is_end)
    }

    fn set_group(&mut self, group: usize, range: Option<(usize, usize)>, choices: &mut Vec<Choice>) {
        if let Some(slot) = self.state.groups.get_mut(group) {
            choices.push(Choice::Group(group, *slot));
            *slot = range;
        }
    }

    fn start_run(
        &mut self,
        op: usize,
        at: usize,
        (set, min, max, greedy, back): (usize, u32, u32, bool, bool),
        choices: &mut Vec<Choice>,
    ) -> Option<(usize, usize)> {
        let mut position = at;
        let mut count = 0;
        while count < min {
            position = self.step(set, position, back)?;
            count += 1;
        }
        if !greedy {
            if count < max {
                choices.push(Choice::Run { op, at: position, left: max - count });
            }
            return Some((op + 1, position));
        }
        let least = count;
        while count < max {
            let Some(further) = self.step(set, position, back) else { break };
            position = further;
            count += 1;
        }
        self.steps += u64::from(count) / 4;
        if count > least {
            choices.push(Choice::Run { op, at: position, left: count - least });
        }
        Some((op + 1, position))
    }

    /// Takes the latest choice that leads on.
    fn backtrack(&mut self, choices: &mut Vec<Choice>) -> Option<(usize, usize)> {
        while let Some(choice) = choices.pop() {
            match choice {
                Choice::Go { op, at } => return Some((op, at)),
                Choice::Run { op, at, left } => {
                    if let Some(resumed) = self.resume_run(op, at, left, choices) {
                        return Some(resumed);
                    }
                }
                Choice::Group(group, range) => self.state.groups[group] = range,
                Choice::Opened(group, at) => self.state.opened[group] = at,
                Choice::Mark(register, at) => self.state.marks[register] = at,
                Choice::State(state) => self.state = *state,
            }
        }
        None
    }

    fn resume_run(
        &mut self,
        op: usize,
        at: usize,
        left: u32,
        choices: &mut Vec<Choice>,
    ) -> Option<(usize, usize)> {
        let Some(Op::Run { set, greedy, back, .. }) = self.program.code.get(op).copied() else { return None };
        let position = if greedy {
            // One character less: the run goes back over what it took.
            let char = self.char_at(at, !back)?;
            Self::moved(at, char, !back)
        } else {
            self.step(set, at, back)?
        };
        if left > 1 {
            choices.push(Choice::Run { op, at: position, left: left - 1 });
        }
        Some((op + 1, position))
    }

    fn reference(&self, group: usize, at: usize, back: bool) -> Option<usize> {
        let (from, to) = self.state.groups.get(group).copied().flatten()?;
        let wanted = self.text.get(from..to)?;
        let mut position = at;
        let mut chars = wanted.chars();
        while let Some(char) = if back { chars.next_back() } else { chars.next() } {
            let found = self.char_at(position, back)?;
            let same = found == char || (self.program.ignore_case && canonical(found) == canonical(char));
            if !same {
                return None;
            }
            position = Self::moved(position, found, back);
        }
        Some(position)
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

fn is_line_end(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether `rest`, which begins with a line terminator, is no more than that.
fn is_last(rest: &str) -> bool {
    rest == "\r\n" || rest.chars().nth(1).is_none()
}

/// The character that stands for both its cases: only letters of ASCII have two, as in Java.
fn canonical(char: char) -> char {
    char.to_ascii_uppercase()
}

fn other_cases(char: char) -> impl Iterator<Item = char> {
    [char.to_ascii_uppercase(), char.to_ascii_lowercase()].into_iter()
}
