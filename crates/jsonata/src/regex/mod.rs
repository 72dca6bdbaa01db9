//! Regular expressions, compiled once: the syntax is that of JavaScript (no `u` flag), what `\s`, `.`, `$`, the flag `i`
//! and references mean is as in `java.util.regex`, which AWS uses.
//!
//! A pattern without look-around and back-references is translated for the `regex` crate, which is linear in the text.
//! What remains runs on a backtracking matcher with a bounded number of steps: JavaScript's own matcher takes
//! exponential time on patterns like `^(a+)+\1$`. Departing from JavaScript, a character beyond the Basic Multilingual
//! Plane is one character, not two.

mod backtrack;
mod parse;
mod program;
mod translate;

use crate::fault::Result;
use crate::limits::Meter;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Regex {
    source: String,
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
    /// Compiles `pattern`; the error is the reason, as JavaScript words it.
    pub(crate) fn new(
        pattern: &str,
        ignore_case: bool,
        multiline: bool,
    ) -> std::result::Result<Regex, String> {
        let parsed = parse::parse(pattern)?;
        let linear = translate::translate(&parsed, ignore_case, multiline).and_then(|translated| {
            regex::RegexBuilder::new(&translated).unicode(true).size_limit(1 << 20).build().ok()
        });
        let engine = match linear {
            Some(regex) => {
                let ends = parse::has_end(&parsed.root);
                let program = ends.then(|| program::compile(&parsed, ignore_case, multiline)).transpose()?;
                Engine::Linear(regex, program)
            }
            None => Engine::Backtracking(program::compile(&parsed, ignore_case, multiline)?),
        };
        Ok(Regex { source: pattern.to_owned(), engine })
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
            Engine::Linear(regex, _) if regex.captures_len() == 1 => {
                Ok(regex.find_at(text, start).map(|found| vec![Some((found.start(), found.end()))]))
            }
            Engine::Linear(regex, _) => {
                let mut locations = regex.capture_locations();
                if regex.captures_read_at(&mut locations, text, start).is_none() {
                    return Ok(None);
                }
                Ok(Some((0..locations.len()).map(|group| locations.get(group)).collect()))
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
