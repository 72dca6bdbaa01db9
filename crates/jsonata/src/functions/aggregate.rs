//! `$sum`, `$count`, `$max`, `$min`, `$average`.

use super::argument;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result};
use crate::value::{Items, Val};

pub(super) fn sum<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    match items(&list)? {
        Some(items) => total(evaluator, items),
        None => Ok(Val::Undefined),
    }
}

pub(super) fn count<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    Ok(Val::Int(items(&list)?.map_or(0, |items| items.len()) as i64))
}

pub(super) fn max<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    extreme(evaluator, arguments, std::cmp::Ordering::Greater)
}

pub(super) fn min<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    extreme(evaluator, arguments, std::cmp::Ordering::Less)
}

pub(super) fn average<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = items(&list)?.filter(|items| !items.is_empty()) else { return Ok(Val::Undefined) };
    let total = total(evaluator, items)?.as_f64().unwrap_or(f64::NAN);
    Ok(Val::number(total / items.len() as f64))
}

fn items<'v, 'a>(list: &'v Val<'a>) -> Result<Option<Items<'v, 'a>>> {
    match list {
        Val::Undefined => Ok(None),
        _ => list.items().map(Some).ok_or_else(|| Fault::host("args is not an array")),
    }
}

/// The sum: exact for integers as long as it fits, else as doubles add up.
fn total<'a>(evaluator: &mut Evaluator<'a>, items: Items<'_, 'a>) -> Result<Val<'a>> {
    evaluator.meter.spend(items.len() as u64)?;
    let mut exact: i64 = 0;
    for at in 0..items.len() {
        let next = match items.get(at) {
            Val::Int(int) => exact.checked_add(int),
            _ => None,
        };
        match next {
            Some(sum) => exact = sum,
            None => {
                let mut sum = exact as f64;
                for rest in at..items.len() {
                    sum += items.get(rest).as_f64().ok_or_else(|| Fault::host("not a number"))?;
                }
                return Ok(Val::number(sum));
            }
        }
    }
    Ok(Val::Int(exact))
}

fn extreme<'a>(
    evaluator: &mut Evaluator<'a>,
    arguments: &[Val<'a>],
    wanted: std::cmp::Ordering,
) -> Result<Val<'a>> {
    let list = argument(arguments, 0);
    let Some(items) = items(&list)? else { return Ok(Val::Undefined) };
    evaluator.meter.spend(items.len() as u64)?;
    let mut best = Val::Undefined;
    for at in 0..items.len() {
        let item = items.get(at);
        if best.is_undefined() || item.compare(&best) == Some(wanted) {
            best = item;
        }
    }
    Ok(best)
}
