//! The comparisons of JSONPath choice rules.

use std::cmp::Ordering;

use stepwright_asl::program::{Comparison, Operand, Operator};
use stepwright_jsonpath::string_matches;
use stepwright_types::timestamp;
use stepwright_value::Value;

use crate::fault::Fault;
use crate::scene::Scene;

/// Whether a rule's test holds for `input`. Recursion is bounded by the definition's depth.
pub(crate) fn holds(scene: &mut Scene<'_>, test: &Comparison, input: &Value) -> Result<bool, Fault> {
    match test {
        Comparison::And(tests) => {
            for test in tests {
                if !holds(scene, test, input)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Comparison::Or(tests) => {
            for test in tests {
                if holds(scene, test, input)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Comparison::Not(test) => Ok(!holds(scene, test, input)?),
        Comparison::Test { variable, operator, operand } => {
            let found = scene.select(variable, input);
            if *operator == Operator::IsPresent {
                return Ok(found.is_ok() == wanted(operand));
            }
            let value = found.map_err(|_| missing(variable.text()))?;
            match operand {
                Operand::Literal(literal) => Ok(compare(*operator, &value, literal)),
                Operand::Path(path) => {
                    let other = scene.select(path, input).map_err(|_| missing(path.text()))?;
                    Ok(compare(*operator, &value, &other))
                }
            }
        }
    }
}

fn missing(path: &str) -> Fault {
    Fault::runtime(format!(
        "Invalid path '{path}': The choice state's condition path references an invalid value."
    ))
}

fn wanted(operand: &Operand) -> bool {
    matches!(operand, Operand::Literal(Value::Bool(true)))
}

/// One comparison. Values of types that the operator is not for do not compare.
fn compare(operator: Operator, value: &Value, operand: &Value) -> bool {
    use Operator as O;
    let order = |wanted: fn(Ordering) -> bool, order: Option<Ordering>| order.is_some_and(wanted);
    let is = |found: bool| operand.as_bool() == Some(found);
    match operator {
        O::StringEquals => order(Ordering::is_eq, texts(value, operand)),
        O::StringLessThan => order(Ordering::is_lt, texts(value, operand)),
        O::StringGreaterThan => order(Ordering::is_gt, texts(value, operand)),
        O::StringLessThanEquals => order(Ordering::is_le, texts(value, operand)),
        O::StringGreaterThanEquals => order(Ordering::is_ge, texts(value, operand)),
        O::StringMatches => match (value.as_str(), operand.as_str()) {
            (Some(text), Some(pattern)) => string_matches(text, pattern),
            _ => false,
        },
        O::NumericEquals => matches!((value, operand), (Value::Number(a), Value::Number(b)) if a == b),
        O::NumericLessThan => order(Ordering::is_lt, numbers(value, operand)),
        O::NumericGreaterThan => order(Ordering::is_gt, numbers(value, operand)),
        O::NumericLessThanEquals => order(Ordering::is_le, numbers(value, operand)),
        O::NumericGreaterThanEquals => order(Ordering::is_ge, numbers(value, operand)),
        O::BooleanEquals => matches!((value, operand), (Value::Bool(a), Value::Bool(b)) if a == b),
        O::TimestampEquals => order(Ordering::is_eq, times(value, operand)),
        O::TimestampLessThan => order(Ordering::is_lt, times(value, operand)),
        O::TimestampGreaterThan => order(Ordering::is_gt, times(value, operand)),
        O::TimestampLessThanEquals => order(Ordering::is_le, times(value, operand)),
        O::TimestampGreaterThanEquals => order(Ordering::is_ge, times(value, operand)),
        O::IsNull => is(value.is_null()),
        O::IsPresent => is(true),
        O::IsNumeric => is(matches!(value, Value::Number(_))),
        O::IsString => is(matches!(value, Value::String(_))),
        O::IsBoolean => is(matches!(value, Value::Bool(_))),
        O::IsTimestamp => is(value.as_str().and_then(timestamp::from_text).is_some()),
    }
}

/// AWS compares strings as Java does: by UTF-16 units. For text without surrogates that is by code points.
fn texts(value: &Value, operand: &Value) -> Option<Ordering> {
    Some(value.as_str()?.encode_utf16().cmp(operand.as_str()?.encode_utf16()))
}

fn numbers(value: &Value, operand: &Value) -> Option<Ordering> {
    let (a, b) = (value.as_number()?, operand.as_number()?);
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64().partial_cmp(&b.as_f64()),
    }
}

fn times(value: &Value, operand: &Value) -> Option<Ordering> {
    Some(timestamp::from_text(value.as_str()?)?.cmp(&timestamp::from_text(operand.as_str()?)?))
}
