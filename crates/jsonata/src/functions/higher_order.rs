//! Functions that call functions: `$map`, `$filter`, `$single`, `$reduce`, `$sift`, `$each`, `$sort`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::argument;
use super::array::items_of;
use super::matching::is_truthy;
use crate::evaluate::{Callback, Evaluator, merge_sort};
use crate::fault::{Fault, Result};
use crate::value::{List, Map, SEQUENCE, Text, Val};

fn callback<'a>(arguments: &[Val<'a>], at: usize) -> Result<Callback<'a>> {
    Callback::new(&argument(arguments, at)).ok_or_else(|| Fault::host("func.apply is not a function"))
}

pub(super) fn map<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = items_of(&list)? else { return Ok(Val::Undefined) };
    let mut function = callback(arguments, 1)?;
    let mut result = evaluator.builder()?;
    for at in 0..items.len() {
        let value = function.call(evaluator, [items.get(at), Val::Int(at as i64), list.clone()])?;
        if !value.is_undefined() {
            result.push(value)?;
        }
    }
    Ok(Val::List(result.finish(SEQUENCE)?))
}

pub(super) fn filter<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = items_of(&list)? else { return Ok(Val::Undefined) };
    let mut function = callback(arguments, 1)?;
    let mut result = evaluator.builder()?;
    for at in 0..items.len() {
        let item = items.get(at);
        if function.call(evaluator, [item.clone(), Val::Int(at as i64), list.clone()])?.to_bool()? {
            result.push(item)?;
        }
    }
    Ok(Val::List(result.finish(SEQUENCE)?))
}

pub(super) fn single<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = items_of(&list)? else { return Ok(Val::Undefined) };
    let mut function = match argument(arguments, 1) {
        Val::Undefined => None,
        _ => Some(callback(arguments, 1)?),
    };
    let mut found = None;
    for at in 0..items.len() {
        let item = items.get(at);
        let matches = match &mut function {
            Some(function) => {
                function.call(evaluator, [item.clone(), Val::Int(at as i64), list.clone()])?.to_bool()?
            }
            None => true,
        };
        if matches && found.replace(item).is_some() {
            return Err(Fault::new("D3138").index(at));
        }
    }
    found.ok_or_else(|| Fault::new("D3139"))
}

pub(super) fn reduce<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = items_of(&list)? else { return Ok(Val::Undefined) };
    let mut function = callback(arguments, 1)?;
    if function.arity() < 2 {
        return Err(Fault::new("D3050").index(1));
    }
    let mut result = argument(arguments, 2);
    let mut start = 0;
    if result.is_undefined() && !items.is_empty() {
        result = items.get(0);
        start = 1;
    }
    for at in start..items.len() {
        result = function.call(evaluator, [result, items.get(at), Val::Int(at as i64), list.clone()])?;
    }
    Ok(result)
}

pub(super) fn each<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let object = argument(arguments, 0);
    let mut function = callback(arguments, 1)?;
    let mut result = evaluator.builder()?;
    for (key, value) in object.members().map_or_else(Vec::new, |members| members.to_vec()) {
        let value = function.call(evaluator, [value, Val::Text(key), object.clone()])?;
        if !value.is_undefined() {
            result.push(value)?;
        }
    }
    Ok(Val::List(result.finish(SEQUENCE)?))
}

pub(super) fn sift<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let object = argument(arguments, 0);
    let members: Vec<(Text<'a>, Val<'a>)> =
        object.members().map_or_else(Vec::new, |members| members.to_vec());
    if members.is_empty() {
        return Ok(Val::Undefined);
    }
    let mut function = callback(arguments, 1)?;
    let result = Map::new(evaluator.meter)?;
    for (key, value) in members {
        let arguments = [value.clone(), Val::Text(key.clone()), object.clone()];
        if function.call(evaluator, arguments)?.to_bool()? {
            result.insert(key, value)?;
        }
    }
    Ok(if result.len() == 0 { Val::Undefined } else { Val::Map(Rc::new(result)) })
}

pub(super) fn sort<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = items_of(&list)?.filter(|items| items.len() > 1) else { return Ok(list) };
    let mut items = items.to_vec();
    evaluator.meter.spend(items.len() as u64)?;
    if argument(arguments, 1).is_undefined() {
        let mut numbers = true;
        for item in &items {
            numbers &= item.is_numeric()?;
        }
        if !numbers && !items.iter().all(|item| item.as_str().is_some()) {
            return Err(Fault::new("D3070").index(1));
        }
        items.sort_by(|a, b| a.compare(b).unwrap_or(Ordering::Equal));
        return Ok(Val::List(List::new(items, 0, evaluator.meter)?));
    }
    let mut function = callback(arguments, 1)?;
    let sorted =
        merge_sort(items, &mut |a, b| Ok(is_truthy(&function.call_all(evaluator, [a.clone(), b.clone()])?)))?;
    Ok(Val::List(List::new(sorted, 0, evaluator.meter)?))
}
