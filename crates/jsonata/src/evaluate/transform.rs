//! `|pattern|update, delete|`: a copy of an object, changed in place where the pattern matches.

use std::rc::Rc;

use super::{Env, Evaluator, Function};
use crate::fault::{Fault, Result};
use crate::program::Transform;
use crate::syntax::TypeSymbol;
use crate::value::{List, Map, Text, Val, decimal_text, to_message};

impl<'a> Evaluator<'a> {
    pub(super) fn transform(
        &mut self,
        transform: &'a Transform,
        subject: Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        match subject.symbol() {
            TypeSymbol::Object | TypeSymbol::Array => {}
            TypeSymbol::Missing => return Ok(Val::Undefined),
            _ => return Err(Fault::new("T0410").index(1)),
        }
        let result = match self.variable(transform.clone, env) {
            Val::Function(function) => match &*function.function {
                Function::Builtin(builtin) if builtin.name == "clone" => self.deep_copy(&subject)?,
                _ => self.apply(&function, vec![subject], &Val::Null)?,
            },
            _ => return Err(Fault::new("T2013").at(transform.position)),
        };
        let matches = self.evaluate(&transform.pattern, &result, env)?;
        let matches = match matches.items() {
            Some(items) => items.to_vec(),
            None if matches.is_undefined() => Vec::new(),
            None => vec![matches],
        };
        for matched in matches {
            self.update(transform, &matched, env)?;
            self.delete(transform, &matched, env)?;
        }
        Ok(result)
    }

    fn update(&mut self, transform: &'a Transform, matched: &Val<'a>, env: &Env<'a>) -> Result<()> {
        let update = self.evaluate(&transform.update, matched, env)?;
        if update.is_undefined() {
            return Ok(());
        }
        let Some(members) = update.members() else {
            return Err(Fault::new("T2011").at(transform.update.position).value(to_message(&update)));
        };
        // What is no object has no members to change.
        let Val::Map(target) = matched else { return Ok(()) };
        for (key, value) in members.to_vec() {
            // An object must not come to hold itself.
            let value = if holds(&value, target) { self.deep_copy(&value)? } else { value };
            target.insert(key, value)?;
        }
        Ok(())
    }

    fn delete(&mut self, transform: &'a Transform, matched: &Val<'a>, env: &Env<'a>) -> Result<()> {
        let Some(delete) = &transform.delete else { return Ok(()) };
        let keys = self.evaluate(delete, matched, env)?;
        let list = match keys.items() {
            Some(items) => items.to_vec(),
            None if keys.is_undefined() => return Ok(()),
            None => vec![keys.clone()],
        };
        if list.iter().any(|key| key.as_str().is_none()) {
            return Err(Fault::new("T2012").at(delete.position).value(to_message(&keys)));
        }
        if let Val::Map(target) = matched {
            list.iter().filter_map(Val::as_str).for_each(|key| target.remove(key));
        }
        Ok(())
    }

    /// `$clone`: what would be read back from the value's JSON text.
    pub(crate) fn deep_copy(&mut self, value: &Val<'a>) -> Result<Val<'a>> {
        self.meter.spend(1)?;
        if let Some(items) = value.items() {
            let mut copies = Vec::with_capacity(items.len());
            for at in 0..items.len() {
                copies.push(match self.deep_copy(&items.get(at))? {
                    Val::Undefined => Val::Null,
                    copy => copy,
                });
            }
            return Ok(Val::List(List::new(copies, 0, self.meter)?));
        }
        if let Some(members) = value.members() {
            let map = Map::new(self.meter)?;
            for (key, value) in members.to_vec() {
                if !value.is_undefined() {
                    map.insert(key, self.deep_copy(&value)?)?;
                }
            }
            return Ok(Val::Map(Rc::new(map)));
        }
        Ok(match value {
            Val::Float(number) if value.is_numeric()? => {
                Val::Float(decimal_text(*number).parse().unwrap_or(*number))
            }
            Val::Float(_) => Val::Null,
            Val::Function(_) => Val::Text(Text::Static("")),
            other => other.clone(),
        })
    }
}

/// Whether `target` is `value` or within it.
fn holds<'a>(value: &Val<'a>, target: &Rc<Map<'a>>) -> bool {
    match value {
        Val::Map(map) => {
            Rc::ptr_eq(map, target)
                || value
                    .members()
                    .is_some_and(|members| members.to_vec().iter().any(|(_, value)| holds(value, target)))
        }
        Val::List(list) => list.items().iter().any(|item| holds(item, target)),
        _ => false,
    }
}
