//! Infix and prefix operators.

use super::{Env, Evaluator};
use crate::fault::{Fault, Result};
use crate::program::Expr;
use crate::syntax::Operator;
use crate::value::{List, SEQUENCE, Text, Val, stringify, to_message};

/// Longest range.
const RANGE_MAX: i128 = 10_000_000;

impl<'a> Evaluator<'a> {
    pub(super) fn infix(
        &mut self,
        operator: Operator,
        sides: &'a (Expr, Expr),
        position: usize,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let left = self.evaluate(&sides.0, input, env)?;
        let result = match operator {
            Operator::And | Operator::Or => self.logic(operator, &left, &sides.1, input, env),
            _ => {
                let right = self.evaluate(&sides.1, input, env)?;
                self.combine(operator, left, right)
            }
        };
        result.map_err(|mut fault| {
            if !fault.limit {
                fault.position = Some(position);
                fault.token = Some(crate::fault::json_string(operator.token()));
            }
            fault
        })
    }

    fn logic(
        &mut self,
        operator: Operator,
        left: &Val<'a>,
        right: &'a Expr,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let left = left.to_bool()?;
        if left == (operator == Operator::Or) {
            return Ok(Val::Bool(left));
        }
        Ok(Val::Bool(self.evaluate(right, input, env)?.to_bool()?))
    }

    fn combine(&mut self, operator: Operator, left: Val<'a>, right: Val<'a>) -> Result<Val<'a>> {
        match operator {
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => arithmetic(operator, &left, &right),
            Operator::Equal | Operator::NotEqual => {
                let comparable = !left.is_undefined() && !right.is_undefined();
                Ok(Val::Bool(comparable && left.is_equal(&right) == (operator == Operator::Equal)))
            }
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                compare(operator, &left, &right)
            }
            Operator::Concatenate => self.concatenate(&left, &right),
            Operator::Range => self.range(&left, &right),
            Operator::In => Ok(Val::Bool(contains(&left, &right))),
            Operator::And | Operator::Or => Ok(Val::Undefined),
        }
    }

    fn concatenate(&mut self, left: &Val<'a>, right: &Val<'a>) -> Result<Val<'a>> {
        let held = |value: &Val<'a>| value.as_str().map_or(0, str::len);
        let length = held(left) + held(right);
        // Asked for before the text is made, so that doubling a long text never allocates.
        drop(self.meter.hold(length)?);
        let mut text = String::with_capacity(length);
        for side in [left, right] {
            append_string(side, &mut text)?;
        }
        Ok(Val::Text(Text::new(text, self.meter)?))
    }

    pub(super) fn range(&mut self, left: &Val<'a>, right: &Val<'a>) -> Result<Val<'a>> {
        let from = whole_side(left, "T2003")?;
        let to = whole_side(right, "T2004")?;
        let (Some(from), Some(to)) = (from, to) else { return Ok(Val::Undefined) };
        if from > to {
            return Ok(Val::Undefined);
        }
        let size = i128::from(to) - i128::from(from) + 1;
        if size > RANGE_MAX {
            return Err(Fault::new("D2014").value(size.to_string()));
        }
        if size > self.sequence_max as i128 {
            return Err(Fault::new("D2015").value(size.to_string()));
        }
        let size = size as usize;
        drop(self.meter.hold(size * crate::limits::ITEM_BYTES + crate::limits::CONTAINER_BYTES)?);
        self.meter.spend(size as u64)?;
        let items = (from..=to).map(Val::Int).collect();
        Ok(Val::List(List::new(items, SEQUENCE, self.meter)?))
    }

    pub(super) fn negate(
        &mut self,
        operand: &'a Expr,
        position: usize,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let value = self.evaluate(operand, input, env)?;
        Ok(match value {
            Val::Undefined => Val::Undefined,
            Val::Int(int) => int.checked_neg().map_or(Val::Float(-(int as f64)), Val::Int),
            Val::Float(number) if value.is_numeric()? => Val::Float(-number),
            other => {
                return Err(Fault::new("D1002").at(position).token("-").value(to_message(&other)));
            }
        })
    }
}

/// Appends what `$string` makes of a value; nothing for undefined.
pub(crate) fn append_string(value: &Val<'_>, out: &mut String) -> Result<()> {
    match value {
        Val::Undefined | Val::Function(_) => Ok(()),
        Val::Text(text) => {
            out.push_str(text.as_str());
            Ok(())
        }
        Val::Float(number) if !number.is_finite() => Err(Fault::new("D3001").value("null".to_owned())),
        Val::List(list) if list.flags & crate::value::OUTER_WRAPPER != 0 => {
            stringify(list.items().first().unwrap_or(&Val::Undefined), false, out)
        }
        other => stringify(other, false, out),
    }
}

fn arithmetic<'a>(operator: Operator, left: &Val<'a>, right: &Val<'a>) -> Result<Val<'a>> {
    if let (Val::Int(a), Val::Int(b)) = (left, right) {
        let exact = match operator {
            Operator::Add => a.checked_add(*b),
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Remainder => a.checked_rem(*b),
            _ => None,
        };
        if let Some(int) = exact {
            return Ok(Val::Int(int));
        }
    }
    for (side, code) in [(left, "T2001"), (right, "T2002")] {
        if !side.is_undefined() && !side.is_numeric()? {
            return Err(Fault::new(code).value(to_message(side)));
        }
    }
    let (Some(a), Some(b)) = (left.as_f64(), right.as_f64()) else { return Ok(Val::Undefined) };
    Ok(Val::number(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        _ => a % b,
    }))
}

fn compare<'a>(operator: Operator, left: &Val<'a>, right: &Val<'a>) -> Result<Val<'a>> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let orderable = |value: &Val<'a>| matches!(value, Val::Int(_) | Val::Float(_) | Val::Text(_));
    for side in [left, right] {
        if !side.is_undefined() && !orderable(side) {
            let culprit = if orderable(left) { right } else { left };
            return Err(Fault::new("T2010").value(to_message(culprit)));
        }
    }
    if left.is_undefined() || right.is_undefined() {
        return Ok(Val::Undefined);
    }
    if left.as_str().is_some() != right.as_str().is_some() {
        return Err(Fault::new("T2009").value(to_message(left)).value2(to_message(right)));
    }
    let ordering = left.compare(right);
    Ok(Val::Bool(match operator {
        Operator::Less => ordering == Some(Less),
        Operator::LessEqual => matches!(ordering, Some(Less | Equal)),
        Operator::Greater => ordering == Some(Greater),
        _ => matches!(ordering, Some(Greater | Equal)),
    }))
}

fn contains<'a>(left: &Val<'a>, right: &Val<'a>) -> bool {
    if left.is_undefined() || right.is_undefined() {
        return false;
    }
    match right.items() {
        Some(items) => (0..items.len()).any(|at| items.get(at).is_equal(left)),
        None => right.is_equal(left),
    }
}

/// One end of a range.
fn whole_side(value: &Val<'_>, code: &'static str) -> Result<Option<i64>> {
    match value {
        Val::Undefined => Ok(None),
        Val::Int(int) => Ok(Some(*int)),
        Val::Float(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => Ok(Some(*number as i64)),
        other => Err(Fault::new(code).value(to_message(other))),
    }
}
