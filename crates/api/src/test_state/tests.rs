//! What requests are refused, as a table.

use stepwright_asl::Format;

use super::request::read;
use crate::model::TestStateInput;

const TASK: &str = r#"{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"End":true}"#;
const CALLBACK: &str = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters":{"QueueUrl":"q","MessageBody.$":"$$.Task.Token"},"End":true}"#;
const PARALLEL: &str = r#"{"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}],"End":true}"#;
const MAP: &str = r#"{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
    "StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},WRITER"End":true}"#;
const WRITER: &str = r#""ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b","Prefix":"p"}},"#;
const MACHINE: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;

/// The refusal of a request whose members beside the definition are `rest`; empty where it is taken.
fn refusal(definition: &str, rest: &str) -> String {
    let definition = stepwright_value::Value::from(definition).to_json();
    let comma = if rest.is_empty() { "" } else { "," };
    let text = format!(r#"{{"definition":{definition}{comma}{rest}}}"#);
    let input: TestStateInput = serde_json::from_str(&text).expect("a request");
    read(input, Format::Json).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn refusals() {
    let map = MAP.replace("WRITER", "");
    let writing = MAP.replace("WRITER", WRITER);
    let no_lines = "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, \
                    Pass, Succeed, Fail, Choice]";
    let cases: &[(&str, &str, &str)] = &[
        (r#"{"Type":"Pass","End":true}"#, "", ""),
        (TASK, r#""roleArn":"r""#, ""),
        (TASK, "", "RoleArn must be specified when testing a Task state"),
        (TASK, r#""mock":{"result":"{}"}"#, ""),
        (TASK, r#""mock":{"errorOutput":{"error":"E"}}"#, ""),
        (CALLBACK, r#""mock":{"result":"1"}"#, ""),
        (&map, "", no_lines),
        (PARALLEL, r#""roleArn":"r""#, no_lines),
        (&map, r#""mock":{"result":"{}"}"#, "Mocked result must be an array."),
        (&writing, r#""mock":{"result":"[]"}"#, "Mocked result must be a JSON object."),
        (&writing, r#""mock":{"result":"{}"}"#, ""),
        (
            &map,
            r#""mock":{"result":"[1]"},"stateConfiguration":{"mapIterationFailureCount":2}"#,
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        ),
        (
            &map,
            r#""stateConfiguration":{"mapIterationFailureCount":0}"#,
            "TestState does not support MapIterationFailureCount when a mock is not specified.",
        ),
        (
            TASK,
            r#""mock":{"result":"{}"},"revealSecrets":true"#,
            "TestState does not support RevealSecrets when a mock is specified.",
        ),
        (
            r#"{"Type":"Succeed"}"#,
            r#""mock":{"result":"{}"}"#,
            "State type 'Succeed' is not supported when a mock is specified",
        ),
        (MACHINE, r#""stateName":"B""#, "State not found in definition"),
        (MACHINE, r#""stateName":"A""#, ""),
        (
            TASK,
            r#""mock":{"result":"{\"StatusCode\":[]}","fieldValidationMode":"PRESENT"}"#,
            "Mock result schema validation error: Field 'StatusCode' must be a number",
        ),
        (TASK, r#""mock":{"result":"{\"StatusCode\":[]}","fieldValidationMode":"NONE"}"#, ""),
        (
            TASK,
            r#""mock":{"result":"{}"},"context":"{\"Map\":{}}""#,
            "Invalid Context object provided: 'Map' field is not supported when mocking a Context object",
        ),
    ];
    for (definition, rest, expected) in cases {
        assert_eq!(refusal(definition, rest), *expected, "{definition} {rest}");
    }
}
