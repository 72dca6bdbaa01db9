//! The distributed Map over items of the input.

use crate::check;

#[test]
fn distributed_map_in_json_path() {
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Map","Label":"L","ItemSelector":{"x.$":"$$.Map.Item.Value"},"ItemProcessor":{
                    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
                "[1,2]",
                r#"[{"x":1},{"x":2}]"#,
            ),
            (
                r#"{"Type":"Map","ItemBatcher":{"Comment":"two","MaxItemsPerBatch":2,"BatchInput":{"k.$":"$[0]"}},"ItemProcessor":{
                    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
                "[1,2,3]",
                r#"[{"BatchInput":{"k":1},"Items":[1,2]},{"BatchInput":{"k":1},"Items":[3]}]"#,
            ),
            (
                r#"{"Type":"Map","ItemsPath":"$.a","ItemBatcher":{"MaxItemsPerBatchPath":"$.n","MaxInputBytesPerBatchPath":"$.b"},
                    "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
                r#"{"a":[1,2,3],"n":2,"b":16}"#,
                r#"[{"Items":[1,2]},{"Items":[3]}]"#,
            ),
            (
                r#"{"Type":"Map","ItemBatcher":{"MaxInputBytesPerBatch":16},"ItemProcessor":{
                    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
                "[1,2,3]",
                r#"[{"Items":[1,2]},{"Items":[3]}]"#,
            ),
        ],
    );
}

#[test]
fn tolerated_failures_in_json_path() {
    let rows: Vec<(String, &str)> = [
        (r#""ToleratedFailureCount":1"#, "ends"),
        (r#""ToleratedFailureCount":0"#, "fails"),
        (r#""ToleratedFailureCountPath":"$.one""#, "ends"),
        (r#""ToleratedFailurePercentage":50"#, "ends"),
        (r#""ToleratedFailurePercentage":49.9"#, "fails"),
        (r#""ToleratedFailurePercentagePath":"$.one""#, "fails"),
    ]
    .map(|(tolerance, end)| {
        let state = format!(
            r#"{{"Type":"Map","ItemsPath":"$.a",{tolerance},"ItemProcessor":{{
                "ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},
                "StartAt":"A","States":{{"A":{{"Type":"Choice","Choices":[{{"Variable":"$","NumericEquals":1,"Next":"F"}}],
                "Default":"P"}},"F":{{"Type":"Fail"}},"P":{{"Type":"Pass","End":true}}}}}},"End":true}}"#
        );
        (state, end)
    })
    .into();
    for (state, end) in rows {
        let expected = match end {
            "ends" => r#"[{"Status":"FAILED"},2]"#,
            _ => {
                "States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded"
            }
        };
        check("JSONPath", &[(&state, r#"{"a":[1,2],"one":1}"#, expected)]);
    }
}

#[test]
fn distributed_map_in_jsonata() {
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Map","Label":"L","ItemSelector":{"x":"{% $states.context.Map.Item.Value %}"},"ItemProcessor":{
                    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
                "[1,2]",
                r#"[{"x":1},{"x":2}]"#,
            ),
            (
                r#"{"Type":"Map","ItemBatcher":{"Comment":"two","MaxItemsPerBatch":"{% $states.input[1] %}",
                    "MaxInputBytesPerBatch":"{% 1000 %}","BatchInput":{"k":"{% $states.input[0] %}"}},"ItemProcessor":{
                    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
                "[1,2,3]",
                r#"[{"BatchInput":{"k":1},"Items":[1,2]},{"BatchInput":{"k":1},"Items":[3]}]"#,
            ),
        ],
    );
}

#[test]
fn tolerated_failures_in_jsonata() {
    for (tolerance, expected) in [
        (r#""ToleratedFailureCount":"{% $states.input[0] %}""#, r#"[{"Status":"FAILED"},2]"#),
        (r#""ToleratedFailurePercentage":"{% $states.input[0] * 50 %}""#, r#"[{"Status":"FAILED"},2]"#),
        (
            r#""ToleratedFailurePercentage":"{% $states.input[0] %}""#,
            "States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded",
        ),
    ] {
        let state = format!(
            r#"{{"Type":"Map",{tolerance},"ItemProcessor":{{
                "ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},
                "StartAt":"A","States":{{"A":{{"Type":"Choice","Choices":[{{"Condition":"{{% $states.input = 1 %}}","Next":"F"}}],
                "Default":"P"}},"F":{{"Type":"Fail"}},"P":{{"Type":"Pass","End":true}}}}}},"End":true}}"#
        );
        check("JSONata", &[(&state, "[1,2]", expected)]);
    }
}

#[test]
fn map_over_an_object() {
    check(
        "JSONata",
        &[(
            r#"{"Type":"Map","Items":{"a":"{% 1 %}","b":2},"ItemSelector":"{% $states.context.Map.Item.Key %}",
                "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
            "{}",
            r#"["a","b"]"#,
        )],
    );
}
