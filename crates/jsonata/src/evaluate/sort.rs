//! `^(...)`, and the merge sort that it shares with `$sort`: the same comparisons in the same order as jsonata-js, so
//! that the same error is met first.

use std::cmp::Ordering;

use super::{Env, Evaluator};
use crate::fault::{Fault, Result};
use crate::program::Term;
use crate::value::{List, TUPLE_STREAM, Val, to_message};

impl<'a> Evaluator<'a> {
    /// Sorts an array by `terms`. The terms of each item are evaluated once, when they are first compared.
    pub(super) fn sort_by(
        &mut self,
        terms: &'a [Term],
        position: usize,
        input: Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let Some(items) = input.items() else { return Ok(input) };
        if items.len() <= 1 {
            return Ok(input);
        }
        let items = items.to_vec();
        let mut keys: Vec<Vec<Val<'a>>> = vec![Vec::new(); items.len()];
        let order = merge_sort((0..items.len()).collect(), &mut |a: &usize, b: &usize| {
            self.meter.spend(1)?;
            for (number, term) in terms.iter().enumerate() {
                for at in [*a, *b] {
                    self.sort_key(term, number, &items, at, &mut keys, env)?;
                }
                let ordering = compare_keys(&keys, *a, *b, number).map_err(|fault| fault.at(position))?;
                match ordering {
                    Keys::Same => {}
                    Keys::Undefined(swap) => return Ok(swap),
                    Keys::Ordered(ordering) => {
                        return Ok((ordering == Ordering::Greater) != term.descending);
                    }
                }
            }
            Ok(false)
        })?;
        let sorted = order.into_iter().filter_map(|at| items.get(at).cloned()).collect();
        Ok(Val::List(List::new(sorted, input.flags() & TUPLE_STREAM, self.meter)?))
    }

    fn sort_key(
        &mut self,
        term: &'a Term,
        number: usize,
        items: &[Val<'a>],
        at: usize,
        keys: &mut [Vec<Val<'a>>],
        env: &Env<'a>,
    ) -> Result<()> {
        let (Some(item), Some(known)) = (items.get(at), keys.get_mut(at)) else { return Ok(()) };
        if known.len() <= number {
            known.push(match item {
                Val::Tuple(tuple) => self.evaluate(&term.expr, &tuple.context, &tuple.scope(env)?)?,
                item => self.evaluate(&term.expr, item, env)?,
            });
        }
        Ok(())
    }
}

/// How two keys compare.
enum Keys {
    Same,
    /// One is undefined, which comes last whatever the direction; whether to swap.
    Undefined(bool),
    Ordered(Ordering),
}

fn compare_keys(keys: &[Vec<Val<'_>>], a: usize, b: usize, number: usize) -> Result<Keys> {
    let key = |at: usize| keys.get(at).and_then(|keys| keys.get(number));
    let (Some(a), Some(b)) = (key(a), key(b)) else { return Ok(Keys::Same) };
    match (a.is_undefined(), b.is_undefined()) {
        (true, true) => return Ok(Keys::Same),
        (true, false) => return Ok(Keys::Undefined(true)),
        (false, true) => return Ok(Keys::Undefined(false)),
        (false, false) => {}
    }
    let sortable = |value: &Val<'_>| matches!(value, Val::Int(_) | Val::Float(_) | Val::Text(_));
    if !sortable(a) || !sortable(b) {
        let culprit = if sortable(a) { b } else { a };
        return Err(Fault::new("T2008").value(to_message(culprit)));
    }
    if a.as_str().is_some() != b.as_str().is_some() {
        return Err(Fault::new("T2007").value(to_message(a)).value2(to_message(b)));
    }
    Ok(match a.compare(b) {
        Some(Ordering::Equal) => Keys::Same,
        // NaN is neither equal to nor less than anything.
        None => Keys::Ordered(Ordering::Greater),
        Some(ordering) => Keys::Ordered(ordering),
    })
}

/// A stable merge sort; `swap(a, b)` says whether `b`, which came later, must come first.
pub(crate) fn merge_sort<T: Clone>(
    items: Vec<T>,
    swap: &mut dyn FnMut(&T, &T) -> Result<bool>,
) -> Result<Vec<T>> {
    if items.len() <= 1 {
        return Ok(items);
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let left = merge_sort(left, swap)?;
    let right = merge_sort(right, swap)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut l, mut r) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(a), Some(b)) = (l.peek(), r.peek()) {
        let next = if swap(a, b)? { r.next() } else { l.next() };
        merged.extend(next.cloned());
    }
    merged.extend(l.cloned());
    merged.extend(r.cloned());
    Ok(merged)
}
