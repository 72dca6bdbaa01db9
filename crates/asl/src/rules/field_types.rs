//! The type and range of a field's value.

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Shape;
use crate::location::Location;
use crate::node::{Node, Span};
use crate::spelling;

/// Whether the value is of the right kind, so that other rules can look into it.
pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) -> bool {
    let value = place.value();
    match place.field.shape {
        Shape::Any | Shape::Template => true,
        Shape::Expression | Shape::Text | Shape::Resource | Shape::ReaderResource | Shape::WriterResource => {
            expect(value.as_str().is_some(), "String", place, report)
        }
        Shape::Target | Shape::StringOperand | Shape::Timestamp | Shape::TimestampOperand => {
            expect(value.as_str().is_some(), "String", place, report)
        }
        Shape::ReferencePath | Shape::ItemsPath | Shape::PathOrIntrinsic => {
            expect(value.as_str().is_some(), "String", place, report)
        }
        Shape::Path | Shape::ResultPath => {
            expect(value.as_str().is_some() || value.is_null(), "String", place, report)
        }
        Shape::Boolean | Shape::BooleanOperand => expect(value.as_bool().is_some(), "Boolean", place, report),
        Shape::Condition => expect(value.as_bool().is_some() || is_marked(place), "Boolean", place, report),
        Shape::NumberOperand => expect(value.as_number().is_some(), "Number", place, report),
        Shape::Integer { min, max } => is_computed(place) || integer(place, min, max, report),
        Shape::FixedInteger { min, max } => integer(place, min, max, report),
        Shape::Decimal { min, max } => is_computed(place) || decimal(place, min, max, report),
        Shape::FixedDecimal { min, max } => decimal(place, min, max, report),
        Shape::OneOf(choices) => one_of(place, choices, report),
        Shape::Assign | Shape::Object(_) => expect(value.is_object(), "Object", place, report),
        Shape::States => {
            expect(value.is_object(), "Object", place, report)
                && not_empty(value.members().is_empty(), place, report)
        }
        Shape::Items => {
            let fits = value.is_array() || value.is_object() || is_computed(place);
            expect(fits, "Array", place, report)
        }
        Shape::ErrorNames | Shape::TextList => {
            list(place, "String", |item| item.as_str().is_some(), report)
                && (place.field.shape == Shape::TextList
                    || not_empty(value.items().is_empty(), place, report))
        }
        Shape::List(_, filled) => {
            list(place, "Object", Node::is_object, report)
                && (!filled || not_empty(value.items().is_empty(), place, report))
        }
    }
}

/// Says that a value should be of type `expected`.
pub(crate) fn wrong_type(expected: &str, span: Span, at: &Location<'_>, report: &mut Report) {
    let message = format!("Expected value of type {expected}");
    report.push(Diagnostic::new(&codes::WRONG_TYPE, message, at.to_string(), span));
}

fn expect(fits: bool, expected: &str, place: &FieldSite<'_>, report: &mut Report) -> bool {
    if !fits {
        wrong_type(expected, place.value().span, place.at, report);
    }
    fits
}

/// Whether the value is meant to be an expression, closed or not.
fn is_marked(place: &FieldSite<'_>) -> bool {
    place.value().as_str().is_some_and(|text| text.starts_with("{%"))
}

fn is_computed(place: &FieldSite<'_>) -> bool {
    place.jsonata() && is_marked(place)
}

fn not_empty(empty: bool, place: &FieldSite<'_>, report: &mut Report) -> bool {
    if empty {
        let span = place.value().span;
        report.push(Diagnostic::new(
            &codes::EMPTY_VALUE,
            "Value cannot be empty",
            place.at.to_string(),
            span,
        ));
    }
    !empty
}

fn list(place: &FieldSite<'_>, of: &str, fits: impl Fn(&Node) -> bool, report: &mut Report) -> bool {
    if !expect(place.value().is_array(), "Array", place, report) {
        return false;
    }
    let mut all = true;
    for (index, item) in place.value().items().iter().enumerate() {
        if !fits(item) {
            wrong_type(of, item.span, &place.at.index(index), report);
            all = false;
        }
    }
    all
}

fn integer(place: &FieldSite<'_>, min: i64, max: i64, report: &mut Report) -> bool {
    let number = place.value().as_number().filter(|number| number.is_integer_text());
    let Some(number) = number else {
        wrong_type("Integer", place.value().span, place.at, report);
        return false;
    };
    // An integer beyond 64 bits is beyond every limit.
    let value = number.as_i64().unwrap_or(if number.as_f64() < 0.0 { i64::MIN } else { i64::MAX });
    in_range(value < min, value > max, &min.to_string(), &max.to_string(), place, report)
}

fn decimal(place: &FieldSite<'_>, min: f64, max: f64, report: &mut Report) -> bool {
    let Some(value) = place.value().as_number().map(|number| number.as_f64()) else {
        wrong_type("Number", place.value().span, place.at, report);
        return false;
    };
    in_range(value < min, value > max, &format!("{min:?}"), &format!("{max:?}"), place, report)
}

fn in_range(
    below: bool,
    above: bool,
    min: &str,
    max: &str,
    place: &FieldSite<'_>,
    report: &mut Report,
) -> bool {
    let message = match (below, above) {
        (true, _) => format!("Minimum value is {min}"),
        (_, true) => format!("Maximum value is {max}"),
        _ => return true,
    };
    report.push(Diagnostic::new(&codes::OUT_OF_RANGE, message, place.at.to_string(), place.value().span));
    false
}

fn one_of(place: &FieldSite<'_>, choices: &[&'static str], report: &mut Report) -> bool {
    if !expect(place.value().as_str().is_some(), "String", place, report) {
        return false;
    }
    let text = place.value().as_str().unwrap_or_default();
    if choices.contains(&text) {
        return true;
    }
    let choices_text = choices.join(", ");
    let name = place.field.name;
    let message = match place.field.decides_fields() {
        true => format!("The field '{name}' should have one of these values: [{choices_text}]"),
        false => format!("Value should be one of the following: [{choices_text}]"),
    };
    let span = place.value().span;
    let mut diagnostic = Diagnostic::new(&codes::NOT_A_CHOICE, message, place.at.to_string(), span);
    if let Some(choice) = spelling::closest(text, choices.iter().copied()) {
        diagnostic = diagnostic.help(format!("Did you mean {choice}?")).fix(span, format!("\"{choice}\""));
    }
    report.push(diagnostic);
    false
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{DISTRIBUTED, TASK, jsonata, machine, state};

    #[test]
    fn types() {
        machine(r#"{"StartAt":"S","States":[]}"#, &["Expected value of type Object at /States"]);
        machine(
            r#"{"StartAt":"S","States":{}}"#,
            &[
                "Value cannot be empty at /States",
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: S at /StartAt",
                "MISSING_END_STATE: Workflow has no terminal state at ",
            ],
        );
        machine(
            r#"{"StartAt":"S","States":{"S":1}}"#,
            &[
                "Expected value of type Object at /States/S",
                "MISSING_END_STATE: Workflow has no terminal state at ",
            ],
        );
        machine(
            r#"{"StartAt":"S","States":{"S":{"Type":"Succeed"}},"Version":"2.0"}"#,
            &["Value should be one of the following: [1.0] at /Version"],
        );
        state(
            r#""Type":"Passs","End":true"#,
            &[
                "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at /Type",
            ],
        );
        state(r#""Type":"Succeed","Comment":1"#, &["Expected value of type String at /Comment"]);
        state(
            r#""Type":"Pass","End":"true""#,
            &[
                "Expected value of type Boolean at /End",
                "MISSING_END_STATE: Workflow has no terminal state at ",
            ],
        );
        state(
            r#""Type":"Pass","Next":1,"End":true"#,
            &[
                "There should only be one of the following fields: [Next, End] at ",
                "Expected value of type String at /Next",
            ],
        );
        state(r#""Type":"Wait","Seconds":"1","End":true"#, &["Expected value of type Integer at /Seconds"]);
        state(r#""Type":"Wait","Seconds":1.5,"End":true"#, &["Expected value of type Integer at /Seconds"]);
        state(r#""Type":"Choice","Choices":[],"Default":"T""#, &["Value cannot be empty at /Choices"]);
        state(r#""Type":"Parallel","Branches":[],"End":true"#, &["Value cannot be empty at /Branches"]);
        state(&format!(r#"{TASK},"Retry":[]"#), &[]);
        state(
            &format!(r#"{TASK},"Retry":[{{"ErrorEquals":[]}}]"#),
            &["Value cannot be empty at /Retry[0]/ErrorEquals"],
        );
        state(
            r#""Type":"Choice","Choices":[{"Variable":"$","StringEquals":1,"Next":"T"}]"#,
            &["Expected value of type String at /Choices[0]/StringEquals"],
        );
    }

    #[test]
    fn ranges() {
        for (fields, expected) in [
            (r#""TimeoutSeconds":0"#, "Minimum value is 1 at /TimeoutSeconds"),
            (r#""TimeoutSeconds":100000000"#, "Maximum value is 99999999 at /TimeoutSeconds"),
            (r#""HeartbeatSeconds":0"#, "Minimum value is 1 at /HeartbeatSeconds"),
            (
                r#""Retry":[{"ErrorEquals":["A"],"MaxAttempts":-1}]"#,
                "Minimum value is 0 at /Retry[0]/MaxAttempts",
            ),
            (
                r#""Retry":[{"ErrorEquals":["A"],"BackoffRate":0.5}]"#,
                "Minimum value is 1.0 at /Retry[0]/BackoffRate",
            ),
            (
                r#""Retry":[{"ErrorEquals":["A"],"MaxDelaySeconds":0}]"#,
                "Minimum value is 1 at /Retry[0]/MaxDelaySeconds",
            ),
            (
                r#""Retry":[{"ErrorEquals":["A"],"MaxDelaySeconds":31622401}]"#,
                "Maximum value is 31622400 at /Retry[0]/MaxDelaySeconds",
            ),
            (
                r#""Retry":[{"ErrorEquals":["A"],"JitterStrategy":"HALF"}]"#,
                "Value should be one of the following: [NONE, FULL] at /Retry[0]/JitterStrategy",
            ),
        ] {
            state(&format!("{TASK},{fields}"), &[expected]);
        }
        state(&format!(r#"{TASK},"Retry":[{{"ErrorEquals":["A"],"IntervalSeconds":0}}]"#), &[]);
        for (fields, expected) in [
            (r#""ToleratedFailurePercentage":101"#, "Maximum value is 100.0 at /ToleratedFailurePercentage"),
            (r#""ToleratedFailurePercentage":-1"#, "Minimum value is 0.0 at /ToleratedFailurePercentage"),
            (r#""MaxConcurrency":-1"#, "Minimum value is 0 at /MaxConcurrency"),
        ] {
            state(&format!("{DISTRIBUTED},{fields}"), &[expected]);
        }
        jsonata(&format!(r#"{TASK},"TimeoutSeconds":"{{% 5 %}}""#), &[]);
        state(
            &format!(r#"{TASK},"TimeoutSeconds":"{{% $x %}}""#),
            &["Expected value of type Integer at /TimeoutSeconds"],
        );
    }
}
