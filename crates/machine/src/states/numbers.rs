//! Numbers in settings of Map and Task states.

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
    number.map(Some).ok_or_else(|| {
        computed.wrong_type("number", |field, path, value| not_valid(field, path, value, "integer"))
    })
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
        computed.wrong_type("number", |field, path, value| not_valid(field, path, value, "number"))
    })
}

fn whole(value: &Value) -> Option<i64> {
    value.as_number().and_then(|number| number.as_whole_i64())
}

fn not_valid(field: &str, path: &str, value: &Value, wanted: &str) -> String {
    let shown = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
    format!("The {field} field refers to value \"{shown}\" which is not a valid {wanted}: {path}")
}
