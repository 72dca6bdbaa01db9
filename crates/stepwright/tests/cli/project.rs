//! Beginning a project, and templates and values that deployment tools fill in.

use crate::environment::{Environment, Said};

#[test]
fn a_new_project_works() {
    for (language, file) in [("python", "greet.py"), ("node", "greet.mjs")] {
        let environment = Environment::new();
        let said = environment.run(&["init", "hello", "--language", language]);
        assert_eq!(
            said.out,
            format!("hello/stepwright.toml\nhello/hello.asl.json\nhello/functions/greet/{file}\n"),
            "{}",
            said.error
        );
        let again = environment.run(&["init", "hello"]);
        assert_eq!(
            (again.error.as_str(), again.status),
            ("error: hello/stepwright.toml is there already\n", 2)
        );
        let run = |arguments: &[&str]| {
            let mut command = environment.command(arguments);
            crate::environment::said(
                command.current_dir(environment.path().join("hello")).output().expect("it ends"),
            )
        };
        let said = run(&["run", "hello.asl.json", "--input", r#"{"name": "Ada"}"#]);
        assert_eq!(
            (said.out.as_str(), said.status),
            ("{\"greeting\":\"Hello, Ada!\"}\n", 0),
            "{}",
            said.error
        );
        let said = run(&["run", "hello.asl.json"]);
        assert!(said.status == 1 && said.error.contains("Nobody"), "{}", said.error);
        assert_eq!(run(&["validate", "--strict", "hello.asl.json"]).status, 0);
    }
}

const TEMPLATE: &str = "\
Resources:
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States:
          A:
            Type: Task
            Resource: !GetAtt F.Arn
            Next: Nowhere
          B:
            Type: Pass
            End: true
      Role: !GetAtt R.Arn
  Files:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: machines/files.json, Type: EXPRESS}
  Texts:
    Type: AWS::StepFunctions::StateMachine
    Properties: {DefinitionString: !Sub '{\"StartAt\": \"X\", \"States\": {\"X\": {\"Type\": \"Pass\"}}}'}
";

#[test]
fn the_machines_of_a_template_are_judged() {
    let environment = Environment::new();
    environment.write("template.yaml", TEMPLATE);
    let said = environment.run(&["validate", "template.yaml"]);
    assert!(
        said.out.contains("template.yaml has Files, whose definition machines/files.json does not exist"),
        "{}",
        said.out
    );
    assert_eq!(said.status, 2);
    let wait = r#"{"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "u", "MessageBody.$": "$$.Task.Token"}, "End": true}}}"#;
    environment.write("machines/files.json", wait);
    let Said { out, error, status } = environment.run(&["validate", "template.yaml"]);
    assert_eq!(status, 1, "{out}{error}");
    let nowhere = "Missing 'Next' target: Nowhere\n  --> template.yaml:11:19\n";
    assert!(out.contains(nowhere) || out.contains(&nowhere.replace("  -->", " -->")), "{out}");
    assert!(out.contains("Next: Nowhere") && out.contains("template.yaml(Texts)"), "{out}");
    assert!(out.contains("machines/files.json"), "what EXPRESS cannot have: {out}");
    let json = environment.run(&["validate", "--json", "template.yaml"]).out;
    assert!(json.lines().any(|line| line.contains("\"line\":11,\"column\":19")), "{json}");
}

#[test]
fn values_are_filled_in_and_missing_ones_named() {
    let environment = Environment::new();
    environment.write(
        "m.json",
        r#"{"StartAt": "A", "States": {"A": {"Type": "Wait", "SecondsPath": "${Path}", "Next": "B"}, "B": {"Type": "Pass", "Result": "${Name}", "End": true}}}"#,
    );
    let said = environment.run(&[
        "run",
        "m.json",
        "-i",
        r#"{"s": 0}"#,
        "--substitute",
        "Path=$.s",
        "--substitute",
        "Name=a\"b",
    ]);
    assert_eq!((said.out.as_str(), said.status), ("\"a\\\"b\"\n", 0), "{}", said.error);
    let said = environment.run(&["run", "m.json", "--substitute", "Name=x"]);
    assert!(
        said.status == 2 && said.error.ends_with("values are missing: --substitute Path=…\n"),
        "{}",
        said.error
    );
    assert_eq!(environment.run(&["run", "m.json", "--substitute", "Name"]).status, 2);
}

#[test]
fn mocks_answer_for_states() {
    let environment = Environment::new();
    let task = |resource: &str, next: &str| {
        format!(
            r#"{{"Type": "Task", "Resource": "{resource}", "Parameters": {{"TableName": "t", "Key": {{}}}}, {next}}}"#
        )
    };
    let caught =
        r#""Catch": [{"ErrorEquals": ["Mine"], "ResultPath": "$.error", "Next": "Done"}], "End": true"#;
    environment.write(
        "m.json",
        &format!(
            r#"{{"StartAt": "Get", "States": {{"Get": {}, "Job": {}, "Done": {{"Type": "Succeed"}}}}}}"#,
            task("arn:aws:states:::dynamodb:getItem", r#""Next": "Job""#),
            task("arn:aws:states:::aws-sdk:dynamodb:getItem", caught)
        ),
    );
    environment.write("job.json", r#"{"errorOutput": {"error": "Mine", "cause": "why"}}"#);
    let said = environment.run(&["run", "m.json", "--mock", "Get={\"n\": 1.50}", "--mock", "Job=@job.json"]);
    assert_eq!(
        (said.out.as_str(), said.status),
        ("{\"n\":1.50,\"error\":{\"Error\":\"Mine\",\"Cause\":\"why\"}}\n", 0),
        "{}",
        said.error
    );
    let said = environment.run(&["run", "m.json"]);
    let note = "note: m.json calls what this version cannot run: Get (dynamodb:getItem), Job (aws-sdk:dynamodb:getItem) (`run";
    assert!(said.status == 1 && said.error.starts_with(note), "{}", said.error);
    let said = environment.run(&["run", "m.json", "--mock", "Gte=1"]);
    assert_eq!(
        (said.error.lines().last(), said.status),
        (Some("error: --mock Gte: there is no such state; did you mean \"Get\"?"), 2)
    );
}

#[test]
fn which_child_failed_on_which_item() {
    let environment = Environment::new();
    environment.write(
        "m.json",
        r#"{"StartAt": "Each", "States": {"Each": {"Type": "Map", "ToleratedFailureCount": 5, "End": true, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "C", "States": {
            "C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "F"}], "Default": "S"},
            "F": {"Type": "Fail", "Error": "Odd", "Cause": "it is two"}, "S": {"Type": "Succeed"}}}}}}"#,
    );
    let said = environment.run(&["run", "m.json", "-i", r#"[{"n": 1}, {"n": 2}, {"n": 3}]"#]);
    assert!(said.error.contains("child failed on {\"n\":2}\n  Odd: it is two\n"), "{}", said.error);
}
