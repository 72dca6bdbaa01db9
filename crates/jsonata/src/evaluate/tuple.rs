//! Path steps that carry variables along with the items: `@$x`, `#$i`, and the labels of `%`.

use std::rc::Rc;

use super::path::Flow;
use super::{Env, Evaluator, Tuple};
use crate::fault::Result;
use crate::program::{Action, Stage, Step};
use crate::value::{List, SEQUENCE, TUPLE_STREAM, Val};

impl<'a> Evaluator<'a> {
    /// The items of a flow, with no variables yet.
    pub(super) fn plain_tuples(&self, flow: &Flow<'a>) -> Vec<Rc<Tuple<'a>>> {
        let tuple = |at| match flow.get(at) {
            Val::Tuple(tuple) => tuple,
            context => Rc::new(Tuple { context, variables: Vec::new() }),
        };
        (0..flow.len()).map(tuple).collect()
    }

    /// One step; `bindings` is missing when a sort is the first step to bind something.
    pub(super) fn tuple_step(
        &mut self,
        step: &'a Step,
        flow: &mut Flow<'a>,
        bindings: Option<Vec<Rc<Tuple<'a>>>>,
        env: &Env<'a>,
    ) -> Result<Vec<Rc<Tuple<'a>>>> {
        let result = match &step.action {
            Action::Sort { terms, position } => {
                let had_bindings = bindings.is_some();
                let input = match bindings {
                    Some(bindings) => self.stream(bindings)?,
                    None => {
                        let items = (0..flow.len()).map(|at| flow.get(at)).collect();
                        Val::List(List::new(items, SEQUENCE, self.meter)?)
                    }
                };
                let sorted = self.sort_by(terms, *position, input, env)?;
                let mut tuples = to_tuples(&sorted);
                if let (false, Some(index)) = (had_bindings, step.index) {
                    for (at, tuple) in tuples.iter_mut().enumerate() {
                        Rc::make_mut(tuple).set(index, Val::Int(at as i64));
                    }
                }
                tuples
            }
            Action::Evaluate(expr) => {
                let mut result = Vec::new();
                for tuple in bindings.unwrap_or_default() {
                    let scope = tuple.scope(env)?;
                    let value = self.evaluate(expr, &tuple.context, &scope)?;
                    self.extend_tuples(step, &tuple, &value, &mut result)?;
                }
                result
            }
        };
        self.stages(step, result, env)
    }

    fn extend_tuples(
        &mut self,
        step: &'a Step,
        tuple: &Rc<Tuple<'a>>,
        value: &Val<'a>,
        result: &mut Vec<Rc<Tuple<'a>>>,
    ) -> Result<()> {
        let count = match value {
            Val::Undefined => return Ok(()),
            value => value.items().map_or(1, |items| items.len()),
        };
        self.meter.spend(count as u64)?;
        for at in 0..count {
            let item = value.items().map_or_else(|| value.clone(), |items| items.get(at));
            let mut next = Tuple::clone(tuple);
            match item {
                Val::Tuple(inner) if value.flags() & TUPLE_STREAM != 0 => {
                    next.context = inner.context.clone();
                    for (name, value) in &inner.variables {
                        next.set(*name, value.clone());
                    }
                }
                item => {
                    match step.focus {
                        Some(focus) => next.set(focus, item),
                        None => next.context = item,
                    }
                    if let Some(index) = step.index {
                        next.set(index, Val::Int(at as i64));
                    }
                    if let Some(ancestor) = step.ancestor {
                        next.set(ancestor, tuple.context.clone());
                    }
                }
            }
            result.push(Rc::new(next));
        }
        Ok(())
    }

    fn stages(
        &mut self,
        step: &'a Step,
        tuples: Vec<Rc<Tuple<'a>>>,
        env: &Env<'a>,
    ) -> Result<Vec<Rc<Tuple<'a>>>> {
        let mut tuples = tuples;
        for stage in &step.stages {
            match stage {
                Stage::Filter(filter) => {
                    let input = self.stream(tuples)?;
                    tuples = match self.filter(filter, input, env)? {
                        Some(kept) => to_tuples(&kept),
                        None => Vec::new(),
                    };
                }
                Stage::Index(name) => {
                    for (at, tuple) in tuples.iter_mut().enumerate() {
                        Rc::make_mut(tuple).set(*name, Val::Int(at as i64));
                    }
                }
            }
        }
        Ok(tuples)
    }

    fn stream(&self, tuples: Vec<Rc<Tuple<'a>>>) -> Result<Val<'a>> {
        let items = tuples.into_iter().map(Val::Tuple).collect();
        Ok(Val::List(List::new(items, SEQUENCE | TUPLE_STREAM, self.meter)?))
    }
}

fn to_tuples<'a>(value: &Val<'a>) -> Vec<Rc<Tuple<'a>>> {
    let tuple = |item: Val<'a>| match item {
        Val::Tuple(tuple) => tuple,
        context => Rc::new(Tuple { context, variables: Vec::new() }),
    };
    match value.items() {
        Some(items) => items.to_vec().into_iter().map(tuple).collect(),
        None => vec![tuple(value.clone())],
    }
}
