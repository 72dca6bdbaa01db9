//! `$match`, `$contains`, `$replace`, `$split`: with a text, a regular expression, or a function that matches.

use std::rc::Rc;

use super::{argument, number_argument, text_argument};
use crate::evaluate::{Callback, Evaluator, Function};
use crate::fault::{Fault, Result};
use crate::regex::{Captures, Regex};
use crate::value::{List, Map, SEQUENCE, Text, Val};

/// The place in UTF-16 code units, as JavaScript counts, of byte `byte`.
pub(crate) fn unit_of_byte(text: &str, byte: usize) -> usize {
    let before = text.get(..byte).unwrap_or(text);
    if before.is_ascii() { before.len() } else { before.chars().map(char::len_utf16).sum() }
}

/// The byte of the character at place `unit`, counted in UTF-16 code units; `None` past the end.
pub(crate) fn byte_of_unit(text: &str, unit: usize) -> Option<usize> {
    if text.is_ascii() {
        return (unit <= text.len()).then_some(unit);
    }
    let mut units = 0;
    for (byte, char) in text.char_indices() {
        if units >= unit {
            return Some(byte);
        }
        units += char.len_utf16();
    }
    (units >= unit).then_some(text.len())
}

/// The groups of a match as texts; undefined for one that took no part.
pub(crate) fn capture_groups<'a>(
    evaluator: &Evaluator<'a>,
    text: &str,
    captures: &Captures,
) -> Result<Val<'a>> {
    let mut groups = Vec::with_capacity(captures.len().saturating_sub(1));
    for range in captures.iter().skip(1) {
        groups.push(match range {
            Some((from, to)) => {
                Val::Text(Text::copy(text.get(*from..*to).unwrap_or_default(), evaluator.meter)?)
            }
            None => Val::Undefined,
        });
    }
    Ok(Val::List(List::new(groups, 0, evaluator.meter)?))
}

/// The matches of a pattern in a text, one after the other.
enum Matches<'a> {
    Regex {
        regex: &'a Regex,
        next: usize,
        begun: bool,
    },
    /// A function that returns an object with `match`, `start`, `end`, `groups` and `next`.
    Custom {
        matcher: Val<'a>,
        begun: bool,
    },
}

/// One match.
enum Found<'a> {
    Regex(Captures),
    Custom(Val<'a>),
}

impl<'a> Matches<'a> {
    fn new(pattern: &Val<'a>) -> Result<Matches<'a>> {
        match pattern {
            Val::Function(function) => Ok(match &*function.function {
                Function::Regex(regex) => Matches::Regex { regex, next: 0, begun: false },
                _ => Matches::Custom { matcher: pattern.clone(), begun: false },
            }),
            _ => Err(Fault::host("matcher is not a function")),
        }
    }

    fn next(&mut self, evaluator: &mut Evaluator<'a>, subject: &Val<'a>) -> Result<Option<Found<'a>>> {
        match self {
            Matches::Regex { regex, next, begun } => {
                let text = subject.as_str().unwrap_or_default();
                if std::mem::replace(begun, true) && *next >= text.len() {
                    return Ok(None);
                }
                let Some(captures) = regex.find_at(text, *next, evaluator.meter)? else { return Ok(None) };
                *next = captures.first().copied().flatten().map_or(text.len(), |(_, end)| end);
                Ok(Some(Found::Regex(captures)))
            }
            Matches::Custom { matcher, begun } => {
                let Some(mut callback) = Callback::new(matcher) else {
                    return Err(Fault::host("matcher.apply is not a function"));
                };
                let given = if std::mem::replace(begun, true) { Val::Undefined } else { subject.clone() };
                let found = callback.call(evaluator, [given])?;
                let is_match = |found: &Val<'a>| {
                    found.members().is_some_and(|members| {
                        let get = |key| members.get(key).unwrap_or_default();
                        matches!(get("start"), Val::Int(_) | Val::Float(_))
                            || get("groups").is_array()
                            || matches!(get("next"), Val::Function(_))
                    })
                };
                if found.is_undefined() {
                    return Ok(None);
                }
                if is_truthy(&found) && !is_match(&found) {
                    return Err(Fault::new("T1010"));
                }
                *matcher = member(&found, "next");
                Ok(Some(Found::Custom(found)))
            }
        }
    }
}

/// JavaScript's idea of truth.
pub(super) fn is_truthy(value: &Val<'_>) -> bool {
    match value {
        Val::Undefined | Val::Null => false,
        Val::Bool(value) => *value,
        Val::Int(int) => *int != 0,
        Val::Float(number) => *number != 0.0 && !number.is_nan(),
        Val::Text(text) => !text.as_str().is_empty(),
        _ => true,
    }
}

fn member<'a>(object: &Val<'a>, key: &str) -> Val<'a> {
    object.members().and_then(|members| members.get(key)).unwrap_or_default()
}

impl<'a> Found<'a> {
    /// Bytes of the text that come before the match, and those up to its end.
    fn range(&self, text: &str) -> (usize, usize) {
        let byte = |value: Val<'a>| {
            let unit = value.as_f64().unwrap_or(0.0).max(0.0) as usize;
            byte_of_unit(text, unit).unwrap_or(text.len())
        };
        match self {
            Found::Regex(captures) => captures.first().copied().flatten().unwrap_or_default(),
            Found::Custom(object) => (byte(member(object, "start")), byte(member(object, "end"))),
        }
    }

    fn matched(&self, text: &str) -> String {
        match self {
            Found::Regex(_) => {
                let (from, to) = self.range(text);
                text.get(from..to).unwrap_or_default().to_owned()
            }
            Found::Custom(object) => member(object, "match").as_str().unwrap_or_default().to_owned(),
        }
    }

    fn group_count(&self) -> usize {
        match self {
            Found::Regex(captures) => captures.len().saturating_sub(1),
            Found::Custom(object) => member(object, "groups").items().map_or(0, |items| items.len()),
        }
    }

    /// Group `number`, counted from 1.
    fn group(&self, text: &str, number: usize) -> Option<String> {
        match self {
            Found::Regex(captures) => {
                let (from, to) = captures.get(number).copied().flatten()?;
                text.get(from..to).map(str::to_owned)
            }
            Found::Custom(object) => {
                let groups = member(object, "groups");
                groups.items()?.get(number.checked_sub(1)?).as_str().map(str::to_owned)
            }
        }
    }

    fn groups(&self, evaluator: &Evaluator<'a>, text: &str) -> Result<Val<'a>> {
        match self {
            Found::Regex(captures) => capture_groups(evaluator, text, captures),
            Found::Custom(object) => Ok(member(object, "groups")),
        }
    }

    /// What a replacing function is given.
    fn object(&self, evaluator: &Evaluator<'a>, text: &str) -> Result<Val<'a>> {
        if let Found::Custom(object) = self {
            return Ok(object.clone());
        }
        let (from, to) = self.range(text);
        let map = Map::new(evaluator.meter)?;
        map.insert(Text::Static("match"), Val::Text(Text::new(self.matched(text), evaluator.meter)?))?;
        map.insert(Text::Static("start"), Val::Int(unit_of_byte(text, from) as i64))?;
        map.insert(Text::Static("end"), Val::Int(unit_of_byte(text, to) as i64))?;
        map.insert(Text::Static("groups"), self.groups(evaluator, text)?)?;
        Ok(Val::Map(Rc::new(map)))
    }
}

/// The limit on matches; an error `code` when it is negative.
fn limit(arguments: &[Val<'_>], at: usize, code: &'static str) -> Result<f64> {
    match number_argument(arguments, at)? {
        Some(limit) if limit < 0.0 => Err(Fault::new(code).index(at + 1)),
        Some(limit) => Ok(limit),
        None => Ok(f64::INFINITY),
    }
}

pub(super) fn contains<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let (Some(text), pattern) = (text_argument(arguments, 0)?, argument(arguments, 1)) else {
        return Ok(Val::Undefined);
    };
    if let Some(token) = pattern.as_str() {
        evaluator.meter.spend(text.len() as u64 / 64)?;
        return Ok(Val::Bool(text.contains(token)));
    }
    if pattern.is_undefined() {
        return Ok(Val::Undefined);
    }
    if let Val::Function(function) = &pattern
        && let Function::Regex(regex) = &*function.function
    {
        return Ok(Val::Bool(regex.is_match(text, evaluator.meter)?));
    }
    let found = Matches::new(&pattern)?.next(evaluator, &argument(arguments, 0))?;
    Ok(Val::Bool(found.is_some()))
}

/// The value as JavaScript makes a text of it when a regular expression is asked about it.
pub(crate) fn coerce<'a>(evaluator: &Evaluator<'a>, value: &Val<'a>) -> Result<Val<'a>> {
    fn write(value: &Val<'_>, out: &mut String) {
        match value {
            Val::Undefined => out.push_str("undefined"),
            Val::Null => out.push_str("null"),
            Val::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Val::Int(int) => out.push_str(&int.to_string()),
            Val::Float(number) => out.push_str(&crate::value::number_text(*number)),
            Val::Text(text) => out.push_str(text.as_str()),
            Val::Array(_) | Val::List(_) => {
                let items = value.items().map_or_else(Vec::new, |items| items.to_vec());
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    if !matches!(item, Val::Undefined | Val::Null) {
                        write(item, out);
                    }
                }
            }
            _ => out.push_str("[object Object]"),
        }
    }
    if value.as_str().is_some() {
        return Ok(value.clone());
    }
    let mut out = String::new();
    write(value, &mut out);
    evaluator.text(out)
}

pub(super) fn find_all<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let subject = match argument(arguments, 0) {
        Val::Undefined => return Ok(Val::Undefined),
        subject => coerce(evaluator, &subject)?,
    };
    let text = subject.as_str().unwrap_or_default();
    let limit = limit(arguments, 2, "D3040")?;
    let mut result = evaluator.builder()?;
    if limit > 0.0 {
        let mut matches = Matches::new(&argument(arguments, 1))?;
        let mut found = matches.next(evaluator, &subject)?;
        while let Some(current) = found {
            if result.len() as f64 >= limit {
                break;
            }
            let map = Map::new(evaluator.meter)?;
            match &current {
                Found::Custom(object) => {
                    map.insert(Text::Static("match"), member(object, "match"))?;
                    map.insert(Text::Static("index"), member(object, "start"))?;
                }
                Found::Regex(_) => {
                    let matched = Text::new(current.matched(text), evaluator.meter)?;
                    map.insert(Text::Static("match"), Val::Text(matched))?;
                    let start = unit_of_byte(text, current.range(text).0);
                    map.insert(Text::Static("index"), Val::Int(start as i64))?;
                }
            }
            map.insert(Text::Static("groups"), current.groups(evaluator, text)?)?;
            result.push(Val::Map(Rc::new(map)))?;
            found = matches.following(evaluator, &subject)?;
        }
    }
    Ok(Val::List(result.finish(SEQUENCE)?))
}

impl<'a> Matches<'a> {
    /// The match after the first. One without any character would go on for ever.
    fn following(&mut self, evaluator: &mut Evaluator<'a>, subject: &Val<'a>) -> Result<Option<Found<'a>>> {
        let found = self.next(evaluator, subject)?;
        if let (Matches::Regex { regex, .. }, Some(Found::Regex(captures))) = (&*self, &found)
            && captures.first().copied().flatten().is_some_and(|(from, to)| from == to)
        {
            return Err(Fault::new("D1004").value(crate::fault::json_string(regex.source())));
        }
        Ok(found)
    }
}

pub(super) fn split<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let subject = argument(arguments, 0);
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let limit = limit(arguments, 2, "D3020")?;
    let mut result = evaluator.builder()?;
    if limit <= 0.0 {
        return Ok(Val::List(result.finish(0)?));
    }
    let separator = argument(arguments, 1);
    if separator.is_undefined() {
        return Err(Fault::new("T0410").index(2));
    }
    if let Some(separator) = separator.as_str() {
        let most = if limit.is_infinite() { usize::MAX } else { limit.trunc() as usize };
        if separator.is_empty() {
            // Java's units: a character beyond the Basic Multilingual Plane is two halves, which are no characters.
            let halves = |char: char| {
                let half = if char.len_utf16() == 1 { char } else { char::REPLACEMENT_CHARACTER };
                std::iter::repeat_n(half, char.len_utf16())
            };
            for char in text.chars().flat_map(halves).take(most) {
                result.push(Val::Text(Text::copy(char.encode_utf8(&mut [0; 4]), evaluator.meter)?))?;
            }
        } else {
            for part in text.split(separator).take(most) {
                result.push(Val::Text(Text::copy(part, evaluator.meter)?))?;
            }
        }
        return Ok(Val::List(result.finish(0)?));
    }
    let mut matches = Matches::new(&separator)?;
    let mut start = 0;
    let mut found = matches.next(evaluator, &subject)?;
    while let Some(current) = found {
        if result.len() as f64 >= limit {
            break;
        }
        let (from, to) = current.range(text);
        let part = between(text, start, from);
        result.push(Val::Text(Text::copy(part, evaluator.meter)?))?;
        start = to;
        found = matches.following(evaluator, &subject)?;
    }
    if (result.len() as f64) < limit {
        result.push(Val::Text(Text::copy(text.get(start..).unwrap_or_default(), evaluator.meter)?))?;
    }
    Ok(Val::List(result.finish(0)?))
}

/// JavaScript's `substring`, whose ends may come in either order.
fn between(text: &str, from: usize, to: usize) -> &str {
    text.get(from.min(to)..from.max(to)).unwrap_or_default()
}

pub(super) fn replace<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let subject = argument(arguments, 0);
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let (pattern, replacement) = (argument(arguments, 1), argument(arguments, 2));
    if pattern.as_str() == Some("") {
        // AWS gives these two without their codes, as jsonata-java has none for them.
        return Err(Fault::host("Second argument of replace function cannot be an empty string"));
    }
    let limit = number_argument(arguments, 3)?.map_or(f64::INFINITY, f64::trunc);
    if limit < 0.0 {
        return Err(Fault::host("Fourth argument of replace function must evaluate to a positive number"));
    }
    if limit <= 0.0 {
        return Ok(subject);
    }
    let mut out = Output { text: String::new(), checked: 0 };
    let mut position = 0;
    let mut count = 0.0;
    if let Some(pattern) = pattern.as_str() {
        let replacement = replacement.as_str().unwrap_or("undefined");
        while count < limit
            && let Some(at) = text.get(position..).and_then(|rest| rest.find(pattern))
        {
            out.push(evaluator, &text[position..position + at])?;
            out.push(evaluator, replacement)?;
            position += at + pattern.len();
            count += 1.0;
        }
    } else {
        let mut matches = Matches::new(&pattern)?;
        let mut found = matches.next(evaluator, &subject)?;
        while count < limit
            && let Some(current) = found
        {
            let (from, _) = current.range(text);
            out.push(evaluator, between(text, position, from))?;
            let replaced = replaced(evaluator, &current, text, &replacement)?;
            out.push(evaluator, &replaced)?;
            position = from + current.matched(text).len();
            count += 1.0;
            found = matches.following(evaluator, &subject)?;
        }
    }
    out.push(evaluator, text.get(position..).unwrap_or_default())?;
    evaluator.text(out.text)
}

/// A text under construction, its growth checked against the meter.
struct Output {
    text: String,
    checked: usize,
}

impl Output {
    fn push(&mut self, evaluator: &Evaluator<'_>, part: &str) -> Result<()> {
        self.text.push_str(part);
        if self.text.len() > self.checked {
            self.checked = self.text.len() * 2;
            drop(evaluator.meter.hold(self.text.len())?);
        }
        Ok(())
    }
}

fn replaced<'a>(
    evaluator: &mut Evaluator<'a>,
    found: &Found<'a>,
    text: &str,
    replacement: &Val<'a>,
) -> Result<String> {
    if let Some(template) = replacement.as_str() {
        return Ok(fill(template, found, text));
    }
    let Some(mut callback) = Callback::new(replacement) else {
        return Err(Fault::host("replacer.apply is not a function"));
    };
    let object = found.object(evaluator, text)?;
    let value = callback.call(evaluator, [object])?;
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Fault::new("D3012").value(crate::value::to_message(&value))),
    }
}

/// A replacement text with `$0`, `$1`, ... filled in.
fn fill(template: &str, found: &Found<'_>, text: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    let groups = found.group_count();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('0') {
            out.push_str(&found.matched(text));
            rest = after;
        } else {
            let digits_max = if groups == 0 { 1 } else { groups.ilog10() as usize + 1 };
            let number = |most: usize| {
                let digits: String = rest.chars().take(most).take_while(char::is_ascii_digit).collect();
                digits.parse::<usize>().ok()
            };
            let mut index = number(digits_max);
            if digits_max > 1 && index.is_some_and(|index| index > groups) {
                index = number(digits_max - 1);
            }
            match index {
                Some(index) => {
                    out.push_str(&found.group(text, index).unwrap_or_default());
                    rest = rest.get(index.to_string().len()..).unwrap_or_default();
                }
                // Not a group: the dollar is a dollar.
                None => out.push('$'),
            }
        }
    }
    out.push_str(rest);
    out
}
