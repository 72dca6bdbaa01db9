//! Arrays: `$append`, `$zip`, `$reverse`, `$shuffle`, `$distinct`.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::argument;
use super::number::unit_interval;
use crate::evaluate::{self, Evaluator};
use crate::fault::{Fault, Result};
use crate::value::{List, SEQUENCE, Text, Val};

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

/// A number that is the same for equal values: the order of members and the way numbers are held do not matter.
fn digest(value: &Val<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(items) = value.items() {
        items.all(|item| {
            digest(item).hash(&mut hasher);
            true
        });
    } else if let Some(members) = value.members() {
        let member = |(key, value): &(Text<'_>, Val<'_>)| {
            let mut hasher = DefaultHasher::new();
            (key.as_str(), digest(value)).hash(&mut hasher);
            hasher.finish()
        };
        members.to_vec().iter().map(member).fold(1u64, u64::wrapping_add).hash(&mut hasher);
    } else if let Some(number) = value.as_f64() {
        // Adding zero makes one of the two zeros.
        (number + 0.0).to_bits().hash(&mut hasher);
    } else if let Some(text) = value.as_str() {
        text.hash(&mut hasher);
    } else {
        matches!(value, Val::Bool(true)).hash(&mut hasher);
    }
    hasher.finish()
}

pub(super) fn distinct<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = list.items().filter(|items| items.len() > 1) else { return Ok(list) };
    let mut result = evaluator.builder()?;
    let mut seen: HashMap<u64, Vec<Val<'a>>> = HashMap::new();
    for at in 0..items.len() {
        let item = items.get(at);
        let alike = seen.entry(digest(&item)).or_default();
        evaluator.meter.spend(1 + alike.len() as u64)?;
        if !alike.iter().any(|other| other.is_equal(&item)) {
            alike.push(item.clone());
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
