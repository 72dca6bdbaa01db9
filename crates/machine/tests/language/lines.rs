//! Parallel and the inline Map.

use crate::check;

#[test]
fn parallel_in_json_path() {
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Parallel","Comment":"none","QueryLanguage":"JSONPath","Branches":[
                    {"Comment":"first","StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
                    {"StartAt":"B","States":{"B":{"Type":"Pass","Result":2,"End":true}}}],"Next":"T"}"#,
                "1",
                "[1,2]",
            ),
            (
                r#"{"Type":"Parallel","InputPath":"$.a","Parameters":{"p.$":"$.b"},"ResultSelector":{"r.$":"$[0].p"},
                    "ResultPath":"$.out","OutputPath":"$.out","Branches":[
                    {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}],"End":true}"#,
                r#"{"a":{"b":3}}"#,
                r#"{"r":3}"#,
            ),
            (
                r#"{"Type":"Parallel","Assign":{"v.$":"$[0]"},"Branches":[
                    {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}],"Next":"E"}"#,
                "4",
                "4",
            ),
            (
                r#"{"Type":"Parallel","Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],
                    "Catch":[{"ErrorEquals":["X"],"Next":"T"}],"Branches":[
                    {"StartAt":"A","States":{"A":{"Type":"Fail","Error":"X","Cause":"c"}}}],"End":true}"#,
                "4",
                r#"@1s {"Error":"X","Cause":"c"}"#,
            ),
        ],
    );
}

#[test]
fn parallel_in_jsonata() {
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Parallel","Comment":"none","QueryLanguage":"JSONata","Arguments":{"p":"{% $states.input.b %}"},
                    "Branches":[{"Comment":"first","StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
                    {"StartAt":"B","States":{"B":{"Type":"Pass","Output":2,"End":true}}}],
                    "Output":"{% [$states.result[0].p, $states.result[1]] %}","Next":"T"}"#,
                r#"{"b":1}"#,
                "[1,2]",
            ),
            (
                r#"{"Type":"Parallel","Assign":{"v":"{% $states.result[0] %}"},"Branches":[
                    {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}],"Next":"E"}"#,
                "4",
                "4",
            ),
            (
                r#"{"Type":"Parallel","Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],
                    "Catch":[{"ErrorEquals":["X"],"Next":"T"}],"Branches":[
                    {"StartAt":"A","States":{"A":{"Type":"Fail","Error":"X","Cause":"c"}}}],"End":true}"#,
                "4",
                r#"@1s {"Error":"X","Cause":"c"}"#,
            ),
        ],
    );
}

#[test]
fn map_in_json_path() {
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Map","Comment":"none","QueryLanguage":"JSONPath","ItemProcessor":{"Comment":"inner",
                    "ProcessorConfig":{"Comment":"inline","Mode":"INLINE"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"Next":"T"}"#,
                "[1,2.0]",
                "[1,2.0]",
            ),
            (
                r#"{"Type":"Map","InputPath":"$.in","ItemsPath":"$.a","ItemSelector":{"x.$":"$$.Map.Item.Value","n.$":"$.n"},
                    "Iterator":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
                    "ResultSelector":{"all.$":"$[*].x"},"ResultPath":"$.out","OutputPath":"$.out.all","End":true}"#,
                r#"{"in":{"a":[7,8],"n":1}}"#,
                "[7,8]",
            ),
            (
                r#"{"Type":"Map","ItemsPath":"$.a","Parameters":{"x.$":"$$.Map.Item.Value"},
                    "Iterator":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
                r#"{"a":[7]}"#,
                r#"[{"x":7}]"#,
            ),
            (
                r#"{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{
                    "StartAt":"A","States":{"A":{"Type":"Wait","Seconds":2,"End":true}}},"End":true}"#,
                "[1,2]",
                "@4s [1,2]",
            ),
            (
                r#"{"Type":"Map","MaxConcurrencyPath":"$.n","ItemsPath":"$.a","ItemProcessor":{
                    "StartAt":"A","States":{"A":{"Type":"Wait","Seconds":2,"End":true}}},"End":true}"#,
                r#"{"n":2,"a":[1,2]}"#,
                "@2s [1,2]",
            ),
            (
                r#"{"Type":"Map","Assign":{"v.$":"$[1]"},"ItemProcessor":{
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"Next":"E"}"#,
                "[1,2]",
                "2",
            ),
            (
                r#"{"Type":"Map","Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],
                    "Catch":[{"ErrorEquals":["X"],"Next":"T"}],"ItemProcessor":{
                    "StartAt":"A","States":{"A":{"Type":"Fail","Error":"X","Cause":"c"}}},"End":true}"#,
                "[1]",
                r#"@1s {"Error":"X","Cause":"c"}"#,
            ),
        ],
    );
}

#[test]
fn map_in_jsonata() {
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Map","Comment":"none","QueryLanguage":"JSONata","ItemProcessor":{"Comment":"inner",
                    "ProcessorConfig":{"Comment":"inline","Mode":"INLINE"},
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"Next":"T"}"#,
                "[1,2.0]",
                "[1,2.0]",
            ),
            (
                r#"{"Type":"Map","Items":"{% $states.input.a %}","ItemSelector":{"x":"{% $states.context.Map.Item.Value + 1 %}"},
                    "Iterator":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
                    "Output":"{% $states.result.x %}","End":true}"#,
                r#"{"a":[7,8]}"#,
                "[8,9]",
            ),
            (
                r#"{"Type":"Map","MaxConcurrency":"{% $states.input[0] %}","ItemProcessor":{
                    "StartAt":"A","States":{"A":{"Type":"Wait","Seconds":2,"End":true}}},"End":true}"#,
                "[1,2]",
                "@4s [1,2]",
            ),
            (
                r#"{"Type":"Map","Assign":{"v":"{% $states.result[1] %}"},"ItemProcessor":{
                    "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"Next":"E"}"#,
                "[1,2]",
                "2",
            ),
            (
                r#"{"Type":"Map","Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],
                    "Catch":[{"ErrorEquals":["X"],"Next":"T"}],"ItemProcessor":{
                    "StartAt":"A","States":{"A":{"Type":"Fail","Error":"X","Cause":"c"}}},"End":true}"#,
                "[1]",
                r#"@1s {"Error":"X","Cause":"c"}"#,
            ),
        ],
    );
}
