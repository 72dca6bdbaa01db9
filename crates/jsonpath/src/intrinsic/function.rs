//! The functions and what they take.

use std::ops::RangeInclusive;

use stepwright_value::{Array, Object, Value};

use super::{Random, arrays, json, numbers, strings};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Format,
    StringToJson,
    JsonToString,
    Array,
    ArrayPartition,
    ArrayContains,
    ArrayRange,
    ArrayGetItem,
    ArrayLength,
    ArrayUnique,
    Base64Encode,
    Base64Decode,
    Hash,
    JsonMerge,
    MathRandom,
    MathAdd,
    StringSplit,
    Uuid,
}

const ALL: [(&str, Function, RangeInclusive<usize>); 18] = [
    ("Format", Function::Format, 1..=usize::MAX),
    ("StringToJson", Function::StringToJson, 1..=1),
    ("JsonToString", Function::JsonToString, 1..=1),
    ("Array", Function::Array, 0..=usize::MAX),
    ("ArrayPartition", Function::ArrayPartition, 2..=2),
    ("ArrayContains", Function::ArrayContains, 2..=2),
    ("ArrayRange", Function::ArrayRange, 3..=3),
    ("ArrayGetItem", Function::ArrayGetItem, 2..=2),
    ("ArrayLength", Function::ArrayLength, 1..=1),
    ("ArrayUnique", Function::ArrayUnique, 1..=1),
    ("Base64Encode", Function::Base64Encode, 1..=1),
    ("Base64Decode", Function::Base64Decode, 1..=1),
    ("Hash", Function::Hash, 2..=2),
    ("JsonMerge", Function::JsonMerge, 3..=3),
    ("MathRandom", Function::MathRandom, 2..=3),
    ("MathAdd", Function::MathAdd, 2..=2),
    ("StringSplit", Function::StringSplit, 2..=2),
    ("UUID", Function::Uuid, 0..=0),
];

/// The value of a call, or what is wrong with its arguments.
pub(super) type Outcome = Result<Value, String>;

impl Function {
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|(name, ..)| *name)
    }

    /// The function `States.{name}`; names are case-sensitive.
    pub(super) fn named(name: &str) -> Option<Function> {
        ALL.iter().find(|(candidate, ..)| *candidate == name).map(|(_, function, _)| *function)
    }

    pub(super) fn argument_count(self) -> RangeInclusive<usize> {
        ALL.iter().find(|(_, function, _)| *function == self).map_or(0..=0, |(.., count)| count.clone())
    }

    /// `escaped_braces` belong to the first argument.
    pub(super) fn call(self, values: &[Value], escaped_braces: &[usize], random: Random<'_>) -> Outcome {
        match (self, values) {
            (Function::Format, [template, values @ ..]) => {
                strings::format(text(template, 1)?, escaped_braces, values)
            }
            (Function::StringToJson, [value]) => json::string_to_json(text(value, 1)?),
            (Function::JsonToString, [value]) => json::json_to_string(value),
            (Function::Array, items) => Ok(items.to_vec().into()),
            (Function::ArrayPartition, [items, size]) => {
                arrays::partition(array(items, 1)?, integer(size, 2)?)
            }
            (Function::ArrayContains, [items, item]) => Ok(array(items, 1)?.contains(item).into()),
            (Function::ArrayRange, [first, last, step]) => {
                arrays::range(integer(first, 1)?, integer(last, 2)?, integer(step, 3)?)
            }
            (Function::ArrayGetItem, [items, index]) => {
                arrays::get_item(array(items, 1)?, integer(index, 2)?)
            }
            (Function::ArrayLength, [items]) => {
                Ok(i64::try_from(array(items, 1)?.len()).unwrap_or(i64::MAX).into())
            }
            (Function::ArrayUnique, [items]) => arrays::unique(array(items, 1)?),
            (Function::Base64Encode, [value]) => strings::base64_encode(text(value, 1)?),
            (Function::Base64Decode, [value]) => strings::base64_decode(text(value, 1)?),
            (Function::Hash, [data, algorithm]) => strings::hash(text(data, 1)?, text(algorithm, 2)?),
            (Function::JsonMerge, [left, right, deep]) => {
                json::merge(object(left, 1)?, object(right, 2)?, deep)
            }
            (Function::MathRandom, [start, end, seed @ ..]) => {
                let seed = seed.first().map(|seed| integer(seed, 3)).transpose()?;
                numbers::random(integer(start, 1)?, integer(end, 2)?, seed, random)
            }
            (Function::MathAdd, [left, right]) => numbers::add(integer(left, 1)?, integer(right, 2)?),
            (Function::StringSplit, [value, delimiters]) => {
                Ok(strings::split(text(value, 1)?, text(delimiters, 2)?))
            }
            (Function::Uuid, []) => Ok(numbers::uuid(random)),
            // The parser has checked the number of arguments.
            _ => Err("Invalid number of arguments".into()),
        }
    }
}

fn text(value: &Value, place: usize) -> Result<&str, String> {
    value.as_str().ok_or_else(|| invalid(place, "a string"))
}

fn array(value: &Value, place: usize) -> Result<&Array, String> {
    value.as_array().ok_or_else(|| invalid(place, "an array"))
}

fn object(value: &Value, place: usize) -> Result<&Object, String> {
    value.as_object().ok_or_else(|| invalid(place, "an object"))
}

/// A number, rounded to the nearest integer, halves up: what AWS does with all arguments that should be integers.
fn integer(value: &Value, place: usize) -> Result<i64, String> {
    let number = value.as_number().ok_or_else(|| invalid(place, "an integer"))?;
    number.as_i64().or_else(|| numbers::round(number.as_f64())).ok_or_else(|| invalid(place, "an integer"))
}

fn invalid(place: usize, wanted: &str) -> String {
    format!("Invalid argument {place}: {wanted} is expected")
}
