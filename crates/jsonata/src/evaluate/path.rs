//! Paths: each step is evaluated for each item of the step before, and the results are flattened into one sequence.

use super::{Env, Evaluator, Tuple, lookup};
use crate::fault::{Fault, Result};
use crate::program::{Action, Field, Op, Path, Stage, Step};
use crate::value::{
    CONS, KEEP_SINGLETON, List, ListBuilder, OUTER_WRAPPER, SEQUENCE, TUPLE_STREAM, Val, from_json,
};
use std::rc::Rc;

/// What flows from step to step.
pub(super) enum Flow<'a> {
    /// A sequence with a single item, without the list around it.
    One(Val<'a>),
    /// An array; `sequence` says whether it counts as one even where its own flags do not say so.
    Whole { array: Val<'a>, sequence: bool },
}

/// Where a path of names has led.
enum Plain<'a> {
    Value(Val<'a>),
    /// To an array, with steps left from this one on.
    Array {
        array: Val<'a>,
        step: usize,
    },
}

impl<'a> Flow<'a> {
    fn is_empty(&self) -> bool {
        match self {
            Flow::One(_) => false,
            Flow::Whole { array, .. } => {
                array.items().is_some_and(|items| items.is_empty()) || array.is_undefined()
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Flow::One(_) => 1,
            Flow::Whole { array, .. } => array.items().map_or(0, |items| items.len()),
        }
    }

    pub(super) fn get(&self, at: usize) -> Val<'a> {
        match self {
            Flow::One(value) => value.clone(),
            Flow::Whole { array, .. } => array.items().map_or(Val::Undefined, |items| items.get(at)),
        }
    }

    /// The array that this stands for.
    fn into_array(self, evaluator: &Evaluator<'a>) -> Result<Val<'a>> {
        match self {
            Flow::One(value) => evaluator.singleton(value),
            Flow::Whole { array: Val::Array(array), sequence: true } => {
                let items = array.iter().map(from_json).collect();
                Ok(Val::List(List::new(items, SEQUENCE, evaluator.meter)?))
            }
            Flow::Whole { array: Val::List(mut list), sequence: true } => {
                list.flags |= SEQUENCE;
                Ok(Val::List(list))
            }
            Flow::Whole { array, .. } => Ok(array),
        }
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn path(
        &mut self,
        path: &'a Path,
        input: &Val<'a>,
        env: &Env<'a>,
        keep_array: bool,
    ) -> Result<Val<'a>> {
        let mut start = 0;
        let mut flow = match path.steps.first() {
            Some(first) if input.is_array() && !first.is_variable() => {
                Flow::Whole { array: input.clone(), sequence: false }
            }
            _ if path.plain => match self.plain_path(path, input, env)? {
                Plain::Value(value) => return Ok(value),
                Plain::Array { array, step } => {
                    start = step;
                    Flow::Whole { array, sequence: true }
                }
            },
            _ => Flow::One(input.clone()),
        };
        let mut tuples: Option<Vec<Rc<Tuple<'a>>>> = None;
        let last = path.steps.len().saturating_sub(1);
        for (at, step) in path.steps.iter().enumerate().skip(start) {
            if at == 0 && step.cons_array {
                flow = self.first_array(step, flow, env)?;
                if step.tuple {
                    tuples = Some(self.plain_tuples(&flow));
                }
            } else if step.tuple || tuples.is_some() {
                let bindings = match tuples.take() {
                    Some(bindings) => Some(bindings),
                    None if matches!(step.action, Action::Sort { .. }) => None,
                    None => Some(self.plain_tuples(&flow)),
                };
                tuples = Some(self.tuple_step(step, &mut flow, bindings, env)?);
            } else {
                flow = self.step(step, flow, env, at == last)?;
            }
            if tuples.is_none() && flow.is_empty() {
                break;
            }
        }
        if let Some(tuples) = tuples {
            return self.finish_tuples(path, tuples, env);
        }
        if let (Flow::One(_), false, false, None) = (&flow, path.keep_singleton, keep_array, &path.group) {
            // A sequence of one item stands for the item.
            return Ok(flow.get(0));
        }
        let array = flow.into_array(self)?;
        self.finish_path(path, array, env)
    }

    /// Follows names from object to object, as far as no array comes in between.
    fn plain_path(&mut self, path: &'a Path, input: &Val<'a>, env: &Env<'a>) -> Result<Plain<'a>> {
        if self.depth >= self.depth_max {
            return Err(Fault::stack());
        }
        self.meter.spend(path.steps.len() as u64)?;
        let mut current = input.clone();
        let last = path.steps.len().saturating_sub(1);
        for (at, step) in path.steps.iter().enumerate() {
            let Action::Evaluate(expr) = &step.action else { return Ok(Plain::Value(Val::Undefined)) };
            current = match &expr.op {
                Op::Name(field) => match &current {
                    Val::Object(object) => field.of(object).map_or(Val::Undefined, from_json),
                    Val::Map(map) => map.get(&field.name).unwrap_or_default(),
                    _ => return Ok(Plain::Value(Val::Undefined)),
                },
                Op::Variable(name) => self.variable(*name, env),
                Op::Context => match current {
                    Val::List(list) if list.flags & OUTER_WRAPPER != 0 => {
                        list.items().first().cloned().unwrap_or_default()
                    }
                    context => context,
                },
                _ => return Ok(Plain::Array { array: self.singleton(current)?, step: at }),
            };
            if let Val::List(list) = &mut current
                && list.flags & (SEQUENCE | CONS) == SEQUENCE
            {
                list.flags = SEQUENCE;
            }
            if at == last {
                return Ok(Plain::Value(current));
            }
            if current.is_array() {
                let array = if current.flags() & CONS == 0 { current } else { self.singleton(current)? };
                return Ok(Plain::Array { array, step: at + 1 });
            }
        }
        Ok(Plain::Value(current))
    }

    /// A step that is just a name, for every item.
    fn select(&mut self, flow: &Flow<'a>, field: &Field, collected: &mut Collected<'a>) -> Result<()> {
        if self.depth >= self.depth_max {
            return Err(Fault::stack());
        }
        self.meter.spend(flow.len() as u64)?;
        for at in 0..flow.len() {
            let value = match flow.get(at) {
                Val::Object(object) => field.of(object).map_or(Val::Undefined, from_json),
                item => match lookup(self, &item, &field.name)? {
                    Val::List(list) if list.flags & SEQUENCE != 0 => super::finish(list, false),
                    other => other,
                },
            };
            if !value.is_undefined() {
                collected.add(value, self)?;
            }
        }
        Ok(())
    }

    fn finish_tuples(
        &mut self,
        path: &'a Path,
        tuples: Vec<Rc<Tuple<'a>>>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let stream = |tuples: &[Rc<Tuple<'a>>], evaluator: &Evaluator<'a>| {
            let items = tuples.iter().map(|tuple| Val::Tuple(tuple.clone())).collect();
            List::new(items, SEQUENCE | TUPLE_STREAM, evaluator.meter).map(Val::List)
        };
        let mut result = if path.tuple {
            stream(&tuples, self)?
        } else {
            let items = tuples.iter().map(|tuple| tuple.context.clone()).collect();
            Val::List(List::new(items, SEQUENCE, self.meter)?)
        };
        if path.keep_singleton
            && let Val::List(list) = &mut result
        {
            list.flags |= KEEP_SINGLETON;
        }
        match &path.group {
            Some(group) => {
                let input = stream(&tuples, self)?;
                self.group(group, input, env)
            }
            None => Ok(result),
        }
    }

    fn finish_path(&mut self, path: &'a Path, mut result: Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        if path.keep_singleton {
            if result.flags() & (CONS | SEQUENCE) == CONS {
                result = self.singleton(result)?;
            }
            if let Val::List(list) = &mut result {
                list.flags |= KEEP_SINGLETON;
            }
        }
        match &path.group {
            Some(group) => self.group(group, result, env),
            None => Ok(result),
        }
    }

    /// An array constructor as first step is evaluated once, not for each item of the context.
    fn first_array(&mut self, step: &'a Step, flow: Flow<'a>, env: &Env<'a>) -> Result<Flow<'a>> {
        let input = flow.into_array(self)?;
        let array = match &step.action {
            Action::Evaluate(expr) => self.evaluate(expr, &input, env)?,
            Action::Sort { .. } => input,
        };
        Ok(Flow::Whole { array, sequence: false })
    }

    fn step(&mut self, step: &'a Step, flow: Flow<'a>, env: &Env<'a>, last: bool) -> Result<Flow<'a>> {
        let expr = match &step.action {
            Action::Evaluate(expr) => expr,
            Action::Sort { terms, position } => {
                let input = flow.into_array(self)?;
                let mut array = self.sort_by(terms, *position, input, env)?;
                for stage in &step.stages {
                    if let Stage::Filter(filter) = stage {
                        array = match self.filter(filter, array, env)? {
                            Some(kept) => kept,
                            None => Val::List(self.builder()?.finish(SEQUENCE)?),
                        };
                    }
                }
                return Ok(match array.is_array() {
                    true => Flow::Whole { array, sequence: false },
                    false => Flow::One(array),
                });
            }
        };
        let mut collected = Collected { count: 0, first: Val::Undefined, rest: None };
        if let (Op::Name(field), true, true) = (&expr.op, step.stages.is_empty(), expr.filters.is_empty())
            && expr.group.is_none()
            && !expr.keep_array
        {
            self.select(&flow, field, &mut collected)?;
            return collected.finish(last);
        }
        for at in 0..flow.len() {
            let mut result = Some(self.evaluate(expr, &flow.get(at), env)?);
            for stage in &step.stages {
                if let (Stage::Filter(filter), Some(value)) = (stage, result) {
                    result = self.filter(filter, value, env)?;
                } else {
                    result = None;
                    break;
                }
            }
            match result {
                Some(Val::Undefined) => {}
                Some(value) => collected.add(value, self)?,
                None => collected.add_nothing(self)?,
            }
        }
        collected.finish(last)
    }
}

impl Step {
    pub(super) fn is_variable(&self) -> bool {
        match &self.action {
            Action::Evaluate(expr) => {
                matches!(expr.op, Op::Variable(_) | Op::Context)
            }
            Action::Sort { .. } => false,
        }
    }
}

/// The results of a step. A single result is kept as it is, since the last step does not flatten it.
struct Collected<'a> {
    count: usize,
    first: Val<'a>,
    rest: Option<ListBuilder<'a>>,
}

impl<'a> Collected<'a> {
    fn add(&mut self, value: Val<'a>, evaluator: &Evaluator<'a>) -> Result<()> {
        self.count += 1;
        if self.count == 1 {
            self.first = value;
            return Ok(());
        }
        let rest = self.flatten_first(evaluator)?;
        add_flat(rest, value)
    }

    /// An empty sequence: it counts, but adds no item.
    fn add_nothing(&mut self, evaluator: &Evaluator<'a>) -> Result<()> {
        self.count += 1;
        self.flatten_first(evaluator).map(|_| ())
    }

    fn flatten_first(&mut self, evaluator: &Evaluator<'a>) -> Result<&mut ListBuilder<'a>> {
        if self.rest.is_none() {
            let mut builder = evaluator.builder()?;
            let first = std::mem::take(&mut self.first);
            if !first.is_undefined() {
                add_flat(&mut builder, first)?;
            }
            self.rest = Some(builder);
        }
        match &mut self.rest {
            Some(rest) => Ok(rest),
            None => unreachable!("just set"),
        }
    }

    fn finish(self, last: bool) -> Result<Flow<'a>> {
        if let Some(rest) = self.rest {
            return Ok(Flow::Whole { array: Val::List(rest.finish(SEQUENCE)?), sequence: true });
        }
        if self.count == 0 {
            return Ok(Flow::Whole { array: Val::Undefined, sequence: true });
        }
        let first = self.first;
        if first.is_array() && last && !first.is_sequence() {
            return Ok(Flow::Whole { array: first, sequence: false });
        }
        match first {
            Val::List(mut list) if list.flags & CONS == 0 => {
                list.flags = SEQUENCE;
                Ok(Flow::Whole { array: Val::List(list), sequence: true })
            }
            array @ Val::Array(_) => Ok(Flow::Whole { array, sequence: true }),
            value => Ok(Flow::One(value)),
        }
    }
}

fn add_flat<'a>(list: &mut ListBuilder<'a>, value: Val<'a>) -> Result<()> {
    match value.items() {
        Some(items) if value.flags() & CONS == 0 => list.extend(items),
        _ => list.push(value),
    }
}
