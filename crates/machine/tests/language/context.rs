//! The context object.

use stepwright_machine::{ExecutionKind, Input, TaskPhase};

use crate::check;
use crate::harness::{self, Mode, World};

#[test]
fn context_in_json_path() {
    let rows = [
        ("$$.Execution.Id", r#""arn:aws:states:us-east-1:111111111111:execution:machine:run""#),
        ("$$.Execution.Input", r#"{"a":1.0}"#),
        ("$$.Execution.Name", r#""run""#),
        ("$$.Execution.RoleArn", r#""arn:aws:iam::111111111111:role/role""#),
        ("$$.Execution.StartTime", r#""2024-10-27T03:33:20.000Z""#),
        ("$$.Execution.RedriveCount", "0"),
        ("$$.State.EnteredTime", r#""2024-10-27T03:33:20.000Z""#),
        ("$$.State.Name", r#""S""#),
        ("$$.StateMachine.Id", r#""arn:aws:states:us-east-1:111111111111:stateMachine:machine""#),
        ("$$.StateMachine.Name", r#""machine""#),
    ];
    for (path, expected) in rows {
        let state = format!(r#"{{"Type":"Pass","InputPath":"{path}","End":true}}"#);
        check("JSONPath", &[(&state, r#"{"a":1.0}"#, expected)]);
    }
}

#[test]
fn context_in_jsonata() {
    let rows = [
        ("$states.context.Execution.Id", r#""arn:aws:states:us-east-1:111111111111:execution:machine:run""#),
        ("$states.context.Execution.Input", r#"{"a":1.0}"#),
        ("$states.context.Execution.Name", r#""run""#),
        ("$states.context.Execution.RoleArn", r#""arn:aws:iam::111111111111:role/role""#),
        ("$states.context.Execution.StartTime", r#""2024-10-27T03:33:20.000Z""#),
        ("$states.context.Execution.RedriveCount", "0"),
        ("$states.context.State.EnteredTime", r#""2024-10-27T03:33:20.000Z""#),
        ("$states.context.State.Name", r#""S""#),
        (
            "$states.context.StateMachine.Id",
            r#""arn:aws:states:us-east-1:111111111111:stateMachine:machine""#,
        ),
        ("$states.context.StateMachine.Name", r#""machine""#),
    ];
    for (expression, expected) in rows {
        let state = format!(r#"{{"Type":"Pass","Output":"{{% {expression} %}}","End":true}}"#);
        check("JSONata", &[(&state, r#"{"a":1.0}"#, expected)]);
    }
}

#[test]
fn retry_count() {
    check(
        "JSONPath",
        &[(
            r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Parameters":{
                "n.$":"$$.State.RetryCount","fail.$":"$.fail","until":2},"Retry":[{"ErrorEquals":["A"]}],
                "OutputPath":"$.given.n","End":true}"#,
            r#"{"fail":"A"}"#,
            "@3s 2",
        )],
    );
    check(
        "JSONata",
        &[(
            r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Arguments":{
                "n":"{% $states.context.State.RetryCount %}","fail":"A","until":2},"Retry":[{"ErrorEquals":["A"]}],
                "Output":"{% $states.result.given.n %}","End":true}"#,
            "{}",
            "@3s 2",
        )],
    );
}

#[test]
fn task_token() {
    check(
        "JSONPath",
        &[(
            r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q",
                "MessageBody.$":"States.ArrayLength(States.Array($$.Task.Token))"},"OutputPath":"$.given.MessageBody","End":true}"#,
            "{}",
            "1",
        )],
    );
    check(
        "JSONata",
        &[(
            r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Arguments":{"QueueUrl":"q",
                "MessageBody":"{% $type($states.context.Task.Token) %}"},"Output":"{% $states.result.given.MessageBody %}","End":true}"#,
            "{}",
            r#""string""#,
        )],
    );
}

#[test]
fn map_item() {
    check(
        "JSONPath",
        &[(
            r#"{"Type":"Map","ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},
                "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
            "[7]",
            r#"[{"i":0,"v":7}]"#,
        )],
    );
    check(
        "JSONata",
        &[(
            r#"{"Type":"Map","Items":{"k":7},"ItemSelector":{"i":"{% $states.context.Map.Item.Index %}",
                "k":"{% $states.context.Map.Item.Key %}","v":"{% $states.context.Map.Item.Value %}"},
                "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                "StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}"#,
            "{}",
            r#"[{"i":0,"k":"k","v":7}]"#,
        )],
    );
}

#[test]
fn redrive_time() {
    let machine = |language: &str, fields: &str| {
        let definition = format!(
            r#"{{"QueryLanguage":"{language}","StartAt":"S","States":{{
                "S":{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Next":"R"}},
                "R":{{"Type":"Pass",{fields},"End":true}}}}}}"#
        );
        let program = harness::compile(&definition).expect("definition");
        let mut world =
            World::new(program, harness::identity("{}", ExecutionKind::Standard), Mode::CrashAfterEachStep);
        world.run(&mut |call| {
            let (task, phase) = (call.task, TaskPhase::Run);
            vec![(5_000, Input::TaskFailed { task, error: "E".into(), cause: None, phase })]
        });
        let answers = &mut |call: &stepwright_machine::TaskCall| {
            crate::answer(call, 2).map(|input| (0, input)).into_iter().collect()
        };
        world.step(Input::Redrive { token_hash: None }, answers);
        world.run_on(answers);
        crate::end(&world)
    };
    let expected = r#"[1,"2024-10-27T03:33:25.000Z"]"#;
    let path = r#""Parameters":{"r.$":"States.Array($$.Execution.RedriveCount, $$.Execution.RedriveTime)"},"OutputPath":"$.r""#;
    assert_eq!(machine("JSONPath", path), expected);
    let expression =
        r#""Output":"{% [$states.context.Execution.RedriveCount, $states.context.Execution.RedriveTime] %}""#;
    assert_eq!(machine("JSONata", expression), expected);
}
