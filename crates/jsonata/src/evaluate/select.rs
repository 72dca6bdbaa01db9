//! Names, wildcards and descendants: what a step selects from an item.

use super::Evaluator;
use crate::fault::Result;
use crate::value::{Items, ListBuilder, OUTER_WRAPPER, SEQUENCE, Val};

/// The member `key` of an object; of an array, the members of its items in one sequence.
#[inline]
pub(crate) fn lookup<'a>(evaluator: &Evaluator<'a>, input: &Val<'a>, key: &str) -> Result<Val<'a>> {
    if let Some(members) = input.members() {
        return Ok(members.get(key).unwrap_or_default());
    }
    let Some(items) = input.items() else { return Ok(Val::Undefined) };
    lookup_all(evaluator, items, key)
}

fn lookup_all<'a>(evaluator: &Evaluator<'a>, items: Items<'_, 'a>, key: &str) -> Result<Val<'a>> {
    evaluator.meter.spend(items.len() as u64)?;
    let mut result = evaluator.builder()?;
    for at in 0..items.len() {
        let found = lookup(evaluator, &items.get(at), key)?;
        match found.items() {
            Some(inner) => result.extend(inner)?,
            None if found.is_undefined() => {}
            None => result.push(found)?,
        }
    }
    Ok(Val::List(result.finish(SEQUENCE)?))
}

impl<'a> Evaluator<'a> {
    /// `*`: all members of an object, all items of an array, arrays flattened.
    pub(super) fn wildcard(&mut self, input: &Val<'a>) -> Result<Val<'a>> {
        let unwrapped = match input {
            Val::List(list) if list.flags & OUTER_WRAPPER != 0 => list.items().first().cloned(),
            _ => None,
        };
        let input = unwrapped.as_ref().unwrap_or(input);
        let values: Vec<Val<'a>> = match (input.members(), input.items()) {
            (Some(members), _) => members.to_vec().into_iter().map(|(_, value)| value).collect(),
            (_, Some(items)) => items.to_vec(),
            _ => Vec::new(),
        };
        let mut result = self.builder()?;
        // Appending an array makes a plain array of the sequence.
        let mut flags = SEQUENCE;
        for value in values {
            if value.is_array() {
                flags = 0;
                flatten(&value, &mut result)?;
            } else {
                result.push(value)?;
            }
        }
        Ok(Val::List(result.finish(flags)?))
    }

    /// `**`: the item and everything below it.
    pub(super) fn descendants(&mut self, input: &Val<'a>) -> Result<Val<'a>> {
        if input.is_undefined() {
            return Ok(Val::Undefined);
        }
        let mut result = self.builder()?;
        descend(input, &mut result)?;
        Ok(Val::List(result.finish(SEQUENCE)?))
    }
}

fn flatten<'a>(value: &Val<'a>, result: &mut ListBuilder<'a>) -> Result<()> {
    let Some(items) = value.items() else { return result.push(value.clone()) };
    for at in 0..items.len() {
        flatten(&items.get(at), result)?;
    }
    Ok(())
}

fn descend<'a>(value: &Val<'a>, result: &mut ListBuilder<'a>) -> Result<()> {
    if let Some(items) = value.items() {
        for at in 0..items.len() {
            descend(&items.get(at), result)?;
        }
        return Ok(());
    }
    result.push(value.clone())?;
    if let Some(members) = value.members() {
        for (_, value) in members.to_vec() {
            descend(&value, result)?;
        }
    }
    Ok(())
}
