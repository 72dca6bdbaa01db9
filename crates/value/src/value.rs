//! The JSON value.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::{Number, Object};

/// A JSON value.
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    Array(Array),
    Object(Object),
}

/// The type of a [`Value`], named as JSON names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// A JSON array. Clones share the items until one is changed.
#[derive(Clone, Default)]
pub struct Array(Arc<Vec<Value>>);

impl Value {
    /// The type of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }

    /// The bytes of memory that what it points to takes, about. What several parts share counts for each.
    pub fn memory_bytes(&self) -> usize {
        /// An allocation with its counters.
        const SHARED_BYTES: usize = 32;
        match self {
            Value::Null | Value::Bool(_) => 0,
            Value::Number(number) => number.memory_bytes(),
            Value::String(text) => SHARED_BYTES + text.len(),
            Value::Array(items) => {
                let below: usize = items.iter().map(Value::memory_bytes).sum();
                2 * SHARED_BYTES + items.len() * size_of::<Value>() + below
            }
            Value::Object(members) => {
                let below = |(key, value): (&Arc<str>, &Value)| {
                    SHARED_BYTES + key.len() + size_of::<(Arc<str>, Value)>() + value.memory_bytes()
                };
                4 * SHARED_BYTES + members.iter().map(below).sum::<usize>()
            }
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The integer, when the value is a number written as one.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    pub fn as_f64(&self) -> Option<f64> {
        self.as_number().map(Number::as_f64)
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The member `key`, when the value is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object().and_then(|object| object.get(key))
    }

    /// Whether containers nest deeper than `levels`.
    pub fn is_deeper_than(&self, levels: usize) -> bool {
        let deeper = |child: &Value| levels == 0 || child.is_deeper_than(levels - 1);
        match self {
            Value::Array(items) => levels == 0 || items.iter().any(deeper),
            Value::Object(object) => levels == 0 || object.values().any(deeper),
            _ => false,
        }
    }

    /// The compact JSON text.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(TEXT_BYTES);
        self.write(&mut out);
        out
    }
}

/// What a text may grow to before it moves: most payloads are small.
const TEXT_BYTES: usize = 256;

impl Array {
    pub fn new(items: Vec<Value>) -> Array {
        Array(Arc::new(items))
    }

    /// The items, to change; copied first when they are shared.
    pub fn make_mut(&mut self) -> &mut Vec<Value> {
        Arc::make_mut(&mut self.0)
    }

    /// Whether both are the very same array in memory.
    pub fn ptr_eq(&self, other: &Array) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Array) -> bool {
        self.ptr_eq(other) || self.0 == other.0
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Array {
        Array(Arc::new(items.into_iter().collect()))
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Value {
    /// Compact JSON.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_json())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Value {
        Value::Number(int.into())
    }
}

impl From<i32> for Value {
    fn from(int: i32) -> Value {
        Value::Number(i64::from(int).into())
    }
}

impl From<u32> for Value {
    fn from(int: u32) -> Value {
        Value::Number(i64::from(int).into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Value {
        Value::String(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::Array(Array::new(items))
    }
}

impl From<Array> for Value {
    fn from(array: Array) -> Value {
        Value::Array(array)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(object)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Value {
        Value::Array(items.into_iter().collect())
    }
}
