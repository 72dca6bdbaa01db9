//! Numbers in settings of Map and Task states.

use std::ops::RangeInclusive;

use stepwright_asl::program::Setting;
use stepwright_jsonpath::invalid_path;
use stepwright_value::Value;

use crate::fault::Fault;
use crate::scene::{Computed, Scene};

/// A whole number. AWS takes one that is written as text as well.
pub(crate) fn integer(
    scene: &mut Scene<'_>,
    setting: Option<&Setting<i64>>,
    input: &Value,
) -> Result<Option<i64>, Fault> {
    let Some(setting) = setting else { return Ok(None) };
    let computed = scene.setting(setting, input, |path, _, error| invalid_path(path.text(), error))?;
    let number = match &computed {
        Computed::Literal(number) => Some(**number),
        Computed::Path(value, ..) => whole(value).or_else(|| value.as_str()?.parse().ok()),
        Computed::Expression(value, ..) => whole(value),
    };
    number.map(Some).ok_or_else(|| match &computed {
        Computed::Expression(Value::Number(number), _, field) => no_integer(field, number),
        _ => computed.wrong_type("number", |field, path, value| not_valid(field, path, value, "integer")),
    })
}

/// For a number that an expression yields where a whole one is wanted.
pub(crate) fn no_integer(field: &str, number: &stepwright_value::Number) -> Fault {
    Fault::query(Some(field), format!("The {field} field cannot be parsed as an integer: {number}"))
}

/// As [`integer`], for a field that takes no negative number.
pub(crate) fn count(
    scene: &mut Scene<'_>,
    field: &str,
    setting: Option<&Setting<i64>>,
    input: &Value,
) -> Result<Option<i64>, Fault> {
    let number = integer(scene, setting, input)?;
    match number.filter(|number| *number < 0) {
        Some(_) => Err(scene.refused(field, format!("{field} cannot be negative."))),
        None => Ok(number),
    }
}

/// As [`integer`], for a field that takes seconds.
pub(crate) fn seconds(
    scene: &mut Scene<'_>,
    field: &str,
    setting: Option<&Setting<i64>>,
    input: &Value,
) -> Result<Option<i64>, Fault> {
    let number = integer(scene, setting, input)?;
    number.map(|number| within_bounds(scene, field, number)).transpose()
}

/// The number, if `field` takes so many seconds.
pub(crate) fn within_bounds(scene: &Scene<'_>, field: &str, seconds: i64) -> Result<i64, Fault> {
    /// What AWS names as the bounds, though a literal timeout begins at 1.
    const BOUNDS: RangeInclusive<i64> = 0..=99_999_999;
    if BOUNDS.contains(&seconds) {
        return Ok(seconds);
    }
    let (least, most) = (BOUNDS.start(), BOUNDS.end());
    Err(scene.refused(field, format!("{field} must be between {least} and {most} but was: {seconds}")))
}

/// A number with a fraction, perhaps.
pub(crate) fn decimal(
    scene: &mut Scene<'_>,
    setting: Option<&Setting<f64>>,
    input: &Value,
) -> Result<Option<f64>, Fault> {
    let Some(setting) = setting else { return Ok(None) };
    let computed = scene.setting(setting, input, |path, _, error| invalid_path(path.text(), error))?;
    let number = match &computed {
        Computed::Literal(number) => Some(**number),
        Computed::Path(value, ..) => value.as_f64().or_else(|| value.as_str()?.parse().ok()),
        Computed::Expression(value, ..) => value.as_f64(),
    };
    number.map(Some).ok_or_else(|| {
        computed.wrong_type("number", |field, path, value| not_valid(field, path, value, "float"))
    })
}

fn whole(value: &Value) -> Option<i64> {
    value.as_number().and_then(|number| number.as_whole_i64())
}

fn not_valid(field: &str, path: &str, value: &Value, wanted: &str) -> String {
    let shown = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
    format!("The {field} field refers to value \"{shown}\" which is not a valid {wanted}: {path}")
}
