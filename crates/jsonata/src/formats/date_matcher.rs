//! A matcher for texts built from a date picture: a sequence of simple steps, matched with backtracking and with the
//! preferences of a JavaScript regular expression without case, in bounded time.
//!
//! No step refers to what another matched, so whether a step can succeed from a position does not depend on the way
//! there: each pair of step and position is tried once. That bounds the work by steps times length, where a regular
//! expression engine can take exponential time.

use super::{FormatError, words};

/// One step of a matcher.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// This text, [folded](fold).
    Literal(Vec<char>),
    /// One or more characters of a class, as many as possible.
    Many(Class),
    /// Exactly this many characters of a class. NaN and other numbers that are no count never match.
    Exactly(f64, Class),
    /// `st`, `nd`, `rd` or `th`.
    OrdinalSuffix,
    /// `+` or `-`.
    Sign,
    /// One or more words of a number in words, and what stands between them.
    NumberWords,
}

impl Step {
    /// This text, without regard to case.
    pub(super) fn literal(text: &str) -> Self {
        Self::Literal(text.chars().map(fold).collect())
    }
}

/// A class of characters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Class {
    /// `0` to `9`.
    Digit,
    /// ASCII letters.
    Letter,
    /// Letters of roman numerals.
    Roman,
}

impl Class {
    fn contains(self, c: char) -> bool {
        match self {
            Self::Digit => c.is_ascii_digit(),
            Self::Letter => c.is_ascii_alphabetic(),
            Self::Roman => "mdclxvi".contains(c.to_ascii_lowercase()),
        }
    }
}

/// Bound of steps times characters, which is the memory of a match in words of four bytes.
const STATES_MAX: usize = 1_000_000;

/// Marks a state that has not been reached, and the end of the way back to the first.
const NONE: u32 = u32::MAX;

/// Matches all of `text`. `parts` are groups of steps; the result gives the text of each group, `None` if there is
/// no match.
///
/// Errors: D3137 if picture and text together are too long.
pub(super) fn match_parts(parts: &[Vec<Step>], text: &str) -> Result<Option<Vec<String>>, FormatError> {
    let text: Vec<char> = text.chars().collect();
    let steps: Vec<&Step> = parts.iter().flatten().collect();
    // Each step has two states, before its first round and after at least one; the last state is the end.
    let rows = 2 * steps.len() + 1;
    let states = rows.saturating_mul(text.len() + 1);
    if states > STATES_MAX {
        return Err(FormatError::host("Timestamp or picture string too long"));
    }
    let folded: Vec<char> = text.iter().copied().map(fold).collect();
    let search = Search { text: &folded, width: text.len() + 1, came_from: vec![NONE; states] };
    let Some(starts) = search.run(&steps) else { return Ok(None) };
    let mut step = 0;
    let boundary = |step: usize| starts.get(step).copied().unwrap_or(text.len());
    let captures = parts.iter().map(|part| {
        let start = boundary(step);
        step += part.len();
        text.get(start..boundary(step)).unwrap_or_default().iter().collect()
    });
    Ok(Some(captures.collect()))
}

struct Search<'a> {
    /// The text, folded.
    text: &'a [char],
    /// Positions per row.
    width: usize,
    /// For each state reached the state it was reached from.
    came_from: Vec<u32>,
}

impl Search<'_> {
    /// The position at which each step starts.
    fn run(mut self, steps: &[&Step]) -> Option<Vec<usize>> {
        let mut stack = vec![(0, NONE)];
        let mut next = Vec::new();
        let goal = 2 * steps.len() * self.width + self.text.len();
        while let Some((state, origin)) = stack.pop() {
            match self.came_from.get_mut(state) {
                // The first state has no origin but may be reached once only: nothing leads back to it.
                Some(slot) if *slot == NONE => *slot = origin,
                _ => continue,
            }
            if state == goal {
                return Some(self.way_back(goal, steps.len()));
            }
            let (row, at) = (state / self.width, state % self.width);
            let Some(step) = steps.get(row / 2) else { continue };
            next.clear();
            self.moves(step, row, at, &mut next);
            // The preferred move must be popped first.
            stack.extend(next.iter().rev().map(|(row, at)| (row * self.width + at, state as u32)));
        }
        None
    }

    /// The moves from a state in order of preference, as row and position.
    fn moves(&self, step: &Step, row: usize, at: usize, next: &mut Vec<(usize, usize)>) {
        let rest = self.text.get(at..).unwrap_or_default();
        let first_round = row.is_multiple_of(2);
        let (again, after) = (row / 2 * 2 + 1, row / 2 * 2 + 2);
        let first_is = |test: &dyn Fn(char) -> bool| rest.first().is_some_and(|c| test(*c));
        match step {
            Step::Literal(literal) => {
                if rest.starts_with(literal) {
                    next.push((after, at + literal.len()));
                }
            }
            Step::Exactly(count, class) => {
                let counted = rest.get(..*count as usize).filter(|run| run.len() as f64 == *count);
                if counted.is_some_and(|run| run.iter().all(|c| class.contains(*c))) {
                    next.push((after, at + *count as usize));
                }
            }
            Step::OrdinalSuffix => {
                if ["th", "st", "nd", "rd"].iter().any(|suffix| starts_with(rest, suffix)) {
                    next.push((after, at + 2));
                }
            }
            Step::Sign => {
                if first_is(&|c| c == '+' || c == '-') {
                    next.push((after, at + 1));
                }
            }
            Step::Many(class) => {
                if first_is(&|c| class.contains(c)) {
                    next.push((again, at + 1));
                }
            }
            Step::NumberWords => {
                let matching = words::vocabulary().filter(|word| starts_with(rest, word));
                next.extend(matching.map(|word| (again, at + word.len())));
            }
        }
        if !first_round {
            next.push((after, at));
        }
    }

    /// Follows the origins from the goal back to the first state.
    fn way_back(&self, goal: usize, steps: usize) -> Vec<usize> {
        let mut starts = vec![0; steps];
        let mut state = goal;
        loop {
            let (row, at) = (state / self.width, state % self.width);
            if row.is_multiple_of(2)
                && let Some(start) = starts.get_mut(row / 2)
            {
                *start = at;
            }
            match self.came_from.get(state) {
                Some(origin) if *origin != NONE => state = *origin as usize,
                _ => return starts,
            }
        }
    }
}

/// Whether a folded text starts with an ASCII word.
fn starts_with(text: &[char], word: &str) -> bool {
    let mut text = text.iter();
    word.chars().all(|c| text.next() == Some(&c.to_ascii_uppercase()))
}

/// The form in which characters are compared without case: upper case, where that is one character and does not lead
/// from beyond ASCII into it.
fn fold(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        // A regular expression without the `u` flag does not look at surrogate pairs as letters.
        (Some(folded), None) if c <= '\u{ffff}' && (c.is_ascii() || !folded.is_ascii()) => folded,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[Vec<Step>], text: &str, expect: Option<&[&str]>) {
        let found = match_parts(parts, text).expect("short enough");
        let expect = expect.map(|captures| captures.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn prefers_like_a_regular_expression() {
        let digits = || vec![Step::Many(Class::Digit)];
        check(&[digits(), digits()], "1234", Some(&["123", "4"]));
        check(&[vec![Step::Exactly(2.0, Class::Digit)], digits()], "1234", Some(&["12", "34"]));
        check(&[digits(), vec![Step::Many(Class::Letter)]], "12", None);
        // "six" is tried before "sixteen", but the longer word is found when needed.
        check(&[vec![Step::NumberWords], vec![Step::Many(Class::Letter)]], "sixteen", Some(&["six", "teen"]));
        check(&[vec![Step::NumberWords]], "Twenty-SIXTH", Some(&["Twenty-SIXTH"]));
        check(&[vec![Step::Exactly(f64::NAN, Class::Digit)]], "1", None);
        check(&[], "", Some(&[]));
        check(&[], "a", None);
    }

    #[test]
    fn compares_without_case() {
        let literal = |text: &str| vec![vec![Step::literal(text)]];
        check(&literal("\u{e9}A"), "\u{c9}a", Some(&["\u{c9}a"]));
        check(&literal("s"), "\u{17f}", None);
        check(&literal("\u{df}"), "ss", None);
    }

    #[test]
    fn takes_bounded_time() {
        let many = vec![vec![Step::Many(Class::Letter)]; 300];
        assert_eq!(match_parts(&many, &"a".repeat(299)), Ok(None));
        assert!(match_parts(&many, &"a".repeat(100_000)).is_err());
    }
}
