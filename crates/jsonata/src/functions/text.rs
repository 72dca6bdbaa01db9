//! Texts, but for matching: `$string`, `$substring`, `$pad`, `$join` and their kin. Lengths and places count characters.

use super::{argument, number_argument, text_argument};
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result};
use crate::value::{OUTER_WRAPPER, Val, stringify};

pub(super) fn string<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let pretty = argument(arguments, 1).to_bool()?;
    let value = match argument(arguments, 0) {
        Val::List(list) if list.flags & OUTER_WRAPPER != 0 => {
            list.items().first().cloned().unwrap_or_default()
        }
        other => other,
    };
    match value {
        Val::Undefined | Val::Text(_) => Ok(value),
        Val::Function(_) => evaluator.text(String::new()),
        Val::Float(number) if !number.is_finite() => Err(Fault::new("D3001").value("null".to_owned())),
        _ => {
            let mut text = String::new();
            stringify(&value, pretty, &mut text)?;
            evaluator.text(text)
        }
    }
}

/// As dashjoin's jsonata-java does it: the start counts characters, and the length is turned into the UTF-16 units of
/// as many characters from the start of the text. Where there are not so many, Java fails. Half a character becomes
/// U+FFFD.
pub(super) fn substring<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let whole = |at: usize| -> Result<_> { Ok(number_argument(arguments, at)?.map(|number| number as i32)) };
    let (start, count) = (whole(1)?.unwrap_or(0), whole(2)?);
    if count.is_some_and(|count| count <= 0) {
        return evaluator.text(String::new());
    }
    let (start, count) = (i64::from(start), count.map_or(usize::MAX, |count| count.max(0) as usize));
    if text.is_ascii() {
        let start = if start < 0 { (text.len() as i64 + start).max(0) } else { start };
        let from = (start as usize).min(text.len());
        let to = from.saturating_add(count).min(text.len());
        return evaluator.text(text[from..to].to_owned());
    }
    evaluator.meter.spend(text.len() as u64 / 64)?;
    drop(evaluator.meter.hold(text.len() * 2)?);
    let units: Vec<u16> = text.encode_utf16().collect();
    let chars = text.chars().count() as i64;
    let start = match start {
        start if units.len() as i64 + start < 0 => 0,
        start if start < 0 => (chars + start).max(0),
        start => start,
    };
    if start >= chars {
        return evaluator.text(String::new());
    }
    // The units of the first `count` characters; `None` when there are fewer.
    let units_of = |count: usize| {
        let mut chars = text.chars();
        let units = chars.by_ref().take(count).map(char::len_utf16).sum::<usize>();
        (count as i64 <= text.chars().count() as i64).then_some(units)
    };
    let from = units_of(start as usize).unwrap_or(units.len());
    let Some(length) = units_of(count.min(units.len())) else { return Err(super::internal(evaluator)) };
    let to = (from + length).min(units.len());
    evaluator.text(String::from_utf16_lossy(units.get(from..to).unwrap_or_default()))
}

pub(super) fn substring_before<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    cut(evaluator, arguments, |text, at, _| text.get(..at))
}

pub(super) fn substring_after<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    cut(evaluator, arguments, |text, at, length| text.get(at + length..))
}

fn cut<'a>(
    evaluator: &mut Evaluator<'a>,
    arguments: &[Val<'a>],
    take: fn(&str, usize, usize) -> Option<&str>,
) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    evaluator.meter.spend(text.len() as u64 / 64)?;
    // JavaScript looks for the word "undefined" when nothing was given.
    let chars = text_argument(arguments, 1)?.unwrap_or("undefined");
    match text.find(chars) {
        Some(at) => evaluator.text(take(text, at, chars.len()).unwrap_or_default().to_owned()),
        None => Ok(argument(arguments, 0)),
    }
}

pub(super) fn lowercase<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let _ahead = evaluator.meter.hold(text.len())?;
    let lower = text.to_lowercase();
    drop(_ahead);
    evaluator.text(lower)
}

pub(super) fn uppercase<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let _ahead = evaluator.meter.hold(text.len())?;
    let upper = text.to_uppercase();
    drop(_ahead);
    evaluator.text(upper)
}

pub(super) fn length<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    evaluator.meter.spend(text.len() as u64 / 64)?;
    Ok(Val::Int(text.chars().count() as i64))
}

pub(super) fn trim<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let words = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
    let mut out = String::new();
    for word in words {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    evaluator.text(out)
}

pub(super) fn pad<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let width = number_argument(arguments, 1)?.unwrap_or(f64::NAN).trunc();
    let filler = text_argument(arguments, 2)?.filter(|filler| !filler.is_empty()).unwrap_or(" ");
    let missing = width.abs() - text.chars().count() as f64;
    if missing.is_nan() || missing <= 0.0 {
        return Ok(argument(arguments, 0));
    }
    // Asked for before it is made. A character of the filler takes at least one byte.
    let missing = missing.min(u32::MAX.into()) as usize;
    let per_char = filler.len().div_ceil(filler.chars().count().max(1));
    drop(evaluator.meter.hold(text.len() + missing.saturating_mul(per_char))?);
    let mut padding = String::with_capacity(missing);
    padding.extend(filler.chars().cycle().take(missing));
    evaluator.text(if width > 0.0 { format!("{text}{padding}") } else { format!("{padding}{text}") })
}

pub(super) fn join<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let separator = text_argument(arguments, 1)?.unwrap_or_default();
    let Some(items) = list.items() else { return Ok(Val::Undefined) };
    let texts = (0..items.len()).map(|at| items.get(at));
    let length: usize = texts.clone().map(|text| text.as_str().map_or(0, str::len)).sum();
    drop(evaluator.meter.hold(length.saturating_add(separator.len().saturating_mul(items.len())))?);
    let mut out = String::with_capacity(length);
    for (at, text) in texts.enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(text.as_str().unwrap_or_default());
    }
    evaluator.text(out)
}
