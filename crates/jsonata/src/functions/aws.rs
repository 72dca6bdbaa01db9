//! The functions that AWS Step Functions adds to JSONata
//! (<https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>), as the service was seen to answer.

use std::collections::HashSet;

use md5::Digest;
use stepwright_value::{Number, Object, Value};

use super::number::unit_interval;
use super::{argument, number_argument, text_argument};
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result};
use crate::value::{Items, List, SEQUENCE, Text, Val, from_json};

/// `$random([seed])`: a seed gives what `java.util.Random` gives for it.
pub(super) fn random<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    match number_argument(arguments, 0)? {
        None => Ok(Val::Float(unit_interval((evaluator.random)()))),
        Some(seed) => {
            let seed = match arguments.first() {
                Some(Val::Int(int)) => *int,
                _ => seed.trunc() as i64,
            };
            Ok(Val::Float(java_random(seed)))
        }
    }
}

/// `new java.util.Random(seed).nextDouble()`: a 48-bit linear congruential generator.
fn java_random(seed: i64) -> f64 {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ MULTIPLIER) & MASK;
    let mut next = |bits: u32| {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        state >> (48 - bits)
    };
    let (high, low) = (next(26), next(27));
    ((high << 27) + low) as f64 / (1u64 << 53) as f64
}

/// `$partition(array, size)`: sizes are truncated towards zero; without one there is a single batch.
pub(super) fn partition<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = list.items() else { return Ok(Val::Undefined) };
    let size = number_argument(arguments, 1)?.map(f64::trunc);
    if size.is_some_and(|size| size < 0.0) {
        return Err(Fault::new("D3137").message("Second argument must be zero or greater".to_owned()));
    }
    if size == Some(0.0) {
        return Ok(Val::Undefined);
    }
    let items = items.to_vec();
    evaluator.meter.spend(items.len() as u64)?;
    let Some(size) = size else {
        let batch = Val::List(List::new(items, 0, evaluator.meter)?);
        return Ok(Val::List(List::new(vec![batch], 0, evaluator.meter)?));
    };
    if items.is_empty() {
        return Ok(Val::Undefined);
    }
    let size = size.min(items.len() as f64).max(1.0) as usize;
    let mut result = evaluator.builder()?;
    for chunk in items.chunks(size) {
        result.push(Val::List(List::new(chunk.to_vec(), 0, evaluator.meter)?))?;
    }
    Ok(Val::List(result.finish(0)?))
}

/// `$range(start, end, step)`: both ends count, numbers are truncated towards zero, and a single number stands for
/// itself.
pub(super) fn range<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let whole = |at: usize| -> Result<Option<i64>> {
        Ok(match arguments.get(at) {
            Some(Val::Int(int)) => Some(*int),
            _ => number_argument(arguments, at)?.map(|value| value.trunc() as i64),
        })
    };
    let (Some(start), Some(end), Some(step)) = (whole(0)?, whole(1)?, whole(2)?) else {
        return Ok(Val::Undefined);
    };
    if step == 0 || (step > 0 && start > end) || (step < 0 && start < end) {
        return Ok(Val::Undefined);
    }
    let count = (i128::from(end) - i128::from(start)) / i128::from(step) + 1;
    let items = usize::try_from(count).unwrap_or(usize::MAX);
    drop(evaluator.meter.hold(items.saturating_mul(crate::limits::ITEM_BYTES))?);
    evaluator.meter.spend(items as u64)?;
    let values = (0..items as i64).map(|at| Val::Int(start + at * step)).collect();
    Ok(Val::List(List::new(values, SEQUENCE, evaluator.meter)?))
}

/// `$hash(data, algorithm)`: lower-case hexadecimal.
pub(super) fn hash<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    if arguments.len() > 2 {
        return Err(Fault::new("T0410").index(3));
    }
    let (Some(data), Some(algorithm)) = (text_argument(arguments, 0)?, arguments.get(1)) else {
        return Ok(Val::Undefined);
    };
    evaluator.meter.spend(data.len() as u64)?;
    let digest = match algorithm.as_str().unwrap_or("undefined") {
        "MD5" => md5::Md5::digest(data).to_vec(),
        "SHA-1" => sha1::Sha1::digest(data).to_vec(),
        "SHA-256" => sha2::Sha256::digest(data).to_vec(),
        "SHA-384" => sha2::Sha384::digest(data).to_vec(),
        "SHA-512" => sha2::Sha512::digest(data).to_vec(),
        unknown => {
            return Err(Fault::new("D3137").message(format!(
                "Hash algorithm '{unknown}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"
            )));
        }
    };
    evaluator.text(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `$uuid()`: version 4.
pub(super) fn uuid<'a>(evaluator: &mut Evaluator<'a>, _: &[Val<'a>]) -> Result<Val<'a>> {
    let text = random_uuid(evaluator);
    evaluator.text(text)
}

pub(super) fn random_uuid(evaluator: &mut Evaluator<'_>) -> String {
    let bits = u128::from((evaluator.random)()) << 64 | u128::from((evaluator.random)());
    let bits = bits & !(0xF << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// `$parse(text)`: the value of a JSON text. Names and texts may stand in single quotes; a name may not come twice.
pub(super) fn parse<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    // Kept until the end of the evaluation.
    std::mem::forget(evaluator.meter.hold(text.len())?);
    evaluator.meter.spend(text.len() as u64 / 16)?;
    let value = in_double_quotes(text).and_then(|text| stepwright_value::read(&text).ok()).and_then(plain);
    let Some(value) = value else {
        return Err(Fault::new("D3137").message("Invalid JSON".to_owned()));
    };
    Ok(match from_json(evaluator.arena.value(value)) {
        Val::Array(array) => Val::List(List::new(Items::Json(array).to_vec(), 0, evaluator.meter)?),
        Val::Text(text) => Val::Text(Text::copy(text.as_str(), evaluator.meter)?),
        other => other,
    })
}

/// The text with double quotes for single ones; `None` when an object has a name twice. Whether it is JSON otherwise is
/// the reader's business.
fn in_double_quotes(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    // For each open bracket: the names so far, if it is an object.
    let mut open: Vec<Option<HashSet<String>>> = Vec::new();
    let mut name_next = false;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' | '\'' => {
                let start = out.len();
                quote(char, &mut chars, &mut out)?;
                if let (true, Some(Some(names))) = (name_next, open.last_mut()) {
                    let name = stepwright_value::read(&out[start..]).ok()?;
                    if !names.insert(name.as_str()?.to_owned()) {
                        return None;
                    }
                }
                continue;
            }
            '{' => open.push(Some(HashSet::new())),
            '[' => open.push(None),
            '}' | ']' => drop(open.pop()),
            _ => {}
        }
        name_next = matches!(char, '{' | ',') || (name_next && char != ':');
        out.push(char);
    }
    Some(out)
}

/// The rest of a text that `quote` began, in double quotes.
fn quote(quote: char, chars: &mut std::str::Chars<'_>, out: &mut String) -> Option<()> {
    out.push('"');
    loop {
        match chars.next()? {
            char if char == quote => break,
            '"' => out.push_str("\\\""),
            '\\' => match chars.next()? {
                '\'' => out.push('\''),
                escaped => out.extend(['\\', escaped]),
            },
            char => out.push(char),
        }
    }
    out.push('"');
    Some(())
}

/// The value with its numbers as an evaluation has them, however they were written; `None` when one is beyond a double.
fn plain(value: Value) -> Option<Value> {
    Some(match value {
        Value::Number(number) => match number.as_i64() {
            Some(_) => Value::Number(number),
            None => {
                let exact = Number::from_f64(number.as_f64())?;
                let mut text = String::new();
                stepwright_value::java::write_double(number.as_f64(), &mut text);
                let is_long = exact.as_i64().is_some();
                Value::Number(if is_long { exact } else { Number::parse(&text)? })
            }
        },
        Value::Array(items) => {
            items.iter().map(|item| plain(item.clone())).collect::<Option<Vec<Value>>>()?.into()
        }
        Value::Object(members) => {
            let mut object = Object::with_capacity(members.len());
            for (name, member) in members.iter() {
                object.insert(name.clone(), plain(member.clone())?);
            }
            object.into()
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_is_javas() {
        assert_eq!(super::java_random(42), 0.7275636800328681);
        assert_eq!(super::java_random(0), 0.730967787376657);
    }
}
