//! JSONata expressions: they must be closed, parse, and use only what AWS offers.

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::expression::{self, Available, Text};
use crate::fields::{Holder, Shape, StateType};
use crate::location::Location;
use crate::node::{Node, NodeKind, Span};
use crate::states_fields;

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    if takes_expressions(place) {
        walk(place, place.value(), place.at, report);
    }
}

const STATES_FIELDS: &[&str] = &["input", "result", "errorOutput", "context"];

/// Whether strings in the field can be expressions.
fn takes_expressions(place: &FieldSite<'_>) -> bool {
    matches!(
        place.field.shape,
        Shape::Expression
            | Shape::Template
            | Shape::Assign
            | Shape::Items
            | Shape::Condition
            | Shape::Timestamp
            | Shape::Integer { .. }
            | Shape::Decimal { .. }
    )
}

fn walk(place: &FieldSite<'_>, node: &Node, at: &Location<'_>, report: &mut Report) {
    match &node.kind {
        NodeKind::String(text) => one(place, text, node.span, at, report),
        NodeKind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(place, item, &at.index(index), report);
            }
        }
        NodeKind::Object(members) => {
            for member in members {
                walk(place, &member.value, &at.key(&member.key), report);
            }
        }
        _ => {}
    }
}

fn one(place: &FieldSite<'_>, text: &str, span: Span, at: &Location<'_>, report: &mut Report) {
    if place.site.context.options.is_open(text) {
        return;
    }
    let source = match expression::classify(text) {
        Text::Literal(_) => return,
        Text::Unclosed => {
            report.push(
                Diagnostic::new(
                    &codes::UNCLOSED_EXPRESSION,
                    "JSONata string must start with {% and end with %}",
                    at.to_string(),
                    span,
                )
                .help("Close the expression with %}."),
            );
            return;
        }
        Text::Expression(source) => source,
    };
    let compiled = match expression::compile(source) {
        Ok(compiled) => compiled,
        Err(error) => {
            let message = error.message.clone();
            report.push(Diagnostic::new(&codes::BAD_EXPRESSION, message, at.to_string(), span));
            return;
        }
    };
    for field in states_fields::in_source(source) {
        if !STATES_FIELDS.contains(&field) {
            let message = format!("$states has no field '{field}', so the expression reads nothing there");
            report.push(
                Diagnostic::new(&codes::NO_SUCH_STATES_FIELD, message, at.to_string(), span)
                    .help("Its fields are input, result, errorOutput and context."),
            );
        }
    }
    for (code, message) in expression::refusals(source, &compiled, available(place)) {
        report.push(Diagnostic::new(code, message, at.to_string(), span));
    }
}

/// There is an error in catchers, and a result where a state has called something.
fn available(place: &FieldSite<'_>) -> Available {
    let calls =
        matches!(place.site.holder, Holder::State(StateType::Task | StateType::Parallel | StateType::Map));
    Available {
        result: calls && ["Output", "Assign"].contains(&place.field.name),
        error_output: place.site.holder == Holder::Catcher,
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, jsonata};

    #[test]
    fn table() {
        let pass = |output: &str| format!(r#""Type":"Pass","End":true,"Output":{output}"#);
        jsonata(&pass(r#""{% 1""#), &["JSONata string must start with {% and end with %} at /Output"]);
        jsonata(&pass(r#"["{% $states.input %}","x",1]"#), &[]);
        jsonata(
            &pass(r#"{"v":["{% 1 + %}"]}"#),
            &["INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /Output/v[0]"],
        );
        jsonata(
            &pass(r#""{% $states.errorOutput %}""#),
            &["UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.errorOutput' does not exist. at /Output"],
        );
        // There is a result where something was called, once it has answered.
        let result = "UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.result' does not exist. at ";
        jsonata(&pass(r#""{% $states.result %}""#), &[&format!("{result}/Output")]);
        jsonata(
            r#""Type":"Wait","Seconds":"{% $states.result %}","End":true"#,
            &[&format!("{result}/Seconds")],
        );
        jsonata(
            r#""Type":"Choice","Choices":[{"Condition":"{% $states.result %}","Next":"T"}]"#,
            &[&format!("{result}/Choices[0]/Condition")],
        );
        jsonata(
            &format!(r#"{TASK},"Arguments":"{{% $states.result %}}""#),
            &[&format!("{result}/Arguments")],
        );
        for field in ["Output", "Assign"] {
            jsonata(&format!(r#"{TASK},"{field}":{{"v":"{{% $states.result %}}"}}"#), &[]);
        }
        let unsupported =
            |what: &str| format!("UNSUPPORTED_JSONATA_EXPRESSION: Reference to {what} at /Output/v");
        for (expression, what) in [
            ("phone", "'phone' at the top level is not supported."),
            ("phone.number & phone", "'phone' at the top level is not supported."),
            ("$sum(a)", "'a' at the top level is not supported."),
            ("$$", "'$$' is not supported."),
        ] {
            jsonata(&pass(&format!(r#"{{"v":"{{% {expression} %}}"}}"#)), &[&unsupported(what)]);
        }
        for (expression, what) in [
            ("a[1,2)", r#"Expected "]", got ",""#),
            ("{'a':}", r#"The symbol "}" cannot be used as a unary operator"#),
            ("$x :=", "Unexpected end of expression"),
            ("$match('a', /abc", "No terminating / in regular expression"),
            ("", "Unexpected end of expression"),
        ] {
            let expected = format!("INVALID_JSONATA_EXPRESSION: {what} at /Output");
            jsonata(&pass(&format!(r#""{{% {expression} %}}""#)), &[&expected]);
        }
        jsonata(
            &pass(r#""{% $states.inputs %}""#),
            &["SW1109: $states has no field 'inputs', so the expression reads nothing there at /Output"],
        );
        jsonata(
            &format!(
                r#"{TASK},"Catch":[{{"ErrorEquals":["A"],"Output":"{{% $states.errorOutput %}}","Next":"T"}}]"#
            ),
            &[],
        );
    }
}
