//! Between JSON values and values of an evaluation.

use stepwright_value as json;

use super::{Text, Val, whole};
use crate::fault::{Fault, Result};

/// The view of a JSON value.
#[inline]
pub(crate) fn from_json(value: &json::Value) -> Val<'_> {
    match value {
        json::Value::Null => Val::Null,
        json::Value::Bool(value) => Val::Bool(*value),
        json::Value::Number(number) => match number.as_i64() {
            Some(int) => Val::Int(int),
            None => {
                let value = number.as_f64();
                whole(value).map_or(Val::Float(value), Val::Int)
            }
        },
        json::Value::String(text) => Val::Text(Text::Shared(text)),
        json::Value::Array(array) => Val::Array(array),
        json::Value::Object(object) => Val::Object(object),
    }
}

/// The JSON value; `None` for undefined. In AWS's way the infinities and NaN become texts, numbers are written as Java
/// does, and functions are refused; in jsonata-js's the former become `null`, and functions within a value are left out.
pub(crate) fn to_json(value: &Val<'_>, aws: bool) -> Result<Option<json::Value>> {
    Ok(Some(match value {
        Val::Undefined => return Ok(None),
        Val::Null => json::Value::Null,
        Val::Bool(value) => (*value).into(),
        Val::Int(int) => (*int).into(),
        Val::Float(value) => match json::Number::from_f64(*value) {
            Some(number) if aws && number.as_i64().is_none() => {
                let mut text = String::new();
                json::java::write_double(*value, &mut text);
                json::Number::parse(&text).unwrap_or(number).into()
            }
            Some(number) => number.into(),
            None if aws => super::number_text(*value).into(),
            None => json::Value::Null,
        },
        Val::Text(text) => json::Value::String(text.to_arc()),
        Val::Array(array) => json::Value::Array((*array).clone()),
        Val::Object(object) => json::Value::Object((*object).clone()),
        Val::List(list) => {
            let mut items = Vec::with_capacity(list.items().len());
            for item in list.items() {
                items.push(inner_json(item, aws)?.unwrap_or_default());
            }
            items.into()
        }
        Val::Map(map) => {
            let mut object = json::Object::with_capacity(map.len());
            map.visit(|key, value| {
                if let Some(value) = inner_json(value, aws)? {
                    object.insert(key.to_arc(), value);
                }
                Ok(())
            })?;
            object.into()
        }
        Val::Tuple(tuple) => return to_json(&tuple.context, aws),
        Val::Function(_) => return Err(Fault::unsupported()),
    }))
}

#[inline]
fn inner_json(value: &Val<'_>, aws: bool) -> Result<Option<json::Value>> {
    match value {
        Val::Int(int) => Ok(Some((*int).into())),
        Val::Text(text) => Ok(Some(json::Value::String(text.to_arc()))),
        Val::Object(object) => Ok(Some(json::Value::Object((*object).clone()))),
        Val::Function(_) if !aws => Ok(None),
        _ => to_json(value, aws),
    }
}
