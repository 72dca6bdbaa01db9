//! Filters: `[?(@.price < 10 && @.tags contains 'new')]`.
//!
//! A comparison whose operand is missing is false, whatever its operator, and a path on its own asks whether there is
//! a value other than null: AWS runs an early Jayway, in which `!@.a` holds for `{"a": null}` too.

pub(crate) mod parser;

use std::cmp::Ordering;

use regex::Regex;
use stepwright_value::{Number, Value};

use crate::PathError;
use crate::path::Route;
use crate::select::Budget;

/// A condition on one item.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    /// The operand is there and not null.
    Exists(Operand),
    Compare(Operand, Operator, Operand),
    Matches(Operand, Regex),
}

#[derive(Debug, Clone)]
pub(crate) enum Operand {
    /// `@…`: from the item.
    Item(Route),
    /// `$…`: from the document.
    Document(Route),
    Literal(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    SubsetOf,
    AnyOf,
    NoneOf,
    All,
    Contains,
    Size,
    Empty,
}

impl Filter {
    pub(crate) fn accepts(
        &self,
        item: &Value,
        document: &Value,
        budget: &mut Budget<'_>,
    ) -> Result<bool, PathError> {
        budget.visit()?;
        Ok(match self {
            Filter::Any(filters) => {
                for filter in filters {
                    if filter.accepts(item, document, budget)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::All(filters) => {
                for filter in filters {
                    if !filter.accepts(item, document, budget)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Not(filter) => !filter.accepts(item, document, budget)?,
            Filter::Exists(operand) => operand.look_up(item, document, budget, |value, _| {
                Ok(match value {
                    None | Some(Value::Null) => false,
                    Some(Value::Array(found)) if operand.is_indefinite() => !found.is_empty(),
                    Some(Value::Bool(literal)) if matches!(operand, Operand::Literal(_)) => *literal,
                    Some(_) => true,
                })
            })?,
            Filter::Compare(left, operator, right) => {
                left.look_up(item, document, budget, |left, budget| {
                    let Some(left) = left else { return Ok(false) };
                    right.look_up(item, document, budget, |right, budget| match right {
                        Some(right) => operator.holds(left, right, budget),
                        None => Ok(false),
                    })
                })?
            }
            Filter::Matches(operand, regex) => operand.look_up(item, document, budget, |value, _| {
                Ok(match value {
                    Some(Value::String(text)) => regex.is_match(text),
                    Some(other @ (Value::Number(_) | Value::Bool(_))) => regex.is_match(&other.to_json()),
                    _ => false,
                })
            })?,
        })
    }
}

impl Operand {
    /// Hands the value on; `None` where a definite path finds nothing.
    fn look_up<R>(
        &self,
        item: &Value,
        document: &Value,
        budget: &mut Budget<'_>,
        then: impl FnOnce(Option<&Value>, &mut Budget<'_>) -> Result<R, PathError>,
    ) -> Result<R, PathError> {
        let (route, start) = match self {
            Operand::Literal(value) => return then(Some(value), budget),
            Operand::Item(route) => (route, item),
            Operand::Document(route) => (route, document),
        };
        if route.simple {
            return then(route.find(start), budget);
        }
        match route.select_within(document, start, budget) {
            Ok(value) => then(Some(&value), budget),
            Err(PathError::TooLarge) => Err(PathError::TooLarge),
            Err(_) => then(None, budget),
        }
    }

    fn is_indefinite(&self) -> bool {
        match self {
            Operand::Literal(_) => false,
            Operand::Item(route) | Operand::Document(route) => !route.definite,
        }
    }
}

impl Operator {
    pub(crate) fn named(word: &str) -> Option<Operator> {
        Some(match word.to_ascii_lowercase().as_str() {
            "in" => Operator::In,
            "nin" => Operator::NotIn,
            "subsetof" => Operator::SubsetOf,
            "anyof" => Operator::AnyOf,
            "noneof" => Operator::NoneOf,
            "all" => Operator::All,
            "contains" => Operator::Contains,
            "size" => Operator::Size,
            "empty" => Operator::Empty,
            _ => return None,
        })
    }

    fn holds(self, left: &Value, right: &Value, budget: &mut Budget<'_>) -> Result<bool, PathError> {
        Ok(match self {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Less => compare(left, right) == Some(Ordering::Less),
            Operator::LessOrEqual => compare(left, right).is_some_and(Ordering::is_le),
            Operator::Greater => compare(left, right) == Some(Ordering::Greater),
            Operator::GreaterOrEqual => compare(left, right).is_some_and(Ordering::is_ge),
            Operator::In => is_member(left, right, budget)?,
            Operator::NotIn => !is_member(left, right, budget)?,
            Operator::SubsetOf => count_in(left, right, budget)? == len(left),
            Operator::AnyOf => count_in(left, right, budget)?.is_some_and(|count| count > 0),
            Operator::NoneOf => count_in(left, right, budget)?.is_some_and(|count| count == 0),
            Operator::All => count_in(right, left, budget)? == len(right),
            Operator::Contains => match (left, right) {
                (Value::String(text), Value::String(part)) => text.contains(&**part),
                _ => is_member(right, left, budget)?,
            },
            Operator::Size => {
                len(left).is_some() && len(left).and_then(|len| i64::try_from(len).ok()) == right.as_i64()
            }
            Operator::Empty => len(left).is_some_and(|len| right.as_bool() == Some(len == 0)),
        })
    }
}

fn len(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::String(text) => Some(text.chars().count()),
        _ => None,
    }
}

fn is_member(value: &Value, of: &Value, budget: &mut Budget<'_>) -> Result<bool, PathError> {
    let Value::Array(items) = of else { return Ok(false) };
    for item in items {
        budget.visit()?;
        if item == value {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many of the items of `left` are in `right`; `None` unless both are arrays.
fn count_in(left: &Value, right: &Value, budget: &mut Budget<'_>) -> Result<Option<usize>, PathError> {
    let (Value::Array(items), Value::Array(_)) = (left, right) else { return Ok(None) };
    let mut count = 0;
    for item in items {
        count += usize::from(is_member(item, right, budget)?);
    }
    Ok(Some(count))
}

/// The order of two values of one kind; `None` where there is none.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right),
        // As Java compares strings.
        (Value::String(left), Value::String(right)) => Some(left.encode_utf16().cmp(right.encode_utf16())),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => None,
    }
}

fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64().partial_cmp(&right.as_f64()),
    }
}
