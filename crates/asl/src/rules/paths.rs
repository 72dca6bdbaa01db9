//! JSONPaths, reference paths and intrinsic functions in fields that hold one.

use stepwright_jsonpath::{Intrinsic, Path, ReferencePath};

use crate::check::FieldSite;
use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, Shape};

/// A fault: the code, AWS's message, and what can be done.
type Fault = (&'static Code, String, String);

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    let Some(text) = place.value().as_str() else { return };
    let fault = match place.field.shape {
        Shape::PathOrIntrinsic if text.starts_with("States.") => {
            let why = match Intrinsic::parse(text) {
                Err(error) => Some(error.to_string()),
                Ok(_) if !gives_text(text) => Some(format!("It must give text: {}.", TEXTS.join(", "))),
                Ok(_) => None,
            };
            let message = "Value must be a valid JSONPath or a valid intrinsic function call";
            why.map(|why| (&codes::BAD_PATH, message.to_owned(), why))
        }
        Shape::Path | Shape::PathOrIntrinsic => {
            Path::parse(text).err().map(|error| not_a_path(error.to_string()))
        }
        _ => reference(text, place),
    };
    if let Some((code, message, help)) = fault {
        report.push(Diagnostic::new(code, message, place.at.to_string(), place.value().span).help(help));
    }
}

/// The functions that can give text (Developer Guide, "Fail workflow state").
const TEXTS: [&str; 7] = [
    "States.Format",
    "States.JsonToString",
    "States.ArrayGetItem",
    "States.Base64Encode",
    "States.Base64Decode",
    "States.Hash",
    "States.UUID",
];

fn gives_text(call: &str) -> bool {
    let name = call.split('(').next().unwrap_or_default().trim_end();
    TEXTS.contains(&name)
}

fn not_a_path(help: String) -> Fault {
    (&codes::BAD_PATH, "Value must be a valid JSONPath.".to_owned(), help)
}

fn reference(text: &str, place: &FieldSite<'_>) -> Option<Fault> {
    let in_choice = matches!(place.site.holder, Holder::ChoiceRule | Holder::NestedRule);
    let reads_context = in_choice || place.field.shape == Shape::ItemsPath;
    let why = match ReferencePath::parse(text) {
        Err(error) => error.message,
        Ok(_) if text.starts_with("$$") && !reads_context => {
            "the context object cannot be used here".to_owned()
        }
        Ok(path) if place.field.shape == Shape::ResultPath && path.path().variable().is_some() => {
            "a result goes into the state's input, not into a variable".to_owned()
        }
        Ok(_) => return None,
    };
    // Outside of choice rules, AWS looks first whether the text is a path at all.
    if !text.starts_with('$') && !in_choice {
        return Some(not_a_path(why));
    }
    let help = "A reference path names one place: only names and indices, as in $.order.items[0].".to_owned();
    Some((&codes::BAD_REFERENCE_PATH, format!("Value is not a Reference Path: {why}"), help))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::state;

    #[test]
    fn table() {
        let pass = |field: &str| format!(r#""Type":"Pass","End":true,{field}"#);
        state(&pass(r#""InputPath":"a""#), &["Value must be a valid JSONPath. at /InputPath"]);
        state(&pass(r#""InputPath":null,"OutputPath":"$.a[*].b","ResultPath":null"#), &[]);
        state(&pass(r#""InputPath":"$$.Execution.Id""#), &[]);
        state(r#""Type":"Fail","ErrorPath":"States.Format('{}', $.a)","CausePath":"$.c""#, &[]);
        state(r#""Type":"Fail","ErrorPath":"States.UUID()","CausePath":"States.ArrayGetItem($.l, 0)""#, &[]);
        for call in [
            "States.StringToJson($.a)",
            "States.MathAdd($.a, 1)",
            "States.Array('a')",
            "States.StringSplit('a', ',')",
        ] {
            state(
                &format!(r#""Type":"Fail","CausePath":"{call}""#),
                &["Value must be a valid JSONPath or a valid intrinsic function call at /CausePath"],
            );
        }
        for path in ["$.a[*]", "$..a", "$.a[?(@.b)]", "$$.a", "$x.a"] {
            let text = format!(
                r#"{{"StartAt":"S","States":{{"S":{{{}}}}}}}"#,
                pass(&format!(r#""ResultPath":"{path}""#))
            );
            let found = crate::compile(&text, &crate::CompileOptions::default()).diagnostics;
            assert!(
                found.len() == 1 && found[0].message.starts_with("Value is not a Reference Path: "),
                "{found:?}"
            );
        }
        state(
            r#""Type":"Choice","Choices":[{"Variable":"States.ArrayLength($.a)","IsNull":true,"Next":"T"}]"#,
            &["Value is not a Reference Path: Reference path didn't start with '$' at /Choices[0]/Variable"],
        );
        state(
            r#""Type":"Choice","Choices":[{"Variable":"$$.Execution.Id","StringEqualsPath":"$x","Next":"T"}]"#,
            &["SW1102: The variable '$x' is never assigned where this state could see it at "],
        );
    }
}
