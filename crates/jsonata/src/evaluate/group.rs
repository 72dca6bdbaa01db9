//! Object constructors and grouping, which are one thing: items are grouped by the values of the key expressions, then
//! each group's value expression is evaluated once.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Env, Evaluator, Tuple};
use crate::fault::{Fault, Result};
use crate::program::{Group, Op};
use crate::syntax::Literal;
use crate::value::{List, Map, TUPLE_STREAM, Text, Val, to_message};

/// More groups than this are found by an index.
const INDEX_FROM: usize = 12;

/// The items of one group.
struct Entry<'a> {
    key: Text<'a>,
    pair: usize,
    data: Data<'a>,
}

/// What has been appended so far, by the rules of `$append`: a single item is not an array yet.
enum Data<'a> {
    One(Val<'a>),
    Many(Vec<Val<'a>>),
}

impl<'a> Data<'a> {
    fn append(&mut self, item: Val<'a>) {
        match self {
            Data::One(Val::Undefined) => *self = Data::One(item),
            _ if item.is_undefined() => {}
            Data::One(first) => {
                let mut items = Vec::new();
                add(&mut items, std::mem::take(first));
                add(&mut items, item);
                *self = Data::Many(items);
            }
            Data::Many(items) => add(items, item),
        }
    }
}

fn add<'a>(items: &mut Vec<Val<'a>>, item: Val<'a>) {
    match item.items() {
        Some(inner) => items.extend(inner.to_vec()),
        None => items.push(item),
    }
}

#[derive(Default)]
struct Groups<'a> {
    entries: Vec<Entry<'a>>,
    index: HashMap<Rc<str>, usize>,
}

impl<'a> Groups<'a> {
    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            return self.entries.iter().position(|entry| entry.key.as_str() == key);
        }
        self.index.get(key).copied()
    }

    fn push(&mut self, entry: Entry<'a>) {
        if !self.index.is_empty() {
            self.index.insert(entry.key.as_str().into(), self.entries.len());
        }
        self.entries.push(entry);
        if self.index.is_empty() && self.entries.len() > INDEX_FROM {
            let places = self.entries.iter().enumerate().map(|(at, entry)| (entry.key.as_str().into(), at));
            self.index = places.collect();
        }
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn group(&mut self, group: &'a Group, input: Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        if group.literal_keys && !input.is_array() {
            return self.literal_object(group, &input, env);
        }
        let tuples = input.flags() & TUPLE_STREAM != 0;
        let mut groups = Groups::default();
        match input.items() {
            Some(items) if !items.is_empty() || tuples => {
                self.meter.spend(items.len() as u64)?;
                for at in 0..items.len() {
                    self.group_item(group, items.get(at), tuples, env, &mut groups)?;
                }
            }
            // An empty array still makes one object, about nothing.
            Some(_) => self.group_item(group, Val::Undefined, tuples, env, &mut groups)?,
            None => self.group_item(group, input.clone(), tuples, env, &mut groups)?,
        }
        let result = Map::new(self.meter)?;
        for Entry { key, pair, data } in groups.entries {
            let Some((_, value)) = group.pairs.get(pair) else { continue };
            let context = match data {
                Data::One(item) => item,
                Data::Many(items) => Val::List(List::new(items, 0, self.meter)?),
            };
            let value = if tuples {
                let tuple = self.merge_tuples(context)?;
                let scope = tuple.scope(env)?;
                self.evaluate(value, &tuple.context, &scope)?
            } else {
                self.evaluate(value, &context, env)?
            };
            if !value.is_undefined() {
                result.insert(key, value)?;
            }
        }
        Ok(Val::Map(Rc::new(result)))
    }

    /// An object with known keys about one item.
    fn literal_object(&mut self, group: &'a Group, item: &Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        let result = Map::with_capacity(group.pairs.len(), self.meter)?;
        for (key, value) in &group.pairs {
            let value = self.evaluate(value, item, env)?;
            if let (Op::Literal(Literal::Text(key)), false) = (&key.op, value.is_undefined()) {
                result.insert(Text::Shared(key), value)?;
            }
        }
        Ok(Val::Map(Rc::new(result)))
    }

    fn group_item(
        &mut self,
        group: &'a Group,
        item: Val<'a>,
        tuples: bool,
        env: &Env<'a>,
        groups: &mut Groups<'a>,
    ) -> Result<()> {
        let scope = match &item {
            Val::Tuple(tuple) if tuples => Some(tuple.scope(env)?),
            _ => None,
        };
        for (number, (key, _)) in group.pairs.iter().enumerate() {
            let key = match (&item, &scope) {
                (Val::Tuple(tuple), Some(scope)) => self.evaluate(key, &tuple.context, scope)?,
                _ => self.evaluate(key, &item, env)?,
            };
            let key = match key {
                Val::Undefined => continue,
                Val::Text(key) => key,
                other => return Err(Fault::new("T1003").at(group.position).value(to_message(&other))),
            };
            match groups.position(key.as_str()) {
                None => groups.push(Entry { key, pair: number, data: Data::One(item.clone()) }),
                Some(at) => match groups.entries.get_mut(at) {
                    Some(entry) if entry.pair == number => entry.data.append(item.clone()),
                    _ => {
                        let name = crate::fault::json_string(key.as_str());
                        return Err(Fault::new("D1009").at(group.position).value(name));
                    }
                },
            }
        }
        Ok(())
    }

    /// The tuples of one group as a single one: contexts and variables appended.
    fn merge_tuples(&mut self, tuples: Val<'a>) -> Result<Tuple<'a>> {
        let items = match &tuples {
            Val::Tuple(tuple) => return Ok(Tuple::clone(tuple)),
            other => other.items().map_or_else(Vec::new, |items| items.to_vec()),
        };
        let mut context = Data::One(Val::Undefined);
        let mut variables: Vec<(u32, Data<'a>)> = Vec::new();
        for item in items {
            let Val::Tuple(tuple) = item else { continue };
            context.append(tuple.context.clone());
            for (name, value) in &tuple.variables {
                match variables.iter_mut().find(|(candidate, _)| candidate == name) {
                    Some((_, data)) => data.append(value.clone()),
                    None => variables.push((*name, Data::One(value.clone()))),
                }
            }
        }
        let close = |data: Data<'a>, evaluator: &Evaluator<'a>| -> Result<Val<'a>> {
            Ok(match data {
                Data::One(value) => value,
                Data::Many(items) => Val::List(List::new(items, 0, evaluator.meter)?),
            })
        };
        let context = close(context, self)?;
        let variables = variables
            .into_iter()
            .map(|(name, data)| Ok((name, close(data, self)?)))
            .collect::<Result<_>>()?;
        Ok(Tuple { context, variables })
    }
}

/// `$append`: both as arrays, one after the other; undefined adds nothing.
pub(crate) fn append<'a>(evaluator: &Evaluator<'a>, first: Val<'a>, second: Val<'a>) -> Result<Val<'a>> {
    if first.is_undefined() {
        return Ok(second);
    }
    if second.is_undefined() {
        return Ok(first);
    }
    let mut result = evaluator.builder()?;
    for value in [first, second] {
        match value.items() {
            Some(items) => result.extend(items)?,
            None => result.push(value)?,
        }
    }
    Ok(Val::List(result.finish(0)?))
}
