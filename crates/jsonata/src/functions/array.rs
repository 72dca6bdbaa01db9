//! Arrays: `$append`, `$zip`, `$reverse`, `$shuffle`, `$distinct`.

use std::collections::HashSet;
use std::rc::Rc;

use super::argument;
use super::number::unit_interval;
use crate::evaluate::{self, Evaluator};
use crate::fault::{Fault, Result};
use crate::value::{List, SEQUENCE, Val};

pub(super) fn append<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    evaluate::append(evaluator, argument(arguments, 0), argument(arguments, 1))
}

pub(super) fn zip<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let length = arguments.iter().map(|list| list.items().map_or(0, |items| items.len())).min().unwrap_or(0);
    let mut result = evaluator.builder()?;
    for at in 0..length {
        evaluator.meter.spend(arguments.len() as u64)?;
        let tuple = arguments.iter().filter_map(Val::items).map(|items| items.get(at)).collect();
        result.push(Val::List(List::new(tuple, 0, evaluator.meter)?))?;
    }
    Ok(Val::List(result.finish(0)?))
}

pub(super) fn reverse<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = list.items().filter(|items| items.len() > 1) else { return Ok(list) };
    evaluator.meter.spend(items.len() as u64)?;
    let mut reversed = items.to_vec();
    reversed.reverse();
    Ok(Val::List(List::new(reversed, 0, evaluator.meter)?))
}

pub(super) fn shuffle<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = list.items().filter(|items| items.len() > 1) else { return Ok(list) };
    evaluator.meter.spend(items.len() as u64)?;
    let mut shuffled = items.to_vec();
    for at in 0..shuffled.len() {
        let other = (unit_interval((evaluator.random)()) * (at + 1) as f64) as usize;
        shuffled.swap(at, other.min(at));
    }
    Ok(Val::List(List::new(shuffled, 0, evaluator.meter)?))
}

/// What is compared quickly; everything else is compared item by item.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Null,
    Bool(bool),
    /// The bits of the double, so that 1 and 1.0 are one.
    Number(u64),
    Int(i64),
    Text(Rc<str>),
}

fn key(value: &Val<'_>) -> Option<Key> {
    Some(match value {
        Val::Null => Key::Null,
        Val::Bool(value) => Key::Bool(*value),
        Val::Int(int) => Key::Int(*int),
        Val::Float(number) if number.is_nan() => return None,
        Val::Float(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => Key::Int(*number as i64),
        Val::Float(number) => Key::Number(number.to_bits()),
        Val::Text(text) => Key::Text(text.as_str().into()),
        _ => return None,
    })
}

pub(super) fn distinct<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = list.items().filter(|items| items.len() > 1) else { return Ok(list) };
    let mut result = evaluator.builder()?;
    let mut seen = HashSet::new();
    let mut others: Vec<Val<'a>> = Vec::new();
    for at in 0..items.len() {
        let item = items.get(at);
        let is_new = match key(&item) {
            Some(key) => seen.insert(key),
            None => {
                evaluator.meter.spend(others.len() as u64)?;
                let is_new = !others.iter().any(|other| other.is_equal(&item));
                if is_new {
                    others.push(item.clone());
                }
                is_new
            }
        };
        if is_new {
            result.push(item)?;
        }
    }
    Ok(Val::List(result.finish(if list.is_sequence() { SEQUENCE } else { 0 })?))
}

/// Items of an argument that must be an array.
pub(super) fn items_of<'v, 'a>(list: &'v Val<'a>) -> Result<Option<crate::value::Items<'v, 'a>>> {
    match list {
        Val::Undefined => Ok(None),
        _ => list.items().map(Some).ok_or_else(|| Fault::host("arr is not an array")),
    }
}
