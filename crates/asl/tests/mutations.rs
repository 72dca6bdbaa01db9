//! Broken variants of whole definitions: nothing panics, and what the checks let pass compiles.

use stepwright_asl::{CompileOptions, Format, Substitutions, compile, compile_state};
use stepwright_value::{Array, Object, Value, read};

const JSONPATH: &str = r#"{
  "Comment": "all of JSONPath", "StartAt": "Init", "TimeoutSeconds": 60, "Version": "1.0", "QueryLanguage": "JSONPath",
  "States": {
    "Init": {"Type": "Pass", "Result": {"a": [1]}, "ResultPath": "$.init", "Assign": {"total": 0, "id.$": "$.id"}, "Next": "Call"},
    "Call": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName.$": "$.f", "Payload": {"x.$": "States.Format('{}', $.x)"}},
      "ResultSelector": {"code.$": "$.StatusCode"}, "Credentials": {"RoleArn.$": "$.role"}, "TimeoutSecondsPath": "$.timeout", "HeartbeatSeconds": 5,
      "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.5, "MaxDelaySeconds": 9, "JitterStrategy": "FULL"}],
      "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Assign": {"failed": true}, "Next": "Broken"}], "Next": "Decide"},
    "Decide": {"Type": "Choice", "Choices": [
      {"And": [{"Variable": "$.a", "IsPresent": true}, {"Not": {"Variable": "$total", "NumericEqualsPath": "$.b"}}], "Assign": {"seen": 1}, "Next": "Hold"},
      {"Or": [{"Variable": "$.t", "TimestampEquals": "2026-01-01T00:00:00Z"}, {"Variable": "$$.State.Name", "StringMatches": "*"}], "Next": "Fork"}], "Default": "Each"},
    "Hold": {"Type": "Wait", "SecondsPath": "$.wait", "InputPath": null, "OutputPath": "$.out", "Next": "Fork"},
    "Fork": {"Type": "Parallel", "Branches": [{"StartAt": "Left", "States": {"Left": {"Type": "Succeed"}}}, {"StartAt": "Right", "States": {"Right": {"Type": "Wait", "Timestamp": "2026-01-01T00:00:00Z", "End": true}}}], "ResultPath": null, "Next": "Each"},
    "Each": {"Type": "Map", "ItemsPath": "$.items", "ItemSelector": {"v.$": "$$.Map.Item.Value"}, "MaxConcurrencyPath": "$.n", "Label": "each",
      "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, "StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "Parameters": {"a": 1}, "End": true}}},
      "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket.$": "$.bucket"}, "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"], "MaxItemsPath": "$.max", "ItemsPointer": "/x"}},
      "ItemBatcher": {"MaxItemsPerBatch": 5, "MaxInputBytesPerBatchPath": "$.bytes", "BatchInput": {"b.$": "$.b"}},
      "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}, "WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}},
      "ToleratedFailureCount": 3, "ToleratedFailurePercentagePath": "$.percent", "End": true},
    "Broken": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "States.JsonToString($.error)"}
  }
}"#;

const JSONATA: &str = r#"{
  "QueryLanguage": "JSONata", "StartAt": "Call",
  "States": {
    "Call": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Arguments": {"QueueUrl": "q", "MessageBody": "{% $states.context.Task.Token %}"},
      "TimeoutSeconds": "{% $states.input.timeout %}", "Assign": {"answer": "{% $states.result %}"}, "Output": {"all": ["{% $states.result %}", 1, null]},
      "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Broken"}], "Next": "Decide"},
    "Decide": {"Type": "Choice", "Choices": [{"Condition": "{% $answer > 1 %}", "Output": {"a": 1}, "Next": "Hold"}, {"Condition": false, "Next": "Each"}], "Default": "Hold"},
    "Hold": {"Type": "Wait", "Timestamp": "{% $states.input.at %}", "Next": "Each"},
    "Each": {"Type": "Map", "Items": "{% $states.input.items %}", "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"}, "MaxConcurrency": "{% 5 %}",
      "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "Output": "{% $answer %}", "End": true}}}, "End": true},
    "Broken": {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "c"}
  }
}"#;

/// What a value is replaced by.
fn substitutes() -> Vec<Option<Value>> {
    let texts = ["", "x", "$.x", "$.x[*]", "{% $x %}", "{% (", "States.ALL", "${X}", "JSONata", "Map"];
    let mut all =
        vec![None, Some(Value::Null), Some(Value::from(true)), Some(Value::from(-1)), Some(Value::from(7))];
    all.push(Some(Value::Array(Array::new(vec![]))));
    all.push(Some(Value::Array(Array::new(vec![Value::Object(Object::new()), Value::from("States.ALL")]))));
    all.push(Some(Value::Object(Object::new())));
    all.extend(texts.map(|text| Some(Value::from(text))));
    all
}

/// Calls `each` with every variant of `value` in which one part is replaced or taken away.
fn variants(value: &Value, each: &mut dyn FnMut(Value)) {
    match value {
        Value::Object(object) => {
            for key in object.keys() {
                for substitute in substitutes() {
                    let mut changed = object.clone();
                    match substitute {
                        Some(substitute) => changed.insert(key.clone(), substitute),
                        None => changed.remove(key),
                    };
                    each(Value::Object(changed));
                }
                let Some(inner) = object.get(key) else { continue };
                variants(inner, &mut |inner| {
                    let mut changed = object.clone();
                    changed.insert(key.clone(), inner);
                    each(Value::Object(changed));
                });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                variants(item, &mut |item| {
                    let mut changed = items.clone();
                    changed.make_mut()[index] = item;
                    each(Value::Array(changed));
                });
            }
        }
        _ => {}
    }
}

fn sound(text: &str, format: Format) -> bool {
    let options = CompileOptions { format, ..CompileOptions::default() };
    let compilation = compile(text, &options);
    assert_eq!(compilation.program.is_some(), compilation.aws_error().is_none(), "{text}");
    for diagnostic in compilation.diagnostics {
        assert_ne!(diagnostic.code, "SW0006", "{} in {text}", diagnostic.message);
        assert!(
            diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end <= text.len() + 1,
            "{text}"
        );
    }
    compilation.program.is_some()
}

/// A value that is not known yet may be anything, but for the shape of the definition.
fn a_part_is_open(text: &str) {
    let options = CompileOptions { substitutions: Substitutions::Allow, ..CompileOptions::default() };
    let compilation = compile(text, &options);
    for diagnostic in &compilation.diagnostics {
        assert_ne!(diagnostic.code, "SW0006", "{} in {text}", diagnostic.message);
    }
}

#[test]
fn one_part_is_wrong() {
    for definition in [JSONPATH, JSONATA] {
        assert!(
            sound(definition, Format::Json),
            "{:?}",
            compile(definition, &CompileOptions::default()).diagnostics
        );
        let (mut taken, mut refused) = (0, 0);
        variants(&read(definition).expect("JSON"), &mut |variant| {
            let text = variant.to_json();
            match sound(&text, Format::Json) {
                true => taken += 1,
                false => refused += 1,
            }
            if text.contains("${X}") {
                a_part_is_open(&text);
            }
        });
        assert!(taken > 100 && refused > taken, "{taken} taken, {refused} refused");
    }
}

#[test]
fn one_part_of_a_state_alone_is_wrong() {
    for definition in [JSONPATH, JSONATA] {
        let machine = read(definition).expect("JSON");
        let states = machine.get("States").and_then(Value::as_object).cloned().unwrap_or_default();
        for state in states.values() {
            variants(state, &mut |variant| {
                let alone = compile_state(&variant.to_json(), None, &CompileOptions::default());
                assert_eq!(alone.state.is_some(), alone.compilation.program.is_some(), "{variant}");
                assert!(
                    alone.compilation.diagnostics.iter().all(|found| found.code != "SW0006"),
                    "{variant}"
                );
            });
        }
    }
}

#[test]
fn the_text_ends_early() {
    let text = JSONATA.replace("\"c\"", "\"é\\u00e9\"");
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(!sound(&text[..end], Format::Json), "{end}");
        if end % 5 == 0 {
            sound(&text[..end], Format::Yaml);
        }
    }
}
