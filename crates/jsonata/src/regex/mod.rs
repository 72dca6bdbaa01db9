//! Regular expressions, compiled once, as `java.util.regex` reads them, which AWS's evaluator uses.
//!
//! A pattern without look-around, atomic groups and back-references is translated for the `regex` crate, which is linear
//! in the text. What remains runs on a backtracking matcher with a bounded number of steps: Java's own matcher takes
//! exponential time on patterns like `^(a+)+\1$`.

mod backtrack;
mod class;
mod escape;
mod parse;
mod program;
mod property;
mod translate;

use self::parse::{Assertion, Flags};
use crate::fault::Result;
use crate::limits::Meter;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Regex {
    source: String,
    /// Capturing groups, the whole match not counted.
    groups: usize,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    /// With the program for texts that end with a line terminator, which `$` may stand before.
    Linear(regex::Regex, Option<program::Program>),
    Backtracking(program::Program),
}

/// Where a pattern matched: byte ranges, the whole match first, then the groups.
pub(crate) type Captures = Vec<Option<(usize, usize)>>;

impl Regex {
    /// Compiles `pattern`; the error is the reason, as Java words it.
    pub(crate) fn new(
        pattern: &str,
        ignore_case: bool,
        multiline: bool,
    ) -> std::result::Result<Regex, String> {
        let flags = Flags { ignore_case, multiline, ..Flags::default() };
        let parsed = parse::parse(pattern, flags)?;
        let linear = translate::translate(&parsed)
            .and_then(|translated| regex::RegexBuilder::new(&translated).size_limit(1 << 20).build().ok());
        let engine = match linear {
            Some(regex) => {
                let is_final = |assertion| matches!(assertion, Assertion::FinalEnd { .. });
                let ends = parse::has_assertion(&parsed.root, &is_final);
                Engine::Linear(regex, ends.then(|| program::compile(&parsed)).transpose()?)
            }
            None => Engine::Backtracking(program::compile(&parsed)?),
        };
        Ok(Regex { source: pattern.to_owned(), groups: parsed.groups, engine })
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the pattern matches anywhere in `text`.
    pub(crate) fn is_match(&self, text: &str, meter: &Meter<'_>) -> Result<bool> {
        meter.spend(1 + text.len() as u64 / 64)?;
        match &self.engine {
            Engine::Linear(_, Some(program)) if ends_with_line_end(text) => {
                Ok(backtrack::find(program, text, 0, meter)?.is_some())
            }
            Engine::Linear(regex, _) => Ok(regex.is_match(text)),
            Engine::Backtracking(program) => Ok(backtrack::find(program, text, 0, meter)?.is_some()),
        }
    }

    /// The first match at or after byte `start`.
    pub(crate) fn find_at(&self, text: &str, start: usize, meter: &Meter<'_>) -> Result<Option<Captures>> {
        meter.spend(1 + (text.len().saturating_sub(start)) as u64 / 64)?;
        match &self.engine {
            Engine::Linear(_, Some(program)) if ends_with_line_end(text) => {
                backtrack::find(program, text, start, meter)
            }
            Engine::Linear(regex, _) if self.groups == 0 => {
                Ok(regex.find_at(text, start).map(|found| vec![Some((found.start(), found.end()))]))
            }
            Engine::Linear(regex, _) => {
                let mut locations = regex.capture_locations();
                if regex.captures_read_at(&mut locations, text, start).is_none() {
                    return Ok(None);
                }
                Ok(Some((0..=self.groups).map(|group| locations.get(group)).collect()))
            }
            Engine::Backtracking(program) => backtrack::find(program, text, start, meter),
        }
    }
}

fn ends_with_line_end(text: &str) -> bool {
    text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

#[cfg(test)]
mod tests;
