//! Task, Retry, Catch, Credentials.

use crate::check;

#[test]
fn task_in_json_path() {
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Task","Comment":"none","QueryLanguage":"JSONPath",
                    "Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Next":"T"}"#,
                "[1.0]",
                r#"{"resource":"f","given":[1.0]}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage",
                    "InputPath":"$.in","Parameters":{"QueueUrl":"q","MessageBody.$":"$.m"},
                    "ResultSelector":{"sent.$":"$.given.MessageBody"},"ResultPath":"$.out","OutputPath":"$.out","End":true}"#,
                r#"{"in":{"m":"hello"}}"#,
                r#"{"sent":"hello"}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","TimeoutSeconds":9,
                    "HeartbeatSeconds":4,"Credentials":{"RoleArn":"arn:aws:iam::111111111111:role/r"},"End":true}"#,
                "{}",
                r#"{"resource":"f","given":{},"role":"arn:aws:iam::111111111111:role/r","timeout":9,"heartbeat":4}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","TimeoutSecondsPath":"$.t",
                    "HeartbeatSecondsPath":"$.h","Credentials":{"RoleArn.$":"$.r"},"End":true}"#,
                r#"{"t":9,"h":4,"r":"arn:aws:iam::111111111111:role/r"}"#,
                r#"{"resource":"f","given":{"t":9,"h":4,"r":"arn:aws:iam::111111111111:role/r"},"role":"arn:aws:iam::111111111111:role/r","timeout":9,"heartbeat":4}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","TimeoutSeconds":9,"End":true}"#,
                r#"{"silent":true}"#,
                "@9s States.Timeout: ",
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                    "Assign":{"v.$":"$.given.a"},"Next":"E"}"#,
                r#"{"a":5}"#,
                "5",
            ),
        ],
    );
}

#[test]
fn task_in_jsonata() {
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Task","Comment":"none","QueryLanguage":"JSONata",
                    "Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Next":"T"}"#,
                "[1.0]",
                r#"{"resource":"f","given":[1.0]}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage",
                    "Arguments":{"QueueUrl":"q","MessageBody":"{% $states.input.m %}"},
                    "Output":{"sent":"{% $states.result.given.MessageBody %}"},"End":true}"#,
                r#"{"m":"hello"}"#,
                r#"{"sent":"hello"}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                    "TimeoutSeconds":"{% $states.input.t %}","HeartbeatSeconds":"{% $states.input.t - 5 %}",
                    "Credentials":{"RoleArn":"{% 'arn:aws:iam::111111111111:role/' & $states.input.r %}"},"Arguments":{},"End":true}"#,
                r#"{"t":9,"r":"r"}"#,
                r#"{"resource":"f","given":{},"role":"arn:aws:iam::111111111111:role/r","timeout":9,"heartbeat":4}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                    "Assign":{"v":"{% $states.result.given.a %}"},"Next":"E"}"#,
                r#"{"a":5}"#,
                "5",
            ),
        ],
    );
}

#[test]
fn retry() {
    let rows = [
        (
            r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                "Retry":[{"Comment":"of others","ErrorEquals":["Other"]},{"ErrorEquals":["A","B"]}],"End":true}"#,
            r#"{"fail":"B","until":2}"#,
            r#"@3s {"resource":"f","given":{"fail":"B","until":2}}"#,
        ),
        (
            r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":5,"BackoffRate":3,"MaxAttempts":2}],"End":true}"#,
            r#"{"fail":"B"}"#,
            "@20s B: cause",
        ),
        (
            r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":5,"BackoffRate":3,"MaxDelaySeconds":7}],"End":true}"#,
            r#"{"fail":"B"}"#,
            "@19s B: cause",
        ),
        (
            r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                "Retry":[{"ErrorEquals":["States.ALL"],"JitterStrategy":"NONE","MaxAttempts":1}],"End":true}"#,
            r#"{"fail":"B"}"#,
            "@1s B: cause",
        ),
    ];
    check("JSONPath", &rows);
    check("JSONata", &rows);
}

/// Full jitter: the delay lies between nothing and what it would have been.
#[test]
fn jitter() {
    for language in ["JSONPath", "JSONata"] {
        let definition = format!(
            r#"{{"QueryLanguage":"{language}","StartAt":"S","States":{{"S":{{"Type":"Task",
                "Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Retry":[{{"ErrorEquals":["States.ALL"],
                "IntervalSeconds":1000,"MaxAttempts":1,"JitterStrategy":"FULL"}}],"End":true}}}}}}"#
        );
        let end = crate::run(&definition, r#"{"fail":"B"}"#);
        let seconds = end.strip_prefix('@').and_then(|end| end.split_once("s ")).map(|(seconds, _)| seconds);
        let seconds: i64 = seconds.and_then(|seconds| seconds.parse().ok()).expect(&end);
        assert!((1..1000).contains(&seconds), "{end}");
    }
}

#[test]
fn catch_in_json_path() {
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Catch":[
                    {"ErrorEquals":["Other"],"Next":"S"},{"Comment":"this","ErrorEquals":["A"],"Next":"T"}],"End":true}"#,
                r#"{"fail":"A"}"#,
                r#"{"Error":"A","Cause":"cause"}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Catch":[
                    {"ErrorEquals":["A"],"ResultPath":"$.error","Next":"T"}],"End":true}"#,
                r#"{"fail":"A"}"#,
                r#"{"fail":"A","error":{"Error":"A","Cause":"cause"}}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Catch":[
                    {"ErrorEquals":["A"],"Assign":{"v.$":"$.Error"},"Next":"E"}],"End":true}"#,
                r#"{"fail":"A"}"#,
                r#""A""#,
            ),
        ],
    );
}

#[test]
fn catch_in_jsonata() {
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Catch":[
                    {"ErrorEquals":["Other"],"Next":"S"},{"Comment":"this","ErrorEquals":["A"],"Next":"T"}],"End":true}"#,
                r#"{"fail":"A"}"#,
                r#"{"Error":"A","Cause":"cause"}"#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Catch":[
                    {"ErrorEquals":["A"],"Output":"{% $states.errorOutput.Error & $states.input.fail %}","Next":"T"}],"End":true}"#,
                r#"{"fail":"A"}"#,
                r#""AA""#,
            ),
            (
                r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Catch":[
                    {"ErrorEquals":["A"],"Assign":{"v":"{% $states.errorOutput.Error %}"},"Next":"E"}],"End":true}"#,
                r#"{"fail":"A"}"#,
                r#""A""#,
            ),
        ],
    );
}
