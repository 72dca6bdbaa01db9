//! Predicates: an index, or a test that is evaluated for each item.

use super::{Env, Evaluator};
use crate::fault::Result;
use crate::program::{Expr, Filter};
use crate::value::{Items, KEEP_SINGLETON, List, SEQUENCE, TUPLE_STREAM, Val};

impl<'a> Evaluator<'a> {
    /// Applies the predicates of a value that is no step of a path.
    pub(super) fn filters(&mut self, expr: &'a Expr, mut value: Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        for filter in &expr.filters {
            match self.filter(filter, value, env)? {
                Some(kept) => value = kept,
                None => return Ok(Val::Undefined),
            }
        }
        if expr.keep_array && !value.is_array() && !value.is_undefined() {
            value = Val::List(List::new(vec![value], SEQUENCE | KEEP_SINGLETON, self.meter)?);
        }
        Ok(value)
    }

    /// What a predicate keeps of `input`; `None` for an empty sequence. A sequence of one item that is no array is
    /// returned as the item.
    pub(super) fn filter(
        &mut self,
        filter: &'a Filter,
        input: Val<'a>,
        env: &Env<'a>,
    ) -> Result<Option<Val<'a>>> {
        match filter {
            Filter::Index(number) => Ok(self.index(*number, input)?),
            Filter::Test(test) => self.test(test, input, env),
        }
    }

    fn index(&mut self, number: f64, input: Val<'a>) -> Result<Option<Val<'a>>> {
        let tuples = input.flags() & TUPLE_STREAM;
        let item = match input.items() {
            Some(items) => place(number, items.len()).map_or(Val::Undefined, |at| items.get(at)),
            None => match place(number, 1) {
                Some(0) => input,
                _ => Val::Undefined,
            },
        };
        Ok(match item {
            Val::Undefined => None,
            item if tuples != 0 => Some(Val::List(List::new(vec![item], SEQUENCE | tuples, self.meter)?)),
            item => Some(item),
        })
    }

    fn test(&mut self, test: &'a Expr, input: Val<'a>, env: &Env<'a>) -> Result<Option<Val<'a>>> {
        let tuples = input.flags() & TUPLE_STREAM;
        let Some(items) = input.items() else {
            let kept = self.evaluate(test, &input, env)?;
            return Ok(match self.keeps(&kept, 0, 1)? {
                0 => None,
                1 => Some(input),
                times => Some(Val::List(List::new(vec![input; times], SEQUENCE, self.meter)?)),
            });
        };
        let length = items.len();
        let mut single: Option<Val<'a>> = None;
        let mut result = None;
        for at in 0..length {
            let item = items.get(at);
            let answer = match &item {
                Val::Tuple(tuple) if tuples != 0 => {
                    self.evaluate(test, &tuple.context, &tuple.scope(env)?)?
                }
                _ => self.evaluate(test, &item, env)?,
            };
            for _ in 0..self.keeps(&answer, at, length)? {
                match (&mut result, single.take()) {
                    (Some(_), _) => {}
                    (None, None) => {
                        single = Some(item.clone());
                        continue;
                    }
                    (none, Some(first)) => {
                        let mut builder = self.builder()?;
                        builder.push(first)?;
                        *none = Some(builder);
                    }
                }
                if let Some(builder) = &mut result {
                    builder.push(item.clone())?;
                }
            }
        }
        match (result, single) {
            (Some(builder), _) => Ok(Some(Val::List(builder.finish(SEQUENCE | tuples)?))),
            (None, Some(item)) if tuples != 0 || item.is_array() => {
                Ok(Some(Val::List(List::new(vec![item], SEQUENCE | tuples, self.meter)?)))
            }
            (None, single) => Ok(single),
        }
    }

    /// How often the item at `at` of `length` is kept: numbers are indexes, anything else is true or false.
    #[inline]
    fn keeps(&self, answer: &Val<'a>, at: usize, length: usize) -> Result<usize> {
        if let Val::Bool(answer) = answer {
            return Ok(usize::from(*answer));
        }
        if answer.is_numeric()? {
            return Ok(usize::from(is_place(answer, at, length)));
        }
        if let Some(items) = answer.items()
            && all_numbers(items)?
        {
            return Ok((0..items.len()).filter(|index| is_place(&items.get(*index), at, length)).count());
        }
        Ok(usize::from(answer.to_bool()?))
    }
}

fn all_numbers(items: Items<'_, '_>) -> Result<bool> {
    let mut all = true;
    for at in 0..items.len() {
        all &= items.get(at).is_numeric()?;
    }
    Ok(all)
}

fn is_place(number: &Val<'_>, at: usize, length: usize) -> bool {
    number.as_f64().and_then(|number| place(number, length)) == Some(at)
}

/// The place that an index means: rounded down, and counted from the end when negative.
pub(super) fn place(number: f64, length: usize) -> Option<usize> {
    let index = number.floor();
    let index = if index < 0.0 { index + length as f64 } else { index };
    (index >= 0.0 && index < length as f64).then_some(index as usize)
}
