//! Objects: `$keys`, `$lookup`, `$spread`, `$merge`.

use std::collections::HashSet;
use std::rc::Rc;

use super::argument;
use crate::evaluate::{self, Evaluator};
use crate::fault::{Fault, Result};
use crate::value::{Items, ListBuilder, Map, SEQUENCE, Val};

pub(super) fn keys<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let mut result = evaluator.builder()?;
    collect_keys(&argument(arguments, 0), &mut HashSet::new(), &mut result)?;
    Ok(Val::List(result.finish(SEQUENCE)?))
}

fn collect_keys<'a>(
    value: &Val<'a>,
    seen: &mut HashSet<Rc<str>>,
    result: &mut ListBuilder<'a>,
) -> Result<()> {
    if let Some(items) = value.items() {
        for at in 0..items.len() {
            collect_keys(&items.get(at), seen, result)?;
        }
    }
    if let Some(members) = value.members() {
        for (key, _) in members.to_vec() {
            if seen.insert(key.as_str().into()) {
                result.push(Val::Text(key))?;
            }
        }
    }
    Ok(())
}

pub(super) fn lookup<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let key = argument(arguments, 1);
    evaluate::lookup(evaluator, &argument(arguments, 0), key.as_str().unwrap_or("undefined"))
}

pub(super) fn spread<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    spread_value(evaluator, argument(arguments, 0))
}

fn spread_value<'a>(evaluator: &mut Evaluator<'a>, value: Val<'a>) -> Result<Val<'a>> {
    if let Some(items) = value.items() {
        let mut result = evaluator.builder()?;
        for at in 0..items.len() {
            let inner = spread_value(evaluator, items.get(at))?;
            match inner.items() {
                Some(items) => result.extend(items)?,
                None if inner.is_undefined() => {}
                None => result.push(inner)?,
            }
        }
        // Appending makes a plain array of the sequence.
        let flags = if items.is_empty() { SEQUENCE } else { 0 };
        return Ok(Val::List(result.finish(flags)?));
    }
    let Some(members) = value.members() else { return Ok(value) };
    let mut result = evaluator.builder()?;
    for (key, value) in members.to_vec() {
        let map = Map::new(evaluator.meter)?;
        map.insert(key, value)?;
        result.push(Val::Map(Rc::new(map)))?;
    }
    Ok(Val::List(result.finish(SEQUENCE)?))
}

pub(super) fn merge<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = super::array::items_of(&list)? else { return Ok(Val::Undefined) };
    let result = Map::new(evaluator.meter)?;
    merge_into(evaluator, &result, items)?;
    Ok(Val::Map(Rc::new(result)))
}

/// Adds the members of all objects, also of those in arrays among them.
fn merge_into<'a>(evaluator: &mut Evaluator<'a>, result: &Map<'a>, items: Items<'_, 'a>) -> Result<()> {
    for at in 0..items.len() {
        let item = items.get(at);
        if let Some(members) = item.members() {
            evaluator.meter.spend(members.len() as u64)?;
            for (key, value) in members.to_vec() {
                result.insert(key, value)?;
            }
        } else if let Some(inner) = item.items() {
            merge_into(evaluator, result, inner)?;
        } else {
            return Err(Fault::new("T0412").index(1).name("objects"));
        }
    }
    Ok(())
}
