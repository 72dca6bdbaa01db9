//! Functions at the end of a path: `$.list.length()`.

use stepwright_value::{Array, Number, Value};

/// What a path may end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Length,
    Size,
    Min,
    Max,
    Avg,
    Sum,
    Stddev,
    Keys,
    First,
    Last,
}

impl Function {
    pub(crate) fn named(name: &str) -> Option<Function> {
        Some(match name {
            "length" => Function::Length,
            "size" => Function::Size,
            "min" => Function::Min,
            "max" => Function::Max,
            "avg" => Function::Avg,
            "sum" => Function::Sum,
            "stddev" => Function::Stddev,
            "keys" => Function::Keys,
            "first" => Function::First,
            "last" => Function::Last,
            _ => return None,
        })
    }

    /// The result for what the path before the function selects; `None` where it does not apply.
    pub(crate) fn apply(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Function::Length | Function::Size, Value::Array(items)) => length(items.len()),
            (Function::Length | Function::Size, Value::Object(members)) => length(members.len()),
            (Function::Keys, Value::Object(members)) => {
                Some(members.keys().map(|key| Value::from(key.clone())).collect())
            }
            (Function::First, Value::Array(items)) => items.first().cloned(),
            (Function::Last, Value::Array(items)) => items.last().cloned(),
            (_, Value::Array(items)) => self.aggregate(items),
            _ => None,
        }
    }

    /// Over the numbers among the items, as a double.
    fn aggregate(self, items: &Array) -> Option<Value> {
        let numbers: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
        let count = numbers.len() as f64;
        let sum: f64 = numbers.iter().sum();
        if numbers.is_empty() {
            return None;
        }
        double(match self {
            Function::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Function::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Function::Sum => sum,
            Function::Avg => sum / count,
            Function::Stddev => {
                let squares: f64 = numbers.iter().map(|number| number * number).sum();
                (squares / count - sum * sum / count / count).max(0.0).sqrt()
            }
            _ => return None,
        })
    }
}

fn length(len: usize) -> Option<Value> {
    i64::try_from(len).ok().map(Value::from)
}

/// A double as Java writes one: with a fraction also where it is whole.
fn double(value: f64) -> Option<Value> {
    Number::parse(&format!("{value:?}")).map(Value::from)
}
