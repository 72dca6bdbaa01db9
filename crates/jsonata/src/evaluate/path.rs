//! Paths: each step is evaluated for each item of the step before, and the results are flattened into one sequence.

use std::rc::Rc;

use stepwright_value::Value;

use super::filter::place;
use super::{Env, Evaluator, Tuple, lookup};
use crate::fault::{Fault, Result};
use crate::program::{Action, Expr, Field, Filter, Op, Path, Stage, Step};
use crate::value::{
    CONS, KEEP_SINGLETON, List, ListBuilder, OUTER_WRAPPER, SEQUENCE, TUPLE_STREAM, Val, from_json,
};

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
        let mut tuple_stream = false;
        let last = path.steps.len().saturating_sub(1);
        for (at, step) in path.steps.iter().enumerate().skip(start) {
            tuple_stream |= step.tuple;
            if at == 0 && step.cons_array {
                let array = self.first_array(step, &flow, env)?;
                if step.focus.is_none() {
                    flow = array;
                }
            } else if tuple_stream {
                let bindings = match tuples.take() {
                    None if matches!(step.action, Action::Sort { .. }) => None,
                    None => Some(self.plain_tuples(&flow)),
                    bindings => bindings,
                };
                tuples = Some(self.tuple_step(step, &mut flow, bindings, env)?);
            } else {
                flow = self.step(step, flow, env, at == last)?;
            }
            if !tuple_stream && flow.is_empty() {
                break;
            }
        }
        if tuple_stream {
            let tuples = tuples.ok_or_else(|| Fault::host("tupleBindings is not an array"))?;
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
            for stage in &step.stages {
                if let Stage::Filter(Filter::Index(number)) = stage {
                    current = pick(*number, current);
                }
            }
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
    fn select(&mut self, flow: &Flow<'a>, field: &Field, last: bool) -> Result<Flow<'a>> {
        if self.depth >= self.depth_max {
            return Err(Fault::stack());
        }
        self.meter.spend(flow.len() as u64)?;
        let mut collected = Collected::new(self)?;
        match flow {
            Flow::Whole { array: Val::Array(array), .. } => {
                for item in array.iter() {
                    match item {
                        Value::Object(object) => {
                            if let Some(value) = field.of(object) {
                                collected.add(from_json(value))?;
                            }
                        }
                        Value::Array(_) => self.select_from(&from_json(item), field, &mut collected)?,
                        _ => {}
                    }
                }
            }
            Flow::Whole { array: Val::List(list), .. } => {
                for item in list.items() {
                    match item {
                        Val::Object(object) => {
                            if let Some(value) = field.of(object) {
                                collected.add(from_json(value))?;
                            }
                        }
                        _ => self.select_from(item, field, &mut collected)?,
                    }
                }
            }
            Flow::One(item) => self.select_from(item, field, &mut collected)?,
            Flow::Whole { .. } => {}
        }
        collected.finish(last)
    }

    fn select_from(&mut self, item: &Val<'a>, field: &Field, collected: &mut Collected<'a>) -> Result<()> {
        match lookup(self, item, &field.name)? {
            Val::Undefined => Ok(()),
            Val::List(list) if list.flags & SEQUENCE != 0 => match super::finish(list, false) {
                Val::Undefined => Ok(()),
                value => collected.add(value),
            },
            value => collected.add(value),
        }
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
    fn first_array(&mut self, step: &'a Step, flow: &Flow<'a>, env: &Env<'a>) -> Result<Flow<'a>> {
        let input = match flow {
            Flow::One(value) => self.singleton(value.clone())?,
            Flow::Whole { array, .. } => array.clone(),
        };
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
        if let (Op::Name(field), true, true) = (&expr.op, step.stages.is_empty(), expr.filters.is_empty())
            && expr.group.is_none()
            && !expr.keep_array
        {
            return self.select(&flow, field, last);
        }
        if let Flow::One(item) = &flow {
            let result = self.step_result(expr, &step.stages, item, env)?;
            return Ok(only_result(result.unwrap_or_default(), last));
        }
        let mut collected = Collected::new(self)?;
        for at in 0..flow.len() {
            match self.step_result(expr, &step.stages, &flow.get(at), env)? {
                Some(Val::Undefined) => {}
                Some(value) => collected.add(value)?,
                None => collected.add_nothing()?,
            }
        }
        collected.finish(last)
    }

    /// What a step makes of one item; `None` for an empty sequence.
    fn step_result(
        &mut self,
        expr: &'a Expr,
        stages: &'a [Stage],
        item: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Option<Val<'a>>> {
        let mut result = self.evaluate(expr, item, env)?;
        for stage in stages {
            let Stage::Filter(filter) = stage else { continue };
            match self.filter(filter, result, env)? {
                Some(kept) => result = kept,
                None => return Ok(None),
            }
        }
        Ok(Some(result))
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

/// The results of a step. An only result is kept as it is, since the last step does not flatten it.
struct Collected<'a> {
    count: usize,
    /// The first result, when it is an array that a second one would flatten.
    pending: Val<'a>,
    list: ListBuilder<'a>,
}

impl<'a> Collected<'a> {
    fn new(evaluator: &Evaluator<'a>) -> Result<Collected<'a>> {
        Ok(Collected { count: 0, pending: Val::Undefined, list: evaluator.builder()? })
    }

    #[inline]
    fn add(&mut self, value: Val<'a>) -> Result<()> {
        self.count += 1;
        if !value.is_array() && self.pending.is_undefined() {
            return self.list.push(value);
        }
        if self.count == 1 && value.flags() & CONS == 0 {
            self.pending = value;
            return Ok(());
        }
        self.flatten_pending()?;
        add_flat(&mut self.list, value)
    }

    /// An empty sequence: it counts, but adds no item.
    fn add_nothing(&mut self) -> Result<()> {
        self.count += 1;
        self.flatten_pending()
    }

    fn flatten_pending(&mut self) -> Result<()> {
        match std::mem::take(&mut self.pending) {
            Val::Undefined => Ok(()),
            pending => add_flat(&mut self.list, pending),
        }
    }

    fn finish(self, last: bool) -> Result<Flow<'a>> {
        if !self.pending.is_undefined() {
            return Ok(only_result(self.pending, last));
        }
        if self.list.len() == 0 {
            return Ok(Flow::Whole { array: Val::Undefined, sequence: true });
        }
        Ok(Flow::Whole { array: Val::List(self.list.finish(SEQUENCE)?), sequence: true })
    }
}

/// What an only result makes of the sequence of a step.
fn only_result(value: Val<'_>, last: bool) -> Flow<'_> {
    match value {
        Val::Undefined => Flow::Whole { array: value, sequence: true },
        Val::List(mut list) if list.flags & CONS == 0 && !(last && list.flags & SEQUENCE == 0) => {
            list.flags = SEQUENCE;
            Flow::Whole { array: Val::List(list), sequence: true }
        }
        Val::List(list) if last && list.flags & SEQUENCE == 0 => {
            Flow::Whole { array: Val::List(list), sequence: false }
        }
        Val::Array(_) => Flow::Whole { array: value, sequence: !last },
        value => Flow::One(value),
    }
}

/// The item at a literal index.
fn pick<'a>(number: f64, value: Val<'a>) -> Val<'a> {
    match value.items() {
        Some(items) => place(number, items.len()).map_or(Val::Undefined, |at| items.get(at)),
        None if place(number, 1).is_some() => value,
        None => Val::Undefined,
    }
}

fn add_flat<'a>(list: &mut ListBuilder<'a>, value: Val<'a>) -> Result<()> {
    match value.items() {
        Some(items) if value.flags() & CONS == 0 => list.extend(items),
        _ => list.push(value),
    }
}
