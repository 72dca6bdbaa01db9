//! JSONata expressions as AWS runs them in fields: what they see, and AWS's sentences around their errors.

use stepwright_jsonata::{Bindings, Environment, EvaluationErrorKind, Expression, Limits};
use stepwright_value::{Kind, Value};

use crate::fault::Fault;
use crate::variables::Frame;

/// The value of an expression in `field`. AWS: it must be defined.
pub(crate) fn evaluate(
    expression: &Expression,
    states: &Value,
    variables: &Frame,
    environment: &mut Environment<'_>,
    field: &str,
) -> Result<Value, Fault> {
    let mut bound: Vec<(&str, &Value)> = Vec::with_capacity(expression.free_variables().len());
    for name in expression.free_variables().iter().chain(expression.hiding_variables()) {
        match &**name {
            "states" => bound.push(("states", states)),
            name => bound.extend(variables.get(name).map(|value| (name, value))),
        }
    }
    let source = expression.source();
    let specified = format!("The JSONata expression '{source}' specified for the field '{field}'");
    let detail = match expression.evaluate(&Bindings::new(&bound), environment, &Limits::aws()) {
        Ok(Some(value)) => return Ok(value),
        Ok(None) => format!("{specified} returned nothing (undefined)."),
        Err(error) => match (error.kind, error.code) {
            (EvaluationErrorKind::UnsupportedResult, _) => {
                format!("{specified} returned an unsupported result type.")
            }
            (EvaluationErrorKind::Expression, Some(code)) => {
                format!("{specified} threw an error during evaluation. {code}: {}", error.message)
            }
            (EvaluationErrorKind::Internal, _) => {
                format!("{specified} threw an internal error during evaluation. {}", error.message)
            }
            (EvaluationErrorKind::Expression, None) | (EvaluationErrorKind::Limit, _) => {
                format!("{specified} threw an error during evaluation: {}", error.message)
            }
        },
    };
    Err(Fault::query(Some(field), detail))
}

/// AWS's sentence for a result of the wrong type.
pub(crate) fn unexpected_type(source: &str, field: &str, expected: &str, value: &Value) -> String {
    format!(
        "The JSONata expression '{source}' specified for the field '{field}' returned an unexpected result type. \
         Expected '{expected}', but was '{}' for value: {}",
        type_name(value),
        value.to_json()
    )
}

fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Boolean => "boolean",
        Kind::Number => "number",
        Kind::String => "string",
        Kind::Array => "array",
        Kind::Object => "object",
    }
}
