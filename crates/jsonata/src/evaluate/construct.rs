//! Array constructors.

use super::{Env, Evaluator};
use crate::fault::Result;
use crate::program::ArrayItem;
use crate::value::{CONS, Val};

impl<'a> Evaluator<'a> {
    pub(super) fn array(
        &mut self,
        items: &'a [ArrayItem],
        cons: bool,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let flags = if cons { CONS } else { 0 };
        if let [only] = items
            && !only.whole
        {
            // One array, a range for example, becomes the result without a copy.
            let value = self.evaluate(&only.expr, input, env)?;
            if let Val::List(mut list) = value {
                list.flags = flags;
                return Ok(Val::List(list));
            }
            return self.array_of([(value, false)].into_iter(), flags);
        }
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push((self.evaluate(&item.expr, input, env)?, item.whole));
        }
        self.array_of(values.into_iter(), flags)
    }

    fn array_of(&mut self, values: impl Iterator<Item = (Val<'a>, bool)>, flags: u8) -> Result<Val<'a>> {
        let mut result = self.builder()?;
        for (value, whole) in values {
            match value.items() {
                Some(items) if !whole => result.extend(items)?,
                _ if value.is_undefined() => {}
                _ => result.push(value)?,
            }
        }
        Ok(Val::List(result.finish(flags)?))
    }
}
