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
    let mut exact = Some(0i64);
    let mut sum = 0.0;
    let numbers = items.all(|item| match (exact, item) {
        (Some(so_far), Val::Int(int)) => {
            exact = so_far.checked_add(*int);
            if exact.is_none() {
                sum = so_far as f64 + *int as f64;
            }
            true
        }
        (so_far, item) => {
            if let Some(so_far) = so_far {
                sum = so_far as f64;
                exact = None;
            }
            item.as_f64().is_some_and(|value| {
                sum += value;
                true
            })
        }
    });
    match (numbers, exact) {
        (false, _) => Err(Fault::host("not a number")),
        (true, Some(exact)) => Ok(Val::Int(exact)),
        (true, None) => Ok(Val::number(sum)),
    }
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
