//! The functions and what they take.

use stepwright_value::java::{JavaNumber, number};
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

const ALL: [(&str, Function); 18] = [
    ("Format", Function::Format),
    ("StringToJson", Function::StringToJson),
    ("JsonToString", Function::JsonToString),
    ("Array", Function::Array),
    ("ArrayPartition", Function::ArrayPartition),
    ("ArrayContains", Function::ArrayContains),
    ("ArrayRange", Function::ArrayRange),
    ("ArrayGetItem", Function::ArrayGetItem),
    ("ArrayLength", Function::ArrayLength),
    ("ArrayUnique", Function::ArrayUnique),
    ("Base64Encode", Function::Base64Encode),
    ("Base64Decode", Function::Base64Decode),
    ("Hash", Function::Hash),
    ("JsonMerge", Function::JsonMerge),
    ("MathRandom", Function::MathRandom),
    ("MathAdd", Function::MathAdd),
    ("StringSplit", Function::StringSplit),
    ("UUID", Function::Uuid),
];

/// The value of a call; `None` where AWS says that its arguments are invalid and no more.
pub(super) type Outcome = Result<Value, Refused>;

/// Why a function does not take its arguments.
pub(super) enum Refused {
    /// They are of the wrong number, type or range. AWS does not say which.
    Invalid,
    /// As `Invalid`, and AWS says why: what follows the name of the function.
    Because(&'static str),
    /// AWS has another sentence: what stands before and behind the name of the function.
    Otherwise(&'static str, String),
}

impl Function {
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|(name, _)| *name)
    }

    /// The function `States.{name}`; names are case-sensitive.
    pub(super) fn named(name: &str) -> Option<Function> {
        ALL.iter().find(|(candidate, _)| *candidate == name).map(|(_, function)| *function)
    }

    fn name(self) -> &'static str {
        ALL.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }

    /// The value for these arguments, or AWS's sentence on why there is none.
    pub(super) fn call(self, values: &[Value], random: Random<'_>) -> Result<Value, String> {
        let name = self.name();
        self.value(values, random).map_err(|refused| match refused {
            Refused::Invalid => format!("Invalid arguments in States.{name}"),
            Refused::Because(why) => format!("Invalid arguments in States.{name}: {why}"),
            Refused::Otherwise(before, behind) => format!("{before} States.{name}{behind}"),
        })
    }

    fn value(self, values: &[Value], random: Random<'_>) -> Outcome {
        match (self, values) {
            (Function::Format, [template, values @ ..]) => strings::format(template, values),
            (Function::StringToJson, [value]) => json::string_to_json(text(value)?),
            (Function::JsonToString, [value]) => json::json_to_string(value),
            (Function::JsonToString, _) => Err(Refused::Because("only a single argument is allowed.")),
            (Function::Array, items) => Ok(items.to_vec().into()),
            (Function::ArrayPartition, [items, size]) => arrays::partition(array(items)?, integer(size)?),
            (Function::ArrayContains, [items, item]) => arrays::contains(array(items)?, item),
            (Function::ArrayRange, [first, last, step]) => {
                arrays::range(integer(first)?, integer(last)?, integer(step)?)
            }
            (Function::ArrayGetItem, [items, index]) => arrays::get_item(array(items)?, integer(index)?),
            (Function::ArrayLength, [items]) => {
                Ok(i64::try_from(array(items)?.len()).unwrap_or(i64::MAX).into())
            }
            (Function::ArrayUnique, [items]) => arrays::unique(array(items)?),
            (Function::Base64Encode, [value]) => strings::base64_encode(text(value)?),
            (Function::Base64Decode, [value]) => strings::base64_decode(text(value)?),
            (Function::Hash, [data, algorithm]) => strings::hash(data, text(algorithm)?),
            (Function::JsonMerge, [left, right, deep]) => json::merge(object(left)?, object(right)?, deep),
            (Function::MathRandom, [start, end]) => {
                numbers::random(integer(start)?, integer(end)?, None, random)
            }
            (Function::MathRandom, [start, end, seed]) => {
                let seed = numbers::seed(seed).ok_or(Refused::Invalid)?;
                numbers::random(integer(start)?, integer(end)?, Some(seed), random)
            }
            (Function::MathAdd, [left, right]) => numbers::add(rounded(left)?, rounded(right)?),
            (Function::StringSplit, [value, delimiters]) => {
                Ok(strings::split(text(value)?, text(delimiters)?))
            }
            // It takes no arguments, and does not mind any.
            (Function::Uuid, _) => Ok(numbers::uuid(random)),
            _ => Err(Refused::Invalid),
        }
    }
}

fn text(value: &Value) -> Result<&str, Refused> {
    value.as_str().ok_or(Refused::Invalid)
}

fn array(value: &Value) -> Result<&Array, Refused> {
    value.as_array().ok_or(Refused::Invalid)
}

fn object(value: &Value) -> Result<&Object, Refused> {
    value.as_object().ok_or(Refused::Invalid)
}

/// A Java `int`; the fraction of a double is cut off, and beyond the range it is the nearest.
fn integer(value: &Value) -> Result<i32, Refused> {
    match value.as_number().map(number) {
        Some(JavaNumber::Integer(whole)) => Ok(whole),
        Some(JavaNumber::Double(double)) => Ok(double as i32),
        _ => Err(Refused::Invalid),
    }
}

/// A Java `int`; a double is rounded.
fn rounded(value: &Value) -> Result<i32, Refused> {
    match value.as_number().map(number) {
        Some(JavaNumber::Integer(whole)) => Ok(whole),
        Some(JavaNumber::Double(double)) => Ok(numbers::round(double)),
        _ => Err(Refused::Invalid),
    }
}
