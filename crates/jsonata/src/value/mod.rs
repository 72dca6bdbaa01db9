//! Values while an expression runs. What comes from the input is borrowed; what the expression makes is counted by the
//! meter. Arrays that are made carry the flags by which JSONata tells a sequence from an array.

mod convert;
mod list;
mod map;
mod number;
mod stringify;
mod text;

use std::cmp::Ordering;
use std::rc::Rc;

use stepwright_value as json;

pub(crate) use convert::{from_json, to_json};
pub(crate) use list::{
    CONS, Items, KEEP_SINGLETON, List, ListBuilder, OUTER_WRAPPER, SEQUENCE, TUPLE_STREAM,
};
pub(crate) use map::{Map, Members};
pub(crate) use number::{decimal_text, number_text, whole};
pub(crate) use stringify::{stringify, to_message};
pub(crate) use text::Text;

use crate::evaluate::{Function, Tuple};
use crate::fault::{Fault, Result};
use crate::syntax::TypeSymbol;

/// A value.
#[derive(Clone, Default)]
pub(crate) enum Val<'a> {
    #[default]
    Undefined,
    Null,
    Bool(bool),
    Int(i64),
    /// Any other number; whole ones occur too.
    Float(f64),
    Text(Text<'a>),
    /// An array of the input.
    Array(&'a json::Array),
    /// An array that was made.
    List(List<'a>),
    /// An object of the input.
    Object(&'a json::Object),
    /// An object that was made.
    Map(Rc<Map<'a>>),
    Function(FunctionRef<'a>),
    /// An item together with the variables that travel with it.
    Tuple(Rc<Tuple<'a>>),
}

/// A function. One that has been handed over as an argument no longer sees the context of its calls.
#[derive(Clone)]
pub(crate) struct FunctionRef<'a> {
    pub(crate) function: Rc<Function<'a>>,
    pub(crate) handed_over: bool,
}

impl<'a> Val<'a> {
    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Val::Undefined)
    }

    pub(crate) fn is_array(&self) -> bool {
        matches!(self, Val::Array(_) | Val::List(_))
    }

    /// The items, when the value is an array.
    pub(crate) fn items(&self) -> Option<Items<'_, 'a>> {
        match self {
            Val::Array(array) => Some(Items::Json(array)),
            Val::List(list) => Some(Items::Made(list.items())),
            _ => None,
        }
    }

    /// The members, when the value is an object.
    pub(crate) fn members(&self) -> Option<Members<'_, 'a>> {
        match self {
            Val::Object(object) => Some(Members::Json(object)),
            Val::Map(map) => Some(Members::Made(map)),
            _ => None,
        }
    }

    /// The list flags; none for anything but an array that was made.
    pub(crate) fn flags(&self) -> u8 {
        match self {
            Val::List(list) => list.flags,
            _ => 0,
        }
    }

    pub(crate) fn is_sequence(&self) -> bool {
        self.flags() & SEQUENCE != 0
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Val::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The number as a double.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Val::Int(int) => Some(*int as f64),
            Val::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether the value is a number; NaN is none, and the infinities are refused.
    #[inline]
    pub(crate) fn is_numeric(&self) -> Result<bool> {
        match self {
            Val::Int(_) => Ok(true),
            Val::Float(value) if value.is_infinite() => Err(Fault::new("D1001").value("null".to_owned())),
            Val::Float(value) => Ok(!value.is_nan()),
            _ => Ok(false),
        }
    }

    /// A number, as an integer where it is whole and exactly held by a double.
    pub(crate) fn number(value: f64) -> Val<'a> {
        match whole(value) {
            Some(int) => Val::Int(int),
            None => Val::Float(value),
        }
    }

    /// The effective boolean value; undefined is false.
    pub(crate) fn to_bool(&self) -> Result<bool> {
        Ok(match self {
            Val::Undefined | Val::Null | Val::Function(_) => false,
            Val::Bool(value) => *value,
            Val::Text(text) => !text.as_str().is_empty(),
            Val::Int(int) => *int != 0,
            Val::Float(value) => self.is_numeric()? && *value != 0.0,
            Val::Object(object) => !object.is_empty(),
            Val::Map(map) => map.len() > 0,
            Val::Tuple(_) => true,
            Val::Array(_) | Val::List(_) => {
                let Some(items) = self.items() else { return Ok(false) };
                for at in 0..items.len() {
                    if items.get(at).to_bool()? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    /// The type as signatures name it.
    pub(crate) fn symbol(&self) -> TypeSymbol {
        match self {
            Val::Undefined => TypeSymbol::Missing,
            Val::Null => TypeSymbol::Null,
            Val::Bool(_) => TypeSymbol::Boolean,
            Val::Int(_) | Val::Float(_) => TypeSymbol::Number,
            Val::Text(_) => TypeSymbol::String,
            Val::Array(_) | Val::List(_) => TypeSymbol::Array,
            Val::Object(_) | Val::Map(_) | Val::Tuple(_) => TypeSymbol::Object,
            Val::Function(_) => TypeSymbol::Function,
        }
    }

    /// How deep containers are nested in what was made; what was read is known to be shallow enough.
    pub(crate) fn nesting(&self) -> u16 {
        match self {
            Val::List(list) => list.nesting(),
            Val::Map(map) => map.nesting(),
            Val::Function(function) => function.function.nesting(),
            Val::Tuple(tuple) => tuple.nesting(),
            _ => 0,
        }
    }

    /// Whether both are the same: values of primitive types by value, everything else by identity.
    pub(crate) fn is_same(&self, other: &Val<'a>) -> bool {
        match (self, other) {
            (Val::Array(a), Val::Array(b)) => std::ptr::eq(*a, *b),
            (Val::Object(a), Val::Object(b)) => std::ptr::eq(*a, *b),
            (Val::List(a), Val::List(b)) => a.is_same(b),
            (Val::Map(a), Val::Map(b)) => Rc::ptr_eq(a, b),
            (Val::Function(a), Val::Function(b)) => Rc::ptr_eq(&a.function, &b.function),
            (Val::Tuple(a), Val::Tuple(b)) => Rc::ptr_eq(a, b),
            _ => self.equal_primitive(other).unwrap_or(false),
        }
    }

    /// Equality of primitive values; `None` when one of them is none.
    fn equal_primitive(&self, other: &Val<'a>) -> Option<bool> {
        Some(match (self, other) {
            (Val::Undefined, Val::Undefined) | (Val::Null, Val::Null) => true,
            (Val::Bool(a), Val::Bool(b)) => a == b,
            (Val::Int(a), Val::Int(b)) => a == b,
            (Val::Int(_) | Val::Float(_), Val::Int(_) | Val::Float(_)) => self.as_f64() == other.as_f64(),
            (Val::Text(a), Val::Text(b)) => a.as_str() == b.as_str(),
            _ => return None,
        })
    }

    /// Whether both have the same value, whatever their identity.
    pub(crate) fn is_equal(&self, other: &Val<'a>) -> bool {
        if let Some(equal) = self.equal_primitive(other) {
            return equal;
        }
        if let (Some(a), Some(b)) = (self.items(), other.items()) {
            return a.len() == b.len() && (0..a.len()).all(|at| a.get(at).is_equal(&b.get(at)));
        }
        if let (Some(a), Some(b)) = (self.members(), other.members()) {
            return a.len() == b.len()
                && a.to_vec()
                    .iter()
                    .all(|(key, value)| b.get(key.as_str()).is_some_and(|theirs| value.is_equal(&theirs)));
        }
        self.is_same(other)
    }

    /// The order of two numbers or two texts; `None` for anything else, NaN included.
    pub(crate) fn compare(&self, other: &Val<'a>) -> Option<Ordering> {
        match (self, other) {
            (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
            (Val::Text(a), Val::Text(b)) => Some(text::compare(a.as_str(), b.as_str())),
            _ => self.as_f64()?.partial_cmp(&other.as_f64()?),
        }
    }
}
